// When an eviction is over and the old copy may go (clusters-and-failover.md §8.3), and the guard that is ours: the
// last healthy copy stays until another is healthy, and comes back into its cluster when that may be used again.
// Upstream removes it when time is over, and takes an empty schedule for one whose copies are all healthy.
import {
  DEPENDENCIES_READY_CONDITION,
  type GracefulEvictionTask,
  type Placement,
  type TargetCluster,
  type WorkloadState,
} from '../api/index.ts';
import { isBeingDeleted, parseTime } from '../machinery/index.ts';
import type { Binding } from './binding.ts';
import { carriesState } from './carried-state.ts';
import {
  TAINT_MANAGER,
  healthIn,
  isKnownHealthy,
  isLastHealthyCopy,
  readyReplicasIn,
  wantsNoCopy,
  type ClusterLookup,
  type EvictionChange,
} from './eviction.ts';
import { noExecuteTaints, stayOf } from './toleration-clock.ts';

export interface EvictionAssessment {
  /** The tasks to keep; the same array when none changes. */
  readonly tasks: readonly GracefulEvictionTask[];
  readonly dropped: readonly string[];
  /** Clusters whose task is over its time and is kept by the guard. */
  readonly held: readonly string[];
  /** When time alone ends a task. */
  readonly recheckAfterMs: number | undefined;
}

interface Assessing {
  readonly binding: Binding;
  readonly clusters: ClusterLookup;
  readonly replaced: boolean;
  readonly known: WorkloadState | undefined;
  readonly nowMs: number;
  readonly timeoutMs: number;
}

type Verdict = 'keep' | 'drop' | 'hold';

/**
 * @param now what new tasks carry as creationTimestamp; the text of nowMs
 * @param known what is known of the state of the copies that were given up
 */
export function assessEvictions(
  binding: Binding,
  clusters: ClusterLookup,
  {
    nowMs,
    now,
    timeoutMs,
    known,
  }: {
    readonly nowMs: number;
    readonly now: string;
    readonly timeoutMs: number;
    readonly known?: WorkloadState | undefined;
  },
): EvictionAssessment {
  const before = binding.spec.gracefulEvictionTasks ?? [];
  const replaced = isReplaced(binding, clusters);
  const assessing: Assessing = { binding, clusters, replaced, known, nowMs, timeoutMs };
  const tasks: GracefulEvictionTask[] = [];
  const dropped: string[] = [];
  const held: string[] = [];
  const waits: number[] = [];
  for (const task of before) {
    const started = task.creationTimestamp === undefined;
    const kept = started ? { ...task, creationTimestamp: now } : task;
    const verdict = started ? 'keep' : judge(task, assessing);
    if (verdict === 'drop') {
      dropped.push(task.fromCluster);
      continue;
    }
    tasks.push(kept);
    if (verdict === 'hold') held.push(task.fromCluster);
    else if (task.suppressDeletion === undefined) {
      const leftMs = endMs(kept, timeoutMs, nowMs) - nowMs;
      if (leftMs >= 0) waits.push(leftMs);
    }
  }
  const changed = tasks.length !== before.length || tasks.some((task, index) => task !== before[index]);
  return {
    tasks: changed ? tasks : before,
    dropped,
    held,
    recheckAfterMs: waits.length === 0 ? undefined : Math.max(0, Math.min(...waits)) + 1,
  };
}

/** Whether the time of a task is over, so that nothing waits for the old copy any longer. */
export function isOverTime(task: GracefulEvictionTask, timeoutMs: number, nowMs: number): boolean {
  return task.suppressDeletion === undefined && nowMs > endMs(task, timeoutMs, nowMs);
}

function endMs(task: GracefulEvictionTask, timeoutMs: number, nowMs: number): number {
  const lifetimeMs = task.gracePeriodSeconds === undefined ? timeoutMs : task.gracePeriodSeconds * 1000;
  return (parseTime(task.creationTimestamp ?? '') ?? nowMs) + lifetimeMs;
}

function judge(
  task: GracefulEvictionTask,
  { binding, clusters, replaced, known, nowMs, timeoutMs }: Assessing,
): Verdict {
  if (task.suppressDeletion !== undefined) return task.suppressDeletion ? 'keep' : 'drop';
  if (replaced) return 'drop';
  if (nowMs <= endMs(task, timeoutMs, nowMs)) return 'keep';
  // The state it carries is kept until a healthy copy has it. The task no longer blocks anything then.
  if (carriesState(task, known) && (binding.spec.clusters ?? []).length > 0) return 'keep';
  return isLastHealthyCopy(binding, task.fromCluster, clusters) ? 'hold' : 'drop';
}

/** Whether the copies that are wanted now are all there and healthy. */
function isReplaced(binding: Binding, clusters: ClusterLookup): boolean {
  const { metadata, spec, status } = binding;
  if (status?.schedulerObservedGeneration !== metadata.generation) return false;
  // A copy without what it needs has not taken the place of another.
  const lacks = status?.conditions?.some(
    ({ type, status: value }) => type === DEPENDENCIES_READY_CONDITION && value === 'False',
  );
  if (lacks === true) return false;
  const targets = spec.clusters ?? [];
  if (targets.length === 0) return wantsNoCopy(spec);
  return targets.every(
    (target) => isKnownHealthy(binding, target.name, clusters) && hasItsReplicas(binding, target),
  );
}

/** A copy that was healthy with the replicas it had stays so for the hub until its member has heard of those it takes over. */
function hasItsReplicas({ status }: Binding, { name, replicas = 0 }: TargetCluster): boolean {
  return (readyReplicasIn(status, name) ?? replicas) >= replicas;
}

/**
 * Takes an eviction back: nothing could replace the copy, and its cluster may be used again. Without this the task
 * itself would keep the scheduler from the only cluster that has the copy. Whether that is healthy does not matter: what is
 * fenced has stopped while its cluster was silent.
 */
export function takeBack(
  { spec, status }: Binding,
  clusters: ClusterLookup,
  tolerations: NonNullable<Placement['clusterTolerations']>,
  nowMs: number,
): Required<EvictionChange> | undefined {
  if ((spec.clusters ?? []).length > 0) return undefined;
  const tasks = spec.gracefulEvictionTasks ?? [];
  const back = tasks.filter(({ producer, purgeMode, fromCluster, suppressDeletion }) => {
    const cluster = clusters.get(fromCluster);
    return (
      producer === TAINT_MANAGER &&
      purgeMode !== 'Directly' &&
      suppressDeletion === undefined &&
      cluster !== undefined &&
      !isBeingDeleted(cluster) &&
      healthIn(status, fromCluster) !== undefined &&
      stayOf(noExecuteTaints(cluster.spec.taints), tolerations, nowMs).kind === 'for-ever'
    );
  });
  if (back.length === 0) return undefined;
  return {
    clusters: back.map(({ fromCluster, replicas }) => ({
      name: fromCluster,
      ...(replicas === undefined ? {} : { replicas }),
    })),
    gracefulEvictionTasks: tasks.filter((task) => !back.includes(task)),
  };
}
