// Ray: a head and groups of workers, alone, for a job, or behind a service.
import type { KindRules } from '../kind-rules.ts';
import type { Component, JsonObject, JsonValue, KubeObject, ReplicaRequirements } from '../../api/index.ts';
import { Quantity } from '../../machinery/index.ts';
import { listAt, objectAt, textAt, valueAt, withValue } from '../native/read.ts';
import { alone, first, latest, objectsAt, sum, sums, type Items } from './adding-up.ts';
import {
  component,
  countAt,
  hasCondition,
  largerAmount,
  neededByPods,
  numberAt,
  templateRequirements,
  withItem,
} from './kind-parts.ts';

const head = (cluster: JsonObject | undefined): JsonObject | undefined =>
  objectAt(cluster, 'headGroupSpec', 'template');
const workers = (cluster: JsonObject | undefined): readonly JsonObject[] =>
  listAt(cluster, 'workerGroupSpecs');

function clusterComponents(cluster: JsonObject | undefined): readonly Component[] {
  const leading = head(cluster);
  return [
    ...(leading === undefined ? [] : [component('ray-head', 1, templateRequirements(leading))]),
    ...workers(cluster).map((group, index) =>
      component(
        groupName(group, index),
        numberAt(group, 'replicas') ?? 0,
        templateRequirements(objectAt(group, 'template')),
      ),
    ),
  ];
}

const groupName = (group: JsonObject, index: number): string =>
  textAt(group, 'groupName') || `worker-${index + 1}`;

/** The head is always one. */
const withGroup =
  (...path: readonly string[]): NonNullable<KindRules['withComponent']> =>
  (object, name, replicas) =>
    withItem(
      object,
      [...path, 'workerGroupSpecs'],
      (group, index) => groupName(group, index) === name,
      (group) => ({ ...group, replicas }),
    );

function clusterTemplates(cluster: JsonObject | undefined): readonly (JsonObject | undefined)[] {
  return [head(cluster), ...workers(cluster).map((group) => objectAt(group, 'template'))];
}

function allConditions(items: Items): JsonValue {
  return items.flatMap(({ status }) => listAt(status, 'conditions'));
}

// ---- clusters

function amount(items: Items, field: string): string {
  return items
    .map(({ status }) => Quantity.tryParse(valueAt(status, field) as string | number | undefined))
    .reduce<Quantity>((total, one) => (one === undefined ? total : total.add(one)), Quantity.zero)
    .toString();
}

const rayCluster: KindRules = {
  components: ({ spec }) => clusterComponents(objectAt(spec)),
  withComponent: withGroup('spec'),
  health: ({ status }) =>
    hasCondition(status, 'HeadPodReady') &&
    hasCondition(status, 'RayClusterProvisioned') &&
    !hasCondition(status, 'RayClusterReplicaFailure'),
  aggregate: (template, items) => {
    if (items.length < 2) return alone(items);
    const stated = items.filter(({ status }) => textAt(status, 'state') !== '').slice(0, 1);
    return {
      ...objectAt(template, 'status'),
      conditions: allConditions(items),
      ...sums(items, [
        'readyWorkerReplicas',
        'availableWorkerReplicas',
        'maxWorkerReplicas',
        'minWorkerReplicas',
        'desiredWorkerReplicas',
      ]),
      desiredCPU: amount(items, 'desiredCPU'),
      desiredMemory: amount(items, 'desiredMemory'),
      desiredGPU: amount(items, 'desiredGPU'),
      desiredTPU: amount(items, 'desiredTPU'),
      ...latest(items, 'lastUpdateTime'),
      ...first(items, 'endpoints'),
      ...first(items, 'head'),
      ...first(stated, 'state'),
      ...first(stated, 'stateTransitionTimes'),
    };
  },
};

// ---- jobs

const DEPLOYMENT_STATES: Readonly<Record<string, number>> = {
  Initializing: 1,
  Waiting: 2,
  Suspending: 3,
  Suspended: 3,
  Retrying: 4,
  Running: 5,
  Complete: 6,
  ValidationFailed: 7,
  Failed: 8,
};
const JOB_STATES: Readonly<Record<string, number>> = {
  PENDING: 1,
  RUNNING: 2,
  SUCCEEDED: 3,
  STOPPED: 4,
  FAILED: 5,
};

/** The status whose field ranks highest, the first of several. */
function foremost(
  statuses: readonly JsonObject[],
  field: string,
  ranks: Readonly<Record<string, number>>,
): JsonObject | undefined {
  const rank = (status: JsonObject): number => ranks[textAt(status, field)] ?? 0;
  return statuses
    .filter((status) => valueAt(status, field) !== undefined)
    .reduce<JsonObject | undefined>(
      (best, status) => (best === undefined || rank(status) > rank(best) ? status : best),
      undefined,
    );
}

const rayJob: KindRules = {
  components: (object) => clusterComponents(objectAt(object, 'spec', 'rayClusterSpec')),
  withComponent: withGroup('spec', 'rayClusterSpec'),
  health: ({ status }) => {
    const deployment = textAt(status, 'jobDeploymentStatus');
    return (
      deployment === 'Running' || (deployment === 'Complete' && textAt(status, 'jobStatus') === 'SUCCEEDED')
    );
  },
  aggregate: (template, items) => {
    if (items.length < 2) return alone(items);
    const { reason: _reason, message: _message, ...before } = objectAt(template, 'status') ?? {};
    const statuses = objectsAt(items);
    const deployment = foremost(statuses, 'jobDeploymentStatus', DEPLOYMENT_STATES);
    const job = foremost(
      statuses.filter((status) => textAt(status, 'jobStatus') !== ''),
      'jobStatus',
      JOB_STATES,
    );
    return {
      ...before,
      jobStatus: job?.['jobStatus'],
      jobDeploymentStatus: deployment?.['jobDeploymentStatus'],
      reason: deployment?.['reason'],
      message: deployment?.['message'],
    };
  },
  dependencies: (object) =>
    neededByPods(object, [
      ...clusterTemplates(objectAt(object, 'spec', 'rayClusterSpec')),
      objectAt(object, 'spec', 'submitterPodTemplate'),
    ]),
};

// ---- services

const serviceCluster = (object: KubeObject): JsonObject | undefined =>
  objectAt(object, 'spec', 'rayClusterConfig');

/** What the greediest pod asks for: where replicas are alike, each has to be taken for it. */
function serviceRequirements(cluster: JsonObject | undefined): ReplicaRequirements | undefined {
  const [leading, ...others] = clusterTemplates(cluster).map((template) => templateRequirements(template));
  const greediest = (resource: string): string | undefined =>
    [leading, ...others]
      .map((one) => one?.resourceRequest?.[resource])
      .reduce<string | undefined>((most, one) => largerAmount(most, one), undefined);
  const cpu = greediest('cpu');
  const memory = greediest('memory');
  if (cpu === undefined && memory === undefined) return leading;
  return {
    ...leading,
    resourceRequest: {
      ...leading?.resourceRequest,
      ...(cpu === undefined ? {} : { cpu }),
      ...(memory === undefined ? {} : { memory }),
    },
  };
}

/** `count` over groups as they are now, the last one taking what rounding leaves; evenly where there are none. */
function sharedOut(count: number, now: readonly number[]): readonly number[] {
  const total = now.reduce((sum, one) => sum + one, 0);
  let left = count;
  return now.map((one, index) => {
    if (index === now.length - 1) return left;
    const even = Math.floor(count / now.length) + (index < count % now.length ? 1 : 0);
    // What rounding up gave to the groups before is no longer there to give.
    const share = Math.min(left, total === 0 ? even : Math.floor((count * one) / total + 0.5));
    left -= share;
    return share;
  });
}

function reviseService(object: KubeObject, replicas: number): KubeObject {
  const groups = workers(serviceCluster(object));
  if (groups.length === 0) return object;
  // One of them is the head.
  const shares = sharedOut(
    Math.max(0, replicas - 1),
    groups.map((group) => countAt(group, 'replicas')),
  );
  const revised = groups.map((group, index) => ({ ...group, replicas: shares[index] ?? 0 }));
  return withValue(object, ['spec', 'rayClusterConfig', 'workerGroupSpecs'], revised);
}

const APPLICATION_STATES: Readonly<Record<string, number>> = {
  RUNNING: 0,
  NOT_STARTED: 1,
  DEPLOYING: 2,
  DELETING: 3,
  UNHEALTHY: 4,
  DEPLOY_FAILED: 5,
};

/** Of each application the worst status that any cluster has. */
function applications(items: Items): JsonObject {
  const rank = (application: JsonObject): number => APPLICATION_STATES[textAt(application, 'status')] ?? 0;
  const worst = new Map<string, JsonObject>();
  for (const { status } of items) {
    for (const [name, value] of Object.entries(
      objectAt(status, 'activeServiceStatus', 'applicationStatuses') ?? {},
    )) {
      const application = objectAt(value) ?? {};
      const known = worst.get(name);
      if (known === undefined || rank(application) > rank(known)) worst.set(name, application);
    }
  }
  return Object.fromEntries(worst);
}

const rayService: KindRules = {
  replicas: (object) => {
    const cluster = serviceCluster(object);
    if (head(cluster) === undefined) return { replicas: 0, requirements: undefined };
    const working = workers(cluster).reduce((total, group) => total + countAt(group, 'replicas'), 0);
    return { replicas: 1 + working, requirements: serviceRequirements(cluster) };
  },
  revise: reviseService,
  health: ({ status }) => hasCondition(status, 'Ready'),
  aggregate: (template, items) => {
    if (items.length < 2) return alone(items);
    const active = objectAt(first(items, 'activeServiceStatus'), 'activeServiceStatus');
    return {
      ...objectAt(template, 'status'),
      conditions: allConditions(items),
      numServeEndpoints: sum(items, 'numServeEndpoints'),
      ...latest(items, 'lastUpdateTime'),
      observedGeneration: Math.max(...items.map(({ status }) => countAt(status, 'observedGeneration'))),
      serviceStatus: items.some(({ status }) => valueAt(status, 'serviceStatus') === '') ? '' : 'Running',
      ...(active === undefined
        ? {}
        : { activeServiceStatus: { ...active, applicationStatuses: applications(items) } }),
      ...first(items, 'pendingServiceStatus'),
    };
  },
  dependencies: (object) => neededByPods(object, clusterTemplates(serviceCluster(object))),
};

export const ray: Readonly<Record<string, KindRules>> = {
  'ray.io/v1 RayCluster': rayCluster,
  'ray.io/v1 RayJob': rayJob,
  'ray.io/v1 RayService': rayService,
};
