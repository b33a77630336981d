// Kubeflow: training jobs of several kinds of pods, and notebooks.
import type { KindRules } from '../kind-rules.ts';
import type { JsonObject, JsonValue, KubeObject } from '../../api/index.ts';
import { listAt, objectAt, textAt, withValue } from '../native/read.ts';
import {
  alone,
  clustersWith,
  earliest,
  latest,
  newestConditions,
  objectsAt,
  sinceBefore,
  sum,
  withoutZeros,
  type Items,
} from './adding-up.ts';
import {
  component,
  hasCondition,
  neededByPods,
  numberAt,
  reporting,
  templateAt,
  templateRequirements,
} from './kind-parts.ts';

// ---- jobs

function replicaSpecs(
  object: KubeObject,
  field: string,
  types: readonly string[],
): readonly (readonly [string, JsonObject])[] {
  return types.flatMap((type) => {
    const spec = objectAt(object, 'spec', field, type);
    return spec === undefined ? [] : [[type, spec] as const];
  });
}

function replicaStatuses(items: Items, types: readonly string[]): JsonObject {
  const counts = (type: string): JsonObject =>
    Object.fromEntries(
      ['active', 'failed', 'succeeded'].map((state) => [state, sum(items, 'replicaStatuses', type, state)]),
    );
  return Object.fromEntries(types.map((type) => [type, counts(type)]));
}

const hasNotFailed: NonNullable<KindRules['health']> = ({ status }) =>
  listAt(status, 'conditions').length > 0 && !hasCondition(status, 'Failed');

interface TrainingJob {
  /** Of the spec, with one entry for each type of pod. */
  readonly field: string;
  readonly types: readonly string[];
  readonly conditions: (template: KubeObject, items: Items, now: string) => readonly JsonObject[];
}

function trainingJob({ field, types, conditions }: TrainingJob): KindRules {
  return {
    components: (object) =>
      replicaSpecs(object, field, types).map(([type, spec]) =>
        component(
          type.toLowerCase(),
          numberAt(spec, 'replicas') ?? 1,
          templateRequirements(objectAt(spec, 'template')),
        ),
      ),
    withComponent: (object, name, replicas) => {
      const type = types.find((one) => one.toLowerCase() === name);
      return type === undefined ? undefined : withValue(object, ['spec', field, type, 'replicas'], replicas);
    },
    aggregate: (template, items, now) => {
      const {
        startTime: _start,
        replicaStatuses: _replicas,
        conditions: _conditions,
        completionTime,
        ...others
      } = objectAt(template, 'status') ?? {};
      if (items.length === 0) return others;
      const found = conditions(template, items, now);
      const succeeded = found.some(({ type }) => type === 'Succeeded');
      return withoutZeros({
        ...others,
        ...(succeeded ? latest(items, 'completionTime') : { completionTime }),
        ...earliest(items, 'startTime'),
        ...latest(items, 'lastReconcileTime'),
        replicaStatuses: replicaStatuses(items, types),
        conditions: found,
      });
    },
    health: hasNotFailed,
    dependencies: (object) =>
      neededByPods(
        object,
        replicaSpecs(object, field, types).map(([, spec]) => objectAt(spec, 'template')),
      ),
  };
}

function ends(items: Items): { readonly failed: readonly string[]; readonly succeeded: boolean } {
  const failed = clustersWith(items, (status) => hasCondition(status, 'Failed'));
  const succeeded = clustersWith(
    items,
    (status) => hasCondition(status, 'Succeeded') && !hasCondition(status, 'Failed'),
  );
  return { failed, succeeded: succeeded.length === items.length };
}

function at(time: JsonValue | undefined): JsonObject {
  return time === undefined ? {} : { lastUpdateTime: time, lastTransitionTime: time };
}

/** Created, Running and the end, in this order: `kubectl get` shows the last one. */
function pyTorchConditions(_template: KubeObject, items: Items): readonly JsonObject[] {
  const { failed, succeeded } = ends(items);
  const conditions: JsonObject[] = [];
  const add = (type: string, status: string, message: string, times: JsonObject): void => {
    conditions.push({ type, status, reason: `PyTorchJob${type}`, message, ...times });
  };
  const started = at(earliest(items, 'startTime')['startTime']);
  const ended = at(latest(items, 'completionTime')['completionTime']);
  if (clustersWith(items, (status) => hasCondition(status, 'Created')).length > 0)
    add('Created', 'True', 'PyTorchJob is created.', started);
  const running = items
    .flatMap(({ status }) => listAt(status, 'conditions'))
    .findLast(({ type }) => type === 'Running');
  if (running !== undefined) {
    const { lastUpdateTime, lastTransitionTime } = running;
    const status = failed.length > 0 || succeeded ? 'False' : 'True';
    add('Running', status, 'PyTorchJob is running.', { lastUpdateTime, lastTransitionTime });
  }
  if (failed.length > 0) {
    const text = `PyTorchJob executed failed in member clusters: ${failed.join(', ')}`;
    add('Failed', 'True', text, ended);
  } else if (succeeded) add('Succeeded', 'True', 'PyTorchJob is successfully completed.', ended);
  return conditions;
}

function tensorFlowConditions(template: KubeObject, items: Items, now: string): readonly JsonObject[] {
  const { failed, succeeded } = ends(items);
  const conditions: JsonObject[] = [];
  const add = (type: string, reason: string, message: string): void => {
    // COMPAT: lastProbeTime, as conditions of Kubernetes' Jobs; not the lastUpdateTime of Kubeflow's own.
    conditions.push({ type, status: 'True', reason, message, lastProbeTime: now, lastTransitionTime: now });
  };
  if (failed.length > 0)
    add('Failed', 'TFJobFailed', `TFJob executed failed in member clusters: ${failed.join(', ')}`);
  if (succeeded) add('Succeeded', 'Completed', 'TFJob completed successfully');
  return sinceBefore(template, conditions);
}

// ---- MPI

const mpiJob: KindRules = {
  components: (object) => {
    const specs = objectAt(object, 'spec', 'mpiReplicaSpecs') ?? {};
    return replicaSpecs(object, 'mpiReplicaSpecs', Object.keys(specs))
      .filter(([, spec]) => objectAt(spec, 'template') !== undefined)
      .map(([type, spec]) =>
        component(
          type,
          numberAt(spec, 'replicas') ?? (type.toLowerCase() === 'worker' ? 0 : 1),
          templateRequirements(objectAt(spec, 'template')),
        ),
      );
  },
  withComponent: (object, name, replicas) =>
    withValue(object, ['spec', 'mpiReplicaSpecs', name, 'replicas'], replicas),
  status: reporting('replicaStatuses', 'conditions', 'startTime', 'completionTime', 'lastReconcileTime'),
  aggregate: (_template, items) => {
    if (items.length < 2) return alone(items);
    const types = items.flatMap(({ status }) => Object.keys(objectAt(status, 'replicaStatuses') ?? {}));
    return {
      replicaStatuses: replicaStatuses(items, [...new Set(types)]),
      conditions: newestConditions(items) as JsonValue,
      ...earliest(items, 'startTime'),
      ...latest(items, 'completionTime'),
      ...latest(items, 'lastReconcileTime'),
    };
  },
  health: hasNotFailed,
};

// ---- notebooks

const isRunning = (status: JsonObject): boolean =>
  objectAt(status, 'containerState', 'running') !== undefined &&
  !['waiting', 'terminated'].some((state) => objectAt(status, 'containerState', state) !== undefined);

function notebookConditions(template: KubeObject, items: Items, now: string): readonly JsonObject[] {
  const conditions: JsonObject[] = [];
  const add = (type: string, reason: string, message: string): void => {
    conditions.push({ type, status: 'True', reason, message, lastProbeTime: now, lastTransitionTime: now });
  };
  const failed = clustersWith(items, (status) => !isRunning(status));
  if (failed.length > 0)
    add('Failed', 'NotebookFailed', `Notebook executed failed in member clusters: ${failed.join(', ')}`);
  else if (clustersWith(items, isRunning).length === items.length)
    add('Ready', 'Ready', 'All notebooks are ready');
  return sinceBefore(template, conditions);
}

/** The state of the last one that does not run, or the latest start. */
function containerState(items: Items): JsonObject | undefined {
  const states = objectsAt(items);
  const failed = states.findLast((status) => !isRunning(status));
  if (failed !== undefined) {
    const state = objectAt(failed, 'containerState') ?? {};
    return Object.keys(state).length === 0 ? { waiting: { reason: 'Unschedulable' } } : state;
  }
  const starts = states.map((status) => textAt(status, 'containerState', 'running', 'startedAt')).sort();
  const startedAt = starts.at(-1);
  return startedAt === undefined ? undefined : { running: startedAt === '' ? {} : { startedAt } };
}

const notebook: KindRules = {
  replicas: (object) => ({
    replicas: 1,
    requirements: templateRequirements(templateAt('spec', 'template')(object)),
  }),
  status: ({ status }) =>
    objectAt(status) === undefined
      ? {}
      : {
          readyReplicas: 0,
          ...reporting('readyReplicas', 'containerState', 'conditions')({ status } as never),
        },
  aggregate: (template, items, now) => {
    if (items.length < 2) return alone(items);
    return {
      readyReplicas: sum(items, 'readyReplicas'),
      containerState: containerState(items),
      conditions: notebookConditions(template, items, now) as JsonValue,
    };
  },
  health: ({ status }) => {
    const state = objectAt(status, 'containerState') ?? {};
    if (objectAt(state, 'running') !== undefined) return true;
    if (objectAt(state, 'waiting') !== undefined)
      return textAt(state, 'waiting', 'reason') === 'ContainerCreating';
    if (objectAt(state, 'terminated') === undefined) return false;
    const failed = ['Error', 'OOMKilled', 'ContainerCannotRun'].includes(
      textAt(state, 'terminated', 'reason'),
    );
    return !failed && (numberAt(state, 'terminated', 'exitCode') ?? 0) === 0;
  },
};

export const kubeflow: Readonly<Record<string, KindRules>> = {
  'kubeflow.org/v1 PyTorchJob': trainingJob({
    field: 'pytorchReplicaSpecs',
    types: ['Master', 'Worker'],
    conditions: pyTorchConditions,
  }),
  'kubeflow.org/v1 TFJob': trainingJob({
    field: 'tfReplicaSpecs',
    types: ['PS', 'Worker', 'Chief', 'Master', 'Evaluator'],
    conditions: tensorFlowConditions,
  }),
  'kubeflow.org/v2beta1 MPIJob': mpiJob,
  'kubeflow.org/v1 Notebook': notebook,
};
