import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  Cluster,
  Component,
  Node,
  Placement,
  Pod,
  ResourceBinding,
  ResourceQuota,
  WorkloadRebalancer,
} from '../api/index.ts';
import { defaultFeatureGates } from '../base/index.ts';
import { decideDeschedule, isDeschedulable, keptReplicas, undesiredClusters } from './descheduler.ts';
import { fleetSnapshot } from './fleet-snapshot.ts';
import { maxReplicasOnNodes, maxSetsOnNodes, nodeAllows } from './node-estimator.ts';
import { nodeSnapshot } from './node-ledger.ts';
import { maxReplicasByQuota, maxSetsByQuota } from './quota-estimator.ts';
import {
  observedWorkloads,
  rebalanceOutcome,
  remainingMs,
  rescheduleTime,
  type RebalanceResult,
} from './rebalancer.ts';
import { schedule } from './schedule.ts';
import { traceOf } from './trace.ts';
import { unschedulableReplicas } from './unschedulable.ts';

const NOW = Date.parse('2026-03-01T10:00:00Z');
const UNLIMITED = 2_147_483_647;
const dynamic: Placement = {
  replicaScheduling: {
    replicaSchedulingType: 'Divided',
    replicaDivisionPreference: 'Weighted',
    weightPreference: { dynamicWeight: 'AvailableReplicas' },
  },
};

// ---- descheduler

const kept: [sentence: string, assigned: number, ready: number, unschedulable: number, expected: number][] = [
  ['what finds no node goes', 10, 4, 3, 7],
  ['but never what is ready', 10, 9, 3, 9],
  ['a cluster that says nothing may lose all', 5, -1, 5, 0],
  ['more than was assigned is a mistake', 3, 1, 4, 3],
  ['nothing is stuck', 3, 1, 0, 3],
];
for (const [sentence, assigned, ready, unschedulable, expected] of kept) {
  test(`descheduling: ${sentence}`, () => {
    assert.equal(keptReplicas({ cluster: 'a', assigned, ready }, unschedulable), expected);
  });
}

function deployed(placement: Placement, ready: Record<string, number | undefined>): ResourceBinding {
  return {
    apiVersion: 'work.karmada.io/v1alpha2',
    kind: 'ResourceBinding',
    metadata: { name: 'web-deployment', annotations: { 'policy.karmada.io/applied-placement': JSON.stringify(placement) } },
    spec: {
      resource: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      clusters: [{ name: 'a', replicas: 10 }, { name: 'b', replicas: 2 }],
    },
    status: {
      aggregatedStatus: Object.entries(ready).map(([clusterName, readyReplicas]) => ({
        clusterName,
        ...(readyReplicas === undefined ? {} : { status: { readyReplicas } }),
      })),
    },
  };
} // prettier-ignore

test('descheduling: only clusters that run less than they should, only what was divided by room', () => {
  const binding = deployed(dynamic, { a: 4, b: 2 });
  assert.deepEqual(undesiredClusters(binding), [{ cluster: 'a', assigned: 10, ready: 4 }]);
  assert.deepEqual(decideDeschedule(binding, new Map([['a', 3], ['b', 2]])), [
    { name: 'a', replicas: 7 },
    { name: 'b', replicas: 2 },
  ]);
  assert.equal(decideDeschedule(binding, new Map()), undefined);
  assert.equal(undesiredClusters(deployed(dynamic, {}))[1]?.ready, -1);
  assert.equal(isDeschedulable(deployed({ replicaScheduling: { replicaSchedulingType: 'Duplicated' } }, {})), false);
  assert.equal(isDeschedulable(deployed({ replicaScheduling: {} }, {})), false);
  const dying = deployed(dynamic, {});
  assert.equal(isDeschedulable({ ...dying, metadata: { ...dying.metadata, deletionTimestamp: 't' } }), false);
  assert.equal(isDeschedulable({ ...dying, metadata: {} }), false);
}); // prettier-ignore

// ---- rebalancer

const workload = (name: string): { apiVersion: string; kind: string; namespace: string; name: string } => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  namespace: 'shop',
  name,
});
function rebalancer(names: string[], status?: WorkloadRebalancer['status']): WorkloadRebalancer {
  return {
    apiVersion: 'apps.karmada.io/v1alpha1',
    kind: 'WorkloadRebalancer',
    metadata: { name: 'r', generation: 2, creationTimestamp: '2026-03-01T09:00:00Z' },
    spec: { workloads: names.map(workload), ttlSecondsAfterFinished: 60 },
    ...(status === undefined ? {} : { status }),
  };
}

test('rebalancing: new ones are added in order, removed ones stay only as a success', () => {
  const of = rebalancer(['web', 'api'], {
    observedWorkloads: [
      { workload: workload('gone'), result: 'Successful' },
      { workload: workload('lost'), result: 'Failed', reason: 'ReferencedBindingNotFound' },
      { workload: workload('web'), result: 'Successful' },
    ],
  });
  assert.deepEqual(
    observedWorkloads(of).map(({ workload: { name }, result }) => [name, result]),
    [['api', undefined], ['gone', 'Successful'], ['web', 'Successful']],
  );
}); // prettier-ignore

test('rebalancing: a binding is asked at the time of the rebalancer, or just after it was last scheduled', () => {
  const binding = (rescheduleTriggeredAt?: string, lastScheduledTime?: string): ResourceBinding => {
    const of = deployed(dynamic, {});
    return {
      ...of,
      spec: { ...of.spec, ...(rescheduleTriggeredAt === undefined ? {} : { rescheduleTriggeredAt }) },
      status: lastScheduledTime === undefined ? {} : { lastScheduledTime },
    };
  };
  const at = (of: ResourceBinding): string | undefined => rescheduleTime(rebalancer(['web']), of);
  assert.equal(at(binding()), '2026-03-01T09:00:00Z');
  assert.equal(at(binding('2026-03-01T08:00:00Z')), '2026-03-01T09:00:00Z');
  assert.equal(at(binding('2026-03-01T09:00:00Z')), undefined);
  assert.equal(at(binding(undefined, '2026-03-01T09:00:00Z')), '2026-03-01T09:00:01Z');
  assert.equal(at(binding(undefined, '2026-03-01T09:30:00Z')), '2026-03-01T09:30:01Z');
});

test('rebalancing: the status tells each workload, and when all is done (rep-joins)', () => {
  const of = rebalancer(['web', 'missing']);
  const results = (...all: [number, RebalanceResult][]): Map<number, RebalanceResult> => new Map(all);
  const done = rebalanceOutcome(of, results([0, 'missing'], [1, 'triggered']), NOW);
  assert.deepEqual(done, {
    retry: false,
    status: {
      observedWorkloads: [
        { workload: workload('missing'), result: 'Failed', reason: 'ReferencedBindingNotFound' },
        { workload: workload('web'), result: 'Successful' },
      ],
      observedGeneration: 2,
      finishTime: '2026-03-01T10:00:00Z',
    },
  });
  const again = { ...of, status: done.status ?? {} };
  assert.deepEqual(rebalanceOutcome(again, new Map(), NOW), { status: undefined, retry: false });
  const half = rebalanceOutcome(of, results([0, 'missing'], [1, 'retry']), NOW);
  assert.equal(half.retry, true);
  assert.equal(half.status?.finishTime, undefined);
  assert.equal(remainingMs(again, NOW + 20_000), 40_000);
  assert.equal(remainingMs(again, NOW + 90_000), 0);
  assert.equal(remainingMs(of, NOW), undefined);
});

// ---- nodes

function node(name: string, allocatable: Record<string, string>, more: Partial<Node> = {}): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { zone: name, size: '5' } },
    status: { allocatable },
    ...more,
  };
}
function pod(nodeName: string, cpu: string, phase = 'Running'): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: { nodeName, containers: [{ name: 'c', resources: { requests: { cpu } } }] },
    status: { phase },
  } as Pod;
}
const one = { resourceRequest: { cpu: '1' } };

test('nodes: what fits onto each of them adds up', () => {
  const nodes = [
    node('n1', { cpu: '3', pods: '10' }),
    node('n2', { cpu: '2500m', pods: '10' }),
    node('n3', { cpu: '9', pods: '1' }),
  ];
  const pods = [pod('n1', '500m'), pod('n2', '2', 'Succeeded'), pod('', '9')];
  assert.equal(maxReplicasOnNodes(nodeSnapshot(nodes, pods), one), 5);
  assert.equal(maxReplicasOnNodes(nodeSnapshot([], []), one), 0);
  assert.equal(maxReplicasOnNodes(nodeSnapshot(nodes, pods), undefined), 20);
});

test('nodes: assumed workloads are placed first', () => {
  const nodes = [node('n1', { cpu: '3', pods: '10' })];
  const component: Component = {
    name: 'c',
    replicas: 2,
    replicaRequirements: { resourceRequest: { cpu: '1' } },
  };
  const assumed = [{ namespace: 'shop', components: [component] }];
  assert.equal(maxReplicasOnNodes(nodeSnapshot(nodes, []), one, assumed), 1);
});

test('nodes: whole sets (first-fit)', () => {
  const nodes = [node('n1', { cpu: '3', pods: '50' }), node('n2', { cpu: '2', pods: '50' })];
  const components: Component[] = [
    { name: 'a', replicas: 1, replicaRequirements: { resourceRequest: { cpu: '2' } } },
    { name: 'b', replicas: 2, replicaRequirements: { resourceRequest: { cpu: '500m' } } },
  ];
  assert.equal(maxSetsOnNodes(nodeSnapshot(nodes, []), components), 1);
});

const tainted = node('n', {}, { spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } });
const cordoned = node('n', {}, { spec: { unschedulable: true } });
const term = (key: string, operator: string, ...values: string[]): { hardNodeAffinity: { nodeSelectorTerms: { matchExpressions: { key: string; operator: string; values: string[] }[] }[] } } => ({
  hardNodeAffinity: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator, values }] }] },
}); // prettier-ignore
const allowed: [sentence: string, on: Node, claim: Parameters<typeof nodeAllows>[1], expected: boolean][] = [
  ['no claim at all', node('n', {}), undefined, true],
  ['a node selector', node('n', {}), { nodeSelector: { zone: 'n' } }, true],
  ['another label', node('n', {}), { nodeSelector: { zone: 'x' } }, false],
  ['affinity In', node('n', {}), term('zone', 'In', 'n', 'm'), true],
  ['affinity NotIn', node('n', {}), term('zone', 'NotIn', 'n'), false],
  ['affinity Exists', node('n', {}), term('gpu', 'Exists'), false],
  ['affinity Gt', node('n', {}), term('size', 'Gt', '4'), true],
  ['affinity Lt', node('n', {}), term('size', 'Lt', '4'), false],
  ['a field', node('n', {}), { hardNodeAffinity: { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n'] }] }] } }, true],
  ['a term that says nothing', node('n', {}), { hardNodeAffinity: { nodeSelectorTerms: [{}] } }, false],
  ['an untolerated taint', tainted, undefined, false],
  ['a tolerated taint', tainted, { tolerations: [{ key: 'k', operator: 'Exists' }] }, true],
  ['a cordoned node', cordoned, undefined, false],
  ['a cordoned node that is tolerated', cordoned, { tolerations: [{ operator: 'Exists' }] }, true],
]; // prettier-ignore
for (const [sentence, on, claim, expected] of allowed) {
  test(`nodes: ${sentence}`, () => assert.equal(nodeAllows(on, claim), expected));
}

test('nodes: pods that found none for long', () => {
  const waiting = (lastTransitionTime: string, reason = 'Unschedulable'): Pod => ({
    ...pod('', '1', 'Pending'),
    status: { conditions: [{ type: 'PodScheduled', status: 'False', reason, lastTransitionTime }] },
  });
  const pods = [
    waiting('2026-03-01T09:00:00Z'),
    waiting('2026-03-01T09:59:00Z'),
    waiting('2026-03-01T09:00:00Z', 'Other'),
  ];
  assert.equal(unschedulableReplicas(pods, 5 * 60_000, NOW), 1);
});

// ---- quotas of members

function quota(hard: Record<string, string>, used: Record<string, string>, spec: object = {}): ResourceQuota {
  return {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'q', namespace: 'shop' },
    spec,
    status: { hard, used },
  };
}
const cpu = quota({ 'requests.cpu': '10', 'limits.cpu': '1', pods: '1' }, { 'requests.cpu': '4' });
const gold = quota(
  { cpu: '3' },
  {},
  { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['gold'] }] } },
);
const asks = (more: object = {}): { namespace: string; resourceRequest: Record<string, string> } => ({
  namespace: 'shop',
  resourceRequest: { cpu: '1500m' },
  ...more,
});
const quotas: [sentence: string, all: ResourceQuota[], request: ReturnType<typeof asks>, expected: number][] = [
  ['what is left of requests', [cpu], asks(), 4],
  ['a quota of a priority class, asked with it', [cpu, gold], asks({ priorityClassName: 'gold' }), 2],
  ['and without it', [cpu, gold], asks({ priorityClassName: 'silver' }), 4],
  ['nothing is limited that is asked for', [cpu], asks({ resourceRequest: { memory: '1Gi' } }), UNLIMITED],
  ['another namespace', [cpu], asks({ namespace: 'other' }), UNLIMITED],
  ['no namespace', [cpu], asks({ namespace: '' }), UNLIMITED],
  ['scopes that nobody can match', [quota({ cpu: '1' }, {}, { scopes: ['BestEffort'] })], asks(), UNLIMITED],
  ['more used than there is', [quota({ cpu: '1' }, { cpu: '9' })], asks(), 0],
  ['the requests entry wins', [quota({ 'requests.cpu': '3', cpu: '30' }, {})], asks(), 2],
]; // prettier-ignore
for (const [sentence, all, request, expected] of quotas) {
  test(`quotas of members: ${sentence}`, () => assert.equal(maxReplicasByQuota(all, request), expected));
}

test('quotas of members: assumed workloads and whole sets', () => {
  const component: Component = {
    name: 'c',
    replicas: 2,
    replicaRequirements: { resourceRequest: { cpu: '1500m' } },
  };
  const assumed = [
    { namespace: 'shop', components: [component] },
    { namespace: 'other', components: [component] },
  ];
  assert.equal(maxReplicasByQuota([cpu], asks(), assumed), 2);
  assert.equal(maxSetsByQuota([cpu], 'shop', [component]), 2);
  assert.equal(maxSetsByQuota([cpu], '', [component]), UNLIMITED);
});

// ---- the story of a decision

test('trace: chosen, spared and rejected clusters, with what would help', () => {
  const cluster = (name: string, labels: Record<string, string>, pods: number): Cluster => ({
    apiVersion: 'cluster.karmada.io/v1alpha1',
    kind: 'Cluster',
    metadata: { name, labels },
    spec: { syncMode: 'Push' },
    status: {
      apiEnablements: [{ groupVersion: 'apps/v1', resources: [{ name: 'deployments', kind: 'Deployment' }] }],
      resourceSummary: { allocatable: { pods } },
    },
  });
  const gone = cluster('gone', {}, 1);
  const dying = { ...gone, metadata: { ...gone.metadata, deletionTimestamp: 't' } };
  const fleet = fleetSnapshot([cluster('a', { tier: 'x' }, 9), cluster('b', { tier: 'x' }, 1), cluster('c', {}, 9), dying]);
  const placement: Placement = {
    replicaScheduling: { replicaSchedulingType: 'Divided', replicaDivisionPreference: 'Aggregated' },
    clusterAffinity: { labelSelector: { matchLabels: { tier: 'x' } } },
  };
  const binding = deployed(placement, {});
  const { clusters: _, ...spec } = binding.spec;
  const input = { binding: { ...binding, spec: { ...spec, placement, replicas: 5 } }, fleet, gates: defaultFeatureGates, mode: 'Steady' as const };
  const trace = traceOf(input, schedule(input));
  const [attempt] = trace.attempts;
  assert.deepEqual(trace.clusters, [{ name: 'a', replicas: 5 }]);
  assert.equal(trace.summary, '{a:5}');
  assert.deepEqual(attempt?.candidates, [
    { name: 'a', score: 0, allocatable: 9, available: 9, chosen: true, replicas: 5 },
    { name: 'b', score: 0, allocatable: 1, available: 1 },
  ]);
  assert.deepEqual(attempt?.excluded, [
    {
      filter: 'ClusterAffinity',
      code: 'AffinityMismatch',
      text: 'cluster(s) not selected by the cluster affinity',
      remedy: 'give the cluster the labels that clusterAffinity selects',
      clusters: ['c'],
      only: ['c'],
    },
  ]);
  assert.deepEqual(attempt?.terminating, ['gone']);
  assert.deepEqual(attempt?.divisions, [
    { strategy: 'Aggregated', step: 'scale up', target: 5, shares: [{ name: 'a', weight: 9, exact: '5.00', replicas: 5 }] },
  ]);
  assert.deepEqual(JSON.parse(JSON.stringify(trace)), trace);
}); // prettier-ignore
