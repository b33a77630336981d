// What a probe of a member says, and when it is believed (upstream: cluster-status-controller and its threshold
// cache). A single failed probe changes nothing; a cluster is declared not ready only after probes have failed for
// the failure threshold, and ready again only after they have succeeded for the success threshold.
import type { Condition } from '../api/index.ts';

/** What one probe found. */
export type ProbeResult =
  /** 200 from /readyz (or /healthz where that is all there is). */
  | { readonly kind: 'healthy' }
  /** An answer that is a success but not 200. */
  | { readonly kind: 'unhealthy' }
  /** No answer, or one that is an HTTP error. */
  | { readonly kind: 'offline'; readonly why: string }
  /** No client could be built: credentials or endpoint are missing or malformed. */
  | { readonly kind: 'unusable'; readonly why: string };

export interface ObservedReady {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

export function readyFromProbe(result: ProbeResult): ObservedReady {
  switch (result.kind) {
    case 'healthy':
      return {
        status: 'True',
        reason: 'ClusterReady',
        message: 'cluster is healthy and ready to accept workloads',
      };
    case 'unhealthy':
      return {
        status: 'False',
        reason: 'ClusterNotReady',
        message: 'cluster is reachable but its health endpoint does not answer ok',
      };
    case 'offline':
      return {
        status: 'False',
        reason: 'ClusterNotReachable',
        message: `cluster is not reachable: ${result.why}`,
      };
    case 'unusable':
      return {
        status: 'False',
        reason: 'StatusCollectionFailed',
        message: `no client for the cluster: ${result.why}`,
      };
  }
}

/** What the last probes of one cluster have been saying, and since when. Kept in memory only. */
export interface ProbeMemory {
  readonly status: ObservedReady['status'];
  readonly changedAtMs: number;
}

export interface Thresholds {
  readonly failureMs: number;
  readonly successMs: number;
}

/**
 * The Ready condition to believe now. `current` is the one on the Cluster; undefined when there is none yet, and then
 * the first observation counts at once. So does the first one after a start of this process, unless it would declare a
 * cluster lost that was ready: upstream does that without the threshold.
 */
export function believe(
  memory: ProbeMemory | undefined,
  current: Pick<Condition, 'status'> | undefined,
  observed: ObservedReady,
  nowMs: number,
  thresholds: Thresholds,
): { readonly believed: boolean; readonly memory: ProbeMemory } {
  const seen: ProbeMemory =
    memory === undefined || (current !== undefined && memory.status !== observed.status)
      ? { status: observed.status, changedAtMs: nowMs }
      : memory;
  const loses = current?.status === 'True' && observed.status !== 'True';
  if (current === undefined || (memory === undefined && !loses)) return { believed: true, memory: seen };
  const thresholdMs = observed.status === 'True' ? thresholds.successMs : thresholds.failureMs;
  // Changes between False and Unknown are never delayed: neither lets work in.
  const turns = (observed.status === 'True') !== (current.status === 'True');
  return { believed: !turns || nowMs >= seen.changedAtMs + thresholdMs, memory: seen };
}
