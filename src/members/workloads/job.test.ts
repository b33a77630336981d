import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JobStatus, PodStatus } from '../../api/index.ts';
import type { Job, Pod } from '../kinds.ts';
import type { Plan } from '../plan.ts';
import { NOW, job, meta, ownedBy, pod, readyStatus, secondsAgo } from '../testing/objects.ts';
import { outline, statusIn, writesOf } from '../testing/plans.ts';
import { formatIndexes, parseIndexes } from './job-indexes.ts';
import { TRACKING_FINALIZER } from './job-tally.ts';
import { decideJob } from './job.ts';

const finished = (phase: 'Succeeded' | 'Failed', seconds = 100): PodStatus => ({
  phase,
  containerStatuses: [
    {
      name: 'main',
      image: '',
      imageID: '',
      ready: false,
      restartCount: 0,
      state: { terminated: { exitCode: phase === 'Failed' ? 1 : 0, finishedAt: secondsAgo(seconds) } },
    },
  ],
});

const worker = (name: string, parts: Parameters<typeof pod>[1] = {}): Pod =>
  pod(name, {
    ...parts,
    metadata: {
      labels: { app: 'sums' },
      finalizers: [TRACKING_FINALIZER],
      ...ownedBy('Job', 'sums'),
      ...parts.metadata,
    },
  });

const decide = (of: Job, pods: readonly Pod[]): Plan => decideJob({ job: of, pods, nowMs: NOW });
const status = (plan: Plan): JobStatus => statusIn<JobStatus>(plan, 'Job') ?? {};
const pods = (plan: Plan): string[] => outline(plan).filter((line) => line.includes(' Pod '));
const conditions = (plan: Plan): string[] =>
  (status(plan).conditions ?? []).map(({ type, status: is }) => `${type}=${is}`);
const started = { status: { startTime: secondsAgo(60) } };

test('a new Job starts pods that nobody can lose before they are counted', () => {
  const plan = decide(job({ completions: 5, parallelism: 2 }), []);
  assert.deepEqual(pods(plan), ['create Pod sums-', 'create Pod sums-']);
  assert.deepEqual(writesOf(plan, 'create', 'Pod')[0]?.metadata.finalizers, [TRACKING_FINALIZER]);
  assert.equal(status(plan).startTime, secondsAgo(0));
});

test('counting a finished pod: its uid, then its finalizer, then the number, then the end', () => {
  const done = worker('a', { status: finished('Succeeded') });
  const first = decide(job({}, started), [done]);
  assert.deepEqual(status(first).uncountedTerminatedPods, { succeeded: ['uid-a'] });
  assert.equal(status(first).succeeded, undefined);
  assert.deepEqual(conditions(first), ['SuccessCriteriaMet=True']);
  assert.deepEqual(outline(first), ['updateStatus Job sums', 'update Pod a']);
  assert.equal(writesOf(first, 'update', 'Pod')[0]?.metadata.finalizers, undefined);

  const freed = worker('a', { status: finished('Succeeded'), metadata: { finalizers: [] } });
  const second = decide(job({}, { status: status(first) }), [freed]);
  assert.equal(status(second).succeeded, 1);
  assert.deepEqual(status(second).uncountedTerminatedPods, {});
  assert.deepEqual(conditions(second), ['SuccessCriteriaMet=True', 'Complete=True']);
  assert.equal(status(second).completionTime, secondsAgo(0));
  assert.deepEqual(decide(job({}, { status: status(second) }), [freed]).steps, []);
});

test('a pod that is gone after its uid was noted is still counted once', () => {
  const noted = { startTime: secondsAgo(60), uncountedTerminatedPods: { failed: ['uid-x'] } };
  const plan = decide(job({ completions: 2 }, { status: noted }), []);
  assert.equal(status(plan).failed, 1);
  assert.deepEqual(status(plan).uncountedTerminatedPods, {});
});

test('failures back off, twice as long each', () => {
  const of = (...seconds: number[]): Plan =>
    decide(
      job({}, started),
      seconds.map((ago, i) =>
        worker(`f${i}`, { status: finished('Failed', ago), metadata: { finalizers: [] } }),
      ),
    );
  assert.equal(of(4).requeueAfterMs, 6000);
  assert.equal(of(4, 20).requeueAfterMs, 16_000);
  assert.deepEqual(pods(of(11)), ['create Pod sums-']);
});

test('too many failures end the Job, after its other pods have ended', () => {
  const failing = [worker('a', { status: finished('Failed') }), worker('b', { status: readyStatus() })];
  const of = job({ backoffLimit: 0, completions: 2, parallelism: 2 }, started);
  const first = decide(of, failing);
  assert.deepEqual(conditions(first), ['FailureTarget=True']);
  assert.deepEqual(pods(first), ['update Pod a', 'delete Pod b']);
  const leaving = worker('b', { metadata: { deletionTimestamp: secondsAgo(1) }, status: readyStatus() });
  const second = decide(job(of.spec, { status: status(first) }), [leaving]);
  assert.equal(status(second).terminating, 1);
  assert.deepEqual(conditions(second), ['FailureTarget=True']);
  const third = decide(job(of.spec, { status: status(second) }), []);
  assert.equal(status(third).failed, 2);
  assert.deepEqual(conditions(third), ['FailureTarget=True', 'Failed=True']);
  assert.equal(third.events.at(-1)?.reason, 'BackoffLimitExceeded');
});

test('a Job past its deadline fails, and is looked at when the deadline comes', () => {
  const active = [worker('a', { status: readyStatus() })];
  assert.equal(decide(job({ activeDeadlineSeconds: 70 }, started), active).requeueAfterMs, 10_000);
  const late = decide(job({ activeDeadlineSeconds: 60 }, started), active);
  assert.equal(status(late).conditions?.[0]?.reason, 'DeadlineExceeded');
  assert.deepEqual(pods(late), ['delete Pod a']);
});

test('without a number of completions the first success lets the others finish', () => {
  const { completions: _, ...open } = job({ parallelism: 3 }).spec;
  const of: Job = { ...job({}, started), spec: open };
  const plan = decide(of, [
    worker('a', { status: finished('Succeeded') }),
    worker('b', { status: readyStatus() }),
  ]);
  assert.deepEqual(pods(plan), ['update Pod a']);
  assert.deepEqual(conditions(plan), []);
  const over = decide(of, [worker('a', { status: finished('Succeeded') })]);
  assert.deepEqual(conditions(over), ['SuccessCriteriaMet=True']);
});

test('a suspended Job has no pods, and those it stops count as nothing', () => {
  const plan = decide(job({ suspend: true }, started), [worker('a', { status: readyStatus() })]);
  assert.deepEqual(pods(plan), ['update Pod a', 'delete Pod a']);
  assert.deepEqual(conditions(plan), ['Suspended=True']);
  assert.equal(status(plan).startTime, undefined);
  const resumed = decide(job({}, { status: status(plan) }), []);
  assert.deepEqual(conditions(resumed), ['Suspended=False']);
  assert.equal(status(resumed).startTime, secondsAgo(0));
});

test('an Indexed Job gives every pod its index, and remembers which are done', () => {
  const of = job({ completionMode: 'Indexed', completions: 3, parallelism: 3 }, started);
  const indexed = (index: number, parts: Parameters<typeof pod>[1] = {}): Pod =>
    worker(`i${index}`, {
      ...parts,
      metadata: {
        annotations: { 'batch.kubernetes.io/job-completion-index': String(index) },
        ...parts.metadata,
      },
    });
  const plan = decide(of, [
    indexed(0, { status: finished('Succeeded') }),
    indexed(1, { status: readyStatus() }),
  ]);
  const [created] = writesOf(plan, 'create', 'Pod') as unknown as Pod[];
  assert.equal(created?.metadata.annotations?.['batch.kubernetes.io/job-completion-index'], '2');
  assert.equal(created?.metadata.generateName, 'sums-2-');
  assert.equal(created?.spec.hostname, 'sums-2');
  assert.equal(created?.spec.containers[0]?.env?.[0]?.name, 'JOB_COMPLETION_INDEX');
  assert.equal(status(plan).completedIndexes, '0');
  assert.equal(status(plan).succeeded, 1);
  const done = decide(
    of,
    [0, 1, 2].map((index) => indexed(index, { status: finished('Succeeded') })),
  );
  assert.equal(status(done).completedIndexes, '0-2');
  assert.deepEqual(conditions(done), ['SuccessCriteriaMet=True', 'Complete=True']);
});

test('a finished Job is deleted when its time is over', () => {
  const conditionsOf = [{ type: 'Complete', status: 'True', lastTransitionTime: secondsAgo(60) }];
  const of = (ttlSecondsAfterFinished: number): Plan =>
    decide(job({ ttlSecondsAfterFinished }, { status: { conditions: conditionsOf } }), []);
  assert.equal(of(90).requeueAfterMs, 30_000);
  assert.deepEqual(outline(of(60)), ['delete Job sums']);
});

test('what is not simulated is refused by name', () => {
  const plan = decide(job({ backoffLimitPerIndex: 1 }), []);
  assert.deepEqual(plan.steps, []);
  assert.equal(plan.events[0]?.reason, 'NotSimulated');
  assert.match(plan.events[0]?.message ?? '', /backoffLimitPerIndex/);
});

test('a Job of another controller is left alone', () => {
  assert.deepEqual(decide(job({ managedBy: 'example.com/other' }), []).steps, []);
});

test('sets of indexes are written as ranges and read back', () => {
  assert.equal(formatIndexes([1, 3, 4, 5, 7]), '1,3-5,7');
  assert.equal(formatIndexes([1, 2]), '1,2');
  assert.equal(formatIndexes([]), '');
  assert.deepEqual(parseIndexes('1,3-5,7', 5), [1, 3, 4]);
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 60 })), (indexes) => {
      const sorted = indexes.toSorted((a, b) => a - b);
      assert.deepEqual(parseIndexes(formatIndexes(indexes), 100), sorted);
    }),
  );
});

test('the order in which pods end does not change the outcome', () => {
  const outcome = fc.constantFrom('Succeeded' as const, 'Failed' as const);
  fc.assert(
    fc.property(
      fc.array(outcome, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 4 }),
      (ends, parallelism) => {
        const succeeding = ends.filter((end) => end === 'Succeeded').length;
        let of = job({ completions: succeeding + 1, parallelism, backoffLimit: 100 }, started);
        let running: Pod[] = ends.map((end, i) => worker(`p${i}`, { status: finished(end, 5000) }));
        for (let round = 0; round < 4; round++) {
          const plan = decide(of, running);
          const next = statusIn<JobStatus>(plan, 'Job');
          if (next !== undefined) of = { ...of, status: next };
          const freed = new Set(writesOf(plan, 'update', 'Pod').map(({ metadata }) => metadata.name));
          running = running.map((one) =>
            freed.has(one.metadata.name)
              ? { ...one, metadata: meta(one.metadata.name, { ...one.metadata, finalizers: [] }) }
              : one,
          );
        }
        assert.equal(of.status?.succeeded ?? 0, succeeding);
        assert.equal(of.status?.failed ?? 0, ends.length - succeeding);
      },
    ),
  );
});
