import assert from 'node:assert/strict';
import { test } from 'node:test';
import { believe, readyFromProbe, type ObservedReady, type ProbeMemory } from './index.ts';

const T = { failureMs: 30_000, successMs: 30_000 };
const NOW = 1_000_000;
const observed = (status: ObservedReady['status']): ObservedReady => ({ status, reason: 'x', message: '' });
const since = (status: ProbeMemory['status'], ageMs: number): ProbeMemory => ({
  status,
  changedAtMs: NOW - ageMs,
});

const cases: readonly [
  what: string,
  memory: ProbeMemory | undefined,
  current: 'True' | 'False' | 'Unknown' | undefined,
  seen: 'True' | 'False',
  believed: boolean,
][] = [
  ['a cluster seen for the first time is what it seems', undefined, undefined, 'False', true],
  [
    'after a restart a first probe that fails does not declare a cluster lost that was ready',
    undefined,
    'True',
    'False',
    false,
  ],
  ['one that succeeds counts at once', undefined, 'False', 'True', true],
  ['a failure younger than the threshold is not believed', since('False', 15_000), 'True', 'False', false],
  ['a failure as old as the threshold is believed', since('False', 30_000), 'True', 'False', true],
  ['a recovery younger than the threshold is not believed', since('True', 15_000), 'False', 'True', false],
  ['a recovery as old as the threshold is believed', since('True', 30_000), 'False', 'True', true],
  ['a failure after a long time of success starts the clock', since('True', 600_000), 'True', 'False', false],
  ['without a condition nothing is held back', since('False', 30_000), undefined, 'True', true],
  ['unknown to not ready is never delayed', since('False', 0), 'Unknown', 'False', true],
  ['what has not changed is believed', since('True', 5_000), 'True', 'True', true],
];
for (const [what, memory, current, seen, believed] of cases) {
  test(what, () => {
    const status = current === undefined ? undefined : { status: current };
    assert.equal(believe(memory, status, observed(seen), NOW, T).believed, believed);
  });
}

test('the clock starts when the observation changes, and runs on while it stays', () => {
  const first = believe(since('True', 600_000), { status: 'True' }, observed('False'), NOW, T);
  assert.deepEqual(first.memory, { status: 'False', changedAtMs: NOW });
  const second = believe(first.memory, { status: 'True' }, observed('False'), NOW + 30_000, T);
  assert.equal(second.believed, true);
});

test('each result of a probe has its own reason', () => {
  assert.equal(readyFromProbe({ kind: 'healthy' }).reason, 'ClusterReady');
  assert.equal(readyFromProbe({ kind: 'unhealthy' }).reason, 'ClusterNotReady');
  assert.equal(readyFromProbe({ kind: 'offline', why: 'refused' }).reason, 'ClusterNotReachable');
  assert.equal(readyFromProbe({ kind: 'unusable', why: 'no token' }).reason, 'StatusCollectionFailed');
});
