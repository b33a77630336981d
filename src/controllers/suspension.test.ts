import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cluster, KubeObject, PropagationPolicy, Work } from '../api/index.ts';
import { formatTime, sleep, systemClock } from '../base/index.ts';
import { createClient, kinds, resource, type Transport } from '../client/index.ts';
import { suspensionHistory, suspensionNote } from '../fleet/index.ts';
import { manifestWork, stoppedBy, withSuspension, withoutSuspension } from '../propagation/index.ts';
import { executionController } from './execution/index.ts';
import { scheduler } from './scheduler/index.ts';
import { decideEnd, eventText, suspensionController } from './suspension.ts';
import { joinClusters } from './testing/clusters.ts';
import { startControlPlane, type ControlPlane } from './testing/control-plane.ts';
import { joinReady, startMemberApi } from './testing/member-api.ts';

const configMaps = resource({ group: '', version: 'v1', resource: 'configmaps', namespaced: true });
const settingsKey = { namespace: 'shop', name: 'settings' };

const policy: PropagationPolicy = {
  apiVersion: 'policy.karmada.io/v1alpha1',
  kind: 'PropagationPolicy',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { resourceSelectors: [{ apiVersion: 'apps/v1', kind: 'Deployment' }] },
};

/** RFC 3339 with whole seconds, at least one and less than two from now. */
function soon(): string {
  return formatTime(systemClock.now() + 2000);
}

test('what is to be done about a suspension now', () => {
  const until = '2026-01-01T12:00:00Z';
  const suspended = withSuspension(policy, { until });
  assert.deepEqual(decideEnd(policy, 0), { do: 'nothing' });
  assert.deepEqual(decideEnd(withSuspension(policy, {}), 0), { do: 'nothing' });
  assert.deepEqual(decideEnd(suspended, Date.parse(until) - 5), { do: 'wait', forMs: 5 });
  assert.deepEqual(decideEnd(suspended, Date.parse(until)), {
    do: 'end',
    object: { ...policy, metadata: policy.metadata },
  });
});

test('events say who, what, until when and why', () => {
  const at = '2026-01-01T12:00:00Z';
  assert.equal(
    eventText(
      { action: 'Suspended', at, by: 'anna', until: at, reason: 'migration' },
      { what: 'dispatching' },
    ),
    'Suspended dispatching by anna until 2026-01-01T12:00:00Z: migration',
  );
  assert.equal(
    eventText({ action: 'SuspensionChanged', at, by: 'bob' }, { what: 'cluster' }),
    'Suspension changed by bob: now everything to it, without an end',
  );
  assert.equal(
    eventText({ action: 'Resumed', at, by: 'bob', reason: 'done' }, undefined),
    'Resumed by bob: done',
  );
  assert.equal(eventText({ action: 'SuspensionExpired', at }, undefined), 'The suspension is over');
});

test('a suspension ends by itself, also when its time passed while nobody was there to end it', async () => {
  await using plane = await startControlPlane();
  const { client } = plane;
  const key = { namespace: 'shop', name: 'web' };
  await client.create(kinds.propagationPolicies, policy);
  const stored = await client.get(kinds.propagationPolicies, key);
  await client.update(
    kinds.propagationPolicies,
    withSuspension(stored, { until: soon(), reason: 'migration' }) as PropagationPolicy,
  );
  const suspended = await client.get(kinds.propagationPolicies, key);
  assert.equal(suspensionNote(suspended).by, 'system:admin');
  await sleep(systemClock, 2100);
  // Nothing runs yet that could have ended it.
  assert.notEqual(stoppedBy(await client.get(kinds.propagationPolicies, key)), undefined);
  plane.run(suspensionController);
  await plane.until(
    'it is over',
    async () => stoppedBy(await client.get(kinds.propagationPolicies, key)) === undefined,
  );
  const after = await client.get(kinds.propagationPolicies, key);
  assert.deepEqual(suspensionNote(after), {});
  assert.deepEqual(
    suspensionHistory(after).map(({ action }) => action),
    ['Suspended', 'SuspensionExpired'],
  );
  // And while it runs.
  await client.update(
    kinds.propagationPolicies,
    withSuspension(after, { until: soon() }) as PropagationPolicy,
  );
  await plane.until(
    'it is over again',
    async () => stoppedBy(await client.get(kinds.propagationPolicies, key)) === undefined,
  );
  const reasons = async (): Promise<readonly unknown[]> =>
    (await client.listAll(kinds.events, { namespace: 'shop' })).items.map(({ reason }) => reason);
  await plane.until('events tell of it', async () => {
    const told = await reasons();
    return told.includes('Suspended') && told.includes('SuspensionExpired');
  });
});

test('a time that is over is refused', async () => {
  await using plane = await startControlPlane();
  await assert.rejects(
    plane.client.create(
      kinds.propagationPolicies,
      withSuspension(policy, { until: '2020-01-01T00:00:00Z' }) as PropagationPolicy,
    ),
    /2020-01-01T00:00:00Z is over already; give a time to come/,
  );
});

/** A member whose requests are written down. */
function watched(transport: Transport): { readonly transport: Transport; readonly writes: string[] } {
  const writes: string[] = [];
  return {
    writes,
    transport: {
      ...transport,
      send: (request) => {
        if (request.method !== 'GET') writes.push(`${request.method} ${request.path}`);
        return transport.send(request);
      },
    },
  };
}

function settings(mode: string): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: settingsKey, data: { mode } };
}

function workOf(mode: string): Work {
  return manifestWork({
    cluster: 'm1',
    manifest: settings(mode),
    templateUid: 'uid',
    labels: {},
    annotations: {},
  });
}

async function suspendCluster(plane: ControlPlane, until?: string): Promise<void> {
  const cluster = await plane.client.get(kinds.clusters, { name: 'm1' });
  await plane.client.update(
    kinds.clusters,
    withSuspension(cluster, { until, reason: 'maintenance' }) as Cluster,
  );
}

test('nothing is written to a suspended cluster but deletions; it goes on by itself', async () => {
  await using member = await startMemberApi();
  const { transport, writes } = watched(member.transport);
  await using plane = await startControlPlane({}, undefined, () => transport);
  const { client } = plane;
  await joinReady(plane, 'm1');
  const created = await client.create(kinds.works, workOf('first'));
  const { namespace = '', name = '' } = created.metadata;
  const dispatching = async (): Promise<string> => {
    const { status } = await client.get(kinds.works, { namespace, name });
    const found = status?.conditions?.find(({ type }) => type === 'Dispatching');
    return `${found?.status}: ${found?.message}`;
  };
  const inside = createClient(member.transport, { fieldManager: 'somebody' });
  const mode = async (): Promise<string | undefined> =>
    ((await inside.find(configMaps, settingsKey))?.['data'] as { mode: string } | undefined)?.mode;
  plane.run(executionController, suspensionController);
  await plane.until('it is there', async () => (await mode()) === 'first');

  await suspendCluster(plane);
  await plane.until('the Work says so', async () =>
    (await dispatching()).startsWith('False: Cluster m1 is suspended by system:admin: maintenance'),
  );
  writes.length = 0;
  const current = await client.get(kinds.works, { namespace, name });
  await client.update(kinds.works, { ...current, spec: workOf('second').spec });
  await inside.patch(configMaps, settingsKey, { type: 'merge', body: { data: { mode: 'by hand' } } });
  await client.create(kinds.works, {
    ...manifestWork({
      cluster: 'm1',
      manifest: { ...settings('other'), metadata: { namespace: 'shop', name: 'other' } },
      templateUid: 'uid2',
      labels: {},
      annotations: {},
    }),
  });
  await plane.until('a new Work waits too', async () => {
    const { items } = await client.listAll(kinds.works, { namespace });
    return items.every(({ status }) =>
      status?.conditions?.some(({ type, status: value }) => type === 'Dispatching' && value === 'False'),
    );
  });
  await sleep(systemClock, 300);
  assert.deepEqual(writes, []);
  assert.equal(await mode(), 'by hand');

  // Its end is looked at, so nobody has to be there to bring it about.
  await suspendCluster(plane, soon());
  await plane.until('it went on', async () => (await mode()) === 'second');
  await plane.until('it says so', async () => (await dispatching()).startsWith('True'));
  assert.equal(
    (await client.get(kinds.clusters, { name: 'm1' })).metadata.annotations?.['navarch.io/suspended'],
    undefined,
  );

  // A deletion is no change that could wait.
  await suspendCluster(plane);
  await client.delete(kinds.works, { namespace, name });
  await plane.until('it is gone', async () => (await mode()) === undefined);
});

test('a suspended cluster is not selected, what runs there stays, and it is selected again', async () => {
  await using plane = await startControlPlane();
  const { client } = plane;
  await joinClusters(plane, { m1: {}, m2: {} });
  const bindingOf = (name: string): KubeObject => ({
    apiVersion: 'work.karmada.io/v1alpha2',
    kind: 'ResourceBinding',
    metadata: { name, namespace: 'shop', labels: { 'propagationpolicy.karmada.io/permanent-id': 'p' } },
    spec: {
      resource: { apiVersion: 'apps/v1', kind: 'Deployment', name, namespace: 'shop' },
      placement: {},
      schedulerName: 'default-scheduler',
    },
  });
  const clustersOf = async (name: string): Promise<readonly string[]> =>
    ((await client.get(kinds.resourceBindings, { namespace: 'shop', name })).spec.clusters ?? [])
      .map((one) => one.name)
      .sort();
  plane.run(scheduler);
  await client.create(kinds.resourceBindings, bindingOf('before') as never);
  await plane.until('it runs in both', async () => (await clustersOf('before')).join() === 'm1,m2');
  const cluster = await client.get(kinds.clusters, { name: 'm1' });
  await client.update(kinds.clusters, withSuspension(cluster, {}) as Cluster);
  await sleep(systemClock, 200);
  await client.create(kinds.resourceBindings, bindingOf('during') as never);
  await plane.until('the other takes it', async () => (await clustersOf('during')).length > 0);
  assert.deepEqual(await clustersOf('during'), ['m2']);
  assert.deepEqual(await clustersOf('before'), ['m1', 'm2']);
  await client.update(
    kinds.clusters,
    withoutSuspension(await client.get(kinds.clusters, { name: 'm1' })) as Cluster,
  );
  await plane.until('it runs in both', async () => (await clustersOf('during')).join() === 'm1,m2');
});
