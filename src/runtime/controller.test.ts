import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AssertionError } from '../base/index.ts';
import { MODIFIED, StatusError, conflict } from '../machinery/index.ts';
import { runController, type Enqueue, type ReconcileContext, type Source } from './controller.ts';
import { silentMetrics } from './metrics.ts';
import { TerminalError, done, requeueAfter, settle, type Outcome, type Settlement } from './outcome.ts';
import { ManualClock, settled } from './testing/manual-clock.ts';
import { PRIORITY_RESYNC } from './work-queue.ts';

const judged: { name: string; outcome: Outcome; expected: Partial<Settlement> & { stopping?: boolean } }[] = [
  { name: 'success is forgotten', outcome: done, expected: { name: 'done', next: { do: 'forget' } } },
  {
    name: 'a requeue keeps its time and reason',
    outcome: requeueAfter(50, 'grace period'),
    expected: { name: 'requeue', next: { do: 'requeue', afterMs: 50, reason: 'grace period' } },
  },
  {
    name: 'a conflict is tried again and nothing to log about',
    outcome: { kind: 'retry', error: conflict({ group: '', resource: 'pods' }, 'a', MODIFIED) },
    expected: {
      name: 'conflict',
      level: 'debug',
      next: { do: 'back-off', atLeastMs: 0, reason: 'conflict' },
    },
  },
  {
    name: 'an error backs off',
    outcome: { kind: 'retry', error: new Error('broken') },
    expected: { name: 'error', level: 'warn', next: { do: 'back-off', atLeastMs: 0, reason: 'broken' } },
  },
  {
    name: 'a server that is too busy is given the time it asks for',
    outcome: {
      kind: 'retry',
      error: new StatusError(429, 'TooManyRequests', 'busy', { retryAfterSeconds: 3 }),
    },
    expected: { name: 'error', next: { do: 'back-off', atLeastMs: 3000, reason: 'busy' } },
  },
  {
    name: 'a terminal error is not tried again',
    outcome: { kind: 'retry', error: new TerminalError('never') },
    expected: { name: 'terminal', level: 'error', next: { do: 'forget' } },
  },
  {
    name: 'a bug quarantines the key',
    outcome: { kind: 'retry', error: new AssertionError('cannot be') },
    expected: {
      name: 'quarantine',
      level: 'error',
      next: { do: 'back-off', atLeastMs: 60_000, reason: 'quarantined after a bug' },
    },
  },
  {
    name: 'what breaks while stopping is no failure',
    outcome: { kind: 'retry', error: new Error('aborted') },
    expected: { stopping: true, name: 'stopped', level: 'debug', next: { do: 'forget' } },
  },
];
for (const { name, outcome, expected } of judged) {
  test(name, () => {
    const { stopping = false, ...wanted } = expected;
    const settlement = settle(outcome, stopping);
    for (const [key, value] of Object.entries(wanted))
      assert.deepEqual(settlement[key as keyof Settlement], value);
  });
}

function handSource(): Source & { add: Enqueue } {
  let enqueue: Enqueue = () => undefined;
  return {
    synced: Promise.resolve(),
    start(target) {
      enqueue = target;
      return () => (enqueue = () => undefined);
    },
    add: (key, options) => enqueue(key, options),
  };
}

interface Fixture {
  readonly clock: ManualClock;
  readonly source: ReturnType<typeof handSource>;
  readonly outcomes: string[];
  readonly stop: () => Promise<void>;
}

async function running(
  reconcile: (key: string, context: ReconcileContext) => Promise<Outcome>,
  concurrency = 1,
): Promise<Fixture> {
  const clock = new ManualClock();
  const source = handSource();
  const outcomes: string[] = [];
  const abort = new AbortController();
  const ended = runController({
    name: 'test-controller',
    sources: [source],
    reconcile,
    clock,
    concurrency,
    signal: abort.signal,
    metrics: { ...silentMetrics, reconciled: (_, outcome) => outcomes.push(outcome) },
  });
  await settled();
  const stop = (): Promise<void> => {
    abort.abort();
    return ended;
  };
  return { clock, source, outcomes, stop };
}

test('a burst of events for one key is one reconcile, and failures come back after their back-off', async () => {
  const seen: number[] = [];
  const { clock, source, outcomes, stop } = await running((_, { failures }) => {
    seen.push(failures);
    return seen.length < 3 ? Promise.reject(new Error('not yet')) : Promise.resolve(done);
  });
  for (let i = 0; i < 10; i++) source.add('a');
  await settled();
  assert.deepEqual(seen, [0]);
  await clock.advance(5);
  assert.deepEqual(seen, [0, 1]);
  await clock.advance(10);
  assert.deepEqual(seen, [0, 1, 2]);
  source.add('a');
  await settled();
  assert.deepEqual(outcomes, ['error', 'error', 'done', 'done']);
  assert.deepEqual(seen, [0, 1, 2, 0]);
  await stop();
  // The end of the turn.
  await clock.advance(0);
  assert.equal(clock.timerCount, 0);
});

test('never two reconciles of one key at once, never more than the concurrency of different keys', async () => {
  const active = new Set<string>();
  let most = 0;
  const release: (() => void)[] = [];
  const { source, stop } = await running(async (key) => {
    assert.ok(!active.has(key));
    active.add(key);
    most = Math.max(most, active.size);
    await new Promise<void>((resolve) => release.push(resolve));
    active.delete(key);
    return done;
  }, 3);
  for (let round = 0; round < 4; round++) {
    for (const key of ['a', 'b', 'c', 'd', 'e']) source.add(key);
    await settled();
    for (const resolve of release.splice(0)) resolve();
    await settled();
  }
  assert.equal(most, 3);
  const stopped = stop();
  for (const resolve of release.splice(0)) resolve();
  await stopped;
});

test('changes overtake an initial pass', async () => {
  const order: string[] = [];
  const { source, stop } = await running((key) => {
    order.push(key);
    return Promise.resolve(done);
  });
  for (const key of ['old1', 'old2']) source.add(key, { priority: PRIORITY_RESYNC });
  source.add('change');
  await settled();
  assert.deepEqual(order, ['change', 'old1', 'old2']);
  await stop();
});

test('stopping waits for what is under way, then aborts what does not end by itself', async () => {
  let ended = false;
  let aborted = false;
  const { clock, source, stop } = await running(async (_, { signal }) => {
    await new Promise<void>((resolve) =>
      signal.addEventListener('abort', () => {
        aborted = true;
        resolve();
      }),
    );
    ended = true;
    return done;
  });
  source.add('a');
  await settled();
  const stopped = stop();
  await clock.advance(9999);
  assert.equal(aborted, false);
  await clock.advance(1);
  await stopped;
  assert.ok(ended);
});

test('a reconcile that takes too long is aborted and counts as failed', async () => {
  const { clock, source, outcomes, stop } = await running(
    (_, { signal }) =>
      new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason as Error)),
      ),
  );
  source.add('a');
  await clock.advance(300_000);
  assert.deepEqual(outcomes, ['error']);
  const stopped = stop();
  await clock.advance(10_000);
  await stopped;
});
