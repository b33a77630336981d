// Jobs: run pods until enough have succeeded or too many have failed.
// Reads Jobs, Pods. Writes Pods, the Job's status; deletes Jobs whose time after finishing is over.
// INVARIANT: every finished pod is counted once. Its finalizer keeps it until the status that counts it is stored:
// first its uid goes into `uncountedTerminatedPods`, then the finalizer goes, then the uid becomes a number.
import type { JobStatus } from '../../api/index.ts';
import { formatTime } from '../../base/index.ts';
import {
  controllerReference,
  hasFinalizer,
  labelSelectorFor,
  noSelector,
  semanticEqual,
  withoutFinalizer,
} from '../../machinery/index.ts';
import type { Job, Pod } from '../kinds.ts';
import { claim } from '../ownership.ts';
import { nothing, planOf, sooner, type Plan, type Write } from '../plan.ts';
import { compare, deletionOrder, isTerminal, isTerminating, podFromTemplate } from '../pods.ts';
import { jobs, pods as podResource } from '../resources.ts';
import { jobEvents, jobStatus } from './job-status.ts';
import {
  INDEX_ANNOTATION,
  TRACKING_FINALIZER,
  conditionOf,
  deadlineInMs,
  indexOf,
  isIndexed,
  isSuspendedInStatus,
  tallyOf,
  targetOf,
  verdictOf,
  type Tally,
} from './job-tally.ts';

// LIMIT: as kube-controller-manager bounds one round; the next follows at once.
const BURST_MAX = 500;
// COMPAT: how long a Job waits after pods have failed, doubling with each in a row.
const BACKOFF_BASE_MS = 10_000;
const BACKOFF_MAX_MS = 600_000;

export interface JobInput {
  readonly job: Job;
  /** All of the namespace that the Job controls, or that nobody controls. */
  readonly pods: readonly Pod[];
  readonly nowMs: number;
}

export function decideJob(input: JobInput): Plan {
  const { job } = input;
  const { managedBy } = job.spec;
  if (managedBy !== undefined && managedBy !== 'kubernetes.io/job-controller') return nothing;
  const refused = refusal(job);
  if (refused !== undefined) return refused;
  const selector = job.spec.selector === undefined ? noSelector() : labelSelectorFor(job.spec.selector);
  const { owned, adopt, release } = claim(job, selector, input.pods);
  const claimed = [...adopt, ...release].map((object): Write => ({
    verb: 'update',
    resource: podResource,
    object,
  }));
  if (conditionOf(job, 'Complete') !== undefined || conditionOf(job, 'Failed') !== undefined) {
    return afterFinish(input, owned);
  }
  if (job.metadata.deletionTimestamp !== undefined) return planOf([untrack(owned)]);
  return decideUnfinished(input, owned, claimed);
}

/** What this simulation does not play is refused by name rather than played wrongly. */
function refusal(job: Job): Plan | undefined {
  const field = (['podFailurePolicy', 'successPolicy', 'backoffLimitPerIndex'] as const).find(
    (name) => job.spec[name] !== undefined,
  );
  if (field === undefined) return undefined;
  const message = `spec.${field} is not simulated; the Job is left alone`;
  return planOf([], [{ about: job, type: 'Warning', reason: 'NotSimulated', message }]);
}

function untrack(pods: readonly Pod[]): Write[] {
  return pods
    .filter((pod) => hasFinalizer(pod, TRACKING_FINALIZER))
    .map((pod) => ({
      verb: 'update',
      resource: podResource,
      object: withoutFinalizer(pod, TRACKING_FINALIZER),
    }));
}

function afterFinish({ job, nowMs }: JobInput, owned: readonly Pod[]): Plan {
  const finalizers = untrack(owned);
  const seconds = job.spec.ttlSecondsAfterFinished;
  const condition = conditionOf(job, 'Complete') ?? conditionOf(job, 'Failed');
  if (seconds === undefined || job.metadata.deletionTimestamp !== undefined) return planOf([finalizers]);
  const atMs = Date.parse(condition?.lastTransitionTime ?? '') + seconds * 1000;
  if (atMs > nowMs) return planOf([finalizers], [], atMs - nowMs);
  const remove: Write = {
    verb: 'delete',
    resource: jobs,
    object: job,
    propagationPolicy: 'Foreground',
  };
  return planOf([finalizers, [remove]]);
}

function decideUnfinished(input: JobInput, owned: readonly Pod[], claimed: readonly Write[]): Plan {
  const { job, nowMs } = input;
  const suspended = job.spec.suspend === true;
  const before: JobStatus = job.status ?? {};
  const resumed = !suspended && isSuspendedInStatus(job);
  const startTime =
    suspended || (before.startTime !== undefined && !resumed)
      ? suspended
        ? undefined
        : before.startTime
      : formatTime(nowMs);
  const target = targetOf(job);
  const tally = tallyOf(job, owned, target?.kind === 'failed');
  const verdict = target ?? verdictOf(job, tally, startTime, nowMs);
  const managed =
    verdict?.kind === 'failed'
      ? { removals: [tally.active.map((pod) => removal(job, pod))], creations: [] }
      : verdict !== undefined || suspended
        ? { removals: withdraw(job, tally.active), creations: [] }
        : manage(input, owned, tally);
  const changes = [...managed.removals, managed.creations];
  const status = jobStatus({ job, nowMs, owned, tally, verdict, startTime, target, resumed });
  const counted = new Set([...tally.uncounted.succeeded, ...tally.uncounted.failed]);
  const isCounted = (pod: Pod): boolean =>
    counted.has(pod.metadata.uid) || (isIndexed(job) && pod.status?.phase === 'Succeeded');
  const report: Write = { verb: 'updateStatus', resource: jobs, object: { ...job, status } };
  return planOf(
    [claimed, semanticEqual(status, before) ? [] : [report], untrack(owned.filter(isCounted)), ...changes],
    jobEvents(job, status, suspended, resumed),
    sooner(deadlineInMs(job, startTime, nowMs), managed.requeueAfterMs),
  );
}

function removal(job: Job, pod: Pod): Write {
  return { verb: 'delete', resource: podResource, object: pod, accountTo: job };
}

/** Deletes pods that are no longer wanted. Without the finalizer they count neither as failed nor as succeeded. */
function withdraw(job: Job, pods: readonly Pod[]): Write[][] {
  return [untrack(pods), pods.map((pod) => removal(job, pod))];
}

interface Managed {
  readonly removals: readonly (readonly Write[])[];
  readonly creations: readonly Write[];
  readonly requeueAfterMs?: number;
}

/** Brings the number of active pods to what is wanted. */
function manage(input: JobInput, owned: readonly Pod[], tally: Tally): Managed {
  const { job, nowMs } = input;
  const { completions, parallelism = 1, podReplacementPolicy } = job.spec;
  const succeeded = tally.succeeded + tally.uncounted.succeeded.length;
  const active = tally.active.length;
  // Without a count of completions the first success ends the work: no new pods then.
  const wanted =
    completions === undefined
      ? succeeded > 0
        ? active
        : parallelism
      : Math.min(parallelism, completions - succeeded);
  const removals = surplus(job, tally, active - wanted);
  if (removals.length > 0) return { removals: withdraw(job, removals), creations: [] };
  const leaving =
    podReplacementPolicy === 'Failed'
      ? owned.filter((pod) => isTerminating(pod) && !isTerminal(pod)).length
      : 0;
  const missing = wanted - active - leaving;
  if (missing <= 0) return { removals: [], creations: [] };
  const wait = backoffInMs(owned, nowMs);
  if (wait > 0) return { removals: [], creations: [], requeueAfterMs: wait };
  const count = Math.min(missing, BURST_MAX);
  const creations = isIndexed(job)
    ? freeIndexes(job, tally, count).map((index) => createPod(job, index))
    : Array.from({ length: count }, () => createPod(job, undefined));
  return { removals: [], creations };
}

/** Active pods beyond `count`; of an Indexed Job also those whose index is done, double or out of range. */
function surplus(job: Job, tally: Tally, count: number): readonly Pod[] {
  if (!isIndexed(job)) return count <= 0 ? [] : deletionOrder(tally.active).slice(0, count);
  const done = new Set(tally.completedIndexes);
  const seen = new Set<number>();
  const useless: Pod[] = [];
  const useful: Pod[] = [];
  const oldestFirst = tally.active.toSorted((a, b) =>
    compare(a.metadata.creationTimestamp, b.metadata.creationTimestamp),
  );
  for (const pod of oldestFirst) {
    const index = indexOf(pod) ?? -1;
    const out = index < 0 || index >= (job.spec.completions ?? 0);
    (out || done.has(index) || seen.has(index) ? useless : useful).push(pod);
    seen.add(index);
  }
  return [...useless, ...deletionOrder(useful).slice(0, Math.max(count - useless.length, 0))];
}

function freeIndexes(job: Job, tally: Tally, count: number): number[] {
  const taken = new Set([...tally.completedIndexes, ...tally.active.map((pod) => indexOf(pod) ?? -1)]);
  const free: number[] = [];
  for (let index = 0; index < (job.spec.completions ?? 0) && free.length < count; index++) {
    if (!taken.has(index)) free.push(index);
  }
  return free;
}

/** How long to wait because of the failures since the last success. */
function backoffInMs(owned: readonly Pod[], nowMs: number): number {
  const finished = owned
    .filter(isTerminal)
    .map((pod) => ({ failed: pod.status?.phase === 'Failed', atMs: finishedAtMs(pod) }))
    .sort((a, b) => b.atMs - a.atMs);
  const successAt = finished.findIndex(({ failed }) => !failed);
  const failures = successAt < 0 ? finished.length : successAt;
  if (failures === 0) return 0;
  const backoff = Math.min(BACKOFF_BASE_MS * 2 ** Math.min(failures - 1, 30), BACKOFF_MAX_MS);
  return Math.max(finished[0]!.atMs + backoff - nowMs, 0);
}

function finishedAtMs(pod: Pod): number {
  const times = (pod.status?.containerStatuses ?? []).map(({ state }) =>
    Date.parse(state?.terminated?.finishedAt ?? ''),
  );
  const known = times.filter((time) => !Number.isNaN(time));
  return known.length > 0 ? Math.max(...known) : Date.parse(pod.metadata.creationTimestamp);
}

function createPod(job: Job, index: number | undefined): Write {
  const indexed = index === undefined ? {} : { [INDEX_ANNOTATION]: String(index) };
  const pod = podFromTemplate(job.spec.template, {
    namespace: job.metadata.namespace,
    generateName: index === undefined ? `${job.metadata.name}-` : `${job.metadata.name}-${index}-`,
    owner: controllerReference(job),
    labels: indexed,
    annotations: indexed,
    finalizers: [TRACKING_FINALIZER],
  });
  const object = index === undefined ? pod : { ...pod, spec: indexedSpec(job, pod.spec, index) };
  return { verb: 'create', resource: podResource, object, accountTo: job };
}

function indexedSpec(
  job: Job,
  spec: NonNullable<Job['spec']['template']['spec']>,
  index: number,
): typeof spec {
  const name = 'JOB_COMPLETION_INDEX';
  const fieldPath = `metadata.labels['${INDEX_ANNOTATION}']`;
  const withEnv = <T extends (typeof spec.containers)[number]>(container: T): T =>
    container.env?.some((variable) => variable.name === name) === true
      ? container
      : { ...container, env: [...(container.env ?? []), { name, valueFrom: { fieldRef: { fieldPath } } }] };
  return {
    ...spec,
    hostname: `${job.metadata.name}-${index}`,
    containers: spec.containers.map(withEnv),
    ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(withEnv) }),
  };
}
