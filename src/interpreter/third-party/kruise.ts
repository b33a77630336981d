// OpenKruise: workloads like those of Kubernetes, with more to say about updates.
import type { KindRules } from '../kind-rules.ts';
import type { JsonObject, KubeObject } from '../../api/index.ts';
import { listAt, objectAt, textAt, withValue } from '../native/read.ts';
import { DAEMON_SET_COUNTERS } from '../native/status.ts';
import { clustersWith, last, lasts, observedGeneration, sums, type Items } from './adding-up.ts';
import {
  countAt,
  hasCondition,
  isCurrent,
  neededByPods,
  reporting,
  reportingWithGenerations,
  rolledOut,
  scaledBy,
  statusOf,
  templateAt,
  type TemplateOf,
} from './kind-parts.ts';

const ofTemplate = templateAt('spec', 'template');

/**
 * A status of counters and of texts that any member may have. COMPAT: a text that no member has is written empty.
 * @param nowhere what is written for texts while there are no members; undefined: nothing
 */
function counted(counters: readonly string[], texts: readonly string[], nowhere?: ''): KindRules {
  return {
    status: reportingWithGenerations(...counters, ...texts, 'observedGeneration'),
    aggregate: (template, items) => ({
      ...objectAt(template, 'status'),
      ...observedGeneration(template, items),
      ...sums(items, counters),
      ...lasts(items, texts, items.length === 0 ? nowhere : ''),
    }),
  };
}

const needs = (templateOf: TemplateOf): Pick<KindRules, 'dependencies'> => ({
  dependencies: (object) => neededByPods(object, [templateOf(object)]),
});

const cloneSet: KindRules = {
  ...scaledBy('replicas', ofTemplate),
  ...counted(
    [
      'replicas',
      'updatedReplicas',
      'readyReplicas',
      'availableReplicas',
      'updatedReadyReplicas',
      'expectedUpdatedReplicas',
    ],
    ['updateRevision', 'currentRevision', 'labelSelector'],
  ),
  health: rolledOut,
  ...needs(ofTemplate),
};

const statefulSet: KindRules = {
  ...scaledBy('replicas', ofTemplate),
  ...counted(
    [
      'replicas',
      'readyReplicas',
      'currentReplicas',
      'updatedReplicas',
      'availableReplicas',
      'updatedReadyReplicas',
    ],
    ['updateRevision', 'currentRevision'],
    '',
  ),
  health: rolledOut,
  dependencies: (object) => {
    // Claims that it makes itself are none that must be there first.
    const made = new Set(
      listAt(object, 'spec', 'volumeClaimTemplates').map((claim) => textAt(claim, 'metadata', 'name')),
    );
    return neededByPods(object, [ofTemplate(object)]).filter(
      ({ kind, name = '' }) => kind !== 'PersistentVolumeClaim' || !made.has(name),
    );
  },
};

const daemonSet: KindRules = {
  status: reportingWithGenerations(...DAEMON_SET_COUNTERS, 'daemonSetHash', 'observedGeneration'),
  aggregate: (template, items) => ({
    ...objectAt(template, 'status'),
    ...observedGeneration(template, items),
    ...sums(items, DAEMON_SET_COUNTERS),
    // Upstream writes the number 0 where no member has a hash, which the API server refuses.
    ...last(items, 'daemonSetHash'),
  }),
  health: (observed) => {
    const status = statusOf(observed);
    const updated = countAt(status, 'updatedNumberScheduled');
    return (
      isCurrent(observed) &&
      updated >= countAt(status, 'desiredNumberScheduled') &&
      countAt(status, 'numberAvailable') >= updated
    );
  },
  ...needs(ofTemplate),
};

/** Its pods are those of the one kind of workload that its template has. Upstream looks for a pod template here. */
function subsetTemplate(object: KubeObject): JsonObject | undefined {
  const template = objectAt(object, 'spec', 'template');
  const workload = Object.keys(template ?? {}).find((key) => key.endsWith('Template'));
  return workload === undefined ? template : objectAt(template, workload, 'spec', 'template');
}

const UNITED_COUNTERS = [
  'replicas',
  'updatedReplicas',
  'readyReplicas',
  'availableReplicas',
  'unavailableReplicas',
];

const unitedDeployment: KindRules = {
  ...scaledBy('replicas', subsetTemplate),
  status: reportingWithGenerations(...UNITED_COUNTERS, 'observedGeneration', 'conditions'),
  aggregate: (template, items) => {
    // Of each type the one of the last cluster.
    const conditions = new Map(
      items.flatMap(({ status }) => listAt(status, 'conditions')).map((one) => [one['type'], one]),
    );
    return {
      ...objectAt(template, 'status'),
      ...observedGeneration(template, items),
      ...sums(items, UNITED_COUNTERS),
      ...(conditions.size === 0 ? {} : { conditions: [...conditions.values()] }),
    };
  },
  health: (observed) => objectAt(observed, 'status') !== undefined && rolledOut(observed),
  ...needs(subsetTemplate),
};

/** COMPAT: without times. */
function jobConditions(items: Items): readonly JsonObject[] {
  const conditions: JsonObject[] = [];
  const add = (type: string, reason: string, message: string): void => {
    conditions.push({ type, status: 'True', reason, message });
  };
  const failed = clustersWith(items, (status) => hasCondition(status, 'Failed'));
  if (failed.length > 0)
    add('Failed', 'JobFailed', `Job executed failed in member clusters: ${failed.join(', ')}`);
  const complete = clustersWith(items, (status) => hasCondition(status, 'Complete'));
  if (complete.length === items.length) add('Completed', 'Completed', 'Job completed');
  return conditions;
}

const broadcastJob: KindRules = {
  ...scaledBy('parallelism', ofTemplate),
  retain: (desired, observed) => {
    const labels = objectAt(observed, 'spec', 'template', 'metadata', 'labels');
    return labels === undefined
      ? desired
      : withValue(desired, ['spec', 'template', 'metadata', 'labels'], labels);
  },
  status: reporting(
    'conditions', 'startTime', 'completionTime', 'active', 'succeeded', 'failed', 'desired', 'phase',
  ), // prettier-ignore
  aggregate: (template, items) => {
    if (items.length === 0) return undefined;
    const { conditions: _old, ...status } = objectAt(template, 'status') ?? {};
    return {
      ...status,
      ...sums(items, ['active', 'succeeded', 'failed', 'desired']),
      ...last(items, 'phase', ''),
      conditions: jobConditions(items),
    };
  },
  health: (observed) => {
    const status = statusOf(observed);
    if (countAt(status, 'desired') === 0 || countAt(status, 'failed') !== 0) return false;
    return countAt(status, 'succeeded') !== 0 || countAt(status, 'active') !== 0;
  },
  ...needs(ofTemplate),
};

const advancedCronJob: KindRules = {
  aggregate: (template, items) =>
    items.length === 0
      ? undefined
      : {
          ...objectAt(template, 'status'),
          active: items.flatMap(({ status }) => listAt(status, 'active')),
          ...last(items, 'type', ''),
          ...last(items, 'lastScheduleTime'),
        },
  dependencies: (object) =>
    neededByPods(
      object,
      ['jobTemplate', 'broadcastJobTemplate'].map((kind) =>
        objectAt(object, 'spec', 'template', kind, 'spec', 'template'),
      ),
    ),
};

const SIDECAR_COUNTERS = ['matchedPods', 'updatedPods', 'readyPods'];

const sidecarSet: KindRules = {
  replicas: () => ({ replicas: 0, requirements: undefined }),
  status: ({ status }) =>
    objectAt(status) === undefined
      ? {}
      : sums([{ clusterName: '', status: objectAt(status) }], SIDECAR_COUNTERS),
  aggregate: (_template, items) => sums(items, SIDECAR_COUNTERS),
  retain: (desired) => desired,
  health: ({ status }) => {
    if (objectAt(status) === undefined) return false;
    const matched = countAt(status, 'matchedPods');
    return matched === 0 || countAt(status, 'updatedPods') === matched;
  },
  // It has no namespace; what its containers name is in that of the pods.
  dependencies: (object) => {
    const namespace = textAt(object, 'spec', 'namespace');
    const { metadata } = object;
    const placed = namespace === '' ? object : { ...object, metadata: { ...metadata, namespace } };
    const { containers, initContainers, volumes } = objectAt(object, 'spec') ?? {};
    return neededByPods(placed, [{ spec: { containers, initContainers, volumes } }]);
  },
};

export const kruise: Readonly<Record<string, KindRules>> = {
  'apps.kruise.io/v1alpha1 CloneSet': cloneSet,
  'apps.kruise.io/v1beta1 StatefulSet': statefulSet,
  'apps.kruise.io/v1alpha1 DaemonSet': daemonSet,
  'apps.kruise.io/v1alpha1 UnitedDeployment': unitedDeployment,
  'apps.kruise.io/v1alpha1 BroadcastJob': broadcastJob,
  'apps.kruise.io/v1alpha1 AdvancedCronJob': advancedCronJob,
  'apps.kruise.io/v1alpha1 SidecarSet': sidecarSet,
};
