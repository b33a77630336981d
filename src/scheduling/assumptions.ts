// Overcommit protection (scheduling.md §12): room that a decision has just taken counts as taken, until the members
// report it or a while has passed. Recorded in the same step as the decision, so two decisions in a row cannot both
// take the last room. Time is handed in.
import type { ClusterResourceBinding, ResourceBinding, TargetCluster } from '../api/index.ts';
import { isWorkload } from '../fleet/index.ts';
import type { AssumedWorkload } from './general-estimator.ts';

// LIMIT: a promise that nobody confirms within five minutes is void.
const TTL_MS = 5 * 60_000;

export interface Assumptions {
  /** Replaces what was assumed for a binding; returns how to take that back. */
  record(
    key: string,
    binding: ResourceBinding,
    clusters: readonly TargetCluster[],
    nowMs: number,
  ): () => void;
  /** What one cluster has taken shows in what is known of it. */
  release(key: string, cluster: string): void;
  /**
   * One cluster reports the binding healthy. What it reports of its room may be older, so this counts as taken until the next
   * of these reports, at most until `untilMs`.
   */
  settle(key: string, cluster: string, untilMs: number): void;
  /** One cluster has reported its room. */
  reported(cluster: string): void;
  forget(key: string): void;
  /** What counts as taken, by cluster. */
  byCluster(nowMs: number): ReadonlyMap<string, readonly AssumedWorkload[]>;
  /** Drops what has expired. */
  sweep(nowMs: number): void;
}

/** The share of one cluster; a workload of one pod template counts as one component of its name. */
function shareOf(binding: ResourceBinding, target: TargetCluster): AssumedWorkload | undefined {
  const { spec, metadata } = binding;
  const namespace = metadata.namespace ?? '';
  const { components = [], replicaRequirements } = spec;
  if (components.length > 0) return { namespace, components };
  const replicas = target.replicas ?? 0;
  if (replicas === 0) return undefined;
  const { namespace: _namespace, ...requirements } = replicaRequirements ?? {};
  return {
    namespace,
    components: [{ name: spec.resource.name, replicas, replicaRequirements: requirements }],
  };
}

export function createAssumptions(): Assumptions {
  interface Entry {
    readonly expiresMs: number;
    readonly clusters: Map<string, AssumedWorkload>;
    /** Those that report the binding healthy, and until when that is not in what they report of their room. */
    readonly settling: Map<string, number>;
  }
  const entries = new Map<string, Entry>();
  const put = (key: string, entry: Entry | undefined): void => {
    if (entry === undefined) entries.delete(key);
    else entries.set(key, entry);
  };
  const release = (key: string, cluster: string): void => {
    const entry = entries.get(key);
    entry?.clusters.delete(cluster);
    if (entry?.clusters.size === 0) entries.delete(key);
  };
  return {
    record(key, binding, targets, nowMs) {
      const clusters = new Map<string, AssumedWorkload>();
      if (isWorkload(binding.spec)) {
        for (const target of targets) {
          const share = shareOf(binding, target);
          if (share !== undefined) clusters.set(target.name, share);
        }
      }
      const before = entries.get(key);
      const now =
        clusters.size === 0
          ? undefined
          : { expiresMs: nowMs + TTL_MS, clusters, settling: new Map<string, number>() };
      put(key, now);
      return () => {
        // Something newer may have been recorded since.
        if (entries.get(key) === now) put(key, before);
      };
    },
    release,
    settle(key, cluster, untilMs) {
      const entry = entries.get(key);
      if (entry?.clusters.has(cluster) === true) entry.settling.set(cluster, untilMs);
    },
    reported(cluster) {
      for (const [key, { settling }] of entries) if (settling.has(cluster)) release(key, cluster);
    },
    forget(key) {
      entries.delete(key);
    },
    byCluster(nowMs) {
      const result = new Map<string, AssumedWorkload[]>();
      for (const { expiresMs, clusters, settling } of entries.values()) {
        if (expiresMs <= nowMs) continue;
        for (const [cluster, workload] of clusters) {
          if ((settling.get(cluster) ?? Infinity) <= nowMs) continue;
          const list = result.get(cluster);
          if (list === undefined) result.set(cluster, [workload]);
          else list.push(workload);
        }
      }
      return result;
    },
    sweep(nowMs) {
      for (const [key, { expiresMs }] of entries) if (expiresMs <= nowMs) entries.delete(key);
    },
  };
}

/** The clusters in which a binding became healthy between two versions of its status. */
export function newlyHealthy(
  before: ResourceBinding | ClusterResourceBinding | undefined,
  after: ResourceBinding | ClusterResourceBinding,
): readonly string[] {
  const healthy = (binding: typeof before): ReadonlySet<string> =>
    new Set(
      (binding?.status?.aggregatedStatus ?? [])
        .filter(({ health }) => health === 'Healthy')
        .map(({ clusterName }) => clusterName),
    );
  const old = healthy(before);
  return [...healthy(after)].filter((cluster) => !old.has(cluster));
}
