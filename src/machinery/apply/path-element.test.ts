import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonObject, JsonValue } from '../../api/index.ts';
import { fieldElement, keyElement, sortElements, valueElement } from './path-element.ts';

const text = fc.string({
  unit: fc.constantFrom('a', 'b', '-', ' ', '!', '"', '#', '\\', '<', 'é', '/', '}'),
  maxLength: 4,
});
const byName = text.map((name) => keyElement([['name', name]]));
const byPort = fc
  .tuple(fc.integer({ min: 1, max: 12 }), fc.constantFrom('TCP', 'UDP'))
  .map(([port, protocol]) =>
    keyElement([
      ['containerPort', port],
      ['protocol', protocol],
    ]),
  );
const byTwoTexts = fc.tuple(text, text).map(([name, other]) =>
  keyElement([
    ['name', name],
    ['other', other],
  ]),
);
const any = fc.oneof(byName, byTwoTexts, byPort, text.map(fieldElement), text.map(valueElement));

/** What an element says, for a comparison that knows nothing of how it is written. */
function read(element: string): { readonly rank: number; readonly content: readonly JsonValue[] } {
  const rank = 'fkvi'.indexOf(element[0]!);
  const rest = element.slice(2);
  if (element.startsWith('f:')) return { rank, content: [rest] };
  const value = JSON.parse(rest) as JsonValue;
  return {
    rank,
    content: element.startsWith('k:') ? Object.values(value as JsonObject).map((one) => one!) : [value],
  };
}

function isBefore(a: string, b: string): boolean {
  const [one, two] = [read(a), read(b)];
  if (one.rank !== two.rank) return one.rank < two.rank;
  for (let i = 0; i < Math.min(one.content.length, two.content.length); i++) {
    const [left, right] = [one.content[i]!, two.content[i]!];
    if (left !== right) return left < right;
  }
  return one.content.length <= two.content.length;
}

for (const [what, element] of [
  ['of names', byName],
  ['of two texts', byTwoTexts],
  ['of ports', byPort],
] as const) {
  test(`elements are in the order of what they say: items ${what}`, () => {
    fc.assert(
      fc.property(fc.uniqueArray(element, { maxLength: 6 }), (elements) => {
        const sorted = sortElements(elements);
        assert.deepEqual(new Set(sorted), new Set(elements));
        for (let i = 1; i < sorted.length; i++) {
          assert.equal(isBefore(sorted[i - 1]!, sorted[i]!), true, sorted.join(' '));
        }
      }),
      { numRuns: 1000 },
    );
  });
}

test('elements of all sorts are kept, fields before items, items before values', () => {
  fc.assert(
    fc.property(fc.uniqueArray(any, { maxLength: 8 }), (elements) => {
      const sorted = sortElements(elements);
      assert.deepEqual(new Set(sorted), new Set(elements));
      const ranks = sorted.map((element) => read(element).rank);
      assert.deepEqual(
        ranks,
        ranks.toSorted((a, b) => a - b),
      );
    }),
  );
});

test('the element of a field is one text, however many fields there are', () => {
  for (let i = 0; i < 12_000; i++) assert.equal(fieldElement(`name-${i}`), `f:name-${i}`);
});
