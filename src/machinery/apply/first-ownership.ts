// What the creator of an object owns, in one walk. The general way (compare, subtract, write) gives the same; this one
// is for the most frequent write of all, in which nobody owns anything yet.
import type { JsonObject, JsonValue } from '../../api/index.ts';
import { deepEqual } from '../json.ts';
import { isJsonList, isJsonObject, ownField } from '../json-draft.ts';
import { sortTexts } from '../sort-texts.ts';
import { FieldSet } from './field-set.ts';
import {
  childType,
  itemElement,
  kindOf,
  mainKind,
  ItemError,
  type FieldType,
  type ListType,
  type MapType,
} from './field-type.ts';
import { fieldElement, sortElements, type PathElement } from './path-element.ts';
import { LEAF, sharedFields } from './shared-fields.ts';

/** A value that changed its kind, which the general way handles. */
class Unusual extends Error {}

type Side = JsonValue | undefined;

/** Parts that nobody comes to own. */
interface Exceptions {
  /** With everything below. */
  readonly whole: FieldSet;
  /** Only the field itself. */
  readonly alone: FieldSet;
}

/** Undefined: nothing is owned here. `{}`: the field itself. Else what is owned below, and `.` for the field itself. */
type Owned = JsonObject | undefined;

/**
 * fieldsV1 of what `after` sets beyond `blank`, frozen; undefined when that is nothing. `unusual`: the objects differ in
 * a way that this walk does not handle.
 */
export function firstOwnership(
  blank: JsonValue,
  after: JsonValue,
  type: FieldType,
  exceptions: Exceptions,
): { readonly fields: JsonObject | undefined } | 'unusual' {
  try {
    const fields = visit(blank, after, type, exceptions, false);
    return { fields };
  } catch (error) {
    if (error instanceof Unusual) return 'unusual';
    throw error;
  }
}

function visit(
  before: Side,
  after: JsonValue,
  type: FieldType | undefined,
  exceptions: Exceptions | undefined,
  except: boolean,
): Owned {
  if (before === after || type === undefined) return undefined;
  const beforeKind = kindOf(type, before);
  const afterKind = kindOf(type, after);
  if (afterKind !== undefined && beforeKind !== undefined && beforeKind !== afterKind) throw new Unusual();
  const kind = afterKind ?? beforeKind ?? mainKind(type);
  if (kind === 'map' && type.map !== undefined) return visitMap(before, after, type.map, exceptions, except);
  if (kind === 'list' && type.list !== undefined) return visitList(before, after, type.list, except);
  return leaf(before, after, except);
}

function leaf(before: Side, after: JsonValue, except: boolean): Owned {
  if (except) return undefined;
  return before === undefined || !deepEqual(before, after) ? LEAF : undefined;
}

function isEmpty(object: JsonObject | undefined): boolean {
  for (const key in object) if (object[key] !== undefined) return false;
  return true;
}

function visitMap(
  before: Side,
  after: JsonValue,
  type: MapType,
  exceptions: Exceptions | undefined,
  except: boolean,
): Owned {
  const left = isJsonObject(before) ? before : undefined;
  const right = isJsonObject(after) ? after : undefined;
  if (type.atomic || (isEmpty(left) && isEmpty(right))) return leaf(before, after, except);
  const self = before === undefined && !except;
  const elements: PathElement[] = [];
  const trees: JsonObject[] = [];
  for (const key of sortTexts(Object.keys(right ?? LEAF))) {
    const value = right![key];
    if (value === undefined) continue;
    const element = fieldElement(key);
    const whole = exceptions?.whole.entries.get(element);
    if (whole?.member === true) continue;
    const alone = exceptions?.alone.entries.get(element);
    const below: Exceptions | undefined =
      whole?.children === undefined && alone?.children === undefined
        ? undefined
        : { whole: whole?.children ?? FieldSet.empty, alone: alone?.children ?? FieldSet.empty };
    const beforeValue = left === undefined ? undefined : ownField(left, key);
    const owned = visit(beforeValue, value, childType(type, key), below, alone?.member === true);
    if (owned === undefined) continue;
    elements.push(element);
    trees.push(owned);
  }
  if (elements.length > 0) return sharedFields(self, elements, trees);
  return self ? LEAF : undefined;
}

function visitList(before: Side, after: JsonValue, type: ListType, except: boolean): Owned {
  const left = isJsonList(before) ? before : [];
  const right = isJsonList(after) ? after : [];
  if (type.atomic || (left.length === 0 && right.length === 0)) return leaf(before, after, except);
  // A blank list holds nothing.
  if (left.length > 0) throw new Unusual();
  const items = new Map<PathElement, JsonValue | undefined>();
  for (const item of right) {
    const element = elementOf(type, item);
    // Items that share a key are owned as one, without what is inside.
    if (element !== undefined) items.set(element, items.has(element) ? undefined : item);
  }
  const self = before === undefined && !except;
  const sorted = items.size < 2 ? [...items.keys()] : sortElements([...items.keys()]);
  const elements: PathElement[] = [];
  const trees: JsonObject[] = [];
  for (const element of sorted) {
    const item = items.get(element);
    const owned = item === undefined ? LEAF : visit(undefined, item, type.items, undefined, false);
    if (owned === undefined) continue;
    elements.push(element);
    trees.push(owned);
  }
  if (elements.length > 0) return sharedFields(self, elements, trees);
  return self ? LEAF : undefined;
}

function elementOf(type: ListType, item: JsonValue): PathElement | undefined {
  try {
    return itemElement(type, item);
  } catch (error) {
    if (error instanceof ItemError) return undefined;
    throw error;
  }
}
