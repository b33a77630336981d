// Functions on values that may be absent. `or` and `orValue` look at their argument only when they need it, and so are
// run by the compiler.
import type { FunctionTable } from './functions.ts';
import { BOOL, listOf, optionalOf, typeParam } from './types.ts';
import {
  EvaluationError,
  ListValue,
  MapValue,
  Optional,
  PlainList,
  Uint,
  noSuchOverload,
  type Value,
} from './values.ts';

const V = typeParam('V');
const OPTIONAL = optionalOf(V);

function isZero(value: Value): boolean {
  if (value instanceof ListValue || value instanceof MapValue) return value.size === 0;
  if (value instanceof Uint8Array) return value.length === 0;
  if (value instanceof Uint) return value.value === 0n;
  if (typeof value === 'object' && value !== null && 'nanoseconds' in value) {
    return value.nanoseconds === (value.kind === 'duration' ? 0n : YEAR_ONE);
  }
  // oxlint-disable-next-line eqeqeq -- 0n and 0 are both zero
  return value === null || value === '' || value === false || value == 0;
}

/** The first moment there is, which is what Go has for no time. */
const YEAR_ONE = -62_135_596_800_000_000_000n;

function valueOf({ value }: Optional): Value {
  if (value === undefined) throw new EvaluationError('optional.none() dereference');
  return value;
}

function unwrap(list: ListValue): PlainList {
  const present = [...list].flatMap((item) => {
    if (!(item instanceof Optional)) throw noSuchOverload();
    return item.value === undefined ? [] : [item.value];
  });
  return new PlainList(present);
}

function lazy(): never {
  throw noSuchOverload();
}

export function optionalFunctions(table: FunctionTable): void {
  table
    .global('optional.of', 'optional_of', [V], OPTIONAL, (value: Value) => Optional.of(value))
    .global('optional.ofNonZeroValue', 'optional_ofNonZeroValue', [V], OPTIONAL, (value: Value) =>
      isZero(value) ? Optional.none : Optional.of(value),
    )
    .global('optional.none', 'optional_none', [], OPTIONAL, () => Optional.none)
    .global('optional.unwrap', 'optional_unwrap', [listOf(OPTIONAL)], listOf(V), unwrap)
    .member('unwrapOpt', 'optional_unwrapOpt', [listOf(OPTIONAL)], listOf(V), unwrap)
    .member('value', 'optional_value', [OPTIONAL], V, valueOf)
    .member('hasValue', 'optional_hasValue', [OPTIONAL], BOOL, ({ value }: Optional) => value !== undefined)
    .member('or', 'optional_or_optional', [OPTIONAL, OPTIONAL], OPTIONAL, lazy)
    .member('orValue', 'optional_orValue_value', [OPTIONAL, V], V, lazy);
}
