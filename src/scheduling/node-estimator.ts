// The accurate estimate: how many replicas fit onto the very nodes of a member (scheduling.md §13.3, §13.6).
import type { Component, Node, ReplicaRequirements } from '../api/index.ts';
import { untoleratedTaint } from '../fleet/index.ts';
import { countSets, placeSet, requestsOf, type NodeRun, type PodGroup } from './first-fit.ts';
import { UNLIMITED, type AssumedWorkload } from './general-estimator.ts';
import type { NodeSnapshot } from './node-ledger.ts';

type NodeClaim = NonNullable<ReplicaRequirements['nodeClaim']>;
type Term = NonNullable<NodeClaim['hardNodeAffinity']>['nodeSelectorTerms'][number];
type Requirement = NonNullable<Term['matchExpressions']>[number];

// ---- which nodes

function compareNumbers(operator: string, label: string | undefined, bound: string | undefined): boolean {
  if (label === undefined || !/^[+-]?\d+$/.test(label) || !/^[+-]?\d+$/.test(bound ?? '')) return false;
  return operator === 'Gt' ? Number(label) > Number(bound) : Number(label) < Number(bound);
}

function holds({ operator, values = [] }: Requirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
    case 'Lt':
      return compareNumbers(operator, value, values[0]);
    default:
      return false;
  }
}

function labelOf({ metadata }: Node, key: string): string | undefined {
  const { labels } = metadata;
  return labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
}

/** All requirements of a term must hold; a term without any means no node. */
function termHolds({ matchExpressions = [], matchFields = [] }: Term, node: Node): boolean {
  if (matchExpressions.length === 0 && matchFields.length === 0) return false;
  return (
    matchExpressions.every((requirement) => holds(requirement, labelOf(node, requirement.key))) &&
    matchFields.every((requirement) =>
      holds(requirement, requirement.key === 'metadata.name' ? node.metadata.name : undefined),
    )
  );
}

const UNSCHEDULABLE = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as const;

/** Whether pods with such a claim may run on a node. */
export function nodeAllows(node: Node, claim: NodeClaim | undefined): boolean {
  const { hardNodeAffinity, nodeSelector = {}, tolerations = [] } = claim ?? {};
  if (Object.entries(nodeSelector).some(([key, value]) => labelOf(node, key) !== value)) return false;
  const terms = hardNodeAffinity?.nodeSelectorTerms;
  if (terms !== undefined && !terms.some((term) => termHolds(term, node))) return false;
  const cordoned = node.spec?.unschedulable === true ? [UNSCHEDULABLE] : [];
  const taints = [...cordoned, ...(node.spec?.taints ?? [])];
  return untoleratedTaint(taints, tolerations, ['NoSchedule', 'NoExecute']) === undefined;
}

function groupOf(
  { nodes }: NodeSnapshot,
  replicas: number,
  requirements:
    | { readonly nodeClaim?: NodeClaim; readonly resourceRequest?: ReplicaRequirements['resourceRequest'] }
    | undefined,
): PodGroup {
  const allowed = nodes.map((node) => nodeAllows(node, requirements?.nodeClaim));
  return {
    replicas,
    requests: requestsOf(requirements?.resourceRequest),
    allows: (kind) => allowed[kind] === true,
  };
}

function setOf(snapshot: NodeSnapshot, components: readonly Component[]): readonly PodGroup[] {
  return components.map(({ replicas, replicaRequirements }) =>
    groupOf(snapshot, replicas, replicaRequirements),
  );
}

function afterAssumed(snapshot: NodeSnapshot, assumed: readonly AssumedWorkload[]): readonly NodeRun[] {
  let { runs } = snapshot;
  for (const { components } of assumed) runs = placeSet(runs, setOf(snapshot, components)).runs;
  return runs;
}

/** How many replicas fit onto the nodes. */
export function maxReplicasOnNodes(
  snapshot: NodeSnapshot,
  requirements: ReplicaRequirements | undefined,
  assumed: readonly AssumedWorkload[] = [],
): number {
  return countSets(afterAssumed(snapshot, assumed), [groupOf(snapshot, 1, requirements)], UNLIMITED);
}

/** How many whole sets fit onto the nodes; a set of nothing has no limit. */
export function maxSetsOnNodes(
  snapshot: NodeSnapshot,
  components: readonly Component[],
  assumed: readonly AssumedWorkload[] = [],
): number {
  return countSets(afterAssumed(snapshot, assumed), setOf(snapshot, components), UNLIMITED);
}
