// An expression that is ready to run.
import type { Checked } from './checker.ts';
import { Compiler } from './compiler.ts';
import { CostLimitError, Frame, type Step } from './frame.ts';
import { EvaluationError, type Value } from './values.ts';

export interface Outcome {
  readonly cost: number;
  readonly value?: Value;
  readonly error?: EvaluationError | CostLimitError;
}

export class Program {
  readonly #run: Step;
  readonly #slots: number;
  readonly #variables: readonly string[];

  /** Throws a ProgramError. */
  constructor(checked: Checked, variables: readonly string[]) {
    const compiler = new Compiler(checked, variables);
    this.#run = compiler.compile(checked.root).run;
    this.#slots = compiler.slotCount;
    this.#variables = variables;
  }

  run(variables: Readonly<Record<string, Value | undefined>>, costLimit: number): Outcome {
    const frame = new Frame(this.#slots, costLimit);
    this.#variables.forEach((name, slot) => {
      frame.slots[slot] = variables[name];
    });
    try {
      const value = this.#run(frame);
      return { cost: frame.cost, value };
    } catch (error) {
      if (error instanceof EvaluationError || error instanceof CostLimitError)
        return { cost: frame.cost, error };
      throw error;
    }
  }
}
