// What one replica of a pod template needs: resources, and what its node must be like.
import type { JsonObject, ReplicaRequirements } from '../../api/index.ts';
import { isQualifiedName, Quantity, type QuantityFormat } from '../../machinery/index.ts';
import { listAt, objectAt, valueAt } from './read.ts';

/** Thousandths of cpu, whole units of everything else. */
type Amounts = Map<string, number>;

/** COMPAT: amounts are rounded up to these units, container by container, and come out in these notations. */
function unitOf(resource: string): { readonly format: QuantityFormat; readonly milli?: true } | undefined {
  if (resource === 'cpu') return { format: 'DecimalSI', milli: true };
  if (['memory', 'ephemeral-storage'].includes(resource) || resource.startsWith('hugepages-'))
    return { format: 'BinarySI' };
  if (resource === 'pods' || resource.startsWith('attachable-volumes-')) return { format: 'DecimalSI' };
  if (!resource.includes('/')) return undefined;
  const counted =
    resource.includes('kubernetes.io/') ||
    (!resource.startsWith('requests.') && isQualifiedName(`requests.${resource}`).length === 0);
  return counted ? { format: 'DecimalSI' } : undefined;
}

function amountsOf(list: JsonObject | undefined): readonly (readonly [resource: string, amount: number])[] {
  return Object.entries(list ?? {}).flatMap(([resource, text]) => {
    const unit = unitOf(resource);
    const amount = Quantity.tryParse(text as string | number | undefined);
    if (unit === undefined || amount === undefined) return [];
    return [[resource, unit.milli === true ? amount.milliValue() : amount.value()] as const];
  });
}

/** A container's requests, those it does not name defaulted from its limits. */
function containerRequests(container: JsonObject): Amounts {
  const amountsIn = (source: string): ReturnType<typeof amountsOf> =>
    amountsOf(objectAt(container, 'resources', source));
  return new Map([...amountsIn('limits'), ...amountsIn('requests')]);
}

function resourceRequest(podSpec: JsonObject): Record<string, string> | undefined {
  const total: Amounts = new Map();
  const plus = ([resource, amount]: readonly [string, number]): void => {
    total.set(resource, (total.get(resource) ?? 0) + amount);
  };
  for (const container of listAt(podSpec, 'containers')) [...containerRequests(container)].forEach(plus);
  for (const container of listAt(podSpec, 'initContainers')) {
    for (const [resource, amount] of containerRequests(container))
      total.set(resource, Math.max(total.get(resource) ?? 0, amount));
  }
  amountsOf(objectAt(podSpec, 'overhead')).forEach(plus);
  const asked = [...total].filter(([, amount]) => amount > 0);
  if (asked.length === 0) return undefined;
  return Object.fromEntries(
    asked.map(([resource, amount]) => {
      const { format, milli } = unitOf(resource) ?? { format: 'DecimalSI' };
      const quantity = milli === true ? Quantity.fromMilli(amount) : Quantity.of(amount, format);
      return [resource, quantity.toString()];
    }),
  );
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
