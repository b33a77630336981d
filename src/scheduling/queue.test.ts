import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createSchedulingQueue, type SchedulingQueue } from './queue.ts';

function drain(queue: SchedulingQueue): string[] {
  const keys: string[] = [];
  for (let item = queue.pop(); item !== undefined; item = queue.pop()) keys.push(item.key);
  return keys;
}

test('queue: higher priority first, then the older, then the key', () => {
  const queue = createSchedulingQueue();
  queue.push('late', 0, 2);
  queue.push('b', 0, 1);
  queue.push('a', 0, 1);
  queue.push('urgent', 9, 3);
  assert.deepEqual(drain(queue), ['urgent', 'a', 'b', 'late']);
  assert.equal(queue.pop(), undefined);
});

test('queue: a key stands in it once, with its latest priority', () => {
  const queue = createSchedulingQueue();
  queue.push('a', 0, 1);
  queue.push('b', 1, 1);
  queue.push('a', 5, 2);
  queue.push('a', 5, 3);
  assert.deepEqual(queue.counts(), { active: 2, backoff: 0, unschedulable: 0 });
  assert.deepEqual(drain(queue), ['a', 'b']);
});

test('queue: what changes while it is processed comes back once', () => {
  const queue = createSchedulingQueue();
  queue.push('a', 0, 1);
  assert.equal(queue.pop()?.attempts, 1);
  queue.push('a', 3, 2);
  queue.push('a', 4, 2);
  assert.equal(queue.pop(), undefined);
  queue.done('a', 'backoff', 3);
  const again = queue.pop();
  assert.deepEqual(again, { key: 'a', priority: 4, sinceMs: 3, attempts: 2 });
  queue.done('a', 'forget', 4);
  assert.equal(queue.pop(), undefined);
});

test('queue: back-off doubles from one second up to ten', () => {
  const queue = createSchedulingQueue();
  let now = 0;
  queue.push('a', 0, now);
  const waits: number[] = [];
  for (let attempt = 0; attempt < 6; attempt++) {
    queue.pop();
    queue.done('a', 'backoff', now);
    const next = queue.nextFlushMs() ?? assert.fail();
    waits.push(next - now);
    queue.flush(next - 1);
    assert.equal(queue.counts().active, 0);
    now = next;
    queue.flush(now);
  }
  assert.deepEqual(waits, [1000, 2000, 4000, 8000, 10_000, 10_000]);
});

test('queue: a change lets a binding that backs off start afresh', () => {
  const queue = createSchedulingQueue();
  queue.push('a', 0, 0);
  queue.pop();
  queue.done('a', 'backoff', 0);
  queue.push('a', 0, 10);
  assert.deepEqual(queue.pop(), { key: 'a', priority: 0, sinceMs: 10, attempts: 1 });
});

test('queue: the unschedulable wait five minutes, unless they are woken or changed', () => {
  const queue = createSchedulingQueue();
  for (const key of ['a', 'b', 'c']) queue.push(key, 0, 0);
  drain(queue);
  for (const key of ['a', 'b', 'c']) queue.done(key, 'unschedulable', 5);
  queue.wake('b', 10);
  queue.wake('nobody', 10);
  queue.push('c', 0, 11);
  assert.deepEqual(drain(queue), ['b', 'c']);
  queue.flush(300_000);
  assert.equal(queue.counts().unschedulable, 1);
  queue.flush(queue.nextFlushMs() ?? assert.fail());
  assert.deepEqual(drain(queue), ['a']);
});

test('queue: what is ready together is ordered by priority', () => {
  const queue = createSchedulingQueue();
  queue.push('low', 0, 0);
  queue.push('high', 7, 0);
  drain(queue);
  queue.done('low', 'backoff', 0);
  queue.done('high', 'unschedulable', 0);
  queue.flush(400_000);
  assert.deepEqual(drain(queue), ['high', 'low']);
});

test('queue: what is forgotten is gone from every part', () => {
  const queue = createSchedulingQueue();
  queue.push('a', 0, 0);
  queue.forget('a');
  assert.equal(queue.pop(), undefined);
  queue.push('b', 0, 0);
  queue.pop();
  queue.push('b', 0, 0);
  queue.forget('b');
  queue.done('b', 'forget', 0);
  assert.deepEqual(queue.counts(), { active: 0, backoff: 0, unschedulable: 0 });
  assert.equal(queue.nextFlushMs(), undefined);
});

test('queue: agrees with sorting, whatever is pushed, raised and forgotten', () => {
  const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
  const step = fc.oneof(
    fc.record({ kind: fc.constant('push' as const), key, priority: fc.nat(3) }),
    fc.record({ kind: fc.constant('forget' as const), key, priority: fc.constant(0) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const queue = createSchedulingQueue();
      const model = new Map<string, { key: string; priority: number; since: number }>();
      for (const [since, { kind, key: name, priority }] of steps.entries()) {
        if (kind === 'forget') {
          queue.forget(name);
          model.delete(name);
        } else {
          queue.push(name, priority, since);
          model.set(name, { key: name, priority, since: model.get(name)?.since ?? since });
        }
      }
      const expected = [...model.values()].sort((a, b) => b.priority - a.priority || a.since - b.since);
      assert.deepEqual(
        drain(queue),
        expected.map((item) => item.key),
      );
    }),
  );
});
