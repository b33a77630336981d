// Choosing regions first and clusters in them second (scheduling.md §8.4, by region).
// COMPAT: room is not looked at again once regions are chosen, and every chosen region gets a cluster even when that
// makes more than the cluster constraint allows (spread-region, spread-region-divided).
import { inOrder, type Candidate, type Step } from './candidate.ts';
import type { GroupBounds } from './select-by-cluster.ts';

export interface GroupNeed {
  /** Divided: replicas to place altogether. Duplicated: replicas that each cluster must take. */
  readonly replicas: number;
  readonly divided: boolean;
}

export interface GroupScore {
  readonly name: string;
  readonly members: readonly Candidate[];
  readonly score: number;
}

/** What a region is worth. `members` in order. */
export function regionScore(
  members: readonly Candidate[],
  need: GroupNeed,
  minRegions: number,
  minClusters: number,
): number {
  if (!need.divided) {
    const able = members.filter(({ available }) => available >= need.replicas);
    if (able.length === 0) return 0;
    const sum = able.reduce((total, { score }) => total + score, 0);
    return 1000 * able.length + Math.floor(sum / able.length);
  }
  const target = Math.ceil(need.replicas / Math.max(minRegions, 1));
  const least = Math.max(minClusters, minRegions);
  let available = 0;
  let score = 0;
  let count = 0;
  for (const member of members) {
    available += member.available;
    score += member.score;
    count++;
    if (count >= least && available >= target) break;
  }
  return available < target
    ? 1000 * available + Math.floor(score / members.length)
    : 1000 * target + Math.floor(score / count);
}

interface Item {
  readonly name: string;
  /** Number of members. */
  readonly value: number;
  readonly weight: number;
}

// LIMIT: with many regions there are more combinations than anybody can look at. Beyond this many the best of those
// seen counts, and the heaviest regions are always among them.
const COMBINATIONS_MAX = 50_000;

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const byWeight = (a: Item, b: Item): number => b.weight - a.weight || compareText(a.name, b.name);

/** Combinations that hold `target` members in `min` to `max` items; none is longer than it has to be. */
function combinations(items: readonly Item[], bounds: GroupBounds, target: number): Item[][] {
  const sorted = items.toSorted((a, b) => a.value - b.value || byWeight(a, b));
  const found: Item[][] = [];
  let steps = 0;
  const extend = (path: Item[], value: number, from: number): void => {
    if (value >= target && path.length >= bounds.min) {
      found.push([...path]);
      return;
    }
    if (path.length >= bounds.max) return;
    for (let at = from; at < sorted.length; at++) {
      if (++steps > COMBINATIONS_MAX) return;
      const item = sorted[at]!;
      path.push(item);
      extend(path, value + item.value, at + 1);
      path.pop();
    }
  };
  extend([], 0, 0);
  if (steps > COMBINATIONS_MAX) found.push(...heaviest(items, bounds, target));
  return found;
}

/** The heaviest items that together satisfy the bounds, when they do. */
function heaviest(items: readonly Item[], bounds: GroupBounds, target: number): Item[][] {
  const path: Item[] = [];
  let value = 0;
  for (const item of items.toSorted(byWeight)) {
    if (path.length >= bounds.max) break;
    path.push(item);
    value += item.value;
    if (value >= target && path.length >= bounds.min) return [path];
  }
  return [];
}

/** The names of the items chosen, heaviest first; undefined when no combination satisfies the bounds. */
export function chooseGroups(
  items: readonly Item[],
  bounds: GroupBounds,
  target: number,
): readonly string[] | undefined {
  const ranked = combinations(items, bounds, target).map((path, discovered) => ({
    names: path.toSorted(byWeight).map(({ name }) => name),
    weight: path.reduce((sum, item) => sum + item.weight, 0),
    value: path.reduce((sum, item) => sum + item.value, 0),
    discovered,
  }));
  ranked.sort((a, b) => b.weight - a.weight || b.value - a.value || a.discovered - b.discovered);
  let [best] = ranked;
  for (const { names } of ranked) {
    if (best === undefined) break;
    const prefix =
      names.length < best.names.length && names.every((name, index) => name === best?.names[index]);
    if (prefix) best = { ...best, names };
  }
  return best?.names;
}

export interface GroupSelection {
  readonly chosen: readonly Candidate[];
  readonly groups: readonly GroupScore[];
  readonly chosenGroups: readonly string[];
}

export interface GroupRequest {
  readonly groups: GroupBounds;
  readonly clusters: GroupBounds;
  readonly need: GroupNeed;
  /** What the groups are called in the message when there are too few. */
  readonly called: string;
}

/** Candidates in order of their groups; members keep their order. A candidate without a group is left out. */
export function groupBy(
  candidates: readonly Candidate[],
  groupOf: (candidate: Candidate) => string,
): ReadonlyMap<string, readonly Candidate[]> {
  const groups = new Map<string, Candidate[]>();
  for (const candidate of candidates) {
    const name = groupOf(candidate);
    if (name === '') continue;
    const members = groups.get(name);
    if (members === undefined) groups.set(name, [candidate]);
    else members.push(candidate);
  }
  return groups;
}

export function selectByGroup(
  members: ReadonlyMap<string, readonly Candidate[]>,
  request: GroupRequest,
): Step<GroupSelection> {
  const { groups: bounds, clusters, need } = request;
  if (members.size < bounds.min) {
    return { error: `the number of feasible ${request.called} is less than spreadConstraint.MinGroups` };
  }
  const groups = Array.from(members, ([name, list]) => ({
    name,
    members: list,
    score: regionScore(list, need, bounds.min, clusters.min),
  }));
  const items = groups.map(({ name, members: list, score }) => ({ name, value: list.length, weight: score }));
  const chosenGroups = chooseGroups(items, bounds, clusters.min);
  if (chosenGroups === undefined) {
    return { error: 'the number of clusters is less than the cluster spreadConstraint.MinGroups' };
  }
  return { value: { chosen: fill(chosenGroups, members, clusters.max), groups, chosenGroups } };
}

/** The first cluster of each group, then the best of the rest. */
function fill(
  names: readonly string[],
  members: ReadonlyMap<string, readonly Candidate[]>,
  max: number,
): readonly Candidate[] {
  const first: Candidate[] = [];
  const rest: Candidate[] = [];
  for (const name of names) {
    const [head, ...tail] = members.get(name) ?? [];
    if (head !== undefined) first.push(head);
    rest.push(...tail);
  }
  const room = Math.max(Math.min(first.length + rest.length, max) - first.length, 0);
  return [...first, ...rest.sort(inOrder).slice(0, room)];
}
