// Ways into lists, maps and objects: `a.b`, `a[b]`, `a.?b`, `a[?b]`.
import {
  EvaluationError,
  ListValue,
  MapValue,
  Optional,
  Uint,
  describe,
  noSuchOverload,
  type Value,
} from './values.ts';

function indexOf(key: Value): number | undefined {
  if (typeof key === 'bigint') return Number(key);
  if (key instanceof Uint) return Number(key.value);
  return typeof key === 'number' && Number.isInteger(key) ? key : undefined;
}

function find(value: Value, key: Value): Value | undefined {
  if (value instanceof MapValue) return value.find(key);
  if (!(value instanceof ListValue)) throw noSuchOverload();
  const index = indexOf(key);
  if (index === undefined) throw noSuchOverload();
  return index >= 0 && index < value.size ? value.at(index) : undefined;
}

export function memberOf(value: Value, key: Value): Value {
  const found = find(value, key);
  if (found !== undefined) return found;
  const why = value instanceof ListValue ? 'index out of bounds' : 'no such key';
  throw new EvaluationError(`${why}: ${describe(key)}`);
}

export function optionally(value: Value, key: Value): Optional {
  const held = value instanceof Optional ? value.value : value;
  if (held === undefined) return Optional.none;
  const found = find(held, key);
  return found === undefined ? Optional.none : Optional.of(found);
}
