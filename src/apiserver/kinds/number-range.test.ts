import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { candidates, guess, isInRange, rangeOf } from './number-range.ts';

test('how much of a range is kept for those who ask for a certain number', () => {
  const cases: readonly (readonly [
    what: string,
    count: number,
    divisor: number,
    most: number,
    kept: number,
  ])[] = [
    ['node ports as they come', 2768, 32, 128, 86],
    ['addresses of a /16', 65_533, 16, 256, 256],
    ['addresses of a /24', 253, 16, 256, 16],
    ['a range that is too small for it', 16, 16, 256, 0],
    ['one more', 17, 16, 256, 16],
  ];
  for (const [what, count, divisor, most, kept] of cases)
    assert.equal(rangeOf(100, count, divisor, most).reserved, kept, what);
});

const ranges = fc
  .tuple(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 1, max: 80 }))
  .map(([first, count]) => rangeOf(first, count, 16, 256));
const fractions = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test('candidates are every number of the range once, the free ones first, the kept ones after the other free ones', () => {
  fc.assert(
    fc.property(ranges, fc.infiniteStream(fc.boolean()), fractions, (range, coins, fraction) => {
      const numbers = Array.from({ length: range.count }, (_, i) => range.first + i);
      const taken = new Set(numbers.filter(() => coins.next().value === true));
      const found = [...candidates(range, taken, fraction)];
      assert.deepEqual(
        found.toSorted((a, b) => a - b),
        numbers,
      );
      const free = range.count - taken.size;
      assert.ok(found.slice(0, free).every((number) => !taken.has(number)));
      const keptFrom = range.first + range.reserved;
      const firstKept = found.findIndex((number) => !taken.has(number) && number < keptFrom);
      if (firstKept >= 0) assert.ok(found.slice(firstKept, free).every((number) => number < keptFrom));
    }),
  );
});

test('a guess lies in the range, and never in the part that is kept', () => {
  fc.assert(
    fc.property(ranges, fractions, (range, fraction) => {
      const number = guess(range, fraction);
      assert.ok(isInRange(range, number) && number >= range.first + range.reserved);
    }),
  );
});
