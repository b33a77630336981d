// Building a JSON object or list that shares with its origin until it differs: the origin itself comes back when
// nothing changed, and keys such as `__proto__` stay plain keys.
import type { JsonObject, JsonValue } from '../api/index.ts';

export type JsonFields = Record<string, JsonValue | undefined>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isJsonList(value: unknown): value is readonly JsonValue[] {
  return Array.isArray(value);
}

export function setField(fields: JsonFields, key: string, value: JsonValue): void {
  if (key === '__proto__') {
    Object.defineProperty(fields, key, { value, writable: true, enumerable: true, configurable: true });
  } else fields[key] = value;
}

export function ownField(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** A copy of `origin` that is made when the first field is changed. */
export class ObjectDraft {
  readonly origin: JsonObject;
  #copy: JsonFields | undefined;

  constructor(origin: JsonObject) {
    this.origin = origin;
  }

  set(key: string, value: JsonValue): void {
    if (this.#copy === undefined) {
      if (Object.hasOwn(this.origin, key) && this.origin[key] === value) return;
      this.#copy = { ...this.origin };
    }
    setField(this.#copy, key, value);
  }

  delete(key: string): void {
    if (this.#copy === undefined) {
      if (!Object.hasOwn(this.origin, key)) return;
      this.#copy = { ...this.origin };
    }
    delete this.#copy[key];
  }

  get changed(): boolean {
    return this.#copy !== undefined;
  }

  get value(): JsonObject {
    return this.#copy ?? this.origin;
  }
}

/** `list.map(change)`, or `list` itself when every item came out the same. */
export function mapList(
  list: readonly JsonValue[],
  change: (item: JsonValue, index: number) => JsonValue,
): readonly JsonValue[] {
  let copy: JsonValue[] | undefined;
  for (let index = 0; index < list.length; index++) {
    const item = list[index] ?? null;
    const next = change(item, index);
    if (copy !== undefined) copy.push(next);
    else if (next !== item) {
      copy = list.slice(0, index);
      copy.push(next);
    }
  }
  return copy ?? list;
}
