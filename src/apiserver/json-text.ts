// What JSON.parse does not tell about a text: fields that are given twice, nesting so deep that later recursion would
// not survive it, and numbers that would not come out as they went in.
import { badRequest } from '../machinery/index.ts';

// LIMIT: the depth at which Go's JSON decoder gives up.
const MAX_DEPTH = 10_000;
// LIMIT: duplicates reported; a text full of them says no more with the next.
const MAX_PROBLEMS = 32;

const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
// No number of so few characters is too large to be kept exactly.
const SAFE_DIGITS = 15;
const FEW = 12;

/** The keys of an object. Most have few, which are found faster in a list. */
class Keys {
  readonly #few: string[] = [];
  #all: Set<string> | undefined;

  /** False: it was there. */
  add(key: string): boolean {
    if (this.#all !== undefined) {
      const before = this.#all.size;
      return this.#all.add(key).size > before;
    }
    if (this.#few.includes(key)) return false;
    this.#few.push(key);
    if (this.#few.length > FEW) this.#all = new Set(this.#few);
    return true;
  }
}

interface Level {
  readonly keys: Keys | undefined;
  /** Of the element under way: a key, or an index. */
  step: string | number;
}

/** Index after the string that starts at `from` (a quote). */
function endOfString(text: string, from: number): number {
  let end = text.indexOf('"', from + 1);
  while (end >= 0 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end < 0 ? text.length : end + 1;
}

/** Whether an odd number of backslashes stands before a character. */
function isEscaped(text: string, at: number): boolean {
  let from = at;
  while (text.charCodeAt(from - 1) === BACKSLASH) from--;
  return (at - from) % 2 === 1;
}

function pathOf(levels: readonly Level[]): string {
  let path = '';
  for (const { step } of levels) {
    path += typeof step === 'number' ? `[${step}]` : path === '' ? step : `.${step}`;
  }
  return path;
}

/**
 * Scans a JSON text; errors of syntax are left to JSON.parse. Throws a 400 StatusError when it is nested too deep.
 * @param lookForDuplicates whether to collect `duplicate field "path"`
 */
export function checkJsonText(text: string, lookForDuplicates: boolean): readonly string[] {
  const levels: Level[] = [];
  const problems: string[] = [];
  let expectKey = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      const end = endOfString(text, i);
      const level = levels.at(-1);
      if (expectKey && level?.keys !== undefined) {
        expectKey = false;
        const key = unquote(text.slice(i, end));
        level.step = key;
        if (lookForDuplicates && !level.keys.add(key) && problems.length < MAX_PROBLEMS) {
          const problem = `duplicate field ${JSON.stringify(pathOf(levels))}`;
          if (!problems.includes(problem)) problems.push(problem);
        }
      }
      i = end - 1;
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      if (levels.length >= MAX_DEPTH) throw badRequest('json: exceeded max depth');
      levels.push({ keys: code === OPEN_BRACE ? new Keys() : undefined, step: code === OPEN_BRACE ? '' : 0 });
      expectKey = code === OPEN_BRACE;
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      levels.pop();
      expectKey = false;
    } else if (code === COMMA) {
      const level = levels.at(-1);
      if (level?.keys !== undefined) expectKey = true;
      else if (level !== undefined) level.step = (level.step as number) + 1;
    } else if (code === COLON) {
      expectKey = false;
    } else if (code === MINUS || (code >= ZERO && code <= NINE)) {
      const end = endOfNumber(text, i + 1);
      if (end - i > SAFE_DIGITS || isExponent(text, i, end)) checkNumber(text.slice(i, end), levels);
      i = end - 1;
    }
  }
  return problems;
}

function endOfNumber(text: string, from: number): number {
  let end = from;
  while (end < text.length && isNumberCode(text.charCodeAt(end))) end++;
  return end;
}

/** Digits, `.`, `+`, `-`, `e` and `E`. */
function isNumberCode(code: number): boolean {
  if (code >= ZERO && code <= NINE) return true;
  return code === 0x2e || code === 0x2b || code === MINUS || code === 0x65 || code === 0x45;
}

function isExponent(text: string, from: number, end: number): boolean {
  for (let i = from; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x65 || code === 0x45) return true;
  }
  return false;
}

/**
 * LIMIT: whole numbers beyond 2^53 would lose their last digits, and ones beyond what a float can hold everything. Both
 * are refused, since nobody would notice the loss.
 */
function checkNumber(number: string, levels: readonly Level[]): void {
  const value = Number(number);
  if (Number.isNaN(value)) return;
  const path = pathOf(levels);
  const at = path === '' ? '' : ` at ${path}`;
  if (!Number.isFinite(value)) {
    throw badRequest(`json: cannot unmarshal number ${number}${at} into Go value of type float64`);
  }
  if (/^-?\d+$/.test(number) && !Number.isSafeInteger(value)) {
    throw badRequest(
      `the number ${number}${at} cannot be kept exactly: whole numbers must be within ±${Number.MAX_SAFE_INTEGER}`,
    );
  }
}

function unquote(quoted: string): string {
  if (!quoted.includes('\\')) return quoted.slice(1, -1);
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return quoted;
  }
}
