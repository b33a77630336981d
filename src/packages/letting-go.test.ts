// Packages that are uninstalled while what they brought stays.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../api/index.ts';
import { kinds } from '../client/index.ts';
import { resourceOf } from './resources.ts';
import {
  clusterPackage,
  conditionOf,
  create,
  installed,
  managed,
  packageWorld,
  read,
  remove,
} from './testing/world.ts';

const configMap = (name: string): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data: { a: '1' },
});
const app = clusterPackage('app', 'v1.0.0');
const base = clusterPackage('base', 'v1.0.0');

for (const how of [
  'before it is deleted',
  'as it is deleted',
  'by the garbage collector, as it is deleted',
  'by the garbage collector, while no operator is there',
] as const)
  test(`what a package brought stays as it is and is nobody's; it is let go of ${how}`, async () => {
    await using world = await packageWorld();
    const { client, repository, writes } = world;
    repository.publish(
      'base',
      'v1.0.0',
      { defaultNamespace: 'base', manifests: [{ url: 'a.yaml' }] },
      { 'a.yaml': [configMap('base')] },
    );
    repository.publish(
      'app',
      'v1.0.0',
      { defaultNamespace: 'app', dependencies: [{ name: 'base' }], manifests: [{ url: 'a.yaml' }] },
      { 'a.yaml': [configMap('one'), configMap('two')] },
    );
    await create(world, app);
    await installed(world, app);
    const before = await managed(world);
    assert.ok(before.includes('ConfigMap app/one') && before.includes('Namespace app'));

    const collected = how.startsWith('by the garbage collector');
    if (!collected)
      await client.patch(
        resourceOf('ClusterPackage'),
        { name: 'app' },
        { type: 'merge', body: { metadata: { annotations: { 'packages.glasskube.dev/orphan': 'true' } } } },
      );
    const start = how.endsWith('no operator is there') ? await world.halt() : undefined;
    if (how === 'before it is deleted') {
      await world.until(
        'it says so',
        async () => conditionOf(await read(world, app), 'Ready')?.reason === 'Orphaned',
      );
      writes.length = 0;
      // What somebody deletes now is not made again.
      await client.delete(kinds.configMaps, { namespace: 'app', name: 'two' });
      await world.pass(60_000);
      assert.deepEqual(writes, []);
    }
    if (collected)
      await client.delete(resourceOf('ClusterPackage'), { name: 'app' }, { propagationPolicy: 'Orphan' });
    if (start !== undefined) {
      await world.until('nothing has an owner', async () => {
        const left = await client.find<KubeObject>(kinds.configMaps, { namespace: 'app', name: 'one' });
        return (left?.metadata.ownerReferences ?? []).length === 0;
      });
      await world.pass(10_000);
      await start();
    }
    if (collected) await world.until('it is uninstalled', async () => (await read(world, app)) === undefined);
    else await remove(world, app);
    await world.pass(10_000);

    const one = await client.find<KubeObject>(kinds.configMaps, { namespace: 'app', name: 'one' });
    assert.deepEqual(one?.['data'], { a: '1' });
    assert.deepEqual(one?.metadata.ownerReferences ?? [], []);
    assert.ok(await client.find(kinds.namespaces, { name: 'app' }));
    const { items } = await client.list<KubeObject>(kinds.secrets, { namespace: 'glasskube-system' });
    assert.deepEqual(
      items.map(({ metadata }) => metadata.name),
      ['clusterpackage-base-applied'],
    );
    // What it needed goes on, now for its own sake.
    assert.deepEqual(await managed(world), ['ConfigMap base/base', 'Namespace base']);
    assert.equal(conditionOf(await read(world, base), 'Ready')?.status, 'True');
    await remove(world, base);
    assert.deepEqual(await managed(world), []);
  });
