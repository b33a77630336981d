// Lua 5.1's grammar with the labels of 5.2, as gopher-lua has it, by recursive descent, with names resolved on the way. An error is raised at the first token that no
// script could have at its place, which is where gopher-lua's generated parser raises it too.
import type {
  BinaryOperator,
  Branch,
  Call,
  Expression,
  FunctionBody,
  Statement,
  TableItem,
  Target,
} from './ast.ts';
import { linkLabels } from './labels.ts';
import { Lexer, LuaSyntaxError, type Token } from './lexer.ts';
import { FunctionScope } from './scope.ts';
import { parseNumber } from './value.ts';

/** LIMIT: blocks, expressions and functions within each other. */
const NESTING_MAX = 190;
const UNARY_PRIORITY = 8;
/** How strongly an operator binds to its left and to its right. */
const PRIORITY: Readonly<Record<string, readonly [left: number, right: number]>> = {
  or: [1, 1],
  and: [2, 2],
  '<': [3, 3],
  '>': [3, 3],
  '<=': [3, 3],
  '>=': [3, 3],
  '~=': [3, 3],
  '==': [3, 3],
  '..': [5, 4],
  '+': [6, 6],
  '-': [6, 6],
  '*': [7, 7],
  '/': [7, 7],
  '%': [7, 7],
  '^': [10, 9],
};
const BLOCK_ENDS = new Set(['end', 'else', 'elseif', 'until']);

/** @param source bytes, one character each */
export function parse(source: string): FunctionBody {
  return new Parser(source).chunk();
}

class Parser {
  readonly #lexer: Lexer;
  #token: Token;
  #scope: FunctionScope;
  #nesting = 0;
  /** Of the token before. */
  #lastLine = 1;

  constructor(source: string) {
    this.#lexer = new Lexer(source);
    this.#scope = new FunctionScope('main chunk', true, undefined);
    this.#token = this.#lexer.next();
  }

  chunk(): FunctionBody {
    const block = this.#block();
    if (this.#token.type !== 'end') throw this.#unexpected();
    linkLabels(block, [], this.#lastLine + 1);
    return this.#scope.body([], block);
  }

  // ---- tokens

  #unexpected(message = 'syntax error'): LuaSyntaxError {
    return this.#lexer.error(this.#token.text, message);
  }

  #advance(): Token {
    const token = this.#token;
    this.#lastLine = token.line;
    this.#token = this.#lexer.next();
    return token;
  }

  #is(text: string): boolean {
    return this.#token.text === text && (this.#token.type === 'symbol' || this.#token.type === 'keyword');
  }

  #accept(text: string): boolean {
    if (!this.#is(text)) return false;
    this.#advance();
    return true;
  }

  #expect(text: string): void {
    if (!this.#accept(text)) throw this.#unexpected();
  }

  #name(): string {
    if (this.#token.type !== 'name') throw this.#unexpected();
    return this.#advance().text;
  }

  #nested<T>(parse: () => T): T {
    if (++this.#nesting > NESTING_MAX) throw this.#unexpected('chunk has too many syntax levels');
    const result = parse();
    this.#nesting--;
    return result;
  }

  // ---- statements

  /** In a scope of its own. */
  #block(): readonly Statement[] {
    return this.#nested(() => {
      const mark = this.#scope.open();
      const statements = this.#statements();
      this.#scope.close(mark);
      return statements;
    });
  }

  #statements(): readonly Statement[] {
    const statements: Statement[] = [];
    while (
      this.#token.type !== 'end' &&
      !(this.#token.type === 'keyword' && BLOCK_ENDS.has(this.#token.text))
    ) {
      if (this.#accept(';')) continue;
      if (this.#is('return') || this.#is('break')) {
        statements.push(this.#last());
        this.#accept(';');
        break;
      }
      statements.push(this.#statement());
    }
    return statements;
  }

  #last(): Statement {
    const { text, line } = this.#advance();
    if (text === 'break') {
      if (this.#scope.loops === 0) {
        throw new LuaSyntaxError(`compile error near line(${line}) <string>: no loop to break`);
      }
      return { type: 'break' };
    }
    const ends = this.#token.type === 'end' || this.#is(';') || BLOCK_ENDS.has(this.#token.text);
    return { type: 'return', values: ends && this.#token.type !== 'string' ? [] : this.#expressions() };
  }

  #statement(): Statement {
    switch (this.#token.type === 'keyword' ? this.#token.text : '') {
      case 'do': {
        this.#advance();
        const block = this.#block();
        this.#expect('end');
        return { type: 'do', block };
      }
      case 'while': {
        this.#advance();
        const condition = this.#expression();
        this.#expect('do');
        return { type: 'while', condition, block: this.#loopBlock() };
      }
      case 'repeat':
        return this.#repeat();
      case 'if':
        return this.#if();
      case 'for':
        return this.#for();
      case 'function':
        return this.#functionStatement();
      case 'goto': {
        const { line } = this.#advance();
        return { type: 'goto', name: this.#name(), line, label: undefined };
      }
      case 'local':
        this.#advance();
        return this.#accept('function') ? this.#localFunction() : this.#local();
      default:
        return this.#is('::') ? this.#label() : this.#expressionStatement();
    }
  }

  #label(): Statement {
    const { line } = this.#advance();
    const label = { name: this.#name() };
    this.#expect('::');
    return { type: 'label', label, line };
  }

  #loopBlock(): readonly Statement[] {
    this.#scope.loops++;
    const block = this.#block();
    this.#scope.loops--;
    this.#expect('end');
    return block;
  }

  /** The condition sees the locals of the block. */
  #repeat(): Statement {
    this.#advance();
    return this.#nested(() => {
      const mark = this.#scope.open();
      this.#scope.loops++;
      const block = this.#statements();
      this.#scope.loops--;
      this.#expect('until');
      const condition = this.#expression();
      this.#scope.close(mark);
      return { type: 'repeat', block, condition };
    });
  }

  #if(): Statement {
    const branches: Branch[] = [];
    do {
      this.#advance();
      const condition = this.#expression();
      this.#expect('then');
      branches.push({ condition, block: this.#block() });
    } while (this.#is('elseif'));
    const otherwise = this.#accept('else') ? this.#block() : [];
    this.#expect('end');
    return { type: 'if', branches, otherwise };
  }

  #for(): Statement {
    const { line } = this.#advance();
    const names = [this.#name()];
    if (this.#accept('=')) {
      const from = this.#expression();
      this.#expect(',');
      const to = this.#expression();
      const by = this.#accept(',') ? this.#expression() : undefined;
      this.#expect('do');
      const mark = this.#scope.open();
      const local = this.#scope.declare(names[0] ?? '');
      const block = this.#loopBlock();
      this.#scope.close(mark);
      return { type: 'numeric for', local, from, to, by, block, line };
    }
    while (this.#accept(',')) names.push(this.#name());
    this.#expect('in');
    const values = this.#expressions();
    this.#expect('do');
    const mark = this.#scope.open();
    const locals = names.map((name) => this.#scope.declare(name));
    const block = this.#loopBlock();
    this.#scope.close(mark);
    return { type: 'generic for', locals, values, block, line };
  }

  #functionStatement(): Statement {
    this.#advance();
    let name = this.#name();
    let target: Target = this.#scope.resolve(name);
    let method = false;
    while (!method && (this.#is('.') || this.#is(':'))) {
      const { text, line } = this.#advance();
      method = text === ':';
      const key = this.#name();
      name += text + key;
      target = { type: 'index', object: target, key: { type: 'constant', value: key }, line };
    }
    const body = this.#functionBody(name, method);
    return { type: 'assign', targets: [target], values: [{ type: 'function', body }] };
  }

  /** The function sees itself. */
  #localFunction(): Statement {
    const name = this.#name();
    const local = this.#scope.declare(name);
    return { type: 'local function', local, body: this.#functionBody(name, false) };
  }

  #local(): Statement {
    const names = [this.#name()];
    while (this.#accept(',')) names.push(this.#name());
    const values = this.#accept('=') ? this.#expressions() : [];
    return { type: 'local', locals: names.map((name) => this.#scope.declare(name)), values };
  }

  #expressionStatement(): Statement {
    const first = this.#suffixed();
    const assignable = first.type !== 'call' && first.type !== 'parenthesis';
    if (assignable && (this.#is('=') || this.#is(','))) {
      const targets = [first as Target];
      while (this.#accept(',')) {
        const target = this.#suffixed();
        if (target.type === 'call' || target.type === 'parenthesis') throw this.#unexpected();
        targets.push(target as Target);
      }
      this.#expect('=');
      return { type: 'assign', targets, values: this.#expressions() };
    }
    if (first.type !== 'call') throw this.#unexpected('parse error');
    return { type: 'call', call: first };
  }

  // ---- expressions

  #expressions(): readonly Expression[] {
    const list = [this.#expression()];
    while (this.#accept(',')) list.push(this.#expression());
    return list;
  }

  #expression(limit = 0): Expression {
    return this.#nested(() => {
      let left = this.#unary();
      for (;;) {
        const { text, type, line } = this.#token;
        const priority =
          (type === 'symbol' || type === 'keyword') && Object.hasOwn(PRIORITY, text)
            ? PRIORITY[text]
            : undefined;
        if (priority === undefined || priority[0] <= limit) return left;
        this.#advance();
        const right = this.#expression(priority[1]);
        left =
          text === 'and' || text === 'or'
            ? { type: text, left, right }
            : { type: 'binary', operator: text as BinaryOperator, left, right, line };
      }
    });
  }

  #unary(): Expression {
    if (!this.#is('not') && !this.#is('-') && !this.#is('#')) return this.#simple();
    const { text, line } = this.#advance();
    const operand = this.#expression(UNARY_PRIORITY);
    if (text === '-' && operand.type === 'constant' && typeof operand.value === 'number') {
      return { type: 'constant', value: -operand.value };
    }
    return { type: 'unary', operator: text as 'not' | '-' | '#', operand, line };
  }

  #simple(): Expression {
    const { type, text, line } = this.#token;
    if (type === 'number')
      return { type: 'constant', value: parseNumber(this.#advance().text) ?? Number.NaN };
    if (type === 'string') return { type: 'constant', value: this.#advance().text };
    if (this.#accept('nil')) return { type: 'constant', value: undefined };
    if (this.#accept('true')) return { type: 'constant', value: true };
    if (this.#accept('false')) return { type: 'constant', value: false };
    if (this.#is('{')) return this.#table();
    if (this.#accept('function')) return { type: 'function', body: this.#functionBody('anonymous', false) };
    if (type === 'symbol' && text === '...') {
      this.#advance();
      if (!this.#scope.variadic) {
        throw new LuaSyntaxError(
          `compile error near line(${line}) <string>: cannot use '...' outside a vararg function`,
        );
      }
      return { type: 'varargs' };
    }
    return this.#suffixed();
  }

  /** A name or something in parentheses, with indices and calls behind it. */
  #suffixed(): Expression {
    let expression: Expression;
    if (this.#accept('(')) {
      expression = { type: 'parenthesis', inner: this.#expression() };
      this.#expect(')');
    } else {
      expression = this.#scope.resolve(this.#name());
    }
    for (;;) {
      const { line } = this.#token;
      if (this.#accept('.')) {
        const key: Expression = { type: 'constant', value: this.#name() };
        expression = { type: 'index', object: expression, key, line };
      } else if (this.#accept('[')) {
        const key = this.#expression();
        this.#expect(']');
        expression = { type: 'index', object: expression, key, line };
      } else if (this.#accept(':')) {
        const method = this.#name();
        if (!this.#startsArguments()) throw this.#unexpected();
        expression = this.#call(expression, method, line);
      } else if (this.#startsArguments()) {
        expression = this.#call(expression, undefined, line);
      } else {
        return expression;
      }
    }
  }

  #startsArguments(): boolean {
    return this.#is('(') || this.#is('{') || this.#token.type === 'string';
  }

  #call(callee: Expression, method: string | undefined, line: number): Call {
    if (this.#token.type === 'string') {
      const args: Expression[] = [{ type: 'constant', value: this.#advance().text }];
      return { type: 'call', callee, method, args, line };
    }
    if (this.#is('{')) return { type: 'call', callee, method, args: [this.#table()], line };
    this.#expect('(');
    const args = this.#is(')') ? [] : this.#expressions();
    this.#expect(')');
    return { type: 'call', callee, method, args, line };
  }

  #table(): Expression {
    const { line } = this.#advance();
    const items: TableItem[] = [];
    while (!this.#is('}')) {
      items.push(this.#item());
      if (!this.#accept(',') && !this.#accept(';')) break;
    }
    this.#expect('}');
    return { type: 'table', items, line };
  }

  #item(): TableItem {
    if (this.#accept('[')) {
      const key = this.#expression();
      this.#expect(']');
      this.#expect('=');
      return { key, value: this.#expression() };
    }
    const value = this.#expression();
    // A name alone may turn out to be a key; resolving it before did no harm but for marking it as captured.
    const name =
      value.type === 'global' || value.type === 'local' ? nameOf(value) : this.#scope.nameOf(value);
    if (name === undefined || !this.#accept('=')) return { key: undefined, value };
    return { key: { type: 'constant', value: name }, value: this.#expression() };
  }

  #functionBody(name: string, method: boolean): FunctionBody {
    const outer = this.#scope;
    this.#expect('(');
    const names = method ? ['self'] : [];
    let variadic = false;
    while (!this.#is(')')) {
      variadic = this.#accept('...');
      if (variadic) break;
      names.push(this.#name());
      if (!this.#accept(',')) break;
      if (this.#is(')')) throw this.#unexpected();
    }
    this.#expect(')');
    this.#scope = new FunctionScope(name, variadic, outer);
    const parameters = names.map((parameter) => this.#scope.declare(parameter));
    const block = this.#block();
    this.#expect('end');
    linkLabels(block, names, this.#lastLine);
    const body = this.#scope.body(parameters, block);
    this.#scope = outer;
    return body;
  }
}

function nameOf(value: Extract<Expression, { type: 'global' | 'local' }>): string {
  return value.type === 'global' ? value.name : value.local.name;
}
