import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { KubeObject } from '../../api/index.ts';
import { settled } from '../../runtime/testing/manual-clock.ts';
import { serve, type Served } from '../testing/served.ts';

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const MERGE = { contentType: 'application/merge-patch+json' };

const make = (served: Served, name: string, labels: Record<string, string> = {}): Promise<KubeObject> =>
  served.must('POST', CONFIG_MAPS, { metadata: { name, labels } });

const revisionOf = (object: KubeObject): string => object.metadata.resourceVersion!;

test('a watch from a revision sends what came after it, and nothing of it again', async () => {
  const served = await serve();
  const first = await make(served, 'a');
  await make(served, 'b');
  const watching = served.watch(CONFIG_MAPS, { resourceVersion: revisionOf(first) });
  await settled();
  await make(served, 'c');
  await watching.stop();
  assert.deepEqual(watching.seen(), ['ADDED b', 'ADDED c']);
});

test('a watch that resumes does not miss what was deleted meanwhile', async () => {
  const served = await serve();
  await make(served, 'a');
  const last = await make(served, 'b');
  await served.must('DELETE', `${CONFIG_MAPS}/a`);
  const watching = served.watch(CONFIG_MAPS, { resourceVersion: revisionOf(last) });
  await watching.stop();
  assert.deepEqual(watching.seen(), ['DELETED a']);
  const { object } = watching.events[0]!;
  assert.ok(Number(revisionOf(object)) > Number(revisionOf(last)), 'it carries the revision of the deletion');
});

test('a watch from a revision that has not come yet is silent until it has', async () => {
  const served = await serve();
  const first = await make(served, 'a');
  const future = String(Number(revisionOf(first)) + 2);
  const watching = served.watch(CONFIG_MAPS, { resourceVersion: future });
  await settled();
  for (const name of ['b', 'c', 'd']) await make(served, name);
  await watching.stop();
  assert.deepEqual(watching.seen(), ['ADDED d']);
});

test('a watch from a compacted revision ends with an expired error, and skips nothing silently', async () => {
  const served = await serve();
  const first = await make(served, 'a');
  const last = await make(served, 'b');
  await served.storage.compact(Number(revisionOf(last)));
  const watching = served.watch(CONFIG_MAPS, { resourceVersion: revisionOf(first) });
  await watching.done;
  assert.equal(watching.events.length, 1);
  const { type, object } = watching.events[0]!;
  assert.equal(type, 'ERROR');
  assert.partialDeepStrictEqual(object, { kind: 'Status', code: 410, reason: 'Expired' });
});

test('a watch that is under way misses nothing when the history behind it is compacted', async () => {
  const served = await serve({ historyLimit: 8 });
  const watching = served.watch(CONFIG_MAPS, { resourceVersion: revisionOf(await make(served, 'a')) });
  const names = Array.from({ length: 50 }, (_, i) => `more-${i}`);
  await Promise.all(names.map((name) => make(served, name)));
  await watching.stop();
  assert.deepEqual(
    watching.seen(),
    names.map((name) => `ADDED ${name}`),
  );
});

test('a bookmark never names a revision whose changes have not been sent', async () => {
  const served = await serve();
  const first = await make(served, 'a');
  const query = { resourceVersion: revisionOf(first), allowWatchBookmarks: 'true' };
  const watching = served.watch(CONFIG_MAPS, query);
  await settled();
  const second = await make(served, 'b');
  await served.clock.advance(61_000);
  await watching.stop();
  assert.deepEqual(watching.seen(), ['ADDED b', 'BOOKMARK']);
  const bookmark = watching.events[1]!.object;
  assert.equal(revisionOf(bookmark), revisionOf(second));
  assert.equal(bookmark.kind, 'ConfigMap');
});

test('changes elsewhere move bookmarks on', async () => {
  const served = await serve();
  const first = await make(served, 'a');
  const query = { resourceVersion: revisionOf(first), allowWatchBookmarks: 'true' };
  const watching = served.watch(CONFIG_MAPS, query);
  await settled();
  const secret = await served.must('POST', '/api/v1/namespaces/default/secrets', { metadata: { name: 's' } });
  await served.clock.advance(61_000);
  await watching.stop();
  assert.deepEqual(watching.seen(), ['BOOKMARK']);
  assert.ok(Number(revisionOf(watching.events[0]!.object)) >= Number(revisionOf(secret)));
});

test('nobody who has not asked for bookmarks gets them', async () => {
  const served = await serve();
  const watching = served.watch(CONFIG_MAPS);
  await settled();
  await make(served, 'a');
  await served.clock.advance(121_000);
  await watching.stop();
  assert.deepEqual(watching.seen(), ['ADDED a']);
});

test('a streaming list sends the state, then a bookmark that says so, then what changes', async () => {
  const served = await serve();
  await make(served, 'a');
  await make(served, 'b');
  const watching = served.watch(CONFIG_MAPS, {
    sendInitialEvents: 'true',
    resourceVersionMatch: 'NotOlderThan',
    allowWatchBookmarks: 'true',
  });
  await settled();
  await make(served, 'c');
  await watching.stop();
  assert.deepEqual(watching.seen(), ['ADDED a', 'ADDED b', 'BOOKMARK', 'ADDED c']);
  assert.deepEqual(watching.events[2]!.object.metadata.annotations, { 'k8s.io/initial-events-end': 'true' });
});

test('an object that enters a selection is added, and one that leaves it is deleted as it last was', async () => {
  const served = await serve();
  await make(served, 'a');
  const watching = served.watch(CONFIG_MAPS, { labelSelector: 'team=red' });
  await settled();
  const label = (team: string | null): Promise<KubeObject> =>
    served.must('PATCH', `${CONFIG_MAPS}/a`, { metadata: { labels: { team } } }, MERGE);
  await label('red');
  await served.must('PATCH', `${CONFIG_MAPS}/a`, { data: { k: 'v' } }, MERGE);
  const left = await label('blue');
  await label('green');
  await served.must('DELETE', `${CONFIG_MAPS}/a`);
  await watching.stop();
  assert.deepEqual(watching.seen(), ['ADDED a', 'MODIFIED a', 'DELETED a']);
  const { metadata } = watching.events[2]!.object;
  assert.deepEqual(metadata.labels, { team: 'red' });
  assert.equal(metadata.resourceVersion, revisionOf(left));
});

test('a watch ends when its time is up', async () => {
  const served = await serve();
  const watching = served.watch(CONFIG_MAPS, { timeoutSeconds: '5' });
  await served.clock.advance(5_000);
  await watching.done;
  assert.deepEqual(watching.seen(), []);
  assert.equal(served.clock.timerCount <= 1, true, 'its timers are gone; the storage keeps its own');
});

test('a watch whose time is negative ends at once', async () => {
  const served = await serve();
  const watching = served.watch(CONFIG_MAPS, { timeoutSeconds: '-1' });
  await served.clock.advance(0);
  await watching.done;
});

test('watchers of one version share one object for a change', async () => {
  const served = await serve();
  const watches = [served.watch(CONFIG_MAPS), served.watch(CONFIG_MAPS)];
  await settled();
  await make(served, 'a');
  for (const watching of watches) await watching.stop();
  assert.equal(watches[0]!.events[0]!.object, watches[1]!.events[0]!.object);
});

test('whatever is written, a watcher sees every change once, in order, and ends with what a list shows', async () => {
  const action = fc.record({ name: fc.constantFrom('a', 'b', 'c'), what: fc.constantFrom('put', 'delete') });
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 20 }), fc.nat(20), async (actions, watchAfter) => {
      const served = await serve();
      let from = (await served.list(CONFIG_MAPS)).metadata.resourceVersion!;
      const state = new Map<string, string>();
      for (const [index, { name, what }] of actions.entries()) {
        if (index === watchAfter) {
          const list = await served.list(CONFIG_MAPS);
          from = list.metadata.resourceVersion!;
          for (const item of list.items) state.set(item.metadata.name!, revisionOf(item));
        }
        const path = `${CONFIG_MAPS}/${name}`;
        if (what === 'delete') await served.send('DELETE', path);
        else if ((await served.send('POST', CONFIG_MAPS, { metadata: { name } })).status === 409) {
          await served.must('PATCH', path, { data: { step: String(index) } }, MERGE);
        }
      }
      const watching = served.watch(CONFIG_MAPS, { resourceVersion: from });
      await watching.stop();
      let last = Number(from);
      for (const { type, object } of watching.events) {
        const { name = '', resourceVersion } = object.metadata;
        assert.ok(Number(resourceVersion) > last, 'no event goes back in time or comes twice');
        last = Number(resourceVersion);
        assert.equal(type, state.has(name) ? (type === 'DELETED' ? 'DELETED' : 'MODIFIED') : 'ADDED');
        if (type === 'DELETED') state.delete(name);
        else state.set(name, resourceVersion!);
      }
      const { items } = await served.list(CONFIG_MAPS);
      assert.deepEqual(
        Object.fromEntries(state),
        Object.fromEntries(items.map((item) => [item.metadata.name, revisionOf(item)])),
      );
    }),
    { numRuns: 50 },
  );
});
