// Taking a cluster away from a binding, and the task that remembers it (clusters-and-failover.md §7.3, §8.2).
import type {
  AggregatedStatusItem,
  GracefulEvictionTask,
  ResourceBindingSpec,
  ResourceBindingStatus,
} from '../api/index.ts';
import { isWorkload } from '../fleet/index.ts';

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

/** The guard: whether the copy in `cluster` is healthy and no copy in another target is. */
export function isLastHealthyCopy(
  spec: ResourceBindingSpec,
  status: ResourceBindingStatus | undefined,
  cluster: string,
): boolean {
  if (wantsNoCopy(spec) || healthIn(status, cluster) !== 'Healthy') return false;
  return !(spec.clusters ?? []).some(({ name }) => name !== cluster && healthIn(status, name) === 'Healthy');
}
