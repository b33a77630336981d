// Functions on strings that Kubernetes adds to CEL. Positions count characters, not bytes or UTF-16 units.
import { goQuote } from '../go-text.ts';
import { PatternError, linearExpression } from '../pattern.ts';
import type { FunctionTable } from './functions.ts';
import { formatString } from './string-format.ts';
import { DYN, INT, STRING, listOf } from './types.ts';
import { EvaluationError, PlainList, type ListValue } from './values.ts';

const STRINGS = listOf(STRING);

function outOfRange(index: bigint): EvaluationError {
  return new EvaluationError(`index out of range: ${index}`);
}

function charAt(text: string, index: bigint): string {
  const characters = Array.from(text);
  if (index < 0n || index > characters.length) throw outOfRange(index);
  return characters[Number(index)] ?? '';
}

function startsAt(characters: readonly string[], at: number, wanted: readonly string[]): boolean {
  return wanted.every((character, index) => characters[at + index] === character);
}

function indexOf(text: string, wanted: string, from = 0n): bigint {
  if (from < 0n) throw outOfRange(from);
  const characters = Array.from(text);
  if (wanted === '') return from > characters.length ? BigInt(characters.length) : from;
  const searched = Array.from(wanted);
  for (let at = Number(from); at <= characters.length - searched.length; at++) {
    if (startsAt(characters, at, searched)) return BigInt(at);
  }
  return -1n;
}

function lastIndexOf(text: string, wanted: string, from?: bigint): bigint {
  const characters = Array.from(text);
  const length = BigInt(characters.length);
  if (from !== undefined && from < 0n) throw outOfRange(from);
  if (wanted === '') return from === undefined || from > length ? length : from;
  if (from !== undefined && from >= length) return -1n;
  const searched = Array.from(wanted);
  const last = Math.min(characters.length - searched.length, Number(from ?? length));
  for (let at = last; at >= 0; at--) if (startsAt(characters, at, searched)) return BigInt(at);
  return -1n;
}

function substring(text: string, start: bigint, end?: bigint): string {
  const characters = Array.from(text);
  if (end !== undefined && start > end) {
    throw new EvaluationError(`invalid substring range. start: ${start}, end: ${end}`);
  }
  if (start < 0n || start > characters.length) throw outOfRange(start);
  if (end !== undefined && end > characters.length) throw outOfRange(end);
  return characters.slice(Number(start), end === undefined ? undefined : Number(end)).join('');
}

/** At most `limit` parts; all, when it is negative. */
function split(text: string, separator: string, limit = -1n): PlainList {
  if (limit === 0n) return PlainList.empty;
  const parts = separator === '' ? Array.from(text) : text.split(separator);
  if (limit < 0n || parts.length <= limit) return new PlainList(parts);
  const kept = Number(limit) - 1;
  return new PlainList([...parts.slice(0, kept), parts.slice(kept).join(separator)]);
}

/** LIMIT: characters of a text that replacing or joining makes. */
const MADE_MAX = 10_000_000;

function made(length: number): void {
  if (length > MADE_MAX) throw new EvaluationError(`text would have more than ${MADE_MAX} characters`);
}

function replace(text: string, old: string, by: string, limit = -1n): string {
  if (by.length > old.length) {
    const places = old === '' ? text.length + 1 : text.split(old).length - 1;
    const replacedMax = limit < 0n ? places : Math.min(places, Number(limit));
    made(text.length + replacedMax * (by.length - old.length));
  }
  if (limit < 0n)
    return old === ''
      ? by + Array.from(text, (character) => character + by).join('')
      : text.replaceAll(old, () => by);
  const pieces = old === '' ? ['', ...Array.from(text), ''] : text.split(old);
  const replaced = Math.min(Number(limit), pieces.length - 1);
  const head = pieces.slice(0, replaced + 1).join(by);
  const tail = pieces.slice(replaced + 1);
  return tail.length === 0 ? head : [head, ...tail].join(old);
}

const SPACE = /^[\s\u0085]+|[\s\u0085]+$/gu;

/** Go's idea of space: as JavaScript's, with NEL and without the byte order mark. */
function trim(text: string): string {
  return text.replaceAll(SPACE, (space) => (space.includes('\ufeff') ? trimAround(space) : ''));
}

function trimAround(space: string): string {
  const [first, last] = [space.indexOf('\ufeff'), space.lastIndexOf('\ufeff')];
  return space.slice(first, last + 1);
}

/** Returned strings are valid Unicode, as Go's quoting of others makes them. */
function quote(text: string): string {
  return goQuote(text.toWellFormed());
}

function join(list: ListValue, separator = ''): string {
  let length = 0;
  for (const item of list) made((length += separator.length + (typeof item === 'string' ? item.length : 0)));
  return Array.from(list, (item) => {
    if (typeof item !== 'string') throw new EvaluationError('join: invalid input: value is not a string');
    return item;
  }).join(separator);
}

export function stringFunctions(table: FunctionTable): void {
  table
    .member('charAt', 'string_char_at_int', [STRING, INT], STRING, charAt)
    .member('indexOf', 'string_index_of_string', [STRING, STRING], INT, indexOf)
    .member('indexOf', 'string_index_of_string_int', [STRING, STRING, INT], INT, indexOf)
    .member('lastIndexOf', 'string_last_index_of_string', [STRING, STRING], INT, lastIndexOf)
    .member('lastIndexOf', 'string_last_index_of_string_int', [STRING, STRING, INT], INT, lastIndexOf)
    .member('lowerAscii', 'string_lower_ascii', [STRING], STRING, (text: string) =>
      text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase()),
    )
    .member('upperAscii', 'string_upper_ascii', [STRING], STRING, (text: string) =>
      text.replaceAll(/[a-z]+/g, (letters) => letters.toUpperCase()),
    )
    .member('replace', 'string_replace_string_string', [STRING, STRING, STRING], STRING, replace)
    .member('replace', 'string_replace_string_string_int', [STRING, STRING, STRING, INT], STRING, replace)
    .member('split', 'string_split_string', [STRING, STRING], STRINGS, split)
    .member('split', 'string_split_string_int', [STRING, STRING, INT], STRINGS, split)
    .member('substring', 'string_substring_int', [STRING, INT], STRING, substring)
    .member('substring', 'string_substring_int_int', [STRING, INT, INT], STRING, substring)
    .member('trim', 'string_trim', [STRING], STRING, trim)
    .member('format', 'string_format', [STRING, listOf(DYN)], STRING, formatString)
    .member('join', 'list_join', [STRINGS], STRING, join)
    .member('join', 'list_join_string', [STRINGS, STRING], STRING, join)
    .global('strings.quote', 'strings_quote', [STRING], STRING, quote);
  patternFunctions(table);
}

// ---- regular expressions

function find(text: string, pattern: string): string {
  const found = findAll(text, pattern, 1n);
  return found.size === 0 ? '' : (found.at(0) as string);
}

/** At most `limit` matches; all, when it is negative. */
function findAll(text: string, pattern: string, limit = -1n): PlainList {
  try {
    const matcher = linearExpression(pattern).matcher(text);
    const found: string[] = [];
    const max = limit < 0n ? Number.POSITIVE_INFINITY : Number(limit);
    while (found.length < max && matcher.find()) found.push(matcher.group() ?? '');
    return new PlainList(found);
  } catch (error) {
    if (error instanceof PatternError)
      throw new EvaluationError(`Illegal regex: ${error.message}`, { cause: error });
    throw error;
  }
}

function patternFunctions(table: FunctionTable): void {
  table
    .member('find', 'string_find_string', [STRING, STRING], STRING, find)
    .member('findAll', 'string_find_all_string', [STRING, STRING], STRINGS, findAll)
    .member('findAll', 'string_find_all_string_int', [STRING, STRING, INT], STRINGS, findAll);
}
