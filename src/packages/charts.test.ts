// Charts, as far as they are ours: what Flux is told, and how its answers are read.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../api/index.ts';
import { kinds, type Resource } from '../client/index.ts';
import {
  clusterPackage,
  conditionOf,
  create,
  failure,
  installed,
  packageWorld,
  read,
  remove,
  type PackageWorld,
} from './testing/world.ts';

const definition = (group: string, version: string, kind: string, plural: string): KubeObject => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.${group}` },
  spec: {
    group,
    scope: 'Namespaced',
    names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
    versions: [
      {
        name: version,
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
});
const releases: Resource = {
  group: 'helm.toolkit.fluxcd.io',
  version: 'v2',
  resource: 'helmreleases',
  namespaced: true,
};
const sources: Resource = {
  group: 'source.toolkit.fluxcd.io',
  version: 'v1',
  resource: 'helmrepositories',
  namespaced: true,
};
const place = { namespace: 'db', name: 'db-db' };

async function report({ client }: PackageWorld, status: string, message: string): Promise<void> {
  const body = { status: { conditions: [{ type: 'Ready', status, reason: 'X', message }] } };
  await client.patch(releases, place, { type: 'merge', body }, { subresource: 'status' });
}

test('a chart is installed by Flux, configured, and judged by what Flux says', async () => {
  await using world = await packageWorld();
  const { client, repository } = world;
  for (const crd of [
    definition('helm.toolkit.fluxcd.io', 'v2', 'HelmRelease', 'helmreleases'),
    definition('source.toolkit.fluxcd.io', 'v1', 'HelmRepository', 'helmrepositories'),
  ])
    await client.create(kinds.customResourceDefinitions, crd);
  await world.pass(2_000);
  const target = { chartName: 'db', patch: { op: 'add', path: '/size' }, valueTemplate: '{{.}}' };
  repository.publish('db', 'v1.0.0', {
    defaultNamespace: 'db',
    helm: {
      repositoryUrl: 'https://charts.test',
      chartName: 'db',
      chartVersion: '7.1.0',
      values: { mode: 'small' },
    },
    valueDefinitions: { size: { type: 'number', targets: [target] } },
  });
  const one = clusterPackage('db', 'v1.0.0', { values: { size: { value: '3' } } });
  await create(world, one);
  await world.until('Flux is told', async () => (await client.find(releases, place)) !== undefined);
  const { chart, values } = (await client.get(releases, place))['spec'] as {
    chart: { spec: object };
    values: object;
  };
  assert.deepEqual(chart.spec, {
    chart: 'db',
    version: '7.1.0',
    sourceRef: { kind: 'HelmRepository', name: 'db-db' },
  });
  assert.deepEqual(values, { mode: 'small', size: 3 });
  assert.deepEqual((await client.get(sources, place))['spec'], {
    type: 'default',
    url: 'https://charts.test',
    interval: '1h0m0s',
  });
  const message = async (): Promise<string> => conditionOf(await read(world, one), 'Ready')?.message ?? '';
  await world.until('it waits for Flux', async () => /Flux has not installed it yet/.test(await message()));
  await report(world, 'False', 'install retries exhausted');
  assert.match(await failure(world, one), /HelmRelease db-db: install retries exhausted/);
  await report(world, 'False', 'latest generation of object has not been reconciled');
  await world.until(
    'it waits again',
    async () => conditionOf(await read(world, one), 'Ready')?.status === 'Unknown',
  );
  await report(world, 'True', 'installed');
  await installed(world, one);
  assert.match(await message(), /3 objects are installed, 1 of them charts that Flux installs/);

  await client.patch(
    kinds.clusterPackages,
    { name: 'db' },
    { type: 'merge', body: { spec: { values: { size: { value: '5' } } } } },
  );
  await installed(world, one);
  assert.deepEqual(((await client.get(releases, place))['spec'] as { values: object }).values, {
    mode: 'small',
    size: 5,
  });
  await remove(world, one);
  assert.equal(await client.find(releases, place), undefined);
  assert.equal(await client.find(sources, place), undefined);
});
