import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Endpoint, ServiceSpec } from '../../api/index.ts';
import type { EndpointSlice, Endpoints, Pod, Service } from '../kinds.ts';
import type { Plan } from '../plan.ts';
import { meta, node, pod, readyStatus, secondsAgo } from '../testing/objects.ts';
import { outline, writesOf } from '../testing/plans.ts';
import { decideEndpoints } from './endpoints.ts';
import { decideLoadBalancer } from './load-balancer.ts';

const service = (spec: Partial<ServiceSpec> = {}, more: Partial<Service> = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: meta('web', { labels: { team: 'a' } }),
  spec: {
    selector: { app: 'web' },
    ports: [{ name: 'http', port: 80, targetPort: 'web', protocol: 'TCP' }],
    ...spec,
  },
  ...more,
});

const serving = (name: string, ip: string, parts: Parameters<typeof pod>[1] = {}): Pod =>
  pod(name, {
    status: { ...readyStatus(), podIP: ip },
    ...parts,
    spec: {
      nodeName: 'n1',
      containers: [{ name: 'main', ports: [{ name: 'web', containerPort: 8080, protocol: 'TCP' }] }],
      ...parts.spec,
    },
  });

const zoned = node('n1', { metadata: { labels: { 'topology.kubernetes.io/zone': 'z1' } } });
const decide = (
  of: Service | undefined,
  pods: readonly Pod[],
  more: Partial<Parameters<typeof decideEndpoints>[0]> = {},
): Plan =>
  decideEndpoints({ service: of, pods, nodeNamed: () => zoned, slices: [], endpoints: undefined, ...more });

const endpointsIn = (plan: Plan): readonly Endpoint[] =>
  (writesOf(plan, 'create', 'EndpointSlice')[0]?.['endpoints'] ?? []) as readonly Endpoint[];

test('a ready pod becomes an endpoint with its named port, node and zone', () => {
  const plan = decide(service(), [serving('a', '10.0.0.1')]);
  const [slice] = writesOf(plan, 'create', 'EndpointSlice') as unknown as EndpointSlice[];
  assert.deepEqual(slice?.ports, [{ name: 'http', port: 8080, protocol: 'TCP' }]);
  assert.deepEqual(slice?.endpoints, [
    {
      addresses: ['10.0.0.1'],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: 'n1',
      targetRef: { kind: 'Pod', namespace: 'shop', name: 'a', uid: 'uid-a' },
      zone: 'z1',
    },
  ]);
  assert.equal(slice?.metadata.labels?.['kubernetes.io/service-name'], 'web');
  assert.equal(slice?.metadata.labels?.['team'], 'a');
  const [made] = writesOf(plan, 'create', 'Endpoints') as Endpoints[];
  const subset = made?.subsets?.[0];
  assert.equal(subset?.addresses?.[0]?.ip, '10.0.0.1');
  assert.deepEqual(subset?.ports, [{ name: 'http', port: 8080, protocol: 'TCP' }]);
});

test('without pods there is an empty slice', () => {
  assert.deepEqual(endpointsIn(decide(service(), [])), []);
  assert.equal(writesOf(decide(service(), []), 'create', 'EndpointSlice').length, 1);
});

test('unready and leaving pods are listed, but not as ready; finished ones are not', () => {
  const pods = [
    serving('a', '10.0.0.1', { status: { phase: 'Running', podIP: '10.0.0.1' } }),
    serving('b', '10.0.0.2', { metadata: { deletionTimestamp: secondsAgo(1) } }),
    serving('c', '10.0.0.3', { status: { phase: 'Succeeded', podIP: '10.0.0.3' } }),
  ];
  const conditions = endpointsIn(decide(service(), pods)).map((endpoint) => endpoint.conditions);
  assert.deepEqual(conditions, [
    { ready: false, serving: false, terminating: false },
    { ready: false, serving: true, terminating: true },
  ]);
  const published = endpointsIn(decide(service({ publishNotReadyAddresses: true }), pods));
  assert.deepEqual(
    published.map((endpoint) => endpoint.conditions?.ready),
    [true, true],
  );
});

test('more than a hundred endpoints fill several slices', () => {
  const pods = Array.from({ length: 250 }, (_, i) => serving(`p${i}`, `10.0.${i >> 8}.${i & 255}`));
  const slices = writesOf(decide(service(), pods), 'create', 'EndpointSlice') as unknown as EndpointSlice[];
  assert.deepEqual(
    slices.map((slice) => slice.endpoints?.length),
    [100, 100, 50],
  );
});

test('what is there and right is left alone; what is too much goes', () => {
  const pods = [serving('a', '10.0.0.1')];
  const plan = decide(service(), pods);
  const slices = writesOf(plan, 'create', 'EndpointSlice').map((slice, i) => ({
    ...slice,
    metadata: meta(`web-${i}`, slice.metadata),
  })) as unknown as EndpointSlice[];
  const [made] = writesOf(plan, 'create', 'Endpoints');
  const endpoints = { ...made, metadata: meta('web', made?.metadata) } as never;
  assert.deepEqual(decide(service(), pods, { slices, endpoints }).steps, []);
  const surplus = { ...slices[0]!, metadata: { ...slices[0]!.metadata, name: 'web-9', uid: 'u9' } };
  assert.deepEqual(outline(decide(service(), pods, { slices: [...slices, surplus], endpoints })), [
    'delete EndpointSlice web-9',
  ]);
  const foreign = {
    ...surplus,
    metadata: { ...surplus.metadata, labels: { 'kubernetes.io/service-name': 'web' } },
  };
  assert.deepEqual(decide(service(), pods, { slices: [...slices, foreign], endpoints }).steps, []);
});

test('a Service without selector is the business of whoever made it', () => {
  const { selector: _, ...spec } = service().spec;
  assert.deepEqual(decide({ ...service(), spec }, [serving('a', '10.0.0.1')]).steps, []);
});

test('the Endpoints of a Service that is gone go too, those of others stay', () => {
  const endpoints = (labels: Record<string, string>): never =>
    ({ apiVersion: 'v1', kind: 'Endpoints', metadata: meta('web', { labels }) }) as never;
  const managed = endpoints({ 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' });
  assert.deepEqual(outline(decide(undefined, [], { endpoints: managed })), ['delete Endpoints web']);
  assert.deepEqual(decide(undefined, [], { endpoints: endpoints({}) }).steps, []);
});

test('load balancers get addresses that nobody else has', () => {
  const balancer = (name: string, ip?: string): Service =>
    service(
      { type: 'LoadBalancer' },
      {
        metadata: meta(name),
        ...(ip === undefined ? {} : { status: { loadBalancer: { ingress: [{ ip, ipMode: 'VIP' }] } } }),
      },
    );
  const given = (of: Service, others: readonly Service[]): unknown =>
    writesOf(
      decideLoadBalancer({ service: of, services: [of, ...others], prefix: '172.30.0' }),
      'updateStatus',
      'Service',
    )[0]?.['status'];
  assert.deepEqual(given(balancer('a'), [balancer('b', '172.30.0.1')]), {
    loadBalancer: { ingress: [{ ip: '172.30.0.2', ipMode: 'VIP' }] },
  });
  assert.equal(given(balancer('a', '172.30.0.7'), []), undefined);
  const former = { ...balancer('a', '172.30.0.7'), spec: service().spec };
  assert.deepEqual(given(former, []), { loadBalancer: {} });
});
