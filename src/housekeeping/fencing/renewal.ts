// For how long a renewal of a fencing lease is good. Only this cluster's clock and what passed between two renewals on the
// writer's clock count, so the two need not agree.
// INVARIANT: a renewal is good for no longer than its duration after it was written, however late it was seen.
import { parseTime } from '../../machinery/index.ts';

/** What has been seen of one lease. */
export interface SeenRenewals {
  readonly renewTime: string;
  /** Seen minus written, of the last few. LIMIT: a writer whose clock jumps is believed again after so many. */
  readonly offsetsMs: readonly number[];
}

const OFFSETS_MAX = 4;

export interface RenewalVerdict {
  readonly seen: SeenRenewals;
  /** For how long pods may be started. */
  readonly startForMs: number;
  /** For how long pods that run may go on. */
  readonly runForMs: number;
}

/**
 * @param before undefined: none has been seen
 * @param initial it was there when the agent began to look, and may be of any age: nothing is started by it, and what runs may
 *   go on until the next renewal is overdue
 */
export function judgeRenewal(
  before: SeenRenewals | undefined,
  renewTime: string,
  { durationMs, seenMs, initial }: { durationMs: number; seenMs: number; initial: boolean },
): RenewalVerdict | undefined {
  if (before?.renewTime === renewTime) return undefined;
  const offsetMs = seenMs - (parseTime(renewTime) ?? seenMs);
  const offsetsMs = [...(before?.offsetsMs ?? []), offsetMs].slice(-OFFSETS_MAX);
  const seen = { renewTime, offsetsMs };
  // It is renewed every third of its duration.
  if (initial) return { seen, startForMs: 0, runForMs: durationMs / 2 };
  const lateMs = offsetMs - Math.min(...offsetsMs);
  const goodForMs = Math.max(0, durationMs - lateMs);
  return { seen, startForMs: goodForMs, runForMs: goodForMs };
}
