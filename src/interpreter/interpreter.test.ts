import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, KubeObject } from '../api/index.ts';
import { createInterpreter, nativeLayer, type Dependency, type StatusItem } from './index.ts';

const NOW = '2026-11-21T03:04:05Z';
const interpreter = createInterpreter([nativeLayer(() => NOW)]);

function object(apiVersion: string, kind: string, fields: JsonObject, metadata: JsonObject = {}): KubeObject {
  return {
    apiVersion,
    kind,
    metadata: { name: 'x', namespace: 'shop', ...metadata },
    ...fields,
  };
}

const item = (clusterName: string, status?: JsonObject, health = 'Healthy'): StatusItem => ({
  clusterName,
  status,
  health,
});
const aggregated = (template: KubeObject, items: StatusItem[]): unknown =>
  (interpreter.aggregate(template, items) as KubeObject)['status'];

// ---- replicas

test('a Deployment without replicas has none, a Pod has one', () => {
  assert.deepEqual(interpreter.replicas(object('apps/v1', 'Deployment', { spec: {} })), {
    replicas: 0,
    requirements: undefined,
  });
  assert.deepEqual(interpreter.replicas(object('v1', 'Pod', { spec: { containers: [] } })), {
    replicas: 1,
    requirements: undefined,
  });
});

test('a Job runs no more pods at once than it has completions', () => {
  const replicas = (spec: JsonObject): unknown =>
    (interpreter.replicas(object('batch/v1', 'Job', { spec })) as { replicas: number }).replicas;
  assert.equal(replicas({ parallelism: 5, completions: 3 }), 3);
  assert.equal(replicas({ parallelism: 2, completions: 3 }), 2);
  assert.equal(replicas({ parallelism: 4 }), 4);
});

test('requirements: limits stand in for missing requests, the largest init container counts, overhead adds', () => {
  const deployment = object('apps/v1', 'Deployment', {
    spec: {
      replicas: 2,
      template: {
        spec: {
          nodeSelector: { disk: 'ssd' },
          overhead: { cpu: '50m' },
          containers: [
            { name: 'a', resources: { requests: { cpu: '100m' }, limits: { cpu: '1', memory: '1Gi' } } },
            { name: 'b', resources: { requests: { cpu: '200m', memory: '512Mi' } } },
          ],
          initContainers: [{ name: 'i', resources: { requests: { cpu: '1', memory: '64Mi' } } }],
        },
      },
    },
  });
  assert.deepEqual(interpreter.replicas(deployment), {
    replicas: 2,
    requirements: {
      nodeClaim: { nodeSelector: { disk: 'ssd' } },
      resourceRequest: { cpu: '1050m', memory: '1536Mi' },
    },
  });
});

test('revising sets only a field that is there, and shares the rest', () => {
  const deployment = object('apps/v1', 'Deployment', { spec: { replicas: 1, template: { a: 1 } } });
  const revised = interpreter.revise(deployment, 7) as KubeObject & { spec: JsonObject };
  assert.equal(revised.spec['replicas'], 7);
  assert.equal(revised.spec['template'], (deployment['spec'] as JsonObject)['template']);
  const job = object('batch/v1', 'Job', { spec: { completions: 3 } });
  assert.equal(interpreter.revise(job, 7), job);
  assert.equal(interpreter.revise(object('v1', 'ConfigMap', {}), 7), undefined);
});

// ---- status

test('a Deployment without a template generation cannot be reflected', () => {
  assert.throws(
    () => interpreter.status(object('apps/v1', 'Deployment', { status: { replicas: 1 } })),
    /resourcetemplate.karmada.io\/generation/,
  );
});

test('reflected counters leave out zeros and carry both generations', () => {
  const deployment = object(
    'apps/v1',
    'Deployment',
    { status: { replicas: 2, readyReplicas: 0, observedGeneration: 7, conditions: [] } },
    { generation: 7, annotations: { 'resourcetemplate.karmada.io/generation': '4' } },
  );
  assert.deepEqual(interpreter.status(deployment), {
    replicas: 2,
    observedGeneration: 7,
    generation: 7,
    resourceTemplateGeneration: 4,
  });
});

test('a kind nobody knows is reflected whole', () => {
  assert.deepEqual(interpreter.status(object('example.io/v1', 'Widget', { status: { any: [1] } })), {
    any: [1],
  });
  assert.equal(interpreter.status(object('v1', 'ConfigMap', {})), undefined);
});

test('only a load balancer among Services has a status', () => {
  assert.equal(
    interpreter.status(
      object('v1', 'Service', { spec: { type: 'ClusterIP' }, status: { loadBalancer: {} } }),
    ),
    undefined,
  );
  assert.deepEqual(
    interpreter.status(object('v1', 'Service', { spec: { type: 'LoadBalancer' }, status: {} })),
    { loadBalancer: {} },
  );
  assert.equal(interpreter.status(object('v1', 'Service', { spec: { type: 'LoadBalancer' } })), undefined);
});

// ---- aggregation

const deployment = object(
  'apps/v1',
  'Deployment',
  { spec: {}, status: { observedGeneration: 3, conditions: ['kept'] } },
  { generation: 4 },
);
const m1 = {
  replicas: 2,
  readyReplicas: 2,
  generation: 7,
  observedGeneration: 7,
  resourceTemplateGeneration: 4,
};
const m2 = { replicas: 1, generation: 3, observedGeneration: 2, resourceTemplateGeneration: 4 };

test('a Deployment sums its members, and is observed when all members have observed', () => {
  assert.deepEqual(aggregated(deployment, [item('m1', m1), item('m2', m2)]), {
    replicas: 3,
    readyReplicas: 2,
    observedGeneration: 3,
    conditions: ['kept'],
  });
  assert.deepEqual(aggregated(deployment, [item('m1', m1), item('m2', { ...m2, observedGeneration: 3 })]), {
    replicas: 3,
    readyReplicas: 2,
    observedGeneration: 4,
    conditions: ['kept'],
  });
});

test('a member that says nothing holds the observed generation back', () => {
  const status = aggregated(deployment, [
    item('m1', m1),
    item('m2', { ...m2, observedGeneration: 3 }),
    item('m3'),
  ]) as JsonObject;
  assert.equal(status['observedGeneration'], 3);
});

test('without any member the Deployment is observed and empty', () => {
  assert.deepEqual(aggregated(deployment, []), { observedGeneration: 4, conditions: ['kept'] });
});

for (const [what, phases, expected] of [
  ['running and silent: pending', ['Running', undefined], 'Pending'],
  ['succeeded and running: running', ['Succeeded', 'Running'], 'Running'],
  ['failed beats pending', ['Failed', 'Pending'], 'Failed'],
] as const) {
  test(`Pods ${what}`, () => {
    const items = phases.map((phase, index) =>
      item(`m${index}`, phase === undefined ? undefined : { phase }),
    );
    assert.deepEqual(aggregated(object('v1', 'Pod', {}), items), { phase: expected });
  });
}

for (const [what, phases, expected] of [
  ['bound and pending: pending', ['Bound', 'Pending'], 'Pending'],
  ['lost wins over what comes after', ['Pending', 'Lost', 'Bound'], 'Lost'],
] as const) {
  test(`volume claims ${what}`, () => {
    const items = phases.map((phase, index) => item(`m${index}`, { phase }));
    assert.deepEqual(aggregated(object('v1', 'PersistentVolumeClaim', {}), items), { phase: expected });
  });
}

for (const kind of ['Pod', 'PersistentVolume', 'PersistentVolumeClaim']) {
  test(`a ${kind} that is nowhere keeps its status`, () => {
    const template = object('v1', kind, { status: { phase: 'Old' } });
    assert.equal(interpreter.aggregate(template, []), template);
  });
}

const complete = {
  succeeded: 1,
  startTime: '2026-01-01T00:00:00Z',
  completionTime: '2026-01-02T00:00:00Z',
  conditions: [
    { type: 'Complete', status: 'True' },
    { type: 'SuccessCriteriaMet', status: 'True' },
  ],
};
const failedJob = { failed: 1, conditions: [{ type: 'Failed', status: 'True' }] };

test('a Job is complete when all members are', () => {
  const status = aggregated(object('batch/v1', 'Job', {}), [
    item('m1', complete),
    item('m2', { ...complete, completionTime: '2026-01-03T00:00:00Z' }),
  ]) as JsonObject;
  assert.equal(status['succeeded'], 2);
  assert.equal(status['completionTime'], '2026-01-03T00:00:00Z');
  assert.deepEqual(
    (status['conditions'] as JsonObject[]).map(({ type }) => type),
    ['Complete', 'SuccessCriteriaMet'],
  );
});

test('a Job that failed in one member names it, and is not reopened once nothing runs', () => {
  const job = object('batch/v1', 'Job', {});
  const status = aggregated(job, [item('m1', complete), item('m2', failedJob)]) as JsonObject;
  assert.deepEqual(
    (status['conditions'] as JsonObject[]).map(({ type }) => type),
    ['FailureTarget', 'Failed'],
  );
  assert.match(JSON.stringify(status['conditions']), /Job executed failed in member clusters m2"/);
  const ended = { ...job, status } as KubeObject;
  assert.equal(interpreter.aggregate(ended, [item('m1', complete), item('m2', complete)]), ended);
});

test('a Job that failed in one member while another still runs is only about to fail', () => {
  const running = { active: 1, startTime: '2026-01-01T00:00:00Z' };
  const status = aggregated(object('batch/v1', 'Job', {}), [
    item('m1', running),
    item('m2', failedJob),
  ]) as JsonObject;
  assert.deepEqual(
    (status['conditions'] as JsonObject[]).map(({ type }) => type),
    ['FailureTarget'],
  );
  assert.equal(status['active'], 1);
});

test('a complete Job says so in the words of upstream (sts-job)', () => {
  const status = aggregated(object('batch/v1', 'Job', {}), [item('m1', complete)]) as JsonObject;
  assert.deepEqual(
    (status['conditions'] as JsonObject[]).map(({ reason, message }) => [reason, message]),
    [
      ['Completed', 'Job completed'],
      ['CompletionsReached', 'All member clusters have met success criteria'],
    ],
  );
});

test('a Job with a silent member has no times and no conditions', () => {
  assert.deepEqual(aggregated(object('batch/v1', 'Job', {}), [item('m1', complete), item('m2')]), {
    succeeded: 1,
  });
});

test('addresses of load balancers: hostnames first, each once, sorted', () => {
  const lb = (...ingress: JsonObject[]): JsonObject => ({ loadBalancer: { ingress } });
  const template = object('v1', 'Service', { spec: { type: 'LoadBalancer' } });
  assert.deepEqual(
    aggregated(template, [
      item('m1', lb({ ip: '192.0.2.9', ipMode: 'VIP' }, { hostname: 'b.example' })),
      item(
        'm2',
        lb({ ip: '192.0.2.1', ipMode: 'VIP' }, { ip: '192.0.2.9', ipMode: 'VIP' }, { hostname: 'a.example' }),
      ),
    ]),
    lb(
      { hostname: 'a.example' },
      { hostname: 'b.example' },
      { ip: '192.0.2.1', ipMode: 'VIP' },
      { ip: '192.0.2.9', ipMode: 'VIP' },
    ),
  );
});

test('a StatefulSet is observed when every member is healthy with the current template', () => {
  const template = object('apps/v1', 'StatefulSet', {}, { generation: 1 });
  const status = { replicas: 2, availableReplicas: 2, resourceTemplateGeneration: 1, generation: 1 };
  assert.equal(
    (aggregated(template, [item('m1', status), item('m2', status)]) as JsonObject)['observedGeneration'],
    1,
  );
  assert.equal(
    (aggregated(template, [item('m1', status), item('m2', status, 'Unhealthy')]) as JsonObject)[
      'observedGeneration'
    ],
    undefined,
  );
});

// ---- health, retention, dependencies

test('a Deployment is healthy when its latest generation is rolled out', () => {
  const healthy = (status: JsonObject): unknown =>
    interpreter.health(object('apps/v1', 'Deployment', { spec: { replicas: 2 }, status }, { generation: 3 }));
  assert.equal(healthy({ observedGeneration: 3, updatedReplicas: 2, availableReplicas: 2 }), true);
  assert.equal(healthy({ observedGeneration: 2, updatedReplicas: 2, availableReplicas: 2 }), false);
  assert.equal(healthy({ observedGeneration: 3, updatedReplicas: 1, availableReplicas: 2 }), false);
  assert.equal(interpreter.health(object('v1', 'ConfigMap', {})), undefined);
});

test('a member keeps its replicas only where the template says so', () => {
  const observed = object('apps/v1', 'Deployment', { spec: { replicas: 9 } });
  const desired = object('apps/v1', 'Deployment', { spec: { replicas: 2 } });
  const marked = object(
    'apps/v1',
    'Deployment',
    { spec: { replicas: 2 } },
    { labels: { 'resourcetemplate.karmada.io/retain-replicas': 'true' } },
  );
  assert.equal(((interpreter.retain(desired, observed) as KubeObject)['spec'] as JsonObject)['replicas'], 2);
  assert.equal(((interpreter.retain(marked, observed) as KubeObject)['spec'] as JsonObject)['replicas'], 9);
});

test('a service account keeps the secrets that the member issued, ours first', () => {
  const desired = object('v1', 'ServiceAccount', { secrets: [{ name: 'ours' }] });
  const observed = object('v1', 'ServiceAccount', { secrets: [{ name: 'theirs' }, { name: 'ours' }] });
  assert.deepEqual((interpreter.retain(desired, observed) as KubeObject)['secrets'], [
    { name: 'ours' },
    { name: 'theirs' },
  ]);
});

const container = (name: string, mount?: string): JsonObject => ({
  name,
  ...(mount === undefined ? {} : { volumeMounts: [{ name: mount, mountPath: '/x' }] }),
});
const TOKEN = 'kubernetes.io/service-account-token';
const retained: [sentence: string, apiVersion: string, kind: string, desired: JsonObject, observed: JsonObject, expected: JsonObject][] = [
  ['a pod keeps its place, its account, its volumes and their mounts', 'v1', 'Pod',
    { spec: { serviceAccountName: 'robot', volumes: [{ name: 'mine' }], containers: [container('a', 'mine'), container('new', 'mine')] } },
    { spec: { nodeName: 'n1', serviceAccountName: 'default', volumes: [{ name: 'token' }], containers: [container('b'), container('a', 'token')] } },
    { spec: { nodeName: 'n1', serviceAccountName: 'default', volumes: [{ name: 'token' }], containers: [container('a', 'token'), container('new', 'mine')] } }],
  ['a pod that runs without volumes gets none later', 'v1', 'Pod',
    { spec: { nodeName: 'mine', volumes: [{ name: 'mine' }], containers: [container('a', 'mine')], initContainers: [container('i', 'mine')] } },
    { spec: { containers: [container('a')], initContainers: [container('i')] } },
    { spec: { containers: [container('a')], initContainers: [container('i')] } }],
  ['a volume claim keeps its volume', 'v1', 'PersistentVolumeClaim', { spec: { volumeName: '' } }, { spec: { volumeName: 'pv-1' } }, { spec: { volumeName: 'pv-1' } }],
  ['a volume claim that is not bound asks for what it asks for', 'v1', 'PersistentVolumeClaim', { spec: { volumeName: 'pv-2' } }, { spec: {} }, { spec: { volumeName: 'pv-2' } }],
  ['a volume keeps the claim it is bound to', 'v1', 'PersistentVolume', { spec: {} }, { spec: { claimRef: { name: 'c' } } }, { spec: { claimRef: { name: 'c' } } }],
  ['a Job keeps its selector and the labels that go with it', 'batch/v1', 'Job',
    { spec: { selector: { matchLabels: {} }, template: { metadata: { labels: { app: 'a' } } } } },
    { spec: { selector: { matchLabels: { uid: '1' } }, template: { metadata: { labels: { uid: '1' } } } } },
    { spec: { selector: { matchLabels: { uid: '1' } }, template: { metadata: { labels: { uid: '1' } } } } }],
  ['a token secret keeps its token', 'v1', 'Secret', { type: TOKEN, data: null }, { type: TOKEN, data: { token: 'dA==' } }, { type: TOKEN, data: { token: 'dA==' } }],
  ['any other secret does not', 'v1', 'Secret', { type: 'Opaque', data: {} }, { type: 'Opaque', data: { token: 'dA==' } }, { type: 'Opaque', data: {} }],
  ['a Service keeps its addresses', 'v1', 'Service', { spec: { type: 'ClusterIP' } },
    { spec: { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'], healthCheckNodePort: 30005 } },
    { spec: { type: 'ClusterIP', clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'], healthCheckNodePort: 30005 } }],
]; // prettier-ignore
for (const [sentence, apiVersion, kind, desired, observed, expected] of retained) {
  test(sentence, () => {
    const merged = interpreter.retain(object(apiVersion, kind, desired), object(apiVersion, kind, observed));
    assert.deepEqual(merged, object(apiVersion, kind, expected));
  });
}

test('a pod template depends on what it names, each once, without the default service account', () => {
  const template = object('apps/v1', 'StatefulSet', {
    spec: {
      volumeClaimTemplates: [{ metadata: { name: 'data' } }],
      template: {
        spec: {
          serviceAccountName: 'default',
          imagePullSecrets: [{ name: 'pull' }],
          volumes: [
            { name: 'a', configMap: { name: 'conf' } },
            {
              name: 'b',
              projected: { sources: [{ secret: { name: 'tls' } }, { configMap: { name: 'conf' } }] },
            },
            { name: 'c', persistentVolumeClaim: { claimName: 'data' } },
            { name: 'd', persistentVolumeClaim: { claimName: 'shared' } },
          ],
          containers: [
            {
              name: 'c',
              envFrom: [{ secretRef: { name: 'tls' } }],
              env: [{ name: 'E', valueFrom: { configMapKeyRef: { name: 'env', key: 'k' } } }],
            },
          ],
        },
      },
    },
  });
  const names = (interpreter.dependencies(template) as readonly Dependency[]).map(
    ({ kind, name }) => `${kind} ${name}`,
  );
  assert.deepEqual(names.sort(), [
    'ConfigMap conf',
    'ConfigMap env',
    'PersistentVolumeClaim shared',
    'Secret pull',
    'Secret tls',
  ]);
});

test('what a pod can do without is optional, unless anything insists on it', () => {
  const envFrom = [
    { configMapRef: { name: 'maybe', optional: true } },
    { configMapRef: { name: 'both', optional: true } },
    { configMapRef: { name: 'both' } },
    { secretRef: { name: 'must' } },
  ];
  const spec = { template: { spec: { containers: [{ name: 'c', envFrom }] } } };
  const found = interpreter.dependencies(object('apps/v1', 'Deployment', { spec })) as readonly Dependency[];
  assert.deepEqual(
    found.map(({ name, optional }) => [name, optional]),
    [
      ['maybe', true],
      ['both', undefined],
      ['must', undefined],
    ],
  );
});

test('a volume needs the secrets that it is mounted with, each once, where they are', () => {
  const ref = { namespace: 'vault', name: 's' };
  const volume = object('v1', 'PersistentVolume', {
    spec: {
      csi: { nodeStageSecretRef: ref, nodePublishSecretRef: ref, controllerExpandSecretRef: { name: 'x' } },
    },
  });
  assert.deepEqual(interpreter.dependencies(volume), [{ apiVersion: 'v1', kind: 'Secret', ...ref }]);
  const file = object('v1', 'PersistentVolume', {
    spec: { azureFile: { secretName: 'a', secretNamespace: 'b' } },
  });
  assert.deepEqual(interpreter.dependencies(file), [
    { apiVersion: 'v1', kind: 'Secret', namespace: 'b', name: 'a' },
  ]);
});
