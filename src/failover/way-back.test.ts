import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { TargetCluster } from '../api/index.ts';
import {
  formerPlacement,
  isBack,
  leavingByRollback,
  restoredClusters,
  turnsOf,
  wayBack,
} from './way-back.ts';

const at = (text: string): readonly TargetCluster[] =>
  text === ''
    ? []
    : text.split(' ').map((one) => {
        const [name = '', replicas] = one.split(':');
        return { name, ...(replicas === undefined ? {} : { replicas: Number(replicas) }) };
      });
const divided = { replicaScheduling: { replicaSchedulingType: 'Divided' as const } };
const now = '2026-01-02T03:04:05Z';

describe('where a workload was before', () => {
  const cases: readonly [string, string, readonly string[], string | undefined, string | undefined][] = [
    ['is nowhere when nothing is known', 'a', [], undefined, undefined],
    ['is the last placement in other clusters', 'a', ['b', 'c'], undefined, 'b'],
    ['is not the one of now', 'a:2 b:1', ['b:3 a:1', 'c'], undefined, 'c'],
    ['is not a time at which it was nowhere', 'a', ['', 'c'], undefined, 'c'],
    ['may be asked for by a cluster', 'a', ['b', 'c d'], 'd', 'c d'],
    ['is nowhere when it never was in that cluster', 'a', ['b'], 'd', undefined],
  ];
  for (const [name, clusters, history, through, expected] of cases)
    test(name, () => {
      const found = formerPlacement(
        { clusters: at(clusters) },
        history.map((one) => ({ clusters: at(one) })),
        through,
      );
      assert.deepEqual(found?.clusters, expected === undefined ? undefined : at(expected));
    });
});

describe('a workload that was taken back', () => {
  const cases: readonly [string, string, readonly string[], boolean][] = [
    ['is where it was before the last decision', 'a', ['b', 'a'], true],
    ['is not, when the scheduler decided that', 'a', ['a', 'b', 'a'], false],
    ['is not, while it is nowhere', '', ['b', 'a'], false],
    ['is not, when it is where it never was', 'c', ['b', 'a'], false],
    ['is not, when nothing is known', 'a', [], false],
  ];
  for (const [name, clusters, history, expected] of cases)
    test(name, () =>
      assert.equal(isBack({ clusters: at(clusters) }, history.map((one) => ({ clusters: at(one) }))), expected),
    ); // prettier-ignore
  test('still leaves the clusters of its tasks', () => {
    const gracefulEvictionTasks = [
      { fromCluster: 'a', reason: 'RolledBack', producer: 'Rollback' },
      { fromCluster: 'b', reason: 'TaintUntolerated', producer: 'TaintManager' },
    ];
    assert.deepEqual(leavingByRollback({ gracefulEvictionTasks }), ['a']);
  });
});

describe('a former placement', () => {
  const cases: readonly [string, object, string, string][] = [
    ['is as it was', { placement: divided, replicas: 5 }, 'a:2 b:3', 'a:2 b:3'],
    ['is divided alike when there are more replicas by now', { placement: divided, replicas: 10 }, 'a:2 b:3', 'a:4 b:6'],
    ['is divided alike when it was scaled down', { placement: divided, replicas: 2 }, 'a:4 b:4', 'a:1 b:1'],
    ['has all replicas in each cluster when it is not divided', { placement: {}, replicas: 3 }, 'a:2 b:2', 'a:3 b:3'],
    ['has no replicas for what has none', { placement: {} }, 'a b', 'a b'],
  ]; // prettier-ignore
  for (const [name, spec, former, expected] of cases)
    test(name, () => assert.deepEqual(restoredClusters(spec, at(former)), at(expected)));

  test('always has as many replicas as are wanted', () => {
    const counts = fc.array(fc.nat(50), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(counts, fc.integer({ min: 1, max: 200 }), (replicas, wanted) => {
        const former = replicas.map((count, index) => ({ name: `m${index}`, replicas: count }));
        const restored = restoredClusters({ placement: divided, replicas: wanted }, former);
        assert.equal(
          restored.reduce((sum, one) => sum + (one.replicas ?? 0), 0),
          wanted,
        );
      }),
    );
  });
});

describe('the way back', () => {
  test('leaves clusters once the others are healthy, and stays in those it was leaving', () => {
    const spec = {
      resource: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      clusters: at('b:1 c:3'),
      gracefulEvictionTasks: [
        { fromCluster: 'a', reason: 'TaintUntolerated', producer: 'TaintManager' },
        { fromCluster: 'd', reason: 'TaintUntolerated', producer: 'TaintManager' },
      ],
    };
    const restored = at('a:3 b:1');
    assert.deepEqual(turnsOf(spec, restored), { back: ['a'], left: ['c'] });
    const { clusters, gracefulEvictionTasks } = wayBack(spec, restored, now);
    assert.deepEqual(clusters, restored);
    assert.deepEqual(
      gracefulEvictionTasks.map(({ fromCluster, reason, purgeMode, replicas }) => [fromCluster, reason, purgeMode, replicas]),
      [
        ['d', 'TaintUntolerated', undefined, undefined],
        ['c', 'RolledBack', 'Gracefully', 3],
      ],
    ); // prettier-ignore
  });
  test('purges as the policy says', () => {
    const spec = {
      resource: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      clusters: at('c:3'),
      failover: { cluster: { purgeMode: 'Directly' as const } },
    };
    assert.equal(wayBack(spec, at('a:3'), now).gracefulEvictionTasks[0]?.purgeMode, 'Directly');
  });
});
