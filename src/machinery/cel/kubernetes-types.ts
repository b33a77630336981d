// Quantities, semantic versions and named formats in expressions.
import {
  isLabelValue,
  isQualifiedName,
  nameIsDns1035Label,
  nameIsDnsLabel,
  nameIsDnsSubdomain,
} from '../names.ts';
import { Quantity, QuantityError } from '../quantity.ts';
import { parseRequestUri } from '../request-uri.ts';
import { formatCheck } from '../string-formats.ts';
import type { FunctionTable } from './functions.ts';
import { BOOL, DOUBLE, INT, STRING, listOf, opaque, optionalOf } from './types.ts';
import { EvaluationError, OpaqueValue, Optional, PlainList } from './values.ts';

const QUANTITY = opaque('kubernetes.Quantity');
const SEMVER = opaque('kubernetes.Semver');
const FORMAT = opaque('kubernetes.NamedFormat');

// ---- quantities

class QuantityValue extends OpaqueValue {
  readonly type = QUANTITY;
  readonly quantity: Quantity;
  constructor(quantity: Quantity) {
    super();
    this.quantity = quantity;
  }
  equals({ quantity }: QuantityValue): boolean {
    return this.quantity.equals(quantity);
  }
}

function quantity(text: string): QuantityValue {
  try {
    return new QuantityValue(Quantity.parse(text));
  } catch (error) {
    if (error instanceof QuantityError) throw new EvaluationError(error.message, { cause: error });
    throw error;
  }
}

const NANOS_IN_ONE = 1_000_000_000n;

/** Undefined: it is no whole number of 64 bits. */
function integerOf({ quantity: { nanos } }: QuantityValue): bigint | undefined {
  const whole = nanos / NANOS_IN_ONE;
  const fits = whole < 2n ** 63n && whole >= -(2n ** 63n);
  return nanos % NANOS_IN_ONE === 0n && fits ? whole : undefined;
}

function asInteger(value: QuantityValue): bigint {
  const integer = integerOf(value);
  if (integer === undefined) throw new EvaluationError('cannot convert value to integer');
  return integer;
}

type Combine = (a: Quantity, b: Quantity) => Quantity;

function quantityFunctions(table: FunctionTable): void {
  const pair = [QUANTITY, QUANTITY];
  const order = (a: QuantityValue, b: QuantityValue): number => a.quantity.compare(b.quantity);
  table
    .global('quantity', 'string_to_quantity', [STRING], QUANTITY, quantity)
    .global(
      'isQuantity',
      'is_quantity_string',
      [STRING],
      BOOL,
      (text: string) => Quantity.tryParse(text) !== undefined,
    )
    // COMPAT: the only one that is no method.
    .global('sign', 'quantity_sign', [QUANTITY], INT, (value: QuantityValue) => BigInt(value.quantity.sign))
    .member(
      'isInteger',
      'quantity_is_integer',
      [QUANTITY],
      BOOL,
      (value: QuantityValue) => integerOf(value) !== undefined,
    )
    .member('asInteger', 'quantity_get_int', [QUANTITY], INT, asInteger)
    .member('asApproximateFloat', 'quantity_get_float', [QUANTITY], DOUBLE, (value: QuantityValue) =>
      value.quantity.toNumber(),
    )
    .member(
      'isGreaterThan',
      'quantity_is_greater_than',
      pair,
      BOOL,
      (a: QuantityValue, b: QuantityValue) => order(a, b) > 0,
    )
    .member(
      'isLessThan',
      'quantity_is_less_than',
      pair,
      BOOL,
      (a: QuantityValue, b: QuantityValue) => order(a, b) < 0,
    )
    .member('compareTo', 'quantity_compare_to', pair, INT, (a: QuantityValue, b: QuantityValue) =>
      BigInt(order(a, b)),
    );
  for (const [name, combine] of [
    ['add', (a, b) => a.add(b)],
    ['sub', (a, b) => a.sub(b)],
  ] as readonly (readonly [string, Combine])[]) {
    table
      .member(
        name,
        `quantity_${name}`,
        pair,
        QUANTITY,
        (a: QuantityValue, b: QuantityValue) => new QuantityValue(combine(a.quantity, b.quantity)),
      )
      .member(
        name,
        `quantity_${name}_int`,
        [QUANTITY, INT],
        QUANTITY,
        (a: QuantityValue, b: bigint) =>
          new QuantityValue(combine(a.quantity, Quantity.of(b, 'DecimalExponent'))),
      );
  }
}

// ---- semantic versions

const VERSION =
  /^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$/;

class SemverValue extends OpaqueValue {
  readonly type = SEMVER;
  readonly core: readonly bigint[];
  readonly pre: readonly string[];
  constructor(core: readonly bigint[], pre: readonly string[]) {
    super();
    this.core = core;
    this.pre = pre;
  }
  equals(other: SemverValue): boolean {
    return compareVersions(this, other) === 0;
  }
}

function semver(text: string): SemverValue {
  const match = VERSION.exec(text);
  const pre = match?.[4]?.split('.') ?? [];
  if (match === null) {
    throw new EvaluationError(text === '' ? 'Version string empty' : 'No Major.Minor.Patch elements found');
  }
  if (pre.some((part) => /^0[0-9]+$/.test(part))) {
    throw new EvaluationError('Numeric PreRelease version must not contain leading zeroes');
  }
  const core = match.slice(1, 4).map(BigInt);
  if (core.some((part) => part >= 2n ** 64n)) throw new EvaluationError('value out of range');
  return new SemverValue(core, pre);
}

/** `v1.2` and `01.2.3`, too. */
function tolerantSemver(text: string): SemverValue {
  const parts = text.replace(/^v/, '').split('.');
  const [major = '', minor = '', ...rest] = parts;
  const three = parts.length < 3 ? parts : [major, minor, rest.join('.')];
  const bare = three.map(withoutLeadingZeros);
  if (bare.length < 3 && /[-+]/.test(bare.at(-1) ?? '')) {
    throw new EvaluationError('short version cannot contain PreRelease/Build meta data');
  }
  while (bare.length < 3) bare.push('0');
  return semver(bare.join('.'));
}

/** One zero stays where nothing else would be left of the number. */
function withoutLeadingZeros(part: string): string {
  const rest = part.replace(/^0+/, '');
  if (part.length <= 1) return part;
  return /^[0-9]/.test(rest) ? rest : `0${rest}`;
}

function compareVersions(a: SemverValue, b: SemverValue): number {
  for (const [index, part] of a.core.entries()) {
    const other = b.core[index]!;
    if (part !== other) return part < other ? -1 : 1;
  }
  if (a.pre.length === 0 || b.pre.length === 0) return Math.sign(b.pre.length - a.pre.length);
  for (const [index, part] of a.pre.entries()) {
    const other = b.pre[index];
    if (other === undefined) return 1;
    const order = comparePart(part, other);
    if (order !== 0) return order;
  }
  return a.pre.length < b.pre.length ? -1 : 0;
}

function comparePart(a: string, b: string): number {
  const [first, second] = [/^[0-9]+$/.test(a), /^[0-9]+$/.test(b)];
  if (first !== second) return first ? -1 : 1;
  const [x, y] = first ? [BigInt(a), BigInt(b)] : [a, b];
  return x < y ? -1 : x > y ? 1 : 0;
}

function isSemver(read: (text: string) => SemverValue, text: string): boolean {
  try {
    read(text);
    return true;
  } catch (error) {
    if (error instanceof EvaluationError) return false;
    throw error;
  }
}

function semverFunctions(table: FunctionTable): void {
  const pair = [SEMVER, SEMVER];
  const reader = (tolerant: boolean): ((text: string) => SemverValue) => (tolerant ? tolerantSemver : semver);
  table
    .global('semver', 'string_to_semver', [STRING], SEMVER, semver)
    .global('semver', 'string_bool_to_semver', [STRING, BOOL], SEMVER, (text: string, tolerant: boolean) =>
      reader(tolerant)(text),
    )
    .global('isSemver', 'is_semver_string', [STRING], BOOL, (text: string) => isSemver(semver, text))
    .global('isSemver', 'is_semver_string_bool', [STRING, BOOL], BOOL, (text: string, tolerant: boolean) =>
      isSemver(reader(tolerant), text),
    )
    .member(
      'isGreaterThan',
      'semver_is_greater_than',
      pair,
      BOOL,
      (a: SemverValue, b: SemverValue) => compareVersions(a, b) > 0,
    )
    .member(
      'isLessThan',
      'semver_is_less_than',
      pair,
      BOOL,
      (a: SemverValue, b: SemverValue) => compareVersions(a, b) < 0,
    )
    .member('compareTo', 'semver_compare_to', pair, INT, (a: SemverValue, b: SemverValue) =>
      BigInt(compareVersions(a, b)),
    );
  ['major', 'minor', 'patch'].forEach((part, index) => {
    table.member(part, `semver_${part}`, [SEMVER], INT, ({ core }: SemverValue) => core[index]!);
  });
}

// ---- named formats

type Complaints = (text: string) => readonly string[];

export class FormatValue extends OpaqueValue {
  readonly type = FORMAT;
  readonly name: string;
  readonly complaints: Complaints;
  /** How long a pattern for the format would be, which is what checking it costs. */
  readonly patternLength: number;
  constructor(name: string, patternLength: number, complaints: Complaints) {
    super();
    this.name = name;
    this.complaints = complaints;
    this.patternLength = patternLength;
  }
  equals({ name }: FormatValue): boolean {
    return this.name === name;
  }
}

function known(format: string, complaint: string): Complaints {
  const check = formatCheck(format)!;
  return (text) => (check(text) ? [] : [complaint]);
}

const FORMATS: ReadonlyMap<string, FormatValue> = new Map(
  [
    new FormatValue('dns1123Label', 30, (text) => nameIsDnsLabel(text, false)),
    new FormatValue('dns1123Subdomain', 60, (text) => nameIsDnsSubdomain(text, false)),
    new FormatValue('dns1035Label', 30, (text) => nameIsDns1035Label(text, false)),
    new FormatValue('qualifiedName', 60, isQualifiedName),
    new FormatValue('dns1123LabelPrefix', 30, (text) => nameIsDnsLabel(text, true)),
    new FormatValue('dns1123SubdomainPrefix', 60, (text) => nameIsDnsSubdomain(text, true)),
    new FormatValue('dns1035LabelPrefix', 30, (text) => nameIsDns1035Label(text, true)),
    new FormatValue('labelValue', 40, isLabelValue),
    new FormatValue('uri', 1103, (text) =>
      parseRequestUri(text) === undefined ? ['invalid URI for request'] : [],
    ),
    new FormatValue('uuid', 128, known('uuid', 'does not match the UUID format')),
    new FormatValue('byte', 84, known('byte', 'invalid base64')),
    new FormatValue('date', 100, known('date', 'invalid date')),
    new FormatValue('datetime', 100, known('datetime', 'invalid datetime')),
  ].map((format) => [format.name, format]),
);

function validate({ complaints }: FormatValue, text: string): Optional {
  const found = complaints(text);
  return found.length === 0 ? Optional.none : Optional.of(new PlainList(found));
}

function formatFunctions(table: FunctionTable): void {
  table
    .global('format.named', 'format-named', [STRING], optionalOf(FORMAT), (name: string) => {
      const format = FORMATS.get(name);
      return format === undefined ? Optional.none : Optional.of(format);
    })
    .member('validate', 'format-validate', [FORMAT, STRING], optionalOf(listOf(STRING)), validate);
  for (const [name, format] of FORMATS)
    table.global(`format.${name}`, `format.${name}`, [], FORMAT, () => format);
}

export function kubernetesTypeFunctions(table: FunctionTable): void {
  quantityFunctions(table);
  semverFunctions(table);
  formatFunctions(table);
}
