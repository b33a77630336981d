// Charts of suspended packages.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { KubeObject } from '../api/index.ts';
import { kinds, resource } from '../client/index.ts';
import { configMap, one, P, patch, resume, suspend } from './testing/suspended.ts';
import { create, packageWorld, read, remove, type PackageWorld } from './testing/world.ts';

const releases = resource({
  group: 'helm.toolkit.fluxcd.io',
  version: 'v2',
  resource: 'helmreleases',
  namespaced: true,
});

async function serveFlux({ client, started }: PackageWorld): Promise<void> {
  const definition = (group: string, version: string, kind: string): KubeObject => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${kind.toLowerCase().replace(/y$/, 'ie')}s.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: {
        kind,
        plural: `${kind.toLowerCase().replace(/y$/, 'ie')}s`,
        singular: kind.toLowerCase(),
        listKind: `${kind}List`,
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          subresources: { status: {} },
        },
      ],
    },
  });
  await client.create(
    kinds.customResourceDefinitions,
    definition('helm.toolkit.fluxcd.io', 'v2', 'HelmRelease'),
  );
  await client.create(
    kinds.customResourceDefinitions,
    definition('source.toolkit.fluxcd.io', 'v1', 'HelmRepository'),
  );
  await started.clock.advance(1000);
}

/** As Helm keeps what it installed. */
async function keepRelease({ client }: PackageWorld, name: string, object: object): Promise<void> {
  const text = JSON.stringify({ name, manifest: JSON.stringify(object) });
  const packed = gzipSync(text).toString('base64');
  await client.create(kinds.secrets, {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'helm.sh/release.v1',
    metadata: {
      name: `sh.helm.release.v1.${name}.v1`,
      namespace: 'n',
      labels: { owner: 'helm', name, status: 'deployed', version: '1' },
    },
    data: { release: Buffer.from(packed).toString('base64') },
  });
}

test('charts stand still with their package, and a person who stopped one is not overruled', async () => {
  await using world = await packageWorld();
  const { client } = world;
  await serveFlux(world);
  world.repository.publish('app', 'v1.0.0', {
    defaultNamespace: 'n',
    helm: {
      repositoryUrl: 'https://charts.example',
      releases: [
        { chartName: 'web', chartVersion: '1.0.0' },
        { chartName: 'db', chartVersion: '1.0.0' },
      ],
    },
  });
  await create(world, one);
  const all = async (): Promise<readonly KubeObject[]> =>
    (await client.list<KubeObject>(releases, { namespace: 'n' })).items;
  await world.until('the releases are there', async () => (await all()).length === 2);
  const suspended = async (): Promise<readonly unknown[]> =>
    (await all())
      .map((release) => [
        (release['spec'] as { chart?: { spec?: { chart?: string } } }).chart?.spec?.chart,
        (release['spec'] as { suspend?: boolean }).suspend === true,
        release.metadata.ownerReferences?.length ?? 0,
      ])
      .sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
  const db = (await all()).find((release) => JSON.stringify(release).includes('"chart":"db"'));
  await client.patch(
    releases,
    { namespace: 'n', name: db?.metadata.name ?? '' },
    { type: 'merge', body: { spec: { suspend: true } } },
  );
  const web = (await all()).find((release) => JSON.stringify(release).includes('"chart":"web"'));
  await keepRelease(world, web?.metadata.name ?? '', configMap('from-chart', { a: '1' }));
  await client.create(kinds.configMaps, {
    ...(configMap('from-chart', { a: 'by hand', b: 'more' }) as KubeObject),
    metadata: { name: 'from-chart', namespace: 'n' },
  });
  await suspend(world);
  await world.until(
    'both stand still',
    async () =>
      JSON.stringify(await suspended()) ===
      JSON.stringify([
        ['db', true, 1],
        ['web', true, 0],
      ]),
  );
  await world.until('what differs of a chart is seen', async () => {
    const drift = (await read(world, one))?.status?.suspension?.drift ?? [];
    return JSON.stringify(drift.map(({ name, paths }) => [name, paths])) === '[["from-chart",["/data/a"]]]';
  });
  await resume(world);
  await world.until(
    'ours goes on',
    async () =>
      JSON.stringify(await suspended()) ===
      JSON.stringify([
        ['db', true, 1],
        ['web', false, 1],
      ]),
  );
  await suspend(world);
  await world.until('ours stands still', async () =>
    JSON.stringify(await suspended()).includes('["web",true,0]'),
  );
  await client.delete(kinds.clusterPackages, { name: 'app' });
  await world.until('nothing is left', async () => (await all()).length === 0);
});

test('charts of a package that is uninstalled without them stay suspended, and nobody resumes them', async () => {
  await using world = await packageWorld();
  const { client } = world;
  await serveFlux(world);
  world.repository.publish('app', 'v1.0.0', {
    defaultNamespace: 'n',
    helm: {
      repositoryUrl: 'https://charts.example',
      releases: [{ chartName: 'web', chartVersion: '1.0.0' }],
    },
  });
  const release = async (): Promise<KubeObject | undefined> =>
    (await client.list<KubeObject>(releases, { namespace: 'n' })).items[0];
  const isStill = (object: KubeObject | undefined): boolean =>
    (object?.['spec'] as { suspend?: boolean } | undefined)?.suspend === true;
  await create(world, one);
  await world.until('the release is there', async () => (await release()) !== undefined);
  await suspend(world);
  await world.until('it stands still', async () => isStill(await release()));
  await patch(world, { metadata: { annotations: { [`${P}/orphan`]: 'true' } } });
  await remove(world, one);
  await world.pass(10_000);
  const left = await release();
  assert.ok(isStill(left));
  assert.deepEqual(left?.metadata.ownerReferences ?? [], []);
  assert.deepEqual(
    [
      left?.metadata.labels?.['app.kubernetes.io/managed-by'],
      left?.metadata.annotations?.[`${P}/suspended-by-package`],
    ],
    [undefined, undefined],
  );
});
