import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Taint, Toleration } from '../../api/index.ts';
import { NOW, secondsAgo } from '../testing/objects.ts';
import { evictionTimeMs, tolerates } from './taints.ts';

test('which tolerations cover which taints', () => {
  const taint: Taint = { key: 'disk', value: '5', effect: 'NoSchedule' };
  const cases: readonly (readonly [string, Toleration, boolean])[] = [
    ['everything', { operator: 'Exists' }, true],
    ['the key', { key: 'disk', operator: 'Exists' }, true],
    ['another key', { key: 'cpu', operator: 'Exists' }, false],
    ['key and value', { key: 'disk', value: '5' }, true],
    ['key and another value', { key: 'disk', value: '6' }, false],
    ['another effect', { key: 'disk', operator: 'Exists', effect: 'NoExecute' }, false],
    ['a smaller number', { key: 'disk', operator: 'Gt', value: '4' }, true],
    ['a larger number', { key: 'disk', operator: 'Gt', value: '6' }, false],
    ['an upper bound', { key: 'disk', operator: 'Lt', value: '6' }, true],
    ['no number', { key: 'disk', operator: 'Gt', value: 'x' }, false],
  ];
  for (const [what, toleration, expected] of cases)
    assert.equal(tolerates(toleration, taint), expected, what);
});

test('when a pod has to leave its node', () => {
  const taint = (key: string, seconds: number): Taint => ({
    key,
    effect: 'NoExecute',
    timeAdded: secondsAgo(seconds),
  });
  const stay = (key: string, tolerationSeconds?: number): Toleration => ({
    key,
    operator: 'Exists',
    ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }),
  });
  assert.equal(evictionTimeMs([], [], NOW), undefined, 'no taints');
  assert.equal(
    evictionTimeMs([{ key: 'a', effect: 'NoSchedule' }], [], NOW),
    undefined,
    'a taint for newcomers',
  );
  assert.equal(evictionTimeMs([taint('a', 10)], [], NOW), 0, 'not tolerated');
  assert.equal(evictionTimeMs([taint('a', 10)], [stay('a')], NOW), undefined, 'tolerated for ever');
  assert.equal(evictionTimeMs([taint('a', 10)], [stay('a', 30)], NOW), NOW + 20_000, 'for a time');
  const both = [taint('a', 10), taint('b', 100)];
  assert.equal(
    evictionTimeMs(both, [stay('a', 30), stay('b', 105)], NOW),
    NOW + 5000,
    'the first end counts',
  );
  assert.equal(evictionTimeMs(both, [stay('a', 30)], NOW), 0, 'one of two not tolerated');
});
