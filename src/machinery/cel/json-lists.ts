// Lists of JSON as values. What makes two lists equal and what adding them gives depends on what the schema says they
// are: a plain list, a set, or a map from some of its items' fields.
import type { JsonValue } from '../../api/index.ts';
import { ObjectValue } from './json-values.ts';
import type { Shape } from './shapes.ts';
import { ListValue, MapValue, PlainList, equalValues, type Value } from './values.ts';

export class JsonList extends ListValue {
  readonly #items: readonly JsonValue[];
  readonly #held: Shape;

  constructor(items: readonly JsonValue[], held: Shape) {
    super();
    this.#items = items;
    this.#held = held;
  }

  override get source(): JsonValue {
    return this.#items;
  }

  get size(): number {
    return this.#items.length;
  }

  at(index: number): Value {
    return this.#held.value(this.#items[index]!);
  }
}

const holds = (list: readonly Value[], value: Value): boolean =>
  list.some((item) => equalValues(item, value));

/** Order does not matter, and nothing is in it twice. */
class SetList extends PlainList {
  override equals(other: ListValue): boolean {
    return equalSets(this, other);
  }
  override concat(other: ListValue): ListValue {
    return union(this, other);
  }
}

function equalSets(a: ListValue, b: ListValue): boolean {
  if (a.size !== b.size) return false;
  const items = [...a];
  const seen = [...b];
  return seen.every((item) => holds(items, item)) && items.every((item) => holds(seen, item));
}

function union(a: ListValue, b: ListValue): ListValue {
  const items = [...a];
  for (const item of b) if (!holds(items, item)) items.push(item);
  return new SetList(items);
}

export class JsonSetList extends JsonList {
  override equals(other: ListValue): boolean {
    return equalSets(this, other);
  }
  override concat(other: ListValue): ListValue {
    return union(this, other);
  }
}

/** Items are told apart by their keys; order does not matter. */
class MapList extends PlainList {
  readonly #keys: readonly string[];
  constructor(items: readonly Value[], keys: readonly string[]) {
    super(items);
    this.#keys = keys;
  }
  override equals(other: ListValue): boolean {
    return equalMaps(this, other, this.#keys);
  }
  override concat(other: ListValue): ListValue {
    return merge(this, other, this.#keys);
  }
}

function keyOf(item: Value, keys: readonly string[]): string {
  const parts = keys.map((key): unknown => {
    if (item instanceof ObjectValue) return item.json(key) ?? null;
    const value = item instanceof MapValue ? item.find(key) : undefined;
    return typeof value === 'bigint' ? Number(value) : (value ?? null);
  });
  return JSON.stringify(parts);
}

function equalMaps(a: ListValue, b: ListValue, keys: readonly string[]): boolean {
  if (a.size !== b.size) return false;
  const mine = new Map(Array.from(a, (item): [string, Value] => [keyOf(item, keys), item]));
  const seen = new Set<string>();
  for (const item of b) {
    const key = keyOf(item, keys);
    const known = mine.get(key);
    if (known === undefined || !equalValues(known, item)) return false;
    seen.add(key);
  }
  return seen.size === mine.size;
}

function merge(a: ListValue, b: ListValue, keys: readonly string[]): ListValue {
  const merged = new Map(Array.from(a, (item): [string, Value] => [keyOf(item, keys), item]));
  for (const item of b) merged.set(keyOf(item, keys), item);
  return new MapList([...merged.values()], keys);
}

export class JsonMapList extends JsonList {
  readonly #keys: readonly string[];
  constructor(items: readonly JsonValue[], held: Shape, keys: readonly string[]) {
    super(items, held);
    this.#keys = keys;
  }
  override equals(other: ListValue): boolean {
    return equalMaps(this, other, this.#keys);
  }
  override concat(other: ListValue): ListValue {
    return merge(this, other, this.#keys);
  }
}
