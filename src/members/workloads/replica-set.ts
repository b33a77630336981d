// ReplicaSets: keep the wanted number of pods.
// Reads ReplicaSets, Pods. Writes Pods, and the ReplicaSet's status.
// INVARIANT: pods are counted by what the cache shows after it has seen this controller's own last writes.
import type { ReplicaSetCondition, ReplicaSetStatus } from '../../api/index.ts';
import { formatTime } from '../../base/index.ts';
import { controllerReference, labelSelectorFor, semanticEqual } from '../../machinery/index.ts';
import type { Pod, ReplicaSet } from '../kinds.ts';
import { claim } from '../ownership.ts';
import { planOf, type Plan, type Write } from '../plan.ts';
import {
  deletionOrder,
  isActive,
  isAvailable,
  isReady,
  isTerminal,
  isTerminating,
  nextAvailableInMs,
  podFromTemplate,
} from '../pods.ts';
import { pods as podResource, replicaSets } from '../resources.ts';

// LIMIT: as kube-controller-manager bounds one round; the next round follows at once.
const BURST_MAX = 500;

export interface ReplicaSetInput {
  readonly replicaSet: ReplicaSet;
  /** All of the namespace that the ReplicaSet controls, or that nobody controls. */
  readonly pods: readonly Pod[];
  /** Active pods of all ReplicaSets with the same owner, for judging how crowded nodes are. */
  readonly relatedPods?: readonly Pod[];
  /** Why the last round could not create or delete pods; this one then only reports. */
  readonly failure?: { readonly verb: 'create' | 'delete'; readonly message: string };
  readonly nowMs: number;
}

export function decideReplicaSet(input: ReplicaSetInput): Plan {
  const { replicaSet, nowMs } = input;
  const candidates = input.pods.filter((pod) => !isTerminal(pod));
  const { owned, adopt, release } = claim(replicaSet, labelSelectorFor(replicaSet.spec.selector), candidates);
  const active = owned.filter(isActive);
  const difference = active.length - (replicaSet.spec.replicas ?? 1);
  const goes = replicaSet.metadata.deletionTimestamp !== undefined;

  const rounds = [...adopt, ...release].map((object): Write => ({
    verb: 'update',
    resource: podResource,
    object,
  }));
  if (!goes && difference !== 0 && input.failure === undefined) {
    // No report yet: what this round changes brings the next one, and that reports.
    return planOf([rounds, changes(input, active, difference)]);
  }
  const status = statusOf(input, owned, active, difference);
  const changed = !semanticEqual(status, replicaSet.status ?? { replicas: 0 });
  const report: Write = { verb: 'updateStatus', resource: replicaSets, object: { ...replicaSet, status } };
  return planOf(
    [rounds, changed ? [report] : []],
    [],
    nextAvailableInMs(active, replicaSet.spec.minReadySeconds ?? 0, nowMs),
  );
}

function changes(input: ReplicaSetInput, active: readonly Pod[], difference: number): Write[] {
  const { replicaSet } = input;
  const count = Math.min(Math.abs(difference), BURST_MAX);
  if (difference > 0) {
    return deletionOrder(active, input.relatedPods ?? active)
      .slice(0, count)
      .map((pod): Write => ({
        verb: 'delete',
        resource: podResource,
        object: pod,
        accountTo: replicaSet,
      }));
  }
  const object = podFromTemplate(replicaSet.spec.template ?? {}, {
    namespace: replicaSet.metadata.namespace,
    generateName: `${replicaSet.metadata.name}-`,
    owner: controllerReference(replicaSet),
  });
  const create: Write = { verb: 'create', resource: podResource, object, accountTo: replicaSet };
  return Array.from({ length: count }, () => create);
}

function statusOf(
  input: ReplicaSetInput,
  owned: readonly Pod[],
  active: readonly Pod[],
  difference: number,
): ReplicaSetStatus {
  const { replicaSet, nowMs } = input;
  const { template, minReadySeconds = 0 } = replicaSet.spec;
  const templateLabels = Object.entries(template?.metadata?.labels ?? {});
  const labelled = active.filter((pod) =>
    templateLabels.every(([key, value]) => pod.metadata.labels?.[key] === value),
  );
  const ready = active.filter(isReady).length;
  const available = active.filter((pod) => isAvailable(pod, minReadySeconds, nowMs)).length;
  const conditions = failureCondition(input, difference);
  return {
    replicas: active.length,
    ...(labelled.length === 0 ? {} : { fullyLabeledReplicas: labelled.length }),
    ...(ready === 0 ? {} : { readyReplicas: ready }),
    ...(available === 0 ? {} : { availableReplicas: available }),
    terminatingReplicas: owned.filter(isTerminating).length,
    observedGeneration: replicaSet.metadata.generation ?? 0,
    ...(conditions.length === 0 ? {} : { conditions }),
  };
}

function failureCondition(
  { replicaSet, failure, nowMs }: ReplicaSetInput,
  difference: number,
): readonly ReplicaSetCondition[] {
  const before = replicaSet.status?.conditions ?? [];
  const current = before.find((condition) => condition.type === 'ReplicaFailure');
  if (failure === undefined) {
    // A failure stands until the count is right again.
    return difference === 0 && current !== undefined ? before.filter((one) => one !== current) : before;
  }
  if (current !== undefined) return before;
  return [
    ...before,
    {
      type: 'ReplicaFailure',
      status: 'True',
      reason: failure.verb === 'create' ? 'FailedCreate' : 'FailedDelete',
      message: failure.message,
      lastTransitionTime: formatTime(nowMs),
    },
  ];
}
