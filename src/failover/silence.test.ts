import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Condition } from '../api/index.ts';
import { judgeSilence, type Signs, type SilenceMemory } from './index.ts';

const GRACE = { startupMs: 60_000, runningMs: 40_000 };
const CREATED = 1_000_000;
const condition = (status: Condition['status'], reason = 'x'): Condition => ({
  type: 'Ready',
  status,
  reason,
  message: '',
  lastTransitionTime: '2026-11-21T03:00:00Z',
});
const up = condition('True');

type Look = readonly [atSeconds: number, Partial<Signs>];

/** Looks one after the other; the reason of the last verdict. */
function watched(looks: readonly Look[]): string | undefined {
  let memory: SilenceMemory | undefined;
  let reason: string | undefined;
  for (const [atSeconds, signs] of looks) {
    const verdict = judgeSilence(
      memory,
      { ready: undefined, renewTime: undefined, createdMs: CREATED, ...signs },
      CREATED + atSeconds * 1000,
      GRACE,
    );
    memory = verdict.memory;
    reason = verdict.ready?.reason;
  }
  return reason;
}

const cases: readonly [string, readonly Look[], string | undefined][] = [
  ['a new member has the startup grace period', [[60, {}]], undefined],
  ['a member that never reports is unknown after it', [[61, {}]], 'ClusterStatusNeverUpdated'],
  ['the first look counts as a sign of life', [[900, { ready: up }], [940, { ready: up }]], undefined],
  ['silence beyond the grace period is noticed', [[0, { ready: up }], [41, { ready: up }]], 'ClusterStatusUnknown'],
  ['a changed condition is a sign of life', [[0, { ready: up }], [30, { ready: condition('True', 'y') }], [70, { ready: condition('True', 'y') }]], undefined],
  ['a renewed lease is a sign of life', [[0, { ready: up, renewTime: 'a' }], [30, { ready: up, renewTime: 'b' }], [70, { ready: up, renewTime: 'b' }]], undefined],
  ['a lease that is gone is none', [[0, { ready: up, renewTime: 'a' }], [30, { ready: up }], [41, { ready: up }]], 'ClusterStatusUnknown'],
  ['what is unknown already stays as it is', [[0, { ready: condition('Unknown') }], [90, { ready: condition('Unknown') }]], undefined],
  ['a member that is not ready may fall silent too', [[0, { ready: condition('False') }], [41, { ready: condition('False') }]], 'ClusterStatusUnknown'],
]; // prettier-ignore
for (const [what, looks, expected] of cases) {
  test(what, () => assert.equal(watched(looks), expected));
}
