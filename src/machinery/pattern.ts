// Regular expressions with Go's meaning and RE2's promise of linear time, whoever wrote them. JavaScript's own engine
// is an order of magnitude faster, so it runs those patterns that mean the same there and cannot run away.
import { RE2JS } from 're2js';

/** A pattern that RE2 does not accept. */
export class PatternError extends Error {
  override name = 'PatternError';
}

export interface Pattern {
  /** Whether the pattern is found anywhere in `text`. */
  test(text: string): boolean;
}

// LIMIT: how many patterns are kept compiled; a flood of others empties the memory instead of growing it.
const KEPT_MAX = 4096;
const compiled = new Map<string, Pattern>();

/** Compiles an RE2 pattern, once. Throws PatternError. */
export function compilePattern(source: string): Pattern {
  const known = compiled.get(source);
  if (known !== undefined) return known;
  const pattern = nativePattern(source) ?? linearPattern(source);
  if (compiled.size >= KEPT_MAX) compiled.clear();
  compiled.set(source, pattern);
  return pattern;
}

function linearPattern(source: string): Pattern {
  const expression = linearExpression(source);
  return { test: (text) => expression.test(text) };
}

const machines = new Map<string, RE2JS>();

/** The RE2 machine itself, for what needs more than a yes or no. Throws PatternError. */
export function linearExpression(source: string): RE2JS {
  const known = machines.get(source);
  if (known !== undefined) return known;
  try {
    const machine = RE2JS.compile(source);
    if (machines.size >= KEPT_MAX) machines.clear();
    machines.set(source, machine);
    return machine;
  } catch (error) {
    throw new PatternError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

interface Native {
  readonly source: string;
  /** Repetitions without a bound, or with a large one: the degree of the worst case. */
  readonly repetitions: number;
}

// LIMIT: the worst-case steps that JavaScript's backtracking engine may take on one text; above, RE2 takes over.
const STEPS_MAX = 1_000_000;

function nativePattern(source: string): Pattern | undefined {
  const native = translate(source);
  if (native === undefined) return undefined;
  const expression = nativeExpression(native.source);
  if (expression === undefined) return undefined;
  const degree = native.repetitions + (source.startsWith('^') ? 0 : 1);
  const lengthMax = native.repetitions === 0 ? Number.POSITIVE_INFINITY : STEPS_MAX ** (1 / degree);
  let linear: Pattern | undefined;
  return {
    test(text) {
      if (text.length <= lengthMax) return expression.test(text);
      linear ??= linearPattern(source);
      return linear.test(text);
    },
  };
}

/** Undefined: RE2 will say what is wrong with it. */
function nativeExpression(source: string): RegExp | undefined {
  try {
    return new RegExp(source, 'u');
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const SAME_ESCAPES = new Set('dDwWbB');
const PUNCTUATION = /^[-!"#$%&'()*+,./:;<=>?@[\\\]^_`{|}~]$/;
/** What must be escaped in a class or outside under JavaScript's `u` flag, and so keeps its backslash. */
const SYNTAX = new Set('^$\\.*+?()[]{}|/-');

/**
 * The pattern for JavaScript; undefined for everything whose meaning or worst case differs there: flags, named
 * groups, Unicode and POSIX classes, and repeated groups that themselves repeat or choose.
 */
function translate(source: string): Native | undefined {
  let output = '';
  let repetitions = 0;
  /** For each open group: whether something inside repeats or chooses. */
  const groups: boolean[] = [];
  let closedComplex = false;
  let at = 0;
  const markComplex = (): void => {
    if (groups.length > 0) groups[groups.length - 1] = true;
  };
  while (at < source.length) {
    const character = source[at] ?? '';
    let simpleAtom = true;
    if (character === '\\') {
      const escape = translateEscape(source[at + 1] ?? '', false);
      if (escape === undefined) return undefined;
      output += escape;
      at += 2;
    } else if (character === '[') {
      const parsed = translateClass(source, at);
      if (parsed === undefined) return undefined;
      output += parsed.output;
      at = parsed.end;
    } else if (character === '(') {
      const plain = source.startsWith('(?:', at);
      if (!plain && source[at + 1] === '?') return undefined;
      groups.push(false);
      output += plain ? '(?:' : '(';
      at += plain ? 3 : 1;
      continue;
    } else if (character === ')') {
      const complex = groups.pop();
      if (complex === undefined) return undefined;
      closedComplex = complex;
      if (complex) markComplex();
      simpleAtom = !complex;
      output += ')';
      at++;
    } else if (character === '|') {
      markComplex();
      output += '|';
      at++;
      continue;
    } else if (character === '.') {
      output += '[^\\n]';
      at++;
    } else if (character === '*' || character === '+' || character === '?' || character === '{') {
      return undefined;
    } else if (character === '}' || character === ']' || character === '/') {
      output += `\\${character}`;
      at++;
    } else if (character === '^' || character === '$') {
      output += character;
      at++;
      continue;
    } else {
      const whole = String.fromCodePoint(source.codePointAt(at) ?? 0);
      output += whole;
      at += whole.length;
    }
    const quantifier = /^(?:[*+?]|\{(\d+)(?:,(\d*))?\})\??/.exec(source.slice(at, at + 16));
    if (quantifier === null) continue;
    const optional = quantifier[0].startsWith('?');
    if (!optional && !simpleAtom && closedComplex) return undefined;
    if (Number(quantifier[1] ?? 0) > 1000 || Number(quantifier[2] ?? 0) > 1000) return undefined;
    if (!optional) repetitions++;
    markComplex();
    output += quantifier[0];
    at += quantifier[0].length;
    if (/^[*+?{]/.test(source.slice(at))) return undefined;
  }
  return groups.length === 0 ? { source: output, repetitions } : undefined;
}

function translateEscape(character: string, inClass: boolean): string | undefined {
  if (character === 's') return inClass ? '\\t\\n\\f\\r ' : '[\\t\\n\\f\\r ]';
  if (SAME_ESCAPES.has(character)) {
    return inClass && (character === 'b' || character === 'B') ? undefined : `\\${character}`;
  }
  if ('nrtf'.includes(character) && character !== '') return `\\${character}`;
  if (!PUNCTUATION.test(character)) return undefined;
  if (!SYNTAX.has(character)) return character;
  return character === '-' && !inClass ? '-' : `\\${character}`;
}

function translateClass(source: string, start: number): { output: string; end: number } | undefined {
  let at = start + 1;
  let output = '[';
  if (source[at] === '^') {
    output += '^';
    at++;
  }
  for (let first = true; ; first = false) {
    const character = source[at];
    if (character === undefined) return undefined;
    if (character === ']' && !first) return { output: `${output}]`, end: at + 1 };
    if (character === '[' && source[at + 1] === ':') return undefined;
    if (character === '\\') {
      const escape = translateEscape(source[at + 1] ?? '', true);
      if (escape === undefined) return undefined;
      output += escape;
      at += 2;
    } else if (character === '-') {
      const edge = first || source[at + 1] === ']' || output === '[^';
      // A class such as `\w` may not start or end a range under the `u` flag.
      if (!edge && (/\\[dDwW]$/.test(output) || /^\\[dDwWs]/.test(source.slice(at + 1)))) return undefined;
      output += edge ? '\\-' : '-';
      at++;
    } else {
      const whole = String.fromCodePoint(source.codePointAt(at) ?? 0);
      output += SYNTAX.has(whole) ? `\\${whole}` : whole;
      at += whole.length;
    }
  }
}
