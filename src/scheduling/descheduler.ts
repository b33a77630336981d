// Taking replicas away from clusters where they do not get a node, so that the scheduler places them elsewhere
// (scheduling.md §15).
import {
  APPLIED_PLACEMENT_ANNOTATION,
  type Placement,
  type ResourceBinding,
  type TargetCluster,
} from '../api/index.ts';
import { strategyOf } from './assign.ts';

export interface UndesiredCluster {
  readonly cluster: string;
  readonly assigned: number;
  /** What runs there; −1 when the cluster does not say. */
  readonly ready: number;
}

/** Whether a binding is looked at: a Deployment that was divided by room. */
export function isDeschedulable({ metadata, spec }: ResourceBinding): boolean {
  if (metadata.deletionTimestamp !== undefined) return false;
  if (spec.resource.apiVersion !== 'apps/v1' || spec.resource.kind !== 'Deployment') return false;
  const text = metadata.annotations?.[APPLIED_PLACEMENT_ANNOTATION] ?? '';
  try {
    const strategy = strategyOf(JSON.parse(text) as Placement);
    return strategy === 'Aggregated' || strategy === 'DynamicWeight';
  } catch {
    return false;
  }
}

function readyReplicas(status: unknown): number {
  const ready = (status as { readonly readyReplicas?: unknown } | undefined)?.readyReplicas;
  return typeof ready === 'number' ? ready : -1;
}

/** Clusters where less runs than was assigned; these are asked for unschedulable replicas. */
export function undesiredClusters({ spec, status }: ResourceBinding): readonly UndesiredCluster[] {
  const ready = new Map(
    (status?.aggregatedStatus ?? []).map((item) => [item.clusterName, readyReplicas(item.status)]),
  );
  return (spec.clusters ?? [])
    .map(({ name, replicas = 0 }) => ({ cluster: name, assigned: replicas, ready: ready.get(name) ?? -1 }))
    .filter((one) => one.ready < one.assigned);
}

/** What a cluster keeps, given how many of its replicas found no node for too long. */
export function keptReplicas({ assigned, ready }: UndesiredCluster, unschedulable: number): number {
  if (unschedulable <= 0 || unschedulable > assigned) return assigned;
  const kept = assigned - unschedulable;
  return kept < ready && ready <= assigned ? ready : kept;
}

/** What is told about a descheduling that gives `clusters`. */
export function descheduleText({ spec }: ResourceBinding, clusters: readonly TargetCluster[]): string {
  const parts: string[] = [];
  let total = 0;
  for (const [index, { name, replicas = 0 }] of clusters.entries()) {
    const taken = (spec.clusters?.[index]?.replicas ?? 0) - replicas;
    if (taken <= 0) continue;
    total += taken;
    parts.push(`, ${taken} replica(s) in cluster(${name})`);
  }
  return `Binding has been descheduled${parts.join('')}, ${total} total descheduled replica(s)`;
}

/**
 * spec.clusters after descheduling; undefined when nothing is taken away.
 * @param unschedulable by cluster; empty when the estimators could not be asked
 */
export function decideDeschedule(
  binding: ResourceBinding,
  unschedulable: ReadonlyMap<string, number>,
): readonly TargetCluster[] | undefined {
  if (!isDeschedulable(binding)) return undefined;
  const undesired = new Map(undesiredClusters(binding).map((one) => [one.cluster, one]));
  let taken = 0;
  const clusters = (binding.spec.clusters ?? []).map((target) => {
    const one = undesired.get(target.name);
    if (one === undefined) return target;
    const replicas = keptReplicas(one, unschedulable.get(target.name) ?? 0);
    taken += one.assigned - replicas;
    return replicas === one.assigned ? target : { ...target, replicas };
  });
  return taken === 0 ? undefined : clusters;
}
