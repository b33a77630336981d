import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { deepFreeze } from '../api/index.ts';
import { deepEqual, encodeJson, semanticEqual } from './index.ts';
import { EncodingCache } from './json.ts';

const decode = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes));

test('a frozen object is encoded once and its bytes are shared', () => {
  const object = deepFreeze({ metadata: { name: 'wéb' }, list: [1, null, 'x'] });
  assert.deepEqual(decode(encodeJson(object)), object);
  assert.equal(encodeJson(object), encodeJson(object));
});

test('what is not frozen is encoded each time, as it is then', () => {
  const object = { count: 1 };
  assert.deepEqual(decode(encodeJson(object)), { count: 1 });
  object.count = 2;
  assert.deepEqual(decode(encodeJson(object)), { count: 2 });
});

test('the cache forgets what was not used for a generation and keeps what was', () => {
  const cache = new EncodingCache(100);
  const make = (id: string): object => Object.freeze({ id, padding: 'x'.repeat(20) });
  const used = make('used');
  const unused = make('unused');
  const usedBytes = cache.encode(used);
  const unusedBytes = cache.encode(unused);
  for (let i = 0; i < 10; i++) {
    cache.encode(make(`other${i}`));
    assert.equal(cache.encode(used), usedBytes);
  }
  assert.notEqual(cache.encode(unused), unusedBytes);
});

test('an object larger than a generation does not push out the others', () => {
  const cache = new EncodingCache(100);
  const small = Object.freeze({ id: 1 });
  const bytes = cache.encode(small);
  const large = Object.freeze({ padding: 'x'.repeat(200) });
  assert.notEqual(cache.encode(large), cache.encode(large));
  assert.equal(cache.encode(small), bytes);
});

const equalities: [name: string, a: unknown, b: unknown, deep: boolean, semantic: boolean][] = [
  ['the same text', 'a', 'a', true, true],
  ['text and number', '1', 1, false, false],
  ['order of keys does not matter', { a: 1, b: 2 }, { b: 2, a: 1 }, true, true],
  ['order of items matters', [1, 2], [2, 1], false, false],
  ['an undefined value is an absent one', { a: 1, b: undefined }, { a: 1 }, true, true],
  [
    'an undefined value hides another missing key',
    { a: undefined, b: 1 },
    { a: 1, b: undefined },
    false,
    false,
  ],
  ['null and absent', { a: null }, {}, false, true],
  ['empty list and absent', { a: [] }, {}, false, true],
  ['empty map in a map and absent', { a: { b: {} } }, {}, false, true],
  ['empty map and null', {}, null, false, true],
  ['false and absent', { a: false }, {}, false, false],
  ['zero and absent', { a: 0 }, {}, false, false],
  ['empty text and absent', { a: '' }, {}, false, false],
  ['a list and a map', [], {}, false, true],
  ['a list with null and an empty one', [null], [], false, false],
  ['own __proto__ key against another key', JSON.parse('{"__proto__":{}}'), { x: {} }, false, true],
  ['own constructor key against another key', { constructor: {} }, { x: {} }, false, true],
  ['own __proto__ key with content', JSON.parse('{"__proto__":{"a":1}}'), { x: { a: 1 } }, false, false],
  ['own constructor key against none', { constructor: 1 }, { other: 1 }, false, false],
];
for (const [name, a, b, deep, semantic] of equalities) {
  test(`equality: ${name}`, () => {
    assert.equal(deepEqual(a, b), deep);
    assert.equal(deepEqual(b, a), deep);
    assert.equal(semanticEqual(a, b), semantic);
    assert.equal(semanticEqual(b, a), semantic);
  });
}

test('a copy is equal, and equality agrees with the encoded form', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      const sorted = (value: unknown): string => JSON.stringify(order(value));
      assert.equal(deepEqual(a, JSON.parse(JSON.stringify(a))), true);
      assert.equal(deepEqual(a, b), sorted(a) === sorted(b));
      if (deepEqual(a, b)) assert.equal(semanticEqual(a, b), true);
    }),
  );
});

function order(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(order);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return { fields: fields.map(([key, one]) => ({ key, one: order(one) })) };
}
