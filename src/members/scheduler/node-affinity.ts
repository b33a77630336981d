// Which nodes a pod asks for by their labels and names. Shared by the scheduler and the DaemonSet controller.
import type { NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, PodSpec } from '../../api/index.ts';
import type { Node } from '../kinds.ts';

type Labels = Readonly<Record<string, string>>;

function valueAt(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}

function meets({ key, operator, values = [] }: NodeSelectorRequirement, labels: Labels): boolean {
  const value = valueAt(labels, key);
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
    case 'Lt': {
      const bound = values[0];
      if (value === undefined || bound === undefined || !isInteger(value) || !isInteger(bound)) return false;
      return operator === 'Gt' ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound);
    }
  }
}

function isInteger(text: string): boolean {
  return /^[+-]?\d+$/.test(text);
}

export function matchesTerm(term: NodeSelectorTerm, node: Node): boolean {
  const { matchExpressions = [], matchFields = [] } = term;
  // A term without conditions selects nothing.
  if (matchExpressions.length + matchFields.length === 0) return false;
  const fields = { 'metadata.name': node.metadata.name };
  return (
    matchExpressions.every((requirement) => meets(requirement, node.metadata.labels ?? {})) &&
    matchFields.every((requirement) => meets(requirement, fields))
  );
}

export function matchesNodeSelector(selector: NodeSelector, node: Node): boolean {
  return selector.nodeSelectorTerms.some((term) => matchesTerm(term, node));
}

/** The pod's nodeSelector and required node affinity. */
export function matchesNodeAffinity(spec: PodSpec, node: Node): boolean {
  const labels = node.metadata.labels ?? {};
  for (const [key, value] of Object.entries(spec.nodeSelector ?? {})) {
    if (valueAt(labels, key) !== value) return false;
  }
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined || matchesNodeSelector(required, node);
}

/** Weight of the preferred terms that the node matches. */
export function nodePreference(spec: PodSpec, node: Node): number {
  let weight = 0;
  for (const preferred of spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ??
    []) {
    if (matchesTerm(preferred.preference, node)) weight += preferred.weight;
  }
  return weight;
}

/** The only node that the pod can go to because its affinity names it, as with pods of a DaemonSet. */
export function soleNodeName(spec: PodSpec): string | undefined {
  const terms =
    spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const [only] = terms;
  if (terms.length !== 1) return undefined;
  const field = only?.matchFields?.find(({ key, operator }) => key === 'metadata.name' && operator === 'In');
  return field?.values?.length === 1 ? field.values[0] : undefined;
}
