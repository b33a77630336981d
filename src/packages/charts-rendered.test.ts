// Charts that a helm program renders: here one that does what little the tests need, run inside of the process.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { KubeObject } from '../api/index.ts';
import { kinds } from '../client/index.ts';
import type { HelmOptions } from './index.ts';
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
  type PackageWorld,
} from './testing/world.ts';

interface Render {
  readonly release: string;
  readonly values: Readonly<Record<string, unknown>>;
  readonly chart: string;
}

/** A program that renders with a function; `runs` counts. */
function helmOf(
  render: (what: Render) => readonly (readonly [string, object])[],
): HelmOptions & { runs: number } {
  const options = {
    mode: 'auto' as const,
    runs: 0,
    program: {
      version: 'v4.0.0',
      run({ args, input, chart }: { args: readonly string[]; input: string; chart: Uint8Array }) {
        options.runs++;
        const values = JSON.parse(input) as Render['values'];
        const objects = render({ release: args[1] ?? '', values, chart: Buffer.from(chart).toString() });
        return Promise.resolve(
          objects
            .map(([source, object]) => `---\n# Source: db/${source}\n${JSON.stringify(object)}\n`)
            .join(''),
        );
      },
    },
  };
  return options;
}

const configMap = (name: string, data: object, metadata: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
  data,
});
const crd = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.db.test' },
  spec: {
    group: 'db.test',
    scope: 'Namespaced',
    names: { kind: 'Widget', plural: 'widgets', singular: 'widget', listKind: 'WidgetList' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};
const target = { chartName: 'db', patch: { op: 'add', path: '/size' }, valueTemplate: '{{.}}' };
const manifest = {
  defaultNamespace: 'db',
  helm: { repositoryUrl: '../../charts', chartName: 'db', chartVersion: '7.1.0', values: { mode: 'small' } },
  valueDefinitions: { size: { type: 'number', targets: [target] } },
};

function publishChart({ repository }: PackageWorld, text: string): void {
  const url = 'http://repository.test/packages/charts';
  repository.files.set(
    `${url}/index.yaml`,
    JSON.stringify({ entries: { db: [{ version: '7.1.0', urls: ['db-7.1.0.tgz'] }] } }),
  );
  repository.files.set(`${url}/db-7.1.0.tgz`, text);
}

test('a chart is rendered, applied, configured, pruned and taken down; its definitions stay', async () => {
  const helm = helmOf(({ release, values, chart }) => [
    ['crds/widgets.yaml', crd],
    ['templates/a.yaml', configMap(release, { values: JSON.stringify(values), chart })],
    ...(values['size'] === 3 ? [['templates/b.yaml', configMap('extra', {})] as const] : []),
    ['templates/w.yaml', { apiVersion: 'db.test/v1', kind: 'Widget', metadata: { name: 'w' } }],
  ]);
  await using world = await packageWorld({}, { helm });
  const { client, repository } = world;
  publishChart(world, 'the chart');
  repository.publish('db', 'v1.0.0', manifest);
  const one = clusterPackage('db', 'v1.0.0', { values: { size: { value: '3' } } });
  await create(world, one);
  await installed(world, one);
  const place = { namespace: 'db', name: 'db-db' };
  assert.deepEqual((await client.get(kinds.configMaps, place))['data'], {
    values: '{"mode":"small","size":3}',
    chart: 'the chart',
  });
  const now = await read(world, one);
  assert.match(
    conditionOf(now, 'Ready')?.message ?? '',
    /5 objects are installed, from charts that helm v4\.0\.0 rendered/,
  );
  assert.deepEqual(now?.status?.helm, {
    through: 'Binary',
    version: 'v4.0.0',
    reason: 'helm v4.0.0 is there',
  });
  const info = await client.get(kinds.packageInfos, { name: 'db--v1.0.0' });
  assert.deepEqual(
    info.status?.digests?.find(({ url }) => url === 'chart:db-7.1.0'),
    {
      url: 'chart:db-7.1.0',
      sha256: createHash('sha256').update('the chart').digest('hex'),
      origin: 'Recorded',
    },
  );
  assert.ok(await client.find(kinds.configMaps, { namespace: 'db', name: 'extra' }));

  const runs = helm.runs;
  await world.pass(30 * 60_000);
  assert.equal(helm.runs, runs, 'what is known is not rendered again');
  assert.equal(repository.asked.filter(({ url }) => url.endsWith('.tgz')).length, 1);

  await client.patch(
    kinds.clusterPackages,
    { name: 'db' },
    { type: 'merge', body: { spec: { values: { size: { value: '5' } } } } },
  );
  await installed(world, one);
  await world.until(
    'what is not rendered any more goes',
    async () => (await client.find(kinds.configMaps, { namespace: 'db', name: 'extra' })) === undefined,
  );
  assert.match(JSON.stringify(await client.get(kinds.configMaps, place)), /\\"size\\":5/);
  await remove(world, one);
  assert.deepEqual(await managed(world), []);
  const left = await client.get<KubeObject>(kinds.customResourceDefinitions, { name: 'widgets.db.test' });
  assert.equal(left.metadata.ownerReferences, undefined);
});

test('what is to be kept stays, and its namespace with it', async () => {
  const helm = helmOf(({ release }) => [
    ['templates/a.yaml', configMap(release, {})],
    ['templates/data.yaml', configMap('data', {}, { annotations: { 'helm.sh/resource-policy': 'keep' } })],
  ]);
  await using world = await packageWorld({}, { helm });
  const { client, repository } = world;
  publishChart(world, 'the chart');
  repository.publish('db', 'v1.0.0', manifest);
  const one = clusterPackage('db', 'v1.0.0');
  await create(world, one);
  await installed(world, one);
  await remove(world, one);
  await world.pass(5_000);
  assert.deepEqual(await managed(world), []);
  assert.equal(await client.find(kinds.configMaps, { namespace: 'db', name: 'db-db' }), undefined);
  const data = await client.get(kinds.configMaps, { namespace: 'db', name: 'data' });
  assert.deepEqual(data.metadata.ownerReferences ?? [], []);
});

test('what somebody changes of a chart is put right', async () => {
  const helm = helmOf(({ release }) => [['templates/a.yaml', configMap(release, { a: '1' })]]);
  await using world = await packageWorld({}, { helm });
  publishChart(world, 'the chart');
  world.repository.publish('db', 'v1.0.0', manifest);
  const one = clusterPackage('db', 'v1.0.0');
  await create(world, one);
  await installed(world, one);
  const place = { namespace: 'db', name: 'db-db' };
  const data = async (): Promise<unknown> => (await world.client.find(kinds.configMaps, place))?.['data'];
  await world.client.patch(kinds.configMaps, place, { type: 'merge', body: { data: { a: '2' } } });
  await world.until('it is healed', async () => JSON.stringify(await data()) === '{"a":"1"}');
  await world.client.delete(kinds.configMaps, place);
  await world.until('it is there again', async () => (await data()) !== undefined);
});

for (const [what, objects, says] of [
  [
    'hooks',
    [['templates/h.yaml', configMap('h', {}, { annotations: { 'helm.sh/hook': 'pre-install' } })]],
    /InstallationFailed: chart "db" has hooks, .*pre-install ConfigMap "h"/,
  ],
  [
    'kinds that nobody serves',
    [['templates/x.yaml', { apiVersion: 'none.test/v1', kind: 'Nothing', metadata: { name: 'x' } }]],
    /the cluster does not serve none\.test\/v1 Nothing, which chart "db" wants/,
  ],
  [
    'the same object twice',
    [
      ['templates/a.yaml', configMap('a', {})],
      ['templates/b.yaml', configMap('a', {})],
    ],
    /ConfigMap "a" is in the package twice/,
  ],
] as const)
  test(`of a chart with ${what} nothing is installed`, async () => {
    const helm = helmOf(() => [['templates/ok.yaml', configMap('ok', {})], ...objects]);
    await using world = await packageWorld({}, { helm });
    publishChart(world, 'the chart');
    world.repository.publish('db', 'v1.0.0', manifest);
    const one = clusterPackage('db', 'v1.0.0');
    await create(world, one);
    assert.match(await failure(world, one), says);
    assert.deepEqual(await managed(world), []);
  });

test('a Package brings what is in its namespace, and nothing else', async () => {
  const helm = helmOf(({ release, values }) => [
    ['templates/a.yaml', configMap(release, {})],
    ...(values['size'] === 1
      ? [['templates/b.yaml', configMap('b', {}, { namespace: 'default' })] as const]
      : []),
    ...(values['size'] === 2
      ? [['templates/c.yaml', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'c' } }] as const]
      : []),
  ]);
  await using world = await packageWorld({}, { helm });
  const { client, repository } = world;
  publishChart(world, 'the chart');
  repository.publish('db', 'v1.0.0', { ...manifest, scope: 'Namespaced' });
  await client.create(kinds.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  const one = namespacedPackage('shop', 'mine', 'db', 'v1.0.0', { values: { size: { value: '1' } } });
  await create(world, one);
  assert.match(await failure(world, one), /ConfigMap "b" of chart "db" is for namespace default/);
  const set = (size: string): Promise<unknown> =>
    client.patch(
      kinds.packages,
      { namespace: 'shop', name: 'mine' },
      { type: 'merge', body: { spec: { values: { size: { value: size } } } } },
    );
  await set('2');
  await world.until('the other complaint', async () =>
    /Namespace "c" of chart "db" belongs to no namespace/.test(
      conditionOf(await read(world, one), 'Failed')?.message ?? '',
    ),
  );
  await set('3');
  await installed(world, one);
  assert.ok(await client.find(kinds.configMaps, { namespace: 'shop', name: 'mine-db' }));
  await remove(world, one);
  assert.deepEqual(await managed(world), []);
});

test('a chart that changes under its version is refused, and what is installed stays', async () => {
  const helm = helmOf(({ release, chart }) => [['templates/a.yaml', configMap(release, { chart })]]);
  await using world = await packageWorld({}, { helm });
  publishChart(world, 'the chart');
  world.repository.publish('db', 'v1.0.0', manifest);
  const one = clusterPackage('db', 'v1.0.0');
  await create(world, one);
  await installed(world, one);
  publishChart(world, 'another chart');
  // Nothing is known any more but what was written down.
  await world.restart();
  await world.until('it is told', async () =>
    /chart:db-7\.1\.0 was changed under the same version: it had SHA-256/.test(
      conditionOf(await read(world, one), 'Ready')?.message ?? '',
    ),
  );
  const { data } = (await world.client.get(kinds.configMaps, { namespace: 'db', name: 'db-db' })) as {
    readonly data?: unknown;
  };
  assert.deepEqual(data, { chart: 'the chart' });
});

test('a chart that is not what the package declares is not installed', async () => {
  const helm = helmOf(({ release }) => [['templates/a.yaml', configMap(release, {})]]);
  await using world = await packageWorld({}, { helm });
  publishChart(world, 'the chart');
  const sha256 = 'a'.repeat(64);
  world.repository.publish('db', 'v1.0.0', { ...manifest, helm: { ...manifest.helm, sha256 } });
  const one = clusterPackage('db', 'v1.0.0');
  await create(world, one);
  assert.match(
    await failure(world, one),
    /IntegrityFailed: chart:db-7\.1\.0 has SHA-256 .*, but package\.yaml says it must be a{64}/,
  );
  assert.deepEqual(await managed(world), []);
});

test('charts in a folder are not handed to Flux, and without anything the way out is named', async () => {
  await using world = await packageWorld();
  publishChart(world, 'the chart');
  world.repository.publish('db', 'v1.0.0', manifest);
  const one = clusterPackage('db', 'v1.0.0');
  await create(world, one);
  assert.match(
    await failure(world, one),
    /HelmUnavailable: package "db": it has charts, and nothing here installs charts: there is no helm program here, and the cluster does not serve .*; put helm 3 or 4 where the operator runs, or install Flux/,
  );
});
