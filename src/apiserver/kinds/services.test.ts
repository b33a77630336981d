import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../api/index.ts';
import { silentLogger, systemRandom } from '../../base/index.ts';
import type { Status } from '../../machinery/index.ts';
import { createApiServer } from '../server.ts';
import { serve, type Answer, type Served } from '../testing/served.ts';

const SERVICES = '/api/v1/namespaces/default/services';
const MERGE = { contentType: 'application/merge-patch+json' };

interface Spec {
  readonly type: string;
  readonly clusterIP?: string;
  readonly clusterIPs?: readonly string[];
  readonly ports?: readonly {
    readonly port: number;
    readonly targetPort?: unknown;
    readonly nodePort?: number;
  }[];
  readonly healthCheckNodePort?: number;
  readonly externalName?: string;
  readonly externalTrafficPolicy?: string;
}

const specOf = (object: KubeObject): Spec => object['spec'] as Spec;
const make = (served: Served, name: string, spec: object = {}): Promise<KubeObject> =>
  served.must('POST', SERVICES, { metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } });

async function refusal(served: Served, name: string, spec: object): Promise<string> {
  const answer = await served.send('POST', SERVICES, {
    metadata: { name },
    spec: { ports: [{ port: 80 }], ...spec },
  });
  assert.equal(answer.status, 422, JSON.stringify(answer.body));
  return (answer.body as Status).message ?? '';
}

test('each service gets an address of its own, and keeps it', async () => {
  const served = await serve();
  const made = await Promise.all(Array.from({ length: 20 }, (_, i) => make(served, `s${i}`)));
  const addresses = made.map((object) => specOf(object).clusterIP ?? '');
  assert.equal(new Set(addresses).size, 20);
  for (const address of addresses) assert.match(address, /^10\.96\.\d+\.\d+$/);
  const path = `${SERVICES}/s0`;
  const patched = await served.must('PATCH', path, { spec: { ports: [{ port: 81 }] } }, MERGE);
  assert.equal(specOf(patched).clusterIP, addresses[0]);
});

test('an address that is asked for is given to one service at a time', async () => {
  const served = await serve();
  await make(served, 'a', { clusterIP: '10.96.7.7' });
  assert.match(await refusal(served, 'b', { clusterIP: '10.96.7.7' }), /provided IP is already allocated/);
  await served.must('DELETE', `${SERVICES}/a`);
  assert.equal(specOf(await make(served, 'b', { clusterIP: '10.96.7.7' })).clusterIP, '10.96.7.7');
});

test('addresses and ports outside of what the cluster has are refused', async () => {
  const served = await serve();
  assert.match(
    await refusal(served, 'a', { clusterIP: '192.168.1.1' }),
    /not in the valid range|the provided/,
  );
  const ports = [{ port: 80, nodePort: 80 }];
  assert.match(await refusal(served, 'a', { type: 'NodePort', ports }), /valid ports is 30000-32767/);
});

test('a headless service has no address, and an external name neither', async () => {
  const served = await serve();
  assert.deepEqual(specOf(await make(served, 'a', { clusterIP: 'None' })).clusterIPs, ['None']);
  const external = await make(served, 'b', { type: 'ExternalName', externalName: 'example.com' });
  assert.equal(specOf(external).clusterIP, undefined);
});

test('a node port comes with the type that needs it, and goes with it', async () => {
  const served = await serve();
  const made = await make(served, 'a', { type: 'NodePort' });
  const port = specOf(made).ports?.[0]?.nodePort ?? 0;
  assert.ok(port >= 30_000 && port <= 32_767);
  const taken = await refusal(served, 'b', { type: 'NodePort', ports: [{ port: 80, nodePort: port }] });
  assert.match(taken, /provided port is already allocated/);
  const plain = await served.must('PATCH', `${SERVICES}/a`, { spec: { type: 'ClusterIP' } }, MERGE);
  assert.equal(specOf(plain).ports?.[0]?.nodePort, undefined);
  const free = await make(served, 'b', { type: 'NodePort', ports: [{ port: 80, nodePort: port }] });
  assert.equal(specOf(free).ports?.[0]?.nodePort, port);
});

test('a refused service gives back what was allocated for it', async () => {
  const served = await serve();
  await make(served, 'a', { clusterIP: '10.96.9.9' });
  const again = { metadata: { name: 'a' }, spec: { ports: [{ port: 80 }], clusterIP: '10.96.9.10' } };
  assert.equal((await served.send('POST', SERVICES, again)).status, 409);
  const dry = { metadata: { name: 'b' }, spec: { ports: [{ port: 80 }], clusterIP: '10.96.9.11' } };
  await served.must('POST', SERVICES, dry, { query: { dryRun: 'All' } });
  for (const last of [10, 11]) await make(served, `c${last}`, { clusterIP: `10.96.9.${last}` });
});

test('a load balancer that keeps the source has a port to check its health', async () => {
  const served = await serve();
  const made = await make(served, 'a', { type: 'LoadBalancer', externalTrafficPolicy: 'Local' });
  assert.ok((specOf(made).healthCheckNodePort ?? 0) >= 30_000);
});

test('ports of a service go where they come from, unless it says otherwise', async () => {
  const served = await serve();
  const made = await make(served, 'a', {
    ports: [
      { name: 'web', port: 80 },
      { name: 'tls', port: 443, targetPort: 'https' },
    ],
  });
  assert.deepEqual(
    specOf(made).ports?.map(({ targetPort }) => targetPort),
    [80, 'https'],
  );
  assert.match(
    await refusal(served, 'b', { ports: [{ port: 80 }, { port: 81 }] }),
    /spec\.ports\[0\]\.name: Required/,
  );
});

/** A second API server over the store of the first. */
function beside(served: Served): (method: 'POST' | 'DELETE', path: string, body?: object) => Promise<Answer> {
  const { storage, clock } = served;
  const server = createApiServer({ storage, clock, random: systemRandom, logger: silentLogger });
  const api = server.inProcess({ name: 'admin', groups: ['system:masters'] });
  return (method, path, body) => api.send({ method, path, ...(body === undefined ? {} : { body }) });
}

test('API servers over one store never give the same address or port twice', async () => {
  const served = await serve();
  const other = beside(served);
  const body = (name: string): object => ({
    metadata: { name },
    spec: { type: 'NodePort', ports: [{ port: 80 }] },
  });
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, i) =>
      i % 2 === 0 ? served.send('POST', SERVICES, body(`s${i}`)) : other('POST', SERVICES, body(`s${i}`)),
    ),
  );
  const specs = answers.map((answer) => specOf(answer.body as KubeObject));
  assert.equal(new Set(specs.map(({ clusterIP }) => clusterIP)).size, 60);
  assert.equal(new Set(specs.map(({ ports }) => ports?.[0]?.nodePort)).size, 60);

  await make(served, 'fixed', { clusterIP: '10.96.7.7' });
  const wanted = { metadata: { name: 'too' }, spec: { clusterIP: '10.96.7.7', ports: [{ port: 80 }] } };
  assert.equal((await other('POST', SERVICES, wanted)).status, 422);
  await other('DELETE', `${SERVICES}/fixed`);
  assert.equal((await served.send('POST', SERVICES, wanted)).status, 201);
});

test('addresses that are taken can be seen as IPAddresses, and go with their services', async () => {
  const served = await serve();
  const addresses = '/apis/networking.k8s.io/v1/ipaddresses';
  const made = await make(served, 'shown');
  const shown = await served.must('GET', `${addresses}/${specOf(made).clusterIP}`);
  assert.deepEqual(shown['spec'], {
    parentRef: { group: '', resource: 'services', namespace: 'default', name: 'shown' },
  });
  await served.must('DELETE', `${SERVICES}/shown`);
  assert.deepEqual((await served.list(addresses)).items, []);
});

test('a dry run takes nothing, and a refused service gives back what it took', async () => {
  const served = await serve();
  const spec = { clusterIP: '10.96.8.8', ports: [{ port: 80 }] };
  const dry = { query: { dryRun: 'All' } };
  await served.must('POST', SERVICES, { metadata: { name: 'dry' }, spec }, dry);
  const refused = { metadata: { name: 'bad' }, spec: { ...spec, sessionAffinity: 'Nobody' } };
  assert.equal((await served.send('POST', SERVICES, refused)).status, 422);
  assert.deepEqual((await served.list('/apis/networking.k8s.io/v1/ipaddresses')).items, []);
});

test('what was taken for a service that never came is free again after a while', async () => {
  const served = await serve();
  const { storage, clock } = served;
  const made = await make(served, 'a', { clusterIP: '10.96.9.9' });
  // As a process leaves it that ends between taking the address and storing the service.
  const entry = (await storage.get('/registry/core/services/default/a'))!;
  await storage.delete(entry.key, entry.revision);
  assert.match(await refusal(served, 'b', { clusterIP: '10.96.9.9' }), /already allocated/);
  await clock.advance(300_000);
  assert.equal(specOf(await make(served, 'b', { clusterIP: '10.96.9.9' })).clusterIP, specOf(made).clusterIP);
});

test('services that were stored without an entry in the book keep what they have', async () => {
  const first = await serve();
  const made = await make(first, 'old', { clusterIP: '10.96.10.10' });
  const entry = (await first.storage.get('/registry/networking.k8s.io/ipaddresses/10.96.10.10'))!;
  await first.storage.delete(entry.key, entry.revision);
  const body = { metadata: { name: 'new' }, spec: { clusterIP: '10.96.10.10', ports: [{ port: 80 }] } };
  assert.equal((await beside(first)('POST', SERVICES, body)).status, 422, specOf(made).clusterIP);
});

test('a service that becomes an alias keeps what comes from no pool, and the name when it is none any more', async () => {
  const served = await serve();
  await make(served, 'a');
  const alias = { spec: { type: 'ExternalName', externalName: 'x.y' } };
  const named = specOf(await served.must('PATCH', `${SERVICES}/a`, alias, MERGE));
  assert.deepEqual(named, {
    type: 'ExternalName',
    externalName: 'x.y',
    internalTrafficPolicy: 'Cluster',
    ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
    sessionAffinity: 'None',
  });
  const again = specOf(await served.must('PATCH', `${SERVICES}/a`, { spec: { type: 'ClusterIP' } }, MERGE));
  assert.equal(again.externalName, 'x.y');
  assert.match(again.clusterIP ?? '', /^10\.96\./);
});

test('node ports go with the type, also when a port goes with it', async () => {
  const served = await serve();
  const ports = [
    { name: 'a', port: 80 },
    { name: 'b', port: 81 },
  ];
  const [first] = specOf(await make(served, 'a', { type: 'NodePort', ports })).ports ?? [];
  const change = { spec: { type: 'ClusterIP', ports: [first] } };
  const spec = specOf(await served.must('PATCH', `${SERVICES}/a`, change, MERGE));
  assert.deepEqual(spec.ports, [{ name: 'a', port: 80, protocol: 'TCP', targetPort: 80 }]);
});

test('a service with external addresses says how it takes traffic from outside', async () => {
  const served = await serve();
  const spec = specOf(
    await make(served, 'a', { externalIPs: ['192.0.2.1'], externalTrafficPolicy: 'Local' }),
  );
  assert.equal(spec.externalTrafficPolicy, 'Local');
  assert.equal(
    specOf(await make(served, 'b', { externalIPs: ['192.0.2.1'] })).externalTrafficPolicy,
    'Cluster',
  );
  const inside = specOf(await served.must('PATCH', `${SERVICES}/b`, { spec: { externalIPs: null } }, MERGE));
  assert.equal(inside.externalTrafficPolicy, undefined);
  assert.match(
    await refusal(served, 'c', { externalTrafficPolicy: 'Local' }),
    /may only be set for externally-accessible services/,
  );
});
