import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Condition, KubeObject, Work } from '../../api/index.ts';
import { kinds, resource } from '../../client/index.ts';
import { manifestWork } from '../../propagation/index.ts';
import { silentDispatchMetrics } from '../dispatch-metrics.ts';
import { startControlPlane } from '../testing/control-plane.ts';
import { joinReady, startMemberApi } from '../testing/member-api.ts';
import { executionController } from './index.ts';

const configMaps = resource({ group: '', version: 'v1', resource: 'configmaps', namespaced: true });
const key = { namespace: 'shop', name: 'settings' };

function settings(mode: string): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: key, data: { mode } };
}

test('who undoes our writes in a member is put right, then named and met less often', async () => {
  await using member = await startMemberApi();
  await using plane = await startControlPlane({}, undefined, () => member.transport);
  const { client } = plane;
  await joinReady(plane, 'm1');
  const work = manifestWork({
    cluster: 'm1',
    manifest: settings('ours'),
    templateUid: 'template-uid',
    labels: {},
    annotations: {},
  });
  const { namespace = '', name = '' } = work.metadata;
  await client.create(kinds.works, work);
  plane.run(executionController);
  const intruder = member.clientOf('intruder');
  const mode = async (): Promise<string | undefined> =>
    ((await intruder.find(configMaps, key))?.['data'] as { mode: string } | undefined)?.mode;
  const condition = async (type: string): Promise<Condition | undefined> =>
    (await client.get<Work>(kinds.works, { namespace, name })).status?.conditions?.find(
      (one) => one.type === type,
    );
  await plane.until('the object is there', async () => (await mode()) === 'ours');

  for (let round = 1; round <= 5; round++) {
    if (round === 2) await intruder.delete(configMaps, key);
    else await intruder.patch(configMaps, key, { type: 'merge', body: { data: { mode: 'theirs' } } });
    await plane.until(`it is put right, ${round}`, async () => (await mode()) === 'ours');
    if (round < 5) assert.equal(await condition('Contested'), undefined);
  }
  await plane.until('the fight is named', async () => (await condition('Contested'))?.status === 'True');
  const contested = await condition('Contested');
  assert.equal(contested?.reason, 'WrittenElsewhere');
  assert.match(
    contested?.message ?? '',
    /^ConfigMap shop\/settings in cluster m1 has been put right 5 times since \S+: "intruder" writes \.data\.mode\. /,
  );
  assert.equal((await condition('Applied'))?.status, 'True');

  // The next one has to wait.
  await intruder.patch(configMaps, key, { type: 'merge', body: { data: { mode: 'theirs' } } });
  const told = async (): Promise<boolean> =>
    (await client.listAll(kinds.events, { namespace })).items.some(
      ({ reason }) => reason === 'WrittenElsewhere',
    );
  await plane.until('an event tells of it', told);
  assert.equal(await mode(), 'theirs');

  // What the hub itself changes waits for nobody.
  const current = await client.get<Work>(kinds.works, { namespace, name });
  const next = manifestWork({
    cluster: 'm1',
    manifest: settings('new'),
    templateUid: 'template-uid',
    labels: {},
    annotations: {},
  });
  await client.update(kinds.works, { ...current, spec: next.spec });
  await plane.until('the new state is there', async () => (await mode()) === 'new');
});

for (const changed of [false, true]) {
  test(`a fight from before a restart ${changed ? 'holds up nothing that the hub has changed since' : 'goes on as patiently'}`, async () => {
    await using member = await startMemberApi();
    await using plane = await startControlPlane({}, undefined, () => member.transport);
    const { client } = plane;
    await joinReady(plane, 'm1');
    const marks = { cluster: 'm1', templateUid: 'template-uid', labels: {}, annotations: {} };
    const work = manifestWork({ ...marks, manifest: settings('ours') });
    const { namespace = '', name = '' } = work.metadata;
    const created = await client.create(kinds.works, work);
    const [manifest] = work.spec.workload?.manifests ?? [];
    const intruder = member.clientOf('intruder');
    await intruder.create(configMaps, { ...(manifest as unknown as KubeObject), data: { mode: 'theirs' } });
    const condition: Condition = {
      type: 'Contested',
      status: 'True',
      reason: 'WrittenElsewhere',
      message:
        'ConfigMap shop/settings in cluster m1 has been put right 6 times since 2026-01-01T00:00:00Z: "intruder" writes .data.mode. Corrections are slowed down until one of both writers stops.',
      lastTransitionTime: '2026-01-01T00:00:00Z',
      observedGeneration: 1,
    };
    const told = await client.updateStatus(kinds.works, { ...created, status: { conditions: [condition] } });
    if (changed)
      await client.update(kinds.works, {
        ...told,
        spec: manifestWork({ ...marks, manifest: settings('new') }).spec,
      });
    plane.run(executionController);
    const applied = async (): Promise<boolean> =>
      (await client.get<Work>(kinds.works, { namespace, name })).status?.conditions?.some(
        ({ type, status }) => type === 'Applied' && status === 'True',
      ) === true;
    await plane.until('it has been looked at', applied);
    const { data } = (await member.clientOf('reader').get(configMaps, key)) as KubeObject & { data: object };
    assert.deepEqual(data, { mode: changed ? 'new' : 'theirs' });
  });
}

test("what the member does not take is nobody else's doing", async () => {
  await using member = await startMemberApi();
  let unchanged = 0;
  await using plane = await startControlPlane({}, undefined, () => member.transport, {
    dispatch: {
      ...silentDispatchMetrics,
      updated: (_ok, _kind, _cluster, result) => void (result === 'unchanged' && unchanged++),
    },
  });
  const { client } = plane;
  await joinReady(plane, 'm1');
  const marks = { cluster: 'm1', templateUid: 'template-uid', labels: {}, annotations: {} };
  const manifest = { ...settings('ours'), unknown: 'here' } as KubeObject;
  const work = manifestWork({ ...marks, manifest });
  const { namespace = '', name = '' } = work.metadata;
  await client.create(kinds.works, work);
  plane.run(executionController);
  const stored = (): Promise<Work> => client.get(kinds.works, { namespace, name });
  await plane.until('it was applied', async () => (await stored()).status?.conditions?.length === 2);
  // Somebody's own annotation is no drift; but it has the object looked at, and what is missing written once more.
  const neighbour = member.clientOf('neighbour');
  for (let round = 1; round <= 6; round++) {
    const body = { metadata: { annotations: { round: String(round) } } };
    await neighbour.patch(configMaps, key, { type: 'merge', body });
    await plane.until(`it was written again, ${round}`, () => Promise.resolve(unchanged >= round));
  }
  const body = { spec: { preserveResourcesOnDeletion: true } };
  await client.patch(kinds.works, { namespace, name }, { type: 'merge', body });
  await plane.until('what the last write came to is told', async () => {
    const { metadata, status } = await stored();
    return metadata.generation === 2 && unchanged >= 6 && status?.conditions !== undefined;
  });
  assert.deepEqual((await stored()).status?.conditions?.map(({ type }) => type).toSorted(), [
    'Applied',
    'Dispatching',
  ]);
});
