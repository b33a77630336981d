import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CronError, latestBetween, parseCron } from './cron-schedule.ts';

const next = (text: string, after: string, zone?: string): string | undefined => {
  const at = parseCron(text, zone).next(Date.parse(after));
  return at === undefined ? undefined : new Date(at).toISOString().slice(0, 16);
};

test('the next time of a schedule', () => {
  const cases: readonly (readonly [text: string, after: string, expected: string | undefined])[] = [
    ['* * * * *', '2026-03-01T10:00:00Z', '2026-03-01T10:01'],
    ['*/15 * * * *', '2026-03-01T10:46:00Z', '2026-03-01T11:00'],
    ['5/15 * * * *', '2026-03-01T10:50:00Z', '2026-03-01T11:05'],
    ['0 9-17/4 * * *', '2026-03-01T13:30:00Z', '2026-03-01T17:00'],
    ['30 2 29 2 *', '2026-03-01T00:00:00Z', '2028-02-29T02:30'],
    ['0 0 31 2 *', '2026-03-01T00:00:00Z', undefined],
    ['0 12 * * mon-fri', '2026-03-06T13:00:00Z', '2026-03-09T12:00'],
    ['0 0 1 jan,jul *', '2026-03-01T00:00:00Z', '2026-07-01T00:00'],
    ['@daily', '2026-03-01T00:00:00Z', '2026-03-02T00:00'],
    ['@hourly', '2026-03-01T00:30:00Z', '2026-03-01T01:00'],
  ];
  for (const [text, after, expected] of cases)
    assert.equal(next(text, after), expected, `${text} after ${after}`);
});

test('with both days restricted either is enough; a star restricts nothing, a star with a step does', () => {
  assert.equal(next('0 0 13 * fri', '2026-03-01T00:00:00Z'), '2026-03-06T00:00');
  assert.equal(next('0 0 13 * *', '2026-03-01T00:00:00Z'), '2026-03-13T00:00');
  assert.equal(next('0 0 */10 * mon', '2026-03-03T00:00:00Z'), '2026-03-09T00:00');
});

test('times are those of the zone', () => {
  assert.equal(next('0 9 * * *', '2026-01-10T00:00:00Z', 'Europe/Berlin'), '2026-01-10T08:00');
  assert.equal(next('0 9 * * *', '2026-07-10T00:00:00Z', 'Europe/Berlin'), '2026-07-10T07:00');
  assert.equal(next('30 5 * * *', '2026-07-10T00:00:00Z', 'Asia/Kolkata'), '2026-07-11T00:00');
});

test('a time that the change to summer time skips does not fire; one that winter brings twice fires twice', () => {
  assert.equal(next('30 2 * * *', '2026-03-28T12:00:00Z', 'Europe/Berlin'), '2026-03-30T00:30');
  assert.equal(next('30 2 * * *', '2026-10-24T12:00:00Z', 'Europe/Berlin'), '2026-10-25T00:30');
  assert.equal(next('30 2 * * *', '2026-10-25T00:30:00Z', 'Europe/Berlin'), '2026-10-25T01:30');
  assert.equal(next('30 2 * * *', '2026-10-25T01:30:00Z', 'Europe/Berlin'), '2026-10-26T01:30');
});

test('a skipped time can count as if the clock had not been changed yet', () => {
  const kept = (text: string, after: string, zone: string): string | undefined => {
    const at = parseCron(text, zone, { keepsSkipped: true }).next(Date.parse(after));
    return at === undefined ? undefined : new Date(at).toISOString().slice(0, 16);
  };
  assert.equal(kept('30 2 * * *', '2026-03-28T12:00:00Z', 'Europe/Berlin'), '2026-03-29T01:30');
  assert.equal(kept('30 2 * * *', '2026-03-29T01:30:00Z', 'Europe/Berlin'), '2026-03-30T00:30');
  assert.equal(kept('30 0 * * *', '2026-03-07T12:00:00Z', 'America/Havana'), '2026-03-08T05:30');
  assert.equal(kept('30 2 * * *', '2026-10-24T12:00:00Z', 'Europe/Berlin'), '2026-10-25T00:30');
});

test('what is no schedule is refused', () => {
  for (const text of [
    '',
    '* * * *',
    '60 * * * *',
    '* 24 * * *',
    '* * 0 * *',
    '5-1 * * * *',
    '*/0 * * * *',
    'x * * * *',
    '1-2-3 * * * *',
    '@never',
    '* * * * 7',
  ]) {
    assert.throws(() => parseCron(text), CronError, text);
  }
  assert.throws(() => parseCron('* * * * *', 'Mars/Olympus'), CronError);
});

test('the latest time before now is found however long ago the last run was', () => {
  const schedule = parseCron('*/5 * * * *');
  const until = Date.parse('2026-03-01T10:07:00Z');
  assert.equal(
    latestBetween(schedule, Date.parse('2020-01-01T00:00:00Z'), until),
    Date.parse('2026-03-01T10:05:00Z'),
  );
  assert.equal(latestBetween(schedule, Date.parse('2026-03-01T10:05:00Z'), until), undefined);
  const yearly = parseCron('@yearly');
  assert.equal(
    latestBetween(yearly, Date.parse('2024-06-01T00:00:00Z'), until),
    Date.parse('2026-01-01T00:00:00Z'),
  );
});

test('agrees with walking minute by minute', () => {
  const list = (max: number, min = 0): fc.Arbitrary<string> =>
    fc
      .uniqueArray(fc.integer({ min, max }), { minLength: 1, maxLength: 3 })
      .map((values) => values.join(','));
  fc.assert(
    fc.property(
      fc.oneof(fc.constant('*'), list(59)),
      fc.oneof(fc.constant('*'), list(23)),
      fc.integer({ min: 0, max: 60 * 24 * 300 }),
      (minutes, hours, offset) => {
        const after = Date.parse('2026-01-01T00:00:00Z') + offset * 60_000;
        const wanted = (field: string, value: number): boolean =>
          field === '*' || field.split(',').includes(String(value));
        let walked = after;
        do walked += 60_000;
        while (
          !wanted(minutes, new Date(walked).getUTCMinutes()) ||
          !wanted(hours, new Date(walked).getUTCHours())
        );
        assert.equal(parseCron(`${minutes} ${hours} * * *`).next(after), walked);
      },
    ),
    { numRuns: 200 },
  );
});
