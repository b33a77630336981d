import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject, ResourceBinding } from '../api/index.ts';
import { kinds, resource } from '../client/index.ts';
import { dependenciesDistributor } from './dependencies.ts';
import { startControlPlane, type ControlPlane } from './testing/control-plane.ts';

const NAMESPACE = 'shop';
const deployments = resource({ group: 'apps', version: 'v1', resource: 'deployments', namespaced: true });
const configMaps = resource({ group: '', version: 'v1', resource: 'configmaps', namespaced: true });
const key = (name: string): { namespace: string; name: string } => ({ namespace: NAMESPACE, name });

function configMap(name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: NAMESPACE } };
}

function podSpec(...configMapNames: readonly string[]): object {
  const envFrom = configMapNames.map((name) => ({ configMapRef: { name } }));
  return { containers: [{ name: 'main', image: 'registry.example/app:1', envFrom }] };
}

/** A Deployment that needs ConfigMaps, and its binding to a cluster. */
async function deploy(
  { client }: ControlPlane,
  name: string,
  cluster: string,
  ...needs: readonly string[]
): Promise<void> {
  const labels = { app: name };
  await client.create(deployments, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: NAMESPACE },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: podSpec(...needs) } },
  });
  await client.create(kinds.resourceBindings, {
    apiVersion: 'work.karmada.io/v1alpha2',
    kind: 'ResourceBinding',
    metadata: key(`${name}-deployment`),
    spec: {
      resource: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: NAMESPACE, name },
      propagateDeps: true,
      clusters: [{ name: cluster }],
    },
  });
}

/** Who needs a ConfigMap, as its binding says; undefined without a binding. */
async function requiredBy({ client }: ControlPlane, name: string): Promise<string | undefined> {
  const binding = await client.find(kinds.resourceBindings, key(`${name}-configmap`));
  if (binding === undefined) return undefined;
  return (binding.spec.requiredBy ?? [])
    .map(({ name: by, clusters = [] }) => `${by}@${clusters.map((cluster) => cluster.name).join()}`)
    .sort()
    .join(' ');
}

async function untilRequiredBy(plane: ControlPlane, name: string, expected: string): Promise<void> {
  const holds = async (): Promise<boolean> => (await requiredBy(plane, name)) === expected;
  await plane.until(`${name} is required by "${expected}"`, holds);
}

function bindingOf({ client }: ControlPlane, name: string): Promise<ResourceBinding | undefined> {
  return client.find(kinds.resourceBindings, key(name));
}

test('what two templates need follows both, and leaves the one that needs it no more', async () => {
  await using plane = await startControlPlane();
  const { client } = plane;
  await client.create(configMaps, configMap('shared'));
  await deploy(plane, 'web', 'member1', 'shared');
  await deploy(plane, 'api', 'member2', 'shared');
  plane.run(dependenciesDistributor);
  await untilRequiredBy(plane, 'shared', 'api-deployment@member2 web-deployment@member1');

  const patched = await client.patch(deployments, key('web'), {
    type: 'merge',
    body: { spec: { template: { spec: podSpec() } } },
  });
  await client.patch(kinds.resourceBindings, key('web-deployment'), {
    type: 'merge',
    body: { spec: { resource: { resourceVersion: patched.metadata.resourceVersion } } },
  });
  await untilRequiredBy(plane, 'shared', 'api-deployment@member2');
});

test('a binding that goes is let go when nothing is attached to it any more', async () => {
  await using plane = await startControlPlane();
  await plane.client.create(configMaps, configMap('conf'));
  await deploy(plane, 'web', 'member1', 'conf');
  plane.run(dependenciesDistributor);
  await untilRequiredBy(plane, 'conf', 'web-deployment@member1');

  await plane.client.delete(kinds.resourceBindings, key('web-deployment'));
  await plane.until('it is gone', async () => (await bindingOf(plane, 'web-deployment')) === undefined);
  assert.equal(await requiredBy(plane, 'conf'), '');
});

test('what is needed before it exists is attached when it appears', async () => {
  await using plane = await startControlPlane();
  await deploy(plane, 'web', 'member1', 'late');
  plane.run(dependenciesDistributor);
  await plane.until('the need is known', async () => {
    const annotations = (await bindingOf(plane, 'web-deployment'))?.metadata.annotations;
    return annotations?.['resourcebinding.karmada.io/dependencies'] !== undefined;
  });
  assert.equal(await requiredBy(plane, 'late'), undefined);
  await plane.client.create(configMaps, configMap('late'));
  await untilRequiredBy(plane, 'late', 'web-deployment@member1');
});

test('an attached binding that somebody deletes comes back', async () => {
  await using plane = await startControlPlane();
  const { client } = plane;
  await client.create(configMaps, configMap('conf'));
  await deploy(plane, 'web', 'member1', 'conf');
  plane.run(dependenciesDistributor);
  await untilRequiredBy(plane, 'conf', 'web-deployment@member1');

  const first = await client.get(kinds.resourceBindings, key('conf-configmap'));
  await client.delete(kinds.resourceBindings, key('conf-configmap'));
  // The binding controller's part.
  await client.patch(kinds.resourceBindings, key('conf-configmap'), {
    type: 'merge',
    body: { metadata: { finalizers: null } },
  });
  await plane.until('another takes its place', async () => {
    const now = await bindingOf(plane, 'conf-configmap');
    return now !== undefined && now.metadata.uid !== first.metadata.uid;
  });
});

test('a binding that follows its dependencies no more loses them and the finalizer', async () => {
  await using plane = await startControlPlane();
  await plane.client.create(configMaps, configMap('conf'));
  await deploy(plane, 'web', 'member1', 'conf');
  plane.run(dependenciesDistributor);
  await untilRequiredBy(plane, 'conf', 'web-deployment@member1');

  await plane.client.patch(kinds.resourceBindings, key('web-deployment'), {
    type: 'merge',
    body: { spec: { propagateDeps: false } },
  });
  await plane.until('the finalizer is gone', async () => {
    const binding = await bindingOf(plane, 'web-deployment');
    return (binding?.metadata.finalizers ?? []).length === 0;
  });
  assert.equal(await requiredBy(plane, 'conf'), '');
});
