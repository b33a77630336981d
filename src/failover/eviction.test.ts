import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GracefulEvictionTask } from '../api/index.ts';
import { evict, isLastHealthyCopy, isNeededAgain, taintEvictionTask, taintPurgeMode } from './index.ts';
import { testBinding, testCluster, type BindingTraits } from './testing/objects.ts';

const NOW = '2026-11-21T03:04:05Z';
const leaving = (cluster: string): GracefulEvictionTask =>
  taintEvictionTask(cluster, 'Gracefully', undefined);
const targets = [
  { name: 'm1', replicas: 1 },
  { name: 'm2', replicas: 2 },
  { name: 'm3', replicas: 3 },
];

test('an evicted cluster leaves the targets and its task remembers the replicas', () => {
  assert.deepEqual(evict({ clusters: targets }, leaving('m2'), NOW), {
    clusters: [targets[0], targets[2]],
    gracefulEvictionTasks: [{ ...leaving('m2'), creationTimestamp: NOW, replicas: 2 }],
  });
});

test('a task of the cluster that exists stays as it is', () => {
  const old: GracefulEvictionTask = { fromCluster: 'm2', reason: 'Other', producer: 'somebody' };
  const change = evict({ clusters: targets, gracefulEvictionTasks: [old] }, leaving('m2'), NOW);
  assert.deepEqual(change?.gracefulEvictionTasks, [old]);
  assert.deepEqual(change?.clusters, [targets[0], targets[2]]);
});

test('what is not there cannot be evicted', () => {
  assert.equal(evict({ clusters: targets }, leaving('m9'), NOW), undefined);
  assert.equal(evict({}, leaving('m1'), NOW), undefined);
});

test('what has no replicas has none in its task', () => {
  const change = evict({ clusters: [{ name: 'm1' }] }, leaving('m1'), NOW);
  assert.deepEqual(change, {
    clusters: [],
    gracefulEvictionTasks: [{ ...leaving('m1'), creationTimestamp: NOW }],
  });
});

test('the policy decides about the purge mode, then the control plane', () => {
  const { spec } = testBinding({});
  assert.equal(taintPurgeMode(spec, 'Directly'), 'Directly');
  assert.equal(taintPurgeMode({ ...spec, failover: { cluster: {} } }, 'Directly'), 'Gracefully');
  assert.equal(
    taintPurgeMode({ ...spec, failover: { cluster: { purgeMode: 'Directly' } } }, 'Gracefully'),
    'Directly',
  );
});

const ofWorkload = { replicas: 2, replicaRequirements: {} };
const copies: readonly [string, BindingTraits, boolean][] = [
  ['the only healthy copy is the last', { spec: { clusters: [{ name: 'm1' }] }, health: { m1: 'Healthy' } }, true],
  ['a healthy copy elsewhere makes it one of two', { spec: { clusters: [{ name: 'm1' }, { name: 'm2' }] }, health: { m1: 'Healthy', m2: 'Healthy' } }, false],
  ['an unhealthy copy elsewhere does not', { spec: { clusters: [{ name: 'm1' }, { name: 'm2' }] }, health: { m1: 'Healthy', m2: 'Unhealthy' } }, true],
  ['a healthy copy in a cluster that is left does not', { spec: { clusters: [{ name: 'm1' }] }, health: { m1: 'Healthy', m2: 'Healthy' } }, true],
  ['an unhealthy copy is nothing to guard', { spec: { clusters: [{ name: 'm1' }] }, health: { m1: 'Unhealthy' } }, false],
  ['nor is one of which nothing is known', { spec: { clusters: [{ name: 'm1' }] } }, false],
  ['nor one of a workload scaled to nothing', { spec: { ...ofWorkload, replicas: 0 }, health: { m1: 'Healthy' } }, false],
]; // prettier-ignore
for (const [what, traits, expected] of copies) {
  test(what, () => {
    const clusters = { get: (name: string) => testCluster(name, { conditions: { Ready: 'True' } }) };
    assert.equal(isLastHealthyCopy(testBinding(traits), 'm1', clusters), expected);
  });
}

const returns: readonly [string, BindingTraits, boolean][] = [
  ['a copy that came back is needed when what is in its place is not healthy', { spec: { clusters: [{ name: 'm2' }] }, health: { m2: 'Unhealthy' } }, true],
  ['or has not been heard of', { spec: { clusters: [{ name: 'm2' }] } }, true],
  ['it is not when that is healthy', { spec: { clusters: [{ name: 'm2' }] }, health: { m2: 'Healthy' } }, false],
  ['nor when who needs it has a healthy one elsewhere', { spec: { requiredBy: [{ name: 'web', clusters: [{ name: 'm2' }] }] }, health: { m2: 'Healthy' } }, false],
  ['nor when nothing was to be in its place', {}, false],
  ['nor when that is evicted and healthy, for it is kept then', { spec: { gracefulEvictionTasks: [leaving('m2')] }, health: { m2: 'Healthy' } }, false],
  ['it is when that was evicted too', { spec: { gracefulEvictionTasks: [leaving('m2')] } }, true],
  ['nor is one of a workload scaled to nothing', { spec: { ...ofWorkload, replicas: 0, clusters: [{ name: 'm2' }] } }, false],
]; // prettier-ignore
for (const [what, traits, expected] of returns) {
  test(what, () => {
    const clusters = { get: (name: string) => testCluster(name, { conditions: { Ready: 'True' } }) };
    assert.equal(isNeededAgain(testBinding(traits), 'm1', clusters), expected);
  });
}
