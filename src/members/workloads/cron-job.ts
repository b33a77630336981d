// CronJobs: create a Job whenever the schedule says so.
// Reads CronJobs, Jobs. Writes Jobs, the CronJob's status.
// INVARIANT: one scheduled time makes at most one Job, because the time is part of the Job's name.
import type { CronJobStatus, ObjectReference } from '../../api/index.ts';
import { formatTime } from '../../base/index.ts';
import {
  CronError,
  controllerReference,
  isControlledBy,
  latestBetween,
  parseCron,
  semanticEqual,
  type CronSchedule,
} from '../../machinery/index.ts';
import type { CronJob, Job } from '../kinds.ts';
import { planOf, type EventNote, type Plan, type Write } from '../plan.ts';
import { compare } from '../pods.ts';
import { cronJobs, jobs as jobResource } from '../resources.ts';

export interface CronJobInput {
  readonly cronJob: CronJob;
  /** Those that the CronJob controls. */
  readonly jobs: readonly Job[];
  readonly nowMs: number;
}

export function decideCronJob(input: CronJobInput): Plan {
  const { cronJob, nowMs } = input;
  const jobs = input.jobs.filter((job) => isControlledBy(job, cronJob));
  const unfinished = jobs.filter((job) => finishOf(job) === undefined);
  // COMPAT: what people start from it beside the schedule is no run of it: it neither counts nor holds up the next.
  const running = unfinished.filter((job) => isScheduled(job) || isListed(cronJob, job));
  const finished = jobs.filter((job) => finishOf(job) !== undefined);
  const events = [...completions(cronJob, finished), ...unexpected(cronJob, unfinished, running)];
  const before = cronJob.status ?? {};
  let status = withCompletions(withActive(before, running), finished);
  const cleanUp = [
    ...surplus(finished, 'Complete', cronJob.spec.successfulJobsHistoryLimit ?? 3),
    ...surplus(finished, 'Failed', cronJob.spec.failedJobsHistoryLimit ?? 1),
  ].map((job) => removeJob(cronJob, job));
  const creation: Write[] = [];
  const removals: Write[] = [];
  let requeueAfterMs: number | undefined;
  if (cronJob.metadata.deletionTimestamp === undefined && cronJob.spec.suspend !== true) {
    const schedule = scheduleOf(cronJob, events);
    const due = schedule === undefined ? undefined : dueTime(cronJob, schedule, nowMs, events);
    const next = schedule?.next(nowMs);
    if (next !== undefined) requeueAfterMs = next - nowMs;
    if (due !== undefined && mayStart(cronJob, running, events)) {
      if (cronJob.spec.concurrencyPolicy === 'Replace') {
        removals.push(...running.map((job) => removeJob(cronJob, job)));
      }
      creation.push(createJob(cronJob, due));
      status = { ...status, lastScheduleTime: formatTime(due) };
    }
  }
  const report: Write = { verb: 'updateStatus', resource: cronJobs, object: { ...cronJob, status } };
  return planOf(
    [removals, creation, cleanUp, semanticEqual(status, before) ? [] : [report]],
    events,
    requeueAfterMs,
  );
}

function finishOf(job: Job): 'Complete' | 'Failed' | undefined {
  const condition = job.status?.conditions?.find(
    ({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
  );
  return condition?.type as 'Complete' | 'Failed' | undefined;
}

function isListed(cronJob: CronJob, job: Job): boolean {
  return cronJob.status?.active?.some(({ uid }) => uid === job.metadata.uid) === true;
}

const SCHEDULED = 'batch.kubernetes.io/cronjob-scheduled-timestamp';

function isScheduled({ metadata }: Job): boolean {
  return metadata.annotations?.[SCHEDULED] !== undefined;
}

function unexpected(cronJob: CronJob, unfinished: readonly Job[], running: readonly Job[]): EventNote[] {
  return unfinished
    .filter((job) => !running.includes(job))
    .map((job) => ({
      about: cronJob,
      type: 'Warning',
      reason: 'UnexpectedJob',
      message: `Saw a job that the controller did not create or forgot: ${job.metadata.name}`,
    }));
}

function completions(cronJob: CronJob, finished: readonly Job[]): EventNote[] {
  return finished
    .filter((job) => isListed(cronJob, job))
    .map((job) => ({
      about: cronJob,
      type: 'Normal',
      reason: 'SawCompletedJob',
      message: `Saw completed job: ${job.metadata.name}, condition: ${finishOf(job)}`,
    }));
}

function withActive(status: CronJobStatus, running: readonly Job[]): CronJobStatus {
  const { active: _, ...rest } = status;
  const active = running
    .toSorted((a, b) => compare(a.metadata.name, b.metadata.name))
    .map((job): ObjectReference => ({
      apiVersion: 'batch/v1',
      kind: 'Job',
      namespace: job.metadata.namespace,
      name: job.metadata.name,
      uid: job.metadata.uid,
    }));
  // Resource versions change with every status of the Job and would only make noise.
  return active.length === 0 ? rest : { ...rest, active };
}

function withCompletions(status: CronJobStatus, finished: readonly Job[]): CronJobStatus {
  let latest = status.lastSuccessfulTime;
  for (const job of finished) {
    const time = finishOf(job) === 'Complete' ? job.status?.completionTime : undefined;
    if (time !== undefined && (latest === undefined || Date.parse(time) > Date.parse(latest))) latest = time;
  }
  return latest === undefined ? status : { ...status, lastSuccessfulTime: latest };
}

function surplus(finished: readonly Job[], how: 'Complete' | 'Failed', keep: number): Job[] {
  return finished
    .filter((job) => finishOf(job) === how && job.metadata.deletionTimestamp === undefined)
    .sort((a, b) => compare(startedAt(b), startedAt(a)) || compare(b.metadata.name, a.metadata.name))
    .slice(keep);
}

function startedAt(job: Job): string {
  return job.status?.startTime ?? job.metadata.creationTimestamp;
}

function removeJob(cronJob: CronJob, job: Job): Write {
  return {
    verb: 'delete',
    resource: jobResource,
    object: job,
    propagationPolicy: 'Background',
    accountTo: cronJob,
    words: { done: `Deleted job ${job.metadata.name}`, failed: 'Error deleting job' },
  };
}

function scheduleOf(cronJob: CronJob, events: EventNote[]): CronSchedule | undefined {
  const { schedule, timeZone } = cronJob.spec;
  try {
    return parseCron(schedule, timeZone);
  } catch (error) {
    if (!(error instanceof CronError)) throw error;
    const message = `invalid schedule: ${schedule} : ${error.message}`;
    events.push({ about: cronJob, type: 'Warning', reason: 'InvalidSchedule', message });
    return undefined;
  }
}

/** The last scheduled time that has passed and has not been served, unless it is too late for it. */
function dueTime(
  cronJob: CronJob,
  schedule: CronSchedule,
  nowMs: number,
  events: EventNote[],
): number | undefined {
  const { startingDeadlineSeconds } = cronJob.spec;
  const served = cronJob.status?.lastScheduleTime ?? cronJob.metadata.creationTimestamp;
  const due = latestBetween(schedule, Date.parse(served), nowMs);
  if (due === undefined) return undefined;
  if (startingDeadlineSeconds !== undefined && due + startingDeadlineSeconds * 1000 < nowMs) {
    const message = `Missed scheduled time to start a job: ${formatTime(due)}`;
    events.push({ about: cronJob, type: 'Warning', reason: 'MissSchedule', message });
    return undefined;
  }
  return due;
}

function mayStart(cronJob: CronJob, running: readonly Job[], events: EventNote[]): boolean {
  if (cronJob.spec.concurrencyPolicy !== 'Forbid' || running.length === 0) return true;
  events.push({
    about: cronJob,
    type: 'Normal',
    reason: 'JobAlreadyActive',
    message: 'Not starting job because prior execution is running and concurrency policy is Forbid',
  });
  return false;
}

function createJob(cronJob: CronJob, dueMs: number): Write {
  const { metadata = {}, spec } = cronJob.spec.jobTemplate;
  const { timeZone } = cronJob.spec;
  const object = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: `${cronJob.metadata.name}-${Math.floor(dueMs / 60_000)}`,
      namespace: cronJob.metadata.namespace,
      ...(metadata.labels === undefined ? {} : { labels: metadata.labels }),
      annotations: {
        ...metadata.annotations,
        [SCHEDULED]: scheduledTimestamp(dueMs, timeZone),
      },
      ownerReferences: [controllerReference(cronJob)],
    },
    spec,
  };
  const words = { done: `Created job ${object.metadata.name}`, failed: 'Error creating job' };
  return { verb: 'create', resource: jobResource, object, accountTo: cronJob, words };
}

/** RFC 3339 with the offset of the CronJob's zone. */
function scheduledTimestamp(atMs: number, timeZone: string | undefined): string {
  if (timeZone === undefined) return formatTime(atMs);
  const name = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' })
    .formatToParts(atMs)
    .find(({ type }) => type === 'timeZoneName')?.value;
  const offset = name?.replace('GMT', '') ?? '';
  if (offset === '') return formatTime(atMs);
  const [hours = 0, minutes = 0] = offset.slice(1).split(':').map(Number);
  const shiftMs = (hours * 60 + minutes) * 60_000 * (offset.startsWith('-') ? -1 : 1);
  return formatTime(atMs + shiftMs).replace('Z', offset);
}
