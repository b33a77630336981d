// How a binding says that the guard keeps its last healthy copy where it is.
import type { Condition } from '../api/index.ts';

/** Condition of bindings whose last healthy copy was to be given up and is not. */
const EVICTION_HELD_CONDITION = 'EvictionHeld';

/** Who holds: before the eviction, for nothing can replace the copy, or after it, for nothing healthy has. */
export type HoldReason = 'NoReplacement' | 'ReplacementNotHealthy';

/**
 * The condition to write; undefined when it may stay as it is. A hold is ended only by who began it.
 * @param why what stands in the way; undefined: nothing does
 */
export function heldCondition(
  conditions: readonly Condition[] | undefined,
  reason: HoldReason,
  why: string | undefined,
): Omit<Condition, 'lastTransitionTime'> | undefined {
  const now = conditions?.find(({ type }) => type === EVICTION_HELD_CONDITION);
  if (why !== undefined) {
    const same = now?.status === 'True' && now.reason === reason && now.message === why;
    return same ? undefined : { type: EVICTION_HELD_CONDITION, status: 'True', reason, message: why };
  }
  if (now?.status !== 'True' || now.reason !== reason) return undefined;
  return { type: EVICTION_HELD_CONDITION, status: 'False', reason: 'NothingHeld', message: '' };
}
