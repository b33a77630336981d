// Reading plain JSON of any kind without trusting its shape: a member may send anything.
import type { JsonObject, JsonValue, KubeObject } from '../../api/index.ts';

export function objectAt(value: unknown, ...path: readonly string[]): JsonObject | undefined {
  const found = valueAt(value, ...path);
  return typeof found === 'object' && found !== null && !Array.isArray(found)
    ? (found as JsonObject)
    : undefined;
}

/** The objects of a list; whatever else is in it is left out. */
export function listAt(value: unknown, ...path: readonly string[]): readonly JsonObject[] {
  const found = valueAt(value, ...path);
  if (!Array.isArray(found)) return [];
  const items = found as readonly JsonValue[];
  return items.every(isObject) ? items : items.filter(isObject);
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function textAt(value: unknown, ...path: readonly string[]): string {
  const found = valueAt(value, ...path);
  return typeof found === 'string' ? found : '';
}

/** A whole number; undefined when there is none. */
export function integerAt(value: unknown, ...path: readonly string[]): number | undefined {
  const found = valueAt(value, ...path);
  return typeof found === 'number' && Number.isInteger(found) ? found : undefined;
}

export function valueAt(value: unknown, ...path: readonly string[]): JsonValue | undefined {
  let found: unknown = value;
  for (const key of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as Record<string, unknown>)[key];
  }
  return found as JsonValue | undefined;
}

/** The same object with one nested field set; everything beside the path is shared. */
export function withValue<T extends KubeObject>(
  object: T,
  path: readonly string[],
  value: JsonValue | undefined,
): T {
  return setIn(object as unknown as JsonObject, path, value) as unknown as T;
}

/** As withValue, for what is no whole object. */
export function setIn(
  object: JsonObject,
  [key = '', ...rest]: readonly string[],
  value: JsonValue | undefined,
): JsonObject {
  if (rest.length > 0) return { ...object, [key]: setIn(objectAt(object, key) ?? {}, rest, value) };
  if (value !== undefined) return { ...object, [key]: value };
  const { [key]: _removed, ...others } = object;
  return others;
}
