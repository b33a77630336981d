import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gvkOf, type Component, type JsonObject, type KubeObject } from '../../api/index.ts';
import {
  createInterpreter,
  nativeLayer,
  type Dependency,
  type Interpreter,
  type StatusItem,
} from '../index.ts';
import { thirdPartyKinds, thirdPartyLayer } from './index.ts';

const NOW = '2026-11-28T10:00:00Z';
const layer = thirdPartyLayer(() => NOW);
const interpreter: Interpreter = createInterpreter([layer, nativeLayer(() => NOW)]);

/** `kind` as `<apiVersion> <kind>`. */
function object(kind: string, fields: JsonObject, metadata: JsonObject = {}): KubeObject {
  const [apiVersion = '', name = ''] = kind.split(' ');
  return { apiVersion, kind: name, metadata: { name: 'x', namespace: 'shop', ...metadata }, ...fields };
}
const item = (clusterName: string, status?: JsonObject): StatusItem => ({ clusterName, status });
const statusOf = (template: KubeObject, ...items: StatusItem[]): unknown =>
  (interpreter.aggregate(template, items) as KubeObject)['status'];
const pods = (cpu: string, more: JsonObject = {}): JsonObject => ({
  metadata: { labels: { app: 'x' } },
  spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu } } }], ...more },
});
const needs = (kind: string, name: string): unknown => ({ apiVersion: 'v1', kind, namespace: 'shop', name });
const configured = (name: string): JsonObject => ({ volumes: [{ name: 'v', configMap: { name } }] });

// ---- which operations each kind has

const OPERATIONS: Readonly<Record<string, string>> = {
  'apps.kruise.io/v1alpha1 CloneSet': 'RVSAHD',
  'apps.kruise.io/v1beta1 StatefulSet': 'RVSAHD',
  'apps.kruise.io/v1alpha1 DaemonSet': 'SAHD',
  'apps.kruise.io/v1alpha1 UnitedDeployment': 'RVSAHD',
  'apps.kruise.io/v1alpha1 BroadcastJob': 'RVTSAHD',
  'apps.kruise.io/v1alpha1 AdvancedCronJob': 'AD',
  'apps.kruise.io/v1alpha1 SidecarSet': 'RTSAHD',
  'argoproj.io/v1alpha1 Workflow': 'RVTHD',
  'batch.volcano.sh/v1alpha1 Job': 'CSAH',
  'flink.apache.org/v1beta1 FlinkDeployment': 'RCSAH',
  'sparkoperator.k8s.io/v1beta2 SparkApplication': 'CSAH',
  'kubeflow.org/v1 PyTorchJob': 'CAHD',
  'kubeflow.org/v1 TFJob': 'CAHD',
  'kubeflow.org/v2beta1 MPIJob': 'CSAH',
  'kubeflow.org/v1 Notebook': 'RSAH',
  'ray.io/v1 RayCluster': 'CAH',
  'ray.io/v1 RayJob': 'CAHD',
  'ray.io/v1 RayService': 'RVAHD',
  'kustomize.toolkit.fluxcd.io/v1 Kustomization': 'TSAHD',
  'helm.toolkit.fluxcd.io/v2beta1 HelmRelease': 'TSAHD',
  'source.toolkit.fluxcd.io/v1 GitRepository': 'TSAHD',
  'source.toolkit.fluxcd.io/v1beta2 Bucket': 'TSAHD',
  'source.toolkit.fluxcd.io/v1beta2 HelmChart': 'TSAHD',
  'source.toolkit.fluxcd.io/v1beta2 HelmRepository': 'TSAHD',
  'source.toolkit.fluxcd.io/v1beta2 OCIRepository': 'TSAHD',
  'kyverno.io/v1 Policy': 'SAH',
  'kyverno.io/v1 ClusterPolicy': 'SAH',
  // Ours; upstream has none.
  'packages.glasskube.dev/v1alpha1 Package': 'TSAHD',
  'packages.glasskube.dev/v1alpha1 ClusterPackage': 'TSAHD',
  'packages.glasskube.dev/v1alpha1 PackageRepository': 'SAHD',
};

test('every kind has the operations that upstream gives it, and no other', () => {
  const letters = {
    R: 'InterpretReplica',
    C: 'InterpretComponent',
    V: 'ReviseReplica',
    T: 'Retain',
    S: 'InterpretStatus',
    A: 'AggregateStatus',
    H: 'InterpretHealth',
    D: 'InterpretDependency',
  } as const;
  const found = thirdPartyKinds().map((kind) => {
    const gvk = gvkOf(object(kind, {}));
    const has = Object.entries(letters).filter(([, operation]) => layer.has(gvk, operation));
    return [kind, has.map(([letter]) => letter).join('')] as const;
  });
  assert.deepEqual(Object.fromEntries(found), OPERATIONS);
  assert.equal(layer.has({ group: 'apps.kruise.io', version: 'v1', kind: 'CloneSet' }, 'Retain'), false);
});

/** Members may send anything; what no rule understands must not bring a rule down. */
const JUNK: readonly JsonObject[] = [
  {},
  { spec: null, status: null },
  { spec: 'text', status: 7 },
  {
    spec: { template: [], replicas: 'many', tasks: 3, workerGroupSpecs: {} },
    status: { conditions: 'none' },
  },
  { spec: { tasks: [null], volumes: [null] }, status: { conditions: [null, 4], replicaStatuses: [null] } },
];

for (const kind of Object.keys(OPERATIONS)) {
  test(`${kind} is understood or refused, whatever an object of it holds`, () => {
    for (const junk of JUNK) {
      const one = object(kind, junk);
      const items = [item('a', junk['status'] as JsonObject), item('b', { conditions: [null] }), item('c')];
      const calls = [
        () => interpreter.replicas(one),
        () => interpreter.components(one),
        () => interpreter.revise(one, 2),
        () => interpreter.retain(one, one),
        () => interpreter.status(one),
        () => interpreter.aggregate(one, items),
        () => interpreter.aggregate(one, items.slice(0, 1)),
        () => interpreter.aggregate(one, []),
        () => interpreter.health(one),
        () => interpreter.dependencies(one),
      ];
      for (const call of calls) {
        try {
          JSON.stringify(call());
        } catch (error) {
          assert(error instanceof Error && !(error instanceof TypeError), String(error));
        }
      }
    }
  });
}

// ---- Kruise

const CLONE_SET = 'apps.kruise.io/v1alpha1 CloneSet';

test('a CloneSet: replicas, requirements, revision, dependencies', () => {
  const set = object(CLONE_SET, { spec: { replicas: 4, template: pods('500m', configured('cfg')) } });
  assert.deepEqual(interpreter.replicas(set), {
    replicas: 4,
    requirements: { resourceRequest: { cpu: '500m' } },
  });
  assert.equal(((interpreter.revise(set, 9) as KubeObject)['spec'] as JsonObject)['replicas'], 9);
  assert.deepEqual(interpreter.dependencies(set), [needs('ConfigMap', 'cfg')]);
  assert.deepEqual(interpreter.replicas(object(CLONE_SET, { spec: {} })), {
    replicas: 1,
    requirements: undefined,
  });
});

test('a CloneSet reports with the generations that its status belongs to', () => {
  const status = { replicas: 2, readyReplicas: 0, observedGeneration: 7, conditions: [{ type: 'x' }] };
  const annotations = { 'resourcetemplate.karmada.io/generation': '3' };
  assert.deepEqual(interpreter.status(object(CLONE_SET, { status }, { generation: 7, annotations })), {
    replicas: 2,
    readyReplicas: 0,
    observedGeneration: 7,
    generation: 7,
    resourceTemplateGeneration: 3,
  });
  assert.deepEqual(interpreter.status(object(CLONE_SET, {}, { generation: 7 })), {});
});

test('a CloneSet adds up, and is observed once all members have seen exactly this generation', () => {
  const template = object(CLONE_SET, { status: { observedGeneration: 2, collisions: 1 } }, { generation: 3 });
  const seen = { generation: 5, observedGeneration: 5, resourceTemplateGeneration: 3 };
  const a = item('a', { ...seen, replicas: 2, readyReplicas: 1, updateRevision: 'r1' });
  const b = item('b', { ...seen, replicas: 3, readyReplicas: 3, updateRevision: '' });
  const counters = {
    replicas: 5,
    readyReplicas: 4,
    updatedReplicas: 0,
    availableReplicas: 0,
    updatedReadyReplicas: 0,
    expectedUpdatedReplicas: 0,
  };
  const texts = { updateRevision: 'r1', currentRevision: '', labelSelector: '' };
  assert.deepEqual(statusOf(template, a, b), { collisions: 1, observedGeneration: 3, ...counters, ...texts });
  const late = item('b', { ...(b.status as JsonObject), generation: 6 });
  assert.deepEqual((statusOf(template, a, late) as JsonObject)['observedGeneration'], 2);
  const older = item('b', { ...(b.status as JsonObject), resourceTemplateGeneration: 4 });
  assert.deepEqual((statusOf(template, a, older) as JsonObject)['observedGeneration'], 2);
  assert.deepEqual((statusOf(template, a, item('b')) as JsonObject)['observedGeneration'], 2);
  assert.deepEqual(statusOf(object(CLONE_SET, {}, { generation: 3 })), {
    observedGeneration: 3,
    ...Object.fromEntries(Object.keys(counters).map((name) => [name, 0])),
  });
});

test('a CloneSet is healthy when it is rolled out; without a status nobody can say', () => {
  const set = (status: JsonObject): KubeObject =>
    object(CLONE_SET, { spec: { replicas: 2 }, status }, { generation: 4 });
  const done = { observedGeneration: 4, updatedReplicas: 2, availableReplicas: 2 };
  assert.equal(interpreter.health(set(done)), true);
  assert.equal(interpreter.health(set({ ...done, observedGeneration: 3 })), false);
  assert.equal(interpreter.health(set({ ...done, updatedReplicas: 1 })), false);
  assert.equal(interpreter.health(set({ ...done, availableReplicas: 1 })), false);
  assert.throws(() => interpreter.health(object(CLONE_SET, {})), /CloneSet x has no status yet/);
});

test('a Kruise StatefulSet does not need the claims that it makes', () => {
  const kind = 'apps.kruise.io/v1beta1 StatefulSet';
  const volumes = [
    { name: 'data', persistentVolumeClaim: { claimName: 'data' } },
    { name: 'old', persistentVolumeClaim: { claimName: 'old' } },
  ];
  const set = object(kind, {
    spec: {
      replicas: 1,
      template: pods('1', { volumes }),
      volumeClaimTemplates: [{ metadata: { name: 'data' } }],
    },
  });
  assert.deepEqual(interpreter.dependencies(set), [needs('PersistentVolumeClaim', 'old')]);
  assert.deepEqual(
    statusOf(object(kind, {}), item('a', { currentReplicas: 2 }), item('b', { currentReplicas: 1 })),
    {
      observedGeneration: 0,
      replicas: 0,
      readyReplicas: 0,
      currentReplicas: 3,
      updatedReplicas: 0,
      availableReplicas: 0,
      updatedReadyReplicas: 0,
      updateRevision: '',
      currentRevision: '',
    },
  );
  const nowhere = statusOf(object(kind, { status: { updateRevision: 'old' } })) as JsonObject;
  assert.deepEqual([nowhere['updateRevision'], nowhere['currentRevision']], ['', '']);
});

test('a Kruise DaemonSet adds up its counters and keeps the last hash', () => {
  const kind = 'apps.kruise.io/v1alpha1 DaemonSet';
  const status = statusOf(
    object(kind, {}, { generation: 1 }),
    item('a', { numberReady: 2, daemonSetHash: 'h1', desiredNumberScheduled: 3 }),
    item('b', { numberReady: 1, daemonSetHash: 'h2' }),
  ) as JsonObject;
  assert.deepEqual(
    [status['numberReady'], status['desiredNumberScheduled'], status['daemonSetHash']],
    [3, 3, 'h2'],
  );
  const set = (status: JsonObject): KubeObject => object(kind, { status }, { generation: 1 });
  const done = {
    observedGeneration: 1,
    desiredNumberScheduled: 2,
    updatedNumberScheduled: 2,
    numberAvailable: 2,
  };
  assert.equal(interpreter.health(set(done)), true);
  assert.equal(interpreter.health(set({ ...done, numberAvailable: 1 })), false);
  assert.equal(interpreter.health(set({ ...done, updatedNumberScheduled: 1 })), false);
});

test('a UnitedDeployment asks for what the pods of its subsets ask for', () => {
  const kind = 'apps.kruise.io/v1alpha1 UnitedDeployment';
  const template = { cloneSetTemplate: { spec: { template: pods('2', configured('cfg')) } } };
  const united = object(kind, { spec: { replicas: 6, template } });
  assert.deepEqual(interpreter.replicas(united), {
    replicas: 6,
    requirements: { resourceRequest: { cpu: '2' } },
  });
  assert.deepEqual(interpreter.dependencies(united), [needs('ConfigMap', 'cfg')]);
  const ready = (reason: string): JsonObject => ({ type: 'SubsetProvisioned', status: 'True', reason });
  const status = statusOf(
    united,
    item('a', { replicas: 2, unavailableReplicas: 1, conditions: [ready('a')] }),
    item('b', { replicas: 4, conditions: [ready('b')] }),
  ) as JsonObject;
  assert.deepEqual(
    [status['replicas'], status['unavailableReplicas'], status['conditions']],
    [6, 1, [ready('b')]],
  );
  assert.equal(interpreter.health(united), false);
});

test('a BroadcastJob: parallelism, labels that the member gives, an end in all clusters or in one', () => {
  const kind = 'apps.kruise.io/v1alpha1 BroadcastJob';
  const job = object(kind, { spec: { template: pods('1') } });
  assert.deepEqual(interpreter.replicas(job), {
    replicas: 1,
    requirements: { resourceRequest: { cpu: '1' } },
  });
  assert.deepEqual((interpreter.revise(job, 3) as KubeObject)['spec'], {
    template: pods('1'),
    parallelism: 3,
  });
  const labelled = object(kind, { spec: { template: { metadata: { labels: { uid: 'u' } }, spec: {} } } });
  assert.deepEqual(
    ((interpreter.retain(job, labelled) as KubeObject)['spec'] as { template: JsonObject }).template[
      'metadata'
    ],
    { labels: { uid: 'u' } },
  );
  const ended = (type: string): JsonObject => ({ conditions: [{ type, status: 'True' }], desired: 1 });
  const of = (...items: StatusItem[]): unknown => (statusOf(job, ...items) as JsonObject)['conditions'];
  assert.deepEqual(of(item('a', ended('Complete')), item('b', ended('Complete'))), [
    { type: 'Completed', status: 'True', reason: 'Completed', message: 'Job completed' },
  ]);
  assert.deepEqual(of(item('a', ended('Complete')), item('b', ended('Failed'))), [
    {
      type: 'Failed',
      status: 'True',
      reason: 'JobFailed',
      message: 'Job executed failed in member clusters: b',
    },
  ]);
  assert.equal(of(item('a', ended('Complete')), item('b', { active: 1 })), undefined);
  const running = { desired: 2, active: 1, succeeded: 0, failed: 0 };
  const health = (status: JsonObject): unknown => interpreter.health(object(kind, { status }));
  assert.equal(health(running), true);
  assert.equal(health({ ...running, active: 0 }), false);
  assert.equal(health({ ...running, failed: 1 }), false);
  assert.equal(health({ ...running, desired: 0 }), false);
});

test('an AdvancedCronJob lists what runs anywhere and needs what its jobs need', () => {
  const kind = 'apps.kruise.io/v1alpha1 AdvancedCronJob';
  const template = { broadcastJobTemplate: { spec: { template: pods('1', configured('cfg')) } } };
  const job = object(kind, { spec: { template } });
  assert.deepEqual(interpreter.dependencies(job), [needs('ConfigMap', 'cfg')]);
  assert.deepEqual(
    statusOf(
      job,
      item('a', { active: [{ name: '1' }], type: 'Job' }),
      item('b', { active: [{ name: '2' }], lastScheduleTime: NOW }),
    ),
    { active: [{ name: '1' }, { name: '2' }], type: 'Job', lastScheduleTime: NOW },
  );
});

test('a SidecarSet has no replicas, counts pods, and needs things where its pods are', () => {
  const kind = 'apps.kruise.io/v1alpha1 SidecarSet';
  const containers = [
    { name: 'c', env: [{ name: 'E', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] },
  ];
  const set: KubeObject = {
    ...object(kind, { spec: { namespace: 'pods', containers } }),
    metadata: { name: 'x' },
  };
  assert.deepEqual(interpreter.replicas(set), { replicas: 0, requirements: undefined });
  assert.deepEqual(interpreter.dependencies(set), [
    { apiVersion: 'v1', kind: 'Secret', namespace: 'pods', name: 's' },
  ]);
  const counts = { matchedPods: 2, updatedPods: 1, readyPods: 1 };
  assert.deepEqual(statusOf(set, item('a', counts), item('b', counts), item('c')), {
    matchedPods: 4,
    updatedPods: 2,
    readyPods: 2,
  });
  const health = (status: JsonObject): unknown => interpreter.health(object(kind, { status }));
  assert.deepEqual(
    [health(counts), health({ ...counts, updatedPods: 2 }), health({ matchedPods: 0 })],
    [false, true, true],
  );
  assert.deepEqual(interpreter.status(object(kind, { status: { matchedPods: 1 } })), {
    matchedPods: 1,
    updatedPods: 0,
    readyPods: 0,
  });
});

// ---- Argo, Volcano

test('a Workflow: parallelism, its own suspension and status, and all that it names', () => {
  const kind = 'argoproj.io/v1alpha1 Workflow';
  const flow = object(kind, {
    spec: {
      parallelism: 3,
      nodeSelector: { disk: 'ssd' },
      serviceAccountName: 'runner',
      executor: { serviceAccountName: 'executor' },
      imagePullSecrets: [{ name: 'pull' }],
      volumes: [{ name: 'v', secret: { secretName: 'token' } }],
      volumeClaimTemplates: [{ metadata: { name: 'work' } }],
    },
  });
  assert.deepEqual(interpreter.replicas(flow), {
    replicas: 3,
    requirements: { nodeClaim: { nodeSelector: { disk: 'ssd' } } },
  });
  assert.deepEqual(interpreter.dependencies(flow), [
    needs('PersistentVolumeClaim', 'work'),
    needs('Secret', 'pull'),
    needs('Secret', 'token'),
    needs('ServiceAccount', 'executor'),
    needs('ServiceAccount', 'runner'),
  ]);
  const kept = interpreter.retain(
    flow,
    object(kind, { spec: { suspend: true }, status: { phase: 'Running' } }),
  );
  assert.deepEqual(
    [(kept as KubeObject)['status'], ((kept as KubeObject)['spec'] as JsonObject)['suspend']],
    [{ phase: 'Running' }, true],
  );
  const health = (phase: string): unknown => interpreter.health(object(kind, { status: { phase } }));
  assert.deepEqual(['', 'Error', 'Failed', 'Running', 'Succeeded'].map(health), [
    false,
    false,
    false,
    true,
    true,
  ]);
});

const VOLCANO_JOB = 'batch.volcano.sh/v1alpha1 Job';

test('a Volcano Job has a component for each task, named by its place without a name', () => {
  const job = object(VOLCANO_JOB, {
    spec: {
      tasks: [
        { name: 'lead', template: pods('1') },
        { minAvailable: 4, replicas: 9, template: pods('2') },
      ],
    },
  });
  assert.deepEqual(interpreter.components(job), [
    { name: 'lead', replicas: 1, replicaRequirements: { resourceRequest: { cpu: '1' } } },
    { name: 'task-1', replicas: 4, replicaRequirements: { resourceRequest: { cpu: '2' } } },
  ]);
});

test('a Volcano Job alone is as its cluster says; of several the counts, the longest run and a joint end', () => {
  const job = object(VOLCANO_JOB, {});
  const status = { running: 2, state: { phase: 'Running' }, version: 3, runningDuration: '1m30s' };
  assert.deepEqual(statusOf(job, item('a', status)), status);
  const more = {
    running: 1,
    version: 5,
    runningDuration: '1h',
    taskStatusCount: { w: { phase: { Running: 2 } } },
  };
  assert.deepEqual(
    statusOf(
      job,
      item('a', { ...status, taskStatusCount: { w: { phase: { Running: 1, Pending: 1 } } } }),
      item('b', more),
    ),
    {
      running: 3,
      version: 5,
      runningDuration: '1h',
      taskStatusCount: { w: { phase: { Running: 3, Pending: 1 } } },
    },
  );
  const done = { state: { phase: 'Completed' } };
  const completed = { phase: 'Completed', reason: 'Completed', message: 'Job completed successfully' };
  assert.deepEqual(statusOf(job, item('a', done), item('b', done)), {
    state: { ...completed, lastTransitionTime: NOW },
  });
  const before = { status: { state: { ...completed, lastTransitionTime: '2026-01-01T00:00:00Z' } } };
  assert.deepEqual(statusOf(object(VOLCANO_JOB, before), item('a', done), item('b', done)), before.status);
  const failed = statusOf(job, item('a', done), item('b', { state: { phase: 'Aborted' } }));
  assert.equal((failed as { state: JsonObject }).state['message'], 'Job failed in clusters: b');
  assert.equal(interpreter.health(object(VOLCANO_JOB, { status: done })), true);
  assert.equal(interpreter.health(object(VOLCANO_JOB, { status: { state: { phase: 'Failed' } } })), false);
});

// ---- Flink, Spark

const FLINK = 'flink.apache.org/v1beta1 FlinkDeployment';
const flink = object(FLINK, {
  spec: {
    jobManager: { resource: { cpu: 1, memory: '2g' } },
    taskManager: { resource: { cpu: 0.5, memory: '4096m' } },
    job: { parallelism: 5 },
    flinkConfiguration: { 'taskmanager.numberOfTaskSlots': '2' },
    podTemplate: { spec: { nodeSelector: { disk: 'ssd' }, priorityClassName: 'high' } },
  },
});

test('a FlinkDeployment counts task managers by slots, and takes the larger of two requests', () => {
  const placed = { nodeClaim: { nodeSelector: { disk: 'ssd' } }, priorityClassName: 'high' };
  assert.deepEqual(interpreter.replicas(flink), {
    replicas: 4,
    requirements: { ...placed, resourceRequest: { cpu: '1', memory: '4Gi' }, namespace: 'shop' },
  });
  assert.deepEqual(interpreter.components(flink), [
    {
      name: 'jobmanager',
      replicas: 1,
      replicaRequirements: { ...placed, resourceRequest: { cpu: '1', memory: '2Gi' } },
    },
    {
      name: 'taskmanager',
      replicas: 3,
      replicaRequirements: { ...placed, resourceRequest: { cpu: '500m', memory: '4Gi' } },
    },
  ]);
  const fixed = object(FLINK, { spec: { taskManager: { replicas: 7 }, jobManager: { replicas: 2 } } });
  assert.deepEqual(interpreter.replicas(fixed), { replicas: 9, requirements: { namespace: 'shop' } });
});

test('a FlinkDeployment that only starts is unhealthy, unless the fault is the user’s', () => {
  const health = (status: JsonObject): unknown => interpreter.health(object(FLINK, { status }));
  const state = (name: string): JsonObject => ({ jobStatus: { state: name } });
  assert.equal(health({ jobManagerDeploymentStatus: 'READY', lifecycleState: 'STABLE' }), true);
  assert.equal(health({ jobManagerDeploymentStatus: 'READY' }), false);
  assert.equal(health(state('FAILED')), true);
  assert.equal(health(state('RECONCILING')), false);
  assert.equal(health({ ...state('RECONCILING'), error: 'x: ErrImagePull' }), true);
  assert.equal(health(state('SOMETHING')), false);
  const items = [item('a', state('RUNNING')), item('b', { error: 'e' }), item('c')];
  assert.deepEqual(statusOf(object(FLINK, { status: { clusterInfo: { x: '1' }, other: 1 } }), ...items), {
    other: 1,
    error: 'e',
  });
});

const SPARK = 'sparkoperator.k8s.io/v1beta2 SparkApplication';

test('a SparkApplication adds overhead to memory, and executors by dynamic allocation', () => {
  const spark = object(SPARK, {
    spec: {
      type: 'Scala',
      driver: { cores: 2, memory: '8g', gpu: { name: 'nvidia.com/gpu', quantity: 1 } },
      executor: { instances: 2, memory: '512m', memoryOverhead: '256m', tolerations: [{ key: 'spark' }] },
      dynamicAllocation: { enabled: true, minExecutors: 4 },
    },
  });
  assert.deepEqual(interpreter.components(spark), [
    {
      name: 'driver',
      replicas: 1,
      replicaRequirements: { resourceRequest: { cpu: '2', memory: '9448928051200m', 'nvidia.com/gpu': '1' } },
    },
    {
      name: 'executor',
      replicas: 4,
      replicaRequirements: {
        nodeClaim: { tolerations: [{ key: 'spark' }] },
        resourceRequest: { cpu: '1', memory: '768Mi' },
      },
    },
  ]);
  const python = object(SPARK, { spec: { type: 'Python', driver: { memory: '2g' }, executor: {} } });
  const memory = (interpreter.components(python) as readonly Component[]).map(
    ({ replicaRequirements }) => replicaRequirements?.resourceRequest?.['memory'],
  );
  // 40 % of 2 GiB, and the least overhead of all.
  assert.deepEqual(memory, ['3006477107200m', '1503238553600m']);
});

test('a SparkApplication shows the worst of its states', () => {
  const state = (name: string): JsonObject => ({ applicationState: { state: name } });
  assert.deepEqual(
    statusOf(
      object(SPARK, {}),
      item('a', { ...state('RUNNING'), executionAttempts: 1, executorState: { e1: 'RUNNING' } }),
      item('b', { ...state('FAILED'), executionAttempts: 2, terminationTime: '2026-01-02T00:00:00Z' }),
      item('c', { ...state('ODD'), terminationTime: '2026-01-01T00:00:00Z' }),
    ),
    {
      ...state('FAILED'),
      executionAttempts: 3,
      submissionAttempts: 0,
      executorState: { e1: 'RUNNING' },
      terminationTime: '2026-01-02T00:00:00Z',
    },
  );
  assert.equal(interpreter.health(object(SPARK, { status: state('FAILED') })), false);
  assert.equal(interpreter.health(object(SPARK, { status: state('SUBMITTED') })), true);
  assert.equal(interpreter.health(object(SPARK, { status: {} })), false);
});

// ---- Kubeflow

const TORCH = 'kubeflow.org/v1 PyTorchJob';
const TENSOR = 'kubeflow.org/v1 TFJob';

test('training jobs have a component for each type of pod and need what all of them need', () => {
  const specs = {
    Master: { template: pods('1', configured('a')) },
    Worker: { replicas: 3, template: pods('2', configured('b')) },
  };
  const torch = object(TORCH, { spec: { pytorchReplicaSpecs: specs } });
  const requirements = (cpu: string): unknown => ({ resourceRequest: { cpu } });
  assert.deepEqual(interpreter.components(torch), [
    { name: 'master', replicas: 1, replicaRequirements: requirements('1') },
    { name: 'worker', replicas: 3, replicaRequirements: requirements('2') },
  ]);
  assert.deepEqual(interpreter.dependencies(torch), [needs('ConfigMap', 'a'), needs('ConfigMap', 'b')]);
  const tensor = object(TENSOR, { spec: { tfReplicaSpecs: { Chief: {}, PS: { replicas: '2' } } } });
  assert.deepEqual(interpreter.components(tensor), [
    { name: 'ps', replicas: 2 },
    { name: 'chief', replicas: 1 },
  ]);
});

const was = (type: string, status = 'True'): JsonObject => ({ type, status, lastUpdateTime: NOW });

test('a PyTorchJob is created anywhere, runs until it has ended, and fails where one fails', () => {
  const start = '2026-01-01T00:00:00Z';
  const a = {
    startTime: '2026-01-01T00:00:05Z',
    replicaStatuses: { Worker: { active: 2 } },
    conditions: [was('Created'), was('Running')],
  };
  const b = {
    startTime: start,
    replicaStatuses: { Worker: { active: 1, failed: 1 } },
    conditions: [was('Created')],
  };
  const created = {
    type: 'Created',
    status: 'True',
    reason: 'PyTorchJobCreated',
    message: 'PyTorchJob is created.',
    lastUpdateTime: start,
    lastTransitionTime: start,
  };
  assert.deepEqual(statusOf(object(TORCH, {}), item('a', a), item('b', b)), {
    startTime: start,
    replicaStatuses: { Worker: { active: 3, failed: 1 } },
    conditions: [
      created,
      {
        type: 'Running',
        status: 'True',
        reason: 'PyTorchJobRunning',
        message: 'PyTorchJob is running.',
        lastUpdateTime: NOW,
      },
    ],
  });
  const shown = (...items: StatusItem[]): unknown =>
    ((statusOf(object(TORCH, {}), ...items) as JsonObject)['conditions'] as JsonObject[]).map(
      ({ type, status }) => `${type as string}=${status as string}`,
    );
  assert.deepEqual(
    shown(
      item('a', { conditions: [was('Running'), was('Succeeded')] }),
      item('b', { conditions: [was('Failed')] }),
    ),
    ['Running=False', 'Failed=True'],
  );
  assert.deepEqual(
    shown(item('a', { conditions: [was('Succeeded')] }), item('b', { conditions: [was('Succeeded')] })),
    ['Succeeded=True'],
  );
  assert.deepEqual(statusOf(object(TORCH, { status: { startTime: start, replicaStatuses: {} } })), {});
});

test('a TFJob says only how it ended, and keeps since when', () => {
  const done = { conditions: [was('Succeeded')], completionTime: NOW };
  const status = statusOf(object(TENSOR, {}), item('a', done), item('b', done)) as JsonObject;
  const succeeded = {
    type: 'Succeeded',
    status: 'True',
    reason: 'Completed',
    message: 'TFJob completed successfully',
  };
  assert.deepEqual(status['conditions'], [{ ...succeeded, lastProbeTime: NOW, lastTransitionTime: NOW }]);
  assert.equal(status['completionTime'], NOW);
  const before = [{ ...succeeded, lastProbeTime: '2026-01-01T00:00:00Z' }];
  const again = statusOf(
    object(TENSOR, { status: { conditions: before } }),
    item('a', done),
    item('b', done),
  );
  assert.deepEqual((again as JsonObject)['conditions'], before);
  const running = statusOf(object(TENSOR, {}), item('a', done), item('b', { conditions: [was('Running')] }));
  assert.equal((running as JsonObject)['conditions'], undefined);
  const health = (conditions: JsonObject[]): unknown =>
    interpreter.health(object(TENSOR, { status: { conditions } }));
  assert.deepEqual([health([was('Running')]), health([was('Failed')]), health([])], [true, false, false]);
});

test('an MPIJob keeps the newest condition of each type', () => {
  const kind = 'kubeflow.org/v2beta1 MPIJob';
  const job = object(kind, {
    spec: { mpiReplicaSpecs: { Launcher: { template: pods('1') }, Worker: { template: pods('2') } } },
  });
  assert.deepEqual(
    (interpreter.components(job) as readonly Component[]).map(({ name, replicas }) => [name, replicas]),
    [['Launcher', 1], ['Worker', 0]],
  ); // prettier-ignore
  const old = { type: 'Running', status: 'True', lastUpdateTime: '2026-01-01T00:00:00Z' };
  const young = { type: 'Running', status: 'False', lastUpdateTime: '2026-01-02T00:00:00Z' };
  assert.deepEqual(
    statusOf(
      job,
      item('a', { conditions: [young], replicaStatuses: { Worker: { active: 1 } } }),
      item('b', { conditions: [old], replicaStatuses: { Worker: { active: 2 } } }),
    ),
    { conditions: [young], replicaStatuses: { Worker: { active: 3, succeeded: 0, failed: 0 } } },
  );
});

test('a Notebook is ready where all run, and failed where one does not', () => {
  const kind = 'kubeflow.org/v1 Notebook';
  const notebook = object(kind, { spec: { template: pods('1') } });
  assert.deepEqual(interpreter.replicas(notebook), {
    replicas: 1,
    requirements: { resourceRequest: { cpu: '1' } },
  });
  const running = (startedAt: string): JsonObject => ({
    readyReplicas: 1,
    containerState: { running: { startedAt } },
  });
  const shown = (...items: StatusItem[]): unknown => {
    const { conditions, containerState } = statusOf(notebook, ...items) as {
      conditions: JsonObject[];
      containerState: unknown;
    };
    return [conditions.map(({ type }) => type), containerState];
  };
  assert.deepEqual(shown(item('a', running('2')), item('b', running('1'))), [
    ['Ready'],
    { running: { startedAt: '2' } },
  ]);
  assert.deepEqual(shown(item('a', running('2')), item('b', {})), [
    ['Failed'],
    { waiting: { reason: 'Unschedulable' } },
  ]);
  const health = (containerState: JsonObject): unknown =>
    interpreter.health(object(kind, { status: { containerState } }));
  assert.equal(health({ running: {} }), true);
  assert.equal(health({ waiting: { reason: 'ContainerCreating' } }), true);
  assert.equal(health({ waiting: { reason: 'ErrImagePull' } }), false);
  assert.equal(health({ terminated: { exitCode: 0 } }), true);
  assert.equal(health({ terminated: { exitCode: 1 } }), false);
  assert.equal(health({}), false);
});

// ---- Ray

const CLUSTER_SPEC = {
  headGroupSpec: { template: pods('1', configured('head')) },
  workerGroupSpecs: [
    { groupName: 'small', replicas: 2, template: pods('2', configured('small')) },
    { replicas: 1, template: pods('4') },
  ],
};

test('a RayCluster and a RayJob have a head and groups of workers', () => {
  const names = (one: KubeObject): unknown =>
    (interpreter.components(one) as readonly Component[]).map(({ name, replicas }) => `${name}=${replicas}`);
  assert.deepEqual(names(object('ray.io/v1 RayCluster', { spec: CLUSTER_SPEC })), [
    'ray-head=1',
    'small=2',
    'worker-2=1',
  ]);
  const job = object('ray.io/v1 RayJob', {
    spec: { rayClusterSpec: CLUSTER_SPEC, submitterPodTemplate: pods('1', configured('submit')) },
  });
  assert.deepEqual(names(job), ['ray-head=1', 'small=2', 'worker-2=1']);
  assert.deepEqual(
    (interpreter.dependencies(job) as readonly Dependency[]).map(({ name }) => name),
    ['head', 'small', 'submit'],
  );
});

test('a RayCluster adds up workers and amounts; the first head counts', () => {
  const kind = 'ray.io/v1 RayCluster';
  const a = {
    desiredCPU: '500m',
    desiredMemory: '1Gi',
    desiredGPU: '1',
    state: 'ready',
    readyWorkerReplicas: 1,
  };
  const b = {
    desiredCPU: '2',
    desiredMemory: '1Gi',
    head: { podIP: 'x' },
    state: 'failed',
    readyWorkerReplicas: 2,
  };
  assert.deepEqual(statusOf(object(kind, {}), item('a', a), item('b', b)), {
    readyWorkerReplicas: 3,
    availableWorkerReplicas: 0,
    maxWorkerReplicas: 0,
    minWorkerReplicas: 0,
    desiredWorkerReplicas: 0,
    desiredCPU: '2500m',
    desiredMemory: '2Gi',
    desiredGPU: '1',
    desiredTPU: '0',
    head: { podIP: 'x' },
    state: 'ready',
  });
  const up = [was('HeadPodReady'), was('RayClusterProvisioned')];
  const health = (conditions: JsonObject[]): unknown =>
    interpreter.health(object(kind, { status: { conditions } }));
  assert.deepEqual(
    [health(up), health(up.slice(1)), health([...up, was('RayClusterReplicaFailure')])],
    [true, false, false],
  );
});

test('a RayJob shows the state that matters most, with its reason', () => {
  const kind = 'ray.io/v1 RayJob';
  assert.deepEqual(
    statusOf(
      object(kind, { status: { reason: 'old' } }),
      item('a', { jobDeploymentStatus: 'Running', jobStatus: 'RUNNING', message: 'm1' }),
      item('b', { jobDeploymentStatus: 'Failed', jobStatus: 'FAILED', reason: 'AppFailed' }),
    ),
    { jobStatus: 'FAILED', jobDeploymentStatus: 'Failed', reason: 'AppFailed' },
  );
  const health = (jobDeploymentStatus: string, jobStatus: string): unknown =>
    interpreter.health(object(kind, { status: { jobDeploymentStatus, jobStatus } }));
  assert.deepEqual(
    [
      health('Running', ''),
      health('Complete', 'SUCCEEDED'),
      health('Complete', 'FAILED'),
      health('Waiting', ''),
    ],
    [true, true, false, false],
  );
});

test('a RayService divides workers as they are divided now, and never more than there are', () => {
  const kind = 'ray.io/v1 RayService';
  const service = (...replicas: number[]): KubeObject =>
    object(kind, {
      spec: {
        rayClusterConfig: {
          ...CLUSTER_SPEC,
          workerGroupSpecs: replicas.map((one) => ({ replicas: one, template: pods('4') })),
        },
      },
    });
  const revised = (one: KubeObject, replicas: number): unknown => {
    const { spec } = interpreter.revise(one, replicas) as KubeObject;
    const { rayClusterConfig } = spec as { rayClusterConfig: typeof CLUSTER_SPEC };
    return rayClusterConfig.workerGroupSpecs.map((group) => group.replicas);
  };
  assert.deepEqual(interpreter.replicas(service(2, 1)), {
    replicas: 4,
    requirements: { resourceRequest: { cpu: '4' } },
  });
  assert.deepEqual(interpreter.replicas(object(kind, { spec: {} })), {
    replicas: 0,
    requirements: undefined,
  });
  assert.deepEqual(revised(service(3), 6), [5]);
  assert.deepEqual(revised(service(2, 1), 7), [4, 2]);
  assert.deepEqual(revised(service(0, 0, 0), 6), [2, 2, 1]);
  assert.deepEqual(revised(service(1, 1, 1, 1), 3), [1, 1, 0, 0]);
  assert.deepEqual(revised(service(2, 2), 0), [0, 0]);
  assert.deepEqual(revised(service(2, 2), 1), [0, 0]);
});

test('a RayService shows of each application the worst status', () => {
  const active = (applicationStatuses: JsonObject): JsonObject => ({
    activeServiceStatus: { rayClusterName: 'c', applicationStatuses },
  });
  assert.deepEqual(
    statusOf(
      object('ray.io/v1 RayService', {}),
      item('a', {
        ...active({ app: { status: 'RUNNING' } }),
        numServeEndpoints: 1,
        observedGeneration: 2,
        serviceStatus: 'Running',
      }),
      item('b', {
        ...active({ app: { status: 'UNHEALTHY' }, other: { status: 'RUNNING' } }),
        numServeEndpoints: 2,
        serviceStatus: '',
      }),
    ),
    {
      numServeEndpoints: 3,
      observedGeneration: 2,
      serviceStatus: '',
      ...active({ app: { status: 'UNHEALTHY' }, other: { status: 'RUNNING' } }),
    },
  );
});

// ---- Flux, Kyverno

const SOURCE = 'source.toolkit.fluxcd.io/v1beta2';
const FLUX: readonly (readonly [kind: string, spec: JsonObject, needed: readonly unknown[], reason: string])[] = [
  [
    'kustomize.toolkit.fluxcd.io/v1 Kustomization',
    { decryption: { secretRef: { name: 'keys' } }, kubeConfig: { secretRef: { name: 'kube' } }, serviceAccountName: 'sa' },
    [needs('Secret', 'keys'), needs('Secret', 'kube'), needs('ServiceAccount', 'sa')],
    'ReconciliationSucceeded',
  ],
  [
    'helm.toolkit.fluxcd.io/v2beta1 HelmRelease',
    { valuesFrom: [{ kind: 'Secret', name: 's' }, { kind: 'ConfigMap', name: 'c' }], chart: { spec: { verify: { secretRef: { name: 'v' } } } } },
    [needs('ConfigMap', 'c'), needs('Secret', 's'), needs('Secret', 'v')],
    'ReconciliationSucceeded',
  ],
  [
    'source.toolkit.fluxcd.io/v1 GitRepository',
    { secretRef: { name: 'git' }, verify: { secretRef: { name: 'gpg' } } },
    [needs('Secret', 'git'), needs('Secret', 'gpg')],
    'Succeeded',
  ],
  [`${SOURCE} Bucket`, { secretRef: { name: 's3' } }, [needs('Secret', 's3')], 'Succeeded'],
  [`${SOURCE} HelmChart`, { verify: { secretRef: { name: 'cosign' } } }, [needs('Secret', 'cosign')], 'ChartPullSucceeded'],
  [`${SOURCE} HelmRepository`, { secretRef: { name: 'repo' } }, [needs('Secret', 'repo')], 'Succeeded'],
  [
    `${SOURCE} OCIRepository`,
    { secretRef: { name: 'a' }, certSecretRef: { name: 'b' }, verify: { secretRef: { name: 'c' } } },
    [needs('Secret', 'a'), needs('Secret', 'b'), needs('Secret', 'c')],
    'Succeeded',
  ],
]; // prettier-ignore

for (const [kind, spec, needed, reason] of FLUX) {
  test(`${kind}: health, suspension of the member, dependencies, conditions of all clusters`, () => {
    const one = object(kind, { spec }, { generation: 2 });
    const ready = (why: string): JsonObject => ({
      type: 'Ready',
      status: 'True',
      reason: why,
      message: 'ok',
    });
    const with_ = (conditions: JsonObject[]): KubeObject => object(kind, { spec, status: { conditions } });
    assert.equal(interpreter.health(with_([ready(reason)])), true);
    assert.equal(interpreter.health(with_([ready('Other')])), false);
    assert.equal(interpreter.health(one), false);
    const kept = interpreter.retain(one, object(kind, { spec: { suspend: true } })) as KubeObject;
    assert.deepEqual(kept['spec'], { ...spec, suspend: true });
    assert.equal(interpreter.retain(one, object(kind, { spec: {} })), one);
    assert.deepEqual(interpreter.dependencies(one), needed);
    const seen = { generation: 1, observedGeneration: 1, resourceTemplateGeneration: 2 };
    const status = statusOf(
      one,
      item('a', { ...seen, conditions: [ready(reason)] }),
      item('b', { ...seen, conditions: [ready(reason), { type: 'Stalled', status: 'True' }] }),
    ) as JsonObject;
    assert.deepEqual(status['conditions'], [
      { ...ready(reason), message: 'a=ok, b=ok' },
      { type: 'Stalled', status: 'True', message: 'b=' },
    ]);
    assert.equal(status['observedGeneration'], 2);
    const annotations = { 'resourcetemplate.karmada.io/generation': '2' };
    const reported = interpreter.status(
      object(
        kind,
        { status: { conditions: [], observedGeneration: 5, secret: 'no' } },
        { generation: 5, annotations },
      ),
    );
    assert.deepEqual(reported, { observedGeneration: 5, generation: 5, resourceTemplateGeneration: 2 });
  });
}

test('a HelmRelease counts failures over clusters, and not over time', () => {
  const kind = 'helm.toolkit.fluxcd.io/v2beta1 HelmRelease';
  const failing = object(kind, { status: { failures: 40, lastAppliedRevision: '1' } });
  const status = statusOf(
    failing,
    item('a', { failures: 2, lastReleaseRevision: 3 }),
    item('b', { failures: 1 }),
  ) as JsonObject;
  assert.deepEqual(
    [status['failures'], status['lastReleaseRevision'], status['lastAppliedRevision']],
    [3, 3, '1'],
  );
});

test('the artifact of a source is that of the last cluster that has one', () => {
  const artifact = { revision: 'main@1' };
  const template = object('source.toolkit.fluxcd.io/v1 GitRepository', {
    status: { artifact: { revision: 'old' } },
  });
  const of = (...items: StatusItem[]): unknown => (statusOf(template, ...items) as JsonObject)['artifact'];
  assert.deepEqual(of(item('a', { artifact }), item('b', {})), artifact);
  assert.equal(of(item('a', {})), undefined);
});

test('the url of a source is that of its members, and empty where none has one', () => {
  const template = object('source.toolkit.fluxcd.io/v1beta2 Bucket', { status: { url: 'old' } });
  const of = (...items: StatusItem[]): unknown => (statusOf(template, ...items) as JsonObject)['url'];
  assert.deepEqual([of(item('a', { url: 'u' }), item('b', {})), of(item('a', {})), of()], ['u', '', '']);
});

for (const kind of ['kyverno.io/v1 Policy', 'kyverno.io/v1 ClusterPolicy']) {
  test(`${kind}: rules counted, ready or a condition`, () => {
    const ready = { type: 'Ready', status: 'True', reason: 'Succeeded', message: 'ok' };
    assert.deepEqual(
      statusOf(
        object(kind, {}),
        item('a', { ready: true, rulecount: { validate: 1 }, conditions: [ready] }),
        item('b', { ready: false, rulecount: { validate: 2, mutate: 1 } }),
      ),
      {
        ready: false,
        rulecount: { validate: 3, generate: 0, mutate: 1, verifyimages: 0 },
        conditions: [{ ...ready, message: 'a=ok' }],
      },
    );
    const health = (status: JsonObject): unknown => interpreter.health(object(kind, { status }));
    assert.deepEqual(
      [
        health({ ready: true }),
        health({ ready: false, conditions: [ready] }),
        health({ conditions: [ready] }),
        health({}),
      ],
      [true, false, true, false],
    );
    assert.deepEqual(interpreter.status(object(kind, { status: { ready: true, secret: 1 } })), {
      ready: true,
    });
    // What is empty goes, what held only that stays.
    const autogen = { rules: [{ name: 'r', exclude: { resources: {} }, generate: {}, list: [] }] };
    assert.deepEqual(interpreter.status(object(kind, { status: { autogen } })), {
      autogen: { rules: [{ name: 'r', exclude: {} }] },
    });
  });
}
