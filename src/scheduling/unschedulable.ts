// Which replicas of a workload in a member found no node (scheduling.md §13.6). COMPAT: only Deployments are known.
import type { Deployment, Pod, ReplicaSet } from '../api/index.ts';
import { controllerOf, deepEqual, labelSelectorFor, parseTime } from '../machinery/index.ts';

const TEMPLATE_HASH = 'pod-template-hash';

/** A pod template without the label that the deployment controller puts into each ReplicaSet's. */
function plainTemplate({ spec }: ReplicaSet | Deployment): unknown {
  const { template } = spec ?? {};
  if (template === undefined) return undefined;
  const { [TEMPLATE_HASH]: _hash, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}

/** The ReplicaSet with the Deployment's own pod template; the oldest, should there be several. */
export function currentReplicaSet(
  deployment: Deployment,
  replicaSets: readonly ReplicaSet[],
): ReplicaSet | undefined {
  const wanted = plainTemplate(deployment);
  return replicaSets
    .filter(
      (one) => controllerOf(one)?.uid === deployment.metadata.uid && deepEqual(plainTemplate(one), wanted),
    )
    .toSorted(
      (a, b) => createdMs(a) - createdMs(b) || ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1),
    )
    .at(0);
}

function createdMs({ metadata }: ReplicaSet): number {
  return parseTime(metadata.creationTimestamp ?? '') ?? 0;
}

/** The pods of one ReplicaSet among those of a namespace. */
export function podsOf(
  deployment: Deployment,
  replicaSet: ReplicaSet | undefined,
  pods: readonly Pod[],
): readonly Pod[] {
  const { selector } = deployment.spec ?? {};
  if (replicaSet === undefined || selector === undefined) return [];
  const selected = labelSelectorFor(selector);
  return pods.filter(
    (pod) => selected.matches(pod.metadata.labels) && controllerOf(pod)?.uid === replicaSet.metadata.uid,
  );
}

/** How many of `pods` have found no node for longer than the threshold. */
export function unschedulableReplicas(pods: readonly Pod[], thresholdMs: number, nowMs: number): number {
  return pods.filter(({ status }) =>
    status?.conditions?.some(
      ({ type, status: is, reason, lastTransitionTime }) =>
        type === 'PodScheduled' &&
        is === 'False' &&
        reason === 'Unschedulable' &&
        (parseTime(lastTransitionTime ?? '') ?? nowMs) + thresholdMs < nowMs,
    ),
  ).length;
}
