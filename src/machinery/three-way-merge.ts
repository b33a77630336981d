// What an object becomes when somebody declares it anew: fields that were declared before and are no longer go, declared
// ones win, everything that others have set stays. `kubectl apply` on the client's side is this; lists merge by the
// patch keys of built-in types, and are replaced as a whole where the schema knows none.
// Nothing that comes in is changed; what stays is shared.
import type { JsonObject, JsonValue } from '../api/index.ts';
import { deepEqual } from './json.ts';
import { isJsonList, isJsonObject, ObjectDraft, ownField, setField, type JsonFields } from './json-draft.ts';
import { orderedMerge } from './list-order.ts';
import type { Plan } from './schema-plan.ts';

/**
 * @param original what was declared last time; empty when nobody did
 * @param modified what is declared now
 * @param current what there is
 * @param plan of a built-in type; without it lists are values
 */
export function threeWayMerge(
  original: JsonObject,
  modified: JsonObject,
  current: JsonObject,
  plan: Plan | undefined,
): JsonObject {
  const draft = new ObjectDraft(current);
  const strategies = plan?.schema['x-kubernetes-patch-strategy']?.split(',') ?? [];
  // Of these, the ones that are not declared are of another variant and go, whoever set them.
  const alternatives = strategies.includes('retainKeys');
  for (const key of Object.keys(current)) {
    if (ownField(modified, key) !== undefined) continue;
    if (alternatives || ownField(original, key) !== undefined) draft.delete(key);
  }
  for (const key of Object.keys(modified)) {
    const wanted = ownField(modified, key);
    if (wanted === undefined) continue;
    if (wanted === null) {
      draft.delete(key);
      continue;
    }
    const there = ownField(current, key);
    const before = ownField(original, key);
    draft.set(key, mergeValue(before, wanted, there, plan?.child(key)));
  }
  return draft.value;
}

function mergeValue(
  before: JsonValue | undefined,
  wanted: JsonValue,
  there: JsonValue | undefined,
  plan: Plan | undefined,
): JsonValue {
  const strategies = plan?.schema['x-kubernetes-patch-strategy']?.split(',') ?? [];
  if (isJsonObject(wanted)) {
    if (!isJsonObject(there) || strategies.includes('replace')) return same(withoutNulls(wanted), there);
    return threeWayMerge(isJsonObject(before) ? before : {}, wanted, there, plan);
  }
  if (isJsonList(wanted) && isJsonList(there) && strategies.includes('merge')) {
    const merged = mergeList(isJsonList(before) ? before : [], wanted, there, plan);
    if (merged !== undefined) return merged;
  }
  return same(withoutNulls(wanted), there);
}

/** What is there, if it is equal. */
function same(value: JsonValue, there: JsonValue | undefined): JsonValue {
  return there !== undefined && deepEqual(value, there) ? there : value;
}

/** Undefined: the items cannot be told apart by the key. */
function mergeList(
  before: readonly JsonValue[],
  wanted: readonly JsonValue[],
  there: readonly JsonValue[],
  plan: Plan | undefined,
): readonly JsonValue[] | undefined {
  const mergeKey = plan?.schema['x-kubernetes-patch-merge-key'];
  const keyOf = mergeKey === undefined ? itself : keyReader(mergeKey);
  const wantedKeys = keysOf(wanted, keyOf);
  const thereKeys = keysOf(there, keyOf);
  if (wantedKeys === undefined || thereKeys === undefined) return undefined;
  const beforeItems = new Map(before.map((item) => [keyOf(item), item]));
  const merged: JsonValue[] = there.flatMap((item) => {
    const key = keyOf(item);
    const declared = key === undefined ? undefined : wantedKeys.get(key);
    if (declared !== undefined) return [mergeItem(beforeItems.get(key), declared, item, plan?.items)];
    return beforeItems.has(key) ? [] : [item];
  });
  for (const [key, item] of wantedKeys) if (!thereKeys.has(key)) merged.push(withoutNulls(item));
  return orderedMerge(merged, wanted, there, (item) => keyOf(item) ?? null);
}

function mergeItem(
  before: JsonValue | undefined,
  wanted: JsonValue,
  there: JsonValue,
  plan: Plan | undefined,
): JsonValue {
  if (!isJsonObject(wanted) || !isJsonObject(there)) return same(wanted, there);
  return threeWayMerge(isJsonObject(before) ? before : {}, wanted, there, plan);
}

type KeyReader = (item: JsonValue) => string | number | boolean | undefined;

const itself: KeyReader = (item) => (typeof item === 'object' ? undefined : item);

function keyReader(mergeKey: string): KeyReader {
  return (item) => {
    const key = isJsonObject(item) ? ownField(item, mergeKey) : undefined;
    return typeof key === 'object' ? undefined : key;
  };
}

/** Items by key; undefined when one has none or two have the same. */
function keysOf(
  items: readonly JsonValue[],
  keyOf: KeyReader,
): Map<string | number | boolean, JsonValue> | undefined {
  const keys = new Map<string | number | boolean, JsonValue>();
  for (const item of items) {
    const key = keyOf(item);
    if (key === undefined || keys.has(key)) return undefined;
    keys.set(key, item);
  }
  return keys;
}

/** Null means "not there" to who declares it. */
function withoutNulls(value: JsonValue): JsonValue {
  if (!isJsonObject(value)) return value;
  const fields: JsonFields = {};
  for (const key of Object.keys(value)) {
    const field = value[key];
    if (field !== null && field !== undefined) setField(fields, key, withoutNulls(field));
  }
  return fields;
}
