import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAge, formatShortDuration } from './age.ts';

const S = 1000;
const M = 60 * S;
const H = 60 * M;
const D = 24 * H;

const DURATIONS: readonly [milliseconds: number, text: string][] = [
  [-3 * S, '<invalid>'],
  [-1 * S, '0s'],
  [0, '0s'],
  [119 * S, '119s'],
  [120 * S, '2m'],
  [3 * M + 12 * S, '3m12s'],
  [10 * M + 5 * S, '10m'],
  [179 * M, '179m'],
  [3 * H, '3h'],
  [7 * H + 59 * M, '7h59m'],
  [8 * H + 30 * M, '8h'],
  [47 * H, '47h'],
  [48 * H, '2d'],
  [52 * H, '2d4h'],
  [8 * D + 3 * H, '8d'],
  [729 * D, '729d'],
  [730 * D, '2y'],
  [3 * 365 * D + 120 * D, '3y120d'],
  [8 * 365 * D + 5 * D, '8y'],
];

for (const [milliseconds, text] of DURATIONS) {
  test(`${milliseconds} ms are shown as ${text}`, () => {
    assert.equal(formatShortDuration(milliseconds), text);
  });
}

test('the age of what has no time is unknown', () => {
  assert.equal(formatAge(null, 0), '<unknown>');
  assert.equal(formatAge(undefined, 0), '<unknown>');
  assert.equal(formatAge('2026-01-01T00:00:00Z', Date.UTC(2026, 0, 1, 0, 0, 7)), '7s');
});
