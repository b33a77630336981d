import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cluster, Placement, ResourceBinding } from '../../api/index.ts';
import { kinds, resource } from '../../client/index.ts';
import type { EstimatorConnection } from '../../estimator/index.ts';
import type { ReplicasQuestion } from '../../scheduling/index.ts';
import { descheduler } from '../descheduler.ts';
import { joinClusters } from '../testing/clusters.ts';
import { startControlPlane, type ControlPlane } from '../testing/control-plane.ts';
import { scheduler } from './index.ts';

const dynamic: Placement = {
  replicaScheduling: {
    replicaSchedulingType: 'Divided',
    replicaDivisionPreference: 'Weighted',
    weightPreference: { dynamicWeight: 'AvailableReplicas' },
  },
};
const aggregated: Placement = {
  replicaScheduling: { replicaSchedulingType: 'Divided', replicaDivisionPreference: 'Aggregated' },
};

async function startPlane(...options: Parameters<typeof startControlPlane>): Promise<ControlPlane> {
  const plane = await startControlPlane(...options);
  await joinClusters(plane, {});
  return plane;
}

/** A pull member, so that its estimator is one that is called. */
async function join(
  { client }: ControlPlane,
  name: string,
  cpu: number,
  finalizer = false,
): Promise<Cluster> {
  const created = await client.create(kinds.clusters, {
    apiVersion: 'cluster.karmada.io/v1alpha1',
    kind: 'Cluster',
    metadata: { name, ...(finalizer ? { finalizers: ['test/hold'] } : {}) },
    spec: { syncMode: 'Pull' },
  });
  return report(client, created, cpu);
}

function report(client: ControlPlane['client'], cluster: Cluster, cpu: number): Promise<Cluster> {
  return client.updateStatus(kinds.clusters, {
    ...cluster,
    status: {
      apiEnablements: [{ groupVersion: 'apps/v1', resources: [{ name: 'deployments', kind: 'Deployment' }] }],
      resourceSummary: { allocatable: { cpu: String(cpu), pods: '100' } },
    },
  });
}

function bind(
  { client }: ControlPlane,
  name: string,
  replicas: number,
  placement: Placement,
  more: Partial<ResourceBinding['spec']> = {},
): Promise<ResourceBinding> {
  return client.create(kinds.resourceBindings, {
    apiVersion: 'work.karmada.io/v1alpha2',
    kind: 'ResourceBinding',
    metadata: {
      name,
      namespace: 'shop',
      labels: { 'propagationpolicy.karmada.io/permanent-id': 'p' },
    },
    spec: {
      resource: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name },
      replicas,
      replicaRequirements: { resourceRequest: { cpu: '1' } },
      placement,
      ...more,
    },
  });
}

/** `a2 b1`, or the reason of the Scheduled condition when it is False. */
async function outcomeOf({ client }: ControlPlane, name: string): Promise<string> {
  const { spec, status } = await client.get(kinds.resourceBindings, { namespace: 'shop', name });
  const scheduled = status?.conditions?.find(({ type }) => type === 'Scheduled');
  if (scheduled?.status === 'False') return scheduled.reason;
  if (scheduled === undefined) return 'waiting';
  return (spec.clusters ?? []).map((target) => `${target.name}${target.replicas ?? ''}`).join(' ');
}

function becomes(plane: ControlPlane, name: string, expected: string): Promise<void> {
  return plane.until(`${name} is ${expected}`, async () => (await outcomeOf(plane, name)) === expected);
}

/** One estimator per cluster, answering what it is told to. */
function estimators(answer: (cluster: string, question: ReplicasQuestion) => Promise<number>) {
  const asked: string[] = [];
  return {
    asked,
    openEstimator: (cluster: string, address: string): EstimatorConnection => ({
      maxReplicas(question) {
        asked.push(address);
        return answer(cluster, question);
      },
      maxComponentSets: () => Promise.reject(new Error('nobody asks for sets here')),
      unschedulableReplicas: () => answer(cluster, { requirements: undefined, assumed: [] }),
      close: () => undefined,
    }),
    settings: { enableSchedulerEstimator: true, schedulerEstimatorTimeoutMs: 50 },
  };
}

const hang = (): Promise<never> => new Promise(() => undefined);

test('estimators: the least answer counts, and is asked for where the cluster is', async () => {
  const world = estimators((cluster) => Promise.resolve(cluster === 'a' ? 1 : 50));
  await using plane = await startPlane({}, undefined, undefined, world);
  await Promise.all([join(plane, 'a', 9), join(plane, 'b', 9)]);
  plane.run(scheduler);
  await bind(plane, 'web', 10, dynamic);
  await becomes(plane, 'web', 'a1 b9');
  assert.ok(world.asked.includes('karmada-scheduler-estimator-a.karmada-system.svc.cluster.local:10352'));
});

test('estimators: one that hangs costs its own answer, is told of, and counts again when it answers', async () => {
  let broken = true;
  const world = estimators((cluster) => (cluster === 'a' && broken ? hang() : Promise.resolve(1)));
  await using plane = await startPlane({}, undefined, undefined, world);
  await Promise.all([join(plane, 'a', 9), join(plane, 'b', 9)]);
  plane.run(scheduler);
  await bind(plane, 'web', 5, aggregated);
  // b has room for one by its estimator; what a reports about itself goes on counting.
  await becomes(plane, 'web', 'a5');
  const condition = async () =>
    (await plane.client.get(kinds.clusters, { name: 'a' })).status?.conditions?.find(
      ({ type }) => type === 'EstimatorAvailable',
    );
  await plane.until('the cluster says so', async () => (await condition())?.status === 'False');
  assert.deepEqual((await condition())?.reason, 'NotAnswering');
  assert.match((await condition())?.message ?? '', /no answer within 50ms/);
  // Another decision does not wait for it again.
  const before = world.asked.filter((address) => address.includes('-a.')).length;
  await bind(plane, 'api', 1, aggregated);
  await plane.until('api is placed', async () => /^[ab]1$/.test(await outcomeOf(plane, 'api')));
  assert.equal(world.asked.filter((address) => address.includes('-a.')).length, before);
  broken = false;
  await plane.until('the cluster says that it is over', async () => {
    await plane.client.patch(
      kinds.resourceBindings,
      { namespace: 'shop', name: 'api' },
      {
        type: 'merge',
        body: {
          spec: {
            replicas: 1,
            rescheduleTriggeredAt: new Date(Date.now() + 60_000).toISOString().replace(/\.\d+/, ''),
          },
        },
      },
    );
    return (await condition())?.status === 'True';
  });
});

test('estimators: a Service that leads nowhere is told of, and the summary counts', async () => {
  const world = estimators(() => Promise.resolve(1));
  await using plane = await startPlane({}, undefined, undefined, world);
  await join(plane, 'a', 9);
  await plane.client.create(kinds.namespaces, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'karmada-system' },
  });
  await plane.client.create(kinds.services, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'karmada-scheduler-estimator-a', namespace: 'karmada-system' },
    spec: { ports: [{ port: 10352 }] },
  });
  plane.run(scheduler);
  await bind(plane, 'web', 3, aggregated);
  await becomes(plane, 'web', 'a3');
  assert.equal(world.asked.length, 0);
  await plane.until('the cluster says why', async () => {
    const { status } = await plane.client.get(kinds.clusters, { name: 'a' });
    return (
      status?.conditions?.some(({ message }) => message === 'unsupported service type "ClusterIP"') === true
    );
  });
});

for (const enableSchedulerEstimator of [false, true]) {
  const how = enableSchedulerEstimator ? 'with estimators' : 'without estimators';
  test(`overcommit protection, ${how}: what was just promised is not promised again`, async () => {
    // An estimator that sees none of it yet, and deducts what it is told of.
    const world = estimators((_, { assumed }) => {
      const promised = assumed.flatMap(({ components }) => components);
      return Promise.resolve(4 - promised.reduce((sum, { replicas }) => sum + replicas, 0));
    });
    const settings = { ...world.settings, enableSchedulerEstimator };
    await using plane = await startPlane({ SchedulingOvercommitProtection: true }, undefined, undefined, {
      ...world,
      settings,
    });
    await join(plane, 'a', 4);
    await Promise.all(['one', 'two', 'three'].map((name) => bind(plane, name, 3, aggregated)));
    plane.run(scheduler);
    const outcomes = (): Promise<string[]> =>
      Promise.all(['one', 'two', 'three'].map((name) => outcomeOf(plane, name)));
    await plane.until('all are decided', async () => !(await outcomes()).includes('waiting'));
    assert.deepEqual((await outcomes()).sort(), ['Unschedulable', 'Unschedulable', 'a3']);
  });
}

test('overcommit protection: a write that is refused gives back what it had taken', async () => {
  await using plane = await startPlane({
    SchedulingOvercommitProtection: true,
    FederatedQuotaEnforcement: true,
  });
  await join(plane, 'a', 4);
  const quotas = resource({
    group: 'policy.karmada.io',
    version: 'v1alpha1',
    resource: 'federatedresourcequotas',
    namespaced: true,
  });
  await plane.client.create(quotas, {
    apiVersion: 'policy.karmada.io/v1alpha1',
    kind: 'FederatedResourceQuota',
    metadata: { name: 'q', namespace: 'shop' },
    spec: { overall: { cpu: '2' } },
  });
  plane.run(scheduler);
  await bind(plane, 'large', 3, aggregated);
  await becomes(plane, 'large', 'QuotaExceeded');
  await bind(plane, 'small', 2, aggregated);
  await becomes(plane, 'small', 'a2');
});

test('workload anti-affinity: two that are decided in a row keep apart', async () => {
  await using plane = await startPlane({ WorkloadAffinity: true });
  await Promise.all([join(plane, 'a', 9), join(plane, 'b', 9)]);
  const apart = { workloadAffinityGroups: { antiAffinityGroup: 'g=t' } };
  await Promise.all(['one', 'two'].map((name) => bind(plane, name, 1, aggregated, apart)));
  plane.run(scheduler);
  const outcomes = (): Promise<string[]> => Promise.all(['one', 'two'].map((name) => outcomeOf(plane, name)));
  await plane.until('both are placed', async () => !(await outcomes()).includes('waiting'));
  assert.deepEqual((await outcomes()).sort(), ['a1', 'b1']);
});

test('a cluster that vanishes takes nothing along: what was sent there goes elsewhere', async () => {
  await using plane = await startPlane();
  await Promise.all([join(plane, 'a', 9), join(plane, 'b', 5)]);
  // As if it had gone between the decision and its write.
  await bind(plane, 'web', 4, aggregated, { clusters: [{ name: 'gone', replicas: 4 }] });
  plane.run(scheduler);
  await becomes(plane, 'web', 'a4');
  await plane.client.delete(kinds.clusters, { name: 'a' });
  await becomes(plane, 'web', 'b4');
  await plane.client.delete(kinds.clusters, { name: 'b' });
  await becomes(plane, 'web', 'NoClusterFit');
  await join(plane, 'c', 9);
  await becomes(plane, 'web', 'c4');
});

test('a spread that cannot be met says so, keeps what runs, and is met when it can be', async () => {
  await using plane = await startPlane();
  await join(plane, 'a', 9);
  const placement: Placement = {
    ...aggregated,
    spreadConstraints: [{ spreadByField: 'cluster', minGroups: 2, maxGroups: 3 }],
  };
  await bind(plane, 'web', 4, placement, { clusters: [{ name: 'a', replicas: 4 }] });
  plane.run(scheduler);
  await becomes(plane, 'web', 'SchedulerError');
  const { spec } = await plane.client.get(kinds.resourceBindings, { namespace: 'shop', name: 'web' });
  assert.deepEqual(spec.clusters, [{ name: 'a', replicas: 4 }]);
  await join(plane, 'b', 9);
  await becomes(plane, 'web', 'a4');
});

test('too little room keeps what runs, and more room is enough', async () => {
  await using plane = await startPlane();
  const cluster = await join(plane, 'a', 2);
  plane.run(scheduler);
  await bind(plane, 'web', 4, aggregated);
  await becomes(plane, 'web', 'Unschedulable');
  await report(plane.client, cluster, 8);
  await becomes(plane, 'web', 'a4');
});

test('descheduler: what found no node is taken away and placed where there is room', async () => {
  const world = estimators((cluster) => Promise.resolve(cluster === 'a' ? 3 : hang()));
  const settings = { schedulerEstimatorTimeoutMs: 50, deschedulingIntervalMs: 50 };
  await using plane = await startPlane({}, undefined, undefined, { ...world, settings });
  await Promise.all([join(plane, 'a', 9), join(plane, 'b', 9)]);
  const placement = { ...dynamic, clusterAffinity: { clusterNames: ['a', 'b'] } };
  const created = await bind(plane, 'web', 10, placement, {
    clusters: [{ name: 'a', replicas: 8 }, { name: 'b', replicas: 2 }],
  }); // prettier-ignore
  await plane.client.updateStatus(kinds.resourceBindings, {
    ...created,
    status: {
      aggregatedStatus: [
        { clusterName: 'a', status: { readyReplicas: 4 } },
        { clusterName: 'b', status: { readyReplicas: 1 } },
      ],
    },
  });
  await plane.client.patch(
    kinds.resourceBindings,
    { namespace: 'shop', name: 'web' },
    {
      type: 'merge',
      body: {
        metadata: { annotations: { 'policy.karmada.io/applied-placement': JSON.stringify(placement) } },
      },
    },
  );
  plane.run(descheduler);
  // The estimator of b hangs; it keeps what it has.
  await plane.until('three are taken away', async () => {
    const { spec } = await plane.client.get(kinds.resourceBindings, { namespace: 'shop', name: 'web' });
    return spec.clusters?.[0]?.replicas === 5 && spec.clusters[1]?.replicas === 2;
  });
});
