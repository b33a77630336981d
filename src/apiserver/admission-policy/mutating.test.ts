import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { JsonObject } from '../../api/index.ts';
import { patching, review, startWorld, type Answer, type World } from '../webhooks/testing/world.ts';

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
  await world.call('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, {
    metadata: { name: 'default' },
  });
});

const rule = (group: string, resource: string): object => ({
  operations: ['CREATE'],
  apiGroups: [group],
  apiVersions: ['v1'],
  resources: [resource],
});

function policy(spec: object, name = namespace, of = rule('', 'configmaps')): Promise<Answer> {
  return world.call('POST', `${REGISTRATIONS}/mutatingadmissionpolicies`, {
    metadata: { name },
    spec: {
      matchConstraints: {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        resourceRules: [of],
      },
      reinvocationPolicy: 'Never',
      ...spec,
    },
  });
}

async function enforce(spec: object, name?: string, of?: object): Promise<void> {
  const answer = await policy(spec, name, of);
  assert.equal(answer.status, 201, answer.body.message);
  const bound = await world.call('POST', `${REGISTRATIONS}/mutatingadmissionpolicybindings`, {
    metadata: { name: name ?? namespace },
    spec: { policyName: name ?? namespace },
  });
  assert.equal(bound.status, 201, bound.body.message);
}

const apply = (expression: string): object => ({
  patchType: 'ApplyConfiguration',
  applyConfiguration: { expression },
});
const patch = (expression: string): object => ({ patchType: 'JSONPatch', jsonPatch: { expression } });

const create = (more: object = {}): Promise<Answer> =>
  world.call('POST', `/api/v1/namespaces/${namespace}/configmaps`, { metadata: { name: 'a' }, ...more });

test('a configuration is laid over the object', async () => {
  await enforce({
    variables: [{ name: 'team', expression: "'team-' + object.metadata.name" }],
    mutations: [
      apply('Object{metadata: Object.metadata{labels: Object.metadata.labels{team: variables.team}}}'),
      apply("Object{data: {'seen': string(size(object.metadata.labels)), ?'none': optional.none()}}"),
    ],
  });
  const { body } = await create({ metadata: { name: 'a', labels: { own: 'x' } }, data: { kept: '1' } });
  assert.deepEqual(body.metadata?.['labels'], { own: 'x', team: 'team-a' });
  assert.deepEqual(body['data'], { kept: '1', seen: '2' }, 'the second sees what the first has made');
});

test('items of a list are merged by their key', async () => {
  const expression = `Object{
    spec: Object.spec{
      containers: object.spec.containers.map(c, Object.spec.containers{name: c.name, imagePullPolicy: 'Always'})
    }
  }`;
  await enforce({ mutations: [apply(expression)] }, namespace, rule('', 'pods'));
  const pod = await world.call('POST', `/api/v1/namespaces/${namespace}/pods`, {
    metadata: { name: 'a' },
    spec: {
      containers: [
        { name: 'c', image: 'i:1' },
        { name: 'd', image: 'j:1' },
      ],
    },
  });
  const { containers } = pod.body['spec'] as unknown as { containers: readonly JsonObject[] };
  assert.deepEqual(
    containers.map(({ name, image, imagePullPolicy }) => [name, image, imagePullPolicy]),
    [
      ['c', 'i:1', 'Always'],
      ['d', 'j:1', 'Always'],
    ],
  );
});

test('a JSON patch is worked out from the object', async () => {
  await enforce({
    mutations: [
      patch(`[
        JSONPatch{op: 'test', path: '/metadata/name', value: 'a'},
        JSONPatch{op: 'add', path: '/metadata/labels', value: {'x/y': '1'}},
        JSONPatch{op: 'replace', path: '/metadata/labels/' + jsonpatch.escapeKey('x/y'), value: '2'}
      ]`),
    ],
  });
  assert.deepEqual((await create()).body.metadata?.['labels'], { 'x/y': '2' });
});

test('what cannot be applied refuses the request, unless failures are ignored', async () => {
  await enforce({ mutations: [apply("Object{metadata: Object.metadata{labels: {'a': object.nothing}}}")] });
  const refused = await create();
  assert.equal(refused.status, 403);
  assert.equal(refused.body['reason'], 'Invalid');
  assert.match(
    refused.body.message ?? '',
    new RegExp(
      `^policy '${namespace}' with binding '${namespace}' denied request: expression .* no such key: nothing$`,
    ),
  );
  const path = `${REGISTRATIONS}/mutatingadmissionpolicies/${namespace}`;
  await world.call('PATCH', path, { spec: { failurePolicy: 'Ignore' } });
  assert.equal((await create()).status, 201);
});

test('what is owned as a whole cannot be set in part', async () => {
  await enforce(
    {
      mutations: [
        apply("Object{spec: Object.spec{selector: Object.spec.selector{matchLabels: {'a': 'b'}}}}"),
      ],
    },
    namespace,
    rule('apps', 'deployments'),
  );
  const answer = await world.call('POST', `/apis/apps/v1/namespaces/${namespace}/deployments`, {
    metadata: { name: 'd' },
    spec: {
      selector: { matchLabels: { app: 'd' } },
      template: { metadata: { labels: { app: 'd' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
    },
  });
  assert.match(answer.body.message ?? '', /may not mutate atomic arrays, maps or structs: \.spec\.selector/);
});

test('a policy is applied again when a webhook changed the object after it, if it wants to be', async () => {
  const count = "string(int(has(object.data) && 'n' in object.data ? object.data.n : '0') + 1)";
  await enforce(
    { mutations: [apply(`Object{data: {'n': ${count}}}`)], reinvocationPolicy: 'IfNeeded' },
    `${namespace}-again`,
  );
  await enforce({
    mutations: [
      apply("Object{data: {'once': (has(object.data) && has(object.data.once) ? 'twice' : 'once')}}"),
    ],
  });
  const hook = await world.webhook((asked) =>
    review(asked, patching([{ op: 'add', path: '/data/hook', value: 'here' }])),
  );
  await world.call('POST', `${REGISTRATIONS}/mutatingwebhookconfigurations`, {
    metadata: { name: namespace },
    webhooks: [
      {
        name: 'a.example.com',
        clientConfig: { url: hook.url, caBundle: hook.caBundle },
        rules: [rule('', 'configmaps')],
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
      },
    ],
  });
  const answer = await create();
  const data = { n: '2', once: 'once', hook: 'here' };
  assert.deepEqual(answer.body['data'], data, answer.body.message);
  assert.equal(hook.reviews.length, 1);
});

const invalid: readonly (readonly [string, object, string])[] = [
  ['no mutations', { mutations: [] }, 'spec.mutations'],
  [
    'a configuration that is no object',
    { mutations: [apply("{'a': 1}")] },
    'spec.mutations[0].applyConfiguration.expression',
  ],
  [
    'a part in the wrong place',
    { mutations: [apply('Object{spec: Object.status{}}')] },
    'spec.mutations[0].applyConfiguration.expression',
  ],
  [
    'a patch that is no list of operations',
    { mutations: [patch("JSONPatch{op: 'add'}")] },
    'spec.mutations[0].jsonPatch.expression',
  ],
  ['an unknown way to change', { mutations: [{ patchType: 'Merge' }] }, 'spec.mutations[0].patchType'],
  [
    'no word about being asked again',
    { mutations: [apply('Object{}')], reinvocationPolicy: '' },
    'spec.reinvocationPolicy',
  ],
];

for (const [what, spec, field] of invalid) {
  test(`a mutating policy with ${what} is refused`, async () => {
    const answer = await policy(spec);
    assert.equal(answer.status, 422, JSON.stringify(answer.body));
    const { causes } = answer.body['details'] as unknown as { causes: readonly { field: string }[] };
    assert.deepEqual(
      causes.map((cause) => cause.field),
      [field],
    );
  });
}
