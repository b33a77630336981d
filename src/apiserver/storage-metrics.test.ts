import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secureServer } from './testing/secure-server.ts';

function lineOf(text: string, start: string): string {
  return text.split('\n').find((line) => line.startsWith(start)) ?? `no ${start}`;
}

test('what is stored is counted by resource, each object once however many groups serve it', async () => {
  await using server = await secureServer();
  await server.call('/api/v1/namespaces', { method: 'POST', body: { metadata: { name: 'shop' } } });
  const maps = '/api/v1/namespaces/shop/configmaps';
  for (const name of ['a', 'b']) await server.call(maps, { method: 'POST', body: { metadata: { name } } });
  await server.call(`${maps}/a`, { method: 'DELETE' });
  const { text } = await server.call('/metrics');
  const shown = (start: string): string => lineOf(text, start).split(' ').at(-1)!;
  assert.equal(shown('apiserver_resource_objects{group="",resource="configmaps"}'), '2');
  assert.equal(shown('apiserver_storage_objects{resource="configmaps"}'), '2');
  assert.equal(shown('apiserver_storage_objects{resource="deployments.apps"}'), '0');
  assert.equal(shown('apiserver_storage_size_bytes{storage_cluster_id="etcd-0"}'), '0');
  assert.equal(text.match(/^apiserver_storage_objects\{resource="events/gm)?.length, 1);
  assert.doesNotMatch(text, /resource="subjectaccessreviews\./);
});

test('events that watchers were sent are counted, with their sizes', async () => {
  await using server = await secureServer();
  for (const name of ['shop', 'bank'])
    await server.call('/api/v1/namespaces', { method: 'POST', body: { metadata: { name } } });
  const watched = await server.call('/api/v1/namespaces?watch=1&timeoutSeconds=1&resourceVersion=0');
  const events = watched.text.trim().split('\n');
  const { text } = await server.call('/metrics');
  const labels = '{group="",version="v1",resource="namespaces"}';
  assert.equal(
    lineOf(text, 'apiserver_watch_events_total'),
    `apiserver_watch_events_total${labels} ${events.length}`,
  );
  assert.equal(
    lineOf(text, 'apiserver_watch_events_sizes_sum'),
    `apiserver_watch_events_sizes_sum${labels} ${watched.text.length}`,
  );
});
