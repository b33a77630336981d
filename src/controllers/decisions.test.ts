// What is kept of decisions, on a real API server with the real detector and scheduler.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject, PropagationPolicy, SchedulingDecision } from '../api/index.ts';
import { kinds, resource } from '../client/index.ts';
import { detector } from './detector/index.ts';
import { scheduler } from './scheduler/index.ts';
import { joinClusters } from './testing/clusters.ts';
import { startControlPlane, type ControlPlane } from './testing/control-plane.ts';

const decisions = resource<SchedulingDecision>({
  group: 'navarch.io',
  version: 'v1alpha1',
  resource: 'schedulingdecisions',
  namespaced: true,
});
const deployments = resource({ group: 'apps', version: 'v1', resource: 'deployments', namespaced: true });
const web = { namespace: 'shop', name: 'web-deployment' };

async function startPlane(clusters: readonly string[]): Promise<ControlPlane> {
  const plane = await startControlPlane();
  await joinClusters(plane, Object.fromEntries(clusters.map((name) => [name, {}])));
  return plane;
}

function policy(name: string, spec: Partial<PropagationPolicy['spec']>): PropagationPolicy {
  return {
    apiVersion: 'policy.karmada.io/v1alpha1',
    kind: 'PropagationPolicy',
    metadata: { name, namespace: 'shop' },
    spec: { resourceSelectors: [{ apiVersion: 'apps/v1', kind: 'Deployment' }], ...spec },
  };
}

function deployment(replicas: number): KubeObject {
  const labels = { app: 'web' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop' },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web:1' }] } },
    },
  };
}

async function decision({ client }: ControlPlane): Promise<SchedulingDecision | undefined> {
  return client.find(decisions, web);
}

async function taint({ client }: ControlPlane, name: string, key: string): Promise<void> {
  const taints = [{ key, effect: 'NoSchedule' }];
  await client.patch(kinds.clusters, { name }, { type: 'merge', body: { spec: { taints } } });
}

test('a decision tells which policy won, how replicas were divided and what kept a cluster out', async () => {
  await using plane = await startPlane(['one', 'two', 'three']);
  const { client } = plane;
  await taint(plane, 'three', 'maintenance');
  const placement = {
    replicaScheduling: {
      replicaSchedulingType: 'Divided',
      replicaDivisionPreference: 'Weighted',
      weightPreference: {
        staticWeightList: [
          { targetCluster: { clusterNames: ['one'] }, weight: 2 },
          { targetCluster: { clusterNames: ['two'] }, weight: 1 },
        ],
      },
    },
  } as const;
  await client.create(kinds.propagationPolicies, policy('strong', { priority: 2, placement }));
  await client.create(kinds.propagationPolicies, policy('weak', { priority: 1 }));
  plane.run(detector, scheduler);
  await client.create(deployments, deployment(5));
  await plane.until('a decision is kept', async () => (await decision(plane))?.schedule !== undefined);
  const kept = await decision(plane);
  assert.equal(kept?.policy?.winner.name, 'strong');
  assert.deepEqual(
    kept.policy.losers?.map(({ name, lostBy }) => [name, lostBy]),
    [['weak', 'priority']],
  );
  assert.equal(kept.schedule?.summary, '{one:3, two:2}');
  const [attempt] = kept.schedule?.attempts ?? [];
  assert.deepEqual(attempt?.divisions?.[0]?.shares, [
    { name: 'one', weight: 2, exact: '3.33', replicas: 3 },
    { name: 'two', weight: 1, exact: '1.67', replicas: 2 },
  ]);
  assert.deepEqual(
    attempt?.excluded?.map(({ code, clusters, only }) => [code, clusters, only]),
    [['TaintUntolerated', ['three'], ['three']]],
  );
  const binding = await client.get(kinds.resourceBindings, web);
  assert.equal(kept.metadata.ownerReferences?.[0]?.uid, binding.metadata.uid);
});

test('a look that changes nothing writes nothing; a new verdict does', async () => {
  await using plane = await startPlane(['one', 'two']);
  const { client } = plane;
  await client.create(kinds.propagationPolicies, policy('all', { placement: {} }));
  plane.run(detector, scheduler);
  await client.create(deployments, deployment(1));
  await plane.until('a decision is kept', async () => (await decision(plane))?.schedule !== undefined);
  const first = await decision(plane);
  await client.patch(
    kinds.clusters,
    { name: 'one' },
    { type: 'merge', body: { metadata: { labels: { tier: 'gold' } } } },
  );
  await taint(plane, 'two', 'maintenance');
  await client.patch(
    deployments,
    { namespace: 'shop', name: 'web' },
    {
      type: 'merge',
      body: { spec: { replicas: 2 } },
    },
  );
  await plane.until(
    'the new number is scheduled',
    async () => (await decision(plane))?.schedule?.wanted === 2,
  );
  const second = await decision(plane);
  assert.equal(Number(second?.metadata.generation), Number(first?.metadata.generation) + 1);
  assert.deepEqual(second?.policy, first?.policy);
});

test('where a workload was before is remembered', async () => {
  await using plane = await startPlane(['one', 'two']);
  const { client } = plane;
  const to = (name: string) => ({ clusterAffinity: { clusterNames: [name] } });
  await client.create(kinds.propagationPolicies, policy('all', { placement: to('one') }));
  plane.run(detector, scheduler);
  await client.create(deployments, deployment(1));
  const placed = async (): Promise<string | undefined> => (await decision(plane))?.schedule?.summary;
  await plane.until('it is placed', async () => (await placed())?.includes('one') === true);
  assert.equal((await decision(plane))?.former, undefined);
  const body = { spec: { placement: to('two') } };
  await client.patch(kinds.propagationPolicies, { namespace: 'shop', name: 'all' }, { type: 'merge', body });
  await plane.until('it is placed elsewhere', async () => (await placed())?.includes('two') === true);
  assert.deepEqual(
    (await decision(plane))?.former?.map(({ clusters }) => clusters.map(({ name }) => name)),
    [['one']],
  );
});

test('a policy whose selector can mean nothing is told so by an event, and others are not', async () => {
  await using plane = await startPlane(['one']);
  const { client } = plane;
  plane.run(detector, scheduler);
  const select = (kind: string) => ({ resourceSelectors: [{ apiVersion: 'apps/v1', kind, name: 'web' }] });
  await client.create(kinds.propagationPolicies, policy('fine', select('Deployment')));
  await client.create(kinds.propagationPolicies, policy('typo', select('Deploymnt')));
  const told = async (): Promise<readonly string[]> =>
    (await client.listAll(kinds.events, { namespace: 'shop' })).items.flatMap(
      ({ reason, message, involvedObject }) =>
        reason === 'SelectorMeansNothing'
          ? [`${(involvedObject as { readonly name: string }).name}: ${String(message)}`]
          : [],
    );
  await plane.until('the policy is told', async () => (await told()).length > 0);
  assert.deepEqual(await told(), [
    'typo: the control plane serves no apps/v1 Deploymnt; close is apps/v1 Deployment',
  ]);
});

for (const [what, templateFirst] of [
  ['a template that came before its policy', true],
  ['a template that came after its policy', false],
] as const) {
  test(`${what} goes out as soon as the override policies are there that the policy depends on`, async () => {
    // So long that only news can bring anything back.
    const settings = { rateLimiterBaseDelayMs: 600_000, rateLimiterMaxDelayMs: 600_000 };
    await using plane = await startControlPlane({}, undefined, undefined, { settings });
    await joinClusters(plane, { one: {} });
    const { client } = plane;
    plane.run(detector, scheduler);
    const waiting = (): Promise<unknown> =>
      client.create(kinds.propagationPolicies, policy('web', { dependentOverrides: ['ov'] }));
    if (!templateFirst) await waiting();
    await client.create(deployments, deployment(1));
    if (templateFirst) await waiting();
    await plane.until('it has been looked at', async () => {
      const { items } = await client.listAll(deployments, { namespace: 'shop' });
      return items.length === 1;
    });
    await client.create(kinds.overridePolicies, {
      apiVersion: 'policy.karmada.io/v1alpha1',
      kind: 'OverridePolicy',
      metadata: { name: 'ov', namespace: 'shop' },
      spec: { overrideRules: [] },
    });
    await plane.until('it is placed', async () => (await decision(plane))?.schedule?.outcome === 'Success');
  });
}
