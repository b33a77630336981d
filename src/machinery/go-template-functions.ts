// The functions of Go's templates, and those that kubectl adds.
import { goJson, goNumber, goQuote, goValue } from './go-text.ts';

/** A template that cannot be read, or does not fit its data; in Go's words. */
export class TemplateError extends Error {
  override name = 'TemplateError';
}

export type TemplateFunction = (...args: readonly unknown[]) => unknown;

/** Whether a value counts as true: not empty. */
export function isTrue(value: unknown): boolean {
  if (value === undefined || value === null) return false;
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object') return Object.keys(value).length > 0;
  return Boolean(value);
}

function fail(why: string): never {
  throw new TemplateError(`error executing template: ${why}`);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : goValue(value);
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0;
  return fail('incompatible types for comparison');
}

function same(a: unknown, b: unknown): boolean {
  const kind = (value: unknown): string => (value === null ? 'undefined' : typeof value);
  if (a !== null && a !== undefined && b !== null && b !== undefined && kind(a) !== kind(b))
    fail('incompatible types for comparison');
  return a === b || ((a ?? undefined) === undefined && (b ?? undefined) === undefined);
}

function index(of: unknown, ...keys: readonly unknown[]): unknown {
  let value = of;
  for (const key of keys) {
    if (Array.isArray(value)) {
      if (typeof key !== 'number' || key < 0 || key >= value.length)
        fail(`error calling index: index out of range: ${text(key)}`);
      value = value[key] as unknown;
    } else if (typeof value === 'object' && value !== null) {
      value = Object.hasOwn(value, text(key)) ? (value as Record<string, unknown>)[text(key)] : undefined;
    } else fail('error calling index: index of untyped nil');
  }
  return value;
}

function slice(of: unknown, from: unknown = 0, to?: unknown): unknown {
  if (typeof of !== 'string' && !Array.isArray(of)) fail("error calling slice: can't slice item");
  return of.slice(Number(from), to === undefined ? undefined : Number(to));
}

function length(of: unknown): number {
  if (typeof of === 'string') return Buffer.byteLength(of);
  if (Array.isArray(of)) return of.length;
  if (typeof of === 'object' && of !== null) return Object.keys(of).length;
  return fail('error calling len: len of untyped nil');
}

/** The verbs that are of use on JSON values. */
function printf(format: unknown, ...args: readonly unknown[]): string {
  let at = 0;
  const filled = text(format).replaceAll(
    /%([-+ 0#]*)(\d*)(?:\.(\d+))?([a-zA-Z%])/g,
    (whole: string, flags: string, width: string, precision: string | undefined, verb: string) => {
      if (verb === '%') return '%';
      const arg = args[at++];
      if (at > args.length) return `%!${verb}(MISSING)`;
      const shown = formatVerb(verb, arg, precision);
      if (shown === undefined) return `${whole.slice(0, 1)}!${verb}(${typeof arg}=${text(arg)})`;
      const size = Number(width);
      if (flags.includes('-')) return shown.padEnd(size);
      return shown.padStart(size, flags.includes('0') ? '0' : ' ');
    },
  );
  return at < args.length ? `${filled}%!(EXTRA ${args.slice(at).map(text).join(', ')})` : filled;
}

function formatVerb(verb: string, arg: unknown, precision: string | undefined): string | undefined {
  const whole = typeof arg === 'number' && Number.isInteger(arg);
  if (verb === 'v' || verb === 's') {
    const shown = typeof arg === 'number' ? goNumber(arg) : text(arg);
    return precision === undefined ? shown : shown.slice(0, Number(precision));
  }
  if (verb === 'q') return goQuote(text(arg));
  if (verb === 'd') return whole ? goNumber(arg) : undefined;
  if (verb === 'x' || verb === 'X') {
    const hex = whole ? arg.toString(16) : Buffer.from(text(arg)).toString('hex');
    return verb === 'X' ? hex.toUpperCase() : hex;
  }
  if (verb === 'f')
    return typeof arg === 'number' ? arg.toFixed(precision === undefined ? 6 : Number(precision)) : undefined;
  if (verb === 't') return typeof arg === 'boolean' ? String(arg) : undefined;
  return undefined;
}

function exists(of: unknown, ...keys: readonly unknown[]): boolean {
  let value = of;
  for (const key of keys) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, text(key))) return false;
    value = (value as Record<string, unknown>)[text(key)];
  }
  return true;
}

const HTML: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
};

export const FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  eq: (a, ...others) => others.some((one) => same(a, one)),
  ne: (a, b) => !same(a, b),
  lt: (a, b) => compare(a, b) < 0,
  le: (a, b) => compare(a, b) <= 0,
  gt: (a, b) => compare(a, b) > 0,
  ge: (a, b) => compare(a, b) >= 0,
  not: (value) => !isTrue(value),
  len: length,
  index,
  slice,
  print: (...args) => args.map(text).join(''),
  println: (...args) => `${args.map(text).join(' ')}\n`,
  printf,
  html: (...args) =>
    args
      .map(text)
      .join('')
      .replaceAll(/[&<>"']/g, (one) => HTML[one] ?? one),
  js: (...args) => JSON.stringify(args.map(text).join('')).slice(1, -1),
  urlquery: (...args) => encodeURIComponent(args.map(text).join('')).replaceAll('%20', '+'),
  // kubectl's own.
  base64decode: (value) => Buffer.from(text(value), 'base64').toString('utf8'),
  exists,
  json: (value) => goJson(value),
};
