import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { request as httpsRequest } from 'node:https';
import { test } from 'node:test';
import type { KubeObject } from '../api/index.ts';
import { OperatingError, silentLogger, systemClock, systemRandom } from '../base/index.ts';
import { createMemoryStorage } from '../storage/index.ts';
import {
  createMetricsRegistry,
  memoryVault,
  objectCodec,
  openCertificates,
  startApiServer,
  versionInfo,
  type ClusterCertificates,
  type StartOptions,
} from './index.ts';

async function options(more: Partial<StartOptions> = {}): Promise<StartOptions> {
  return {
    storage: createMemoryStorage<KubeObject>(objectCodec),
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    certificates: await openCertificates({ vault: memoryVault(), now: Date.now(), clusterName: 'test' }),
    host: '127.0.0.1',
    port: 0,
    version: versionInfo('v1.36.2', 'test'),
    metrics: createMetricsRegistry(),
    ...more,
  };
}

interface Call {
  readonly method?: string;
  readonly path: string;
  readonly admin?: boolean;
  readonly token?: string;
  readonly body?: object;
}

function call(
  port: number,
  { authority, admin: pair }: ClusterCertificates,
  { method = 'GET', path, admin = true, token, body }: Call,
): Promise<{ readonly status: number; readonly text: string; readonly type: string }> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      {
        host: '127.0.0.1',
        port,
        method,
        path,
        agent: false,
        ca: authority.certificate,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(admin ? { cert: pair.certificate, key: pair.key } : {}),
      },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            text,
            type: response.headers['content-type'] ?? '',
          }),
        );
      },
    );
    request.on('error', reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

test('a server tells its version, health, metrics and token keys', async () => {
  const given = await options({
    healthChecks: [
      { name: 'late', endpoints: ['readyz'], check: () => Promise.reject(new Error('not yet')) },
    ],
  });
  const running = await startApiServer(given);
  const get = (path: string) => call(running.port, given.certificates, { path });
  try {
    assert.match((await get('/version')).text, /"major":"1","minor":"36","gitVersion":"v1.36.2\+test"/);
    assert.deepEqual(await get('/livez'), { status: 200, text: 'ok', type: 'text/plain; charset=utf-8' });
    assert.deepEqual(await get('/readyz'), {
      status: 500,
      text: '[+]ping ok\n[+]etcd ok\n[-]late failed: reason withheld\nreadyz check failed\n',
      type: 'text/plain; charset=utf-8',
    });
    assert.equal(
      (await get('/readyz?exclude=late&exclude=x&verbose')).text,
      '[+]ping ok\n[+]etcd ok\n[+]late excluded: ok\nwarn: some health checks cannot be excluded: no matches for "x"\nreadyz check passed\n',
    );
    assert.equal((await get('/livez/etcd')).text, 'ok');
    assert.equal((await get('/livez/late')).status, 404);
    assert.equal((await get('/readyz/late')).text, 'internal server error: not yet\n');
    await get('/api/v1/namespaces/shop/pods');
    const metrics = await get('/metrics');
    assert.equal(metrics.type, 'text/plain; version=0.0.4; charset=utf-8');
    assert.match(
      metrics.text,
      /apiserver_request_total\{verb="LIST",group="",version="v1",resource="pods",subresource="",scope="namespace",component="apiserver",dry_run="",code="200"\} 1\n/,
    );
    assert.match((await get('/openid/v1/jwks')).text, /"alg":"ES256"/);
    assert.match((await get('/.well-known/openid-configuration')).text, /jwks_uri/);
  } finally {
    await running.close();
  }
});

test('a service account gets a token by which the server knows it', async () => {
  const given = await options();
  const running = await startApiServer(given);
  const send = (request: Call) => call(running.port, given.certificates, request);
  const accounts = '/api/v1/namespaces/shop/serviceaccounts';
  try {
    await send({
      method: 'POST',
      path: '/api/v1/namespaces',
      body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
    });
    await send({
      method: 'POST',
      path: accounts,
      body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'robot' } },
    });
    const issued = await send({ method: 'POST', path: `${accounts}/robot/token`, body: { spec: {} } });
    assert.equal(issued.status, 201);
    const { status } = JSON.parse(issued.text) as { status: { token: string } };
    const asked = await send({
      method: 'POST',
      path: '/apis/authentication.k8s.io/v1/tokenreviews',
      body: { spec: { token: status.token } },
    });
    assert.match(asked.text, /"username":"system:serviceaccount:shop:robot"/);
    const refused = await send({ path: '/api/v1/nodes', admin: false, token: status.token });
    assert.equal(refused.status, 403);
    assert.match(
      (JSON.parse(refused.text) as { message: string }).message,
      /^nodes is forbidden: User "system:serviceaccount:shop:robot" cannot list/,
    );
    assert.equal((await send({ path: '/api/v1/nodes', admin: false, token: 'x' })).status, 401);
    assert.equal((await send({ path: '/api/v1/nodes', admin: false })).status, 403);
  } finally {
    await running.close();
  }
});

test('a client is told which certificate it is known by, and of all it may do what is bound to it', async () => {
  const settings = await options();
  const server = await startApiServer(settings);
  const review = async (path: string, body: object): Promise<Record<string, unknown>> => {
    const answer = await call(server.port, settings.certificates, { method: 'POST', path, body });
    return (JSON.parse(answer.text) as { status: Record<string, unknown> }).status;
  };
  const { userInfo } = await review('/apis/authentication.k8s.io/v1/selfsubjectreviews', {});
  const fingerprint = new X509Certificate(settings.certificates.admin.certificate).fingerprint256;
  assert.deepEqual((userInfo as { extra: object }).extra, {
    'authentication.kubernetes.io/credential-id': [
      `X509SHA256=${fingerprint.replaceAll(':', '').toLowerCase()}`,
    ],
  });
  const rules = await review('/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', {
    spec: { namespace: 'default' },
  });
  await server.close();
  assert.deepEqual(rules['resourceRules'], [], 'nothing is bound to anybody here');
});

test('a server that cannot have its port leaves nothing behind', async () => {
  const given = await options();
  const running = await startApiServer(given);
  try {
    await assert.rejects(
      startApiServer({ ...given, storage: createMemoryStorage<KubeObject>(objectCodec), port: running.port }),
      (error) => error instanceof OperatingError && error.code === 'PORT_TAKEN',
    );
  } finally {
    await running.close();
  }
});
