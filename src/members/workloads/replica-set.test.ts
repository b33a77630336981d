import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReplicaSetStatus } from '../../api/index.ts';
import type { Pod } from '../kinds.ts';
import type { Plan } from '../plan.ts';
import { NOW, ownedBy, pod, readyStatus, replicaSet, secondsAgo } from '../testing/objects.ts';
import { outline, statusIn, writesOf } from '../testing/plans.ts';
import { decideReplicaSet } from './replica-set.ts';

const labels = { app: 'web', 'pod-template-hash': 'web-a' };
const member = (name: string, parts: Parameters<typeof pod>[1] = {}): Pod =>
  pod(name, { ...parts, metadata: { labels, ...ownedBy('ReplicaSet', 'web-a'), ...parts.metadata } });
const decide = (
  replicas: number,
  pods: readonly Pod[],
  more: Partial<Parameters<typeof decideReplicaSet>[0]> = {},
): Plan =>
  decideReplicaSet({
    replicaSet: replicaSet('web-a', {
      replicas,
      status: { replicas: 0, readyReplicas: 0, availableReplicas: 0 },
    }),
    pods,
    nowMs: NOW,
    ...more,
  });

test('missing pods are created from the template, and the report waits for them', () => {
  const plan = decide(2, []);
  assert.deepEqual(outline(plan), ['create Pod web-a-', 'create Pod web-a-']);
  const [created] = writesOf(plan, 'create', 'Pod');
  assert.deepEqual(created?.metadata.labels, labels);
  assert.equal(created?.metadata.ownerReferences?.[0]?.uid, 'uid-web-a');
});

test('no replicas and no pods is a state to report, not to act on', () => {
  assert.deepEqual(outline(decide(0, [])), ['updateStatus ReplicaSet web-a']);
});

test('finished and leaving pods do not count as replicas', () => {
  const pods = [
    member('a', { status: { phase: 'Failed' } }),
    member('b', { metadata: { deletionTimestamp: secondsAgo(1) } }),
    member('c', { status: readyStatus() }),
  ];
  assert.deepEqual(outline(decide(2, pods)), ['create Pod web-a-']);
  const status = statusIn<ReplicaSetStatus>(decide(1, pods), 'ReplicaSet');
  assert.equal(status?.replicas, 1);
  assert.equal(status?.readyReplicas, 1);
  assert.equal(status?.terminatingReplicas, 1);
});

test('of too many pods those go first whose loss hurts least', () => {
  const pods = [
    member('ready', { spec: { nodeName: 'n1' }, status: readyStatus() }),
    member('cheap', {
      spec: { nodeName: 'n1' },
      status: readyStatus(),
      metadata: { annotations: { 'controller.kubernetes.io/pod-deletion-cost': '-5' } },
    }),
    member('unready', { spec: { nodeName: 'n1' }, status: { phase: 'Running' } }),
    member('pending', { spec: { nodeName: 'n2' } }),
    member('unassigned'),
  ];
  const order = [4, 3, 2, 1].map((replicas) => {
    const names = writesOf(decide(replicas, pods), 'delete', 'Pod').map(({ metadata }) => metadata.name);
    return names.at(-1);
  });
  assert.deepEqual(order, ['unassigned', 'pending', 'unready', 'cheap']);
});

test('pods of a node that holds more of the same Deployment go first', () => {
  const own = [
    member('alone', { spec: { nodeName: 'n1' }, status: readyStatus() }),
    member('crowded', { spec: { nodeName: 'n2' }, status: readyStatus() }),
  ];
  const sibling = pod('sibling', { spec: { nodeName: 'n2' }, status: readyStatus() });
  const plan = decide(1, own, { relatedPods: [...own, sibling] });
  assert.deepEqual(outline(plan), ['delete Pod crowded']);
});

test('a pod is available once it has been ready long enough', () => {
  const set = replicaSet('web-a', { replicas: 1, status: { replicas: 0 } });
  const slow = { ...set, spec: { ...set.spec, minReadySeconds: 90 } };
  const pods = [member('a', { status: readyStatus(60) })];
  const plan = decide(1, pods, { replicaSet: slow });
  const status = statusIn<ReplicaSetStatus>(plan, 'ReplicaSet');
  assert.equal(status?.readyReplicas, 1);
  assert.equal(status?.availableReplicas, undefined);
  assert.equal(plan.requeueAfterMs, 30_000);
});

test('a refused creation becomes a condition, which goes when the count is right', () => {
  const failure = { verb: 'create' as const, message: 'exceeded quota' };
  const status = statusIn<ReplicaSetStatus>(decide(1, [], { failure }), 'ReplicaSet');
  assert.equal(status?.conditions?.[0]?.reason, 'FailedCreate');
  assert.equal(status?.conditions?.[0]?.message, 'exceeded quota');
  const set = replicaSet('web-a', { replicas: 1, status: { ...status } });
  const after = decide(1, [member('a', { status: readyStatus() })], { replicaSet: set });
  assert.equal(statusIn<ReplicaSetStatus>(after, 'ReplicaSet')?.conditions, undefined);
});

test('a ReplicaSet that is being deleted neither creates nor takes over', () => {
  const set = replicaSet('web-a', { replicas: 2, metadata: { deletionTimestamp: secondsAgo(1) } });
  const plan = decide(2, [pod('orphan', { metadata: { labels } })], { replicaSet: set });
  assert.deepEqual(outline(plan), ['updateStatus ReplicaSet web-a']);
});
