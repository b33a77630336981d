// What a scheduling result means for the binding: what is written, what is reported, and whether it is tried again
// (scheduling.md §6.6). Reasons, messages and events are upstream's; tools read them.
import {
  APPLIED_PLACEMENT_ANNOTATION,
  SCHEDULED_CONDITION,
  type ClusterResourceBinding,
  type Condition,
  type JsonObject,
  type ResourceBinding,
  type ResourceBindingStatus,
  type TargetCluster,
} from '../api/index.ts';
import { formatTime } from '../base/index.ts';
import { deepEqual } from '../machinery/index.ts';
import type { Mode } from './assign.ts';
import type { Failure, ScheduleResult } from './schedule.ts';
import { placementText } from './trigger.ts';

type Binding = ResourceBinding | ClusterResourceBinding;

export interface SchedulingEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: 'ScheduleBindingSucceed' | 'ScheduleBindingFailed';
  readonly message: string;
}

/** forget: done. unschedulable: when something that helps happens. backoff: soon. */
export type Retry = 'forget' | 'unschedulable' | 'backoff';

export interface ScheduleOutcome {
  /** JSON merge patch of annotation and spec; undefined: nothing to write. */
  readonly patch: JsonObject | undefined;
  /** The status to write after the patch; undefined: it says that already. */
  readonly status: ResourceBindingStatus | undefined;
  /** For the binding and for the template. */
  readonly events: readonly SchedulingEvent[];
  readonly retry: Retry;
}

const SUCCESS_MESSAGE = 'Binding has been scheduled successfully.';

/** `{member1:2, member2:1}`, as events say it. */
export function resultText(clusters: readonly TargetCluster[]): string {
  return `{${clusters.map(({ name, replicas = 0 }) => `${name}:${replicas}`).join(', ')}}`;
}

/** Annotation and clusters, as far as they differ. */
function patchFor({ metadata, spec }: Binding, clusters: readonly TargetCluster[]): JsonObject | undefined {
  const placement = placementText(spec.placement ?? {});
  const samePlacement = metadata.annotations?.[APPLIED_PLACEMENT_ANNOTATION] === placement;
  const sameClusters = deepEqual(spec.clusters ?? [], clusters);
  if (samePlacement && sameClusters) return undefined;
  const annotations = { [APPLIED_PLACEMENT_ANNOTATION]: placement };
  return {
    ...(samePlacement ? {} : { metadata: { annotations } }),
    ...(sameClusters ? {} : { spec: { clusters: clusters.length === 0 ? null : clusters } }),
  };
}

function withCondition(
  conditions: readonly Condition[] = [],
  change: Omit<Condition, 'lastTransitionTime'>,
  nowMs: number,
): readonly Condition[] {
  const before = conditions.find(({ type }) => type === change.type);
  const lastTransitionTime = before?.status === change.status ? before.lastTransitionTime : formatTime(nowMs);
  const condition = { ...change, lastTransitionTime };
  if (before === undefined) return [...conditions, condition];
  if (deepEqual(before, condition)) return conditions;
  return conditions.map((one) => (one === before ? condition : one));
}

function statusIfChanged(
  before: ResourceBindingStatus | undefined,
  after: ResourceBindingStatus,
): ResourceBindingStatus | undefined {
  return deepEqual(before ?? {}, after) ? undefined : after;
}

const CONDITION_REASON = {
  fit: 'NoClusterFit',
  unschedulable: 'Unschedulable',
  error: 'SchedulerError',
} as const;
const RETRY = { fit: 'forget', unschedulable: 'unschedulable', error: 'backoff' } as const;

function failedStatus(
  { status }: Binding,
  reason: string,
  message: string,
  nowMs: number,
): ResourceBindingStatus | undefined {
  const condition = { type: SCHEDULED_CONDITION, status: 'False', reason, message } as const;
  return statusIfChanged(status, {
    ...status,
    conditions: withCondition(status?.conditions, condition, nowMs),
  });
}

function failureEvent(failure: Failure): SchedulingEvent {
  return { type: 'Warning', reason: 'ScheduleBindingFailed', message: failure.message };
}

/** What to write and to say after `schedule`. */
export function outcomeOf(
  binding: Binding,
  result: ScheduleResult,
  mode: Mode,
  nowMs: number,
): ScheduleOutcome {
  const failures = result.attempts.flatMap(({ failure }) =>
    failure === undefined ? [] : [failureEvent(failure)],
  );
  if (!result.ok) {
    const { kind, message } = result.failure;
    return {
      // A binding that fits nowhere any more leaves its clusters; any other failure keeps them.
      patch: kind === 'fit' ? patchFor(binding, []) : undefined,
      status: failedStatus(binding, CONDITION_REASON[kind], message, nowMs),
      events: failures,
      retry: RETRY[kind],
    };
  }
  const patch = patchFor(binding, result.clusters);
  const status = scheduledStatus(binding, result.affinityName, patch, mode, nowMs);
  if (patch === undefined && status === undefined) return { patch, status, events: [], retry: 'forget' };
  const success: SchedulingEvent = {
    type: 'Normal',
    reason: 'ScheduleBindingSucceed',
    message: `${SUCCESS_MESSAGE} Result: ${resultText(result.clusters)}`,
  };
  return { patch, status, events: [...failures, success], retry: 'forget' };
}

function scheduledStatus(
  { metadata, status }: Binding,
  affinityName: string | undefined,
  patch: JsonObject | undefined,
  mode: Mode,
  nowMs: number,
): ResourceBindingStatus | undefined {
  const condition = {
    type: SCHEDULED_CONDITION,
    status: 'True',
    reason: 'Success',
    message: SUCCESS_MESSAGE,
  } as const;
  const after: ResourceBindingStatus = {
    ...status,
    conditions: withCondition(status?.conditions, condition, nowMs),
    // The patch itself makes the next generation. Another writer in between makes one more, which is then not observed.
    schedulerObservedGeneration: (metadata.generation ?? 0) + (patch?.['spec'] === undefined ? 0 : 1),
    ...(affinityName === undefined ? {} : { schedulerObservingAffinityName: affinityName }),
  };
  // A look that changes nothing writes nothing; but a requested one must be seen to have happened.
  if (patch === undefined && mode === 'Steady' && deepEqual(status ?? {}, after)) return undefined;
  return { ...after, lastScheduledTime: formatTime(nowMs) };
}

/** The status that says a generation needed no scheduling. */
export function observedStatus({ metadata, status }: Binding): ResourceBindingStatus {
  return { ...status, schedulerObservedGeneration: metadata.generation ?? 0 };
}

export interface WriteError {
  readonly message: string;
  /** The Status reason and causes of the API server's answer; empty for other errors. */
  readonly reason: string;
  readonly causes: readonly string[];
}

/** What to report when the patch of `outcome` was refused. The clusters stay as they were. */
export function outcomeOfWriteError(
  binding: Binding,
  outcome: ScheduleOutcome,
  error: WriteError,
  nowMs: number,
): ScheduleOutcome {
  if (error.causes.includes('NamespaceTerminating')) {
    return { patch: undefined, status: undefined, events: [], retry: 'forget' };
  }
  const event: SchedulingEvent = { type: 'Warning', reason: 'ScheduleBindingFailed', message: error.message };
  const unfit =
    outcome.retry === 'forget' &&
    outcome.status?.conditions?.some(({ reason }) => reason === 'NoClusterFit') === true;
  const quota = error.reason === 'QuotaExceeded';
  const reason = unfit ? 'NoClusterFit' : quota ? 'QuotaExceeded' : 'SchedulerError';
  return {
    patch: undefined,
    status: failedStatus(binding, reason, error.message, nowMs),
    events: [...outcome.events.filter(({ type }) => type === 'Warning'), event],
    retry: 'backoff',
  };
}

/** For a binding that is being deleted while it waits to be scheduled. */
export function deletingEvent(): SchedulingEvent {
  const message = 'The binding is being deleted, so it is not scheduled.';
  return { type: 'Warning', reason: 'ScheduleBindingFailed', message };
}
