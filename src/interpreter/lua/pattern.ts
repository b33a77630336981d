// Lua's patterns: classes, sets, `*`, `+`, `-`, `?`, captures, back references, `%b` and frontiers, over byte strings.
import type { Machine } from './machine.ts';
import type { LuaValue } from './value.ts';

/** LIMIT: captures in one pattern, as in Lua. */
const CAPTURES_MAX = 32;
/** LIMIT: how deep one item of a pattern may be matched within others. */
const DEPTH_MAX = 200;

export interface Match {
  readonly start: number;
  /** Behind the last character. */
  readonly end: number;
  /** A number is a position capture, counted from 1. */
  readonly captures: readonly (string | number)[];
}

const OPEN = -1;
const POSITION = -2;

interface Capture {
  start: number;
  length: number;
}

const CLASSES: Readonly<Record<string, (code: number) => boolean>> = {
  a: (code) => isBetween(code | 0x20, 97, 122),
  c: (code) => code < 32 || code === 127,
  d: (code) => isBetween(code, 48, 57),
  l: (code) => isBetween(code, 97, 122),
  p: (code) => isBetween(code, 33, 126) && !isAlphanumeric(code),
  s: (code) => code === 32 || isBetween(code, 9, 13),
  u: (code) => isBetween(code, 65, 90),
  w: isAlphanumeric,
  x: (code) => isBetween(code, 48, 57) || isBetween(code | 0x20, 97, 102),
  z: (code) => code === 0,
};

function isBetween(code: number, from: number, to: number): boolean {
  return code >= from && code <= to;
}

function isAlphanumeric(code: number): boolean {
  return isBetween(code, 48, 57) || isBetween(code | 0x20, 97, 122);
}

function matchesClass(code: number, letter: string): boolean {
  const lower = letter.toLowerCase();
  const test = /[a-z]/.test(lower) && Object.hasOwn(CLASSES, lower) ? CLASSES[lower] : undefined;
  if (test === undefined) return letter.charCodeAt(0) === code;
  return test(code) === (letter === lower);
}

/** The first match from `from` on, or none. */
export function findMatch(machine: Machine, text: string, pattern: string, from: number): Match | undefined {
  const anchored = pattern.startsWith('^');
  const matcher = new Matcher(machine, text, pattern);
  for (let start = from; start <= text.length; start++) {
    const end = matcher.begin(start, anchored ? 1 : 0);
    if (end >= 0) return { start, end, captures: matcher.captures() };
    if (anchored) break;
  }
  return undefined;
}

/** What a match gives to the script: its captures, or all of it when there are none. */
export function matchValues(text: string, { start, end, captures }: Match): LuaValue[] {
  return captures.length === 0 ? [text.slice(start, end)] : [...captures];
}

class Matcher {
  readonly #machine: Machine;
  readonly #text: string;
  readonly #pattern: string;
  #captures: Capture[] = [];
  #depth = 0;

  constructor(machine: Machine, text: string, pattern: string) {
    this.#machine = machine;
    this.#text = text;
    this.#pattern = pattern;
  }

  /** Where the match that starts at `start` ends; -1: there is none. */
  begin(start: number, patternStart: number): number {
    this.#captures = [];
    this.#depth = 0;
    return this.#match(start, patternStart);
  }

  captures(): readonly (string | number)[] {
    return this.#captures.map(({ start, length }) => {
      if (length === POSITION) return start + 1;
      if (length === OPEN) throw this.#machine.error('unfinished capture');
      return this.#text.slice(start, start + length);
    });
  }

  #match(at: number, item: number): number {
    if (++this.#depth > DEPTH_MAX) throw this.#machine.error('pattern too complex');
    try {
      return this.#matchItems(at, item);
    } finally {
      this.#depth--;
    }
  }

  #matchItems(start: number, first: number): number {
    const pattern = this.#pattern;
    let at = start;
    let item = first;
    while (item < pattern.length) {
      this.#machine.step();
      const character = pattern[item];
      if (character === '(') return this.#openCapture(at, item);
      if (character === ')') return this.#closeCapture(at, item + 1);
      if (character === '$' && item + 1 === pattern.length) return at === this.#text.length ? at : -1;
      const next = pattern[item + 1] ?? '';
      if (character === '%' && (next === 'b' || next === 'f' || /\d/.test(next))) {
        at =
          next === 'b'
            ? this.#balanced(at, item + 2)
            : next === 'f'
              ? this.#frontier(at, item + 2)
              : this.#same(at, next);
        if (at < 0) return -1;
        item = next === 'b' ? item + 4 : next === 'f' ? this.#itemEnd(item + 2) : item + 2;
        continue;
      }
      const end = this.#itemEnd(item);
      const suffix = pattern[end];
      if (suffix === '*') return this.#longest(at, item, end, 0);
      if (suffix === '+') return this.#longest(at, item, end, 1);
      if (suffix === '-') return this.#shortest(at, item, end);
      if (suffix === '?') {
        if (this.#fits(at, item, end)) {
          const matched = this.#match(at + 1, end + 1);
          if (matched >= 0) return matched;
        }
        item = end + 1;
        continue;
      }
      if (!this.#fits(at, item, end)) return -1;
      at++;
      item = end;
    }
    return at;
  }

  /** Behind the single-character item at `item`. */
  #itemEnd(item: number): number {
    const pattern = this.#pattern;
    if (pattern[item] === '%') {
      if (item + 1 >= pattern.length) throw this.#machine.error("malformed pattern (ends with '%')");
      return item + 2;
    }
    if (pattern[item] !== '[') return item + 1;
    let at = pattern[item + 1] === '^' ? item + 2 : item + 1;
    do {
      if (at >= pattern.length) throw this.#machine.error("malformed pattern (missing ']')");
      at += pattern[at] === '%' ? 2 : 1;
    } while (pattern[at] !== ']');
    this.#machine.step((at - item) / 8);
    return at + 1;
  }

  #fits(at: number, item: number, end: number): boolean {
    return at < this.#text.length && this.#fitsCode(this.#text.charCodeAt(at), item, end);
  }

  #fitsCode(code: number, item: number, end: number): boolean {
    const pattern = this.#pattern;
    if (pattern[item] === '.') return true;
    if (pattern[item] === '%') return matchesClass(code, pattern[item + 1] ?? '');
    return pattern[item] === '[' ? this.#inSet(code, item, end - 1) : pattern.charCodeAt(item) === code;
  }

  /** @param close where the set's closing bracket stands */
  #inSet(code: number, open: number, close: number): boolean {
    const pattern = this.#pattern;
    this.#machine.step((close - open) / 8);
    const wanted = pattern[open + 1] !== '^';
    for (let at = wanted ? open + 1 : open + 2; at < close; at++) {
      if (pattern[at] === '%') {
        at++;
        if (matchesClass(code, pattern[at] ?? '')) return wanted;
      } else if (pattern[at + 1] === '-' && at + 2 < close) {
        if (isBetween(code, pattern.charCodeAt(at), pattern.charCodeAt(at + 2))) return wanted;
        at += 2;
      } else if (pattern.charCodeAt(at) === code) {
        return wanted;
      }
    }
    return !wanted;
  }

  #longest(start: number, item: number, end: number, least: number): number {
    let at = start;
    while (this.#fits(at, item, end)) at++;
    this.#machine.step(1 + at - start);
    for (; at >= start + least; at--) {
      const matched = this.#match(at, end + 1);
      if (matched >= 0) return matched;
    }
    return -1;
  }

  #shortest(start: number, item: number, end: number): number {
    for (let at = start; ; at++) {
      const matched = this.#match(at, end + 1);
      if (matched >= 0) return matched;
      if (!this.#fits(at, item, end)) return -1;
      this.#machine.step();
    }
  }

  #openCapture(at: number, item: number): number {
    if (this.#captures.length >= CAPTURES_MAX) throw this.#machine.error('too many captures');
    const position = this.#pattern[item + 1] === ')';
    this.#captures.push({ start: at, length: position ? POSITION : OPEN });
    const matched = this.#match(at, position ? item + 2 : item + 1);
    if (matched < 0) this.#captures.pop();
    return matched;
  }

  #closeCapture(at: number, item: number): number {
    const capture = this.#captures.findLast(({ length }) => length === OPEN);
    if (capture === undefined) throw this.#machine.error('invalid pattern capture');
    capture.length = at - capture.start;
    const matched = this.#match(at, item);
    if (matched < 0) capture.length = OPEN;
    return matched;
  }

  #balanced(at: number, item: number): number {
    const [open, close] = [this.#pattern[item], this.#pattern[item + 1]];
    if (open === undefined || close === undefined) throw this.#machine.error('unbalanced pattern');
    if (this.#text[at] !== open) return -1;
    for (let depth = 1, end = at + 1; end < this.#text.length; end++) {
      this.#machine.step();
      if (this.#text[end] === close) {
        if (--depth === 0) return end + 1;
      } else if (this.#text[end] === open) {
        depth++;
      }
    }
    return -1;
  }

  #frontier(at: number, item: number): number {
    if (this.#pattern[item] !== '[') throw this.#machine.error("missing '[' after '%f' in pattern");
    const end = this.#itemEnd(item);
    const codeAt = (index: number): number =>
      index >= 0 && index < this.#text.length ? this.#text.charCodeAt(index) : 0;
    return !this.#inSet(codeAt(at - 1), item, end - 1) && this.#inSet(codeAt(at), item, end - 1) ? at : -1;
  }

  #same(at: number, digit: string): number {
    const capture = this.#captures[Number(digit) - 1];
    if (capture === undefined || capture.length < 0) throw this.#machine.error('invalid capture index');
    const wanted = this.#text.slice(capture.start, capture.start + capture.length);
    this.#machine.step(1 + wanted.length / 64);
    return this.#text.startsWith(wanted, at) ? at + wanted.length : -1;
  }
}
