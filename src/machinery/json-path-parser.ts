// The grammar of kubectl's JSONPath templates: text with `{actions}`. The dialect has its own ideas of quoting,
// ranges and keys, and scripts rely on all of them.

export type PathNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'slice'; readonly slice: Slice }
  | { readonly kind: 'filter'; readonly filter: Filter }
  | { readonly kind: 'literal'; readonly value: number | boolean }
  | { readonly kind: 'wildcard' }
  | { readonly kind: 'recursive' }
  | { readonly kind: 'union'; readonly branches: readonly (readonly PathNode[])[] }
  | { readonly kind: 'identifier'; readonly name: string };

/** `[start:end:step]`; `derived`: the end was not written, `[start]` takes one item. */
export interface Slice {
  readonly start: number | undefined;
  readonly end: number | undefined;
  readonly derived: boolean;
  readonly step: number | undefined;
}

export interface Filter {
  readonly left: readonly PathNode[];
  /** `exists` when nothing is compared. */
  readonly operator: string;
  readonly right: readonly PathNode[];
}

/** A template that is none, or that cannot be applied to the data; `message` as kubectl words it. */
export class JsonPathError extends Error {
  override name = 'JsonPathError';
}

/** Actions and the text between them, in order. Text is an action of one text node. */
export function parseTemplate(text: string): readonly (readonly PathNode[])[] {
  const actions: (readonly PathNode[])[] = [];
  let at = 0;
  while (at < text.length) {
    const open = text.indexOf('{', at);
    const end = open < 0 ? text.length : open;
    if (end > at) actions.push([{ kind: 'text', text: text.slice(at, end) }]);
    if (open < 0) break;
    const action = new ActionParser(text, open + 1);
    actions.push(action.parse());
    at = action.position;
  }
  return actions;
}

function parseAction(text: string): readonly PathNode[] {
  return new ActionParser(`${text}}`, 0).parse();
}

const TERMINATORS = new Set([' ', '\t', '\r', '\n', '.', ',', '[', ']', '$', '@', '{', '}', '']);
const COMPARISON = /^([^!<>=]+)([!<>=]+)(.+?)$/;

class ActionParser {
  position: number;
  readonly #text: string;
  readonly #nodes: PathNode[] = [];

  constructor(text: string, position: number) {
    this.#text = text;
    this.position = position;
  }

  /** Parses up to and with the closing brace. */
  parse(): readonly PathNode[] {
    for (;;) {
      const rest = this.#text.slice(this.position, this.position + 3);
      const character = rest[0] ?? '';
      if (character === '}') {
        this.position++;
        return this.#nodes;
      }
      if (rest === '[?(') this.#filter();
      else if (rest.startsWith('..')) this.#recursive();
      else if (character === '' || character === '\n' || character === '\r') {
        throw new JsonPathError('unclosed action');
      } else if (character === ' ' || character === '@' || character === '$') this.position++;
      else if (character === '[') this.#array();
      else if (character === '"' || character === "'") this.#quote(character);
      else if (character === '.') {
        this.position++;
        this.#field();
      } else if (/[-+0-9]/.test(character)) this.#number();
      else if (/[\p{L}\p{Nd}_]/u.test(this.#rune())) this.#identifier();
      else throw unrecognized(this.#rune());
    }
  }

  #rune(): string {
    return String.fromCodePoint(this.#text.codePointAt(this.position) ?? 0);
  }

  #field(): void {
    const start = this.position;
    while (!TERMINATORS.has(this.#text[this.position] ?? '')) {
      this.position += this.#text[this.position] === '\\' ? 2 : 1;
    }
    this.position = Math.min(this.position, this.#text.length);
    const name = this.#text.slice(start, this.position);
    this.#nodes.push(
      name === '*' ? { kind: 'wildcard' } : { kind: 'field', name: name.replaceAll('\\', '') },
    );
  }

  #recursive(): void {
    if (this.#nodes.at(-1)?.kind === 'recursive')
      throw new JsonPathError('invalid multiple recursive descent');
    this.position += 2;
    this.#nodes.push({ kind: 'recursive' });
    if (/[\p{L}\p{Nd}_]/u.test(this.#rune())) this.#field();
  }

  #identifier(): void {
    const start = this.position;
    while (!TERMINATORS.has(this.#text[this.position] ?? '')) this.position++;
    const name = this.#text.slice(start, this.position);
    this.#nodes.push(
      name === 'true' || name === 'false'
        ? { kind: 'literal', value: name === 'true' }
        : { kind: 'identifier', name },
    );
  }

  #number(): void {
    const text = /^[-+]?[0-9.]*/.exec(this.#text.slice(this.position))?.[0] ?? '';
    this.position += text.length;
    if (!/^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)$/.test(text))
      throw new JsonPathError(`cannot parse number ${text}`);
    this.#nodes.push({ kind: 'literal', value: Number(text) });
  }

  #quote(quote: string): void {
    const start = this.position;
    for (;;) {
      this.position++;
      const character = this.#text[this.position] ?? '';
      if (character === '' || character === '\n') throw new JsonPathError('unterminated quoted string');
      if (character === quote && this.#text[this.position - 1] !== '\\') break;
    }
    this.position++;
    const quoted = this.#text.slice(start, this.position);
    const text = unquote(quoted.slice(1, -1), quote);
    if (text === undefined) throw new JsonPathError(`unquote string ${quoted} error invalid syntax`);
    this.#nodes.push({ kind: 'text', text });
  }

  #array(): void {
    const match = /^\[([^\]\n]*)\]/.exec(this.#text.slice(this.position));
    if (match === null) throw new JsonPathError('unterminated array');
    this.position += match[0].length;
    const text = match[1] === '*' ? ':' : (match[1] ?? '');
    const parts = text.split(',');
    if (parts.length > 1) {
      const branches = parts.map((part) => parseAction(`[${part.replace(/^ +| +$/g, '')}]`));
      this.#nodes.push({ kind: 'union', branches });
      return;
    }
    const key = /^'([^']*)'$/.exec(text)?.[1];
    // COMPAT: a quoted key is read as a path, so that dots in it must be escaped.
    if (key !== undefined) this.#nodes.push(...parseAction(`.${key}`));
    else this.#nodes.push({ kind: 'slice', slice: parseSlice(text) });
  }

  #filter(): void {
    this.position += 3;
    const start = this.position;
    let quote: string | undefined;
    let closed = false;
    for (; ; this.position++) {
      const character = this.#text[this.position] ?? '';
      if (character === '' || character === '\n') throw new JsonPathError('unterminated filter');
      if (character === '"' || character === "'") {
        if (quote === undefined) quote = character;
        else if (character === quote && this.#text[this.position - 1] !== '\\') closed = true;
      } else if (character === ')' && (quote !== undefined) === closed) break;
    }
    const text = this.#text.slice(start, this.position);
    if (this.#text[this.position + 1] !== ']') throw new JsonPathError('unclosed array expect ]');
    this.position += 2;
    const [, left, operator, right] = COMPARISON.exec(text) ?? [];
    const filter: Filter =
      left === undefined || operator === undefined || right === undefined
        ? { left: parseAction(text), operator: 'exists', right: [] }
        : { left: parseAction(left), operator, right: parseAction(right) };
    this.#nodes.push({ kind: 'filter', filter });
  }
}

function unrecognized(character: string): JsonPathError {
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return new JsonPathError(`unrecognized character in action: U+${code} '${character}'`);
}

function parseSlice(text: string): Slice {
  const match = /^(-?[0-9]*)(:-?[0-9]*)?(:-?[0-9]*)?$/.exec(text);
  if (match === null) throw new JsonPathError(`invalid array index ${text}`);
  const [start, end, step] = match.slice(1).map((part: string | undefined, index) => {
    const digits = index === 0 ? part : part?.slice(1);
    if (digits === undefined || digits === '') return undefined;
    const value = Number(digits);
    if (Number.isNaN(value)) throw new JsonPathError(`array index ${digits} is not a number`);
    return value;
  });
  const derived = match[2] === undefined;
  return { start, end: derived ? (start ?? 0) + 1 : end, derived, step };
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
};

/** Go's unquoting, with either quote; undefined: not well formed. */
function unquote(text: string, quote: string): string | undefined {
  let result = '';
  let at = 0;
  while (at < text.length) {
    const character = text[at] ?? '';
    if (character !== '\\') {
      result += character;
      at++;
      continue;
    }
    const escape = text[at + 1] ?? '';
    const simple = Object.hasOwn(ESCAPES, escape) ? ESCAPES[escape] : escape === quote ? quote : undefined;
    if (simple !== undefined) {
      result += simple;
      at += 2;
      continue;
    }
    const numeric = /^\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([0-7]{3}))/.exec(
      text.slice(at),
    );
    if (numeric === null) return undefined;
    const [whole, byte, short, long, octal] = numeric;
    const code =
      octal === undefined ? Number.parseInt(byte ?? short ?? long ?? '', 16) : Number.parseInt(octal, 8);
    if (code > 0x10ffff) return undefined;
    result += String.fromCodePoint(code);
    at += whole.length;
  }
  return result;
}
