// Which member clusters a ClusterAffinity means. Scheduling, overrides and taint policies all ask this, so the
// answer stands below them. All criteria that are given must hold; an affinity without criteria means every cluster.
import type { Cluster, ClusterAffinity, FieldSelector } from '../api/index.ts';
import { labelSelectorFor, noSelector, StatusError, type Selector } from '../machinery/index.ts';

/** Which criterion of an affinity a cluster fails; the first in the order in which they are asked. */
export type AffinityCriterion = 'exclude' | 'labelSelector' | 'fieldSelector' | 'clusterNames';

type Requirement = NonNullable<FieldSelector['matchExpressions']>[number];

interface CompiledAffinity {
  readonly excluded: ReadonlySet<string> | undefined;
  readonly labels: Selector | undefined;
  readonly fields: readonly Requirement[];
  readonly names: ReadonlySet<string> | undefined;
}

const compiled = new WeakMap<ClusterAffinity, CompiledAffinity>();

/** COMPAT: a selector that does not parse (an operator nobody knows) matches no cluster; admission lets it in. */
function selectorOf(selector: NonNullable<ClusterAffinity['labelSelector']>): Selector {
  try {
    return labelSelectorFor(selector);
  } catch (error) {
    if (error instanceof StatusError) return noSelector();
    throw error;
  }
}

function compile(affinity: ClusterAffinity): CompiledAffinity {
  const known = compiled.get(affinity);
  if (known !== undefined) return known;
  const { labelSelector, fieldSelector, clusterNames = [], exclude = [] } = affinity;
  const result: CompiledAffinity = {
    excluded: exclude.length === 0 ? undefined : new Set(exclude),
    labels: labelSelector === undefined ? undefined : selectorOf(labelSelector),
    fields: fieldSelector?.matchExpressions ?? [],
    names: clusterNames.length === 0 ? undefined : new Set(clusterNames),
  };
  if (Object.isFrozen(affinity)) compiled.set(affinity, result);
  return result;
}

/** A region or provider that is not set counts as a label that is absent. */
function fieldHolds({ operator, values = [] }: Requirement, field: string): boolean {
  switch (operator) {
    case 'In':
      return field !== '' && values.includes(field);
    case 'NotIn':
      return field === '' || !values.includes(field);
    case 'Exists':
      return field !== '';
    case 'DoesNotExist':
      return field === '';
    default:
      return false;
  }
}

function zonesHold({ operator, values = [] }: Requirement, zones: readonly string[]): boolean {
  switch (operator) {
    case 'In':
      return zones.some((zone) => values.includes(zone));
    case 'NotIn':
      return !zones.some((zone) => values.includes(zone));
    case 'Exists':
      return zones.length > 0;
    case 'DoesNotExist':
      return zones.length === 0;
    default:
      return false;
  }
}

const NO_ZONES: readonly string[] = [];

function requirementHolds(requirement: Requirement, { spec }: Cluster): boolean {
  switch (requirement.key) {
    case 'zone':
      return zonesHold(requirement, spec.zones ?? NO_ZONES);
    case 'region':
      return fieldHolds(requirement, spec.region ?? '');
    case 'provider':
      return fieldHolds(requirement, spec.provider ?? '');
    default:
      return fieldHolds(requirement, '');
  }
}

/** The first criterion that `cluster` fails; undefined when it matches. */
export function affinityMismatch(cluster: Cluster, affinity: ClusterAffinity): AffinityCriterion | undefined {
  const { excluded, labels, fields, names } = compile(affinity);
  const name = cluster.metadata.name ?? '';
  if (excluded?.has(name) === true) return 'exclude';
  if (labels !== undefined && !labels.matches(cluster.metadata.labels)) return 'labelSelector';
  for (const requirement of fields) if (!requirementHolds(requirement, cluster)) return 'fieldSelector';
  if (names !== undefined && !names.has(name)) return 'clusterNames';
  return undefined;
}

export function clusterMatchesAffinity(cluster: Cluster, affinity: ClusterAffinity): boolean {
  return affinityMismatch(cluster, affinity) === undefined;
}
