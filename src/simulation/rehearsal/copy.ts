// A copy of what a hub holds today, read through its API and nothing else: objects of every kind that decisions depend on,
// and what is known of each member's room.
import {
  clusterOfExecutionNamespace,
  type Cluster,
  type ClusterResourceBinding,
  type KubeObject,
  type ResourceBinding,
  type Secret,
  type Work,
} from '../../api/index.ts';
import { storageRootOf } from '../../apiserver/index.ts';
import { OperatingError, errorMessage } from '../../base/index.ts';
import { createRestMapper, type ApiResource, type Client } from '../../client/index.ts';
import { StatusError } from '../../machinery/index.ts';
import type { StoredObject } from '../disk.ts';
import { templateName, type Binding } from '../objects.ts';
import { CLUSTER_NAMESPACE, urlOf } from '../world.ts';

export interface HubCopy {
  readonly objects: readonly StoredObject[];
  readonly clusters: readonly Cluster[];
  readonly works: readonly Work[];
  /** What was last collected from each copy of each template. */
  readonly statuses: ReadonlyMap<string, unknown>;
  /** Definitions of kinds that are not the control plane's own. */
  readonly definitions: readonly KubeObject[];
  /** What the copy lacks, for people. */
  readonly notes: readonly string[];
}

/** What comes and goes by itself, belongs to clients, or is nobody's business. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'core/events',
  'events.k8s.io/events',
  'coordination.k8s.io/leases',
  'certificates.k8s.io/certificatesigningrequests',
  'core/componentstatuses',
  'navarch.io/failoverrecords',
  'navarch.io/schedulingdecisions',
  'navarch.io/clusterschedulingdecisions',
]);
const OWN_GROUPS = /(^|\.)(karmada\.io|navarch\.io|multicluster\.x-k8s\.io|k8s\.io)$/;
/** LIMIT: what is copied into memory. */
const OBJECTS_MAX = 300_000;
/** LIMIT: lists under way at once. */
const LISTS_AT_ONCE = 8;

/** Reads only. What may not be read is left out, and noted. */
export async function copyHub(hubClient: Client, signal: AbortSignal): Promise<HubCopy> {
  const resources = (await createRestMapper(hubClient.transport).resources()).filter(
    ({ preferred, verbs, group, resource }) =>
      preferred &&
      verbs.includes('list') &&
      verbs.includes('get') &&
      !LEFT_OUT.has(`${group || 'core'}/${resource}`),
  );
  const objects: StoredObject[] = [];
  const notes: string[] = [];
  const waiting = [...resources];
  const listNext = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const listed = await listOf(hubClient, next, notes, signal);
      for (const object of listed) objects.push(stored(next, object));
      if (objects.length > OBJECTS_MAX) throw tooMany();
    }
  };
  await Promise.all(Array.from({ length: LISTS_AT_ONCE }, listNext));
  // The order in which answers came must not show.
  objects.sort((a, b) => (a.key < b.key ? -1 : 1));
  const of = <T extends KubeObject>(group: string, resource: string): T[] => {
    const root = storageRootOf(group, resource);
    return objects.filter(({ key }) => key.startsWith(root)).map(({ object }) => object as T);
  };
  const clusters = of<Cluster>('cluster.karmada.io', 'clusters');
  const pulled = clusters.filter(({ spec }) => spec.syncMode === 'Pull').map(({ metadata }) => metadata.name);
  if (pulled.length > 0)
    notes.push(`${pulled.join(', ')}: members that pull are rehearsed as if they were pushed to`);
  return {
    objects: forWorld(objects, clusters),
    clusters,
    works: of<Work>('work.karmada.io', 'works').filter(
      ({ metadata }) => clusterOfExecutionNamespace(metadata.namespace ?? '') !== undefined,
    ),
    statuses: statusesOf([
      ...of<ResourceBinding>('work.karmada.io', 'resourcebindings'),
      ...of<ClusterResourceBinding>('work.karmada.io', 'clusterresourcebindings'),
    ]),
    definitions: of('apiextensions.k8s.io', 'customresourcedefinitions').filter(
      ({ spec }) => !OWN_GROUPS.test((spec as { readonly group: string }).group),
    ),
    notes,
  };
}

/** The key of `statuses`. */
export function statusKey(member: string, name: string): string {
  return `${member} ${name}`;
}

function statusesOf(bindings: readonly Binding[]): Map<string, unknown> {
  return new Map(
    bindings.flatMap((binding) =>
      (binding.status?.aggregatedStatus ?? []).flatMap(({ clusterName, status }) =>
        status === undefined ? [] : [[statusKey(clusterName, templateName(binding)), status] as const],
      ),
    ),
  );
}

async function listOf(
  hubClient: Client,
  resource: ApiResource,
  notes: string[],
  signal: AbortSignal,
): Promise<readonly KubeObject[]> {
  const { group, version, kind } = resource;
  try {
    const { items } = await hubClient.listAll(resource, { signal });
    const apiVersion = group === '' ? version : `${group}/${version}`;
    return items.map((item) => withoutSecrets({ ...item, apiVersion, kind }));
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof StatusError)) throw error;
    notes.push(
      `${resource.resource}${group === '' ? '' : `.${group}`} cannot be read and are missing: ${errorMessage(error)}`,
    );
    return [];
  }
}

/** Nothing that is decided depends on what secrets say. */
function withoutSecrets(object: KubeObject): KubeObject {
  if (object.kind !== 'Secret' || object.apiVersion !== 'v1') return object;
  const { stringData: _text, ...rest } = object as Secret & { readonly stringData?: unknown };
  return { ...rest, data: {} };
}

function stored({ group, resource, namespaced }: ApiResource, object: KubeObject): StoredObject {
  const { namespace = '', name = '' } = object.metadata;
  return { key: `${storageRootOf(group, resource)}${namespaced ? `${namespace}/` : ''}${name}`, object };
}

/** The same fleet, reached as members of a simulated world are. */
function forWorld(objects: readonly StoredObject[], clusters: readonly Cluster[]): StoredObject[] {
  const clusterRoot = storageRootOf('cluster.karmada.io', 'clusters');
  const secretRoot = `${storageRootOf('', 'secrets')}${CLUSTER_NAMESPACE}/`;
  const secrets = clusters.flatMap(({ metadata }) => [metadata.name ?? '', `${metadata.name}-impersonator`]);
  const replaced = new Set(secrets.map((name) => secretRoot + name));
  return [
    ...objects
      .filter(({ key }) => !replaced.has(key))
      .map(({ key, object }) =>
        key.startsWith(clusterRoot) ? { key, object: reachable(object as Cluster) } : { key, object },
      ),
    ...secrets.map((name) => ({ key: secretRoot + name, object: credentials(name) })),
  ];
}

function reachable(cluster: Cluster): Cluster {
  const { name = '' } = cluster.metadata;
  const { proxyURL: _proxy, proxyHeader: _header, ...spec } = cluster.spec;
  return {
    ...cluster,
    spec: {
      ...spec,
      syncMode: 'Push',
      apiEndpoint: urlOf(name),
      secretRef: { namespace: CLUSTER_NAMESPACE, name },
      impersonatorSecretRef: { namespace: CLUSTER_NAMESPACE, name: `${name}-impersonator` },
    },
  };
}

function credentials(name: string): KubeObject {
  const data = { token: btoa('simulated'), caBundle: btoa('simulated') };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: CLUSTER_NAMESPACE, uid: `rehearsal-${name}` },
    type: 'Opaque',
    data,
  };
}

function tooMany(): OperatingError {
  return new OperatingError(
    'STATE_TOO_LARGE',
    `the hub holds more than ${OBJECTS_MAX} objects, which is more than a rehearsal takes`,
    'rehearse on a smaller hub with the same policies',
  );
}
