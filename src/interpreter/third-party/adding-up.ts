// How statuses of several members become one: sums, latest values, conditions with the names of their clusters.
import type { JsonObject, JsonValue, KubeObject } from '../../api/index.ts';
import type { StatusItem } from '../interpreter.ts';
import { listAt, objectAt, textAt, valueAt } from '../native/read.ts';
import { countAt, type Path } from './kind-parts.ts';

export type Items = readonly StatusItem[];

/** The objects at a path of the statuses of those that have one there. */
export function objectsAt(items: Items, ...path: Path): readonly JsonObject[] {
  return items.map(({ status }) => objectAt(status, ...path)).filter((found) => found !== undefined);
}

export function sum(items: Items, ...path: Path): number {
  return items.reduce((total, { status }) => total + countAt(status, ...path), 0);
}

export function sums(items: Items, fields: readonly string[]): Record<string, number> {
  return Object.fromEntries(fields.map((field) => [field, sum(items, field)]));
}

function isSet(value: JsonValue | undefined): value is JsonValue {
  return value !== undefined && value !== null && value !== '';
}

/** Of the last item that has one; `otherwise` when none has. */
export function last(items: Items, field: string, otherwise?: JsonValue): JsonObject {
  const value = items.map(({ status }) => valueAt(status, field)).findLast(isSet) ?? otherwise;
  return value === undefined ? {} : { [field]: value };
}

export function lasts(items: Items, fields: readonly string[], otherwise?: JsonValue): JsonObject {
  return Object.assign({}, ...fields.map((field) => last(items, field, otherwise))) as JsonObject;
}

/** Of the first item that has one. */
export function first(items: Items, field: string): JsonObject {
  const value = items.map(({ status }) => valueAt(status, field)).find(isSet);
  return value === undefined ? {} : { [field]: value };
}

function times(items: Items, field: string): readonly string[] {
  return items.map(({ status }) => textAt(status, field)).filter((time) => time !== '');
}

/** Of times as text, the earliest. */
export function earliest(items: Items, field: string): JsonObject {
  const [time] = times(items, field).toSorted();
  return time === undefined ? {} : { [field]: time };
}

export function latest(items: Items, field: string): JsonObject {
  const time = times(items, field).toSorted().at(-1);
  return time === undefined ? {} : { [field]: time };
}

/** The status of the only member, if it is the only one and says something. */
export function alone(items: Items): JsonObject | undefined {
  return items.length === 1 ? objectAt(items[0], 'status') : undefined;
}

/**
 * The template's generation once all members have seen it, and their own; until then what was there before.
 * Members that say nothing have not seen it; without members there is nobody to wait for.
 */
export function observedGeneration(template: KubeObject, items: Items): JsonObject {
  const { generation = 0 } = template.metadata;
  const all = items.every(
    ({ status }) =>
      countAt(status, 'resourceTemplateGeneration') === generation &&
      countAt(status, 'generation') === countAt(status, 'observedGeneration'),
  );
  return { observedGeneration: all ? generation : countAt(template, 'status', 'observedGeneration') };
}

/** Conditions that say the same are one; its message names each cluster. */
export function namedConditions(items: Items): readonly JsonObject[] {
  const merged = new Map<string, JsonObject>();
  for (const { clusterName, status } of items) {
    for (const condition of listAt(status, 'conditions')) {
      const key = JSON.stringify([condition['type'], condition['status'], condition['reason']]);
      const message = `${clusterName}=${textAt(condition, 'message')}`;
      const known = merged.get(key);
      merged.set(
        key,
        known === undefined
          ? { ...condition, message }
          : { ...known, message: `${textAt(known, 'message')}, ${message}` },
      );
    }
  }
  return [...merged.values()];
}

/** Of each type the condition that changed last. */
export function newestConditions(items: Items, key = 'type'): readonly JsonObject[] {
  const timeOf = (condition: JsonObject): string =>
    textAt(condition, 'lastUpdateTime') || textAt(condition, 'lastTransitionTime');
  const newest = new Map<string, JsonObject>();
  for (const condition of items.flatMap(({ status }) => listAt(status, 'conditions'))) {
    const name = textAt(condition, key);
    const known = newest.get(name);
    if (known === undefined || timeOf(condition) > timeOf(known)) newest.set(name, condition);
  }
  return [...newest.values()];
}

export function clustersWith(items: Items, test: (status: JsonObject) => boolean): readonly string[] {
  return items.flatMap(({ clusterName, status }) => {
    const found = objectAt(status);
    return found !== undefined && test(found) ? [clusterName] : [];
  });
}

/** What was true already keeps its times, so that adding up again changes nothing. */
export function sinceBefore(template: KubeObject, conditions: readonly JsonObject[]): readonly JsonObject[] {
  return conditions.map((condition) => {
    const before = listAt(template, 'status', 'conditions').find(
      ({ type, status, message }) =>
        type === condition['type'] && status === condition['status'] && message === condition['message'],
    );
    return before ?? condition;
  });
}

/** Without what Go's `omitempty` leaves out. */
export function withoutZeros(value: JsonObject): JsonObject {
  const kept = Object.entries(value).flatMap(([key, child]): [string, JsonValue][] => {
    if (child === undefined || child === null || child === 0 || child === '' || child === '0s') return [];
    const inner = objectAt(child);
    return [[key, inner === undefined ? child : withoutZeros(inner)]];
  });
  return Object.fromEntries(kept);
}

/** Without anything that is empty, at any depth. */
export function withoutEmpty(value: JsonObject): JsonObject {
  return (emptied(value) ?? {}) as JsonObject;
}

function emptied(value: JsonValue | undefined): JsonValue | undefined {
  if (value === undefined || value === null || typeof value !== 'object') return value ?? undefined;
  if (Array.isArray(value)) {
    const list = (value as readonly JsonValue[]).map(emptied).filter((item) => item !== undefined);
    return list.length === 0 ? undefined : list;
  }
  const entries = Object.entries(value).flatMap(([key, child]) => {
    const kept = emptied(child);
    return kept === undefined ? [] : [[key, kept] as const];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** Without lists and objects that are empty. COMPAT: what held nothing else stays, as an empty object or list. */
export function withoutEmptyLeaves(value: JsonObject): JsonObject {
  const kept = Object.entries(value).flatMap(([key, child]) =>
    child === undefined || isNothing(child) ? [] : [[key, prunedLeaf(child)] as const],
  );
  return Object.fromEntries(kept);
}

function prunedLeaf(value: JsonValue): JsonValue {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value))
    return (value as readonly JsonValue[]).filter((item) => !isNothing(item)).map(prunedLeaf);
  return withoutEmptyLeaves(value as JsonObject);
}

function isNothing(value: JsonValue): boolean {
  return value === null || (typeof value === 'object' && Object.keys(value).length === 0);
}
