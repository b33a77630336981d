// When a pull member has been silent for too long (clusters-and-failover.md §5.2). Times are those of our own clock, so
// that the clock of a member does not matter.
import type { Condition } from '../api/index.ts';

export interface SilenceMemory {
  /** The Ready condition last seen. */
  readonly ready: Condition | undefined;
  readonly renewTime: string | undefined;
  /** When the member last gave a sign of life. */
  readonly heardMs: number;
}

export interface SilenceVerdict {
  readonly memory: SilenceMemory;
  /** The Ready condition to write, without its time; undefined: as it is. */
  readonly ready: Omit<Condition, 'lastTransitionTime'> | undefined;
}

export interface Signs {
  readonly ready: Condition | undefined;
  /** Of the member's lease. */
  readonly renewTime: string | undefined;
  readonly createdMs: number;
}

export function judgeSilence(
  memory: SilenceMemory | undefined,
  { ready, renewTime, createdMs }: Signs,
  nowMs: number,
  grace: { readonly startupMs: number; readonly runningMs: number },
): SilenceVerdict {
  const heard =
    memory === undefined
      ? ready !== undefined || renewTime !== undefined
      : !isSameCondition(memory.ready, ready) || (renewTime !== undefined && renewTime !== memory.renewTime);
  const heardMs = heard ? nowMs : (memory?.heardMs ?? createdMs);
  const next: SilenceMemory = { ready, renewTime, heardMs };
  const graceMs = ready === undefined ? grace.startupMs : grace.runningMs;
  if (nowMs <= heardMs + graceMs || ready?.status === 'Unknown') return { memory: next, ready: undefined };
  return {
    memory: next,
    ready: {
      type: 'Ready',
      status: 'Unknown',
      reason: ready === undefined ? 'ClusterStatusNeverUpdated' : 'ClusterStatusUnknown',
      message:
        ready === undefined
          ? 'the cluster has never reported its status'
          : 'the cluster has stopped giving signs of life',
    },
  };
}

function isSameCondition(a: Condition | undefined, b: Condition | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.status === b.status &&
    a.reason === b.reason &&
    a.message === b.message &&
    a.lastTransitionTime === b.lastTransitionTime
  );
}
