// The grammar of CEL, from tokens to nodes with their macros written out.
import { OPERATOR, type CallNode, type MapEntry, type Node, type StructField } from './ast.ts';
import { CompileError } from './issues.ts';
import { SyntaxIssue, tokenize, type Token } from './lexer.ts';
import { expandMacro } from './macros.ts';

// LIMIT: as kube-apiserver has them; deeper or longer expressions would cost more to check than they are worth.
const SOURCE_CHARACTERS_MAX = 100_000;
const DEPTH_MAX = 250;

const RESERVED: ReadonlySet<string> = new Set(
  'as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

const EXPRESSION_STARTS =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

/** Binary operators by how tightly they bind, the loosest first; `&&` and `||` are apart. */
const BINARY: readonly ReadonlySet<string>[] = [
  new Set(['<', '<=', '>=', '>', '==', '!=', 'in']),
  new Set(['+', '-']),
  new Set(['*', '/', '%']),
];

const binaryName = (operator: string): string => (operator === 'in' ? '@in' : `_${operator}_`);

/** Throws a CompileError. */
export function parseExpression(source: string): Node {
  try {
    const length = source.length > SOURCE_CHARACTERS_MAX ? Array.from(source).length : source.length;
    if (length > SOURCE_CHARACTERS_MAX) {
      const message = `expression code point size exceeds limit: size: ${length}, limit ${SOURCE_CHARACTERS_MAX}`;
      throw new SyntaxIssue(undefined, message);
    }
    return new Parser(tokenize(source)).parse();
  } catch (error) {
    if (error instanceof SyntaxIssue) throw new CompileError(source, [error.issue]);
    throw error;
  }
}

class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  parse(): Node {
    const node = this.#expression();
    if (this.#token.kind !== 'end') throw this.#mismatch('<EOF>');
    return node;
  }

  get #token(): Token {
    return this.#tokens[this.#next]!;
  }

  #is(operator: string): boolean {
    const { kind, text } = this.#token;
    return kind === 'operator' && text === operator;
  }

  #accept(operator: string): Token | undefined {
    if (!this.#is(operator)) return undefined;
    return this.#tokens[this.#next++];
  }

  #expect(operator: string): Token {
    const token = this.#accept(operator);
    if (token === undefined) throw this.#mismatch(`'${operator}'`);
    return token;
  }

  #mismatch(expected: string): SyntaxIssue {
    const { text, at } = this.#token;
    return new SyntaxIssue(at, `Syntax error: mismatched input '${text}' expecting ${expected}`);
  }

  #expression(): Node {
    if (++this.#depth > DEPTH_MAX) {
      throw new SyntaxIssue(undefined, `expression recursion limit exceeded: ${DEPTH_MAX}`);
    }
    const condition = this.#disjunction();
    const question = this.#accept('?');
    let node = condition;
    if (question !== undefined) {
      const whenTrue = this.#disjunction();
      this.#expect(':');
      const whenFalse = this.#expression();
      node = call(question.at, OPERATOR.conditional, [condition, whenTrue, whenFalse]);
    }
    this.#depth--;
    return node;
  }

  #disjunction(): Node {
    return this.#chain('||', OPERATOR.or, () => this.#chain('&&', OPERATOR.and, () => this.#binary(0)));
  }

  /** Long chains become balanced trees, so that no walk over them goes deep. */
  #chain(operator: string, name: string, term: () => Node): Node {
    const terms = [term()];
    const places: number[] = [];
    for (let token = this.#accept(operator); token !== undefined; token = this.#accept(operator)) {
      places.push(token.at);
      terms.push(term());
    }
    const balance = (from: number, to: number): Node => {
      if (from === to) return terms[from]!;
      const middle = Math.floor((from + to - 1) / 2);
      return call(places[middle]!, name, [balance(from, middle), balance(middle + 1, to)]);
    };
    return balance(0, terms.length - 1);
  }

  #binary(level: number): Node {
    const operators = BINARY[level];
    if (operators === undefined) return this.#unary();
    let left = this.#binary(level + 1);
    for (;;) {
      const { kind, text, at } = this.#token;
      if (kind !== 'operator' || !operators.has(text)) return left;
      this.#next++;
      left = call(at, binaryName(text), [left, this.#binary(level + 1)]);
    }
  }

  #unary(): Node {
    for (const [operator, name] of [
      ['!', OPERATOR.not],
      ['-', OPERATOR.negate],
    ] as const) {
      const first = this.#token;
      if (!this.#is(operator) || this.#isNegativeNumber()) continue;
      let count = 0;
      while (this.#is(operator) && !this.#isNegativeNumber()) {
        this.#next++;
        count++;
      }
      const operand = this.#member();
      return count % 2 === 0 ? operand : call(first.at, name, [operand]);
    }
    return this.#member();
  }

  #isNegativeNumber(): boolean {
    const after = this.#tokens[this.#next + 1];
    return this.#is('-') && after?.kind === 'literal' && /^[0-9.]/.test(after.text);
  }

  #member(): Node {
    let node = this.#primary();
    for (;;) {
      const dot = this.#accept('.');
      if (dot !== undefined) {
        node = this.#afterDot(node, dot);
        continue;
      }
      const bracket = this.#accept('[');
      if (bracket === undefined) return node;
      const name = this.#accept('?') === undefined ? OPERATOR.index : OPERATOR.optionalIndex;
      const index = this.#expression();
      this.#expect(']');
      node = call(bracket.at, name, [node, index]);
    }
  }

  #afterDot(operand: Node, dot: Token): Node {
    if (this.#accept('?') !== undefined) {
      const { text, at } = this.#name();
      const field: Node = { kind: 'literal', at, value: text };
      return call(dot.at, OPERATOR.optionalSelect, [operand, field]);
    }
    const { text: name } = this.#name();
    const open = this.#accept('(');
    if (open === undefined) return { kind: 'select', at: dot.at, operand, field: name, testOnly: false };
    const args = this.#list(')');
    return expandMacro({ kind: 'call', at: open.at, name, target: operand, args });
  }

  /** A name after a dot; there, reserved words are names like any other. */
  #name(): Token {
    const token = this.#token;
    if (token.kind !== 'name') throw this.#mismatch('IDENTIFIER');
    this.#next++;
    return token;
  }

  #list(end: string): readonly Node[] {
    const items: Node[] = [];
    while (!this.#is(end)) {
      items.push(this.#expression());
      if (this.#accept(',') === undefined) break;
      if (end === ')' && this.#is(end)) throw this.#mismatch(EXPRESSION_STARTS);
    }
    this.#expect(end);
    return items;
  }

  #primary(): Node {
    const token = this.#token;
    if (token.kind === 'literal') return this.#literal();
    if (token.kind === 'name' || this.#is('.')) return this.#reference();
    if (token.kind === 'operator') {
      switch (token.text) {
        case '(':
          return this.#parenthesized();
        case '[':
          return this.#listLiteral();
        case '{':
          return this.#mapLiteral();
        case '-':
          if (this.#isNegativeNumber()) return this.#literal();
          break;
        default:
      }
    }
    throw this.#mismatch(EXPRESSION_STARTS);
  }

  #parenthesized(): Node {
    this.#expect('(');
    const node = this.#expression();
    this.#expect(')');
    return node;
  }

  #literal(): Node {
    const { at } = this.#token;
    const negative = this.#accept('-') !== undefined;
    const { text, value } = this.#tokens[this.#next++]!;
    const kind = /u$/i.test(text) ? 'uint' : /^0x/i.test(text) || !/[.eE]/.test(text) ? 'int' : 'double';
    const isNumber = /^[0-9.]/.test(text);
    if (
      isNumber &&
      (value === undefined || (value === 2n ** 63n && !negative) || (negative && kind === 'uint'))
    ) {
      throw new SyntaxIssue(at, `invalid ${kind} literal`);
    }
    if (!negative) return { kind: 'literal', at, value: value ?? null };
    return { kind: 'literal', at, value: typeof value === 'bigint' ? -value : -(value as number) };
  }

  #reference(): Node {
    const { at } = this.#token;
    const dot = this.#accept('.') === undefined ? '' : '.';
    const { text } = this.#name();
    if (RESERVED.has(text)) throw new SyntaxIssue(at, `reserved identifier: ${text}`);
    const open = this.#accept('(');
    if (open !== undefined) {
      const args = this.#list(')');
      return expandMacro({ kind: 'call', at: open.at, name: dot + text, target: undefined, args });
    }
    return this.#structLiteral(dot + text) ?? { kind: 'ident', at, name: dot + text };
  }

  /** `a.b.C{...}` */
  #structLiteral(first: string): Node | undefined {
    let ahead = this.#next;
    let name = first;
    while (this.#tokens[ahead]?.text === '.' && this.#tokens[ahead + 1]?.kind === 'name') {
      name += `.${this.#tokens[ahead + 1]!.text}`;
      ahead += 2;
    }
    const brace = this.#tokens[ahead];
    if (brace?.kind !== 'operator' || brace.text !== '{') return undefined;
    this.#next = ahead + 1;
    const fields: StructField[] = [];
    while (!this.#is('}')) {
      const optional = this.#accept('?') !== undefined;
      const { at } = this.#token;
      const field = this.#name().text;
      this.#expect(':');
      fields.push({ name: field, value: this.#expression(), optional, at });
      if (this.#accept(',') === undefined) break;
    }
    this.#expect('}');
    return { kind: 'struct', at: brace.at, name, fields };
  }

  #listLiteral(): Node {
    const { at } = this.#expect('[');
    const items: Node[] = [];
    const optionals = new Set<number>();
    while (!this.#is(']')) {
      if (this.#accept('?') !== undefined) optionals.add(items.length);
      items.push(this.#expression());
      if (this.#accept(',') === undefined) break;
    }
    this.#expect(']');
    return { kind: 'list', at, items, optionals };
  }

  #mapLiteral(): Node {
    const { at } = this.#expect('{');
    const entries: MapEntry[] = [];
    while (!this.#is('}')) {
      const optional = this.#accept('?') !== undefined;
      const key = this.#expression();
      this.#expect(':');
      entries.push({ key, value: this.#expression(), optional });
      if (this.#accept(',') === undefined) break;
    }
    this.#expect('}');
    return { kind: 'map', at, entries };
  }
}

function call(at: number, name: string, args: readonly Node[]): CallNode {
  return { kind: 'call', at, name, target: undefined, args };
}
