// The taints that ClusterTaintPolicies put on a cluster and take off it (clusters-and-failover.md §6.3).
import type { Cluster, ClusterTaintPolicy, Taint, TaintMatchCondition } from '../api/index.ts';
import { clusterMatchesAffinity } from '../fleet/index.ts';

export interface PolicyTaints {
  /** As they ought to be; the same array when nothing changes. */
  readonly taints: readonly Taint[];
  /** Whether taints that would evict are not added, because something is in the way. */
  readonly held: boolean;
}

/**
 * Later policies win.
 * @param obstacle why the cluster may not be given up now; undefined when it may
 */
export function taintsByPolicies(
  cluster: Cluster,
  policies: readonly ClusterTaintPolicy[],
  now: string,
  obstacle: string | undefined,
): PolicyTaints {
  let taints: readonly Taint[] = cluster.spec.taints ?? [];
  let held = false;
  for (const { spec } of [...policies].sort(byAge)) {
    const { targetClusters, addOnConditions, removeOnConditions } = spec;
    if (targetClusters !== undefined && !clusterMatchesAffinity(cluster, targetClusters)) continue;
    if (allHold(cluster, addOnConditions)) {
      const passing =
        obstacle === undefined ? spec.taints : spec.taints.filter(({ effect }) => effect !== 'NoExecute');
      const before = taints;
      taints = withTaints(taints, passing, now);
      held ||= spec.taints.some(
        (one) => !passing.includes(one) && !before.some((taint) => isSame(one, taint)),
      );
    }
    if (allHold(cluster, removeOnConditions)) taints = withoutTaints(taints, spec.taints);
  }
  return { taints, held };
}

function byAge(a: ClusterTaintPolicy, b: ClusterTaintPolicy): number {
  const key = ({ metadata }: ClusterTaintPolicy): string =>
    `${metadata.creationTimestamp ?? ''} ${metadata.name ?? ''}`;
  return key(a) < key(b) ? -1 : 1;
}

function allHold({ status }: Cluster, wanted: readonly TaintMatchCondition[] | undefined): boolean {
  if (wanted === undefined || wanted.length === 0) return false;
  return wanted.every(({ conditionType, operator, statusValues }) => {
    const found = status?.conditions?.find(({ type }) => type === conditionType);
    if (found === undefined) return false;
    if (operator === 'In') return statusValues.includes(found.status);
    return operator === 'NotIn' && !statusValues.includes(found.status);
  });
}

type Wanted = ClusterTaintPolicy['spec']['taints'];

function isSame(a: Wanted[number], b: Taint): boolean {
  return a.key === b.key && a.effect === b.effect;
}

/** A taint that is there keeps its value and its time. */
function withTaints(taints: readonly Taint[], wanted: Wanted, now: string): readonly Taint[] {
  const missing = wanted.filter((one) => !taints.some((taint) => isSame(one, taint)));
  if (missing.length === 0) return taints;
  return [...taints, ...missing.map((one) => ({ ...one, timeAdded: now }))];
}

function withoutTaints(taints: readonly Taint[], unwanted: Wanted): readonly Taint[] {
  const kept = taints.filter((taint) => !unwanted.some((one) => isSame(one, taint)));
  return kept.length === taints.length ? taints : kept;
}
