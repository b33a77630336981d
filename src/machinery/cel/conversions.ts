// From one type to another: `int('5')`, `string(duration('1h'))`.
import { goDouble } from '../go-text.ts';
import type { FunctionTable } from './functions.ts';
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
  typeOfType,
  typeParam,
} from './types.ts';
import { typeOfValue } from './value-types.ts';
import { EvaluationError, TypeValue, Uint, checkInt, noSuchOverload, type Value } from './values.ts';

const DOUBLE_INT_MIN = -(2 ** 63);
const DOUBLE_INT_MAX = 2 ** 63;

const same = (value: Value): Value => value;

function doubleText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return Object.is(value, -0) ? '-0' : goDouble(value);
}

/** Text of a value that has one. Throws an EvaluationError for others. */
export function stringOf(value: Value): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'number':
      return doubleText(value);
    default:
  }
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Uint8Array) return utf8(value);
  if (value instanceof TypeValue) return value.type.name;
  if (typeof value === 'object' && value !== null && 'nanoseconds' in value) return value.toString();
  throw noSuchOverload();
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function utf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new EvaluationError('invalid UTF-8 in bytes, cannot convert to string', { cause: error });
  }
}

function boolOf(text: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false;
  throw new EvaluationError(`type conversion error from 'string' to 'bool'`);
}

function doubleOf(text: string): number {
  const word = /^([-+]?)(inf|infinity|nan)$/i.exec(text);
  if (word !== null) {
    const size = word[2]!.toLowerCase() === 'nan' ? Number.NaN : Number.POSITIVE_INFINITY;
    return word[1] === '-' ? -size : size;
  }
  const value = /^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$/.test(text) ? Number(text) : undefined;
  if (value === undefined || !Number.isFinite(value)) {
    throw new EvaluationError(`type conversion error from 'string' to 'double'`);
  }
  return value;
}

function intOfDouble(value: number): bigint {
  if (Number.isNaN(value) || value <= DOUBLE_INT_MIN || value >= DOUBLE_INT_MAX) {
    throw new EvaluationError('integer overflow');
  }
  return BigInt(Math.trunc(value));
}

function uintOfDouble(value: number): Uint {
  if (Number.isNaN(value) || value < 0 || value >= 2 ** 64)
    throw new EvaluationError('unsigned integer overflow');
  return new Uint(BigInt(Math.trunc(value)));
}

function intOfText(text: string): bigint {
  const value = /^[-+]?[0-9]+$/.test(text) ? BigInt(text) : undefined;
  if (value === undefined || value >= 2n ** 63n || value < -(2n ** 63n)) {
    throw new EvaluationError(`type conversion error from 'string' to 'int'`);
  }
  return value;
}

function uintOfText(text: string): Uint {
  const value = /^[0-9]+$/.test(text) ? BigInt(text) : undefined;
  if (value === undefined || value >= 2n ** 64n) {
    throw new EvaluationError(`type conversion error from 'string' to 'uint'`);
  }
  return new Uint(value);
}

function durationOf(text: string): Duration {
  const duration = Duration.parse(text);
  if (duration === undefined) {
    throw new EvaluationError(`type conversion error from 'string' to 'google.protobuf.Duration'`);
  }
  return duration;
}

function timestampOf(text: string): Timestamp {
  const timestamp = Timestamp.parse(text);
  if (timestamp === undefined) {
    throw new EvaluationError(`type conversion error from 'string' to 'google.protobuf.Timestamp'`);
  }
  return timestamp;
}

const ANY = typeParam('A');

/** Conversions of a literal are made once, when the expression is compiled. */
export const CONVERSIONS: ReadonlySet<string> = new Set(
  'bool bytes double duration dyn int string timestamp type uint'.split(' '),
);

export function conversionFunctions(table: FunctionTable): void {
  table
    .global('type', 'type', [ANY], typeOfType(ANY), (value: Value) => new TypeValue(typeOfValue(value)))
    .global('dyn', 'to_dyn', [ANY], DYN, same)
    .global('bool', 'bool_to_bool', [BOOL], BOOL, same)
    .global('bool', 'string_to_bool', [STRING], BOOL, boolOf)
    .global('bytes', 'bytes_to_bytes', [BYTES], BYTES, same)
    .global('bytes', 'string_to_bytes', [STRING], BYTES, (text: string) => Buffer.from(text))
    .global('double', 'double_to_double', [DOUBLE], DOUBLE, same)
    .global('double', 'int64_to_double', [INT], DOUBLE, (value: bigint) => Number(value))
    .global('double', 'string_to_double', [STRING], DOUBLE, doubleOf)
    .global('double', 'uint64_to_double', [UINT], DOUBLE, ({ value }: Uint) => Number(value))
    .global('duration', 'duration_to_duration', [DURATION], DURATION, same)
    .global('duration', 'string_to_duration', [STRING], DURATION, durationOf)
    .global('int', 'int64_to_int64', [INT], INT, same)
    .global('int', 'double_to_int64', [DOUBLE], INT, intOfDouble)
    .global('int', 'duration_to_int64', [DURATION], INT, ({ nanoseconds }: Duration) => nanoseconds)
    .global('int', 'string_to_int64', [STRING], INT, intOfText)
    .global('int', 'timestamp_to_int64', [TIMESTAMP], INT, secondsOf)
    .global('int', 'uint64_to_int64', [UINT], INT, ({ value }: Uint) => checkInt(value))
    .global('string', 'string_to_string', [STRING], STRING, same);
  for (const [id, type] of [
    ['bool_to_string', BOOL],
    ['bytes_to_string', BYTES],
    ['double_to_string', DOUBLE],
    ['duration_to_string', DURATION],
    ['int64_to_string', INT],
    ['timestamp_to_string', TIMESTAMP],
    ['uint64_to_string', UINT],
  ] as const) {
    table.global('string', id, [type], STRING, stringOf);
  }
  table
    .global('timestamp', 'timestamp_to_timestamp', [TIMESTAMP], TIMESTAMP, same)
    .global(
      'timestamp',
      'int64_to_timestamp',
      [INT],
      TIMESTAMP,
      (seconds: bigint) => new Timestamp(seconds * 1_000_000_000n),
    )
    .global('timestamp', 'string_to_timestamp', [STRING], TIMESTAMP, timestampOf)
    .global('uint', 'uint64_to_uint64', [UINT], UINT, same)
    .global('uint', 'double_to_uint64', [DOUBLE], UINT, uintOfDouble)
    .global('uint', 'int64_to_uint64', [INT], UINT, (value: bigint) => new Uint(value))
    .global('uint', 'string_to_uint64', [STRING], UINT, uintOfText);
}

function secondsOf({ nanoseconds }: Timestamp): bigint {
  const seconds = nanoseconds / 1_000_000_000n;
  return nanoseconds % 1_000_000_000n < 0n ? seconds - 1n : seconds;
}
