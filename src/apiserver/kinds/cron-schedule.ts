// Whether a text is a schedule that a CronJob may have: five fields, or one of the @ words.

const FIELDS: readonly (readonly [string, number, number, Readonly<Record<string, number>>])[] = [
  ['minute', 0, 59, {}],
  ['hour', 0, 23, {}],
  ['day of month', 1, 31, {}],
  ['month', 1, 12, namesFrom('jan feb mar apr may jun jul aug sep oct nov dec', 1)],
  ['day of week', 0, 6, namesFrom('sun mon tue wed thu fri sat', 0)],
];

const WORDS = new Set(['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly']);

const EVERY = '@every ';
const UNITS = new Set(['ns', 'us', 'µs', 'μs', 'ms', 's', 'm', 'h']);

/** In the words of Go's time.ParseDuration. */
function describeDurationProblem(text: string): string | undefined {
  const shown = JSON.stringify(text);
  const parts = [...text.replace(/^[-+]/, '').matchAll(/(\d+\.?\d*|\.\d+)([^\d.]*)/gy)];
  if (parts.map(([part]) => part).join('') !== text.replace(/^[-+]/, '') || parts.length === 0) {
    return text === '0' ? undefined : `time: invalid duration ${shown}`;
  }
  for (const [, , unit = ''] of parts) {
    if (unit === '') return text === '0' ? undefined : `time: missing unit in duration ${shown}`;
    if (!UNITS.has(unit)) return `time: unknown unit ${JSON.stringify(unit)} in duration ${shown}`;
  }
  return undefined;
}

function namesFrom(names: string, first: number): Readonly<Record<string, number>> {
  return Object.fromEntries(names.split(' ').map((name, index) => [name, first + index]));
}

/** What is wrong with the schedule; undefined when nothing is. */
export function describeCronProblem(schedule: string): string | undefined {
  const text = schedule.replace(/^(?:CRON_)?TZ=\S+\s+/, '').trim();
  if (text.startsWith('@')) {
    if (WORDS.has(text)) return undefined;
    if (!text.startsWith(EVERY)) return `unrecognized descriptor: ${text}`;
    const problem = describeDurationProblem(text.slice(EVERY.length));
    return problem === undefined ? undefined : `failed to parse duration ${text}: ${problem}`;
  }
  const fields = text.split(/\s+/);
  if (fields.length !== FIELDS.length) {
    return `expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`;
  }
  for (const [index, field] of fields.entries()) {
    const problem = describeFieldProblem(field, ...FIELDS[index]!);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function describeFieldProblem(
  field: string,
  _name: string,
  min: number,
  max: number,
  names: Readonly<Record<string, number>>,
): string | undefined {
  for (const part of field.split(',')) {
    const [range = '', step, ...moreSteps] = part.split('/');
    if (moreSteps.length > 0) return `too many slashes: ${part}`;
    const [from = '', to, ...moreEnds] = range.split('-');
    if (moreEnds.length > 0) return `too many hyphens: ${part}`;
    const start = from === '*' || from === '?' ? min : numberOf(from, names);
    const end =
      from === '*' || from === '?'
        ? max
        : to === undefined
          ? step === undefined
            ? start
            : max
          : numberOf(to, names);
    if (start === undefined)
      return `failed to parse int from ${from}: strconv.Atoi: parsing ${JSON.stringify(from)}: invalid syntax`;
    if (end === undefined)
      return `failed to parse int from ${to}: strconv.Atoi: parsing ${JSON.stringify(to)}: invalid syntax`;
    if (start < min) return `beginning of range (${start}) below minimum (${min}): ${part}`;
    if (end > max) return `end of range (${end}) above maximum (${max}): ${part}`;
    if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${part}`;
    if (step !== undefined && !/^[1-9]\d*$/.test(step))
      return `step of range should be a positive number: ${part}`;
  }
  return undefined;
}

function numberOf(text: string, names: Readonly<Record<string, number>>): number | undefined {
  if (/^\d+$/.test(text)) return Number(text);
  const name = text.toLowerCase();
  return Object.hasOwn(names, name) ? names[name] : undefined;
}
