import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../kinds.ts';
import * as resources from '../resources.ts';
import { startTestMember, type StartedMember } from '../testing/started.ts';

const namespace = 'default';
const CORE = '/api/v1';
const INSIDE = `${CORE}/namespaces/default`;

interface Seen {
  readonly status: number;
  readonly text: string;
}

async function asked({ member }: StartedMember, path: string, method: 'GET' | 'POST' = 'GET'): Promise<Seen> {
  const [bare = '', query = ''] = path.split('?');
  const { status, body } = await member.inside.send({
    method,
    path: bare,
    query: Object.fromEntries(new URLSearchParams(query)),
  });
  const { message } = (body ?? {}) as { readonly message?: string };
  return { status, text: typeof body === 'string' ? body : (message ?? '') };
}

async function shop(started: StartedMember): Promise<Pod> {
  const { client, member } = started;
  await client.create(resources.pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'shop', namespace, labels: { app: 'shop' } },
    spec: { containers: [{ name: 'web', image: 'nginx', ports: [{ name: 'http', containerPort: 8080 }] }] },
  } as never);
  const ports = [{ name: 'front', port: 80, targetPort: 'http' }];
  for (const name of ['shop', 'nobody'])
    await member.inside.send({
      method: 'POST',
      path: `${INSIDE}/services`,
      body: { metadata: { name }, spec: { selector: { app: name }, ports } },
    });
  let pod: Pod | undefined;
  await started.until('the pod is behind its service', async () => {
    pod = await client.get(resources.pods, { namespace, name: 'shop' });
    return (await asked(started, `${INSIDE}/services/shop:front/proxy/`)).status === 200;
  });
  return pod!;
}

test('what a pod, a service and a node are asked through their proxies', async () => {
  await using started = await startTestMember();
  const pod = await shop(started);
  const said = (target: string, method = 'GET'): Seen => ({
    status: 200,
    text: `Simulated container web of pod default/shop\n${method} ${target}\n`,
  });
  const cases: readonly (readonly [what: string, path: string, expected: Seen])[] = [
    ['the first port of a pod', `${INSIDE}/pods/shop/proxy/a/b?c=d`, said('/a/b?c=d')],
    ['a port by its number', `${INSIDE}/pods/shop:8080/proxy/`, said('/')],
    ['a scheme in front', `${INSIDE}/pods/http:shop:8080/proxy/x/proxy/y`, said('/x/proxy/y')],
    ['a service by the number of its port', `${INSIDE}/services/shop:80/proxy/`, said('/')],
    [
      'a port that nobody listens at',
      `${INSIDE}/pods/shop:9/proxy/`,
      {
        status: 503,
        text: `error trying to reach service: dial tcp ${pod.status?.podIP}:9: connect: connection refused: no simulated container declares this port`,
      },
    ],
    [
      'a scheme that there is not',
      `${INSIDE}/pods/ftp:shop:1/proxy/`,
      { status: 400, text: 'invalid pod request "ftp:shop:1"' },
    ],
    ['a pod that is not there', `${INSIDE}/pods/none/proxy/`, { status: 404, text: 'pods "none" not found' }],
    [
      'a port that the service does not have',
      `${INSIDE}/services/shop:81/proxy/`,
      { status: 503, text: 'no service port 81 found for service "shop"' },
    ],
    [
      'a service without pods',
      `${INSIDE}/services/nobody:80/proxy/`,
      { status: 503, text: 'no endpoints available for service "nobody"' },
    ],
    ['a kubelet', `${CORE}/nodes/${pod.spec.nodeName}/proxy/healthz`, { status: 200, text: 'ok' }],
    [
      'what a simulated kubelet does not have',
      `${CORE}/nodes/${pod.spec.nodeName}:10250/proxy/configz`,
      {
        status: 501,
        text: `the kubelet of simulated node ${pod.spec.nodeName} serves /healthz, /pods and /runningpods/, not /configz`,
      },
    ],
    ['a path without its slash', `${INSIDE}/pods/shop/proxy`, { status: 301, text: '' }],
  ];
  for (const [what, path, expected] of cases) assert.deepEqual(await asked(started, path), expected, what);
  assert.deepEqual(await asked(started, `${INSIDE}/pods/shop/proxy/`, 'POST'), said('/', 'POST'));
  const { body } = await started.member.inside.send({
    method: 'GET',
    path: `${CORE}/nodes/${pod.spec.nodeName}/proxy/pods`,
  });
  const { items } = body as { readonly items: readonly Pod[] };
  assert.deepEqual(
    items.map(({ metadata }) => metadata.name),
    ['shop'],
  );
});
