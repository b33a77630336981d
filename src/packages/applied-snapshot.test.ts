import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { KubeObject } from '../api/index.ts';
import { kinds } from '../client/index.ts';
import { readSnapshot, writeSnapshot } from './applied-snapshot.ts';
import { clusterPackage, create, packageWorld, read } from './testing/world.ts';

test('a snapshot comes back as it was, in as many Secrets as it takes, and none that is broken', async () => {
  await using world = await packageWorld();
  const { client } = world;
  const { signal } = new AbortController();
  await create(world, clusterPackage('p', 'v1.0.0'));
  const owner = (await read(world, clusterPackage('p', '')))!;
  const secrets = async (): Promise<number> =>
    (await client.list(kinds.secrets, { namespace: 'glasskube-system' })).items.filter(
      ({ type }) => type === 'packages.glasskube.dev/applied.v1',
    ).length;
  const object = (size: number): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'c' },
    data: { x: randomBytes(size).toString('base64') },
  });
  const large = [object(2_000_000)];
  await writeSnapshot(client, owner, { objects: large, specHash: 'h' }, signal);
  assert.equal(await secrets(), 3);
  assert.deepEqual((await readSnapshot(client, owner, signal))?.objects, large);
  const small = [object(10)];
  await writeSnapshot(client, owner, { objects: small, specHash: 'h' }, signal);
  assert.equal(await secrets(), 1);
  assert.deepEqual(await readSnapshot(client, owner, signal), {
    objects: small,
    specHash: 'h',
    version: 'v1.0.0',
    generation: 1,
  });
  const place = { namespace: 'glasskube-system', name: 'clusterpackage-p-applied' };
  await client.patch(kinds.secrets, place, { type: 'merge', body: { data: { objects: 'AAAA' } } });
  assert.equal(await readSnapshot(client, owner, signal), undefined);
});
