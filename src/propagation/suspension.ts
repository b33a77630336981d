// Suspension of what propagates: policies and bindings by the fields that upstream has for it, clusters by an annotation of
// ours, since upstream has nothing. Who, why and until when stand beside them in annotations, so that Karmada's fields mean
// what they always meant and whoever writes only those is heard too.
// INVARIANT: by, since and history are the control plane's; no client can write them.
import {
  CLUSTER_SUSPENDED_ANNOTATION,
  SUSPENSION_BY_ANNOTATION,
  SUSPENSION_HISTORY_ANNOTATION,
  SUSPENSION_REASON_ANNOTATION,
  SUSPENSION_SINCE_ANNOTATION,
  SUSPENSION_UNTIL_ANNOTATION,
  type Cluster,
  type KubeObject,
  type ObjectMeta,
} from '../api/index.ts';
import { formatTime } from '../base/index.ts';
import {
  SUSPENSION_REASON_MAX,
  isSuspensionOver,
  saysSuspended,
  suspensionHistory,
  suspensionNote,
  withSuspensionEvent,
  type SuspensionEvent,
} from '../fleet/index.ts';
import { deepEqual, parseTime } from '../machinery/index.ts';
import type { Binding, Policy } from './kinds.ts';

export type Suspendable = Policy | Binding | Cluster;

const POLICIES: ReadonlySet<string> = new Set(['PropagationPolicy', 'ClusterPropagationPolicy']);
const BINDINGS: ReadonlySet<string> = new Set(['ResourceBinding', 'ClusterResourceBinding']);

function isPolicy(object: Suspendable): object is Policy {
  return POLICIES.has(object.kind);
}

function isBinding(object: Suspendable): object is Binding {
  return BINDINGS.has(object.kind);
}

/** What is stopped; undefined: nothing is. */
export type Stopped =
  /** Nothing is written to any cluster. */
  | { readonly what: 'dispatching' }
  /** Nothing is written to these. */
  | { readonly what: 'dispatchingOnClusters'; readonly clusters: readonly string[] }
  /** The scheduler leaves the binding as it is. */
  | { readonly what: 'scheduling' }
  /** Nothing is written to the cluster, and nothing new is scheduled to it. */
  | { readonly what: 'cluster' };

export function stoppedBy(object: Suspendable): Stopped | undefined {
  if (isPolicy(object)) {
    const { dispatching, dispatchingOnClusters } = object.spec?.suspension ?? {};
    if (dispatching === true) return { what: 'dispatching' };
    const clusters = dispatchingOnClusters?.clusterNames ?? [];
    return clusters.length === 0 ? undefined : { what: 'dispatchingOnClusters', clusters };
  }
  if (isBinding(object))
    return object.spec?.suspension?.scheduling === true ? { what: 'scheduling' } : undefined;
  return saysSuspended(object) ? { what: 'cluster' } : undefined;
}

/** In words, for lists and messages. */
export function stoppedText(stopped: Stopped): string {
  switch (stopped.what) {
    case 'dispatching':
      return 'dispatching';
    case 'dispatchingOnClusters':
      return `dispatching to ${stopped.clusters.join(', ')}`;
    case 'scheduling':
      return 'scheduling';
    case 'cluster':
      return 'everything to it';
  }
}

export interface SuspensionWish {
  readonly until?: string | undefined;
  readonly reason?: string | undefined;
  /** Of a policy: only these clusters. */
  readonly clusters?: readonly string[] | undefined;
}

/** The object with its switch on. What is wished replaces what was said before; clusters join those that are suspended. */
export function withSuspension(
  object: Suspendable,
  { until, reason, clusters }: SuspensionWish,
): Suspendable {
  const noted = annotated(object, {
    [SUSPENSION_UNTIL_ANNOTATION]: until,
    [SUSPENSION_REASON_ANNOTATION]: reason,
  });
  if (isPolicy(noted))
    return { ...noted, spec: { ...noted.spec, suspension: policySwitch(noted, clusters) } } as Policy;
  if (isBinding(noted))
    return {
      ...noted,
      spec: { ...noted.spec, suspension: { ...noted.spec.suspension, scheduling: true } },
    };
  return annotated(noted, { [CLUSTER_SUSPENDED_ANNOTATION]: 'true' });
}

function policySwitch(policy: Policy, clusters: readonly string[] | undefined): Policy['spec']['suspension'] {
  if (clusters === undefined) return { dispatching: true };
  const { dispatching, dispatchingOnClusters } = policy.spec.suspension ?? {};
  // What stops everywhere stops there too.
  if (dispatching === true) return { dispatching };
  const known = dispatchingOnClusters?.clusterNames ?? [];
  return { dispatchingOnClusters: { clusterNames: [...new Set([...known, ...clusters])].sort() } };
}

/**
 * The object with its switch off, or for fewer clusters than before.
 * @param reason why it goes on; kept in the history
 */
export function withoutSuspension(
  object: Suspendable,
  {
    reason,
    clusters,
  }: { readonly reason?: string | undefined; readonly clusters?: readonly string[] | undefined } = {},
): Suspendable {
  const left = isPolicy(object) && clusters !== undefined ? remainingClusters(object, clusters) : [];
  if (isPolicy(object) && left.length > 0)
    return {
      ...object,
      spec: { ...object.spec, suspension: { dispatchingOnClusters: { clusterNames: left } } },
    };
  const noted = annotated(object, {
    [SUSPENSION_UNTIL_ANNOTATION]: undefined,
    [SUSPENSION_REASON_ANNOTATION]: reason,
  });
  if (isPolicy(noted)) {
    const { suspension: _suspension, ...spec } = noted.spec;
    return { ...noted, spec };
  }
  if (isBinding(noted)) {
    const { scheduling: _scheduling, ...kept } = noted.spec.suspension ?? {};
    const { suspension: _suspension, ...spec } = noted.spec;
    return {
      ...noted,
      spec: Object.keys(kept).length === 0 ? spec : { ...spec, suspension: kept },
    };
  }
  return annotated(noted, { [CLUSTER_SUSPENDED_ANNOTATION]: undefined });
}

/** Of a policy that stops dispatching to some clusters: those that stay stopped. */
function remainingClusters({ spec }: Policy, going: readonly string[]): readonly string[] {
  const names = spec.suspension?.dispatchingOnClusters?.clusterNames ?? [];
  return names.filter((name) => !going.includes(name));
}

/** The same object when nothing changes. */
function annotated<T extends Suspendable>(
  object: T,
  changes: Readonly<Record<string, string | undefined>>,
): T {
  const entries = Object.entries(object.metadata.annotations ?? {}).filter(
    ([key]) => !Object.hasOwn(changes, key),
  );
  for (const [key, value] of Object.entries(changes)) if (value !== undefined) entries.push([key, value]);
  const annotations = Object.fromEntries(entries);
  if (deepEqual(annotations, object.metadata.annotations ?? {})) return object;
  const { annotations: _before, ...metadata } = object.metadata;
  const next: ObjectMeta = entries.length === 0 ? metadata : { ...metadata, annotations };
  return { ...object, metadata: next };
}

/**
 * What is stored instead of `next`: with who and since when as the control plane knows it, and with the history that goes
 * on from that of `old`.
 */
export function stampSuspension(
  next: Suspendable,
  old: Suspendable | undefined,
  who: { readonly user: string; readonly nowMs: number },
): Suspendable {
  const on = stoppedBy(next);
  // Most objects are never suspended, and written often.
  if (on === undefined && !isNoted(next) && (old === undefined || !isNoted(old))) return next;
  const history = old === undefined ? [] : suspensionHistory(old);
  const event = eventOf(next, old, who);
  const kept = event === undefined ? history : withSuspensionEvent(history, event);
  const historyText =
    event === undefined ? old?.metadata.annotations?.[SUSPENSION_HISTORY_ANNOTATION] : JSON.stringify(kept);
  const marks = { [SUSPENSION_HISTORY_ANNOTATION]: kept.length === 0 ? undefined : historyText };
  if (on === undefined)
    return annotated(next, {
      ...marks,
      [SUSPENSION_BY_ANNOTATION]: undefined,
      [SUSPENSION_SINCE_ANNOTATION]: undefined,
      [SUSPENSION_UNTIL_ANNOTATION]: undefined,
      [SUSPENSION_REASON_ANNOTATION]: undefined,
    });
  const before = old !== undefined && stoppedBy(old) !== undefined ? suspensionNote(old) : {};
  return annotated(next, {
    ...marks,
    [SUSPENSION_BY_ANNOTATION]: before.by ?? who.user,
    [SUSPENSION_SINCE_ANNOTATION]: before.since ?? formatTime(who.nowMs),
  });
}

const NOTES: readonly string[] = [
  SUSPENSION_BY_ANNOTATION,
  SUSPENSION_SINCE_ANNOTATION,
  SUSPENSION_UNTIL_ANNOTATION,
  SUSPENSION_REASON_ANNOTATION,
  SUSPENSION_HISTORY_ANNOTATION,
];

/** It is suspended, was once, or somebody wrote what only we write. */
function isNoted(object: Suspendable): boolean {
  const { annotations } = object.metadata;
  if (stoppedBy(object) !== undefined) return true;
  return annotations !== undefined && NOTES.some((key) => Object.hasOwn(annotations, key));
}

function eventOf(
  next: Suspendable,
  old: Suspendable | undefined,
  { user, nowMs }: { readonly user: string; readonly nowMs: number },
): SuspensionEvent | undefined {
  const [on, was] = [stoppedBy(next), old === undefined ? undefined : stoppedBy(old)];
  const { until, reason } = suspensionNote(next);
  const told = { at: formatTime(nowMs), by: user };
  const wishes = { ...(reason === undefined ? {} : { reason }), ...(until === undefined ? {} : { until }) };
  if (on !== undefined && was === undefined) return { action: 'Suspended', ...told, ...wishes };
  if (on === undefined && was !== undefined && old !== undefined) {
    const ended = suspensionNote(old);
    if (isSuspensionOver(ended.until, nowMs)) return { action: 'SuspensionExpired', at: told.at };
    // The reason that is still there is why it was suspended, and not why it goes on.
    const why = reason === undefined || reason === ended.reason ? {} : { reason };
    return { action: 'Resumed', ...told, ...why };
  }
  if (on === undefined || old === undefined) return undefined;
  const before = suspensionNote(old);
  const same = before.until === until && before.reason === reason && deepEqual(on, was);
  return same ? undefined : { action: 'SuspensionChanged', ...told, ...wishes };
}

/** Whether a suspension lets go sooner, or of more, than it did, which is to resume a part of it. */
export function letsGo(next: Suspendable, old: Suspendable): boolean {
  const [on, was] = [stoppedBy(next), stoppedBy(old)];
  if (was === undefined) return false;
  if (on === undefined) return true;
  const endOf = (object: Suspendable): number => parseTime(suspensionNote(object).until ?? '') ?? Infinity;
  if (endOf(next) < endOf(old)) return true;
  if (on.what !== 'dispatchingOnClusters') return false;
  return was.what !== on.what || was.clusters.some((name) => !on.clusters.includes(name));
}

/** Why the suspension cannot be stored; undefined: it can. Only what is new is looked at. */
export function suspensionProblem(
  next: Suspendable,
  old: Suspendable | undefined,
  nowMs: number,
): string | undefined {
  const { until, reason } = suspensionNote(next);
  const before = old === undefined ? {} : suspensionNote(old);
  if (reason !== undefined && reason !== before.reason && reason.length > SUSPENSION_REASON_MAX)
    return `metadata.annotations[${SUSPENSION_REASON_ANNOTATION}]: a reason has at most ${SUSPENSION_REASON_MAX} characters`;
  if (until === undefined || until === before.until) return undefined;
  const field = `metadata.annotations[${SUSPENSION_UNTIL_ANNOTATION}]`;
  const untilMs = parseTime(until);
  if (untilMs === undefined) return `${field}: "${until}" is no time; write it like 2026-01-31T18:00:00Z`;
  if (untilMs <= nowMs) return `${field}: ${until} is over already; give a time to come`;
  return undefined;
}

/** One line about a suspension that holds. */
export function suspensionText(object: KubeObject): string {
  const { by, until, reason } = suspensionNote(object);
  const whom = by === undefined ? '' : ` by ${by}`;
  const end = until === undefined ? '' : ` until ${until}`;
  return `suspended${whom}${end}${reason === undefined ? '' : `: ${reason}`}`;
}
