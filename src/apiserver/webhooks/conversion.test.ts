import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { JsonObject, KubeObject } from '../../api/index.ts';
import { startWorld, type Hook, type World } from './testing/world.ts';

let world: World;
let hook: Hook;
/** What the webhook makes of the answer it would give. */
let spoil: (answer: JsonObject) => JsonObject = (answer) => answer;

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const crons = (version: string): string => `/apis/example.com/${version}/namespaces/default/crons`;

/** v1 has `host` and `port` in one. */
function convert(object: KubeObject, apiVersion: string): object {
  const { hostPort, host, port, ...rest } = object as unknown as Record<string, string>;
  const [oldHost, oldPort] = (hostPort ?? '').split(':');
  return apiVersion === 'example.com/v2'
    ? { ...rest, apiVersion, host: host ?? oldHost, port: port ?? oldPort }
    : { ...rest, apiVersion, hostPort: hostPort ?? `${host}:${port}` };
}

before(async () => {
  world = await startWorld();
  hook = await world.webhook((review) => {
    const { uid, objects, desiredAPIVersion } = review['request'] as unknown as {
      uid: string;
      objects: readonly KubeObject[];
      desiredAPIVersion: string;
    };
    const convertedObjects = objects.map((object) => convert(object, desiredAPIVersion));
    return spoil({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'ConversionReview',
      response: { uid, result: { status: 'Success' }, convertedObjects } as unknown as JsonObject,
    });
  });
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  const { url, caBundle } = hook;
  const answer = await world.call('POST', DEFINITIONS, {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'crons.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'crons', kind: 'Cron' },
      versions: [
        { name: 'v1', served: true, storage: true, schema },
        { name: 'v2', served: true, storage: false, schema },
      ],
      conversion: {
        strategy: 'Webhook',
        webhook: { conversionReviewVersions: ['v1'], clientConfig: { url, caBundle } },
      },
    },
  });
  assert.equal(answer.status, 201, answer.body.message);
  await world.call('POST', '/api/v1/namespaces', { metadata: { name: 'default' } });
});
after(() => world.close());

const cron = (name: string): object => ({
  apiVersion: 'example.com/v2',
  kind: 'Cron',
  metadata: { name },
  host: 'localhost',
  port: '80',
});

test('objects are converted both ways, each version as its clients know it', async () => {
  spoil = (answer) => answer;
  const made = await world.call('POST', crons('v2'), cron('a'));
  assert.equal(made.status, 201, made.body.message);
  assert.equal(made.body['host'], 'localhost');
  const old = await world.call('GET', `${crons('v1')}/a`);
  assert.equal(old.body['hostPort'], 'localhost:80');
  assert.equal(old.body.metadata?.['uid'], made.body.metadata?.['uid']);
  const list = await world.call('GET', crons('v2'));
  const [item] = (list.body as unknown as { items: readonly JsonObject[] }).items;
  assert.equal(item?.['port'], '80');
});

const response = (change: (response: JsonObject) => object) => (answer: JsonObject) => ({
  ...answer,
  response: {
    ...(answer['response'] as JsonObject),
    ...change(answer['response'] as JsonObject),
  },
});
const objectsOf = ({ convertedObjects }: JsonObject): readonly KubeObject[] =>
  convertedObjects as unknown as readonly KubeObject[];

const faults: readonly (readonly [string, typeof spoil, string])[] = [
  [
    'that says it failed',
    response(() => ({ result: { status: 'Failed', message: 'cannot' } })),
    'conversion webhook for example.com/v2, Kind=Cron failed: cannot',
  ],
  [
    'with fewer objects',
    response(() => ({ convertedObjects: [] })),
    'conversion webhook for example.com/v2, Kind=Cron returned 0 objects, expected 1',
  ],
  [
    'with another name',
    response((given) => ({
      convertedObjects: objectsOf(given).map((one) => ({ ...one, metadata: { ...one.metadata, name: 'x' } })),
    })),
    'conversion webhook for example.com/v2, Kind=Cron returned invalid converted object at index 0: must have the same name: b != x',
  ],
  [
    'in the wrong version',
    response((given) => ({
      convertedObjects: objectsOf(given).map((one) => ({ ...one, apiVersion: 'example.com/v2' })),
    })),
    'conversion webhook for example.com/v2, Kind=Cron returned invalid converted object at index 0: invalid groupVersion (expected example.com/v1, received example.com/v2)',
  ],
];

for (const [what, fault, message] of faults) {
  test(`an answer ${what} fails the request`, async () => {
    spoil = fault;
    const answer = await world.call('POST', crons('v2'), cron('b'));
    assert.equal(answer.status, 500);
    assert.equal(answer.body.message, message);
  });
}

test('a watch that cannot show a change ends with the reason, and shows nothing that comes after it', async () => {
  spoil = (answer) => answer;
  const made = await world.call('POST', crons('v1'), {
    apiVersion: 'example.com/v1',
    kind: 'Cron',
    metadata: { name: 'watched' },
    hostPort: 'localhost:80',
  });
  const { resourceVersion = '' } = made.body.metadata as { readonly resourceVersion?: string };
  spoil = response(() => ({ result: { status: 'Failed', message: 'cannot' } }));
  const ended = world.watch(crons('v2'), resourceVersion);
  for (const hostPort of ['localhost:81', 'localhost:82'])
    await world.call('PATCH', `${crons('v1')}/watched`, { hostPort });
  const seen = await ended;
  assert.equal(seen.length, 1);
  assert.equal(seen[0]?.type, 'ERROR');
  assert.partialDeepStrictEqual(seen[0]?.object, {
    code: 500,
    message: 'conversion webhook for example.com/v1, Kind=Cron failed: cannot',
  });
});
