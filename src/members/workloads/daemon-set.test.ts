import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DaemonSetStatus } from '../../api/index.ts';
import type { ControllerRevision, DaemonSet, Node, Pod } from '../kinds.ts';
import type { Plan } from '../plan.ts';
import { NOW, daemonSet, meta, node, ownedBy, pod, readyStatus, secondsAgo } from '../testing/objects.ts';
import { outline, statusIn, writesOf } from '../testing/plans.ts';
import { decideDaemonSet } from './daemon-set.ts';
import { historyOf } from './revisions.ts';

const updateOf = (set: DaemonSet): ReturnType<typeof historyOf>['update'] =>
  historyOf({ owner: set, revisions: [], collisionCount: 0 }).update;

const revisionOf = (set: DaemonSet, revision: number): ControllerRevision => ({
  apiVersion: 'apps/v1',
  kind: 'ControllerRevision',
  metadata: meta(updateOf(set).name, {
    labels: { 'controller.kubernetes.io/hash': updateOf(set).hash },
    ...ownedBy('DaemonSet', 'agent'),
  }),
  data: updateOf(set).data!,
  revision,
});

const on = (nodeName: string, set: DaemonSet, parts: Parameters<typeof pod>[1] = {}): Pod =>
  pod(`agent-${nodeName}`, {
    status: readyStatus(),
    ...parts,
    spec: { nodeName },
    metadata: {
      labels: { app: 'agent', 'controller-revision-hash': updateOf(set).hash },
      ...ownedBy('DaemonSet', 'agent'),
      ...parts.metadata,
    },
  });

const decide = (
  set: DaemonSet,
  nodes: readonly Node[],
  pods: readonly Pod[],
  revisions = [revisionOf(set, 1)],
): Plan => decideDaemonSet({ daemonSet: set, nodes, pods, revisions, nowMs: NOW });
const changes = (plan: Plan): string[] => outline(plan).filter((line) => line.includes(' Pod '));

test('every node that takes the pods gets one, bound to it by name', () => {
  const set = daemonSet();
  const tainted = node('c', { spec: { taints: [{ key: 'gpu', effect: 'NoSchedule' }] } });
  const plan = decide(set, [node('a'), node('b'), tainted], [on('a', set)]);
  const created = writesOf(plan, 'create', 'Pod') as unknown as Pod[];
  assert.equal(created.length, 1);
  const terms =
    created[0]?.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
      ?.nodeSelectorTerms;
  assert.deepEqual(terms?.[0]?.matchFields, [{ key: 'metadata.name', operator: 'In', values: ['b'] }]);
  assert.ok(created[0]?.spec.tolerations?.some(({ key }) => key === 'node.kubernetes.io/unreachable'));
});

test('no nodes, no pods', () => {
  const set = daemonSet();
  assert.deepEqual(changes(decide(set, [], [])), []);
});

test('pods stay on a cordoned node, and leave one they no longer match', () => {
  const set = daemonSet();
  const cordoned = node('a', {
    spec: {
      unschedulable: true,
      taints: [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }],
    },
  });
  assert.deepEqual(changes(decide(set, [cordoned], [on('a', set)])), []);
  const choosy = daemonSet({
    template: {
      metadata: { labels: { app: 'agent' } },
      spec: { nodeSelector: { disk: 'ssd' }, containers: [{ name: 'main', image: 'agent:1' }] },
    },
  });
  assert.deepEqual(changes(decide(choosy, [node('a')], [on('a', choosy)])), ['delete Pod agent-a']);
  const later = node('a', { spec: { taints: [{ key: 'gpu', effect: 'NoSchedule' }] } });
  assert.deepEqual(changes(decide(set, [later], [on('a', set)])), []);
});

test('a failed pod is removed and reported', () => {
  const set = daemonSet();
  const plan = decide(set, [node('a')], [on('a', set, { status: { phase: 'Failed' } })]);
  assert.deepEqual(changes(plan), ['delete Pod agent-a']);
  assert.equal(plan.events[0]?.reason, 'FailedDaemonPod');
});

const updated = (spec: Partial<DaemonSet['spec']> = {}): { set: DaemonSet; old: DaemonSet } => ({
  old: daemonSet(),
  set: daemonSet({
    template: {
      metadata: { labels: { app: 'agent' } },
      spec: { containers: [{ name: 'main', image: 'agent:2' }] },
    },
    ...spec,
  }),
});

test('a rolling update replaces as many at a time as may be unavailable, broken ones besides', () => {
  const { set, old } = updated();
  const nodes = [node('a'), node('b'), node('c')];
  const revisions = [revisionOf(old, 1), revisionOf(set, 2)];
  const pods = nodes.map(({ metadata }) => on(metadata.name, old));
  assert.deepEqual(changes(decide(set, nodes, pods, revisions)), ['delete Pod agent-a']);
  const broken = [on('a', old), on('b', old), on('c', old, { status: { phase: 'Running' } })];
  assert.deepEqual(changes(decide(set, nodes, broken, revisions)), ['delete Pod agent-c']);
  const waiting = [on('a', set, { status: { phase: 'Pending' } }), on('b', old), on('c', old)];
  assert.deepEqual(changes(decide(set, nodes, waiting, revisions)), []);
});

test('with surge the new pod comes before the old one goes', () => {
  const { set, old } = updated({
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
  });
  const revisions = [revisionOf(old, 1), revisionOf(set, 2)];
  const nodes = [node('a'), node('b')];
  const both = [on('a', old), on('b', old)];
  assert.deepEqual(changes(decide(set, nodes, both, revisions)), ['create Pod agent-']);
  const starting = pod('agent-a2', {
    spec: { nodeName: 'a' },
    metadata: {
      labels: { app: 'agent', 'controller-revision-hash': updateOf(set).hash },
      ...ownedBy('DaemonSet', 'agent'),
      creationTimestamp: secondsAgo(5),
    },
  });
  assert.deepEqual(changes(decide(set, nodes, [...both, starting], revisions)), []);
  const ready = { ...starting, status: readyStatus() };
  assert.deepEqual(changes(decide(set, nodes, [...both, ready], revisions)), ['delete Pod agent-a']);
});

test('the status counts nodes', () => {
  const set = daemonSet();
  const nodes = [
    node('a'),
    node('b'),
    node('c', { spec: { taints: [{ key: 'gpu', effect: 'NoSchedule' }] } }),
  ];
  const plan = decide(set, nodes, [
    on('a', set),
    on('b', set, { status: { phase: 'Pending' } }),
    on('c', set),
  ]);
  assert.deepEqual(statusIn<DaemonSetStatus>(plan, 'DaemonSet'), {
    currentNumberScheduled: 2,
    numberMisscheduled: 1,
    desiredNumberScheduled: 2,
    numberReady: 1,
    observedGeneration: 1,
    updatedNumberScheduled: 2,
    numberAvailable: 1,
    numberUnavailable: 1,
  });
});
