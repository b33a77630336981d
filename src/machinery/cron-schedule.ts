// Cron schedules of five fields, with names, lists, ranges, steps and the usual macros, in any time zone.
// When both days of the month and days of the week are restricted, either is enough, as cron has always done it.
// A time that a clock change skips does not fire, or fires as if the clock had not been changed yet; one that it repeats
// fires each time.

export interface CronSchedule {
  /** The first time after `afterMs`, both in milliseconds since the epoch; undefined when there is none in years. */
  next(afterMs: number): number | undefined;
}

/** The text is no schedule, or the zone is unknown. */
export class CronError extends Error {
  override name = 'CronError';
}

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const FIELDS: readonly Field[] = [
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day of month', min: 1, max: 31 },
  { name: 'month', min: 1, max: 12, names: MONTHS },
  { name: 'day of week', min: 0, max: 6, names: DAYS },
];
const MACROS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
// LIMIT: the 29th of February on a given weekday comes back within 28 years (40 around a skipped leap year).
const SEARCH_DAYS = 40 * 366;

interface Values {
  readonly set: ReadonlySet<number>;
  /** Written as `*` or `?`, so that the field restricts nothing. */
  readonly any: boolean;
}

export interface CronOptions {
  /** Times that a clock change skips fire as if the clock had not been changed yet, instead of not at all. */
  readonly keepsSkipped?: boolean;
}

/** @param timeZone an IANA name; default UTC. Throws CronError. */
export function parseCron(text: string, timeZone = 'UTC', options: CronOptions = {}): CronSchedule {
  const trimmed = text.trim();
  const every = /^@every\s+(.+)$/.exec(trimmed)?.[1];
  if (every !== undefined) return everySchedule(every);
  const expanded = Object.hasOwn(MACROS, trimmed) ? MACROS[trimmed]! : trimmed;
  const parts = expanded.split(/\s+/);
  if (parts.length !== FIELDS.length) {
    throw new CronError(`expected exactly ${FIELDS.length} fields, found ${parts.length}: ${trimmed}`);
  }
  const [minutes, hours, monthDays, months, weekDays] = FIELDS.map((field, i) =>
    parseField(parts[i]!, field),
  );
  const offsetMs = zoneOffset(timeZone);
  const ascending = ({ set }: Values): number[] => [...set].sort((a, b) => a - b);
  const times = ascending(hours!).flatMap((hour) =>
    ascending(minutes!).map((minute) => (hour * 60 + minute) * MINUTE_MS),
  );
  const dayMatches = (wallDayMs: number): boolean => {
    const date = new Date(wallDayMs);
    if (!months!.set.has(date.getUTCMonth() + 1)) return false;
    const byMonth = monthDays!.set.has(date.getUTCDate());
    const byWeek = weekDays!.set.has(date.getUTCDay());
    return monthDays!.any || weekDays!.any ? byMonth && byWeek : byMonth || byWeek;
  };
  return {
    next(afterMs) {
      // A clock change can bring a wall time twice, so the day before may still have something to come.
      const firstDay = Math.floor((afterMs + offsetMs(afterMs)) / DAY_MS) * DAY_MS;
      for (let day = -1; day < SEARCH_DAYS; day++) {
        const wallDayMs = firstDay + day * DAY_MS;
        if (!dayMatches(wallDayMs)) continue;
        const found = earliestOnDay(wallDayMs, times, afterMs, offsetMs, options.keepsSkipped === true);
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}

/** @param times of the day, in milliseconds, ascending */
function earliestOnDay(
  wallDayMs: number,
  times: readonly number[],
  afterMs: number,
  offsetMs: (atMs: number) => number,
  keepsSkipped: boolean,
): number | undefined {
  const before = offsetMs(wallDayMs - DAY_MS);
  const later = offsetMs(wallDayMs + 2 * DAY_MS);
  const isSkipped = (wallMs: number): boolean =>
    offsetMs(wallMs - before) !== before && offsetMs(wallMs - later) !== later;
  let best: number | undefined;
  for (const offset of before === later ? [before] : [before, later]) {
    const at = times.find((timeMs) => {
      const atMs = wallDayMs + timeMs - offset;
      if (atMs <= afterMs) return false;
      if (before === later || offsetMs(atMs) === offset) return true;
      return keepsSkipped && offset === before && isSkipped(wallDayMs + timeMs);
    });
    if (at === undefined) continue;
    const atMs = wallDayMs + at - offset;
    if (best === undefined || atMs < best) best = atMs;
  }
  return best;
}

function parseField(text: string, field: Field): Values {
  const set = new Set<number>();
  let any = false;
  for (const part of text.split(',')) {
    const [range = '', step, ...rest] = part.split('/');
    if (rest.length > 0) throw new CronError(`too many slashes in ${field.name}: ${part}`);
    const [low, high] = parseRange(range, field, step !== undefined);
    const stride = step === undefined ? 1 : parseNumber(step, field);
    if (stride === 0) throw new CronError(`step of ${field.name} must be a positive number: ${part}`);
    for (let value = low; value <= high; value += stride) set.add(value);
    // A star with a step does restrict.
    if ((range === '*' || range === '?') && stride === 1) any = true;
  }
  return { set, any };
}

function parseRange(text: string, field: Field, stepped: boolean): [number, number] {
  if (text === '*' || text === '?') return [field.min, field.max];
  const [from = '', to, ...rest] = text.split('-');
  if (rest.length > 0) throw new CronError(`too many hyphens in ${field.name}: ${text}`);
  const low = parseNumber(from, field);
  const high = to !== undefined ? parseNumber(to, field) : stepped ? field.max : low;
  if (low < field.min || high > field.max) {
    throw new CronError(`${field.name} must be within ${field.min} and ${field.max}: ${text}`);
  }
  if (low > high) throw new CronError(`beginning of range of ${field.name} is beyond its end: ${text}`);
  return [low, high];
}

function parseNumber(text: string, field: Field): number {
  const named = field.names?.indexOf(text.toLowerCase()) ?? -1;
  if (named >= 0) return named + field.min;
  if (!/^\d{1,9}$/.test(text)) throw new CronError(`${field.name} is no number: ${text}`);
  return Number(text);
}

function everySchedule(text: string): CronSchedule {
  const match = /^(\d+)(s|m|h)$/.exec(text.trim());
  if (match === null) throw new CronError(`@every needs a duration such as 90s, 5m or 1h: ${text}`);
  const unit = { s: 1000, m: MINUTE_MS, h: 60 * MINUTE_MS }[match[2] as 's' | 'm' | 'h'];
  const periodMs = Math.max(Number(match[1]) * unit, 1000);
  return { next: (afterMs) => Math.floor(afterMs / 1000) * 1000 + periodMs };
}

/** The zone's distance from UTC at a time. Throws CronError for a zone that nobody knows. */
function zoneOffset(timeZone: string): (atMs: number) => number {
  if (timeZone === 'UTC' || timeZone === 'Etc/UTC') return () => 0;
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    throw new CronError(`unknown time zone ${timeZone}`);
  }
  return (atMs) => {
    const parts = new Map(format.formatToParts(atMs).map(({ type, value }) => [type, Number(value)]));
    const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
    const wallMs = Date.UTC(
      part('year'),
      part('month') - 1,
      part('day'),
      part('hour'),
      part('minute'),
      part('second'),
    );
    return wallMs - Math.floor(atMs / 1000) * 1000;
  };
}

/** The last time in (`afterMs`, `untilMs`], found without walking through all that came before it. */
export function latestBetween(schedule: CronSchedule, afterMs: number, untilMs: number): number | undefined {
  for (const windowMs of [DAY_MS / 24, DAY_MS, 31 * DAY_MS, 366 * DAY_MS, Infinity]) {
    const startMs = Math.max(afterMs, untilMs - windowMs);
    let latest: number | undefined;
    for (let at = schedule.next(startMs); at !== undefined && at <= untilMs; at = schedule.next(at))
      latest = at;
    if (latest !== undefined || startMs === afterMs) return latest;
  }
  return undefined;
}
