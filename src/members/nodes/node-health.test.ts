import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeStatus, Taint } from '../../api/index.ts';
import type { Node } from '../kinds.ts';
import type { Plan } from '../plan.ts';
import { NOW, node, pod, readyStatus, secondsAgo } from '../testing/objects.ts';
import { outline, statusIn, writesOf } from '../testing/plans.ts';
import { decideEviction } from './eviction.ts';
import { decideNode } from './node-health.ts';
import { NODES_MAX, healthyConditions, nodesOf } from './node-pool.ts';

const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'n1' } } as const;
const decide = (of: Node, more: Partial<Parameters<typeof decideNode>[0]> = {}): Plan =>
  decideNode({
    node: of,
    lease,
    index: 0,
    downSinceMs: undefined,
    gracePeriodMs: 40_000,
    heartbeatMs: 600_000,
    nowMs: NOW,
    ...more,
  });
const readyIn = (plan: Plan): string | undefined =>
  statusIn<NodeStatus>(plan, 'Node')?.conditions?.find(({ type }) => type === 'Ready')?.status;
const lost: NodeStatus['conditions'] = [{ type: 'Ready', status: 'Unknown' }];

test('an idle node writes nothing until its next heartbeat', () => {
  const plan = decide(node('n1'));
  assert.deepEqual(plan.steps, []);
  assert.equal(plan.requeueAfterMs, 599_000);
  const due = node('n1', {
    conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: secondsAgo(600) }],
  });
  assert.deepEqual(outline(decide(due)), ['updateStatus Node n1', 'update Lease n1']);
});

test('the taint of a new node goes although its report of the same second changes nothing', () => {
  const status = { ...node('n1').status, conditions: healthyConditions(undefined, NOW) };
  const spec = { taints: [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }] };
  const fresh = { ...node('n1'), spec, status } as Node;
  assert.deepEqual(outline(decide(fresh, { lease: undefined })), ['update Node n1']);
});

test('a node that a user made gets a machine', () => {
  const { status: _, ...bare } = node('n1');
  const status = statusIn<NodeStatus>(decide(bare, { index: 7 }), 'Node');
  assert.equal(status?.capacity?.['cpu'], '4');
  assert.equal(status?.addresses?.[0]?.address, '172.18.0.8');
  assert.equal(readyIn(decide(bare as Node)), 'True');
});

test('a silent node is lost after the grace period, and tainted then', () => {
  const waiting = decide(node('n1'), { downSinceMs: NOW - 10_000 });
  assert.deepEqual(waiting.steps, []);
  assert.equal(waiting.requeueAfterMs, 30_000);
  const plan = decide(node('n1'), { downSinceMs: NOW - 40_000 });
  assert.equal(readyIn(plan), 'Unknown');
  assert.equal(plan.events[0]?.reason, 'NodeNotReady');
  const [tainted] = writesOf(
    decide(node('n1', { conditions: lost }), { downSinceMs: NOW - 41_000 }),
    'update',
    'Node',
  ) as Node[];
  assert.deepEqual(
    tainted?.spec.taints?.map(({ key, effect }) => `${key}:${effect}`),
    ['node.kubernetes.io/unreachable:NoSchedule', 'node.kubernetes.io/unreachable:NoExecute'],
  );
  assert.equal(tainted?.spec.taints?.[0]?.timeAdded, secondsAgo(0));
});

test('a node that is back is ready, then free of the taints; those of users stay', () => {
  const taints: Taint[] = [
    { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' },
    { key: 'gpu', effect: 'NoSchedule' },
  ];
  assert.equal(readyIn(decide(node('n1', { conditions: lost, spec: { taints } }))), 'True');
  const [freed] = writesOf(decide(node('n1', { spec: { taints } })), 'update', 'Node') as Node[];
  assert.deepEqual(freed?.spec.taints, [{ key: 'gpu', effect: 'NoSchedule' }]);
});

test('a cordoned node is tainted, and only once', () => {
  const [tainted] = writesOf(
    decide(node('n1', { spec: { unschedulable: true } })),
    'update',
    'Node',
  ) as Node[];
  assert.equal(tainted?.spec.taints?.[0]?.key, 'node.kubernetes.io/unschedulable');
  assert.deepEqual(decide(node('n1', { spec: tainted.spec })).steps, []);
});

test('pods leave lost nodes when their toleration ends, and count as not ready before', () => {
  const taints: Taint[] = [
    { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute', timeAdded: secondsAgo(10) },
  ];
  const gone = node('n1', { conditions: lost, spec: { taints } });
  const placed = (seconds: number): ReturnType<typeof pod> =>
    pod('p', {
      spec: {
        nodeName: 'n1',
        tolerations: [
          { key: 'node.kubernetes.io/unreachable', operator: 'Exists', tolerationSeconds: seconds },
        ],
      },
      status: readyStatus(),
    });
  const waiting = decideEviction({ pod: placed(60), node: gone, nowMs: NOW });
  assert.deepEqual(outline(waiting), ['updateStatus Pod p']);
  assert.equal(waiting.requeueAfterMs, 50_000);
  const over = decideEviction({ pod: placed(5), node: gone, nowMs: NOW });
  assert.deepEqual(outline(over), ['delete Pod p']);
  assert.equal(over.events[0]?.reason, 'TaintManagerEviction');
});

test('pods of a node that is no more are removed without asking anyone', () => {
  const plan = decideEviction({ pod: pod('p', { spec: { nodeName: 'n1' } }), node: undefined, nowMs: NOW });
  assert.equal(plan.steps[0]?.[0]?.verb, 'delete');
  assert.deepEqual(decideEviction({ pod: pod('p'), node: undefined, nowMs: NOW }).steps, []);
});

test('pools: nodes are numbered through, dealt out to zones, and have networks of their own', () => {
  const nodes = nodesOf(
    'm',
    [
      { count: 3, zones: ['a', 'b'] },
      { count: 1, cpu: '64', namePrefix: 'gpu-' },
    ],
    NOW,
  );
  assert.deepEqual(
    nodes.map(({ metadata }) => metadata.name),
    ['m-node-1', 'm-node-2', 'm-node-3', 'gpu-4'],
  );
  assert.deepEqual(
    nodes.map(({ metadata }) => metadata.labels?.['topology.kubernetes.io/zone']),
    ['a', 'b', 'a', undefined],
  );
  assert.equal(nodes[3]?.status.allocatable?.['cpu'], '64');
  const all = nodesOf('m', [{ count: NODES_MAX }], NOW);
  assert.equal(new Set(all.map(({ spec }) => spec.podCIDR)).size, NODES_MAX);
  assert.equal(new Set(all.map(({ status }) => status.addresses?.[0]?.address)).size, NODES_MAX);
  assert.ok(all.every(({ spec }) => spec.podCIDR!.split('.').every((part) => parseInt(part, 10) < 256)));
  assert.throws(() => nodesOf('m', [{ count: NODES_MAX + 1 }], NOW), { code: 'TOO_MANY_NODES' });
  assert.deepEqual(nodesOf('m', [], NOW), []);
});
