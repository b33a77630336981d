// FederatedResourceQuota: limits of a namespace over all clusters together (propagation.md §11, scheduling.md §3.3).
// Usage is counted from bindings, not from members, so that a refusal comes before anything is written there.
import type {
  FederatedResourceQuota,
  KubeObject,
  ResourceBinding,
  ResourceBindingSpec,
  Work,
} from '../api/index.ts';
import { APPLIED_CONDITION, clusterOfExecutionNamespace } from '../api/index.ts';
import { deepEqual, isBeingDeleted, Quantity } from '../machinery/index.ts';

export type Amounts = ReadonlyMap<string, Quantity>;
type Quantities = Readonly<Record<string, string | number>>;

function parsed(amounts: Quantities | undefined): Amounts {
  const result = new Map<string, Quantity>();
  for (const [resource, text] of Object.entries(amounts ?? {})) {
    const amount = Quantity.tryParse(text);
    if (amount !== undefined) result.set(resource, amount);
  }
  return result;
}

function printed(amounts: Amounts): Record<string, string> {
  return Object.fromEntries([...amounts].map(([resource, amount]) => [resource, amount.toString()]));
}

function add(to: Map<string, Quantity>, resource: string, amount: Quantity): void {
  const sum = to.get(resource)?.add(amount) ?? amount;
  if (sum.isZero) to.delete(resource);
  else to.set(resource, sum);
}

// ---- usage

/** What a binding takes altogether; nothing that is zero. */
export function quotaUsage(spec: ResourceBindingSpec | undefined): Amounts {
  const usage = new Map<string, Quantity>();
  if (spec === undefined) return usage;
  const { clusters = [], components = [], replicaRequirements } = spec;
  const take = (request: Quantities | undefined, times: number): void => {
    for (const [resource, amount] of parsed(request)) add(usage, resource, amount.mul(times));
  };
  if (components.length > 0) {
    for (const component of components) {
      take(component.replicaRequirements?.resourceRequest, component.replicas * clusters.length);
    }
    return usage;
  }
  take(
    replicaRequirements?.resourceRequest,
    clusters.reduce((sum, { replicas = 0 }) => sum + replicas, 0),
  );
  return usage;
}

/** Whether a write of a binding can change what it takes. `before` undefined: it is created. */
export function concernsQuota(before: ResourceBindingSpec | undefined, after: ResourceBindingSpec): boolean {
  const { clusters = [], components = [] } = after;
  if (before === undefined) return clusters.length > 0;
  const replicas = (spec: ResourceBindingSpec): number =>
    (spec.clusters ?? []).reduce((sum, target) => sum + (target.replicas ?? 0), 0);
  if (replicas(before) !== replicas(after)) return true;
  if (!deepEqual(before.replicaRequirements?.resourceRequest, after.replicaRequirements?.resourceRequest))
    return true;
  const old = before.components ?? [];
  if (components.length === 0 && old.length === 0) return false;
  const names = (spec: ResourceBindingSpec): readonly string[] =>
    (spec.clusters ?? []).map(({ name }) => name).sort();
  return !deepEqual(names(before), names(after)) || !deepEqual(old, components);
}

/** What a write adds to usage, and takes from it as negative amounts. */
export function quotaDelta(before: ResourceBindingSpec | undefined, after: ResourceBindingSpec): Amounts {
  const delta = new Map(quotaUsage(after));
  for (const [resource, amount] of quotaUsage(before)) add(delta, resource, amount.negate());
  return delta;
}

export type QuotaVerdict =
  /** It has no limit for anything that changes. */
  | { readonly outcome: 'not concerned' }
  | { readonly outcome: 'allowed'; readonly overallUsed: Readonly<Record<string, string>> }
  /** 403, reason QuotaExceeded. */
  | { readonly outcome: 'exceeded'; readonly message: string };

/**
 * Whether a quota lets a change through. Only what grows is held against its limit: upstream also refuses to give back
 * while usage is above a limit that was lowered.
 */
export function checkQuota(quota: FederatedResourceQuota, delta: Amounts): QuotaVerdict {
  const limits = parsed(quota.spec.overall);
  const concerned = [...delta].filter(([resource]) => limits.has(resource));
  if (concerned.length === 0) return { outcome: 'not concerned' };
  const used = new Map(parsed(quota.status?.overallUsed));
  for (const [resource, amount] of concerned) add(used, resource, amount);
  for (const [resource, amount] of concerned.sort(([a], [b]) => (a < b ? -1 : 1))) {
    const limit = limits.get(resource) ?? Quantity.zero;
    const sum = used.get(resource) ?? Quantity.zero;
    if (amount.sign <= 0 || sum.compare(limit) <= 0) continue;
    const { namespace, name } = quota.metadata;
    const message = `FederatedResourceQuota(${namespace}/${name}) exceeded for resource ${resource}: requested sum ${sum.toString()}, limit ${limit.toString()}.`;
    return { outcome: 'exceeded', message };
  }
  for (const [resource, amount] of used) if (amount.sign <= 0) used.delete(resource);
  return { outcome: 'allowed', overallUsed: printed(used) };
}

/** What all bindings of the namespace take of what the quota limits. */
export function quotaOverallUsed(
  quota: FederatedResourceQuota,
  bindings: Iterable<ResourceBinding>,
): Readonly<Record<string, string>> {
  const limits = parsed(quota.spec.overall);
  const used = new Map<string, Quantity>();
  for (const { spec } of bindings) {
    for (const [resource, amount] of quotaUsage(spec)) if (limits.has(resource)) add(used, resource, amount);
  }
  return printed(used);
}

// ---- fixed shares of clusters

/** The ResourceQuota that a cluster with a fixed share gets. */
export function quotaManifest(quota: FederatedResourceQuota, hard: Quantities): KubeObject {
  const { namespace, name = '' } = quota.metadata;
  return {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    spec: { hard: printed(parsed(hard)) },
  };
}

/** The limits as the status repeats them: in canonical form, however they were written. */
export function quotaOverall({ spec }: FederatedResourceQuota): Readonly<Record<string, string>> {
  return printed(parsed(spec.overall));
}

type QuotaStatus = NonNullable<FederatedResourceQuota['status']>;
type Reported = { readonly hard?: Quantities; readonly used?: Quantities } | undefined;

/** What the clusters report of their shares, in order of name: one entry for each Work that was applied and reports. */
export function quotaStatusOf(works: readonly Work[]): NonNullable<QuotaStatus['aggregatedStatus']> {
  const items = works.flatMap((work) => {
    const clusterName = clusterOfExecutionNamespace(work.metadata.namespace ?? '');
    const conditions = work.status?.conditions ?? [];
    const applied = conditions.some(({ type, status }) => type === APPLIED_CONDITION && status === 'True');
    const reported = work.status?.manifestStatuses?.[0]?.status as Reported;
    if (clusterName === undefined || !applied || reported === undefined || isBeingDeleted(work)) return [];
    const { hard, used } = reported;
    return [
      { clusterName, ...(hard === undefined ? {} : { hard }), ...(used === undefined ? {} : { used }) },
    ];
  });
  return items.sort((a, b) => (a.clusterName < b.clusterName ? -1 : 1));
}

/** The status of a quota that is not enforced on the hub: use is what the members report (quota-static). */
export function reportedQuotaStatus(quota: FederatedResourceQuota, works: readonly Work[]): QuotaStatus {
  const aggregatedStatus = quotaStatusOf(works);
  const sum = new Map<string, Quantity>();
  for (const { used } of aggregatedStatus) {
    for (const [resource, amount] of parsed(used))
      sum.set(resource, sum.get(resource)?.add(amount) ?? amount);
  }
  return {
    overall: quotaOverall(quota),
    ...(sum.size === 0 ? {} : { overallUsed: printed(sum) }),
    ...(aggregatedStatus.length === 0 ? {} : { aggregatedStatus }),
  };
}
