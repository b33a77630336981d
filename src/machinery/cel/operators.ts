// CEL's operators and the functions that belong to the language itself. What decides by itself which of its operands
// to look at (`&&`, `||`, `?:`), where to look (`a.b`, `a[b]`), or is only for loops, is declared here for the checker
// and run by the program.
import { OPERATOR } from './ast.ts';
import type { FunctionTable } from './functions.ts';
import { compilePattern, PatternError } from '../pattern.ts';
import { Duration, Timestamp } from './times.ts';
import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  STRING,
  TIMESTAMP,
  UINT,
  listOf,
  mapOf,
  optionalOf,
  typeParam,
  type CelType,
} from './types.ts';
import {
  EvaluationError,
  Uint,
  characterCount,
  checkInt,
  compareValues,
  equalValues,
  noSuchOverload,
  type ListValue,
  type MapValue,
  type Value,
} from './values.ts';

const A = typeParam('A');
const B = typeParam('B');
const LIST = listOf(A);
const MAP = mapOf(A, B);

function apart(): never {
  throw noSuchOverload();
}

export function operatorFunctions(table: FunctionTable): void {
  table
    .global(OPERATOR.conditional, 'conditional', [BOOL, A, A], A, apart)
    .global(OPERATOR.and, 'logical_and', [BOOL, BOOL], BOOL, apart)
    .global(OPERATOR.or, 'logical_or', [BOOL, BOOL], BOOL, apart)
    .global(OPERATOR.notStrictlyFalse, 'not_strictly_false', [BOOL], BOOL, apart)
    .global(OPERATOR.not, 'logical_not', [BOOL], BOOL, (value: boolean) => !value)
    .global(OPERATOR.equals, 'equals', [A, A], BOOL, equalValues)
    .global(OPERATOR.notEquals, 'not_equals', [A, A], BOOL, (a: Value, b: Value) => !equalValues(a, b))
    .global(OPERATOR.mapInsert, '@mapInsert_map_key_value', [MAP, A, B], MAP, apart)
    .global(OPERATOR.mapInsert, '@mapInsert_map_map', [MAP, MAP], MAP, apart);
  arithmetic(table);
  comparisons(table);
  access(table);
  sizes(table);
  stringTests(table);
  timeParts(table);
}

// ---- arithmetic

function divide(a: bigint, b: bigint): bigint {
  if (b === 0n) throw new EvaluationError('division by zero');
  return checkInt(a / b);
}

function modulo(a: bigint, b: bigint): bigint {
  if (b === 0n) throw new EvaluationError('modulus by zero');
  return a % b;
}

const unsigned =
  (calculate: (a: bigint, b: bigint) => bigint) =>
  (a: Uint, b: Uint): Uint =>
    new Uint(calculate(a.value, b.value));

function arithmetic(table: FunctionTable): void {
  const { add, negate } = OPERATOR;
  const duration = (nanoseconds: bigint): Duration => new Duration(nanoseconds);
  table
    .global(add, 'add_bytes', [BYTES, BYTES], BYTES, (a: Uint8Array, b: Uint8Array) => Buffer.concat([a, b]))
    .global(add, 'add_double', [DOUBLE, DOUBLE], DOUBLE, (a: number, b: number) => a + b)
    .global(add, 'add_duration_duration', [DURATION, DURATION], DURATION, (a: Duration, b: Duration) =>
      duration(a.nanoseconds + b.nanoseconds),
    )
    .global(add, 'add_duration_timestamp', [DURATION, TIMESTAMP], TIMESTAMP, later)
    .global(add, 'add_timestamp_duration', [TIMESTAMP, DURATION], TIMESTAMP, later)
    .global(add, 'add_int64', [INT, INT], INT, (a: bigint, b: bigint) => checkInt(a + b))
    .global(add, 'add_list', [LIST, LIST], LIST, (a: ListValue, b: ListValue) => a.concat(b))
    .global(add, 'add_string', [STRING, STRING], STRING, (a: string, b: string) => a + b)
    .global(
      add,
      'add_uint64',
      [UINT, UINT],
      UINT,
      unsigned((a, b) => a + b),
    )
    .global('_/_', 'divide_double', [DOUBLE, DOUBLE], DOUBLE, (a: number, b: number) => a / b)
    .global('_/_', 'divide_int64', [INT, INT], INT, divide)
    .global('_/_', 'divide_uint64', [UINT, UINT], UINT, unsigned(divide))
    .global('_%_', 'modulo_int64', [INT, INT], INT, modulo)
    .global('_%_', 'modulo_uint64', [UINT, UINT], UINT, unsigned(modulo))
    .global('_*_', 'multiply_double', [DOUBLE, DOUBLE], DOUBLE, (a: number, b: number) => a * b)
    .global('_*_', 'multiply_int64', [INT, INT], INT, (a: bigint, b: bigint) => checkInt(a * b))
    .global(
      '_*_',
      'multiply_uint64',
      [UINT, UINT],
      UINT,
      unsigned((a, b) => a * b),
    )
    .global(negate, 'negate_double', [DOUBLE], DOUBLE, (value: number) => -value)
    .global(negate, 'negate_int64', [INT], INT, (value: bigint) => checkInt(-value))
    .global('_-_', 'subtract_double', [DOUBLE, DOUBLE], DOUBLE, (a: number, b: number) => a - b)
    .global('_-_', 'subtract_duration_duration', [DURATION, DURATION], DURATION, (a: Duration, b: Duration) =>
      duration(a.nanoseconds - b.nanoseconds),
    )
    .global('_-_', 'subtract_int64', [INT, INT], INT, (a: bigint, b: bigint) => checkInt(a - b))
    .global(
      '_-_',
      'subtract_timestamp_duration',
      [TIMESTAMP, DURATION],
      TIMESTAMP,
      (a: Timestamp, b: Duration) => new Timestamp(a.nanoseconds - b.nanoseconds, a.offsetMinutes),
    )
    .global(
      '_-_',
      'subtract_timestamp_timestamp',
      [TIMESTAMP, TIMESTAMP],
      DURATION,
      (a: Timestamp, b: Timestamp) => duration(a.nanoseconds - b.nanoseconds),
    )
    .global(
      '_-_',
      'subtract_uint64',
      [UINT, UINT],
      UINT,
      unsigned((a, b) => a - b),
    );
}

function later(a: Duration | Timestamp, b: Duration | Timestamp): Timestamp {
  const { offsetMinutes } = a.kind === 'timestamp' ? a : (b as Timestamp);
  return new Timestamp(a.nanoseconds + b.nanoseconds, offsetMinutes);
}

// ---- order

const ORDERED: readonly (readonly [name: string, type: CelType])[] = [
  ['bool', BOOL],
  ['int64', INT],
  ['uint64', UINT],
  ['double', DOUBLE],
  ['string', STRING],
  ['bytes', BYTES],
  ['timestamp', TIMESTAMP],
  ['duration', DURATION],
];
const NUMBERS = ORDERED.filter(([, type]) => [INT, UINT, DOUBLE].includes(type));

function comparisons(table: FunctionTable): void {
  for (const [operator, word, holds] of [
    ['_<_', 'less', (order: number): boolean => order < 0],
    ['_<=_', 'less_equals', (order: number): boolean => order <= 0],
    ['_>_', 'greater', (order: number): boolean => order > 0],
    ['_>=_', 'greater_equals', (order: number): boolean => order >= 0],
  ] as const) {
    const compare = (a: Value, b: Value): boolean => holds(compareValues(a, b));
    for (const [name, type] of ORDERED)
      table.global(operator, `${word}_${name}`, [type, type], BOOL, compare);
    for (const [left, a] of NUMBERS) {
      for (const [right, b] of NUMBERS) {
        if (a !== b) table.global(operator, `${word}_${left}_${right}`, [a, b], BOOL, compare);
      }
    }
  }
}

// ---- what is in what

function access(table: FunctionTable): void {
  const { index, optionalIndex, optionalSelect } = OPERATOR;
  const [optionalList, optionalMap] = [optionalOf(LIST), optionalOf(MAP)];
  table
    .global(index, 'index_list', [LIST, INT], A, apart)
    .global(index, 'index_map', [MAP, A], B, apart)
    .global(index, 'optional_list_index_int', [optionalList, INT], optionalOf(A), apart)
    .global(index, 'optional_map_index_value', [optionalMap, A], optionalOf(B), apart)
    .global(optionalIndex, 'list_optindex_optional_int', [LIST, INT], optionalOf(A), apart)
    .global(optionalIndex, 'optional_list_optindex_optional_int', [optionalList, INT], optionalOf(A), apart)
    .global(optionalIndex, 'map_optindex_optional_value', [MAP, A], optionalOf(B), apart)
    .global(optionalIndex, 'optional_map_optindex_optional_value', [optionalMap, A], optionalOf(B), apart)
    .global(optionalSelect, 'select_optional_field', [DYN, STRING], optionalOf(A), apart)
    .global('@in', 'in_list', [A, LIST], BOOL, isIn)
    .global('@in', 'in_map', [A, MAP], BOOL, (key: Value, map: MapValue) => map.find(key) !== undefined);
}

function isIn(value: Value, list: ListValue): boolean {
  for (const item of list) if (equalValues(item, value)) return true;
  return false;
}

function sizes(table: FunctionTable): void {
  const both = (id: string, type: CelType, size: (value: never) => number): void => {
    const count = (value: Value): Value => BigInt(size(value as never));
    table.global('size', `size_${id}`, [type], INT, count).member('size', `${id}_size`, [type], INT, count);
  };
  both('bytes', BYTES, ({ length }: Uint8Array) => length);
  both('list', LIST, ({ size }: ListValue) => size);
  both('map', MAP, ({ size }: MapValue) => size);
  both('string', STRING, characterCount);
}

/** Whether a pattern is found in a text. */
export function matches(text: string, pattern: string): boolean {
  try {
    return compilePattern(pattern).test(text);
  } catch (error) {
    if (error instanceof PatternError) throw new EvaluationError(error.message, { cause: error });
    throw error;
  }
}

function stringTests(table: FunctionTable): void {
  const text = [STRING, STRING];
  table
    .member('contains', 'contains_string', text, BOOL, (a: string, b: string) => a.includes(b))
    .member('endsWith', 'ends_with_string', text, BOOL, (a: string, b: string) => a.endsWith(b))
    .member('startsWith', 'starts_with_string', text, BOOL, (a: string, b: string) => a.startsWith(b))
    .global('matches', 'matches', text, BOOL, matches)
    .member('matches', 'matches_string', text, BOOL, matches);
}

// ---- parts of times

const DAY_MS = 86_400_000;
const dayOfYear = (date: Date): number => {
  const start = new Date(0);
  start.setUTCFullYear(date.getUTCFullYear(), 0, 1);
  return Math.floor((date.getTime() - start.getTime()) / DAY_MS);
};

function timeParts(table: FunctionTable): void {
  for (const [name, part] of [
    ['getFullYear', (date: Date): number => date.getUTCFullYear()],
    ['getMonth', (date: Date): number => date.getUTCMonth()],
    ['getDayOfYear', dayOfYear],
    ['getDayOfMonth', (date: Date): number => date.getUTCDate() - 1],
    ['getDate', (date: Date): number => date.getUTCDate()],
    ['getDayOfWeek', (date: Date): number => date.getUTCDay()],
    ['getHours', (date: Date): number => date.getUTCHours()],
    ['getMinutes', (date: Date): number => date.getUTCMinutes()],
    ['getSeconds', (date: Date): number => date.getUTCSeconds()],
    ['getMilliseconds', (date: Date): number => date.getUTCMilliseconds()],
  ] as const) {
    const partIn = (time: Timestamp, zone: string): bigint => BigInt(part(time.inZone(zone)));
    table
      .member(name, `timestamp_${name}`, [TIMESTAMP], INT, (time: Timestamp) => partIn(time, 'UTC'))
      .member(name, `timestamp_${name}_with_tz`, [TIMESTAMP, STRING], INT, partIn);
  }
  for (const [name, unit] of [
    ['getHours', 3_600_000_000_000n],
    ['getMinutes', 60_000_000_000n],
    ['getSeconds', 1_000_000_000n],
    ['getMilliseconds', 1_000_000n],
  ] as const) {
    table.member(
      name,
      `duration_${name}`,
      [DURATION],
      INT,
      ({ nanoseconds }: Duration) => nanoseconds / unit,
    );
  }
}
