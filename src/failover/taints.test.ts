import assert from 'node:assert/strict';
import { test } from 'node:test';
import { taintsForReadiness, type Taint } from './index.ts';

const NOW = '2026-11-21T03:04:05Z';
const own: Taint = { key: 'team', value: 'red', effect: 'NoExecute' };
const notReady: Taint = { key: 'cluster.karmada.io/not-ready', effect: 'NoSchedule', timeAdded: NOW };
const unreachable: Taint = { key: 'cluster.karmada.io/unreachable', effect: 'NoSchedule', timeAdded: NOW };

const cases: readonly [
  string,
  readonly Taint[],
  'True' | 'False' | 'Unknown' | undefined,
  readonly Taint[],
][] = [
  ['a cluster that never reported takes no work', [], undefined, [notReady]],
  ['a cluster that is not ready takes no work', [own], 'False', [own, notReady]],
  ['a silent cluster is unreachable instead of not ready', [notReady, own], 'Unknown', [own, unreachable]],
  ['a ready cluster loses both', [notReady, own, unreachable], 'True', [own]],
];
for (const [what, before, ready, after] of cases) {
  test(what, () => assert.deepEqual(taintsForReadiness(before, ready, NOW), after));
}

test('nothing to change returns the same list, with its old times', () => {
  const old: Taint[] = [{ ...notReady, timeAdded: '2020-01-01T00:00:00Z' }, own];
  assert.equal(taintsForReadiness(old, 'False', NOW), old);
  const clean: Taint[] = [own];
  assert.equal(taintsForReadiness(clean, 'True', NOW), clean);
});

test("a NoExecute taint of the same key is somebody else's", () => {
  const evicting: Taint[] = [{ ...notReady, effect: 'NoExecute' }];
  assert.equal(taintsForReadiness(evicting, 'True', NOW), evicting);
});
