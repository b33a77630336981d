import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Taint } from '../api/index.ts';
import { formatTime } from '../base/index.ts';
import { noExecuteTaints, stayOf, type Stay } from './index.ts';

const NOW = Date.UTC(2026, 10, 21, 3, 0, 0);
const taint = (key: string, ageSeconds?: number): Taint => ({
  key,
  effect: 'NoExecute',
  ...(ageSeconds === undefined ? {} : { timeAdded: formatTime(NOW - ageSeconds * 1000) }),
});
const tolerating = (key: string, tolerationSeconds?: number) => ({
  key,
  operator: 'Exists',
  ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }),
});
const ends: Stay = { kind: 'ends' };
const forEver: Stay = { kind: 'for-ever' };
const seconds = (count: number): Stay => ({ kind: 'for-now', forMs: count * 1000 });

const cases: readonly [
  string,
  readonly Taint[],
  NonNullable<Parameters<typeof stayOf>[1]>,
  Stay,
][] = [
  ['nothing tolerated means now', [taint('k', 1)], [], ends],
  ['zero seconds mean now', [taint('k', 1)], [tolerating('k', 0)], ends],
  ['seconds count from when the taint was added', [taint('k', 1)], [tolerating('k', 60)], seconds(59)],
  ['seconds that are over mean now', [taint('k', 2)], [tolerating('k', 1)], ends],
  ['no seconds mean for ever', [taint('k', 1)], [tolerating('k')], forEver],
  ['one of two taints untolerated means now', [taint('a', 1), taint('b', 1)], [tolerating('a')], ends],
  ['the shortest clock counts', [taint('a', 0), taint('b', 0)], [tolerating('a', 120), tolerating('b', 60)], seconds(60)],
  ['for ever does not hide a clock', [taint('a', 1), taint('b', 1)], [tolerating('a'), tolerating('b', 120)], seconds(119)],
  ['a taint without a time starts no clock', [taint('k')], [tolerating('k', 60)], forEver],
  ['the first toleration that fits is the one used', [taint('k', 1)], [tolerating('k'), tolerating('k', 5)], forEver],
  ['a used toleration counts for all taints it matches', [taint('a', 50), taint('b', 0)], [tolerating('a'), { operator: 'Exists', tolerationSeconds: 60 }], seconds(10)],
  ['no taints mean for ever', [], [], forEver],
]; // prettier-ignore
for (const [what, taints, tolerations, expected] of cases) {
  test(what, () => assert.deepEqual(stayOf(taints, tolerations, NOW), expected));
}

test('only NoExecute taints evict', () => {
  const noSchedule: Taint = { key: 'k', effect: 'NoSchedule' };
  assert.deepEqual(noExecuteTaints([noSchedule, taint('x')]), [taint('x')]);
  assert.deepEqual(noExecuteTaints(undefined), []);
});
