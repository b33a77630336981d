// How many replicas each selected cluster gets (scheduling.md §8.5).
// INVARIANT: divided replicas add up to the number asked for, or nothing is assigned.
import type { Placement, TargetCluster } from '../api/index.ts';
import { apportion, clusterMatchesAffinity, type NameOrder } from '../fleet/index.ts';
import { sumAvailable, type Candidate, type Step } from './candidate.ts';
import { isDivided } from './select.ts';

export type Strategy = 'Duplicated' | 'Aggregated' | 'StaticWeight' | 'DynamicWeight';
export type Mode = 'Steady' | 'Fresh';

export interface Weighed {
  readonly name: string;
  readonly weight: number;
}

export interface Assignment {
  readonly clusters: readonly TargetCluster[];
  readonly strategy: Strategy;
  /** The arithmetic: what was divided by which weights, and what was kept. */
  readonly division?: {
    readonly step: 'static' | 'fresh' | 'scale up' | 'scale down' | 'keep';
    readonly target: number;
    readonly weights: readonly Weighed[];
    readonly kept: readonly TargetCluster[];
  };
}

export interface AssignmentRequest {
  readonly placement: Placement;
  readonly replicas: number;
  /** spec.clusters. */
  readonly current: readonly TargetCluster[];
  readonly mode: Mode;
  /** Which way names run when cluster shares tie. */
  readonly order: NameOrder;
}

export function strategyOf(placement: Placement): Strategy {
  if (!isDivided(placement)) return 'Duplicated';
  const { replicaDivisionPreference, weightPreference } = placement.replicaScheduling ?? {};
  if (replicaDivisionPreference === 'Aggregated') return 'Aggregated';
  return (weightPreference?.dynamicWeight ?? '') === '' ? 'StaticWeight' : 'DynamicWeight';
}

/** `candidates` in the order in which they were selected. Clusters with nothing are left out of the result. */
export function assignReplicas(
  candidates: readonly Candidate[],
  request: AssignmentRequest,
): Step<Assignment> {
  const strategy = strategyOf(request.placement);
  switch (strategy) {
    case 'Duplicated': {
      const replicas = request.replicas;
      const clusters = replicas > 0 ? candidates.map(({ name }) => ({ name, replicas })) : [];
      return { value: { strategy, clusters } };
    }
    case 'StaticWeight':
      return { value: byStaticWeight(candidates, request) };
    default:
      return dynamically(candidates, request, strategy);
  }
}

// ---- static weights

/** The largest weight that a rule gives the cluster; 0 without a rule. */
function staticWeights(candidates: readonly Candidate[], placement: Placement): readonly Weighed[] {
  const rules = placement.replicaScheduling?.weightPreference?.staticWeightList ?? [];
  const weighed: Weighed[] = [];
  for (const { view, name } of candidates) {
    let weight = 0;
    for (const rule of rules) {
      if (rule.weight > weight && clusterMatchesAffinity(view.cluster, rule.targetCluster))
        weight = rule.weight;
    }
    if (weight > 0) weighed.push({ name, weight });
  }
  return weighed.length === 0 ? candidates.map(({ name }) => ({ name, weight: 1 })) : weighed;
}

function divide(seats: number, weights: readonly Weighed[], order: NameOrder): TargetCluster[] {
  const parties = weights.map(({ name, weight }) => ({ name, votes: weight }));
  return apportion(seats, parties, order).map(({ name, seats: replicas }) => ({ name, replicas }));
}

function byStaticWeight(candidates: readonly Candidate[], request: AssignmentRequest): Assignment {
  const weights = staticWeights(candidates, request.placement);
  return {
    strategy: 'StaticWeight',
    clusters: divide(request.replicas, weights, request.order),
    division: { step: 'static', target: request.replicas, weights, kept: [] },
  };
}

// ---- by what clusters have room for

interface Division {
  readonly step: 'fresh' | 'scale up' | 'scale down';
  readonly target: number;
  readonly room: readonly Weighed[];
  readonly kept: readonly TargetCluster[];
}

const FAILED_TO = {
  fresh: 'failed to do fresh scale',
  'scale up': 'failed to scale up',
  'scale down': 'failed to scale down',
} as const;

function replicasOf({ replicas = 0 }: TargetCluster): number {
  return replicas;
}

function dynamically(
  candidates: readonly Candidate[],
  { replicas, current, mode, order }: AssignmentRequest,
  strategy: 'Aggregated' | 'DynamicWeight',
): Step<Assignment> {
  const names = new Set(candidates.map(({ name }) => name));
  const scheduled = current.filter(({ name }) => names.has(name));
  const assigned = scheduled.reduce((sum, target) => sum + replicasOf(target), 0);
  if (mode === 'Steady' && assigned === replicas) {
    const division = { step: 'keep', target: 0, weights: [], kept: scheduled } as const;
    return { value: { strategy, clusters: scheduled.filter((target) => replicasOf(target) > 0), division } };
  }
  const division = divisionFor(candidates, scheduled, assigned, replicas, mode);
  return distribute(division, strategy, order);
}

function divisionFor(
  candidates: readonly Candidate[],
  scheduled: readonly TargetCluster[],
  assigned: number,
  replicas: number,
  mode: Mode,
): Division {
  if (mode === 'Fresh') {
    const room = candidates.map(({ name, available }) => ({ name, weight: available }));
    return { step: 'fresh', target: replicas, room, kept: [] };
  }
  if (assigned > replicas) {
    const room = scheduled.map((target) => ({ name: target.name, weight: replicasOf(target) }));
    return { step: 'scale down', target: replicas, room, kept: [] };
  }
  const room = candidates.map(({ name, allocatable }) => ({ name, weight: allocatable }));
  return { step: 'scale up', target: replicas - assigned, room, kept: scheduled };
}

function distribute(
  { step, target, room, kept }: Division,
  strategy: 'Aggregated' | 'DynamicWeight',
  order: NameOrder,
): Step<Assignment> {
  const sum = room.reduce((total, { weight }) => total + weight, 0);
  if (sum < target) {
    const why = `Clusters available replicas ${sum} are not enough to schedule.`;
    return { error: `${FAILED_TO[step]}: ${why}`, unschedulable: true };
  }
  const roomiest = room.toSorted((a, b) => b.weight - a.weight);
  const weights = strategy === 'Aggregated' ? fewest(roomiest, kept, target) : roomiest;
  const clusters = merged(kept, divide(target, weights, order));
  return { value: { strategy, clusters, division: { step, target, weights, kept } } };
}

/** Clusters in use first, then only as many as it takes. */
function fewest(
  room: readonly Weighed[],
  kept: readonly TargetCluster[],
  target: number,
): readonly Weighed[] {
  const inUse = new Set(kept.filter((one) => replicasOf(one) > 0).map(({ name }) => name));
  const ordered = [
    ...room.filter(({ name }) => inUse.has(name)),
    ...room.filter(({ name }) => !inUse.has(name)),
  ];
  let sum = 0;
  const end = ordered.findIndex(({ weight }) => (sum += weight) >= target);
  return end < 0 ? ordered : ordered.slice(0, end + 1);
}

/** What each cluster keeps and what it gets on top. */
function merged(kept: readonly TargetCluster[], added: readonly TargetCluster[]): readonly TargetCluster[] {
  const before = new Map(kept.map((target) => [target.name, replicasOf(target)]));
  const result: TargetCluster[] = [];
  for (const target of added) {
    result.push({ name: target.name, replicas: replicasOf(target) + (before.get(target.name) ?? 0) });
    before.delete(target.name);
  }
  const rest = [...before].filter(([, replicas]) => replicas > 0).sort(([a], [b]) => (a < b ? -1 : 1));
  return [...result, ...rest.map(([name, replicas]) => ({ name, replicas }))];
}

// ---- overflow

export interface TierAssignment extends Assignment {
  /** 0 for the term itself. */
  readonly tier: number;
  readonly target: number;
}

/**
 * Fills the term first and its overflow affinities after it, each with what it has room for (scheduling.md §9).
 * Scaling down empties the later ones first, since they are not reached.
 */
export function assignByTiers(
  candidates: readonly Candidate[],
  request: AssignmentRequest,
): Step<{ readonly clusters: readonly TargetCluster[]; readonly tiers: readonly TierAssignment[] }> {
  const tiers: TierAssignment[] = [];
  let left = request.replicas;
  const orders = [...new Set(candidates.map(({ overflowOrder }) => overflowOrder))].sort((a, b) => a - b);
  for (const tier of orders) {
    if (left <= 0) break;
    const members = candidates.filter(({ overflowOrder }) => overflowOrder === tier);
    const target = Math.min(left, sumAvailable(members));
    if (target === 0) continue;
    const step = assignReplicas(members, { ...request, replicas: target });
    if ('error' in step) return step;
    tiers.push({ ...step.value, tier, target });
    left -= target;
  }
  if (left > 0)
    return { error: 'Clusters available replicas are not enough to schedule.', unschedulable: true };
  return { value: { clusters: tiers.flatMap(({ clusters }) => clusters), tiers } };
}
