import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GracefulEvictionTask } from '../api/index.ts';
import { evict, isLastHealthyCopy, taintEvictionTask, taintPurgeMode } from './index.ts';
import { testBinding, type BindingTraits } from './testing/objects.ts';

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
    const { spec, status } = testBinding(traits);
    assert.equal(isLastHealthyCopy(spec, status, 'm1'), expected);
  });
}
