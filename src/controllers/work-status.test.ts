import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject, Work } from '../api/index.ts';
import { kinds } from '../client/index.ts';
import { createInterpreter, nativeLayer, type Interpreter } from '../interpreter/index.ts';
import { manifestWork } from '../propagation/index.ts';
import { executionController } from './execution/index.ts';
import { startControlPlane } from './testing/control-plane.ts';
import { joinReady, startMemberApi } from './testing/member-api.ts';
import { workStatusController } from './work-status.ts';

test('a service that did not answer is asked again, and an event says so', async () => {
  const native = createInterpreter([nativeLayer(() => '')]);
  let refusals = 3;
  const interpreter: Interpreter = {
    ...native,
    status: (observed) =>
      refusals-- > 0
        ? Promise.reject(new Error('nobody answers'))
        : Promise.resolve({ mode: (observed['data'] as { mode: string }).mode }),
  };
  await using member = await startMemberApi();
  await using plane = await startControlPlane({}, interpreter, () => member.transport);
  await joinReady(plane, 'm1');
  const manifest: KubeObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: 'shop', name: 'settings' },
    data: { mode: 'ours' },
  };
  const work = manifestWork({ cluster: 'm1', manifest, templateUid: 'uid', labels: {}, annotations: {} });
  const { namespace = '', name = '' } = work.metadata;
  await plane.client.create(kinds.works, work);
  plane.run(executionController, workStatusController);
  const reported = async (): Promise<unknown> =>
    (await plane.client.get<Work>(kinds.works, { namespace, name })).status?.manifestStatuses?.[0]?.status;
  await plane.until('it is interpreted', async () => (await reported()) !== undefined);
  assert.deepEqual(await reported(), { mode: 'ours' });
  assert(refusals < 0);
  await plane.until('it is told', async () =>
    (await plane.client.listAll(kinds.events, { namespace })).items.some(
      ({ reason, message }) =>
        reason === 'ReflectStatusFailed' &&
        message === 'Reflect status for object(ConfigMap/shop/settings) failed, err: nobody answers.',
    ),
  );
});
