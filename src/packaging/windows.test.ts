import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isBlocked, nextChange, windowProblem, type SuspensionWindow } from './windows.ts';

const at = (text: string): number => Date.parse(text);
const time = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(ms).toISOString().slice(0, 16);

const NIGHT: SuspensionWindow = { kind: 'deny', schedule: '0 22 * * *', duration: '2h' };
const OFFICE: SuspensionWindow = {
  kind: 'allow',
  schedule: '0 9 * * 1-5',
  duration: '8h',
  timeZone: 'Europe/Vienna',
};
const SMALL_HOURS: SuspensionWindow = {
  kind: 'deny',
  schedule: '30 2 * * *',
  duration: '1h',
  timeZone: 'Europe/Berlin',
};

const cases: readonly (readonly [
  name: string,
  windows: readonly SuspensionWindow[],
  now: string,
  blocked: boolean,
  next: string | undefined,
])[] = [
  ['a deny window blocks while it is open', [NIGHT], '2026-11-28T23:10:00Z', true, '2026-11-29T00:00'],
  ['its end is no part of it', [NIGHT], '2026-11-29T00:00:00Z', false, '2026-11-29T22:00'],
  ['its start is', [NIGHT], '2026-11-28T22:00:00Z', true, '2026-11-29T00:00'],
  [
    'outside of allow windows everything is blocked',
    [OFFICE],
    '2026-11-28T09:00:00Z',
    true,
    '2026-11-30T08:00',
  ],
  ['within one nothing is', [OFFICE], '2026-11-30T08:30:00Z', false, '2026-11-30T16:00'],
  [
    'deny beats allow',
    [OFFICE, { ...NIGHT, schedule: '0 10 * * *' }],
    '2026-11-30T10:30:00Z',
    true,
    '2026-11-30T12:00',
  ],
  ['no windows block always', [], '2026-11-30T10:30:00Z', true, undefined],
  [
    'starts that overlap make one long window',
    [{ kind: 'deny', schedule: '0 10,11 * * *', duration: '90m' }],
    '2026-11-30T10:30:00Z',
    true,
    '2026-11-30T12:30',
  ],
  [
    'windows that follow each other without a gap have no end that is known',
    [{ kind: 'deny', schedule: '0 * * * *', duration: '1h' }],
    '2026-11-30T10:30:00Z',
    true,
    undefined,
  ],
  [
    'days and weeks count as such',
    [{ kind: 'deny', schedule: '0 0 24 12 *', duration: '1w3d' }],
    '2026-12-31T10:00:00Z',
    true,
    '2027-01-03T00:00',
  ],
  [
    'a start that summer time skips counts as if the clock had not been changed',
    [SMALL_HOURS],
    '2026-03-29T01:45:00Z',
    true,
    '2026-03-29T02:30',
  ],
  [
    'a start that winter time repeats opens it twice',
    [SMALL_HOURS],
    '2026-10-25T00:40:00Z',
    true,
    '2026-10-25T02:30',
  ],
];
for (const [name, windows, now, blocked, next] of cases)
  test(name, () => {
    assert.equal(isBlocked(windows, at(now)), blocked);
    assert.equal(time(nextChange(windows, at(now))), next);
  });

test('what is no window is said', () => {
  const problem = (change: Partial<SuspensionWindow>): string => windowProblem({ ...NIGHT, ...change }) ?? '';
  assert.equal(windowProblem(NIGHT), undefined);
  assert.match(problem({ schedule: '0 25 * * *' }), /hour must be within 0 and 23/);
  assert.match(problem({ timeZone: 'Europe/Atlantis' }), /unknown time zone/);
  assert.match(problem({ duration: '2 hours' }), /duration/);
  assert.match(problem({ duration: '10s' }), /from 1m to 366d/);
  assert.match(problem({ duration: '400d' }), /from 1m to 366d/);
});

// Minute by minute, with nothing but the wall clock of the zone.
const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata'] as const;
const MINUTE = 60_000;

function wallClock(zone: string): (ms: number) => { readonly minuteOfDay: number; readonly offset: number } {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hourCycle: 'h23',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  return (ms) => {
    const parts = Object.fromEntries(
      format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]),
    );
    const minuteOfDay = parts['hour']! * 60 + parts['minute']!;
    const utc = new Date(ms);
    const days =
      parts['day']! === utc.getUTCDate() ? 0 : parts['day']! === new Date(ms + 864e5).getUTCDate() ? 1 : -1;
    return {
      minuteOfDay,
      offset: days * 1440 + minuteOfDay - (utc.getUTCHours() * 60 + utc.getUTCMinutes()),
    };
  };
}

test('it agrees with a model that walks minute by minute through clock changes', () => {
  const windows = fc.array(
    fc.record({
      kind: fc.constantFrom('allow' as const, 'deny' as const),
      minute: fc.integer({ min: 0, max: 59 }),
      hours: fc.uniqueArray(fc.integer({ min: 0, max: 23 }), { minLength: 1, maxLength: 3 }),
      minutes: fc.integer({ min: 1, max: 300 }),
      zone: fc.constantFrom(...ZONES),
    }),
    { minLength: 1, maxLength: 3 },
  );
  // Days around which clocks change somewhere, and one on which none do.
  const days = fc.constantFrom(
    '2026-03-08',
    '2026-03-29',
    '2026-04-05',
    '2026-06-10',
    '2026-10-04',
    '2026-10-25',
    '2026-11-01',
  );
  fc.assert(
    fc.property(windows, days, (given, day) => {
      const from = at(`${day}T00:00:00Z`) - 12 * 60 * MINUTE;
      const count = 36 * 60;
      const real = given.map(({ kind, minute, hours, minutes, zone }): SuspensionWindow => ({
        kind,
        schedule: `${minute} ${hours.join(',')} * * *`,
        duration: `${minutes}m`,
        timeZone: zone,
      }));
      const open = given.map(({ minute, hours, minutes, zone }) =>
        openMinutes(zone, minute, hours, minutes, from, count),
      );
      const model = Array.from({ length: count }, (_, i) => {
        const isOpen = (kind: string): boolean =>
          given.some((window, w) => window.kind === kind && open[w]![i]!);
        return isOpen('deny') || (given.some(({ kind }) => kind === 'allow') && !isOpen('allow'));
      });
      for (let i = 0; i < count; i += 7) {
        const now = from + i * MINUTE;
        assert.equal(
          isBlocked(real, now),
          model[i],
          `${JSON.stringify(real)} at ${new Date(now).toISOString()}`,
        );
        if (i % 133 !== 0) continue;
        const turn = model.findIndex((blocked, j) => j > i && blocked !== model[i]);
        const next = nextChange(real, now);
        if (turn >= 0)
          assert.equal(time(next), time(from + turn * MINUTE), `${JSON.stringify(real)} after ${time(now)}`);
        else assert.ok(next === undefined || next >= from + count * MINUTE);
      }
    }),
    { numRuns: 30 },
  );
});

function openMinutes(
  zone: string,
  minute: number,
  hours: readonly number[],
  durationMinutes: number,
  from: number,
  count: number,
): readonly boolean[] {
  const wall = wallClock(zone);
  const wanted = new Set(hours.map((hour) => hour * 60 + minute));
  const lead = durationMinutes + 180;
  const total = count + lead;
  const clock = Array.from({ length: total }, (_, i) => wall(from + (i - lead) * MINUTE));
  const starts = clock.map(({ minuteOfDay }, i) => {
    if (wanted.has(minuteOfDay)) return true;
    // Skipped: by the clock as it was within the last two hours it is a start, and the real clock jumped over that.
    for (let back = 1; back <= 120 && back <= i; back++) {
      const before = clock[i - back]!;
      const jump = clock[i]!.offset - before.offset;
      if (jump <= 0) continue;
      const old = (((minuteOfDay - jump) % 1440) + 1440) % 1440;
      const sinceChange =
        clock.slice(i - back, i + 1).filter(({ offset }) => offset === clock[i]!.offset).length - 1;
      return sinceChange < jump && wanted.has(old);
    }
    return false;
  });
  const lasts: boolean[] = [];
  let left = 0;
  for (const start of starts) {
    left = start ? durationMinutes : left - 1;
    lasts.push(left > 0);
  }
  return lasts.slice(lead);
}
