import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FederatedResourceQuota, ResourceBinding } from '../../api/index.ts';
import { kinds } from '../../client/index.ts';
import { serveClusters, startControlPlane, type ControlPlane } from '../testing/control-plane.ts';
import {
  quotaEnforcementController,
  quotaResource,
  quotaStatusController,
  quotaSyncController,
} from './index.ts';

const ENFORCED = { FederatedQuotaEnforcement: true };
const key = { namespace: 'shop', name: 'quota' };

function quota(cpu: string): FederatedResourceQuota {
  return {
    apiVersion: 'policy.karmada.io/v1alpha1',
    kind: 'FederatedResourceQuota',
    metadata: key,
    spec: { overall: { cpu } },
  };
}

function binding(name: string, replicas: number): ResourceBinding {
  return {
    apiVersion: 'work.karmada.io/v1alpha2',
    kind: 'ResourceBinding',
    metadata: { name, namespace: 'shop' },
    spec: {
      resource: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name },
      replicaRequirements: { resourceRequest: { cpu: '1', memory: '1Gi' } },
      clusters: [{ name: 'member1', replicas }],
    },
  };
}

async function untilUsed(plane: ControlPlane, cpu: string | undefined): Promise<void> {
  await plane.until(`used: ${cpu ?? 'nothing'}`, async () => {
    const { status } = await plane.client.get(quotaResource, key);
    return status?.overall !== undefined && status.overallUsed?.['cpu'] === cpu;
  });
}

test('a quota that comes after the bindings counts them, and only what it limits', async () => {
  await using plane = await startControlPlane(ENFORCED);
  await plane.client.create(kinds.resourceBindings, binding('web', 2));
  await plane.client.create(kinds.resourceBindings, binding('api', 1));
  plane.run(quotaEnforcementController, quotaStatusController);
  await plane.client.create(quotaResource, quota('10'));
  await untilUsed(plane, '3');
  const { status } = await plane.client.get(quotaResource, key);
  assert.deepEqual(status, { overall: { cpu: '10' }, overallUsed: { cpu: '3' } });
  const reasons = async (): Promise<readonly unknown[]> =>
    (await plane.client.listAll(kinds.events, { namespace: 'shop' })).items
      .map(({ reason }) => String(reason))
      .sort((a, b) => a.localeCompare(b));
  await plane.until('both controllers told', async () => (await reasons()).length === 2);
  assert.deepEqual(await reasons(), ['AggregateStatusSucceed', 'CollectOverallStatusSucceed']);
});

test('a binding that is gone gives back what it took', async () => {
  await using plane = await startControlPlane(ENFORCED);
  plane.run(quotaEnforcementController);
  await plane.client.create(quotaResource, quota('10'));
  await untilUsed(plane, undefined);
  await plane.client.create(kinds.resourceBindings, binding('web', 2));
  await untilUsed(plane, '2');
  await plane.client.delete(kinds.resourceBindings, { namespace: 'shop', name: 'web' });
  await untilUsed(plane, undefined);
});

test('another limit shows at once', async () => {
  await using plane = await startControlPlane(ENFORCED);
  plane.run(quotaEnforcementController);
  await plane.client.create(quotaResource, quota('10'));
  await untilUsed(plane, undefined);
  await plane.client.patch(quotaResource, key, { type: 'merge', body: { spec: { overall: { cpu: '20' } } } });
  await plane.until('the limit in force is the new one', async () => {
    const { status } = await plane.client.get(quotaResource, key);
    return status?.overall?.['cpu'] === '20';
  });
});

test('limits are repeated in one form, and events tell of each part', async () => {
  await using plane = await startControlPlane();
  await serveClusters(plane);
  plane.run(quotaSyncController, quotaStatusController);
  await plane.client.create(quotaResource, { ...quota(''), spec: { overall: { cpu: 2, memory: '1024Mi' } } });
  const told = async (): Promise<readonly unknown[]> =>
    (await plane.client.listAll(kinds.events, { namespace: 'shop' })).items
      .map(({ reason, message, source }) => [reason, message, source] as const)
      .sort((a, b) => String(a).localeCompare(String(b)));
  await plane.until('both told', async () => (await told()).length === 2);
  assert.deepEqual(await told(), [
    [
      'AggregateStatusSucceed',
      'Collect status of FederatedResourceQuota(shop/quota) succeed.',
      { component: 'federated-resource-quota-status-controller' },
    ],
    [
      'SyncWorkSucceed',
      'Sync works for FederatedResourceQuota(shop/quota) succeed.',
      { component: 'federated-resource-quota-sync-controller' },
    ],
  ]);
  const { status } = await plane.client.get(quotaResource, key);
  assert.deepEqual(status, { overall: { cpu: '2', memory: '1Gi' } });
});
