// Walks over one object with its type: which fields it sets, whether it fits the type, and the object without some
// of its fields.
import type { JsonObject, JsonValue } from '../../api/index.ts';
import { isJsonList, isJsonObject, ObjectDraft } from '../json-draft.ts';
import { FieldSet, FieldSetBuilder } from './field-set.ts';
import {
  childType,
  itemElement,
  ItemError,
  kindOf,
  mainKind,
  type FieldType,
  type ListType,
  type MapType,
} from './field-type.ts';
import { elementText, fieldElement, fieldName, isKey, type PathElement } from './path-element.ts';

// ---- the fields that an object sets

/** Leaves, items, keys of open maps; not the structs on the way. */
export function fieldSetFor(object: JsonValue, type: FieldType): FieldSet {
  const builder = new FieldSetBuilder();
  collect(object, type, [], builder);
  return builder.build();
}

function collect(
  value: JsonValue,
  type: FieldType | undefined,
  path: PathElement[],
  builder: FieldSetBuilder,
): void {
  if (type === undefined) return;
  const kind = kindOf(type, value) ?? mainKind(type);
  if (kind === 'map' && type.map !== undefined) collectMap(value, type.map, path, builder);
  else if (kind === 'list' && type.list !== undefined) collectList(value, type.list, path, builder);
  else builder.insert(path);
}

function collectMap(value: JsonValue, type: MapType, path: PathElement[], builder: FieldSetBuilder): void {
  if (type.atomic) {
    builder.insert(path);
    return;
  }
  if (!isJsonObject(value)) return;
  for (const key in value) {
    const child = value[key];
    if (child === undefined) continue;
    path.push(fieldElement(key));
    const named = type.field(key);
    collect(child, named ?? type.element, path, builder);
    if (child === null || named === undefined || isEmptyMap(child)) builder.insert(path);
    path.pop();
  }
}

function isEmptyMap(value: JsonValue): boolean {
  return isJsonObject(value) && Object.keys(value).length === 0;
}

function collectList(value: JsonValue, type: ListType, path: PathElement[], builder: FieldSetBuilder): void {
  if (type.atomic) {
    builder.insert(path);
    return;
  }
  if (!isJsonList(value)) return;
  const elements = value.map((item) => elementOrNone(type, item));
  const times = new Map<PathElement, number>();
  for (const element of elements) {
    if (element !== undefined) times.set(element, (times.get(element) ?? 0) + 1);
  }
  value.forEach((item, index) => {
    const element = elements[index];
    if (element === undefined) return;
    path.push(element);
    // Items that share a key are owned as one, without what is inside.
    if ((times.get(element) ?? 0) < 2) collect(item, type.items, path, builder);
    builder.insert(path);
    path.pop();
  });
}

function elementOrNone(type: ListType, item: JsonValue): PathElement | undefined {
  try {
    return itemElement(type, item);
  } catch (error) {
    if (error instanceof ItemError) return undefined;
    throw error;
  }
}

// ---- sets and types

/** Adds the structs on the way to the members: a set of `a.b` then also holds `a`, when the schema names `a`. */
export function withNamedFields(set: FieldSet, type: FieldType | undefined): FieldSet {
  const entries = new Map(set.entries);
  for (const [element, { member, children }] of set.entries) {
    const name = fieldName(element);
    const named = name === undefined ? undefined : type?.map?.field(name);
    const below =
      name === undefined ? (isKey(element) ? type?.list?.items : undefined) : (named ?? type?.map?.element);
    if (children === undefined) continue;
    entries.set(element, {
      member: member || named !== undefined,
      children: withNamedFields(children, below),
    });
  }
  return new FieldSet(entries);
}

/** Where the schema has since made a part atomic, who owned anything in it now owns it as a whole. */
export function reconcileWithType(set: FieldSet, type: FieldType | undefined): FieldSet {
  if (type === undefined) return set;
  const { map, list } = type;
  let entries: Map<PathElement, { member: boolean; children: FieldSet | undefined }> | undefined;
  for (const [element, { member, children }] of set.entries) {
    if (children === undefined) continue;
    const name = fieldName(element);
    const below = name === undefined ? list?.items : map === undefined ? undefined : childType(map, name);
    if (below === undefined) continue;
    const atomic = below.map === undefined ? below.list?.atomic === true : below.map.atomic;
    const next = atomic ? undefined : reconcileWithType(children, below);
    if (next === children) continue;
    entries ??= new Map(set.entries);
    entries.set(element, { member: member || atomic, children: next });
  }
  return entries === undefined ? set : new FieldSet(entries);
}

// ---- removing fields

/** `value` without the members of `gone`. Containers that lose what is in them stay, empty. */
export function withoutFields(value: JsonValue, gone: FieldSet, type: FieldType | undefined): JsonValue {
  if (gone.isEmpty || type === undefined) return value;
  if (isJsonObject(value)) {
    if (type.map === undefined || type.map.atomic) return {};
    return withoutKeys(value, gone, type.map);
  }
  if (isJsonList(value)) {
    if (type.list === undefined || type.list.atomic) return [];
    return withoutItems(value, gone, type.list);
  }
  return value;
}

function withoutKeys(object: JsonObject, gone: FieldSet, type: MapType): JsonValue {
  const draft = new ObjectDraft(object);
  for (const [element, { member, children }] of gone.entries) {
    const key = fieldName(element);
    if (key === undefined || !Object.hasOwn(object, key)) continue;
    const current = object[key];
    if (current === undefined) continue;
    if (member) draft.delete(key);
    else if (children !== undefined) draft.set(key, withoutFields(current, children, childType(type, key)));
  }
  return draft.value;
}

function withoutItems(list: readonly JsonValue[], gone: FieldSet, type: ListType): JsonValue {
  let changed = false;
  const left: JsonValue[] = [];
  for (const item of list) {
    const element = elementOrNone(type, item);
    if (element !== undefined && gone.isMember(element)) {
      changed = true;
      continue;
    }
    const next = element === undefined ? item : withoutFields(item, gone.below(element), type.items);
    changed ||= next !== item;
    left.push(next);
  }
  return changed ? left : list;
}

// ---- whether a configuration fits its type

/** What is wrong with an applied configuration, in upstream's words; empty: nothing. */
export function typeErrors(value: JsonValue, type: FieldType): string[] {
  const errors: string[] = [];
  check(value, type, '', errors);
  return errors;
}

function check(value: JsonValue, type: FieldType, path: string, errors: string[]): void {
  if (value === null) return;
  const kind = kindOf(type, value) ?? mainKind(type);
  const refuse = (message: string): void => {
    errors.push(path === '' ? message : `${path}: ${message}`);
  };
  if (kind === 'map' && type.map !== undefined) {
    if (isJsonObject(value)) checkMap(value, type.map, path, errors);
    else refuse(`expected map, got ${shown(value)}`);
  } else if (kind === 'list' && type.list !== undefined) {
    if (isJsonList(value)) checkList(value, type.list, path, errors);
    else refuse(`expected list, got ${shown(value)}`);
  } else {
    const wanted = type.scalar ?? 'any';
    if (typeof value === 'object')
      refuse(`expected ${wanted === 'any' ? 'any scalar' : scalarName(wanted)}, got ${shown(value)}`);
    else if (wanted !== 'any' && typeof value !== wanted)
      refuse(`expected ${scalarName(wanted)}, got ${shown(value)}`);
  }
}

function scalarName(scalar: 'string' | 'number' | 'boolean'): string {
  return scalar === 'number' ? 'numeric (int or float)' : scalar;
}

/** COMPAT: Go prints the struct that holds the value. */
function shown(value: JsonValue): string {
  return `&{${JSON.stringify(value)}}`;
}

function checkMap(object: JsonObject, type: MapType, path: string, errors: string[]): void {
  for (const key in object) {
    const child = object[key];
    if (child === undefined) continue;
    const childPath = `${path}.${key}`;
    const below = childType(type, key);
    if (below === undefined) {
      errors.push(`${childPath}: field not declared in schema`);
      return;
    }
    check(child, below, childPath, errors);
  }
}

function checkList(list: readonly JsonValue[], type: ListType, path: string, errors: string[]): void {
  const seen = new Set<PathElement>();
  for (const [index, item] of list.entries()) {
    let element: PathElement = `i:${index}`;
    if (!type.atomic) {
      try {
        element = itemElement(type, item);
      } catch (error) {
        if (!(error instanceof ItemError)) throw error;
        errors.push(`${path === '' ? '' : `${path}: `}element ${index}: ${error.message}`);
        return;
      }
      if (seen.has(element)) errors.push(`${path}: duplicate entries for key ${elementText(element)}`);
      seen.add(element);
    }
    check(item, type.items, path + elementText(element), errors);
  }
}
