// Which namespaces of the hub exist in every member as well (clusters-and-failover.md §17).
import { isReservedNamespace, SKIP_AUTO_PROPAGATION_LABEL, type KubeObject } from '../api/index.ts';
import { isBeingDeleted } from '../machinery/index.ts';
import type { Eligibility } from './eligibility.ts';
import type { AnyOverridePolicy } from './kinds.ts';

export type NamespaceSkip = 'reserved' | 'default' | 'skipped by flag' | 'skipped by label' | 'being deleted';

/** Why a namespace stays on the hub; undefined when it goes to every member. */
export function namespaceSkip(namespace: KubeObject, eligibility: Eligibility): NamespaceSkip | undefined {
  const { name = '', labels } = namespace.metadata;
  if (isBeingDeleted(namespace)) return 'being deleted';
  if (isReservedNamespace(name)) return 'reserved';
  if (name === 'default') return 'default';
  if (eligibility.skipsNamespace(name)) return 'skipped by flag';
  return labels?.[SKIP_AUTO_PROPAGATION_LABEL]?.toLowerCase() === 'true' ? 'skipped by label' : undefined;
}

/**
 * Which namespaces a ClusterOverridePolicy may change: those it names, or 'all' when one of its selectors of
 * namespaces names none.
 */
export function namespacesSelectedBy(policy: AnyOverridePolicy): 'all' | readonly string[] {
  const { resourceSelectors = [] } = policy.spec;
  if (resourceSelectors.length === 0) return 'all';
  const names: string[] = [];
  for (const { apiVersion, kind, name = '' } of resourceSelectors) {
    if (apiVersion !== 'v1' || kind !== 'Namespace') continue;
    if (name === '') return 'all';
    names.push(name);
  }
  return names;
}
