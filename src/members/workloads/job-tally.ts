// How far a Job is: its pods counted, and whether that ends it.
// INVARIANT: a finished pod is in exactly one place: on the pod's finalizer, in `uncountedTerminatedPods`, or in a number.
import type { JobCondition } from '../../api/index.ts';
import { hasFinalizer } from '../../machinery/index.ts';
import type { Job, Pod } from '../kinds.ts';
import { isActive, isTerminating } from '../pods.ts';
import { parseIndexes } from './job-indexes.ts';

export const TRACKING_FINALIZER = 'batch.kubernetes.io/job-tracking';
export const INDEX_ANNOTATION = 'batch.kubernetes.io/job-completion-index';

/** The counts of one round, with pods that have just ended already in. */
export interface Tally {
  readonly active: readonly Pod[];
  readonly uncounted: { readonly succeeded: readonly string[]; readonly failed: readonly string[] };
  /** Stored numbers, with those whose finalizers are gone. */
  readonly succeeded: number;
  readonly failed: number;
  /** Of an Indexed Job. */
  readonly completedIndexes: readonly number[];
  readonly restarts: number;
}

export interface Verdict {
  readonly kind: 'complete' | 'failed';
  readonly reason: string;
  readonly message: string;
}

export function conditionOf(job: Job, type: string): JobCondition | undefined {
  return job.status?.conditions?.find((one) => one.type === type && one.status === 'True');
}

export function isIndexed(job: Job): boolean {
  return job.spec.completionMode === 'Indexed';
}

export function indexOf(pod: Pod): number | undefined {
  const text = pod.metadata.annotations?.[INDEX_ANNOTATION] ?? pod.metadata.labels?.[INDEX_ANNOTATION];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

export function isSuspendedInStatus(job: Job): boolean {
  return conditionOf(job, 'Suspended') !== undefined;
}

/** How the Job is going to finish, once decided: the condition stands while its last pods end. */
export function targetOf(job: Job): Verdict | undefined {
  const met = conditionOf(job, 'SuccessCriteriaMet');
  const failing = conditionOf(job, 'FailureTarget');
  const condition = met ?? failing;
  if (condition === undefined) return undefined;
  const { reason = '', message = '' } = condition;
  return { kind: met === undefined ? 'failed' : 'complete', reason, message };
}

function isFailed(pod: Pod): boolean {
  // A pod that is deleted from outside may never get to report how it ended.
  return pod.status?.phase === 'Failed' || (isTerminating(pod) && pod.status?.phase !== 'Succeeded');
}

export function tallyOf(job: Job, owned: readonly Pod[], failing: boolean): Tally {
  const { status = {} } = job;
  const stored = status.uncountedTerminatedPods ?? {};
  const tracked = new Map(
    owned.filter((pod) => hasFinalizer(pod, TRACKING_FINALIZER)).map((pod) => [pod.metadata.uid, pod]),
  );
  const succeeded = new Set((stored.succeeded ?? []).filter((uid) => tracked.has(uid)));
  const failed = new Set((stored.failed ?? []).filter((uid) => tracked.has(uid)));
  const settledSucceeded = (stored.succeeded ?? []).length - succeeded.size;
  const settledFailed = (stored.failed ?? []).length - failed.size;
  const indexes = new Set(parseIndexes(status.completedIndexes, job.spec.completions ?? 0));
  for (const [uid, pod] of tracked) {
    if (pod.status?.phase === 'Succeeded') {
      const index = indexOf(pod);
      if (isIndexed(job) && index !== undefined) indexes.add(index);
      else if (!failed.has(uid)) succeeded.add(uid);
    } else if (isFailed(pod) || (failing && !isActive(pod))) {
      failed.add(uid);
    }
  }
  return {
    active: owned.filter(isActive),
    uncounted: { succeeded: [...succeeded], failed: [...failed] },
    succeeded: (isIndexed(job) ? indexes.size : (status.succeeded ?? 0)) + settledSucceeded,
    failed: (status.failed ?? 0) + settledFailed,
    completedIndexes: [...indexes],
    restarts: owned
      .filter((pod) => isActive(pod) && pod.status?.phase === 'Running')
      .flatMap((pod) => pod.status?.containerStatuses ?? [])
      .reduce((total, container) => total + container.restartCount, 0),
  };
}

/** Whether the Job is over. */
export function verdictOf(
  job: Job,
  tally: Tally,
  startTime: string | undefined,
  nowMs: number,
): Verdict | undefined {
  const { backoffLimit = 6, completions, template } = job.spec;
  const failed = tally.failed + tally.uncounted.failed.length;
  const succeeded = tally.succeeded + tally.uncounted.succeeded.length;
  const restarts = template.spec?.restartPolicy === 'OnFailure' ? tally.restarts : 0;
  if (failed > backoffLimit || (restarts > 0 && restarts >= backoffLimit)) {
    const message = 'Job has reached the specified backoff limit';
    return { kind: 'failed', reason: 'BackoffLimitExceeded', message };
  }
  const deadline = deadlineInMs(job, startTime, nowMs);
  if (deadline !== undefined && deadline <= 0) {
    const message = 'Job was active longer than specified deadline';
    return { kind: 'failed', reason: 'DeadlineExceeded', message };
  }
  const done =
    completions === undefined ? succeeded > 0 && tally.active.length === 0 : succeeded >= completions;
  if (!done || job.spec.suspend === true) return undefined;
  const message = 'Reached expected number of succeeded pods';
  return { kind: 'complete', reason: 'CompletionsReached', message };
}

export function deadlineInMs(job: Job, startTime: string | undefined, nowMs: number): number | undefined {
  const seconds = job.spec.activeDeadlineSeconds;
  if (seconds === undefined || startTime === undefined || job.spec.suspend === true) return undefined;
  return Date.parse(startTime) + seconds * 1000 - nowMs;
}
