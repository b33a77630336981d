// Whether a package is suspended, by whom and until when: computed from objects and the time, never remembered, so that
// neither a restart nor a clock that nobody watched can make a suspension longer or shorter.
import type { SuspensionMode, SuspensionSource } from '../api/index.ts';
import { formatTime } from '../base/index.ts';
import { isSuspendedBySpec, type AnyPackage } from './package-object.ts';

export interface SuspensionInput {
  readonly package: AnyPackage;
  readonly nowMs: number;
}

export interface EffectiveSuspension {
  readonly active: boolean;
  /** Meaningful while active; Full if any source is. */
  readonly mode: SuspensionMode;
  /** All reasons that hold now, in the order in which they are named. */
  readonly sources: readonly SuspensionSource[];
  readonly sinceMs?: number;
  /** The latest end, when every source has one. */
  readonly untilMs?: number;
  /** When the answer changes by itself next. */
  readonly nextTransitionMs?: number;
  /** Sources that ended by themselves, for the condition's reason. */
  readonly expired: boolean;
}

export function effectiveSuspension({ package: wanted, nowMs }: SuspensionInput): EffectiveSuspension {
  const { spec } = wanted;
  if (!isSuspendedBySpec(spec)) return { active: false, mode: 'Full', sources: [], expired: false };
  const { until, mode = 'Full', reason } = spec.suspension ?? {};
  const untilMs = until === undefined ? undefined : Date.parse(until);
  if (untilMs !== undefined && nowMs >= untilMs) return { active: false, mode, sources: [], expired: true };
  const source: SuspensionSource = {
    type: 'Spec',
    mode,
    ...(reason === undefined ? {} : { reason }),
    ...(untilMs === undefined ? {} : { until: formatTime(untilMs) }),
  };
  return {
    active: true,
    mode,
    sources: [source],
    expired: false,
    ...(untilMs === undefined ? {} : { untilMs, nextTransitionMs: untilMs }),
  };
}
