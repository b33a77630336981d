// Functions on lists and sets that Kubernetes adds to CEL.
import { OPERATOR } from './ast.ts';
import type { FunctionTable } from './functions.ts';
import { Duration } from './times.ts';
import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  INT,
  STRING,
  TIMESTAMP,
  UINT,
  DYN,
  listOf,
  optionalOf,
  typeParam,
  type CelType,
} from './types.ts';
import {
  EvaluationError,
  ListValue,
  Optional,
  PlainList,
  Uint,
  checkInt,
  compareValues,
  equalValues,
  type Value,
} from './values.ts';

const A = typeParam('A');
const LIST = listOf(A);

/** Types that have an order, by the name that overloads of theirs go by. */
const ORDERED: readonly (readonly [name: string, type: CelType])[] = [
  ['int', INT],
  ['uint', UINT],
  ['double', DOUBLE],
  ['bool', BOOL],
  ['duration', DURATION],
  ['timestamp', TIMESTAMP],
  ['string', STRING],
  ['bytes', BYTES],
];

function contains(list: ListValue, value: Value): boolean {
  for (const item of list) if (equalValues(item, value)) return true;
  return false;
}

function containsAll(list: ListValue, wanted: ListValue): boolean {
  for (const item of wanted) if (!contains(list, item)) return false;
  return true;
}

function intersects(a: ListValue, b: ListValue): boolean {
  for (const item of a) if (contains(b, item)) return true;
  return false;
}

function isSorted(list: ListValue): boolean {
  for (let index = 1; index < list.size; index++) {
    if (compareValues(list.at(index - 1), list.at(index)) > 0) return false;
  }
  return true;
}

function extreme(name: string, sign: 1 | -1): (list: ListValue) => Value {
  return (list) => {
    if (list.size === 0) throw new EvaluationError(`${name} called on empty list`);
    let best = list.at(0);
    for (const item of list) if (compareValues(item, best) * sign > 0) best = item;
    return best;
  };
}

function indexOf(list: ListValue, value: Value): bigint {
  for (let index = 0; index < list.size; index++) {
    if (equalValues(list.at(index), value)) return BigInt(index);
  }
  return -1n;
}

function lastIndexOf(list: ListValue, value: Value): bigint {
  for (let index = list.size - 1; index >= 0; index--) {
    if (equalValues(list.at(index), value)) return BigInt(index);
  }
  return -1n;
}

function slice(list: ListValue, start: bigint, end: bigint): PlainList {
  const refuse = (why: string): EvaluationError =>
    new EvaluationError(`cannot slice(${start}, ${end}), ${why}`);
  if (start < 0n || end < 0n) throw refuse('negative indexes not supported');
  if (start > end) throw refuse('start index must be less than or equal to end index');
  if (end > list.size) throw refuse(`list is length ${list.size}`);
  return new PlainList([...list].slice(Number(start), Number(end)));
}

function flatten(list: ListValue, depth: bigint): PlainList {
  if (depth < 0n) throw new EvaluationError('level must be non-negative');
  return new PlainList(flattened(list, depth));
}

function flattened(list: ListValue, depth: bigint): Value[] {
  return [...list].flatMap((item) =>
    item instanceof ListValue && depth > 0n ? flattened(item, depth - 1n) : [item],
  );
}

function distinct(list: ListValue): PlainList {
  const found: Value[] = [];
  for (const item of list) if (!found.some((known) => equalValues(known, item))) found.push(item);
  return new PlainList(found);
}

// LIMIT: a list of every number up to this one still fits into what a request may cost.
const RANGE_MAX = 1_000_000n;

function range(count: bigint): PlainList {
  if (count > RANGE_MAX)
    throw new EvaluationError(`lists.range: size ${count} exceeds maximum of ${RANGE_MAX}`);
  return new PlainList(Array.from({ length: Math.max(0, Number(count)) }, (_, index) => BigInt(index)));
}

function sortByKeys(list: ListValue, keys: ListValue): PlainList {
  const entries = Array.from(list, (item, index): [key: Value, item: Value] => [keys.at(index), item]);
  entries.sort(([a], [b]) => compareValues(a, b));
  return new PlainList(entries.map(([, item]) => item));
}

function total<T extends Value>(zero: T, add: (a: T, b: T) => T): (list: ListValue) => T {
  return (list) => {
    let sum = zero;
    for (const item of list) sum = add(sum, item as T);
    return sum;
  };
}

export function listFunctions(table: FunctionTable): void {
  for (const [name, type] of ORDERED) {
    const list = listOf(type);
    table
      .member('isSorted', `list_${name}_is_sorted_bool`, [list], BOOL, isSorted)
      .member('max', `list_${name}_max_${name}`, [list], type, extreme('max', 1))
      .member('min', `list_${name}_min_${name}`, [list], type, extreme('min', -1))
      .member(
        'sort',
        `list_${name}_sort`,
        [list],
        list,
        (items: ListValue) => new PlainList([...items].sort(compareValues)),
      )
      .member(OPERATOR.sortByKeys, `list_${name}_sortByAssociatedKeys`, [LIST, list], LIST, sortByKeys);
  }
  table
    .member(
      'sum',
      'list_int_sum_int',
      [listOf(INT)],
      INT,
      total<bigint>(0n, (a, b) => checkInt(a + b)),
    )
    .member(
      'sum',
      'list_uint_sum_uint',
      [listOf(UINT)],
      UINT,
      total(new Uint(0n), (a, b) => new Uint(a.value + b.value)),
    )
    .member(
      'sum',
      'list_double_sum_double',
      [listOf(DOUBLE)],
      DOUBLE,
      total<number>(0, (a, b) => a + b),
    )
    .member(
      'sum',
      'list_duration_sum_duration',
      [listOf(DURATION)],
      DURATION,
      total(new Duration(0n), (a, b) => new Duration(a.nanoseconds + b.nanoseconds)),
    )
    .member('indexOf', 'list_a_index_of_int', [LIST, A], INT, indexOf)
    .member('lastIndexOf', 'list_a_last_index_of_int', [LIST, A], INT, lastIndexOf)
    .member('slice', 'list_slice', [LIST, INT, INT], LIST, slice)
    .member('flatten', 'list_flatten', [listOf(LIST)], LIST, (list: ListValue) => flatten(list, 1n))
    .member('flatten', 'list_flatten_int', [listOf(DYN), INT], listOf(DYN), flatten)
    .member('distinct', 'list_distinct', [LIST], LIST, distinct)
    .member('reverse', 'list_reverse', [LIST], LIST, (list: ListValue) => new PlainList([...list].reverse()))
    .member('first', 'list_first', [LIST], optionalOf(A), (list: ListValue) =>
      list.size === 0 ? Optional.none : Optional.of(list.at(0)),
    )
    .member('last', 'list_last', [LIST], optionalOf(A), (list: ListValue) =>
      list.size === 0 ? Optional.none : Optional.of(list.at(list.size - 1)),
    )
    .global('lists.range', 'lists_range', [INT], listOf(INT), range)
    .global('sets.contains', 'list_sets_contains_list', [LIST, LIST], BOOL, containsAll)
    .global('sets.intersects', 'list_sets_intersects_list', [LIST, LIST], BOOL, intersects)
    .global(
      'sets.equivalent',
      'list_sets_equivalent_list',
      [LIST, LIST],
      BOOL,
      (a: ListValue, b: ListValue) => containsAll(a, b) && containsAll(b, a),
    );
}
