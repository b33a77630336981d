// The taints that follow from a cluster's Ready condition (upstream: cluster-controller). They keep new work away;
// they evict nothing.

export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
  readonly timeAdded?: string;
}

export const NOT_READY_TAINT = 'cluster.karmada.io/not-ready';
export const UNREACHABLE_TAINT = 'cluster.karmada.io/unreachable';

/**
 * The cluster's taints as they ought to be; the same array when nothing changes.
 * @param ready status of the Ready condition; undefined when there is none yet
 * @param now what new taints carry as timeAdded
 */
export function taintsForReadiness(
  taints: readonly Taint[],
  ready: 'True' | 'False' | 'Unknown' | undefined,
  now: string,
): readonly Taint[] {
  const wanted = ready === 'True' ? undefined : ready === 'Unknown' ? UNREACHABLE_TAINT : NOT_READY_TAINT;
  const ours = ({ key, effect }: Taint): boolean =>
    effect === 'NoSchedule' && (key === NOT_READY_TAINT || key === UNREACHABLE_TAINT);
  const kept = taints.filter((taint) => !ours(taint) || taint.key === wanted);
  const missing = wanted !== undefined && !kept.some((taint) => ours(taint) && taint.key === wanted);
  if (missing) return [...kept, { key: wanted, effect: 'NoSchedule', timeAdded: now }];
  return kept.length === taints.length ? taints : kept;
}
