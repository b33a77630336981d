// When another copy of a workload that must run at most once may start.
// INVARIANT: no copy starts while another may still run: the old one is known to be gone, or its lease has run out.

/** How long after a renewal its lease has surely run out, and what it fenced has stopped. */
export function fencedAfterMs(leaseMs: number): number {
  // The member sees a renewal a little after it was answered, and needs time to stop what runs.
  return leaseMs * 1.5;
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
  /** Whether this process knows of a renewal. */
  readonly renewed: boolean;
  /** Whether the lease has surely run out; where none is known, whether one from before this process has. */
  readonly over: boolean;
}

/**
 * Whether a copy has to wait for those in other clusters.
 * @param others clusters in which a copy may run or have run
 */
export function waitsForOthers(others: readonly OtherCopy[]): boolean {
  return others.some(({ work, reachable, renewed, over }) => !over && (work || (renewed && !reachable)));
}
