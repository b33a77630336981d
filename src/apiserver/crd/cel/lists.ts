// CEL functions on lists and sets.
import { Optional, type Environment } from '@marcbachmann/cel-js';
import { celCompare, celEquals } from './equality.ts';

type List = readonly unknown[];

const contains = (list: List, value: unknown): boolean => list.some((item) => celEquals(item, value));
const containsAll = (list: List, other: List): boolean => other.every((item) => contains(list, item));

function extreme(sign: 1 | -1, name: string): (list: List) => unknown {
  return (list) => {
    if (list.length === 0) throw new Error(`${name} called on empty list`);
    return list.reduce((best, item) => (celCompare(item, best) * sign > 0 ? item : best));
  };
}

function slice(list: List, from: bigint, to: bigint): List {
  const [start, end] = [Number(from), Number(to)];
  if (start < 0 || end > list.length || start > end) {
    throw new Error(`cannot slice(${start}, ${end}) list of length ${list.length}`);
  }
  return list.slice(start, end);
}

function flatten(list: List, depth: number): List {
  return list.flat(depth);
}

function distinct(list: List): List {
  const result: unknown[] = [];
  for (const item of list) if (!contains(result, item)) result.push(item);
  return result;
}

const isSorted = (list: List): boolean =>
  list.every((item, index) => index === 0 || celCompare(list[index - 1], item) <= 0);

export function registerLists(env: Environment): void {
  env
    .registerFunction('list.isSorted(): bool', isSorted)
    .registerFunction('list<int>.sum(): int', (list: readonly bigint[]) => list.reduce((a, b) => a + b, 0n))
    .registerFunction('list<double>.sum(): double', (list: readonly number[]) =>
      list.reduce((a, b) => a + b, 0),
    )
    .registerFunction('list<A>.min(): A', extreme(-1, 'min'))
    .registerFunction('list<A>.max(): A', extreme(1, 'max'))
    .registerFunction('list.indexOf(dyn): int', (list: List, value: unknown) =>
      BigInt(list.findIndex((item) => celEquals(item, value))),
    )
    .registerFunction('list.lastIndexOf(dyn): int', (list: List, value: unknown) =>
      BigInt(list.findLastIndex((item) => celEquals(item, value))),
    )
    .registerFunction('list<A>.slice(int, int): list<A>', slice)
    .registerFunction('list.flatten(): list', (list: List) => flatten(list, 1))
    .registerFunction('list.flatten(int): list', (list: List, depth: bigint) => flatten(list, Number(depth)))
    .registerFunction('list<A>.distinct(): list<A>', distinct)
    .registerFunction('list<A>.reverse(): list<A>', (list: List) => list.toReversed())
    .registerFunction('list<A>.sort(): list<A>', (list: List) => list.toSorted(celCompare))
    .registerFunction('list<A>.first(): optional<A>', (list: List) => Optional.of(list[0]))
    .registerFunction('list<A>.last(): optional<A>', (list: List) => Optional.of(list.at(-1)));
  registerSets(env);
}

class SetNamespace {
  readonly kind = 'sets';
}

function registerSets(env: Environment): void {
  const space = 'kubernetes.SetNamespace';
  env
    .registerType(space, SetNamespace)
    .registerConstant('sets', space, new SetNamespace())
    .registerFunction(`${space}.contains(list, list): bool`, (_: SetNamespace, a: List, b: List) =>
      containsAll(a, b),
    )
    .registerFunction(
      `${space}.equivalent(list, list): bool`,
      (_: SetNamespace, a: List, b: List) => containsAll(a, b) && containsAll(b, a),
    )
    .registerFunction(`${space}.intersects(list, list): bool`, (_: SetNamespace, a: List, b: List) =>
      b.some((item) => contains(a, item)),
    );
}
