import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BoundedMap } from './bounded-map.ts';

test('what was used last is remembered, in bounds', () => {
  const map = new BoundedMap<number, string>(10);
  map.set(0, 'in use');
  for (let key = 1; key <= 1000; key++) {
    map.set(key, `value ${key}`);
    assert.equal(map.get(0), 'in use');
  }
  const remembered = Array.from({ length: 1001 }, (_, key) => key).filter(
    (key) => map.get(key) !== undefined,
  );
  assert.ok(remembered.length >= 10 && remembered.length <= 20, String(remembered.length));
  assert.deepEqual(remembered.slice(-9), [992, 993, 994, 995, 996, 997, 998, 999, 1000]);
});

test('a deleted key is gone from both generations, and a new value hides the old one', () => {
  const map = new BoundedMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 1);
  map.set('c', 1);
  map.set('a', 2);
  assert.equal(map.get('a'), 2);
  map.delete('a');
  map.delete('b');
  assert.equal(map.get('a'), undefined);
  assert.equal(map.get('b'), undefined);
  assert.equal(map.get('c'), 1);
});
