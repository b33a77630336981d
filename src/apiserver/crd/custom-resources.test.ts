import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  crdOf,
  karmadaKinds,
  type CustomResourceDefinition,
  type KubeList,
  type KubeObject,
  type Schema,
} from '../../api/index.ts';
import { silentLogger, sleep, systemClock, systemRandom } from '../../base/index.ts';
import type { Status } from '../../machinery/index.ts';
import { createMemoryStorage, type Storage } from '../../storage/index.ts';
import { objectCodec } from '../object-codec.ts';
import { createApiServer } from '../server.ts';
import type { InProcessTransport } from '../transport.ts';
import { customResourceSupport } from './index.ts';

interface Running {
  readonly api: InProcessTransport;
  readonly storage: Storage<KubeObject>;
  close(): Promise<void>;
}

async function start(storage: Storage<KubeObject> = createMemoryStorage(objectCodec)): Promise<Running> {
  const support = customResourceSupport();
  const common = { storage, clock: systemClock, logger: silentLogger };
  const server = createApiServer({ ...common, random: systemRandom, kinds: support.kinds });
  const transport = server.inProcess({ name: 'admin', groups: ['system:masters'] });
  const definitions = support.start({ ...common, registry: server.registry, transport });
  await definitions.ready;
  await transport.send({
    method: 'POST',
    path: '/api/v1/namespaces',
    body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
  });
  return {
    api: transport,
    storage,
    async close() {
      await definitions.close();
      await server.close();
    },
  };
}

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const WIDGETS = '/apis/example.com/v1/namespaces/shop/widgets';

const open: Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

function definition(
  schema: Schema,
  more: Partial<CustomResourceDefinition['spec']['versions'][number]> = {},
): object {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', kind: 'Widget', shortNames: ['wd'] },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema }, ...more }],
    },
  };
}

const widget = (name: string, fields: object = {}): object => ({
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  metadata: { name },
  ...fields,
});

/** Asks until the answer is right; the test's own time limit is the end of it. */
async function until<T>(ask: () => Promise<T>, right: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (right(answer)) return answer;
    await sleep(systemClock, 5);
  }
}

async function establish({ api }: Running, crd: object): Promise<CustomResourceDefinition> {
  const created = await api.send({ method: 'POST', path: DEFINITIONS, body: crd });
  assert.equal(created.status, 201, JSON.stringify(created.body));
  const path = `${DEFINITIONS}/${(created.body as KubeObject).metadata.name}`;
  const { body } = await until(
    () => api.send({ method: 'GET', path }),
    ({ body }) =>
      (body as CustomResourceDefinition).status?.conditions?.some(
        ({ type, status }) => type === 'Established' && status === 'True',
      ) === true,
  );
  return body as CustomResourceDefinition;
}

test('a custom resource is served as soon as its definition says so', async () => {
  const running = await start();
  const { api } = running;
  assert.equal((await api.send({ method: 'GET', path: WIDGETS })).status, 404);
  const crd = await establish(running, definition({ type: 'object', properties: { spec: open } }));
  assert.deepEqual(crd.spec.names, {
    plural: 'widgets',
    singular: 'widget',
    kind: 'Widget',
    listKind: 'WidgetList',
    shortNames: ['wd'],
  });
  assert.deepEqual(crd.status?.storedVersions, ['v1']);
  const created = await api.send({
    method: 'POST',
    path: WIDGETS,
    body: widget('a', { spec: { x: [1, null] } }),
  });
  assert.equal(created.status, 201);
  const listed = await api.send({ method: 'GET', path: '/apis/example.com/v1/widgets' });
  assert.deepEqual(
    (listed.body as KubeList).items.map(({ metadata, kind }) => [metadata.name, kind]),
    [['a', 'Widget']],
  );
  await running.close();
});

test('objects are pruned and get defaults on the way in, and again when the schema has changed', async () => {
  const running = await start();
  const { api } = running;
  const a: Schema = { type: 'string', default: 'x' };
  await establish(
    running,
    definition({ type: 'object', properties: { spec: { type: 'object', properties: { a } } } }),
  );
  const created = await api.send({ method: 'POST', path: WIDGETS, body: widget('a', { spec: { b: 'y' } }) });
  assert.deepEqual((created.body as KubeObject)['spec'], { a: 'x' });
  const b: Schema = { type: 'integer', default: 3 };
  await api.send({
    method: 'PATCH',
    path: `${DEFINITIONS}/widgets.example.com`,
    contentType: 'application/json-patch+json',
    body: [
      {
        op: 'add',
        path: '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/b',
        value: b,
      },
    ],
  });
  const read = await until(
    () => api.send({ method: 'GET', path: `${WIDGETS}/a` }),
    ({ body }) => ((body as KubeObject)['spec'] as { b?: number }).b !== undefined,
  );
  assert.deepEqual((read.body as KubeObject)['spec'], { a: 'x', b: 3 });
  await running.close();
});

test('values that the schema does not allow are refused, with rules last', async () => {
  const running = await start();
  const spec: Schema = {
    type: 'object',
    required: ['size'],
    properties: { size: { type: 'integer', minimum: 1 } },
    'x-kubernetes-validations': [{ rule: 'self.size < 10', message: 'too large' }],
  };
  await establish(running, definition({ type: 'object', properties: { spec } }));
  const causes = async (value: object): Promise<(string | undefined)[]> => {
    const { body } = await running.api.send({
      method: 'POST',
      path: WIDGETS,
      body: widget('a', { spec: value }),
    });
    return (body as Status).details?.causes?.map(({ message }) => message) ?? [];
  };
  assert.deepEqual(await causes({ size: 11 }), ['Invalid value: too large']);
  assert.deepEqual(await causes({ size: 0 }), [
    'Invalid value: 0: spec.size in body should be greater than or equal to 1',
  ]);
  const [first, second] = await causes({});
  assert.equal(first, 'Required value');
  assert.match(second ?? '', /some validation rules were not checked/);
  await running.close();
});

test('status and spec are written apart, and scale reaches the replicas', async () => {
  const running = await start();
  const { api } = running;
  await establish(
    running,
    definition(
      { type: 'object', properties: { spec: open, status: open } },
      {
        subresources: {
          status: {},
          scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
        },
      },
    ),
  );
  const path = `${WIDGETS}/a`;
  const created = await api.send({
    method: 'POST',
    path: WIDGETS,
    body: widget('a', { spec: { replicas: 1 }, status: { replicas: 9 } }),
  });
  assert.equal((created.body as KubeObject)['status'], undefined);
  const merge = (where: string, body: object): ReturnType<InProcessTransport['send']> =>
    api.send({ method: 'PATCH', path: where, contentType: 'application/merge-patch+json', body });
  const reported = await merge(`${path}/status`, { spec: { replicas: 5 }, status: { replicas: 1 } });
  assert.deepEqual((reported.body as KubeObject)['spec'], { replicas: 1 });
  assert.equal((reported.body as KubeObject).metadata.generation, 1);
  const scaled = await merge(`${path}/scale`, { spec: { replicas: 4 } });
  assert.deepEqual((scaled.body as KubeObject)['spec'], { replicas: 4 });
  assert.deepEqual((scaled.body as KubeObject)['status'], { replicas: 1 });
  const after = (await api.send({ method: 'GET', path })).body as KubeObject;
  assert.deepEqual([after['spec'], after.metadata.generation], [{ replicas: 4 }, 2]);
  await running.close();
});

test('bindings written in their first version are stored in the second, and read in either', async () => {
  const running = await start();
  const { api } = running;
  const kind = karmadaKinds.find((one) => one.kind === 'ResourceBinding')!;
  await establish(running, crdOf(kind));
  const at = (version: string): string => `/apis/work.karmada.io/${version}/namespaces/shop/resourcebindings`;
  const created = await api.send({
    method: 'POST',
    path: at('v1alpha1'),
    body: {
      apiVersion: 'work.karmada.io/v1alpha1',
      kind: 'ResourceBinding',
      metadata: { name: 'web-deployment' },
      spec: { resource: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', replicas: 2 } },
    },
  });
  assert.equal(created.status, 201, JSON.stringify(created.body));
  const read = async (version: string): Promise<unknown> =>
    ((await api.send({ method: 'GET', path: `${at(version)}/web-deployment` })).body as KubeObject)['spec'];
  assert.deepEqual(await read('v1alpha2'), {
    resource: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    replicas: 2,
    conflictResolution: 'Abort',
  });
  assert.deepEqual(await read('v1alpha1'), {
    resource: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', replicas: 2 },
  });
  await running.close();
});

test('instances go before their definition does, and nothing new comes meanwhile', async () => {
  const running = await start();
  const { api } = running;
  const path = `${DEFINITIONS}/widgets.example.com`;
  await establish(running, definition({ type: 'object', properties: { spec: open } }));
  await api.send({ method: 'POST', path: WIDGETS, body: widget('free') });
  const held = { ...widget('held'), metadata: { name: 'held', finalizers: ['example.com/wait'] } };
  await api.send({ method: 'POST', path: WIDGETS, body: held });
  const deleted = await api.send({ method: 'DELETE', path });
  assert.deepEqual((deleted.body as KubeObject).metadata.finalizers, [
    'customresourcecleanup.apiextensions.k8s.io',
  ]);
  const left = await until(
    () => api.send({ method: 'GET', path: WIDGETS }),
    ({ body }) => (body as KubeList).items.length === 1,
  );
  assert.equal((left.body as KubeList).items[0]?.metadata.name, 'held');
  const refused = await api.send({ method: 'POST', path: WIDGETS, body: widget('late') });
  assert.equal(refused.status, 405);
  await api.send({
    method: 'PATCH',
    path: `${WIDGETS}/held`,
    contentType: 'application/merge-patch+json',
    body: { metadata: { finalizers: null } },
  });
  await until(
    () => api.send({ method: 'GET', path }),
    ({ status }) => status === 404,
  );
  await until(
    () => api.send({ method: 'GET', path: WIDGETS }),
    ({ status }) => status === 404,
  );
  await running.close();
});

test('a name that is taken is granted when its owner is gone', async () => {
  const running = await start();
  const { api } = running;
  await establish(running, definition({ type: 'object' }));
  const second = definition({ type: 'object' }) as CustomResourceDefinition;
  const other = {
    ...second,
    metadata: { name: 'gadgets.example.com' },
    spec: { ...second.spec, names: { plural: 'gadgets', kind: 'Widget', listKind: 'GadgetList' } },
  };
  await api.send({ method: 'POST', path: DEFINITIONS, body: other });
  const path = `${DEFINITIONS}/gadgets.example.com`;
  const conditionIs = (status: string) => (answer: { readonly body: unknown }) =>
    (answer.body as CustomResourceDefinition).status?.conditions?.find(({ type }) => type === 'NamesAccepted')
      ?.status === status;
  await until(() => api.send({ method: 'GET', path }), conditionIs('False'));
  assert.equal((await api.send({ method: 'GET', path: '/apis/example.com/v1/gadgets' })).status, 404);
  await api.send({ method: 'DELETE', path: `${DEFINITIONS}/widgets.example.com` });
  await until(() => api.send({ method: 'GET', path }), conditionIs('True'));
  assert.equal((await api.send({ method: 'GET', path: '/apis/example.com/v1/gadgets' })).status, 200);
  await running.close();
});

test('a server that starts serves what was defined before', async () => {
  const first = await start();
  await establish(first, definition({ type: 'object', properties: { spec: open } }));
  await first.api.send({ method: 'POST', path: WIDGETS, body: widget('a', { spec: { x: 1 } }) });
  await first.close();
  const second = await start(first.storage);
  const read = await second.api.send({ method: 'GET', path: `${WIDGETS}/a` });
  assert.deepEqual((read.body as KubeObject)['spec'], { x: 1 });
  await second.close();
});

test('columns of the definition make the table', async () => {
  const running = await start();
  const { api } = running;
  await establish(
    running,
    definition(
      { type: 'object', properties: { spec: open } },
      {
        additionalPrinterColumns: [
          { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
          { name: 'Ready', type: 'string', jsonPath: '.spec.conditions[?(@.type=="Ready")].status' },
          { name: 'Map', type: 'string', jsonPath: '.spec.map', priority: 1 },
        ],
      },
    ),
  );
  const spec = { size: 3, conditions: [{ type: 'Ready', status: 'True' }], map: { a: 1 } };
  await api.send({ method: 'POST', path: WIDGETS, body: widget('a', { spec }) });
  await api.send({ method: 'POST', path: WIDGETS, body: widget('b', { spec: { size: 'no' } }) });
  const { body } = await api.send({
    method: 'GET',
    path: WIDGETS,
    headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
  });
  const table = body as { columnDefinitions: { name: string }[]; rows: { cells: unknown[] }[] };
  assert.deepEqual(
    table.columnDefinitions.map(({ name }) => name),
    ['Name', 'Size', 'Ready', 'Map'],
  );
  assert.deepEqual(
    table.rows.map(({ cells }) => cells),
    [
      ['a', 3, 'True', '{"a":1}'],
      ['b', null, null, null],
    ],
  );
  await running.close();
});

test('what a caller sends back as it has got it is kept, beside what it sends anew', async () => {
  const running = await start();
  const { api } = running;
  const spec: Schema = {
    type: 'object',
    default: {},
    properties: {
      size: { type: 'integer', default: 1 },
      parts: { type: 'array', items: { type: 'string' } },
    },
  };
  await establish(running, definition({ type: 'object', properties: { spec, more: open } }));
  const created = await api.send({
    method: 'POST',
    path: WIDGETS,
    body: widget('a', { spec: { parts: ['x'] } }),
  });
  const object = created.body as KubeObject;
  assert.deepEqual(object['spec'], { size: 1, parts: ['x'] });
  const changed = { ...object, more: { any: [1] }, unknown: object['spec'] };
  const updated = await api.send({ method: 'PUT', path: `${WIDGETS}/a`, body: changed });
  assert.equal(updated.status, 200, JSON.stringify(updated.body));
  const { metadata: _, ...rest } = updated.body as KubeObject;
  assert.deepEqual(rest, {
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    spec: { size: 1, parts: ['x'] },
    more: { any: [1] },
  });
  await running.close();
});
