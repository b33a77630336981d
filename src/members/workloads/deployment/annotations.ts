// The book-keeping of rollouts that kubectl reads and writes: revisions, their history, and the sizes that a
// ReplicaSet was meant for. Kept in annotations because that is where clients look.
import type { Deployment, ReplicaSet } from '../../kinds.ts';
import { boundsOf, replicasOf } from './rollout.ts';

export const REVISION = 'deployment.kubernetes.io/revision';
const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';
const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas';
const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas';
// LIMIT: as kube-controller-manager trims it.
const HISTORY_LENGTH_MAX = 2000;

const ownToReplicaSets = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  'deprecated.deployment.rollback.to',
]);

type Annotations = Readonly<Record<string, string>>;
type Annotated = { readonly metadata: { readonly annotations?: Annotations } };

export function annotation(object: Annotated, key: string): string | undefined {
  const { annotations } = object.metadata;
  return annotations !== undefined && Object.hasOwn(annotations, key) ? annotations[key] : undefined;
}

function numberIn(object: Annotated, key: string): number {
  const value = Number(annotation(object, key) ?? 0);
  return Number.isInteger(value) ? value : 0;
}

export function revisionOf(object: Annotated): number {
  return numberIn(object, REVISION);
}

/** Whether a ReplicaSet in use was sized for another replica count than the Deployment has now. */
export function isScalingEvent(deployment: Deployment, active: readonly ReplicaSet[]): boolean {
  return active.some((set) => {
    const desired = annotation(set, DESIRED_REPLICAS);
    return replicasOf(set) > 0 && desired !== undefined && Number(desired) !== replicasOf(deployment);
  });
}

/** The most pods the Deployment could have when this ReplicaSet was last sized. */
export function maxReplicasOf(deployment: Deployment): (set: ReplicaSet) => number {
  return (set) => numberIn(set, MAX_REPLICAS) || (deployment.status?.replicas ?? 0);
}

export function sizeAnnotations(deployment: Deployment): Annotations {
  const replicas = replicasOf(deployment);
  return {
    [DESIRED_REPLICAS]: String(replicas),
    [MAX_REPLICAS]: String(replicas + boundsOf(deployment).maxSurge),
  };
}

/** The annotations of the current ReplicaSet: the Deployment's own, its revision, and the revisions it had before. */
export function currentAnnotations(deployment: Deployment, set: Annotated, revision: number): Annotations {
  const result: Record<string, string> = { ...set.metadata.annotations };
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {})) {
    if (!ownToReplicaSets.has(key)) result[key] = value;
  }
  const before = revisionOf(set);
  if (before >= revision) return result;
  result[REVISION] = String(revision);
  if (before > 0) {
    let history = [...(annotation(set, REVISION_HISTORY)?.split(',') ?? []), String(before)];
    while (history.join(',').length > HISTORY_LENGTH_MAX) history = history.slice(1);
    result[REVISION_HISTORY] = history.join(',');
  }
  return result;
}
