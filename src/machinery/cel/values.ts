// The values of CEL at run time. Numbers, strings, booleans, null and bytes are JavaScript's own (int is bigint, double
// is number); everything else is one of the classes below.
import type { JsonValue } from '../../api/index.ts';
import type { Duration, Timestamp } from './times.ts';
import type { CelType } from './types.ts';

export type Value =
  | bigint
  | Uint
  | number
  | string
  | boolean
  | null
  | Uint8Array
  | Duration
  | Timestamp
  | ListValue
  | MapValue
  | Optional
  | TypeValue
  | OpaqueValue;

/** What an evaluation ends with when it cannot give a value; `message` as CEL words it. */
export class EvaluationError extends Error {
  override name = 'EvaluationError';
}

export function noSuchOverload(): EvaluationError {
  return new EvaluationError('no such overload');
}

const INT_MAX = 2n ** 63n - 1n;
const INT_MIN = -(2n ** 63n);
const UINT_MAX = 2n ** 64n - 1n;

/** The value, if it has room in 64 bits. */
export function checkInt(value: bigint): bigint {
  if (value > INT_MAX || value < INT_MIN) throw new EvaluationError('integer overflow');
  return value;
}

/** An unsigned integer of 64 bits. */
export class Uint {
  readonly value: bigint;
  constructor(value: bigint) {
    if (value < 0n || value > UINT_MAX) throw new EvaluationError('unsigned integer overflow');
    this.value = value;
  }
}

/** The name of a type, which is a value too. */
export class TypeValue {
  readonly type: CelType;
  constructor(type: CelType) {
    this.type = type;
  }
}

/** A value that is there, or none. */
export class Optional {
  static readonly none = new Optional(undefined);
  readonly value: Value | undefined;
  private constructor(value: Value | undefined) {
    this.value = value;
  }
  static of(value: Value): Optional {
    return new Optional(value);
  }
}

/** A value of a type that only its own functions know. */
export abstract class OpaqueValue {
  abstract readonly type: CelType;
  /** What costs are counted by. */
  readonly size: number = 1;
  abstract equals(other: OpaqueValue): boolean;
}

export abstract class ListValue {
  /** What it is a view of, if it is one. */
  get source(): JsonValue | undefined {
    return undefined;
  }
  abstract readonly size: number;
  /** The item at an index that is in range. */
  abstract at(index: number): Value;

  *[Symbol.iterator](): IterableIterator<Value> {
    for (let index = 0; index < this.size; index++) yield this.at(index);
  }

  /** By position, unless the schema says that this list is a set or a map. */
  equals(other: ListValue): boolean {
    if (this.size !== other.size) return false;
    for (let index = 0; index < this.size; index++) {
      if (!equalValues(this.at(index), other.at(index))) return false;
    }
    return true;
  }

  concat(other: ListValue): ListValue {
    return new PlainList([...this, ...other]);
  }
}

export class PlainList extends ListValue {
  static readonly empty = new PlainList([]);
  readonly #items: readonly Value[];
  /** @param items may still grow, as long as nobody else has seen the list */
  constructor(items: readonly Value[]) {
    super();
    this.#items = items;
  }
  get size(): number {
    return this.#items.length;
  }
  at(index: number): Value {
    return this.#items[index]!;
  }
}

export abstract class MapValue {
  /** What it is a view of, if it is one. */
  get source(): JsonValue | undefined {
    return undefined;
  }
  abstract readonly size: number;
  abstract keys(): Iterable<Value>;
  /** Undefined: there is no such key. */
  abstract find(key: Value): Value | undefined;

  equals(other: MapValue): boolean {
    if (this.size !== other.size) return false;
    for (const key of this.keys()) {
      const theirs = other.find(key);
      if (theirs === undefined || !equalValues(this.find(key)!, theirs)) return false;
    }
    return true;
  }
}

export class PlainMap extends MapValue {
  readonly #entries = new Map<string, readonly [key: Value, value: Value]>();

  /** Throws an EvaluationError when a key is there twice or cannot be one. */
  static of(entries: Iterable<readonly [key: Value, value: Value]>): PlainMap {
    const map = new PlainMap();
    for (const [key, value] of entries) map.insert(key, value);
    return map;
  }

  /** Only for whoever is making the map. */
  insert(key: Value, value: Value): void {
    const token = keyToken(key);
    if (token === undefined) throw new EvaluationError('unsupported key type');
    if (this.#entries.has(token)) {
      throw new EvaluationError(`insert failed: key ${describe(key)} already exists`);
    }
    this.#entries.set(token, [key, value]);
  }

  get size(): number {
    return this.#entries.size;
  }
  *keys(): IterableIterator<Value> {
    for (const [key] of this.#entries.values()) yield key;
  }
  find(key: Value): Value | undefined {
    const token = keyToken(key);
    return token === undefined ? undefined : this.#entries.get(token)?.[1];
  }
}

/** Equal keys have equal tokens, whatever kind of number they are. Undefined: no kind of value that can be a key. */
function keyToken(key: Value): string | undefined {
  if (typeof key === 'string') return `s${key}`;
  if (typeof key === 'boolean') return `b${key}`;
  if (typeof key === 'bigint') return `n${key}`;
  if (key instanceof Uint) return `n${key.value}`;
  if (typeof key === 'number' && Number.isInteger(key)) return `n${BigInt(key)}`;
  return undefined;
}

/** A value inside a message. */
export function describe(value: Value): string {
  if (value instanceof Uint) return String(value.value);
  return typeof value === 'object' ? '' : String(value);
}

const isNumeric = (value: Value): value is number | bigint | Uint =>
  typeof value === 'bigint' || typeof value === 'number' || value instanceof Uint;

const plainNumber = (value: number | bigint | Uint): number | bigint =>
  value instanceof Uint ? value.value : value;

export function equalValues(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (isNumeric(a)) {
    // oxlint-disable-next-line eqeqeq -- numbers are equal by value, whatever their type
    return isNumeric(b) && plainNumber(a) == plainNumber(b);
  }
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (a instanceof ListValue) return b instanceof ListValue && a.equals(b);
  if (a instanceof MapValue) return b instanceof MapValue && a.equals(b);
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  if (a instanceof Optional) {
    if (!(b instanceof Optional)) return false;
    if (a.value === undefined || b.value === undefined) return a.value === b.value;
    return equalValues(a.value, b.value);
  }
  if (a instanceof TypeValue) return b instanceof TypeValue && a.type.name === b.type.name;
  if (a instanceof OpaqueValue) {
    return b instanceof OpaqueValue && a.type.name === b.type.name && a.equals(b);
  }
  return 'nanoseconds' in a && 'nanoseconds' in b && a.kind === b.kind && a.nanoseconds === b.nanoseconds;
}

/** -1, 0 or 1 of two values that have an order. Throws an EvaluationError for others. */
export function compareValues(a: Value, b: Value): number {
  if (isNumeric(a) && isNumeric(b)) {
    const [first, second] = [plainNumber(a), plainNumber(b)];
    if (Number.isNaN(first) || Number.isNaN(second)) {
      throw new EvaluationError('NaN values cannot be ordered');
    }
    return first < second ? -1 : first > second ? 1 : 0;
  }
  if (typeof a === 'string' && typeof b === 'string') return compareStrings(a, b);
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  if (isTime(a) && isTime(b) && a.kind === b.kind) {
    return a.nanoseconds < b.nanoseconds ? -1 : a.nanoseconds > b.nanoseconds ? 1 : 0;
  }
  throw noSuchOverload();
}

const isTime = (value: Value): value is Duration | Timestamp =>
  typeof value === 'object' && value !== null && 'nanoseconds' in value;

/** By code points, which differs from JavaScript's order above the basic plane. */
function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    if (a.charCodeAt(index) === b.charCodeAt(index)) continue;
    const [first, second] = [a.codePointAt(index)!, b.codePointAt(index)!];
    return first < second ? -1 : 1;
  }
  return a.length < b.length ? -1 : 1;
}

/** Characters, which is what CEL counts and indexes strings by. */
export function characterCount(text: string): number {
  let count = text.length;
  for (let index = 0; index < text.length - 1; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0xd800 || unit > 0xdbff) continue;
    const next = text.charCodeAt(index + 1);
    if (next >= 0xdc00 && next <= 0xdfff) count--;
  }
  return count;
}
