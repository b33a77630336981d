// WorkloadRebalancer: asks the scheduler to place workloads anew (scheduling.md §16).
import type { ClusterResourceBinding, ResourceBinding, WorkloadRebalancer } from '../api/index.ts';
import { formatTime } from '../base/index.ts';
import { deepEqual, parseTime } from '../machinery/index.ts';

type Status = NonNullable<WorkloadRebalancer['status']>;
export type ObservedWorkload = NonNullable<Status['observedWorkloads']>[number];
export type RebalancedWorkload = ObservedWorkload['workload'];

function keyOf({ apiVersion, kind, namespace = '', name }: RebalancedWorkload): string {
  return `${apiVersion} ${kind} ${namespace} ${name}`;
}

/**
 * The workloads of spec and status together: those in the spec, and those gone from it that were successful, as a record.
 * One without a result is still to be dealt with.
 */
export function observedWorkloads({ spec, status }: WorkloadRebalancer): readonly ObservedWorkload[] {
  const before = new Map((status?.observedWorkloads ?? []).map((one) => [keyOf(one.workload), one]));
  const result = new Map<string, ObservedWorkload>();
  for (const workload of spec.workloads) {
    const key = keyOf(workload);
    result.set(key, before.get(key) ?? { workload });
  }
  for (const [key, one] of before) {
    if (!result.has(key) && one.result === 'Successful') result.set(key, one);
  }
  return [...result].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}

/**
 * The time to write into a binding's rescheduleTriggeredAt; undefined when it asks for a fresh placement already. Times
 * have whole seconds and only a later one counts, so the time is moved past the last scheduling, where upstream's request
 * would have no effect.
 */
export function rescheduleTime(
  rebalancer: WorkloadRebalancer,
  { spec, status }: ResourceBinding | ClusterResourceBinding,
): string | undefined {
  const asked = parseTime(rebalancer.metadata.creationTimestamp ?? '') ?? 0;
  const last = parseTime(status?.lastScheduledTime ?? '');
  const wanted = last === undefined || asked > last ? asked : last + 1000;
  const current = parseTime(spec.rescheduleTriggeredAt ?? '');
  return current !== undefined && current >= wanted ? undefined : formatTime(wanted);
}

export type RebalanceResult = 'triggered' | 'missing' | 'retry';

export interface RebalanceOutcome {
  /** Undefined: it says that already. */
  readonly status: Status | undefined;
  /** Something could not be done yet. */
  readonly retry: boolean;
}

/** The status after `results` for the workloads that had none, by their place in observedWorkloads. */
export function rebalanceOutcome(
  rebalancer: WorkloadRebalancer,
  results: ReadonlyMap<number, RebalanceResult>,
  nowMs: number,
): RebalanceOutcome {
  const workloads = observedWorkloads(rebalancer).map((one, index): ObservedWorkload => {
    switch (results.get(index)) {
      case 'triggered':
        return { workload: one.workload, result: 'Successful' };
      case 'missing':
        return { workload: one.workload, result: 'Failed', reason: 'ReferencedBindingNotFound' };
      default:
        return one;
    }
  });
  const retry = workloads.some(({ result }) => (result ?? '') === '');
  const { finishTime, ...before } = rebalancer.status ?? {};
  const after = { observedWorkloads: workloads, observedGeneration: rebalancer.metadata.generation ?? 0 };
  if (deepEqual(before, after)) return { status: undefined, retry };
  const finished = retry ? finishTime : formatTime(nowMs);
  return { status: { ...after, ...(finished === undefined ? {} : { finishTime: finished }) }, retry };
}

/** How long until a finished rebalancer is to be deleted; 0: now; undefined: never, or not yet finished. */
export function remainingMs({ spec, status }: WorkloadRebalancer, nowMs: number): number | undefined {
  const { ttlSecondsAfterFinished } = spec;
  const finished = parseTime(status?.finishTime ?? '');
  if (ttlSecondsAfterFinished === undefined || finished === undefined) return undefined;
  if ((status?.observedWorkloads ?? []).some(({ result }) => (result ?? '') === '')) return undefined;
  return Math.max(finished + ttlSecondsAfterFinished * 1000 - nowMs, 0);
}
