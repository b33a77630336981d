// Evictions from taint to replacement, on a real API server; the members are played by writing status.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  PROPAGATION_POLICY_ID_LABEL,
  type Cluster,
  type ClusterTaintPolicy,
  type Remedy,
  type ResourceBinding,
} from '../api/index.ts';
import { isConflict, kinds, resource } from '../client/index.ts';
import { applicationFailoverController } from './application-failover.ts';
import { clusterMonitor } from './cluster-monitor.ts';
import { clusterTaintPolicyController } from './cluster-taint-policy.ts';
import type { Controller } from './context.ts';
import { gracefulEvictionController } from './graceful-eviction.ts';
import { remedyController } from './remedy.ts';
import { scheduler } from './scheduler/index.ts';
import type { ControllerSettings } from './settings.ts';
import { taintManager } from './taint-manager.ts';
import { serveClusters, startControlPlane, type ControlPlane } from './testing/control-plane.ts';

const web = { namespace: 'shop', name: 'web-deployment' };
const policyResource = { group: 'policy.karmada.io', version: 'v1alpha1', namespaced: false } as const;
const taintPolicies = resource<ClusterTaintPolicy>({ ...policyResource, resource: 'clustertaintpolicies' });
const remedies = resource<Remedy>({
  group: 'remedy.karmada.io',
  version: 'v1alpha1',
  resource: 'remedies',
  namespaced: false,
});
const quick: Partial<ControllerSettings> = {
  enableNoExecuteTaintEviction: true,
  resourceEvictionRate: 1000,
  gracefulEvictionTimeoutMs: 1,
  clusterMonitorPeriodMs: 10,
  clusterStartupGracePeriodMs: 1,
};

function withSettings(controller: Controller, settings: Partial<ControllerSettings>): Controller {
  return {
    name: controller.name,
    run: (context) => controller.run({ ...context, settings: { ...context.settings, ...settings } }),
  };
}

async function startPlane(settings: Partial<ControllerSettings>): Promise<ControlPlane> {
  const plane = await startControlPlane({ Failover: true });
  await serveClusters(plane);
  const controllers = [
    scheduler,
    taintManager,
    gracefulEvictionController,
    applicationFailoverController,
    clusterTaintPolicyController,
    clusterMonitor,
    remedyController,
  ];
  plane.run(...controllers.map((controller) => withSettings(controller, { ...quick, ...settings })));
  return plane;
}

async function join({ client }: ControlPlane, name: string): Promise<void> {
  const cluster = await client.create(kinds.clusters, {
    apiVersion: 'cluster.karmada.io/v1alpha1',
    kind: 'Cluster',
    metadata: { name },
    spec: { syncMode: 'Push' },
  });
  const status: Cluster['status'] = {
    apiEnablements: [{ groupVersion: 'apps/v1', resources: [{ name: 'deployments', kind: 'Deployment' }] }],
  };
  await client.updateStatus(kinds.clusters, { ...cluster, status });
}

async function taint({ client }: ControlPlane, name: string, key: string | undefined): Promise<void> {
  const timeAdded = '2026-01-01T00:00:00Z';
  const taints = key === undefined ? null : [{ key, effect: 'NoExecute', timeAdded }];
  await client.patch(kinds.clusters, { name }, { type: 'merge', body: { spec: { taints } } });
}

async function say({ client }: ControlPlane, name: string, status: 'True' | 'False'): Promise<void> {
  const lastTransitionTime = '2026-01-01T00:00:00Z';
  const conditions = [{ type: 'Ready', status, reason: 'Said', message: '', lastTransitionTime }];
  await client.patch(
    kinds.clusters,
    { name },
    { type: 'merge', body: { status: { conditions } } },
    { subresource: 'status' },
  );
}

/** Bound to one cluster of all there are; resolves with its name. */
async function bind(plane: ControlPlane, spec: Partial<ResourceBinding['spec']>): Promise<string> {
  await plane.client.create(kinds.resourceBindings, {
    apiVersion: 'work.karmada.io/v1alpha2',
    kind: 'ResourceBinding',
    metadata: { ...web, labels: { [PROPAGATION_POLICY_ID_LABEL]: 'some' } },
    spec: {
      resource: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
      replicas: 2,
      placement: { spreadConstraints: [{ spreadByField: 'cluster', minGroups: 1, maxGroups: 1 }] },
      ...spec,
    },
  });
  await plane.until('it is scheduled', async () => (await targets(plane)).length === 1);
  return (await targets(plane))[0] ?? '';
}

function binding({ client }: ControlPlane): Promise<ResourceBinding> {
  return client.get(kinds.resourceBindings, web);
}

async function targets(plane: ControlPlane): Promise<readonly string[]> {
  return ((await binding(plane)).spec.clusters ?? []).map(({ name }) => name);
}

async function evicted(plane: ControlPlane): Promise<readonly string[]> {
  return ((await binding(plane)).spec.gracefulEvictionTasks ?? []).map(({ fromCluster }) => fromCluster);
}

async function held(plane: ControlPlane): Promise<string> {
  const { status } = await binding(plane);
  const condition = status?.conditions?.find(({ type }) => type === 'EvictionHeld');
  return `${condition?.status ?? ''} ${condition?.reason ?? ''}`;
}

async function report(
  plane: ControlPlane,
  health: Readonly<Record<string, 'Healthy' | 'Unhealthy'>>,
): Promise<void> {
  const aggregatedStatus = Object.entries(health).map(([clusterName, one]) => ({ clusterName, health: one }));
  await plane.until('the report is written', async () => {
    const current = await binding(plane);
    try {
      const status = { ...current.status, aggregatedStatus };
      await plane.client.updateStatus(kinds.resourceBindings, { ...current, status });
      return true;
    } catch (error) {
      if (isConflict(error)) return false;
      throw error;
    }
  });
}

test('a taint that is not tolerated moves a workload, and its old copy goes when the new one is healthy', async () => {
  await using plane = await startPlane({ gracefulEvictionTimeoutMs: 600_000 });
  await join(plane, 'm1');
  await join(plane, 'm2');
  const old = await bind(plane, {});
  const next = old === 'm1' ? 'm2' : 'm1';
  await report(plane, { [old]: 'Healthy' });
  await taint(plane, old, 'broken');
  await plane.until('it is placed elsewhere', async () => (await targets(plane))[0] === next);
  const { spec } = await binding(plane);
  const { creationTimestamp: _time, ...task } = spec.gracefulEvictionTasks?.[0] ?? {};
  assert.deepEqual(task, {
    fromCluster: old,
    purgeMode: 'Gracefully',
    replicas: 2,
    reason: 'TaintUntolerated',
    producer: 'TaintManager',
  });
  await report(plane, { [old]: 'Healthy', [next]: 'Healthy' });
  await plane.until('the eviction is over', async () => (await evicted(plane)).length === 0);
  assert.deepEqual(await targets(plane), [next]);
});

test('the last healthy copy is not purged before something can take its place', async () => {
  await using plane = await startPlane({});
  await join(plane, 'm1');
  await bind(plane, { failover: { cluster: { purgeMode: 'Directly' } } });
  await report(plane, { m1: 'Healthy' });
  await taint(plane, 'm1', 'broken');
  await plane.until('it is held', async () => (await held(plane)) === 'True NoReplacement');
  assert.deepEqual(await targets(plane), ['m1']);
  await taint(plane, 'm1', undefined);
  await plane.until('it is let go', async () => (await held(plane)) === 'False NothingHeld');
  assert.deepEqual(await targets(plane), ['m1']);
});

test('an eviction without a replacement outlasts its time, and is taken back when the taint goes', async () => {
  await using plane = await startPlane({});
  await join(plane, 'm1');
  await bind(plane, {});
  await report(plane, { m1: 'Healthy' });
  await taint(plane, 'm1', 'broken');
  await plane.until('it is held', async () => (await held(plane)) === 'True ReplacementNotHealthy');
  assert.deepEqual(await targets(plane), []);
  assert.deepEqual(await evicted(plane), ['m1']);
  await taint(plane, 'm1', undefined);
  await plane.until('it is back', async () => (await targets(plane))[0] === 'm1');
  assert.deepEqual(await evicted(plane), []);
  assert.equal((await binding(plane)).spec.clusters?.[0]?.replicas, 2);
});

test('an unhealthy copy without a replacement goes when its time is over', async () => {
  await using plane = await startPlane({});
  await join(plane, 'm1');
  await bind(plane, {});
  await report(plane, { m1: 'Unhealthy' });
  await taint(plane, 'm1', 'broken');
  await plane.until('it is evicted', async () => (await targets(plane)).length === 0);
  await plane.until('its time is over', async () => (await evicted(plane)).length === 0);
});

test('an application that stays unhealthy leaves its cluster', async () => {
  await using plane = await startPlane({ gracefulEvictionTimeoutMs: 600_000 });
  await join(plane, 'm1');
  await join(plane, 'm2');
  const application = { decisionConditions: { tolerationSeconds: 0 }, purgeMode: 'Never' } as const;
  const old = await bind(plane, { propagateDeps: true, failover: { application } });
  await report(plane, { [old]: 'Unhealthy' });
  await plane.until('it is evicted', async () => (await evicted(plane))[0] === old);
  const { spec } = await binding(plane);
  assert.equal(spec.gracefulEvictionTasks?.[0]?.suppressDeletion, true);
  await plane.until('it is placed elsewhere', async () => (await targets(plane))[0] !== undefined);
  assert.notDeepEqual(await targets(plane), [old]);
});

test('taint policies and remedies follow conditions', async () => {
  await using plane = await startPlane({});
  const { client } = plane;
  await join(plane, 'm1');
  await client.create(taintPolicies, {
    apiVersion: 'policy.karmada.io/v1alpha1',
    kind: 'ClusterTaintPolicy',
    metadata: { name: 'sick' },
    spec: {
      addOnConditions: [{ conditionType: 'Ready', operator: 'In', statusValues: ['False'] }],
      removeOnConditions: [{ conditionType: 'Ready', operator: 'In', statusValues: ['True'] }],
      taints: [{ key: 'sick', effect: 'NoSchedule' }],
    },
  });
  const match = { conditionType: 'Ready', operator: 'Equal', conditionStatus: 'False' } as const;
  await client.create(remedies, {
    apiVersion: 'remedy.karmada.io/v1alpha1',
    kind: 'Remedy',
    metadata: { name: 'traffic' },
    spec: { actions: ['TrafficControl'], decisionMatches: [{ clusterConditionMatch: match }] },
  });
  const seen = async (): Promise<unknown> => {
    const { spec, status } = await client.get(kinds.clusters, { name: 'm1' });
    return [(spec.taints ?? []).map(({ key }) => key).join(), (status?.remedyActions ?? []).join()].join();
  };
  await say(plane, 'm1', 'False');
  await plane.until('both act', async () => (await seen()) === 'sick,TrafficControl');
  await say(plane, 'm1', 'True');
  await plane.until('both stop', async () => (await seen()) === ',');
});

test('a pull member that never reports becomes unknown', async () => {
  await using plane = await startPlane({});
  const { client } = plane;
  await client.create(kinds.clusters, {
    apiVersion: 'cluster.karmada.io/v1alpha1',
    kind: 'Cluster',
    metadata: { name: 'far' },
    spec: { syncMode: 'Pull' },
  });
  await plane.until('it is unknown', async () => {
    const { status } = await client.get(kinds.clusters, { name: 'far' });
    return status?.conditions?.[0]?.reason === 'ClusterStatusNeverUpdated';
  });
});
