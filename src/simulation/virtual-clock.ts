// Time that passes only when nothing is left to do without it: hours of a quiet fleet take no longer than what happens
// in them. Everything of a world waits here, so the order of what happens is a function of its seed.
// INVARIANT: time never goes back, and what is due at one instant runs in the order in which it was asked for.
import { assert, type Cancel, type Clock } from '../base/index.ts';
import { Heap, type HeapMember } from '../runtime/index.ts';

interface Timer extends HeapMember {
  readonly atMs: number;
  readonly sequence: number;
  readonly callback: () => void;
}

/** LIMIT: what may happen in one instant; more means that something goes round in circles without waiting. */
const CALLBACKS_PER_INSTANT_MAX = 20_000;

export class VirtualClock implements Clock {
  private exactMs: number;
  private sequence = 0;
  private readonly timers = new Heap<Timer>((a, b) =>
    a.atMs === b.atMs ? a.sequence < b.sequence : a.atMs < b.atMs,
  );

  /** @param startMs milliseconds since the Unix epoch */
  constructor(startMs: number) {
    this.exactMs = startMs;
  }

  /** Whole milliseconds, as a system's clock tells them; instants themselves may lie in between. */
  now(): number {
    return Math.floor(this.exactMs);
  }

  after(delayMs: number, callback: () => void): Cancel {
    const timer: Timer = {
      atMs: this.exactMs + Math.max(0, delayMs),
      sequence: this.sequence++,
      callback,
      heapIndex: -1,
    };
    this.timers.push(timer);
    return () => {
      if (timer.heapIndex >= 0) this.timers.remove(timer);
    };
  }

  /** Lets `durationMs` pass. `afterEach` is called after each thing that happened, when all that follows has run. */
  async run(durationMs: number, afterEach: () => void = () => undefined): Promise<void> {
    await this.runUntil(this.exactMs + durationMs, () => false, afterEach);
  }

  /** Lets time pass until `isOver` or `untilMs`. Whether it was over in time. */
  async runUntil(untilMs: number, isOver: () => boolean, afterEach: () => void): Promise<boolean> {
    let inThisInstant = 0;
    await drained();
    afterEach();
    for (;;) {
      if (isOver()) return true;
      const next = this.timers.peek();
      if (next === undefined || next.atMs > untilMs) break;
      inThisInstant = next.atMs > this.exactMs ? 0 : inThisInstant + 1;
      assert(inThisInstant < CALLBACKS_PER_INSTANT_MAX, 'something goes round without time passing');
      this.exactMs = Math.max(this.exactMs, next.atMs);
      this.timers.remove(next);
      next.callback();
      await drained();
      afterEach();
    }
    this.exactMs = Math.max(this.exactMs, untilMs);
    return isOver();
  }
}

/** Resolves when every promise that waits for nothing but its turn has had it. */
function drained(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * The clock of one simulated process. Its hands may be wrong, and jump; how long its timers take is not touched by that.
 * Once stopped, nothing that it was asked for happens any more.
 */
export class ProcessClock implements Clock {
  private readonly world: VirtualClock;
  private readonly pending = new Set<Cancel>();
  private offsetMs: number;
  private stopped = false;

  constructor(world: VirtualClock, offsetMs = 0) {
    this.world = world;
    this.offsetMs = offsetMs;
  }

  now(): number {
    return this.world.now() + this.offsetMs;
  }

  after(delayMs: number, callback: () => void): Cancel {
    if (this.stopped) return () => undefined;
    const cancelTimer = this.world.after(delayMs, () => {
      this.pending.delete(cancel);
      callback();
    });
    const cancel = (): void => {
      this.pending.delete(cancel);
      cancelTimer();
    };
    this.pending.add(cancel);
    return cancel;
  }

  /** Moves the hands, as an operator or a time server does. */
  jump(byMs: number): void {
    this.offsetMs += byMs;
  }

  stop(): void {
    this.stopped = true;
    for (const cancel of this.pending) cancel();
  }
}
