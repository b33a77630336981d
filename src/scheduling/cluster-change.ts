// Which bindings a change of a cluster concerns (scheduling.md §7), and which waiting ones it may help. Upstream
// wakes bindings that found no room or no cluster by a timer of five minutes or not at all.
import type { Cluster, ClusterAffinity, ClusterResourceBinding, ResourceBinding } from '../api/index.ts';
import { clusterMatchesAffinity, saysSuspended } from '../fleet/index.ts';
import { deepEqual } from '../machinery/index.ts';
import { clusterView } from './fleet-snapshot.ts';
import type { Attempt, Failure } from './schedule.ts';
import { isForScheduler } from './trigger.ts';

type Binding = ResourceBinding | ClusterResourceBinding;

/** The versions of a changed cluster that bindings are matched against; none when it is no reason to look. */
export function clusterVersionsToMatch(before: Cluster, after: Cluster): readonly Cluster[] {
  if (after.metadata.deletionTimestamp !== undefined && before.metadata.deletionTimestamp === undefined) {
    return [after];
  }
  const changed =
    before.metadata.generation !== after.metadata.generation ||
    (saysSuspended(before) && !saysSuspended(after)) ||
    !deepEqual(before.metadata.labels, after.metadata.labels);
  return changed ? [before, after] : [];
}

/** The affinities that can bring a cluster to a binding: the observed term, those after it, and their overflow. */
function affinitiesOf({ spec, status }: Binding): readonly ClusterAffinity[] | 'all' {
  const { clusterAffinity, clusterAffinities = [] } = spec.placement ?? {};
  if (clusterAffinity !== undefined) return [clusterAffinity];
  if (clusterAffinities.length === 0) return 'all';
  const observed = status?.schedulerObservingAffinityName ?? '';
  const start = clusterAffinities.findIndex(({ affinityName }) => affinityName === observed);
  return clusterAffinities
    .slice(Math.max(start, 0))
    .flatMap((term) => [term, ...(term.overflowAffinities ?? [])]);
}

/**
 * Whether a binding is to be looked at because `versions` of a cluster changed. COMPAT: bindings whose policy is
 * gone are looked at too, so that they leave a cluster that is being deleted.
 */
export function isConcernedBy(
  binding: Binding,
  versions: readonly Cluster[],
  schedulerName: string,
): boolean {
  const { metadata, spec, status } = binding;
  if (spec.placement === undefined || !isForScheduler(binding, schedulerName)) return false;
  if (versions.length === 0) return false;
  if (status?.schedulerObservedGeneration !== metadata.generation) return true;
  const affinities = affinitiesOf(binding);
  if (affinities === 'all') return true;
  return affinities.some((affinity) => versions.some((cluster) => clusterMatchesAffinity(cluster, affinity)));
}

/** What a binding that could not be placed waits for. */
export interface Wait {
  /** More room in a cluster of these names. */
  readonly capacityIn: ReadonlySet<string>;
  /** An API, as `apiVersion/kind`, in a cluster of these names. */
  readonly apiIn: ReadonlyMap<string, string>;
}

export function waitOf(
  failure: Failure,
  attempts: readonly Attempt[],
  clusterNames: readonly string[],
): Wait {
  const capacityIn = new Set<string>();
  const apiIn = new Map<string, string>();
  for (const { candidates, verdicts } of attempts) {
    if (failure.kind !== 'fit') for (const { name } of candidates) capacityIn.add(name);
    for (const [index, verdict] of verdicts.entries()) {
      const name = clusterNames[index];
      if (name === undefined || verdict.outcome !== 'rejected') continue;
      for (const rejection of verdict.rejections) {
        if (rejection.code === 'ApiMissing') apiIn.set(name, `${rejection.apiVersion}/${rejection.kind}`);
      }
    }
  }
  return { capacityIn, apiIn };
}

/** Whether the change of a cluster's status may give `wait` what it waits for. */
export function mayHelp({ capacityIn, apiIn }: Wait, before: Cluster, after: Cluster): boolean {
  const name = after.metadata.name ?? '';
  if (capacityIn.has(name) && hasMoreRoom(before, after)) return true;
  const api = apiIn.get(name);
  if (api === undefined) return false;
  const slash = api.lastIndexOf('/');
  const [apiVersion, kind] = [api.slice(0, slash), api.slice(slash + 1)];
  return clusterView(after).servesApi(apiVersion, kind) && !clusterView(before).servesApi(apiVersion, kind);
}

function hasMoreRoom(before: Cluster, after: Cluster): boolean {
  const old = before.status?.resourceSummary;
  const now = after.status?.resourceSummary;
  if (now === undefined || deepEqual(old, now)) return false;
  if (!deepEqual(old?.allocatableModelings, now.allocatableModelings)) return true;
  const [viewBefore, viewAfter] = [clusterView(before), clusterView(after)];
  return Object.keys(now.allocatable ?? {}).some(
    (resource) => (viewAfter.free(resource) ?? 0) > (viewBefore.free(resource) ?? 0),
  );
}
