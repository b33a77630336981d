// One run of an expression: its variables, and what it has cost so far.
import { EvaluationError, ListValue, MapValue, type Value } from './values.ts';
import { weightOf } from './weight.ts';

/** A run that has used up what it may cost. No part of the expression can go on after that. */
export class CostLimitError extends Error {
  override name = 'CostLimitError';
}

/** What has become of an accumulator whose step failed; later steps may yet make up for it. */
export class Failure {
  readonly error: EvaluationError;
  constructor(error: EvaluationError) {
    this.error = error;
  }
}

// LIMIT: how much one value may hold, how much all values of a run may, and how many values its calls may walk over. Cost,
// which is kube-apiserver's, says little of any of the three. No expression that somebody means comes near.
const WEIGHT_MAX = 2_000_000;
const HELD_MAX = 4_000_000;
const WALKED_MAX = 20_000_000;

export class Frame {
  readonly slots: (Value | Failure | undefined)[];
  readonly #limit: number;
  #held = 0;
  #walked = 0;
  cost = 0;

  constructor(slots: number, limit: number) {
    this.slots = Array.from({ length: slots });
    this.#limit = limit;
  }

  /** Refuses what would cost too much before it is done. */
  afford(cost: number): void {
    if (this.cost + cost > this.#limit) this.charge(cost);
  }

  /** A value that has just been made. */
  hold<T extends Value>(value: T): T {
    if (!(value instanceof ListValue || value instanceof MapValue) || value.source !== undefined)
      return value;
    this.#held += value.size;
    if (this.#held > HELD_MAX || weightOf(value) > WEIGHT_MAX)
      throw new CostLimitError('operation cancelled: values use too much memory');
    return value;
  }

  /** Before something looks at all that is in these values, `times` over. */
  walk(values: readonly Value[], times = 1): void {
    for (const value of values) this.#walked += weightOf(value) * times;
    if (this.#walked > WALKED_MAX) throw new CostLimitError('operation cancelled: values are too large');
  }

  charge(cost: number): void {
    this.cost += cost;
    if (this.cost > this.#limit) throw new CostLimitError('operation cancelled: actual cost limit exceeded');
  }
}

export type Step = (frame: Frame) => Value;

export interface Compiled {
  readonly run: Step;
  /** The same in every run. */
  readonly constant?: Value;
}

export function constant(value: Value): Compiled {
  return { run: () => value, constant: value };
}

/** The value of a step, or why there is none. */
export function attempt(step: Step, frame: Frame): Value | Failure {
  try {
    return step(frame);
  } catch (error) {
    if (error instanceof EvaluationError) return new Failure(error);
    throw error;
  }
}
