// What a change of an object adds, removes and modifies, as field sets. Parts that are the same object on both sides
// are not looked into, so the cost is that of the change.
import type { JsonObject, JsonValue } from '../../api/index.ts';
import { deepEqual } from '../json.ts';
import { isJsonList, isJsonObject, ownField } from '../json-draft.ts';
import { FieldSetBuilder, type FieldSet } from './field-set.ts';
import {
  childType,
  itemElement,
  kindOf,
  mainKind,
  ItemError,
  type FieldType,
  type Kind,
  type ListType,
  type MapType,
} from './field-type.ts';
import { fieldElement, type PathElement } from './path-element.ts';

/** No field is in two of these. */
export interface Comparison {
  readonly removed: FieldSet;
  readonly modified: FieldSet;
  readonly added: FieldSet;
}

type Side = JsonValue | undefined;

export function compareObjects(before: JsonValue, after: JsonValue, type: FieldType): Comparison {
  const walk = new CompareWalk();
  walk.visit(before, after, type);
  return walk.result();
}

class CompareWalk {
  readonly #removed = new FieldSetBuilder();
  readonly #modified = new FieldSetBuilder();
  readonly #added = new FieldSetBuilder();
  readonly #path: PathElement[] = [];

  result(): Comparison {
    return { removed: this.#removed.build(), modified: this.#modified.build(), added: this.#added.build() };
  }

  /** One side may be missing. */
  visit(before: Side, after: Side, type: FieldType | undefined): void {
    if (before === after || type === undefined) return;
    const beforeKind = kindOf(type, before);
    const afterKind = kindOf(type, after);
    let leaf: boolean;
    if (after === undefined || afterKind === undefined) {
      leaf = this.#dispatch(beforeKind ?? mainKind(type), before, after, type);
    } else if (beforeKind === undefined || beforeKind === afterKind) {
      leaf = this.#dispatch(afterKind, before, after, type);
    } else {
      this.#dispatch(beforeKind, before, after, type);
      leaf = this.#dispatch(afterKind, before, after, type);
    }
    if (leaf) return;
    if (before === undefined) this.#added.insert(this.#path);
    else if (after === undefined) this.#removed.insert(this.#path);
  }

  /** Whether it was taken as a leaf. */
  #dispatch(kind: Kind, before: Side, after: Side, type: FieldType): boolean {
    if (kind === 'map' && type.map !== undefined) return this.#map(before, after, type.map);
    if (kind === 'list' && type.list !== undefined) return this.#list(before, after, type.list);
    return this.#leaf(before, after);
  }

  #leaf(before: Side, after: Side): boolean {
    if (before === undefined) this.#added.insert(this.#path);
    else if (after === undefined) this.#removed.insert(this.#path);
    else if (!deepEqual(before, after)) this.#modified.insert(this.#path);
    return true;
  }

  #map(before: Side, after: Side, type: MapType): boolean {
    const left = isJsonObject(before) ? before : undefined;
    const right = isJsonObject(after) ? after : undefined;
    if (type.atomic || (isEmptyObject(left) && isEmptyObject(right))) return this.#leaf(before, after);
    for (const key in left) {
      const value = left[key];
      const other = right && ownField(right, key);
      if (value === undefined || value === other) continue;
      this.#child(fieldElement(key), value, other, childType(type, key));
    }
    for (const key in right) {
      const value = right[key];
      if (value === undefined || (left !== undefined && ownField(left, key) !== undefined)) continue;
      this.#child(fieldElement(key), undefined, value, childType(type, key));
    }
    return false;
  }

  #child(element: PathElement, before: Side, after: Side, type: FieldType | undefined): void {
    this.#path.push(element);
    this.visit(before, after, type);
    this.#path.pop();
  }

  #list(before: Side, after: Side, type: ListType): boolean {
    const left = isJsonList(before) ? before : [];
    const right = isJsonList(after) ? after : [];
    if (type.atomic || (left.length === 0 && right.length === 0)) return this.#leaf(before, after);
    // Finding out what items are costs more than seeing that they are the same.
    if (before !== undefined && after !== undefined && deepEqual(left, right)) return false;
    const leftItems = group(left, type);
    const rightItems = group(right, type);
    for (const element of new Set([...leftItems.keys(), ...rightItems.keys()])) {
      this.#items(element, leftItems.get(element) ?? [], rightItems.get(element) ?? [], type);
    }
    return false;
  }

  /** COMPAT: items that share a key are compared, owned and removed together. */
  #items(
    element: PathElement,
    left: readonly JsonValue[],
    right: readonly JsonValue[],
    type: ListType,
  ): void {
    if (left.length <= 1 && right.length <= 1) {
      this.#child(element, left[0], right[0], type.items);
      return;
    }
    if (left.length >= 2 && right.length >= 2) {
      if (!deepEqual(left, right)) this.#modified.insert([...this.#path, element]);
      return;
    }
    if (left.length >= 2) {
      if (right.length > 0) this.#child(element, undefined, right[0], type.items);
      this.#removed.insert([...this.#path, element]);
      return;
    }
    if (left.length > 0) this.#child(element, left[0], undefined, type.items);
    this.#added.insert([...this.#path, element]);
  }
}

function isEmptyObject(object: JsonObject | undefined): boolean {
  for (const key in object) if (object[key] !== undefined) return false;
  return true;
}

/** Items by what tells them apart. What has no identity is left out, as nobody can own it. */
function group(list: readonly JsonValue[], type: ListType): Map<PathElement, JsonValue[]> {
  const items = new Map<PathElement, JsonValue[]>();
  for (const item of list) {
    try {
      const element = itemElement(type, item);
      const same = items.get(element);
      if (same === undefined) items.set(element, [item]);
      else same.push(item);
    } catch (error) {
      if (!(error instanceof ItemError)) throw error;
    }
  }
  return items;
}
