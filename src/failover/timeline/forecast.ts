// When each step of a failover happens, computed from the settings: from the moment a cluster stops answering until
// what ran there is gone or back. Each step has its earliest and its latest time after that moment.
import type { Placement, Taint } from '../../api/index.ts';
import { formatDuration } from '../../machinery/index.ts';
import { NOT_READY_TAINT, UNREACHABLE_TAINT } from '../taints.ts';
import { stayOf } from '../toleration-clock.ts';
import { flagOf } from './check.ts';
import type { TimelineKey, TimelineSettings } from './settings.ts';

/** Times are counted from the moment the cluster is lost. */
const EPOCH = '1970-01-01T00:00:00Z';

export interface ForecastInput {
  readonly settings: TimelineSettings;
  readonly syncMode: 'Push' | 'Pull';
  /** Those of the policy; undefined: what policies are completed with. */
  readonly tolerations: NonNullable<Placement['clusterTolerations']> | undefined;
  /** Of the policy; undefined: the control plane's. */
  readonly purgeMode: 'Directly' | 'Gracefully' | undefined;
  /** Workloads that run in the cluster. */
  readonly workloads: number;
}

export interface ForecastStep {
  readonly step: string;
  /** After the cluster stopped answering, in milliseconds; undefined: never. */
  readonly earliestMs: number | undefined;
  readonly latestMs: number | undefined;
  readonly why: string;
}

interface Span {
  readonly earliestMs: number;
  readonly latestMs: number;
}

export function forecast(input: ForecastInput): readonly ForecastStep[] {
  const { settings, syncMode } = input;
  const { noticed, declared } = syncMode === 'Push' ? probing(settings) : silence(settings);
  const detection: readonly ForecastStep[] = [
    noticed,
    { step: 'declared not ready', ...declared, why: whyDeclared(settings, syncMode) },
    { step: 'gets no new work', ...declared, why: 'a NoSchedule taint follows at once' },
  ];
  return [...detection, ...givingUp(input, declared)];
}

function told(settings: TimelineSettings, ...keys: readonly TimelineKey[]): string {
  return keys
    .map((key) => {
      const value = settings[key];
      return `${flagOf(key)} ${key.endsWith('Ms') && typeof value === 'number' ? formatDuration(value) : String(value)}`;
    })
    .join(', ');
}

/**
 * A probe takes from nothing, when it is refused, to its timeout, and each may take another time. Probes begin a period
 * apart, or when the one before has ended. The times hold whatever the probes do; forecast.test.ts plays them.
 */
function probing(settings: TimelineSettings): { readonly noticed: ForecastStep; readonly declared: Span } {
  const { clusterStatusUpdateFrequencyMs: periodMs, clusterProbeTimeoutMs: timeoutMs } = settings;
  const { clusterFailureThresholdMs: thresholdMs } = settings;
  const hangs = timeoutMs > periodMs;
  const earliestMs = hangs
    ? thresholdMs
    : Math.max(thresholdMs, Math.ceil((thresholdMs - timeoutMs) / periodMs) * periodMs);
  const latestMs = hangs
    ? 2 * (periodMs + timeoutMs) + thresholdMs
    : periodMs + Math.ceil((thresholdMs + timeoutMs) / periodMs) * periodMs + timeoutMs;
  return {
    noticed: {
      step: 'a probe fails for the first time',
      earliestMs: 0,
      latestMs: periodMs + timeoutMs,
      why: told(settings, 'clusterStatusUpdateFrequencyMs', 'clusterProbeTimeoutMs'),
    },
    declared: { earliestMs, latestMs },
  };
}

/** The last sign of life was up to one renewal ago, and silence is looked for once in a period. */
function silence(settings: TimelineSettings): { readonly noticed: ForecastStep; readonly declared: Span } {
  const { clusterLeaseDurationMs: leaseMs, clusterLeaseRenewIntervalFraction: fraction } = settings;
  const { clusterMonitorGracePeriodMs: graceMs, clusterMonitorPeriodMs: periodMs } = settings;
  const renewMs = leaseMs * fraction;
  return {
    noticed: {
      step: 'a renewal of the lease is missing',
      earliestMs: 0,
      latestMs: renewMs,
      why: told(settings, 'clusterLeaseDurationMs', 'clusterLeaseRenewIntervalFraction'),
    },
    declared: { earliestMs: Math.max(0, graceMs - renewMs), latestMs: graceMs + periodMs },
  };
}

function whyDeclared(settings: TimelineSettings, syncMode: 'Push' | 'Pull'): string {
  return syncMode === 'Push'
    ? told(settings, 'clusterFailureThresholdMs')
    : told(settings, 'clusterMonitorGracePeriodMs', 'clusterMonitorPeriodMs');
}

function givingUp(input: ForecastInput, declared: Span): readonly ForecastStep[] {
  const { settings, syncMode, workloads } = input;
  if (settings.failoverMode !== 'automatic')
    return [
      {
        step: 'given up (NoExecute taint)',
        earliestMs: undefined,
        latestMs: undefined,
        why: `only people and ClusterTaintPolicies do that: ${told(settings, 'failoverMode')}`,
      },
    ];
  const tainted = plus(declared, settings.failoverEvictionTimeoutMs);
  const up: ForecastStep = {
    step: 'given up (NoExecute taint)',
    ...tainted,
    why: told(settings, 'failoverEvictionTimeoutMs'),
  };
  const key = syncMode === 'Push' ? NOT_READY_TAINT : UNREACHABLE_TAINT;
  const stay = toleratedMs(input, { key, effect: 'NoExecute', timeAdded: EPOCH });
  if (stay === undefined)
    return [
      up,
      {
        step: 'workloads leave',
        earliestMs: undefined,
        latestMs: undefined,
        why: 'the taint is tolerated for ever',
      },
    ];
  const leave = plus(tainted, stay);
  const rate = settings.resourceEvictionRate === 0 ? 1 / 1800 : settings.resourceEvictionRate;
  const last = plus(leave, workloads <= 1 ? 0 : ((workloads - 1) / rate) * 1000);
  const purgeMode = input.purgeMode ?? settings.noExecuteTaintEvictionPurgeMode;
  const brake = settings.evictionBrakePerMinute;
  return [
    up,
    {
      step: 'the first workload leaves',
      ...leave,
      why: stay === 0 ? 'nothing tolerates the taint' : `tolerated for ${formatDuration(stay)}`,
    },
    ...(workloads > 1
      ? [
          {
            step: `the last of ${workloads} workloads leaves`,
            ...last,
            why:
              told(settings, 'resourceEvictionRate') +
              (brake > 0 && Math.min(workloads, rate * 60) > brake
                ? `; held at ${told(settings, 'evictionBrakePerMinute')}`
                : ''),
          },
        ]
      : []),
    {
      step: 'old copies go, at the latest',
      earliestMs: leave.earliestMs,
      latestMs: purgeMode === 'Directly' ? last.latestMs : last.latestMs + settings.gracefulEvictionTimeoutMs,
      why:
        purgeMode === 'Directly'
          ? 'purge mode Directly'
          : `when new ones are healthy, or ${told(settings, 'gracefulEvictionTimeoutMs')}; the last healthy one stays`,
    },
  ];
}

function plus({ earliestMs, latestMs }: Span, ms: number): Span {
  return { earliestMs: earliestMs + ms, latestMs: latestMs + ms };
}

/** How long the taint is tolerated after it was added; undefined: for ever. */
function toleratedMs({ settings, tolerations }: ForecastInput, taint: Taint): number | undefined {
  if (tolerations === undefined) {
    const { defaultNotReadyTolerationSeconds, defaultUnreachableTolerationSeconds } = settings;
    return (
      (taint.key === NOT_READY_TAINT
        ? defaultNotReadyTolerationSeconds
        : defaultUnreachableTolerationSeconds) * 1000
    );
  }
  const stay = stayOf([taint], tolerations, 0);
  return stay.kind === 'for-ever' ? undefined : stay.kind === 'ends' ? 0 : stay.forMs;
}
