// Suspended packages in a member: what is written, what is seen, how it ends, and what they survive.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../api/index.ts';
import { kinds } from '../client/index.ts';
import {
  configMap,
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
import { conditionOf, create, installed, packageWorld, read, remove } from './testing/world.ts';

const deployments = { group: 'apps', version: 'v1', resource: 'deployments', namespaced: true };

test('nothing is written to what a suspended package brought; it is still looked at, and what waits is said', async () => {
  await using world = await worldWithApp();
  await suspend(world, { reason: 'migration' });
  world.writes.length = 0;
  await patch(world, { spec: { packageInfo: { version: 'v1.1.0' } } });
  await world.client.patch(kinds.configMaps, place, { type: 'merge', body: { data: { mode: 'by hand' } } });
  await world.client.delete(kinds.configMaps, { namespace: 'n', name: 'other' });
  await world.pass(12 * MINUTE);
  assert.deepEqual(writesToObjects(world), []);
  assert.deepEqual(await dataOf(world), { level: '1', mode: 'by hand' });
  const now = await read(world, one);
  const { suspension, version } = now?.status ?? {};
  assert.equal(version, 'v1.0.0');
  assert.equal(suspension?.pendingGeneration, now?.metadata.generation);
  assert.deepEqual(
    suspension?.pendingChanges?.map(({ kind, name, operation, paths }) => [kind, name, operation, paths]),
    [['ConfigMap', 'settings', 'Update', ['/data/level']]],
    'what waits, without what others changed',
  );
  assert.deepEqual(
    suspension?.drift?.map((change) => [change.kind, change.name, change.class, change.paths]),
    [
      ['ConfigMap', 'settings', 'Modified', ['/data/mode']],
      ['ConfigMap', 'other', 'Missing', undefined],
    ],
  );
  assert.deepEqual(suspension?.drift?.[0]?.managers, ['test']);
  assert.equal(conditionOf(now, 'Drifted')?.reason, 'DriftDetected');
  assert.match(
    conditionOf(now, 'Drifted')?.message ?? '',
    /ConfigMap n\/settings modified at \/data\/mode by test/,
  );
  assert.match(conditionOf(now, 'Suspended')?.message ?? '', /^Suspended by itself: migration\. /);
  assert.match(conditionOf(now, 'Ready')?.message ?? '', /ConfigMap other/, 'what is missing is no secret');

  await resume(world);
  await installed(world, one, 'v1.1.0');
  assert.deepEqual(await dataOf(world), { level: '2', mode: 'ours' });
  assert.deepEqual(await dataOf(world, 'other'), { a: '1' });
  const after = await read(world, one);
  assert.equal(conditionOf(after, 'Suspended')?.reason, 'Resumed');
  assert.equal(conditionOf(after, 'Drifted'), undefined);
  assert.deepEqual(after?.status?.suspension, { active: false });
  assert.deepEqual(
    after?.status?.suspensionHistory?.map(({ action }) => action),
    ['Suspended', 'Resumed'],
  );
  await world.until('events tell of it', async () => {
    const { items } = await world.client.list<KubeObject>(kinds.events);
    const reasons = items.map(({ reason }) => reason);
    return ['Suspended', 'DriftDetected', 'Resumed'].every((reason) => reasons.includes(reason));
  });
});

test('where nobody keeps both names of the switch alike, either turns it on, and one alone does not turn it off', async () => {
  await using world = await worldWithApp();
  const says = (status: string): Promise<void> =>
    world.until(
      `Suspended is ${status}`,
      async () => (conditionOf(await read(world, one), 'Suspended')?.status ?? 'False') === status,
    );
  // What Glasskube's clients write, always.
  await patch(world, { spec: { suspend: false } });
  await patch(world, { spec: { suspended: true } });
  await says('True');
  await patch(world, { metadata: { labels: { team: 'a' } } });
  await patch(world, { spec: { suspended: false } });
  await says('False');
  await patch(world, { spec: { suspend: true, suspended: true } });
  await says('True');
  await assert.rejects(
    patch(world, { spec: { suspend: false } }),
    /it would stay suspended.*set both to false/,
  );
  await patch(world, { spec: { suspend: null, suspended: null } });
  await says('False');
});

test('an outage of a suspended package is seen', async () => {
  await using world = await packageWorld();
  world.repository.publish(
    'app',
    'v1.0.0',
    { defaultNamespace: 'n', manifests: [{ url: 'a.yaml' }] },
    {
      'a.yaml': [
        {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: 'web' },
          spec: {
            replicas: 1,
            selector: { matchLabels: { app: 'web' } },
            template: {
              metadata: { labels: { app: 'web' } },
              spec: { containers: [{ name: 'c', image: 'i' }] },
            },
          },
        },
      ],
    },
  );
  await create(world, one);
  await installed(world, one);
  await suspend(world);
  const impossible = {
    spec: {
      strategy: { type: 'Recreate', rollingUpdate: null },
      template: { spec: { nodeSelector: { nowhere: 'true' } } },
    },
  };
  await world.client.patch(deployments, { namespace: 'n', name: 'web' }, { type: 'merge', body: impossible });
  await world.until(
    'it is not ready',
    async () => conditionOf(await read(world, one), 'Ready')?.status !== 'True',
  );
});

test('a suspension ends by itself, after a restart too, and its spec is put in order', async () => {
  await using world = await worldWithApp();
  await suspend(world, { until: inFuture(world, 10 * MINUTE), reason: 'migration' });
  await patch(world, { spec: { packageInfo: { version: 'v1.1.0' } } });
  await world.pass(4 * MINUTE);
  await world.restart();
  await world.pass(4 * MINUTE);
  assert.equal((await dataOf(world))?.['level'], '1');
  await world.until('it went on', async () => (await dataOf(world))?.['level'] === '2', 5 * MINUTE);
  await installed(world, one, 'v1.1.0');
  const now = await read(world, one);
  assert.equal(now?.spec.suspend, undefined);
  assert.equal(now?.spec.suspension, undefined);
  assert.equal(conditionOf(now, 'Suspended')?.reason, 'SuspensionExpired');
  assert.deepEqual(
    now?.status?.suspensionHistory?.map(({ action }) => action),
    ['Suspended', 'SuspensionExpired'],
  );
});

test('what is over while nobody is there is over', async () => {
  await using world = await worldWithApp();
  await suspend(world, { until: inFuture(world, 2 * MINUTE) });
  await patch(world, { spec: { packageInfo: { version: 'v1.1.0' } } });
  await world.restart();
  await world.pass(3 * MINUTE);
  await installed(world, one, 'v1.1.0');
});

test('where somebody else keeps the spec, it stays as it is', async () => {
  await using world = await worldWithApp();
  await patch(world, { metadata: { labels: { 'karmada.io/managed': 'true' } } });
  await suspend(world, { until: inFuture(world, 2 * MINUTE) });
  await world.until(
    'it is over',
    async () => conditionOf(await read(world, one), 'Suspended')?.reason === 'SuspensionExpired',
    5 * MINUTE,
  );
  assert.equal((await read(world, one))?.spec.suspend, true);
});

test('what was suspended here alone, in a member of a control plane, is over with nothing left of it', async () => {
  await using world = await worldWithApp();
  await patch(world, {
    metadata: {
      labels: { 'karmada.io/managed': 'true' },
      annotations: { [`${P}/local-suspension`]: 'true' },
    },
  });
  await suspend(world, { until: inFuture(world, 2 * MINUTE) });
  await world.until(
    'its spec is in order',
    async () => (await read(world, one))?.spec.suspend === undefined,
    5 * MINUTE,
  );
  const now = await read(world, one);
  assert.equal(now?.spec.suspension, undefined);
  assert.equal(now?.metadata.annotations?.[`${P}/local-suspension`], undefined);
  assert.equal(conditionOf(now, 'Suspended')?.reason, 'SuspensionExpired');
});

test('nothing is written through restarts, updates, drift and a new version that it would follow by itself', async () => {
  await using world = await worldWithApp();
  await suspend(world, { until: inFuture(world, 40 * MINUTE), reason: 'migration' });
  await patch(world, { metadata: { annotations: { [`${P}/auto-update`]: 'true' } } });
  await world.pass(1_000);
  world.writes.length = 0;
  const byHand: readonly (() => Promise<unknown>)[] = [
    () => world.client.patch(kinds.configMaps, place, { type: 'merge', body: { data: { mode: 'by hand' } } }),
    () => world.client.delete(kinds.configMaps, { namespace: 'n', name: 'other' }),
    () => patch(world, { spec: { packageInfo: { version: 'v1.1.0' } } }),
  ];
  for (const change of byHand) {
    await change();
    await world.pass(11 * MINUTE);
    await world.restart();
  }
  assert.deepEqual(writesToObjects(world), []);
  assert.deepEqual(await dataOf(world), { level: '1', mode: 'by hand' });
  assert.equal(await dataOf(world, 'other'), undefined);
  // Its time passes while nobody is there; whoever comes next goes on.
  const start = await world.halt();
  await world.pass(10 * MINUTE);
  assert.deepEqual(writesToObjects(world), []);
  await start();
  await installed(world, one, 'v1.1.0');
  assert.deepEqual(await dataOf(world), { level: '2', mode: 'ours' });
  assert.deepEqual(await dataOf(world, 'other'), { a: '1' });
  assert.notDeepEqual(writesToObjects(world), []);
});

test('a suspended package can be deleted, and leaves nothing behind', async () => {
  await using world = await worldWithApp();
  await suspend(world);
  await remove(world, one);
  await world.until('its objects are gone', async () => (await dataOf(world)) === undefined);
  const { items } = await world.client.list<KubeObject>(kinds.secrets);
  await world.until('and what was kept of them', async () =>
    (await world.client.list<KubeObject>(kinds.secrets)).items.every(
      ({ type }) => type !== `${P}/applied.v1`,
    ),
  );
  assert.ok(items.length >= 0);
});

test('where only changes wait, what was applied last is kept as it is', async () => {
  await using world = await worldWithApp();
  await suspend(world, { mode: 'ChangesOnly' });
  await world.restart();
  await patch(world, { spec: { packageInfo: { version: 'v1.1.0' } } });
  await world.client.patch(kinds.configMaps, place, { type: 'merge', body: { data: { mode: 'by hand' } } });
  await world.until('it is put right', async () => (await dataOf(world))?.['mode'] === 'ours', 10 * MINUTE);
  await world.client.delete(kinds.configMaps, place);
  await world.until('it is there again', async () => (await dataOf(world)) !== undefined, 10 * MINUTE);
  assert.equal((await dataOf(world))?.['level'], '1');
  assert.equal((await read(world, one))?.status?.version, 'v1.0.0');
  // And then all of it stands still.
  await patch(world, { spec: { suspension: { mode: 'Full' } } });
  await world.until(
    'the change is noted',
    async () => (await read(world, one))?.status?.suspension?.mode === 'Full',
  );
  await world.client.patch(kinds.configMaps, place, { type: 'merge', body: { data: { mode: 'by hand' } } });
  await world.pass(6 * MINUTE);
  assert.equal((await dataOf(world))?.['mode'], 'by hand');
  assert.deepEqual(
    (await read(world, one))?.status?.suspensionHistory?.map(({ action }) => action),
    ['Suspended', 'SuspensionChanged'],
  );
});

test('what waits follows the package, is told of no value, and is gone when nothing waits', async () => {
  await using world = await worldWithApp();
  world.repository.publish(
    'app',
    'v2.0.0',
    { defaultNamespace: 'n', manifests: [{ url: 'a.yaml' }] },
    {
      'a.yaml': [
        configMap('third', { a: '1' }),
        { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'key' }, stringData: { key: 'hush' } },
        configMap('settings', { level: '1', mode: 'ours' }),
      ],
    },
  );
  await suspend(world);
  const waiting = async (version: string): Promise<readonly unknown[] | undefined> => {
    await patch(world, { spec: { packageInfo: { version } } });
    const { metadata } = (await read(world, one))!;
    await world.until(
      'it has been looked at',
      async () => {
        const { suspension } = (await read(world, one))?.status ?? {};
        return version === 'v1.0.0'
          ? suspension?.pendingGeneration === undefined
          : suspension?.pendingGeneration === metadata.generation;
      },
      MINUTE,
    );
    const now = await read(world, one);
    assert.doesNotMatch(JSON.stringify(now?.status), /hush|aHVzaA/);
    return now?.status?.suspension?.pendingChanges?.map(({ kind, name, operation }) => [
      kind,
      name,
      operation,
    ]);
  };
  assert.deepEqual(await waiting('v2.0.0'), [
    ['ConfigMap', 'other', 'Delete'],
    ['ConfigMap', 'third', 'Create'],
    ['Secret', 'key', 'Create'],
  ]);
  world.writes.length = 0;
  assert.deepEqual(await waiting('v1.1.0'), [['ConfigMap', 'settings', 'Update']]);
  assert.equal(await waiting('v9.9.9'), undefined, 'no repository offers it');
  assert.equal(await waiting('v1.0.0'), undefined);
  assert.deepEqual(writesToObjects(world), []);
});
