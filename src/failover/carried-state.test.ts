import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GracefulEvictionTask, ResourceBinding, WorkloadState } from '../api/index.ts';
import { StateUnreadable, assessEvictions, isOverTime, requireKnownState, stateToCarry } from './index.ts';
import { testBinding } from './testing/objects.ts';

const preservation = { rules: [{ aliasLabelName: 'job', jsonPath: '{.jobId}' }] };
const MADE = '2026-11-21T03:00:00Z';
const task = (fromCluster: string, state?: Record<string, string>): GracefulEvictionTask => ({
  fromCluster,
  purgeMode: 'Directly',
  reason: 'TaintUntolerated',
  producer: 'TaintManager',
  creationTimestamp: MADE,
  ...(state === undefined ? {} : { preservedLabelState: state }),
});

function binding(
  clusters: readonly string[],
  tasks: readonly GracefulEvictionTask[],
  copies: Readonly<Record<string, readonly [health: 'Healthy' | 'Unhealthy', jobId?: string]>>,
): ResourceBinding {
  const made = testBinding({
    spec: { clusters: clusters.map((name) => ({ name })), gracefulEvictionTasks: tasks },
  });
  const aggregatedStatus = Object.entries(copies).map(([clusterName, [health, jobId]]) => ({
    clusterName,
    health,
    ...(jobId === undefined ? {} : { status: { jobId } }),
  }));
  return { ...made, status: { ...made.status, aggregatedStatus } };
}

const cases: readonly [what: string, binding: ResourceBinding, from: string, found: string | undefined][] = [
  ['a first failover takes what the copy says', binding(['a'], [], { a: ['Unhealthy', '1'] }), 'a', '1'],
  ['a second one, before the replacement was healthy, takes what the first did', binding(['b'], [task('a', { job: '1' })], { b: ['Unhealthy', 'new'] }), 'b', '1'],
  ['also when the replacement never said anything', binding(['b'], [task('a', { job: '1' })], {}), 'b', '1'],
  ['a third one as well', binding(['c'], [task('a', { job: '1' }), task('b', { job: '1' })], {}), 'c', '1'],
  ['a replacement that is healthy has state of its own', binding(['b'], [task('a', { job: '1' })], { b: ['Healthy', '2'] }), 'b', '2'],
  ['an eviction without state carries none', binding(['b'], [task('a')], { b: ['Unhealthy', '2'] }), 'b', '2'],
  ['a copy that never said anything has none to give', binding(['a'], [], {}), 'a', undefined],
]; // prettier-ignore
for (const [what, of, from, found] of cases) {
  test(`carried state: ${what}`, () => {
    if (found === undefined) assert.throws(() => stateToCarry(of, preservation, from), StateUnreadable);
    else assert.deepEqual(stateToCarry(of, preservation, from), { job: found });
  });
}

test('a policy that preserves nothing carries nothing', () => {
  assert.equal(stateToCarry(binding(['a'], [], {}), undefined, 'a'), undefined);
  assert.equal(stateToCarry(binding(['a'], [], {}), { rules: [] }, 'a'), undefined);
});

test('a task that carries state outlasts its time until a healthy copy has it', () => {
  const late = { nowMs: Date.parse(MADE) + 3_600_000, now: '2026-11-21T04:00:00Z', timeoutMs: 600_000 };
  const kept = (of: ResourceBinding): number => assessEvictions(of, new Map(), late).tasks.length;
  const carrying = task('a', { job: '1' });
  assert.equal(kept(binding(['b'], [carrying], { b: ['Unhealthy'] })), 1);
  assert.equal(kept(binding(['b'], [carrying], { b: ['Healthy'] })), 0);
  assert.equal(kept(binding(['b'], [task('a')], { b: ['Unhealthy'] })), 0, 'one without state is over');
  assert.equal(
    kept(binding([], [carrying], {})),
    0,
    'nobody is there to take it over, and the task keeps a cluster away',
  );
  assert.equal(isOverTime(carrying, 600_000, late.nowMs), true);
  assert.equal(isOverTime(carrying, 600_000, Date.parse(MADE) + 600_000), false);
  assert.equal(isOverTime({ ...carrying, suppressDeletion: true }, 600_000, late.nowMs), false);
});

test('a task outlasts its time as well for what is known of the copy that it gave up', () => {
  const late = { nowMs: Date.parse(MADE) + 3_600_000, now: '2026-11-21T04:00:00Z', timeoutMs: 600_000 };
  const known: WorkloadState = {
    apiVersion: 'navarch.io/v1alpha1',
    kind: 'WorkloadState',
    metadata: { name: 'web' },
    status: {
      clusters: [
        { cluster: 'a', observedAt: MADE, values: [{ value: '7', source: 'x', label: 'savepoint' }] },
      ],
    },
  };
  const kept = (of: ResourceBinding): number =>
    assessEvictions(of, new Map(), { ...late, known }).tasks.length;
  assert.equal(kept(binding(['b'], [task('a')], { b: ['Unhealthy'] })), 1);
  assert.equal(kept(binding(['b'], [task('a')], { b: ['Healthy'] })), 0);
  assert.equal(
    kept(binding(['b'], [task('c')], { b: ['Unhealthy'] })),
    0,
    'nothing is known of the copy in c',
  );
  const gracefully: GracefulEvictionTask = { ...task('a'), purgeMode: 'Gracefully' };
  assert.equal(kept(binding(['b'], [gracefully], { b: ['Unhealthy'] })), 0, 'it is told to nobody');
});

test('required state that is not known is named', () => {
  const known = (requiredMissing: boolean): WorkloadState => ({
    apiVersion: 'navarch.io/v1alpha1',
    kind: 'WorkloadState',
    metadata: { name: 'web' },
    status: { clusters: [{ cluster: 'a', observedAt: MADE, missing: ['no snapshot'], requiredMissing }] },
  });
  const first = binding(['a'], [], { a: ['Unhealthy'] });
  assert.throws(() => requireKnownState(first, known(true), 'a'), /no snapshot/);
  assert.doesNotThrow(() => requireKnownState(first, known(false), 'a'));
  assert.doesNotThrow(() => requireKnownState(first, known(true), 'b'));
  assert.doesNotThrow(() => requireKnownState(first, undefined, 'a'));
  const second = (health: 'Healthy' | 'Unhealthy'): ResourceBinding =>
    binding(['a'], [task('z', { job: '1' })], { a: [health] });
  assert.doesNotThrow(() => requireKnownState(second('Unhealthy'), known(true), 'a'));
  assert.throws(() => requireKnownState(second('Healthy'), known(true), 'a'), /no snapshot/);
});
