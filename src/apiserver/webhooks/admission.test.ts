import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { JsonObject } from '../../api/index.ts';
import { patching, review, startWorld, type Hook, type World } from './testing/world.ts';

const REGISTRATIONS = '/apis/admissionregistration.k8s.io/v1';
let world: World;
let namespace = '';
let made = 0;

before(async () => {
  world = await startWorld();
});
after(() => world.close());
beforeEach(async () => {
  namespace = `shop-${++made}`;
  await world.call('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
});

const RULE = { operations: ['*'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] };

async function register(
  kind: 'Validating' | 'Mutating',
  hook: Pick<Hook, 'url' | 'caBundle'>,
  more: object = {},
  name = `${namespace}-hooks`,
): Promise<void> {
  const answer = await world.call('POST', `${REGISTRATIONS}/${kind.toLowerCase()}webhookconfigurations`, {
    metadata: { name },
    webhooks: [
      {
        name: 'a.example.com',
        clientConfig: { url: hook.url, caBundle: hook.caBundle },
        rules: [RULE],
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        ...more,
      },
    ],
  });
  assert.equal(answer.status, 201, answer.body.message);
}

const configMap = (name: string, more: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  ...more,
});
const maps = (): string => `/api/v1/namespaces/${namespace}/configmaps`;

test('a validating webhook refuses in its own words and code, warns, and sees what is asked', async () => {
  const hook = await world.webhook((asked) =>
    review(asked, { allowed: false, status: { code: 409, message: 'no maps' }, warnings: ['beware'] }),
  );
  await register('Validating', hook);
  const answer = await world.call('POST', maps(), configMap('a'), 'dryRun=All');
  assert.equal(answer.body.message, 'admission webhook "a.example.com" denied the request: no maps');
  const asked = hook.reviews[0]!['request'] as JsonObject;
  const { uid: _, object, ...rest } = asked;
  assert.equal((object as JsonObject)['kind'], 'ConfigMap');
  assert.deepEqual(rest, {
    kind: { group: '', version: 'v1', kind: 'ConfigMap' },
    resource: { group: '', version: 'v1', resource: 'configmaps' },
    requestKind: { group: '', version: 'v1', kind: 'ConfigMap' },
    requestResource: { group: '', version: 'v1', resource: 'configmaps' },
    name: 'a',
    namespace,
    operation: 'CREATE',
    userInfo: { username: 'admin', groups: ['system:masters', 'system:authenticated'] },
    oldObject: null,
    dryRun: true,
    options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', dryRun: ['All'] },
  });
});

test('warnings of a webhook that agrees reach the client', async () => {
  const hook = await world.webhook((asked) => review(asked, { warnings: ['beware'] }));
  await register('Validating', hook, { rules: [{ ...RULE, operations: ['UPDATE'] }] });
  await world.call('POST', maps(), configMap('a'));
  const answer = await world.call('PUT', `${maps()}/a`, configMap('a', { data: { a: '1' } }));
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.warnings, ['299 - "beware"']);
});

test('a mutating webhook changes what is stored; patches that do not apply fail the request', async () => {
  const hook = await world.webhook((asked) =>
    review(asked, patching([{ op: 'add', path: '/data', value: { colour: 'red' } }])),
  );
  await register('Mutating', hook);
  const answer = await world.call('POST', maps(), configMap('a'));
  assert.deepEqual(answer.body['data'], { colour: 'red' });
  const broken = await world.webhook((asked) =>
    review(asked, patching([{ op: 'remove', path: '/data/none' }])),
  );
  await register('Mutating', broken, {}, `${namespace}-later`);
  const refused = await world.call('POST', maps(), configMap('b'));
  assert.equal(refused.status, 500);
  assert.equal(refused.body['reason'], 'InternalError');
});

test('managed fields that a webhook left unreadable are put back', async () => {
  const hook = await world.webhook((asked) =>
    review(asked, patching([{ op: 'replace', path: '/metadata/managedFields/0/operation', value: 'Guess' }])),
  );
  await register('Mutating', hook);
  const answer = await world.call('POST', maps(), configMap('a', { data: { a: 'b' } }));
  assert.equal(answer.status, 201, answer.body.message);
  const [entry] = (answer.body.metadata ?? {})['managedFields'] as readonly JsonObject[];
  assert.equal(entry?.['operation'], 'Update');
  assert.match(
    String(answer.warnings),
    /in an invalid state after admission; .*: operation must be `Apply` or `Update`/,
  );
});

test('a webhook that wants it is asked again after others changed the object', async () => {
  const first = await world.webhook((asked) => review(asked, {}));
  const second = await world.webhook((asked) =>
    review(asked, patching([{ op: 'add', path: '/metadata/labels', value: { seen: 'yes' } }])),
  );
  await register('Mutating', first, { reinvocationPolicy: 'IfNeeded' }, `${namespace}-1`);
  await register('Mutating', second, {}, `${namespace}-2`);
  const answer = await world.call('POST', maps(), configMap('a'));
  assert.deepEqual(answer.body.metadata?.['labels'], { seen: 'yes' });
  assert.equal(first.reviews.length, 2);
  assert.equal(second.reviews.length, 1);
});

const silences: readonly (readonly [string, (hook: Hook) => object, RegExp])[] = [
  [
    'nobody listens',
    () => ({ clientConfig: { url: 'https://127.0.0.1:1/x' }, timeoutSeconds: 2 }),
    /^Internal error occurred: failed calling webhook "a.example.com": failed to call webhook: Post "https:\/\/127.0.0.1:1\/x\?timeout=2s": dial tcp 127.0.0.1:1: connect: connection refused$/,
  ],
  [
    'its certificate is not trusted',
    ({ url }) => ({ clientConfig: { url } }),
    /tls: failed to verify certificate: x509: certificate signed by unknown authority$/,
  ],
  ['it does not answer in time', () => ({ timeoutSeconds: 1 }), /\?timeout=1s": context deadline exceeded$/],
  [
    'its service is not there',
    ({ caBundle }) => ({
      clientConfig: { caBundle, service: { namespace: 'shop', name: 'wh', path: '/v' } },
    }),
    /Post "https:\/\/wh.shop.svc:443\/v\?timeout=10s": service "wh" not found$/,
  ],
];

for (const [why, more, message] of silences) {
  test(`requests fail, or pass if failures are ignored, when ${why}`, async () => {
    const hook = await world.webhook(() => undefined);
    await register('Validating', hook, more(hook));
    const refused = await world.call('POST', maps(), configMap('a'));
    assert.equal(refused.status, 500);
    assert.match(refused.body.message ?? '', message);
    const path = `${REGISTRATIONS}/validatingwebhookconfigurations/${namespace}-hooks`;
    await world.call('DELETE', path);
    await register('Validating', hook, { ...more(hook), failurePolicy: 'Ignore' });
    assert.equal((await world.call('POST', maps(), configMap('a'))).status, 201);
  });
}

const answers: readonly (readonly [string, (asked: JsonObject) => object, string])[] = [
  ['nothing', () => ({}), 'webhook response was absent'],
  [
    'a patch where none may be',
    (asked) => review(asked, patching([])),
    'validating webhook may not return response.patch',
  ],
  [
    'to an older review',
    (asked) => ({ ...review(asked, {}), apiVersion: 'admission.k8s.io/v1beta1' }),
    'expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got admission.k8s.io/v1beta1, Kind=AdmissionReview',
  ],
];

for (const [what, answer, why] of answers) {
  test(`an answer of ${what} is none`, async () => {
    await register('Validating', await world.webhook(answer));
    const refused = await world.call('POST', maps(), configMap('a'));
    assert.equal(
      refused.body.message,
      `Internal error occurred: failed calling webhook "a.example.com": received invalid webhook response: ${why}`,
    );
  });
}

test('services are found by their addresses, and certificates are for their names', async () => {
  const hook = await world.webhook((asked) => review(asked, { allowed: false }));
  await world.call('POST', '/api/v1/namespaces', { metadata: { name: 'shop' } });
  const service = await world.call('POST', '/api/v1/namespaces/shop/services', {
    metadata: { name: 'wh' },
    spec: { type: 'ExternalName', externalName: '127.0.0.1' },
  });
  assert.equal(service.status, 201, service.body.message);
  const { port, caBundle } = hook;
  await register('Validating', hook, {
    clientConfig: { caBundle, service: { namespace: 'shop', name: 'wh', port } },
  });
  const refused = await world.call('POST', maps(), configMap('a'));
  assert.equal(
    refused.body.message,
    'admission webhook "a.example.com" denied the request without explanation',
  );
});

test('only what rules, selectors and conditions name is asked about', async () => {
  const hook = await world.webhook((asked) => review(asked, { allowed: false }));
  await register('Validating', hook, {
    objectSelector: { matchLabels: { checked: 'yes' } },
    matchConditions: [{ name: 'not-spared', expression: "object.metadata.name != 'spared'" }],
  });
  const labels = { checked: 'yes' };
  const create = async (name: string, metadata: object): Promise<number> =>
    (await world.call('POST', maps(), { ...configMap(name), metadata: { name, ...metadata } })).status;
  assert.equal(await create('a', { labels }), 400);
  assert.equal(await create('b', {}), 201);
  assert.equal(await create('spared', { labels }), 201);
  const secret = { metadata: { name: 'c', labels } };
  assert.equal((await world.call('POST', `/api/v1/namespaces/${namespace}/secrets`, secret)).status, 201);
});

test('equivalent resources are asked about in the form that the webhook knows, unless it wants exact matches', async () => {
  const hook = await world.webhook((asked) => review(asked, { allowed: false }));
  const rules = [{ ...RULE, apiGroups: ['events.k8s.io'], resources: ['events'] }];
  const event = {
    metadata: { name: 'e', namespace },
    involvedObject: { kind: 'Pod', name: 'p', namespace },
    reason: 'Why',
    type: 'Normal',
  };
  const path = `/api/v1/namespaces/${namespace}/events`;
  await register('Validating', hook, { rules, matchPolicy: 'Exact' });
  assert.equal((await world.call('POST', path, event)).status, 201);
  await register('Validating', hook, { rules }, `${namespace}-later`);
  assert.equal(
    (await world.call('POST', path, { ...event, metadata: { name: 'f', namespace } })).status,
    400,
  );
  const asked = hook.reviews[0]!['request'] as JsonObject;
  assert.deepEqual(asked['resource'], { group: 'events.k8s.io', version: 'v1', resource: 'events' });
  assert.deepEqual(asked['requestResource'], { group: '', version: 'v1', resource: 'events' });
  assert.equal((asked['object'] as JsonObject)['apiVersion'], 'events.k8s.io/v1');
});

test('a subresource is asked about in its own kind, under the resource that it belongs to', async () => {
  const hook = await world.webhook((asked) =>
    review(asked, patching([{ op: 'replace', path: '/spec/replicas', value: 5 }])),
  );
  const rules = [{ ...RULE, apiGroups: ['apps'], resources: ['deployments/scale'] }];
  await register('Mutating', hook, { rules });
  const template = {
    metadata: { labels: { app: 'web' } },
    spec: { containers: [{ name: 'c', image: 'nginx' }] },
  };
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments`;
  await world.call('POST', path, {
    metadata: { name: 'web' },
    spec: { replicas: 1, selector: { matchLabels: { app: 'web' } }, template },
  });
  const scaled = await world.call('PATCH', `${path}/web/scale`, { spec: { replicas: 2 } });
  assert.equal((scaled.body['spec'] as JsonObject)['replicas'], 5, scaled.body.message);
  const asked = hook.reviews[0]!['request'] as JsonObject;
  assert.deepEqual(asked['kind'], { group: 'autoscaling', version: 'v1', kind: 'Scale' });
  assert.deepEqual(asked['resource'], { group: 'apps', version: 'v1', resource: 'deployments' });
  assert.equal(asked['subResource'], 'scale');
  assert.deepEqual((asked['object'] as JsonObject)['spec'], { replicas: 2 });
});

test('deletions are asked about with what is going', async () => {
  const hook = await world.webhook((asked) => review(asked, { allowed: false }));
  await register('Mutating', hook, { rules: [{ ...RULE, operations: ['DELETE'] }] });
  await world.call('POST', maps(), configMap('a'));
  assert.equal((await world.call('DELETE', `${maps()}/a`)).status, 400);
  const asked = hook.reviews[0]!['request'] as JsonObject;
  assert.equal(asked['object'], null);
  assert.equal((asked['oldObject'] as JsonObject)['kind'], 'ConfigMap');
});

test('conditions that cannot be compiled are refused with the configuration', async () => {
  const answer = await world.call('POST', `${REGISTRATIONS}/validatingwebhookconfigurations`, {
    metadata: { name: `${namespace}-bad` },
    webhooks: [
      {
        name: 'a.example.com',
        clientConfig: { url: 'https://127.0.0.1:1/x' },
        rules: [RULE],
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        matchConditions: [{ name: 'asks', expression: "authorizer.group('').check('get').allowed()" }],
      },
    ],
  });
  assert.equal(answer.status, 422);
  assert.match(answer.body.message ?? '', /found no matching overload for 'check'/);
});
