import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Condition } from '../api/index.ts';
import { taintsForReadiness, taintsOfLoss, type GivingUp, type Taint } from './index.ts';

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

const giving = (obstacle: string | undefined): GivingUp => ({
  timeoutMs: 300_000,
  obstacle,
  nowMs: Date.parse(NOW),
  now: NOW,
});
const ready = (status: 'True' | 'False' | 'Unknown', ageMs: number): Condition => ({
  type: 'Ready',
  status,
  reason: 'x',
  message: '',
  lastTransitionTime: new Date(Date.parse(NOW) - ageMs).toISOString(),
});
const givenUp: Taint = { ...notReady, effect: 'NoExecute' };
const silent: Taint = { ...unreachable, effect: 'NoExecute' };

const losses: readonly [
  what: string,
  before: readonly Taint[],
  ready: Condition | undefined,
  obstacle: string | undefined,
  after: readonly Taint[],
  recheckAfterMs: number | undefined,
][] = [
  ['a cluster never seen is not given up', [], undefined, undefined, [], undefined],
  ['one that is not ready has its time', [], ready('False', 60_000), undefined, [], 240_000],
  ['and is given up when it is over', [own], ready('False', 300_000), undefined, [own, givenUp], undefined],
  ['a silent one as unreachable', [], ready('Unknown', 300_000), undefined, [silent], undefined],
  [
    'not ready takes the place of unreachable',
    [silent],
    ready('False', 300_000),
    undefined,
    [givenUp],
    undefined,
  ],
  ['what is given up keeps its time', [givenUp], ready('False', 900_000), undefined, [givenUp], undefined],
  ['a ready one is taken back', [givenUp, own, silent], ready('True', 0), undefined, [own], undefined],
  ['an obstacle keeps it as it is', [own], ready('False', 300_000), 'it flaps', [own], undefined],
];
for (const [what, before, condition, obstacle, after, recheckAfterMs] of losses) {
  test(`automatic mode: ${what}`, () => {
    const found = taintsOfLoss(before, condition, giving(obstacle));
    assert.deepEqual(found, { taints: after, recheckAfterMs, held: obstacle });
  });
}
