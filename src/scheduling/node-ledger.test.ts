import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Node, Pod, ResourceQuota } from '../api/index.ts';
import { estimateReplicas, estimateSets } from './accurate-estimate.ts';
import { createNodeLedger, nodeSnapshot } from './node-ledger.ts';

function node(name: string, cpu: number): Node {
  const status = { allocatable: { cpu: String(cpu), pods: '9' } };
  return { apiVersion: 'v1', kind: 'Node', metadata: { name }, status };
}

function pod(nodeName: string, cpu: number, phase: 'Running' | 'Failed' = 'Running'): Pod {
  const container = { name: 'c', resources: { requests: { cpu: String(cpu) } } };
  const spec = { nodeName, containers: [container] };
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec, status: { phase } };
}

test('ledger: whatever came and went, it tells what is there', () => {
  const name = fc.constantFrom('n1', 'n2', 'n3');
  const key = fc.constantFrom('a', 'b', 'c', 'd');
  const step = fc.oneof(
    fc.record({ kind: fc.constant('node' as const), name, cpu: fc.nat(9) }),
    fc.record({ kind: fc.constant('no node' as const), name }),
    fc.record({ kind: fc.constant('pod' as const), key, name: fc.oneof(name, fc.constant('')), cpu: fc.nat(4), phase: fc.constantFrom<'Running' | 'Failed'>('Running', 'Failed') }),
    fc.record({ kind: fc.constant('no pod' as const), key }),
    fc.record({ kind: fc.constant('look' as const) }),
  ); // prettier-ignore
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const ledger = createNodeLedger();
      const nodes = new Map<string, Node>();
      const pods = new Map<string, Pod>();
      for (const one of [...steps, { kind: 'look' } as const]) {
        switch (one.kind) {
          case 'node':
            nodes.set(one.name, node(one.name, one.cpu));
            ledger.setNode(node(one.name, one.cpu));
            break;
          case 'no node':
            nodes.delete(one.name);
            ledger.removeNode(one.name);
            break;
          case 'pod':
            pods.set(one.key, pod(one.name, one.cpu, one.phase));
            ledger.setPod(one.key, pod(one.name, one.cpu, one.phase));
            break;
          case 'no pod':
            pods.delete(one.key);
            ledger.removePod(one.key);
            break;
          case 'look':
            assert.deepEqual(ledger.snapshot(), nodeSnapshot([...nodes.values()], [...pods.values()]));
        }
      }
    }),
  );
});

const off = { ResourceQuotaEstimate: false, SchedulingOvercommitProtection: false };
const both = { ResourceQuotaEstimate: true, SchedulingOvercommitProtection: true };
const quota: ResourceQuota = {
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'q', namespace: 'shop' },
  status: { hard: { cpu: '4' }, used: { cpu: '1' } },
};
const capacity = { nodes: nodeSnapshot([node('n', 8)], [pod('n', 1)]), quotas: [quota] };
const one = { resourceRequest: { cpu: '1' }, namespace: 'shop' };
const component = { name: 'c', replicas: 2, replicaRequirements: { resourceRequest: { cpu: '1' } } };
const assumed = [{ namespace: 'shop', components: [component] }];

test('estimate: quotas and assumed workloads count with their gates', () => {
  assert.equal(estimateReplicas(capacity, { requirements: one, assumed }, off), 7);
  assert.equal(estimateReplicas(capacity, { requirements: one, assumed: [] }, both), 3);
  assert.equal(estimateReplicas(capacity, { requirements: one, assumed }, both), 1);
  assert.equal(
    estimateReplicas(capacity, { requirements: one, assumed }, { ...both, ResourceQuotaEstimate: false }),
    5,
  );
  const set = { components: [component], namespace: 'shop' };
  assert.equal(estimateSets(capacity, { ...set, assumed }, off), 3);
  assert.equal(estimateSets(capacity, { ...set, assumed: [] }, both), 1);
  assert.equal(estimateSets(capacity, { ...set, assumed }, both), 0);
});

test('estimate: a member without nodes takes nothing, whatever is asked', () => {
  const empty = { nodes: nodeSnapshot([], []), quotas: [] };
  assert.equal(estimateReplicas(empty, { requirements: undefined, assumed: [] }, both), 0);
  assert.equal(estimateSets(empty, { components: [], namespace: '', assumed: [] }, both), 0);
});
