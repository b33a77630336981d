// One behaviour for both ways to an API server: the same cases in process and over HTTPS.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  memoryVault,
  objectCodec,
  openCertificates,
  startApiServer,
  versionInfo,
  type ClusterCertificates,
  type RunningServer,
} from '../src/apiserver/index.ts';
import type { KubeObject, WatchEvent } from '../src/api/index.ts';
import { silentLogger, systemClock, systemRandom } from '../src/base/index.ts';
import {
  createClient,
  createHttpsTransport,
  createRestMapper,
  isAlreadyExists,
  isConflict,
  isExpired,
  isNotFound,
  resource,
  type Client,
  type Transport,
} from '../src/client/index.ts';
import { createInformer } from '../src/runtime/index.ts';
import { createMemoryStorage } from '../src/storage/index.ts';

const configMaps = resource<KubeObject & { readonly data?: Readonly<Record<string, string>> }>({
  group: '',
  version: 'v1',
  resource: 'configmaps',
  namespaced: true,
});
const namespaces = resource({ group: '', version: 'v1', resource: 'namespaces', namespaced: false });
const deployments = resource({ group: 'apps', version: 'v1', resource: 'deployments', namespaced: true });
const crds = resource({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  resource: 'customresourcedefinitions',
  namespaced: false,
});

const storage = createMemoryStorage<KubeObject>(objectCodec);
let server: RunningServer;
let certificates: ClusterCertificates;
before(async () => {
  const vault = memoryVault();
  certificates = await openCertificates({ vault, now: Date.now(), clusterName: 'test' });
  server = await startApiServer({
    storage,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    certificates,
    host: '127.0.0.1',
    port: 0,
    version: versionInfo('1.36.2', 'test'),
  });
});
after(async () => {
  await server.close();
  await storage.close();
});

const ways: { name: string; connect: () => Transport }[] = [
  {
    name: 'in process',
    connect: () =>
      server.server.inProcess({ name: 'admin', groups: ['system:masters', 'system:authenticated'] }),
  },
  {
    name: 'over HTTPS',
    connect: () =>
      createHttpsTransport({
        server: `https://127.0.0.1:${server.port}`,
        ca: certificates.authority.certificate,
        clientCert: certificates.admin.certificate,
        clientKey: certificates.admin.key,
      }),
  },
];

for (const { name: way, connect } of ways) {
  describe(way, () => {
    const namespace = way.replaceAll(/\W/g, '-').toLowerCase();
    const object = (
      name: string,
      data: Record<string, string> = {},
      labels: Record<string, string> = {},
    ): KubeObject => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace, labels },
      data,
    });
    let transport: Transport;
    let client: Client;
    before(async () => {
      transport = connect();
      client = createClient(transport, { fieldManager: 'suite' });
      await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    });
    after(() => transport.close());

    test('an object is made, read, replaced, patched in every way and deleted, and answers are frozen', async () => {
      const key = { namespace, name: 'crud' };
      const created = await client.create(configMaps, object('crud', { a: '1' }));
      assert.equal(created.metadata.managedFields?.[0]?.manager, 'suite');
      assert.ok(Object.isFrozen(created) && Object.isFrozen(created.data));
      assert.deepEqual(await client.get(configMaps, key), created);
      const updated = await client.update(configMaps, { ...created, data: { a: '2' } });
      assert.deepEqual(updated.data, { a: '2' });
      const body = { data: { b: '3' } };
      assert.deepEqual((await client.patch(configMaps, key, { type: 'merge', body })).data, {
        a: '2',
        b: '3',
      });
      assert.deepEqual(
        (await client.patch(configMaps, key, { type: 'json', body: [{ op: 'remove', path: '/data/a' }] }))
          .data,
        { b: '3' },
      );
      const strategic = { data: { b: null, c: '4' } };
      assert.deepEqual((await client.patch(configMaps, key, { type: 'strategic', body: strategic })).data, {
        c: '4',
      });
      const applied = await client.apply(configMaps, object('crud', { d: '5' }), { fieldManager: 'other' });
      assert.deepEqual(applied.data, { c: '4', d: '5' });
      await client.delete(configMaps, key, { preconditions: { uid: created.metadata.uid! } });
      assert.equal(await client.find(configMaps, key), undefined);
    });

    test('failures are the same StatusErrors', async () => {
      const created = await client.create(configMaps, object('errors', { a: '1' }));
      await assert.rejects(client.create(configMaps, object('errors')), isAlreadyExists);
      await client.patch(
        configMaps,
        { namespace, name: 'errors' },
        { type: 'merge', body: { data: { a: '2' } } },
      );
      await assert.rejects(client.update(configMaps, created), isConflict);
      await assert.rejects(client.get(configMaps, { namespace, name: 'none' }), {
        code: 404,
        reason: 'NotFound',
        message: 'configmaps "none" not found',
        status: {
          kind: 'Status',
          apiVersion: 'v1',
          metadata: {},
          status: 'Failure',
          message: 'configmaps "none" not found',
          reason: 'NotFound',
          details: { name: 'none', kind: 'configmaps' },
          code: 404,
        },
      });
      await assert.rejects(client.create(configMaps, object('Not A Name')), { reason: 'Invalid', code: 422 });
      const unknown = resource({ group: 'no.such', version: 'v1', resource: 'things', namespaced: true });
      await assert.rejects(client.list(unknown), isNotFound);
      await assert.rejects(client.apply(configMaps, { ...object('errors'), data: { a: '9' } }), isConflict);
    });

    test('names that need encoding reach their object', async () => {
      const roles = resource({
        group: 'rbac.authorization.k8s.io',
        version: 'v1',
        resource: 'clusterroles',
        namespaced: false,
      });
      const name = `suite:${namespace} ü+?&#=:`;
      await client.create(roles, {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        metadata: { name },
        rules: [],
      });
      assert.equal((await client.get(roles, { name })).metadata.name, name);
      await client.delete(roles, { name });
    });

    test('lists come in pages of one revision, whole by listAll, chosen by selectors', async () => {
      for (let i = 0; i < 7; i++)
        await client.create(configMaps, object(`page-${i}`, {}, { page: i < 5 ? 'a' : 'b' }));
      const selection = { namespace, labelSelector: 'page' };
      const first = await client.list(configMaps, { ...selection, limit: 3 });
      assert.equal(first.items.length, 3);
      assert.ok(first.items.every((item) => Object.isFrozen(item)));
      await client.delete(configMaps, { namespace, name: 'page-6' });
      const second = await client.list(configMaps, {
        ...selection,
        limit: 10,
        continue: first.metadata.continue!,
      });
      assert.equal(second.items.length, 4);
      assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
      const all = await client.listAll(configMaps, { ...selection, limit: 2 });
      assert.deepEqual(
        all.items.map(({ metadata }) => metadata.name),
        [0, 1, 2, 3, 4, 5].map((i) => `page-${i}`),
      );
      assert.equal(all.metadata.continue, undefined);
      assert.ok(all.items.every(({ kind, apiVersion }) => kind === 'ConfigMap' && apiVersion === 'v1'));
      const some = await client.list(configMaps, { namespace, labelSelector: 'page=b' });
      assert.equal(some.items.length, 1);
      const one = await client.list(configMaps, { namespace, fieldSelector: 'metadata.name=page-1' });
      assert.equal(one.items.length, 1);
      await client.deleteCollection(configMaps, selection);
      assert.equal((await client.list(configMaps, selection)).items.length, 0);
    });

    test('subresources are read and written apart', async () => {
      const labels = { app: 'web' };
      const made = await client.create(deployments, {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web', namespace },
        spec: {
          replicas: 2,
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web' }] } },
        },
      });
      const status = { observedGeneration: 1, replicas: 2 };
      const updated = await client.updateStatus(deployments, { ...made, spec: {}, status });
      assert.deepEqual([updated['status'], updated['spec']], [status, made['spec']]);
      const key = { namespace, name: 'web' };
      const scale = await client.get(deployments, key, { subresource: 'scale' });
      assert.equal(scale.kind, 'Scale');
      await client.patch(
        deployments,
        key,
        { type: 'merge', body: { spec: { replicas: 5 } } },
        { subresource: 'scale' },
      );
      assert.equal(((await client.get(deployments, key))['spec'] as { replicas: number }).replicas, 5);
    });

    test('nothing is written in a dry run', async () => {
      await client.create(configMaps, object('dry'), { dryRun: true });
      assert.equal(await client.find(configMaps, { namespace, name: 'dry' }), undefined);
    });

    test('a watch brings frozen events in order from its revision, and ends with its signal', async () => {
      const { metadata } = await client.list(configMaps, { namespace });
      const stop = new AbortController();
      const seen: string[] = [];
      const watching = client.watch(
        configMaps,
        { namespace, resourceVersion: metadata.resourceVersion!, signal: stop.signal },
        ({ type, object }) => {
          assert.ok(Object.isFrozen(object.metadata));
          seen.push(`${type} ${object.metadata.name}`);
          if (seen.length === 3) stop.abort();
        },
      );
      await client.create(configMaps, object('watched'));
      const key = { namespace, name: 'watched' };
      await client.patch(configMaps, key, { type: 'merge', body: { data: { x: '1' } } });
      await client.delete(configMaps, key);
      await watching;
      assert.deepEqual(seen, ['ADDED watched', 'MODIFIED watched', 'DELETED watched']);
    });

    test('a watch can begin with what is there', async () => {
      await client.create(configMaps, object('initial', {}, { initial: 'yes' }));
      const stop = new AbortController();
      const seen: WatchEvent<KubeObject>[] = [];
      await client.watch(
        configMaps,
        {
          namespace,
          labelSelector: 'initial',
          sendInitialEvents: true,
          resourceVersionMatch: 'NotOlderThan',
          allowWatchBookmarks: true,
          signal: stop.signal,
        },
        (event) => {
          seen.push(event);
          if (event.type === 'BOOKMARK') stop.abort();
        },
      );
      assert.deepEqual(
        seen.map(({ type }) => type),
        ['ADDED', 'BOOKMARK'],
      );
      assert.equal(seen[1]?.object.metadata.annotations?.['k8s.io/initial-events-end'], 'true');
    });

    test('the server ends a watch after its timeout, and the promise resolves', async () => {
      await client.watch(configMaps, { namespace, timeoutSeconds: 1 }, () => undefined);
    });

    test('what a handler throws ends the watch and comes out', async () => {
      const failure = new Error('a bug');
      const options = { namespace, sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' } as const;
      await client.create(configMaps, object('thrown'));
      const watching = client.watch(configMaps, { ...options, allowWatchBookmarks: true }, () => {
        throw failure;
      });
      await assert.rejects(watching, failure);
    });

    test('a watch from a revision that is gone is expired', async () => {
      await client.create(configMaps, object('compacted'));
      await storage.compact(await storage.currentRevision());
      const watching = client.watch(configMaps, { namespace, resourceVersion: '1' }, () => undefined);
      await assert.rejects(watching, isExpired);
    });

    test('an aborted request rejects with the reason', async () => {
      const reason = new Error('enough');
      const signal = AbortSignal.abort(reason);
      await assert.rejects(client.get(configMaps, { namespace, name: 'x' }, { signal }), reason);
    });

    test('kinds are found by discovery, also those made a moment ago', async () => {
      const mapper = createRestMapper(transport, { missPeriodMs: 0 });
      const deployment = await mapper.resourceForObject({ apiVersion: 'apps/v1', kind: 'Deployment' });
      assert.deepEqual(
        [deployment?.resource, deployment?.namespaced, deployment?.subresources.toSorted()],
        ['deployments', true, ['scale', 'status']],
      );
      assert.equal((await mapper.resourceByText('deploy'))?.kind, 'Deployment');
      assert.equal((await mapper.resourceByText('deployments.apps'))?.kind, 'Deployment');
      assert.equal((await mapper.resourceByText('deployment.v1.apps'))?.kind, 'Deployment');
      assert.equal((await mapper.resourceByText('ns'))?.resource, 'namespaces');
      assert.equal(await mapper.resourceByText('nonsense'), undefined);
      const hpas = (await mapper.resources()).filter((one) => one.resource === 'horizontalpodautoscalers');
      assert.equal(hpas.filter(({ preferred }) => preferred).length, 1);
      const group = `${namespace}.example.com`;
      assert.equal(await mapper.resourceForKind({ group, kind: 'Widget' }), undefined);
      await client.create(crds, {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: `widgets.${group}` },
        spec: {
          group,
          scope: 'Namespaced',
          names: {
            plural: 'widgets',
            singular: 'widget',
            kind: 'Widget',
            listKind: 'WidgetList',
            shortNames: ['wd'],
          },
          versions: [
            {
              name: 'v1',
              served: true,
              storage: true,
              schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
            },
          ],
        },
      });
      const deadline = Date.now() + 5000;
      let widget = await mapper.resourceForKind({ group, kind: 'Widget' });
      while (widget === undefined && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        widget = await mapper.resourceForKind({ group, kind: 'Widget' });
      }
      assert.equal(widget?.resource, 'widgets');
      assert.equal((await mapper.resourceByName({ group, resource: 'widgets' }))?.kind, 'Widget');
      const made = await client.create(widget, {
        apiVersion: `${group}/v1`,
        kind: 'Widget',
        metadata: { name: 'w', namespace },
        spec: { size: 1 },
      });
      assert.deepEqual(made['spec'], { size: 1 });
    });

    test('an informer follows thousands of changes and ends up equal to the server', async () => {
      const informer = createInformer({
        client,
        resource: configMaps,
        namespace,
        clock: systemClock,
        random: systemRandom,
      });
      const stop = new AbortController();
      const running = informer.run(stop.signal);
      await informer.synced;
      const burst = Array.from({ length: 500 }, (_, i) => `burst-${i}`);
      await Promise.all(burst.map((name) => client.create(configMaps, object(name))));
      const gone = burst.filter((_, i) => i % 2 === 0);
      await Promise.all(gone.map((name) => client.delete(configMaps, { namespace, name })));
      const expected = await client.listAll(configMaps, { namespace });
      const matches = (): boolean =>
        informer.store.size === expected.items.length &&
        expected.items.every(
          ({ metadata }) =>
            informer.store.get({ namespace, name: metadata.name! })?.metadata.resourceVersion ===
            metadata.resourceVersion,
        );
      const deadline = Date.now() + 5000;
      while (!matches() && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
      assert.ok(matches());
      stop.abort();
      await running;
    });

    test('closing the transport ends its watches and refuses requests', async () => {
      const own = connect();
      const ownClient = createClient(own);
      const watching = ownClient
        .watch(configMaps, { namespace }, () => undefined)
        .then(
          () => 'ended',
          () => 'ended',
        );
      await ownClient.list(configMaps, { namespace });
      await own.close();
      assert.equal(await watching, 'ended');
      await assert.rejects(ownClient.list(configMaps, { namespace }));
    });
  });
}
