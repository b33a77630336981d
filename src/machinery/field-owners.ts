// Which fields of two objects differ, and who owns fields at such a place by managedFields.
import type { JsonValue } from '../api/index.ts';
import { deepEqual } from './json.ts';

/** Names of fields and indices of items. */
export type FieldSteps = readonly (string | number)[];

/** Where `wanted` says something else than `observed`. What `wanted` says nothing of is not looked at. */
export function differingFields(
  wanted: JsonValue,
  observed: JsonValue | undefined,
  path: FieldSteps = [],
): readonly FieldSteps[] {
  if (deepEqual(wanted, observed)) return [];
  if (isList(wanted) && isList(observed) && wanted.length === observed.length)
    return wanted.flatMap((item, i) => differingFields(item, observed[i], [...path, i]));
  if (!isMap(wanted) || !isMap(observed)) return [path];
  return Object.entries(wanted).flatMap(([key, value]) =>
    differingFields(value, Object.hasOwn(observed, key) ? observed[key] : undefined, [...path, key]),
  );
}

function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function isMap(value: JsonValue | undefined): value is Readonly<Record<string, JsonValue>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether managed fields hold the field at a path, or a part of it. Items of lists go by their keys there. */
export function ownsField(fields: unknown, [step, ...rest]: FieldSteps): boolean {
  if (typeof fields !== 'object' || fields === null) return false;
  if (step === undefined) return true;
  const below = fields as Readonly<Record<string, unknown>>;
  if (typeof step === 'string') return ownsField(below[`f:${step}`], rest);
  const items = Object.keys(below).filter((key) => /^[kvi]:/.test(key));
  // A list that is owned as a whole says nothing of its items.
  return items.length === 0 || items.some((key) => ownsField(below[key], rest));
}
