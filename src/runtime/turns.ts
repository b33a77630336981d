// How many reconciles start before sockets and timers get their turn. With everything in process a chain of reconciles
// never leaves the microtask queue by itself, and a fleet has dozens of controllers that all have a backlog at once: one
// lane for each member. What all of them start together is what a request from outside has to wait for.
import type { Clock } from '../base/index.ts';

/** LIMIT: reconciles that all controllers of a process start in one turn: some tens of milliseconds. */
const STARTS_PER_TURN = 64;

/** What the controllers on one clock, which are those of a process, start in turn. */
export class Turns {
  readonly #clock: Clock;
  #waiting = new Set<() => void>();
  #left = STARTS_PER_TURN;
  #ending = false;

  private constructor(clock: Clock) {
    this.#clock = clock;
  }

  static of(clock: Clock): Turns {
    const known = perClock.get(clock) ?? new Turns(clock);
    perClock.set(clock, known);
    return known;
  }

  /** Whether one more reconcile may start in this turn; otherwise `next` is called in the next one. */
  tryStart(next: () => void): boolean {
    if (this.#left === 0) {
      this.#waiting.add(next);
      return false;
    }
    this.#left--;
    if (!this.#ending) {
      this.#ending = true;
      this.#clock.after(0, () => this.#next());
    }
    return true;
  }

  /** Those who wait get equal shares of the turn, and then of what others have left of theirs. */
  #next(): void {
    this.#ending = false;
    let rest = STARTS_PER_TURN;
    while (rest > 0 && this.#waiting.size > 0) {
      const waiting = [...this.#waiting];
      this.#waiting = new Set();
      for (let i = 0; i < waiting.length; i++) {
        if (rest === 0) {
          // Where there are more than starts, who got none comes first in the next turn.
          this.#waiting = new Set([...waiting.slice(i), ...this.#waiting]);
          break;
        }
        const share = Math.ceil(rest / (waiting.length - i));
        this.#left = share;
        waiting[i]!();
        rest -= share - this.#left;
      }
    }
    this.#left = rest;
  }
}

const perClock = new WeakMap<Clock, Turns>();
