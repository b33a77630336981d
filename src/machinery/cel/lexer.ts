// The words of an expression: names, literals and operators, each with its place.
import type { LiteralValue } from './ast.ts';
import type { Issue } from './issues.ts';
import { Uint } from './values.ts';

export interface Token {
  readonly kind: 'name' | 'literal' | 'operator' | 'end';
  /** As written. */
  readonly text: string;
  readonly at: number;
  /** Of a literal; undefined: it has room for no value. */
  readonly value?: LiteralValue | undefined;
}

/** An expression that has no words, or not in this order. */
export class SyntaxIssue extends Error {
  override name = 'SyntaxIssue';
  readonly issue: Issue;
  constructor(at: number | undefined, message: string) {
    super(message);
    this.issue = { at, message };
  }
}

const SPACE = /(?:[\t \r\n\f]|\/\/[^\n]*)+/y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER =
  /0[xX][0-9a-fA-F]+[uU]?|[0-9]+\.[0-9]+(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+|\.[0-9]+(?:[eE][-+]?[0-9]+)?|[0-9]+[uU]?/y;
const STRING_START = /([bB]?)([rR]?)("""|'''|"|')/y;
const OPERATORS = /==|!=|<=|>=|&&|\|\||[-+*/%<>!?:.,()[\]{}]/y;

/** All tokens, the last of kind `end`. Throws a SyntaxIssue. */
export function tokenize(source: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(source);
  };
  while (at < source.length) {
    const space = take(SPACE);
    if (space !== null) {
      at += space[0].length;
      continue;
    }
    const token = stringAt(source, at) ?? numberToken(take(NUMBER)) ?? nameToken(take(NAME));
    const found = token ?? operatorToken(take(OPERATORS));
    if (found === undefined) throw unrecognized(source, at);
    tokens.push(found);
    at += found.text.length;
  }
  tokens.push({ kind: 'end', text: '<EOF>', at: source.length });
  return tokens;
}

function unrecognized(source: string, at: number): SyntaxIssue {
  const character = String.fromCodePoint(source.codePointAt(at) ?? 0);
  return new SyntaxIssue(at, `Syntax error: token recognition error at: '${character}'`);
}

function nameToken(match: RegExpExecArray | null): Token | undefined {
  if (match === null) return undefined;
  const [text] = match;
  if (text === 'in') return { kind: 'operator', text, at: match.index };
  if (text === 'true' || text === 'false') {
    return { kind: 'literal', text, at: match.index, value: text === 'true' };
  }
  if (text === 'null') return { kind: 'literal', text, at: match.index, value: null };
  return { kind: 'name', text, at: match.index };
}

function operatorToken(match: RegExpExecArray | null): Token | undefined {
  return match === null ? undefined : { kind: 'operator', text: match[0], at: match.index };
}

function numberToken(match: RegExpExecArray | null): Token | undefined {
  if (match === null) return undefined;
  const [text] = match;
  return { kind: 'literal', text, at: match.index, value: numberValue(text) };
}

function numberValue(text: string): LiteralValue | undefined {
  const hexadecimal = /^0x/i.test(text);
  if (/u$/i.test(text)) {
    const value = BigInt(text.slice(0, -1));
    return value < 2n ** 64n ? new Uint(value) : undefined;
  }
  if (!hexadecimal && /[.e]/i.test(text)) {
    const value = Number(text);
    return Number.isFinite(value) ? value : undefined;
  }
  // A sign in front may make room for one more; the parser looks again.
  const value = BigInt(text);
  return value <= 2n ** 63n ? value : undefined;
}

// ---- strings

function stringAt(source: string, at: number): Token | undefined {
  STRING_START.lastIndex = at;
  const start = STRING_START.exec(source);
  if (start === null) return undefined;
  const [opening, bytes = '', raw = '', quote = ''] = start;
  const contentAt = at + opening.length;
  const end = closingQuote(source, contentAt, quote, raw !== '');
  if (end === undefined) {
    const rest = source.slice(at).split('\n', 1)[0] ?? '';
    throw new SyntaxIssue(at, `Syntax error: token recognition error at: '${rest}'`);
  }
  const content = source.slice(contentAt, end).replaceAll('\r\n', '\n');
  const text = source.slice(at, end + quote.length);
  return { kind: 'literal', text, at, value: contentValue(content, at, bytes !== '', raw !== '') };
}

function closingQuote(source: string, from: number, quote: string, raw: boolean): number | undefined {
  let at = from;
  while (at < source.length) {
    if (source.startsWith(quote, at)) return at;
    const character = source[at]!;
    if (quote.length === 1 && (character === '\n' || character === '\r')) return undefined;
    at += character === '\\' && !raw ? 2 : 1;
  }
  return undefined;
}

function contentValue(content: string, at: number, bytes: boolean, raw: boolean): LiteralValue {
  if (raw || !content.includes('\\')) return bytes ? Buffer.from(content) : content;
  const pieces: (string | number)[] = [];
  const part =
    /[^\\]+|\\([abfnrtv\\?"'`])|\\[xX]([0-9a-fA-F]{2})|\\([0-3][0-7]{2})|\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/y;
  while (part.lastIndex < content.length) {
    const match = part.exec(content);
    if (match === null) throw new SyntaxIssue(at, 'unable to unescape string');
    pieces.push(unescaped(match, at, bytes));
  }
  if (!bytes)
    return pieces.map((piece) => (typeof piece === 'number' ? String.fromCodePoint(piece) : piece)).join('');
  return Buffer.concat(
    pieces.map((piece) => (typeof piece === 'number' ? Buffer.of(piece) : Buffer.from(piece))),
  );
}

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** Text, or the number of a character or byte. */
function unescaped(match: RegExpExecArray, at: number, bytes: boolean): string | number {
  const [whole, simple, hexadecimal, octal, short, long] = match;
  if (simple !== undefined) return SIMPLE_ESCAPES[simple] ?? simple;
  if (hexadecimal !== undefined) return Number.parseInt(hexadecimal, 16);
  if (octal !== undefined) return Number.parseInt(octal, 8);
  const code = short ?? long;
  if (code === undefined) return whole;
  const point = Number.parseInt(code, 16);
  if (bytes || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
    throw new SyntaxIssue(at, 'unable to unescape string');
  }
  return point;
}
