// When the statuses of a binding's Works are added up. Each sum names all clusters, so one for every report of every
// cluster would cost the square of the fleet; those that come within a moment are told together.
// INVARIANT: what has been reported is told after a wait that is bounded, whatever others do.
import type { Work } from '../api/index.ts';
import type { Clock } from '../base/index.ts';
import { awaitsFirstReport, type Binding } from '../propagation/index.ts';
import { BoundedMap } from '../runtime/index.ts';

// A new Work says nothing yet; mostly all clusters have reported within this time, and one write tells all.
export const FIRST_STATUS_MS = 200;
/** Between two sums, for each cluster: with a few nobody notices, with a hundred the fleet can still be told. */
const PAUSE_PER_CLUSTER_MS = 10;
/** LIMIT: how far a sum may be behind what is reported. */
const PAUSE_MAX_MS = 1_000;
// LIMIT: bindings whose times are remembered; those beyond are added up as reports come.
const REMEMBERED = 20_000;

export class StatusPace {
  private readonly clock: Pick<Clock, 'now'>;
  /** Since when the first reports of a binding are awaited. */
  private readonly awaitedSinceMs = new BoundedMap<string, number>(REMEMBERED);
  private readonly toldAtMs = new BoundedMap<string, number>(REMEMBERED);

  constructor(clock: Pick<Clock, 'now'>) {
    this.clock = clock;
  }

  /** How long to wait before adding up; 0: not at all. */
  waitMs(key: string, binding: Binding, works: readonly Work[]): number {
    return Math.max(this.untilFirstReports(key, binding, works), this.untilNextSum(key, works));
  }

  /** A sum was written. */
  told(key: string): void {
    this.toldAtMs.set(key, this.clock.now());
  }

  forget(key: string): void {
    this.awaitedSinceMs.delete(key);
    this.toldAtMs.delete(key);
  }

  /** Each binding waits once, until all clusters have reported. */
  private untilFirstReports(key: string, binding: Binding, works: readonly Work[]): number {
    if (!awaitsFirstReport(binding, works)) {
      this.awaitedSinceMs.delete(key);
      return 0;
    }
    const sinceMs = this.awaitedSinceMs.get(key) ?? this.clock.now();
    this.awaitedSinceMs.set(key, sinceMs);
    return this.left(sinceMs, FIRST_STATUS_MS);
  }

  private untilNextSum(key: string, works: readonly Work[]): number {
    const toldMs = this.toldAtMs.get(key);
    if (toldMs === undefined || works.length < 2) return 0;
    return this.left(toldMs, Math.min(works.length * PAUSE_PER_CLUSTER_MS, PAUSE_MAX_MS));
  }

  /** A clock that was set back makes nobody wait for longer. */
  private left(sinceMs: number, forMs: number): number {
    const nowMs = this.clock.now();
    return sinceMs > nowMs ? 0 : Math.max(0, sinceMs + forMs - nowMs);
  }
}
