// The members of a rehearsal: clusters with as much room as the real ones report, holding what the hub's Works say.
import {
  clusterOfExecutionNamespace,
  type Cluster,
  type ClusterStatus,
  type KubeObject,
  type Work,
} from '../../api/index.ts';
import { isAlreadyExists, createRestMapper, kinds, type Client } from '../../client/index.ts';
import { Quantity, StatusError } from '../../machinery/index.ts';
import type { NodePool } from '../../members/index.ts';
import { manifestsOf, nameOf } from '../objects.ts';
import type { MemberSpec, World } from '../world.ts';
import { statusKey, type HubCopy } from './copy.ts';

const DEFAULT_NODES = 3;
/** Of virtual time: for pods to start before the hub looks. */
const WARM_UP_MS = 60_000;
/** LIMIT: of virtual time, for the writes of one member. */
const FILL_WAIT_MS = 3_600_000;
/** Kinds whose status simulated members play. */
const PLAYED: ReadonlySet<string> = new Set([
  'Deployment',
  'ReplicaSet',
  'StatefulSet',
  'DaemonSet',
  'Job',
  'CronJob',
  'Service',
  'Pod',
  'Namespace',
  'CustomResourceDefinition',
]);

export function memberSpecs({ clusters, works }: HubCopy, notes: string[]): MemberSpec[] {
  return clusters.map(({ metadata: { name = '' }, status }) => ({
    name,
    nodes: [
      roomOf(
        name,
        status,
        works.filter((work) => memberOf(work) === name),
        notes,
      ),
    ],
  }));
}

function memberOf({ metadata }: Work): string | undefined {
  return clusterOfExecutionNamespace(metadata.namespace ?? '');
}

type Amounts = ReadonlyMap<string, Quantity>;

/**
 * The member's nodes, all alike: what it reports as allocatable, less what others than the hub use, shared out evenly.
 */
function roomOf(
  name: string,
  status: ClusterStatus | undefined,
  works: readonly Work[],
  notes: string[],
): NodePool {
  const count = status?.nodeSummary?.totalNum ?? DEFAULT_NODES;
  const summary = status?.resourceSummary;
  if (summary?.allocatable === undefined || count === 0) {
    notes.push(`${name} reports no resources: it is taken to have ${count} nodes of 4 CPUs and 16Gi`);
    return { count };
  }
  const ours = claimsOf(works);
  const share = (resource: string): string | undefined => {
    const allocatable = Quantity.tryParse(summary.allocatable?.[resource]);
    if (allocatable === undefined) return undefined;
    const allocated = Quantity.tryParse(summary.allocated?.[resource]) ?? Quantity.zero;
    const foreign = allocated.sub(ours.get(resource) ?? Quantity.zero);
    const left = foreign.sign > 0 ? allocatable.sub(foreign) : allocatable;
    const nanos = left.nanos / BigInt(count);
    // Whole units of what is not cpu; a node cannot offer a part of a byte.
    const even = resource === 'cpu' ? nanos : (nanos / 1_000_000_000n) * 1_000_000_000n;
    return Quantity.fromNanos(even < 0n ? 0n : even).toString();
  };
  const pods = Number(share('pods') ?? '110');
  const known = new Set(['cpu', 'memory', 'pods', 'ephemeral-storage']);
  const extra = Object.keys(summary.allocatable).filter((resource) => !known.has(resource));
  const [cpu, memory, ephemeralStorage] = ['cpu', 'memory', 'ephemeral-storage'].map(share);
  return {
    count,
    pods,
    ...(cpu === undefined ? {} : { cpu }),
    ...(memory === undefined ? {} : { memory }),
    ...(ephemeralStorage === undefined ? {} : { ephemeralStorage }),
    extraResources: Object.fromEntries(extra.map((resource) => [resource, share(resource) ?? '0'])),
  };
}

interface Templated {
  readonly spec?: {
    readonly replicas?: number;
    readonly parallelism?: number;
    readonly template?: {
      readonly spec?: {
        readonly containers?: readonly {
          readonly resources?: { readonly requests?: Readonly<Record<string, string | number>> };
        }[];
      };
    };
  };
}

/** What the pods of these Works request. */
function claimsOf(works: readonly Work[]): Amounts {
  const sum = new Map<string, Quantity>();
  const add = (resource: string, amount: Quantity): void =>
    void sum.set(resource, (sum.get(resource) ?? Quantity.zero).add(amount));
  for (const manifest of works.flatMap(manifestsOf)) {
    const { spec } = manifest as unknown as Templated;
    const containers = spec?.template?.spec?.containers;
    if (containers === undefined) continue;
    const replicas = spec?.replicas ?? spec?.parallelism ?? 1;
    add('pods', Quantity.of(replicas));
    for (const { resources } of containers) {
      for (const [resource, text] of Object.entries(resources?.requests ?? {}))
        add(resource, (Quantity.tryParse(text) ?? Quantity.zero).mul(replicas));
    }
  }
  return sum;
}

/** Puts into each member what its Works hold, as the hub would have, and gives it time to get ready. */
export async function fillMembers(world: World, copy: HubCopy, notes: string[]): Promise<void> {
  for (const { name, client } of world.members.values()) {
    const works = copy.works.filter(
      (work) => memberOf(work) === name && work.metadata.deletionTimestamp === undefined,
    );
    const definitions = copy.definitions.filter((definition) => serves(copy.clusters, name, definition));
    const objects = [...definitions, ...works.flatMap(manifestsOf)];
    await world.settle(`filling ${name}`, fillMember(client, name, objects, { copy, notes }), FILL_WAIT_MS);
  }
  await world.run(WARM_UP_MS);
}

function serves(clusters: readonly Cluster[], member: string, { spec }: KubeObject): boolean {
  const { group } = spec as { readonly group: string };
  const enablements = clusters.find(({ metadata }) => metadata.name === member)?.status?.apiEnablements ?? [];
  return enablements.some(({ groupVersion }) => groupVersion.startsWith(`${group}/`));
}

const FIRST = new Map([
  ['Namespace', 0],
  ['CustomResourceDefinition', 1],
]);

async function fillMember(
  client: Client,
  member: string,
  objects: readonly KubeObject[],
  { copy, notes }: { readonly copy: HubCopy; readonly notes: string[] },
): Promise<void> {
  const ordered = [...objects].sort((a, b) => (FIRST.get(a.kind) ?? 2) - (FIRST.get(b.kind) ?? 2));
  const mapper = createRestMapper(client.transport, { missPeriodMs: 0 });
  const namespaces = new Set<string>();
  for (const object of ordered) {
    const { namespace } = object.metadata;
    if (namespace !== undefined && !namespaces.has(namespace)) {
      namespaces.add(namespace);
      await unlessThere(
        client.create(kinds.namespaces, {
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: { name: namespace },
        }),
      );
    }
    const resource = await mapper.resourceForObject(object);
    if (resource === undefined) {
      notes.push(
        `${nameOf(object)} in ${member}: a rehearsed member does not serve ${object.apiVersion} ${object.kind}`,
      );
      continue;
    }
    const { uid: _uid, resourceVersion: _version, creationTimestamp: _time, ...metadata } = object.metadata;
    const { status: _status, ...content } = object;
    try {
      await unlessThere(client.create(resource, { ...content, metadata }));
      const status = PLAYED.has(object.kind)
        ? undefined
        : copy.statuses.get(statusKey(member, nameOf(object)));
      if (status !== undefined && resource.subresources.includes('status')) {
        const { name = '' } = metadata;
        const key = namespace === undefined ? { name } : { namespace, name };
        await client.patch(resource, key, { type: 'merge', body: { status } }, { subresource: 'status' });
      }
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      notes.push(`${nameOf(object)} in ${member}: ${error.message}`);
    }
  }
}

async function unlessThere(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}
