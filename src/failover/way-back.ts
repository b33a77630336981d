// Moving a workload back to where it ran before: to which clusters, with how many replicas, and what that makes of its
// binding. The copies of now go as an eviction takes them, once those that come back are healthy, so that the same guard
// holds here.
import type { ResourceBindingSpec, TargetCluster } from '../api/index.ts';
import { apportion, isWorkload, nameOrderFor } from '../fleet/index.ts';
import { evict, taintPurgeMode, type EvictionChange } from './eviction.ts';

/** The reason of the tasks by which clusters are left then. */
export const ROLLED_BACK = 'RolledBack';
const PRODUCER = 'Rollback';

/** Where a binding was placed once. */
export interface FormerPlacement {
  /** When that was decided; undefined: not known. */
  readonly time?: string | undefined;
  readonly clusters: readonly TargetCluster[];
}

function namesOf(clusters: readonly TargetCluster[]): string {
  return clusters
    .map(({ name }) => name)
    .sort()
    .join(' ');
}

/**
 * The last placement in other clusters than those of now.
 * @param history the latest first
 * @param through only one that had this cluster
 */
export function formerPlacement(
  { clusters = [] }: Pick<ResourceBindingSpec, 'clusters'>,
  history: readonly FormerPlacement[],
  through?: string,
): FormerPlacement | undefined {
  return history.find(
    (one) =>
      one.clusters.length > 0 &&
      namesOf(one.clusters) !== namesOf(clusters) &&
      (through === undefined || one.clusters.some(({ name }) => name === through)),
  );
}

/**
 * Whether it was taken back already: it is where it was before the last decision of the scheduler, by no decision of its.
 * @param history the last decision first
 */
export function isBack(
  { clusters = [] }: Pick<ResourceBindingSpec, 'clusters'>,
  history: readonly FormerPlacement[],
): boolean {
  const [decided, ...former] = history;
  if (decided === undefined || clusters.length === 0 || namesOf(decided.clusters) === namesOf(clusters))
    return false;
  return former.some((one) => namesOf(one.clusters) === namesOf(clusters));
}

/** The clusters that are being left because it was taken back. */
export function leavingByRollback({
  gracefulEvictionTasks = [],
}: Pick<ResourceBindingSpec, 'gracefulEvictionTasks'>): readonly string[] {
  return gracefulEvictionTasks
    .filter(({ reason }) => reason === ROLLED_BACK)
    .map(({ fromCluster }) => fromCluster);
}

/** A former placement for as many replicas as are wanted now. */
export function restoredClusters(
  spec: Pick<ResourceBindingSpec, 'placement' | 'replicas' | 'replicaRequirements' | 'components'>,
  former: readonly TargetCluster[],
  uid?: string,
): readonly TargetCluster[] {
  const { replicas: wanted = 0 } = spec;
  const bare = former.map(({ name }) => ({ name }));
  if (!isWorkload(spec) || wanted === 0) return bare;
  if (spec.placement?.replicaScheduling?.replicaSchedulingType !== 'Divided')
    return bare.map((one) => ({ ...one, replicas: wanted }));
  const sum = former.reduce((total, { replicas = 0 }) => total + replicas, 0);
  if (sum === wanted) return former.map(({ name, replicas = 0 }) => ({ name, replicas }));
  const parties = former.map(({ name, replicas = 0 }) => ({ name, votes: sum === 0 ? 1 : replicas }));
  return apportion(wanted, parties, nameOrderFor(uid)).map(({ name, seats }) => ({ name, replicas: seats }));
}

/** Clusters that come back, and that are left, by name. */
export function turnsOf(
  { clusters = [] }: Pick<ResourceBindingSpec, 'clusters'>,
  restored: readonly TargetCluster[],
): { readonly back: readonly string[]; readonly left: readonly string[] } {
  const names = (all: readonly TargetCluster[]): readonly string[] => all.map(({ name }) => name);
  return {
    back: names(restored).filter((name) => !names(clusters).includes(name)),
    left: names(clusters).filter((name) => !names(restored).includes(name)),
  };
}

/** What the binding comes to. @param now RFC 3339 */
export function wayBack(
  spec: ResourceBindingSpec,
  restored: readonly TargetCluster[],
  now: string,
): Required<EvictionChange> {
  const purgeMode = taintPurgeMode(spec, 'Gracefully');
  const wanted = new Set(restored.map(({ name }) => name));
  // What is on its way out of a cluster that is wanted again stays there.
  let change: Required<EvictionChange> = {
    clusters: spec.clusters ?? [],
    gracefulEvictionTasks: (spec.gracefulEvictionTasks ?? []).filter(
      ({ fromCluster }) => !wanted.has(fromCluster),
    ),
  };
  for (const name of turnsOf(spec, restored).left) {
    const task = { fromCluster: name, purgeMode, reason: ROLLED_BACK, producer: PRODUCER };
    change = evict(change, task, now) ?? change;
  }
  return { ...change, clusters: restored };
}
