// Time that moves only when a test says so. Timers run in order of their time, then of their making.
import type { Cancel, Clock } from '../../base/index.ts';

interface Timer {
  readonly atMs: number;
  readonly callback: () => void;
}

export class ManualClock implements Clock {
  private nowMs: number;
  private readonly timers = new Set<Timer>();

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.nowMs = startMs;
  }

  now(): number {
    return this.nowMs;
  }

  after(delayMs: number, callback: () => void): Cancel {
    const timer = { atMs: this.nowMs + Math.max(0, delayMs), callback };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  get timerCount(): number {
    return this.timers.size;
  }

  /** Moves time forward, running what is due on the way and all that follows from it without time passing. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.nowMs + byMs;
    await settled();
    for (;;) {
      let next: Timer | undefined;
      for (const timer of this.timers)
        if (timer.atMs <= untilMs && (next === undefined || timer.atMs < next.atMs)) next = timer;
      if (next === undefined) break;
      this.nowMs = Math.max(this.nowMs, next.atMs);
      this.timers.delete(next);
      next.callback();
      await settled();
    }
    this.nowMs = untilMs;
  }
}

/** Lets everything run that waits for nothing but its turn. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
