// What is kept of a suspension, whatever is suspended: who, since when, until when and why, and what happened before.
// "Suspended" means one thing in the whole product (adr/0015-suspension.md); packages keep the same in fields of their own.
import {
  CLUSTER_SUSPENDED_ANNOTATION,
  SUSPENSION_BY_ANNOTATION,
  SUSPENSION_HISTORY_ANNOTATION,
  SUSPENSION_REASON_ANNOTATION,
  SUSPENSION_SINCE_ANNOTATION,
  SUSPENSION_UNTIL_ANNOTATION,
  type Cluster,
  type KubeObject,
} from '../api/index.ts';
import { parseTime } from '../machinery/index.ts';

/** Times are RFC 3339. */
export interface SuspensionNote {
  readonly by?: string;
  readonly since?: string;
  readonly until?: string;
  readonly reason?: string;
}

export interface SuspensionEvent {
  readonly action: 'Suspended' | 'SuspensionChanged' | 'Resumed' | 'SuspensionExpired';
  /** RFC 3339. */
  readonly at: string;
  readonly by?: string;
  readonly reason?: string;
  readonly until?: string;
}

// LIMIT: of what is remembered of one object.
export const SUSPENSION_HISTORY_MAX = 10;

/** LIMIT: characters of a reason. */
export const SUSPENSION_REASON_MAX = 1024;

export function suspensionNote({ metadata }: KubeObject): SuspensionNote {
  const { annotations = {} } = metadata;
  const at = (key: string): string | undefined =>
    Object.hasOwn(annotations, key) ? annotations[key] : undefined;
  const by = at(SUSPENSION_BY_ANNOTATION);
  const since = at(SUSPENSION_SINCE_ANNOTATION);
  const until = at(SUSPENSION_UNTIL_ANNOTATION);
  const reason = at(SUSPENSION_REASON_ANNOTATION);
  return {
    ...(by === undefined ? {} : { by }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(reason === undefined ? {} : { reason }),
  };
}

/** The oldest first; what cannot be read is nothing. */
export function suspensionHistory({ metadata }: KubeObject): readonly SuspensionEvent[] {
  const text = metadata.annotations?.[SUSPENSION_HISTORY_ANNOTATION];
  if (text === undefined) return [];
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) ? (parsed as readonly SuspensionEvent[]) : [];
  } catch {
    return [];
  }
}

export function withSuspensionEvent<E>(history: readonly E[] | undefined, event: E): readonly E[] {
  return [...(history ?? []), event].slice(-SUSPENSION_HISTORY_MAX);
}

/** Whether the time of a suspension that has one is over; one without an end never is. */
export function isSuspensionOver(until: string | undefined, nowMs: number): boolean {
  const untilMs = until === undefined ? undefined : parseTime(until);
  return untilMs !== undefined && nowMs >= untilMs;
}

/** Says so itself; whether its time is over is another question. */
export function saysSuspended({ metadata }: Cluster): boolean {
  return metadata.annotations?.[CLUSTER_SUSPENDED_ANNOTATION] === 'true';
}

/**
 * Whether anything may be written to the cluster now. The end is looked at and not waited for, so that no controller that
 * stands still makes a suspension longer.
 */
export function isSuspendedCluster(cluster: Cluster, nowMs: number): boolean {
  return saysSuspended(cluster) && !isSuspensionOver(suspensionNote(cluster).until, nowMs);
}
