// The table library.
import { badArgument, functionArgument, integerArgument, tableArgument, textArgument } from './arguments.ts';
import { ENTRY_BYTES, type Machine } from './machine.ts';
import { lessThan, setEntry, tableLength } from './operators.ts';
import type { LuaTable } from './table.ts';
import { LuaFunction, isTruthy, luaToString, type LuaValue } from './value.ts';

export const tableLibrary: readonly LuaFunction[] = [
  new LuaFunction('concat', (machine, args) => {
    const table = tableArgument(machine, 'concat', args, 1);
    const separator = textArgument(machine, 'concat', args, 2, '');
    const from = integerArgument(machine, 'concat', args, 3, 1);
    const to = integerArgument(machine, 'concat', args, 4, tableLength(machine, table));
    return [concat(machine, table, separator, from, to)];
  }),
  new LuaFunction('getn', (machine, args) => [tableLength(machine, tableArgument(machine, 'getn', args, 1))]),
  new LuaFunction('insert', (machine, args) => {
    const table = tableArgument(machine, 'insert', args, 1);
    if (args.length < 2) throw machine.error('wrong number of arguments');
    machine.allocate(ENTRY_BYTES);
    if (args.length === 2) {
      tableLength(machine, table);
      table.append(args[1]);
      return [];
    }
    const position = integerArgument(machine, 'insert', args, 2);
    if (position > table.list.length || position < 1) {
      setEntry(machine, table, position, args[2]);
      return [];
    }
    machine.step(1 + (table.list.length - position) / 16);
    table.insert(position, args[2]);
    return [];
  }),
  new LuaFunction('maxn', (machine, args) => {
    const table = tableArgument(machine, 'maxn', args, 1);
    let largest = table.length;
    for (const [key] of table.entries()) if (typeof key === 'number' && key > largest) largest = key;
    machine.step(table.list.length + (table.fields?.size ?? 0));
    return [largest];
  }),
  new LuaFunction('remove', (machine, args) => {
    const table = tableArgument(machine, 'remove', args, 1);
    machine.step(1 + table.list.length / 16);
    return [table.remove(args.length === 1 ? -1 : integerArgument(machine, 'remove', args, 2))];
  }),
  new LuaFunction('sort', (machine, args) => {
    const table = tableArgument(machine, 'sort', args, 1);
    const before = args[1] === undefined ? undefined : functionArgument(machine, 'sort', args, 2);
    const length = tableLength(machine, table);
    machine.step(length);
    const comesFirst = (left: LuaValue, right: LuaValue): boolean => {
      machine.step();
      if (before === undefined) return lessThan(machine, left, right, machine.line);
      return isTruthy(before.call(machine, [left, right])[0]);
    };
    // A comparator that throws on nil would never see one in the middle: JavaScript puts undefined last unasked.
    const sorted = table.list
      .slice(0, length)
      .sort((left, right) => (comesFirst(left, right) ? -1 : comesFirst(right, left) ? 1 : 0));
    for (const [index, value] of sorted.entries()) table.list[index] = value;
    return [];
  }),
];

function concat(machine: Machine, table: LuaTable, separator: string, from: number, to: number): string {
  const parts: string[] = [];
  for (let index = from; index <= to; index++) {
    machine.step();
    const value = table.get(index);
    if (typeof value !== 'string' && typeof value !== 'number') {
      throw badArgument(machine, 'concat', 1, `invalid value at index ${index} in table for concat`);
    }
    const part = luaToString(value);
    machine.allocate(part.length + separator.length);
    parts.push(part);
  }
  return parts.join(separator);
}
