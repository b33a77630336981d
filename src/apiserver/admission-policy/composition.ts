// The variables of a policy, each of which sees those before it, and what its expressions can name besides.
import { lazyObject, withVariables, type Scope } from '../../machinery/index.ts';
import {
  ExpressionError,
  compile,
  requestScope,
  type Bindings,
  type CelValue,
  type Compiled,
  type Evaluate,
} from './expressions.ts';

export interface Variable {
  readonly name: string;
  readonly expression: string;
}

interface Composed {
  readonly paramKind?: object;
  readonly variables?: readonly Variable[];
}

type Types = Map<string, Compiled['type']>;

export class Composition {
  readonly #params: boolean;
  readonly #types: Types = new Map();
  readonly #composed: boolean;

  /** @param always whether variables can be named where there are none */
  constructor({ paramKind, variables = [] }: Composed, always = false) {
    this.#params = paramKind !== undefined;
    this.#composed = always || variables.length > 0;
  }

  /** COMPAT: what a message says does not depend on what somebody may do. */
  scope(authorizer = true): Scope {
    const scope = requestScope({ params: this.#params, authorizer });
    return this.#composed ? withVariables(scope, this.#types) : scope;
  }

  /** Of conditions, which see no variables. */
  get conditions(): Scope {
    return requestScope({ params: this.#params });
  }

  /** Adds a variable for those after it. Throws an ExpressionError where it cannot be compiled. */
  add({ name, expression }: Variable): Evaluate {
    const scope = this.scope();
    this.#types.set(name, scope.get('object')!);
    const { type, evaluate } = compile(expression, scope, 'any');
    this.#types.set(name, type);
    return evaluate;
  }
}

/** How a policy's variables are worked out, and what its other expressions can name. */
export interface Variables {
  readonly composition: Composition;
  readonly evaluations: ReadonlyMap<string, Evaluate>;
}

export function compileVariables(spec: Composed): Variables {
  const composition = new Composition(spec);
  const evaluations = new Map<string, Evaluate>();
  for (const variable of spec.variables ?? []) {
    evaluations.set(variable.name, evaluationOf(variable, composition));
  }
  return { composition, evaluations };
}

/** One that cannot be compiled says so when it is asked. */
function evaluationOf(variable: Variable, composition: Composition): Evaluate {
  let evaluate: Evaluate;
  try {
    evaluate = composition.add(variable);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    const { message } = error;
    return () => {
      throw new ExpressionError(`composited variable "${variable.name}" fails to compile: ${message}`);
    };
  }
  return (bindings) => {
    try {
      return evaluate(bindings);
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      const { message } = error;
      throw new ExpressionError(`composited variable "${variable.name}" fails to evaluate: ${message}`);
    }
  };
}

/** Variables are worked out when they are first named, once for a request; each sees those before it. */
export function lazyVariables(compiled: ReadonlyMap<string, Evaluate>, given: Bindings): CelValue {
  const names = [...compiled.keys()];
  const known = new Map<string, CelValue>();
  const find = (name: string): CelValue => {
    const before = known.get(name);
    if (before !== undefined) return before;
    const variables = lazyObject(names.slice(0, names.indexOf(name)), find);
    const value = compiled.get(name)!({ ...given, variables });
    known.set(name, value);
    return value;
  };
  return lazyObject(names, find);
}
