// The arithmetic of a Deployment's rollout: how many replicas each ReplicaSet gets next.
// INVARIANT: a rolling update never asks for more than replicas + maxSurge pods, and never scales down so far that
// fewer than replicas - maxUnavailable pods stay available.
import { scaledValue } from '../../amounts.ts';
import type { Deployment, ReplicaSet } from '../../kinds.ts';
import { compare } from '../../pods.ts';

/** Replica counts to be set, by the uid of the ReplicaSet. Only what differs from its spec. */
export type Sizes = ReadonlyMap<string, number>;

export interface Bounds {
  readonly maxSurge: number;
  readonly maxUnavailable: number;
}

export function replicasOf(object: { readonly spec: { readonly replicas?: number } }): number {
  return object.spec.replicas ?? 1;
}

export function availableOf(replicaSet: ReplicaSet): number {
  return replicaSet.status?.availableReplicas ?? 0;
}

export function sum<T>(items: readonly T[], count: (item: T) => number): number {
  return items.reduce((total, item) => total + count(item), 0);
}

export function isRollingUpdate(deployment: Deployment): boolean {
  return deployment.spec.strategy?.type !== 'Recreate';
}

/** Surge rounds up, unavailability down; both zero would be a standstill, so one pod may then be missing. */
export function boundsOf(deployment: Deployment): Bounds {
  if (!isRollingUpdate(deployment)) return { maxSurge: 0, maxUnavailable: 0 };
  const replicas = replicasOf(deployment);
  const written = deployment.spec.strategy?.rollingUpdate;
  const maxSurge = scaledValue(written?.maxSurge ?? '25%', replicas, 'up');
  const maxUnavailable = scaledValue(written?.maxUnavailable ?? '25%', replicas, 'down');
  if (maxSurge === 0 && maxUnavailable === 0) return { maxSurge, maxUnavailable: 1 };
  return { maxSurge, maxUnavailable: Math.min(maxUnavailable, replicas) };
}

export const byCreation = (a: ReplicaSet, b: ReplicaSet): number =>
  compare(a.metadata.creationTimestamp, b.metadata.creationTimestamp) ||
  compare(a.metadata.name, b.metadata.name);

/** How large the ReplicaSet of the current template may be now. `others` are all the other ones. */
export function newReplicaSetSize(deployment: Deployment, current: number, others: number): number {
  const wanted = replicasOf(deployment);
  if (!isRollingUpdate(deployment) || current > wanted) return wanted;
  const room = wanted + boundsOf(deployment).maxSurge - current - others;
  return room <= 0 ? current : current + Math.min(room, wanted - current);
}

/** Scales down the ReplicaSets of earlier templates: first pods that are not healthy, then as many as can be spared. */
export function shrinkOld(
  deployment: Deployment,
  newReplicaSet: ReplicaSet,
  old: readonly ReplicaSet[],
): Sizes {
  const sizes = new Map<string, number>();
  const sizeOf = (set: ReplicaSet): number => sizes.get(set.metadata.uid) ?? replicasOf(set);
  if (sum(old, replicasOf) === 0) return sizes;
  const minAvailable = replicasOf(deployment) - boundsOf(deployment).maxUnavailable;
  const newUnavailable = replicasOf(newReplicaSet) - availableOf(newReplicaSet);
  let spare = sum(old, replicasOf) + replicasOf(newReplicaSet) - minAvailable - newUnavailable;
  if (spare <= 0) return sizes;

  const oldestFirst = old.toSorted(byCreation);
  for (const set of oldestFirst) {
    const unhealthy = Math.min(spare, replicasOf(set) - availableOf(set));
    if (spare <= 0 || unhealthy <= 0) continue;
    sizes.set(set.metadata.uid, replicasOf(set) - unhealthy);
    spare -= unhealthy;
  }
  let surplus = sum(old, availableOf) + availableOf(newReplicaSet) - minAvailable;
  for (const set of oldestFirst) {
    const fewer = Math.min(sizeOf(set), surplus);
    if (fewer <= 0) continue;
    sizes.set(set.metadata.uid, sizeOf(set) - fewer);
    surplus -= fewer;
  }
  return sizes;
}

/**
 * Sizes after the Deployment itself was scaled: all to one ReplicaSet when only one counts, else shared out in
 * proportion, so that a rollout under way keeps its ratio.
 */
export function scaleSizes(
  deployment: Deployment,
  newReplicaSet: ReplicaSet | undefined,
  old: readonly ReplicaSet[],
  maxReplicasOf: (set: ReplicaSet) => number,
): Sizes {
  const wanted = replicasOf(deployment);
  const all = newReplicaSet === undefined ? old : [...old, newReplicaSet];
  const active = all.filter((set) => replicasOf(set) > 0);
  const only =
    active.length === 1 ? active[0] : active.length === 0 ? (newReplicaSet ?? newest(old)) : undefined;
  if (only !== undefined) return new Map([[only.metadata.uid, wanted]]);
  if (newReplicaSet !== undefined && isSaturated(deployment, newReplicaSet, maxReplicasOf)) {
    return new Map(active.filter((set) => set !== newReplicaSet).map((set) => [set.metadata.uid, 0]));
  }
  if (!isRollingUpdate(deployment)) return new Map();
  return shareOut(deployment, active, maxReplicasOf);
}

function newest(sets: readonly ReplicaSet[]): ReplicaSet | undefined {
  return sets.toSorted(byCreation).at(-1);
}

function isSaturated(
  deployment: Deployment,
  set: ReplicaSet,
  maxReplicasOf: (set: ReplicaSet) => number,
): boolean {
  const wanted = replicasOf(deployment);
  const annotated = maxReplicasOf(set) - boundsOf(deployment).maxSurge;
  return replicasOf(set) === wanted && annotated === wanted && availableOf(set) === wanted;
}

function shareOut(
  deployment: Deployment,
  active: readonly ReplicaSet[],
  maxReplicasOf: (set: ReplicaSet) => number,
): Sizes {
  const wanted = replicasOf(deployment);
  const allowed = wanted > 0 ? wanted + boundsOf(deployment).maxSurge : 0;
  const delta = allowed - sum(active, replicasOf);
  // Growth goes to the largest and newest first, shrinking takes from the largest and oldest.
  const order = active.toSorted(
    (a, b) => replicasOf(b) - replicasOf(a) || (delta > 0 ? byCreation(b, a) : byCreation(a, b)),
  );
  const sizes = new Map<string, number>();
  let added = 0;
  for (const set of order) {
    const before = replicasOf(set);
    let share = 0;
    if (delta !== 0 && delta - added !== 0) {
      const base = maxReplicasOf(set);
      const scaled = wanted === 0 ? 0 : base === 0 ? before : Math.round((before * allowed) / base);
      const open = delta - added;
      share = delta > 0 ? Math.min(scaled - before, open) : Math.max(scaled - before, open);
    }
    sizes.set(set.metadata.uid, before + share);
    added += share;
  }
  const largest = order[0];
  if (largest !== undefined && delta !== added) {
    const size = (sizes.get(largest.metadata.uid) ?? 0) + delta - added;
    sizes.set(largest.metadata.uid, Math.max(size, 0));
  }
  return sizes;
}
