// `string.format`.
import type { Machine } from './machine.ts';
import { luaToString, numberToString, type LuaValue } from './value.ts';

/** Arguments by position, the format itself being the first. Both throw when there is none or it is of no use. */
interface FormatArguments {
  value(position: number): LuaValue;
  number(position: number): number;
}

/** LIMIT: as in Lua, widths and precisions have at most two digits. */
const DIRECTIVE = /%([-+ #0]*)(\d{0,2})(?:\.(\d{0,2}))?(.?)/gs;

export function formatText(machine: Machine, format: string, args: FormatArguments): string {
  let position = 1;
  const text = format.replaceAll(
    DIRECTIVE,
    (directive, flags: string, width: string, precision: string | undefined, verb: string) => {
      machine.step();
      if (verb === '%') return '%';
      position++;
      const digits = precision === undefined ? undefined : Number(precision);
      const body = formatOne(machine, verb, digits, flags, position, args);
      if (body === undefined) throw machine.error(`invalid option '${directive}' to 'format'`);
      return pad(body, flags, Number(width), 'diouxXeEfgG'.includes(verb));
    },
  );
  machine.allocate(text.length);
  return text;
}

function formatOne(
  machine: Machine,
  verb: string,
  precision: number | undefined,
  flags: string,
  position: number,
  args: FormatArguments,
): string | undefined {
  switch (verb) {
    case 's':
      return luaToString(args.value(position)).slice(0, precision);
    case 'q': {
      const text = luaToString(args.value(position));
      machine.step(text.length);
      return quote(text);
    }
    case 'c':
      return String.fromCharCode(Math.trunc(args.number(position)) & 0xff);
    case 'd':
    case 'i':
    case 'u':
      return signed(wholeDigits(args.number(position), 10, precision), flags);
    case 'o':
      return wholeDigits(args.number(position), 8, precision);
    case 'x':
      return (flags.includes('#') ? '0x' : '') + wholeDigits(args.number(position), 16, precision);
    case 'X':
      return (
        (flags.includes('#') ? '0X' : '') + wholeDigits(args.number(position), 16, precision).toUpperCase()
      );
    case 'e':
    case 'E':
    case 'f':
    case 'g':
    case 'G':
      return signed(float(verb, args.number(position), precision ?? 6), flags);
    default:
      return undefined;
  }
}

function wholeDigits(number: number, base: number, precision = 1): string {
  if (!Number.isFinite(number)) return numberToString(number);
  const whole = BigInt(Math.trunc(number));
  const digits = (whole < 0n ? -whole : whole).toString(base).padStart(precision, '0');
  return whole < 0n ? `-${digits}` : digits;
}

function float(verb: string, number: number, precision: number): string {
  if (!Number.isFinite(number)) return numberToString(number);
  const exponent = (text: string): string =>
    text.replace(/e([-+])(\d)$/, (_all, sign: string, digit: string) => `e${sign}0${digit}`);
  let text: string;
  // Above 1e21 toFixed falls back to an exponent; whole numbers of that size have no fraction anyway.
  if (verb === 'f') {
    const large = Math.abs(number) >= 1e21;
    text = large
      ? `${BigInt(number)}${precision > 0 ? `.${'0'.repeat(precision)}` : ''}`
      : number.toFixed(precision);
  } else if (verb.toLowerCase() === 'e') {
    text = exponent(number.toExponential(precision));
  } else {
    const significant = Math.max(1, precision);
    const power = number === 0 ? 0 : Number(number.toExponential(significant - 1).split('e')[1]);
    text =
      power < -4 || power >= significant
        ? exponent(number.toExponential(significant - 1).replace(/\.?0+e/, 'e'))
        : number
            .toFixed(Math.max(0, significant - 1 - power))
            .replace(/(\.\d*?)0+$/, '$1')
            .replace(/\.$/, '');
  }
  return verb === verb.toUpperCase() ? text.toUpperCase() : text;
}

function signed(text: string, flags: string): string {
  if (text.startsWith('-')) return text;
  return (flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '') + text;
}

function pad(text: string, flags: string, width: number, numeric: boolean): string {
  if (flags.includes('-')) return text.padEnd(width);
  if (!numeric || !flags.includes('0')) return text.padStart(width);
  const sign = /^[-+ ]/.exec(text)?.[0] ?? '';
  return sign + text.slice(sign.length).padStart(width - sign.length, '0');
}

function quote(text: string): string {
  const escaped = text.replaceAll(/[\\"\n\r\0]/g, (character) => {
    if (character === '\r') return '\\r';
    return character === '\0' ? '\\000' : `\\${character}`;
  });
  return `"${escaped}"`;
}
