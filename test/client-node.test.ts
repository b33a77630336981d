// A controller as others would write it in JavaScript, with the field's own client library: it finds its work by an
// informer, lets one of two replicas act, patches and applies, and looks into a pod. Nothing of it knows of us.
import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { after, before, test } from 'node:test';
import {
  AppsV1Api,
  CoordinationV1Api,
  CoreV1Api,
  Exec,
  KubeConfig,
  KubernetesObjectApi,
  Log,
  Metrics,
  PatchStrategy,
  V1MicroTime,
  Watch,
  makeInformer,
  setHeaderOptions,
  type V1ConfigMap,
  type V1Lease,
} from '@kubernetes/client-node';
import { objectCodec } from '../src/apiserver/index.ts';
import { silentLogger, systemClock, systemRandom } from '../src/base/index.ts';
import { startMember, type Member } from '../src/members/index.ts';
import { createMemoryStorage } from '../src/storage/index.ts';
import { eventually } from './product.ts';

const namespace = 'default';
let member: Member;
let config: KubeConfig;

before(async () => {
  member = await startMember({
    name: 'member1',
    storage: createMemoryStorage(objectCodec),
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    kubelet: { startDelayMs: 10, readyDelayMs: 10, stopDelayMs: 10 },
  });
  await member.ready;
  config = new KubeConfig();
  config.loadFromString(member.kubeconfig);
});

after(() => member.close());

/** Takes the lease, or renews it; false: somebody else holds it. */
async function lead(leases: CoordinationV1Api, identity: string): Promise<boolean> {
  const name = 'the-controller';
  const spec = {
    holderIdentity: identity,
    leaseDurationSeconds: 15,
    renewTime: new V1MicroTime(),
  };
  try {
    const body: V1Lease = { metadata: { name }, spec };
    await leases.createNamespacedLease({ namespace, body });
    return true;
  } catch (error) {
    assert.equal((error as { code?: number }).code, 409);
  }
  const found = await leases.readNamespacedLease({ namespace, name });
  if (found.spec?.holderIdentity !== identity) return false;
  found.spec = spec;
  await leases.replaceNamespacedLease({ namespace, name, body: found });
  return true;
}

test('one of two replicas leads, and a lost race is a conflict', async () => {
  const leases = config.makeApiClient(CoordinationV1Api);
  const first = await Promise.all([lead(leases, 'a'), lead(leases, 'b')]);
  assert.equal(first.filter(Boolean).length, 1);
  const leader = first[0] ? 'a' : 'b';
  assert.equal(await lead(leases, leader), true);
  const name = 'the-controller';
  const stale = await leases.readNamespacedLease({ namespace, name });
  await lead(leases, leader);
  await assert.rejects(leases.replaceNamespacedLease({ namespace, name, body: stale }), { code: 409 });
});

test('an informer lists, follows, and comes back after its connection broke', async () => {
  const core = config.makeApiClient(CoreV1Api);
  await core.createNamespacedConfigMap({
    namespace,
    body: { metadata: { name: 'first' }, data: { a: '1' } },
  });
  const seen: string[] = [];
  const list = (): Promise<Awaited<ReturnType<CoreV1Api['listNamespacedConfigMap']>>> =>
    core.listNamespacedConfigMap({ namespace });
  const informer = makeInformer<V1ConfigMap>(config, `/api/v1/namespaces/${namespace}/configmaps`, list);
  for (const event of ['add', 'update', 'delete'] as const) {
    informer.on(event, ({ metadata }) => void seen.push(`${event} ${metadata?.name}`));
  }
  // What an informer of this library does not do by itself.
  let over = false;
  informer.on('error', () => {
    if (!over) setTimeout(() => void informer.start().catch(() => undefined), 50);
  });
  await informer.start();
  const until = (what: string): Promise<true> =>
    eventually(what, () => (seen.includes(what) ? true : undefined));
  await until('add first');
  await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'second' } } });
  await until('add second');
  await core.patchNamespacedConfigMap(
    { namespace, name: 'first', body: { data: { b: '2' } } },
    setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
  );
  await until('update first');
  assert.deepEqual(informer.get('first', namespace)?.data, { a: '1', b: '2' });
  await member.handleFault({ action: 'cut-network', mode: 'drop', forMs: 200 });
  await eventually('the network is back', async () => {
    const body = { metadata: { name: 'third' } };
    return core.createNamespacedConfigMap({ namespace, body }).then(
      () => true,
      () => undefined,
    );
  });
  await until('add third');
  await core.deleteNamespacedConfigMap({ namespace, name: 'second' });
  await until('delete second');
  over = true;
  await informer.stop();
});

const deployment = (image: string): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image }] } },
  },
});

test('objects are applied by their owner, patched by others, and conflicts are told', async () => {
  const objects = KubernetesObjectApi.makeApiClient(config);
  const apps = config.makeApiClient(AppsV1Api);
  const apply = (image: string, owner: string, force = false): Promise<unknown> =>
    objects.patch(
      deployment(image) as never,
      undefined,
      undefined,
      owner,
      force,
      PatchStrategy.ServerSideApply,
    );
  await apply('nginx:1', 'a');
  await assert.rejects(apply('nginx:2', 'b'), { code: 409 });
  await apply('nginx:2', 'b', true);
  const patched = await apps.patchNamespacedDeployment(
    { namespace, name: 'web', body: [{ op: 'replace', path: '/spec/replicas', value: 2 }] },
    setHeaderOptions('Content-Type', PatchStrategy.JsonPatch),
  );
  assert.equal(patched.spec?.replicas, 2);
  assert.equal(patched.spec.template.spec?.containers[0]?.image, 'nginx:2');
  const template = { spec: { containers: [{ name: 'web', env: [{ name: 'WHO', value: 'me' }] }] } };
  const merged = await apps.patchNamespacedDeployment(
    { namespace, name: 'web', body: { spec: { template } } },
    setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch),
  );
  const [container] = merged.spec?.template.spec?.containers ?? [];
  const [variable] = container?.env ?? [];
  assert.deepEqual([container?.image, variable?.name, variable?.value], ['nginx:2', 'WHO', 'me']);
  const { metadata } = await apps.readNamespacedDeployment({ namespace, name: 'web' });
  assert.deepEqual(
    metadata?.managedFields?.filter(({ operation }) => operation === 'Apply').map(({ manager }) => manager),
    ['a', 'b'],
  );
});

test('a watch from a revision brings what came since', async () => {
  const core = config.makeApiClient(CoreV1Api);
  const { metadata } = await core.listNamespacedConfigMap({ namespace });
  await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'later' } } });
  const seen: string[] = [];
  const watching = await new Watch(config).watch(
    `/api/v1/namespaces/${namespace}/configmaps`,
    { resourceVersion: metadata?.resourceVersion },
    (phase, object: V1ConfigMap) => void seen.push(`${phase} ${object.metadata?.name}`),
    () => undefined,
  );
  await eventually('the event', () => (seen.length > 0 ? true : undefined));
  assert.deepEqual(seen, ['ADDED later']);
  watching.abort();
});

test('logs, commands and usage of pods can be had', async () => {
  const core = config.makeApiClient(CoreV1Api);
  const pod = await eventually('a running pod', async () => {
    const { items } = await core.listNamespacedPod({ namespace, labelSelector: 'app=web' });
    return items.find(({ status }) => status?.phase === 'Running')?.metadata?.name;
  });
  const texts: Record<string, string> = { log: '', out: '' };
  const into = (name: string): Writable =>
    new Writable({
      write(chunk, _encoding, done) {
        texts[name] += String(chunk);
        done();
      },
    });
  await new Log(config).log(namespace, pod, 'web', into('log'), { tailLines: 1 });
  await eventually('a line', () => (texts['log'] === '' ? undefined : true));
  assert.match(texts['log'] ?? '', /^web: /);
  const status = await new Promise<{ readonly status?: string }>((resolve, reject) => {
    const command = ['sh', '-c', 'echo $WHO'];
    new Exec(config)
      .exec(namespace, pod, 'web', command, into('out'), null, null, false, resolve)
      .catch(reject);
  });
  assert.deepEqual([status.status, texts['out']], ['Success', 'me\n']);
  const usage = await new Metrics(config).getPodMetrics(namespace);
  assert.ok(usage.items.some(({ metadata }) => metadata.name === pod));
});
