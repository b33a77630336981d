import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../api/index.ts';
import { informerSource, runController, type InformerSourceOptions } from './controller.ts';
import { createInformerSet } from './informer-set.ts';
import { done } from './outcome.ts';
import { ManualClock, settled } from './testing/manual-clock.ts';
import { PRIORITY_CHANGE } from './work-queue.ts';
import { configMap, configMaps, startWorld, testRandom, type World } from './testing/world.ts';

/** Runs a controller on configmaps; `reconciled` lists key and priority in order. */
async function withController(
  options: InformerSourceOptions<KubeObject>,
  run: (fixture: { world: World; reconciled: string[]; clock: ManualClock }) => Promise<void>,
  resyncPeriodMs = 0,
  initialPriority?: number,
): Promise<void> {
  const clock = new ManualClock();
  await using world = await startWorld(clock);
  await world.direct.create(configMaps, labelled('old', 'x'));
  const set = createInformerSet({
    client: world.client,
    clock,
    random: testRandom(),
    ...(initialPriority === undefined ? {} : { initialPriority }),
  });
  const reconciled: string[] = [];
  const stop = new AbortController();
  const running = runController({
    name: 'test',
    sources: [informerSource<KubeObject>(set.informer(configMaps), options)],
    clock,
    signal: stop.signal,
    resyncPeriodMs,
    reconcile: (key, { priority }) => {
      reconciled.push(`${key} ${priority}`);
      return Promise.resolve(done);
    },
  });
  await settled();
  await run({ world, reconciled, clock });
  stop.abort();
  await running;
  await set.close();
}

function labelled(name: string, app: string): KubeObject {
  const { metadata, ...rest } = configMap(name);
  return { ...rest, metadata: { ...metadata, labels: { app } } };
}

function relabel(world: World, name: string, app: string): Promise<unknown> {
  const body = { metadata: { labels: { app } } };
  return world.direct.patch(configMaps, { namespace: 'default', name }, { type: 'merge', body });
}

test('what is there comes as a resync, what changes as a change', () =>
  withController({}, async ({ world, reconciled }) => {
    assert.deepEqual(reconciled, ['default/old -100']);
    await world.direct.create(configMaps, configMap('new'));
    await settled();
    await relabel(world, 'old', 'y');
    await settled();
    await world.direct.delete(configMaps, { namespace: 'default', name: 'old' });
    await settled();
    assert.deepEqual(reconciled.slice(1), ['default/new 0', 'default/old 0', 'default/old 0']);
  }));

test('an object that moves from one key to another brings both', () =>
  withController({ map: ({ metadata }) => metadata.labels?.['app'] }, async ({ world, reconciled }) => {
    await relabel(world, 'old', 'y');
    await settled();
    assert.deepEqual(new Set(reconciled), new Set(['x -100', 'y 0', 'x 0']));
  }));

test('leaving a filter is news, as is entering; changes beyond it are none', () =>
  withController(
    { filter: ({ metadata }) => metadata.labels?.['app'] === 'x', changed: () => false },
    async ({ world, reconciled }) => {
      reconciled.length = 0;
      for (const app of ['y', 'z', 'x']) {
        await relabel(world, 'old', app);
        await settled();
      }
      assert.deepEqual(reconciled, ['default/old 0', 'default/old 0']);
    },
  ));

test('a resync period brings everything again', () =>
  withController(
    {},
    async ({ reconciled, clock }) => {
      await clock.advance(250);
      assert.deepEqual(reconciled, ['default/old -100', 'default/old -100', 'default/old -100']);
    },
    100,
  ));

test('what is there from the start steps aside for changes, unless it is not to', async () => {
  const priorityOfOld = async (initialPriority?: number): Promise<string | undefined> => {
    let first: string | undefined;
    const look = ({ reconciled }: { reconciled: string[] }): Promise<void> => {
      [first] = reconciled;
      return Promise.resolve();
    };
    await withController({}, look, 0, initialPriority);
    return first;
  };
  assert.match((await priorityOfOld()) ?? '', /old -100$/);
  assert.match((await priorityOfOld(PRIORITY_CHANGE)) ?? '', /old 0$/);
});
