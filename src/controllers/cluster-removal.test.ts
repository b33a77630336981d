// Clusters that leave: reachable, lost, and half removed; on a real API server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { executionNamespace, type Cluster, type MemberResidue, type Work } from '../api/index.ts';
import { kinds, resource } from '../client/index.ts';
import { residueOf } from './cluster-removal.ts';
import { clusterController } from './cluster.ts';
import { serveClusters, startControlPlane, type ControlPlane } from './testing/control-plane.ts';

const residues = resource<MemberResidue>({
  group: 'navarch.io',
  version: 'v1alpha1',
  resource: 'memberresidues',
  namespaced: false,
});

async function startPlane(): Promise<ControlPlane> {
  const plane = await startControlPlane({ Failover: true });
  await serveClusters(plane);
  plane.run(clusterController);
  return plane;
}

/** A cluster with one Work, whose finalizer somebody else has to take off. */
async function join(plane: ControlPlane, syncMode: 'Push' | 'Pull', ready: boolean): Promise<void> {
  const { client } = plane;
  await client.create(kinds.clusters, {
    apiVersion: 'cluster.karmada.io/v1alpha1',
    kind: 'Cluster',
    metadata: { name: 'm1' },
    spec: { syncMode, id: 'some-id' },
  });
  const lastTransitionTime = '2026-01-01T00:00:00Z';
  const conditions = [
    { type: 'Ready', status: ready ? 'True' : 'False', reason: 'x', message: '', lastTransitionTime },
  ];
  await client.patch(
    kinds.clusters,
    { name: 'm1' },
    { type: 'merge', body: { status: { conditions } } },
    { subresource: 'status' },
  );
  const namespace = executionNamespace('m1');
  await plane.until(
    'it has its namespace',
    async () => (await client.find(kinds.namespaces, { name: namespace })) !== undefined,
  );
  await client.create(kinds.works, work(namespace));
}

function work(namespace: string): Work {
  const manifest = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'conf', namespace: 'shop' } };
  return {
    apiVersion: 'work.karmada.io/v1alpha1',
    kind: 'Work',
    metadata: { name: 'conf', namespace, finalizers: ['karmada.io/execution-controller'] },
    spec: { workload: { manifests: [manifest] } },
  };
}

const residue = async ({ client }: ControlPlane): Promise<unknown> => {
  const found = await client.find(residues, { name: 'm1' });
  return found === undefined ? undefined : [found.spec.reason, found.spec.total, found.spec.objects];
};
const conf = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'conf' };

test('what stays in a cluster that cannot be reached is written down', async () => {
  await using plane = await startPlane();
  await join(plane, 'Push', false);
  await plane.client.delete(kinds.clusters, { name: 'm1' });
  await plane.until('it is written down', async () => (await residue(plane)) !== undefined);
  assert.deepEqual(await residue(plane), ['Unreachable', 1, [conf]]);
});

test('an agent that is gone is not waited for', async () => {
  await using plane = await startPlane();
  await join(plane, 'Pull', false);
  await plane.client.delete(kinds.clusters, { name: 'm1' });
  const namespace = executionNamespace('m1');
  await plane.until('nothing holds the Work any more', async () => {
    const { metadata } = await plane.client.get(kinds.works, { namespace, name: 'conf' });
    return (metadata.finalizers ?? []).length === 0;
  });
  assert.deepEqual(await residue(plane), ['Unreachable', 1, [conf]]);
});

test('a cluster that answers is cleaned up, and leaves nothing to write down unless that was asked for', async () => {
  const cluster = (deleted: boolean): Cluster => ({
    apiVersion: 'cluster.karmada.io/v1alpha1',
    kind: 'Cluster',
    metadata: { name: 'm1', ...(deleted ? { deletionTimestamp: 'T' } : {}) },
    spec: { syncMode: 'Push' },
  });
  assert.deepEqual(residueOf(cluster(true), [], 'now').spec, {
    cluster: 'm1',
    unjoinedAt: 'T',
    reason: 'Unreachable',
    total: 0,
  });
  const impossible = [
    { kind: 'ConfigMap', metadata: { name: 'x' } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: {} },
  ];
  const byHand = { spec: { workload: { manifests: impossible } } } as unknown as Work;
  assert.equal(residueOf(cluster(true), [byHand], 'now').spec.total, 0);
  await using plane = await startPlane();
  await join(plane, 'Push', true);
  await plane.client.delete(kinds.clusters, { name: 'm1' });
  const namespace = executionNamespace('m1');
  await plane.until(
    'its namespace goes',
    async () =>
      (await plane.client.get(kinds.namespaces, { name: namespace })).metadata.deletionTimestamp !==
      undefined,
  );
  assert.equal(await residue(plane), undefined);
  const body = { metadata: { annotations: { 'navarch.io/leave-behind': 'true' } } };
  await plane.client.patch(kinds.clusters, { name: 'm1' }, { type: 'merge', body });
  await plane.until('it is written down', async () => (await residue(plane)) !== undefined);
  assert.deepEqual(await residue(plane), ['Requested', 1, [conf]]);
});
