// What a script handles: nil (undefined), booleans, doubles, byte strings, tables and functions, with the conversions
// between them that gopher-lua makes. Strings are bytes, as in Lua: each character is one byte of UTF-8, so that
// lengths and positions are those that scripts were written against.
import type { Machine } from './machine.ts';
import type { LuaTable } from './table.ts';

export type LuaValue = undefined | boolean | number | string | LuaTable | LuaFunction;

/** A function of a script or of a library. Both take and give lists of values. */
export class LuaFunction {
  readonly name: string;
  readonly call: (machine: Machine, args: LuaValue[]) => LuaValue[];

  constructor(name: string, call: (machine: Machine, args: LuaValue[]) => LuaValue[]) {
    this.name = name;
    this.call = call;
  }
}

/** LIMIT: bytes of a raised text that become a message for people. */
const MESSAGE_MAX = 4096;

/** What a script raised, or the machine on its behalf. `value` is what `pcall` hands on. */
export class LuaError extends Error {
  override name = 'LuaError';
  readonly value: LuaValue;

  constructor(value: LuaValue) {
    super(
      typeof value === 'string' || typeof value === 'number'
        ? toText(luaToString(value).slice(0, MESSAGE_MAX))
        : luaType(value),
    );
    this.value = value;
  }
}

/** A script used more than it may. Unlike a LuaError, a script cannot catch it. */
export class LuaBudgetError extends Error {
  override name = 'LuaBudgetError';
}

export function luaType(value: LuaValue): string {
  if (value === undefined) return 'nil';
  if (value instanceof LuaFunction) return 'function';
  return typeof value === 'object' ? 'table' : typeof value;
}

export function isTruthy(value: LuaValue): boolean {
  return value !== undefined && value !== false;
}

const NON_ASCII = /[^\0-\x7f]/;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The bytes of a text, one character each. */
export function toBytes(text: string): string {
  if (!NON_ASCII.test(text)) return text;
  let bytes = '';
  for (const byte of encoder.encode(text)) bytes += String.fromCharCode(byte);
  return bytes;
}

/** The text that bytes stand for; what is no UTF-8 becomes U+FFFD, as in Go's JSON. */
export function toText(bytes: string): string {
  if (!NON_ASCII.test(bytes)) return bytes;
  return decoder.decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));
}

/** COMPAT: integral numbers print without exponent and fraction, others as Go's %v. */
export function numberToString(value: number): string {
  if (Number.isInteger(value)) {
    if (Object.is(value, -0)) return '0';
    if (Math.abs(value) < 2 ** 63) return Math.abs(value) < 1e21 ? BigInt(value).toString() : String(value);
  }
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const size = Math.abs(value);
  if (size >= 1e-4 && size < 1e21) return String(value);
  const [mantissa = '', exponent = ''] = value.toExponential().split('e');
  return `${mantissa}e${exponent.slice(0, 1)}${exponent.slice(1).padStart(2, '0')}`;
}

const identities = new WeakMap<object, string>();
let identityNext = 0xc000_0000;

/** Only to tell two tables or functions apart; says nothing else. */
function identity(value: object): string {
  let known = identities.get(value);
  if (known === undefined) {
    identityNext += 8;
    known = `0x${identityNext.toString(16)}`;
    identities.set(value, known);
  }
  return known;
}

export function luaToString(value: LuaValue): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      return numberToString(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'undefined':
      return 'nil';
    default:
      return `${luaType(value)}: ${identity(value)}`;
  }
}

const HEXADECIMAL = /^[-+]?0[xX][0-9a-fA-F]+$/;
const DECIMAL = /^[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?$/;
/** LIMIT: no number is spelled longer than this by anyone who means one. */
const NUMBER_LENGTH_MAX = 400;

/** The number that a text spells; undefined: none. */
export function parseNumber(text: string): number | undefined {
  if (text.length > NUMBER_LENGTH_MAX) return undefined;
  const trimmed = text.trim();
  if (DECIMAL.test(trimmed)) return Number(trimmed);
  if (!HEXADECIMAL.test(trimmed)) return undefined;
  const magnitude = Number(trimmed.replace(/^[-+]/, ''));
  return trimmed.startsWith('-') ? -magnitude : magnitude;
}

/** What arithmetic takes a value for; undefined: it refuses. */
export function luaToNumber(value: LuaValue): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' ? parseNumber(value) : undefined;
}
