// Every time and limit that decides when a failing cluster is noticed, given up and emptied, as one table: the flags of
// `navarch up`, its configuration file, the presets, `navarch failover timeline` and docs/failover.md come from it.
// Defaults are upstream's (v1.19) where upstream has the setting.
import type { SettingRow } from '../../machinery/index.ts';

export interface TimelineSettings {
  /** Whether a lost cluster is given up by itself (upstream 1.3 to 1.13) or only by explicit taints (since 1.14). */
  readonly failoverMode: 'policy-driven' | 'automatic';
  readonly clusterStatusUpdateFrequencyMs: number;
  readonly clusterProbeTimeoutMs: number;
  readonly clusterFailureThresholdMs: number;
  readonly clusterSuccessThresholdMs: number;
  readonly clusterMonitorPeriodMs: number;
  readonly clusterMonitorGracePeriodMs: number;
  readonly clusterStartupGracePeriodMs: number;
  readonly clusterLeaseDurationMs: number;
  readonly clusterLeaseRenewIntervalFraction: number;
  readonly failoverEvictionTimeoutMs: number;
  readonly taintEvictionRetryPeriodMs: number;
  readonly enableTaintManager: boolean;
  readonly enableNoExecuteTaintEviction: boolean;
  readonly noExecuteTaintEvictionPurgeMode: 'Directly' | 'Gracefully';
  readonly resourceEvictionRate: number;
  readonly gracefulEvictionTimeoutMs: number;
  readonly defaultNotReadyTolerationSeconds: number;
  readonly defaultUnreachableTolerationSeconds: number;
  readonly evictionBrakePerMinute: number;
  readonly evictionBrakeFleetShare: number;
  readonly clusterSuspectFailures: number;
  readonly clusterSuspectWindowMs: number;
  readonly failoverHistoryLimit: number;
  readonly fencingLeaseDurationMs: number;
}

export const upstreamTimeline: TimelineSettings = {
  failoverMode: 'policy-driven',
  clusterStatusUpdateFrequencyMs: 10_000,
  clusterProbeTimeoutMs: 32_000,
  clusterFailureThresholdMs: 30_000,
  clusterSuccessThresholdMs: 30_000,
  clusterMonitorPeriodMs: 5_000,
  clusterMonitorGracePeriodMs: 40_000,
  clusterStartupGracePeriodMs: 60_000,
  clusterLeaseDurationMs: 40_000,
  clusterLeaseRenewIntervalFraction: 0.25,
  failoverEvictionTimeoutMs: 300_000,
  taintEvictionRetryPeriodMs: 10_000,
  enableTaintManager: true,
  enableNoExecuteTaintEviction: false,
  noExecuteTaintEvictionPurgeMode: 'Gracefully',
  resourceEvictionRate: 0.5,
  gracefulEvictionTimeoutMs: 600_000,
  defaultNotReadyTolerationSeconds: 300,
  defaultUnreachableTolerationSeconds: 300,
  evictionBrakePerMinute: 1_000,
  evictionBrakeFleetShare: 0.5,
  clusterSuspectFailures: 3,
  clusterSuspectWindowMs: 600_000,
  failoverHistoryLimit: 200,
  fencingLeaseDurationMs: 15_000,
};

export type TimelineKey = keyof TimelineSettings;

export const timelineRows: readonly SettingRow<TimelineKey>[] = [
  { name: 'failover-mode', kind: 'choice', setting: 'failoverMode', choices: ['policy-driven', 'automatic'], help: 'who gives up a lost cluster: only taints set by people and policies, or also the control plane by itself' },
  { name: 'cluster-status-update-frequency', kind: 'duration', setting: 'clusterStatusUpdateFrequencyMs', min: 1, help: 'how often the status of a push member is collected' },
  { name: 'cluster-probe-timeout', kind: 'duration', setting: 'clusterProbeTimeoutMs', min: 1, help: 'how long a member may take to answer a probe' },
  { name: 'cluster-failure-threshold', kind: 'duration', setting: 'clusterFailureThresholdMs', min: 0, help: 'how long probes must fail before a cluster is no longer ready' },
  { name: 'cluster-success-threshold', kind: 'duration', setting: 'clusterSuccessThresholdMs', min: 0, help: 'how long probes must succeed before a cluster is ready again' },
  { name: 'cluster-monitor-period', kind: 'duration', setting: 'clusterMonitorPeriodMs', min: 1, help: 'how often silence of pull members is looked for' },
  { name: 'cluster-monitor-grace-period', kind: 'duration', setting: 'clusterMonitorGracePeriodMs', min: 1, help: 'how long a pull member may be silent before its state is unknown' },
  { name: 'cluster-startup-grace-period', kind: 'duration', setting: 'clusterStartupGracePeriodMs', min: 1, help: 'the same for a member that never reported' },
  { name: 'cluster-lease-duration', kind: 'duration', setting: 'clusterLeaseDurationMs', min: 1, help: 'duration of the lease that the agent of a pull member renews' },
  { name: 'cluster-lease-renew-interval-fraction', kind: 'number', setting: 'clusterLeaseRenewIntervalFraction', min: 0, help: 'after which fraction of its duration an agent renews the lease' },
  { name: 'failover-eviction-timeout', kind: 'duration', setting: 'failoverEvictionTimeoutMs', min: 0, help: 'automatic mode: how long a cluster must be not ready or unreachable before it is tainted NoExecute' },
  { name: 'taint-eviction-retry-period', kind: 'duration', setting: 'taintEvictionRetryPeriodMs', min: 1, help: 'how soon an eviction that had to wait for something else is tried again' },
  { name: 'enable-taint-manager', kind: 'boolean', setting: 'enableTaintManager', help: 'run the taint manager, which evicts; also needs the gate Failover' },
  { name: 'enable-no-execute-taint-eviction', kind: 'boolean', setting: 'enableNoExecuteTaintEviction', help: 'evict from clusters with NoExecute taints that a workload does not tolerate; on in automatic mode' },
  { name: 'no-execute-taint-eviction-purge-mode', kind: 'choice', setting: 'noExecuteTaintEvictionPurgeMode', choices: ['Directly', 'Gracefully'], help: 'how a workload leaves a tainted cluster when its policy does not say' },
  { name: 'resource-eviction-rate', kind: 'number', setting: 'resourceEvictionRate', min: 0, help: 'workloads evicted in a second; 0 means one in 30 minutes' },
  { name: 'graceful-eviction-timeout', kind: 'duration', setting: 'gracefulEvictionTimeoutMs', min: 0, help: 'how long an old copy waits for its replacement' },
  { name: 'default-not-ready-toleration-seconds', kind: 'integer', setting: 'defaultNotReadyTolerationSeconds', min: 0, help: 'automatic mode: seconds for which policies tolerate a cluster that is not ready, unless they say themselves' },
  { name: 'default-unreachable-toleration-seconds', kind: 'integer', setting: 'defaultUnreachableTolerationSeconds', min: 0, help: 'automatic mode: the same for a cluster that cannot be reached' },
  { name: 'eviction-brake-per-minute', kind: 'integer', setting: 'evictionBrakePerMinute', min: 0, help: 'workloads evicted within a minute at which all evictions stop until an operator releases them; 0 for no such limit' },
  { name: 'eviction-brake-fleet-share', kind: 'number', setting: 'evictionBrakeFleetShare', min: 0, help: 'evictions stop while more than this share of the clusters, and at least three, are lost; 0 for no such limit' },
  { name: 'cluster-suspect-failures', kind: 'integer', setting: 'clusterSuspectFailures', min: 0, help: 'failures within the window from which on a cluster is suspect, and is not given up by itself; 0 for never' },
  { name: 'cluster-suspect-window', kind: 'duration', setting: 'clusterSuspectWindowMs', min: 1, help: 'for how long a failure counts' },
  { name: 'fencing-lease-duration', kind: 'duration', setting: 'fencingLeaseDurationMs', min: 1_000, help: 'how long a workload that must not run twice goes on in a member that hears nothing; another copy starts half as long again later' },
  { name: 'failover-history-limit', kind: 'integer', setting: 'failoverHistoryLimit', min: 1, help: 'FailoverRecords that are kept; the oldest finished ones go first' },
]; // prettier-ignore
