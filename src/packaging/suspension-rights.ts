// What somebody must be allowed to do for a change of a suspension, in verbs of their own: whoever may suspend need not be
// able to resume, and neither needs the right to change packages otherwise. And what no change may say.
import {
  APPROVED_PLAN_ANNOTATION,
  ON_DRIFT_ANNOTATION,
  SUSPEND_NAMESPACE_ANNOTATION,
  SUSPENSION_EXEMPT_ANNOTATION,
  type FleetSuspension,
  type KubeObject,
} from '../api/index.ts';
import { deepEqual, parseTime } from '../machinery/index.ts';
import { isSuspendedBySpec, type AnyPackage } from './package-object.ts';
import type { AnySuspension } from './suspension.ts';
import { windowProblem } from './windows.ts';

export type SuspensionVerb = 'suspend' | 'resume';

/** How far something suspends; absent: not at all. */
interface Extent {
  readonly until: number;
  readonly full: boolean;
  readonly cascades: boolean;
}

const NOTHING: readonly SuspensionVerb[] = [];

export function verbsForPackage(next: AnyPackage, old: AnyPackage | undefined): readonly SuspensionVerb[] {
  const verbs = new Set(verbsFor(extentOf(next), old === undefined ? undefined : extentOf(old)));
  for (const key of [SUSPENSION_EXEMPT_ANNOTATION, APPROVED_PLAN_ANNOTATION, ON_DRIFT_ANNOTATION]) {
    const [now, before] = [next.metadata.annotations?.[key], old?.metadata.annotations?.[key]];
    if (now !== undefined && now !== before) verbs.add('resume');
    // To take back that one is exempt is to suspend.
    if (now === undefined && before !== undefined && key === SUSPENSION_EXEMPT_ANNOTATION)
      verbs.add('suspend');
  }
  return [...verbs].sort();
}

function extentOf({ spec }: AnyPackage): Extent | undefined {
  if (!isSuspendedBySpec(spec)) return undefined;
  const { until, mode, cascade } = spec.suspension ?? {};
  return { until: endOf(until), full: mode !== 'ChangesOnly', cascades: cascade !== 'None' };
}

function endOf(until: string | undefined): number {
  return (until === undefined ? undefined : parseTime(until)) ?? Infinity;
}

function verbsFor(next: Extent | undefined, old: Extent | undefined): readonly SuspensionVerb[] {
  if (next === undefined) return old === undefined ? NOTHING : ['resume'];
  if (old === undefined) return ['suspend'];
  const more = next.until > old.until || (next.full && !old.full) || (next.cascades && !old.cascades);
  const less = next.until < old.until || (!next.full && old.full) || (!next.cascades && old.cascades);
  return [...(more ? (['suspend'] as const) : []), ...(less ? (['resume'] as const) : [])];
}

type Suspender = AnySuspension | FleetSuspension;

/** For a policy object that is written; undefined `next`: that is deleted. */
export function verbsForPolicy(
  next: Suspender | undefined,
  old: Suspender | undefined,
): readonly SuspensionVerb[] {
  const extent = ({ spec }: Suspender): Extent => ({
    until: endOf(spec?.until),
    full: spec?.mode !== 'ChangesOnly',
    cascades: true,
  });
  const verbs = new Set(
    verbsFor(next === undefined ? undefined : extent(next), old === undefined ? undefined : extent(old)),
  );
  // For whom and when it is: nobody can tell in general whether that is more or less.
  const scope = ({ spec }: Suspender): unknown => {
    const { reason: _reason, until: _until, mode: _mode, onResume: _onResume, ...rest } = spec ?? {};
    return rest;
  };
  if (next !== undefined && old !== undefined && !deepEqual(scope(next), scope(old)))
    for (const verb of ['suspend', 'resume'] as const) verbs.add(verb);
  return [...verbs].sort();
}

export function suspendsItsPackages({ metadata }: KubeObject): boolean {
  return metadata.annotations?.[SUSPEND_NAMESPACE_ANNOTATION] === 'true';
}

export function verbsForNamespace(next: KubeObject, old: KubeObject | undefined): readonly SuspensionVerb[] {
  const [now, before] = [suspendsItsPackages(next), old !== undefined && suspendsItsPackages(old)];
  if (now === before) return NOTHING;
  return now ? ['suspend'] : ['resume'];
}

/** Why the package cannot be stored; undefined: it can. Only what is new is looked at. */
export function packageSuspensionProblem(
  next: AnyPackage,
  old: AnyPackage | undefined,
  nowMs: number,
): string | undefined {
  const { suspension } = next.spec;
  if (suspension === undefined) return undefined;
  const { reason, until, mode, cascade } = suspension;
  if (!isSuspendedBySpec(next.spec)) {
    const said = Object.entries({ reason, until, mode, cascade }).find(([, value]) => value !== undefined);
    return said === undefined
      ? undefined
      : `spec.suspension.${said[0]}: says how the package is suspended, and it is not; set spec.suspend to true too`;
  }
  return timeProblem('spec.suspension.until', until, old?.spec.suspension?.until, nowMs);
}

export function policySuspensionProblem(
  next: Suspender,
  old: Suspender | undefined,
  nowMs: number,
): string | undefined {
  for (const [index, window] of (next.spec?.windows ?? []).entries()) {
    const problem = windowProblem(window);
    if (problem !== undefined) return `spec.windows[${index}]: ${problem}`;
  }
  return timeProblem('spec.until', next.spec?.until, old?.spec?.until, nowMs);
}

/** Only a time that is new is looked at. */
export function timeProblem(
  field: string,
  until: string | undefined,
  before: string | undefined,
  nowMs: number,
): string | undefined {
  if (until === undefined || until === before) return undefined;
  const untilMs = parseTime(until);
  if (untilMs === undefined) return `${field}: "${until}" is no time; write it like 2026-01-31T18:00:00Z`;
  return untilMs <= nowMs ? `${field}: ${until} is over already; give a time to come` : undefined;
}
