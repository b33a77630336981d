import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, KubeObject } from '../api/index.ts';
import { kinds, type Resource } from '../client/index.ts';
import { startControlPlane } from '../controllers/testing/control-plane.ts';
import { StatusError } from '../machinery/index.ts';
import { withTodaysSpelling } from './legacy-spellings.ts';

const selector = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };
const policies = kinds.propagationPolicies as unknown as Resource<KubeObject>;
const clusterPolicies = kinds.clusterPropagationPolicies as unknown as Resource<KubeObject>;

function policy(name: string, spec: JsonObject, metadata: JsonObject = {}): KubeObject {
  return {
    apiVersion: 'policy.karmada.io/v1alpha1',
    kind: 'PropagationPolicy',
    metadata: { name, namespace: 'shop', ...metadata },
    spec: { resourceSelectors: [selector], ...spec },
  };
}

const PLACEMENT = 'spec.placement';
const dynamic = {
  replicaSchedulingType: 'Divided',
  replicaDivisionPreference: 'Weighted',
  weightPreference: { dynamicWeight: 'AvailableReplicas' },
};
const overflow = (term: JsonObject, ...affinityNames: string[]): JsonObject => ({
  placement: {
    replicaScheduling: dynamic,
    clusterAffinities: [
      {
        affinityName: 'own',
        ...term,
        overflowAffinities: affinityNames.map((affinityName) => ({ affinityName })),
      },
    ],
  },
});
const application = (failover: JsonObject): JsonObject => ({
  propagateDeps: true,
  failover: { application: { decisionConditions: {}, ...failover } },
});

const refusals: readonly (readonly [sentence: string, spec: JsonObject, message: string])[] = [
  ['of two faulty expressions the first is told', { placement: { clusterAffinity: { fieldSelector: { matchExpressions: [{ key: 'region', operator: 'Gt', values: ['a'] }, { key: 'planet', operator: 'In', values: ['b'] }] } } } },
    `${PLACEMENT}.clusterAffinity.fieldSelector: Invalid value: {"matchExpressions":[{"key":"region","operator":"Gt","values":["a"]},{"key":"planet","operator":"In","values":["b"]}]}: unsupported operator "Gt", must be In or NotIn`],
  ['an overflow name twice', overflow({ clusterNames: ['a'] }, 'x', 'x'),
    `${PLACEMENT}.clusterAffinities[0].overflowAffinities[1].affinityName: Invalid value: "x": overflow affinity name must be unique and must not duplicate the primary group's affinityName`],
  ['an overflow called like its term', overflow({ clusterNames: ['a'] }, 'own'),
    `${PLACEMENT}.clusterAffinities[0].overflowAffinities[0].affinityName: Invalid value: "own": overflow affinity name must be unique and must not duplicate the primary group's affinityName`],
  ['an overflow of everything', overflow({}, 'x'),
    `${PLACEMENT}.clusterAffinities[0].overflowAffinities: Invalid value: [{"affinityName":"x"}]: overflowAffinities can only be used together with the inline ClusterAffinity`],
  ['overflow where replicas are not divided by room', { placement: { clusterAffinities: [{ affinityName: 'own', clusterNames: ['a'], overflowAffinities: [{ affinityName: 'x' }] }] } },
    `${PLACEMENT}.clusterAffinities[0].overflowAffinities: Invalid value: [{"affinityName":"x"}]: overflowAffinities can only be used together with dynamic weight or aggregated scheduling`],
  ['both bounds of a constraint below zero', { placement: { spreadConstraints: [{ spreadByField: 'cluster', minGroups: -1, maxGroups: -2 }] } },
    `[${PLACEMENT}.spreadConstraints[0]: Invalid value: {"spreadByField":"cluster","maxGroups":-2,"minGroups":-1}: minGroups lower than 0 is not allowed, ${PLACEMENT}.spreadConstraints[0]: Invalid value: {"spreadByField":"cluster","maxGroups":-2,"minGroups":-1}: maxGroups lower than 0 is not allowed]`],
  ['one label key for both groups', { placement: { workloadAffinity: { affinity: { groupByLabelKey: 'g' }, antiAffinity: { groupByLabelKey: 'g' } } } },
    `${PLACEMENT}.workloadAffinity: Invalid value: {"affinity":{"groupByLabelKey":"g"},"antiAffinity":{"groupByLabelKey":"g"}}: affinity and antiAffinity must not use the same groupByLabelKey`],
  ['a toleration that compares', { placement: { clusterTolerations: [{ key: 'a', operator: 'Lt', value: '3' }] } },
    `${PLACEMENT}.clusterTolerations[0].operator: Unsupported value: "Lt": supported values: "", "Exists", "Equal"`],
  ['a grace period that is wrong in two ways', application({ purgeMode: 'Directly', gracePeriodSeconds: -1 }),
    '[spec.failover.application.gracePeriodSeconds: Invalid value: -1: only takes effect when purgeMode is gracefully, spec.failover.application.gracePeriodSeconds: Invalid value: -1: must be greater than 0]'],
  ['preemption of all of a foreign namespace', { preemption: 'Always', resourceSelectors: [{ ...selector, name: '', namespace: 'else' }] },
    '[spec.resourceSelectors[0].namespace: Invalid value: "else": namespace of resource selector must be the same as the namespace of the policy, spec.resourceSelectors[0].name: Invalid value: "": name cannot be empty if preemption is Always, the empty name may cause unexpected resources preemption]'],
]; // prettier-ignore

/** Every field that upstream's CRDs have, with values that admission leaves as they are. */
const everyField: JsonObject = {
  resourceSelectors: [
    { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
    { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', labelSelector: { matchLabels: { a: 'b' }, matchExpressions: [{ key: 'c', operator: 'NotIn', values: ['d'] }] } },
  ],
  association: true,
  propagateDeps: true,
  placement: {
    clusterAffinities: [
      {
        affinityName: 'own',
        labelSelector: { matchLabels: { tier: 'gold' } },
        fieldSelector: { matchExpressions: [{ key: 'region', operator: 'In', values: ['east'] }] },
        clusterNames: ['a', 'b'],
        exclude: ['c'],
        overflowAffinities: [{ affinityName: 'cloud', clusterNames: ['z'], exclude: ['y'], labelSelector: {}, fieldSelector: { matchExpressions: [{ key: 'zone', operator: 'NotIn', values: ['z1'] }] } }],
      },
    ],
    clusterTolerations: [{ key: 'k', operator: 'Equal', value: 'v', effect: 'NoExecute', tolerationSeconds: 0 }],
    spreadConstraints: [{ spreadByField: 'cluster', minGroups: 1, maxGroups: 3 }, { spreadByLabel: 'rack', minGroups: 1, maxGroups: 2 }],
    replicaScheduling: {
      replicaSchedulingType: 'Divided',
      replicaDivisionPreference: 'Weighted',
      weightPreference: { dynamicWeight: 'AvailableReplicas', staticWeightList: [{ targetCluster: { clusterNames: ['a'] }, weight: 4294967296 }] },
    },
    workloadAffinity: { affinity: { groupByLabelKey: 'app' }, antiAffinity: { groupByLabelKey: 'example.com/apart' } },
  },
  priority: -7,
  preemption: 'Always',
  dependentOverrides: ['o'],
  schedulerName: 'mine',
  failover: {
    application: {
      decisionConditions: { tolerationSeconds: 12 },
      purgeMode: 'Gracefully',
      gracePeriodSeconds: 34,
      statePreservation: { rules: [{ aliasLabelName: 'state', jsonPath: '{.a}' }] },
    },
    cluster: { purgeMode: 'Directly', statePreservation: { rules: [{ aliasLabelName: 'x', jsonPath: '{.b}' }] } },
  },
  conflictResolution: 'Overwrite',
  activationPreference: 'Lazy',
  suspension: { dispatching: false, dispatchingOnClusters: { clusterNames: ['a'] } },
  preserveResourcesOnDeletion: true,
  schedulePriority: { priorityClassSource: 'KubePriorityClass', priorityClassName: 'high' },
}; // prettier-ignore

test('policies at a real API server', async (t) => {
  await using plane = await startControlPlane();
  const { client } = plane;
  for (const [sentence, spec, message] of refusals) {
    await t.test(`refused: ${sentence}`, async () => {
      await assert.rejects(client.create(policies, policy('bad', spec)), (error: unknown) => {
        assert.ok(error instanceof StatusError);
        assert.equal(error.code, 403);
        const prefix = 'admission webhook "propagationpolicy.karmada.io" denied the request: ';
        assert.equal(error.message, prefix + message);
        return true;
      });
      assert.equal(await client.find(policies, { namespace: 'shop', name: 'bad' }), undefined);
    });
  }

  await t.test('accepted: every field comes back as it was written, from both kinds', async () => {
    // Preemption takes only what is named.
    const [named] = everyField['resourceSelectors'] as JsonObject[];
    for (const spec of [
      { ...everyField, preemption: 'Never' },
      { ...everyField, resourceSelectors: [named ?? {}] },
    ]) {
      const created = await client.create(policies, policy('full', spec));
      assert.deepEqual(created['spec'], spec);
      const cluster = await client.create(clusterPolicies, {
        apiVersion: 'policy.karmada.io/v1alpha1',
        kind: 'ClusterPropagationPolicy',
        metadata: { name: 'full' },
        spec,
      });
      assert.deepEqual(cluster['spec'], spec);
      await remove(created, cluster);
    }
  });

  await t.test('accepted: an operator that nobody knows tolerates nothing', async () => {
    const spec = { placement: { clusterTolerations: [{ key: 'a', operator: 'Near', value: 'b' }] } };
    const created = await client.create(policies, policy('near', spec));
    assert.deepEqual((created['spec'] as JsonObject)['placement'], spec.placement);
  });

  await t.test('accepted: purge modes of older releases are stored as they are called now', async () => {
    const created = await client.create(policies, policy('old', application({ purgeMode: 'Graciously' })));
    const { failover } = created['spec'] as { failover: { application: JsonObject } };
    assert.equal(failover.application['purgeMode'], 'Gracefully');
    assert.equal(failover.application['gracePeriodSeconds'], 600);
  });

  await t.test('accepted: a selector that does not say what kind, which selects nothing', async () => {
    const created = await client.create(policies, policy('blank', { resourceSelectors: [{ name: 'x' }] }));
    const { resourceSelectors } = created['spec'] as { resourceSelectors: unknown };
    assert.deepEqual(resourceSelectors, [{ apiVersion: '', kind: '', name: 'x', namespace: 'shop' }]);
  });

  await t.test('refused by the schema: what is empty instead of missing', async () => {
    const placement = { clusterAffinities: [{ clusterNames: ['a'] }] };
    await assert.rejects(client.create(policies, policy('bad', { placement })), (error: unknown) => {
      assert.ok(error instanceof StatusError);
      assert.equal(error.code, 422);
      assert.match(
        error.message,
        /clusterAffinities\[0\].affinityName: Invalid value: "": .* at least 1 chars long/,
      );
      return true;
    });
    const schedulePriority = { priorityClassName: 'high' };
    await assert.rejects(
      client.create(policies, policy('bad', { schedulePriority })),
      /priorityClassSource: Unsupported value: "": supported values: "KubePriorityClass"/,
    );
  });

  await t.test('the id of a policy is its own, whatever the user writes', async () => {
    const label = 'propagationpolicy.karmada.io/permanent-id';
    const created = await client.create(policies, policy('id', {}, { labels: { [label]: 'mine' } }));
    assert.match(created.metadata.labels?.[label] ?? '', /^[0-9a-f-]{36}$/);
  });

  async function remove(created: KubeObject, cluster: KubeObject): Promise<void> {
    await client.update(policies, { ...created, metadata: { ...created.metadata, finalizers: [] } });
    await client.update(clusterPolicies, { ...cluster, metadata: { ...cluster.metadata, finalizers: [] } });
    await client.delete(policies, { namespace: 'shop', name: 'full' });
    await client.delete(clusterPolicies, { name: 'full' });
  }
});

test('old purge modes: told either way, changed only when they are accepted', () => {
  const spec = {
    resourceSelectors: [selector],
    failover: { cluster: { purgeMode: 'Immediately' }, application: { decisionConditions: {} } },
  } as unknown as Parameters<typeof withTodaysSpelling>[0];
  const warnings: string[] = [];
  assert.equal(
    withTodaysSpelling(spec, false, (text) => warnings.push(text)),
    spec,
  );
  assert.match(
    warnings[0] ?? '',
    /"Immediately" is called "Directly" now; write that, or .*--accept-legacy-spellings/,
  );
  const today = withTodaysSpelling(spec, true, (text) => warnings.push(text));
  assert.equal(today.failover?.cluster?.purgeMode, 'Directly');
  assert.equal(warnings.length, 2);
  const { failover: _, ...without } = spec;
  assert.equal(
    withTodaysSpelling(without, true, () => assert.fail('nothing to tell')),
    without,
  );
});
