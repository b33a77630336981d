// At which rate bindings are evicted, over all clusters: the brake on a mistake that taints many clusters.
// INVARIANT: never more than one eviction in an interval, whichever keys are retried.

const SLOWEST_INTERVAL_MS = 1_800_000;

export class EvictionPace {
  private readonly intervalMs: number;
  private nextMs = 0;
  /** Keys that have a turn, until they used it or gave it back. LIMIT: one for each binding to evict. */
  private readonly turns = new Map<string, number>();

  /** @param rate evictions in a second; 0 means one in 30 minutes */
  constructor(rate: number) {
    this.intervalMs = rate === 0 ? SLOWEST_INTERVAL_MS : 1000 / rate;
  }

  /** How long `key` must wait for its turn; it keeps its turn until `end`. */
  waitMs(key: string, nowMs: number): number {
    const turnMs = this.turns.get(key) ?? Math.max(nowMs, this.nextMs);
    if (!this.turns.has(key)) {
      this.turns.set(key, turnMs);
      this.nextMs = turnMs + this.intervalMs;
    }
    return Math.max(0, turnMs - nowMs);
  }

  /** `key` has used its turn, or does not need it. */
  end(key: string): void {
    this.turns.delete(key);
  }
}
