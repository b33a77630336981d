import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryVault, openCertificates } from '../apiserver/index.ts';
import { systemClock } from '../base/index.ts';
import type { AccurateEstimator } from '../scheduling/index.ts';
import { connectEstimator, startEstimatorServer, type ClientTls, type ServerTls } from './grpc.ts';

const asked: unknown[] = [];
const estimator: AccurateEstimator = {
  maxReplicas(question, { object }) {
    asked.push({ question, object });
    return Promise.resolve(7);
  },
  maxComponentSets: (_, { signal }) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
  unschedulableReplicas: () => Promise.reject(new Error('kind(Job) is not supported')),
};
const question = { requirements: { resourceRequest: { cpu: '1' } }, assumed: [] };
const resource = { apiVersion: 'batch/v1', kind: 'Job', namespace: 'shop', name: 'j' };
const call = (milliseconds = 10_000) => ({
  signal: AbortSignal.timeout(milliseconds),
  object: 'kind=Deployment, name=shop/web',
});

async function serve(tls?: ServerTls) {
  const served: string[] = [];
  const server = await startEstimatorServer({
    clusterName: 'm1',
    estimator,
    host: '127.0.0.1',
    port: 0,
    tls,
    clock: systemClock,
    elapsedMs: () => systemClock.now(),
    served: (name, ok) => void served.push(`${name} ${ok}`),
  });
  const clients: { close(): void }[] = [];
  return {
    served,
    connect(cluster = 'm1', clientTls?: ClientTls) {
      const client = connectEstimator(cluster, `localhost:${server.port}`, clientTls);
      clients.push(client);
      return client;
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.close();
      await server.close();
    },
  };
}

test('estimator service: an answer, a refusal, and a caller that gives up', async () => {
  await using service = await serve();
  const client = service.connect();
  assert.equal(await client.maxReplicas(question, call()), 7);
  assert.deepEqual(asked.at(-1), {
    question: { ...question, cluster: 'm1' },
    object: 'kind=Deployment, name=shop/web',
  });
  await assert.rejects(
    client.unschedulableReplicas({ resource, thresholdMs: 0 }, call()),
    /GetUnschedulableReplicas at localhost:\d+: kind\(Job\) is not supported/,
  );
  await assert.rejects(
    client.maxComponentSets({ components: [], namespace: '', assumed: [] }, call(20)),
    /MaxAvailableComponentSets at .*timeout/,
  );
  // The line is not lost with the call.
  assert.equal(await client.maxReplicas(question, call()), 7);
  assert.deepEqual(service.served.slice(0, 2), [
    'MaxAvailableReplicas true',
    'GetUnschedulableReplicas false',
  ]);
});

test('estimator service: one member does not answer for another', async () => {
  await using service = await serve();
  await assert.rejects(
    service.connect('m2').maxReplicas(question, call()),
    /cluster name does not match, got: m2, desire: m1/,
  );
});

test('estimator service: nobody listens', async () => {
  const client = connectEstimator('m1', '127.0.0.1:1', undefined);
  await assert.rejects(client.maxReplicas(question, call()), /MaxAvailableReplicas at 127.0.0.1:1/);
  client.close();
});

test('estimator service: over TLS, with clients that show who they are', async () => {
  const { authority, server, admin } = await openCertificates({
    vault: memoryVault(),
    now: Date.now(),
    clusterName: 'test',
    hosts: ['127.0.0.1'],
  });
  await using service = await serve({
    certificate: server.certificate,
    key: server.key,
    clientAuthority: authority.certificate,
  });
  const known = { certificate: admin.certificate, key: admin.key };
  const trusted = { authority: authority.certificate, identity: known, insecureSkipVerify: false };
  assert.equal(await service.connect('m1', trusted).maxReplicas(question, call()), 7);
  const blind = { authority: undefined, identity: known, insecureSkipVerify: true };
  assert.equal(await service.connect('m1', blind).maxReplicas(question, call()), 7);
  const unknown = service.connect('m1', { ...trusted, identity: undefined });
  await assert.rejects(unknown.maxReplicas(question, call(2000)));
  const plain = service.connect('m1');
  await assert.rejects(plain.maxReplicas(question, call(2000)));
});
