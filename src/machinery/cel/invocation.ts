// Calls of functions: which overload is meant, what it costs, and what can be worked out once and for all.
import { callCost, sizeOf } from './call-cost.ts';
import type { ResolvedCall } from './checker.ts';
import { Frame, constant, type Compiled, type Step } from './frame.ts';
import type { Overload } from './functions.ts';
import { PatternError, linearExpression } from '../pattern.ts';
import { isOfType, isOfTypeInside } from './value-types.ts';
import { EvaluationError, ListValue, Uint, noSuchOverload, type Value } from './values.ts';

/** An expression that is right in itself but cannot be made ready to run. */
export class ProgramError extends Error {
  override name = 'ProgramError';
}

/** A constant that is worked out when the expression is compiled. */
export function folded(run: Step): Compiled {
  try {
    return constant(run(new Frame(0, Number.POSITIVE_INFINITY)));
  } catch (error) {
    if (error instanceof EvaluationError) throw new ProgramError(error.message, { cause: error });
    throw error;
  }
}

/** Functions that look at all that is in what they are given. */
const WALKING: ReadonlySet<string> = new Set([
  '_==_', '_!=_', '@in', 'isSorted', 'sum', 'max', 'min', 'indexOf', 'lastIndexOf', 'sort', '@sortByAssociatedKeys',
  'distinct', 'flatten', 'format', 'sets.contains', 'sets.intersects', 'sets.equivalent',
]); // prettier-ignore
/** Those that compare each item with each other. */
const QUADRATIC: ReadonlySet<string> = new Set([
  'distinct',
  'sets.contains',
  'sets.intersects',
  'sets.equivalent',
]);

const PATTERNED: ReadonlySet<string> = new Set(['matches', 'find', 'findAll']);

export function checkPattern(name: string, pattern: Value | undefined): void {
  if (!PATTERNED.has(name) || typeof pattern !== 'string') return;
  try {
    linearExpression(pattern);
  } catch (error) {
    if (error instanceof PatternError) throw new ProgramError(error.message, { cause: error });
    throw error;
  }
}

function overloadFor(overloads: readonly Overload[], args: readonly Value[]): Overload {
  const fits = overloads.length === 1 ? isOfType : isOfTypeInside;
  const found = overloads.find((overload) => overload.args.every((type, index) => fits(args[index]!, type)));
  if (found === undefined) throw noSuchOverload();
  return found;
}

export function invocation({ name, overloads }: ResolvedCall, args: readonly Step[]): Step {
  const costs = new Map(overloads.map((overload) => [overload, callCost(name, overload.id)]));
  const walks = WALKING.has(name);
  return (frame) => {
    const values: Value[] = [];
    try {
      for (const arg of args) values.push(arg(frame));
    } catch (error) {
      // COMPAT: a call that is not made because of its arguments costs one like others.
      if (error instanceof EvaluationError) frame.charge(1);
      throw error;
    }
    const overload = overloadFor(overloads, values);
    const cost = costs.get(overload)!;
    if (walks) frame.walk(values, QUADRATIC.has(name) ? sizeOf(values[0]) : 1);
    frame.afford(cost(values, null));
    const result = overload.call(values);
    frame.charge(cost(values, result));
    return frame.hold(result);
  };
}

export function withoutCost({ overloads }: ResolvedCall, args: readonly Step[]): Step {
  return (frame) => {
    const values = args.map((arg) => arg(frame));
    return overloadFor(overloads, values).call(values);
  };
}

/** COMPAT: whether something is in a literal list of plain values costs nothing. */
export function isSetTest({ name }: ResolvedCall, args: readonly Compiled[]): boolean {
  const list = args[1]?.constant;
  return (
    name === '@in' &&
    list instanceof ListValue &&
    [...list].every((item) => item !== null && (typeof item !== 'object' || item instanceof Uint))
  );
}
