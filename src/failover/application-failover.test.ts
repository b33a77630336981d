import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applicationEvictionTask, judgeApplication } from './index.ts';
import { testBinding, type BindingTraits } from './testing/objects.ts';

const NOW = 1_000_000;
const clusters = [{ name: 'c1' }, { name: 'c2' }];
const both = { c1: 'Unhealthy', c2: 'Unhealthy' } as const;

const cases: readonly [
  what: string,
  tolerationSeconds: number,
  unhealthyForSeconds: Readonly<Record<string, number>>,
  traits: BindingTraits,
  evict: readonly string[],
  recheckAfterMs: number | undefined,
  remembered: readonly string[],
][] = [
  ['newly unhealthy copies are tolerated', 1, {}, { health: both }, [], 1000, ['c1', 'c2']],
  ['one whose time is over goes, the new one stays', 1, { c1: 2 }, { health: both }, ['c1'], 1000, ['c2']],
  ['time that is not over is waited for', 100, { c1: 40 }, { health: both }, [], 60_000, ['c1', 'c2']],
  ['healthy copies need nothing', 1, {}, { health: { c1: 'Healthy', c2: 'Healthy' } }, [], undefined, []],
  ['a single healthy look forgets', 100, { c1: 99 }, { health: { c1: 'Healthy' } }, [], undefined, []],
  ['a single look of unknown health forgets as well', 100, { c1: 99 }, { health: { c1: 'Unknown' } }, [], undefined, []],
  ['no report neither evicts nor forgets', 100, { c1: 99 }, { health: { c2: 'Healthy' } }, [], undefined, ['c1']],
  ['a cluster that is no target any more is forgotten', 1, { c3: 50 }, { health: { c3: 'Unhealthy' } }, [], undefined, []],
  ['toleration 0 means at once', 0, {}, { health: { c1: 'Unhealthy' } }, ['c1'], undefined, []],
  ['what is being evicted already is left alone', 1, {}, { health: { c1: 'Unhealthy' }, spec: { gracefulEvictionTasks: [{ fromCluster: 'c1', reason: 'x', producer: 'x' }] } }, [], undefined, []],
]; // prettier-ignore
for (const [
  what,
  tolerationSeconds,
  forSeconds,
  { spec, ...traits },
  evict,
  recheckAfterMs,
  remembered,
] of cases) {
  test(what, () => {
    const binding = testBinding({ ...traits, spec: { clusters, ...spec } });
    const before = new Map(
      Object.entries(forSeconds).map(([name, seconds]): [string, number] => [name, NOW - seconds * 1000]),
    );
    const verdict = judgeApplication(binding, { decisionConditions: { tolerationSeconds } }, before, NOW);
    assert.deepEqual(verdict.evict, evict);
    assert.equal(verdict.recheckAfterMs, recheckAfterMs);
    assert.deepEqual([...verdict.since.keys()], remembered);
  });
}

const conditions = { decisionConditions: {} };
test('Gracefully passes the grace period on', () => {
  const task = applicationEvictionTask(
    testBinding({}),
    { ...conditions, gracePeriodSeconds: 60 },
    'c1',
    undefined,
  );
  assert.deepEqual(task, {
    fromCluster: 'c1',
    purgeMode: 'Gracefully',
    reason: 'ApplicationFailure',
    producer: 'resource-binding-application-failover-controller',
    gracePeriodSeconds: 60,
  });
});

test('Never keeps the old copy until somebody decides', () => {
  const task = applicationEvictionTask(
    testBinding({}),
    { ...conditions, purgeMode: 'Never' },
    'c1',
    undefined,
  );
  assert.equal(task.suppressDeletion, true);
});

test('preserved state comes with where the application ran before', () => {
  const task = applicationEvictionTask(
    testBinding({ spec: { clusters } }),
    { ...conditions, purgeMode: 'Directly', gracePeriodSeconds: 60 },
    'c1',
    { job: 'a' },
  );
  assert.deepEqual(task.clustersBeforeFailover, ['c1', 'c2']);
  assert.deepEqual(task.preservedLabelState, { job: 'a' });
  assert.equal(task.gracePeriodSeconds, undefined);
});
