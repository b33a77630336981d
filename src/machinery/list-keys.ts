// What tells the items of a list apart: the items of a set are themselves, those of a list map have key fields.
import type { JsonObject, JsonValue } from '../api/index.ts';
import { deepEqual } from './json.ts';
import { isJsonList, isJsonObject, ownField, setField, type JsonFields } from './json-draft.ts';
import type { Plan } from './schema-plan.ts';

/** A text that is the same for equal values and only for these. */
export function identityOf(value: JsonValue): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value !== 'object' || value === null) return String(value);
  if (isJsonList(value)) return `[${value.map(identityOf).join()}]`;
  const fields: JsonObject = value;
  const keys = Object.keys(fields)
    .filter((key) => fields[key] !== undefined)
    .sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${identityOf(fields[key] ?? null)}`).join()}}`;
}

/** Indices at which a value stands that stood before, the first such place of each. */
export function duplicateItems(items: readonly JsonValue[]): number[] {
  if (items.length < 2) return [];
  const seen = new Map<string, number>();
  const duplicates: number[] = [];
  items.forEach((item, index) => {
    const identity = identityOf(item);
    const times = seen.get(identity) ?? 0;
    seen.set(identity, times + 1);
    if (times === 1) duplicates.push(index);
  });
  return duplicates;
}

// LIMIT: up to so many items are compared each with each, which for so few is faster than making texts of them.
const PAIRWISE_MAX = 24;

/** Whether no two items have the same keys; of a set (no keys), whether no two are the same. */
export function areDistinct(list: readonly JsonValue[], keys: readonly string[]): boolean {
  if (list.length === 0) return true;
  if (keys.length > 0 && !list.every(isJsonObject)) return false;
  if (list.length > PAIRWISE_MAX) {
    const identities = list.map((item) => identityOf(keys.length === 0 ? item : fieldsOf(item, keys)));
    return new Set(identities).size === list.length;
  }
  for (let i = 1; i < list.length; i++) {
    for (let j = 0; j < i; j++) if (haveSameKeys(list[i] ?? null, list[j] ?? null, keys)) return false;
  }
  return true;
}

function haveSameKeys(a: JsonValue, b: JsonValue, keys: readonly string[]): boolean {
  if (keys.length === 0) return deepEqual(a, b);
  for (const key of keys) {
    const [left, right] = [ownField(a as JsonObject, key), ownField(b as JsonObject, key)];
    if (left !== right && !deepEqual(left, right)) return false;
  }
  return true;
}

/** Finds the items of a list map by their keys. */
export class ListMap {
  readonly #plan: Plan;
  readonly #items = new Map<string, JsonValue>();

  private constructor(plan: Plan, list: readonly JsonValue[]) {
    this.#plan = plan;
    for (const item of list) this.#items.set(identityOf(keyOf(plan, item)), item);
  }

  /** Undefined when the list is no list map. */
  static of(plan: Plan, list: readonly JsonValue[]): ListMap | undefined {
    return plan.schema['x-kubernetes-list-type'] === 'map' ? new ListMap(plan, list) : undefined;
  }

  /** The keys of each item, as an object of its key fields in the order of their names. */
  static keys(plan: Plan, list: readonly JsonValue[]): JsonValue[] {
    const names = (plan.schema['x-kubernetes-list-map-keys'] ?? []).toSorted();
    return list.map((item) => fieldsOf(item, names));
  }

  /** The item with the same keys as `item`. */
  get(item: JsonValue): JsonValue | undefined {
    return this.#items.get(identityOf(keyOf(this.#plan, item)));
  }
}

function keyOf(plan: Plan, item: JsonValue): JsonValue {
  return fieldsOf(item, plan.schema['x-kubernetes-list-map-keys'] ?? []);
}

function fieldsOf(item: JsonValue, names: readonly string[]): JsonValue {
  const key: JsonFields = {};
  if (!isJsonObject(item)) return {};
  for (const name of names) {
    const value = ownField(item, name);
    if (value !== undefined) setField(key, name, value);
  }
  return key;
}
