// What Go's encoding/json says of a text that is no JSON: people and tools see these words in a server's answers.
import { goQuote } from './go-text.ts';

const END = 'unexpected end of JSON input';
const ESCAPES = 'bfnrt\\/"';
const LITERALS: Readonly<Record<string, string>> = { t: 'true', f: 'false', n: 'null' };

class SyntaxProblem extends Error {}

/** Reads bytes as Go does: it complains about the first that cannot stand where it stands. */
class Scanner {
  readonly #text: string;
  #at = 0;

  /** @param text one character for each byte */
  constructor(text: string) {
    this.#text = text;
  }

  whole(): void {
    this.#value();
    this.#space();
    if (this.#at < this.#text.length) this.#refuse('after top-level value');
  }

  #refuse(context: string): never {
    const character = this.#text[this.#at];
    if (character === undefined) throw new SyntaxProblem(END);
    throw new SyntaxProblem(`invalid character ${quoted(character)} ${context}`);
  }

  #space(): void {
    while (/[ \t\r\n]/.test(this.#text[this.#at] ?? '')) this.#at++;
  }

  #value(): void {
    // Values inside values are kept in a list, since a text may be nested deeper than calls can be.
    const open: ('{' | '[')[] = [];
    for (;;) {
      this.#space();
      const first = this.#text[this.#at] ?? '';
      if (first === '{' || first === '[') {
        this.#at++;
        this.#space();
        if (this.#text[this.#at] === (first === '{' ? '}' : ']')) this.#at++;
        else {
          open.push(first);
          if (first === '{') this.#key('looking for beginning of object key string');
          continue;
        }
      } else this.#scalar(first);
      if (!this.#next(open)) return;
    }
  }

  /** Goes on behind a value to where the next one begins; false: that was the last. */
  #next(open: ('{' | '[')[]): boolean {
    for (;;) {
      const inside = open.at(-1);
      if (inside === undefined) return false;
      this.#space();
      const found = this.#text[this.#at];
      if (found === (inside === '{' ? '}' : ']')) {
        this.#at++;
        open.pop();
        continue;
      }
      if (found !== ',') {
        this.#refuse(inside === '{' ? 'after object key:value pair' : 'after array element');
      }
      this.#at++;
      this.#space();
      if (inside === '{') this.#key('looking for beginning of object key string');
      return true;
    }
  }

  #key(context: string): void {
    if (this.#text[this.#at] !== '"') this.#refuse(context);
    this.#string();
    this.#space();
    if (this.#text[this.#at] !== ':') this.#refuse('after object key');
    this.#at++;
  }

  #scalar(first: string): void {
    if (first === '"') return this.#string();
    if (first === '-' || /[0-9]/.test(first)) return this.#number();
    const literal = LITERALS[first];
    if (literal === undefined) this.#refuse('looking for beginning of value');
    for (const expected of literal) {
      if (this.#text[this.#at] !== expected) {
        this.#refuse(`in literal ${literal} (expecting ${quoted(expected)})`);
      }
      this.#at++;
    }
  }

  #string(): void {
    this.#at++;
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined || character < ' ') this.#refuse('in string literal');
      this.#at++;
      if (character === '"') return;
      if (character === '\\') this.#escape();
    }
  }

  #escape(): void {
    const character = this.#text[this.#at] ?? '';
    if (character === 'u') {
      this.#at++;
      for (let i = 0; i < 4; i++, this.#at++) {
        if (!/[0-9a-fA-F]/.test(this.#text[this.#at] ?? ''))
          this.#refuse('in \\u hexadecimal character escape');
      }
      return;
    }
    if (character === '' || !ESCAPES.includes(character)) this.#refuse('in string escape code');
    this.#at++;
  }

  #number(): void {
    if (this.#text[this.#at] === '-') this.#at++;
    if (this.#text[this.#at] === '0') this.#at++;
    else this.#digits('in numeric literal');
    if (this.#text[this.#at] === '.') {
      this.#at++;
      this.#digits('after decimal point in numeric literal');
    }
    if (/[eE]/.test(this.#text[this.#at] ?? '')) {
      this.#at++;
      if (/[+-]/.test(this.#text[this.#at] ?? '')) this.#at++;
      this.#digits('in exponent of numeric literal');
    }
  }

  #digits(context: string): void {
    const from = this.#at;
    while (/[0-9]/.test(this.#text[this.#at] ?? '')) this.#at++;
    if (this.#at === from) this.#refuse(context);
  }
}

/** Go's quoteChar: a byte as a character of its own. */
function quoted(character: string): string {
  if (character === "'") return String.raw`'\''`;
  return character === '"' ? `'"'` : `'${goQuote(character).slice(1, -1)}'`;
}

/** `invalid character 'x' looking for beginning of value`; undefined where Go would read the text. */
export function goJsonError(bytes: Uint8Array): string | undefined {
  try {
    new Scanner(Buffer.from(bytes).toString('latin1')).whole();
    return undefined;
  } catch (error) {
    if (error instanceof SyntaxProblem) return error.message;
    throw error;
  }
}
