// When another copy of a workload that must run at most once may start.
// INVARIANT: no copy starts while another may still run: the old one is known to be gone, or its lease has run out.

export interface FencingTimes {
  readonly leaseMs: number;
  readonly nowMs: number;
  /** Before this process began, another may have renewed. */
  readonly startedMs: number;
}

/** When the lease in `cluster` has surely run out, and what it fenced has stopped. */
function fencedAtMs(lastMs: number | undefined, { leaseMs, startedMs }: FencingTimes): number {
  // The member sees a renewal a little after it was answered, and needs time to stop what runs.
  return (lastMs ?? startedMs) + leaseMs * 1.5;
}

/** How often a lease is renewed: two renewals may be lost. */
export function renewEveryMs(leaseMs: number): number {
  return leaseMs / 3;
}

export interface OtherCopy {
  readonly cluster: string;
  /** Whether there is a Work for it, which goes when the copy is known to be gone. */
  readonly work: boolean;
  /** Whether the member answers, so that an end of the Work is an end of the copy. */
  readonly reachable: boolean;
  readonly lastRenewedMs: number | undefined;
}

/**
 * For how long the copy in another cluster has to wait; 0 when it may start.
 * @param others clusters in which a copy may run or have run
 */
export function fencedWaitMs(others: readonly OtherCopy[], times: FencingTimes): number {
  const waits = others
    .filter(({ work, reachable, lastRenewedMs }) => work || (lastRenewedMs !== undefined && !reachable))
    .map(({ lastRenewedMs }) => fencedAtMs(lastRenewedMs, times) - times.nowMs);
  return Math.max(0, ...waits);
}
