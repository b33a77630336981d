import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cluster } from '../api/index.ts';
import {
  brakeAtRest,
  fleetObstacle,
  fleetOf,
  isLeftAsLost,
  lossObstacle,
  passBrake,
  releaseBrake,
  suspicionOf,
  type BrakeState,
} from './index.ts';
import { testCluster } from './testing/objects.ts';

const limits = { perMinute: 3, fleetShare: 0.5 };
const calm = { clusters: 10, lost: 1 };
const gone = { key: 'cluster.karmada.io/not-ready', effect: 'NoExecute' } as const;

const shares: readonly [what: string, clusters: number, lost: number, share: number, held: boolean][] = [
  ['an empty fleet holds nothing', 0, 0, 0.5, false],
  ['the only cluster may be lost', 1, 1, 0.5, false],
  ['two are no mass, whatever their share', 2, 2, 0.5, false],
  ['all of three are', 3, 3, 0.5, true],
  ['half the fleet is not more than half', 6, 3, 0.5, false],
  ['more than half is', 6, 4, 0.5, true],
  ['a share of 0 is no limit', 6, 6, 0, false],
];
for (const [what, clusters, lost, fleetShare, held] of shares) {
  test(what, () =>
    assert.equal(fleetObstacle({ clusters, lost }, { perMinute: 0, fleetShare }) !== undefined, held),
  );
}

const lost: readonly [what: string, cluster: Cluster, lost: number][] = [
  ['a ready cluster is there', testCluster('a', { conditions: { Ready: 'True' } }), 0],
  ['one that never reported was never there to be lost', testCluster('a'), 0],
  ['one that is not ready is lost', testCluster('a', { conditions: { Ready: 'False' } }), 1],
  ['a silent one is lost', testCluster('a', { conditions: { Ready: 'Unknown' } }), 1],
  ['one that was given up is lost', testCluster('a', { conditions: { Ready: 'True' }, taints: [gone] }), 1],
  ['one that people taint is not', testCluster('a', { taints: [{ key: 'broken', effect: 'NoExecute' }] }), 0],
];
for (const [what, cluster, count] of lost) test(what, () => assert.equal(fleetOf([cluster]).lost, count));

function evictions(count: number, state: BrakeState, atMs: number): { state: BrakeState; refused: number } {
  let refused = 0;
  for (let i = 0; i < count; i++) {
    const verdict = passBrake(state, calm, limits, atMs);
    state = verdict.state;
    if (verdict.refusal !== undefined) refused++;
  }
  return { state, refused };
}

test('as many evictions as a minute may have pass; the next is held', () => {
  assert.equal(evictions(3, brakeAtRest, 0).refused, 0);
  assert.equal(evictions(5, brakeAtRest, 0).refused, 2);
});

test('evictions of more than a minute ago do not count', () => {
  const { state } = evictions(3, brakeAtRest, 0);
  assert.equal(evictions(3, state, 60_000).refused, 0);
  assert.equal(evictions(3, state, 59_000).refused, 3);
});

test('a brake that is engaged stays so until somebody releases it', () => {
  const { state } = evictions(4, brakeAtRest, 0);
  assert.equal(evictions(1, state, 3_600_000).refused, 1);
  const released = releaseBrake(state, 3_700_000);
  assert.equal(evictions(100, released, 3_600_000).refused, 0);
  assert.equal(evictions(3, released, 3_700_000).refused, 0);
  assert.equal(evictions(4, released, 3_700_000).refused, 1);
});

test('no limit never holds', () => {
  let state = brakeAtRest;
  for (let i = 0; i < 10; i++) {
    const verdict = passBrake(state, calm, { perMinute: 0, fleetShare: 0 }, 0);
    assert.equal(verdict.refusal, undefined);
    state = verdict.state;
  }
});

test('a release also lets pass what a lost fleet holds', () => {
  const fleet = { clusters: 4, lost: 4 };
  assert.match(passBrake(brakeAtRest, fleet, limits, 0).refusal ?? '', /4 of 4 clusters/);
  assert.equal(passBrake(releaseBrake(brakeAtRest, 10), fleet, limits, 5).refusal, undefined);
});

test('what people want to leave passes, however much of the fleet is lost', () => {
  assert.equal(passBrake(brakeAtRest, undefined, limits, 0).refusal, undefined);
  assert.equal(isLeftAsLost(testCluster('a', { taints: [gone] })), true);
  assert.equal(
    isLeftAsLost(testCluster('a', { taints: [gone, { key: 'broken', effect: 'NoExecute' }] })),
    false,
  );
  assert.equal(isLeftAsLost(testCluster('a')), false);
});

test('a suspect cluster is not given up, and what runs there stays for taints that call it lost', () => {
  const suspect = testCluster('a', { conditions: { Suspect: 'True' }, taints: [gone] });
  assert.match(lossObstacle(suspect, calm, limits) ?? '', /suspect/);
  assert.notEqual(suspicionOf(suspect), undefined);
  const told = testCluster('a', {
    conditions: { Suspect: 'True' },
    taints: [gone, { key: 'broken', effect: 'NoExecute' }],
  });
  assert.equal(suspicionOf(told), undefined, 'a taint of people counts');
  assert.equal(suspicionOf(testCluster('a', { taints: [gone] })), undefined);
  assert.equal(suspicionOf(undefined), undefined);
  assert.equal(lossObstacle(testCluster('a'), calm, limits), undefined);
});
