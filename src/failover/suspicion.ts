// A cluster whose probes fail again and again is suspect: neither lost nor sound. Such a cluster is not given up by the
// control plane itself, for what moves away would only move back and forth.
import type { Condition } from '../api/index.ts';
import { parseTime } from '../machinery/index.ts';

export const SUSPECT_CONDITION = 'Suspect';

/** When the cluster began to fail, each time, in milliseconds. LIMIT: those within the window, and no more than count. */
export type Failures = readonly number[];

export interface SuspicionLimits {
  /** From how many failures on; 0: never. */
  readonly failures: number;
  readonly windowMs: number;
}

export interface Suspicion {
  readonly failures: Failures;
  /** The condition to write, without its time; undefined: as it is. */
  readonly condition: Omit<Condition, 'lastTransitionTime'> | undefined;
}

/**
 * @param began whether the cluster has just begun to fail
 * @param current the Suspect condition of the cluster
 */
export function judgeSuspicion(
  before: Failures,
  began: boolean,
  current: Condition | undefined,
  nowMs: number,
  { failures: limit, windowMs }: SuspicionLimits,
): Suspicion {
  if (limit === 0) return { failures: [], condition: current?.status === 'True' ? sound() : undefined };
  const failures = [...before, ...(began ? [nowMs] : [])]
    .filter((atMs) => atMs > nowMs - windowMs)
    .slice(-limit);
  const was = current?.status === 'True';
  if (failures.length >= limit)
    return {
      failures,
      condition: was
        ? undefined
        : {
            type: SUSPECT_CONDITION,
            status: 'True',
            reason: 'Flapping',
            message: `the cluster began to fail ${limit} times within ${Math.round(windowMs / 1000)} s`,
          },
    };
  // After a restart the failures are forgotten; the condition then holds for the window.
  const sinceMs = parseTime(current?.lastTransitionTime ?? '') ?? nowMs;
  return { failures, condition: was && nowMs >= sinceMs + windowMs ? sound() : undefined };
}

function sound(): Suspicion['condition'] {
  return {
    type: SUSPECT_CONDITION,
    status: 'False',
    reason: 'Stable',
    message: 'the cluster has stopped flapping',
  };
}
