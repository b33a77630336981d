// The functions behind `pairs` and `ipairs`. They are values of their own because loops recognise them.
import { LuaTable } from './table.ts';
import { LuaFunction } from './value.ts';
import { tableArgument } from './arguments.ts';

export const basicNext = new LuaFunction('next', (machine, args) => {
  const table = tableArgument(machine, 'next', args, 1);
  const key = table.next(args[1], machine);
  machine.step();
  return key === undefined ? [undefined] : [key, table.get(key)];
});

export const ipairsStep = new LuaFunction('ipairs', (_machine, [table, index]) => {
  if (!(table instanceof LuaTable) || typeof index !== 'number') return [undefined];
  const value = table.get(index + 1);
  return value === undefined ? [undefined] : [index + 1, value];
});
