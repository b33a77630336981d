import assert from 'node:assert/strict';
import { test } from 'node:test';
import { executionNamespace, type Work } from '../api/index.ts';
import { kinds } from '../client/index.ts';
import { workName } from '../propagation/index.ts';
import { executionController } from './execution/index.ts';
import { namespaceController } from './namespace.ts';
import { startControlPlane } from './testing/control-plane.ts';
import { joinReady, startMemberApi } from './testing/member-api.ts';

test('the Work of a namespace that somebody deletes is made again, and the namespace in the member with it', async () => {
  await using member = await startMemberApi();
  await using plane = await startControlPlane({}, undefined, () => member.transport);
  const { client } = plane;
  const inMember = member.clientOf('somebody');
  await joinReady(plane, 'm1');
  plane.run(namespaceController, executionController);
  const key = { namespace: executionNamespace('m1'), name: workName('Namespace', '', 'team') };
  await client.create(kinds.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } });
  const isThere = async (): Promise<boolean> =>
    (await inMember.find(kinds.namespaces, { name: 'team' })) !== undefined;
  await plane.until('the namespace is in the member', isThere);

  const before = await client.get<Work>(kinds.works, key);
  await client.delete(kinds.works, key);
  await plane.until('another Work is there', async () => {
    const now = await client.find<Work>(kinds.works, key);
    return now !== undefined && now.metadata.uid !== before.metadata.uid;
  });
  await plane.until('the namespace is in the member again', isThere);
  assert.equal((await client.get<Work>(kinds.works, key)).metadata.deletionTimestamp, undefined);
});
