// What a Job reports: counts, conditions, and the events that go with them.
import type { JobCondition, JobStatus } from '../../api/index.ts';
import { formatTime } from '../../base/index.ts';
import type { Job, Pod } from '../kinds.ts';
import type { EventNote } from '../plan.ts';
import { isReady, isTerminal, isTerminating } from '../pods.ts';
import { formatIndexes } from './job-indexes.ts';
import { isIndexed, isSuspendedInStatus, type Tally, type Verdict } from './job-tally.ts';

export interface JobReport {
  readonly job: Job;
  readonly nowMs: number;
  readonly owned: readonly Pod[];
  readonly tally: Tally;
  readonly verdict: Verdict | undefined;
  readonly target: Verdict | undefined;
  readonly startTime: string | undefined;
  readonly resumed: boolean;
}

export function jobStatus(parts: JobReport): JobStatus {
  const { job, owned, tally, verdict, startTime, nowMs } = parts;
  const leaving = owned.filter((pod) => isTerminating(pod) && !isTerminal(pod)).length;
  const waiting = tally.uncounted.succeeded.length + tally.uncounted.failed.length;
  const over = verdict !== undefined && tally.active.length === 0 && leaving === 0 && waiting === 0;
  const conditions = conditionsOf(parts, over);
  const active = tally.active.length;
  const { succeeded, failed } = tally;
  const uncounted = {
    ...(tally.uncounted.succeeded.length === 0 ? {} : { succeeded: tally.uncounted.succeeded }),
    ...(tally.uncounted.failed.length === 0 ? {} : { failed: tally.uncounted.failed }),
  };
  return {
    ...(startTime === undefined ? {} : { startTime }),
    ...(active === 0 ? {} : { active }),
    ...(succeeded === 0 ? {} : { succeeded }),
    ...(failed === 0 ? {} : { failed }),
    terminating: leaving,
    ready: tally.active.filter(isReady).length,
    uncountedTerminatedPods: uncounted,
    ...(isIndexed(job) ? { completedIndexes: formatIndexes(tally.completedIndexes) } : {}),
    ...(over && verdict.kind === 'complete' ? { completionTime: formatTime(nowMs) } : {}),
    ...(conditions.length === 0 ? {} : { conditions }),
  };
}

function conditionsOf(
  { job, nowMs, verdict, target, resumed }: JobReport,
  over: boolean,
): readonly JobCondition[] {
  const now = formatTime(nowMs);
  let conditions = job.status?.conditions ?? [];
  const put = (type: string, status: string, reason: string, message: string): void => {
    const next = { type, status, reason, message, lastProbeTime: now, lastTransitionTime: now };
    conditions = [...conditions.filter((one) => one.type !== type), next];
  };
  if (job.spec.suspend === true && !isSuspendedInStatus(job)) {
    put('Suspended', 'True', 'JobSuspended', 'Job suspended');
  } else if (resumed) {
    put('Suspended', 'False', 'JobResumed', 'Job resumed');
  }
  if (verdict === undefined) return conditions;
  const { kind, reason, message } = verdict;
  // The first condition announces the end, the second says that nothing of the Job runs any more.
  if (target === undefined)
    put(kind === 'complete' ? 'SuccessCriteriaMet' : 'FailureTarget', 'True', reason, message);
  if (over) put(kind === 'complete' ? 'Complete' : 'Failed', 'True', reason, message);
  return conditions;
}

export function jobEvents(job: Job, status: JobStatus, suspended: boolean, resumed: boolean): EventNote[] {
  const events: EventNote[] = [];
  const note = (type: EventNote['type'], reason: string, message: string): void => {
    events.push({ about: job, type, reason, message });
  };
  if (suspended && !isSuspendedInStatus(job)) note('Normal', 'Suspended', 'Job suspended');
  if (resumed) note('Normal', 'Resumed', 'Job resumed');
  const finished = status.conditions?.find(
    ({ type, status: holds }) => (type === 'Complete' || type === 'Failed') && holds === 'True',
  );
  if (finished?.type === 'Complete') note('Normal', 'Completed', 'Job completed');
  if (finished?.type === 'Failed') note('Warning', finished.reason ?? '', finished.message ?? '');
  return events;
}
