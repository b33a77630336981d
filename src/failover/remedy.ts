// What Remedies ask to be done about a cluster (clusters-and-failover.md §18).
import type { Cluster, Remedy } from '../api/index.ts';

/** The actions to publish, sorted; undefined when there are none. */
export function remedyActions(cluster: Cluster, remedies: readonly Remedy[]): readonly string[] | undefined {
  const name = cluster.metadata.name ?? '';
  const actions = new Set(
    remedies
      .filter((remedy) => concerns(remedy, name) && calledFor(remedy, cluster))
      .flatMap(({ spec }) => spec.actions ?? []),
  );
  return actions.size === 0 ? undefined : [...actions].sort();
}

function concerns({ spec }: Remedy, cluster: string): boolean {
  return spec.clusterAffinity === undefined || spec.clusterAffinity.clusterNames?.includes(cluster) === true;
}

function calledFor({ spec }: Remedy, { status }: Cluster): boolean {
  if (spec.decisionMatches === undefined) return true;
  return spec.decisionMatches.some(({ clusterConditionMatch: wanted }) => {
    const found = status?.conditions?.find(({ type }) => type === wanted?.conditionType);
    // COMPAT: a condition that is missing matches nothing, not even NotEqual.
    if (wanted === undefined || found === undefined) return false;
    const equal = found.status === wanted.conditionStatus;
    return wanted.operator === 'Equal' ? equal : wanted.operator === 'NotEqual' && !equal;
  });
}
