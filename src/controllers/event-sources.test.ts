// Who events are from: upstream names a component for each controller, and people look for events by it.
import { test } from 'node:test';
import { kinds, resource } from '../client/index.ts';
import { clusterController } from './cluster.ts';
import { detector } from './detector/index.ts';
import { serveClusters, startControlPlane } from './testing/control-plane.ts';

const configMaps = resource({ group: '', version: 'v1', resource: 'configmaps', namespaced: true });
const policies = resource({
  group: 'policy.karmada.io',
  version: 'v1alpha1',
  resource: 'propagationpolicies',
  namespaced: true,
});

test('events are from the components that upstream names', async () => {
  await using plane = await startControlPlane();
  await serveClusters(plane);
  const { client } = plane;
  // Where events about what has no namespace go.
  await client.create(kinds.namespaces, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'default' },
  });
  await client.create(kinds.clusters, {
    apiVersion: 'cluster.karmada.io/v1alpha1',
    kind: 'Cluster',
    metadata: { name: 'm1' },
    spec: { syncMode: 'Push' },
  });
  await client.create(policies, {
    apiVersion: 'policy.karmada.io/v1alpha1',
    kind: 'PropagationPolicy',
    metadata: { namespace: 'shop', name: 'p' },
    spec: { resourceSelectors: [{ apiVersion: 'v1', kind: 'ConfigMap' }] },
  });
  const metadata = { namespace: 'shop', name: 'conf' };
  await client.create(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: {} });
  plane.run(clusterController, detector);
  for (const [reason, component] of [
    ['CreateExecutionSpaceSucceed', 'cluster-controller'],
    ['ApplyPolicySucceed', 'resource-detector'],
  ]) {
    await plane.until(`${reason} is from ${component}`, async () =>
      (await client.listAll(kinds.events)).items.some(
        (event) =>
          event.reason === reason && (event['source'] as { component?: string }).component === component,
      ),
    );
  }
});
