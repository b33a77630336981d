// The member's side of fencing: a fenced pod starts only while its lease is good, and is stopped when it is not. The
// control plane renews the lease as long as the workload may run here; a member that it cannot reach hears nothing more
// and stops the pods by itself.
// INVARIANT: times are those of this member's clock, from when a renewal was seen; the writer's clock does not matter.
import { FENCE_GATE } from '../../api/index.ts';
import { isBeingDeleted } from '../../machinery/index.ts';
import type { Pod } from '../kinds.ts';
import { nothing, planOf, type Plan } from '../plan.ts';
import { pods as podResource } from '../resources.ts';

/** What was last seen of a lease. */
export interface SeenLease {
  readonly renewTime: string;
  /** Of our clock. */
  readonly seenMs: number;
  readonly durationMs: number;
}

/** Until when the lease is good; undefined: it is not there. */
export function goodUntilMs(lease: SeenLease | undefined): number | undefined {
  return lease === undefined ? undefined : lease.seenMs + lease.durationMs;
}

export interface FencedPod {
  readonly pod: Pod;
  readonly goodUntilMs: number | undefined;
  readonly nowMs: number;
}

export function decideFencedPod({ pod, goodUntilMs: untilMs, nowMs }: FencedPod): Plan {
  if (isBeingDeleted(pod)) return nothing;
  const gates = pod.spec.schedulingGates ?? [];
  const gated = gates.some(({ name }) => name === FENCE_GATE);
  if (untilMs !== undefined && nowMs < untilMs) {
    if (!gated) return planOf([], [], untilMs - nowMs);
    const open = {
      ...pod,
      spec: { ...pod.spec, schedulingGates: gates.filter(({ name }) => name !== FENCE_GATE) },
    };
    return planOf([[{ verb: 'update', resource: podResource, object: open }]], [], untilMs - nowMs);
  }
  // What has not begun waits behind its gate; what runs has to stop, and at once.
  if (gated) return nothing;
  const message = 'The lease that fences this pod has run out; it must not run here.';
  return planOf(
    [[{ verb: 'delete', resource: podResource, object: pod, gracePeriodSeconds: 0 }]],
    [{ about: pod, type: 'Warning', reason: 'Fenced', message }],
  );
}
