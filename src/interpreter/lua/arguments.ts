// How library functions read what they are given, and what they say when it is of no use to them.
import type { Machine } from './machine.ts';
import { LuaTable } from './table.ts';
import { LuaFunction, luaToNumber, luaToString, luaType, type LuaError, type LuaValue } from './value.ts';

/** LIMIT: COMPAT: the longest text that a function of the string library takes. */
const TEXT_LENGTH_MAX = 1_000_000;

/** @param position counted from 1 */
export function badArgument(machine: Machine, name: string, position: number, why: string): LuaError {
  return machine.error(`bad argument #${position} to ${name} (${why})`);
}

function wrongType(
  machine: Machine,
  name: string,
  args: readonly LuaValue[],
  position: number,
  wanted: string,
): LuaError {
  return badArgument(machine, name, position, `${wanted} expected, got ${luaType(args[position - 1])}`);
}

export function tableArgument(
  machine: Machine,
  name: string,
  args: readonly LuaValue[],
  position: number,
): LuaTable {
  const value = args[position - 1];
  if (value instanceof LuaTable) return value;
  throw wrongType(machine, name, args, position, 'table');
}

/** LIMIT: values that one call may return or take, as in gopher-lua or a little more. */
export const VALUES_MAX = 8000;

export function functionArgument(
  machine: Machine,
  name: string,
  args: readonly LuaValue[],
  position: number,
): LuaFunction {
  const value = args[position - 1];
  if (value instanceof LuaFunction) return value;
  throw wrongType(machine, name, args, position, 'function');
}

export function numberArgument(
  machine: Machine,
  name: string,
  args: readonly LuaValue[],
  position: number,
  otherwise?: number,
): number {
  const value = args[position - 1];
  if (value === undefined && otherwise !== undefined) return otherwise;
  const number = luaToNumber(value);
  if (number === undefined) throw wrongType(machine, name, args, position, 'number');
  return number;
}

/** A number cut to its whole part. */
export function integerArgument(
  machine: Machine,
  name: string,
  args: readonly LuaValue[],
  position: number,
  otherwise?: number,
): number {
  const number = Math.trunc(numberArgument(machine, name, args, position, otherwise));
  return Number.isNaN(number) ? 0 : number;
}

export function textArgument(
  machine: Machine,
  name: string,
  args: readonly LuaValue[],
  position: number,
  otherwise?: string,
): string {
  const value = args[position - 1];
  if (value === undefined && otherwise !== undefined) return otherwise;
  if (typeof value !== 'string' && typeof value !== 'number')
    throw wrongType(machine, name, args, position, 'string');
  const text = luaToString(value);
  if (text.length > TEXT_LENGTH_MAX) {
    throw badArgument(machine, name, position, `string longer than ${TEXT_LENGTH_MAX} characters`);
  }
  // Whoever asks for a text looks through it.
  machine.step(text.length / 64);
  return text;
}
