// Cuts a script into tokens. Errors are placed and worded as gopher-lua does: at the last character that was read, which
// for a token that does not fit is that token's last one.

/** A script that cannot be compiled. The message ends as gopher-lua's does, with a line feed when it is the parser's. */
export class LuaSyntaxError extends Error {
  override name = 'LuaSyntaxError';
}

export interface Token {
  readonly type: 'name' | 'keyword' | 'number' | 'string' | 'symbol' | 'end';
  /** For strings, their bytes; for names, keywords and symbols, themselves. */
  readonly text: string;
  readonly line: number;
}

const KEYWORDS = new Set([
  'and', 'break', 'do', 'else', 'elseif', 'end', 'false', 'for', 'function', 'goto', 'if', 'in', 'local', 'nil', 'not',
  'or', 'repeat', 'return', 'then', 'true', 'until', 'while',
]); // prettier-ignore
const ESCAPES: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /0[xX][0-9a-fA-F]*|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d*)?/y;
const SYMBOLS = /\.\.\.|\.\.|==|~=|<=|>=|::|[-+*/%^#(){}\];,:.=<>]/y;

export class Lexer {
  readonly #source: string;
  #at = 0;
  #line = 1;
  #lineStart = 0;

  /** @param source bytes, one character each */
  constructor(source: string) {
    this.#source = source;
  }

  next(): Token {
    this.#skipBlanks();
    const line = this.#line;
    const character = this.#source[this.#at];
    if (character === undefined) return { type: 'end', text: '', line };
    const name = this.#match(NAME);
    if (name !== undefined) return { type: KEYWORDS.has(name) ? 'keyword' : 'name', text: name, line };
    const number = this.#match(NUMBER);
    if (number !== undefined) return { type: 'number', text: this.#checkedNumber(number), line };
    if (character === '"' || character === "'")
      return { type: 'string', text: this.#quoted(character), line };
    if (character === '[') {
      const after = this.#source[this.#at + 1];
      if (after === '[' || after === '=') {
        this.#at++;
        return { type: 'string', text: this.#long('string'), line };
      }
      this.#at++;
      return { type: 'symbol', text: '[', line };
    }
    const symbol = this.#match(SYMBOLS);
    if (symbol !== undefined) return { type: 'symbol', text: symbol, line };
    this.#at++;
    throw this.error(character, character === '~' ? "Invalid '~' token" : 'Invalid token');
  }

  /** Placed where reading stands. */
  error(near: string, message: string): LuaSyntaxError {
    if (near === '' && this.#at >= this.#source.length)
      return new LuaSyntaxError(`<string> at EOF:   ${message}\n`);
    const column = this.#at - this.#lineStart;
    return new LuaSyntaxError(`<string> line:${this.#line}(column:${column}) near '${near}':   ${message}\n`);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#source)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #checkedNumber(text: string): string {
    if (/^0[xX]$/.test(text)) throw this.error(text, 'illegal hexadecimal number');
    return text;
  }

  /** Takes a line end, which may be two characters. */
  #newline(): void {
    const pair = this.#source.slice(this.#at, this.#at + 2);
    this.#at += pair === '\r\n' || pair === '\n\r' ? 2 : 1;
    this.#line++;
    this.#lineStart = this.#at;
  }

  #skipBlanks(): void {
    for (;;) {
      const character = this.#source[this.#at];
      if (character === '\n' || character === '\r') this.#newline();
      else if (character === ' ' || character === '\t') this.#at++;
      else if (character === '-' && this.#source[this.#at + 1] === '-') this.#comment();
      else return;
    }
  }

  #comment(): void {
    this.#at += 2;
    if (this.#source[this.#at] === '[') {
      this.#at++;
      const after = this.#source[this.#at];
      if (after === '[' || after === '=') {
        this.#long('comment');
        return;
      }
    }
    while (this.#at < this.#source.length && !/[\r\n]/.test(this.#source[this.#at] ?? '')) this.#at++;
  }

  #quoted(quote: string): string {
    let text = '';
    this.#at++;
    for (;;) {
      const character = this.#source[this.#at];
      if (character === undefined || character === '\n' || character === '\r') {
        throw this.error(text, 'unterminated string');
      }
      this.#at++;
      if (character === quote) return text;
      text += character === '\\' ? this.#escape() : character;
    }
  }

  #escape(): string {
    const character = this.#source[this.#at] ?? '';
    if (character === '\n' || character === '\r') {
      this.#newline();
      return '\n';
    }
    const digits = /^\d{1,3}/.exec(this.#source.slice(this.#at, this.#at + 3))?.[0];
    this.#at += digits?.length ?? 1;
    if (digits !== undefined) return String.fromCharCode(Number(digits) & 0xff);
    return Object.hasOwn(ESCAPES, character) ? (ESCAPES[character] ?? '') : character;
  }

  /** From behind the first bracket: `[[ ... ]]`, `[==[ ... ]==]`. */
  #long(what: 'string' | 'comment'): string {
    let level = 0;
    while (this.#source[this.#at] === '=') {
      this.#at++;
      level++;
    }
    const opener = this.#source[this.#at] ?? '';
    this.#at++;
    if (opener !== '[') throw this.error(opener, `invalid multiline ${what}`);
    const start = this.#at;
    const close = `]${'='.repeat(level)}]`;
    const end = this.#source.indexOf(close, start);
    while (this.#at < (end < 0 ? this.#source.length : end)) {
      if (/[\r\n]/.test(this.#source[this.#at] ?? '')) this.#newline();
      else this.#at++;
    }
    if (end < 0)
      throw this.error('', what === 'string' ? 'unterminated multiline string' : 'invalid multiline comment');
    this.#at = end + close.length;
    return this.#source
      .slice(start, end)
      .replace(/^(\r\n|\n\r|\n|\r)/, '')
      .replaceAll(/\r\n|\n\r|\r/g, '\n');
  }
}
