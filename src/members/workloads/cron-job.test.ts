import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CronJobSpec, CronJobStatus } from '../../api/index.ts';
import type { CronJob, Job } from '../kinds.ts';
import type { Plan } from '../plan.ts';
import { NOW, job, meta, ownedBy, secondsAgo } from '../testing/objects.ts';
import { outline, statusIn, writesOf } from '../testing/plans.ts';
import { decideCronJob } from './cron-job.ts';

const cronJob = (spec: Partial<CronJobSpec> = {}, status: CronJobStatus = {}): CronJob => ({
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: meta('tick', { creationTimestamp: secondsAgo(90) }),
  spec: { schedule: '* * * * *', concurrencyPolicy: 'Allow', jobTemplate: { spec: job().spec }, ...spec },
  status,
});

const run = (name: string, how?: 'Complete' | 'Failed', startedSecondsAgo = 60): Job =>
  job(
    {},
    {
      metadata: meta(name, {
        ...ownedBy('CronJob', 'tick'),
        annotations: { 'batch.kubernetes.io/cronjob-scheduled-timestamp': secondsAgo(startedSecondsAgo) },
      }),
      status: {
        startTime: secondsAgo(startedSecondsAgo),
        ...(how === 'Complete' ? { completionTime: secondsAgo(startedSecondsAgo - 5) } : {}),
        ...(how === undefined ? {} : { conditions: [{ type: how, status: 'True' }] }),
      },
    },
  );

const decide = (of: CronJob, jobs: readonly Job[] = []): Plan =>
  decideCronJob({ cronJob: of, jobs, nowMs: NOW + 5000 });
const name = `tick-${NOW / 60_000}`;

test('a Job is made for the last scheduled time that has passed, named after it', () => {
  const plan = decide(cronJob());
  assert.deepEqual(outline(plan), [`create Job ${name}`, 'updateStatus CronJob tick']);
  assert.equal(statusIn<CronJobStatus>(plan, 'CronJob')?.lastScheduleTime, secondsAgo(0));
  assert.equal(plan.requeueAfterMs, 55_000);
  const [created] = writesOf(plan, 'create', 'Job');
  assert.equal(
    created?.metadata.annotations?.['batch.kubernetes.io/cronjob-scheduled-timestamp'],
    secondsAgo(0),
  );
  const zoned = writesOf(decide(cronJob({ timeZone: 'Asia/Kolkata' })), 'create', 'Job')[0];
  assert.equal(
    zoned?.metadata.annotations?.['batch.kubernetes.io/cronjob-scheduled-timestamp'],
    '2026-11-21T17:30:00+05:30',
  );
});

test('a time that has been served is not served again', () => {
  assert.deepEqual(outline(decide(cronJob({}, { lastScheduleTime: secondsAgo(0) }))), []);
});

test('a suspended CronJob starts nothing', () => {
  assert.deepEqual(outline(decide(cronJob({ suspend: true }))), []);
});

test('a time that is too long past is missed', () => {
  const plan = decide(cronJob({ startingDeadlineSeconds: 3 }));
  assert.deepEqual(outline(plan), []);
  assert.equal(plan.events[0]?.reason, 'MissSchedule');
});

test('what a Job that still runs means is up to the concurrency policy', () => {
  const active = [run('tick-1')];
  assert.deepEqual(writesOf(decide(cronJob(), active), 'create', 'Job').length, 1);
  const forbidden = decide(cronJob({ concurrencyPolicy: 'Forbid' }), active);
  assert.equal(writesOf(forbidden, 'create', 'Job').length, 0);
  assert.equal(forbidden.events[0]?.reason, 'JobAlreadyActive');
  const replaced = decide(cronJob({ concurrencyPolicy: 'Replace' }), active);
  assert.deepEqual(outline(replaced).slice(0, 2), ['delete Job tick-1', `create Job ${name}`]);
  const told = replaced.steps.flat().map((write) => ('words' in write ? write.words?.done : undefined));
  assert.deepEqual(told.slice(0, 2), ['Deleted job tick-1', `Created job ${name}`]);
});

test('the status lists what runs and remembers the last success', () => {
  const status = statusIn<CronJobStatus>(
    decide(cronJob(), [run('tick-2'), run('tick-1', 'Complete')]),
    'CronJob',
  );
  assert.deepEqual(
    status?.active?.map(({ name: one }) => one),
    ['tick-2'],
  );
  assert.equal(status?.lastSuccessfulTime, secondsAgo(55));
});

test('a Job that somebody else made from it is no run of it', () => {
  const { metadata, ...rest } = run('by-hand');
  const { annotations: _, ...others } = metadata;
  const plan = decide(cronJob({ concurrencyPolicy: 'Forbid' }), [{ ...rest, metadata: others }]);
  assert.equal(plan.events[0]?.reason, 'UnexpectedJob');
  assert.equal(plan.events[0]?.message, 'Saw a job that the controller did not create or forgot: by-hand');
  assert.equal(writesOf(plan, 'create', 'Job').length, 1);
  assert.equal(statusIn<CronJobStatus>(plan, 'CronJob')?.active, undefined);
});

test('finished Jobs beyond the limits go, the oldest first', () => {
  const jobs = [
    run('tick-1', 'Complete', 400),
    run('tick-2', 'Complete', 300),
    run('tick-3', 'Failed', 200),
    run('tick-4', 'Failed', 100),
  ];
  const plan = decide(cronJob({ successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 0 }), jobs);
  const gone = new Set(writesOf(plan, 'delete', 'Job').map(({ metadata }) => metadata.name));
  assert.deepEqual(gone, new Set(['tick-1', 'tick-3', 'tick-4']));
});

test('a schedule that cannot be read is reported', () => {
  const plan = decide(cronJob({ schedule: 'every now and then' }));
  assert.deepEqual(outline(plan), []);
  assert.equal(plan.events[0]?.reason, 'InvalidSchedule');
});
