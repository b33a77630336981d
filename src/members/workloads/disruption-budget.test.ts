import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PodDisruptionBudgetSpec, PodDisruptionBudgetStatus } from '../../api/index.ts';
import type { PodDisruptionBudget } from '../kinds.ts';
import { NOW, meta, pod, readyStatus, secondsAgo } from '../testing/objects.ts';
import { statusIn } from '../testing/plans.ts';
import { decideDisruptionBudget } from './disruption-budget.ts';

const budget = (
  spec: PodDisruptionBudgetSpec,
  status: PodDisruptionBudgetStatus = {},
): PodDisruptionBudget => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: meta('web'),
  spec: { selector: { matchLabels: { app: 'web' } }, ...spec },
  status,
});

const ready = (count: number): ReturnType<typeof pod>[] =>
  Array.from({ length: count }, (_, i) => pod(`p${i}`, { status: readyStatus() }));
const statusOf = (
  of: PodDisruptionBudget,
  pods: ReturnType<typeof pod>[],
  replicas?: number,
): PodDisruptionBudgetStatus =>
  statusIn<PodDisruptionBudgetStatus>(
    decideDisruptionBudget({
      budget: of,
      pods,
      scaleOf: () => (replicas === undefined ? undefined : { uid: 'u', replicas }),
      nowMs: NOW,
    }),
    'PodDisruptionBudget',
  ) ?? {};

test('how many pods may be evicted', () => {
  const cases: readonly (readonly [PodDisruptionBudgetSpec, number, number | undefined, number])[] = [
    [{ minAvailable: 2 }, 3, undefined, 1],
    [{ minAvailable: 2 }, 2, undefined, 0],
    [{ minAvailable: 2 }, 0, undefined, 0],
    [{ minAvailable: '50%' }, 3, 4, 1],
    [{ maxUnavailable: 1 }, 4, 4, 1],
    [{ maxUnavailable: 1 }, 3, 4, 0],
    [{ maxUnavailable: '30%' }, 4, 4, 2],
    [{ maxUnavailable: 1 }, 4, undefined, 0],
  ];
  for (const [spec, pods, replicas, allowed] of cases) {
    const status = statusOf(budget(spec), ready(pods), replicas);
    assert.equal(status.disruptionsAllowed, allowed, JSON.stringify([spec, pods, replicas]));
    assert.equal(status.conditions?.[0]?.reason, allowed > 0 ? 'SufficientPods' : 'InsufficientPods');
  }
});

test('evictions that were granted count until their pods are gone, or it takes too long', () => {
  const status = { disruptedPods: { p0: secondsAgo(10), p1: secondsAgo(200), gone: secondsAgo(1) } };
  const result = statusOf(budget({ minAvailable: 1 }, status), ready(3));
  assert.deepEqual(result.disruptedPods, { p0: secondsAgo(10) });
  assert.equal(result.currentHealthy, 2);
  assert.equal(result.disruptionsAllowed, 1);
});

test('a budget without a selector is about no pods', () => {
  const { selector: _, ...spec } = budget({ minAvailable: 1 }).spec;
  assert.equal(statusOf({ ...budget({}), spec }, ready(3)).currentHealthy, 0);
});
