// What the ResourceQuotas of a member's namespace still allow (scheduling.md §13.6, gate ResourceQuotaEstimate).
import type { Component, ReplicaRequirements, ResourceQuota } from '../api/index.ts';
import { amountOf } from './fleet-snapshot.ts';
import { requestsOf } from './first-fit.ts';
import { UNLIMITED, type AssumedWorkload } from './general-estimator.ts';

type ScopeRequirement = {
  readonly scopeName: string;
  readonly operator: string;
  readonly values?: readonly string[];
};

/** COMPAT: only priority classes can match a scope; quotas of any other scope do not count. */
function scopeHolds({ scopeName, operator, values = [] }: ScopeRequirement, priorityClass: string): boolean {
  if (scopeName !== 'PriorityClass') return false;
  switch (operator) {
    case 'Exists':
      return priorityClass !== '';
    case 'DoesNotExist':
      return priorityClass === '';
    case 'In':
      return priorityClass !== '' && values.includes(priorityClass);
    case 'NotIn':
      return priorityClass === '' || !values.includes(priorityClass);
    default:
      return false;
  }
}

function applies({ spec }: ResourceQuota, priorityClass: string): boolean {
  const scopes = (spec?.scopes ?? []).map((scopeName): ScopeRequirement => ({
    scopeName,
    operator: 'Exists',
  }));
  const all = [...scopes, ...(spec?.scopeSelector?.matchExpressions ?? [])];
  return all.length === 0 || all.some((scope) => scopeHolds(scope, priorityClass));
}

/** The resource that an entry of a quota limits; undefined for limits, counts and storage of claims. */
function limitedResource(entry: string): string | undefined {
  if (entry.startsWith('limits.')) return undefined;
  const resource = entry.startsWith('requests.') ? entry.slice('requests.'.length) : entry;
  const known =
    resource === 'cpu' || resource === 'memory' || (resource.includes('/') && !resource.startsWith('count/'));
  return known ? resource : undefined;
}

/** What is left by resource; the `requests.` entry of a resource wins over the plain one. */
function freeIn({ status }: ResourceQuota): Map<string, number> {
  const free = new Map<string, number>();
  const named = new Set<string>();
  for (const [entry, hard] of Object.entries(status?.hard ?? {})) {
    const resource = limitedResource(entry);
    if (resource === undefined || (named.has(resource) && entry === resource)) continue;
    if (entry !== resource) named.add(resource);
    free.set(resource, amountOf(resource, hard) - amountOf(resource, status?.used?.[entry] ?? 0));
  }
  return free;
}

function take(
  free: Map<string, number>,
  components: readonly Component[],
  applicable: (priorityClass: string) => boolean,
): void {
  for (const { replicas, replicaRequirements } of components) {
    if (!applicable(replicaRequirements?.priorityClassName ?? '')) continue;
    for (const [resource, request] of requestsOf(replicaRequirements?.resourceRequest)) {
      const left = free.get(resource);
      if (left !== undefined) free.set(resource, left - request * replicas);
    }
  }
}

function times(free: ReadonlyMap<string, number>, requests: ReadonlyMap<string, number>): number {
  let result = UNLIMITED;
  for (const [resource, request] of requests) {
    const left = free.get(resource);
    if (left !== undefined && request > 0) result = Math.min(result, Math.floor(Math.max(left, 0) / request));
  }
  return result;
}

/** How many replicas the quotas of the request's namespace allow. Without a namespace nothing limits. */
export function maxReplicasByQuota(
  quotas: readonly ResourceQuota[],
  requirements: ReplicaRequirements | undefined,
  assumed: readonly AssumedWorkload[] = [],
): number {
  const { namespace = '', priorityClassName = '' } = requirements ?? {};
  if (namespace === '') return UNLIMITED;
  const requests = requestsOf(requirements?.resourceRequest);
  return leastOf(quotas, namespace, assumed, (quota, free) =>
    applies(quota, priorityClassName) ? times(free, requests) : UNLIMITED,
  );
}

/** How many whole sets they allow. */
export function maxSetsByQuota(
  quotas: readonly ResourceQuota[],
  namespace: string,
  components: readonly Component[],
  assumed: readonly AssumedWorkload[] = [],
): number {
  if (namespace === '') return UNLIMITED;
  return leastOf(quotas, namespace, assumed, (quota, free) => {
    const perSet = new Map<string, number>();
    for (const { replicas, replicaRequirements } of components) {
      if (!applies(quota, replicaRequirements?.priorityClassName ?? '')) continue;
      for (const [resource, request] of requestsOf(replicaRequirements?.resourceRequest)) {
        perSet.set(resource, (perSet.get(resource) ?? 0) + request * replicas);
      }
    }
    return times(free, perSet);
  });
}

function leastOf(
  quotas: readonly ResourceQuota[],
  namespace: string,
  assumed: readonly AssumedWorkload[],
  estimate: (quota: ResourceQuota, free: ReadonlyMap<string, number>) => number,
): number {
  let least = UNLIMITED;
  for (const quota of quotas) {
    if (quota.metadata.namespace !== namespace) continue;
    const free = freeIn(quota);
    for (const workload of assumed) {
      if (workload.namespace !== namespace) continue;
      take(free, workload.components, (priorityClass) => applies(quota, priorityClass));
    }
    least = Math.min(least, estimate(quota, free));
  }
  return least;
}
