import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WorkloadRebalancer } from '../api/index.ts';
import { kinds, resource } from '../client/index.ts';
import { rebalancerController } from './rebalancer.ts';
import { startControlPlane, type ControlPlane } from './testing/control-plane.ts';

const rebalancers = resource<WorkloadRebalancer>({
  group: 'apps.karmada.io',
  version: 'v1alpha1',
  resource: 'workloadrebalancers',
  namespaced: false,
});
const web = { namespace: 'shop', name: 'web-deployment' };

function rebalancer(names: readonly string[], ttlSecondsAfterFinished?: number): WorkloadRebalancer {
  return {
    apiVersion: 'apps.karmada.io/v1alpha1',
    kind: 'WorkloadRebalancer',
    metadata: { name: 'again' },
    spec: {
      workloads: names.map((name) => ({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        namespace: 'shop',
        name,
      })),
      ...(ttlSecondsAfterFinished === undefined ? {} : { ttlSecondsAfterFinished }),
    },
  };
}

async function bind({ client }: ControlPlane): Promise<void> {
  await client.create(kinds.resourceBindings, {
    apiVersion: 'work.karmada.io/v1alpha2',
    kind: 'ResourceBinding',
    metadata: web,
    spec: { resource: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' } },
  });
}

test('a rebalancer asks for what exists, and says what does not', async () => {
  await using plane = await startControlPlane();
  const { client } = plane;
  await bind(plane);
  const { metadata } = await client.create(rebalancers, rebalancer(['web', 'missing']));
  plane.run(rebalancerController);
  await plane.until('it is finished', async () => {
    const { status } = await client.get(rebalancers, { name: 'again' });
    return status?.finishTime !== undefined;
  });
  const { status } = await client.get(rebalancers, { name: 'again' });
  assert.deepEqual(
    status?.observedWorkloads?.map(({ workload, result, reason = '' }) => [workload.name, result, reason]),
    [
      ['missing', 'Failed', 'ReferencedBindingNotFound'],
      ['web', 'Successful', ''],
    ],
  );
  const { spec } = await client.get(kinds.resourceBindings, web);
  assert.equal(spec.rescheduleTriggeredAt, metadata.creationTimestamp);
});

test('a finished rebalancer goes after its time to live', async () => {
  await using plane = await startControlPlane();
  await bind(plane);
  await plane.client.create(rebalancers, rebalancer(['web'], 0));
  plane.run(rebalancerController);
  await plane.until('it is gone', async () => {
    return (await plane.client.find(rebalancers, { name: 'again' })) === undefined;
  });
  const { spec } = await plane.client.get(kinds.resourceBindings, web);
  assert.notEqual(spec.rescheduleTriggeredAt, undefined);
});
