import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatTime } from '../base/index.ts';
import { DurationError, formatDuration, parseDuration, parseLongDuration, parseTime } from './index.ts';

const durations: [text: string, milliseconds: number, canonical: string][] = [
  ['0', 0, '0s'],
  ['0s', 0, '0s'],
  ['5s', 5000, '5s'],
  ['1h2m3.5s', 3_723_500, '1h2m3.5s'],
  ['90m', 5_400_000, '1h30m0s'],
  ['1m', 60_000, '1m0s'],
  ['-1.5h', -5_400_000, '-1h30m0s'],
  ['+10s', 10_000, '10s'],
  ['300ms', 300, '300ms'],
  ['1.5us', 0.0015, '1.5µs'],
  ['12µs', 0.012, '12µs'],
  ['7ns', 0.000007, '7ns'],
  ['.5s', 500, '500ms'],
  ['1.s', 1000, '1s'],
  ['1h1h', 7_200_000, '2h0m0s'],
  ['2562047h47m16.854775807s', 9_223_372_036_854.775, '2562047h47m16.854775808s'],
];
for (const [text, milliseconds, canonical] of durations) {
  test(`duration ${text}`, () => {
    assert.equal(parseDuration(text), milliseconds);
    assert.equal(formatDuration(milliseconds), canonical);
  });
}

const refused: [text: string, message: string][] = [
  ['', 'time: invalid duration ""'],
  ['abc', 'time: invalid duration "abc"'],
  ['-', 'time: invalid duration "-"'],
  ['.s', 'time: invalid duration ".s"'],
  ['1', 'time: missing unit in duration "1"'],
  ['1.5.3s', 'time: missing unit in duration "1.5.3s"'],
  ['1d', 'time: unknown unit "d" in duration "1d"'],
  ['1constructor', 'time: unknown unit "constructor" in duration "1constructor"'],
  ['2562048h', 'time: invalid duration "2562048h"'],
];
for (const [text, message] of refused) {
  test(`"${text}" is no duration`, () => {
    assert.throws(
      () => parseDuration(text),
      (error) => error instanceof DurationError && error.message === message,
    );
  });
}

test('durations of whole microseconds survive being printed and read', () => {
  fc.assert(
    fc.property(fc.integer({ min: -1e12, max: 1e12 }), (microseconds) => {
      assert.equal(parseDuration(formatDuration(microseconds / 1000)), microseconds / 1000);
    }),
  );
});

const times: [text: string, expected: string | undefined][] = [
  ['2026-11-21T03:04:05Z', '2026-11-21T03:04:05.000Z'],
  ['2026-11-21T03:04:05.678901Z', '2026-11-21T03:04:05.678Z'],
  ['2026-11-21T05:04:05+02:00', '2026-11-21T03:04:05.000Z'],
  ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
  ['2023-02-29T00:00:00Z', undefined],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
  ['2026-11-21', undefined],
  ['2026-11-21T24:00:00Z', undefined],
  ['2026-13-01T00:00:00Z', undefined],
  ['2026-11-21T03:04:05', undefined],
  ['2026-11-21t03:04:05z', undefined],
];
for (const [text, expected] of times) {
  test(`time ${text} is ${expected ?? 'none'}`, () => {
    const parsed = parseTime(text);
    assert.equal(parsed === undefined ? undefined : new Date(Math.floor(parsed)).toISOString(), expected);
  });
}

test('printed times are read back', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_000_000_000 }), (seconds) => {
      assert.equal(parseTime(formatTime(seconds * 1000)), seconds * 1000);
    }),
  );
});

test('a long duration may begin with weeks and days', () => {
  const HOUR = 3_600_000;
  assert.equal(parseLongDuration('2h30m'), 2.5 * HOUR);
  assert.equal(parseLongDuration('3d'), 72 * HOUR);
  assert.equal(parseLongDuration('1w'), 168 * HOUR);
  assert.equal(parseLongDuration('1w2d3h'), (168 + 48 + 3) * HOUR);
  for (const text of ['', 'd', '3', '1d-1h', '1d2w', '1.5d', '-1d', '3d x'])
    assert.throws(() => parseLongDuration(text), DurationError, text);
});
