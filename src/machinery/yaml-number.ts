// Numbers as Go reads and prints them in YAML. Apart, because both the reader and the printer need to know what a plain
// word means.

const integer = /^([-+]?)(?:0[bB]([01]+)|0[oO]([0-7]+)|0[xX]([0-9a-fA-F]+)|0([0-7]+)|(0|[1-9][0-9]*))$/;
const decimal = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;

function readInteger(text: string): number | undefined {
  const match = integer.exec(text);
  if (match === null) return undefined;
  const [, sign, binary, markedOctal, hexadecimal, octal, plain] = match;
  let value: number;
  if (binary !== undefined) value = Number.parseInt(binary, 2);
  else if (hexadecimal !== undefined) value = Number.parseInt(hexadecimal, 16);
  else if (plain !== undefined) value = Number(plain);
  else value = Number.parseInt(markedOctal ?? octal ?? '', 8);
  // No negative zero: it would be printed.
  return sign === '-' && value !== 0 ? -value : value;
}

/** The number that a plain scalar stands for; undefined when it is a string. */
export function readYamlNumber(source: string): number | undefined {
  if (!/^(?:[-+0-9]|\.[0-9])/.test(source)) return undefined;
  const text = source.replaceAll('_', '');
  const whole = readInteger(text);
  if (whole !== undefined) return whole;
  if (!decimal.test(text)) return undefined;
  const value = Number.parseFloat(text);
  // What Go cannot hold stays a string.
  if (!Number.isFinite(value)) return undefined;
  return Object.is(value, -0) ? 0 : value;
}

/** The integer of 64 bits that a plain scalar stands for, when a double would lose digits of it; else undefined. */
export function readBigInteger(source: string): bigint | undefined {
  if (!/^[-+]?[1-9][0-9_]{15,}$/.test(source)) return undefined;
  const value = BigInt(source.replaceAll('_', ''));
  const isExact = value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER;
  return isExact || value < -(2n ** 63n) || value >= 2n ** 64n ? undefined : value;
}

/** Go's shortest form, strconv 'g': an exponent of two digits below 1e-4 and from 1e6 on, but none for whole numbers of 64 bits. */
export function formatGoNumber(value: number): string {
  if (Object.is(value, -0)) return '0';
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 64) return String(value);
  const [digits = '', exponent = ''] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(value);
  const sign = power < 0 ? '-' : '+';
  return `${digits}e${sign}${String(Math.abs(power)).padStart(2, '0')}`;
}
