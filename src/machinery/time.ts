// Durations as Go writes them (`1h2m3.5s`) and times as RFC 3339, to and from milliseconds or exact nanoseconds.

const UNITS_NS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  '\u00b5s': 1_000n,
  '\u03bcs': 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
const MAX_NS = 9_223_372_036_854_775_807n;
const PART = /([0-9]*)(?:\.([0-9]*))?([^0-9.]*)/y;

/** A text that is no duration; `message` as Go words it. */
export class DurationError extends Error {
  override name = 'DurationError';
}

/**
 * Milliseconds of a Go duration. Throws DurationError.
 * LIMIT: exact to the nanosecond up to about 100 days, as a double holds no more; Go's range of 292 years holds.
 */
export function parseDuration(text: string): number {
  return Number(parseNanoseconds(text)) / 1e6;
}

const DAY_MS = 86_400_000;

/** Milliseconds of a duration that may begin with weeks and days, such as `1w`, `3d12h` or `90m`. Throws DurationError. */
export function parseLongDuration(text: string): number {
  const [, weeks, days, rest = ''] = /^(?:(\d{1,4})w)?(?:(\d{1,5})d)?(.*)$/s.exec(text) ?? [];
  const wholeMs = (Number(weeks ?? 0) * 7 + Number(days ?? 0)) * DAY_MS;
  if (weeks === undefined && days === undefined) return parseDuration(text);
  return rest === '' ? wholeMs : wholeMs + parseDuration(/^[-+]/.test(rest) ? text : rest);
}

/** Nanoseconds of a Go duration. Throws DurationError. */
export function parseNanoseconds(text: string): bigint {
  const refuse = (): DurationError => new DurationError(`time: invalid duration ${JSON.stringify(text)}`);
  const negative = text.startsWith('-');
  const rest = /^[-+]/.test(text) ? text.slice(1) : text;
  if (rest === '0') return 0n;
  if (rest === '') throw refuse();
  let total = 0n;
  PART.lastIndex = 0;
  while (PART.lastIndex < rest.length) {
    const [, whole = '', fraction, unit = ''] = PART.exec(rest) ?? [];
    if (whole === '' && (fraction === undefined || fraction === '')) throw refuse();
    if (unit === '') throw new DurationError(`time: missing unit in duration ${JSON.stringify(text)}`);
    const scale = Object.hasOwn(UNITS_NS, unit) ? UNITS_NS[unit] : undefined;
    if (scale === undefined) {
      throw new DurationError(
        `time: unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}`,
      );
    }
    total += BigInt(whole === '' ? 0 : whole) * scale;
    if (fraction !== undefined && fraction !== '') {
      // LIMIT: digits below a nanosecond of the largest unit change nothing and are not looked at.
      const digits = fraction.slice(0, 18);
      total += (BigInt(digits) * scale) / 10n ** BigInt(digits.length);
    }
    if (total > MAX_NS + (negative ? 1n : 0n)) throw refuse();
  }
  return negative ? -total : total;
}

/** `1h2m3.5s`, `1.5ms`, `0s`: Go's Duration.String of so many milliseconds. */
export function formatDuration(milliseconds: number): string {
  const sign = milliseconds < 0 ? '-' : '';
  const ns = BigInt(Math.round(Math.abs(milliseconds) * 1e6));
  if (ns === 0n) return '0s';
  if (ns < 1_000n) return `${sign}${ns}ns`;
  if (ns < 1_000_000n) return `${sign}${decimal(ns, 3)}\u00b5s`;
  if (ns < 1_000_000_000n) return `${sign}${decimal(ns, 6)}ms`;
  const minutes = ns / 60_000_000_000n;
  const seconds = `${decimal(ns % 60_000_000_000n, 9)}s`;
  if (minutes === 0n) return sign + seconds;
  const hours = minutes / 60n;
  return `${sign}${hours === 0n ? '' : `${hours}h`}${minutes % 60n}m${seconds}`;
}

/** `value` × 10^-places without trailing zeros. */
function decimal(value: bigint, places: number): string {
  const digits = value.toString().padStart(places + 1, '0');
  const fraction = digits.slice(-places).replace(/0+$/, '');
  return fraction === '' ? digits.slice(0, -places) : `${digits.slice(0, -places)}.${fraction}`;
}

const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?(?:Z|([+-])(\d{2}):(\d{2}))$/;
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Milliseconds since the epoch of an RFC 3339 time; undefined when the text is none, or no such day exists. */
export function parseTime(text: string): number | undefined {
  const time = readTime(text);
  return time === undefined ? undefined : time.seconds * 1000 + Number(`0.${time.fraction}`) * 1000;
}

/** As parseTime, in nanoseconds; digits below are not looked at. */
export function parseTimeNanoseconds(text: string): bigint | undefined {
  const time = readTime(text);
  if (time === undefined) return undefined;
  return BigInt(time.seconds) * 1_000_000_000n + BigInt(time.fraction.slice(0, 9).padEnd(9, '0'));
}

interface Time {
  readonly seconds: number;
  /** Digits. */
  readonly fraction: string;
}

// LIMIT: times that are remembered. Objects that are written one after the other carry the same few, each many times.
const RECENT_MAX = 256;
const recent = new Map<string, Time>();

function readTime(text: string): Time | undefined {
  const known = recent.get(text);
  if (known !== undefined) return known;
  const time = readUnknownTime(text);
  if (time === undefined) return undefined;
  if (recent.size >= RECENT_MAX) recent.clear();
  recent.set(text, time);
  return time;
}

function readUnknownTime(text: string): Time | undefined {
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = (DAYS[month - 1] ?? 0) + (leap ? 1 : 0);
  if (day < 1 || day > days || hour > 23 || minute > 59 || second > 59) return undefined;
  const offsetHours = Number(match[9] ?? 0);
  const offsetMinutes = Number(match[10] ?? 0);
  if (offsetHours > 24 || offsetMinutes > 60) return undefined;
  const offset = (offsetHours * 60 + offsetMinutes) * 60 * (match[8] === '-' ? -1 : 1);
  const date = new Date(Date.UTC(2000, month - 1, day, hour, minute, second));
  date.setUTCFullYear(year, month - 1, day);
  return { seconds: date.getTime() / 1000 - offset, fraction: match[7] ?? '0' };
}
