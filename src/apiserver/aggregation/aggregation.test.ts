import assert from 'node:assert/strict';
import { Agent, request as httpsRequest } from 'node:https';
import { connect as tlsConnect } from 'node:tls';
import { after, before, test } from 'node:test';
import type { KubeObject, WatchEvent } from '../../api/index.ts';
import { silentLogger, sleep, systemClock, systemRandom } from '../../base/index.ts';
import { createMemoryStorage } from '../../storage/index.ts';
import {
  createMetricsRegistry,
  memoryVault,
  objectCodec,
  openCertificates,
  startApiServer,
  versionInfo,
  type ClusterCertificates,
  type InProcessTransport,
  type RunningServer,
} from '../index.ts';
import { startAggregatedServer, type AggregatedServer } from '../testing/aggregated-server.ts';

const SERVICES = '/apis/apiregistration.k8s.io/v1/apiservices';
const FLUNDERS = '/apis/wardle.example.com/v1alpha1/namespaces/default/flunders';

const ann = { token: 'ann', user: { name: 'ann', groups: ['fishers'], extra: { 'a/b': ['c'] } } };

let certificates: ClusterCertificates;
let running: RunningServer;
let admin: InProcessTransport;
let remote: AggregatedServer;

before(async () => {
  certificates = await openCertificates({ vault: memoryVault(), now: Date.now(), clusterName: 'test' });
  running = await startApiServer({
    storage: createMemoryStorage<KubeObject>(objectCodec),
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    certificates,
    host: '127.0.0.1',
    port: 0,
    version: versionInfo('v1.36.2', 'test'),
    metrics: createMetricsRegistry(),
    access: { authentication: { staticTokens: [ann] } },
  });
  admin = running.server.inProcess({ name: 'admin', groups: ['system:masters'] });
  remote = await startAggregatedServer(certificates.frontProxy, 'fish.default.svc');
  await must('POST', '/api/v1/namespaces', { metadata: { name: 'default' } });
});

after(async () => {
  await remote.close();
  await running.close();
});

async function must(
  method: 'GET' | 'POST' | 'DELETE' | 'PATCH',
  path: string,
  body?: unknown,
): Promise<KubeObject> {
  const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  const answer = await admin.send({ method, path, contentType, ...(body === undefined ? {} : { body }) });
  assert.ok(answer.status < 300, `${method} ${path}: ${JSON.stringify(answer.body)}`);
  return answer.body as KubeObject;
}

/** The Available condition as `STATUS REASON: MESSAGE`, when it is another than `before`. */
async function available(name: string, matches: RegExp): Promise<string> {
  let text = '';
  for (let tries = 0; tries < 500; tries++) {
    const { body } = await admin.send({ method: 'GET', path: `${SERVICES}/${name}` });
    const { conditions = [] } = ((body as KubeObject)['status'] ?? {}) as {
      conditions?: Record<string, string>[];
    };
    const [condition] = conditions;
    text =
      condition === undefined
        ? 'none'
        : `${condition['status']} ${condition['reason']}: ${condition['message']}`;
    if (matches.test(text)) return text;
    await sleep(systemClock, 10);
  }
  assert.fail(`${name} never became ${matches}: ${text}`);
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

function https(path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      {
        host: '127.0.0.1',
        port: running.port,
        path,
        agent: new Agent({ keepAlive: false }),
        ca: certificates.authority.certificate,
        headers: { authorization: 'Bearer ann', ...headers },
      },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', text }),
        );
      },
    );
    request.on('error', reject);
    request.end();
  });
}

const apiService = (caBundle: string): object => ({
  apiVersion: 'apiregistration.k8s.io/v1',
  kind: 'APIService',
  metadata: { name: 'v1alpha1.wardle.example.com' },
  spec: {
    group: 'wardle.example.com',
    version: 'v1alpha1',
    groupPriorityMinimum: 17_780,
    versionPriority: 15,
    caBundle: Buffer.from(caBundle).toString('base64'),
    service: { namespace: 'default', name: 'fish', port: remote.port },
  },
});

const NAME = 'v1alpha1.wardle.example.com';

test('what the server serves itself is registered as local, custom resources as they come and go', async () => {
  assert.equal(await available('v1.apps', /^True/), 'True Local: Local APIServices are always available');
  const apps = await must('GET', `${SERVICES}/v1.apps`);
  assert.deepEqual(apps['spec'], {
    group: 'apps',
    version: 'v1',
    groupPriorityMinimum: 17_800,
    versionPriority: 15,
  });
  const names = { plural: 'boats', kind: 'Boat' };
  const schema = { openAPIV3Schema: { type: 'object' } };
  const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  await must('POST', crds, {
    metadata: { name: 'boats.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names,
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  });
  await available('v1.example.com', /^True Local/);
  await must('DELETE', `${crds}/boats.example.com`);
  for (let tries = 0; ; tries++) {
    if ((await admin.send({ method: 'GET', path: `${SERVICES}/v1.example.com` })).status === 404) break;
    assert.ok(tries < 500, 'the APIService outlives its resources');
    await sleep(systemClock, 10);
  }
});

test('an APIService says why its server cannot be used, until it can', async () => {
  const before = await admin.send({ method: 'GET', path: FLUNDERS });
  assert.equal(before.status, 404);
  await must('POST', SERVICES, apiService(remote.authority));
  assert.equal(
    await available(NAME, /^False/),
    'False ServiceNotFound: service/fish in "default" is not present',
  );
  const refused = await https(FLUNDERS);
  assert.equal(refused.status, 403, 'authorization comes first');
  const { status, body } = await admin.send({ method: 'GET', path: FLUNDERS });
  assert.deepEqual({ status, body }, { status: 503, body: 'service unavailable\n' });

  const ports = [{ port: remote.port }];
  await must('POST', '/api/v1/namespaces/default/services', { metadata: { name: 'fish' }, spec: { ports } });
  assert.equal(
    await available(NAME, /Endpoints/),
    'False EndpointsNotFound: cannot find endpointslices for service/fish in "default"',
  );
  await must('DELETE', '/api/v1/namespaces/default/services/fish');
  await must('POST', '/api/v1/namespaces/default/services', {
    metadata: { name: 'fish' },
    spec: { type: 'ExternalName', externalName: 'localhost' },
  });
  assert.equal(await available(NAME, /^True/), 'True Passed: all checks passed');
});

test('requests go to the other server as the user they come from, and to no other', async () => {
  await must('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    metadata: { name: 'fishers' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'fisher' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'fishers' }],
  });
  await must('POST', '/apis/rbac.authorization.k8s.io/v1/clusterroles', {
    metadata: { name: 'fisher' },
    rules: [
      { apiGroups: ['wardle.example.com'], resources: ['*'], verbs: ['*'] },
      { nonResourceURLs: ['*'], verbs: ['get'] },
    ],
  });
  for (let tries = 0; tries < 100 && (await https(FLUNDERS)).status === 403; tries++)
    await sleep(systemClock, 10);
  const created = await must('POST', FLUNDERS, { metadata: { name: 'one' }, spec: {} });
  assert.equal(created.apiVersion, 'wardle.example.com/v1alpha1');
  const spoofed = await https(`${FLUNDERS}/one`, {
    'x-remote-user': 'root',
    'x-remote-group': 'system:masters',
  });
  assert.equal(spoofed.status, 200);
  assert.equal((JSON.parse(spoofed.text) as KubeObject).metadata.name, 'one');
  assert.equal(remote.seen.at(-1), `GET ${FLUNDERS}/one as ann of fishers,system:authenticated`);
  assert.equal((await https(`${FLUNDERS}/none`)).status, 404);
});

test('discovery and OpenAPI show what the other server serves, in the place it asked for', async () => {
  const groups = (await must('GET', '/apis')) as unknown as { groups: { name: string }[] };
  assert.deepEqual(
    groups.groups.slice(0, 4).map(({ name }) => name),
    ['apiregistration.k8s.io', 'apps', 'wardle.example.com', 'events.k8s.io'],
  );
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
  const all = JSON.parse((await https('/apis', { accept })).text) as {
    items: {
      metadata: { name: string };
      versions: { freshness: string; resources: Record<string, unknown>[] }[];
    }[];
  };
  const [version] = all.items.find(({ metadata }) => metadata.name === 'wardle.example.com')?.versions ?? [];
  assert.equal(version?.freshness, 'Current');
  assert.deepEqual(
    version.resources.map(({ resource, scope, shortNames }) => [resource, scope, shortNames]),
    [['flunders', 'Namespaced', ['fl']]],
  );
  const list = await must('GET', '/apis/wardle.example.com/v1alpha1');
  assert.equal(list.kind, 'APIResourceList');
  const index = (await must('GET', '/openapi/v3')) as unknown as {
    paths: Record<string, { serverRelativeURL: string }>;
  };
  const url = index.paths['apis/wardle.example.com/v1alpha1']?.serverRelativeURL ?? '';
  assert.match((await https(url)).text, /com\.example\.wardle\.v1alpha1\.Flunder/);
  const v2 = JSON.parse((await https('/openapi/v2')).text) as { paths: object; definitions: object };
  assert.ok(`${FLUNDERS.replace('default', '{namespace}')}` in v2.paths);
  assert.ok('com.example.wardle.v1alpha1.Flunder' in v2.definitions);
});

test('watches stream through, on the port and inside the process', async () => {
  const stopping = new AbortController();
  const events: WatchEvent[] = [];
  const watching = admin.watch({ method: 'GET', path: FLUNDERS, signal: stopping.signal }, (event) => {
    events.push(event);
  });
  const line = new Promise<string>((resolve, reject) => {
    const request = httpsRequest(
      {
        host: '127.0.0.1',
        port: running.port,
        path: `${FLUNDERS}?watch=true&resourceVersion=0`,
        ca: certificates.authority.certificate,
        headers: { authorization: 'Bearer ann' },
      },
      (response) =>
        response.once('data', (chunk: Buffer) => {
          resolve(chunk.toString());
          response.destroy();
        }),
    );
    request.on('error', reject);
    request.end();
  });
  assert.match(await line, /^\{"type":"ADDED","object":\{.*"name":"one"/);
  await must('POST', FLUNDERS, { metadata: { name: 'two' }, spec: {} });
  for (let tries = 0; events.length < 2 && tries < 500; tries++) await sleep(systemClock, 10);
  assert.deepEqual(
    events.map(({ type, object }) => `${type} ${object.metadata.name}`),
    ['ADDED one', 'ADDED two'],
  );
  stopping.abort();
  await watching.catch(() => undefined);
});

test('connections are turned into something else over there', async () => {
  const text = await new Promise<string>((resolve, reject) => {
    let got = '';
    const socket = tlsConnect({
      host: '127.0.0.1',
      port: running.port,
      ca: certificates.authority.certificate,
    });
    socket.write(
      'GET /apis/wardle.example.com/v1alpha1/echo HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ann\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n',
    );
    socket.on('data', (chunk) => {
      got += String(chunk);
      if (got.endsWith('\r\n\r\n')) socket.write('hello');
      if (got.endsWith('>')) socket.destroy();
    });
    socket.on('close', () => resolve(got));
    socket.on('error', reject);
  });
  assert.match(text, /^HTTP\/1\.1 101 [^]*<hello>$/);
});

test('a certificate that our caBundle does not vouch for is no server of ours', async () => {
  await must('PATCH', `${SERVICES}/${NAME}`, {
    spec: { caBundle: Buffer.from(certificates.authority.certificate).toString('base64') },
  });
  for (let tries = 0; tries < 200; tries++) {
    const { status, body } = await admin.send({ method: 'GET', path: FLUNDERS });
    if (status === 503 && String(body).includes('x509')) break;
    assert.ok(tries < 199, `${status} ${JSON.stringify(body)}`);
    await sleep(systemClock, 10);
  }
  await must('PATCH', `${SERVICES}/${NAME}`, { spec: { caBundle: null, insecureSkipTLSVerify: true } });
  for (let tries = 0; (await admin.send({ method: 'GET', path: FLUNDERS })).status !== 200; tries++) {
    assert.ok(tries < 200);
    await sleep(systemClock, 10);
  }
});

test('a server that is gone is shown as stale, and said to be unavailable', async () => {
  await remote.close();
  // A change of the Service makes the aggregator look again at once.
  await must('PATCH', '/api/v1/namespaces/default/services/fish', {
    metadata: { labels: { look: 'again' } },
  });
  const text = await available(NAME, /^False FailedDiscoveryCheck/);
  assert.match(
    text,
    new RegExp(
      String.raw`FailedDiscoveryCheck: failing or missing response from https://localhost:${remote.port}/apis/wardle\.example\.com/v1alpha1: Get "https://localhost:${remote.port}/apis/wardle\.example\.com/v1alpha1": dial tcp .*: connect: connection refused`,
    ),
  );
  assert.equal((await admin.send({ method: 'GET', path: FLUNDERS })).status, 503);
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
  assert.match((await https('/apis', { accept })).text, /"freshness":"Stale"/);
  await must('DELETE', `${SERVICES}/${NAME}`);
  for (let tries = 0; (await admin.send({ method: 'GET', path: FLUNDERS })).status !== 404; tries++) {
    assert.ok(tries < 200);
    await sleep(systemClock, 10);
  }
});

test('other API servers are told whom to believe', async () => {
  const path = '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication';
  const { data } = (await must('GET', path)) as unknown as { data: Record<string, string> };
  assert.equal(data['requestheader-client-ca-file'], certificates.frontProxy.authority.certificate);
  assert.equal(data['requestheader-allowed-names'], '["front-proxy-client"]');
});
