// Durations and timestamps of CEL, exact to the nanosecond.
import { DurationError, parseNanoseconds, parseTimeNanoseconds } from '../time.ts';
import { EvaluationError } from './values.ts';

const SECOND = 1_000_000_000n;
const DURATION_MAX = 2n ** 63n - 1n;
/** From the first moment of the year 1 to the last of the year 9999. */
const TIMESTAMP_MIN = -62_135_596_800n * SECOND;
const TIMESTAMP_MAX = 253_402_300_800n * SECOND - 1n;

export class Duration {
  readonly kind = 'duration';
  readonly nanoseconds: bigint;

  constructor(nanoseconds: bigint) {
    if (nanoseconds > DURATION_MAX || nanoseconds < -DURATION_MAX - 1n) {
      throw new EvaluationError('duration overflow');
    }
    this.nanoseconds = nanoseconds;
  }

  /** Of a text as Go writes it, `1h2.5s`; undefined for others. */
  static parse(text: string): Duration | undefined {
    try {
      return new Duration(parseNanoseconds(text));
    } catch (error) {
      if (error instanceof DurationError) return undefined;
      throw error;
    }
  }

  /** `5400s`, `1.5s`. */
  toString(): string {
    const sign = this.nanoseconds < 0n ? '-' : '';
    const size = this.nanoseconds < 0n ? -this.nanoseconds : this.nanoseconds;
    return `${sign}${size / SECOND}${fractionOf(size % SECOND)}s`;
  }
}

export class Timestamp {
  readonly kind = 'timestamp';
  /** Since the epoch. */
  readonly nanoseconds: bigint;
  /** Where it was written, which makes a difference only where it is printed. */
  readonly offsetMinutes: number;

  constructor(nanoseconds: bigint, offsetMinutes = 0) {
    this.offsetMinutes = offsetMinutes;
    if (nanoseconds > TIMESTAMP_MAX || nanoseconds < TIMESTAMP_MIN) {
      throw new EvaluationError('timestamp overflow');
    }
    this.nanoseconds = nanoseconds;
  }

  /** Of an RFC 3339 text; undefined for others. */
  static parse(text: string): Timestamp | undefined {
    const nanoseconds = parseTimeNanoseconds(text);
    const exists = nanoseconds !== undefined && nanoseconds <= TIMESTAMP_MAX && nanoseconds >= TIMESTAMP_MIN;
    return exists ? new Timestamp(nanoseconds, offsetOf(text)) : undefined;
  }

  toString(): string {
    const seconds = floorDivide(this.nanoseconds, SECOND);
    const local = new Date((Number(seconds) + this.offsetMinutes * 60) * 1000);
    const text = local
      .toISOString()
      .replace(/^[+-]\d\d/, '')
      .slice(0, 19);
    return `${text}${fractionOf(this.nanoseconds - seconds * SECOND)}${zoneText(this.offsetMinutes)}`;
  }

  /**
   * The calendar of a time zone at this moment, as if the moment were in UTC.
   * @param zone an offset such as `+02:00`, or a name such as `Europe/Paris`
   */
  inZone(zone: string): Date {
    const milliseconds = Number(floorDivide(this.nanoseconds, 1_000_000n));
    return new Date(milliseconds + offsetMs(zone, milliseconds));
  }
}

function offsetOf(text: string): number {
  const match = /([-+])(\d{2}):(\d{2})$/.exec(text);
  if (match === null) return 0;
  return (Number(match[2]) * 60 + Number(match[3])) * (match[1] === '-' ? -1 : 1);
}

function zoneText(offsetMinutes: number): string {
  if (offsetMinutes === 0) return 'Z';
  const size = Math.abs(offsetMinutes);
  const [hours, minutes] = [Math.floor(size / 60), size % 60].map((part) => String(part).padStart(2, '0'));
  return `${offsetMinutes < 0 ? '-' : '+'}${hours}:${minutes}`;
}

/** `.5` of so many nanoseconds; nothing of none. */
function fractionOf(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return '';
  return `.${nanoseconds.toString().padStart(9, '0').replace(/0+$/, '')}`;
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by < 0n ? quotient - 1n : quotient;
}

// LIMIT: how many zones are kept; a flood of others empties the memory instead of growing it.
const ZONES_MAX = 64;
const zones = new Map<string, Intl.DateTimeFormat>();

function offsetMs(zone: string, milliseconds: number): number {
  if (zone === 'UTC' || zone === '') return 0;
  const offset = /^([-+]?)(\d{1,2}):(\d{2})$/.exec(zone);
  if (offset !== null) {
    const minutes = Number(offset[2]) * 60 + Number(offset[3]);
    return minutes * 60_000 * (offset[1] === '-' ? -1 : 1);
  }
  const parts = new Map(
    zoneFormat(zone)
      .formatToParts(milliseconds)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
  const local = Date.UTC(
    part('year'),
    part('month') - 1,
    part('day'),
    part('hour'),
    part('minute'),
    part('second'),
  );
  return local - Math.floor(milliseconds / 1000) * 1000;
}

function zoneFormat(zone: string): Intl.DateTimeFormat {
  const known = zones.get(zone);
  if (known !== undefined) return known;
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new EvaluationError(`unknown time zone ${zone}`, { cause: error });
  }
  if (zones.size >= ZONES_MAX) zones.clear();
  zones.set(zone, format);
  return format;
}
