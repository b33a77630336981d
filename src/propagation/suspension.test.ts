import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  SUSPENSION_HISTORY_ANNOTATION,
  SUSPENSION_REASON_ANNOTATION,
  SUSPENSION_UNTIL_ANNOTATION,
  type Cluster,
  type PropagationPolicy,
  type ResourceBinding,
} from '../api/index.ts';
import { suspensionHistory, suspensionNote } from '../fleet/index.ts';
import {
  stampSuspension,
  stoppedBy,
  stoppedText,
  suspensionProblem,
  withSuspension,
  withoutSuspension,
  type Suspendable,
} from './suspension.ts';

const policy: PropagationPolicy = {
  apiVersion: 'policy.karmada.io/v1alpha1',
  kind: 'PropagationPolicy',
  metadata: { name: 'web', namespace: 'shop', annotations: { mine: 'kept' } },
  spec: { resourceSelectors: [{ apiVersion: 'apps/v1', kind: 'Deployment' }] },
};
const binding: ResourceBinding = {
  apiVersion: 'work.karmada.io/v1alpha2',
  kind: 'ResourceBinding',
  metadata: { name: 'web-deployment', namespace: 'shop' },
  spec: {
    resource: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    suspension: { dispatching: true },
  },
};
const cluster: Cluster = {
  apiVersion: 'cluster.karmada.io/v1alpha1',
  kind: 'Cluster',
  metadata: { name: 'm1' },
  spec: { syncMode: 'Push' },
};

const NOW = Date.parse('2026-03-01T10:00:00Z');
const LATER = '2026-03-01T12:00:00Z';
const who = { user: 'anna', nowMs: NOW };

test('each kind has its own switch, and what others put beside it stays', () => {
  const everywhere = withSuspension(policy, {});
  assert.deepEqual((everywhere as PropagationPolicy).spec.suspension, { dispatching: true });
  assert.equal(stoppedText(stoppedBy(everywhere)!), 'dispatching');
  assert.deepEqual(withoutSuspension(everywhere), policy);

  const scheduling = withSuspension(binding, {});
  assert.deepEqual((scheduling as ResourceBinding).spec.suspension, { dispatching: true, scheduling: true });
  assert.deepEqual(stoppedBy(scheduling), { what: 'scheduling' });
  assert.deepEqual(withoutSuspension(scheduling), binding);
  // Its dispatching is the policy's.
  assert.equal(stoppedBy(binding), undefined);

  const away = withSuspension(cluster, { until: LATER });
  assert.deepEqual(stoppedBy(away), { what: 'cluster' });
  assert.deepEqual(withoutSuspension(away), cluster);
});

test('a policy stops for some clusters, for more of them, and for fewer again', () => {
  const one = withSuspension(policy, { clusters: ['m2'] });
  const two = withSuspension(one, { clusters: ['m1', 'm2'] });
  assert.deepEqual(stoppedBy(two), { what: 'dispatchingOnClusters', clusters: ['m1', 'm2'] });
  assert.equal(stoppedText(stoppedBy(two)!), 'dispatching to m1, m2');
  assert.deepEqual(stoppedBy(withoutSuspension(two, { clusters: ['m1'] })), {
    what: 'dispatchingOnClusters',
    clusters: ['m2'],
  });
  assert.deepEqual(withoutSuspension(two, { clusters: ['m1', 'm2'] }), policy);
  const all = withSuspension(two, {});
  assert.deepEqual(stoppedBy(all), { what: 'dispatching' });
  assert.deepEqual(stoppedBy(withSuspension(all, { clusters: ['m1'] })), { what: 'dispatching' });
});

test('who and since when are of the first, whatever a client says', () => {
  const wanted = withSuspension(policy, { until: LATER, reason: 'migration' });
  const stored = stampSuspension(wanted, policy, who);
  assert.deepEqual(suspensionNote(stored), {
    by: 'anna',
    since: '2026-03-01T10:00:00Z',
    until: LATER,
    reason: 'migration',
  });
  const forged: Suspendable = {
    ...stored,
    metadata: {
      ...stored.metadata,
      annotations: {
        ...stored.metadata.annotations,
        'navarch.io/suspended-by': 'nobody',
        [SUSPENSION_HISTORY_ANNOTATION]: '[]',
      },
    },
  };
  assert.deepEqual(stampSuspension(forged, stored, { user: 'bob', nowMs: NOW + 1000 }), stored);
  const created = stampSuspension(forged, undefined, who);
  assert.equal(suspensionNote(created).by, 'anna');
  assert.equal(suspensionHistory(created).length, 1);
  // Nobody suspends what is not, by annotations alone.
  const idle = {
    ...policy,
    metadata: { ...policy.metadata, annotations: { mine: 'kept', 'navarch.io/suspended-by': 'x' } },
  };
  assert.deepEqual(stampSuspension(idle, policy, who), policy);
  assert.equal(stampSuspension(policy, policy, who), policy);
});

test('the history tells each turn, the last ten of them', () => {
  let now: Suspendable = policy;
  const step = (next: Suspendable, user: string, atMs: number): void => {
    now = stampSuspension(next, now, { user, nowMs: atMs });
  };
  step(withSuspension(now, { until: LATER, reason: 'migration' }), 'anna', NOW);
  step(withSuspension(now, { until: LATER, reason: 'longer migration' }), 'bob', NOW + 60_000);
  step(withoutSuspension(now, { reason: 'done early' }), 'bob', NOW + 120_000);
  step(withSuspension(now, { until: LATER }), 'anna', NOW + 180_000);
  step(withoutSuspension(now), 'system:admin', Date.parse(LATER));
  assert.deepEqual(suspensionHistory(now), [
    { action: 'Suspended', at: '2026-03-01T10:00:00Z', by: 'anna', reason: 'migration', until: LATER },
    {
      action: 'SuspensionChanged',
      at: '2026-03-01T10:01:00Z',
      by: 'bob',
      reason: 'longer migration',
      until: LATER,
    },
    { action: 'Resumed', at: '2026-03-01T10:02:00Z', by: 'bob', reason: 'done early' },
    { action: 'Suspended', at: '2026-03-01T10:03:00Z', by: 'anna', until: LATER },
    { action: 'SuspensionExpired', at: LATER },
  ]);
  // Why it was suspended is not why it goes on.
  step(withSuspension(now, { reason: 'again' }), 'anna', NOW);
  step(withoutSuspension(now, { reason: 'again' }), 'anna', NOW);
  assert.deepEqual(suspensionHistory(now).at(-1), {
    action: 'Resumed',
    at: '2026-03-01T10:00:00Z',
    by: 'anna',
  });
  assert.deepEqual(suspensionNote(now), {});
  for (let i = 0; i < 6; i++)
    step(i % 2 === 0 ? withSuspension(now, {}) : withoutSuspension(now), 'anna', NOW);
  assert.equal(suspensionHistory(now).length, 10);
  assert.equal(suspensionHistory(now)[0]?.action, 'Suspended');
});

const problems: readonly (readonly [
  name: string,
  annotations: Record<string, string>,
  expected: RegExp | undefined,
])[] = [
  ['a time to come', { [SUSPENSION_UNTIL_ANNOTATION]: LATER }, undefined],
  ['a time that is over', { [SUSPENSION_UNTIL_ANNOTATION]: '2026-03-01T10:00:00Z' }, /is over already/],
  ['what is no time', { [SUSPENSION_UNTIL_ANNOTATION]: 'tomorrow' }, /"tomorrow" is no time/],
  ['a long reason', { [SUSPENSION_REASON_ANNOTATION]: 'x'.repeat(1025) }, /at most 1024/],
];
for (const [name, annotations, expected] of problems)
  test(`stored or refused: ${name}`, () => {
    const next = withSuspension(
      { ...policy, metadata: { ...policy.metadata, annotations } },
      {
        until: annotations[SUSPENSION_UNTIL_ANNOTATION],
        reason: annotations[SUSPENSION_REASON_ANNOTATION],
      },
    );
    const problem = suspensionProblem(next, policy, NOW);
    if (expected === undefined) assert.equal(problem, undefined);
    else assert.match(problem ?? '', expected);
    // What was stored before does not stand in the way of other changes.
    assert.equal(suspensionProblem(next, next, NOW), undefined);
  });

test('a history that cannot be read is none', () => {
  const odd = {
    ...policy,
    metadata: { ...policy.metadata, annotations: { [SUSPENSION_HISTORY_ANNOTATION]: '{' } },
  };
  assert.deepEqual(suspensionHistory(odd), []);
});
