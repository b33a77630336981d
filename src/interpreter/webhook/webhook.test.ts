import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, KubeObject, ResourceInterpreterWebhookConfiguration } from '../../api/index.ts';
import {
  InterpreterHooks,
  createInterpreter,
  nativeLayer,
  webhookLayer,
  type Interpreter,
  type InterpreterHook,
} from '../index.ts';

type Webhook = ResourceInterpreterWebhookConfiguration['webhooks'][number];

const ALL = { operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], kinds: ['*'] };
function webhook(name: string, rules: Webhook['rules'], more: Partial<Webhook> = {}): Webhook {
  return {
    name,
    clientConfig: { url: `https://${name}` },
    interpreterContextVersions: ['v1alpha1'],
    ...(rules === undefined ? {} : { rules }),
    ...more,
  };
}
function configuration(name: string, ...webhooks: Webhook[]): ResourceInterpreterWebhookConfiguration {
  const apiVersion = 'config.karmada.io/v1alpha1';
  return { apiVersion, kind: 'ResourceInterpreterWebhookConfiguration', metadata: { name }, webhooks };
}

// ---- which one is asked

const QUEUE = { group: 'example.io', version: 'v1', kind: 'Queue' };
const selection: readonly {
  readonly name: string;
  readonly registered: readonly ResourceInterpreterWebhookConfiguration[];
  readonly expected: string | undefined;
}[] = [
  { name: 'nobody, when none is registered', registered: [], expected: undefined },
  {
    name: 'nobody, when a webhook has no rules',
    registered: [configuration('a', webhook('x.io', undefined), webhook('y.io', []))],
    expected: undefined,
  },
  {
    name: 'one that takes everything',
    registered: [configuration('a', webhook('x.io', [ALL]))],
    expected: 'a/x.io',
  },
  {
    name: 'the first by configuration and name, wherever it stands',
    registered: [
      configuration('b', webhook('a.io', [ALL])),
      configuration('a', webhook('z.io', [ALL]), webhook('y.io', [ALL])),
    ],
    expected: 'a/y.io',
  },
  {
    name: 'one of which any rule matches in all four parts',
    registered: [
      configuration(
        'a',
        webhook('group.io', [{ ...ALL, apiGroups: ['other.io'] }]),
        webhook('kind.io', [{ ...ALL, kinds: ['Topic'] }]),
        webhook('operation.io', [{ ...ALL, operations: ['Retain'] }]),
        webhook('version.io', [{ ...ALL, apiVersions: ['v2'] }]),
        webhook('yes.io', [
          { ...ALL, kinds: ['Topic'] },
          {
            operations: ['Retain', 'InterpretHealth'],
            apiGroups: ['example.io'],
            apiVersions: ['v1'],
            kinds: ['Queue'],
          },
        ]),
      ),
    ],
    expected: 'a/yes.io',
  },
];

for (const { name, registered, expected } of selection) {
  test(`asked is ${name}`, () => {
    const hooks = new InterpreterHooks();
    hooks.load(registered);
    assert.equal(hooks.find(QUEUE, 'InterpretHealth')?.name, expected);
    // Again, from memory.
    assert.equal(hooks.find(QUEUE, 'InterpretHealth')?.name, expected);
  });
}

test('a webhook waits ten seconds unless it says otherwise, and a new load forgets the old one', () => {
  const hooks = new InterpreterHooks();
  hooks.load([configuration('a', webhook('x.io', [ALL]))]);
  assert.equal(hooks.find(QUEUE, 'Retain')?.timeoutMs, 10_000);
  hooks.load([configuration('a', webhook('x.io', [ALL], { timeoutSeconds: 3 }))]);
  assert.equal(hooks.find(QUEUE, 'Retain')?.timeoutMs, 3_000);
  hooks.load([]);
  assert.equal(hooks.find(QUEUE, 'Retain'), undefined);
});

// ---- what is asked and answered

interface Asked {
  readonly hook: InterpreterHook;
  readonly context: JsonObject;
}

function interpreterThat(
  answer: (request: JsonObject) => JsonObject | undefined,
  more: Partial<Webhook> = {},
): { readonly interpreter: Interpreter; readonly asked: Asked[] } {
  const asked: Asked[] = [];
  const hooks = new InterpreterHooks();
  hooks.load([configuration('queues', webhook('hook.example.io', [{ ...ALL, kinds: ['Queue'] }], more))]);
  const layer = webhookLayer(
    hooks,
    (hook, context) => {
      asked.push({ hook, context });
      const response = answer(context['request'] as JsonObject);
      return response === undefined
        ? Promise.reject(new Error('Post "https://hook.example.io": EOF'))
        : Promise.resolve(response['whole'] ?? { response: { uid: 'uid-1', successful: true, ...response } });
    },
    { uuid: () => 'uid-1' },
  );
  return { interpreter: createInterpreter([layer, nativeLayer(() => '2026-01-01T00:00:00Z')]), asked };
}

const queue: KubeObject = Object.freeze({
  apiVersion: 'example.io/v1',
  kind: 'Queue',
  metadata: { name: 'q', namespace: 'shop' },
  spec: { workers: 2 },
});
const patch = (...operations: object[]): JsonObject => ({
  patchType: 'JSONPatch',
  patch: btoa(JSON.stringify(operations)),
});
const request = (operation: string, more: JsonObject = {}): JsonObject => ({
  apiVersion: 'config.karmada.io/v1alpha1',
  kind: 'ResourceInterpreterContext',
  request: {
    uid: 'uid-1',
    kind: QUEUE,
    name: 'q',
    namespace: 'shop',
    operation,
    object: queue as unknown as JsonObject,
    replicas: 0,
    ...more,
  },
});

test('each operation asks in the form that webhooks of Karmada know, and takes what they answer', async () => {
  const observed = { ...queue, spec: { workers: 9 } };
  const items = [{ clusterName: 'm1', status: { ready: 1 } }];
  const three = patch({ op: 'replace', path: '/spec/workers', value: 3 });
  const revised = { ...queue, spec: { workers: 3 } };
  const cases: readonly (readonly [JsonObject, (one: Interpreter) => unknown, JsonObject, unknown])[] = [
    [
      request('InterpretReplica'),
      (one) => one.replicas(queue),
      { replicas: 5, replicaRequirements: { resourceRequest: { cpu: '1000m' } } },
      { replicas: 5, requirements: { resourceRequest: { cpu: '1' } } },
    ],
    [
      request('InterpretReplica'),
      (one) => one.replicas(queue),
      { replicas: 0 },
      { replicas: 0, requirements: undefined },
    ],
    [
      request('InterpretComponent'),
      (one) => one.components(queue),
      { components: [{ name: 'c', replicas: 2 }] },
      [{ name: 'c', replicas: 2 }],
    ],
    [request('ReviseReplica', { replicas: 3 }), (one) => one.revise(queue, 3), three, revised],
    [request('ReviseReplica', { replicas: 3 }), (one) => one.revise(queue, 3), {}, queue],
    [
      request('Retain', { observedObject: observed as unknown as JsonObject }),
      (one) => one.retain(queue, observed),
      three,
      revised,
    ],
    [request('InterpretStatus'), (one) => one.status(queue), { rawStatus: { ready: 1 } }, { ready: 1 }],
    [
      request('AggregateStatus', { aggregatedStatus: items }),
      (one) => one.aggregate(queue, items),
      patch({ op: 'add', path: '/status', value: { ready: 1 } }),
      { ...queue, status: { ready: 1 } },
    ],
    [request('AggregateStatus'), (one) => one.aggregate(queue, []), {}, queue],
    [request('InterpretHealth'), (one) => one.health(queue), { healthy: false }, false],
    [
      request('InterpretDependency'),
      (one) => one.dependencies(queue),
      { dependencies: [{ apiVersion: 'v1', kind: 'Secret', namespace: 'shop', name: 's' }] },
      [{ apiVersion: 'v1', kind: 'Secret', namespace: 'shop', name: 's' }],
    ],
    [request('InterpretDependency'), (one) => one.dependencies(queue), {}, []],
  ];
  for (const [question, call, answer, expected] of cases) {
    const { interpreter, asked } = interpreterThat(() => answer);
    assert.deepEqual(await call(interpreter), expected);
    assert.deepEqual(
      asked.map(({ context }) => context),
      [question],
    );
  }
});

const refusals: readonly (readonly [name: string, answer: JsonObject | undefined, call: (one: Interpreter) => unknown, message: string])[] = [
  ['no answer at all', undefined, (one) => one.health(queue), 'failed to call webhook: Post "https://hook.example.io": EOF'],
  ['an answer without a response', { whole: {} }, (one) => one.health(queue), 'received invalid webhook response: webhook response was absent'],
  ['a text', { whole: 'yes' }, (one) => one.health(queue), 'received invalid webhook response: webhook response was absent'],
  ['an answer to something else', { uid: 'uid-2', healthy: true }, (one) => one.health(queue), 'received invalid webhook response: expected response.uid "uid-1", got "uid-2"'],
  ['a failure', { successful: false, status: { code: 418, message: 'no coffee' } }, (one) => one.health(queue), 'webhook call failed, get status code: 418, msg: no coffee'],
  ['a failure without a status', { successful: false }, (one) => one.health(queue), 'received invalid webhook response: webhook require response.status when response.successful is false'],
  ['no replicas', {}, (one) => one.replicas(queue), 'received invalid webhook response: webhook returned nil response.replicas'],
  ['a quantity that is none', { replicas: 1, replicaRequirements: { resourceRequest: { cpu: 'much' } } }, (one) => one.replicas(queue), 'received invalid webhook response: quantities must match the regular expression'],
  ['no health', { healthy: 'yes' }, (one) => one.health(queue), 'received invalid webhook response: webhook returned nil response.healthy'],
  ['no status', {}, (one) => one.status(queue), 'received invalid webhook response: webhook returned nill response.rawStatus'],
  ['a patch without its type', { patch: btoa('[]') }, (one) => one.revise(queue, 1), 'received invalid webhook response: webhook returned nil response.patchType'],
  ['a type without its patch', { patchType: 'JSONPatch' }, (one) => one.revise(queue, 1), 'received invalid webhook response: webhook returned empty response.patch'],
  ['a type of patch that is not known', { patchType: 'Merge', patch: btoa('{}') }, (one) => one.revise(queue, 1), 'received invalid webhook response: webhook returned invalid response.patchType of "Merge"'],
  ['a patch that does not apply', patch({ op: 'remove', path: '/spec/none' }), (one) => one.revise(queue, 1), 'received invalid webhook response: '],
  ['a patch that is no base64', { patchType: 'JSONPatch', patch: '%' }, (one) => one.revise(queue, 1), 'received invalid webhook response: '],
  ['a patch that takes away the kind', patch({ op: 'remove', path: '/kind' }), (one) => one.revise(queue, 1), 'received invalid webhook response: the result must be an object with apiVersion, kind and metadata'],
  ['a dependency without a name', { dependencies: [{ apiVersion: 'v1', kind: 'Secret' }] }, (one) => one.dependencies(queue), 'received invalid webhook response: dependencies[0]: Invalid value: {"apiVersion":"v1","kind":"Secret"}: dependency can not leave name and labelSelector all empty'],
]; // prettier-ignore

for (const [name, answer, call, message] of refusals) {
  test(`the webhook is named, and its error is final, with ${name}`, async () => {
    const { interpreter } = interpreterThat(() => answer);
    await assert.rejects(Promise.resolve(call(interpreter)), (error) => {
      assert(error instanceof Error);
      const start = `Internal error occurred: failed calling webhook "queues/hook.example.io": ${message}`;
      assert.equal(error.message.slice(0, start.length), start);
      return true;
    });
  });
}

test('a webhook that speaks another version is not asked', async () => {
  const { interpreter, asked } = interpreterThat(() => ({ healthy: true }), {
    interpreterContextVersions: ['v2'],
  });
  await assert.rejects(
    Promise.resolve(interpreter.health(queue)),
    /webhook does not accept known ResourceInterpreterContext versions \(v1alpha1\)/,
  );
  assert.deepEqual(asked, []);
});

test('kinds that no webhook is registered for are answered at once', () => {
  const { interpreter } = interpreterThat(() => undefined);
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: {}, spec: { replicas: 2 } };
  assert.deepEqual(interpreter.replicas(deployment), { replicas: 2, requirements: undefined });
});
