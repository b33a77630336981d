import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cluster, FailoverRecord } from '../api/index.ts';
import { followMoves, isUnderWay, surplusRecords, tellStory, type Moves, type Observation } from './index.ts';
import { testBinding, testCluster, type BindingTraits } from './testing/objects.ts';

const NOW = '2026-11-21T03:04:05Z';
const NONE: Moves = new Map();
const taint = { key: 'broken', effect: 'NoExecute', timeAdded: '2026-11-21T03:00:00Z' } as const;
const lost = testCluster('m1', { conditions: { Ready: 'False' }, taints: [taint] });
const sound = testCluster('m1', { conditions: { Ready: 'True' } });
const task = {
  fromCluster: 'm1',
  reason: 'TaintUntolerated',
  producer: 'TaintManager',
  creationTimestamp: NOW,
};
const leaving: BindingTraits = { spec: { clusters: [{ name: 'm2' }], gracefulEvictionTasks: [task] } };
const arrived: BindingTraits = { spec: { clusters: [{ name: 'm2' }] }, health: { m2: 'Healthy' } };

function seen(cluster: Cluster | undefined, ...bindings: readonly BindingTraits[]): Observation {
  return { kind: 'cluster', cluster, bindings: bindings.map(testBinding), now: NOW };
}

function outcome(...steps: readonly Observation[]): string {
  let moves = NONE;
  let status: FailoverRecord['status'];
  for (const step of steps) {
    moves = followMoves(moves, 'm1', step);
    status = tellStory(status, 'm1', moves, step);
  }
  const { outcome: end, total, moved, held, finishTime, phases = [] } = status ?? {};
  return `${end} ${total}/${moved}/${held}${finishTime === undefined ? '' : ' over'} ${phases.map(({ phase }) => phase).join()}`;
}

const cases: readonly [what: string, steps: readonly Observation[], found: string][] = [
  ['a cluster that is lost with nothing in it', [seen(lost)], 'Running 0/0/0 Lost,Tainted'],
  ['and comes back', [seen(lost), seen(sound)], 'Recovered 0/0/0 over Lost,Recovered,Tainted,Untainted'],
  ['a workload on its way', [seen(lost, leaving)], 'Running 1/0/0 Lost,Tainted,Evicting'],
  ['has moved when its new copy is healthy', [seen(lost, leaving), seen(lost, arrived)], 'Moved 1/1/0 Lost,Tainted,Evicting,Moved'],
  ['the story is over when the cluster is back as well', [seen(lost, leaving), seen(sound, arrived)], 'Moved 1/1/0 over Lost,Recovered,Tainted,Evicting,Untainted,Moved'],
  ['one whose task is over without a healthy copy', [seen(lost, leaving), seen(sound, { spec: { clusters: [{ name: 'm2' }] } })], 'PartlyMoved 1/0/0 over Lost,Recovered,Tainted,Evicting,Untainted,Moved'],
  ['one that is taken back', [seen(lost, leaving), seen(sound, { spec: { clusters: [{ name: 'm1' }] } })], 'Recovered 1/0/0 over Lost,Recovered,Tainted,Evicting,Untainted,Moved'],
  ['one that is deleted on its way', [seen(lost, leaving), seen(sound)], 'PartlyMoved 1/0/0 over Lost,Recovered,Tainted,Evicting,Untainted,Moved'],
]; // prettier-ignore
for (const [what, steps, found] of cases) {
  test(what, () => {
    // Phases of one second stand in the order they were found.
    assert.deepEqual(
      outcome(...steps)
        .split(/[ ,]/)
        .sort(),
      found.split(/[ ,]/).sort(),
    );
  });
}

test('what the guard holds is told with its reason', () => {
  const held = testBinding({ spec: { clusters: [{ name: 'm1' }] } });
  const condition = {
    type: 'EvictionHeld',
    status: 'True',
    reason: 'NoReplacement',
    message: 'no room',
    lastTransitionTime: NOW,
  } as const;
  const binding = { ...held, status: { ...held.status, conditions: [condition] } };
  const moves = followMoves(NONE, 'm1', { kind: 'cluster', cluster: lost, bindings: [binding], now: NOW });
  const [move] = moves.values();
  assert.deepEqual([move?.state, move?.reason, move?.message], ['Held', 'NoReplacement', 'no room']);
  const later = followMoves(moves, 'm1', { kind: 'cluster', cluster: sound, bindings: [held], now: NOW });
  assert.equal([...later.values()][0]?.state, 'Returned');
});

test('evictions of unhealthy applications are another story', () => {
  const binding = testBinding({
    spec: { clusters: [{ name: 'm2' }], gracefulEvictionTasks: [{ ...task, reason: 'ApplicationFailure' }] },
  });
  const of = (kind: 'cluster' | 'application'): boolean =>
    isUnderWay('m1', { kind, cluster: sound, bindings: [binding], now: NOW });
  assert.deepEqual([of('cluster'), of('application')], [false, true]);
});

test('a cluster that never reported and a cluster that is gone are no story', () => {
  assert.equal(isUnderWay('m1', seen(testCluster('m1'))), false);
  assert.equal(isUnderWay('m1', seen(undefined)), false);
});

test('the oldest finished records go first, and those under way stay', () => {
  const record = (name: string, finishTime?: string): FailoverRecord => ({
    apiVersion: 'navarch.io/v1alpha1',
    kind: 'FailoverRecord',
    metadata: { name },
    spec: { cluster: 'm1', cause: 'ClusterLost' },
    status: finishTime === undefined ? {} : { finishTime },
  });
  const all = [
    record('a'),
    record('b', '2026-01-02T00:00:00Z'),
    record('c', '2026-01-01T00:00:00Z'),
    record('d'),
  ];
  const names = (limit: number): (string | undefined)[] =>
    surplusRecords(all, limit).map(({ metadata }) => metadata.name);
  assert.deepEqual([names(4), names(3), names(2), names(0)], [[], ['c'], ['c', 'b'], ['c', 'b']]);
});
