import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../api/index.ts';
import { resource } from '../client/index.ts';
import { createInformer, type Informer, type InformerSettings } from './informer.ts';
import { createInformerSet } from './informer-set.ts';
import { ManualClock, settled } from './testing/manual-clock.ts';
import { configMap, configMaps, startWorld, testRandom, type World } from './testing/world.ts';

interface Fixture {
  readonly world: World;
  readonly clock: ManualClock;
  readonly informer: Informer;
  /** `+a`, `~a`, `-a`; `=a` for what was known before. */
  readonly events: string[];
}

async function withInformer(
  settings: Partial<InformerSettings>,
  run: (fixture: Fixture) => Promise<void>,
  prepare?: (world: World) => Promise<void>,
): Promise<void> {
  const clock = new ManualClock();
  await using world = await startWorld(clock);
  await prepare?.(world);
  const informer = createInformer<KubeObject>({
    client: world.client,
    resource: configMaps,
    clock,
    random: testRandom(),
    ...settings,
  });
  const events = record(informer);
  const stop = new AbortController();
  const running = informer.run(stop.signal);
  try {
    await settled();
    await run({ world, clock, informer, events });
  } finally {
    stop.abort(new Error('the test is over'));
    await running;
  }
}

function record(informer: Informer): string[] {
  const events: string[] = [];
  informer.subscribe({
    added: ({ metadata }, initial) => events.push(`${initial ? '=' : '+'}${metadata.name}`),
    updated: (_, { metadata }) => events.push(`~${metadata.name}`),
    deleted: ({ metadata }) => events.push(`-${metadata.name}`),
  });
  return events;
}

async function create(world: World, ...names: string[]): Promise<void> {
  for (const name of names) await world.direct.create(configMaps, configMap(name));
}

function remove(world: World, name: string): Promise<unknown> {
  return world.direct.delete(configMaps, { namespace: 'default', name });
}

function change(world: World, name: string, value: string): Promise<unknown> {
  return world.direct.patch(
    configMaps,
    { namespace: 'default', name },
    { type: 'merge', body: { data: { value } } },
  );
}

test('what is there comes as initial, then every change as an event, and the store is the collection', () =>
  withInformer(
    {},
    async ({ world, informer, events }) => {
      await informer.synced;
      assert.deepEqual(events, ['=a', '=b', '=c']);
      await create(world, 'd');
      await change(world, 'a', '1');
      await remove(world, 'b');
      await settled();
      assert.deepEqual(events.slice(3), ['+d', '~a', '-b']);
      assert.deepEqual([...informer.store.keys()].sort(), ['default/a', 'default/c', 'default/d']);
      assert.equal(informer.state.phase, 'watching');
    },
    (world) => create(world, 'a', 'b', 'c'),
  ));

test('in process, the store shares the objects of the server and copies nothing', () =>
  withInformer(
    {},
    async ({ world, informer }) => {
      const inServer = await world.direct.get(configMaps, { namespace: 'default', name: 'a' });
      assert.equal(informer.store.get('default/a'), inServer);
    },
    (world) => create(world, 'a'),
  ));

test('large collections are listed in pages', () =>
  withInformer(
    { pageSize: 2 },
    async ({ world, informer }) => {
      await informer.synced;
      assert.equal(informer.store.size, 5);
      assert.equal(world.network.sent.filter((one) => one.startsWith('GET')).length, 3);
    },
    (world) => create(world, 'a', 'b', 'c', 'd', 'e'),
  ));

test('a late handler is told of everything known, as initial', () =>
  withInformer(
    {},
    async ({ world, informer }) => {
      const late = record(informer);
      assert.deepEqual(late, ['=a']);
      await create(world, 'b');
      await settled();
      assert.deepEqual(late, ['=a', '+b']);
    },
    (world) => create(world, 'a'),
  ));

test('a broken watch resumes where it was, after a wait, without a list', () =>
  withInformer({}, async ({ world, clock, events }) => {
    await create(world, 'a');
    await settled();
    world.network.breakWatches();
    await settled();
    await create(world, 'b');
    await settled();
    assert.deepEqual(events, ['+a']);
    await clock.advance(800);
    assert.deepEqual(events, ['+a', '+b']);
    assert.equal(world.network.sent.filter((one) => one.startsWith('GET')).length, 1);
  }));

test('a watch that the server ends in order resumes at once', () =>
  withInformer({}, async ({ world, events, informer }) => {
    await create(world, 'a');
    await settled();
    world.network.breakWatches('ended');
    await settled();
    await create(world, 'b');
    await settled();
    assert.deepEqual(events, ['+a', '+b']);
    assert.equal(informer.state.phase, 'watching');
  }));

test('when the history is gone, a new list is compared with the store and nothing is missed', () =>
  withInformer({}, async ({ world, clock, events, informer }) => {
    await create(world, 'a', 'b', 'c', 'd');
    await settled();
    world.network.breakWatches();
    await remove(world, 'a');
    await change(world, 'b', '1');
    await remove(world, 'c');
    await create(world, 'c', 'e');
    await world.storage.compact(await world.storage.currentRevision());
    events.length = 0;
    await clock.advance(5000);
    assert.deepEqual(events.sort(), ['+c', '+e', '-a', '-c', '~b'].sort());
    assert.deepEqual(
      [...informer.store.keys()].sort(),
      ['b', 'c', 'd', 'e'].map((name) => `default/${name}`),
    );
  }));

test('errors are waited out longer and longer, up to the maximum, and forgotten after progress', () =>
  withInformer({ backoffBaseMs: 100, backoffMaxMs: 400 }, async ({ world, clock, informer }) => {
    world.network.down = true;
    world.network.breakWatches();
    await settled();
    const waits: number[] = [];
    for (let i = 0; i < 5; i++) {
      assert.ok(informer.state.phase === 'failed');
      waits.push(informer.state.waitMs);
      await clock.advance(informer.state.waitMs);
    }
    const bounds = [100, 200, 400, 400, 400];
    waits.forEach((wait, i) =>
      assert.ok(wait >= bounds[i]! / 2 && wait <= bounds[i]!, `${wait} for ${bounds[i]}`),
    );
    world.network.down = false;
    await clock.advance(400);
    await create(world, 'a');
    await settled();
    world.network.breakWatches();
    await settled();
    assert.ok(informer.state.phase === 'failed');
    assert.ok(informer.state.waitMs <= 100);
  }));

test('synced rejects when the informer is stopped before, and nothing runs on', async () => {
  const clock = new ManualClock();
  await using world = await startWorld(clock);
  world.network.down = true;
  const informer = createInformer({
    client: world.client,
    resource: configMaps,
    clock,
    random: testRandom(),
  });
  const stop = new AbortController();
  const running = informer.run(stop.signal);
  await settled();
  const reason = new Error('stop');
  stop.abort(reason);
  await running;
  await assert.rejects(informer.synced, reason);
  assert.equal(clock.timerCount, 0);
});

test('a handler that throws does not keep others from hearing, nor the store from following', () =>
  withInformer({}, async ({ world, informer, events }) => {
    informer.subscribe({
      added() {
        throw new Error('a bug');
      },
    });
    const after = record(informer);
    await create(world, 'a');
    await settled();
    assert.deepEqual([events, after, informer.store.size], [['+a'], ['+a'], 1]);
  }));

test('selectors and transforms shape what is kept, and indexes find it', () =>
  withInformer(
    {
      labelSelector: 'app=x',
      transform: (object) => ({ ...object, data: undefined }),
      indexes: { byApp: ({ metadata }) => [metadata.labels?.['app'] ?? ''] },
    },
    async ({ world, informer, events }) => {
      const labelled = (name: string, app: string): KubeObject => ({
        ...configMap(name, { big: 'data' }),
        metadata: { name, namespace: 'default', labels: { app } },
      });
      await world.direct.create(configMaps, labelled('a', 'x'));
      await world.direct.create(configMaps, labelled('b', 'y'));
      await world.direct.patch(
        configMaps,
        { namespace: 'default', name: 'b' },
        { type: 'merge', body: { metadata: { labels: { app: 'x' } } } },
      );
      await world.direct.patch(
        configMaps,
        { namespace: 'default', name: 'a' },
        { type: 'merge', body: { metadata: { labels: { app: 'y' } } } },
      );
      await settled();
      assert.deepEqual(events, ['+a', '+b', '-a']);
      const [kept] = informer.store.byIndex('byApp', 'x');
      assert.equal(kept?.metadata.name, 'b');
      assert.equal(kept?.['data'], undefined);
      assert.ok(Object.isFrozen(kept));
    },
  ));

test('a set shares one informer per resource and selection, and stops it when nobody needs it', async () => {
  const clock = new ManualClock();
  await using world = await startWorld(clock);
  const set = createInformerSet({ client: world.client, clock, random: testRandom() });
  const one = set.use(configMaps);
  const two = set.use(configMaps);
  const other = set.use(configMaps, { namespace: 'elsewhere' });
  assert.equal(one.informer, two.informer);
  assert.notEqual(one.informer, other.informer);
  await set.synced();
  await settled();
  assert.equal(world.network.watches, 2);
  one.release();
  one.release();
  await settled();
  assert.equal(world.network.watches, 2);
  two.release();
  await settled();
  assert.equal(world.network.watches, 1);
  const again = set.informer(configMaps);
  assert.notEqual(again, one.informer);
  await again.synced;
  await set.close();
  assert.equal(world.network.watches, 0);
  assert.equal(again.state.phase, 'stopped');
  assert.throws(() => set.use(configMaps), /closed/);
});

test('resources can be asked for before they exist', async () => {
  const clock = new ManualClock();
  await using world = await startWorld(clock);
  const set = createInformerSet({ client: world.client, clock, random: testRandom() });
  const widgets = resource({ group: 'example.com', version: 'v1', resource: 'widgets', namespaced: true });
  const informer = set.informer(widgets);
  await clock.advance(10_000);
  assert.equal(informer.isSynced, false);
  assert.equal(informer.state.phase, 'failed');
  await set.close();
  await assert.rejects(informer.synced);
});
