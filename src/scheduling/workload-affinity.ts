// Keeping workloads of a group together or apart (scheduling.md §10). Groups live in one namespace, and only
// ResourceBindings have them. Clusters that a binding already runs in are never taken from it.
import type { ResourceBinding } from '../api/index.ts';
import type { Rejection } from './verdict.ts';

/** Another binding of the same group. */
export interface Peer {
  /** The name of its binding. */
  readonly name: string;
  readonly clusters: readonly string[];
}

/** The peers of one binding, the binding itself left out. */
export interface WorkloadPeers {
  readonly affinity: { readonly group: string; readonly peers: readonly Peer[] } | undefined;
  readonly antiAffinity: { readonly group: string; readonly peers: readonly Peer[] } | undefined;
}

/** A peer that runs nowhere yet blocks nobody: the first of a group is free to choose. */
export function affinityRejection({ affinity }: WorkloadPeers, cluster: string): Rejection | undefined {
  if (affinity === undefined) return undefined;
  for (const { name, clusters } of affinity.peers) {
    if (clusters.length > 0 && !clusters.includes(cluster)) {
      return { filter: 'WorkloadAffinity', code: 'PeersElsewhere', group: affinity.group, peer: name };
    }
  }
  return undefined;
}

export function antiAffinityRejection(
  { antiAffinity }: WorkloadPeers,
  cluster: string,
): Rejection | undefined {
  if (antiAffinity === undefined) return undefined;
  for (const { name, clusters } of antiAffinity.peers) {
    if (clusters.includes(cluster)) {
      return { filter: 'WorkloadAntiAffinity', code: 'PeerPresent', group: antiAffinity.group, peer: name };
    }
  }
  return undefined;
}

type Grouped = Pick<ResourceBinding, 'metadata' | 'spec'>;

/** Under which keys a binding is found by its peers; one for each group it is in. */
export function groupKeys(binding: Grouped): readonly string[] {
  const { affinityGroup = '', antiAffinityGroup = '' } = binding.spec.workloadAffinityGroups ?? {};
  const namespace = binding.metadata.namespace ?? '';
  return [
    ...(affinityGroup === '' ? [] : [`${namespace}/affinity/${affinityGroup}`]),
    ...(antiAffinityGroup === '' ? [] : [`${namespace}/anti-affinity/${antiAffinityGroup}`]),
  ];
}

/**
 * The peers of `binding`. `members` returns the bindings that groupKeys names; each as the newest known, be that
 * the cache's or the one this scheduler has just written.
 */
export function peersOf(
  binding: Grouped,
  members: (groupKey: string) => Iterable<Grouped>,
): WorkloadPeers | undefined {
  const { affinityGroup = '', antiAffinityGroup = '' } = binding.spec.workloadAffinityGroups ?? {};
  if (affinityGroup === '' && antiAffinityGroup === '') return undefined;
  const namespace = binding.metadata.namespace ?? '';
  const peers = (kind: string, group: string): { group: string; peers: readonly Peer[] } | undefined => {
    if (group === '') return undefined;
    const others: Peer[] = [];
    for (const { metadata, spec } of members(`${namespace}/${kind}/${group}`)) {
      if (metadata.name === binding.metadata.name) continue;
      others.push({ name: metadata.name ?? '', clusters: (spec.clusters ?? []).map(({ name }) => name) });
    }
    return { group, peers: others.sort((a, b) => (a.name < b.name ? -1 : 1)) };
  };
  return {
    affinity: peers('affinity', affinityGroup),
    antiAffinity: peers('anti-affinity', antiAffinityGroup),
  };
}

/**
 * Whether a binding that this scheduler wrote may be forgotten, because `observed` is at least as new and its
 * Works are applied. Until then it counts with its peers, though the cache may not know it yet.
 */
export function isAssignmentSettled(
  written: ResourceBinding,
  observed: ResourceBinding | undefined,
): boolean {
  if (observed === undefined || observed.metadata.uid !== written.metadata.uid) return true;
  const applied = observed.status?.conditions?.some(
    ({ type, status }) => type === 'FullyApplied' && status === 'True',
  );
  return applied === true && version(observed) >= version(written);
}

/** The newer of what the cache holds and what this scheduler wrote. */
export function newestOf(written: ResourceBinding | undefined, observed: ResourceBinding): ResourceBinding {
  if (written === undefined || written.metadata.uid !== observed.metadata.uid) return observed;
  return version(written) > version(observed) ? written : observed;
}

/** LIMIT: our API server counts revisions well below 2⁵³. */
function version({ metadata }: ResourceBinding): number {
  return Number(metadata.resourceVersion ?? 0);
}
