// Every knob of the controllers in one place, with its unit in its name. Defaults are upstream's (v1.19).
import { defaultFeatureGates, type FeatureGates } from '../base/index.ts';
import { upstreamTimeline, type TimelineSettings } from '../failover/index.ts';

export interface ControllerSettings extends TimelineSettings {
  readonly gates: FeatureGates;
  /** Which controllers run: `*`, `name`, `-name`, as upstream's `--controllers`. */
  readonly controllers: readonly string[];
  readonly enableClusterResourceModeling: boolean;
  /** For how long deletions can be undone; 0: they cannot. */
  readonly undoWindowMs: number;
  readonly schedulerName: string;
  readonly enableEmptyWorkloadPropagation: boolean;
  /** Which plugins of the scheduler run; read by enabledPlugins. */
  readonly schedulerPlugins: readonly string[];
  /** Whether the scheduler asks accurate estimators. */
  readonly enableSchedulerEstimator: boolean;
  readonly disableSchedulerEstimatorInPullMode: boolean;
  /** How long all estimators together may take to answer. */
  readonly schedulerEstimatorTimeoutMs: number;
  /** Estimators are found by Services here, called prefix-cluster. */
  readonly schedulerEstimatorServiceNamespace: string;
  readonly schedulerEstimatorServicePrefix: string;
  readonly schedulerEstimatorPort: number;
  /** PEM files; empty: none. */
  readonly schedulerEstimatorCertFile: string;
  readonly schedulerEstimatorKeyFile: string;
  readonly schedulerEstimatorCaFile: string;
  readonly insecureSkipEstimatorVerify: boolean;
  readonly deschedulingIntervalMs: number;
  /** How long a pod must have found no node to count as unschedulable. */
  readonly unschedulableThresholdMs: number;
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
  ...upstreamTimeline,
  gates: defaultFeatureGates,
  controllers: ['*'],
  enableClusterResourceModeling: true,
  undoWindowMs: 3_600_000,
  schedulerName: 'default-scheduler',
  enableEmptyWorkloadPropagation: false,
  schedulerPlugins: ['*'],
  enableSchedulerEstimator: false,
  disableSchedulerEstimatorInPullMode: false,
  schedulerEstimatorTimeoutMs: 3_000,
  schedulerEstimatorServiceNamespace: 'karmada-system',
  schedulerEstimatorServicePrefix: 'karmada-scheduler-estimator',
  schedulerEstimatorPort: 10_352,
  schedulerEstimatorCertFile: '',
  schedulerEstimatorKeyFile: '',
  schedulerEstimatorCaFile: '',
  insecureSkipEstimatorVerify: false,
  deschedulingIntervalMs: 120_000,
  unschedulableThresholdMs: 300_000,
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
const OFF_BY_DEFAULT: ReadonlySet<string> = new Set([
  'certRotation',
  'descheduler',
  'hpaScaleTargetMarker',
  'deploymentReplicasSyncer',
]);

/** Whether `--controllers` switches `name` on. */
export function controllerEnabled(name: string, controllers: readonly string[]): boolean {
  if (controllers.includes(name)) return true;
  if (controllers.includes(`-${name}`)) return false;
  return controllers.includes('*') && !OFF_BY_DEFAULT.has(name);
}
