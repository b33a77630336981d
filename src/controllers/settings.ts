// Every knob of the controllers in one place, with its unit in its name. Defaults are upstream's (v1.19).
import { defaultFeatureGates, type FeatureGates } from '../base/index.ts';

export interface ControllerSettings {
  readonly gates: FeatureGates;
  /** Which controllers run: `*`, `name`, `-name`, as upstream's `--controllers`. */
  readonly controllers: readonly string[];
  /** How often the status of a push member is collected. */
  readonly clusterStatusUpdateFrequencyMs: number;
  /** How long a member may take to answer a probe. Upstream's is fixed at this default. */
  readonly clusterProbeTimeoutMs: number;
  /** How long probes must fail before Ready leaves True. */
  readonly clusterFailureThresholdMs: number;
  /** How long probes must succeed before Ready returns to True. */
  readonly clusterSuccessThresholdMs: number;
  readonly clusterMonitorPeriodMs: number;
  readonly clusterMonitorGracePeriodMs: number;
  readonly clusterStartupGracePeriodMs: number;
  readonly enableClusterResourceModeling: boolean;
  readonly enableTaintManager: boolean;
  /** Whether NoExecute taints evict; with the gate Failover and the taint manager. */
  readonly enableNoExecuteTaintEviction: boolean;
  /** For bindings whose policy says nothing about it. */
  readonly noExecuteTaintEvictionPurgeMode: 'Directly' | 'Gracefully';
  /** Bindings evicted in a second, over all clusters; 0 means one in 30 minutes. */
  readonly resourceEvictionRate: number;
  /** How long an old copy waits for the new one when its task does not say. */
  readonly gracefulEvictionTimeoutMs: number;
  readonly schedulerName: string;
  readonly enableEmptyWorkloadPropagation: boolean;
  /** Regular expressions, each matched against the whole namespace. */
  readonly skippedPropagatingNamespaces: readonly string[];
  /** `group`, `group/version` or `group/version/Kind,Kind`. */
  readonly skippedPropagatingApis: readonly string[];
  readonly concurrentResourceTemplateSyncs: number;
  readonly concurrentBindingSyncs: number;
  /** Per member: how many Works are being executed at once. */
  readonly concurrentWorkSyncs: number;
  readonly rateLimiterBaseDelayMs: number;
  readonly rateLimiterMaxDelayMs: number;
}

export const defaultControllerSettings: ControllerSettings = {
  gates: defaultFeatureGates,
  controllers: ['*'],
  clusterStatusUpdateFrequencyMs: 10_000,
  clusterProbeTimeoutMs: 32_000,
  clusterFailureThresholdMs: 30_000,
  clusterSuccessThresholdMs: 30_000,
  clusterMonitorPeriodMs: 5_000,
  clusterMonitorGracePeriodMs: 40_000,
  clusterStartupGracePeriodMs: 60_000,
  enableClusterResourceModeling: true,
  enableTaintManager: true,
  enableNoExecuteTaintEviction: false,
  noExecuteTaintEvictionPurgeMode: 'Gracefully',
  resourceEvictionRate: 0.5,
  gracefulEvictionTimeoutMs: 600_000,
  schedulerName: 'default-scheduler',
  enableEmptyWorkloadPropagation: false,
  skippedPropagatingNamespaces: ['kube-.*'],
  skippedPropagatingApis: [],
  concurrentResourceTemplateSyncs: 32,
  concurrentBindingSyncs: 32,
  concurrentWorkSyncs: 64,
  rateLimiterBaseDelayMs: 5,
  // Upstream waits up to 1,000 s, which leaves people watching a thing that was mended long ago.
  rateLimiterMaxDelayMs: 60_000,
};

// Off unless named, as upstream.
const OFF_BY_DEFAULT: ReadonlySet<string> = new Set(['hpaScaleTargetMarker', 'deploymentReplicasSyncer']);

/** Whether `--controllers` switches `name` on. */
export function controllerEnabled(name: string, controllers: readonly string[]): boolean {
  if (controllers.includes(name)) return true;
  if (controllers.includes(`-${name}`)) return false;
  return controllers.includes('*') && !OFF_BY_DEFAULT.has(name);
}
