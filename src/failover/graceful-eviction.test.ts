import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GracefulEvictionTask, Taint } from '../api/index.ts';
import { formatTime } from '../base/index.ts';
import { assessEvictions, takeBack } from './index.ts';
import { testBinding, testCluster, type BindingTraits } from './testing/objects.ts';

const NOW = Date.UTC(2026, 10, 21, 3, 0, 0);
const ago = (seconds: number): string => formatTime(NOW - seconds * 1000);
const task = (
  fromCluster: string,
  ageSeconds?: number,
  more: Partial<GracefulEvictionTask> = {},
): GracefulEvictionTask => ({
  fromCluster,
  purgeMode: 'Gracefully',
  reason: 'TaintUntolerated',
  producer: 'TaintManager',
  ...(ageSeconds === undefined ? {} : { creationTimestamp: ago(ageSeconds) }),
  ...more,
});
const AB = [{ name: 'A' }, { name: 'B' }];
const SILENT = testCluster('silent', { conditions: { Ready: 'False' } });
const ANSWERS = testCluster('answers', { conditions: { Ready: 'True' } });
/** Every cluster answers, but those named so. */
const clusters = { get: (name: string) => (name.startsWith('silent') ? SILENT : ANSWERS) };
const times = { nowMs: NOW, now: formatTime(NOW), timeoutMs: 180_000 };
const assess = (
  tasks: readonly GracefulEvictionTask[],
  { spec, ...traits }: BindingTraits,
): ReturnType<typeof assessEvictions> =>
  assessEvictions(
    testBinding({ ...traits, spec: { ...spec, gracefulEvictionTasks: tasks } }),
    clusters,
    times,
  );

const cases: readonly [
  what: string,
  tasks: readonly GracefulEvictionTask[],
  traits: BindingTraits,
  kept: readonly string[],
  dropped: readonly string[],
][] = [
  ['old tasks go when time is over', [task('m1'), task('m2', 120), task('m3', 240)], { spec: { clusters: AB }, observed: 1 }, ['m1', 'm2'], ['m3']],
  ['all go when every target is healthy', [task('m1', 60), task('m2', 120)], { spec: { clusters: AB }, health: { A: 'Healthy', B: 'Healthy' } }, [], ['m1', 'm2']],
  ['a target without a status keeps them', [task('m1', 60), task('m2', 120)], { spec: { clusters: AB }, health: { A: 'Healthy' } }, ['m1', 'm2'], []],
  ['an unhealthy target keeps them', [task('m1', 60)], { spec: { clusters: AB }, health: { A: 'Healthy', B: 'Unhealthy' } }, ['m1'], []],
  ['a target of unknown health keeps them', [task('m1', 60)], { spec: { clusters: AB }, health: { A: 'Healthy', B: 'Unknown' } }, ['m1'], []],
  ['what the scheduler has not seen keeps them', [task('m1', 60)], { spec: { clusters: [{ name: 'A' }] }, observed: 1, health: { A: 'Healthy' } }, ['m1'], []],
  ['suppressed deletion keeps them for ever', [task('m1', 3600, { suppressDeletion: true })], { spec: { clusters: AB }, health: { A: 'Healthy', B: 'Healthy' } }, ['m1'], []],
  ['deletion that is no longer suppressed ends them now', [task('m1', 60, { suppressDeletion: false })], { spec: { clusters: AB } }, [], ['m1']],
  ['a grace period of its own counts for that task only', [task('m1', 60, { gracePeriodSeconds: 30 }), task('m2', 60)], { spec: { clusters: [{ name: 'A' }] }, health: { A: 'Unknown' } }, ['m2'], ['m1']],
  ['a new task is not judged before it has a time', [task('m1')], { spec: { clusters: [{ name: 'A' }] }, health: { A: 'Healthy' } }, ['m1'], []],
  ['purge mode Directly ends by the same rules', [task('m1', 60, { purgeMode: 'Directly' })], { spec: { clusters: [{ name: 'A' }] }, health: { A: 'Healthy' } }, [], ['m1']],
  ['an empty schedule is not all healthy', [task('m1', 60)], {}, ['m1'], []],
  ['an empty schedule is right for a workload scaled to nothing', [task('m1', 60)], { spec: { replicas: 0, replicaRequirements: {} } }, [], ['m1']],
  ['the last healthy copy stays without a replacement', [task('m1', 240)], { health: { m1: 'Healthy' } }, ['m1'], []],
  ['the last healthy copy stays beside a replacement that is not healthy', [task('m1', 240)], { spec: { clusters: [{ name: 'A' }] }, health: { m1: 'Healthy', A: 'Unhealthy' } }, ['m1'], []],
  ['one healthy replacement is enough when time is over', [task('m1', 240)], { spec: { clusters: AB }, health: { m1: 'Healthy', A: 'Healthy', B: 'Unknown' } }, [], ['m1']],
  ['an unhealthy copy goes when time is over', [task('m1', 240)], { health: { m1: 'Unhealthy' } }, [], ['m1']],
  ['one of which some replicas are ready stays, for it serves', [task('m1', 240)], { health: { m1: 'Unhealthy' }, ready: { m1: 2 } }, ['m1'], []],
  ['a copy of unknown health stays, for it may be healthy', [task('m1', 240)], { health: { m1: 'Unknown' } }, ['m1'], []],
  ['so does one that was not healthy when it was last heard of', [task('silent', 240)], { health: { silent: 'Unhealthy' } }, ['silent'], []],
  ['what never got into a silent cluster goes', [task('silent', 240)], {}, [], ['silent']],
  ['what may be healthy in a silent cluster goes when a replacement is', [task('silent', 60)], { spec: { clusters: [{ name: 'A' }] }, health: { silent: 'Unknown', A: 'Healthy' } }, [], ['silent']],
  ['a target that fell silent has not taken the place of another, healthy as it was', [task('m1', 60)], { spec: { clusters: [{ name: 'silent' }] }, health: { m1: 'Healthy', silent: 'Healthy' } }, ['m1'], []],
  ['nor has it when time is over', [task('m1', 240)], { spec: { clusters: [{ name: 'silent' }] }, health: { m1: 'Healthy', silent: 'Healthy' } }, ['m1'], []],
  ['a target whose health is that of fewer replicas keeps them', [task('m1', 60)], { spec: { clusters: [{ name: 'A', replicas: 4 }] }, health: { A: 'Healthy' }, ready: { A: 2 } }, ['m1'], []],
  ['a target with all its replicas does not', [task('m1', 60)], { spec: { clusters: [{ name: 'A', replicas: 4 }] }, health: { A: 'Healthy' }, ready: { A: 4 } }, [], ['m1']],
]; // prettier-ignore
for (const [what, tasks, traits, kept, dropped] of cases) {
  test(what, () => {
    const assessed = assess(tasks, traits);
    assert.deepEqual(
      assessed.tasks.map(({ fromCluster }) => fromCluster),
      kept,
    );
    assert.deepEqual(assessed.dropped, dropped);
  });
}

test('a new task gets the time of now, and is looked at again when its time is over', () => {
  const { tasks, recheckAfterMs } = assess([task('m1')], { spec: { clusters: AB } });
  assert.equal(tasks[0]?.creationTimestamp, formatTime(NOW));
  assert.equal(recheckAfterMs, 180_001);
});

test('the earliest end decides when to look again', () => {
  const tasks = [task('m1', 60), task('m2', 60, { gracePeriodSeconds: 90 })];
  const { recheckAfterMs, tasks: kept } = assess(tasks, { spec: { clusters: AB } });
  assert.equal(recheckAfterMs, 30_001);
  assert.deepEqual(kept, tasks);
});

test('what is held is told and waits for events, not for time', () => {
  const { held, recheckAfterMs } = assess([task('m1', 240)], { health: { m1: 'Healthy' } });
  assert.deepEqual(held, ['m1']);
  assert.equal(recheckAfterMs, undefined);
});

test('nothing to change keeps the list itself', () => {
  const binding = testBinding({ spec: { clusters: AB, gracefulEvictionTasks: [task('m1', 60)] } });
  const { tasks } = assessEvictions(binding, clusters, times);
  assert.equal(tasks, binding.spec.gracefulEvictionTasks);
});

const evicting: Taint = { key: 'broken', effect: 'NoExecute', timeAdded: ago(600) };
const comebacks: readonly [string, BindingTraits, readonly Taint[], boolean][] = [
  ['an eviction that found no replacement is taken back when the taint goes', { health: { m1: 'Healthy' } }, [], true],
  ['not while the taint stays', { health: { m1: 'Healthy' } }, [evicting], false],
  ['not when there is a replacement, healthy or not', { spec: { clusters: [{ name: 'A' }] }, health: { m1: 'Healthy', A: 'Unhealthy' } }, [], false],
  ['also when the copy is not healthy', { health: { m1: 'Unhealthy' } }, [], true],
  ['not when there is no copy', {}, [], false],
]; // prettier-ignore
for (const [what, { spec, ...traits }, taints, expected] of comebacks) {
  test(what, () => {
    const tasks = [task('m1', 60, { replicas: 2 })];
    const binding = testBinding({ ...traits, spec: { ...spec, gracefulEvictionTasks: tasks } });
    const change = takeBack(binding, new Map([['m1', testCluster('m1', { taints })]]), [], NOW);
    assert.deepEqual(
      change,
      expected ? { clusters: [{ name: 'm1', replicas: 2 }], gracefulEvictionTasks: [] } : undefined,
    );
  });
}

test('an application that failed is not taken back', () => {
  const tasks = [task('m1', 60, { producer: 'resource-binding-application-failover-controller' })];
  const binding = testBinding({ spec: { gracefulEvictionTasks: tasks }, health: { m1: 'Healthy' } });
  assert.equal(takeBack(binding, new Map([['m1', testCluster('m1')]]), [], NOW), undefined);
});
