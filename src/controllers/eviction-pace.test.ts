import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EvictionPace } from './eviction-pace.ts';

test('the first eviction goes at once, each further one an interval later', () => {
  const pace = new EvictionPace(50);
  assert.deepEqual(
    ['a', 'b', 'c'].map((key) => pace.waitMs(key, 1000)),
    [0, 20, 40],
  );
});

test('asking again keeps the turn', () => {
  const pace = new EvictionPace(0.5);
  pace.waitMs('a', 0);
  assert.equal(pace.waitMs('b', 0), 2000);
  assert.equal(pace.waitMs('b', 1500), 500);
  assert.equal(pace.waitMs('b', 2000), 0);
});

test('an interval that has passed unused is no credit', () => {
  const pace = new EvictionPace(1);
  pace.waitMs('a', 0);
  pace.end('a');
  assert.equal(pace.waitMs('b', 60_000), 0);
  assert.equal(pace.waitMs('c', 60_000), 1000);
});

test('a key that was evicted needs a new turn', () => {
  const pace = new EvictionPace(1);
  pace.waitMs('a', 0);
  pace.end('a');
  assert.equal(pace.waitMs('a', 0), 1000);
});

test('rate 0 is one in half an hour', () => {
  const pace = new EvictionPace(0);
  pace.waitMs('a', 0);
  assert.equal(pace.waitMs('b', 0), 1_800_000);
});
