// `'%s is %d'.format([…])`.
import { goQuote } from '../go-text.ts';
import { stringOf } from './conversions.ts';
import type { CelType, Kind } from './types.ts';
import { typeOfValue } from './value-types.ts';
import { EvaluationError, ListValue, MapValue, OpaqueValue, Optional, Uint, type Value } from './values.ts';

/** A format that cannot be filled in. `argument`: which of them does not fit. */
export class FormatIssue extends Error {
  override name = 'FormatIssue';
  readonly argument: number | undefined;
  constructor(message: string, argument?: number) {
    super(message);
    this.argument = argument;
  }
}

interface Clause {
  readonly kinds: readonly Kind[];
  readonly complaint: string;
  print(value: Value, precision: number | undefined): string;
}

const ANYTHING: readonly Kind[] = [
  'list',
  'map',
  'int',
  'uint',
  'double',
  'bool',
  'string',
  'timestamp',
  'bytes',
  'duration',
  'type',
  'null',
];
const ANYTHING_COMPLAINT =
  'string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps';

const hexadecimal = (value: Value): string => {
  if (typeof value === 'string' || value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  return integerOf(value).toString(16);
};
const HEXADECIMAL = {
  kinds: ['int', 'uint', 'string', 'bytes'],
  complaint: 'only integers, byte buffers, and strings can be formatted as hex',
} as const;

const CLAUSES: ReadonlyMap<string, Clause> = new Map<string, Clause>([
  ['s', { kinds: ANYTHING, complaint: ANYTHING_COMPLAINT, print: (value) => printed(value) }],
  [
    'd',
    {
      kinds: ['int', 'uint'],
      complaint: 'decimal clause can only be used on integers',
      print: (value) => String(integerOf(value)),
    },
  ],
  [
    'f',
    {
      kinds: ['double', 'string'],
      complaint: 'fixed-point clause can only be used on doubles',
      print: (value, precision = 6) => fixed(doubleOf(value), precision),
    },
  ],
  [
    'e',
    {
      kinds: ['double', 'string'],
      complaint: 'scientific clause can only be used on doubles',
      // COMPAT: a precision is read and changes nothing.
      print: (value) => scientific(doubleOf(value)),
    },
  ],
  [
    'b',
    {
      kinds: ['int', 'uint', 'bool'],
      complaint: 'only integers and bools can be formatted as binary',
      print: (value) => (typeof value === 'boolean' ? String(Number(value)) : integerOf(value).toString(2)),
    },
  ],
  ['x', { ...HEXADECIMAL, print: hexadecimal }],
  ['X', { ...HEXADECIMAL, print: (value) => hexadecimal(value).toUpperCase() }],
  [
    'o',
    {
      kinds: ['int', 'uint'],
      complaint: 'octal clause can only be used on integers',
      print: (value) => integerOf(value).toString(8),
    },
  ],
]);

function integerOf(value: Value): bigint {
  return value instanceof Uint ? value.value : (value as bigint);
}

const WORDS: ReadonlyMap<Value, number> = new Map<Value, number>([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);

function doubleOf(value: Value): number {
  return typeof value === 'number' ? value : WORDS.get(value)!;
}

interface Piece {
  /** What stands before. */
  readonly text: string;
  readonly clause: Clause | undefined;
  readonly precision: number | undefined;
}

function parseFormat(format: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let text = '';
  let at = 0;
  while (at < format.length) {
    if (format[at] !== '%') text += format[at++];
    else if (format[at + 1] === '%') {
      text += '%';
      at += 2;
    } else {
      const [whole, digits] = /^%(?:\.([0-9]*))?/.exec(format.slice(at))!;
      const verb = String.fromCodePoint(format.codePointAt(at + whole.length) ?? 0);
      if (at + whole.length >= format.length) {
        throw new FormatIssue(
          digits === undefined
            ? 'unexpected end of string'
            : 'could not parse formatting clause: error while parsing precision: could not find end of precision specifier',
        );
      }
      const clause = CLAUSES.get(verb);
      if (clause === undefined) {
        throw new FormatIssue(`could not parse formatting clause: unrecognized formatting clause "${verb}"`);
      }
      pieces.push({ text, clause, precision: digits === undefined ? undefined : Number(digits) });
      text = '';
      at += whole.length + verb.length;
    }
  }
  return [...pieces, { text, clause: undefined, precision: undefined }];
}

/** Whether arguments of these types fit the format. Throws a FormatIssue. */
export function checkFormat(format: string, types: readonly CelType[]): void {
  let next = 0;
  for (const { clause } of parseFormat(format)) {
    if (clause === undefined) continue;
    const index = next++;
    const type = types[index];
    if (type === undefined) throw new FormatIssue(`index ${index} out of range`);
    if (type.kind === 'dyn' || clause.kinds.includes(type.kind)) continue;
    throw new FormatIssue(`error during formatting: ${clause.complaint}, was given ${type.name}`, index);
  }
  if (types.length > next) {
    throw new FormatIssue(
      `too many arguments supplied to string.format (expected ${next}, got ${types.length})`,
    );
  }
}

// LIMIT: what `toFixed` can do, and more than anyone needs.
const PRECISION_MAX = 100;

export function formatString(format: string, values: ListValue): string {
  try {
    let next = 0;
    return parseFormat(format)
      .map(({ text, clause, precision }) => {
        if (clause === undefined) return text;
        const index = next++;
        if (index >= values.size) throw new FormatIssue(`index ${index} out of range`);
        if (precision !== undefined && precision > PRECISION_MAX) {
          throw new FormatIssue(`precision ${precision} exceeds maximum allowed precision ${PRECISION_MAX}`);
        }
        return text + formatOne(clause, values.at(index), precision);
      })
      .join('');
  } catch (error) {
    if (error instanceof FormatIssue) throw new EvaluationError(error.message, { cause: error });
    throw error;
  }
}

function formatOne(clause: Clause, value: Value, precision: number | undefined): string {
  const { kind, name } = typeOfValue(value);
  const fits =
    clause.kinds.includes(kind) &&
    (kind !== 'string' || !clause.kinds.includes('double') || WORDS.has(value));
  if (!fits && clause.kinds !== ANYTHING) {
    throw new FormatIssue(`error during formatting: ${clause.complaint}, was given ${name}`);
  }
  return clause.print(value, precision);
}

// ---- %s

function printed(value: Value): string {
  if (value instanceof ListValue) return `[${Array.from(value, nested).join(', ')}]`;
  if (value instanceof MapValue) return printedMap(value);
  if (value === null) return 'null';
  if (value instanceof OpaqueValue || value instanceof Optional) {
    const { name } = typeOfValue(value);
    throw new FormatIssue(`error during formatting: ${ANYTHING_COMPLAINT}, was given ${name}`);
  }
  return stringOf(value);
}

/** As expressions write it. */
function nested(value: Value): string {
  if (typeof value === 'string') return goQuote(value);
  if (value instanceof Uint8Array) return `b${goQuote(stringOf(value))}`;
  if (typeof value === 'number') {
    return Number.isFinite(value) ? value.toFixed(6) : goQuote(stringOf(value));
  }
  if (typeof value === 'object' && value !== null && 'nanoseconds' in value) {
    return `${value.kind}(${goQuote(value.toString())})`;
  }
  return printed(value);
}

function printedMap(map: MapValue): string {
  const entries = Array.from(map.keys(), (key): [string, string] => [nested(key), nested(map.find(key)!)]);
  entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${entries.map(([key, value]) => `${key}:${value}`).join(', ')}}`;
}

// ---- %f and %e, as American English has them

function fixed(value: number, precision: number): string {
  if (!Number.isFinite(value)) return notFinite(value);
  const [whole = '', fraction] = value.toFixed(precision).split('.');
  const grouped = whole.replaceAll(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

const SUPERSCRIPTS: Readonly<Record<string, string>> = {
  '-': '\u207b',
  '0': '\u2070',
  '1': '\u00b9',
  '2': '\u00b2',
  '3': '\u00b3',
  '4': '\u2074',
  '5': '\u2075',
  '6': '\u2076',
  '7': '\u2077',
  '8': '\u2078',
  '9': '\u2079',
};

function scientific(value: number): string {
  if (!Number.isFinite(value)) return notFinite(value);
  const [mantissa = '', exponent = '0'] = value.toExponential(6).split('e');
  const sign = exponent.startsWith('-') ? '-' : '';
  const digits = sign + exponent.replace(/^[-+]/, '').padStart(2, '0');
  const raised = Array.from(digits, (digit) => SUPERSCRIPTS[digit]!).join('');
  return `${mantissa}\u00d710${raised}`;
}

function notFinite(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '\u221e' : '-\u221e';
}
