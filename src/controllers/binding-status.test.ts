import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Condition } from '../api/index.ts';
import { kinds } from '../client/index.ts';
import { bindingStatusController } from './binding-status.ts';
import { startControlPlane } from './testing/control-plane.ts';
import { joinReady } from './testing/member-api.ts';

test('a binding says which member is silent, and since when, until it is heard again', async () => {
  await using plane = await startControlPlane();
  const { client } = plane;
  await joinReady(plane, 'm1');
  const key = { namespace: 'shop', name: 'web-deployment' };
  const created = await client.create(kinds.resourceBindings, {
    apiVersion: 'work.karmada.io/v1alpha2',
    kind: 'ResourceBinding',
    metadata: key,
    spec: {
      resource: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
      clusters: [{ name: 'm1' }],
    },
  });
  const lastScheduledTime = '2026-01-01T00:00:00Z';
  await client.updateStatus(kinds.resourceBindings, { ...created, status: { lastScheduledTime } });
  plane.run(bindingStatusController);
  const condition = async (type: string): Promise<Condition | undefined> =>
    (await client.get(kinds.resourceBindings, key)).status?.conditions?.find((one) => one.type === type);
  await plane.until('it is looked at', async () => (await condition('FullyApplied')) !== undefined);
  assert.equal(await condition('StatusCurrent'), undefined);

  const ready = async (status: 'True' | 'Unknown'): Promise<void> => {
    const cluster = await client.get(kinds.clusters, { name: 'm1' });
    const lastTransitionTime = '2026-02-02T00:00:00Z';
    const conditions = [{ type: 'Ready', status, reason: 'r', message: 'm', lastTransitionTime }];
    await client.updateStatus(kinds.clusters, { ...cluster, status: { ...cluster.status, conditions } });
  };
  await ready('Unknown');
  await plane.until('it is silent', async () => (await condition('StatusCurrent'))?.status === 'False');
  assert.equal(
    (await condition('StatusCurrent'))?.message,
    'Not heard of: m1 since 2026-02-02T00:00:00Z. What is shown of it is from before.',
  );
  await ready('True');
  await plane.until('it is heard', async () => (await condition('StatusCurrent'))?.status === 'True');
});

test('an event of the binding tells that its Works were added up', async () => {
  await using plane = await startControlPlane();
  const { client } = plane;
  await joinReady(plane, 'm1');
  const metadata = { namespace: 'shop', name: 'web-deployment' };
  const created = await client.create(kinds.resourceBindings, {
    apiVersion: 'work.karmada.io/v1alpha2',
    kind: 'ResourceBinding',
    metadata,
    spec: {
      resource: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
      clusters: [{ name: 'm1' }],
    },
  });
  const lastScheduledTime = '2026-01-01T00:00:00Z';
  await client.updateStatus(kinds.resourceBindings, { ...created, status: { lastScheduledTime } });
  plane.run(bindingStatusController);
  const told = async (): Promise<readonly unknown[]> =>
    (await client.listAll(kinds.events, { namespace: 'shop' })).items.map(({ reason, message, source }) => ({
      reason,
      message,
      source,
    }));
  await plane.until('it is told', async () => (await told()).length > 0);
  assert.deepEqual(await told(), [
    {
      reason: 'AggregateStatusSucceed',
      message: 'Update ResourceBinding(shop/web-deployment) with AggregatedStatus successfully.',
      source: { component: 'resource-binding-status-controller' },
    },
  ]);
});
