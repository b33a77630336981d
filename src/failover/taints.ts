// The taints that follow from a cluster's Ready condition (upstream: cluster-controller). Those with NoSchedule keep new
// work away. Those with NoExecute give the cluster up; they are made in automatic mode only, as upstream did until 1.13.
import type { Condition } from '../api/index.ts';
import { parseTime } from '../machinery/index.ts';

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

export interface GivingUp {
  /** How long a cluster must be lost. */
  readonly timeoutMs: number;
  /** Why it may not be given up now; undefined when it may. */
  readonly obstacle: string | undefined;
  readonly nowMs: number;
  /** The text of nowMs. */
  readonly now: string;
}

export interface GivenUp {
  /** The same array when nothing changes. */
  readonly taints: readonly Taint[];
  /** When time alone changes them. */
  readonly recheckAfterMs: number | undefined;
  /** What is in the way of giving the cluster up, which is due. */
  readonly held: string | undefined;
}

/** Automatic mode: the cluster's taints with or without those that give it up. A cluster never seen is not given up. */
export function taintsOfLoss(
  taints: readonly Taint[],
  ready: Condition | undefined,
  { timeoutMs, obstacle, nowMs, now }: GivingUp,
): GivenUp {
  const ours = ({ key, effect }: Taint): boolean =>
    effect === 'NoExecute' && (key === NOT_READY_TAINT || key === UNREACHABLE_TAINT);
  const keep = { taints, recheckAfterMs: undefined, held: undefined };
  if (ready === undefined) return keep;
  if (ready.status === 'True') {
    const kept = taints.filter((taint) => !ours(taint));
    return { ...keep, taints: kept.length === taints.length ? taints : kept };
  }
  const wanted = ready.status === 'Unknown' ? UNREACHABLE_TAINT : NOT_READY_TAINT;
  if (taints.some((taint) => ours(taint) && taint.key === wanted)) return keep;
  const dueMs = (parseTime(ready.lastTransitionTime) ?? nowMs) + timeoutMs;
  if (nowMs < dueMs) return { ...keep, recheckAfterMs: dueMs - nowMs };
  if (obstacle !== undefined) return { ...keep, held: obstacle };
  const others = taints.filter((taint) => !ours(taint));
  return { ...keep, taints: [...others, { key: wanted, effect: 'NoExecute', timeAdded: now }] };
}

/** Whether the cluster has been given up, by whomever: it bears a NoExecute taint that says that it is lost. */
export function isGivenUp(taints: readonly Taint[] | undefined): boolean {
  return (taints ?? []).some(
    ({ key, effect }) => effect === 'NoExecute' && (key === NOT_READY_TAINT || key === UNREACHABLE_TAINT),
  );
}
