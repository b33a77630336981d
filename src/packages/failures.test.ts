// What cannot be installed: said by name, with the way out, and nothing of it in the cluster.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject, PackageInfo, PackageRepository } from '../api/index.ts';
import { kinds } from '../client/index.ts';
import type { AnyPackage } from '../packaging/index.ts';
import {
  REPOSITORY,
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
  type PackageWorld,
} from './testing/world.ts';

const configMap = (name: string, data: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
});
const content = { defaultNamespace: 'n', manifests: [{ url: 'a.yaml' }] };
const files = { 'a.yaml': [configMap('c')] };

/** Nothing but the package itself may be there. */
async function assertUntouched(world: PackageWorld, one: AnyPackage): Promise<void> {
  assert.deepEqual(await managed(world), []);
  const packages = [
    ...(await world.client.list(kinds.clusterPackages)).items,
    ...(await world.client.list(kinds.packages)).items,
  ];
  assert.deepEqual(
    packages.map(({ metadata }) => metadata.name),
    [one.metadata.name],
  );
  await remove(world, one);
  assert.deepEqual((await world.client.list(kinds.packageInfos)).items, []);
}

const CASES: readonly {
  readonly called: string;
  readonly publish: (world: PackageWorld) => void;
  readonly wanted?: AnyPackage;
  readonly why: RegExp;
}[] = [
  {
    called: 'a package that its repository does not have',
    publish: () => undefined,
    why: /SyncFailed: repository "main" cannot be used: http:\/\/repository\.test\/packages\/app\/v1\.0\.0\/package\.yaml: there is no such file/,
  },
  {
    called: 'a manifest that is none',
    publish: ({ repository }) => repository.publish('app', 'v1.0.0', { manifests: 'x' }),
    why: /SyncFailed: .*package\.yaml is not valid: manifests/,
  },
  {
    called: 'a file that is missing',
    publish: ({ repository }) => repository.publish('app', 'v1.0.0', content),
    why: /SyncFailed: .*v1\.0\.0\/a\.yaml: there is no such file/,
  },
  {
    called: 'a dependency that nobody has',
    publish: ({ repository }) =>
      repository.publish(
        'app',
        'v1.0.0',
        { ...content, dependencies: [{ name: 'base', version: '^2' }] },
        files,
      ),
    why: /InstallationFailed: app needs base "\^2", and no repository has it; add a repository/,
  },
  {
    called: 'a dependency of which no version will do',
    publish({ repository }) {
      repository.publish('base', 'v1.0.0', content, files);
      repository.publish(
        'app',
        'v1.0.0',
        { ...content, dependencies: [{ name: 'base', version: '^2' }] },
        files,
      );
    },
    why: /no version of base in repository main will do for app \(app wants "\^2"\): v1\.0\.0 is not in "\^2", which app wants; publish one/,
  },
  {
    called: 'a dependency of a dependency that cannot be had',
    publish({ repository }) {
      repository.publish(
        'base',
        'v1.0.0',
        { ...content, dependencies: [{ name: 'deep', version: '>=3' }] },
        files,
      );
      repository.publish('app', 'v1.0.0', { ...content, dependencies: [{ name: 'base' }] }, files);
    },
    why: /base needs deep ">=3", and no repository has it/,
  },
  {
    called: 'packages that need each other in a circle',
    publish({ repository }) {
      repository.publish('base', 'v1.0.0', { ...content, dependencies: [{ name: 'app' }] }, files);
      repository.publish('app', 'v1.0.0', { ...content, dependencies: [{ name: 'base' }] }, files);
    },
    why: /base -> app -> base is a circle/,
  },
  {
    called: 'a value that is not valid, though it needs a dependency first',
    publish({ repository }) {
      const valueDefinitions = { size: { type: 'number', constraints: { min: 3 }, targets: [] } };
      repository.publish('base', 'v1.0.0', content, files);
      repository.publish(
        'app',
        'v1.0.0',
        { ...content, valueDefinitions, dependencies: [{ name: 'base' }] },
        files,
      );
    },
    wanted: clusterPackage('app', 'v1.0.0', { values: { size: { value: '2' }, colour: { value: 'x' } } }),
    why: /ValueConfigurationInvalid: value "colour": package "app" has no such value; it has size; value "size": 2 is less than 3/,
  },
  {
    called: 'a value from a Secret that is not there',
    publish: ({ repository }) =>
      repository.publish(
        'app',
        'v1.0.0',
        { ...content, valueDefinitions: { v: { type: 'text', targets: [] } } },
        files,
      ),
    wanted: clusterPackage('app', 'v1.0.0', {
      values: { v: { valueFrom: { secretRef: { name: 's', namespace: 'default', key: 'k' } } } },
    }),
    why: /value "v": there is no Secret default\/s/,
  },
  {
    called: 'a patch that does not apply',
    publish({ repository }) {
      const target = {
        patch: { op: 'replace', path: '/data/none' },
        resource: { kind: 'ConfigMap', name: 'c' },
      };
      repository.publish(
        'app',
        'v1.0.0',
        { ...content, valueDefinitions: { v: { type: 'text', targets: [target] } } },
        files,
      );
    },
    wanted: clusterPackage('app', 'v1.0.0', { values: { v: { value: 'x' } } }),
    why: /value "v": replace \/data\/none does not apply to ConfigMap "c"/,
  },
  {
    called: 'a kind that the cluster does not have',
    publish: ({ repository }) =>
      repository.publish('app', 'v1.0.0', content, {
        'a.yaml': [configMap('c'), { apiVersion: 'example.com/v1', kind: 'Foo', metadata: { name: 'f' } }],
      }),
    why: /the cluster does not serve example\.com\/v1 Foo, which a\.yaml wants/,
  },
  {
    called: 'charts where nothing installs charts',
    publish: ({ repository }) =>
      repository.publish(
        'app',
        'v1.0.0',
        { ...content, helm: { repositoryUrl: 'https://charts.test', chartName: 'c', chartVersion: '1' } },
        files,
      ),
    why: /HelmUnavailable: package "app": it has charts, and nothing here installs charts: there is no helm program here, and the cluster does not serve helm\.toolkit\.fluxcd\.io\/v2 HelmRelease/,
  },
  {
    called: 'kustomize',
    publish: ({ repository }) => repository.publish('app', 'v1.0.0', { ...content, kustomize: {} }, files),
    why: /UnsupportedFormat: .*kustomize/,
  },
  {
    called: 'a namespaced package as a ClusterPackage',
    publish: ({ repository }) =>
      repository.publish('app', 'v1.0.0', { ...content, scope: 'Namespaced' }, files),
    why: /installed into a namespace; make a Package of it/,
  },
  {
    called: 'a ClusterPackage under another name',
    publish: ({ repository }) => repository.publish('app', 'v1.0.0', content, files),
    wanted: { ...clusterPackage('app', 'v1.0.0'), metadata: { name: 'other' } },
    why: /name it "app" instead of "other"/,
  },
  {
    called: 'a file that is not what its manifest says',
    publish: ({ repository }) =>
      repository.publish(
        'app',
        'v1.0.0',
        { ...content, manifests: [{ url: 'a.yaml', sha256: 'f'.repeat(64) }] },
        files,
      ),
    why: /IntegrityFailed: a\.yaml has SHA-256 [0-9a-f]{64}, but its repository says it must be f{64}; nothing of it is used/,
  },
];

for (const { called, publish, wanted = clusterPackage('app', 'v1.0.0'), why } of CASES)
  test(`${called} is refused by name, and nothing is half-installed`, async () => {
    await using world = await packageWorld();
    publish(world);
    await create(world, wanted);
    assert.match(await failure(world, wanted), why);
    await world.pass(2_000);
    await assertUntouched(world, wanted);
  });

test('an update that cannot be done leaves what is installed as it is', async () => {
  await using world = await packageWorld();
  const { client, repository } = world;
  const one = clusterPackage('app', 'v1.0.0');
  repository.publish('app', 'v1.0.0', content, { 'a.yaml': [configMap('c', { v: '1' })] });
  repository.publish(
    'app',
    'v2.0.0',
    { ...content, dependencies: [{ name: 'none' }] },
    { 'a.yaml': [configMap('c', { v: '2' })] },
  );
  await create(world, one);
  await installed(world, one);
  await client.patch(
    kinds.clusterPackages,
    { name: 'app' },
    { type: 'merge', body: { spec: { packageInfo: { version: 'v2.0.0' } } } },
  );
  assert.match(await failure(world, one), /app needs none/);
  const now = await read(world, one);
  assert.equal(now?.status?.version, 'v1.0.0');
  assert.deepEqual((await client.get(kinds.configMaps, { namespace: 'n', name: 'c' }))['data'], { v: '1' });
});

test('a file that changes under the same version is refused, until somebody accepts it', async () => {
  await using world = await packageWorld({ packageInfoSyncMs: 20_000 });
  const { client, repository } = world;
  const one = clusterPackage('app', 'v1.0.0');
  repository.publish('app', 'v1.0.0', content, { 'a.yaml': [configMap('c', { v: '1' })] });
  await create(world, one);
  await installed(world, one);
  // The file alone: what is installed is not touched, and after a restart nothing new comes in either.
  repository.publish('app', 'v1.0.0', content, { 'a.yaml': [configMap('c', { v: 'evil' })] });
  await world.restart();
  await world.until(
    'the change is named',
    async () =>
      /a\.yaml was changed under the same version/.test(
        conditionOf(await read(world, one), 'Ready')?.message ?? '',
      ),
    120_000,
  );
  assert.equal(conditionOf(await read(world, one), 'Ready')?.status, 'True');
  const data = async (): Promise<unknown> =>
    (await client.get(kinds.configMaps, { namespace: 'n', name: 'c' }))['data'];
  assert.deepEqual(await data(), { v: '1' });
  // A second package of it is not installed from the changed file.
  await client.delete(kinds.packageInfos, { name: 'app--v1.0.0' });
  await world.until(
    'the change is accepted',
    async () => ((await data()) as { v: string }).v === 'evil',
    900_000,
  );
});

test('a repository may move, but the files of a version are the same everywhere', async () => {
  await using world = await packageWorld({ packageInfoSyncMs: 20_000, repositorySyncMs: 20_000 });
  const { client, repository } = world;
  const one = clusterPackage('app', 'v1.0.0');
  repository.publish('app', 'v1.0.0', content, files);
  await create(world, one);
  await installed(world, one);
  const moved = 'http://elsewhere.test';
  for (const [url, file] of new Map(repository.files))
    repository.files.set(url.replace(REPOSITORY, moved), file);
  const move = (url: string): Promise<unknown> =>
    client.patch(kinds.packageRepositories, { name: 'main' }, { type: 'merge', body: { spec: { url } } });
  await move(moved);
  const info = async (): Promise<PackageInfo> => client.get(kinds.packageInfos, { name: 'app--v1.0.0' });
  await world.until(
    'it is read there',
    async () => (await info()).status?.resolvedUrl?.startsWith(moved) === true,
    900_000,
  );
  const forged = 'http://forged.test';
  for (const [url, file] of new Map(repository.files)) repository.files.set(url.replace(moved, forged), file);
  repository.files.set(
    `${forged}/app/v1.0.0/package.yaml`,
    JSON.stringify({ name: 'app', ...content, defaultNamespace: 'other' }),
  );
  await move(forged);
  await world.until(
    'the other content is refused',
    async () =>
      (await info()).status?.conditions?.some(({ reason }) => reason === 'IntegrityFailed') === true,
    900_000,
  );
  await world.pass(5_000);
  assert.equal(await client.find(kinds.namespaces, { name: 'other' }), undefined);
});

test('a manifest that changes under the same version is refused', async () => {
  await using world = await packageWorld({ packageInfoSyncMs: 20_000 });
  const { client, repository } = world;
  const one = clusterPackage('app', 'v1.0.0');
  repository.publish('app', 'v1.0.0', content, files);
  await create(world, one);
  await installed(world, one);
  repository.publish('app', 'v1.0.0', { ...content, defaultNamespace: 'other' }, files);
  await world.until(
    'the PackageInfo names it',
    async () => {
      const { status } = await client.get(kinds.packageInfos, { name: 'app--v1.0.0' });
      return (
        status?.conditions?.some(
          ({ reason, message }) => reason === 'IntegrityFailed' && /package\.yaml was changed/.test(message),
        ) === true
      );
    },
    900_000,
  );
  await world.pass(5_000);
  assert.equal(conditionOf(await read(world, one), 'Ready')?.status, 'True');
  assert.equal(await client.find(kinds.namespaces, { name: 'other' }), undefined);
});

test('a repository that is away does not touch what is installed, and what waits for it goes on when it is back', async () => {
  await using world = await packageWorld({ repositorySyncMs: 10_000, packageInfoSyncMs: 10_000 });
  const { client, repository } = world;
  const one = clusterPackage('app', 'v1.0.0');
  repository.publish('app', 'v1.0.0', content, files);
  repository.publish(
    'late',
    'v1.0.0',
    { ...content, manifests: [{ url: 'b.yaml' }] },
    { 'b.yaml': [configMap('d')] },
  );
  await create(world, one);
  await installed(world, one);
  const kept = new Map(repository.files);
  for (const url of kept.keys()) repository.files.set(url, 503);
  await world.until('the repository is known to be away', async () => {
    const { status } = await client.get(kinds.packageRepositories, { name: 'main' });
    return status?.conditions?.some(({ status: is, message }) => is === 'False' && /it answers 503/.test(message)) === true;
  }, 120_000); // prettier-ignore
  await world.restart();
  await client.delete(kinds.configMaps, { namespace: 'n', name: 'c' });
  await create(world, clusterPackage('late', 'v1.0.0'));
  assert.match(
    await failure(world, clusterPackage('late', 'v1.0.0')),
    /SyncFailed: repository "main" cannot be used: .* it answers 503/,
  );
  const isBack = async (): Promise<boolean> =>
    (await client.find(kinds.configMaps, { namespace: 'n', name: 'c' })) !== undefined;
  await world.until('what was deleted meanwhile is back, from what is kept of it', isBack, 900_000);
  assert.match(
    conditionOf(await read(world, one), 'Ready')?.message ?? '',
    /stays as it is, since it cannot be compared/,
  );
  for (const [url, file] of kept) repository.files.set(url, file);
  await installed(world, clusterPackage('late', 'v1.0.0'));
});

test('logins come from Secrets, also both from one, and go to nobody else', async () => {
  await using world = await packageWorld({}, { withRepository: false });
  const { client, repository } = world;
  const secret: KubeObject = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'login', namespace: 'glasskube-system' },
    data: { user: Buffer.from('ann').toString('base64'), password: Buffer.from('p:w').toString('base64') },
  };
  const main: PackageRepository = {
    apiVersion: 'packages.glasskube.dev/v1alpha1',
    kind: 'PackageRepository',
    metadata: { name: 'main', annotations: { 'packages.glasskube.dev/default-repository': 'true' } },
    spec: {
      url: REPOSITORY,
      auth: {
        basic: {
          usernameSecretRef: { name: 'login', key: 'user' },
          passwordSecretRef: { name: 'login', key: 'password' },
        },
      },
    },
  };
  await client.create(kinds.packageRepositories, main);
  const messages = async (): Promise<string> =>
    (await client.get(kinds.packageRepositories, { name: 'main' })).status?.conditions?.[0]?.message ?? '';
  await world.until('the Secret is missed', async () =>
    /Secret glasskube-system\/login, which does not exist/.test(await messages()),
  );
  await client.create(kinds.secrets, secret);
  repository.publish(
    'app',
    'v1.0.0',
    { ...content, manifests: [{ url: 'a.yaml' }, { url: 'http://elsewhere.test/b.yaml' }] },
    files,
  );
  repository.files.set('http://elsewhere.test/b.yaml', JSON.stringify(configMap('d')));
  await create(world, clusterPackage('app', 'v1.0.0'));
  await world.until(
    'it is installed',
    async () => conditionOf(await read(world, clusterPackage('app', '')), 'Ready')?.status === 'True',
    900_000,
  );
  const basic = `Basic ${Buffer.from('ann:p:w').toString('base64')}`;
  for (const { url, authorization } of repository.asked)
    assert.equal(authorization, url.startsWith(REPOSITORY) ? basic : undefined, url);
  assert.ok(repository.asked.some(({ url }) => url.includes('elsewhere')));

  const password = Buffer.from('other').toString('base64');
  await client.patch(
    kinds.secrets,
    { namespace: 'glasskube-system', name: 'login' },
    { type: 'merge', body: { data: { password } } },
  );
  repository.asked.length = 0;
  const next = `Basic ${Buffer.from('ann:other').toString('base64')}`;
  await world.until(
    'the new login is used',
    () => repository.asked.some(({ authorization }) => authorization === next),
    900_000,
  );
});

test('a Package does not read Secrets of other namespaces, unless that is allowed', async () => {
  const valueDefinitions = {
    v: {
      type: 'text',
      targets: [{ patch: { op: 'add', path: '/data/v' }, resource: { kind: 'ConfigMap', name: 'c' } }],
    },
  };
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's', namespace: 'default' },
    data: { k: Buffer.from('hidden').toString('base64') },
  };
  const one = namespacedPackage('team', 'one', 'app', 'v1.0.0', {
    values: { v: { valueFrom: { secretRef: { name: 's', namespace: 'default', key: 'k' } } } },
  });
  for (const allowCrossNamespaceReferences of [false, true]) {
    await using world = await packageWorld({ allowCrossNamespaceReferences });
    world.repository.publish('app', 'v1.0.0', { ...content, scope: 'Namespaced', valueDefinitions }, files);
    await world.client.create(kinds.namespaces, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'team' },
    });
    await world.client.create(kinds.secrets, secret);
    await create(world, one);
    if (allowCrossNamespaceReferences) {
      await installed(world, one);
      assert.deepEqual(
        (await world.client.get(kinds.configMaps, { namespace: 'team', name: 'one-c' }))['data'],
        { v: 'hidden' },
      );
    } else assert.match(await failure(world, one), /Secret default\/s is in another namespace/);
  }
});

test('an operator that is stopped in the middle goes on where it was', async () => {
  await using world = await packageWorld();
  const { repository } = world;
  repository.publish('base', 'v1.0.0', content, files);
  repository.publish(
    'app',
    'v1.0.0',
    { defaultNamespace: 'm', dependencies: [{ name: 'base' }], manifests: [{ url: 'b.yaml' }] },
    { 'b.yaml': [configMap('d')] },
  );
  const one = clusterPackage('app', 'v1.0.0');
  await create(world, one);
  await world.until(
    'it has begun',
    async () => (await read(world, clusterPackage('base', ''))) !== undefined,
  );
  await world.restart();
  await installed(world, one);
  await remove(world, one);
  await world.until('nothing is left', async () => (await managed(world)).length === 0);
});
