import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../api/index.ts';
import { silentLogger, type Logger } from '../base/index.ts';
import { resource, type Client } from '../client/index.ts';
import { createEventRecorder, type EventPipeline, type EventRecorderSettings } from './event-recorder.ts';
import { silentMetrics } from './metrics.ts';
import { ManualClock, settled } from './testing/manual-clock.ts';
import { configMap, namespaces, startWorld, type World } from './testing/world.ts';

const events = resource({ group: '', version: 'v1', resource: 'events', namespaced: true });

interface Fixture {
  readonly world: World;
  readonly clock: ManualClock;
  readonly recorder: EventPipeline;
  readonly dropped: string[];
  readonly stored: () => Promise<readonly KubeObject[]>;
}

async function withRecorder(
  run: (fixture: Fixture) => Promise<void>,
  settings: Partial<EventRecorderSettings> = {},
): Promise<void> {
  const clock = new ManualClock(Date.UTC(2026, 0, 2, 3, 4, 5, 678));
  await using world = await startWorld(clock);
  const dropped: string[] = [];
  const recorder = createEventRecorder({
    client: world.client,
    clock,
    component: 'test-controller',
    metrics: { ...silentMetrics, eventDropped: (why) => dropped.push(why) },
    ...settings,
  });
  const stored = async (): Promise<readonly KubeObject[]> => (await world.direct.listAll(events)).items;
  await run({ world, clock, recorder, dropped, stored });
  const closed = recorder.close();
  await clock.advance(1000);
  await closed;
  assert.equal(clock.timerCount, 0);
}

const subject: KubeObject = {
  ...configMap('a'),
  metadata: { name: 'a', namespace: 'default', uid: 'uid-a', resourceVersion: '7' },
};

test('an event looks as upstream writes it', () =>
  withRecorder(async ({ clock, recorder, stored }) => {
    recorder.event(subject, 'Normal', 'Created', 'it is there');
    await clock.advance(100);
    const [{ metadata, ...event }] = (await stored()) as [KubeObject];
    const nanoseconds = BigInt(Date.UTC(2026, 0, 2, 3, 4, 5, 678)) * 1_000_000n;
    assert.equal(metadata.name, `a.${nanoseconds.toString(16)}`);
    assert.equal(metadata.namespace, 'default');
    assert.deepEqual(event, {
      apiVersion: 'v1',
      kind: 'Event',
      involvedObject: {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        name: 'a',
        namespace: 'default',
        resourceVersion: '7',
        uid: 'uid-a',
      },
      reason: 'Created',
      message: 'it is there',
      source: { component: 'test-controller' },
      firstTimestamp: '2026-01-02T03:04:05Z',
      lastTimestamp: '2026-01-02T03:04:05Z',
      count: 1,
      type: 'Normal',
      eventTime: null,
      reportingComponent: 'test-controller',
      reportingInstance: '',
    });
  }));

test('objects whose names events cannot have are told of too', () =>
  withRecorder(async ({ clock, recorder, stored }) => {
    const metadata = { name: 'system:Viewer', uid: 'uid-r' };
    recorder.event(
      { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata },
      'Normal',
      'Seen',
      'so',
    );
    await clock.advance(100);
    const [event] = (await stored()) as [KubeObject & { readonly involvedObject: { readonly name: string } }];
    assert.match(event.metadata.name ?? '', /^clusterrole\.[0-9a-f]{16}$/);
    assert.equal(event.involvedObject.name, 'system:Viewer');
  }));

test('events about objects without a namespace go to the default one', () =>
  withRecorder(async ({ clock, recorder, stored }) => {
    recorder.event({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } }, 'Normal', 'Ready', 'yes');
    await clock.advance(100);
    const [event] = await stored();
    assert.equal(event?.metadata.namespace, 'default');
    assert.deepEqual(event?.['involvedObject'], { apiVersion: 'v1', kind: 'Node', name: 'n' });
  }));

test('the same event again is counted: together before the write, by a patch after it', () =>
  withRecorder(async ({ clock, recorder, stored, world }) => {
    for (let i = 0; i < 3; i++) recorder.event(subject, 'Warning', 'Failed', 'no');
    recorder.withComponent('other').event(subject, 'Warning', 'Failed', 'no');
    await clock.advance(100);
    await clock.advance(5000);
    recorder.event(subject, 'Warning', 'Failed', 'no');
    await clock.advance(100);
    const found = await stored();
    const counts = found.map((event) => {
      const { component } = event['source'] as { readonly component: string };
      return `${component}: ${event['count'] as number}`;
    });
    assert.deepEqual(counts.sort(), ['other: 1', 'test-controller: 4']);
    const own = found.find((event) => event['count'] === 4);
    assert.equal(own?.['firstTimestamp'], '2026-01-02T03:04:05Z');
    assert.equal(own?.['lastTimestamp'], '2026-01-02T03:04:10Z');
    assert.equal(world.network.sent.filter((one) => one.startsWith('PATCH')).length, 1);
  }));

test('an event that was cleaned up begins anew', () =>
  withRecorder(async ({ clock, recorder, stored, world }) => {
    recorder.event(subject, 'Normal', 'Seen', 'yes');
    await clock.advance(100);
    await world.direct.deleteCollection(events, { namespace: 'default' });
    recorder.event(subject, 'Normal', 'Seen', 'yes');
    await clock.advance(100);
    assert.deepEqual(
      (await stored()).map((event) => event['count']),
      [1],
    );
  }));

test('many messages for one reason become one event', () =>
  withRecorder(async ({ clock, recorder, stored }) => {
    for (let i = 0; i < 15; i++) recorder.event(subject, 'Normal', 'Scaled', `to ${i}`);
    await clock.advance(100);
    const found = await stored();
    assert.equal(found.length, 10);
    const merged = found.find((event) => (event['message'] as string).startsWith('(combined'));
    assert.deepEqual([merged?.['message'], merged?.['count']], ['(combined from similar events): to 9', 6]);
  }));

test('one object in trouble is limited, and gets its share back with time', () =>
  withRecorder(async ({ clock, recorder, dropped }) => {
    for (let i = 0; i < 30; i++) recorder.event(subject, 'Warning', 'Failed', 'no');
    assert.equal(dropped.length, 5);
    recorder.event(
      { ...subject, metadata: { ...subject.metadata, uid: 'other' } },
      'Warning',
      'Failed',
      'no',
    );
    await clock.advance(300_000);
    recorder.event(subject, 'Warning', 'Failed', 'no');
    recorder.event(subject, 'Warning', 'Failed', 'no');
    assert.deepEqual(
      dropped,
      Array.from({ length: 6 }, () => 'spam'),
    );
    await clock.advance(100);
  }));

test('the oldest gives way when too many wait, and what the server refuses is given up', () =>
  withRecorder(
    async ({ clock, recorder, stored, dropped }) => {
      const about = (name: string, namespace: string): KubeObject => configMap(name, {}, namespace);
      recorder.event(about('a', 'default'), 'Normal', 'R', 'm');
      recorder.event(about('b', 'default'), 'Normal', 'R', 'm');
      recorder.event(about('c', 'no-such-namespace'), 'Normal', 'R', 'm');
      await clock.advance(200);
      assert.deepEqual(
        (await stored()).map(({ metadata }) => metadata.name?.split('.')[0]),
        ['b'],
      );
      assert.deepEqual(dropped, ['full', 'refused']);
    },
    { maxPending: 2 },
  ));

test('a server that is away is tried again, and recording never waits for it', () =>
  withRecorder(async ({ clock, recorder, stored, world, dropped }) => {
    world.network.down = true;
    recorder.event(subject, 'Normal', 'Seen', 'yes');
    await clock.advance(500);
    world.network.down = false;
    await clock.advance(1000);
    assert.equal((await stored()).length, 1);
    world.network.down = true;
    recorder.event(subject, 'Normal', 'Seen', 'again');
    await clock.advance(10_000);
    assert.deepEqual(dropped, ['failed']);
  }));

test('what is noted at the very moment when all was written is written too', async () => {
  const clock = new ManualClock();
  await using world = await startWorld(clock);
  const noted = new Set<string>();
  // From the answer to the last write on, one step of the program later in each round.
  for (let steps = 0; steps < 40; steps++) {
    const names = [`first-${steps}`, `second-${steps}`];
    for (const name of names) noted.add(name);
    const about = (name = ''): KubeObject => configMap(name);
    let left = steps;
    const later = (): void => {
      if (left-- > 0) queueMicrotask(later);
      else recorder.event(about(names[1]), 'Normal', 'Seen', 'yes');
    };
    const create: Client['create'] = async (of, object, options) => {
      const made = await world.client.create(of, object, options);
      if (object.metadata.name?.startsWith('first') === true) queueMicrotask(later);
      return made;
    };
    const client = { create } as Client;
    const recorder = createEventRecorder({ client, clock, component: 'test-controller' });
    recorder.event(about(names[0]), 'Normal', 'Seen', 'yes');
    await clock.advance(100);
    await clock.advance(100);
    const closed = recorder.close();
    await clock.advance(0);
    await closed;
  }
  const told = (await world.direct.listAll(events)).items.map(({ metadata }) => metadata.name?.split('.')[0]);
  assert.deepEqual(new Set(told), noted);
});

test('that nobody can be told in a namespace on its way out is nothing to be warned of', () => {
  const warned: string[] = [];
  const logger: Logger = {
    ...silentLogger,
    with: () => logger,
    warn: (message) => void warned.push(message),
  };
  return withRecorder(
    async ({ clock, recorder, world, dropped }) => {
      await world.direct.create(namespaces, {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'leaving', finalizers: ['example.com/held'] },
      });
      await world.direct.delete(namespaces, { name: 'leaving' });
      recorder.event(configMap('a', {}, 'leaving'), 'Normal', 'Seen', 'yes');
      recorder.event(configMap('a', {}, 'gone'), 'Normal', 'Seen', 'yes');
      await clock.advance(100);
      assert.deepEqual(dropped, ['refused', 'refused']);
      assert.deepEqual(warned, []);
    },
    { logger },
  );
});

test('closing writes what is left, but not for ever', async () => {
  const clock = new ManualClock();
  await using world = await startWorld(clock);
  const recorder = createEventRecorder({ client: world.client, clock, component: 'c' });
  recorder.event(subject, 'Normal', 'Last', 'word');
  world.network.silent = true;
  const closed = recorder.close();
  await clock.advance(1000);
  await closed;
  recorder.event(subject, 'Normal', 'After', 'the end');
  await settled();
  assert.equal(clock.timerCount, 0);
});

test('events about different parts of an object are different events', () =>
  withRecorder(async ({ clock, recorder, stored }) => {
    for (const part of ['spec.containers{a}', 'spec.containers{b}', 'spec.containers{a}']) {
      recorder.event(subject, 'Normal', 'Pulled', 'already present', part);
    }
    await clock.advance(100);
    const told = (await stored()).map((event) => {
      const { fieldPath } = event['involvedObject'] as { fieldPath?: string };
      return [fieldPath, event['count']];
    });
    assert.deepEqual(told, [
      ['spec.containers{a}', 2],
      ['spec.containers{b}', 1],
    ]);
  }));
