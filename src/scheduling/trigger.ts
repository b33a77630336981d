// Whether a binding is to be scheduled at all, and how (scheduling.md §6.1, §6.3–6.5).
// COMPAT: a Divided workload is not placed anew because labels, taints or the fleet change; Duplicated ones and what
// is no workload always are (rep-joins, place-label-change).
import {
  APPLIED_PLACEMENT_ANNOTATION,
  BINDING_MANAGED_BY_LABEL,
  CLUSTER_PROPAGATION_POLICY_ID_LABEL,
  DEFAULT_SCHEDULER,
  PROPAGATION_POLICY_ID_LABEL,
  type ClusterResourceBinding,
  type Component,
  type Placement,
  type ResourceBinding,
  type ResourceBindingSpec,
  type TargetCluster,
} from '../api/index.ts';
import { isWorkload } from '../fleet/index.ts';
import { deepEqual, parseTime } from '../machinery/index.ts';
import type { Mode } from './assign.ts';
import type { FleetSnapshot } from './fleet-snapshot.ts';
import { isDivided } from './select.ts';

type Binding = ResourceBinding | ClusterResourceBinding;

/** Whether a scheduler of this name looks after the binding. */
export function isForScheduler({ spec }: Binding, schedulerName: string): boolean {
  const wanted = (spec.schedulerName ?? '') === '' ? DEFAULT_SCHEDULER : spec.schedulerName;
  return wanted === schedulerName && spec.suspension?.scheduling !== true;
}

const SCHEDULED_WITH = [
  PROPAGATION_POLICY_ID_LABEL,
  CLUSTER_PROPAGATION_POLICY_ID_LABEL,
  BINDING_MANAGED_BY_LABEL,
];

/** Whether events of a binding enter the queue: a policy or another controller stands behind it. */
export function entersQueue(binding: Binding, schedulerName: string): boolean {
  const { labels } = binding.metadata;
  return (
    isForScheduler(binding, schedulerName) && SCHEDULED_WITH.some((label) => (labels?.[label] ?? '') !== '')
  );
}

/** Upstream's schedule_type in metrics. */
export type ScheduleType = 'ReconcileSchedule' | 'ScaleSchedule';

export type Trigger =
  | {
      readonly due: true;
      readonly why:
        | 'placement changed'
        | 'replicas changed'
        | 'reschedule requested'
        | 'always looked at again'
        | 'cluster being deleted'
        | 'cluster gone';
      readonly type: ScheduleType;
      readonly mode: Mode;
    }
  | {
      readonly due: false;
      readonly why: 'nothing changed' | 'being deleted' | 'suspended' | 'no placement';
      /** status.schedulerObservedGeneration is to be brought up to date. */
      readonly observe: boolean;
    };

export function decideTrigger(
  binding: Binding,
  fleet: FleetSnapshot,
  gates: { readonly MultiplePodTemplatesScheduling: boolean },
): Trigger {
  const { metadata, spec, status } = binding;
  if (metadata.deletionTimestamp !== undefined) return { due: false, why: 'being deleted', observe: false };
  // It may have been suspended while it stood in the queue.
  if (spec.suspension?.scheduling === true) return { due: false, why: 'suspended', observe: false };
  if (spec.placement === undefined) return { due: false, why: 'no placement', observe: false };
  const rescheduled = isRescheduleRequested(binding);
  const mode: Mode = rescheduled ? 'Fresh' : 'Steady';
  const observed = status?.schedulerObservingAffinityName ?? '';
  if (placementChanged(metadata.annotations?.[APPLIED_PLACEMENT_ANNOTATION], spec.placement, observed)) {
    return { due: true, why: 'placement changed', type: 'ReconcileSchedule', mode };
  }
  if (replicasChanged(spec, spec.placement, gates.MultiplePodTemplatesScheduling)) {
    return { due: true, why: 'replicas changed', type: 'ScaleSchedule', mode };
  }
  if (rescheduled) return { due: true, why: 'reschedule requested', type: 'ReconcileSchedule', mode };
  if (!isWorkload(spec) || !isDivided(spec.placement)) {
    return { due: true, why: 'always looked at again', type: 'ReconcileSchedule', mode };
  }
  for (const { name } of spec.clusters ?? []) {
    const cluster = fleet.byName(name);
    // A cluster that went while the binding was being sent there; upstream leaves its replicas lost.
    if (cluster === undefined) return { due: true, why: 'cluster gone', type: 'ReconcileSchedule', mode };
    if (cluster.terminating)
      return { due: true, why: 'cluster being deleted', type: 'ReconcileSchedule', mode };
  }
  const observe = metadata.generation !== status?.schedulerObservedGeneration;
  return { due: false, why: 'nothing changed', observe };
}

/** Both times have whole seconds, and only a later one counts. */
function isRescheduleRequested({ spec, status }: Binding): boolean {
  const requested = parseTime(spec.rescheduleTriggeredAt ?? '');
  const last = parseTime(status?.lastScheduledTime ?? '');
  return requested !== undefined && last !== undefined && requested > last;
}

// ---- placement

/**
 * The placement as upstream writes it down: what is empty or zero is left out, as Go's omitempty does, so that two
 * spellings of one placement are equal.
 */
export function canonicalPlacement(placement: Placement): Placement {
  return strip(placement) as Placement;
}

const texts = new WeakMap<Placement, string>();

/** The text of the applied-placement annotation; worked out once per frozen placement. */
export function placementText(placement: Placement): string {
  const known = texts.get(placement);
  if (known !== undefined) return known;
  const text = JSON.stringify(canonicalPlacement(placement));
  if (Object.isFrozen(placement)) texts.set(placement, text);
  return text;
}

function strip(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strip);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value)
    .map(([key, child]): [string, unknown] => [key, strip(child)])
    .filter(([key, child]) => key === 'tolerationSeconds' || !isZero(key, child));
  return Object.fromEntries(kept);
}

function isZero(key: string, value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === 0 || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  // A map; objects such as an empty labelSelector mean something.
  return key === 'matchLabels' && Object.keys(value).length === 0;
}

export function placementChanged(
  applied: string | undefined,
  placement: Placement,
  observedAffinityName: string,
): boolean {
  if (applied === undefined || applied === '') return true;
  if (applied === placementText(placement)) return false;
  let old: Placement;
  try {
    old = canonicalPlacement(JSON.parse(applied) as Placement);
  } catch {
    return false;
  }
  const now = canonicalPlacement(placement);
  if (deepEqual(old, now)) return false;
  const decisive = [
    'clusterAffinity',
    'clusterTolerations',
    'spreadConstraints',
    'replicaScheduling',
  ] as const;
  if (decisive.some((field) => !deepEqual(old[field], now[field]))) return true;
  // Of the terms only the one in use counts; an edit of another one does not move anything.
  if (observedAffinityName === '') return true;
  const termIn = ({ clusterAffinities = [] }: Placement): unknown =>
    clusterAffinities.find(({ affinityName }) => affinityName === observedAffinityName);
  const before = termIn(old);
  const after = termIn(now);
  return before === undefined || after === undefined || !deepEqual(before, after);
}

/**
 * Whether a cluster was given other numbers than the template has by now. Upstream does not look, and sends the template's;
 * here a cluster runs what it was given, so it has to be given anew.
 */
function sharesDiffer({ components: given }: TargetCluster, components: readonly Component[]): boolean {
  if (given === undefined) return false;
  const wanted = new Map(components.map(({ name, replicas }) => [name, replicas]));
  return given.length !== wanted.size || given.some(({ name, replicas }) => wanted.get(name) !== replicas);
}

function replicasChanged(spec: ResourceBindingSpec, placement: Placement, componentsGate: boolean): boolean {
  if (placement.replicaScheduling === undefined) return false;
  const { replicas = 0, clusters = [], components = [] } = spec;
  if (componentsGate && components.length > 0) {
    if (clusters.length === 0) return true;
    if (clusters.some((target) => sharesDiffer(target, components))) return true;
  }
  if (!isDivided(placement)) return clusters.some((target) => (target.replicas ?? 0) !== replicas);
  return clusters.reduce((sum, target) => sum + (target.replicas ?? 0), 0) !== replicas;
}
