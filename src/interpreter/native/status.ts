// What of a member object's status is worth carrying to the hub, for the kinds where that is not all of it.
import { TEMPLATE_GENERATION_ANNOTATION, type JsonValue, type KubeObject } from '../../api/index.ts';
import { integerAt, objectAt, textAt, valueAt } from './read.ts';

/** Counters that Go's typed status writes even when they are zero. */
const ALWAYS_WRITTEN: Readonly<Record<string, readonly string[]>> = {
  ReplicaSet: ['replicas'],
  StatefulSet: ['replicas', 'availableReplicas'],
  DaemonSet: ['currentNumberScheduled', 'numberMisscheduled', 'desiredNumberScheduled', 'numberReady'],
  PodDisruptionBudget: ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'],
  HorizontalPodAutoscaler: ['desiredReplicas'],
};

function picked(observed: KubeObject, fields: readonly string[]): Record<string, JsonValue> | undefined {
  const status = objectAt(observed, 'status');
  if (status === undefined) return undefined;
  const always = ALWAYS_WRITTEN[observed.kind] ?? [];
  const found: Record<string, JsonValue> = {};
  for (const field of fields) {
    const value = valueAt(status, field);
    if (value !== undefined && value !== null && value !== 0 && value !== '') found[field] = value;
    else if (always.includes(field)) found[field] = 0;
  }
  return found;
}

/**
 * Adds the generation that the status belongs to, in the member and on the hub, so that aggregation can tell an old
 * status from a new one. Throws when the member object does not say which template generation it is of.
 */
function withGenerations(
  observed: KubeObject,
  status: Record<string, JsonValue> | undefined,
): JsonValue | undefined {
  if (status === undefined) return undefined;
  const text = observed.metadata.annotations?.[TEMPLATE_GENERATION_ANNOTATION];
  const templateGeneration = text !== undefined && /^-?\d+$/.test(text) ? Number(text) : undefined;
  if (templateGeneration === undefined) {
    throw new Error(
      `${observed.kind} ${observed.metadata.name} has no valid annotation ${TEMPLATE_GENERATION_ANNOTATION}: "${text ?? ''}"`,
    );
  }
  const generation = integerAt(observed, 'metadata', 'generation') ?? 0;
  return {
    ...status,
    ...(generation === 0 ? {} : { generation }),
    ...(templateGeneration === 0 ? {} : { resourceTemplateGeneration: templateGeneration }),
  };
}

const workload =
  (...fields: readonly string[]) =>
  (observed: KubeObject): JsonValue | undefined =>
    withGenerations(observed, picked(observed, fields));

const plain =
  (...fields: readonly string[]) =>
  (observed: KubeObject): JsonValue | undefined =>
    picked(observed, fields);

function service(observed: KubeObject): JsonValue | undefined {
  if (textAt(observed, 'spec', 'type') !== 'LoadBalancer' || objectAt(observed, 'status') === undefined)
    return undefined;
  const loadBalancer = valueAt(observed, 'status', 'loadBalancer');
  return { loadBalancer: loadBalancer ?? {} };
}

export const DAEMON_SET_COUNTERS = [
  'currentNumberScheduled',
  'desiredNumberScheduled',
  'numberAvailable',
  'numberMisscheduled',
  'numberReady',
  'updatedNumberScheduled',
  'numberUnavailable',
] as const;

export const nativeStatus: Readonly<Record<string, (observed: KubeObject) => JsonValue | undefined>> = {
  'apps/v1 Deployment': workload(
    'replicas',
    'updatedReplicas',
    'readyReplicas',
    'availableReplicas',
    'unavailableReplicas',
    'observedGeneration',
  ),
  'apps/v1 ReplicaSet': workload('replicas', 'readyReplicas', 'availableReplicas', 'observedGeneration'),
  'apps/v1 DaemonSet': workload(...DAEMON_SET_COUNTERS, 'observedGeneration'),
  // COMPAT: without observedGeneration, as upstream (case sts-statefulset); aggregation goes by health instead.
  'apps/v1 StatefulSet': workload(
    'availableReplicas',
    'currentReplicas',
    'readyReplicas',
    'replicas',
    'updatedReplicas',
  ),
  'v1 Service': service,
  'batch/v1 Job': plain('active', 'succeeded', 'failed', 'conditions', 'startTime', 'completionTime'),
  'policy/v1 PodDisruptionBudget': plain(
    'disruptionsAllowed',
    'expectedPods',
    'desiredHealthy',
    'currentHealthy',
    'disruptedPods',
  ),
  // COMPAT: currentMetrics is written as null (case sts-hpa).
  'autoscaling/v2 HorizontalPodAutoscaler': (observed) => {
    const status = picked(observed, ['currentReplicas', 'desiredReplicas']);
    return status === undefined ? undefined : { currentMetrics: null, ...status };
  },
};
