// Why a cluster was not considered, as data: a code for programs, the filter it comes from, and the facts that a
// person needs to see what would have to change. Text is derived here and nowhere else.
import type { AffinityCriterion } from '../fleet/index.ts';

export type FilterName =
  | 'ClusterAffinity'
  | 'APIEnablement'
  | 'TaintToleration'
  | 'SpreadConstraint'
  | 'ClusterEviction'
  | 'WorkloadAffinity'
  | 'WorkloadAntiAffinity'
  /** Ours, and no plugin: it cannot be switched off. */
  | 'ClusterSuspension';

export type Rejection =
  | {
      readonly filter: 'ClusterAffinity';
      readonly code: 'AffinityMismatch';
      /** The first criterion of the affinity that the cluster does not meet. */
      readonly criterion: AffinityCriterion;
      /** The term of clusterAffinities it belongs to; empty for clusterAffinity. */
      readonly affinityName: string;
    }
  | {
      readonly filter: 'APIEnablement';
      readonly code: 'ApiMissing';
      readonly apiVersion: string;
      readonly kind: string;
    }
  | {
      readonly filter: 'TaintToleration';
      readonly code: 'TaintUntolerated';
      readonly key: string;
      readonly value: string;
      readonly effect: string;
    }
  | {
      readonly filter: 'SpreadConstraint';
      readonly code: 'SpreadPropertyMissing';
      readonly property: 'provider' | 'region' | 'zone' | 'label';
      /** The label of a spreadByLabel constraint. */
      readonly label?: string;
    }
  | { readonly filter: 'ClusterEviction'; readonly code: 'BeingEvicted' }
  | { readonly filter: 'ClusterSuspension'; readonly code: 'Suspended' }
  | {
      readonly filter: 'WorkloadAffinity';
      readonly code: 'PeersElsewhere';
      readonly group: string;
      /** The binding of the group that does not run in the cluster. */
      readonly peer: string;
    }
  | {
      readonly filter: 'WorkloadAntiAffinity';
      readonly code: 'PeerPresent';
      readonly group: string;
      readonly peer: string;
    };

/** What became of one cluster. */
export type Verdict =
  | { readonly outcome: 'fits' }
  /** It is being deleted; no filter looks at it. */
  | { readonly outcome: 'terminating' }
  | {
      readonly outcome: 'rejected';
      /** The first rejection, or all of them when an explanation was asked for; never empty. */
      readonly rejections: readonly Rejection[];
    };

export const FITS: Verdict = Object.freeze({ outcome: 'fits' });
export const TERMINATING: Verdict = Object.freeze({ outcome: 'terminating' });

/** The reason as it is counted in "0/3 clusters are available: …". */
export function reasonText(rejection: Rejection): string {
  switch (rejection.code) {
    case 'AffinityMismatch':
      return 'cluster(s) not selected by the cluster affinity';
    case 'ApiMissing':
      return `cluster(s) without the API ${rejection.apiVersion} ${rejection.kind}`;
    case 'TaintUntolerated': {
      const value = rejection.value === '' ? '' : `=${rejection.value}`;
      return `cluster(s) with the untolerated taint {${rejection.key}${value}:${rejection.effect}}`;
    }
    case 'SpreadPropertyMissing':
      return rejection.label === undefined
        ? `cluster(s) without a ${rejection.property} to spread by`
        : `cluster(s) without the label ${rejection.label} to spread by`;
    case 'BeingEvicted':
      return 'cluster(s) being evicted from';
    case 'Suspended':
      return 'cluster(s) that are suspended';
    case 'PeersElsewhere':
      return `cluster(s) without the workloads of the affinity group ${rejection.group}`;
    case 'PeerPresent':
      return `cluster(s) with a workload of the anti-affinity group ${rejection.group}`;
  }
}

/** What would take the rejection away, for a person who may change the cluster or the policy. */
export function remedyText(rejection: Rejection): string {
  switch (rejection.code) {
    case 'AffinityMismatch': {
      const term = rejection.affinityName === '' ? 'clusterAffinity' : `term ${rejection.affinityName}`;
      return {
        exclude: `take the cluster off the exclude list of ${term}`,
        labelSelector: `give the cluster the labels that ${term} selects`,
        fieldSelector: `change the cluster's provider, region or zones, or the fieldSelector of ${term}`,
        clusterNames: `add the cluster to the clusterNames of ${term}`,
      }[rejection.criterion];
    }
    case 'ApiMissing':
      return `install ${rejection.apiVersion} ${rejection.kind} in the cluster`;
    case 'TaintUntolerated':
      return `take the taint ${rejection.key}:${rejection.effect} off the cluster, or tolerate it in clusterTolerations`;
    case 'SpreadPropertyMissing':
      return rejection.label === undefined
        ? `set the ${rejection.property} of the cluster`
        : `give the cluster the label ${rejection.label}`;
    case 'BeingEvicted':
      return 'wait until the eviction from the cluster is over';
    case 'Suspended':
      return 'resume the cluster with "navarch resume cluster/NAME"';
    case 'PeersElsewhere':
      return `let ${rejection.peer} run in the cluster too`;
    case 'PeerPresent':
      return `move ${rejection.peer} off the cluster`;
  }
}

/**
 * `0/3 clusters are available: 1 …, 2 ….`, reasons counted and in order; terminating clusters count in the total
 * alone.
 */
export function fitErrorText(verdicts: readonly Verdict[]): string {
  const counts = new Map<string, number>();
  for (const verdict of verdicts) {
    if (verdict.outcome !== 'rejected') continue;
    const [first] = verdict.rejections;
    if (first === undefined) continue;
    const text = reasonText(first);
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  const reasons = [...counts].map(([text, count]) => `${count} ${text}`).sort();
  const why = reasons.length === 0 ? 'no cluster exists' : reasons.join(', ');
  return `0/${verdicts.length} clusters are available: ${why}.`;
}
