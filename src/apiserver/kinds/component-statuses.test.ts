import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serve } from '../testing/served.ts';

const PATH = '/api/v1/componentstatuses';
const TABLE = { headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' } };

test('the parts of a cluster are shown, with a warning that nobody should ask for them', async () => {
  const served = await serve();
  const { status, body } = await served.send('GET', PATH);
  assert.equal(status, 200);
  const list = body as { kind: string; metadata: object; items: { metadata: object; conditions: unknown }[] };
  assert.deepEqual([list.kind, list.metadata], ['ComponentStatusList', {}]);
  assert.deepEqual(
    list.items.map(({ metadata, conditions }) => ({ metadata, conditions })),
    ['scheduler', 'controller-manager', 'etcd-0'].map((name) => ({
      metadata: { name },
      conditions: [{ type: 'Healthy', status: 'True', message: 'ok' }],
    })),
  );
  assert.deepEqual(await served.warnings('GET', PATH), [
    '299 - "v1 ComponentStatus is deprecated in v1.19+"',
  ]);
});

test('one of them, as an object and as a row', async () => {
  const served = await serve();
  const one = await served.must('GET', `${PATH}/etcd-0`);
  assert.equal(one.kind, 'ComponentStatus');
  const table = (await served.must('GET', `${PATH}/etcd-0`, undefined, TABLE)) as unknown as {
    columnDefinitions: { name: string }[];
    rows: { cells: unknown[] }[];
  };
  assert.deepEqual(
    table.columnDefinitions.map(({ name }) => name),
    ['Name', 'Status', 'Message', 'Error'],
  );
  assert.deepEqual(table.rows[0]?.cells, ['etcd-0', 'Healthy', 'ok', '']);
});

test('a name that there is not', async () => {
  const served = await serve();
  const { status, body } = await served.send('GET', `${PATH}/nobody`);
  assert.equal(status, 500);
  assert.deepEqual(body, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'Component not found: nobody',
    code: 500,
  });
});

test('they can be selected, and nothing else', async () => {
  const served = await serve();
  const { items } = await served.list(PATH, { fieldSelector: 'metadata.name=scheduler' });
  assert.deepEqual(
    items.map(({ metadata }) => metadata.name),
    ['scheduler'],
  );
  assert.equal((await served.send('POST', PATH, { metadata: { name: 'a' } })).status, 405);
  assert.equal((await served.send('DELETE', `${PATH}/etcd-0`)).status, 405);
});
