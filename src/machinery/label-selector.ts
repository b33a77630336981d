// Label selectors: the text form of queries and flags, and meta/v1 LabelSelector of specs, both compiled to one
// matcher. Grammar and messages are those of kube-apiserver.
import { goQuote } from './go-text.ts';
import { isLabelValue, isQualifiedName } from './names.ts';
import { badRequest, type StatusError } from './status-error.ts';

export type LabelOperator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt';

export interface LabelRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  /** Sorted, without repetition; one for `=`, `==`, `!=`, `gt` and `lt`, none for `exists` and `!`. */
  readonly values: readonly string[];
}

/** meta/v1 LabelSelector. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

export type Labels = Readonly<Record<string, string>> | undefined;

/** All requirements must hold. Immutable; may be kept and shared. */
export class Selector {
  readonly requirements: readonly LabelRequirement[];
  readonly #nothing: boolean;

  constructor(requirements: readonly LabelRequirement[], nothing = false) {
    this.requirements = requirements.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    this.#nothing = nothing;
  }

  /** Whether it selects everything. */
  get empty(): boolean {
    return !this.#nothing && this.requirements.length === 0;
  }

  matches(labels: Labels): boolean {
    if (this.#nothing) return false;
    for (const requirement of this.requirements) if (!holds(requirement, labels)) return false;
    return true;
  }

  /** The one value that `key` must have, when there is such a value. */
  exactValue(key: string): string | undefined {
    const found = this.requirements.find(
      ({ key: own, operator, values }) =>
        own === key && values.length === 1 && (operator === '=' || operator === '==' || operator === 'in'),
    );
    return found?.values[0];
  }

  /** The text form; `a=b,c in (d,e)`. */
  toString(): string {
    return this.requirements.map(requirementText).join(',');
  }
}

const EVERYTHING = new Selector([]);
const NOTHING = new Selector([], true);

export function everySelector(): Selector {
  return EVERYTHING;
}

export function noSelector(): Selector {
  return NOTHING;
}

function holds({ key, operator, values }: LabelRequirement, labels: Labels): boolean {
  const found = labels?.[key];
  // Labels are strings, and no prototype has a string property: no need to ask whose property it is.
  const value = typeof found === 'string' ? found : undefined;
  switch (operator) {
    case '=':
    case '==':
      return value !== undefined && value === values[0];
    case 'in':
      return value !== undefined && values.includes(value);
    case '!=':
    case 'notin':
      return value === undefined || !values.includes(value);
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    case 'gt':
    case 'lt': {
      const actual = value === undefined ? undefined : parseInt64(value);
      const bound = parseInt64(values[0] ?? '');
      if (actual === undefined || bound === undefined) return false;
      return operator === 'gt' ? actual > bound : actual < bound;
    }
  }
}

function requirementText({ key, operator, values }: LabelRequirement): string {
  switch (operator) {
    case 'exists':
      return key;
    case '!':
      return `!${key}`;
    case 'in':
    case 'notin':
      return `${key} ${operator} (${values.join(',')})`;
    case 'gt':
      return `${key}>${values[0]}`;
    case 'lt':
      return `${key}<${values[0]}`;
    default:
      return `${key}${operator}${values[0]}`;
  }
}

const MAX_INT64 = 9_223_372_036_854_775_807n;

function parseInt64(text: string): bigint | undefined {
  if (!/^[+-]?[0-9]+$/.test(text)) return undefined;
  const value = text.startsWith('+') ? BigInt(text.slice(1)) : BigInt(text);
  return value > MAX_INT64 || value < -MAX_INT64 - 1n ? undefined : value;
}

// COMPAT: a field error without a path prints Go's nil path.
const NO_PATH = '<nil>';

/** What is wrong with a requirement, in upstream's words; undefined: nothing. */
function complaint(key: string, operator: LabelOperator, values: readonly string[]): string | undefined {
  const complaints: string[] = [];
  const keyComplaints = isQualifiedName(key);
  if (keyComplaints.length > 0) {
    complaints.push(`key: Invalid value: ${goQuote(key)}: ${keyComplaints.join('; ')}`);
  }
  if ((operator === 'in' || operator === 'notin') && values.length === 0) {
    complaints.push("values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty");
  }
  if ((operator === 'exists' || operator === '!') && values.length > 0) {
    complaints.push(
      `values: Invalid value: ${JSON.stringify(values)}: values set must be empty for exists and does not exist`,
    );
  }
  if (operator === 'gt' || operator === 'lt') {
    values.forEach((value, index) => {
      if (parseInt64(value) !== undefined) return;
      const why = "for 'Gt', 'Lt' operators, the value must be an integer";
      complaints.push(`values[${index}]: Invalid value: ${goQuote(value)}: ${why}`);
    });
  }
  values.forEach((value, index) => {
    const valueComplaints = isLabelValue(value);
    if (valueComplaints.length === 0) return;
    complaints.push(
      `values[${index}][${key}]: Invalid value: ${goQuote(value)}: ${valueComplaints.join('; ')}`,
    );
  });
  if (complaints.length === 0) return undefined;
  return complaints.length === 1 ? complaints[0] : `[${complaints.join(', ')}]`;
}

function requirement(key: string, operator: LabelOperator, values: readonly string[]): LabelRequirement {
  const wrong = complaint(key, operator, values);
  if (wrong !== undefined) throw badRequest(wrong);
  return { key, operator, values: [...new Set(values)].sort() };
}

// ---- the text form

type Token = { readonly kind: 'identifier' | 'symbol' | 'end'; readonly text: string };
const SYMBOLS = new Set(['(', ')', ',', '!', '=', '==', '!=', '>', '<']);
const BINARY = 'in, notin, =, ==, !=, gt, lt';
const OPERATORS: Readonly<Record<string, LabelOperator>> = {
  in: 'in',
  notin: 'notin',
  '=': '=',
  '==': '==',
  '!=': '!=',
  '>': 'gt',
  '<': 'lt',
};

function tokens(text: string): Token[] {
  const found: Token[] = [];
  const scan = /[ \t\r\n]*(?:([=!(),><]+)|([^=!(),>< \t\r\n\0]+))/y;
  for (let match = scan.exec(text); match !== null; match = scan.exec(text)) {
    if (match[2] !== undefined) {
      found.push({ kind: 'identifier', text: match[2] });
      continue;
    }
    let run = match[1] ?? '';
    while (run !== '') {
      const length = SYMBOLS.has(run.slice(0, 2)) && run.length > 1 ? 2 : 1;
      found.push({ kind: 'symbol', text: run.slice(0, length) });
      run = run.slice(length);
    }
  }
  found.push({ kind: 'end', text: '' });
  return found;
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(text: string) {
    this.#tokens = tokens(text);
  }

  parse(): Selector {
    const requirements: LabelRequirement[] = [];
    if (this.#next.kind === 'end') return EVERYTHING;
    if (!this.#startsRequirement()) {
      throw unexpected(this.#next, "expected: !, identifier, or 'end of string'");
    }
    for (;;) {
      requirements.push(this.#requirement());
      const after = this.#take();
      if (after.kind === 'end') return new Selector(requirements);
      if (after.text !== ',') throw unexpected(after, "expected: ',' or 'end of string'");
      if (!this.#startsRequirement()) throw unexpected(this.#next, "expected: identifier after ','");
    }
  }

  get #next(): Token {
    return this.#tokens[this.#at] ?? { kind: 'end', text: '' };
  }

  #take(): Token {
    const token = this.#next;
    this.#at++;
    return token;
  }

  #startsRequirement(): boolean {
    return this.#next.kind === 'identifier' || this.#next.text === '!';
  }

  #requirement(): LabelRequirement {
    try {
      return this.#parseRequirement();
    } catch (error) {
      throw badRequest(`unable to parse requirement: ${(error as StatusError).message}`);
    }
  }

  #parseRequirement(): LabelRequirement {
    let token = this.#take();
    const absent = token.text === '!' && token.kind === 'symbol';
    if (absent) token = this.#take();
    if (token.kind !== 'identifier') throw unexpected(token, 'expected: identifier');
    const key = token.text;
    const complaints = isQualifiedName(key);
    if (complaints.length > 0) {
      throw badRequest(`${NO_PATH}: Invalid value: ${goQuote(key)}: ${complaints.join('; ')}`);
    }
    if (absent) return requirement(key, '!', []);
    if (this.#next.kind === 'end' || this.#next.text === ',') return requirement(key, 'exists', []);
    const word = this.#take();
    const operator = Object.hasOwn(OPERATORS, word.text) ? OPERATORS[word.text] : undefined;
    if (operator === undefined) throw badRequest(`found '${word.text}', expected: ${BINARY}`);
    return operator === 'in' || operator === 'notin'
      ? requirement(key, operator, this.#set())
      : requirement(key, operator, [this.#exactValue()]);
  }

  #exactValue(): string {
    if (this.#next.kind === 'end' || this.#next.text === ',') return '';
    const token = this.#take();
    if (token.kind !== 'identifier') throw unexpected(token, 'expected: identifier');
    return token.text;
  }

  #set(): string[] {
    const open = this.#take();
    if (open.text !== '(') throw badRequest(`found '${open.text}' expected: '('`);
    if (this.#next.text === ')') {
      this.#at++;
      return [''];
    }
    if (this.#next.kind !== 'identifier' && this.#next.text !== ',') {
      throw unexpected(this.#next, "expected: ',', ')' or identifier");
    }
    const values: string[] = [];
    // Between two commas, before the first and after the last stands an empty value.
    for (let afterComma = true; ;) {
      const token = this.#take();
      if (token.kind === 'identifier') {
        values.push(token.text);
        afterComma = false;
        if (this.#next.text !== ',' && this.#next.text !== ')') {
          throw unexpected(this.#next, "expected: ',' or ')'");
        }
      } else if (token.text === ',') {
        if (afterComma) values.push('');
        afterComma = true;
      } else if (token.text === ')') {
        if (afterComma) values.push('');
        return values;
      } else {
        throw unexpected(token, "expected: ',', or identifier");
      }
    }
  }
}

function unexpected(token: Token, expected: string): StatusError {
  return badRequest(`found '${token.text}', ${expected}`);
}

/** Parses `a=b,c!=d,e in (x,y),f notin (z),g,!h,i>1,j<9`. Throws a 400 StatusError with upstream's message. */
export function parseLabelSelector(text: string): Selector {
  return text === '' ? EVERYTHING : new Parser(text).parse();
}

// ---- the structured form

const STRUCTURED: Readonly<Record<string, LabelOperator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
};
const compiled = new WeakMap<LabelSelector, Selector>();

/**
 * Compiles a meta/v1 LabelSelector; absent selects nothing, empty everything. Throws a 400 StatusError when it is
 * not valid. Compiled once per frozen object.
 */
export function labelSelectorFor(selector: LabelSelector | undefined | null): Selector {
  if (selector === undefined || selector === null) return NOTHING;
  const known = compiled.get(selector);
  if (known !== undefined) return known;
  const requirements: LabelRequirement[] = Object.entries(selector.matchLabels ?? {}).map(([key, value]) =>
    requirement(key, '=', [value]),
  );
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const known = Object.hasOwn(STRUCTURED, operator) ? STRUCTURED[operator] : undefined;
    if (known === undefined) {
      throw badRequest(`${goQuote(operator)} is not a valid label selector operator`);
    }
    requirements.push(requirement(key, known, values));
  }
  const result = requirements.length === 0 ? EVERYTHING : new Selector(requirements);
  if (Object.isFrozen(selector)) compiled.set(selector, result);
  return result;
}
