// Which clusters may take a template at all (scheduling.md §8.1, §10). The outcome is an AND, so their order does
// not matter for it; it decides which reason is told first, so the more telling ones come first.
import type { ClusterAffinityTerm, Placement, ResourceBindingSpec } from '../api/index.ts';
import { affinityMismatch, untoleratedTaint, type AffinityCriterion } from '../fleet/index.ts';
import type { ClusterView } from './fleet-snapshot.ts';
import type { PluginName } from './plugins.ts';
import { FITS, TERMINATING, type Rejection, type Verdict } from './verdict.ts';
import { affinityRejection, antiAffinityRejection, type WorkloadPeers } from './workload-affinity.ts';

export interface FilterInput {
  readonly spec: ResourceBindingSpec;
  readonly placement: Placement;
  /** The term of clusterAffinities that is tried. */
  readonly term: ClusterAffinityTerm | undefined;
  /** The binding runs replicas, so overflow affinities count. */
  readonly workload: boolean;
  /** Which clusters are in spec.clusters. */
  readonly current: { has(cluster: string): boolean };
  /** Clusters that an eviction task empties. */
  readonly evicting: ReadonlySet<string>;
  readonly peers: WorkloadPeers | undefined;
  /** A spreadByLabel constraint rejects clusters without the label; upstream ignores the constraint. */
  readonly spreadsByLabel: boolean;
  /** Runs every filter instead of stopping at the first rejection. */
  readonly all: boolean;
  /** `--plugins`; undefined: all. */
  readonly plugins: ReadonlySet<PluginName> | undefined;
}

type Filter = (input: FilterInput, view: ClusterView) => Rejection | undefined;

// A rejection that holds no fact of one cluster is made once, so that a fleet of misfits costs nothing.
const MISMATCHES = new Map(
  (['exclude', 'labelSelector', 'fieldSelector', 'clusterNames'] as const).map(
    (criterion) => [criterion, Object.freeze(mismatch(criterion, ''))] as const,
  ),
);

function mismatch(criterion: AffinityCriterion, affinityName: string): Rejection {
  return { filter: 'ClusterAffinity', code: 'AffinityMismatch', criterion, affinityName };
}

const clusterAffinity: Filter = ({ placement, term, workload }, { cluster }) => {
  const affinity = placement.clusterAffinity ?? term;
  if (affinity === undefined) return undefined;
  const criterion = affinityMismatch(cluster, affinity);
  if (criterion === undefined) return undefined;
  if (placement.clusterAffinity === undefined && workload) {
    const overflow = term?.overflowAffinities ?? [];
    if (overflow.some((one) => affinityMismatch(cluster, one) === undefined)) return undefined;
  }
  return placement.clusterAffinity === undefined
    ? mismatch(criterion, term?.affinityName ?? '')
    : MISMATCHES.get(criterion);
};

const apiEnablement: Filter = ({ spec, current }, view) => {
  const { apiVersion, kind } = spec.resource;
  if (view.servesApi(apiVersion, kind) || current.has(view.name)) return undefined;
  return { filter: 'APIEnablement', code: 'ApiMissing', apiVersion, kind };
};

const REPELLING = ['NoSchedule', 'NoExecute'] as const;

const taintToleration: Filter = ({ placement, current }, view) => {
  if (view.repellingTaints.length === 0 || current.has(view.name)) return undefined;
  const taint = untoleratedTaint(view.repellingTaints, placement.clusterTolerations ?? [], REPELLING);
  if (taint === undefined) return undefined;
  const { key, value = '', effect } = taint;
  return { filter: 'TaintToleration', code: 'TaintUntolerated', key, value, effect };
};

const spreadConstraint: Filter = ({ placement, spreadsByLabel }, { cluster }) => {
  for (const { spreadByField, spreadByLabel = '' } of placement.spreadConstraints ?? []) {
    const missing =
      (spreadByField === 'provider' && (cluster.spec.provider ?? '') === '') ||
      (spreadByField === 'region' && (cluster.spec.region ?? '') === '') ||
      (spreadByField === 'zone' && (cluster.spec.zones ?? []).length === 0);
    if (missing) {
      return { filter: 'SpreadConstraint', code: 'SpreadPropertyMissing', property: spreadByField };
    }
    if (spreadByLabel === '' || !spreadsByLabel) continue;
    if ((cluster.metadata.labels?.[spreadByLabel] ?? '') === '') {
      const property = 'label';
      return { filter: 'SpreadConstraint', code: 'SpreadPropertyMissing', property, label: spreadByLabel };
    }
  }
  return undefined;
};

const BEING_EVICTED: Rejection = Object.freeze({ filter: 'ClusterEviction', code: 'BeingEvicted' });

const clusterEviction: Filter = ({ evicting }, { name }) => (evicting.has(name) ? BEING_EVICTED : undefined);

const workloadAffinity: Filter = ({ peers, current }, { name }) =>
  peers === undefined || current.has(name) ? undefined : affinityRejection(peers, name);

const workloadAntiAffinity: Filter = ({ peers, current }, { name }) =>
  peers === undefined || current.has(name) ? undefined : antiAffinityRejection(peers, name);

const FILTERS: readonly (readonly [PluginName, Filter])[] = [
  ['ClusterAffinity', clusterAffinity],
  ['APIEnablement', apiEnablement],
  ['TaintToleration', taintToleration],
  ['SpreadConstraint', spreadConstraint],
  ['ClusterEviction', clusterEviction],
  ['WorkloadAffinity', workloadAffinity],
  ['WorkloadAntiAffinity', workloadAntiAffinity],
];

// What runs there stays: nothing would be taken away from a cluster that nobody may write to.
const SUSPENDED: Rejection = Object.freeze({ filter: 'ClusterSuspension', code: 'Suspended' });
const SUSPENDED_VERDICT: Verdict = Object.freeze({ outcome: 'rejected', rejections: [SUSPENDED] });

export function verdictOn(input: FilterInput, view: ClusterView): Verdict {
  if (view.terminating) return TERMINATING;
  let rejections: Rejection[] | undefined;
  if (view.suspended && !input.current.has(view.name)) {
    if (!input.all) return SUSPENDED_VERDICT;
    rejections = [SUSPENDED];
  }
  for (const [name, filter] of FILTERS) {
    if (input.plugins?.has(name) === false) continue;
    const rejection = filter(input, view);
    if (rejection === undefined) continue;
    if (!input.all) return { outcome: 'rejected', rejections: [rejection] };
    (rejections ??= []).push(rejection);
  }
  return rejections === undefined ? FITS : { outcome: 'rejected', rejections };
}
