// The guard and the history on a real API server; clusters and members are played by writing their status.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  PROPAGATION_POLICY_ID_LABEL,
  type Condition,
  type FailoverRecord,
  type ResourceBinding,
} from '../api/index.ts';
import { isConflict, kinds } from '../client/index.ts';
import { clusterController } from './cluster.ts';
import type { Controller } from './context.ts';
import { evictionBrake, evictionBrakes } from './eviction-brake.ts';
import { failoverHistoryController, failoverRecords } from './failover-history.ts';
import { gracefulEvictionController } from './graceful-eviction.ts';
import { scheduler } from './scheduler/index.ts';
import type { ControllerSettings } from './settings.ts';
import { taintManager } from './taint-manager.ts';
import { serveClusters, startControlPlane, type ControlPlane } from './testing/control-plane.ts';

const quick: Partial<ControllerSettings> = {
  failoverMode: 'automatic',
  enableNoExecuteTaintEviction: true,
  failoverEvictionTimeoutMs: 1,
  resourceEvictionRate: 1_000,
  taintEvictionRetryPeriodMs: 50,
};

async function startPlane(settings: Partial<ControllerSettings> = {}): Promise<ControlPlane> {
  const plane = await startControlPlane({ Failover: true });
  await serveClusters(plane);
  const controllers = [
    clusterController,
    scheduler,
    evictionBrake,
    taintManager,
    gracefulEvictionController,
    failoverHistoryController,
  ];
  plane.run(...controllers.map((one) => withSettings(one, { ...quick, ...settings })));
  return plane;
}

function withSettings(controller: Controller, settings: Partial<ControllerSettings>): Controller {
  return {
    name: controller.name,
    run: (context) => controller.run({ ...context, settings: { ...context.settings, ...settings } }),
  };
}

async function join({ client }: ControlPlane, ...names: readonly string[]): Promise<void> {
  for (const name of names) {
    await client.create(kinds.clusters, {
      apiVersion: 'cluster.karmada.io/v1alpha1',
      kind: 'Cluster',
      metadata: { name },
      spec: { syncMode: 'Push' },
    });
    const resources = [{ name: 'deployments', kind: 'Deployment' }];
    const body = { status: { apiEnablements: [{ groupVersion: 'apps/v1', resources }] } };
    await client.patch(kinds.clusters, { name }, { type: 'merge', body }, { subresource: 'status' });
  }
}

/** Conditions of a cluster, by type. */
async function say(
  { client }: ControlPlane,
  name: string,
  said: Readonly<Record<string, 'True' | 'False'>>,
): Promise<void> {
  const lastTransitionTime = '2026-01-01T00:00:00Z';
  const conditions = Object.entries(said).map(([type, status]): Condition => ({
    type,
    status,
    reason: 'Said',
    message: 'so',
    lastTransitionTime,
  }));
  const body = { status: { conditions } };
  await client.patch(kinds.clusters, { name }, { type: 'merge', body }, { subresource: 'status' });
}

/** Two replicas in the only cluster that takes them; where that is. */
async function bind(plane: ControlPlane, name: string): Promise<string> {
  await plane.client.create(kinds.resourceBindings, {
    apiVersion: 'work.karmada.io/v1alpha2',
    kind: 'ResourceBinding',
    metadata: { namespace: 'shop', name, labels: { [PROPAGATION_POLICY_ID_LABEL]: 'some' } },
    spec: {
      resource: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name },
      replicas: 2,
      placement: { spreadConstraints: [{ spreadByField: 'cluster', minGroups: 1, maxGroups: 1 }] },
    },
  });
  await plane.until('it is scheduled', async () => (await targets(plane, name)).length === 1);
  return (await targets(plane, name))[0] ?? '';
}

function binding({ client }: ControlPlane, name: string): Promise<ResourceBinding> {
  return client.get(kinds.resourceBindings, { namespace: 'shop', name });
}

async function targets(plane: ControlPlane, name: string): Promise<readonly string[]> {
  return ((await binding(plane, name)).spec.clusters ?? []).map((target) => target.name);
}

async function report(plane: ControlPlane, name: string, clusters: readonly string[]): Promise<void> {
  const aggregatedStatus = clusters.map((clusterName) => ({ clusterName, health: 'Healthy' as const }));
  await plane.until('the report is written', async () => {
    const current = await binding(plane, name);
    try {
      const next = { ...current, status: { ...current.status, aggregatedStatus } };
      await plane.client.updateStatus(kinds.resourceBindings, next);
      return true;
    } catch (error) {
      if (isConflict(error)) return false;
      throw error;
    }
  });
}

async function heldBecause(plane: ControlPlane, name: string): Promise<string | undefined> {
  const { status } = await binding(plane, name);
  const held = status?.conditions?.find(({ type }) => type === 'EvictionHeld');
  return held?.status === 'True' ? held.reason : undefined;
}

async function taintsOf({ client }: ControlPlane, name: string): Promise<string> {
  const { spec } = await client.get(kinds.clusters, { name });
  return (spec.taints ?? [])
    .map(({ key, effect }) => `${key.replace('cluster.karmada.io/', '')}:${effect}`)
    .join();
}

async function onlyRecord({ client }: ControlPlane): Promise<FailoverRecord | undefined> {
  return (await client.listAll(failoverRecords)).items[0];
}

test('automatic mode gives a lost cluster up, moves what ran there, and keeps the story', async () => {
  await using plane = await startPlane();
  await join(plane, 'm1', 'm2');
  await say(plane, 'm1', { Ready: 'True' });
  const from = await bind(plane, 'web');
  await say(plane, 'm2', { Ready: 'True' });
  await plane.until('the other takes work', async () => (await taintsOf(plane, 'm2')) === '');
  await report(plane, 'web', [from]);
  await say(plane, from, { Ready: 'False' });
  await plane.until('it is given up', async () =>
    (await taintsOf(plane, from)).includes('not-ready:NoExecute'),
  );
  await plane.until('it moves', async () => (await targets(plane, 'web'))[0] === 'm2');
  await report(plane, 'web', [from, 'm2']);
  await plane.until('it has moved', async () => (await onlyRecord(plane))?.status?.outcome === 'Moved');
  await say(plane, from, { Ready: 'True' });
  await plane.until(
    'the story is over',
    async () => (await onlyRecord(plane))?.status?.finishTime !== undefined,
  );
  const record = await onlyRecord(plane);
  assert.deepEqual([record?.spec.cluster, record?.spec.cause], [from, 'ClusterLost']);
  const { state, to } = record?.status?.workloads?.[0] ?? {};
  assert.deepEqual([state, to], ['Moved', ['m2']]);
  assert.deepEqual(await targets(plane, 'web'), ['m2'], 'it does not move back');
});

test('a cluster that flaps is not given up until it is stable', async () => {
  await using plane = await startPlane();
  await join(plane, 'm1');
  await say(plane, 'm1', { Ready: 'False', Suspect: 'True' });
  await plane.until('it takes no work', async () => (await taintsOf(plane, 'm1')) === 'not-ready:NoSchedule');
  await say(plane, 'm1', { Ready: 'False', Suspect: 'False' });
  await plane.until('it is given up', async () =>
    (await taintsOf(plane, 'm1')).includes('not-ready:NoExecute'),
  );
});

test('a fleet that is lost together is not given up', async () => {
  await using plane = await startPlane();
  await join(plane, 'm1', 'm2', 'm3');
  for (const name of ['m1', 'm2', 'm3']) await say(plane, name, { Ready: 'True' });
  const from = await bind(plane, 'web');
  await report(plane, 'web', [from]);
  // Lost before it, so that none is given up by itself first.
  for (const name of ['m1', 'm2', 'm3'].filter((one) => one !== from))
    await say(plane, name, { Ready: 'False', Suspect: 'True' });
  await say(plane, from, { Ready: 'False' });
  await plane.until('it takes no work', async () => (await taintsOf(plane, from)) === 'not-ready:NoSchedule');
  assert.deepEqual(await targets(plane, 'web'), [from]);
});

test('too many evictions are held until an operator releases them', async () => {
  await using plane = await startPlane({ evictionBrakePerMinute: 1 });
  await join(plane, 'm1', 'm2');
  await say(plane, 'm1', { Ready: 'True' });
  assert.deepEqual([await bind(plane, 'one'), await bind(plane, 'two')], ['m1', 'm1']);
  await say(plane, 'm2', { Ready: 'True' });
  await plane.until('the other takes work', async () => (await taintsOf(plane, 'm2')) === '');
  const taints = [{ key: 'broken', effect: 'NoExecute' }];
  await plane.client.patch(kinds.clusters, { name: 'm1' }, { type: 'merge', body: { spec: { taints } } });
  const held = async (): Promise<readonly (string | undefined)[]> =>
    Promise.all([heldBecause(plane, 'one'), heldBecause(plane, 'two')]);
  await plane.until('one of them is held', async () => (await held()).includes('MassEviction'));
  const engaged = async (): Promise<string | undefined> => {
    const brake = await plane.client.find(evictionBrakes, { name: 'fleet' });
    return brake?.status?.conditions?.[0]?.reason;
  };
  await plane.until('the brake says so', async () => (await engaged()) === 'TooManyEvictions');
  const release = { time: new Date().toISOString(), forSeconds: 600, by: 'somebody', reason: 'it may go on' };
  const body = { spec: { release } };
  await plane.client.patch(evictionBrakes, { name: 'fleet' }, { type: 'merge', body });
  await plane.until('both have left', async () => {
    const both = await Promise.all([targets(plane, 'one'), targets(plane, 'two')]);
    return both.flat().join() === 'm2,m2';
  });
  assert.equal(await engaged(), 'Released');
});
