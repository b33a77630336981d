// What one replica of a pod template needs: resources, and what its node must be like.
import type { JsonObject, ReplicaRequirements } from '../../api/index.ts';
import { Quantity } from '../../machinery/index.ts';
import { listAt, objectAt, valueAt } from './read.ts';

type Amounts = Map<string, Quantity>;

function parse(text: unknown): Quantity | undefined {
  return Quantity.tryParse(text as string | number | undefined);
}

/** A container's requests, those it does not name defaulted from its limits. */
function containerRequests(container: JsonObject): Amounts {
  const amounts: Amounts = new Map();
  for (const source of ['requests', 'limits']) {
    for (const [resource, text] of Object.entries(objectAt(container, 'resources', source) ?? {})) {
      const amount = amounts.has(resource) ? undefined : parse(text);
      if (amount !== undefined) amounts.set(resource, amount);
    }
  }
  return amounts;
}

function resourceRequest(podSpec: JsonObject): Record<string, string> | undefined {
  const total: Amounts = new Map();
  const plus = (resource: string, amount: Quantity): void => {
    total.set(resource, total.get(resource)?.add(amount) ?? amount);
  };
  for (const container of listAt(podSpec, 'containers')) {
    for (const [resource, amount] of containerRequests(container)) plus(resource, amount);
  }
  for (const container of listAt(podSpec, 'initContainers')) {
    for (const [resource, amount] of containerRequests(container)) {
      const now = total.get(resource);
      if (now === undefined || now.compare(amount) < 0) total.set(resource, amount);
    }
  }
  for (const [resource, text] of Object.entries(objectAt(podSpec, 'overhead') ?? {})) {
    const amount = parse(text);
    if (amount !== undefined) plus(resource, amount);
  }
  if (total.size === 0) return undefined;
  return Object.fromEntries([...total].map(([resource, amount]) => [resource, amount.toString()]));
}

function nodeClaim(podSpec: JsonObject): ReplicaRequirements['nodeClaim'] {
  const nodeSelector = objectAt(podSpec, 'nodeSelector');
  const tolerations = listAt(podSpec, 'tolerations');
  const affinity = valueAt(
    podSpec,
    'affinity',
    'nodeAffinity',
    'requiredDuringSchedulingIgnoredDuringExecution',
  );
  const claim = {
    ...(affinity === undefined || affinity === null ? {} : { hardNodeAffinity: affinity }),
    ...(nodeSelector === undefined || Object.keys(nodeSelector).length === 0 ? {} : { nodeSelector }),
    ...(tolerations.length === 0 ? {} : { tolerations }),
  };
  return Object.keys(claim).length === 0 ? undefined : (claim as ReplicaRequirements['nodeClaim']);
}

/** Undefined when the pod asks for nothing. */
export function podRequirements(podSpec: JsonObject): ReplicaRequirements | undefined {
  const claim = nodeClaim(podSpec);
  const request = resourceRequest(podSpec);
  if (claim === undefined && request === undefined) return undefined;
  return {
    ...(claim === undefined ? {} : { nodeClaim: claim }),
    ...(request === undefined ? {} : { resourceRequest: request }),
  };
}
