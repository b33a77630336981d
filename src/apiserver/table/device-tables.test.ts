import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serve } from '../testing/served.ts';

const GROUP = '/apis/resource.k8s.io/v1';

interface Table {
  readonly columnDefinitions: readonly { readonly name: string }[];
  readonly rows: readonly { readonly cells: readonly unknown[] }[];
}

test('claims on devices show how far they are, slices where they are', async () => {
  const served = await serve();
  const claims = `${GROUP}/namespaces/default/resourceclaims`;
  const spec = { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu' } }] } };
  for (const name of ['a', 'b', 'c']) await served.must('POST', claims, { metadata: { name }, spec });
  const merge = { contentType: 'application/merge-patch+json' };
  const allocation = { devices: {} };
  await served.must('PATCH', `${claims}/b/status`, { status: { allocation } }, merge);
  const reservedFor = [{ resource: 'pods', name: 'p', uid: 'u' }];
  await served.must('PATCH', `${claims}/c/status`, { status: { allocation, reservedFor } }, merge);
  const headers = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
  const shown = (await served.must('GET', claims, undefined, { headers })) as unknown as Table;
  assert.deepEqual(
    shown.columnDefinitions.map(({ name }) => name),
    ['Name', 'State', 'Age'],
  );
  assert.deepEqual(
    shown.rows.map(({ cells }) => cells.slice(0, 2)),
    [
      ['a', 'pending'],
      ['b', 'allocated'],
      ['c', 'allocated,reserved'],
    ],
  );
});
