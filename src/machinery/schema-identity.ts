// What a schema asks of values beyond their form: resources inside resources need a sound identity, and nothing may
// stand twice in a list that is a set or a map.
import type { JsonObject, JsonValue } from '../api/index.ts';
import { validateEmbeddedResource } from './embedded-resource.ts';
import { isJsonList, isJsonObject } from './json-draft.ts';
import { ListMap, duplicateItems } from './list-keys.ts';
import type { Plan } from './schema-plan.ts';
import { isKeyedList } from './schema-types.ts';
import { fieldError, type FieldError } from './status-error.ts';
import { Walk } from './validation-walk.ts';

/** What is wrong with apiVersion, kind and metadata of embedded resources. */
export function embeddedErrors(value: JsonValue, plan: Plan, at: string | undefined): FieldError[] {
  const walk = new Walk(at);
  visit(value, plan, walk, EMBEDDED);
  return walk.errors;
}

/** What stands twice in lists of type set and map. */
export function keyErrors(value: JsonValue, plan: Plan, at: string | undefined): FieldError[] {
  const walk = new Walk(at);
  visit(value, plan, walk, KEYS);
  return walk.errors;
}

interface Check {
  readonly concerns: (plan: Plan) => boolean;
  readonly run: (value: JsonValue, plan: Plan, walk: Walk) => void;
  /** Whether a schema or anything below it is concerned. */
  readonly known: WeakMap<Plan, boolean>;
}

const EMBEDDED: Check = {
  concerns: (plan) => plan.embedded,
  run: (value, _plan, walk) => {
    if (isJsonObject(value)) walk.errors.push(...validateEmbeddedResource(value, walk.field()));
  },
  known: new WeakMap(),
};

const KEYS: Check = {
  concerns: isKeyedList,
  run: (value, plan, walk) => {
    if (isJsonList(value)) checkKeys(value, plan, walk);
  },
  known: new WeakMap(),
};

function visit(value: JsonValue, plan: Plan, walk: Walk, check: Check): void {
  if (!isConcerned(plan, check)) return;
  if (check.concerns(plan)) check.run(value, plan, walk);
  if (isJsonObject(value)) visitFields(value, plan, walk, check);
  else if (isJsonList(value) && plan.items !== undefined) {
    for (let index = 0; index < value.length; index++) {
      walk.path.push(index);
      visit(value[index] ?? null, plan.items, walk, check);
      walk.path.pop();
    }
  }
}

function visitFields(object: JsonObject, plan: Plan, walk: Walk, check: Check): void {
  for (const key in object) {
    const value = object[key];
    const child = value === undefined || value === null ? undefined : plan.child(key);
    if (child === undefined) continue;
    if (plan.property(key) === undefined) walk.path.pushKey(key);
    else walk.path.push(key);
    visit(value ?? null, child, walk, check);
    walk.path.pop();
  }
}

function isConcerned(plan: Plan, check: Check): boolean {
  let concerned = check.known.get(plan);
  if (concerned === undefined) {
    concerned = contains(plan, check.concerns, new Set());
    check.known.set(plan, concerned);
  }
  return concerned;
}

function contains(plan: Plan, wanted: (plan: Plan) => boolean, seen: Set<Plan>): boolean {
  if (seen.has(plan)) return false;
  seen.add(plan);
  if (wanted(plan)) return true;
  const below = [
    plan.items,
    plan.additional,
    ...Object.keys(plan.schema.properties ?? {}).map((name) => plan.property(name)),
  ];
  return below.some((child) => child !== undefined && contains(child, wanted, seen));
}

function checkKeys(list: readonly JsonValue[], plan: Plan, walk: Walk): void {
  const set = plan.schema['x-kubernetes-list-type'] === 'set';
  if (!set) {
    const bad = list.findIndex((item) => item !== null && !isJsonObject(item));
    if (bad >= 0) {
      const detail = 'must be an object for an array of list-type map';
      walk.errors.push(fieldError.invalid(`${walk.field()}[${bad}]`, list[bad], detail));
      return;
    }
  }
  const keys = set ? list : ListMap.keys(plan, list);
  for (const index of duplicateItems(keys)) {
    walk.errors.push(fieldError.duplicate(`${walk.field()}[${index}]`, keys[index]));
  }
}
