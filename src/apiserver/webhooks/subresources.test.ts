// Admission of what is created at subresources, and of connections: who is asked, and about what.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { JsonObject } from '../../api/index.ts';
import { patching, review, startWorld, type Hook, type World } from './testing/world.ts';

const REGISTRATIONS = '/apis/admissionregistration.k8s.io/v1';
const PODS = '/api/v1/namespaces/default/pods';
const POD = { spec: { containers: [{ name: 'c', image: 'i' }] } };
let world: World;

before(async () => {
  world = await startWorld();
  await world.call('POST', '/api/v1/namespaces', { metadata: { name: 'default' } });
  await world.call('POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } });
});
after(() => world.close());

async function register(
  kind: 'Validating' | 'Mutating',
  hook: Pick<Hook, 'url' | 'caBundle'>,
  name: string,
  more: object,
): Promise<string> {
  const path = `${REGISTRATIONS}/${kind.toLowerCase()}webhookconfigurations`;
  const answer = await world.call('POST', path, {
    metadata: { name },
    webhooks: [
      {
        name: `${name}.example.com`,
        clientConfig: { url: hook.url, caBundle: hook.caBundle },
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        ...more,
      },
    ],
  });
  assert.equal(answer.status, 201, answer.body.message);
  return `${path}/${name}`;
}

const rule = (operation: string, ...resources: string[]): object => ({
  rules: [{ operations: [operation], apiGroups: [''], apiVersions: ['v1'], resources }],
});

test('an eviction is admitted as what it is, and the pod that goes by it is not', async () => {
  const hook = await world.webhook((asked) => review(asked, { allowed: false, status: { message: 'no' } }));
  const pod = await world.call('POST', PODS, { metadata: { name: 'a' }, ...POD });
  assert.equal(pod.status, 201, pod.body.message);
  const refusing = await register('Validating', hook, 'evictions', rule('CREATE', 'pods/eviction'));
  const evict = (): ReturnType<World['call']> =>
    world.call('POST', `${PODS}/a/eviction`, {
      apiVersion: 'policy/v1beta1',
      kind: 'Eviction',
      metadata: { name: 'a' },
    });
  const refused = await evict();
  assert.equal(refused.body.message, 'admission webhook "evictions.example.com" denied the request: no');
  const asked = hook.reviews[0]!['request'] as JsonObject;
  assert.deepEqual(asked['kind'], { group: 'policy', version: 'v1', kind: 'Eviction' });
  assert.deepEqual(asked['resource'], { group: '', version: 'v1', resource: 'pods' });
  assert.equal(asked['subResource'], 'eviction');
  assert.equal((asked['object'] as JsonObject)['kind'], 'Eviction');
  await world.call('DELETE', refusing);

  const deletions = await register('Validating', hook, 'deletions', rule('DELETE', 'pods'));
  const evicted = await evict();
  assert.equal(evicted.status, 201, evicted.body.message);
  await world.call('DELETE', deletions);
});

test('a webhook may change where a pod is bound, and one for updates of pods is not asked', async () => {
  await world.call('POST', PODS, { metadata: { name: 'b' }, ...POD });
  const mover = await world.webhook((asked) =>
    review(asked, patching([{ op: 'replace', path: '/target/name', value: 'n2' }])),
  );
  const updates = await world.webhook((asked) => review(asked, { allowed: false }));
  const paths = [
    await register('Mutating', mover, 'bindings', rule('CREATE', 'pods/binding')),
    await register('Validating', updates, 'updates', rule('UPDATE', 'pods/*')),
  ];
  const bound = await world.call('POST', `${PODS}/b/binding`, {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name: 'b' },
    target: { kind: 'Node', name: 'n1' },
  });
  assert.equal(bound.status, 201, bound.body.message);
  const pod = await world.call('GET', `${PODS}/b`);
  assert.equal((pod.body['spec'] as JsonObject)['nodeName'], 'n2');
  for (const path of paths) await world.call('DELETE', path);
});

test('the older way to bind a pod names it in the binding', async () => {
  await world.call('POST', PODS, { metadata: { name: 'old' }, ...POD });
  const bindings = PODS.replace(/pods$/, 'bindings');
  const binding = (name: string): object => ({ metadata: { name }, target: { name: 'n3' } });
  const bound = await world.call('POST', bindings, binding('old'));
  assert.deepEqual([bound.status, bound.body['status']], [201, 'Success'], bound.body.message);
  const pod = await world.call('GET', `${PODS}/old`);
  assert.equal((pod.body['spec'] as JsonObject)['nodeName'], 'n3');
  const again = await world.call('POST', bindings, binding('old'));
  assert.equal(again.status, 409);
  assert.match(again.body.message ?? '', /pod old is already assigned to node "n3"/);
  assert.equal((await world.call('POST', bindings, binding('none'))).status, 404);
  assert.equal((await world.call('GET', bindings)).status, 405);
});

test('a token request is admitted with the audience and time that the server fills in', async () => {
  const hook = await world.webhook((asked) => review(asked, {}));
  const path = await register('Validating', hook, 'tokens', rule('CREATE', 'serviceaccounts/token'));
  const issued = await world.call('POST', '/api/v1/namespaces/default/serviceaccounts/default/token', {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: {},
  });
  assert.equal(issued.status, 201, issued.body.message);
  const { object, kind } = hook.reviews[0]!['request'] as { object: JsonObject; kind: object };
  assert.deepEqual(kind, { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' });
  const { expirationSeconds, audiences } = object['spec'] as JsonObject;
  assert.equal(expirationSeconds, 3600);
  assert.equal((audiences as string[]).length, 1);
  await world.call('DELETE', path);
});

test('a connection to a pod is admitted with its options', async () => {
  await world.call('POST', PODS, { metadata: { name: 'c' }, ...POD });
  const hook = await world.webhook((asked) =>
    review(asked, { allowed: false, status: { message: 'no shells' } }),
  );
  const path = await register('Validating', hook, 'shells', rule('CONNECT', 'pods/exec'));
  const answer = await world.call(
    'POST',
    `${PODS}/c/exec`,
    undefined,
    'command=sh&command=-c&stdin=true&tty=true',
  );
  assert.equal(answer.body.message, 'admission webhook "shells.example.com" denied the request: no shells');
  const asked = hook.reviews[0]!['request'] as JsonObject;
  assert.equal(asked['operation'], 'CONNECT');
  assert.deepEqual(asked['object'], {
    apiVersion: 'v1',
    kind: 'PodExecOptions',
    stdin: true,
    tty: true,
    command: ['sh', '-c'],
  });
  await world.call('DELETE', path);
});

test('a webhook that knows only v1beta1 reviews is asked in v1beta1', async () => {
  const hook = await world.webhook(() => ({
    response: {
      allowed: true,
      patch: Buffer.from('[{"op":"add","path":"/data","value":{"a":"b"}}]').toString('base64'),
    },
  }));
  const path = await register('Mutating', hook, 'older', {
    ...rule('CREATE', 'configmaps'),
    admissionReviewVersions: ['v2', 'v1beta1', 'v1'],
  });
  const made = await world.call('POST', '/api/v1/namespaces/default/configmaps', { metadata: { name: 'm' } });
  assert.deepEqual(made.body['data'], { a: 'b' }, made.body.message);
  assert.equal(hook.reviews[0]!['apiVersion'], 'admission.k8s.io/v1beta1');
  await world.call('DELETE', path);
});

test('rules of the server see what webhooks changed', async () => {
  const hook = await world.webhook((asked) =>
    review(asked, patching([{ op: 'add', path: '/spec/priorityClassName', value: 'system-node-critical' }])),
  );
  const path = await register('Mutating', hook, 'prioritize', rule('CREATE', 'pods'));
  const made = await world.call('POST', PODS, { metadata: { name: 'd' }, ...POD });
  assert.equal(made.status, 403, 'the Priority plugin checks the class that the webhook named');
  await world.call('DELETE', path);
});
