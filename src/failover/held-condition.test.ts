import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Condition } from '../api/index.ts';
import { heldCondition } from './index.ts';

const TYPE = 'EvictionHeld';
const held = (reason: string, message: string): Condition[] => [
  { type: TYPE, status: 'True', reason, message, lastTransitionTime: '' },
];
const ended: Condition[] = [
  { type: TYPE, status: 'False', reason: 'NothingHeld', message: '', lastTransitionTime: '' },
];

const cases: readonly [
  what: string,
  conditions: readonly Condition[] | undefined,
  why: string | undefined,
  status: string | undefined,
][] = [
  ['a hold is told', undefined, 'no room', 'True'],
  ['a hold that goes on for the same reason is not told again', held('NoReplacement', 'no room'), 'no room', undefined],
  ['another obstacle is', held('NoReplacement', 'no room'), 'tainted', 'True'],
  ['the end of a hold is told', held('NoReplacement', 'no room'), undefined, 'False'],
  ['the hold of another stays', held('ReplacementNotHealthy', 'x'), undefined, undefined],
  ['the end of a hold of the same step for another reason is told', held('MassEviction', 'x'), undefined, 'False'],
  ['a hold of the same step for another reason takes its place', held('MassEviction', 'x'), 'no room', 'True'],
  ['what never was held needs no condition', undefined, undefined, undefined],
  ['the end is told once', ended, undefined, undefined],
  ['a second hold is told', ended, 'no room', 'True'],
]; // prettier-ignore
for (const [what, conditions, why, status] of cases) {
  test(what, () => {
    const hold = why === undefined ? undefined : ({ reason: 'NoReplacement', message: why } as const);
    assert.equal(heldCondition(conditions, 'evict', hold)?.status, status);
  });
}
