import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../api/index.ts';
import type { Status } from '../../machinery/index.ts';
import { serve, type Served } from '../testing/served.ts';

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const PODS = '/api/v1/namespaces/default/pods';
const REPLICA_SETS = '/apis/apps/v1/namespaces/default/replicasets';
const MERGE = { contentType: 'application/merge-patch+json' };

const configMap = (served: Served, name: string, metadata: object = {}): Promise<KubeObject> =>
  served.must('POST', CONFIG_MAPS, { metadata: { name, ...metadata } });

function pod(name: string, spec: object = {}): object {
  return { metadata: { name }, spec: { containers: [{ name: 'main', image: 'nginx' }], ...spec } };
}

test('what has finalizers stays, marked, until the last of them is gone', async () => {
  const served = await serve();
  await configMap(served, 'a', { finalizers: ['example.com/one', 'example.com/two'] });
  const marked = await served.must('DELETE', `${CONFIG_MAPS}/a`);
  assert.equal(marked.metadata.deletionTimestamp, '2026-01-01T00:00:00Z');
  assert.equal(marked.metadata.deletionGracePeriodSeconds, 0);
  const leave = (finalizers: readonly string[]): Promise<KubeObject> =>
    served.must('PATCH', `${CONFIG_MAPS}/a`, { metadata: { finalizers } }, MERGE);
  await leave(['example.com/two']);
  assert.equal((await served.send('GET', `${CONFIG_MAPS}/a`)).status, 200);
  await leave([]);
  assert.equal((await served.send('GET', `${CONFIG_MAPS}/a`)).status, 404);
});

test('what is being deleted takes no new finalizers', async () => {
  const served = await serve();
  await configMap(served, 'a', { finalizers: ['example.com/one'] });
  await served.must('DELETE', `${CONFIG_MAPS}/a`);
  const finalizers = ['example.com/one', 'example.com/late'];
  const { status, body } = await served.send(
    'PATCH',
    `${CONFIG_MAPS}/a`,
    { metadata: { finalizers } },
    MERGE,
  );
  assert.equal(status, 422);
  assert.match((body as Status).message ?? '', /no new finalizers can be added/);
});

test('a second deletion changes nothing', async () => {
  const served = await serve();
  await configMap(served, 'a', { finalizers: ['example.com/one'] });
  const first = await served.must('DELETE', `${CONFIG_MAPS}/a`);
  await served.clock.advance(10_000);
  const second = await served.must('DELETE', `${CONFIG_MAPS}/a`);
  assert.deepEqual(second.metadata, first.metadata);
});

const PRECONDITIONS: readonly [why: string, preconditions: (object: KubeObject) => object, status: number][] =
  [
    ['its own uid and revision', ({ metadata: { uid, resourceVersion } }) => ({ uid, resourceVersion }), 200],
    ['another uid', () => ({ uid: '00000000-0000-0000-0000-000000000000' }), 409],
    ['another revision', () => ({ resourceVersion: '1' }), 409],
  ];

for (const [why, preconditions, expected] of PRECONDITIONS) {
  test(`a deletion that expects ${why} is answered with ${expected}`, async () => {
    const served = await serve();
    const made = await configMap(served, 'a');
    const options = {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      preconditions: preconditions(made),
    };
    assert.equal((await served.send('DELETE', `${CONFIG_MAPS}/a`, options)).status, expected);
    const left = await served.send('GET', `${CONFIG_MAPS}/a`);
    assert.equal(left.status, expected === 200 ? 404 : 200);
  });
}

const POLICIES: readonly [policy: string | undefined, finalizers: readonly string[] | undefined][] = [
  ['Foreground', ['foregroundDeletion']],
  ['Orphan', ['orphan']],
  ['Background', undefined],
  [undefined, undefined],
];

for (const [propagationPolicy, finalizers] of POLICIES) {
  test(`deletion with the policy ${propagationPolicy ?? 'of the kind'} leaves ${finalizers?.join() ?? 'nothing'}`, async () => {
    const served = await serve();
    const labels = { app: 'web' };
    await served.must('POST', REPLICA_SETS, {
      metadata: { name: 'web' },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'nginx' }] } },
      },
    });
    const query = propagationPolicy === undefined ? {} : { propagationPolicy };
    await served.must('DELETE', `${REPLICA_SETS}/web`, undefined, { query });
    const { status, body } = await served.send('GET', `${REPLICA_SETS}/web`);
    assert.equal(status, finalizers === undefined ? 404 : 200);
    if (finalizers !== undefined) assert.deepEqual((body as KubeObject).metadata.finalizers, finalizers);
  });
}

test('a pod on a node is given time; a shorter time replaces a longer one, and none removes it', async () => {
  const served = await serve({ disabledAdmission: ['ServiceAccount'] });
  await served.must('POST', PODS, pod('web', { nodeName: 'node1', terminationGracePeriodSeconds: 40 }));
  const first = await served.must('DELETE', `${PODS}/web`);
  assert.equal(first.metadata.deletionGracePeriodSeconds, 40);
  assert.equal(first.metadata.deletionTimestamp, '2026-01-01T00:00:40Z');
  const query = { gracePeriodSeconds: '5' };
  const second = await served.must('DELETE', `${PODS}/web`, undefined, { query });
  assert.equal(second.metadata.deletionGracePeriodSeconds, 5);
  assert.equal(second.metadata.deletionTimestamp, '2026-01-01T00:00:05Z');
  await served.must('DELETE', `${PODS}/web`, undefined, { query: { gracePeriodSeconds: '0' } });
  assert.equal((await served.send('GET', `${PODS}/web`)).status, 404);
});

test('a pod on no node is gone at once', async () => {
  const served = await serve({ disabledAdmission: ['ServiceAccount'] });
  await served.must('POST', PODS, pod('web'));
  await served.must('DELETE', `${PODS}/web`);
  assert.equal((await served.send('GET', `${PODS}/web`)).status, 404);
});

test('a dry run deletes nothing', async () => {
  const served = await serve();
  await configMap(served, 'a');
  await served.must('DELETE', `${CONFIG_MAPS}/a`, undefined, { query: { dryRun: 'All' } });
  assert.equal((await served.send('GET', `${CONFIG_MAPS}/a`)).status, 200);
});

test('a collection is deleted as far as a selector chooses it', async () => {
  const served = await serve();
  for (const name of ['a', 'b', 'c'])
    await configMap(served, name, { labels: { keep: String(name === 'b') } });
  await served.must('DELETE', CONFIG_MAPS, undefined, { query: { labelSelector: 'keep=false' } });
  const { items } = await served.list(CONFIG_MAPS);
  assert.deepEqual(
    items.map(({ metadata }) => metadata.name),
    ['b'],
  );
});

test('a namespace goes in two steps: marked as terminating, then finalized', async () => {
  const served = await serve();
  await served.must('POST', '/api/v1/namespaces', { metadata: { name: 'shop' } });
  const marked = await served.must('DELETE', '/api/v1/namespaces/shop');
  assert.deepEqual(marked['status'], { phase: 'Terminating' });
  const refused = await served.send('POST', '/api/v1/namespaces/shop/configmaps', {
    metadata: { name: 'late' },
  });
  assert.equal(refused.status, 403);
  assert.match((refused.body as Status).message ?? '', /because it is being terminated/);
  const finalized = { ...marked, spec: { finalizers: [] } };
  await served.must('PUT', '/api/v1/namespaces/shop/finalize', finalized);
  assert.equal((await served.send('GET', '/api/v1/namespaces/shop')).status, 404);
});
