// What tables of built-in kinds say, as upstream's printers say it.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { serve, type Served } from '../testing/served.ts';

let served: Served;
before(async () => {
  served = await serve();
  await served.must('POST', `${CORE}/serviceaccounts`, { metadata: { name: 'default' } });
});

const CORE = '/api/v1/namespaces/default';
const NETWORKING = '/apis/networking.k8s.io/v1';
const headers = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
const asMerge = { headers: { 'content-type': 'application/merge-patch+json' } };

interface Table {
  readonly columnDefinitions: readonly {
    readonly name: string;
    readonly type: string;
    readonly format: string;
  }[];
  readonly rows: readonly { readonly cells: readonly unknown[]; readonly conditions?: unknown }[];
}

const table = async (path: string): Promise<Table> =>
  (await served.must('GET', path, undefined, { headers })) as unknown as Table;

const cells = async (path: string): Promise<readonly unknown[]> => (await table(path)).rows[0]?.cells ?? [];

const TYPES: readonly (readonly [path: string, columns: Readonly<Record<string, string>>])[] = [
  ['/apis/apps/v1/replicasets', { Desired: 'integer', Current: 'integer', Ready: 'integer' }],
  ['/apis/apps/v1/deployments', {}],
  ['/apis/batch/v1/cronjobs', { Suspend: 'boolean', Active: 'integer' }],
  ['/apis/scheduling.k8s.io/v1/priorityclasses', { Value: 'integer', 'Global-Default': 'boolean' }],
  ['/apis/policy/v1/poddisruptionbudgets', { 'Allowed Disruptions': 'integer' }],
  ['/apis/storage.k8s.io/v1/volumeattachments', { Attached: 'boolean' }],
  ['/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations', { Webhooks: 'integer' }],
];

for (const [path, columns] of TYPES) {
  test(`columns of ${path.slice(path.lastIndexOf('/') + 1)} tell what is no text`, async () => {
    const { columnDefinitions } = await table(path);
    const others = columnDefinitions.filter(({ type }) => type !== 'string');
    assert.deepEqual(Object.fromEntries(others.map(({ name, type }) => [name, type])), columns);
  });
}

test('the row of a pod that is done says so', async () => {
  const spec = { containers: [{ name: 'a', image: 'a' }] };
  await served.must('POST', `${CORE}/pods`, { metadata: { name: 'done' }, spec });
  assert.equal('conditions' in ((await table(`${CORE}/pods/done`)).rows[0] ?? {}), false);
  await served.must('PATCH', `${CORE}/pods/done/status`, { status: { phase: 'Failed' } }, asMerge);
  assert.deepEqual((await table(`${CORE}/pods/done`)).rows[0]?.conditions, [
    { type: 'Completed', status: 'True', reason: 'Failed', message: 'The pod failed.' },
  ]);
});

test('flow schemas are listed in the order in which they are tried', async () => {
  const path = '/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas';
  const before = (await table(path)).rows.length;
  for (const [name, matchingPrecedence] of [
    ['a', 30],
    ['b', 20],
    ['c', 20],
  ] as const) {
    const spec = { matchingPrecedence, priorityLevelConfiguration: { name: 'x' } };
    await served.must('POST', path, { metadata: { name }, spec });
  }
  const names = (await table(path)).rows.map(({ cells: [name] }) => name);
  assert.equal(names.length, before + 3);
  assert.deepEqual(
    names.filter((name) => ['a', 'b', 'c'].includes(name as string)),
    ['b', 'c', 'a'],
  );
});

test('addresses of load balancers are sorted, each once', async () => {
  const ports = [{ port: 80 }];
  await served.must('POST', `${CORE}/services`, {
    metadata: { name: 's' },
    spec: { type: 'LoadBalancer', ports },
  });
  const ingress = [{ ip: '10.0.0.2' }, { hostname: 'a.b' }, { ip: '10.0.0.1' }, { ip: '10.0.0.2' }];
  const status = { loadBalancer: { ingress } };
  await served.must('PATCH', `${CORE}/services/s/status`, { status }, asMerge);
  assert.equal((await cells(`${CORE}/services/s`))[3], '10.0.0.1,10.0.0.2,a.b');
});

test('hosts of an ingress: three, and how many rules more', async () => {
  const path = `${NETWORKING}/namespaces/default/ingresses`;
  const http = {
    paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 's', port: { number: 80 } } } }],
  };
  const rules = ['a.x', '', 'b.x', 'c.x', 'd.x'].map((host) => (host === '' ? { http } : { host, http }));
  await served.must('POST', path, { metadata: { name: 'i' }, spec: { rules } });
  assert.equal((await cells(`${path}/i`))[2], 'a.x,b.x,c.x + 2 more...');
});

test('endpoints go by ports first, and show addresses of IPv6 in brackets', async () => {
  const ports = [
    { name: 'a', port: 1 },
    { name: 'b', port: 2 },
  ];
  const subsets = [{ addresses: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }], ports }];
  await served.must('POST', `${CORE}/endpoints`, { metadata: { name: 'e' }, subsets });
  assert.equal((await cells(`${CORE}/endpoints/e`))[1], '10.0.0.1:1,[fd00::1]:1,10.0.0.1:2 + 1 more...');
  const unready = [{ notReadyAddresses: [{ ip: '10.0.0.1' }], ports }];
  await served.must('PATCH', `${CORE}/endpoints/e`, { subsets: unready }, asMerge);
  assert.equal((await cells(`${CORE}/endpoints/e`))[1], '');
});

test('volumes: modes in an order of their own, classes of old annotations', async () => {
  const spec = {
    accessModes: ['ReadWriteMany', 'ReadWriteOnce'],
    capacity: { storage: '1Gi' },
    hostPath: { path: '/a' },
    storageClassName: 'new',
  };
  const annotations = { 'volume.beta.kubernetes.io/storage-class': 'old' };
  await served.must('POST', '/api/v1/persistentvolumes', { metadata: { name: 'v', annotations }, spec });
  const shown = await cells('/api/v1/persistentvolumes/v');
  assert.deepEqual([shown[2], shown[6]], ['RWO,RWX', 'old']);
});

test('what a policy takes its parameters from', async () => {
  const path = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings';
  const given = { policyName: 'p', validationActions: ['Deny'] };
  const parameters = async (name: string, paramRef: object): Promise<unknown> => {
    const spec = { ...given, paramRef: { parameterNotFoundAction: 'Deny', ...paramRef } };
    await served.must('POST', path, { metadata: { name }, spec });
    return (await cells(`${path}/${name}`))[2];
  };
  assert.equal(await parameters('anywhere', { name: 'a' }), '*/a');
  assert.equal(await parameters('there', { name: 'a', namespace: 'b' }), 'b/a');
  assert.equal(
    await parameters('selected', { selector: { matchLabels: { a: 'b' } } }),
    '&LabelSelector{MatchLabels:map[string]string{a: b,},MatchExpressions:[]LabelSelectorRequirement{},}',
  );
});

test('targets of an autoscaler', async () => {
  const path = '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers';
  const metrics = [
    { type: 'Pods', pods: { metric: { name: 'm' }, target: { type: 'AverageValue', averageValue: '5' } } },
    {
      type: 'External',
      external: { metric: { name: 'm' }, target: { type: 'AverageValue', averageValue: '6' } },
    },
  ];
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' };
  await served.must('POST', path, {
    metadata: { name: 'h' },
    spec: { scaleTargetRef, maxReplicas: 3, metrics },
  });
  assert.equal((await cells(`${path}/h`))[2], '<unknown>/5, <unknown>/6 (avg)');
});
