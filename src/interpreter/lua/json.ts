// Objects become tables and come back. A table that is empty does not say whether it was a list or an object, so what it
// becomes is decided by objects that show it, or it goes.
import type { JsonValue } from '../../api/index.ts';
import { ENTRY_BYTES, TABLE_BYTES, type Machine } from './machine.ts';
import { LuaTable } from './table.ts';
import { LuaError, luaType, toBytes, toText, type LuaValue } from './value.ts';

/** LIMIT: tables within tables; deeper ones are no object of Kubernetes. */
const DEPTH_MAX = 200;

/** On the machine's account. A null is a nil: as a field it is not there, in a list it takes no place. */
export function fromJson(machine: Machine, value: JsonValue | undefined): LuaValue {
  if (typeof value === 'string') {
    machine.allocate(value.length);
    return toBytes(value);
  }
  if (typeof value !== 'object') return value;
  if (value === null) return undefined;
  if (Array.isArray(value)) {
    machine.allocate(TABLE_BYTES + ENTRY_BYTES * value.length);
    machine.step(1 + value.length);
    const list = (value as readonly JsonValue[]).map((item) => fromJson(machine, item));
    return new LuaTable(list.includes(undefined) ? list.filter((item) => item !== undefined) : list);
  }
  const fields = new Map<string, LuaValue>();
  for (const [key, child] of Object.entries(value)) {
    const converted = fromJson(machine, child);
    if (converted !== undefined) fields.set(toBytes(key), converted);
  }
  machine.allocate(TABLE_BYTES + ENTRY_BYTES * fields.size);
  machine.step(1 + fields.size);
  return new LuaTable([], fields);
}

/** What empty tables at a path of fields, indices of lists left out, stand for. */
export class EmptyShapes {
  readonly #objects = new Set<string>();
  readonly #lists = new Set<string>();

  constructor(references: readonly JsonValue[]) {
    for (const reference of references) this.#learn(reference, '');
  }

  #learn(value: JsonValue, path: string): void {
    if (Array.isArray(value)) {
      if (value.length === 0) this.#lists.add(path);
      for (const item of value as readonly JsonValue[]) this.#learn(item, path);
    } else if (typeof value === 'object' && value !== null) {
      const entries = Object.entries(value);
      if (entries.length === 0) this.#objects.add(path);
      for (const [key, child] of entries) this.#learn(child as JsonValue, pathOf(path, key));
    }
  }

  /** Undefined: nobody knows. */
  at(path: string): JsonValue | undefined {
    if (this.#objects.has(path)) return {};
    return this.#lists.has(path) ? [] : undefined;
  }
}

const NO_SHAPES = new EmptyShapes([]);

function pathOf(path: string, key: string): string {
  return `${path}\0${key}`;
}

/** LIMIT: entries of a result, counted as often as they are met: tables may share their parts. More is no object. */
const ENTRIES_MAX = 1_000_000;

/** Of work that an entry of a table takes on its way to JSON. */
const STEPS_PER_ENTRY = 4;

interface Conversion {
  readonly shapes: EmptyShapes;
  /** Tables that the one at hand is in. */
  readonly around: Set<LuaTable>;
  entries: number;
  /** Absent where a run is over: what it made is bounded, and is converted once. */
  readonly meter: Machine | undefined;
}

/** @param emptyRoot what an empty table itself becomes */
export function toJson(
  table: LuaTable,
  emptyRoot: JsonValue,
  shapes = NO_SHAPES,
  meter?: Machine,
): JsonValue {
  return convert(table, '', { shapes, around: new Set(), entries: 0, meter }) ?? emptyRoot;
}

function convert(value: LuaValue, path: string, conversion: Conversion): JsonValue | undefined {
  switch (typeof value) {
    case 'string':
      return toText(value);
    case 'number':
      if (Number.isFinite(value)) return Object.is(value, -0) ? 0 : value;
      throw new LuaError('cannot encode a number that is not finite to JSON');
    case 'boolean':
    case 'undefined':
      return value;
    default:
      if (!(value instanceof LuaTable)) throw new LuaError(`cannot encode ${luaType(value)} to JSON`);
      return convertTable(value, path, conversion);
  }
}

function convertTable(table: LuaTable, path: string, conversion: Conversion): JsonValue | undefined {
  const { around, shapes, meter } = conversion;
  if (around.has(table)) throw new LuaError('cannot encode recursively nested tables to JSON');
  if (around.size >= DEPTH_MAX) throw new LuaError('cannot encode tables nested this deep to JSON');
  around.add(table);
  const { length } = table;
  const list: JsonValue[] = [];
  const object: [string, JsonValue][] = [];
  let entries = 0;
  for (const [key, value] of table.entries()) {
    if (++conversion.entries > ENTRIES_MAX) throw new LuaError('cannot encode tables this large to JSON');
    meter?.step(STEPS_PER_ENTRY);
    if (length > 0) {
      if (typeof key !== 'number') throw new LuaError('cannot encode mixed or invalid key types');
      if (key !== ++entries) throw new LuaError('cannot encode sparse array');
      const item = convert(value, path, conversion);
      if (item !== undefined) list.push(item);
      continue;
    }
    entries++;
    if (typeof key !== 'string') throw new LuaError('cannot encode mixed or invalid key types');
    const name = toText(key);
    const child = convert(value, pathOf(path, name), conversion);
    if (child !== undefined) object.push([name, child]);
  }
  around.delete(table);
  if (entries === 0) return path === '' ? undefined : shapes.at(path);
  return length > 0 ? list : Object.fromEntries(object);
}
