// What a package says of its suspension: status, condition, history and events, all from the state before and the one now.
import {
  RESUMED_AT_ANNOTATION,
  RESUMED_BY_ANNOTATION,
  RESUME_REASON_ANNOTATION,
  type Condition,
  type SuspensionRecord,
  type SuspensionSource,
  type SuspensionStatus,
} from '../api/index.ts';
import { formatTime } from '../base/index.ts';
import { withSuspensionEvent } from '../fleet/index.ts';
import { deepEqual, parseTime } from '../machinery/index.ts';
import type { AnyPackage } from './package-object.ts';
import type { EffectiveSuspension } from './suspension.ts';

const REASONS: Readonly<Record<SuspensionSource['type'], string>> = {
  Spec: 'SuspendedBySpec',
  PackageSuspension: 'SuspendedByPolicy',
  Window: 'SuspendedByWindow',
  Namespace: 'SuspendedByNamespace',
  Parent: 'SuspendedByParent',
  Fleet: 'SuspendedByFleet',
};

/** One source in words. */
export function sourceText({ type, name = '', by, reason, until, mode }: SuspensionSource): string {
  const what = {
    Spec: 'itself',
    PackageSuspension: `the suspension policy ${name}`,
    Window: `a window of ${name}`,
    Namespace: `the namespace ${name}`,
    Parent: `the package ${name} that it is a part of`,
    Fleet: `the fleet suspension ${name}`,
  }[type];
  const whom = by === undefined ? '' : ` (${by})`;
  const end = until === undefined ? '' : ` until ${until}`;
  const only = mode === 'ChangesOnly' ? ', changes only' : '';
  return `by ${what}${whom}${end}${only}${reason === undefined ? '' : `: ${reason}`}`;
}

export function suspensionMessage({ sources, mode }: EffectiveSuspension): string {
  const effect =
    mode === 'Full' ? 'nothing is written' : 'changes wait, and what was applied last is kept as it is';
  return `Suspended ${sources.map(sourceText).join('; ')}. Until it is resumed, ${effect}.`;
}

export type SuspensionTransition =
  | 'None'
  | 'Suspended'
  | 'SuspensionChanged'
  | 'Resumed'
  | 'SuspensionExpired';

/** What has happened since the status was written. */
export function suspensionTransition(
  one: AnyPackage,
  state: EffectiveSuspension,
  nowMs: number,
): SuspensionTransition {
  const before = one.status?.suspension;
  const was = before?.active === true;
  if (!was) return state.active ? 'Suspended' : 'None';
  if (!state.active) return hasExpired(one, state, nowMs) ? 'SuspensionExpired' : 'Resumed';
  const essence = (sources: readonly SuspensionSource[] = []): unknown =>
    sources.map(({ since: _since, ...rest }) => rest);
  return deepEqual(essence(before?.sources), essence(state.sources)) ? 'None' : 'SuspensionChanged';
}

/** Its time ran out, and nobody ended it before. */
function hasExpired(one: AnyPackage, state: EffectiveSuspension, nowMs: number): boolean {
  const untilMs = parseTime(one.status?.suspension?.until ?? '');
  if (untilMs === undefined || nowMs < untilMs) return state.expired;
  const resumedMs = parseTime(one.metadata.annotations?.[RESUMED_AT_ANNOTATION] ?? '');
  return (
    resumedMs === undefined ||
    resumedMs >= untilMs ||
    resumedMs < (parseTime(one.status?.suspension?.since ?? '') ?? 0)
  );
}

/** The entry for the history; undefined: nothing happened. */
export function suspensionRecord(
  one: AnyPackage,
  transition: SuspensionTransition,
  state: EffectiveSuspension,
  nowMs: number,
): SuspensionRecord | undefined {
  if (transition === 'None') return undefined;
  const at = formatTime(nowMs);
  if (transition === 'SuspensionExpired') return { action: transition, at };
  if (transition === 'Resumed') {
    const { annotations = {} } = one.metadata;
    const by = annotations[RESUMED_BY_ANNOTATION];
    const reason = annotations[RESUME_REASON_ANNOTATION];
    return {
      action: transition,
      at,
      ...(by === undefined ? {} : { by }),
      ...(reason === undefined ? {} : { reason }),
    };
  }
  const [first] = state.sources;
  return {
    action: transition,
    at,
    ...(first?.by === undefined ? {} : { by: first.by }),
    ...(first?.reason === undefined ? {} : { reason: first.reason }),
    ...(state.untilMs === undefined ? {} : { until: formatTime(state.untilMs) }),
  };
}

export function withSuspensionRecord(
  history: readonly SuspensionRecord[] | undefined,
  record: SuspensionRecord | undefined,
): readonly SuspensionRecord[] | undefined {
  return record === undefined ? history : withSuspensionEvent(history, record);
}

/** The status of now; what else is known of the suspension (drift, pending changes, the plan) stays while it lasts. */
export function suspensionStatus(
  before: SuspensionStatus | undefined,
  state: EffectiveSuspension,
): SuspensionStatus | undefined {
  if (!state.active) {
    if (before === undefined) return undefined;
    return before.active ? { active: false, resuming: true } : before;
  }
  const { pendingGeneration, pendingChanges, driftCheckTime, drift, planHash } = before ?? { active: true };
  return {
    active: true,
    mode: state.mode,
    ...(state.sinceMs === undefined ? {} : { since: formatTime(state.sinceMs) }),
    ...(state.untilMs === undefined ? {} : { until: formatTime(state.untilMs) }),
    sources: state.sources,
    ...(state.onResume === 'Apply' ? {} : { onResume: state.onResume }),
    ...(pendingGeneration === undefined ? {} : { pendingGeneration }),
    ...(pendingChanges === undefined ? {} : { pendingChanges }),
    ...(driftCheckTime === undefined ? {} : { driftCheckTime }),
    ...(drift === undefined ? {} : { drift }),
    ...(planHash === undefined ? {} : { planHash }),
  };
}

type Wanted = Omit<Condition, 'lastTransitionTime'>;

/** Undefined: it never was suspended, and nothing is said of it. */
export function suspendedCondition(
  one: AnyPackage,
  state: EffectiveSuspension,
  transition: SuspensionTransition,
): Wanted | undefined {
  const [first] = state.sources;
  if (first !== undefined)
    return {
      type: 'Suspended',
      status: 'True',
      reason: REASONS[first.type],
      message: suspensionMessage(state),
    };
  const known = one.status?.conditions?.find(({ type }) => type === 'Suspended');
  if (known?.status === 'False')
    return { type: 'Suspended', status: 'False', reason: known.reason, message: known.message };
  if (transition === 'None' && known === undefined && !state.expired) return undefined;
  return transition === 'SuspensionExpired' || (transition === 'None' && state.expired)
    ? { type: 'Suspended', status: 'False', reason: 'SuspensionExpired', message: 'Its time is over.' }
    : { type: 'Suspended', status: 'False', reason: 'Resumed', message: 'It was resumed.' };
}
