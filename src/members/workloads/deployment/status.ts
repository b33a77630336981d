// What a Deployment reports: counts, and the three conditions that `kubectl rollout status` and users read.
import { formatTime } from '../../../base/index.ts';
import type { DeploymentCondition, DeploymentStatus } from '../../../api/index.ts';
import type { Deployment, ReplicaSet } from '../../kinds.ts';
import { availableOf, boundsOf, replicasOf, sum } from './rollout.ts';

const NO_DEADLINE = 2_147_483_647;

export interface Observed {
  readonly deployment: Deployment;
  readonly newReplicaSet: ReplicaSet | undefined;
  readonly all: readonly ReplicaSet[];
  readonly nowMs: number;
}

export function deadlineSecondsOf(deployment: Deployment): number | undefined {
  const seconds = deployment.spec.progressDeadlineSeconds;
  return seconds === undefined || seconds === NO_DEADLINE ? undefined : seconds;
}

export function conditionOf(
  conditions: readonly DeploymentCondition[] | undefined,
  type: string,
): DeploymentCondition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

type Conditions = readonly DeploymentCondition[];

function without(conditions: Conditions, type: string): Conditions {
  return conditions.filter((condition) => condition.type !== type);
}

/** Replaces the condition of that type. Nothing changes when status and reason are those it has. */
export function withCondition(
  conditions: Conditions,
  next: Pick<DeploymentCondition, 'type' | 'status' | 'reason' | 'message'>,
  nowMs: number,
): Conditions {
  const current = conditionOf(conditions, next.type);
  if (current !== undefined && current.status === next.status && current.reason === next.reason) {
    return conditions;
  }
  const now = formatTime(nowMs);
  const lastTransitionTime = current?.status === next.status ? (current.lastTransitionTime ?? now) : now;
  return [...without(conditions, next.type), { ...next, lastUpdateTime: now, lastTransitionTime }];
}

/** Counts and availability, with the conditions otherwise as they are. */
export function countedStatus({ deployment, newReplicaSet, all, nowMs }: Observed): DeploymentStatus {
  const replicas = sum(all, (set) => set.status?.replicas ?? 0);
  const updatedReplicas = newReplicaSet?.status?.replicas ?? 0;
  const readyReplicas = sum(all, (set) => set.status?.readyReplicas ?? 0);
  const availableReplicas = sum(all, availableOf);
  const unavailableReplicas = Math.max(sum(all, replicasOf) - availableReplicas, 0);
  const enough = availableReplicas >= replicasOf(deployment) - boundsOf(deployment).maxUnavailable;
  const conditions = withCondition(
    deployment.status?.conditions ?? [],
    enough
      ? {
          type: 'Available',
          status: 'True',
          reason: 'MinimumReplicasAvailable',
          message: 'Deployment has minimum availability.',
        }
      : {
          type: 'Available',
          status: 'False',
          reason: 'MinimumReplicasUnavailable',
          message: 'Deployment does not have minimum availability.',
        },
    nowMs,
  );
  const { collisionCount } = deployment.status ?? {};
  return {
    observedGeneration: deployment.metadata.generation ?? 0,
    ...(replicas === 0 ? {} : { replicas }),
    ...(updatedReplicas === 0 ? {} : { updatedReplicas }),
    ...(readyReplicas === 0 ? {} : { readyReplicas }),
    ...(availableReplicas === 0 ? {} : { availableReplicas }),
    ...(unavailableReplicas === 0 ? {} : { unavailableReplicas }),
    terminatingReplicas: sum(all, (set) => set.status?.terminatingReplicas ?? 0),
    ...(collisionCount === undefined ? {} : { collisionCount }),
    conditions,
  };
}

export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const wanted = replicasOf(deployment);
  return (
    (status.updatedReplicas ?? 0) === wanted &&
    (status.replicas ?? 0) === wanted &&
    (status.availableReplicas ?? 0) === wanted &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
}

function hasProgressed(before: DeploymentStatus, status: DeploymentStatus): boolean {
  const oldReplicas = (one: DeploymentStatus): number => (one.replicas ?? 0) - (one.updatedReplicas ?? 0);
  return (
    (status.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    oldReplicas(status) < oldReplicas(before) ||
    (status.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (status.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

function deadlineMs(deployment: Deployment, condition: DeploymentCondition): number | undefined {
  const seconds = deadlineSecondsOf(deployment);
  if (seconds === undefined) return undefined;
  return Date.parse(condition.lastUpdateTime ?? condition.lastTransitionTime ?? '') + seconds * 1000;
}

function isTimedOut(deployment: Deployment, status: DeploymentStatus, nowMs: number): boolean {
  const condition = conditionOf(status.conditions, 'Progressing');
  if (condition === undefined || condition.reason === 'NewReplicaSetAvailable') return false;
  if (condition.reason === 'ProgressDeadlineExceeded') return true;
  const deadline = deadlineMs(deployment, condition);
  return deadline !== undefined && deadline < nowMs;
}

/** How long until an unfinished rollout counts as stuck; undefined when it cannot become so. */
export function stuckInMs(
  deployment: Deployment,
  status: DeploymentStatus,
  nowMs: number,
): number | undefined {
  const condition = conditionOf(status.conditions, 'Progressing');
  if (condition === undefined || isComplete(deployment, status)) return undefined;
  if (condition.reason === 'ProgressDeadlineExceeded' || condition.reason === 'NewReplicaSetAvailable') {
    return undefined;
  }
  const deadline = deadlineMs(deployment, condition);
  // Times in conditions are whole seconds, so a deadline is passed only a second later.
  return deadline === undefined ? undefined : Math.max(deadline - nowMs, 0) + 1000;
}

/** The status of a rollout under way or finished: counts, and how it progresses. */
export function rolloutStatus(observed: Observed, preset: Conditions): DeploymentStatus {
  const { deployment, newReplicaSet, all, nowMs } = observed;
  const before = deployment.status ?? {};
  const status = countedStatus({
    ...observed,
    deployment: { ...deployment, status: { ...before, conditions: preset } },
  });
  let conditions: Conditions = status.conditions ?? [];
  const current = conditionOf(preset, 'Progressing');
  const settled =
    (status.replicas ?? 0) === (status.updatedReplicas ?? 0) && current?.reason === 'NewReplicaSetAvailable';
  if (deadlineSecondsOf(deployment) === undefined) {
    conditions = without(conditions, 'Progressing');
  } else if (!settled) {
    const name =
      newReplicaSet === undefined
        ? `Deployment "${deployment.metadata.name}"`
        : `ReplicaSet "${newReplicaSet.metadata.name}"`;
    conditions = progressing(observed, status, conditions, name);
  }
  const failure = all
    .flatMap((set) => set.status?.conditions ?? [])
    .find((condition) => condition.type === 'ReplicaFailure' && condition.status === 'True');
  conditions =
    failure === undefined
      ? without(conditions, 'ReplicaFailure')
      : withCondition(
          conditions,
          {
            type: 'ReplicaFailure',
            status: failure.status,
            ...(failure.reason === undefined ? {} : { reason: failure.reason }),
            ...(failure.message === undefined ? {} : { message: failure.message }),
          },
          nowMs,
        );
  return { ...status, conditions };
}

function progressing(
  { deployment, nowMs }: Observed,
  status: DeploymentStatus,
  conditions: Conditions,
  name: string,
): Conditions {
  const now = formatTime(nowMs);
  if (isComplete(deployment, status)) {
    const message = `${name} has successfully progressed.`;
    return withCondition(
      conditions,
      { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable', message },
      nowMs,
    );
  }
  if (hasProgressed(deployment.status ?? {}, status)) {
    const current = conditionOf(conditions, 'Progressing');
    // Progress moves the time of the last update on, which is what the deadline counts from.
    return [
      ...without(conditions, 'Progressing'),
      {
        type: 'Progressing',
        status: 'True',
        reason: 'ReplicaSetUpdated',
        message: `${name} is progressing.`,
        lastUpdateTime: now,
        lastTransitionTime: current?.status === 'True' ? (current.lastTransitionTime ?? now) : now,
      },
    ];
  }
  if (!isTimedOut(deployment, status, nowMs)) return conditions;
  const message = `${name} has timed out progressing.`;
  return withCondition(
    conditions,
    { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message },
    nowMs,
  );
}
