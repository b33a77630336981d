import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { KeyIndex, prefixEnd } from './key-index.ts';

interface Item {
  live: boolean;
}

function keysFrom(index: KeyIndex<Item>, from: string): string[] {
  const keys: string[] = [];
  index.scan(from, (key) => keys.push(key) > 0);
  return keys;
}

test('an index agrees with a sorted list, through splits and merges of its chunks', () => {
  const action = fc.tuple(fc.constantFrom('toggle', 'toggle', 'live'), fc.nat({ max: 4_000 }));
  fc.assert(
    fc.property(
      fc.array(action, { minLength: 3_000, maxLength: 6_000 }),
      fc.nat(),
      fc.nat(),
      (actions, a, b) => {
        const index = new KeyIndex<Item>((item) => item.live);
        const model = new Map<string, Item>();
        for (const [type, number] of actions) {
          const key = `/${number}`;
          const item = model.get(key);
          if (type === 'live' && item !== undefined) {
            item.live = !item.live;
            index.countChanged(key, item.live ? 1 : -1);
          } else if (item !== undefined) {
            index.remove(key);
            model.delete(key);
          } else {
            const added = { live: type === 'toggle' };
            index.insert(key, added);
            model.set(key, added);
          }
        }
        const keys = [...model.keys()].toSorted();
        const [from, to] = [`/${a % 4_000}`, `/${b % 4_000}`];
        assert.deepEqual(keysFrom(index, ''), keys);
        assert.deepEqual(
          keysFrom(index, from),
          keys.filter((key) => key >= from),
        );
        const counted = keys.filter((key) => key >= from && key < to && model.get(key)!.live);
        assert.equal(index.count(from, to), counted.length);
        assert.equal(index.count('', undefined), [...model.values()].filter((item) => item.live).length);
      },
    ),
    { numRuns: 20 },
  );
});

test('an index that was emptied can be filled again', () => {
  const index = new KeyIndex<Item>(() => true);
  for (let i = 0; i < 2_000; i++) index.insert(`/${i}`, { live: true });
  for (let i = 0; i < 2_000; i++) index.remove(`/${i}`);
  index.remove('/1');
  assert.deepEqual(keysFrom(index, ''), []);
  assert.equal(index.count('', undefined), 0);
  index.insert('/1', { live: true });
  assert.deepEqual(keysFrom(index, ''), ['/1']);
});

const ends: [prefix: string, end: string | undefined][] = [
  ['/a/', '/a0'],
  ['/a\uffff', '/b'],
  ['\uffff\uffff', undefined],
  ['', undefined],
];
for (const [prefix, end] of ends) {
  test(`keys that start with ${JSON.stringify(prefix)} come before ${JSON.stringify(end)}`, () => {
    assert.equal(prefixEnd(prefix), end);
  });
}
