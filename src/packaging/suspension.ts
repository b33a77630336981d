// Whether a package is suspended, by whom and until when: computed from objects and the time, never remembered, so that
// neither a restart nor a clock that nobody watched can make a suspension longer or shorter.
import {
  FLEET_SUSPENSION_ANNOTATION,
  LOCAL_SUSPENSION_ANNOTATION,
  SUSPENDED_AT_ANNOTATION,
  SUSPENDED_BY_ANNOTATION,
  SUSPEND_NAMESPACE_ANNOTATION,
  SUSPENSION_EXEMPT_ANNOTATION,
  type ClusterPackageSuspension,
  type KubeObject,
  type PackageSuspension,
  type SuspensionMode,
  type SuspensionSource,
} from '../api/index.ts';
import { formatTime } from '../base/index.ts';
import { labelSelectorFor, parseTime } from '../machinery/index.ts';
import { isSuspendedBySpec, packageId, packageKey, type AnyPackage } from './package-object.ts';
import { isBlocked, nextChange } from './windows.ts';

export type AnySuspension = PackageSuspension | ClusterPackageSuspension;

export interface SuspensionInput {
  readonly package: AnyPackage;
  readonly nowMs: number;
  /** The Namespace of a Package; absent: it says nothing. */
  readonly namespace?: KubeObject | undefined;
  /** Those that there are; which of them are for the package is found here. */
  readonly policies?: readonly AnySuspension[];
  /** Packages of which this one is a component. */
  readonly parentsOf?: (component: AnyPackage) => readonly AnyPackage[];
  /** The namespace of any of them, where it differs. */
  readonly namespaceOf?: (one: AnyPackage) => KubeObject | undefined;
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
  /** Something that says it suspends the package does not any more, since its time is over. */
  readonly expired: boolean;
  /** Whether differences are to be looked for meanwhile. */
  readonly driftDetection: boolean;
  /** Review: some source wants its end to wait for an approval, if there is anything to do. */
  readonly onResume: 'Apply' | 'Review';
}

/** One thing that may suspend the package, and what becomes of it with time. */
interface Finding {
  readonly source?: SuspensionSource;
  /** When it begins, ends or goes on otherwise. */
  readonly changeMs?: number | undefined;
  readonly expired?: boolean;
  /** Of what suspends now, or what the package itself wants of every suspension. */
  readonly review?: boolean;
}

// LIMIT: components of components; deeper ones are not suspended with those above. Circles end here too.
const DEPTH_MAX = 8;

// As the condition's reason names the first.
const ORDER: readonly SuspensionSource['type'][] = [
  'Spec',
  'PackageSuspension',
  'Window',
  'Namespace',
  'Parent',
  'Fleet',
];

export function effectiveSuspension(input: SuspensionInput): EffectiveSuspension {
  return suspensionAt(input, 0);
}

function suspensionAt(input: SuspensionInput, depth: number): EffectiveSuspension {
  const { package: one, nowMs } = input;
  const findings = [
    specFinding(one, nowMs),
    ...(input.policies ?? []).map((policy) => policyFinding(policy, input)),
    namespaceFinding(input),
    ...parentFindings(input, depth),
  ];
  const sources = findings
    .flatMap(({ source }) => (source === undefined ? [] : [withSince(source, one, nowMs)]))
    .sort((a, b) => ORDER.indexOf(a.type) - ORDER.indexOf(b.type) || compare(a.name ?? '', b.name ?? ''));
  const changes = findings.flatMap(({ changeMs }) => (changeMs === undefined ? [] : [changeMs]));
  const ends = sources.map(({ until }) => parseTime(until ?? ''));
  const starts = sources.map(({ since }) => parseTime(since ?? '') ?? nowMs);
  const active = sources.length > 0;
  const known = ends.filter((end) => end !== undefined);
  return {
    active,
    mode: !active || sources.some(({ mode }) => mode !== 'ChangesOnly') ? 'Full' : 'ChangesOnly',
    sources,
    expired: findings.some(({ expired }) => expired === true),
    driftDetection: one.spec.suspension?.driftDetection !== 'Disabled',
    onResume: findings.some(({ review }) => review === true) ? 'Review' : 'Apply',
    ...(active ? { sinceMs: Math.min(...starts) } : {}),
    ...(active && known.length === ends.length ? { untilMs: Math.max(...known) } : {}),
    ...(changes.length === 0 ? {} : { nextTransitionMs: Math.min(...changes) }),
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Since when, as far as anybody has written it down: the source itself, or what was seen of it last. */
function withSince(source: SuspensionSource, { status }: AnyPackage, nowMs: number): SuspensionSource {
  if (source.since !== undefined) return source;
  const known = (status?.suspension?.sources ?? []).find(
    ({ type, name }) => type === source.type && name === source.name,
  );
  return { ...source, since: known?.since ?? formatTime(nowMs) };
}

/** Only what is set. */
function sourceOf(fields: {
  readonly [K in keyof SuspensionSource]: SuspensionSource[K] | undefined;
}): SuspensionSource {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as SuspensionSource;
}

function annotation({ metadata }: KubeObject, key: string): string | undefined {
  const { annotations = {} } = metadata;
  return Object.hasOwn(annotations, key) ? annotations[key] : undefined;
}

/** What the package says itself, be it by its owner or because the hub overrides it in this cluster. */
function specFinding(one: AnyPackage, nowMs: number): Finding {
  if (!isSuspendedBySpec(one.spec)) return { review: one.spec.suspension?.onResume === 'Review' };
  const { reason, until, mode = 'Full', onResume } = one.spec.suspension ?? {};
  const untilMs = parseTime(until ?? '');
  if (untilMs !== undefined && nowMs >= untilMs) return { expired: true, review: onResume === 'Review' };
  const fleet = annotation(one, FLEET_SUSPENSION_ANNOTATION);
  const isLocal = annotation(one, LOCAL_SUSPENSION_ANNOTATION) === 'true';
  const byFleet = fleet !== undefined && !isLocal;
  return {
    source: sourceOf({
      type: byFleet ? 'Fleet' : 'Spec',
      name: byFleet ? fleet : undefined,
      mode,
      reason,
      by: annotation(one, SUSPENDED_BY_ANNOTATION),
      since: annotation(one, SUSPENDED_AT_ANNOTATION),
      until: untilMs === undefined ? undefined : formatTime(untilMs),
    }),
    changeMs: untilMs,
    review: onResume === 'Review',
  };
}

function namespaceFinding({ package: one, namespace }: SuspensionInput): Finding {
  if (namespace === undefined || one.kind !== 'Package') return {};
  if (annotation(namespace, SUSPEND_NAMESPACE_ANNOTATION) !== 'true') return {};
  return {
    source: sourceOf({
      type: 'Namespace',
      name: namespace.metadata.name,
      mode: 'Full',
      by: annotation(namespace, SUSPENDED_BY_ANNOTATION),
      since: annotation(namespace, SUSPENDED_AT_ANNOTATION),
    }),
  };
}

/** Whether the policy is for the package, whatever the time. */
export function isMeantBySuspension(
  policy: AnySuspension,
  one: AnyPackage,
  namespace: KubeObject | undefined,
): boolean {
  const { selector = {}, allowOverride = false } = policy.spec ?? {};
  if (policy.kind === 'PackageSuspension') {
    if (one.kind !== 'Package' || policy.metadata.namespace !== one.metadata.namespace) return false;
  } else if (one.kind === 'Package') {
    const { namespaceSelector } = policy.spec ?? {};
    if (namespaceSelector === undefined) return false;
    if (!labelSelectorFor(namespaceSelector).matches(namespace?.metadata.labels)) return false;
  }
  if (allowOverride && annotation(one, SUSPENSION_EXEMPT_ANNOTATION) === policy.metadata.name) return false;
  return isSelectedPackage(selector, one);
}

/** Whether a selector of packages takes one in. Parts that are left out or empty ask for nothing. */
export function isSelectedPackage(
  selector: NonNullable<NonNullable<AnySuspension['spec']>['selector']>,
  one: AnyPackage,
): boolean {
  const { names = [], packageNames = [], labelSelector, kinds = [] } = selector;
  if (names.length > 0 && !names.includes(one.metadata.name ?? '')) return false;
  if (packageNames.length > 0 && !packageNames.includes(one.spec.packageInfo.name)) return false;
  if (kinds.length > 0 && !kinds.includes(one.kind)) return false;
  return labelSelector === undefined || labelSelectorFor(labelSelector).matches(one.metadata.labels);
}

function policyFinding(policy: AnySuspension, { package: one, namespace, nowMs }: SuspensionInput): Finding {
  if (!isMeantBySuspension(policy, one, namespace)) return {};
  const { reason, mode = 'Full', onResume } = policy.spec ?? {};
  const { blocked, untilMs, changeMs, over } = policyState(policy, nowMs);
  const review = onResume === 'Review';
  if (!blocked) return { changeMs, expired: over };
  return {
    source: sourceOf({
      type: (policy.spec?.windows ?? []).length === 0 ? 'PackageSuspension' : 'Window',
      name: policy.metadata.name,
      mode,
      reason,
      by: annotation(policy, SUSPENDED_BY_ANNOTATION),
      // Of a window it is when it opened, and not when somebody wrote it.
      since:
        (policy.spec?.windows ?? []).length === 0 ? annotation(policy, SUSPENDED_AT_ANNOTATION) : undefined,
      until: untilMs === undefined ? undefined : formatTime(untilMs),
    }),
    changeMs,
    review,
  };
}

export interface PolicyState {
  readonly blocked: boolean;
  /** Its time is over for good. */
  readonly over: boolean;
  /** Until when it blocks, if it does. */
  readonly untilMs?: number | undefined;
  /** When it changes by itself next. */
  readonly changeMs?: number | undefined;
}

/** What an object with an end and windows does at a time, whichever packages it is for. */
export function policyState(
  { spec }: { readonly spec?: Pick<NonNullable<AnySuspension['spec']>, 'until' | 'windows'> | undefined },
  nowMs: number,
): PolicyState {
  const { until, windows = [] } = spec ?? {};
  const endMs = parseTime(until ?? '');
  if (endMs !== undefined && nowMs >= endMs) return { blocked: false, over: true };
  const blocked = isBlocked(windows, nowMs);
  const turnMs = nextChange(windows, nowMs);
  // What begins after the end never begins.
  const next = [turnMs, endMs].filter((ms) => ms !== undefined);
  const changeMs = next.length === 0 ? undefined : Math.min(...next);
  if (!blocked)
    return {
      blocked,
      over: false,
      changeMs: turnMs !== undefined && turnMs === changeMs ? turnMs : undefined,
    };
  return { blocked, over: false, untilMs: changeMs, changeMs };
}

function parentFindings(input: SuspensionInput, depth: number): readonly Finding[] {
  if (depth >= DEPTH_MAX) return [];
  const parents = input.parentsOf?.(input.package) ?? [];
  return parents.map((parent) => {
    const state = suspensionAt(
      { ...input, package: parent, namespace: input.namespaceOf?.(parent) ?? input.namespace },
      depth + 1,
    );
    const changeMs = state.nextTransitionMs;
    const passed =
      parent.spec.suspension?.cascade === 'None' ? state.sources.filter(isOfOthers) : state.sources;
    if (passed.length === 0) return { changeMs };
    const ends = passed.map(({ until }) => until).filter((until) => until !== undefined);
    const reasons = passed.map(({ reason }) => reason).filter((reason) => reason !== undefined);
    return {
      changeMs,
      review: state.onResume === 'Review',
      source: sourceOf({
        type: 'Parent',
        name: packageKey(packageId(parent)),
        mode: passed.some(({ mode }) => mode !== 'ChangesOnly') ? 'Full' : 'ChangesOnly',
        reason: reasons.length === 0 ? undefined : reasons.join('; '),
        by: passed.find(({ by }) => by !== undefined)?.by,
        since: passed
          .map(({ since }) => since)
          .filter((since) => since !== undefined)
          .sort()[0],
        until: ends.length === passed.length ? ends.sort().at(-1) : undefined,
      }),
    };
  });
}

/** `cascade: None` is said beside the package's own switch, and speaks of nothing else. */
function isOfOthers({ type }: SuspensionSource): boolean {
  return type !== 'Spec' && type !== 'Fleet';
}
