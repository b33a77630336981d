// Strategic merge patch: a merge patch that knows from the schema which lists are merged, by which key, and that
// takes directives (`$patch`, `$retainKeys`, `$setElementOrder/…`, `$deleteFromPrimitiveList/…`). Only built-in types
// have the schema for it. Neither the document nor the patch is changed; what stays is shared.
import type { JsonObject, JsonValue, Schema } from '../api/index.ts';
import { goValue } from './go-text.ts';
import { ObjectDraft, isJsonList, isJsonObject, ownField, type JsonFields, setField } from './json-draft.ts';
import { orderedMerge } from './list-order.ts';
import { planFor, type Plan, type RefResolver } from './schema-plan.ts';
import { badRequest, StatusError } from './status-error.ts';

const DIRECTIVE = '$patch';
const RETAIN_KEYS = '$retainKeys';
const SET_ORDER = '$setElementOrder';
const DELETE_PRIMITIVES = '$deleteFromPrimitiveList';

/**
 * Applies a decoded strategic merge patch. Throws a StatusError with upstream's code and message: 400 for a
 * malformed directive, 422 for lists of lists, 500 (as upstream does) for a missing merge key or an unknown directive.
 */
export function applyStrategicMergePatch(
  document: JsonValue,
  patch: unknown,
  schema: Schema,
  resolveRef: RefResolver,
): JsonValue {
  // COMPAT: null is a patch that changes nothing.
  if (patch === null) return document;
  if (!isJsonObject(patch)) {
    const kind = Array.isArray(patch) ? 'array' : typeof patch;
    throw badRequest(`json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`);
  }
  const original = isJsonObject(document) ? document : {};
  return mergeObject(original, patch, planFor(schema, resolveRef));
}

/** COMPAT: what upstream does not foresee comes out as a plain 500 with the message alone. */
function unforeseen(message: string): StatusError {
  return new StatusError(500, '', message);
}

function noMergeKey(item: JsonObject, mergeKey: string): StatusError {
  return unforeseen(`map: ${goValue(item)} does not contain declared merge key: ${mergeKey}`);
}

function without(object: JsonObject, key: string): JsonObject {
  const { [key]: _, ...rest } = object;
  return rest;
}

function mergeObject(original: JsonObject, patch: JsonObject, plan: Plan | undefined): JsonObject {
  const directive = ownField(patch, DIRECTIVE);
  if (directive === 'replace') return without(patch, DIRECTIVE);
  if (directive === 'delete') return {};
  if (directive !== undefined) throw unknownDirective(directive, patch);
  const draft = new ObjectDraft(original);
  applyRetainKeys(draft, patch);
  const done = applyElementOrders(draft, patch, plan);
  for (const key in patch) {
    if (key === RETAIN_KEYS || done.has(key)) continue;
    const change = patch[key];
    if (change === undefined) continue;
    if (key.startsWith(DELETE_PRIMITIVES)) deletePrimitives(draft, key, change);
    else mergeField(draft, key, change, plan);
  }
  return draft.value;
}

function unknownDirective(directive: JsonValue, patch: JsonObject): StatusError {
  return unforeseen(`unknown patch type: ${goValue(directive)} in map: ${goValue(patch)}`);
}

function mergeField(draft: ObjectDraft, key: string, change: JsonValue, plan: Plan | undefined): void {
  if (change === null) {
    draft.delete(key);
    return;
  }
  const current = ownField(draft.value, key);
  if (isJsonObject(current) && isJsonObject(change)) {
    const child = fieldPlan(plan, key);
    const replace = strategyOf(child) === 'replace';
    draft.set(key, replace ? change : mergeObject(current, change, child));
  } else if (isJsonList(current) && isJsonList(change)) {
    const child = fieldPlan(plan, key);
    draft.set(key, strategyOf(child) === 'merge' ? mergeList(current, change, child) : change);
  } else {
    const fresh = withoutDirectives(withoutNulls(change));
    if (fresh === undefined) draft.delete(key);
    else draft.set(key, fresh);
  }
}

/** Undefined: inside a value that the schema leaves open, where no list merges. */
function fieldPlan(plan: Plan | undefined, key: string): Plan | undefined {
  if (plan === undefined) return undefined;
  const child = plan.child(key);
  if (child === undefined && !plan.open) {
    const struct = plan.definition?.slice(plan.definition.lastIndexOf('.') + 1) ?? '';
    throw unforeseen(`unable to find api field in struct ${struct} for the json field "${key}"`);
  }
  return child;
}

function strategyOf(plan: Plan | undefined): string {
  const strategies = plan?.schema['x-kubernetes-patch-strategy']?.split(',') ?? [];
  return strategies.find((strategy) => strategy !== 'retainKeys') ?? '';
}

// ---- values that are new

/** Null-valued keys of objects go, at any depth. */
function withoutNulls(value: JsonValue): JsonValue {
  if (isJsonList(value)) return value.map(withoutNulls);
  if (!isJsonObject(value)) return value;
  const fields: JsonFields = {};
  for (const key in value) {
    const field = value[key];
    if (field !== null && field !== undefined) setField(fields, key, withoutNulls(field));
  }
  return fields;
}

/** Objects with `$patch` have nothing to act on here and go, the value itself included. */
function withoutDirectives(value: JsonValue): JsonValue | undefined {
  if (isJsonList(value)) {
    return value.map(withoutDirectives).filter((item) => item !== undefined);
  }
  if (!isJsonObject(value)) return value;
  if (Object.hasOwn(value, DIRECTIVE)) return undefined;
  const fields: JsonFields = {};
  for (const key in value) {
    const field = withoutDirectives(value[key] ?? null);
    if (field !== undefined) setField(fields, key, field);
  }
  return fields;
}

// ---- directives of objects

/** Clears every field of the document that the patch does not list. */
function applyRetainKeys(draft: ObjectDraft, patch: JsonObject): void {
  const retained = ownField(patch, RETAIN_KEYS);
  if (retained === undefined) return;
  const malformed = (): StatusError => badRequest('invalid patch format of retainKeys');
  if (!isJsonList(retained)) throw malformed();
  const keys = new Set<JsonValue>(retained);
  for (const key in patch) {
    const exempt = key === RETAIN_KEYS || key.startsWith(SET_ORDER) || key.startsWith(DELETE_PRIMITIVES);
    if (!exempt && patch[key] !== null && !keys.has(key)) throw malformed();
  }
  for (const key of Object.keys(draft.value)) if (!keys.has(key)) draft.delete(key);
}

function directiveField(key: string, prefix: string, message: string): string {
  if (!key.startsWith(`${prefix}/`)) throw badRequest(message);
  return key.slice(prefix.length + 1);
}

function deletePrimitives(draft: ObjectDraft, key: string, removals: JsonValue): void {
  const field = directiveField(key, DELETE_PRIMITIVES, 'invalid patch format of primitive list');
  if (removals === null) {
    draft.delete(field);
    return;
  }
  const current = ownField(draft.value, field);
  if (!isJsonList(current) || !isJsonList(removals)) return;
  if (elementKind([current, removals]) === 'object') {
    throw unforeseen('cannot merge lists without merge key for struct');
  }
  const gone = new Set(removals);
  draft.set(
    field,
    current.filter((item) => !gone.has(item)),
  );
}

/** Merges the lists for which the patch gives an order, and returns the keys of the patch that are thereby done. */
function applyElementOrders(draft: ObjectDraft, patch: JsonObject, plan: Plan | undefined): Set<string> {
  const done = new Set<string>();
  for (const key in patch) {
    if (!key.startsWith(SET_ORDER)) continue;
    done.add(key);
    const malformed = 'invalid patch format of setElementOrder list';
    const order = patch[key];
    if (!isJsonList(order)) throw expectedList(order);
    const field = directiveField(key, SET_ORDER, malformed);
    const current = ownField(draft.value, field);
    const change = ownField(patch, field);
    if (current !== undefined && !isJsonList(current)) throw expectedList(current);
    if (change !== undefined && !isJsonList(change)) throw expectedList(change);
    const child = fieldPlan(plan, field);
    const mergeKey = child?.schema['x-kubernetes-patch-merge-key'];
    if (change !== undefined) checkOrder(change, order, mergeKey);
    if (change !== undefined) done.add(field);
    let merged: readonly JsonValue[] | undefined = current;
    if (change !== undefined) {
      merged =
        current === undefined
          ? (withoutDirectives(change) as readonly JsonValue[])
          : strategyOf(child) === 'merge'
            ? mergeList(current, change, child)
            : change;
    }
    if (merged === undefined || merged.length === 0) {
      if (merged !== undefined) draft.set(field, merged);
      continue;
    }
    draft.set(field, orderedMerge(merged, order, current ?? [], keyOf(mergeKey)));
  }
  return done;
}

function expectedList(value: JsonValue | undefined): StatusError {
  const kind = isJsonObject(value) ? 'map[string]interface {}' : typeof value;
  return unforeseen(`expected a []interface {}, but received a ${kind}`);
}

/** The patch's items must be among those of the order, and in that order. */
function checkOrder(
  patch: readonly JsonValue[],
  order: readonly JsonValue[],
  mergeKey: string | undefined,
): void {
  if (order.length === 0 || patch.length === 0) return;
  const identity = keyOf(mergeKey);
  let at = 0;
  for (const item of patch) {
    if (isJsonObject(item) && Object.hasOwn(item, DIRECTIVE)) continue;
    const wanted = identity(item);
    while (at < order.length && identity(order[at] ?? null) !== wanted) at++;
    if (at === order.length) {
      throw unforeseen(
        `The order in patch list:\n${goValue(patch)}\n doesn't match ${SET_ORDER} list:\n${goValue(order)}\n`,
      );
    }
    at++;
  }
}

// ---- lists

/** What tells two items of a list apart: the item itself, or the value of its merge key. */
function keyOf(mergeKey: string | undefined): (item: JsonValue) => JsonValue {
  if (mergeKey === undefined) return (item) => item;
  return (item) => {
    if (!isJsonObject(item)) {
      throw unforeseen(`expected a map[string]interface {}, but received a ${typeof item}`);
    }
    const value = ownField(item, mergeKey);
    if (value === undefined) throw noMergeKey(item, mergeKey);
    return value;
  };
}

function elementKind(lists: readonly (readonly JsonValue[])[]): string {
  let kind: string | undefined;
  for (const list of lists) {
    for (const item of list) {
      if (isJsonList(item)) throw new StatusError(422, 'Invalid', 'lists of lists are not supported');
      const own = item === null ? 'null' : typeof item;
      if (kind !== undefined && own !== kind) {
        throw unforeseen(`list element types are not identical: ${goValue(lists)}`);
      }
      kind = own;
    }
  }
  return kind ?? 'none';
}

function mergeList(
  original: readonly JsonValue[],
  patch: readonly JsonValue[],
  plan: Plan | undefined,
): readonly JsonValue[] {
  if (original.length === 0 && patch.length === 0) return original;
  if (elementKind([original, patch]) !== 'object') {
    const merged = [...new Set([...original, ...patch])];
    return orderedMerge(merged, patch, original, keyOf(undefined));
  }
  const mergeKey = plan?.schema['x-kubernetes-patch-merge-key'];
  if (mergeKey === undefined) throw unforeseen('cannot merge lists without merge key for struct');
  const { kept, changes, replaced } = applyListDirectives(
    original as readonly JsonObject[],
    patch as readonly JsonObject[],
    mergeKey,
  );
  if (replaced) return changes;
  const merged = mergeItems(kept, changes, mergeKey, plan?.items);
  return orderedMerge(merged, changes, kept, keyOf(mergeKey));
}

interface ListParts {
  readonly kept: readonly JsonObject[];
  readonly changes: readonly JsonObject[];
  /** `$patch: replace` stood in the list: the changes are the list. */
  readonly replaced: boolean;
}

function applyListDirectives(
  original: readonly JsonObject[],
  patch: readonly JsonObject[],
  mergeKey: string,
): ListParts {
  const gone = new Set<JsonValue>();
  const changes: JsonObject[] = [];
  let replaced = false;
  for (const item of patch) {
    const directive = ownField(item, DIRECTIVE);
    if (directive === undefined) changes.push(item);
    else if (directive === 'replace') replaced = true;
    else if (directive === 'delete') {
      const key = ownField(item, mergeKey);
      if (key === undefined) throw noMergeKey(item, mergeKey);
      gone.add(key);
    } else if (directive === 'merge') {
      throw unforeseen('merging lists cannot yet be specified in the patch');
    } else throw unknownDirective(directive, item);
  }
  const kept =
    gone.size === 0 ? original : original.filter((item) => !gone.has(ownField(item, mergeKey) ?? null));
  return { kept, changes, replaced };
}

function mergeItems(
  original: readonly JsonObject[],
  changes: readonly JsonObject[],
  mergeKey: string,
  plan: Plan | undefined,
): readonly JsonObject[] {
  const merged = [...original];
  const places = new Map<JsonValue, number>();
  merged.forEach((item, index) => {
    const key = ownField(item, mergeKey);
    if (key !== undefined && !places.has(key)) places.set(key, index);
  });
  for (const change of changes) {
    const key = ownField(change, mergeKey);
    if (key === undefined) throw noMergeKey(change, mergeKey);
    const place = places.get(key);
    const current = place === undefined ? undefined : merged[place];
    if (place === undefined || current === undefined) {
      places.set(key, merged.length);
      merged.push(change);
    } else merged[place] = mergeObject(current, change, plan);
  }
  return merged;
}
