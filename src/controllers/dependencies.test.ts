import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject, ResourceBinding } from '../api/index.ts';
import { kinds, resource } from '../client/index.ts';
import { Interpretations, createInterpreter, nativeLayer } from '../interpreter/index.ts';
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

async function conditionOf(
  plane: ControlPlane,
  name: string,
  type: string,
): Promise<{ status: string; reason?: string; message?: string } | undefined> {
  return (await bindingOf(plane, name))?.status?.conditions?.find((one) => one.type === type);
}

test('something that is missing is said on the binding, until it is there and everywhere', async () => {
  await using plane = await startControlPlane();
  const { client } = plane;
  await deploy(plane, 'web', 'member1', 'late');
  plane.run(dependenciesDistributor);
  const reason = async (): Promise<string | undefined> =>
    (await conditionOf(plane, 'web-deployment', 'DependenciesReady'))?.reason;
  await plane.until('it is missed', async () => (await reason()) === 'DependencyMissing');
  assert.equal(
    (await conditionOf(plane, 'web-deployment', 'DependenciesReady'))?.message,
    'ConfigMap shop/late is needed and not on the control plane.',
  );
  await client.create(configMaps, configMap('late'));
  await plane.until('it is on its way', async () => (await reason()) === 'DependencyNotApplied');
  const attached = await client.get(kinds.resourceBindings, key('late-configmap'));
  const aggregatedStatus = [{ clusterName: 'member1', applied: true }];
  await client.updateStatus(kinds.resourceBindings, {
    ...attached,
    status: { ...attached.status, aggregatedStatus },
  });
  await plane.until('it has arrived', async () => (await reason()) === 'AllApplied');
});

test('a policy of the dependency counts before those who need it, and both are told', async () => {
  await using plane = await startControlPlane();
  const { client } = plane;
  await client.create(configMaps, configMap('conf'));
  await deploy(plane, 'web', 'member1', 'conf');
  plane.run(dependenciesDistributor);
  await untilRequiredBy(plane, 'conf', 'web-deployment@member1');
  // The detector's part, when a policy comes to claim the ConfigMap.
  await client.patch(kinds.resourceBindings, key('conf-configmap'), {
    type: 'merge',
    body: { spec: { placement: {}, conflictResolution: 'Overwrite', clusters: [{ name: 'member9' }] } },
  });
  await plane.until('they do not agree', async () => {
    const said = await conditionOf(plane, 'conf-configmap', 'DependencyConflict');
    return (
      said?.message ===
      "Its own policy and those who need this do not agree on conflictResolution: the policy's word counts, in all clusters."
    );
  });
  assert.equal((await bindingOf(plane, 'conf-configmap'))?.spec.conflictResolution, 'Overwrite');
  await client.patch(kinds.resourceBindings, key('conf-configmap'), {
    type: 'merge',
    body: { spec: { conflictResolution: 'Abort' } },
  });
  await plane.until(
    'they agree',
    async () => (await conditionOf(plane, 'conf-configmap', 'DependencyConflict'))?.status === 'False',
  );
});

test('those who need something agree again when one of them goes', async () => {
  await using plane = await startControlPlane();
  const { client } = plane;
  await client.create(configMaps, configMap('conf'));
  await deploy(plane, 'web', 'member1', 'conf');
  await deploy(plane, 'api', 'member2', 'conf');
  await client.patch(kinds.resourceBindings, key('web-deployment'), {
    type: 'merge',
    body: { spec: { conflictResolution: 'Overwrite' } },
  });
  plane.run(dependenciesDistributor);
  const disagree = async (): Promise<string | undefined> =>
    (await conditionOf(plane, 'conf-configmap', 'DependencyConflict'))?.status;
  await plane.until('they do not agree', async () => (await disagree()) === 'True');
  await client.delete(kinds.resourceBindings, key('api-deployment'));
  await plane.until('who is left agrees', async () => (await disagree()) === 'False');
  assert.equal((await bindingOf(plane, 'conf-configmap'))?.spec.conflictResolution, 'Overwrite');
});

test('what a cluster-scoped template needs follows it, and leaves with it', async () => {
  await using plane = await startControlPlane();
  const { client } = plane;
  const volumes = resource({ group: '', version: 'v1', resource: 'persistentvolumes', namespaced: false });
  await client.create(kinds.secrets, { apiVersion: 'v1', kind: 'Secret', metadata: key('disk') });
  const nodePublishSecretRef = { namespace: NAMESPACE, name: 'disk' };
  await client.create(volumes, {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'data' },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      csi: { driver: 'example.io', volumeHandle: 'data', nodePublishSecretRef },
    },
  });
  await client.create(kinds.clusterResourceBindings, {
    apiVersion: 'work.karmada.io/v1alpha2',
    kind: 'ClusterResourceBinding',
    metadata: { name: 'data-persistentvolume' },
    spec: {
      resource: { apiVersion: 'v1', kind: 'PersistentVolume', name: 'data' },
      propagateDeps: true,
      clusters: [{ name: 'member1' }],
    },
  });
  plane.run(dependenciesDistributor);
  await plane.until('the secret follows', async () => {
    const binding = await bindingOf(plane, 'disk-secret');
    const [by] = binding?.spec.requiredBy ?? [];
    return (
      by?.name === 'data-persistentvolume' &&
      by.namespace === undefined &&
      by.clusters?.[0]?.name === 'member1'
    );
  });
  await client.delete(kinds.clusterResourceBindings, { name: 'data-persistentvolume' });
  await plane.until(
    'nobody needs it',
    async () => (await bindingOf(plane, 'disk-secret'))?.spec.requiredBy === undefined,
  );
});

test('Services that lead to its pods come along when a template asks for them', async () => {
  await using plane = await startControlPlane();
  const { client } = plane;
  const service = (name: string, app: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: key(name),
    spec: { selector: { app }, ports: [{ port: 80 }] },
  });
  await client.create(kinds.services, service('front', 'web'));
  await client.create(kinds.services, service('other', 'api'));
  await deploy(plane, 'web', 'member1');
  plane.run(dependenciesDistributor);
  await plane.until('its needs are known', async () => {
    const annotations = (await bindingOf(plane, 'web-deployment'))?.metadata.annotations;
    return annotations?.['resourcebinding.karmada.io/dependencies'] !== undefined;
  });
  assert.equal(await bindingOf(plane, 'front-service'), undefined);
  const marked = await client.patch(deployments, key('web'), {
    type: 'merge',
    body: { metadata: { annotations: { 'navarch.io/with-services': 'true' } } },
  });
  await client.patch(kinds.resourceBindings, key('web-deployment'), {
    type: 'merge',
    body: { spec: { resource: { resourceVersion: marked.metadata.resourceVersion } } },
  });
  await plane.until(
    'the Service follows',
    async () => (await bindingOf(plane, 'front-service')) !== undefined,
  );
  await client.create(kinds.services, service('late', 'web'));
  await plane.until(
    'so does one that comes later',
    async () => (await bindingOf(plane, 'late-service')) !== undefined,
  );
  assert.equal(await bindingOf(plane, 'other-service'), undefined);
  await client.delete(kinds.services, key('front'));
  await plane.until('what is gone is no longer needed', async () => {
    const text =
      (await bindingOf(plane, 'web-deployment'))?.metadata.annotations?.[
        'resourcebinding.karmada.io/dependencies'
      ] ?? '';
    return !text.includes('front') && text.includes('late');
  });
});

/** A ServiceAccount that pulls images by a Secret, as its interpreter says. */
const accounts = new Interpretations(() => '2026-01-01T00:00:00Z');
accounts.load([
  {
    apiVersion: 'navarch.io/v1alpha1',
    kind: 'ResourceInterpretation',
    metadata: { name: 'accounts' },
    spec: {
      target: { apiVersion: 'v1', kind: 'ServiceAccount' },
      dependencies: {
        references: [{ apiVersion: 'v1', kind: 'Secret', path: '.imagePullSecrets[*].name' }],
      },
    },
  } as never,
]);

for (const indirect of [true, false]) {
  test(`what a dependency needs is ${indirect ? 'taken along when the template asks for it' : 'not followed by itself'}`, async () => {
    const interpreter = createInterpreter([accounts.layer, nativeLayer(() => '2026-01-01T00:00:00Z')]);
    await using plane = await startControlPlane({}, interpreter);
    const { client } = plane;
    const account = resource({ group: '', version: 'v1', resource: 'serviceaccounts', namespaced: true });
    const secrets = resource({ group: '', version: 'v1', resource: 'secrets', namespaced: true });
    for (const name of ['pull', 'other'])
      await client.create(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: key(name) });
    await client.create(account, {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: key('runner'),
      imagePullSecrets: [{ name: 'pull' }],
    });
    await deploy(plane, 'web', 'member1');
    await client.patch(deployments, key('web'), {
      type: 'merge',
      body: {
        metadata: { annotations: { 'navarch.io/with-indirect-dependencies': String(indirect) } },
        spec: { template: { spec: { serviceAccountName: 'runner' } } },
      },
    });
    plane.run(dependenciesDistributor);
    await plane.until(
      'the account follows',
      async () => (await bindingOf(plane, 'runner-serviceaccount')) !== undefined,
    );
    const attached = async (name: string): Promise<boolean> =>
      ((await bindingOf(plane, `${name}-secret`))?.spec.requiredBy ?? []).length > 0;
    if (!indirect) {
      const needs = (await bindingOf(plane, 'web-deployment'))?.metadata.annotations;
      assert.doesNotMatch(needs?.['resourcebinding.karmada.io/dependencies'] ?? '', /Secret/);
      return;
    }
    await plane.until('its secret follows', () => attached('pull'));
    await client.patch(account, key('runner'), {
      type: 'merge',
      body: { imagePullSecrets: [{ name: 'other' }] },
    });
    await plane.until('what it needs now follows', () => attached('other'));
    await plane.until('what it no longer needs stays', async () => !(await attached('pull')));
  });
}
