import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Condition } from '../api/index.ts';
import { judgeSuspicion } from './index.ts';

const limits = { failures: 3, windowMs: 600_000 };
const NOW = Date.UTC(2026, 0, 1);
const condition = (status: 'True' | 'False', ageMs: number): Condition => ({
  type: 'Suspect',
  status,
  reason: 'x',
  message: '',
  lastTransitionTime: new Date(NOW - ageMs).toISOString(),
});
const ago = (...minutes: number[]): number[] => minutes.map((one) => NOW - one * 60_000);

const cases: readonly [
  what: string,
  before: readonly number[],
  began: boolean,
  current: Condition | undefined,
  wanted: string | undefined,
][] = [
  ['a sound cluster needs no condition', [], false, undefined, undefined],
  ['two failures are not suspect', ago(3), true, undefined, undefined],
  ['the third is', ago(5, 3), true, undefined, 'True'],
  ['failures before the window do not count', ago(20, 11), true, undefined, undefined],
  [
    'a suspect cluster stays so while its failures count',
    ago(9, 5, 1),
    false,
    condition('True', 60_000),
    undefined,
  ],
  ['it is stable when too few are left', ago(12, 5, 1), false, condition('True', 660_000), 'False'],
  ['after a restart the condition holds for the window', [], false, condition('True', 60_000), undefined],
  ['and then ends', [], false, condition('True', 600_000), 'False'],
  ['a stable cluster that fails anew begins anew', [], true, condition('False', 60_000), undefined],
];
for (const [what, before, began, current, wanted] of cases) {
  test(what, () =>
    assert.equal(judgeSuspicion(before, began, current, NOW, limits).condition?.status, wanted),
  );
}

test('no more failures are remembered than count', () => {
  let failures: readonly number[] = [];
  for (let i = 0; i < 100; i++)
    failures = judgeSuspicion(failures, true, undefined, NOW + i, limits).failures;
  assert.equal(failures.length, 3);
});

test('a limit of 0 suspects nobody', () => {
  const off = { failures: 0, windowMs: 1 };
  assert.equal(judgeSuspicion(ago(3, 2, 1), true, undefined, NOW, off).condition, undefined);
  assert.equal(judgeSuspicion([], false, condition('True', 0), NOW, off).condition?.status, 'False');
});
