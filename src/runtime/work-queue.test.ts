import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ManualClock } from './testing/manual-clock.ts';
import { PRIORITY_RESYNC, WorkQueue, type WorkQueueSettings } from './work-queue.ts';

function newQueue(settings: Partial<WorkQueueSettings> = {}): { queue: WorkQueue; clock: ManualClock } {
  const clock = new ManualClock();
  return { queue: new WorkQueue({ name: 'test', clock, ...settings }), clock };
}

function drain(queue: WorkQueue): string[] {
  const keys: string[] = [];
  for (let item = queue.tryTake(); item !== undefined; item = queue.tryTake()) {
    keys.push(item.key);
    queue.done(item.key);
  }
  return keys;
}

test('keys come out once, in the order they came in', () => {
  const { queue } = newQueue();
  for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key);
  assert.deepEqual(drain(queue), ['a', 'b', 'c']);
  assert.equal(queue.tryTake(), undefined);
});

test('changes go before resyncs, and a change lifts a key that a resync had queued', () => {
  const { queue } = newQueue();
  for (const key of ['r1', 'r2', 'r3']) queue.addWithPriority(key, PRIORITY_RESYNC);
  queue.add('change');
  queue.add('r3');
  queue.addWithPriority('change', PRIORITY_RESYNC);
  assert.deepEqual(drain(queue), ['r3', 'change', 'r1', 'r2']);
});

test('a key added while it is worked on comes again after that, not beside it', () => {
  const { queue } = newQueue();
  queue.add('a');
  assert.equal(queue.tryTake()?.key, 'a');
  queue.add('a');
  assert.equal(queue.tryTake(), undefined);
  queue.done('a');
  assert.equal(queue.tryTake()?.key, 'a');
  queue.done('a');
  assert.equal(queue.tryTake(), undefined);
});

test('a delayed key comes when its time has come, the earliest of several times wins', async () => {
  const { queue, clock } = newQueue();
  queue.addAfter('a', 1000);
  queue.addAfter('a', 100);
  queue.addAfter('a', 5000);
  await clock.advance(99);
  assert.equal(queue.readyCount, 0);
  await clock.advance(1);
  assert.deepEqual(drain(queue), ['a']);
  assert.equal(clock.timerCount, 0);
});

test('an add makes a delayed key ready at once', () => {
  const { queue } = newQueue();
  queue.addAfter('a', 1000);
  queue.add('a');
  assert.deepEqual(drain(queue), ['a']);
  assert.equal(queue.waitingCount, 0);
});

test('a delay that passes while the key is worked on ends with the work', async () => {
  const { queue, clock } = newQueue();
  queue.add('a');
  queue.tryTake();
  queue.addAfter('a', 10);
  await clock.advance(50);
  assert.equal(queue.readyCount, 0);
  queue.done('a');
  assert.equal(queue.readyCount, 1);
});

test('failures of one key wait twice as long each time, up to the maximum, until forgotten', async () => {
  const { queue, clock } = newQueue({ backoffBaseMs: 5, backoffMaxMs: 30 });
  const waits: number[] = [];
  for (let i = 0; i < 5; i++) {
    waits.push(queue.retry('a'));
    await clock.advance(30);
    assert.deepEqual(drain(queue), ['a']);
  }
  assert.deepEqual(waits, [5, 10, 20, 30, 30]);
  assert.equal(queue.failureCount('a'), 5);
  queue.forget('a');
  assert.equal(queue.retry('a'), 5);
  assert.equal(queue.retry('b', { atLeastMs: 700 }), 700);
});

test('take() waits for a key, and gives up with the signal', async () => {
  const { queue } = newQueue();
  const first = queue.take();
  const stop = new AbortController();
  const second = queue.take(stop.signal);
  queue.add('a', { reason: 'because' });
  assert.deepEqual(await first, { key: 'a', priority: 0, reason: 'because', failures: 0 });
  stop.abort();
  assert.equal(await second, undefined);
  queue.add('b');
  assert.equal(queue.readyCount, 1);
  const third = newQueue().queue;
  const waiting = third.take();
  third.close();
  assert.equal(await waiting, undefined);
});

test('a full queue says so instead of losing a key in silence', () => {
  const { queue } = newQueue({ maxKeys: 2 });
  for (const key of ['a', 'b', 'a']) queue.add(key);
  assert.throws(() => queue.add('c'), { code: 'QUEUE_FULL' });
  assert.deepEqual(drain(queue), ['a', 'b']);
});

test('a closed queue forgets all and leaves no timer', () => {
  const { queue, clock } = newQueue();
  queue.add('a');
  queue.addAfter('b', 1000);
  queue.close();
  queue.add('c');
  assert.equal(queue.tryTake(), undefined);
  assert.equal(clock.timerCount, 0);
});

// The queue against a model: a map from key to (priority, time), and a set of keys under work.
test('any sequence of calls keeps a key queued once and worked on once, and loses none', async () => {
  const key = fc.constantFrom('a', 'b', 'c', 'd');
  const call = fc.oneof(
    fc.record({ do: fc.constant('add' as const), key, priority: fc.constantFrom(0, -100, 7) }),
    fc.record({ do: fc.constant('after' as const), key, afterMs: fc.integer({ min: 0, max: 50 }) }),
    fc.record({ do: fc.constant('take' as const) }),
    fc.record({ do: fc.constant('done' as const), key }),
    fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 60 }) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(call, { maxLength: 60 }), async (calls) => {
      const clock = new ManualClock(0);
      const queue = new WorkQueue({ name: 'model', clock });
      const queued = new Map<string, { priority: number; atMs: number }>();
      const working = new Set<string>();
      const merge = (key: string, priority: number, atMs: number): void => {
        const known = queued.get(key) ?? { priority, atMs };
        queued.set(key, {
          priority: Math.max(known.priority, priority),
          atMs: Math.min(known.atMs, atMs),
        });
      };
      const takeable = (): string[] =>
        [...queued].filter(([k, { atMs }]) => atMs <= clock.now() && !working.has(k)).map(([k]) => k);
      for (const one of calls) {
        if (one.do === 'add') {
          queue.addWithPriority(one.key, one.priority);
          merge(one.key, one.priority, clock.now());
        } else if (one.do === 'after') {
          queue.addAfter(one.key, one.afterMs);
          merge(one.key, 0, clock.now() + one.afterMs);
        } else if (one.do === 'take') {
          const possible = takeable();
          const item = queue.tryTake();
          assert.equal(item === undefined, possible.length === 0);
          if (item === undefined) continue;
          const best = Math.max(...possible.map((k) => queued.get(k)!.priority));
          assert.equal(item.priority, best);
          assert.ok(possible.includes(item.key));
          queued.delete(item.key);
          working.add(item.key);
        } else if (one.do === 'done') {
          if (working.delete(one.key)) queue.done(one.key);
        } else {
          await clock.advance(one.ms);
        }
        assert.equal(queue.readyCount, takeable().length);
        assert.equal(queue.workingCount, working.size);
      }
    }),
    { numRuns: 60 },
  );
});
