// Argo workflows and Volcano jobs: work that ends.
import type { KindRules } from '../kind-rules.ts';
import type { Component, JsonObject, KubeObject } from '../../api/index.ts';
import { listAt, objectAt, textAt, valueAt, withValue } from '../native/read.ts';
import { alone, clustersWith, newestConditions, sums, withoutZeros, type Items } from './adding-up.ts';
import {
  component,
  countAt,
  neededByPods,
  numberAt,
  referencesOf,
  reporting,
  scaledBy,
  templateRequirements,
  withItem,
} from './kind-parts.ts';

// ---- Argo

const workflow: KindRules = {
  ...scaledBy('parallelism', (object) => {
    const { affinity, nodeSelector, tolerations } = objectAt(object, 'spec') ?? {};
    return { spec: { affinity, nodeSelector, tolerations } };
  }),
  health: ({ status }) => !['', 'Error', 'Failed'].includes(textAt(status, 'phase')),
  retain: (desired, observed) => {
    const suspend = valueAt(observed, 'spec', 'suspend');
    const status = objectAt(observed, 'status');
    const kept =
      suspend === undefined || suspend === null ? desired : withValue(desired, ['spec', 'suspend'], suspend);
    return status === undefined ? kept : withValue(kept, ['status'], status);
  },
  dependencies: (object) => {
    const { volumes, imagePullSecrets, serviceAccountName } = objectAt(object, 'spec') ?? {};
    const claims = listAt(object, 'spec', 'volumeClaimTemplates').map((claim) =>
      textAt(claim, 'metadata', 'name'),
    );
    return [
      ...neededByPods(object, [{ spec: { volumes, imagePullSecrets, serviceAccountName } }]),
      ...referencesOf(object, 'ServiceAccount', [textAt(object, 'spec', 'executor', 'serviceAccountName')]),
      ...referencesOf(object, 'PersistentVolumeClaim', claims),
    ];
  },
};

// ---- Volcano

const HEALTHY_PHASES = [
  'Pending', 'Running', 'Completing', 'Completed', 'Restarting', 'Aborting', 'Aborted', 'Terminating', 'Terminated',
]; // prettier-ignore
const FAILED_PHASES = ['Failed', 'Aborted', 'Aborting', 'Terminated', 'Terminating'];
const VOLCANO_COUNTERS = [
  'minAvailable', 'pending', 'running', 'succeeded', 'failed', 'terminating', 'unknown', 'retryCount',
]; // prettier-ignore

const taskName = (task: JsonObject, index: number): string => textAt(task, 'name') || `task-${index}`;

function taskComponents(object: KubeObject): readonly Component[] {
  return listAt(object, 'spec', 'tasks').map((task, index) =>
    component(
      taskName(task, index),
      numberAt(task, 'minAvailable') ?? 1,
      templateRequirements(objectAt(task, 'template')),
    ),
  );
}

/** Seconds of a duration as Go prints it, without its fractions of seconds' names. */
function secondsOf(duration: string): number {
  const units: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1 };
  let seconds = 0;
  for (const [, amount = '', unit = ''] of duration.matchAll(/(\d+(?:\.\d+)?)([hms])/g))
    seconds += Number(amount) * (units[unit] ?? 0);
  return seconds;
}

function longest(items: Items, field: string): string {
  return items
    .map(({ status }) => textAt(status, field))
    .reduce((a, b) => (secondsOf(b) > secondsOf(a) ? b : a), '');
}

function phaseCounts(items: Items): JsonObject {
  const tasks = new Map<string, Map<string, number>>();
  for (const { status } of items) {
    for (const [task, { phase } = {}] of Object.entries(objectAt(status, 'taskStatusCount') ?? {}) as [
      string,
      JsonObject | undefined,
    ][]) {
      const counts = tasks.get(task) ?? new Map<string, number>();
      tasks.set(task, counts);
      for (const name of Object.keys(objectAt(phase) ?? {}))
        counts.set(name, (counts.get(name) ?? 0) + countAt(phase, name));
    }
  }
  return Object.fromEntries(
    [...tasks].map(([task, counts]) => [task, { phase: Object.fromEntries(counts) }]),
  );
}

/** The end of the job over all clusters; nothing while it goes on. */
function jointState(template: KubeObject, items: Items, now: string): JsonObject | undefined {
  const inPhase = (...phases: readonly string[]): readonly string[] =>
    clustersWith(items, (status) => phases.includes(textAt(status, 'state', 'phase')));
  const failed = inPhase('Failed', 'Aborted');
  const completed = inPhase('Completed');
  const state =
    completed.length === items.length
      ? { phase: 'Completed', reason: 'Completed', message: 'Job completed successfully' }
      : failed.length > 0
        ? {
            phase: 'Failed',
            reason: 'VolcanoJobFailed',
            message: `Job failed in clusters: ${failed.join(',')}`,
          }
        : undefined;
  if (state === undefined) return undefined;
  const before = objectAt(template, 'status', 'state');
  return before?.['message'] === state.message ? before : { ...state, lastTransitionTime: now };
}

function volcanoConditions(items: Items): readonly JsonObject[] {
  const failing = items
    .map(({ status }) => listAt(status, 'conditions'))
    .find((conditions) => conditions.some((one) => FAILED_PHASES.includes(textAt(one, 'status'))));
  return failing ?? newestConditions(items, 'status');
}

const volcanoJob: KindRules = {
  components: taskComponents,
  // A task cannot ask for more at once than it has.
  withComponent: (object, name, replicas) =>
    withItem(
      object,
      ['spec', 'tasks'],
      (task, index) => taskName(task, index) === name,
      (task) => ({
        ...task,
        minAvailable: replicas,
        replicas: Math.max(numberAt(task, 'replicas') ?? 1, replicas),
      }),
    ),
  status: reporting(
    ...VOLCANO_COUNTERS, 'version', 'runningDuration', 'taskStatusCount', 'controlledResources', 'state', 'conditions',
  ), // prettier-ignore
  health: ({ status }) => HEALTHY_PHASES.includes(textAt(status, 'state', 'phase')),
  aggregate: (template, items, now) => {
    if (items.length < 2) return alone(items);
    const resources = items.map(({ status }) => objectAt(status, 'controlledResources') ?? {});
    return withoutZeros({
      ...sums(items, VOLCANO_COUNTERS),
      version: Math.max(...items.map(({ status }) => countAt(status, 'version'))),
      runningDuration: longest(items, 'runningDuration'),
      taskStatusCount: phaseCounts(items),
      controlledResources: Object.assign({}, ...resources) as JsonObject,
      state: jointState(template, items, now),
      conditions: volcanoConditions(items),
    });
  },
};

export const batch: Readonly<Record<string, KindRules>> = {
  'argoproj.io/v1alpha1 Workflow': workflow,
  'batch.volcano.sh/v1alpha1 Job': volcanoJob,
};
