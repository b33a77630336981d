// Walks over one object with its type: which fields it sets, whether it fits the type, and the object without some
// of its fields.
import type { JsonObject, JsonValue } from '../../api/index.ts';
import { goDouble, goSyntax, goType, goValue } from '../go-text.ts';
import { isJsonList, isJsonObject, ObjectDraft } from '../json-draft.ts';
import { FieldSet } from './field-set.ts';
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
import { elementText, fieldElement, fieldName, isKey, pathText, type PathElement } from './path-element.ts';

// ---- the fields that an object sets

/** Leaves, items, keys of open maps; not the structs on the way. */
export function fieldSetFor(object: JsonValue, type: FieldType): FieldSet {
  return collect(object, type).below ?? FieldSet.empty;
}

/** What a value sets: itself as a leaf, and what is below. */
interface Collected {
  readonly leaf: boolean;
  readonly below: FieldSet | undefined;
}

const NOTHING: Collected = { leaf: false, below: undefined };
const LEAF: Collected = { leaf: true, below: undefined };

function collect(value: JsonValue, type: FieldType | undefined): Collected {
  if (type === undefined) return NOTHING;
  const kind = kindOf(type, value) ?? mainKind(type);
  if (kind === 'map' && type.map !== undefined) return collectMap(value, type.map);
  if (kind === 'list' && type.list !== undefined) return collectList(value, type.list);
  return LEAF;
}

function collectMap(value: JsonValue, type: MapType): Collected {
  if (type.atomic) return LEAF;
  if (!isJsonObject(value)) return NOTHING;
  const entries: MutableEntries = new Map();
  for (const key in value) {
    const child = value[key];
    if (child === undefined) continue;
    const named = type.field(key);
    const { leaf, below } = collect(child, named ?? type.element);
    const member = leaf || child === null || named === undefined || isEmptyMap(child);
    if (member || below !== undefined) entries.set(fieldElement(key), { member, children: below });
  }
  return collected(entries);
}

type MutableEntries = Map<PathElement, { member: boolean; children: FieldSet | undefined }>;

const collected = (entries: MutableEntries): Collected =>
  entries.size === 0 ? NOTHING : { leaf: false, below: new FieldSet(entries) };

function isEmptyMap(value: JsonValue): boolean {
  if (!isJsonObject(value)) return false;
  for (const _ in value) return false;
  return true;
}

function collectList(value: JsonValue, type: ListType): Collected {
  if (type.atomic) return LEAF;
  if (!isJsonList(value)) return NOTHING;
  const entries: MutableEntries = new Map();
  for (const item of value) {
    const element = elementOrNone(type, item);
    if (element === undefined) continue;
    // Items that share a key are owned as one, without what is inside.
    const children = entries.has(element) ? undefined : collect(item, type.items).below;
    entries.set(element, { member: true, children });
  }
  return collected(entries);
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
  let entries: MutableEntries | undefined;
  for (const [element, { member, children }] of set.entries) {
    if (children === undefined) continue;
    const name = fieldName(element);
    const named = name === undefined ? undefined : type?.map?.field(name);
    const below =
      name === undefined ? (isKey(element) ? type?.list?.items : undefined) : (named ?? type?.map?.element);
    const inner = withNamedFields(children, below);
    if (inner === children && (member || named === undefined)) continue;
    entries ??= new Map(set.entries);
    entries.set(element, { member: member || named !== undefined, children: inner });
  }
  return entries === undefined ? set : new FieldSet(entries);
}

/** Where the schema has since made a part atomic, who owned anything in it now owns it as a whole. */
export function reconcileWithType(set: FieldSet, type: FieldType | undefined): FieldSet {
  if (type === undefined || reconciled.get(set) === type) return set;
  const { map, list } = type;
  let entries: MutableEntries | undefined;
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
  if (entries !== undefined) return new FieldSet(entries);
  reconciled.set(set, type);
  return set;
}

/** Notes of a set that was made by this very type. */
export function noteInLine(set: FieldSet, type: FieldType): void {
  reconciled.set(set, type);
}

/** Sets that are in line with a type: every write asks for nearly the same sets as the last. */
const reconciled = new WeakMap<FieldSet, FieldType>();

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
  const check = new TypeCheck();
  check.visit(value, type);
  return check.errors;
}

class TypeCheck {
  readonly errors: string[] = [];
  readonly #path: PathElement[] = [];

  visit(value: JsonValue, type: FieldType): void {
    if (value === null) return;
    const kind = kindOf(type, value) ?? mainKind(type);
    if (kind === 'map' && type.map !== undefined) {
      if (isJsonObject(value)) this.#map(value, type.map);
      else this.#refuse(`expected map, got ${shown(value)}`);
    } else if (kind === 'list' && type.list !== undefined) {
      if (isJsonList(value)) this.#list(value, type.list);
      else this.#refuse(`expected list, got ${shown(value)}`);
    } else {
      const wanted = type.scalar ?? 'any';
      if (typeof value === 'object' || (wanted !== 'any' && typeof value !== wanted)) {
        this.#refuse(notScalar(wanted, value));
      }
    }
  }

  #refuse(message: string): void {
    const path = pathText(this.#path);
    this.errors.push(path === '' ? message : `${path}: ${message}`);
  }

  #map(object: JsonObject, type: MapType): void {
    for (const key in object) {
      const child = object[key];
      if (child === undefined) continue;
      const below = childType(type, key);
      this.#path.push(fieldElement(key));
      if (below === undefined) this.#refuse('field not declared in schema');
      else this.visit(child, below);
      this.#path.pop();
      if (below === undefined) return;
    }
  }

  #list(list: readonly JsonValue[], type: ListType): void {
    const seen = new Set<PathElement>();
    for (let index = 0; index < list.length; index++) {
      const item = list[index] ?? null;
      let element: PathElement = `i:${index}`;
      if (!type.atomic) {
        try {
          element = itemElement(type, item);
        } catch (error) {
          if (!(error instanceof ItemError)) throw error;
          this.#refuse(`element ${index}: ${error.message}`);
          return;
        }
        if (seen.has(element)) this.#refuse(`duplicate entries for key ${elementText(element)}`);
        seen.add(element);
      }
      this.#path.push(element);
      this.visit(item, type.items);
      this.#path.pop();
    }
  }
}

/** COMPAT: Go prints the struct that holds the value, in three ways. */
function notScalar(wanted: 'any' | 'string' | 'number' | 'boolean', value: JsonValue): string {
  switch (wanted) {
    case 'number':
      return `expected numeric (int or float), got ${goType(value)}`;
    case 'string':
      return `expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`;
    default:
      return `expected ${wanted === 'any' ? 'any scalar' : wanted}, got ${shown(value)}`;
  }
}

function shown(value: JsonValue): string {
  return `&{${goValue(value, goDouble)}}`;
}
