import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FENCE_GATE, FENCE_LABEL } from '../../api/index.ts';
import { formatMicroTime } from '../../base/index.ts';
import { decideFencedPod, opened, type FencedPod, type LeaseState } from './pod.ts';
import { judgeRenewal, type RenewalVerdict, type SeenRenewals } from './renewal.ts';

const DURATION_MS = 15_000;
const WRITER = Date.UTC(2026, 0, 5, 8);

/** Renewals as [written by the writer's clock, seen by ours], both in seconds; the last verdict. */
function after(
  renewals: readonly (readonly [writtenS: number, seenS: number])[],
  initial = false,
): RenewalVerdict | undefined {
  let before: SeenRenewals | undefined;
  let verdict: RenewalVerdict | undefined;
  for (const [index, [writtenS, seenS]] of renewals.entries()) {
    verdict = judgeRenewal(before, formatMicroTime(WRITER + writtenS * 1000), {
      durationMs: DURATION_MS,
      seenMs: seenS * 1000,
      initial: initial && index === 0,
    });
    before = verdict?.seen ?? before;
  }
  return verdict;
}

const renewals: readonly [what: string, ReturnType<typeof after>, startForMs: number | undefined, runForMs: number | undefined][] = [
  ['a first renewal is good for its duration', after([[0, 100]]), 15_000, 15_000],
  ['so is each that comes as quickly as the ones before', after([[0, 100], [5, 105], [10, 110]]), 15_000, 15_000],
  ['one that is seen late is good for less', after([[0, 100], [5, 115]]), 5_000, 5_000],
  ['one that is seen too late is good for nothing', after([[0, 100], [5, 125]]), 0, 0],
  ['the clock of the writer may be wrong', after([[-3600, 100], [-3595, 105]]), 15_000, 15_000],
  ['when it was set back, its renewals are believed again after a few', after([[0, 100], [5, 105], [-590, 110], [-585, 115], [-580, 120], [-575, 125]]), 15_000, 15_000],
  ['one that was there before us starts nothing, and lets what runs go on until the next is overdue', after([[0, 100]], true), 0, 7_500],
  ['the next one does both', after([[0, 100], [5, 105]], true), 15_000, 15_000],
  ['the same renewal is no news', after([[0, 100], [0, 105]]), undefined, undefined],
]; // prettier-ignore
for (const [what, verdict, startForMs, runForMs] of renewals) {
  test(`fencing lease: ${what}`, () => {
    assert.equal(verdict?.startForMs, startForMs);
    assert.equal(verdict?.runForMs, runForMs);
  });
}

const pod = (gates: readonly string[], more: object = {}, phase = 'Running'): FencedPod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'job-1', namespace: 'shop', labels: { [FENCE_LABEL]: 'job' }, ...more },
  spec: { schedulingGates: gates.map((name) => ({ name })) },
  status: { phase },
});
const GOOD: LeaseState = { mayStart: true, mayRun: true };
const OLD: LeaseState = { mayStart: false, mayRun: true };
const OVER: LeaseState = { mayStart: false, mayRun: false };

const cases: readonly [what: string, FencedPod, LeaseState | undefined, ReturnType<typeof decideFencedPod>][] = [
  ['a pod waits while there is no lease', pod([FENCE_GATE]), undefined, 'nothing'],
  ['it waits while the lease has run out', pod([FENCE_GATE]), OVER, 'nothing'],
  ['it waits while the age of the lease is not known', pod([FENCE_GATE]), OLD, 'nothing'],
  ['a good lease opens the gate', pod([FENCE_GATE]), GOOD, 'open'],
  ['a running pod goes on', pod([]), GOOD, 'nothing'],
  ['also while the age of the lease is not known', pod([]), OLD, 'nothing'],
  ['it is stopped when the lease has run out', pod([]), OVER, 'stop'],
  ['or when the lease is gone', pod([]), undefined, 'stop'],
  ['one that is going is left alone', pod([], { deletionTimestamp: '2026-01-01T00:00:00Z' }), undefined, 'nothing'],
  ['one that is done is, too', pod([], {}, 'Succeeded'), OVER, 'nothing'],
]; // prettier-ignore
for (const [what, fenced, lease, expected] of cases) {
  test(`fencing: ${what}`, () => assert.equal(decideFencedPod(fenced, lease), expected));
}

test('fencing: other gates stay when ours is opened', () => {
  assert.deepEqual(opened(pod([FENCE_GATE, 'other'])).spec, { schedulingGates: [{ name: 'other' }] });
  assert.deepEqual(opened(pod([FENCE_GATE])).spec, {});
});
