// The basic functions, without those that reach around the sandbox.
import { VALUES_MAX, badArgument, functionArgument, integerArgument, tableArgument } from './arguments.ts';
import { basicNext, ipairsStep } from './iteration.ts';
import type { Machine } from './machine.ts';
import { tableLength } from './operators.ts';
import {
  LuaBudgetError,
  LuaError,
  LuaFunction,
  isTruthy,
  luaToNumber,
  luaToString,
  luaType,
  toBytes,
  toText,
  type LuaValue,
} from './value.ts';

/** COMPAT: there, but of no use, so that a script that calls one says so instead of meeting a nil. */
export const FORBIDDEN = [
  'collectgarbage', 'dofile', 'getfenv', 'getmetatable', 'load', 'loadfile', 'loadstring', 'module', 'newproxy', 'rawequal',
  'rawget', 'rawset', 'setfenv', 'setmetatable',
] as const; // prettier-ignore

export function forbidden(name: string): LuaFunction {
  return new LuaFunction(name, (machine) => {
    throw machine.error(`function ${name} is not allowed in the scripts of resource interpreters`);
  });
}

function define(name: string, call: LuaFunction['call']): LuaFunction {
  return new LuaFunction(name, call);
}

export const baseLibrary: readonly LuaFunction[] = [
  ...FORBIDDEN.map(forbidden),
  basicNext,
  define('assert', (machine, args) => {
    if (isTruthy(args[0])) return args;
    throw args[1] === undefined ? machine.error('assertion failed!') : new LuaError(args[1]);
  }),
  define('error', (machine, args) => {
    const level = integerArgument(machine, 'error', args, 2, 1);
    const [value] = args;
    throw new LuaError(typeof value === 'string' && level > 0 ? machine.position(level) + value : value);
  }),
  define('ipairs', (machine, args) => [ipairsStep, tableArgument(machine, 'ipairs', args, 1), 0]),
  define('pairs', (machine, args) => [basicNext, tableArgument(machine, 'pairs', args, 1), undefined]),
  define('pcall', (machine, args) => {
    const callee = functionArgument(machine, 'pcall', args, 1);
    return guarded(
      machine,
      () => callee.call(machine, args.slice(1)),
      (value) => [value],
    );
  }),
  define('print', (machine, args) => {
    const line = args.map(luaToString).join('\t');
    machine.step(line.length / 16);
    machine.print?.(toText(line));
    return [];
  }),
  define('select', (machine, args) => {
    if (args[0] === '#') return [args.length - 1];
    const from = integerArgument(machine, 'select', args, 1);
    if (from === 0 || -from >= args.length) throw badArgument(machine, 'select', 1, 'invalid index');
    return args.slice(from);
  }),
  define('tonumber', (machine, args) => {
    const base = integerArgument(machine, 'tonumber', args, 2, 10);
    return [base === 10 ? luaToNumber(args[0]) : numberInBase(luaToString(args[0]), base)];
  }),
  define('tostring', (_machine, [value]) => [luaToString(value)]),
  define('type', (machine, args) => {
    if (args.length === 0) throw badArgument(machine, 'type', 1, 'value expected');
    return [luaType(args[0])];
  }),
  define('unpack', (machine, args) => {
    const table = tableArgument(machine, 'unpack', args, 1);
    const from = integerArgument(machine, 'unpack', args, 2, 1);
    const to = integerArgument(machine, 'unpack', args, 3, tableLength(machine, table));
    if (to - from >= VALUES_MAX) throw machine.error('too many results to unpack');
    machine.step(Math.max(0, to - from));
    return Array.from({ length: Math.max(0, to - from + 1) }, (_none, index) => table.get(from + index));
  }),
  define('xpcall', (machine, args) => {
    const callee = functionArgument(machine, 'xpcall', args, 1);
    const handler = functionArgument(machine, 'xpcall', args, 2);
    return guarded(
      machine,
      () => callee.call(machine, []),
      (value) => handler.call(machine, [value]),
    );
  }),
];

/** A used up budget is not the script's to catch. */
function guarded(
  machine: Machine,
  run: () => LuaValue[],
  failed: (value: LuaValue) => LuaValue[],
): LuaValue[] {
  const { depth } = machine;
  try {
    return [true, ...run()];
  } catch (error) {
    if (error instanceof LuaBudgetError) throw error;
    machine.unwind(depth);
    if (error instanceof LuaError) {
      // Messages are put together from what scripts hand in.
      if (typeof error.value === 'string') machine.step(error.value.length / 8);
      return [false, ...failed(error.value)];
    }
    if (error instanceof RangeError) return [false, ...failed(toBytes('stack overflow'))];
    throw error;
  }
}

function numberInBase(text: string, base: number): number | undefined {
  if (base < 2 || base > 36) return undefined;
  // LIMIT: longer texts spell no number.
  const digits = text.length > 400 ? '' : text.trim().toLowerCase();
  let value = 0;
  for (const digit of digits) {
    const worth = /[0-9a-z]/.test(digit) ? Number.parseInt(digit, 36) : 36;
    if (worth >= base) return undefined;
    value = value * base + worth;
  }
  return digits === '' ? undefined : value;
}
