// What does not simply look at all of its operands once: loops, bindings, `&&`, `||` and what chooses.
import { attempt, type Frame, type Step } from './frame.ts';
import {
  EvaluationError,
  ListValue,
  MapValue,
  Optional,
  PlainList,
  PlainMap,
  noSuchOverload,
  type Value,
} from './values.ts';

/** `&&` decides when one side is false, `||` when one is true, even if the other side fails. */
export function shortCircuit([left, right]: readonly Step[], deciding: boolean): Step {
  return (frame) => {
    let failure: EvaluationError | undefined;
    try {
      const first = left!(frame);
      if (first === deciding) return deciding;
      if (typeof first !== 'boolean') failure = noSuchOverload();
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error;
      failure = error;
    }
    const second = failure === undefined ? right!(frame) : attempt(right!, frame);
    if (second === deciding) return deciding;
    if (failure !== undefined) throw failure;
    if (typeof second !== 'boolean') throw noSuchOverload();
    return !deciding;
  };
}

export function notStrictlyFalse(operand: Step): Step {
  return (frame) => {
    const value = attempt(operand, frame);
    frame.charge(1);
    return value !== false;
  };
}

/** `or` and `orValue`. */
export function alternative(first: Step, second: Step, wrapped: boolean): Step {
  return (frame) => {
    const optional = first(frame);
    if (!(optional instanceof Optional)) throw noSuchOverload();
    if (optional.value === undefined) return second(frame);
    return wrapped ? optional : optional.value;
  };
}

/** A list that a loop adds to, before anybody else has seen it. */
export class GrowingList extends PlainList {
  readonly items: Value[];
  constructor(items: Value[]) {
    super(items);
    this.items = items;
  }
}

/** What a loop gathers in. */
export function freshLike(empty: Value): Value {
  return empty instanceof ListValue ? new GrowingList([]) : new PlainMap();
}

export function binding(init: Step, slot: number, result: Step): Step {
  return (frame) => {
    frame.slots[slot] = init(frame);
    return result(frame);
  };
}

/** Calls `next` with the variables set for each item, until it returns false. */
export function iterate(
  range: Value,
  variables: readonly number[],
  slots: Frame['slots'],
  next: () => boolean,
): void {
  const [first, second] = variables as readonly [number, number?];
  if (range instanceof ListValue) {
    for (let index = 0; index < range.size; index++) {
      const item = range.at(index);
      slots[first] = second === undefined ? item : BigInt(index);
      if (second !== undefined) slots[second] = item;
      if (!next()) return;
    }
    return;
  }
  if (!(range instanceof MapValue)) throw noSuchOverload();
  for (const key of range.keys()) {
    slots[first] = key;
    if (second !== undefined) slots[second] = range.find(key)!;
    if (!next()) return;
  }
}
