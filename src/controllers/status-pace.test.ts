import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Work } from '../api/index.ts';
import type { Binding } from '../propagation/index.ts';
import { StatusPace } from './status-pace.ts';

const KEY = 'shop/web';
const names = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `m${i + 1}`);

function binding(clusters: number): Binding {
  return {
    spec: { resource: {}, clusters: names(clusters).map((name) => ({ name })) },
  } as unknown as Binding;
}

/** Works in so many clusters, of which so many have reported. */
function works(count: number, reported = count): readonly Work[] {
  return names(count).map(
    (name, i) =>
      ({
        metadata: { name: 'w', namespace: `karmada-es-${name}` },
        spec: {},
        ...(i < reported ? { status: { conditions: [] } } : {}),
      }) as unknown as Work,
  );
}

function start(): { readonly pace: StatusPace; readonly at: (ms: number) => StatusPace } {
  let nowMs = 1_000_000;
  const pace = new StatusPace({ now: () => nowMs });
  return {
    pace,
    at: (ms) => {
      nowMs = 1_000_000 + ms;
      return pace;
    },
  };
}

test('nobody waits when all have reported', () => {
  assert.equal(start().pace.waitMs(KEY, binding(3), works(3)), 0);
});

test('first reports are awaited once, and no longer when one never comes', () => {
  const { at } = start();
  assert.equal(at(0).waitMs(KEY, binding(3), works(2, 1)), 200);
  assert.equal(at(150).waitMs(KEY, binding(3), works(3, 2)), 50);
  assert.equal(at(200).waitMs(KEY, binding(3), works(3, 2)), 0);
  assert.equal(at(900).waitMs(KEY, binding(3), works(3, 2)), 0);
});

test('all have reported before the time is over: nobody waits for the rest of it', () => {
  const { at } = start();
  assert.equal(at(0).waitMs(KEY, binding(2), works(2, 1)), 200);
  assert.equal(at(20).waitMs(KEY, binding(2), works(2)), 0);
});

const pauses: readonly (readonly [clusters: number, afterMs: number, waitMs: number])[] = [
  [1, 0, 0],
  [2, 0, 20],
  [3, 10, 20],
  [10, 30, 70],
  [10, 100, 0],
  [100, 0, 1_000],
  [5_000, 250, 750],
];
for (const [clusters, afterMs, waitMs] of pauses) {
  test(`with ${clusters} clusters a sum waits ${waitMs} ms when the last is ${afterMs} ms old`, () => {
    const { at } = start();
    at(0).told(KEY);
    assert.equal(at(afterMs).waitMs(KEY, binding(clusters), works(clusters)), waitMs);
  });
}

test('a clock that was set back makes nobody wait', () => {
  const { at } = start();
  at(0).told(KEY);
  assert.equal(at(-5_000).waitMs(KEY, binding(3), works(3)), 0);
});

test('what is gone is forgotten', () => {
  const { at } = start();
  at(0).told(KEY);
  at(0).forget(KEY);
  assert.equal(at(0).waitMs(KEY, binding(3), works(3)), 0);
});
