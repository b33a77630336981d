// How much is asked of a priority level over time: a number that changes now and then, and what it was on average, how
// much it varied, and the most that it was.
import type { Demand } from './borrowing.ts';

export class DemandMeter {
  #value = 0;
  #sinceMs: number;
  #startMs: number;
  #sum = 0;
  #squares = 0;
  #most = 0;

  constructor(nowMs: number) {
    this.#sinceMs = nowMs;
    this.#startMs = nowMs;
  }

  note(value: number, nowMs: number): void {
    this.#add(nowMs);
    this.#value = value;
    this.#most = Math.max(this.#most, value);
  }

  /** What it was since the last time, and begins anew. */
  take(nowMs: number): Demand {
    this.#add(nowMs);
    const ms = nowMs - this.#startMs;
    const average = ms <= 0 ? this.#value : this.#sum / ms;
    const variance = ms <= 0 ? 0 : Math.max(0, this.#squares / ms - average * average);
    const demand = { average, deviation: Math.sqrt(variance), most: this.#most };
    this.#startMs = nowMs;
    this.#sum = 0;
    this.#squares = 0;
    this.#most = this.#value;
    return demand;
  }

  #add(nowMs: number): void {
    const ms = Math.max(0, nowMs - this.#sinceMs);
    this.#sum += this.#value * ms;
    this.#squares += this.#value * this.#value * ms;
    this.#sinceMs = nowMs;
  }
}
