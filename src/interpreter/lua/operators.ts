// What operators do with values, and what gopher-lua says of values with which they do nothing.
import type { BinaryOperator } from './ast.ts';
import { ENTRY_BYTES, type Machine } from './machine.ts';
import { LuaTable } from './table.ts';
import {
  LuaBudgetError,
  LuaError,
  luaToNumber,
  luaToString,
  luaType,
  toBytes,
  type LuaValue,
} from './value.ts';

/** What a text is taken to cost besides its characters. */
const TEXT_BYTES = 32;
/** LIMIT: texts longer than this would make single steps take long. */
const TEXT_LENGTH_MAX = 4 * 1024 * 1024;

export function errorAt(line: number, message: string): LuaError {
  return new LuaError(`<string>:${line}: ${toBytes(message)}`);
}

type Arithmetic = (left: number, right: number) => number;

const ARITHMETIC: Readonly<
  Record<'+' | '-' | '*' | '/' | '%' | '^', readonly [name: string, apply: Arithmetic]>
> = {
  '+': ['add', (left, right) => left + right],
  '-': ['sub', (left, right) => left - right],
  '*': ['mul', (left, right) => left * right],
  '/': ['div', (left, right) => left / right],
  '%': ['mod', modulo],
  '^': ['pow', (left, right) => left ** right],
};

/** Lua's remainder, which has the sign of the divisor. */
function modulo(left: number, right: number): number {
  const remainder = left % right;
  return remainder !== 0 && remainder < 0 !== right < 0 ? remainder + right : remainder;
}

export type Binary = (machine: Machine, left: LuaValue, right: LuaValue) => LuaValue;

export function binaryOperator(operator: BinaryOperator, line: number): Binary {
  switch (operator) {
    case '==':
      return equal;
    case '~=':
      return (machine, left, right) => !equal(machine, left, right);
    case '<':
      return (machine, left, right) => lessThan(machine, left, right, line);
    case '>':
      return (machine, left, right) => lessThan(machine, right, left, line);
    case '<=':
      return (machine, left, right) => lessOrEqual(machine, left, right, line);
    case '>=':
      return (machine, left, right) => lessOrEqual(machine, right, left, line);
    case '..':
      return (machine, left, right) => concat(machine, left, right, line);
    default: {
      const [name, apply] = ARITHMETIC[operator];
      return (_machine, left, right) => {
        if (typeof left === 'number' && typeof right === 'number') return apply(left, right);
        const [a, b] = [luaToNumber(left), luaToNumber(right)];
        if (a !== undefined && b !== undefined) return apply(a, b);
        throw errorAt(
          line,
          `cannot perform ${name} operation between ${luaType(left)} and ${luaType(right)}`,
        );
      };
    }
  }
}

function equal(machine: Machine, left: LuaValue, right: LuaValue): boolean {
  if (typeof left === 'string' && typeof right === 'string') countComparison(machine, left, right);
  return left === right;
}

/** Long texts take long. */
function countComparison(machine: Machine, left: string, right: string): void {
  const length = Math.min(left.length, right.length);
  if (length > 64) machine.step(length / 64);
}

export function lessThan(machine: Machine, left: LuaValue, right: LuaValue, line: number): boolean {
  if (typeof left === 'number' && typeof right === 'number') return left < right;
  if (typeof left === 'string' && typeof right === 'string') {
    countComparison(machine, left, right);
    return left < right;
  }
  throw errorAt(line, `attempt to compare ${luaType(left)} with ${luaType(right)}`);
}

function lessOrEqual(machine: Machine, left: LuaValue, right: LuaValue, line: number): boolean {
  if (typeof left === 'number' && typeof right === 'number') return left <= right;
  if (typeof left === 'string' && typeof right === 'string') {
    countComparison(machine, left, right);
    return left <= right;
  }
  throw errorAt(line, `attempt to compare ${luaType(left)} with ${luaType(right)}`);
}

function concat(machine: Machine, left: LuaValue, right: LuaValue, line: number): string {
  const joins = (value: LuaValue): boolean => typeof value === 'string' || typeof value === 'number';
  if (!joins(left) || !joins(right)) {
    throw errorAt(line, `cannot perform concat operation between ${luaType(left)} and ${luaType(right)}`);
  }
  const text = luaToString(left) + luaToString(right);
  machine.allocate(TEXT_BYTES + text.length);
  if (text.length > TEXT_LENGTH_MAX) throw new LuaBudgetError('memory limit exceeded');
  return text;
}

export function negate(operand: LuaValue, line: number): number {
  const number = luaToNumber(operand);
  if (number === undefined) throw errorAt(line, `__unm undefined`);
  return -number;
}

export function lengthOf(machine: Machine, operand: LuaValue, line: number): number {
  if (typeof operand === 'string') return operand.length;
  if (operand instanceof LuaTable) return tableLength(machine, operand);
  throw errorAt(line, `__len undefined`);
}

/** The length; finding it goes back over what was removed at the end. */
export function tableLength(machine: Machine, table: LuaTable): number {
  const { length } = table;
  machine.step((table.list.length - length) / 16);
  return length;
}

export function indexOf(machine: Machine, object: LuaValue, key: LuaValue, line: number): LuaValue {
  if (object instanceof LuaTable) return object.get(key);
  if (typeof object === 'string') return machine.strings.get(key);
  throw notATable(object, key, line);
}

export function setIndex(
  machine: Machine,
  object: LuaValue,
  key: LuaValue,
  value: LuaValue,
  line: number,
): void {
  if (!(object instanceof LuaTable)) throw notATable(object, key, line);
  if (key === undefined) throw errorAt(line, 'table index is nil');
  if (Number.isNaN(key)) throw errorAt(line, 'table index is NaN');
  setEntry(machine, object, key, value);
}

/** `set` on the machine's account. */
export function setEntry(
  machine: Machine,
  table: LuaTable,
  key: Exclude<LuaValue, undefined>,
  value: LuaValue,
): void {
  const growth = table.growth(key);
  if (growth > 0) machine.allocate(growth * ENTRY_BYTES);
  if (growth > 1) machine.step(growth);
  table.set(key, value);
}

function notATable(object: LuaValue, key: LuaValue, line: number): LuaError {
  return errorAt(
    line,
    `attempt to index a non-table object(${luaType(object)}) with key '${luaToString(key)}'`,
  );
}
