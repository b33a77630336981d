// From all candidates to those that get the template: spread constraints (scheduling.md §8.4).
import type { Placement, SpreadConstraint } from '../api/index.ts';
import { failed, type Candidate, type Step } from './candidate.ts';
import { selectByCluster, type GroupBounds } from './select-by-cluster.ts';
import { groupBy, selectByGroup, type GroupNeed, type GroupScore } from './select-by-region.ts';

export interface Selection {
  readonly chosen: readonly Candidate[];
  /** What the choice was made by; `all`: no constraint applies. */
  readonly by: 'all' | 'cluster' | 'region' | 'zone' | 'provider' | 'label';
  /** Present when groups were chosen before clusters. */
  readonly groups?: readonly GroupScore[];
  readonly chosenGroups?: readonly string[];
  /** Constraints that were only looked at by the filter. */
  readonly notSpread: readonly SpreadConstraint[];
}

export interface SelectionRequest {
  readonly placement: Placement;
  readonly replicas: number;
  /** Whole sets are placed, one of them. */
  readonly componentSets: boolean;
  /**
   * COMPAT: beside `cluster` or `region`, the other fields and labels only filter (spread-provider-filter). True
   * makes all of them spread.
   */
  readonly everyField: boolean;
}

export function isDivided(placement: Placement): boolean {
  const { replicaScheduling } = placement;
  return (
    replicaScheduling !== undefined && (replicaScheduling.replicaSchedulingType ?? 'Divided') === 'Divided'
  );
}

/**
 * Weighted by numbers that the policy gives, or equally: then spread constraints do not count. COMPAT: a preference that
 * is there and says nothing (`weightPreference: {}`) also weighs equally, but among the clusters that constraints choose.
 */
function ignoresSpread(placement: Placement): boolean {
  if (!isDivided(placement)) return false;
  const { replicaDivisionPreference = 'Weighted', weightPreference } = placement.replicaScheduling ?? {};
  if (replicaDivisionPreference !== 'Weighted') return false;
  if (weightPreference === undefined) return true;
  const { staticWeightList = [], dynamicWeight = '' } = weightPreference;
  return staticWeightList.length > 0 && dynamicWeight === '';
}

/** An absent or zero maximum means none. Upstream takes it for zero and then finds nothing (spread-max-zero). */
function boundsOf(constraint: SpreadConstraint | undefined): GroupBounds {
  const max = constraint?.maxGroups ?? 0;
  return { min: Math.max(constraint?.minGroups ?? 1, 1), max: max === 0 ? Infinity : max };
}

type GroupField = Exclude<Selection['by'], 'all' | 'cluster'>;
const GROUP_FIELDS: readonly GroupField[] = ['region', 'zone', 'provider', 'label'];

function fieldOf({
  spreadByField,
  spreadByLabel = '',
}: SpreadConstraint): GroupField | 'cluster' | undefined {
  return spreadByLabel === '' ? spreadByField : 'label';
}

/** The group of a cluster. Clusters that span several zones form a group with those that span the same ones. */
function groupOf(constraint: SpreadConstraint, { view }: Candidate): string {
  const { spec, metadata } = view.cluster;
  switch (fieldOf(constraint)) {
    case 'region':
      return spec.region ?? '';
    case 'provider':
      return spec.provider ?? '';
    case 'zone':
      return [...new Set(spec.zones)].sort().join(',');
    case 'label':
      return metadata.labels?.[constraint.spreadByLabel ?? ''] ?? '';
    default:
      return view.name;
  }
}

interface Plan {
  readonly cluster: SpreadConstraint | undefined;
  /** By what groups are chosen; the last one also chooses the clusters. */
  readonly groups: readonly SpreadConstraint[];
  readonly notSpread: readonly SpreadConstraint[];
}

function planOf(constraints: readonly SpreadConstraint[], everyField: boolean): Plan {
  const cluster = constraints.find((constraint) => fieldOf(constraint) === 'cluster');
  const grouping = GROUP_FIELDS.flatMap((field) => constraints.filter((one) => fieldOf(one) === field));
  if (everyField) return { cluster, groups: grouping.toReversed(), notSpread: [] };
  const region = grouping.find((constraint) => fieldOf(constraint) === 'region');
  // Upstream has an error for other fields and labels that stand alone; they spread here.
  const own = region ?? (cluster === undefined ? grouping[0] : undefined);
  return {
    cluster,
    groups: own === undefined ? [] : [own],
    notSpread: grouping.filter((constraint) => constraint !== own),
  };
}

/** Whether selection looks at labels, so that the filter must ask for them. */
export function spreadsByLabel(placement: Placement, everyField: boolean): boolean {
  const { groups } = planOf(placement.spreadConstraints ?? [], everyField);
  return groups.some((constraint) => fieldOf(constraint) === 'label');
}

/** `candidates` in order; never empty. */
export function selectClusters(candidates: readonly Candidate[], request: SelectionRequest): Step<Selection> {
  const { placement } = request;
  const constraints = placement.spreadConstraints ?? [];
  if (constraints.length === 0 || ignoresSpread(placement)) {
    return { value: { chosen: candidates, by: 'all', notSpread: constraints } };
  }
  const { cluster, groups, notSpread } = planOf(constraints, request.everyField);
  const divided = isDivided(placement);
  if (groups.length === 0) {
    const need = divided ? (request.componentSets ? 1 : request.replicas) : undefined;
    const step = selectByCluster(candidates, boundsOf(cluster), need);
    return failed(step) ? step : { value: { chosen: step.value, by: 'cluster', notSpread } };
  }
  return selectByGroups(
    candidates,
    groups,
    boundsOf(cluster),
    { replicas: request.replicas, divided },
    notSpread,
  );
}

/** Narrows the candidates to the best groups of each constraint in turn; the last one picks the clusters. */
function selectByGroups(
  candidates: readonly Candidate[],
  constraints: readonly SpreadConstraint[],
  clusters: GroupBounds,
  need: GroupNeed,
  notSpread: readonly SpreadConstraint[],
): Step<Selection> {
  let left = candidates;
  let result: Selection | undefined;
  for (const constraint of constraints) {
    const by = fieldOf(constraint) ?? 'cluster';
    const members = groupBy(left, (candidate) => groupOf(constraint, candidate));
    const step = selectByGroup(members, { groups: boundsOf(constraint), clusters, need, called: by });
    if (failed(step)) return step;
    const { chosen, groups, chosenGroups } = step.value;
    left = left.filter((candidate) => chosenGroups.includes(groupOf(constraint, candidate)));
    result = { chosen, by, groups, chosenGroups, notSpread };
  }
  const chosen = result?.chosen ?? [];
  for (const constraint of constraints) {
    const covered = new Set(chosen.map((candidate) => groupOf(constraint, candidate))).size;
    const { min } = boundsOf(constraint);
    if (covered >= min) continue;
    const by = fieldOf(constraint) ?? 'cluster';
    return { error: `the clusters chosen spread over ${covered} of at least ${min} ${by} groups` };
  }
  return result === undefined ? { error: 'no spread constraint to select by' } : { value: result };
}
