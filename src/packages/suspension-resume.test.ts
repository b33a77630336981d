// How suspended packages go on: at once, after a review, over what others changed or around it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kinds } from '../client/index.ts';
import type { AnyPackage } from '../packaging/index.ts';
import {
  dataOf,
  inFuture,
  MINUTE,
  one,
  P,
  patch,
  place,
  resume,
  suspend,
  worldWithApp,
  writesToObjects,
} from './testing/suspended.ts';
import { conditionOf, installed, read } from './testing/world.ts';

test('a plan is waited with until it was read, and only that plan is carried out', async () => {
  await using world = await worldWithApp();
  await suspend(world, { onResume: 'Review', until: inFuture(world, 5 * MINUTE) });
  await patch(world, { spec: { packageInfo: { version: 'v1.1.0' } } });
  world.writes.length = 0;
  const pending = async (): Promise<AnyPackage | undefined> => {
    const now = await read(world, one);
    return conditionOf(now, 'ResumePending')?.status === 'True' &&
      now?.status?.suspension?.planHash !== undefined
      ? now
      : undefined;
  };
  await world.until('it waits', async () => (await pending()) !== undefined, 10 * MINUTE);
  const first = await pending();
  assert.deepEqual(
    first?.status?.suspension?.pendingChanges?.map(({ kind, name, operation, paths }) => [
      kind,
      name,
      operation,
      paths,
    ]),
    [['ConfigMap', 'settings', 'Update', ['/data/level']]],
  );
  await world.restart();
  await world.pass(2 * MINUTE);
  // Nothing but its own spec, which is over.
  assert.deepEqual(
    writesToObjects(world).filter(
      (write) => !write.startsWith('PUT') || !write.endsWith('/clusterpackages/app'),
    ),
    [],
  );

  // What was approved is not what would happen any more.
  const hash = first?.status?.suspension?.planHash ?? '';
  await world.client.patch(kinds.configMaps, place, { type: 'merge', body: { data: { mode: 'by hand' } } });
  await patch(world, { metadata: { annotations: { [`${P}/approved-plan`]: hash } } });
  await world.until(
    'it waits for another approval',
    async () => {
      const now = await pending();
      return now !== undefined && now.status?.suspension?.planHash !== hash;
    },
    15 * MINUTE,
  );
  assert.equal((await dataOf(world))?.['level'], '1');
  assert.match(
    conditionOf(await read(world, one), 'ResumePending')?.message ?? '',
    /is not what would happen now/,
  );

  const next = (await pending())?.status?.suspension?.planHash ?? '';
  await patch(world, { metadata: { annotations: { [`${P}/approved-plan`]: next } } });
  await installed(world, one, 'v1.1.0');
  assert.deepEqual(await dataOf(world), { level: '2', mode: 'ours' });
  const after = await read(world, one);
  assert.equal(conditionOf(after, 'ResumePending')?.reason, 'Approved');
  assert.equal(after?.metadata.annotations?.[`${P}/approved-plan`], undefined);
});

test('suspending and resuming takes no repository', async () => {
  await using world = await worldWithApp();
  const files = new Map(world.repository.files);
  world.repository.files.clear();
  await world.pass(11 * MINUTE);
  await suspend(world);
  await resume(world);
  await world.pass(MINUTE);
  const now = await read(world, one);
  assert.equal(conditionOf(now, 'Failed')?.status, 'False', conditionOf(now, 'Failed')?.message);
  assert.equal(now?.status?.version, 'v1.0.0');
  for (const [url, file] of files) world.repository.files.set(url, file);
  await world.until(
    'it is carried out when the repository is there again',
    async () => (await read(world, one))?.status?.suspension?.resuming === undefined,
    30 * MINUTE,
  );
});

test('what the repository says is compared at once when a package goes on', async () => {
  await using world = await worldWithApp();
  await suspend(world);
  await world.pass(2 * MINUTE);
  const asked = (): number => world.repository.asked.filter(({ url }) => url.endsWith('package.yaml')).length;
  const before = asked();
  const [info] = (await world.client.list(kinds.packageInfos)).items;
  const was = info?.status?.lastUpdateTimestamp ?? '';
  await resume(world);
  await world.until(
    'its PackageInfo is fresh',
    async () =>
      ((await world.client.list(kinds.packageInfos)).items[0]?.status?.lastUpdateTimestamp ?? '') > was,
    10_000,
  );
  const after = asked();
  assert.ok(after > before);
  await world.pass(MINUTE);
  assert.equal(asked(), after, 'once');
});

test('what would change nothing goes on without anybody', async () => {
  await using world = await worldWithApp();
  await suspend(world, { onResume: 'Review' });
  await resume(world);
  await world.until('it went on', async () => {
    const now = await read(world, one);
    return (
      now?.status?.suspension?.resuming === undefined && conditionOf(now, 'ResumePending')?.status === 'False'
    );
  });
  await installed(world, one);
});

test('fields that others took over are left to them, until they are taken back', async () => {
  await using world = await worldWithApp();
  await suspend(world);
  await world.client.apply(
    kinds.configMaps,
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: place, data: { mode: 'theirs' } },
    { fieldManager: 'somebody', force: true },
  );
  await patch(world, { spec: { packageInfo: { version: 'v1.1.0' } } });
  await resume(world, { [`${P}/on-drift`]: 'keep' });
  await installed(world, one, 'v1.1.0');
  assert.deepEqual(await dataOf(world), { level: '2', mode: 'theirs' });
  const kept = (await read(world, one))?.status?.keptFields;
  assert.deepEqual(
    kept?.map(({ name, paths, managers }) => [name, paths, managers]),
    [['settings', ['.data.mode'], ['somebody']]],
  );
  assert.equal((await read(world, one))?.metadata.annotations?.[`${P}/on-drift`], undefined);

  // Later passes leave them alone too.
  await world.client.patch(kinds.configMaps, place, { type: 'merge', body: { data: { level: 'x' } } });
  await world.until('the rest is put right', async () => (await dataOf(world))?.['level'] === '2');
  assert.equal((await dataOf(world))?.['mode'], 'theirs');

  await suspend(world);
  await resume(world, { [`${P}/on-drift`]: 'overwrite' });
  await world.until('it is taken back', async () => (await dataOf(world))?.['mode'] === 'ours');
  await world.until(
    'nothing is kept',
    async () => (await read(world, one))?.status?.keptFields === undefined,
  );
});
