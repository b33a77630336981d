import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../api/index.ts';
import { kinds } from '../client/index.ts';
import {
  clusterPackage,
  conditionOf,
  create,
  failure,
  installed,
  managed,
  namespacedPackage,
  packageWorld,
  read,
  remove,
} from './testing/world.ts';

const deployments = { group: 'apps', version: 'v1', resource: 'deployments', namespaced: true };
const configMap = (name: string, data: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
});
const deployment = (name: string): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  },
});

test('a package is installed with what it needs, updated, configured and taken down without a trace', async () => {
  await using world = await packageWorld();
  const { client, repository } = world;
  const before = await managed(world);
  const values = {
    color: {
      type: 'text',
      targets: [
        {
          patch: { op: 'add', path: '/data/color' },
          resource: { kind: 'ConfigMap', name: 'settings', apiGroup: 'v1' },
        },
      ],
    },
  };
  repository.publish(
    'base',
    'v1.0.0',
    { defaultNamespace: 'base-system', manifests: [{ url: 'base.yaml' }] },
    { 'base.yaml': [deployment('base')] },
  );
  const app = {
    defaultNamespace: 'app-system',
    dependencies: [{ name: 'base', version: '^1' }],
    valueDefinitions: values,
  };
  repository.publish(
    'app',
    'v1.0.0',
    { ...app, manifests: [{ url: 'app.yaml' }] },
    { 'app.yaml': [configMap('settings', { version: '1' }), configMap('old'), deployment('app')] },
  );
  repository.publish(
    'app',
    'v1.1.0',
    { ...app, manifests: [{ url: 'app.yaml' }] },
    { 'app.yaml': [configMap('settings', { version: '2' }), deployment('app')] },
  );

  const one = clusterPackage('app', 'v1.0.0', { values: { color: { value: 'red' } } });
  await create(world, one);
  await installed(world, one);
  const base = await read(world, clusterPackage('base', ''));
  assert.equal(base?.metadata.annotations?.['packages.glasskube.dev/installed-as-dependency'], 'true');
  assert.equal(conditionOf(base, 'Ready')?.status, 'True');
  const settings = async (): Promise<unknown> =>
    (await client.get(kinds.configMaps, { namespace: 'app-system', name: 'settings' }))['data'];
  assert.deepEqual(await settings(), { version: '1', color: 'red' });
  assert.deepEqual(await managed(world), [
    ...before, 'ConfigMap app-system/old', 'ConfigMap app-system/settings', 'Deployment app-system/app', 'Deployment base-system/base', 'Namespace app-system', 'Namespace base-system',
  ].sort()); // prettier-ignore

  // Configured and updated at once; what the new version does not have goes.
  await client.patch(
    kinds.clusterPackages,
    { name: 'app' },
    {
      type: 'merge',
      body: { spec: { packageInfo: { version: 'v1.1.0' }, values: { color: { value: 'blue' } } } },
    },
  );
  await installed(world, one, 'v1.1.0');
  assert.deepEqual(await settings(), { version: '2', color: 'blue' });
  await world.until(
    'what is left over is gone',
    async () => (await client.find(kinds.configMaps, { namespace: 'app-system', name: 'old' })) === undefined,
  );

  await remove(world, one);
  await world.until(
    'the dependency is gone too',
    async () => (await client.list(kinds.clusterPackages)).items.length === 0,
  );
  await world.until('nothing is left', async () => (await managed(world)).length === before.length);
  assert.deepEqual((await client.list(kinds.packageInfos)).items, []);
});

test('what somebody changes or deletes is put right, and nothing is written while nothing changes', async () => {
  await using world = await packageWorld();
  const { client, repository } = world;
  repository.publish(
    'app',
    'v1.0.0',
    { defaultNamespace: 'n', manifests: [{ url: 'a.yaml' }] },
    { 'a.yaml': [configMap('c', { a: '1' }), deployment('d')] },
  );
  const one = clusterPackage('app', 'v1.0.0');
  await create(world, one);
  await installed(world, one);
  const place = { namespace: 'n', name: 'c' };
  await client.patch(kinds.configMaps, place, { type: 'merge', body: { data: { a: '2' } } });
  await world.until(
    'the change is taken back',
    async () => ((await client.get(kinds.configMaps, place))['data'] as { a: string }).a === '1',
  );
  await client.delete(deployments, { namespace: 'n', name: 'd' });
  await world.until(
    'what was deleted is back',
    async () => (await client.find(deployments, { namespace: 'n', name: 'd' })) !== undefined,
  );
  await installed(world, one);
  await world.pass(5_000);
  const asked = repository.asked.length;
  world.writes.length = 0;
  await world.pass(240_000);
  assert.deepEqual(
    world.writes.filter((write) => !/events|leases/.test(write)),
    [],
  );
  assert.equal(repository.asked.length, asked);
});

test('a namespaced package is installed twice side by side', async () => {
  await using world = await packageWorld();
  const { client, repository } = world;
  repository.publish(
    'web',
    'v1.0.0',
    { scope: 'Namespaced', defaultNamespace: 'x', manifests: [{ url: 'a.yaml' }] },
    { 'a.yaml': [configMap('cfg', { a: '1' }), deployment('web')] },
  );
  await client.create(kinds.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } });
  const all = ['one', 'two'].map((name) => namespacedPackage('team', name, 'web', 'v1.0.0'));
  for (const one of all) await create(world, one);
  for (const one of all) await installed(world, one);
  assert.deepEqual(await managed(world), [
    'ConfigMap team/one-cfg',
    'ConfigMap team/two-cfg',
    'Deployment team/one-web',
    'Deployment team/two-web',
  ]);
  await remove(world, all[0]!);
  await world.until('only the other is left', async () => (await managed(world)).length === 2);
  assert.deepEqual(await managed(world), ['ConfigMap team/two-cfg', 'Deployment team/two-web']);
});

test('components are configured by their parent and belong to it', async () => {
  await using world = await packageWorld();
  const { repository } = world;
  const values = {
    v: {
      type: 'text',
      targets: [{ patch: { op: 'add', path: '/data/v' }, resource: { kind: 'ConfigMap', name: 'c' } }],
    },
  };
  repository.publish(
    'part',
    'v1.0.0',
    { scope: 'Namespaced', defaultNamespace: 'x', valueDefinitions: values, manifests: [{ url: 'a.yaml' }] },
    { 'a.yaml': [configMap('c')] },
  );
  repository.publish('whole', 'v1.0.0', {
    defaultNamespace: 'whole',
    components: [{ name: 'part', installedName: 'p', values: { v: { value: '7' } } }],
  });
  const one = clusterPackage('whole', 'v1.0.0');
  await create(world, one);
  await installed(world, one);
  const part = namespacedPackage('whole', 'whole-p', 'part', 'v1.0.0');
  assert.deepEqual((await read(world, part))?.spec.values, { v: { value: '7' } });
  await remove(world, one);
  await world.until('the component is gone too', async () => (await read(world, part)) === undefined);
  await world.until('nothing is left', async () => (await managed(world)).length === 0);
});

test('definitions and what they define come in one file', async () => {
  await using world = await packageWorld();
  const crd: KubeObject = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'foos.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { kind: 'Foo', plural: 'foos', singular: 'foo', listKind: 'FooList' },
      versions: [
        { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
      ],
    },
  };
  world.repository.publish(
    'foo',
    'v1.0.0',
    { defaultNamespace: 'foo', manifests: [{ url: 'a.yaml' }] },
    { 'a.yaml': [{ apiVersion: 'example.com/v1', kind: 'Foo', metadata: { name: 'f' } }, crd] },
  );
  // Its dependant wants the kind before it is there.
  world.repository.publish(
    'bar',
    'v1.0.0',
    { defaultNamespace: 'bar', dependencies: [{ name: 'foo' }], manifests: [{ url: 'a.yaml' }] },
    { 'a.yaml': [{ apiVersion: 'example.com/v1', kind: 'Foo', metadata: { name: 'g' } }] },
  );
  const one = clusterPackage('bar', 'v1.0.0');
  await create(world, one);
  await installed(world, one);
  const foos = { group: 'example.com', version: 'v1', resource: 'foos', namespaced: true };
  assert.ok(await world.client.find(foos, { namespace: 'foo', name: 'f' }));
  assert.ok(await world.client.find(foos, { namespace: 'bar', name: 'g' }));
  await remove(world, one);
  await world.until('nothing is left', async () => (await managed(world)).length === 0);
});

test('what was there before is configured but stays when the package goes', async () => {
  await using world = await packageWorld();
  const { client, repository } = world;
  repository.publish(
    'app',
    'v1.0.0',
    { defaultNamespace: 'default', manifests: [{ url: 'a.yaml' }] },
    { 'a.yaml': [configMap('c', { a: '1' }), configMap('d')] },
  );
  await client.create(kinds.configMaps, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'c', namespace: 'default' },
    data: { b: '2' },
  });
  const one = clusterPackage('app', 'v1.0.0');
  await create(world, one);
  await installed(world, one);
  const place = { namespace: 'default', name: 'c' };
  assert.deepEqual((await client.get(kinds.configMaps, place))['data'], { a: '1', b: '2' });
  await remove(world, one);
  assert.ok(await client.find(kinds.configMaps, place));
  assert.equal(await client.find(kinds.configMaps, { namespace: 'default', name: 'd' }), undefined);
  assert.ok(await client.find(kinds.namespaces, { name: 'default' }));
});

test('an object of another package is not taken over', async () => {
  await using world = await packageWorld();
  for (const name of ['a', 'b'])
    world.repository.publish(
      name,
      'v1.0.0',
      { defaultNamespace: 'n', manifests: [{ url: 'a.yaml' }] },
      { 'a.yaml': [configMap('c', { of: name })] },
    );
  await create(world, clusterPackage('a', 'v1.0.0'));
  await installed(world, clusterPackage('a', 'v1.0.0'));
  await create(world, clusterPackage('b', 'v1.0.0'));
  assert.match(
    await failure(world, clusterPackage('b', 'v1.0.0')),
    /ConfigMap n\/c belongs to ClusterPackage "a" already/,
  );
  await remove(world, clusterPackage('b', 'v1.0.0'));
  assert.deepEqual(await managed(world), ['ConfigMap n/c', 'Namespace n']);
});

test('a shared dependency keeps its own values and stays as long as somebody needs it', async () => {
  await using world = await packageWorld();
  const { client, repository } = world;
  const values = { v: { type: 'text', targets: [] } };
  repository.publish(
    'base',
    'v1.0.0',
    { defaultNamespace: 'base', valueDefinitions: values, manifests: [{ url: 'a.yaml' }] },
    { 'a.yaml': [configMap('c')] },
  );
  for (const name of ['x', 'y'])
    repository.publish(name, 'v1.0.0', { defaultNamespace: name, dependencies: [{ name: 'base' }] });
  for (const name of ['x', 'y']) {
    await create(world, clusterPackage(name, 'v1.0.0'));
    await installed(world, clusterPackage(name, 'v1.0.0'));
  }
  await client.patch(
    kinds.clusterPackages,
    { name: 'base' },
    { type: 'merge', body: { spec: { values: { v: { value: 'mine' } } } } },
  );
  await world.pass(15_000);
  await remove(world, clusterPackage('x', 'v1.0.0'));
  await world.pass(5_000);
  const base = await read(world, clusterPackage('base', ''));
  assert.deepEqual(base?.spec.values, { v: { value: 'mine' } });
  await remove(world, clusterPackage('y', 'v1.0.0'));
  await world.until(
    'nobody needs it any more',
    async () => (await read(world, clusterPackage('base', ''))) === undefined,
  );
});

test('what others need is held until they are gone, though it was deleted', async () => {
  await using world = await packageWorld();
  const { client, repository } = world;
  repository.publish(
    'base',
    'v1.0.0',
    { defaultNamespace: 'base', manifests: [{ url: 'a.yaml' }] },
    { 'a.yaml': [configMap('c')] },
  );
  repository.publish('app', 'v1.0.0', { defaultNamespace: 'app', dependencies: [{ name: 'base' }] });
  const [app, base] = [clusterPackage('app', 'v1.0.0'), clusterPackage('base', '')];
  await create(world, app);
  await installed(world, app);
  await client.delete(kinds.clusterPackages, { name: 'base' });
  await world.until('it says why', async () =>
    /held, since app needs it/.test(conditionOf(await read(world, base), 'Ready')?.message ?? ''),
  );
  assert.ok(await client.find(kinds.configMaps, { namespace: 'base', name: 'c' }));
  await remove(world, app);
  await world.until('it goes once nobody needs it', async () => (await read(world, base)) === undefined);
  await world.until('nothing is left', async () => (await managed(world)).length === 0);
});

test('deleting a package before what it needs is there leaks nothing', async () => {
  await using world = await packageWorld();
  world.repository.publish(
    'base',
    'v1.0.0',
    { defaultNamespace: 'base', manifests: [{ url: 'a.yaml' }] },
    { 'a.yaml': [deployment('d')] },
  );
  world.repository.publish('app', 'v1.0.0', { defaultNamespace: 'app', dependencies: [{ name: 'base' }] });
  const one = clusterPackage('app', 'v1.0.0');
  await create(world, one);
  await world.until(
    'the dependency is being installed',
    async () => (await read(world, clusterPackage('base', ''))) !== undefined,
  );
  await remove(world, one);
  await world.until(
    'the dependency is gone too',
    async () => (await read(world, clusterPackage('base', ''))) === undefined,
  );
  await world.until('nothing is left', async () => (await managed(world)).length === 0);
});

test('a dependency that was made a moment before its package is deleted goes too, though nobody has heard of it', async () => {
  await using world = await packageWorld();
  const { client, repository } = world;
  repository.publish(
    'base',
    'v1.0.0',
    { defaultNamespace: 'base', manifests: [{ url: 'a.yaml' }] },
    { 'a.yaml': [configMap('c')] },
  );
  repository.publish('app', 'v1.0.0', { scope: 'Namespaced', dependencies: [{ name: 'base' }] });
  await client.create(kinds.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n' } });
  const one = namespacedPackage('n', 'mine', 'app', 'v1.0.0');
  const base = clusterPackage('base', '');
  const tell = world.keepFrom('clusterpackages');
  await create(world, one);
  await world.until('the dependency is there', async () => (await read(world, base)) !== undefined);
  await remove(world, one);
  tell();
  await world.until('the dependency is gone too', async () => (await read(world, base)) === undefined);
  await world.until('nothing is left', async () => (await managed(world)).length === 0);
});

test('a package that updates itself follows its repository, as far as others can do with it', async () => {
  await using world = await packageWorld({ autoUpdateMs: 10_000 });
  const { client, repository } = world;
  const content = { defaultNamespace: 'n', manifests: [{ url: 'a.yaml' }] };
  repository.publish('base', 'v1.0.0', content, { 'a.yaml': [configMap('c', { v: '1' })] });
  repository.publish('user', 'v1.0.0', {
    defaultNamespace: 'n',
    dependencies: [{ name: 'base', version: '^1' }],
  });
  const one = clusterPackage('base', 'v1.0.0');
  await create(world, {
    ...one,
    metadata: { ...one.metadata, annotations: { 'packages.glasskube.dev/auto-update': 'true' } },
  });
  await create(world, clusterPackage('user', 'v1.0.0'));
  await installed(world, clusterPackage('user', 'v1.0.0'));
  repository.publish('base', 'v1.2.0', content, { 'a.yaml': [configMap('c', { v: '2' })] });
  await world.until(
    'it is updated',
    async () => (await read(world, one))?.status?.version === 'v1.2.0',
    900_000,
  );
  repository.publish('base', 'v2.0.0', content, { 'a.yaml': [configMap('c', { v: '3' })] });
  await world.until(
    'the update is held',
    async () =>
      (await client.list(kinds.events)).items.some(
        ({ reason, message }) => reason === 'AutoUpdateHeld' && /user needs base "\^1"/.test(String(message)),
      ),
    900_000,
  );
  assert.equal((await read(world, one))?.spec.packageInfo.version, 'v1.2.0');
});

test('what a control plane sent is the control plane’s to update', async () => {
  await using world = await packageWorld({ autoUpdateMs: 10_000 });
  const { repository } = world;
  const content = { defaultNamespace: 'n', manifests: [{ url: 'a.yaml' }] };
  for (const name of ['sent', 'own'])
    repository.publish(name, 'v1.0.0', content, { 'a.yaml': [configMap(name)] });
  const annotations = { 'packages.glasskube.dev/auto-update': 'true' };
  const sent = clusterPackage('sent', 'v1.0.0');
  const own = clusterPackage('own', 'v1.0.0');
  await create(world, {
    ...sent,
    metadata: { ...sent.metadata, annotations, labels: { 'karmada.io/managed': 'true' } },
  });
  await create(world, { ...own, metadata: { ...own.metadata, annotations } });
  await installed(world, sent);
  await installed(world, own);
  for (const name of ['sent', 'own'])
    repository.publish(name, 'v1.1.0', content, { 'a.yaml': [configMap(name)] });
  await world.until(
    'the other one is updated',
    async () => (await read(world, own))?.status?.version === 'v1.1.0',
    900_000,
  );
  assert.equal((await read(world, sent))?.spec.packageInfo.version, 'v1.0.0');
});
