// Tables as gopher-lua lays them out, because scripts see the layout: the list part may hold gaps, its length is the
// last entry that is set, and all other keys come in the order in which they were first set.
import type { LuaValue } from './value.ts';

/** LIMIT: gopher-lua's largest index of the list part. */
const LIST_INDEX_MAX = 67_108_864;

function isListIndex(key: number): boolean {
  return key >= 1 && key < LIST_INDEX_MAX && Number.isInteger(key);
}

/** Counts what takes time without showing. */
interface Meter {
  step(count?: number): void;
}

export class LuaTable {
  /** Entry i stands at i - 1. */
  list: LuaValue[];
  /** INVARIANT: a deleted key stays, with undefined: it keeps its place in the order, and walks over the table hold. */
  fields: Map<Exclude<LuaValue, undefined>, LuaValue> | undefined;
  #walk: { readonly keys: Iterator<LuaValue>; last: LuaValue } | undefined;

  constructor(list: LuaValue[] = [], fields?: Map<Exclude<LuaValue, undefined>, LuaValue>) {
    this.list = list;
    this.fields = fields;
  }

  get(key: LuaValue): LuaValue {
    if (typeof key === 'number' && isListIndex(key)) return this.list[key - 1];
    return key === undefined ? undefined : this.fields?.get(key);
  }

  /** How many entries `set` would add, gaps before a new entry of the list included. */
  growth(key: LuaValue): number {
    if (typeof key === 'number' && isListIndex(key)) return Math.max(0, key - this.list.length);
    return key !== undefined && this.fields?.has(key) === true ? 0 : 1;
  }

  /** `key` must be neither nil nor NaN. */
  set(key: Exclude<LuaValue, undefined>, value: LuaValue): void {
    if (typeof key !== 'number' || !isListIndex(key)) {
      if (value !== undefined) (this.fields ??= new Map()).set(key, value);
      else if (this.fields?.has(key) === true) this.fields.set(key, undefined);
      return;
    }
    const { list } = this;
    for (let length = list.length; length < key - 1; length++) list.push(undefined);
    list[key - 1] = value;
  }

  /** Where `#` sees the end. */
  get length(): number {
    let length = this.list.length;
    while (length > 0 && this.list[length - 1] === undefined) length--;
    return length;
  }

  append(value: LuaValue): void {
    if (value !== undefined) this.list[this.length] = value;
  }

  /** At `position`, moving what follows; outside the list it only sets. */
  insert(position: number, value: LuaValue): void {
    if (position > this.list.length || position <= 0) this.set(position, value);
    else this.list.splice(position - 1, 0, value);
  }

  /** The entry at `position`, the last one for a position below the list; nothing for one behind it. */
  remove(position: number): LuaValue {
    if (position > this.list.length) return undefined;
    return position < 1 ? this.list.pop() : this.list.splice(position - 1, 1)[0];
  }

  /** The key after `key`, undefined after the last one. */
  next(key: LuaValue, meter: Meter): LuaValue {
    const { list } = this;
    let index = key === undefined ? 0 : typeof key === 'number' && isListIndex(key) ? key : list.length;
    const inList = key === undefined || (typeof key === 'number' && isListIndex(key));
    for (; index < list.length; index++) {
      if (list[index] !== undefined) return index + 1;
      meter.step();
    }
    return this.#nextField(inList ? undefined : key, meter);
  }

  #nextField(key: LuaValue, meter: Meter): LuaValue {
    if (this.fields === undefined) return undefined;
    if (key === undefined || this.#walk === undefined || this.#walk.last !== key) {
      this.#walk = { keys: this.fields.keys(), last: undefined };
      if (key !== undefined) {
        meter.step(this.fields.size / 4);
        for (let at = this.#walk.keys.next(); at.done !== true && at.value !== key;)
          at = this.#walk.keys.next();
      }
    }
    const walk = this.#walk;
    for (let at = walk.keys.next(); at.done !== true; at = walk.keys.next()) {
      meter.step();
      walk.last = at.value;
      if (this.fields.get(at.value as Exclude<LuaValue, undefined>) !== undefined) return at.value;
    }
    this.#walk = undefined;
    return undefined;
  }

  /** All that is set, in order. The table may change meanwhile. */
  *entries(meter?: Meter): IterableIterator<[Exclude<LuaValue, undefined>, LuaValue]> {
    for (let index = 0; index < this.list.length; index++) {
      const value = this.list[index];
      if (value !== undefined) yield [index + 1, value];
      else meter?.step();
    }
    for (const [key, value] of this.fields ?? []) {
      if (value !== undefined) yield [key, value];
      else meter?.step();
    }
  }
}
