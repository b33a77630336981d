// The other bindings that a binding wants to be with, or apart from.
import type { Binding } from '../../propagation/index.ts';
import type { Informer } from '../../runtime/index.ts';
import type { Peer, WorkloadPeers } from '../../scheduling/index.ts';

/** COMPAT: only within one namespace, and never for cluster-scoped templates. */
export function peersOf(binding: Binding, bindings: Informer<Binding>): WorkloadPeers | undefined {
  const groups = binding.spec.workloadAffinityGroups;
  const { namespace, name } = binding.metadata;
  if (groups === undefined || namespace === undefined) return undefined;
  const others = bindings.store.list(namespace).filter(({ metadata }) => metadata.name !== name);
  const peers = (
    field: 'affinityGroup' | 'antiAffinityGroup',
  ): { readonly group: string; readonly peers: readonly Peer[] } | undefined => {
    const group = groups[field];
    if (group === undefined || group === '') return undefined;
    const found = others
      .filter(({ spec }) => spec.workloadAffinityGroups?.[field] === group)
      .map((other): Peer => ({
        name: other.metadata.name ?? '',
        clusters: (other.spec.clusters ?? []).map((target) => target.name),
      }));
    return { group, peers: found };
  };
  return { affinity: peers('affinityGroup'), antiAffinity: peers('antiAffinityGroup') };
}
