// What is checked in a custom resource beside its schema, and how its columns show what is unusual.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { KubeObject } from '../../api/index.ts';
import { silentLogger } from '../../base/index.ts';
import type { Status } from '../../machinery/index.ts';
import { serve, type Served } from '../testing/served.ts';
import { customResourceSupport } from './index.ts';

const WIDGETS = '/apis/example.com/v1/namespaces/default/widgets';
const MERGE = { contentType: 'application/merge-patch+json' };

let served: Served;
let close: () => Promise<void>;

before(async () => {
  const support = customResourceSupport();
  served = await serve({ kinds: support.kinds });
  const { storage, clock, server } = served;
  const transport = server.inProcess({ name: 'admin', groups: ['system:masters'] });
  const controller = support.start({
    storage,
    clock,
    logger: silentLogger,
    registry: server.registry,
    transport,
  });
  await controller.ready;
  close = () => controller.close();
  const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const text = { type: 'string' };
  const pairs = {
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['b', 'a'],
    items: { type: 'object', properties: { a: text, b: text }, required: ['a', 'b'] },
  };
  await served.must('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', kind: 'Widget' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: {
                spec: { ...open, properties: { note: { type: 'string', nullable: true }, pairs } },
                status: { ...open, properties: { phase: { type: 'string', maxLength: 3 } } },
              },
            },
          },
          subresources: {
            status: {},
            scale: {
              specReplicasPath: '.spec.replicas',
              statusReplicasPath: '.status.replicas',
              labelSelectorPath: '.status.selector',
            },
          },
          additionalPrinterColumns: [
            { name: 'Note', type: 'string', jsonPath: '.spec.note' },
            { name: 'List', type: 'string', jsonPath: '.spec.list' },
            { name: 'Since', type: 'date', jsonPath: '.spec.since' },
            { name: 'Broken', type: 'string', jsonPath: '.spec[' },
            { name: 'After', type: 'string', jsonPath: '.spec.note' },
          ],
        },
      ],
    },
  });
  while ((await served.send('GET', WIDGETS)).status !== 200) await new Promise(setImmediate);
});

after(() => close());

const causes = async (...request: Parameters<Served['send']>): Promise<readonly string[]> => {
  const { details } = (await served.send(...request)).body as Status;
  return (details?.causes ?? []).map(({ field, message }) => `${field}: ${message}`);
};

test('what scale shows is checked in the resource itself', async () => {
  const widget = (spec: object): object => ({
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: { name: 'scaled' },
    spec,
  });
  assert.deepEqual(await causes('POST', WIDGETS, widget({ replicas: -1 })), [
    '.spec.replicas: Invalid value: -1: should be a non-negative integer',
  ]);
  assert.deepEqual(await causes('POST', WIDGETS, widget({ replicas: 2 ** 31 })), [
    '.spec.replicas: Invalid value: 2147483648: should be less than or equal to 2147483647',
  ]);
  assert.deepEqual(await causes('POST', WIDGETS, widget({ replicas: 'x' })), [
    '.spec.replicas: Invalid value: 0: .spec.replicas accessor error: x is of the type string, expected int64',
  ]);
  await served.must('POST', WIDGETS, widget({ replicas: 1 }));
  const status = { status: { replicas: -2, selector: 5, phase: 'long' } };
  assert.deepEqual(await causes('PATCH', `${WIDGETS}/scaled/status`, status, MERGE), [
    'status.phase: Too long: may not be more than 3 bytes',
    '.status.replicas: Invalid value: -2: should be a non-negative integer',
    '.status.selector: Invalid value: "": .status.selector accessor error: 5 is of the type int64, expected string',
  ]);
});

test('columns show what they can, as far as their paths can be read', async () => {
  await served.must('POST', WIDGETS, {
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: { name: 'shown' },
    spec: { note: null, list: ['<a>', 1], since: '' },
  });
  const table = await served.must('GET', `${WIDGETS}/shown`, undefined, {
    headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
  });
  const { columnDefinitions, rows } = table as unknown as {
    readonly columnDefinitions: readonly { readonly name: string }[];
    readonly rows: readonly { readonly cells: readonly unknown[]; readonly object: KubeObject }[];
  };
  assert.deepEqual(
    columnDefinitions.map(({ name }) => name),
    ['Name', 'Note', 'List', 'Since'],
  );
  assert.deepEqual(rows[0]?.cells, ['shown', '<no value>', '["\\u003ca\\u003e",1]', '<unknown>']);
});

test('an object without metadata has no name, and one of another kind is told so', async () => {
  const widget = { apiVersion: 'example.com/v1', kind: 'Widget' };
  assert.deepEqual(await causes('POST', WIDGETS, widget), [
    'metadata.name: Required value: name or generateName is required',
  ]);
  await served.must('POST', WIDGETS, { ...widget, metadata: { name: 'kind' } });
  const answer = await served.send('PATCH', `${WIDGETS}/kind`, { kind: 'Gadget' }, MERGE);
  assert.equal(
    (answer.body as Status).message,
    'Gadget.example.com "kind" is invalid: kind: Invalid value: "Gadget": must be Widget',
  );
});

const METHODS: readonly (readonly [string, string, number, string])[] = [
  ['PUT', WIDGETS, 400, 'name must be provided'],
  ['PATCH', WIDGETS, 400, 'name must be provided'],
  ['POST', '/apis/example.com/v1/widgets', 404, 'the server could not find the requested resource'],
  ['GET', `${WIDGETS}/a/other`, 404, 'widgets.example.com "a" not found'],
  [
    'DELETE',
    `${WIDGETS}/a/status`,
    405,
    'delete is not supported on resources of kind "widgets.example.com"',
  ],
];

for (const [method, path, code, message] of METHODS) {
  test(`${method} ${path} is refused as custom resources refuse it`, async () => {
    const answer = await served.send(method as 'PUT', path, {});
    assert.deepEqual([answer.status, (answer.body as Status).message], [code, message]);
  });
}

test('what stands twice is shown with its keys in order', async () => {
  assert.deepEqual(
    await causes('POST', WIDGETS, {
      apiVersion: 'example.com/v1',
      kind: 'Widget',
      metadata: { name: 'twice' },
      spec: {
        pairs: [
          { b: '1', a: '2' },
          { b: '1', a: '2' },
          { a: '2', b: '1' },
        ],
      },
    }),
    ['spec.pairs[1]: Duplicate value: {"a":"2","b":"1"}'],
  );
});
