import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient, type Client } from './client.ts';
import { createRestMapper } from './discovery.ts';
import { ConnectionError, isNamespaceTerminating, retryAfterMs, statusErrorFrom } from './errors.ts';
import { createHttpsTransport } from './https/transport.ts';
import { formatKey, keyOf, objectPath, parseKey, resource, resourcePath } from './resource.ts';
import { startTestServer, type Handler } from './testing/test-server.ts';

// What Go servers do that ours need not: answers as they come from there.
async function withAnswers(
  answers: Record<string, { status?: number; headers?: Record<string, string>; body: unknown }>,
  run: (client: Client, requests: string[]) => Promise<void>,
): Promise<void> {
  const requests: string[] = [];
  const handler: Handler = (request, response) => {
    const url = request.url ?? '';
    requests.push(`${request.method} ${url}`);
    const {
      status = 200,
      headers = {},
      body,
    } = answers[url] ?? { status: 404, body: '404 page not found\n' };
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const type = typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json';
    response.writeHead(status, { 'content-type': type, ...headers });
    response.end(text);
  };
  await using server = await startTestServer({ plain: true, handler });
  const transport = createHttpsTransport({ server: server.url });
  try {
    await run(createClient(transport), requests);
  } finally {
    await transport.close();
  }
}

const pods = resource({ group: '', version: 'v1', resource: 'pods', namespaced: true });
const nodes = resource({ group: '', version: 'v1', resource: 'nodes', namespaced: false });

test('items of lists get the kind that Go servers leave out', () =>
  withAnswers(
    {
      '/api/v1/pods': {
        body: {
          kind: 'PodList',
          apiVersion: 'v1',
          metadata: { resourceVersion: '5' },
          items: [{ metadata: { name: 'a' } }],
        },
      },
      '/api/v1/nodes?limit=500': { body: { kind: 'NodeList', apiVersion: 'v1', metadata: {}, items: null } },
    },
    async (client) => {
      const [pod] = (await client.list(pods)).items;
      assert.deepEqual(pod, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } });
      assert.ok(Object.isFrozen(pod));
      assert.deepEqual((await client.listAll(nodes)).items, []);
    },
  ));

test('when the history of a list in pages is gone, it is listed again as a whole', () =>
  withAnswers(
    {
      '/api/v1/pods?limit=1&resourceVersion=3': {
        body: {
          kind: 'PodList',
          apiVersion: 'v1',
          metadata: { resourceVersion: '5', continue: 'c' },
          items: [{ metadata: { name: 'a' } }],
        },
      },
      '/api/v1/pods?limit=1&continue=c': {
        status: 410,
        body: { kind: 'Status', reason: 'Expired', code: 410 },
      },
      '/api/v1/pods?resourceVersion=3': {
        body: {
          kind: 'PodList',
          apiVersion: 'v1',
          metadata: { resourceVersion: '9' },
          items: [{ metadata: { name: 'b' } }],
        },
      },
    },
    async (client) => {
      const list = await client.listAll(pods, { limit: 1, resourceVersion: '3' });
      assert.deepEqual(
        [list.metadata.resourceVersion, list.items.map(({ metadata }) => metadata.name)],
        ['9', ['b']],
      );
    },
  ));

test('an ERROR event is what the watch rejects with, half an event is a broken connection', () =>
  withAnswers(
    {
      '/api/v1/pods?resourceVersion=1&watch=true': {
        body: `${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' } })}\n`,
      },
      '/api/v1/nodes?watch=true': { body: '{"type":"ADDED","object":{' },
    },
    async (client) => {
      const events: unknown[] = [];
      const watching = client.watch(pods, { resourceVersion: '1' }, (event) => events.push(event));
      await assert.rejects(watching, { code: 410, reason: 'Expired', message: 'too old' });
      assert.deepEqual(events, []);
      await assert.rejects(
        client.watch(nodes, {}, () => undefined),
        { kind: 'reset' },
      );
    },
  ));

test('answers without a Status become one, and say when to come back', () =>
  withAnswers(
    {
      '/api/v1/nodes/a': {
        status: 429,
        headers: { 'retry-after': '3' },
        body: 'Too many requests, please try again later.\n',
      },
      '/api/v1/nodes/b': { status: 502, body: '<html>bad gateway</html>' },
    },
    async (client) => {
      const busy = await client.get(nodes, { name: 'a' }).catch((error: unknown) => error);
      assert.equal(retryAfterMs(busy), 3000);
      await assert.rejects(client.get(nodes, { name: 'a' }), { reason: 'TooManyRequests', code: 429 });
      await assert.rejects(client.get(nodes, { name: 'b' }), {
        reason: 'InternalError',
        code: 502,
        message: /bad gateway/,
      });
      await assert.rejects(client.get(nodes, { name: 'c' }), { reason: 'NotFound', code: 404 });
      assert.equal(await client.find(nodes, { name: 'c' }), undefined);
    },
  ));

test('discovery works with servers that know only the old form, and one broken group hides no other', () =>
  withAnswers(
    {
      '/api': { body: { kind: 'APIVersions', versions: ['v1'] } },
      '/api/v1': {
        body: {
          kind: 'APIResourceList',
          groupVersion: 'v1',
          resources: [
            {
              name: 'pods',
              singularName: 'pod',
              namespaced: true,
              kind: 'Pod',
              verbs: ['get'],
              shortNames: ['po'],
            },
            { name: 'pods/status', namespaced: true, kind: 'Pod', verbs: ['get'] },
          ],
        },
      },
      '/apis': {
        body: {
          kind: 'APIGroupList',
          groups: [
            {
              name: 'g',
              versions: [{ version: 'v1beta1' }, { version: 'v1' }],
              preferredVersion: { version: 'v1' },
            },
            { name: 'broken', versions: [{ version: 'v1' }], preferredVersion: { version: 'v1' } },
          ],
        },
      },
      '/apis/g/v1': {
        body: { resources: [{ name: 'things', namespaced: false, kind: 'Thing', verbs: [] }] },
      },
      '/apis/g/v1beta1': {
        body: {
          resources: [
            { name: 'things', namespaced: false, kind: 'Thing', verbs: [] },
            { name: 'olds', namespaced: false, kind: 'Old', verbs: [] },
          ],
        },
      },
      '/apis/broken/v1': { status: 503, body: 'service unavailable' },
    },
    async (client, requests) => {
      const mapper = createRestMapper(client.transport);
      const [pod, thing, again] = await Promise.all([
        mapper.resourceByText('po'),
        mapper.resourceForKind({ group: 'g', kind: 'Thing' }),
        mapper.resourceForKind({ group: 'g', version: 'v1beta1', kind: 'Thing' }),
      ]);
      assert.deepEqual([pod?.resource, pod?.subresources], ['pods', ['status']]);
      assert.deepEqual([thing?.version, again?.version, again?.preferred], ['v1', 'v1beta1', false]);
      assert.equal((await mapper.resourceByName({ group: 'g', resource: 'olds' }))?.preferred, true);
      assert.equal(requests.filter((one) => one === 'GET /apis').length, 1);
      assert.equal(await mapper.resourceForKind({ group: 'broken', kind: 'X' }), undefined);
    },
  ));

test('paths and keys', () => {
  assert.equal(resourcePath(pods, undefined), '/api/v1/pods');
  assert.equal(
    objectPath(pods, { namespace: 'a', name: 'b' }, 'status'),
    '/api/v1/namespaces/a/pods/b/status',
  );
  assert.equal(objectPath(nodes, { name: 'a/b c' }), '/api/v1/nodes/a%2Fb%20c');
  assert.throws(() => objectPath(pods, { name: 'b' }), /needs a namespace/);
  assert.throws(() => objectPath(nodes, { namespace: 'a', name: 'b' }), /no namespaces/);
  assert.throws(() => objectPath(nodes, { name: '' }), /empty/);
  for (const key of ['a/b', 'b']) assert.equal(formatKey(parseKey(key)), key);
  assert.equal(keyOf({ metadata: { namespace: '', name: 'b' } }), 'b');
});

test('errors say what they mean', () => {
  const terminating = statusErrorFrom(403, {
    kind: 'Status',
    reason: 'Forbidden',
    code: 403,
    details: { causes: [{ reason: 'NamespaceTerminating', field: 'metadata.namespace' }] },
  });
  assert.ok(isNamespaceTerminating(terminating));
  assert.equal(isNamespaceTerminating(statusErrorFrom(403, undefined)), false);
  assert.equal(new ConnectionError('refused', 'x').code, 'CONNECTION_REFUSED');
});
