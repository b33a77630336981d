// How a binding says that the guard keeps a copy where it is.
import type { Condition } from '../api/index.ts';

/** Condition of bindings whose copy was to be given up and is not. */
export const EVICTION_HELD_CONDITION = 'EvictionHeld';

/** Which step is held, by reason. A hold is ended only by the step that began it. */
const steps = {
  /** Nothing can take the place of the last healthy copy. */
  NoReplacement: 'evict',
  /** Too much moves at once. */
  MassEviction: 'evict',
  /** The cluster flaps. */
  ClusterSuspect: 'evict',
  /** The state that is to go along is not known. */
  StateUnreadable: 'evict',
  /** The eviction is over its time, and nothing healthy has taken the place of the last healthy copy. */
  ReplacementNotHealthy: 'end',
} as const;

export type HoldReason = keyof typeof steps;
export type HeldStep = (typeof steps)[HoldReason];

export interface Hold {
  readonly reason: HoldReason;
  readonly message: string;
}

/**
 * The condition to write; undefined when it may stay as it is.
 * @param hold what holds the step; undefined: nothing does
 */
export function heldCondition(
  conditions: readonly Condition[] | undefined,
  step: HeldStep,
  hold: Hold | undefined,
): Omit<Condition, 'lastTransitionTime'> | undefined {
  const now = conditions?.find(({ type }) => type === EVICTION_HELD_CONDITION);
  if (hold !== undefined) {
    const same = now?.status === 'True' && now.reason === hold.reason && now.message === hold.message;
    return same ? undefined : { type: EVICTION_HELD_CONDITION, status: 'True', ...hold };
  }
  if (now?.status !== 'True' || !isOf(step, now.reason)) return undefined;
  return { type: EVICTION_HELD_CONDITION, status: 'False', reason: 'NothingHeld', message: '' };
}

function isOf(step: HeldStep, reason: string): boolean {
  return Object.hasOwn(steps, reason) && steps[reason as HoldReason] === step;
}
