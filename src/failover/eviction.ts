// Taking a cluster away from a binding, and the task that remembers it (clusters-and-failover.md §7.3, §8.2).
import type {
  AggregatedStatusItem,
  Cluster,
  GracefulEvictionTask,
  ResourceBindingSpec,
  ResourceBindingStatus,
} from '../api/index.ts';
import { isWorkload } from '../fleet/index.ts';
import type { Binding } from './binding.ts';

export const TAINT_MANAGER = 'TaintManager';
export type PurgeMode = NonNullable<GracefulEvictionTask['purgeMode']>;
/** What eviction changes in the spec of a binding. */
export type EvictionChange = Pick<ResourceBindingSpec, 'clusters' | 'gracefulEvictionTasks'>;

/**
 * The binding without the cluster; undefined when it is not there. A task that exists for the cluster stays as it is.
 * @param task without `replicas`, which are those the cluster has
 * @param now what the task carries as creationTimestamp. Upstream leaves that to the graceful eviction controller, which
 *   also gives it to tasks of others; here it saves a write, and the answer to it, for each workload that moves
 */
export function evict(
  { clusters = [], gracefulEvictionTasks = [] }: EvictionChange,
  task: GracefulEvictionTask,
  now: string,
): Required<EvictionChange> | undefined {
  const target = clusters.find(({ name }) => name === task.fromCluster);
  if (target === undefined) return undefined;
  const rest = clusters.filter((one) => one !== target);
  if (gracefulEvictionTasks.some(({ fromCluster }) => fromCluster === task.fromCluster))
    return { clusters: rest, gracefulEvictionTasks };
  const { replicas = 0 } = target;
  const complete = { ...task, creationTimestamp: now, ...(replicas > 0 ? { replicas } : {}) };
  return { clusters: rest, gracefulEvictionTasks: [...gracefulEvictionTasks, complete] };
}

/** How a binding leaves a cluster whose taints it does not tolerate. */
export function taintPurgeMode({ failover }: ResourceBindingSpec, byDefault: PurgeMode): PurgeMode {
  return failover?.cluster === undefined ? byDefault : (failover.cluster.purgeMode ?? 'Gracefully');
}

export function taintEvictionTask(
  fromCluster: string,
  purgeMode: PurgeMode,
  preservedLabelState: Readonly<Record<string, string>> | undefined,
): GracefulEvictionTask {
  return {
    fromCluster,
    purgeMode,
    reason: 'TaintUntolerated',
    producer: TAINT_MANAGER,
    ...(preservedLabelState === undefined ? {} : { preservedLabelState }),
  };
}

export function healthIn(
  status: ResourceBindingStatus | undefined,
  cluster: string,
): AggregatedStatusItem['health'] {
  return status?.aggregatedStatus?.find(({ clusterName }) => clusterName === cluster)?.health;
}

/** Whether no copy is asked for: a workload scaled to nothing has no targets, and needs none. */
export function wantsNoCopy(spec: ResourceBindingSpec): boolean {
  return isWorkload(spec) && (spec.replicas ?? 0) === 0 && (spec.components ?? []).length === 0;
}

/** As the copy reports; undefined when it does not. */
export function readyReplicasIn(
  status: ResourceBindingStatus | undefined,
  cluster: string,
): number | undefined {
  const item = status?.aggregatedStatus?.find(({ clusterName }) => clusterName === cluster);
  const ready = (item?.status as { readonly readyReplicas?: unknown } | undefined)?.readyReplicas;
  return typeof ready === 'number' ? ready : undefined;
}

export interface ClusterLookup {
  get(name: string): Cluster | undefined;
}

/** A cluster that has stopped to answer. What it said of its copies is from before, and says neither good nor ill of them. */
function isSilent(cluster: Cluster | undefined): boolean {
  const ready = cluster?.status?.conditions?.find(({ type }) => type === 'Ready');
  return ready !== undefined && ready.status !== 'True';
}

/** Whether the copy is healthy, by the word of a cluster that answers. */
export function isKnownHealthy({ status }: Binding, cluster: string, clusters: ClusterLookup): boolean {
  return healthIn(status, cluster) === 'Healthy' && !isSilent(clusters.get(cluster));
}

/** The guard: whether the copy in `cluster` is healthy or may be, and no copy in another target is known to be. */
export function isLastHealthyCopy(binding: Binding, cluster: string, clusters: ClusterLookup): boolean {
  return (
    mayBeHealthy(binding, cluster, clusters) &&
    !wantsNoCopy(binding.spec) &&
    !isServedElsewhere(binding, cluster, clusters)
  );
}

/** A copy of unknown health was healthy, perhaps, before its last change could not be brought to the member. */
function mayBeHealthy({ status }: Binding, cluster: string, clusters: ClusterLookup): boolean {
  const health = healthIn(status, cluster);
  return (
    health === 'Healthy' ||
    health === 'Unknown' ||
    // Some of it serves, perhaps while it takes up a change.
    (readyReplicasIn(status, cluster) ?? 0) > 0 ||
    (health !== undefined && isSilent(clusters.get(cluster)))
  );
}

function isServedElsewhere(binding: Binding, cluster: string, clusters: ClusterLookup): boolean {
  const { clusters: targets = [], requiredBy = [] } = binding.spec;
  return [...targets, ...requiredBy.flatMap((one) => one.clusters ?? [])].some(
    ({ name }) => name !== cluster && isKnownHealthy(binding, name, clusters),
  );
}

/**
 * Whether a copy that was given up while its cluster was silent has to stay when that is back: what was to be in its place
 * is not healthy now. Where nothing was to be in its place, it was given up for itself.
 */
export function isNeededAgain(binding: Binding, cluster: string, clusters: ClusterLookup): boolean {
  const { clusters: targets = [], requiredBy = [], gracefulEvictionTasks = [] } = binding.spec;
  if (targets.length + requiredBy.length + gracefulEvictionTasks.length === 0) return false;
  // One that is being evicted stays for as long as it is needed.
  const kept = gracefulEvictionTasks.some(
    ({ fromCluster }) => fromCluster !== cluster && isKnownHealthy(binding, fromCluster, clusters),
  );
  return !kept && !wantsNoCopy(binding.spec) && !isServedElsewhere(binding, cluster, clusters);
}
