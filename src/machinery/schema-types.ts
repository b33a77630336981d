// What schemas and JSON values call the same thing: types, formats, lengths and multiples as kube-apiserver counts them.
import type { JsonValue, Schema } from '../api/index.ts';
import { isJsonList } from './json-draft.ts';
import { PatternError, compilePattern, type Pattern } from './pattern.ts';
import type { Plan } from './schema-plan.ts';
import { formatCheck } from './string-formats.ts';

export type JsonType = 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'object';

export function typeOf(value: JsonValue): JsonType {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'number':
      return Number.isInteger(value) ? 'integer' : 'number';
    case 'boolean':
      return 'boolean';
    default:
      return isJsonList(value) ? 'array' : 'object';
  }
}

/** What a schema says about single values, ready for use. */
export interface Constraints {
  /** Empty: any type. */
  readonly types: readonly string[];
  readonly format: string | undefined;
  readonly checkFormat: ((text: string) => boolean) | undefined;
  readonly pattern: Pattern | undefined;
  /** There is an allOf, anyOf, oneOf or not. */
  readonly composite: boolean;
}

export function constraintsOf(plan: Plan): Constraints {
  const { schema, special } = plan;
  const { allOf, anyOf, oneOf, not, type, pattern } = schema;
  const several = plan.intOrString || special === 'quantity';
  const open = special === 'quantity' ? ['integer', 'string', 'number'] : ['integer', 'string'];
  const format = several ? undefined : knownFormat(schema);
  return {
    types: several ? open : type === undefined ? [] : [type],
    format,
    checkFormat: format === undefined ? undefined : formatCheck(format),
    pattern: pattern === undefined || pattern === '' ? undefined : patternOf(pattern),
    composite:
      special === undefined &&
      (allOf !== undefined || anyOf !== undefined || oneOf !== undefined || not !== undefined),
  };
}

/** Undefined: a format that means nothing for the type. */
function knownFormat({ type, format }: Schema): string | undefined {
  if (format === undefined) return undefined;
  if (type === 'integer') return format === 'int32' || format === 'int64' ? format : undefined;
  if (type === 'number') return format === 'float' || format === 'double' ? format : undefined;
  if (type !== undefined && type !== 'string') return undefined;
  return formatCheck(format) === undefined ? undefined : format;
}

function patternOf(source: string): Pattern {
  try {
    return compilePattern(source);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    return { test: () => false };
  }
}

/** Whether an integer or a float is one that its format can hold. */
export function isInRange(value: number, type: string | undefined, format: string | undefined): boolean {
  if (type !== 'integer') return format !== 'float' || Math.abs(value) <= 3.4028234663852886e38;
  const bound = format === 'int32' ? 2 ** 31 : 2 ** 63;
  return !Number.isInteger(value) || (value < bound && value >= -bound);
}

/** Whether something is required of which elements of a list are different. */
export function isKeyedList(plan: Plan): boolean {
  const type = plan.schema['x-kubernetes-list-type'];
  return type === 'set' || type === 'map';
}

/** Characters as Go counts them: a pair of surrogates is one. */
export function countRunes(text: string): number {
  let count = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0xd800 && unit <= 0xdbff && i + 1 < text.length) {
      const next = text.charCodeAt(i + 1);
      if (next >= 0xdc00 && next <= 0xdfff) count--;
    }
  }
  return count;
}

export function isMultiple(value: number, factor: number): boolean {
  if (Number.isInteger(value) && Number.isInteger(factor)) return value % factor === 0;
  const times = factor < 1 ? (1 / factor) * value : value / factor;
  const whole = Math.round(times);
  return times === whole || Math.abs(times - whole) / (Math.abs(times) + Math.abs(whole)) < 1e-9;
}
