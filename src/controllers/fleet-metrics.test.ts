import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cluster, FailoverRecord } from '../api/index.ts';
import { clusterSeries, failoverSeries, moveSeries } from './fleet-metrics.ts';

const cluster = (name: string, nodes?: number): Cluster => ({
  apiVersion: 'cluster.karmada.io/v1alpha1',
  kind: 'Cluster',
  metadata: { name },
  spec: { syncMode: 'Push' },
  ...(nodes === undefined ? {} : { status: { nodeSummary: { totalNum: nodes, readyNum: 0 } } }),
});
const record = (status: FailoverRecord['status']): FailoverRecord => ({
  apiVersion: 'navarch.io/v1alpha1',
  kind: 'FailoverRecord',
  metadata: { name: 'x' },
  spec: { cluster: 'm1', cause: 'ClusterLost' },
  ...(status === undefined ? {} : { status }),
});

test('a cluster that does not say has no series', () => {
  const read = ({ status }: Cluster): number | undefined => status?.nodeSummary?.totalNum;
  assert.deepEqual(clusterSeries([], read), []);
  assert.deepEqual(clusterSeries([cluster('a', 0), cluster('b'), cluster('c', 3)], read), [
    [['a'], 0],
    [['c'], 3],
  ]);
});

test('failovers are counted by cause and outcome, their workloads while they are under way', () => {
  const under = record({ outcome: 'Running', total: 5, moved: 2, held: 1 });
  const over = record({ outcome: 'Moved', total: 5, moved: 5, held: 0, finishTime: '2026-01-01T00:00:00Z' });
  assert.deepEqual(failoverSeries([under, over, over, record(undefined)]), [
    [['ClusterLost', 'Running'], 2],
    [['ClusterLost', 'Moved'], 2],
  ]);
  assert.deepEqual(moveSeries([under, over, record(undefined)]), [
    [['m1', 'total'], 5],
    [['m1', 'moved'], 2],
    [['m1', 'held'], 1],
  ]);
  assert.deepEqual(failoverSeries([]), []);
});
