// What is said of logs and connections where no kubelet is.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Status } from '../../machinery/index.ts';
import { serve, type Served } from '../testing/served.ts';

const PODS = '/api/v1/namespaces/default/pods';
const containers = ['a', 'b'].map((name) => ({ name, image: 'i' }));

let served: Served;
before(async () => {
  served = await serve();
  await served.must('POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } });
  await served.must('POST', PODS, { metadata: { name: 'one' }, spec: { containers: containers.slice(1) } });
  await served.must('POST', PODS, { metadata: { name: 'two' }, spec: { containers } });
  await served.must('POST', PODS, { metadata: { name: 'bound' }, spec: { nodeName: 'n', containers } });
});

const CASES: readonly (readonly [path: string, code: number, message: string])[] = [
  ['GET none/log', 404, 'pods "none" not found'],
  ['GET two/log', 400, 'a container name must be specified for pod two, choose one of: [a b]'],
  ['GET two/log?container=c', 400, 'container c is not valid for pod two'],
  [
    'GET one/log?tailLines=-1',
    422,
    'PodLogOptions "one" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0',
  ],
  [
    'GET one/log?limitBytes=0&sinceSeconds=0',
    422,
    'PodLogOptions "one" is invalid: [limitBytes: Invalid value: 0: must be greater than 0, sinceSeconds: Invalid value: 0: must be greater than 0]',
  ],
  ['POST one/exec', 400, 'pod one does not have a host assigned'],
  ['POST two/exec', 400, 'a container name must be specified for pod two, choose one of: [a b]'],
  ['POST one/attach', 400, 'pod one does not have a host assigned'],
  ['POST one/portforward', 400, 'pod one does not have a host assigned'],
  ['GET bound/log?container=a', 501, 'pods/log is not served by this API server: no kubelet is behind it'],
];

for (const [what, code, message] of CASES) {
  test(`${what}: ${code}`, async () => {
    const [method = '', path = ''] = what.split(' ');
    const [name = '', query = ''] = path.split('?');
    const answer = await served.send(method as 'GET', `${PODS}/${name}`, undefined, {
      query: Object.fromEntries(new URLSearchParams(query)),
    });
    assert.equal(answer.status, code);
    assert.equal((answer.body as Status).message, message);
  });
}

test('a pod that no node has taken has written nothing', async () => {
  const { status, body } = await served.send('GET', `${PODS}/one/log`);
  assert.deepEqual([status, body], [200, undefined]);
});

test('a binding of another pod is refused', async () => {
  const binding = { metadata: { name: 'two' }, target: { name: 'n' } };
  const { status, body } = await served.send('POST', `${PODS}/one/binding`, binding);
  assert.equal(status, 400);
  assert.equal((body as Status).message, 'name in URL does not match name in Binding object');
});

test('no ephemeral container goes away', async () => {
  const path = `${PODS}/one/ephemeralcontainers`;
  const patch = (ephemeralContainers: readonly object[]): ReturnType<Served['send']> =>
    served.send(
      'PATCH',
      path,
      { spec: { ephemeralContainers } },
      { contentType: 'application/merge-patch+json' },
    );
  assert.equal((await patch([{ name: 'd', image: 'i' }])).status, 200);
  const { status, body } = await patch([]);
  assert.equal(status, 422);
  assert.equal(
    (body as Status).message,
    'Pod "one" is invalid: spec.ephemeralContainers: Forbidden: existing ephemeral containers "d" may not be removed\n',
  );
});
