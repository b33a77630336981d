// Pods in relation to other pods: required affinity and anti-affinity, and even spreading over topology domains.
// Preferred pod affinity only shapes scores in a real cluster and is not looked at.
import type { LabelSelector, PodAffinityTerm, PodSpec, TopologySpreadConstraint } from '../../api/index.ts';
import { labelSelectorFor, type Selector } from '../../machinery/index.ts';
import type { Node, Pod } from '../kinds.ts';
import { matchesNodeAffinity } from './node-affinity.ts';
import { untoleratedTaint } from './taints.ts';

/** A node with the pods on it; what the questions here are asked about. */
export interface Place {
  readonly node: Node;
  readonly pods: Iterable<Pod>;
}

export type NamespaceLabels = (namespace: string) => Readonly<Record<string, string>>;

function domainOf(node: Node, topologyKey: string): string | undefined {
  const { labels } = node.metadata;
  return labels !== undefined && Object.hasOwn(labels, topologyKey) ? labels[topologyKey] : undefined;
}

export function requiredAffinity(spec: PodSpec): readonly PodAffinityTerm[] {
  return spec.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
}

export function requiredAntiAffinity(spec: PodSpec): readonly PodAffinityTerm[] {
  return spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
}

export function hasPodRules(spec: PodSpec): boolean {
  return (
    requiredAffinity(spec).length > 0 ||
    requiredAntiAffinity(spec).length > 0 ||
    (spec.topologySpreadConstraints?.length ?? 0) > 0
  );
}

/** A selector with the pod's own values of the label keys that it must also match. */
function selectorFor(
  selector: LabelSelector | undefined,
  keys: readonly string[] | undefined,
  otherThan: readonly string[] | undefined,
  pod: Pod,
): Selector | undefined {
  if (selector === undefined) return undefined;
  const labels = pod.metadata.labels ?? {};
  const extra = (operator: 'In' | 'NotIn', names: readonly string[] | undefined): object[] =>
    (names ?? [])
      .filter((key) => Object.hasOwn(labels, key))
      .map((key) => ({ key, operator, values: [labels[key]] }));
  const more = [...extra('In', keys), ...extra('NotIn', otherThan)] as NonNullable<
    LabelSelector['matchExpressions']
  >;
  return labelSelectorFor(
    more.length === 0
      ? selector
      : { ...selector, matchExpressions: [...(selector.matchExpressions ?? []), ...more] },
  );
}

/** Whether `term`, written in a pod `owner`, speaks about a pod. */
export function termMatcher(
  term: PodAffinityTerm,
  owner: Pod,
  labelsOfNamespace: NamespaceLabels,
): (pod: Pod) => boolean {
  const selector = selectorFor(term.labelSelector, term.matchLabelKeys, term.mismatchLabelKeys, owner);
  const named = term.namespaces ?? [];
  const byLabels =
    term.namespaceSelector === undefined ? undefined : labelSelectorFor(term.namespaceSelector);
  return (pod) => {
    const { namespace, labels = {} } = pod.metadata;
    const inNamespace =
      named.length === 0 && byLabels === undefined
        ? namespace === owner.metadata.namespace
        : named.includes(namespace) || byLabels?.matches(labelsOfNamespace(namespace)) === true;
    return inNamespace && selector?.matches(labels) === true;
  };
}

export type PodRule = (node: Node) => string | undefined;

/**
 * Everything that other pods mean for where `pod` may go, computed once per scheduling try; then asked per node. An
 * answer is the reason why not.
 */
export function podRules(
  pod: Pod,
  places: readonly Place[],
  repelling: Iterable<Repelling>,
  labelsOfNamespace: NamespaceLabels,
): PodRule[] {
  const rules = repulsionRules(pod, repelling, labelsOfNamespace);
  for (const term of requiredAffinity(pod.spec))
    rules.push(affinityRule(pod, term, places, labelsOfNamespace));
  for (const term of requiredAntiAffinity(pod.spec)) {
    const taken = domainsWith(places, term.topologyKey, termMatcher(term, pod, labelsOfNamespace));
    rules.push((node) => {
      const domain = domainOf(node, term.topologyKey);
      return domain !== undefined && taken.has(domain)
        ? "node(s) didn't match pod anti-affinity rules"
        : undefined;
    });
  }
  for (const constraint of pod.spec.topologySpreadConstraints ?? []) {
    if (constraint.whenUnsatisfiable === 'DoNotSchedule') rules.push(spreadRule(pod, constraint, places));
  }
  return rules;
}

/** A placed pod that does not want some others near it. */
export interface Repelling {
  readonly pod: Pod;
  readonly node: Node;
}

/** Anti-affinity holds both ways: what pods that are there already refuse to have near them. */
function repulsionRules(
  pod: Pod,
  repelling: Iterable<Repelling>,
  labelsOfNamespace: NamespaceLabels,
): PodRule[] {
  const closed = new Map<string, Set<string>>();
  for (const other of repelling) {
    for (const term of requiredAntiAffinity(other.pod.spec)) {
      const domain = domainOf(other.node, term.topologyKey);
      if (domain === undefined || !termMatcher(term, other.pod, labelsOfNamespace)(pod)) continue;
      const domains = closed.get(term.topologyKey) ?? new Set();
      closed.set(term.topologyKey, domains.add(domain));
    }
  }
  return [...closed].map(([key, domains]) => (node: Node) => {
    const domain = domainOf(node, key);
    return domain !== undefined && domains.has(domain)
      ? "node(s) didn't satisfy existing pods anti-affinity rules"
      : undefined;
  });
}

function domainsWith(places: readonly Place[], key: string, matches: (pod: Pod) => boolean): Set<string> {
  const domains = new Set<string>();
  for (const { node, pods } of places) {
    const domain = domainOf(node, key);
    if (domain === undefined || domains.has(domain)) continue;
    for (const pod of pods) {
      if (!matches(pod)) continue;
      domains.add(domain);
      break;
    }
  }
  return domains;
}

function affinityRule(
  pod: Pod,
  term: PodAffinityTerm,
  places: readonly Place[],
  labelsOfNamespace: NamespaceLabels,
): PodRule {
  const matches = termMatcher(term, pod, labelsOfNamespace);
  const present = domainsWith(places, term.topologyKey, matches);
  // The first of a group that wants to be together has nobody to go to yet.
  const isFirst = present.size === 0 && matches(pod);
  return (node) => {
    const domain = domainOf(node, term.topologyKey);
    return domain !== undefined && (isFirst || present.has(domain))
      ? undefined
      : "node(s) didn't match pod affinity rules";
  };
}

/** Matching pods per domain, over the nodes that count for the constraint. */
export function spreadCounts(
  pod: Pod,
  constraint: TopologySpreadConstraint,
  places: readonly Place[],
): Map<string, number> {
  const counts = new Map<string, number>();
  const selector = selectorFor(constraint.labelSelector, constraint.matchLabelKeys, undefined, pod);
  for (const { node, pods } of places) {
    const domain = domainOf(node, constraint.topologyKey);
    if (domain === undefined) continue;
    if (constraint.nodeAffinityPolicy !== 'Ignore' && !matchesNodeAffinity(pod.spec, node)) continue;
    const honoursTaints = constraint.nodeTaintsPolicy === 'Honor';
    if (
      honoursTaints &&
      untoleratedTaint(node.spec.taints, pod.spec.tolerations, ['NoSchedule', 'NoExecute']) !== undefined
    ) {
      continue;
    }
    let count = counts.get(domain) ?? 0;
    for (const other of pods) {
      if (other.metadata.namespace !== pod.metadata.namespace) continue;
      if (
        other.metadata.deletionTimestamp === undefined &&
        selector?.matches(other.metadata.labels ?? {}) === true
      ) {
        count++;
      }
    }
    counts.set(domain, count);
  }
  return counts;
}

function spreadRule(pod: Pod, constraint: TopologySpreadConstraint, places: readonly Place[]): PodRule {
  const counts = spreadCounts(pod, constraint, places);
  const selector = selectorFor(constraint.labelSelector, constraint.matchLabelKeys, undefined, pod);
  const self = selector?.matches(pod.metadata.labels ?? {}) === true ? 1 : 0;
  const tooFew = counts.size < (constraint.minDomains ?? 1);
  const least = tooFew || counts.size === 0 ? 0 : Math.min(...counts.values());
  return (node) => {
    const domain = domainOf(node, constraint.topologyKey);
    const count = domain === undefined ? undefined : counts.get(domain);
    if (domain === undefined)
      return "node(s) didn't match pod topology spread constraints (missing required label)";
    return (count ?? 0) + self - least > constraint.maxSkew
      ? "node(s) didn't match pod topology spread constraints"
      : undefined;
  };
}

/** Lower is better: matching pods that already are where the node is, over all soft constraints. */
export function softSpreadCosts(pod: Pod, places: readonly Place[]): ((node: Node) => number) | undefined {
  const soft = (pod.spec.topologySpreadConstraints ?? []).filter(
    ({ whenUnsatisfiable }) => whenUnsatisfiable === 'ScheduleAnyway',
  );
  if (soft.length === 0) return undefined;
  const counted = soft.map((constraint) => ({ constraint, counts: spreadCounts(pod, constraint, places) }));
  return (node) =>
    counted.reduce((cost, { constraint, counts }) => {
      const domain = domainOf(node, constraint.topologyKey);
      return cost + (domain === undefined ? 0 : (counts.get(domain) ?? 0));
    }, 0);
}
