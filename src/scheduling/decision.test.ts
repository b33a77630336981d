import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  deepFreeze,
  type Cluster,
  type Placement,
  type ResourceBinding,
  type ResourceBindingSpec,
  type ResourceBindingStatus,
} from '../api/index.ts';
import { defaultFeatureGates } from '../base/index.ts';
import { createAssumptions, newlyHealthy } from './assumptions.ts';
import { clusterVersionsToMatch, isConcernedBy, mayHelp, waitOf } from './cluster-change.ts';
import { fleetSnapshot } from './fleet-snapshot.ts';
import { observedStatus, outcomeOf, outcomeOfWriteError, type ScheduleOutcome } from './outcome.ts';
import { schedule, type ScheduleResult } from './schedule.ts';
import { canonicalPlacement, decideTrigger, entersQueue, placementChanged } from './trigger.ts';
import { groupKeys, isAssignmentSettled, newestOf, peersOf } from './workload-affinity.ts';

const NOW = Date.parse('2026-03-01T10:00:00Z');

function cluster(
  name: string,
  rest: Partial<Omit<Cluster, 'metadata'>> & { readonly metadata?: object } = {},
): Cluster {
  return deepFreeze({
    apiVersion: 'cluster.karmada.io/v1alpha1',
    kind: 'Cluster',
    spec: { syncMode: 'Push' },
    status: {
      apiEnablements: [{ groupVersion: 'v1', resources: [{ name: 'configmaps', kind: 'ConfigMap' }] }],
      resourceSummary: { allocatable: { pods: 5 } },
    },
    ...rest,
    metadata: { name, generation: 1, ...rest.metadata },
  });
}

function binding(
  spec: Partial<ResourceBindingSpec> = {},
  status: ResourceBindingStatus = {},
  metadata: object = {},
): ResourceBinding {
  return deepFreeze({
    apiVersion: 'work.karmada.io/v1alpha2',
    kind: 'ResourceBinding',
    metadata: {
      name: 'b',
      namespace: 'shop',
      uid: 'u',
      generation: 3,
      labels: { 'propagationpolicy.karmada.io/permanent-id': 'p' },
      ...metadata,
    },
    spec: {
      resource: { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'conf' },
      placement: {},
      ...spec,
    },
    status,
  });
}

const applied = (placement: Placement): object => ({
  annotations: { 'policy.karmada.io/applied-placement': JSON.stringify(placement) },
});

// ---- which bindings enter

const entering: [sentence: string, of: ResourceBinding, enters: boolean][] = [
  ['one with a policy', binding(), true],
  ['one of a cluster policy', binding({}, {}, { labels: { 'clusterpropagationpolicy.karmada.io/permanent-id': 'c' } }), true],
  ['one that another controller manages', binding({}, {}, { labels: { 'binding.karmada.io/managed-by': 'MultiClusterService' } }), true],
  ['one that is only a dependency', binding({}, {}, { labels: {} }), false],
  ['one with an empty id', binding({}, {}, { labels: { 'propagationpolicy.karmada.io/permanent-id': '' } }), false],
  ['one of another scheduler', binding({ schedulerName: 'mine' }), false],
  ['one that names this scheduler', binding({ schedulerName: 'default-scheduler' }), true],
  ['one whose scheduling is suspended', binding({ suspension: { scheduling: true } }), false],
  ['one whose dispatching is suspended', binding({ suspension: { dispatching: true } }), true],
]; // prettier-ignore
for (const [sentence, of, enters] of entering) {
  test(`entering the queue: ${sentence}`, () => assert.equal(entersQueue(of, 'default-scheduler'), enters));
}

// ---- triggers

const divided: Placement = {
  replicaScheduling: { replicaSchedulingType: 'Divided', replicaDivisionPreference: 'Weighted' },
};
const duplicated: Placement = { replicaScheduling: { replicaSchedulingType: 'Duplicated' } };
const fleet = fleetSnapshot([
  cluster('a'),
  cluster('dying', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }),
]);
const rescheduled = { rescheduleTriggeredAt: '2026-03-01T09:00:01Z' };
const scheduledAt = { lastScheduledTime: '2026-03-01T09:00:00Z', schedulerObservedGeneration: 3 };

const triggers: [sentence: string, of: ResourceBinding, expected: string][] = [
  ['never scheduled', binding({ replicas: 1, placement: divided }), 'placement changed Steady'],
  ['a placement that cannot be read counts as unchanged', binding({ replicas: 1, placement: divided, clusters: [{ name: 'a', replicas: 1 }] }, scheduledAt, { annotations: { 'policy.karmada.io/applied-placement': '{' } }), 'nothing changed'],
  ['another placement', binding({ replicas: 1, placement: divided }, scheduledAt, applied(duplicated)), 'placement changed Steady'],
  ['divided replicas do not add up', binding({ replicas: 3, placement: divided, clusters: [{ name: 'a', replicas: 1 }] }, scheduledAt, applied(divided)), 'replicas changed Steady'],
  ['divided replicas add up', binding({ replicas: 1, placement: divided, clusters: [{ name: 'a', replicas: 1 }] }, scheduledAt, applied(divided)), 'nothing changed'],
  ['duplicated replicas differ in one cluster', binding({ replicas: 3, placement: duplicated, clusters: [{ name: 'a', replicas: 3 }, { name: 'b', replicas: 1 }] }, scheduledAt, applied(duplicated)), 'replicas changed Steady'],
  ['a duplicated workload is always looked at', binding({ replicas: 1, placement: duplicated, clusters: [{ name: 'a', replicas: 1 }] }, scheduledAt, applied(duplicated)), 'always looked at again Steady'],
  ['so is what is no workload', binding({ placement: divided }, scheduledAt, applied(divided)), 'always looked at again Steady'],
  ['a rebalance asked for later than the last time', binding({ ...rescheduled, replicas: 1, placement: divided, clusters: [{ name: 'a', replicas: 1 }] }, scheduledAt, applied(divided)), 'reschedule requested Fresh'],
  ['a rebalance in the same second does not count', binding({ rescheduleTriggeredAt: scheduledAt.lastScheduledTime, replicas: 1, placement: divided, clusters: [{ name: 'a', replicas: 1 }] }, scheduledAt, applied(divided)), 'nothing changed'],
  ['a rebalance beside another reason is fresh too', binding({ ...rescheduled, replicas: 2, placement: divided, clusters: [{ name: 'a', replicas: 1 }] }, scheduledAt, applied(divided)), 'replicas changed Fresh'],
  ['a cluster in use is being deleted', binding({ replicas: 1, placement: divided, clusters: [{ name: 'dying', replicas: 1 }] }, scheduledAt, applied(divided)), 'cluster being deleted Steady'],
  ['a cluster in use is gone', binding({ replicas: 1, placement: divided, clusters: [{ name: 'gone', replicas: 1 }] }, scheduledAt, applied(divided)), 'cluster gone Steady'],
  ['being deleted', binding({}, {}, { deletionTimestamp: '2026-01-01T00:00:00Z' }), 'being deleted'],
  ['suspended while it waited', binding({ suspension: { scheduling: true } }), 'suspended'],
]; // prettier-ignore
for (const [sentence, of, expected] of triggers) {
  test(`trigger: ${sentence}`, () => {
    const trigger = decideTrigger(of, fleet, defaultFeatureGates);
    assert.equal(trigger.due ? `${trigger.why} ${trigger.mode}` : trigger.why, expected);
  });
}

test('trigger: without a placement there is nothing to do', () => {
  const { placement: _, ...spec } = binding().spec;
  const trigger = decideTrigger({ ...binding(), spec }, fleet, defaultFeatureGates);
  assert.deepEqual(trigger, { due: false, why: 'no placement', observe: false });
});

test('trigger: a generation that needs nothing is observed', () => {
  const spec = { replicas: 1, placement: divided, clusters: [{ name: 'a', replicas: 1 }] };
  const behind = binding(spec, { ...scheduledAt, schedulerObservedGeneration: 2 }, applied(divided));
  assert.deepEqual(decideTrigger(behind, fleet, defaultFeatureGates), {
    due: false,
    why: 'nothing changed',
    observe: true,
  });
  assert.equal(observedStatus(behind).schedulerObservedGeneration, 3);
});

test('trigger: components without clusters', () => {
  const components = [{ name: 'x', replicas: 1 }];
  const of = binding({ components, placement: divided }, scheduledAt, applied(divided));
  const on = { ...defaultFeatureGates, MultiplePodTemplatesScheduling: true };
  assert.equal(decideTrigger(of, fleet, on).why, 'replicas changed');
  assert.equal(decideTrigger(of, fleet, defaultFeatureGates).why, 'nothing changed');
});

test('trigger: components with other numbers than a cluster was given are scheduled anew', () => {
  const on = { ...defaultFeatureGates, MultiplePodTemplatesScheduling: true };
  const given = (...counts: readonly number[]): { name: string; replicas: number }[] =>
    counts.map((replicas, index) => ({ name: `c${index}`, replicas }));
  const why = (components: readonly number[], target: object): string => {
    const clusters = [{ name: 'a', ...target }];
    const spec = { placement: divided, components: given(...components), clusters };
    return decideTrigger(binding(spec, scheduledAt, applied(divided)), fleet, on).why;
  };
  assert.equal(why([1, 2], { components: given(1, 2) }), 'nothing changed');
  assert.equal(why([1, 3], { components: given(1, 2) }), 'replicas changed');
  assert.equal(why([1], { components: given(1, 2) }), 'replicas changed');
  assert.equal(why([1, 2], {}), 'nothing changed');
});

const terms = (...edits: object[]): Placement => ({
  clusterAffinities: ['one', 'two'].map((affinityName, index) => ({ affinityName, ...edits[index] })),
});
const placements: [sentence: string, before: Placement, after: Placement, observed: string, changed: boolean][] = [
  ['empty and absent are the same', { spreadConstraints: [], clusterAffinity: { clusterNames: [] } }, { clusterAffinity: {} }, '', false],
  ['an empty affinity is not an absent one', { clusterAffinity: {} }, {}, '', true],
  ['tolerations', {}, { clusterTolerations: [{ key: 'a', operator: 'Exists' }] }, '', true],
  ['spread constraints', {}, { spreadConstraints: [{ spreadByField: 'cluster', minGroups: 1 }] }, '', true],
  ['the term in use', terms({}), terms({ clusterNames: ['a'] }), 'one', true],
  ['another term', terms({}), terms({}, { clusterNames: ['a'] }), 'one', false],
  ['any term when none is in use', terms({}), terms({}, { clusterNames: ['a'] }), '', true],
  ['the term in use is gone', terms({}), { clusterAffinities: [{ affinityName: 'two' }] }, 'one', true],
  ['workload affinity alone', terms({}), { ...terms({}), workloadAffinity: { affinity: { groupByLabelKey: 'a' } } }, 'one', false],
]; // prettier-ignore
for (const [sentence, before, after, observed, changed] of placements) {
  test(`placement changed: ${sentence}`, () => {
    assert.equal(placementChanged(JSON.stringify(before), after, observed), changed);
    assert.equal(placementChanged(JSON.stringify(after), after, observed), false);
  });
}

test('placement: as it is written down', () => {
  const spelled = { spreadConstraints: [{ spreadByField: 'cluster', minGroups: 1, maxGroups: 0, spreadByLabel: '' }], clusterTolerations: [] } as const;
  assert.deepEqual(canonicalPlacement(spelled), { spreadConstraints: [{ spreadByField: 'cluster', minGroups: 1 }] });
  const labels = { clusterAffinity: { labelSelector: { matchLabels: {} } } };
  assert.deepEqual(canonicalPlacement(labels), { clusterAffinity: { labelSelector: {} } });
}); // prettier-ignore

// ---- outcomes

function outcomeFor(
  of: ResourceBinding,
  clusters: readonly Cluster[],
  mode: 'Steady' | 'Fresh' = 'Steady',
): ScheduleOutcome {
  const result = schedule({ binding: of, fleet: fleetSnapshot(clusters), gates: defaultFeatureGates, mode });
  return outcomeOf(of, result, mode, NOW);
}
const scheduledCondition = ({ status }: ScheduleOutcome): unknown => {
  const { lastTransitionTime: _, ...condition } =
    status?.conditions?.find(({ type }) => type === 'Scheduled') ?? {};
  return condition;
};

test('outcome: success writes clusters, annotation and status', () => {
  const outcome = outcomeFor(binding(), [cluster('a'), cluster('b')]);
  assert.deepEqual(outcome.patch, {
    metadata: { annotations: { 'policy.karmada.io/applied-placement': '{}' } },
    spec: { clusters: [{ name: 'a' }, { name: 'b' }] },
  });
  assert.deepEqual(outcome.status, {
    conditions: [
      {
        type: 'Scheduled',
        status: 'True',
        reason: 'Success',
        message: 'Binding has been scheduled successfully.',
        lastTransitionTime: '2026-03-01T10:00:00Z',
      },
    ],
    schedulerObservedGeneration: 4,
    lastScheduledTime: '2026-03-01T10:00:00Z',
  });
  assert.equal(outcome.retry, 'forget');
  assert.deepEqual(
    outcome.events.map(({ reason }) => reason),
    ['ScheduleBindingSucceed'],
  );
  assert.match(outcome.events[0]?.message ?? '', /\{a:0, b:0\}$/);
});

function settled(of: ResourceBinding, clusters: readonly Cluster[]): ResourceBinding {
  const { patch, status } = outcomeFor(of, clusters);
  const spec = { ...of.spec, ...(patch?.['spec'] as object) };
  const metadata = {
    ...of.metadata,
    generation: 4,
    annotations: { 'policy.karmada.io/applied-placement': '{}' },
  };
  return { ...of, metadata, spec, status: status ?? {} };
}

test('outcome: a second look that changes nothing writes nothing and says nothing', () => {
  const clusters = [cluster('a')];
  const again = outcomeFor(settled(binding(), clusters), clusters);
  assert.deepEqual(again, { patch: undefined, status: undefined, events: [], retry: 'forget' });
});

test('outcome: a requested second look is written down, or it would be due for ever', () => {
  const clusters = [cluster('a')];
  const again = outcomeFor(settled(binding(), clusters), clusters, 'Fresh');
  assert.equal(again.patch, undefined);
  assert.equal(again.status?.lastScheduledTime, '2026-03-01T10:00:00Z');
});

test('outcome: no cluster fits: clusters are given up and the binding waits (place-no-match)', () => {
  const held = binding({
    clusters: [{ name: 'a' }],
    placement: { clusterAffinity: { clusterNames: ['z'] } },
  });
  const outcome = outcomeFor(held, [cluster('a')]);
  assert.deepEqual(outcome.patch?.['spec'], { clusters: null });
  assert.deepEqual(scheduledCondition(outcome), {
    type: 'Scheduled',
    status: 'False',
    reason: 'NoClusterFit',
    message: '0/1 clusters are available: 1 cluster(s) not selected by the cluster affinity.',
  });
  assert.equal(outcome.status?.schedulerObservedGeneration, undefined);
  assert.equal(outcome.retry, 'forget');
});

test('outcome: too little room keeps the clusters (rep-dynamic-full)', () => {
  const placement: Placement = {
    replicaScheduling: { replicaSchedulingType: 'Divided', replicaDivisionPreference: 'Aggregated' },
  };
  const outcome = outcomeFor(binding({ replicas: 9, clusters: [{ name: 'a', replicas: 1 }], placement }), [
    cluster('a'),
  ]);
  assert.equal(outcome.patch, undefined);
  assert.deepEqual(scheduledCondition(outcome), {
    type: 'Scheduled',
    status: 'False',
    reason: 'Unschedulable',
    message:
      'failed to assign replicas: failed to scale up: Clusters available replicas 5 are not enough to schedule.',
  });
  assert.equal(outcome.retry, 'unschedulable');
});

test('outcome: any other failure is tried again soon', () => {
  const placement: Placement = { spreadConstraints: [{ spreadByField: 'cluster', minGroups: 5 }] };
  const outcome = outcomeFor(binding({ placement }), [cluster('a')]);
  assert.equal((scheduledCondition(outcome) as { reason: string }).reason, 'SchedulerError');
  assert.equal(outcome.retry, 'backoff');
  assert.equal(outcome.patch, undefined);
});

test('outcome: the term in use is remembered, and each term that failed is told', () => {
  const placement: Placement = { clusterAffinities: [{ affinityName: 'x', clusterNames: ['z'] }, { affinityName: 'y' }] };
  const outcome = outcomeFor(binding({ placement }), [cluster('a')]);
  assert.equal(outcome.status?.schedulerObservingAffinityName, 'y');
  assert.deepEqual(outcome.events.map(({ type }) => type), ['Warning', 'Normal']);
}); // prettier-ignore

test('outcome: a condition keeps its time while it only says more', () => {
  const old = {
    type: 'Scheduled',
    status: 'True',
    reason: 'Old',
    message: 'x',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  } as const;
  const outcome = outcomeFor(binding({}, { conditions: [old] }), [cluster('a')]);
  assert.equal(outcome.status?.conditions?.[0]?.lastTransitionTime, '2026-01-01T00:00:00Z');
});

test('outcome: a quota that refuses the patch is told in its words (quota-enforce)', () => {
  const of = binding();
  const planned = outcomeFor(of, [cluster('a')]);
  const error = {
    message: 'admission webhook "x" denied the request: exceeded',
    reason: 'QuotaExceeded',
    causes: [],
  };
  const outcome = outcomeOfWriteError(of, planned, error, NOW);
  assert.deepEqual(scheduledCondition(outcome), {
    type: 'Scheduled',
    status: 'False',
    reason: 'QuotaExceeded',
    message: error.message,
  });
  assert.equal(outcome.retry, 'backoff');
});

test('outcome: a namespace that is going takes its bindings along', () => {
  const error = { message: 'x', reason: 'Forbidden', causes: ['NamespaceTerminating'] };
  const outcome = outcomeOfWriteError(binding(), outcomeFor(binding(), [cluster('a')]), error, NOW);
  assert.deepEqual(outcome, { patch: undefined, status: undefined, events: [], retry: 'forget' });
});

test('outcome: when giving clusters up is refused it is tried again', () => {
  const held = binding({
    clusters: [{ name: 'a' }],
    placement: { clusterAffinity: { clusterNames: ['z'] } },
  });
  const error = { message: 'conflict', reason: 'Conflict', causes: [] };
  const outcome = outcomeOfWriteError(held, outcomeFor(held, [cluster('a')]), error, NOW);
  assert.equal((scheduledCondition(outcome) as { reason: string }).reason, 'NoClusterFit');
  assert.equal(outcome.retry, 'backoff');
});

// ---- changes of clusters

const labelled = (name: string, tier: string, generation = 1): Cluster =>
  cluster(name, { metadata: { labels: { tier }, generation } });
const gold: Placement = { clusterAffinity: { labelSelector: { matchLabels: { tier: 'gold' } } } };
const observed = { schedulerObservedGeneration: 3 };

test('cluster change: both versions count, so joining and leaving are noticed', () => {
  const before = labelled('a', 'gold');
  const after = labelled('a', 'iron');
  const versions = clusterVersionsToMatch(before, after);
  assert.equal(versions.length, 2);
  assert.equal(isConcernedBy(binding({ placement: gold }, observed), versions, 'default-scheduler'), true);
  const other = { clusterAffinity: { clusterNames: ['b'] } };
  assert.equal(isConcernedBy(binding({ placement: other }, observed), versions, 'default-scheduler'), false);
  assert.equal(isConcernedBy(binding({ placement: other }), versions, 'default-scheduler'), true);
  assert.equal(isConcernedBy(binding({}, observed), versions, 'default-scheduler'), true);
  assert.equal(isConcernedBy(binding({ schedulerName: 'mine' }), versions, 'default-scheduler'), false);
});

test('cluster change: status alone is no reason, a taint and a deletion are', () => {
  const before = labelled('a', 'gold');
  assert.deepEqual(clusterVersionsToMatch(before, { ...before, status: {} }), []);
  assert.equal(clusterVersionsToMatch(before, labelled('a', 'gold', 2)).length, 2);
  const dying = cluster('a', {
    metadata: { labels: { tier: 'gold' }, deletionTimestamp: '2026-01-01T00:00:00Z' },
  });
  assert.deepEqual(clusterVersionsToMatch(before, dying), [dying]);
  assert.deepEqual(clusterVersionsToMatch(dying, dying), []);
});

test('cluster change: overflow affinities and later terms are looked at as well', () => {
  const placement: Placement = {
    clusterAffinities: [
      { affinityName: 'one', clusterNames: ['x'] },
      {
        affinityName: 'two',
        clusterNames: ['y'],
        overflowAffinities: [{ affinityName: 'o', clusterNames: ['a'] }],
      },
    ],
  };
  const versions = clusterVersionsToMatch(labelled('a', 'gold'), labelled('a', 'iron'));
  const of = binding({ placement }, { ...observed, schedulerObservingAffinityName: 'two' });
  assert.equal(isConcernedBy(of, versions, 'default-scheduler'), true);
});

test('waiting: more room wakes what was too large, a new API what had none', () => {
  const small = cluster('a');
  const large = cluster('a', { status: { ...small.status, resourceSummary: { allocatable: { pods: 50 } } } });
  const placement: Placement = {
    replicaScheduling: { replicaSchedulingType: 'Divided', replicaDivisionPreference: 'Aggregated' },
  };
  const waitFor = (of: ResourceBinding): ReturnType<typeof waitOf> => {
    const result: ScheduleResult = schedule({
      binding: of,
      fleet: fleetSnapshot([small]),
      gates: defaultFeatureGates,
      mode: 'Steady',
    });
    assert.equal(result.ok, false);
    return result.ok ? assert.fail() : waitOf(result.failure, result.attempts, ['a']);
  };
  const room = waitFor(binding({ replicas: 9, placement }));
  assert.equal(mayHelp(room, small, large), true);
  assert.equal(mayHelp(room, large, small), false);
  assert.equal(mayHelp(room, small, small), false);
  const kind = waitFor(binding({ resource: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' } }));
  const served = cluster('a', {
    status: {
      apiEnablements: [{ groupVersion: 'apps/v1', resources: [{ name: 'deployments', kind: 'Deployment' }] }],
    },
  });
  assert.equal(mayHelp(kind, small, served), true);
  assert.equal(mayHelp(kind, small, large), false);
});

// ---- workload affinity

test('workload affinity: peers are those of the same group and namespace, without the binding itself', () => {
  const grouped = (name: string, ...clusters: string[]): ResourceBinding =>
    binding(
      { workloadAffinityGroups: { affinityGroup: 'g=t' }, clusters: clusters.map((one) => ({ name: one })) },
      {},
      { name },
    );
  const all = [grouped('b', 'x'), grouped('a', 'y'), grouped('c')];
  assert.deepEqual(groupKeys(grouped('b')), ['shop/affinity/g=t']);
  const peers = peersOf(grouped('b'), (key) => (key === 'shop/affinity/g=t' ? all : []));
  assert.deepEqual(peers, {
    affinity: { group: 'g=t', peers: [{ name: 'a', clusters: ['y'] }, { name: 'c', clusters: [] }] },
    antiAffinity: undefined,
  });
  assert.equal(peersOf(binding(), () => all), undefined);
}); // prettier-ignore

test('workload affinity: what was just written counts until it is seen applied', () => {
  const at = (resourceVersion: string, status: ResourceBindingStatus = {}): ResourceBinding =>
    binding({}, status, { resourceVersion });
  const appliedStatus: ResourceBindingStatus = {
    conditions: [{ type: 'FullyApplied', status: 'True', reason: 'r', message: '', lastTransitionTime: '' }],
  };
  const written = at('20');
  assert.equal(newestOf(written, at('19')), written);
  assert.equal(newestOf(written, at('21')).metadata.resourceVersion, '21');
  assert.equal(newestOf(undefined, at('1')).metadata.resourceVersion, '1');
  assert.equal(isAssignmentSettled(written, at('19', appliedStatus)), false);
  assert.equal(isAssignmentSettled(written, at('21')), false);
  assert.equal(isAssignmentSettled(written, at('21', appliedStatus)), true);
  assert.equal(isAssignmentSettled(written, undefined), true);
});

// ---- overcommit protection

test('assumptions: a decision takes its room until it shows, is dropped, or is forgotten', () => {
  const assumptions = createAssumptions();
  const web = binding({ replicas: 3, replicaRequirements: { resourceRequest: { cpu: '1' }, namespace: 'shop' } });
  assumptions.record('shop/b', web, [{ name: 'a', replicas: 2 }, { name: 'b', replicas: 1 }], NOW);
  assert.deepEqual(assumptions.byCluster(NOW).get('a'), [
    {
      namespace: 'shop',
      components: [{ name: 'conf', replicas: 2, replicaRequirements: { resourceRequest: { cpu: '1' } } }],
    },
  ]);
  assumptions.release('shop/b', 'a');
  assert.deepEqual([...assumptions.byCluster(NOW).keys()], ['b']);
  assert.equal(assumptions.byCluster(NOW + 5 * 60_000).size, 0);
  assumptions.sweep(NOW + 5 * 60_000);
  assert.equal(assumptions.byCluster(NOW).size, 0);
  assumptions.record('shop/b', web, [{ name: 'a', replicas: 2 }], NOW);
  assumptions.record('shop/b', web, [{ name: 'c', replicas: 2 }], NOW);
  assert.deepEqual([...assumptions.byCluster(NOW).keys()], ['c']);
  assumptions.forget('shop/b');
  assert.equal(assumptions.byCluster(NOW).size, 0);
  assumptions.record('shop/c', binding(), [{ name: 'a' }], NOW);
  assert.equal(assumptions.byCluster(NOW).size, 0);
}); // prettier-ignore

test('assumptions: room of what is healthy is taken until its cluster has reported, or a while has passed', () => {
  const assumptions = createAssumptions();
  const web = binding({ replicas: 2, replicaRequirements: {} });
  const held = (nowMs: number): string[] => [...assumptions.byCluster(nowMs).keys()];
  assumptions.record('shop/b', web, [{ name: 'a', replicas: 1 }, { name: 'b', replicas: 1 }], NOW);
  assumptions.settle('shop/b', 'a', NOW + 10);
  assert.deepEqual(held(NOW + 9), ['a', 'b']);
  assert.deepEqual(held(NOW + 10), ['b']);
  assumptions.reported('b');
  assert.deepEqual(held(NOW), ['a', 'b'], 'what is not healthy yet is in no report');
  assumptions.reported('a');
  assert.deepEqual(held(NOW), ['b']);
  assumptions.settle('shop/b', 'a', NOW + 10);
  assert.deepEqual(held(NOW), ['b']);
}); // prettier-ignore

test('assumptions: what could not be written is given back, unless there is something newer', () => {
  const assumptions = createAssumptions();
  const web = binding({ replicas: 3, replicaRequirements: {} });
  const held = (): unknown =>
    Object.fromEntries([...assumptions.byCluster(NOW)].map(([name, all]) => [name, all.flatMap(({ components }) => components.map(({ replicas }) => replicas))]));
  assumptions.record('shop/b', web, [{ name: 'a', replicas: 1 }], NOW);
  const undo = assumptions.record('shop/b', web, [{ name: 'b', replicas: 3 }], NOW);
  assert.deepEqual(held(), { b: [3] });
  undo();
  assert.deepEqual(held(), { a: [1] });
  const late = assumptions.record('shop/b', web, [{ name: 'b', replicas: 3 }], NOW);
  assumptions.record('shop/b', web, [{ name: 'c', replicas: 2 }], NOW);
  late();
  assert.deepEqual(held(), { c: [2] });
}); // prettier-ignore

test('assumptions: a cluster that became healthy', () => {
  const at = (...healthy: string[]): ResourceBinding =>
    binding({}, { aggregatedStatus: healthy.map((clusterName) => ({ clusterName, health: 'Healthy' })) });
  assert.deepEqual(newlyHealthy(at('a'), at('a', 'b')), ['b']);
  assert.deepEqual(newlyHealthy(undefined, at('a')), ['a']);
});
