import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../api/index.ts';
import { isConflict, isNotFound } from '../client/index.ts';
import type { EventRecorder } from './event-recorder.ts';
import { reconcileFinalizer } from './finalizer.ts';
import { done, requeueAfter, retry, type Outcome } from './outcome.ts';
import { act, type Plan } from './plan.ts';
import { ManualClock } from './testing/manual-clock.ts';
import { configMap, configMaps, startWorld } from './testing/world.ts';

const key = { namespace: 'default', name: 'a' };

function listRecorder(): EventRecorder & { readonly events: string[] } {
  const events: string[] = [];
  const recorder = {
    events,
    event: (_: unknown, type: string, reason: string, message: string) =>
      events.push(`${type} ${reason}: ${message}`),
    withComponent: () => recorder,
  };
  return recorder;
}

test('a plan is carried out in order, its events follow, and its requeue is the outcome', async () => {
  await using world = await startWorld(new ManualClock());
  const recorder = listRecorder();
  const plan: Plan = {
    writes: [
      { verb: 'create', resource: configMaps, object: configMap('a', { x: '1' }) },
      {
        verb: 'patch',
        resource: configMaps,
        key,
        patch: { type: 'merge', body: { data: { x: '2', y: '3' } } },
      },
      { verb: 'create', resource: configMaps, object: configMap('b') },
      { verb: 'delete', resource: configMaps, key: { namespace: 'default', name: 'b' } },
    ],
    events: [{ object: configMap('a'), type: 'Normal', reason: 'Written', message: 'all' }],
    failureEvents: [{ object: configMap('a'), type: 'Warning', reason: 'Failed', message: 'because: ' }],
    requeue: { afterMs: 5, reason: 'to see' },
  };
  const outcome = await act(plan, { client: world.client, recorder });
  assert.deepEqual(outcome, requeueAfter(5, 'to see'));
  assert.deepEqual((await world.direct.get(configMaps, key)).data, { x: '2', y: '3' });
  assert.equal((await world.direct.listAll(configMaps)).items.length, 1);
  assert.deepEqual(recorder.events, ['Normal Written: all']);
  assert.deepEqual(await act({}, { client: world.client }), done);
});

test('a failed write ends the plan and is told as planned', async () => {
  await using world = await startWorld(new ManualClock());
  const recorder = listRecorder();
  const plan: Plan = {
    writes: [
      { verb: 'update', resource: configMaps, object: configMap('missing') },
      { verb: 'create', resource: configMaps, object: configMap('never') },
    ],
    events: [{ object: configMap('a'), type: 'Normal', reason: 'Written', message: 'all' }],
    failureEvents: [{ object: configMap('a'), type: 'Warning', reason: 'Failed', message: 'because: ' }],
  };
  await assert.rejects(act(plan, { client: world.client, recorder }), isNotFound);
  assert.deepEqual(recorder.events, ['Warning Failed: because: configmaps "missing" not found']);
  assert.equal((await world.direct.listAll(configMaps)).items.length, 0);
});

test('preconditions of patches and deletions hold or nothing happens', async () => {
  await using world = await startWorld(new ManualClock());
  const { client } = world;
  const { metadata } = await client.create(configMaps, configMap('a'));
  const { uid = '', resourceVersion = '' } = metadata;
  const patch = (preconditions: object): Plan => ({
    writes: [
      {
        verb: 'patch',
        resource: configMaps,
        key,
        patch: { type: 'merge', body: { data: { x: '1' } } },
        preconditions,
      },
    ],
  });
  await assert.rejects(act(patch({ uid: 'other' }), { client }), isConflict);
  await assert.rejects(act(patch({ resourceVersion: '1' }), { client }), isConflict);
  await act(patch({ uid, resourceVersion }), { client });
  assert.deepEqual((await client.get(configMaps, key)).data, { x: '1' });
  const deletion = (preconditions: object): Plan => ({
    writes: [{ verb: 'delete', resource: configMaps, key, preconditions }],
  });
  await assert.rejects(act(deletion({ uid: 'other' }), { client }), isConflict);
  await act(deletion({ uid }), { client });
  assert.equal(await client.find(configMaps, key), undefined);
});

test('a finalizer is there before the work, and goes after the clean-up has succeeded', async () => {
  await using world = await startWorld(new ManualClock());
  const { client } = world;
  const finalizer = 'example.com/clean';
  const steps: string[] = [];
  let cleanup: Outcome = retry(new Error('not yet'));
  const reconcile = async (): Promise<Outcome | undefined> => {
    const object = await client.find(configMaps, key);
    if (object === undefined) return undefined;
    const finalizers = object.metadata.finalizers ?? [];
    return reconcileFinalizer<KubeObject>(client, configMaps, object, finalizer, {
      apply: async () => {
        assert.ok(finalizers.includes(finalizer));
        steps.push('apply');
        return done;
      },
      cleanup: async () => {
        steps.push('cleanup');
        return cleanup;
      },
    });
  };
  await client.create(configMaps, {
    ...configMap('a'),
    metadata: { ...configMap('a').metadata, finalizers: ['other.com/stay'] },
  });
  await reconcile();
  assert.deepEqual(steps, []);
  await reconcile();
  await reconcile();
  await client.delete(configMaps, key);
  assert.equal((await reconcile())?.kind, 'retry');
  cleanup = done;
  await reconcile();
  assert.deepEqual((await client.get(configMaps, key)).metadata.finalizers, ['other.com/stay']);
  assert.deepEqual(await reconcile(), done);
  assert.deepEqual(steps, ['apply', 'apply', 'cleanup', 'cleanup']);
});

test('a finalizer is not written over a change of somebody else', async () => {
  await using world = await startWorld(new ManualClock());
  const { client } = world;
  const old = await client.create(configMaps, configMap('a'));
  await client.patch(configMaps, key, {
    type: 'merge',
    body: { metadata: { finalizers: ['example.com/theirs'] } },
  });
  const steps = { apply: () => Promise.resolve(done), cleanup: () => Promise.resolve(done) };
  await assert.rejects(
    reconcileFinalizer<KubeObject>(client, configMaps, old, 'example.com/ours', steps),
    isConflict,
  );
  assert.deepEqual((await client.get(configMaps, key)).metadata.finalizers, ['example.com/theirs']);
});
