// A cluster that comes back, on a real API server: what is wanted there again is not deleted first. Nobody executes
// Works here, so that one that is deleted stays on its way out as it would with a member that does not answer.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  LEAVE_OBJECTS_ANNOTATION,
  LEFT_OBJECTS_ANNOTATION,
  RESOURCE_BINDING_ID_LABEL,
  executionNamespace,
  type Work,
} from '../api/index.ts';
import { kinds, resource } from '../client/index.ts';
import { bindingController } from './binding.ts';
import { serveClusters, startControlPlane, type ControlPlane } from './testing/control-plane.ts';

const configMaps = resource({ group: '', version: 'v1', resource: 'configmaps', namespaced: true });
const conf = { namespace: 'shop', name: 'conf-configmap' };

async function start(): Promise<ControlPlane> {
  const plane = await startControlPlane();
  await serveClusters(plane);
  plane.run(bindingController);
  const { client } = plane;
  for (const name of ['m1', 'm2']) {
    const metadata = { name: executionNamespace(name) };
    await client.create(kinds.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata });
    await client.create(kinds.clusters, {
      apiVersion: 'cluster.karmada.io/v1alpha1',
      kind: 'Cluster',
      metadata: { name },
      spec: { syncMode: 'Push' },
    });
  }
  const metadata = { namespace: 'shop', name: 'conf' };
  await client.create(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { a: 'b' } });
  await client.create(kinds.resourceBindings, {
    apiVersion: 'work.karmada.io/v1alpha2',
    kind: 'ResourceBinding',
    metadata: { ...conf, labels: { [RESOURCE_BINDING_ID_LABEL]: 'some-id' } },
    spec: { resource: { apiVersion: 'v1', kind: 'ConfigMap', ...metadata }, clusters: [{ name: 'm1' }] },
  });
  await plane.until('it is in m1', async () => (await workIn(plane, 'm1')) !== undefined);
  return plane;
}

async function workIn({ client }: ControlPlane, cluster: string): Promise<Work | undefined> {
  const { items } = await client.listAll(kinds.works, { namespace: executionNamespace(cluster) });
  return items[0];
}

async function target({ client }: ControlPlane, cluster: string): Promise<void> {
  const body = { spec: { clusters: [{ name: cluster }] } };
  await client.patch(kinds.resourceBindings, conf, { type: 'merge', body });
}

/** As execution does when it is done with it. */
async function endWork(plane: ControlPlane): Promise<void> {
  const work = await workIn(plane, 'm1');
  const { namespace, name = '' } = work?.metadata ?? {};
  const body = { metadata: { finalizers: null } };
  await plane.client.patch(kinds.works, { namespace, name }, { type: 'merge', body });
}

async function isToStay(plane: ControlPlane): Promise<boolean> {
  const work = await workIn(plane, 'm1');
  return work?.metadata.annotations?.[LEAVE_OBJECTS_ANNOTATION] === 'true';
}

/** What the binding says was left in m1. */
async function left({ client }: ControlPlane): Promise<unknown> {
  const { metadata } = await client.get(kinds.resourceBindings, conf);
  const said = JSON.parse(metadata.annotations?.[LEFT_OBJECTS_ANNOTATION] ?? '{}') as Record<string, unknown>;
  return said['m1'];
}

async function leaveAndReturn(plane: ControlPlane): Promise<void> {
  await target(plane, 'm2');
  await plane.until(
    'it leaves m1',
    async () => (await workIn(plane, 'm1'))?.metadata.deletionTimestamp !== undefined,
  );
  assert.equal(await isToStay(plane), false);
  await target(plane, 'm1');
  await plane.until('its object is to stay', () => isToStay(plane));
}

test('an object that is wanted in a cluster again stays there for the next Work', async () => {
  await using plane = await start();
  await leaveAndReturn(plane);
  const metadata = { namespace: 'shop', name: 'conf' };
  assert.deepEqual(await left(plane), [{ apiVersion: 'v1', kind: 'ConfigMap', metadata }]);
  await endWork(plane);
  await plane.until('the next Work is there, and nothing is left any more', async () => {
    const work = await workIn(plane, 'm1');
    return work?.metadata.deletionTimestamp === undefined && (await left(plane)) === undefined;
  });
});

test('it does not stay when it is not wanted there after all', async () => {
  await using plane = await start();
  await leaveAndReturn(plane);
  await target(plane, 'm2');
  await plane.until('its object is to go', async () => !(await isToStay(plane)));
  await plane.until('nothing is left', async () => (await left(plane)) === undefined);
});

test('what was left and is not wanted any more is removed', async () => {
  await using plane = await start();
  await leaveAndReturn(plane);
  const said = await left(plane);
  await target(plane, 'm2');
  await plane.until('its object is to go', async () => !(await isToStay(plane)));
  await endWork(plane);
  const body = { metadata: { annotations: { [LEFT_OBJECTS_ANNOTATION]: JSON.stringify({ m1: said }) } } };
  await plane.client.patch(kinds.resourceBindings, conf, { type: 'merge', body });
  await plane.until('a Work takes it away', async () => {
    const work = await workIn(plane, 'm1');
    return work?.metadata.deletionTimestamp !== undefined && work.spec.suspendDispatching === true;
  });
  await plane.until('nothing is left', async () => (await left(plane)) === undefined);
});
