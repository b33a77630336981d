// Flink and Spark: one pod that leads, many that work, and memory in notations of their own.
import type { KindRules } from '../kind-rules.ts';
import type { Component, JsonObject, KubeObject, ReplicaRequirements } from '../../api/index.ts';
import { Quantity } from '../../machinery/index.ts';
import { listAt, objectAt, textAt, valueAt, withValue } from '../native/read.ts';
import { alone, lasts, latest, objectsAt, sums, type Items } from './adding-up.ts';
import { component, largerAmount, numberAt, reporting } from './kind-parts.ts';

/** What pods of a spec ask of their nodes. */
function placement(podSpec: JsonObject | undefined, withAffinity: boolean): ReplicaRequirements {
  const nodeSelector = objectAt(podSpec, 'nodeSelector');
  const tolerations = listAt(podSpec, 'tolerations');
  const affinity = withAffinity
    ? valueAt(podSpec, 'affinity', 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution')
    : undefined;
  const nodeClaim = {
    ...(nodeSelector === undefined || Object.keys(nodeSelector).length === 0 ? {} : { nodeSelector }),
    ...(tolerations.length === 0 ? {} : { tolerations }),
    ...(affinity === undefined || affinity === null ? {} : { hardNodeAffinity: affinity }),
  };
  const priorityClassName = textAt(podSpec, 'priorityClassName');
  return {
    ...(Object.keys(nodeClaim).length === 0 ? {} : { nodeClaim }),
    ...(priorityClassName === '' ? {} : { priorityClassName }),
  } as ReplicaRequirements;
}

const MEMORY = /^(\d+(?:\.\d+)?)\s*([kmgtp]?)b?$/i;
const BINARY: Readonly<Record<string, string>> = { '': '', k: 'Ki', m: 'Mi', g: 'Gi', t: 'Ti', p: 'Pi' };

/**
 * Memory as programs on the JVM spell it, where m is a mebibyte; upstream takes Flink's for thousandths of bytes. What is
 * spelled otherwise is a quantity, or nothing.
 */
function memoryAmount(memory: string | number | undefined): string | undefined {
  const match = typeof memory === 'string' ? MEMORY.exec(memory.trim()) : null;
  const text = match === null ? memory : `${match[1]}${BINARY[(match[2] ?? '').toLowerCase()]}`;
  return Quantity.tryParse(text)?.toString();
}

type Amount = string | number | undefined;

function amountAt(value: unknown, ...path: readonly string[]): Amount {
  const found = valueAt(value, ...path);
  return typeof found === 'string' || typeof found === 'number' ? found : undefined;
}

function requests(amounts: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(amounts).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

// ---- Flink

function taskManagers(object: KubeObject): number {
  const replicas = numberAt(object, 'spec', 'taskManager', 'replicas');
  if (replicas !== undefined) return replicas;
  const parallelism = numberAt(object, 'spec', 'job', 'parallelism');
  const slots = numberAt(object, 'spec', 'flinkConfiguration', 'taskmanager.numberOfTaskSlots');
  return parallelism === undefined || slots === undefined || slots <= 0 ? 1 : Math.ceil(parallelism / slots);
}

function flinkRequests(object: KubeObject, manager: 'jobManager' | 'taskManager'): Record<string, string> {
  const resource = objectAt(object, 'spec', manager, 'resource');
  return requests({
    cpu: Quantity.tryParse(amountAt(resource, 'cpu'))?.toString(),
    memory: memoryAmount(amountAt(resource, 'memory')),
  });
}

function flinkComponent(
  object: KubeObject,
  name: string,
  replicas: number,
  manager: 'jobManager' | 'taskManager',
): Component {
  const pods = placement(objectAt(object, 'spec', 'podTemplate', 'spec'), false);
  return component(name, replicas, { ...pods, resourceRequest: flinkRequests(object, manager) });
}

const jobManagers = (object: KubeObject): number => numberAt(object, 'spec', 'jobManager', 'replicas') ?? 1;

const SETTLED_STATES = [
  'RUNNING', 'FINISHED', 'FAILED', 'CANCELED', 'SUSPENDED', 'CANCELLING', 'FAILING', 'RESTARTING',
]; // prettier-ignore
const STARTING_STATES = ['CREATED', 'INITIALIZING', 'RECONCILING'];
/** Faults of the user's, that another cluster would not mend. */
const USER_FAULTS = ['ErrImagePull', 'ImagePullBackOff', 'CrashLoopBackOff'];

const FLINK_FIELDS = [
  'clusterInfo', 'error', 'jobManagerDeploymentStatus', 'jobStatus', 'observedGeneration', 'lifecycleState',
  'reconciliationStatus', 'taskManager',
]; // prettier-ignore

const flinkDeployment: KindRules = {
  replicas: (object) => {
    const [jobs, tasks] = [flinkRequests(object, 'jobManager'), flinkRequests(object, 'taskManager')];
    const resourceRequest = requests({
      cpu: largerAmount(jobs['cpu'], tasks['cpu']),
      memory: largerAmount(jobs['memory'], tasks['memory']),
    });
    const { namespace } = object.metadata;
    return {
      replicas: jobManagers(object) + taskManagers(object),
      requirements: {
        ...placement(objectAt(object, 'spec', 'podTemplate', 'spec'), false),
        ...(Object.keys(resourceRequest).length === 0 ? {} : { resourceRequest }),
        ...(namespace === undefined ? {} : { namespace }),
      },
    };
  },
  components: (object) => [
    flinkComponent(object, 'jobmanager', jobManagers(object), 'jobManager'),
    flinkComponent(object, 'taskmanager', taskManagers(object), 'taskManager'),
  ],
  withComponent: (object, name, replicas) =>
    withValue(object, ['spec', name === 'jobmanager' ? 'jobManager' : 'taskManager', 'replicas'], replicas),
  status: reporting(...FLINK_FIELDS),
  aggregate: (template, items) => {
    const said = items.filter(({ status }) => objectAt(status) !== undefined).slice(-1);
    if (items.length === 0) return undefined;
    const others = Object.entries(objectAt(template, 'status') ?? {}).filter(
      ([field]) => !FLINK_FIELDS.includes(field),
    );
    return { ...Object.fromEntries(others), ...lasts(said, FLINK_FIELDS) };
  },
  health: ({ status }) => {
    const state = textAt(status, 'jobStatus', 'state');
    if (state === '')
      return (
        textAt(status, 'jobManagerDeploymentStatus') === 'READY' &&
        textAt(status, 'lifecycleState') === 'STABLE'
      );
    if (SETTLED_STATES.includes(state)) return true;
    const error = textAt(status, 'error');
    return STARTING_STATES.includes(state) && USER_FAULTS.some((fault) => error.includes(fault));
  },
};

// ---- Spark

const OVERHEAD_MIN = '384Mi';

function megabytes(amount: string): number {
  return Quantity.parse(amount).toNumber() / 2 ** 20;
}

/** Memory of a pod: that of the program, and what the JVM or an interpreter needs around it. */
function sparkMemory(object: KubeObject, part: 'driver' | 'executor'): string | undefined {
  const memory = memoryAmount(amountAt(object, 'spec', part, 'memory') ?? '1g');
  if (memory === undefined) return undefined;
  const onJvm = ['java', 'scala'].includes(textAt(object, 'spec', 'type').toLowerCase());
  const factor = numberAt(object, 'spec', 'memoryOverheadFactor') ?? (onJvm ? 0.1 : 0.4);
  const given = memoryAmount(amountAt(object, 'spec', part, 'memoryOverhead'));
  const overhead =
    given === undefined ? Math.max(megabytes(memory) * factor, megabytes(OVERHEAD_MIN)) : megabytes(given);
  return Quantity.tryParse(`${(megabytes(memory) + overhead).toFixed(6)}Mi`)?.toString();
}

function sparkComponent(object: KubeObject, part: 'driver' | 'executor', replicas: number): Component {
  const spec = objectAt(object, 'spec', part);
  const gpu = textAt(spec, 'gpu', 'name');
  const gpus = numberAt(spec, 'gpu', 'quantity') ?? 0;
  const resourceRequest = {
    ...requests({
      cpu: Quantity.tryParse(amountAt(spec, 'cores') ?? 1)?.toString(),
      memory: sparkMemory(object, part),
    }),
    ...(gpu === '' || gpus <= 0 ? {} : { [gpu]: String(gpus) }),
  };
  return component(part, replicas, { ...placement(spec, true), resourceRequest });
}

function executors(object: KubeObject): number {
  const instances = numberAt(object, 'spec', 'executor', 'instances') ?? 1;
  if (valueAt(object, 'spec', 'dynamicAllocation', 'enabled') !== true) return instances;
  const bound = (field: string): number => numberAt(object, 'spec', 'dynamicAllocation', field) ?? 1;
  return Math.max(instances, bound('initialExecutors'), bound('minExecutors'));
}

/** How much a state deserves to be seen, the worst most. */
const SPARK_STATES: Readonly<Record<string, number>> = {
  SUBMITTED: 1,
  PENDING_RERUN: 1,
  COMPLETED: 2,
  SUSPENDING: 3,
  SUSPENDED: 3,
  RUNNING: 4,
  RESUMING: 4,
  SUCCEEDING: 4,
  INVALIDATING: 5,
  FAILING: 6,
  FAILED: 6,
  SUBMISSION_FAILED: 6,
};

function worstState(items: Items): JsonObject | undefined {
  const rank = (state: JsonObject): number => SPARK_STATES[textAt(state, 'state')] ?? 0;
  return objectsAt(items, 'applicationState').reduce<JsonObject | undefined>(
    (worst, state) => (worst === undefined || rank(state) > rank(worst) ? state : worst),
    undefined,
  );
}

const sparkApplication: KindRules = {
  components: (object) => [
    sparkComponent(object, 'driver', 1),
    sparkComponent(object, 'executor', executors(object)),
  ],
  // There is one driver.
  withComponent: (object, name, replicas) =>
    name === 'executor' ? withValue(object, ['spec', 'executor', 'instances'], replicas) : undefined,
  status: reporting(
    'applicationState', 'driverInfo', 'executorState', 'sparkApplicationId', 'lastSubmissionAttemptTime',
    'submissionAttempts', 'executionAttempts', 'submissionID', 'terminationTime',
  ), // prettier-ignore
  aggregate: (template, items) => {
    if (items.length < 2) return alone(items);
    const pods = items.map(({ status }) => objectAt(status, 'executorState') ?? {});
    return {
      ...objectAt(template, 'status'),
      applicationState: worstState(items),
      ...sums(items, ['executionAttempts', 'submissionAttempts']),
      executorState: Object.assign({}, ...pods) as JsonObject,
      ...latest(items, 'lastSubmissionAttemptTime'),
      ...latest(items, 'terminationTime'),
    };
  },
  health: ({ status }) => {
    const state = valueAt(status, 'applicationState', 'state');
    return typeof state === 'string' && state !== 'FAILED';
  },
};

export const streaming: Readonly<Record<string, KindRules>> = {
  'flink.apache.org/v1beta1 FlinkDeployment': flinkDeployment,
  'sparkoperator.k8s.io/v1beta2 SparkApplication': sparkApplication,
};
