// Where a pod goes: which nodes it may run on, which of them is best, and if none, why. Pure.
import type { Node, Pod } from '../kinds.ts';
import {
  leastAllocatedScore,
  missingResources,
  podRequest,
  portsClash,
  type Amounts,
  type PodRequest,
} from './fit.ts';
import { matchesNodeAffinity, nodePreference, soleNodeName } from './node-affinity.ts';
import { isTolerated, untoleratedTaint } from './taints.ts';
import {
  hasPodRules,
  podRules,
  softSpreadCosts,
  type NamespaceLabels,
  type PodRule,
  type Repelling,
} from './topology.ts';

/** A node as the scheduler knows it, pods counted that are on their way to it. */
export interface NodeState {
  readonly node: Node;
  readonly allocatable: Amounts;
  readonly allocated: Amounts;
  readonly assumed: { readonly cpu: number; readonly memory: number };
  readonly hostPorts: Iterable<string>;
  readonly podCount: number;
  readonly pods: Iterable<Pod>;
}

export interface Fleet {
  readonly nodes: readonly NodeState[];
  nodeNamed(name: string): NodeState | undefined;
  /** Placed pods with required anti-affinity. */
  readonly repelling: readonly Repelling[];
  labelsOfNamespace: NamespaceLabels;
}

export type Placement =
  | { readonly kind: 'fits'; readonly nodeName: string }
  | { readonly kind: 'unschedulable'; readonly message: string };

// LIMIT: in large clusters the search ends when this share of the nodes, but at least as many, could take the pod.
const FEASIBLE_MIN = 100;
const FEASIBLE_SHARE = 0.3;

/** @param start which node to look at first, so that equal nodes take turns */
export function placePod(pod: Pod, fleet: Fleet, start = 0): Placement {
  const named = soleNodeName(pod.spec);
  const only = named === undefined ? undefined : fleet.nodeNamed(named);
  const candidates = named === undefined ? fleet.nodes : only === undefined ? [] : [only];
  const request = podRequest(pod.spec);
  const rules =
    hasPodRules(pod.spec) || fleet.repelling.length > 0
      ? podRules(pod, fleet.nodes, fleet.repelling, fleet.labelsOfNamespace)
      : [];
  const wanted = Math.max(FEASIBLE_MIN, Math.ceil(candidates.length * FEASIBLE_SHARE));
  const feasible: NodeState[] = [];
  const refusals = new Map<string, number>();
  for (let i = 0; i < candidates.length && feasible.length < wanted; i++) {
    const state = candidates[(start + i) % candidates.length]!;
    const reasons = refusalsOf(pod, request, state, rules);
    if (reasons.length === 0) feasible.push(state);
    else for (const reason of reasons) refusals.set(reason, (refusals.get(reason) ?? 0) + 1);
  }
  if (feasible.length > 0) return { kind: 'fits', nodeName: bestOf(pod, request, feasible, fleet) };
  const others = fleet.nodes.length - candidates.length;
  if (others > 0) {
    const reason = "node(s) didn't satisfy plugin(s) [NodeAffinity]";
    refusals.set(reason, (refusals.get(reason) ?? 0) + others);
  }
  return { kind: 'unschedulable', message: unschedulableMessage(fleet.nodes.length, refusals) };
}

/** Why the pod cannot run there, in the words of the scheduler; none: it can. */
export function refusalsOf(
  pod: Pod,
  request: PodRequest,
  state: NodeState,
  rules: readonly PodRule[],
): readonly string[] {
  const { node } = state;
  const { spec } = pod;
  if (node.spec.unschedulable === true && !toleratesUnschedulable(pod)) {
    return ['node(s) were unschedulable'];
  }
  if (!matchesNodeAffinity(spec, node)) return ["node(s) didn't match Pod's node affinity/selector"];
  const taint = untoleratedTaint(node.spec.taints, spec.tolerations, ['NoSchedule', 'NoExecute']);
  if (taint !== undefined) {
    return [`node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`];
  }
  if (portsClash(request.hostPorts, state.hostPorts)) {
    return ["node(s) didn't have free ports for the requested pod ports"];
  }
  const missing = missingResources(request, state.allocatable, state.allocated, state.podCount);
  if (missing.length > 0) return missing;
  for (const rule of rules) {
    const refusal = rule(node);
    if (refusal !== undefined) return [refusal];
  }
  return [];
}

function toleratesUnschedulable(pod: Pod): boolean {
  return isTolerated(pod.spec.tolerations, { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' });
}

function unschedulableMessage(count: number, refusals: ReadonlyMap<string, number>): string {
  if (count === 0) return 'no nodes available to schedule pods';
  const parts = [...refusals].map(([reason, times]) => `${times} ${reason}`).sort();
  return `0/${count} nodes are available: ${parts.join(', ')}.`;
}

/** The node with the most room left, after what the pod prefers and what spreads it; the first of equals. */
function bestOf(pod: Pod, request: PodRequest, feasible: readonly NodeState[], fleet: Fleet): string {
  const preferences = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution;
  const costs = softSpreadCosts(pod, fleet.nodes);
  let best = feasible[0]!;
  let bestScore = -Infinity;
  const maxCost = costs === undefined ? 0 : Math.max(...feasible.map(({ node }) => costs(node)), 1);
  for (const state of feasible) {
    let score = leastAllocatedScore(request, state.allocatable, state.assumed);
    // Weights reach 100, as do scores: what is preferred outweighs a little more room.
    if (preferences !== undefined && preferences.length > 0)
      score += 2 * nodePreference(pod.spec, state.node);
    if (costs !== undefined) score += 200 * (1 - costs(state.node) / maxCost);
    score -= 300 * softTaints(pod, state.node);
    if (score > bestScore) {
      best = state;
      bestScore = score;
    }
  }
  return best.node.metadata.name;
}

function softTaints(pod: Pod, node: Node): number {
  const { taints } = node.spec;
  if (taints === undefined) return 0;
  return taints.filter(
    (taint) => taint.effect === 'PreferNoSchedule' && !isTolerated(pod.spec.tolerations, taint),
  ).length;
}
