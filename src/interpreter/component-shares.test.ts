import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, KubeObject } from '../api/index.ts';
import { withComponentShares } from './component-shares.ts';
import { Customizations } from './customization.ts';
import { Interpretations } from './declared/index.ts';
import { createInterpreter, type Interpreter } from './interpreter.ts';
import { thirdPartyLayer } from './third-party/index.ts';

const NOW = (): string => '2026-01-01T00:00:00Z';
const shipped = createInterpreter([thirdPartyLayer(NOW)]);

function of(apiVersion: string, kind: string, spec: JsonObject): KubeObject {
  return { apiVersion, kind, metadata: { name: 'one', namespace: 'shop' }, spec };
}

const pods = { spec: { containers: [{ name: 'main' }] } };
const volcano = of('batch.volcano.sh/v1alpha1', 'Job', {
  tasks: [
    { name: 'ps', minAvailable: 1, replicas: 2, template: pods },
    { replicas: 1, template: pods },
  ],
});
const torch = of('kubeflow.org/v1', 'PyTorchJob', {
  pytorchReplicaSpecs: { Master: { template: pods }, Worker: { replicas: 2, template: pods } },
});
const mpi = of('kubeflow.org/v2beta1', 'MPIJob', {
  mpiReplicaSpecs: { Launcher: { template: pods }, Worker: { replicas: 2, template: pods } },
});
const ray = of('ray.io/v1', 'RayCluster', {
  headGroupSpec: { template: pods },
  workerGroupSpecs: [{ groupName: 'small', replicas: 1, template: pods }, { template: pods }],
});
const rayJob = of('ray.io/v1', 'RayJob', { rayClusterSpec: ray['spec'] as JsonObject });
const flink = of('flink.apache.org/v1beta1', 'FlinkDeployment', {
  jobManager: {},
  taskManager: { replicas: 1 },
});
const spark = of('sparkoperator.k8s.io/v1beta2', 'SparkApplication', {
  type: 'Java',
  driver: {},
  executor: { instances: 2 },
});

const written: [sentence: string, template: KubeObject, shares: Record<string, number>, path: string, value: unknown][] = [
  ['a Volcano task', volcano, { ps: 3 }, 'spec.tasks.0', { name: 'ps', minAvailable: 3, replicas: 3, template: pods }],
  ['a Volcano task without a name', volcano, { 'task-1': 1, ps: 1 }, 'spec.tasks', (volcano['spec'] as JsonObject)['tasks']],
  ['a type of a training job', torch, { worker: 4 }, 'spec.pytorchReplicaSpecs.Worker.replicas', 4],
  ['a type of an MPI job', mpi, { Worker: 0 }, 'spec.mpiReplicaSpecs.Worker.replicas', 0],
  ['a group of Ray workers', ray, { small: 5 }, 'spec.workerGroupSpecs.0.replicas', 5],
  ['a group of Ray workers without a name', ray, { 'worker-2': 1 }, 'spec.workerGroupSpecs.1.replicas', 1],
  ['the workers of a Ray job', rayJob, { small: 2 }, 'spec.rayClusterSpec.workerGroupSpecs.0.replicas', 2],
  ["Flink's task managers", flink, { taskmanager: 3 }, 'spec.taskManager.replicas', 3],
  ["Flink's job managers", flink, { jobmanager: 2 }, 'spec.jobManager.replicas', 2],
  ["Spark's executors", spark, { executor: 7, driver: 1 }, 'spec.executor.instances', 7],
]; // prettier-ignore

const sharesOf = (shares: Record<string, number>): { name: string; replicas: number }[] =>
  Object.entries(shares).map(([name, replicas]) => ({ name, replicas }));
const at = (value: unknown, path: string): unknown =>
  path.split('.').reduce((found, key) => (found as Record<string, unknown> | undefined)?.[key], value);

for (const [sentence, template, shares, path, value] of written) {
  test(`the share of ${sentence} is written where it stands`, async () => {
    const manifest = await withComponentShares(shipped, template, sharesOf(shares));
    assert.deepEqual(at(manifest, path), value);
    assert.deepEqual(await withComponentShares(shipped, manifest, sharesOf(shares)), manifest);
  });
}

test('shares that are those of the template leave it as it is', async () => {
  assert.equal(await withComponentShares(shipped, ray, sharesOf({ 'ray-head': 1, small: 1 })), ray);
  assert.equal(await withComponentShares(shipped, ray, []), ray);
});

const refused: [sentence: string, template: KubeObject, shares: Record<string, number>, why: RegExp][] = [
  ['there is no such component', ray, { other: 1 }, /RayCluster one has no component other/],
  ['it is always one', ray, { 'ray-head': 2 }, /component ray-head of RayCluster one cannot be given 2 replicas/],
  [
    'something else decides as well',
    of('sparkoperator.k8s.io/v1beta2', 'SparkApplication', {
      driver: {},
      executor: { instances: 2 },
      dynamicAllocation: { enabled: true, minExecutors: 4 },
    }),
    { executor: 1 },
    /component executor of SparkApplication one cannot be given 1 replicas/,
  ],
]; // prettier-ignore
for (const [sentence, template, shares, why] of refused) {
  test(`a share is refused when ${sentence}`, async () => {
    await assert.rejects(withComponentShares(shipped, template, sharesOf(shares)), why);
  });
}

function declared(components: readonly object[]): Interpreter {
  const interpretations = new Interpretations(NOW);
  interpretations.load([
    {
      apiVersion: 'navarch.io/v1alpha1',
      kind: 'ResourceInterpretation',
      metadata: { name: 'queue' },
      spec: { target: { apiVersion: 'example.com/v1', kind: 'Queue' }, components },
    } as never,
  ]);
  return createInterpreter([interpretations.layer]);
}
const queue = of('example.com/v1', 'Queue', { head: 1, pool: { size: 2 } });

test('a component that is declared by a path is written there, one by an expression is refused', async () => {
  const interpreter = declared([
    { name: 'head', replicas: { expression: 'object.spec.head' } },
    { name: 'pool', replicas: { path: '.spec.pool.size' } },
  ]);
  const manifest = await withComponentShares(interpreter, queue, sharesOf({ head: 1, pool: 6 }));
  assert.deepEqual(manifest['spec'], { head: 1, pool: { size: 6 } });
  await assert.rejects(
    withComponentShares(interpreter, queue, sharesOf({ head: 2 })),
    /component head of Queue one/,
  );
});

test('a component of a script is refused when its share is not that of the template', async () => {
  const customizations = new Customizations({ now: () => 0 });
  const luaScript = "function GetComponents(o) return {{name='pool', replicas=o.spec.pool.size}} end";
  customizations.load([
    {
      apiVersion: 'config.karmada.io/v1alpha1',
      kind: 'ResourceInterpreterCustomization',
      metadata: { name: 'queue' },
      spec: {
        target: { apiVersion: 'example.com/v1', kind: 'Queue' },
        customizations: { componentResource: { luaScript } },
      },
    },
  ]);
  const interpreter = createInterpreter([customizations.layer]);
  assert.equal(await withComponentShares(interpreter, queue, sharesOf({ pool: 2 })), queue);
  await assert.rejects(
    withComponentShares(interpreter, queue, sharesOf({ pool: 3 })),
    /describe the kind by a/,
  );
});
