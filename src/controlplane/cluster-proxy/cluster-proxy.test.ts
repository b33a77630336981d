import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import type { KubeObject, WatchEvent } from '../../api/index.ts';
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
  type StartOptions,
} from '../../apiserver/index.ts';
import { defaultFeatureGates, silentLogger, sleep, systemClock, systemRandom } from '../../base/index.ts';
import type { UserInfo } from '../../machinery/index.ts';
import { createMemoryStorage } from '../../storage/index.ts';
import { clusterResource } from '../cluster-resource.ts';
import { createClusterProxy, type ClusterProxy } from './cluster-proxy.ts';

const ADMIN: UserInfo = { name: 'root', groups: ['system:masters', 'system:authenticated'] };
const ANN: UserInfo = { name: 'ann', uid: '7', groups: ['ops', 'system:authenticated'] };
const CLUSTERS = '/apis/cluster.karmada.io/v1alpha1/clusters';
const MAPS = '/api/v1/namespaces/default/configmaps';
const RBAC = '/apis/rbac.authorization.k8s.io/v1';

interface Cluster {
  readonly running: RunningServer;
  readonly certificates: ClusterCertificates;
}

const open: { close(): unknown }[] = [];
let proxy: ClusterProxy;
let hub: Cluster;
let members: readonly Cluster[];
let tunnel: Server;
/** The headers of each tunnel asked for. */
const tunnelled: string[] = [];

async function startCluster(more: Partial<StartOptions> = {}): Promise<Cluster> {
  const certificates = await openCertificates({ vault: memoryVault(), now: Date.now(), clusterName: 'test' });
  const running = await startApiServer({
    storage: createMemoryStorage<KubeObject>(objectCodec),
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    certificates,
    host: '127.0.0.1',
    port: 0,
    version: versionInfo('v1.36.2', 'test'),
    metrics: createMetricsRegistry(),
    ...more,
  });
  open.unshift(running);
  await must(running, 'POST', '/api/v1/namespaces', { metadata: { name: 'default' } });
  return { running, certificates };
}

function as({ server }: RunningServer, user: UserInfo): InProcessTransport {
  return server.inProcess(user);
}

async function must(
  running: RunningServer,
  method: 'GET' | 'POST' | 'PATCH',
  path: string,
  body?: unknown,
): Promise<KubeObject> {
  const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  const answer = await as(running, ADMIN).send({
    method,
    path,
    contentType,
    ...(body === undefined ? {} : { body }),
  });
  assert.ok(answer.status < 300, `${method} ${path}: ${JSON.stringify(answer.body)}`);
  return answer.body as KubeObject;
}

async function grant({ running }: Cluster, name: string, rule: object, subject: object): Promise<void> {
  await must(running, 'POST', `${RBAC}/clusterroles`, { metadata: { name }, rules: [rule] });
  await must(running, 'POST', `${RBAC}/clusterrolebindings`, {
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', ...subject }],
  });
}

const encoded = (text: string): string => Buffer.from(text).toString('base64');

async function join(name: string, { running, certificates }: Cluster, more: object = {}): Promise<void> {
  const secrets = '/api/v1/namespaces/default/secrets';
  const caBundle = encoded(certificates.authority.certificate);
  await must(hub.running, 'POST', secrets, { metadata: { name }, data: { caBundle, token: encoded('x') } });
  await must(hub.running, 'POST', secrets, {
    metadata: { name: `${name}-imp` },
    data: { token: encoded('imp') },
  });
  await must(hub.running, 'POST', CLUSTERS, {
    apiVersion: 'cluster.karmada.io/v1alpha1',
    kind: 'Cluster',
    metadata: { name },
    spec: {
      id: name,
      syncMode: 'Push',
      apiEndpoint: `https://127.0.0.1:${running.port}`,
      secretRef: { namespace: 'default', name },
      impersonatorSecretRef: { namespace: 'default', name: `${name}-imp` },
      ...more,
    },
  });
}

before(async () => {
  proxy = createClusterProxy({
    clock: systemClock,
    handleHere: (request) => hub.running.server.handle(request),
  });
  hub = await startCluster({
    extraResources: [clusterResource(defaultFeatureGates, { proxy: proxy.subresource })],
  });
  const impersonator = { token: 'imp', user: { name: 'impersonator', groups: ['impersonators'] } };
  const access = { authentication: { staticTokens: [impersonator] } };
  members = await Promise.all([startCluster({ access }), startCluster({ access })]);
  tunnel = createServer();
  tunnel.on('connect', (request, socket, head) => {
    tunnelled.push(String(request.headers['x-who']));
    const [host = '', port = ''] = (request.url ?? '').split(':');
    const there = connect({ host, port: Number(port) }, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      there.write(head);
      socket.pipe(there).pipe(socket);
    });
    socket.on('error', () => there.destroy());
    there.on('error', () => socket.destroy());
    open.unshift({ close: () => there.destroy() });
  });
  await new Promise<void>((resolve) => tunnel.listen(0, '127.0.0.1', resolve));
  await join('m1', members[0]!);
  const proxyURL = `http://127.0.0.1:${(tunnel.address() as AddressInfo).port}`;
  await join('m2', members[1]!, { proxyURL, proxyHeader: { 'X-Who': 'the hub' } });
  for (const member of members) {
    const impersonate = { apiGroups: [''], resources: ['users', 'groups'], verbs: ['impersonate'] };
    await grant(member, 'impersonator', impersonate, { kind: 'User', name: 'impersonator' });
    const read = { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'watch', 'create'] };
    await grant(member, 'ops', read, { kind: 'Group', name: 'ops' });
  }
  await must(members[0]!.running, 'POST', MAPS, { metadata: { name: 'one' }, data: { in: 'm1' } });
  await must(members[1]!.running, 'POST', MAPS, { metadata: { name: 'two' }, data: { in: 'm2' } });
  for (const { running } of members) await must(running, 'POST', MAPS, { metadata: { name: 'both' } });
  const use = { apiGroups: ['cluster.karmada.io'], resources: ['clusters/proxy'], verbs: ['*'] };
  await grant(hub, 'proxy', use, { kind: 'User', name: 'ann' });
  for (let tries = 0; tries < 200 && (await get('m1', `${MAPS}/one`)).status !== 200; tries++) {
    await sleep(systemClock, 10);
  }
});

after(async () => {
  proxy.close();
  for (const one of open) await one.close();
  tunnel.close();
});

function get(
  cluster: string,
  path: string,
  user = ANN,
  more: Partial<Parameters<InProcessTransport['send']>[0]> = {},
): Promise<{ readonly status: number; readonly body: unknown }> {
  return as(hub.running, user).send({ method: 'GET', path: `${CLUSTERS}/${cluster}/proxy${path}`, ...more });
}

const messageOf = ({ body }: { readonly body: unknown }): string =>
  typeof body === 'string' ? body.trim() : ((body as { readonly message?: string }).message ?? '');

test('a member answers as to the user who asks, and decides what they may do', async () => {
  const one = await get('m1', `${MAPS}/one`);
  assert.deepEqual((one.body as KubeObject)['data'], { in: 'm1' });
  const secrets = await get('m1', '/api/v1/namespaces/default/secrets');
  assert.equal(secrets.status, 403);
  assert.match(messageOf(secrets), /User "ann" cannot list resource "secrets"/);
  const stranger = await get('m1', `${MAPS}/one`, { name: 'bob', groups: ['system:authenticated'] });
  assert.match(messageOf(stranger), /User "bob" cannot get resource "clusters\/proxy"/);
  const posted = await get('m1', MAPS, ANN, { method: 'POST', body: { metadata: { name: 'new' } } });
  assert.equal(posted.status, 201);
});

test('what a client says of who it is does not get through', async () => {
  const headers = { authorization: 'Bearer root', 'x-remote-user': 'root' };
  const refused = await get('m1', '/api/v1/namespaces/default/secrets', ANN, { headers });
  assert.match(messageOf(refused), /User "ann" cannot list resource "secrets"/);
});

test('the path behind the member, its query and its last slash stay as they are', async () => {
  const list = await get('m1', MAPS, ANN, { query: { fieldSelector: 'metadata.name=one' } });
  const { items } = list.body as { readonly items: readonly KubeObject[] };
  assert.deepEqual(
    items.map(({ metadata }) => metadata.name),
    ['one'],
  );
});

test('watches stream', async () => {
  const stopping = new AbortController();
  const events: WatchEvent[] = [];
  const path = `${CLUSTERS}/m2/proxy${MAPS}`;
  const watching = as(hub.running, ANN).watch({ method: 'GET', path, signal: stopping.signal }, (event) => {
    events.push(event);
  });
  const seen = (): boolean => events.some(({ object }) => object.metadata.name === 'late');
  for (let tries = 0; tries < 500 && events.length === 0; tries++) await sleep(systemClock, 10);
  await must(members[1]!.running, 'POST', MAPS, { metadata: { name: 'late' } });
  for (let tries = 0; tries < 500 && !seen(); tries++) await sleep(systemClock, 10);
  assert.ok(seen());
  stopping.abort();
  await watching.catch(() => undefined);
});

test('a member behind a proxy is reached through it, with the headers it wants', () => {
  assert.ok(tunnelled.length > 0);
  assert.deepEqual(new Set(tunnelled), new Set(['the hub']));
});

test('all members together: one has it, several have it, none has it', async () => {
  assert.deepEqual(((await get('*', `${MAPS}/two`)).body as KubeObject)['data'], { in: 'm2' });
  const both = await get('*', `${MAPS}/both`);
  assert.equal(both.status, 409);
  assert.equal(messageOf(both), 'conflict resource, exist in more than one cluster: m1,m2');
  const none = await get('*', `${MAPS}/none`);
  assert.equal(none.status, 404);
  assert.equal(messageOf(none), "resource not found or don't have permission to get it");
});

test('all members together: lists are joined, other verbs refused, other paths answered by the hub', async () => {
  const { items } = (await get('*', MAPS)).body as { readonly items: readonly KubeObject[] };
  const names = items.map(({ metadata }) => metadata.name);
  assert.deepEqual(names, ['both', 'new', 'one', 'both', 'late', 'two']);
  const watch = await get('*', MAPS, ANN, { query: { watch: 'true' } });
  assert.deepEqual([watch.status, messageOf(watch)], [405, 'Request verb watch is not support']);
  const secrets = await get('*', '/api/v1/namespaces/default/secrets');
  assert.deepEqual([secrets.status, messageOf(secrets)], [404, 'not found']);
  const here = await get('*', '/version', ADMIN);
  assert.equal((here.body as { gitVersion: string }).gitVersion, 'v1.36.2+test');
});

for (const [name, spec, code, message] of [
  [
    'no impersonator',
    { impersonatorSecretRef: null },
    500,
    'the impersonatorSecretRef of cluster broken is nil',
  ],
  [
    'a missing Secret',
    { impersonatorSecretRef: { namespace: 'default', name: 'none' } },
    404,
    'secrets "none" not found',
  ],
  [
    'a Secret without a token',
    { impersonatorSecretRef: { namespace: 'default', name: 'empty' } },
    500,
    'failed to get impersonateToken for cluster broken: the impersonate token of cluster broken is empty',
  ],
  [
    'nobody listening',
    { apiEndpoint: 'https://127.0.0.1:1' },
    503,
    'error trying to reach cluster broken: dial tcp 127.0.0.1:1: connect: connection refused',
  ],
] as const) {
  test(`a cluster with ${name} is refused by name`, async () => {
    const secrets = '/api/v1/namespaces/default/secrets';
    await as(hub.running, ADMIN).send({
      method: 'POST',
      path: secrets,
      body: { metadata: { name: 'empty' } },
    });
    await join('broken', members[0]!);
    await must(hub.running, 'PATCH', `${CLUSTERS}/broken`, { spec });
    const answer = await get('broken', `${MAPS}/one`);
    for (const path of [`${CLUSTERS}/broken`, `${secrets}/broken`, `${secrets}/broken-imp`]) {
      await as(hub.running, ADMIN).send({ method: 'DELETE', path });
    }
    assert.deepEqual([answer.status, messageOf(answer)], [code, message]);
  });
}

test('an unknown cluster is not found', async () => {
  const answer = await get('m3', '/api');
  assert.deepEqual([answer.status, messageOf(answer)], [404, 'clusters.cluster.karmada.io "m3" not found']);
});
