import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeList, KubeObject, WatchEvent } from '../api/index.ts';
import { silentLogger, systemClock, systemRandom } from '../base/index.ts';
import type { Status } from '../machinery/index.ts';
import { createMemoryStorage } from '../storage/index.ts';
import { createApiServer, objectCodec, type InProcessTransport } from './index.ts';

const ADMIN = { name: 'admin', groups: ['system:masters'] };

async function start(): Promise<InProcessTransport> {
  const server = createApiServer({
    storage: createMemoryStorage(objectCodec),
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
  });
  const api = server.inProcess(ADMIN);
  await api.send({ method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: 'default' } } });
  return api;
}

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';

function configMap(name: string, data: Record<string, string>): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data };
}

test('an object is created, read, replaced, patched and deleted', async () => {
  const api = await start();
  const created = await api.send({ method: 'POST', path: CONFIG_MAPS, body: configMap('a', { k: '1' }) });
  assert.equal(created.status, 201);
  const { metadata } = created.body as KubeObject;
  assert.equal(metadata.namespace, 'default');
  assert.match(metadata.uid ?? '', /^[0-9a-f-]{36}$/);

  const read = await api.send({ method: 'GET', path: `${CONFIG_MAPS}/a` });
  assert.equal(read.body, created.body);

  const put = await api.send({
    method: 'PUT',
    path: `${CONFIG_MAPS}/a`,
    body: { ...(read.body as KubeObject), data: { k: '2' } },
  });
  assert.equal(put.status, 200);
  const stale = await api.send({ method: 'PUT', path: `${CONFIG_MAPS}/a`, body: read.body });
  assert.equal(stale.status, 409);

  const patched = await api.send({
    method: 'PATCH',
    path: `${CONFIG_MAPS}/a`,
    contentType: 'application/merge-patch+json',
    body: { data: { l: '3' } },
  });
  assert.deepEqual((patched.body as KubeObject)['data'], { k: '2', l: '3' });

  const deleted = await api.send({ method: 'DELETE', path: `${CONFIG_MAPS}/a` });
  assert.equal((deleted.body as Status).status, 'Success');
  assert.equal((await api.send({ method: 'GET', path: `${CONFIG_MAPS}/a` })).status, 404);
});

test('a list shows the objects that a selector chooses, in pages at one revision', async () => {
  const api = await start();
  for (const name of ['a', 'b', 'c']) {
    await api.send({ method: 'POST', path: CONFIG_MAPS, body: configMap(name, {}) });
  }
  const first = await api.send({ method: 'GET', path: CONFIG_MAPS, query: { limit: '2' } });
  const page = first.body as KubeList;
  assert.deepEqual(
    page.items.map((item) => item.metadata.name),
    ['a', 'b'],
  );
  assert.equal(page.metadata.remainingItemCount, 1);
  await api.send({ method: 'DELETE', path: `${CONFIG_MAPS}/c` });
  const second = await api.send({
    method: 'GET',
    path: CONFIG_MAPS,
    query: { limit: '2', continue: page.metadata.continue ?? '' },
  });
  assert.deepEqual(
    (second.body as KubeList).items.map((item) => item.metadata.name),
    ['c'],
  );
});

test('a watch sends the state and then every change, and an object that leaves the selection as deleted', async () => {
  const api = await start();
  const labelled = { ...configMap('a', { k: '1' }), metadata: { name: 'a', labels: { w: 'y' } } };
  await api.send({ method: 'POST', path: CONFIG_MAPS, body: labelled });
  const events: WatchEvent[] = [];
  const stop = new AbortController();
  const watching = api.watch(
    { method: 'GET', path: CONFIG_MAPS, query: { labelSelector: 'w=y' }, signal: stop.signal },
    (event) => {
      events.push(event);
      if (events.length === 3) stop.abort();
    },
  );
  const patch = (body: object): Promise<unknown> =>
    api.send({
      method: 'PATCH',
      path: `${CONFIG_MAPS}/a`,
      contentType: 'application/merge-patch+json',
      body,
    });
  await patch({ data: { k: '2' } });
  await patch({ metadata: { labels: null }, data: { k: '3' } });
  await watching;
  assert.deepEqual(
    events.map(({ type, object }) => [type, object['data']]),
    [
      ['ADDED', { k: '1' }],
      ['MODIFIED', { k: '2' }],
      ['DELETED', { k: '2' }],
    ],
  );
});
