// What every cluster starts with: system namespaces, the bootstrap roles and bindings, priority classes, and the
// `kubernetes` Service. Runs once at each start; what is right already costs one list per kind and no write.
import { bootstrapRbac, type KubeObject } from '../api/index.ts';
import { errorMessage, formatTime, sleep, type Clock, type Logger } from '../base/index.ts';
import { isAlreadyExists, keyOf, type Client, type Resource } from '../client/index.ts';
import { deepEqual } from '../machinery/index.ts';
import { resources, type ClusterRole } from './kinds.ts';

export interface BootstrapSettings {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where the API server is reached; absent: no `kubernetes` Service. */
  readonly apiServer?: ApiServerAddress | undefined;
  readonly signal: AbortSignal;
}

export interface ApiServerAddress {
  /** An IP address. */
  readonly host: string;
  readonly port: number;
  /** The cluster IP of the `kubernetes` Service. */
  readonly serviceIp: string;
  /** The network that Services get their addresses from. */
  readonly serviceRange: string;
}

const SYSTEM_NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];
const AUTOUPDATE = 'rbac.authorization.kubernetes.io/autoupdate';
const RETRY_MS = 1000;
// LIMIT: tries before the start is given up: half a minute for a store that is slow to come.
const TRIES = 30;
// LIMIT: writes under way at once.
const BATCH = 64;

/** Resolves when everything is there. */
export async function bootstrap(settings: BootstrapSettings): Promise<void> {
  const { clock, logger, signal } = settings;
  for (let tries = 1; ; tries++) {
    try {
      await bootstrapOnce(settings);
      return;
    } catch (error) {
      if (signal.aborted || tries >= TRIES) throw error;
      logger.warn('the first objects could not be made, trying again', { error: errorMessage(error) });
      await sleep(clock, RETRY_MS, signal);
    }
  }
}

async function bootstrapOnce(settings: BootstrapSettings): Promise<void> {
  const { client, apiServer } = settings;
  await ensure(settings, resources.namespaces, SYSTEM_NAMESPACES.map(namespace));
  const byKind = Map.groupBy(bootstrapRbac(), ({ kind }) => kind);
  await Promise.all([
    ensure(
      settings,
      resources.clusterRoles,
      (byKind.get('ClusterRole') ?? []) as readonly ClusterRole[],
      completeRole,
    ),
    ensure(settings, resources.clusterRoleBindings, byKind.get('ClusterRoleBinding') ?? []),
    ensure(settings, resources.roles, byKind.get('Role') ?? []),
    ensure(settings, resources.roleBindings, byKind.get('RoleBinding') ?? []),
    ensure(settings, resources.priorityClasses, PRIORITY_CLASSES),
  ]);
  if (apiServer === undefined) return;
  await ensure(settings, resources.serviceCidrs, [serviceCidr(apiServer)]);
  await declareReady(settings);
  await ensure({ client, namespace: 'default' }, resources.services, [apiServerService(apiServer)]);
  await ensure(
    { client, namespace: 'default' },
    resources.endpointSlices,
    [apiServerSlice(apiServer)],
    (found, wanted) =>
      deepEqual(found['endpoints'], wanted['endpoints']) && deepEqual(found['ports'], wanted['ports'])
        ? undefined
        : { ...found, endpoints: wanted['endpoints'], ports: wanted['ports'] },
  );
}

/** Creates what is missing, and updates what `complete` finds lacking. */
async function ensure<T extends KubeObject>(
  { client, namespace }: { readonly client: Client; readonly namespace?: string },
  resource: Resource<T>,
  wanted: readonly T[],
  complete: (found: T, wanted: T) => T | undefined = () => undefined,
): Promise<void> {
  if (wanted.length === 0) return;
  const list = await client.listAll(resource, { namespace });
  const found = new Map(list.items.map((item) => [keyOf(item), item]));
  const writes = wanted.flatMap((object): (() => Promise<unknown>)[] => {
    const known = found.get(keyOf(object));
    if (known === undefined) return [() => createUnlessThere(client, resource, object)];
    const completed = complete(known, object);
    return completed === undefined ? [] : [() => client.update(resource, completed)];
  });
  for (let i = 0; i < writes.length; i += BATCH) {
    await Promise.all(writes.slice(i, i + BATCH).map((write) => write()));
  }
}

async function createUnlessThere<T extends KubeObject>(
  client: Client,
  resource: Resource<T>,
  object: T,
): Promise<void> {
  try {
    await client.create(resource, object);
  } catch (error) {
    // Another replica starts at the same time.
    if (!isAlreadyExists(error)) throw error;
  }
}

/**
 * COMPAT: rules that a newer release brings are added to a default role, unless its owner has said otherwise by the
 * annotation; rules that somebody added stay.
 */
export function completeRole(found: ClusterRole, wanted: ClusterRole): ClusterRole | undefined {
  if (found.metadata.annotations?.[AUTOUPDATE] !== 'true') return undefined;
  // The rules of these come from other roles.
  if (wanted.aggregationRule !== undefined) return undefined;
  const have = found.rules ?? [];
  const missing = (wanted.rules ?? []).filter((rule) => !have.some((known) => deepEqual(known, rule)));
  return missing.length === 0 ? undefined : { ...found, rules: [...have, ...missing] };
}

function namespace(name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

const PRIORITY_CLASSES: readonly KubeObject[] = [
  ['system-node-critical', 2_000_001_000] as const,
  ['system-cluster-critical', 2_000_000_000] as const,
].map(([name, value]) => ({
  apiVersion: 'scheduling.k8s.io/v1',
  kind: 'PriorityClass',
  metadata: { name },
  value,
  globalDefault: false,
  preemptionPolicy: 'PreemptLowerPriority',
}));

const SERVICE_METADATA = {
  name: 'kubernetes',
  namespace: 'default',
  labels: { component: 'apiserver', provider: 'kubernetes' },
};

function serviceCidr({ serviceRange }: ApiServerAddress): KubeObject {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'ServiceCIDR',
    metadata: { name: SERVICE_METADATA.name },
    spec: { cidrs: [serviceRange] },
  };
}

/** The default network for Services is ready from the start. */
async function declareReady({ client, clock }: BootstrapSettings): Promise<void> {
  const found = await client.get(resources.serviceCidrs, { name: SERVICE_METADATA.name });
  const { conditions = [] } = (found['status'] ?? {}) as { readonly conditions?: readonly unknown[] };
  if (conditions.length > 0) return;
  const ready = {
    type: 'Ready',
    status: 'True',
    reason: '',
    message: 'Kubernetes default Service CIDR is ready',
    lastTransitionTime: formatTime(clock.now()),
  };
  await client.updateStatus(resources.serviceCidrs, { ...found, status: { conditions: [ready] } });
}

function apiServerService({ port, serviceIp }: ApiServerAddress): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: SERVICE_METADATA,
    spec: {
      clusterIP: serviceIp,
      clusterIPs: [serviceIp],
      ipFamilies: [serviceIp.includes(':') ? 'IPv6' : 'IPv4'],
      ipFamilyPolicy: 'SingleStack',
      ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: port }],
      sessionAffinity: 'None',
      type: 'ClusterIP',
    },
  };
}

function apiServerSlice({ host, port }: ApiServerAddress): KubeObject {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...SERVICE_METADATA, labels: { 'kubernetes.io/service-name': 'kubernetes' } },
    addressType: host.includes(':') ? 'IPv6' : 'IPv4',
    endpoints: [{ addresses: [host], conditions: { ready: true } }],
    ports: [{ name: 'https', port, protocol: 'TCP' }],
  };
}
