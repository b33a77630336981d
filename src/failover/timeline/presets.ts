// Sets of timeline settings by name. What a preset does not name is upstream's default.
import { upstreamTimeline, type TimelineSettings } from './settings.ts';

interface Preset {
  readonly help: string;
  readonly values: Partial<TimelineSettings>;
}

const presets = {
  upstream: { help: 'as Karmada 1.19: only taints set by people and policies evict', values: {} },
  legacy: {
    help: 'as Karmada 1.3 to 1.13: lost clusters are given up after five minutes, workloads leave after five more',
    // Evictions had no rate of their own then.
    values: { failoverMode: 'automatic', resourceEvictionRate: 1_000 },
  },
  platform: {
    help: 'a lost cluster is noticed within 10 to 20 seconds and given up 30 seconds later',
    values: {
      failoverMode: 'automatic',
      // Computed: not ready after 10 to 17 s, whether probes are refused or hang.
      clusterStatusUpdateFrequencyMs: 5_000,
      clusterProbeTimeoutMs: 2_000,
      clusterFailureThresholdMs: 8_000,
      clusterSuccessThresholdMs: 10_000,
      clusterMonitorPeriodMs: 60_000,
      clusterMonitorGracePeriodMs: 40_000,
      clusterStartupGracePeriodMs: 600_000,
      failoverEvictionTimeoutMs: 30_000,
      taintEvictionRetryPeriodMs: 5_000,
      resourceEvictionRate: 10,
    },
  },
  fast: {
    help: 'as quick as is safe: several probes in a row must fail, and a flapping cluster moves nothing',
    values: {
      failoverMode: 'automatic',
      clusterStatusUpdateFrequencyMs: 1_000,
      clusterProbeTimeoutMs: 1_000,
      clusterFailureThresholdMs: 3_000,
      clusterSuccessThresholdMs: 10_000,
      clusterMonitorPeriodMs: 1_000,
      clusterMonitorGracePeriodMs: 8_000,
      clusterStartupGracePeriodMs: 60_000,
      clusterLeaseDurationMs: 8_000,
      failoverEvictionTimeoutMs: 5_000,
      taintEvictionRetryPeriodMs: 1_000,
      resourceEvictionRate: 100,
      gracefulEvictionTimeoutMs: 300_000,
      defaultNotReadyTolerationSeconds: 0,
      defaultUnreachableTolerationSeconds: 0,
      evictionBrakePerMinute: 6_000,
    },
  },
} as const satisfies Record<string, Preset>;

export type PresetName = keyof typeof presets;
export const presetNames = Object.keys(presets) as PresetName[];

export function presetHelp(name: PresetName): string {
  return presets[name].help;
}

export function presetValues(name: PresetName): Partial<TimelineSettings> {
  return presets[name].values;
}

export function presetTimeline(name: PresetName): TimelineSettings {
  return impliedByMode({ ...upstreamTimeline, ...presets[name].values });
}

/** The automatic mode is one setting: what it needs to act is on with it. */
export function impliedByMode<T extends TimelineSettings>(settings: T): T {
  if (settings.failoverMode !== 'automatic') return settings;
  return { ...settings, enableTaintManager: true, enableNoExecuteTaintEviction: true };
}
