// What a template and its binding are told of overrides, in the words of upstream, on a real API server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RESOURCE_BINDING_ID_LABEL, executionNamespace } from '../api/index.ts';
import { kinds, resource } from '../client/index.ts';
import { bindingController } from './binding.ts';
import { serveClusters, startControlPlane } from './testing/control-plane.ts';

const configMaps = resource({ group: '', version: 'v1', resource: 'configmaps', namespaced: true });
const overrides = resource({
  group: 'policy.karmada.io',
  version: 'v1alpha1',
  resource: 'overridepolicies',
  namespaced: true,
});
const clusterOverrides = { ...overrides, resource: 'clusteroverridepolicies', namespaced: false };

test('a template is told which override policies were applied for which cluster, and which were not', async () => {
  await using plane = await startControlPlane();
  await serveClusters(plane);
  const { client } = plane;
  for (const name of ['m1', 'm2']) {
    await client.create(kinds.namespaces, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: executionNamespace(name) },
    });
    await client.create(kinds.clusters, {
      apiVersion: 'cluster.karmada.io/v1alpha1',
      kind: 'Cluster',
      metadata: { name },
      spec: { syncMode: 'Push' },
    });
  }
  const apiVersion = 'policy.karmada.io/v1alpha1';
  const labelsOverrider = [{ operator: 'add', value: { a: 'b' } }];
  const plaintext = [{ path: '/data/absent', operator: 'remove' }];
  await client.create(clusterOverrides, {
    apiVersion,
    kind: 'ClusterOverridePolicy',
    metadata: { name: 'all' },
    spec: { overrideRules: [{ overriders: { labelsOverrider } }] },
  });
  await client.create(overrides, {
    apiVersion,
    kind: 'OverridePolicy',
    metadata: { namespace: 'shop', name: 'own' },
    spec: { overrideRules: [{ targetCluster: { clusterNames: ['m2'] }, overriders: { plaintext } }] },
  });
  const metadata = { namespace: 'shop', name: 'conf' };
  await client.create(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { a: 'b' } });
  await client.create(kinds.resourceBindings, {
    apiVersion: 'work.karmada.io/v1alpha2',
    kind: 'ResourceBinding',
    metadata: {
      namespace: 'shop',
      name: 'conf-configmap',
      labels: { [RESOURCE_BINDING_ID_LABEL]: 'some-id' },
    },
    spec: {
      resource: { apiVersion: 'v1', kind: 'ConfigMap', ...metadata },
      clusters: [{ name: 'm1' }, { name: 'm2' }, { name: 'm3' }],
    },
  });
  plane.run(bindingController);
  const told = async (): Promise<readonly string[]> => {
    const { items } = await client.listAll(kinds.events, { namespace: 'shop' });
    return items.map(({ source, type, reason, message, involvedObject }) =>
      [
        (source as { component: string }).component,
        type,
        reason,
        (involvedObject as { kind: string }).kind,
        message,
      ].join(' '),
    );
  };
  const why =
    "[Apply override policy(shop/own) for cluster(m2) failed: error in remove for path: '/data/absent': Unable to remove nonexistent key: absent: missing value, " +
    'Cluster.cluster.karmada.io "m3" not found]';
  const expected = [
    'override-manager Normal ApplyOverridePolicySucceed ConfigMap Apply cluster override policy(all) for cluster(m1) succeed.',
    'override-manager Normal ApplyOverridePolicySucceed ConfigMap Apply cluster override policy(all) for cluster(m2) succeed.',
    'override-manager Warning ApplyOverridePolicyFailed ConfigMap Apply override policy(shop/own) for cluster(m2) failed.',
    `binding-controller Warning SyncWorkFailed ResourceBinding ${why}`,
    `binding-controller Warning SyncWorkFailed ConfigMap ${why}`,
  ];
  await plane.until('all of it is told', async () => {
    const all = await told();
    return expected.every((text) => all.includes(text));
  });
  assert.equal(
    (await client.listAll(kinds.works, { namespace: executionNamespace('m2') })).items.length,
    0,
    'what could not be overridden is not sent',
  );
  await client.delete(overrides, { namespace: 'shop', name: 'own' });
  const body = { spec: { clusters: [{ name: 'm1' }, { name: 'm2' }] } };
  const key = { namespace: 'shop', name: 'conf-configmap' };
  await client.patch(kinds.resourceBindings, key, { type: 'merge', body });
  await plane.until('that it was sent is told', async () => {
    const done = 'Sync work of ResourceBinding(shop/conf-configmap) successful.';
    const all = await told();
    return ['ResourceBinding', 'ConfigMap'].every((kind) =>
      all.includes(`binding-controller Normal SyncWorkSucceed ${kind} ${done}`),
    );
  });
});
