// What detector, scheduler and taint manager report about their work, under upstream's names (scheduling.md §17,
// clusters-and-failover.md §21). The control plane
// binds it to its registry.
import type { ScheduleType } from '../scheduling/index.ts';

export type ScheduleStep = 'Filter' | 'Score' | 'Select' | 'AssignReplicas';
export type IncomingEvent = 'BindingAdd' | 'BindingUpdate' | 'ScheduleAttemptFailure' | 'ClusterChanged';

/** For one attempt, from the moment it was made. */
export interface AttemptTimer {
  /** The step that ends now. */
  readonly step: (step: ScheduleStep) => void;
  readonly attempted: (result: 'scheduled' | 'error', type: ScheduleType) => void;
}

export interface SchedulingMetrics {
  incoming(event: IncomingEvent): void;
  /** Where to read how many bindings wait. */
  pendingFrom(
    counts: () => { readonly active: number; readonly backoff: number; readonly unschedulable: number },
  ): void;
  timer(): AttemptTimer;
  /** How long finding the policy of a template took; call what is returned when it is found. */
  matching(): () => void;
  /** The same for applying it. */
  applying(): (ok: boolean) => void;
  preempted(ok: boolean): void;
  /** How long evicting one binding took; call what is returned when it is over. */
  evicting(queue: string): (ok: boolean) => void;
}

const silentTimer: AttemptTimer = { step: () => undefined, attempted: () => undefined };

export const silentSchedulingMetrics: SchedulingMetrics = {
  incoming: () => undefined,
  pendingFrom: () => undefined,
  timer: () => silentTimer,
  matching: () => () => undefined,
  applying: () => () => undefined,
  preempted: () => undefined,
  evicting: () => () => undefined,
};
