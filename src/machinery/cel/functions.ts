// Functions as CEL has them: one name, several overloads, told apart by the types of their arguments.
import type { CelType } from './types.ts';
import type { Value } from './values.ts';

export interface Overload {
  readonly id: string;
  /** The first argument stands before the dot. */
  readonly member: boolean;
  readonly args: readonly CelType[];
  readonly result: CelType;
  /** Names of the type parameters in arguments and result. */
  readonly params: readonly string[];
  call(args: readonly Value[]): Value;
}

export type Functions = ReadonlyMap<string, readonly Overload[]>;

/** Takes values of the types that are declared for it, which is what it is called with. */
type Implementation = (...args: never[]) => Value;

/** How a library says what it has: `functions.global('size', 'size_string', [STRING], INT, (text: string) => …)`. */
export class FunctionTable {
  readonly functions = new Map<string, Overload[]>();

  global(name: string, id: string, args: readonly CelType[], result: CelType, call: Implementation): this {
    return this.#add(name, {
      id,
      member: false,
      args,
      result,
      params: paramsOf([...args, result]),
      call: spread(call),
    });
  }

  member(name: string, id: string, args: readonly CelType[], result: CelType, call: Implementation): this {
    return this.#add(name, {
      id,
      member: true,
      args,
      result,
      params: paramsOf([...args, result]),
      call: spread(call),
    });
  }

  #add(name: string, overload: Overload): this {
    const overloads = this.functions.get(name);
    if (overloads === undefined) this.functions.set(name, [overload]);
    else overloads.push(overload);
    return this;
  }
}

function spread(call: Implementation): Overload['call'] {
  return (args) => (call as (...values: readonly Value[]) => Value)(...args);
}

function paramsOf(types: readonly CelType[]): readonly string[] {
  const names = new Set<string>();
  const visit = (type: CelType): void => {
    if (type.kind === 'param') names.add(type.name);
    type.parameters.forEach(visit);
  };
  types.forEach(visit);
  return [...names];
}
