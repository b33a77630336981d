// Go's text/template as far as `-o go-template` and the value templates of packages need it: fields, pipelines, variables, if, with, range, define and
// template, comments, trimming, and the functions that the language and kubectl have.
// LIMIT: no methods and no complex constants; what is not known is refused by name when the template is read.
import { FUNCTIONS, TemplateError, isTrue, type TemplateFunction } from './go-template-functions.ts';
import { goJson, goNumber, goQuote, goValue } from './go-text.ts';

export { TemplateError };

/** A template that is ready. */
export interface Template {
  /** Throws TemplateError with kubectl's words when the data do not fit. */
  print(data: unknown): string;
}

type Term =
  | { readonly kind: 'field'; readonly path: readonly string[]; readonly of?: Term }
  | { readonly kind: 'variable'; readonly name: string; readonly path: readonly string[] }
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'function'; readonly name: string }
  | { readonly kind: 'pipeline'; readonly pipeline: Pipeline };

type Functions = Readonly<Record<string, TemplateFunction>>;

/** A function or value with arguments. */
type Call = readonly Term[];

interface Pipeline {
  readonly variables: readonly string[];
  readonly declares: boolean;
  readonly calls: readonly Call[];
}

type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly pipeline: Pipeline }
  | {
      readonly kind: 'if' | 'with' | 'range';
      readonly pipeline: Pipeline;
      readonly body: readonly Part[];
      readonly otherwise: readonly Part[];
    }
  | { readonly kind: 'template'; readonly name: string; readonly pipeline: Pipeline | undefined }
  | { readonly kind: 'break' | 'continue' };

// ---- reading

interface Token {
  readonly kind: 'text' | 'word' | 'string' | 'number' | 'field' | 'variable' | 'sign' | 'open' | 'close';
  readonly text: string;
}

const TOKEN =
  /\s+|"(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\]|\\.)+'|\$[A-Za-z0-9_]*|\.[A-Za-z_][A-Za-z0-9_]*|[A-Za-z_][A-Za-z0-9_]*|[-+]?(?:0[xX][0-9a-fA-F]+|[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)|:=|[|().,=]/y;

function complain(why: string): never {
  throw new TemplateError(`error parsing template: template: output: ${why}`);
}

function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let trimNext = false;
  for (;;) {
    const open = source.indexOf('{{', at);
    let text = source.slice(at, open < 0 ? undefined : open);
    if (trimNext) text = text.trimStart();
    const trimBefore = open >= 0 && /^\{\{-\s/.test(source.slice(open, open + 4));
    if (trimBefore) text = text.trimEnd();
    if (text !== '') tokens.push({ kind: 'text', text });
    if (open < 0) return tokens;
    const action = readAction(source, open + (trimBefore ? 3 : 2));
    if (action.tokens.length > 0)
      tokens.push({ kind: 'open', text: '{{' }, ...action.tokens, { kind: 'close', text: '}}' });
    at = action.end;
    trimNext = action.trims;
  }
}

interface Action {
  readonly tokens: readonly Token[];
  readonly end: number;
  readonly trims: boolean;
}

function readAction(source: string, start: number): Action {
  const comment = /\s*\/\*[^]*?\*\/\s*(-?)\}\}/y;
  comment.lastIndex = start;
  const skipped = comment.exec(source);
  if (skipped !== null) return { tokens: [], end: comment.lastIndex, trims: skipped[1] === '-' };
  const tokens: Token[] = [];
  let at = start;
  for (;;) {
    const rest = source.slice(at, at + 4);
    if (rest.startsWith('}}')) return { tokens, end: at + 2, trims: false };
    if (/^\s-\}\}/.test(rest)) return { tokens, end: at + 4, trims: true };
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(source);
    if (found === null)
      complain(
        at >= source.length ? 'unclosed action' : `unexpected ${goQuote(source.slice(at, at + 1))} in action`,
      );
    const text = found[0];
    at = TOKEN.lastIndex;
    if (/^\s/.test(text)) {
      // A space ends a chain of fields: `.a .b` are two.
      if (tokens.length > 0) tokens.push({ kind: 'sign', text: ' ' });
      continue;
    }
    tokens.push(tokenOf(text));
  }
}

function tokenOf(text: string): Token {
  if (text.startsWith('"') || text.startsWith('`')) return { kind: 'string', text: unquote(text) };
  if (text.startsWith("'"))
    return { kind: 'number', text: String(unquote(`"${text.slice(1, -1)}"`).codePointAt(0)) };
  if (text.startsWith('$')) return { kind: 'variable', text };
  if (/^\.[A-Za-z_]/.test(text)) return { kind: 'field', text: text.slice(1) };
  if (/^[A-Za-z_]/.test(text)) return { kind: 'word', text };
  if (/^[-+]?[0-9]/.test(text)) return { kind: 'number', text };
  return { kind: 'sign', text };
}

function unquote(text: string): string {
  if (text.startsWith('`')) return text.slice(1, -1);
  const escapes: Readonly<Record<string, string>> = {
    n: '\n',
    t: '\t',
    r: '\r',
    a: '\u0007',
    b: '\b',
    f: '\f',
    v: '\v',
  };
  return text
    .slice(1, -1)
    .replaceAll(
      /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))/g,
      (_, x, u, long, one: string) => {
        const code = (x ?? u ?? long) as string | undefined;
        return code === undefined ? (escapes[one] ?? one) : String.fromCodePoint(Number.parseInt(code, 16));
      },
    );
}

/**
 * Compiles a template. Throws TemplateError for what it cannot read.
 * @param more functions besides Go's and kubectl's
 */
export function compileTemplate(
  source: string,
  more: Readonly<Record<string, TemplateFunction>> = {},
): Template {
  const functions = { ...FUNCTIONS, ...more };
  const reader = new Reader(tokenize(source), functions);
  const parts = reader.parts(false).parts;
  const { defined } = reader;
  return {
    print(data) {
      const run = new Run(defined, functions);
      run.parts(parts, data, new Scope(data));
      return run.out.join('');
    },
  };
}

class Reader {
  readonly defined = new Map<string, readonly Part[]>();
  private readonly tokens: readonly Token[];
  private readonly functions: Functions;
  private at = 0;

  constructor(tokens: readonly Token[], functions: Functions) {
    this.tokens = tokens;
    this.functions = functions;
  }

  /** Until the end of the template or, inside of a block, `{{end}}` or `{{else`. */
  parts(inside: boolean): { readonly parts: readonly Part[]; readonly ended: 'end' | 'else' } {
    const parts: Part[] = [];
    for (;;) {
      const token = this.tokens[this.at++];
      if (token === undefined) {
        if (inside) complain('unexpected EOF');
        return { parts, ended: 'end' };
      }
      if (token.kind === 'text') {
        parts.push({ kind: 'text', text: token.text });
        continue;
      }
      this.space();
      const word = this.peek()?.kind === 'word' ? (this.peek()?.text ?? '') : '';
      if (word === 'end' || word === 'else') {
        this.at++;
        if (!inside) complain(`unexpected {{${word}}}`);
        if (word === 'end') this.close();
        return { parts, ended: word };
      }
      const part = this.action(word);
      if (part !== undefined) parts.push(part);
    }
  }

  private action(word: string): Part | undefined {
    if (word === 'if' || word === 'with' || word === 'range') {
      this.at++;
      return this.block(word);
    }
    if (word === 'break' || word === 'continue') {
      this.at++;
      this.close();
      return { kind: word };
    }
    if (word === 'define' || word === 'block') complainUnless(word === 'define', 'block');
    if (word === 'define') {
      this.at++;
      const name = this.name('define');
      this.close();
      this.defined.set(name, this.parts(true).parts);
      return undefined;
    }
    if (word === 'template') {
      this.at++;
      const name = this.name('template');
      this.space();
      const pipeline = this.peek()?.kind === 'close' ? undefined : this.pipeline();
      this.close();
      return { kind: 'template', name, pipeline };
    }
    const pipeline = this.pipeline();
    this.close();
    return { kind: 'print', pipeline };
  }

  private block(kind: 'if' | 'with' | 'range'): Part {
    const pipeline = this.pipeline();
    this.close();
    const { parts: body, ended } = this.parts(true);
    if (ended === 'end') return { kind, pipeline, body, otherwise: [] };
    this.space();
    const next = this.peek();
    if (next?.kind === 'word' && (next.text === 'if' || next.text === 'with')) {
      this.at++;
      return { kind, pipeline, body, otherwise: [this.block(next.text)] };
    }
    this.close();
    return { kind, pipeline, body, otherwise: this.parts(true).parts };
  }

  private name(where: string): string {
    this.space();
    const token = this.tokens[this.at++];
    if (token?.kind !== 'string') complain(`unexpected ${goQuote(token?.text ?? 'EOF')} in ${where} clause`);
    return token.text;
  }

  private pipeline(): Pipeline {
    const { variables, declares } = this.variables();
    const calls: Call[] = [];
    for (;;) {
      const call = this.call();
      if (call.length === 0) complain('missing value for command');
      calls.push(call);
      this.space();
      if (this.peek()?.text !== '|' || this.peek()?.kind !== 'sign') return { variables, declares, calls };
      this.at++;
    }
  }

  /** `$x :=`, `$k, $v :=`, `$x =`. */
  private variables(): { readonly variables: readonly string[]; readonly declares: boolean } {
    const start = this.at;
    const variables: string[] = [];
    for (;;) {
      this.space();
      const token = this.tokens[this.at];
      if (token?.kind !== 'variable') break;
      this.at++;
      variables.push(token.text);
      this.space();
      const sign = this.peek()?.text;
      if (sign === ',') {
        this.at++;
        continue;
      }
      if (sign !== ':=' && sign !== '=') break;
      this.at++;
      return { variables, declares: sign === ':=' };
    }
    this.at = start;
    return { variables: [], declares: false };
  }

  private call(): Call {
    const terms: Term[] = [];
    for (;;) {
      this.space();
      const token = this.peek();
      if (token === undefined || token.kind === 'close') return terms;
      if (token.kind === 'sign' && (token.text === '|' || token.text === ')')) return terms;
      terms.push(this.term());
    }
  }

  private term(): Term {
    const token = this.tokens[this.at++]!;
    switch (token.kind) {
      case 'string':
        return { kind: 'value', value: token.text };
      case 'number':
        return { kind: 'value', value: Number(token.text) };
      case 'variable':
        return { kind: 'variable', name: token.text, path: this.fields() };
      case 'field':
        return { kind: 'field', path: [token.text, ...this.fields()] };
      case 'word': {
        const constants: Readonly<Record<string, unknown>> = { true: true, false: false, nil: null };
        if (Object.hasOwn(constants, token.text)) return { kind: 'value', value: constants[token.text] };
        if (!Object.hasOwn(this.functions, token.text) && token.text !== 'and' && token.text !== 'or')
          complain(`function ${goQuote(token.text)} not defined`);
        return { kind: 'function', name: token.text };
      }
      default:
        break;
    }
    if (token.text === '.') return { kind: 'field', path: this.fields() };
    if (token.text === '(') {
      const pipeline = this.pipeline();
      this.space();
      if (this.tokens[this.at++]?.text !== ')') complain('unclosed left paren');
      const path = this.fields();
      const inner: Term = { kind: 'pipeline', pipeline };
      return path.length === 0 ? inner : { kind: 'field', path, of: inner };
    }
    return complain(`unexpected ${goQuote(token.text)} in operand`);
  }

  private fields(): string[] {
    const path: string[] = [];
    for (let next = this.peek(); next?.kind === 'field'; next = this.peek()) {
      path.push(next.text);
      this.at++;
    }
    return path;
  }

  private peek(): Token | undefined {
    return this.tokens[this.at];
  }

  private space(): void {
    while (this.peek()?.kind === 'sign' && this.peek()?.text === ' ') this.at++;
  }

  private close(): void {
    this.space();
    const token = this.tokens[this.at++];
    if (token?.kind !== 'close') complain(`unexpected ${goQuote(token?.text ?? 'EOF')} in command`);
  }
}

function complainUnless(known: boolean, word: string): void {
  if (!known) complain(`${word} is not supported here`);
}

// ---- running

class Scope {
  private readonly values = new Map<string, unknown>();
  private readonly outer: Scope | undefined;

  constructor(root: unknown, outer?: Scope) {
    this.outer = outer;
    if (outer === undefined) this.values.set('$', root);
  }

  get(name: string): unknown {
    if (this.values.has(name)) return this.values.get(name);
    if (this.outer === undefined) return complain(`undefined variable ${goQuote(name)}`);
    return this.outer.get(name);
  }

  declare(name: string, value: unknown): void {
    this.values.set(name, value);
  }

  assign(name: string, value: unknown): void {
    if (this.values.has(name)) this.values.set(name, value);
    else if (this.outer === undefined) complain(`undefined variable ${goQuote(name)}`);
    else this.outer.assign(name, value);
  }
}

/** LIMIT: templates that call each other. */
const DEPTH_MAX = 1000;

class Run {
  readonly out: string[] = [];
  private readonly defined: ReadonlyMap<string, readonly Part[]>;
  private readonly functions: Functions;
  private depth = 0;

  constructor(defined: ReadonlyMap<string, readonly Part[]>, functions: Functions) {
    this.defined = defined;
    this.functions = functions;
  }

  /** Answers how the run of parts ended. */
  parts(parts: readonly Part[], dot: unknown, scope: Scope): 'break' | 'continue' | undefined {
    for (const part of parts) {
      const ended = this.part(part, dot, scope);
      if (ended !== undefined) return ended;
    }
    return undefined;
  }

  private part(part: Part, dot: unknown, scope: Scope): 'break' | 'continue' | undefined {
    switch (part.kind) {
      case 'text':
        this.out.push(part.text);
        return undefined;
      case 'print': {
        const value = this.pipeline(part.pipeline, dot, scope);
        if (part.pipeline.variables.length === 0) this.out.push(printed(value));
        return undefined;
      }
      case 'template': {
        const body = this.defined.get(part.name) ?? complain(`no such template ${goQuote(part.name)}`);
        if (++this.depth > DEPTH_MAX) complain('templates call each other without end');
        const data = part.pipeline === undefined ? undefined : this.pipeline(part.pipeline, dot, scope);
        this.parts(body, data, new Scope(data));
        this.depth--;
        return undefined;
      }
      case 'if':
      case 'with': {
        const inner = new Scope(dot, scope);
        const value = this.pipeline(part.pipeline, dot, inner);
        if (!isTrue(value)) return this.parts(part.otherwise, dot, inner);
        return this.parts(part.body, part.kind === 'with' ? value : dot, inner);
      }
      case 'range':
        return this.range(part, dot, scope);
      case 'break':
      case 'continue':
        return part.kind;
    }
  }

  private range(
    { pipeline, body, otherwise }: Part & { readonly kind: 'if' | 'with' | 'range' },
    dot: unknown,
    scope: Scope,
  ): 'break' | 'continue' | undefined {
    const value = this.pipeline({ ...pipeline, variables: [] }, dot, scope);
    const entries = entriesOf(value);
    if (entries.length === 0) return this.parts(otherwise, dot, scope);
    const [first, second] = pipeline.variables;
    for (const [key, item] of entries) {
      const inner = new Scope(dot, scope);
      const set = (name: string, one: unknown): void =>
        pipeline.declares ? inner.declare(name, one) : inner.assign(name, one);
      if (first !== undefined) set(first, second === undefined ? item : key);
      if (second !== undefined) set(second, item);
      if (this.parts(body, item, inner) === 'break') break;
    }
    return undefined;
  }

  private pipeline({ variables, declares, calls }: Pipeline, dot: unknown, scope: Scope): unknown {
    let value: unknown;
    calls.forEach((call, index) => {
      value = this.call(call, dot, scope, index === 0 ? [] : [value]);
    });
    for (const name of variables) {
      if (declares) scope.declare(name, value);
      else scope.assign(name, value);
    }
    return value;
  }

  private call(call: Call, dot: unknown, scope: Scope, piped: readonly unknown[]): unknown {
    const [head, ...rest] = call;
    if (head?.kind !== 'function') {
      if (rest.length > 0 || piped.length > 0) complain(`can't give argument to non-function`);
      return head === undefined ? undefined : this.term(head, dot, scope);
    }
    if (head.name === 'and' || head.name === 'or') {
      // They stop at the first that decides.
      let value: unknown;
      for (const term of rest) {
        value = this.term(term, dot, scope);
        if (isTrue(value) === (head.name === 'or')) return value;
      }
      return piped.length > 0 ? piped[0] : value;
    }
    const args = [...rest.map((term) => this.term(term, dot, scope)), ...piped];
    return this.functions[head.name]?.(...args);
  }

  private term(term: Term, dot: unknown, scope: Scope): unknown {
    switch (term.kind) {
      case 'value':
        return term.value;
      case 'field':
        return follow(term.of === undefined ? dot : this.term(term.of, dot, scope), term.path);
      case 'variable':
        return follow(scope.get(term.name), term.path);
      case 'pipeline':
        return this.pipeline(term.pipeline, dot, scope);
      case 'function':
        return this.call([term], dot, scope, []);
    }
  }
}

function follow(from: unknown, path: readonly string[]): unknown {
  let value = from;
  for (const name of path) {
    if (value === undefined || value === null) {
      if (value === null) complain(`nil pointer evaluating interface {}.${name}`);
      return undefined;
    }
    if (typeof value !== 'object' || Array.isArray(value))
      complain(
        `can't evaluate field ${name} in type ${Array.isArray(value) ? '[]interface {}' : typeof value}`,
      );
    value = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
  }
  return value;
}

function entriesOf(value: unknown): readonly (readonly [unknown, unknown])[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value.map((item: unknown, index) => [index, item] as const);
  if (typeof value === 'number') return Array.from({ length: value }, (_, index) => [index, index] as const);
  if (typeof value === 'object') {
    const fields = value as Record<string, unknown>;
    return Object.keys(fields)
      .sort()
      .map((key) => [key, fields[key]] as const);
  }
  return complain(`range can't iterate over ${typeof value === 'string' ? value : goJson(value)}`);
}

function printed(value: unknown): string {
  if (value === undefined || value === null) return '<no value>';
  if (typeof value === 'string') return value;
  return typeof value === 'number' ? goNumber(value) : goValue(value);
}
