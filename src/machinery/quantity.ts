// Amounts of resources (`100m`, `1.5Gi`, `2e3`), exact. Everything that adds up, compares or prints cpu and memory
// goes through here, so that 0.1 + 0.2 is 0.3 and texts come out as kube-apiserver prints them.

export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent';

/** A text that is no quantity; `message` as Kubernetes words it. */
export class QuantityError extends Error {
  override name = 'QuantityError';
}

const WRONG_FORMAT =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const WRONG_SUFFIX = "unable to parse quantity's suffix";

const NANO = 1_000_000_000n;
const MILLI_IN_NANOS = 1_000_000n;
const MAX_BINARY = (2n ** 63n - 1n) * NANO;
/** LIMIT: exponents of ten larger than this make numbers nobody means, and would take memory without end. */
const EXPONENT_MAX = 1000;
const DECIMAL_SUFFIXES: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const DECIMAL_NAMES = new Map(Object.entries(DECIMAL_SUFFIXES).map(([name, exponent]) => [exponent, name]));
const BINARY_NAMES = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const SHAPE = /^([+-]?)0*([0-9]*)(\.?)([0-9]*)([eEinumkKMGTP]*[-+]?[0-9]*)$/;

/** LIMIT: characters. Longer ones spell numbers nobody means, and arithmetic with them takes for ever. */
const TEXT_MAX = 1000;
/** LIMIT: characters of a text that is remembered. */
const REMEMBERED_MAX = 64;

/** Immutable. */
export class Quantity {
  static readonly zero = new Quantity(0n, 'DecimalSI', '0');

  /** The value times 10⁹. Nothing smaller than a nano exists: parsing rounds up to it. */
  readonly nanos: bigint;
  readonly format: QuantityFormat;
  #text: string | undefined;

  private constructor(nanos: bigint, format: QuantityFormat, text?: string) {
    this.nanos = nanos;
    this.format = format;
    this.#text = text;
  }

  /** Throws QuantityError. A number is read as its decimal text, as in JSON. */
  static parse(text: string | number): Quantity {
    const key = typeof text === 'string' ? text : String(text);
    const known = parsed.get(key);
    if (known !== undefined) return known;
    const { nanos, format, kept } = read(key);
    const quantity = new Quantity(nanos, format, kept);
    // LIMIT: a fleet uses few different texts; a flood of others empties the memory instead of growing it.
    if (key.length > REMEMBERED_MAX) return quantity;
    if (parsed.size >= 4096) parsed.clear();
    parsed.set(key, quantity);
    return quantity;
  }

  /** As parse, with undefined for what is absent or no quantity. */
  static tryParse(text: string | number | undefined | null): Quantity | undefined {
    if (text === undefined || text === null) return undefined;
    try {
      return Quantity.parse(text);
    } catch (error) {
      if (error instanceof QuantityError) return undefined;
      throw error;
    }
  }

  static fromNanos(nanos: bigint, format: QuantityFormat = 'DecimalSI'): Quantity {
    return new Quantity(nanos, format);
  }

  /** A whole number of units. */
  static of(value: number | bigint, format: QuantityFormat = 'DecimalSI'): Quantity {
    return new Quantity(BigInt(value) * NANO, format);
  }

  static fromMilli(milli: number | bigint, format: QuantityFormat = 'DecimalSI'): Quantity {
    return new Quantity(BigInt(milli) * MILLI_IN_NANOS, format);
  }

  get isZero(): boolean {
    return this.nanos === 0n;
  }

  get sign(): -1 | 0 | 1 {
    return this.nanos > 0n ? 1 : this.nanos < 0n ? -1 : 0;
  }

  /** The sum has this quantity's format, or the other's when this one is zero. */
  add(other: Quantity): Quantity {
    return new Quantity(this.nanos + other.nanos, this.isZero ? other.format : this.format);
  }

  sub(other: Quantity): Quantity {
    return new Quantity(this.nanos - other.nanos, this.isZero ? other.format : this.format);
  }

  /** Times a whole number. */
  mul(factor: number | bigint): Quantity {
    return new Quantity(this.nanos * BigInt(factor), this.format);
  }

  negate(): Quantity {
    return new Quantity(-this.nanos, this.format);
  }

  compare(other: Quantity): -1 | 0 | 1 {
    return this.nanos < other.nanos ? -1 : this.nanos > other.nanos ? 1 : 0;
  }

  equals(other: Quantity): boolean {
    return this.nanos === other.nanos;
  }

  /** Whole units, rounded away from zero. LIMIT: above 2⁵³ a number is not exact; use `nanos` there. */
  value(): number {
    return Number(divideUp(this.nanos, NANO));
  }

  /** Thousandths, rounded away from zero. */
  milliValue(): number {
    return Number(divideUp(this.nanos, MILLI_IN_NANOS));
  }

  /** The nearest double; for ratios and metrics, not for sums. */
  toNumber(): number {
    const whole = this.nanos / NANO;
    return Number(whole) + Number(this.nanos - whole * NANO) / 1e9;
  }

  /** Canonical text: the largest suffix that leaves a whole number. */
  toString(): string {
    this.#text ??= print(this.nanos, this.format);
    return this.#text;
  }

  toJSON(): string {
    return this.toString();
  }
}

const parsed = new Map<string, Quantity>();

function divideUp(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return quotient * by === value ? quotient : quotient + (value < 0n ? -1n : 1n);
}

interface Reading {
  readonly nanos: bigint;
  readonly format: QuantityFormat;
  /** COMPAT: the text itself where upstream takes it for canonical after a cheap look, as with `1.500`. */
  readonly kept: string | undefined;
}

function read(raw: string): Reading {
  const text = raw.trim();
  if (text === '' || text.length > TEXT_MAX) throw new QuantityError(WRONG_FORMAT);
  const match = SHAPE.exec(text);
  if (match === null) throw new QuantityError(WRONG_FORMAT);
  const [, sign = '', digits = '', , fraction = '', suffix = ''] = match;
  const whole = digits === '' ? '0' : digits;
  const { format, exponent } = suffixMeaning(suffix);
  const unsigned = BigInt(whole + fraction);
  const magnitude =
    format === 'BinarySI'
      ? binaryNanos(unsigned << BigInt(exponent), fraction.length)
      : scaled(unsigned, exponent - fraction.length + 9);
  const rounded = format === 'BinarySI' && magnitude > 0n && magnitude < NANO ? 'DecimalSI' : format;
  return {
    nanos: sign === '-' ? -magnitude : magnitude,
    format: rounded,
    kept: looksCanonical(format, exponent, whole, fraction, unsigned) ? text : undefined,
  };
}

function suffixMeaning(suffix: string): { format: QuantityFormat; exponent: number } {
  if (Object.hasOwn(DECIMAL_SUFFIXES, suffix)) {
    return { format: 'DecimalSI', exponent: DECIMAL_SUFFIXES[suffix] ?? 0 };
  }
  const binary = BINARY_NAMES.indexOf(suffix);
  if (binary > 0) return { format: 'BinarySI', exponent: binary * 10 };
  const exponent = /^[eE]([-+]?[0-9]+)$/.exec(suffix)?.[1];
  if (exponent === undefined || Math.abs(Number(exponent)) > EXPONENT_MAX) {
    throw new QuantityError(WRONG_SUFFIX);
  }
  return { format: 'DecimalExponent', exponent: Number(exponent) };
}

function binaryNanos(value: bigint, decimals: number): bigint {
  const nanos = scaled(value, 9 - decimals);
  return nanos > MAX_BINARY ? MAX_BINARY : nanos;
}

/** value × 10^power, rounded up. */
function scaled(value: bigint, power: number): bigint {
  return power >= 0 ? value * 10n ** BigInt(power) : divideUp(value, 10n ** BigInt(-power));
}

function looksCanonical(
  format: QuantityFormat,
  exponent: number,
  whole: string,
  fraction: string,
  unsigned: bigint,
): boolean {
  if (format === 'BinarySI') {
    const precision = 14 - whole.length - Math.trunc((exponent * 3) / 10);
    return fraction === '' && precision >= 0 && (unsigned & 7n) !== 0n;
  }
  const scale = exponent - fraction.length;
  const shifted = whole + fraction;
  return (
    shifted.length <= 18 &&
    scale >= -9 &&
    scale % 3 === 0 &&
    !shifted.endsWith('000') &&
    !shifted.startsWith('0')
  );
}

function print(nanos: bigint, format: QuantityFormat): string {
  if (nanos === 0n) return '0';
  if (format === 'BinarySI' && nanos % NANO === 0n) {
    let value = nanos / NANO;
    if (value >= 1024n || value <= -1024n) {
      let suffix = 0;
      while (suffix < 6 && value % 1024n === 0n) {
        value /= 1024n;
        suffix++;
      }
      return `${value}${BINARY_NAMES[suffix]}`;
    }
  }
  let exponent = -9;
  let amount = nanos;
  while ((format === 'DecimalExponent' || exponent < 18) && amount % 1000n === 0n) {
    amount /= 1000n;
    exponent += 3;
  }
  if (format !== 'DecimalExponent') return `${amount}${DECIMAL_NAMES.get(exponent)}`;
  return exponent === 0 ? `${amount}` : `${amount}e${exponent}`;
}
