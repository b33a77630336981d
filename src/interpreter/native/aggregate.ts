// The status of a template from what its members report, kind by kind.
import type { JsonObject, JsonValue, KubeObject } from '../../api/index.ts';
import type { StatusItem } from '../interpreter.ts';
import { aggregateJob } from './job-aggregate.ts';
import { mergeIngress } from './load-balancer.ts';
import { integerAt, listAt, objectAt, textAt, valueAt, withValue } from './read.ts';
import { DAEMON_SET_COUNTERS } from './status.ts';

/** @param now RFC 3339 */
type Aggregate = (template: KubeObject, items: readonly StatusItem[], now: string) => KubeObject;

const generationOf = (template: KubeObject): number => template.metadata.generation ?? 0;

function withStatus(template: KubeObject, status: JsonObject): KubeObject {
  return withValue(template, ['status'], status);
}

/** Sums of counters over the old status; zeros are left out but for `always`. */
function summed(
  template: KubeObject,
  items: readonly StatusItem[],
  counters: readonly string[],
  observed: boolean,
  always: readonly string[] = [],
): KubeObject {
  const status: Record<string, JsonValue> = {
    ...(objectAt(template, 'status') as Record<string, JsonValue> | undefined),
  };
  for (const counter of counters) {
    const sum = items.reduce((total, { status: one }) => total + (integerAt(one, counter) ?? 0), 0);
    if (sum !== 0 || always.includes(counter)) status[counter] = sum;
    else delete status[counter];
  }
  if (observed && generationOf(template) !== 0) status['observedGeneration'] = generationOf(template);
  return withStatus(template, status);
}

/** Every member has seen the template's current generation, and its own. */
function allObserved(template: KubeObject, items: readonly StatusItem[]): boolean {
  return items.every(({ status }) => {
    if (status === undefined) return false;
    const generation = integerAt(status, 'generation') ?? 0;
    return (
      (integerAt(status, 'observedGeneration') ?? 0) >= generation &&
      (integerAt(status, 'resourceTemplateGeneration') ?? 0) >= generationOf(template)
    );
  });
}

const workload =
  (counters: readonly string[], always: readonly string[] = []): Aggregate =>
  (template, items) =>
    summed(template, items, counters, allObserved(template, items), always);

/** StatefulSets do not report observedGeneration; a healthy one has observed its own. */
const statefulSet: Aggregate = (template, items) => {
  const observed = items.every(
    ({ status, health }) =>
      health === 'Healthy' &&
      (integerAt(status, 'resourceTemplateGeneration') ?? 0) >= generationOf(template),
  );
  const counters = ['availableReplicas', 'currentReplicas', 'readyReplicas', 'replicas', 'updatedReplicas'];
  return summed(template, items, counters, observed, ['availableReplicas', 'replicas']);
};

const service: Aggregate = (template, items) => {
  if (textAt(template, 'spec', 'type') !== 'LoadBalancer') return template;
  return withLoadBalancer(template, mergeIngress(items, true));
};

function withLoadBalancer(template: KubeObject, ingress: readonly JsonObject[]): KubeObject {
  return withValue(template, ['status', 'loadBalancer'], ingress.length === 0 ? {} : { ingress });
}

const cronJob: Aggregate = (template, items) => {
  const latest = (field: string): string =>
    items
      .map(({ status }) => textAt(status, field))
      .sort()
      .at(-1) ?? '';
  const active = items.flatMap(({ status }) => listAt(status, 'active'));
  const lastScheduleTime = latest('lastScheduleTime');
  const lastSuccessfulTime = latest('lastSuccessfulTime');
  return withStatus(template, {
    ...(active.length === 0 ? {} : { active }),
    ...(lastScheduleTime === '' ? {} : { lastScheduleTime }),
    ...(lastSuccessfulTime === '' ? {} : { lastSuccessfulTime }),
  });
};

/** The first phase of `order` that any member is in; a member that says nothing counts as pending. */
function phaseOf(items: readonly StatusItem[], order: readonly string[]): string | undefined {
  const phases = new Set(items.map(({ status }) => textAt(status, 'phase') || 'Pending'));
  return order.find((phase) => phases.has(phase));
}

/** What the API server keeps of a status, so that adding up again changes nothing. */
function kept(template: KubeObject, field: string): JsonObject {
  const value = valueAt(template, 'status', field);
  return value === undefined ? {} : { [field]: value };
}

const pod: Aggregate = (template, items) => {
  // Where nothing runs, nothing is known.
  if (items.length === 0) return template;
  const phase = phaseOf(items, ['Failed', 'Pending', 'Running', 'Succeeded']);
  // COMPAT: of each container its state and no more; what every container status has is there and empty.
  const states = (field: string): JsonObject[] =>
    items.flatMap(({ status }) =>
      listAt(status, field).map(({ ready = false, state = {} }) => ({
        name: '',
        state,
        lastState: {},
        ready,
        restartCount: 0,
        image: '',
        imageID: '',
      })),
    );
  const containerStatuses = states('containerStatuses');
  const initContainerStatuses = states('initContainerStatuses');
  return withStatus(template, {
    ...kept(template, 'qosClass'),
    ...(phase === undefined ? {} : { phase }),
    ...(containerStatuses.length === 0 ? {} : { containerStatuses }),
    ...(initContainerStatuses.length === 0 ? {} : { initContainerStatuses }),
  });
};

const persistentVolume: Aggregate = (template, items) => {
  if (items.length === 0) return template;
  const phase = phaseOf(items, ['Failed', 'Pending', 'Available', 'Bound', 'Released']);
  return withStatus(template, {
    ...(phase === undefined ? {} : { phase }),
    // The API server says when a phase began, once it is another.
    ...(phase === textAt(template, 'status', 'phase') ? kept(template, 'lastPhaseTransitionTime') : {}),
  });
};

const persistentVolumeClaim: Aggregate = (template, items) => {
  // Upstream calls a claim bound that is nowhere.
  if (items.length === 0) return template;
  let phase = 'Bound';
  for (const { status } of items) {
    const one = textAt(status, 'phase');
    if (one === '') continue;
    if (one === 'Lost') {
      phase = one;
      break;
    }
    if (one !== 'Bound') phase = one;
  }
  return withStatus(template, { phase });
};

const disruptionBudget: Aggregate = (template, items) => {
  const counters = ['currentHealthy', 'desiredHealthy', 'expectedPods', 'disruptionsAllowed'];
  const disrupted = items.flatMap(({ clusterName, status }) =>
    Object.entries(objectAt(status, 'disruptedPods') ?? {}).map(([name, time]): [string, JsonValue] => [
      `${clusterName}/${name}`,
      time ?? null,
    ]),
  );
  const next = summed(template, items, counters, false, counters);
  return withValue(
    next,
    ['status', 'disruptedPods'],
    disrupted.length === 0 ? undefined : Object.fromEntries(disrupted),
  );
};

const autoscaler: Aggregate = (template, items) => {
  const sum = (field: string): number =>
    items.reduce((total, { status }) => total + (integerAt(status, field) ?? 0), 0);
  const currentReplicas = sum('currentReplicas');
  // COMPAT: currentMetrics is written as null (case sts-hpa).
  return withStatus(template, {
    currentMetrics: null,
    ...(currentReplicas === 0 ? {} : { currentReplicas }),
    desiredReplicas: sum('desiredReplicas'),
  });
};

export const nativeAggregate: Readonly<Record<string, Aggregate>> = {
  'apps/v1 Deployment': workload([
    'replicas',
    'readyReplicas',
    'updatedReplicas',
    'availableReplicas',
    'unavailableReplicas',
  ]),
  'apps/v1 ReplicaSet': workload(['replicas', 'readyReplicas', 'availableReplicas'], ['replicas']),
  'apps/v1 DaemonSet': workload(DAEMON_SET_COUNTERS, [
    'currentNumberScheduled',
    'desiredNumberScheduled',
    'numberMisscheduled',
    'numberReady',
  ]),
  'apps/v1 StatefulSet': statefulSet,
  'v1 Service': service,
  'networking.k8s.io/v1 Ingress': (template, items) => withLoadBalancer(template, mergeIngress(items, false)),
  'batch/v1 Job': (template, items, now) => {
    const status = aggregateJob(template, items, now);
    return status === undefined ? template : withStatus(template, status);
  },
  'batch/v1 CronJob': cronJob,
  'v1 Pod': pod,
  'v1 PersistentVolume': persistentVolume,
  'v1 PersistentVolumeClaim': persistentVolumeClaim,
  'policy/v1 PodDisruptionBudget': disruptionBudget,
  'autoscaling/v2 HorizontalPodAutoscaler': autoscaler,
};
