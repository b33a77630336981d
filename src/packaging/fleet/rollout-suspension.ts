// A roll-out that somebody holds: its own fields say until when and why; who did it, since when and what happened before stand
// in annotations, as for policies.
// INVARIANT: by, since and history are the control plane's; no client can write them.
import {
  SUSPENSION_BY_ANNOTATION,
  SUSPENSION_HISTORY_ANNOTATION,
  SUSPENSION_REASON_ANNOTATION,
  SUSPENSION_SINCE_ANNOTATION,
} from '../../api/index.ts';
import { formatTime } from '../../base/index.ts';
import {
  isSuspensionOver,
  suspensionHistory,
  suspensionNote,
  withSuspensionEvent,
  type SuspensionEvent,
} from '../../fleet/index.ts';
import { deepEqual } from '../../machinery/index.ts';
import type { AnyPackage } from '../package-object.ts';
import { timeProblem, verbsForPackage, type SuspensionVerb } from '../suspension-rights.ts';
import { withAnnotations, type Who } from '../suspension-stamp.ts';
import type { AnyFleetPackage } from './revision.ts';

type Detail = NonNullable<AnyFleetPackage['spec']['suspension']>;

/** Whether it says so itself; whether its time is over is another question. */
export function saysRolloutSuspended({ spec }: AnyFleetPackage): boolean {
  return spec?.suspend === true;
}

export function isRolloutSuspended(one: AnyFleetPackage, nowMs: number): boolean {
  return saysRolloutSuspended(one) && !isSuspensionOver(one.spec.suspension?.until, nowMs);
}

/** Held, with these details instead of those it had. */
export function withRolloutSuspension(one: AnyFleetPackage, detail: Detail): AnyFleetPackage {
  const { suspension: _suspension, ...spec } = one.spec;
  const told = Object.keys(detail).length === 0 ? {} : { suspension: detail };
  return { ...one, spec: { ...spec, suspend: true, ...told } };
}

/** @param reason why it goes on; kept in the history */
export function withoutRolloutSuspension(
  one: AnyFleetPackage,
  { reason }: { readonly reason?: string | undefined } = {},
): AnyFleetPackage {
  const { suspend: _suspend, suspension: _suspension, ...spec } = one.spec;
  return withAnnotations({ ...one, spec }, { [SUSPENSION_REASON_ANNOTATION]: reason });
}

/** What is stored instead of `next`. */
export function stampRollout(
  next: AnyFleetPackage,
  old: AnyFleetPackage | undefined,
  who: Who,
): AnyFleetPackage {
  const on = saysRolloutSuspended(next);
  const was = old !== undefined && saysRolloutSuspended(old);
  const event = eventOf(next, old, who);
  const history = old === undefined ? [] : suspensionHistory(old);
  const kept = event === undefined ? history : withSuspensionEvent(history, event);
  const before = was ? suspensionNote(old) : {};
  return withAnnotations(next, {
    [SUSPENSION_BY_ANNOTATION]: on ? (before.by ?? who.user) : undefined,
    [SUSPENSION_SINCE_ANNOTATION]: on ? (before.since ?? formatTime(who.nowMs)) : undefined,
    [SUSPENSION_REASON_ANNOTATION]: undefined,
    [SUSPENSION_HISTORY_ANNOTATION]: kept.length === 0 ? undefined : JSON.stringify(kept),
  });
}

function eventOf(
  next: AnyFleetPackage,
  old: AnyFleetPackage | undefined,
  { user, nowMs }: Who,
): SuspensionEvent | undefined {
  const on = saysRolloutSuspended(next);
  const was = old !== undefined && saysRolloutSuspended(old);
  if (!on && !was) return undefined;
  const told = { at: formatTime(nowMs), by: user };
  if (!on) {
    if (isSuspensionOver(old?.spec.suspension?.until, nowMs))
      return { action: 'SuspensionExpired', at: told.at };
    const { reason } = suspensionNote(next);
    return { action: 'Resumed', ...told, ...(reason === undefined ? {} : { reason }) };
  }
  const { reason, until } = next.spec.suspension ?? {};
  const wishes = { ...(reason === undefined ? {} : { reason }), ...(until === undefined ? {} : { until }) };
  if (!was) return { action: 'Suspended', ...told, ...wishes };
  const same = deepEqual(old.spec.suspension ?? {}, next.spec.suspension ?? {});
  return same ? undefined : { action: 'SuspensionChanged', ...told, ...wishes };
}

/** What somebody must be allowed to do for a change of the switch of the roll-out itself. */
export function verbsForRollout(
  next: AnyFleetPackage,
  old: AnyFleetPackage | undefined,
): readonly SuspensionVerb[] {
  return verbsForPackage(asPackage(next), old === undefined ? undefined : asPackage(old));
}

/** The switch as if it were a package's. */
function asPackage({ spec }: AnyFleetPackage): AnyPackage {
  const { suspend = false, suspension, template } = spec;
  const { packageInfo } = template;
  return {
    metadata: {},
    spec: { packageInfo, suspend, ...(suspension === undefined ? {} : { suspension }) },
  } as AnyPackage;
}

/** Why it cannot be stored; undefined: it can. Only what is new is looked at. */
export function rolloutSuspensionProblem(
  next: AnyFleetPackage,
  old: AnyFleetPackage | undefined,
  nowMs: number,
): string | undefined {
  return timeProblem(
    'spec.suspension.until',
    next.spec.suspension?.until,
    old?.spec.suspension?.until,
    nowMs,
  );
}
