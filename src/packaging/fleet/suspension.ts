// What a FleetSuspension comes to: the override by which clusters hear of it, who has confirmed, and where nothing more is
// sent. The override carries the end, so that a cluster that is cut off meanwhile goes on when its time has come.
// INVARIANT: the switch is sent before sending stops, and sending goes on before the switch is taken back; a cluster that
// cannot be asked is never said to be suspended.
import {
  FLEET_SUSPENSION_ANNOTATION,
  SUSPENDED_AT_ANNOTATION,
  SUSPENDED_BY_ANNOTATION,
  PACKAGES_API_VERSION,
  type AggregatedStatusItem,
  type Cluster,
  type ClusterOverridePolicy,
  type FleetClusterState,
  type FleetSuspension,
  type KubeObject,
  type ResourceSelector,
  type SuspensionDetail,
} from '../../api/index.ts';
import { formatTime } from '../../base/index.ts';
import { clusterMatchesAffinity } from '../../fleet/index.ts';
import { controllerReference, labelSelectorFor, parseTime } from '../../machinery/index.ts';
import { isSuspendedBySpec, packageId, packageKey, type AnyPackage } from '../package-object.ts';
import { isSelectedPackage, policyState } from '../suspension.ts';

/** How long clusters have to confirm before nothing more is sent to them all the same. */
const CONFIRM_MS = 60_000;

export interface FleetSuspensionInput {
  readonly suspension: FleetSuspension;
  /** Of the hub. */
  readonly packages: readonly AnyPackage[];
  readonly namespaceOf: (one: AnyPackage) => KubeObject | undefined;
  readonly clusters: readonly { readonly cluster: Cluster; readonly ready: boolean }[];
  /** Where a package is, and what each cluster says. */
  readonly placed: (one: AnyPackage) => {
    readonly clusters: readonly string[];
    readonly reported: readonly AggregatedStatusItem[];
  };
  readonly nowMs: number;
}

export interface FleetSuspensionPlan {
  readonly status: NonNullable<FleetSuspension['status']>;
  /** All override policies that there are to be. */
  readonly overrides: readonly ClusterOverridePolicy[];
  /** Packages of which nothing more is sent to some clusters. */
  readonly stops: readonly { readonly package: AnyPackage; readonly clusters: readonly string[] }[];
  /** When it changes by itself. */
  readonly nextMs: number | undefined;
}

export function fleetOverrideName(suspension: string): string {
  return `fleet-suspension-${suspension}`;
}

export function planFleetSuspension(input: FleetSuspensionInput): FleetSuspensionPlan {
  const { suspension, packages, clusters, nowMs } = input;
  const { spec = {} } = suspension;
  const { blocked, over, untilMs, changeMs } = policyState(suspension, nowMs);
  const matched = packages.filter((one) => isMeant(input, one));
  const targets = clusters.filter(({ cluster }) =>
    clusterMatchesAffinity(cluster, spec.clusterAffinity ?? {}),
  );
  const sinceMs = blocked ? (parseTime(suspension.status?.activeSince ?? '') ?? nowMs) : undefined;
  const states = targets.map((target) => clusterState(input, target, matched, blocked, sinceMs));
  const confirmed = states.filter(({ observed }) => observed === (blocked ? 'Suspended' : 'Active')).length;
  const waitMs =
    sinceMs !== undefined && spec.stopDispatch === true && nowMs < sinceMs + CONFIRM_MS
      ? sinceMs + CONFIRM_MS
      : undefined;
  const times = [changeMs, waitMs].filter((time) => time !== undefined);
  return {
    status: {
      ...(suspension.metadata.generation === undefined
        ? {}
        : { observedGeneration: suspension.metadata.generation }),
      active: blocked,
      ...(sinceMs === undefined ? {} : { activeSince: formatTime(sinceMs) }),
      matched: matched.length,
      suspendedClusters: `${states.filter(({ observed }) => observed === 'Suspended').length}/${states.length}`,
      ...(changeMs === undefined ? {} : { nextTransition: formatTime(changeMs) }),
      clusters: states,
      conditions: conditions(suspension, { blocked, over, confirmed, total: states.length }, nowMs),
    },
    overrides: blocked ? overridesOf(suspension, matched, untilMs) : [],
    stops: matched.map((one) => ({
      package: one,
      clusters: states.filter(({ dispatchStopped }) => dispatchStopped === true).map(({ name }) => name),
    })),
    nextMs: times.length === 0 ? undefined : Math.min(...times),
  };
}

function isMeant({ suspension: { spec = {} }, namespaceOf }: FleetSuspensionInput, one: AnyPackage): boolean {
  const { namespaceSelector, selector = {} } = spec;
  if (namespaceSelector !== undefined) {
    if (one.kind !== 'Package') return false;
    if (!labelSelectorFor(namespaceSelector).matches(namespaceOf(one)?.metadata.labels)) return false;
  }
  return isSelectedPackage(selector, one);
}

function clusterState(
  { placed, suspension, nowMs }: FleetSuspensionInput,
  { cluster, ready }: FleetSuspensionInput['clusters'][number],
  matched: readonly AnyPackage[],
  blocked: boolean,
  sinceMs: number | undefined,
): FleetClusterState {
  const name = cluster.metadata.name ?? '';
  const there = matched.filter((one) => placed(one).clusters.includes(name));
  const suspended = there.filter((one) =>
    isReportedSuspended(
      placed(one).reported.find(({ clusterName }) => clusterName === name),
      suspension,
      blocked,
    ),
  ).length;
  const observed = observedState(ready, blocked, suspended, there.length);
  const late = sinceMs !== undefined && nowMs >= sinceMs + CONFIRM_MS;
  const stopped = blocked && suspension.spec?.stopDispatch === true && (observed === 'Suspended' || late);
  const message = messageOf(observed, stopped, there.length - suspended);
  return {
    name,
    desired: blocked ? 'Suspended' : 'Active',
    observed,
    packages: there.length,
    suspended,
    ...(stopped ? { dispatchStopped: true } : {}),
    ...(message === undefined ? {} : { message }),
  };
}

function observedState(
  ready: boolean,
  blocked: boolean,
  suspended: number,
  total: number,
): FleetClusterState['observed'] {
  if (!ready) return 'Unknown';
  if (suspended === 0) return blocked && total > 0 ? 'Pending' : blocked ? 'Suspended' : 'Active';
  if (suspended === total) return blocked ? 'Suspended' : 'Pending';
  return 'Partly';
}

function messageOf(
  observed: FleetClusterState['observed'],
  stopped: boolean,
  missing: number,
): string | undefined {
  const sent = stopped ? '; nothing more is sent there' : '';
  if (observed === 'Unknown') return `the cluster cannot be asked: what runs there may go on${sent}`;
  if (observed === 'Pending' || observed === 'Partly') return `${missing} have not confirmed${sent}`;
  return undefined;
}

/** While it suspends, any suspension will do; afterwards only its own counts as left over. */
function isReportedSuspended(
  item: AggregatedStatusItem | undefined,
  { metadata }: FleetSuspension,
  blocked: boolean,
): boolean {
  const { suspension } = (item?.status ?? {}) as {
    readonly suspension?: {
      readonly active?: boolean;
      readonly sources?: readonly { readonly type: string; readonly name?: string }[];
    };
  };
  if (suspension?.active !== true) return false;
  if (blocked) return true;
  return suspension.sources?.some(({ type, name }) => type === 'Fleet' && name === metadata.name) === true;
}

function conditions(
  suspension: FleetSuspension,
  {
    blocked,
    over,
    confirmed,
    total,
  }: {
    readonly blocked: boolean;
    readonly over: boolean;
    readonly confirmed: number;
    readonly total: number;
  },
  nowMs: number,
): NonNullable<NonNullable<FleetSuspension['status']>['conditions']> {
  const all = confirmed === total;
  const wanted = {
    type: 'Confirmed',
    status: all ? ('True' as const) : ('False' as const),
    reason: over ? 'Expired' : all ? (blocked ? 'AllSuspended' : 'AllActive') : 'Waiting',
    message: `${confirmed} of ${total} clusters are ${blocked ? 'suspended' : 'active'} as it is wanted.`,
  };
  const known = suspension.status?.conditions?.find(({ type }) => type === wanted.type);
  return [
    {
      ...wanted,
      lastTransitionTime: known?.status === wanted.status ? known.lastTransitionTime : formatTime(nowMs),
    },
  ];
}

// ---- overrides

function overridesOf(
  suspension: FleetSuspension,
  matched: readonly AnyPackage[],
  untilMs: number | undefined,
): readonly ClusterOverridePolicy[] {
  const { reason, mode, onResume } = suspension.spec ?? {};
  const detail: SuspensionDetail = {
    ...(reason === undefined ? {} : { reason }),
    ...(untilMs === undefined ? {} : { until: formatTime(untilMs) }),
    ...(mode === undefined ? {} : { mode }),
    ...(onResume === undefined ? {} : { onResume }),
  };
  const name = fleetOverrideName(suspension.metadata.name ?? '');
  const selectors = selectorsOf(suspension, matched);
  if (selectors.length === 0) return [];
  const all = overridePolicy(suspension, name, selectors, switchedOn(suspension, detail));
  // Later names win: what a package says of itself is not shortened.
  const own = matched.filter(isSuspendedItself).flatMap((one) => {
    const longer = united(detail, one.spec.suspension ?? {});
    if (longer === undefined) return [];
    const id = packageKey(packageId(one)).replace('/', '-');
    return [
      overridePolicy(suspension, `${name}-own-${one.kind.toLowerCase()}-${id}`, [selectorFor(one)], {
        plaintext: [{ path: '/spec/suspension', operator: 'add', value: longer }],
      }),
    ];
  });
  return [all, ...own];
}

type Overriders = ClusterOverridePolicy['spec']['overrideRules'] extends readonly (infer R)[] | undefined
  ? R extends { readonly overriders: infer O }
    ? O
    : never
  : never;

function overridePolicy(
  suspension: FleetSuspension,
  name: string,
  resourceSelectors: readonly ResourceSelector[],
  overriders: Overriders,
): ClusterOverridePolicy {
  return {
    apiVersion: 'policy.karmada.io/v1alpha1',
    kind: 'ClusterOverridePolicy',
    metadata: { name, ownerReferences: [controllerReference(suspension)] },
    spec: {
      resourceSelectors,
      overrideRules: [{ targetCluster: suspension.spec?.clusterAffinity ?? {}, overriders }],
    },
  };
}

function switchedOn({ metadata }: FleetSuspension, detail: SuspensionDetail): Overriders {
  const { name = '', annotations = {}, creationTimestamp } = metadata;
  const by = annotations[SUSPENDED_BY_ANNOTATION];
  const at = annotations[SUSPENDED_AT_ANNOTATION] ?? creationTimestamp;
  return {
    annotationsOverrider: [
      {
        operator: 'add',
        value: {
          [FLEET_SUSPENSION_ANNOTATION]: name,
          ...(by === undefined ? {} : { [SUSPENDED_BY_ANNOTATION]: by }),
          ...(at === undefined ? {} : { [SUSPENDED_AT_ANNOTATION]: at }),
        },
      },
    ],
    plaintext: [
      { path: '/spec/suspend', operator: 'add', value: true },
      { path: '/spec/suspended', operator: 'add', value: true },
      { path: '/spec/suspension', operator: 'add', value: detail },
    ],
  };
}

function isSuspendedItself({ spec }: AnyPackage): boolean {
  return isSuspendedBySpec(spec);
}

/** What both come to; undefined: the first says it all. */
function united(fleet: SuspensionDetail, own: SuspensionDetail): SuspensionDetail | undefined {
  const [fleetEnd, ownEnd] = [fleet.until, own.until].map((until) => parseTime(until ?? '') ?? Infinity);
  const until = (ownEnd ?? 0) > (fleetEnd ?? 0) ? own.until : fleet.until;
  const mode = fleet.mode === 'ChangesOnly' && own.mode === 'ChangesOnly' ? 'ChangesOnly' : 'Full';
  const wantsMore = until !== fleet.until || (fleet.mode ?? 'Full') !== mode;
  if (!wantsMore) return undefined;
  const { until: _until, mode: _mode, ...words } = { ...own, ...fleet };
  return { ...words, ...(until === undefined ? {} : { until }), ...(mode === 'Full' ? {} : { mode }) };
}

function selectorFor({ kind, metadata: { name = '', namespace } }: AnyPackage): ResourceSelector {
  return { apiVersion: PACKAGES_API_VERSION, kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

/** By kind and labels where that says it all, so that packages of tomorrow are meant before they are sent; by name else. */
function selectorsOf(
  suspension: FleetSuspension,
  matched: readonly AnyPackage[],
): readonly ResourceSelector[] {
  const { selector = {}, namespaceSelector } = suspension.spec ?? {};
  const { names = [], packageNames = [], kinds = [], labelSelector } = selector;
  if (
    packageNames.length > 0 ||
    namespaceSelector !== undefined ||
    (names.length > 0 && labelSelector !== undefined)
  )
    return matched.map(selectorFor);
  const meant = kinds.length === 0 ? (['Package', 'ClusterPackage'] as const) : kinds;
  return meant.flatMap((kind): readonly ResourceSelector[] =>
    names.length === 0
      ? [
          {
            apiVersion: PACKAGES_API_VERSION,
            kind,
            ...(labelSelector === undefined ? {} : { labelSelector }),
          },
        ]
      : names.map((name) => ({ apiVersion: PACKAGES_API_VERSION, kind, name })),
  );
}
