// How many replicas fit into a cluster by what it reports about itself (scheduling.md §13.1). Always asked; accurate
// estimators, where there are any, can only lower its answer.
import type { Component, ReplicaRequirements } from '../api/index.ts';
import type { ClusterView } from './fleet-snapshot.ts';
import { requestsOf, type PodGroup, type Requests } from './first-fit.ts';
import { setsByModels } from './resource-models.ts';

/** Upstream's "no limit": the largest int32. */
export const UNLIMITED = 2_147_483_647;

/** A workload that was promised room in a cluster but may not show in its summary yet. */
export interface AssumedWorkload {
  readonly namespace: string;
  readonly components: readonly Component[];
}

export interface EstimateOptions {
  /** The gate CustomizedClusterResourceModeling. */
  readonly models: boolean;
  readonly assumed: readonly AssumedWorkload[];
}

interface Reserved {
  readonly pods: number;
  readonly amounts: ReadonlyMap<string, number>;
  readonly groups: readonly (readonly PodGroup[])[];
}

const NOTHING_RESERVED: Reserved = { pods: 0, amounts: new Map(), groups: [] };

function groupsOf(components: readonly Component[]): readonly PodGroup[] {
  return components.map(({ replicas, replicaRequirements }) => ({
    replicas,
    requests: requestsOf(replicaRequirements?.resourceRequest),
  }));
}

function reservedBy(assumed: readonly AssumedWorkload[]): Reserved {
  if (assumed.length === 0) return NOTHING_RESERVED;
  const amounts = new Map<string, number>();
  let pods = 0;
  const groups = assumed.map(({ components }) => groupsOf(components));
  for (const { replicas, requests } of groups.flat()) {
    pods += replicas;
    for (const [resource, request] of requests) {
      amounts.set(resource, (amounts.get(resource) ?? 0) + request * replicas);
    }
  }
  return { pods, amounts, groups };
}

function freeAfter(view: ClusterView, resource: string, reserved: Reserved): number {
  const free = view.free(resource);
  return free === undefined ? 0 : free - (reserved.amounts.get(resource) ?? 0);
}

/** How many times `requests` fits into what the cluster has free altogether. */
function timesBySummary(view: ClusterView, requests: Requests, reserved: Reserved, limit: number): number {
  let times = limit;
  for (const [resource, request] of requests) {
    const free = freeAfter(view, resource, reserved);
    if (free <= 0) return 0;
    times = Math.min(times, Math.floor(free / request));
  }
  return times;
}

const requestsByRequirements = new WeakMap<object, Requests>();

function requestsFor(requirements: ReplicaRequirements): Requests {
  const amounts = requirements.resourceRequest;
  if (amounts === undefined) return requestsOf(amounts);
  let requests = requestsByRequirements.get(amounts);
  if (requests === undefined) {
    requests = requestsOf(amounts);
    if (Object.isFrozen(amounts)) requestsByRequirements.set(amounts, requests);
  }
  return requests;
}

/** How many replicas of one pod template fit. A cluster that reports nothing has room for none. */
export function maxReplicas(
  view: ClusterView,
  requirements: ReplicaRequirements | undefined,
  { models, assumed }: EstimateOptions,
): number {
  if (view.cluster.status?.resourceSummary === undefined) return 0;
  const reserved = reservedBy(assumed);
  const pods = (view.free('pods') ?? 0) - reserved.pods;
  if (pods <= 0) return 0;
  if (requirements === undefined) return Math.min(pods, UNLIMITED);
  const requests = requestsFor(requirements);
  if (models) {
    const byModels = setsByModels(view.cluster, [{ replicas: 1, requests }], reserved.groups, UNLIMITED);
    if (byModels !== undefined) return Math.min(byModels, pods, UNLIMITED);
  }
  return Math.min(timesBySummary(view, requests, reserved, pods), UNLIMITED);
}

/** How many whole sets of components fit. */
export function maxComponentSets(
  view: ClusterView,
  components: readonly Component[],
  { models, assumed }: EstimateOptions,
): number {
  if (view.cluster.status?.resourceSummary === undefined) return 0;
  const reserved = reservedBy(assumed);
  const pods = (view.free('pods') ?? 0) - reserved.pods;
  if (pods <= 0) return 0;
  const set = groupsOf(components);
  const podsPerSet = set.reduce((sum, { replicas }) => sum + replicas, 0);
  if (podsPerSet === 0) return Math.min(pods, UNLIMITED);
  const perSet = new Map<string, number>();
  for (const { replicas, requests } of set) {
    for (const [resource, request] of requests) {
      perSet.set(resource, (perSet.get(resource) ?? 0) + request * replicas);
    }
  }
  for (const [resource, amount] of perSet) if (amount <= 0) perSet.delete(resource);
  const bound = timesBySummary(view, perSet, reserved, Math.floor(pods / podsPerSet));
  const byModels = models ? setsByModels(view.cluster, set, reserved.groups, bound) : undefined;
  return Math.min(bound, byModels ?? bound, UNLIMITED);
}
