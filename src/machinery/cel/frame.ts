// One run of an expression: its variables, and what it has cost so far.
import { EvaluationError, type Value } from './values.ts';

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

export class Frame {
  readonly slots: (Value | Failure | undefined)[];
  readonly #limit: number;
  cost = 0;

  constructor(slots: number, limit: number) {
    this.slots = Array.from({ length: slots });
    this.#limit = limit;
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
