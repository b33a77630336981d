// How a suspension is written into a package or a policy object: both names of the switch alike, and who did it when, as the
// server that stores it knows it.
// INVARIANT: by and since are those of the first who suspended; no client can write them.
import {
  APPROVED_PLAN_ANNOTATION,
  ON_DRIFT_ANNOTATION,
  RESUMED_AT_ANNOTATION,
  RESUMED_BY_ANNOTATION,
  RESUME_REASON_ANNOTATION,
  SUSPENDED_AT_ANNOTATION,
  SUSPENDED_BY_ANNOTATION,
  type KubeObject,
  type ObjectMeta,
  type PackageSpec,
  type SuspensionDetail,
} from '../api/index.ts';
import { formatTime } from '../base/index.ts';
import { isSuspensionOver } from '../fleet/index.ts';
import { deepEqual } from '../machinery/index.ts';
import { isSuspendedBySpec, type AnyPackage } from './package-object.ts';

export interface Who {
  readonly user: string;
  readonly nowMs: number;
}

type Changes = Readonly<Record<string, string | undefined>>;

/** The same object when nothing changes; undefined takes an annotation away. */
export function withAnnotations<T extends KubeObject>(object: T, changes: Changes): T {
  const before = object.metadata.annotations ?? {};
  const entries = Object.entries(before).filter(([key]) => !Object.hasOwn(changes, key));
  for (const [key, value] of Object.entries(changes)) if (value !== undefined) entries.push([key, value]);
  const annotations = Object.fromEntries(entries);
  if (deepEqual(annotations, before)) return object;
  const { annotations: _before, ...metadata } = object.metadata;
  const next: ObjectMeta = entries.length === 0 ? metadata : { ...metadata, annotations };
  return { ...object, metadata: next };
}

/** The package suspended, with these details instead of those it had. */
export function withPackageSuspension<T extends AnyPackage>(one: T, detail: SuspensionDetail): T {
  const { suspension: _suspension, ...spec } = one.spec;
  const told = Object.keys(detail).length === 0 ? {} : { suspension: detail };
  return { ...one, spec: { ...spec, suspend: true, suspended: true, ...told } };
}

export interface ResumeWish {
  readonly reason?: string | undefined;
  readonly onDrift?: string | undefined;
  /** The hash of the plan that may be carried out. */
  readonly approve?: string | undefined;
}

/** The package resumed. Its switch and what belongs to it are gone, as tools that apply manifests want it. */
export function withoutPackageSuspension<T extends AnyPackage>(one: T, wish: ResumeWish = {}): T {
  const marked = withAnnotations(one, {
    ...(wish.reason === undefined ? {} : { [RESUME_REASON_ANNOTATION]: wish.reason }),
    ...(wish.onDrift === undefined ? {} : { [ON_DRIFT_ANNOTATION]: wish.onDrift }),
    ...(wish.approve === undefined ? {} : { [APPROVED_PLAN_ANNOTATION]: wish.approve }),
  });
  return { ...marked, spec: resumedSpec(marked.spec) };
}

/** What is a wish for every suspension stays; what was said of this one goes with it. */
function resumedSpec(given: PackageSpec): PackageSpec {
  const { suspend: _suspend, suspended: _suspended, suspension = {}, ...spec } = given;
  const { driftDetection, onResume } = suspension;
  const kept = {
    ...(driftDetection === undefined ? {} : { driftDetection }),
    ...(onResume === undefined ? {} : { onResume }),
  };
  return Object.keys(kept).length === 0 ? spec : { ...spec, suspension: kept };
}

/** What is stored instead of `next`. */
export function stampPackage(next: AnyPackage, old: AnyPackage | undefined, who: Who): AnyPackage {
  // Without a spec the schema refuses it.
  if (typeof next.spec !== 'object' || next.spec === null) return next;
  const spec = withOneSwitch(next.spec, old?.spec);
  const on = isSuspendedBySpec(spec);
  const was = old !== undefined && isSuspendedBySpec(old.spec);
  const kept = was && !on ? resumedSpec(spec) : spec;
  const object = kept === next.spec ? next : { ...next, spec: kept };
  return withAnnotations(object, marks(object, old, { on, was, until: old?.spec.suspension?.until }, who));
}

/** Both names of the switch say the same. The one that was changed counts; when both were, and differ, the one that is on. */
function withOneSwitch(spec: PackageSpec, old: PackageSpec | undefined): PackageSpec {
  const { suspend, suspended } = spec;
  if (suspend === suspended) return spec;
  const changed = suspend !== old?.suspend;
  const both = changed && suspended !== old?.suspended && suspend !== undefined && suspended !== undefined;
  const value = both ? true : changed ? (suspend ?? (old === undefined ? suspended : undefined)) : suspended;
  const { suspend: _suspend, suspended: _suspended, ...rest } = spec;
  return value === undefined ? rest : { ...rest, suspend: value, suspended: value };
}

/** Who and when, for a switch that is on or off. */
function marks(
  next: KubeObject,
  old: KubeObject | undefined,
  turn: { readonly on: boolean; readonly was: boolean; readonly until: string | undefined },
  { user, nowMs }: Who,
): Changes {
  const before = old?.metadata.annotations ?? {};
  const now = formatTime(nowMs);
  if (turn.on)
    return {
      [SUSPENDED_BY_ANNOTATION]: turn.was ? (before[SUSPENDED_BY_ANNOTATION] ?? user) : user,
      [SUSPENDED_AT_ANNOTATION]: turn.was ? (before[SUSPENDED_AT_ANNOTATION] ?? now) : now,
      [RESUMED_BY_ANNOTATION]: undefined,
      [RESUMED_AT_ANNOTATION]: undefined,
      [RESUME_REASON_ANNOTATION]: undefined,
      ...(turn.was ? {} : { [APPROVED_PLAN_ANNOTATION]: undefined, [ON_DRIFT_ANNOTATION]: undefined }),
    };
  const gone = { [SUSPENDED_BY_ANNOTATION]: undefined, [SUSPENDED_AT_ANNOTATION]: undefined };
  if (!turn.was || isSuspensionOver(turn.until, nowMs))
    return {
      ...gone,
      [RESUMED_BY_ANNOTATION]: turn.was ? undefined : before[RESUMED_BY_ANNOTATION],
      [RESUMED_AT_ANNOTATION]: turn.was ? undefined : before[RESUMED_AT_ANNOTATION],
      [RESUME_REASON_ANNOTATION]: turn.was ? undefined : before[RESUME_REASON_ANNOTATION],
    };
  const reason = next.metadata.annotations?.[RESUME_REASON_ANNOTATION];
  return {
    ...gone,
    [RESUMED_BY_ANNOTATION]: user,
    [RESUMED_AT_ANNOTATION]: now,
    [RESUME_REASON_ANNOTATION]: reason === before[RESUME_REASON_ANNOTATION] ? undefined : reason,
  };
}

/** The same for what suspends by being there: policy objects, and Namespaces with the annotation. */
export function stampSuspender(
  next: KubeObject,
  old: KubeObject | undefined,
  suspends: (object: KubeObject) => boolean,
  { user, nowMs }: Who,
): KubeObject {
  const was = old !== undefined && suspends(old);
  const before = was ? (old.metadata.annotations ?? {}) : {};
  const on = suspends(next);
  return withAnnotations(next, {
    [SUSPENDED_BY_ANNOTATION]: on ? (before[SUSPENDED_BY_ANNOTATION] ?? user) : undefined,
    [SUSPENDED_AT_ANNOTATION]: on ? (before[SUSPENDED_AT_ANNOTATION] ?? formatTime(nowMs)) : undefined,
  });
}
