// How many sets of pods fit on nodes, placed first-fit (scheduling.md §13.3). Both estimators use it: the accurate
// one over real nodes, the general one over the nodes that resource models stand for. Equal nodes are kept as a
// run, so that ten thousand of them cost as much as one.
import { amountOf } from './fleet-snapshot.ts';

/** Requests by resource, in the units of amountOf; only what is more than zero. */
export type Requests = ReadonlyMap<string, number>;

export interface PodGroup {
  readonly replicas: number;
  readonly requests: Requests;
  /** Whether its pods may run on nodes of a kind; absent: on all. */
  readonly allows?: (kind: number) => boolean;
}

/** Nodes that are all alike. */
export interface NodeRun {
  count: number;
  /** Free amounts; what is missing is zero. */
  readonly free: ReadonlyMap<string, number>;
  readonly pods: number;
  /** What PodGroup.allows is asked about. */
  readonly kind: number;
}

export function requestsOf(amounts: Readonly<Record<string, string | number>> | undefined): Requests {
  const requests = new Map<string, number>();
  for (const [resource, quantity] of Object.entries(amounts ?? {})) {
    const amount = amountOf(resource, quantity);
    if (amount > 0) requests.set(resource, amount);
  }
  return requests;
}

/** How many more pods one node of the run takes. */
export function fitOnNode(run: NodeRun, requests: Requests): number {
  let fit = Math.max(run.pods, 0);
  for (const [resource, request] of requests) {
    if (fit === 0) return 0;
    fit = Math.min(fit, Math.floor(Math.max(run.free.get(resource) ?? 0, 0) / request));
  }
  return fit;
}

/** What `count` nodes of a run are like after `pods` more were placed on each. */
function loaded(run: NodeRun, count: number, pods: number, requests: Requests): NodeRun {
  const free = new Map(run.free);
  for (const [resource, request] of requests) {
    free.set(resource, Math.max((free.get(resource) ?? 0) - request * pods, 0));
  }
  return { count, free, pods: Math.max(run.pods - pods, 0), kind: run.kind };
}

/** Places the pods of one group and returns the nodes as they are then, and how many pods found no place. */
function placeGroup(runs: readonly NodeRun[], group: PodGroup): { runs: readonly NodeRun[]; left: number } {
  let left = group.replicas;
  if (left <= 0) return { runs, left: 0 };
  const result: NodeRun[] = [];
  for (const run of runs) {
    const fit =
      left === 0 || group.allows?.(run.kind) === false ? 0 : Math.min(fitOnNode(run, group.requests), left);
    if (fit === 0) {
      result.push(run);
      continue;
    }
    const full = Math.min(run.count, Math.floor(left / fit));
    if (full > 0) result.push(loaded(run, full, fit, group.requests));
    left -= full * fit;
    let rest = run.count - full;
    if (rest > 0 && left > 0) {
      result.push(loaded(run, 1, left, group.requests));
      left = 0;
      rest--;
    }
    if (rest > 0) result.push({ ...run, count: rest });
  }
  return { runs: result, left };
}

/**
 * Places one set, all its groups in order. COMPAT: what was placed of a set that does not fit stays placed; that
 * matters for assumed workloads, which are placed whether they fit or not.
 */
export function placeSet(
  runs: readonly NodeRun[],
  set: readonly PodGroup[],
): { readonly runs: readonly NodeRun[]; readonly fits: boolean } {
  let nodes = runs;
  for (const group of set) {
    const placed = placeGroup(nodes, group);
    nodes = placed.runs;
    if (placed.left > 0) return { runs: nodes, fits: false };
  }
  return { runs: nodes, fits: true };
}

/** How many sets fit one after another; at most `limit`. */
export function countSets(runs: readonly NodeRun[], set: readonly PodGroup[], limit: number): number {
  const [only] = set;
  if (only !== undefined && set.length === 1 && only.replicas === 1) {
    return Math.min(countPods(runs, only), limit);
  }
  // A set without pods always fits again.
  if (set.every(({ replicas }) => replicas <= 0)) return limit;
  const first = chained(runs);
  // Room only shrinks, so a node that a group does not fit on is never looked at again for that group.
  const from = set.map(() => first);
  for (let sets = 0; sets < limit; sets++) {
    for (const [index, group] of set.entries()) {
      let { replicas: left } = group;
      while (left > 0) {
        const at = nextWithRoom(from[index], group);
        from[index] = at;
        if (at === undefined) return sets;
        left -= fill(at, group, left);
      }
    }
  }
  return limit;
}

/** A run in a chain that is split where only a part of it is filled. */
interface Link extends Omit<NodeRun, 'free' | 'pods'> {
  free: ReadonlyMap<string, number>;
  pods: number;
  next: Link | undefined;
}

function chained(runs: readonly NodeRun[]): Link | undefined {
  let next: Link | undefined;
  for (const { count, free, pods, kind } of runs.toReversed()) {
    if (count > 0) next = { count, free, pods, kind, next };
  }
  return next;
}

function nextWithRoom(from: Link | undefined, { requests, allows }: PodGroup): Link | undefined {
  let at = from;
  while (at !== undefined && (allows?.(at.kind) === false || fitOnNode(at, requests) === 0)) at = at.next;
  return at;
}

/** Places at most `left` pods on the nodes of one link; returns how many. */
function fill(at: Link, { requests }: PodGroup, left: number): number {
  const fit = fitOnNode(at, requests);
  const perNode = Math.min(fit, left);
  const nodes = Math.min(at.count, Math.max(Math.floor(left / fit), 1));
  if (nodes < at.count) at.next = { ...at, count: at.count - nodes };
  const { free, pods } = loaded(at, nodes, perNode, requests);
  at.count = nodes;
  at.free = free;
  at.pods = pods;
  return nodes * perNode;
}

/** Single pods need no simulation: each node takes what it takes. */
function countPods(runs: readonly NodeRun[], group: PodGroup): number {
  let pods = 0;
  for (const run of runs) {
    if (group.allows?.(run.kind) !== false) pods += run.count * fitOnNode(run, group.requests);
  }
  return pods;
}
