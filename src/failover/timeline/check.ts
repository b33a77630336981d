// Which settings do not make sense together. Each finding names both, and what to do.
import { formatDuration } from '../../machinery/index.ts';
import { timelineRows, type TimelineKey, type TimelineSettings } from './settings.ts';

export interface SettingFinding {
  /** An error is refused, a warning is told. */
  readonly severity: 'error' | 'warning';
  readonly settings: readonly TimelineKey[];
  readonly message: string;
  readonly nextStep: string;
}

/** Signs of life that may be lost before a member is given up. */
const SIGNS_IN_A_GRACE = 3;

export function checkTimeline(settings: TimelineSettings): readonly SettingFinding[] {
  return [
    ...checkMode(settings),
    ...checkProbing(settings),
    ...checkSilence(settings),
    ...checkPace(settings),
  ];
}

/** Flags are what people know. */
export function flagOf(key: TimelineKey): string {
  return `--${timelineRows.find(({ setting }) => setting === key)?.name ?? key}`;
}

function finding(
  severity: SettingFinding['severity'],
  settings: readonly [TimelineKey, TimelineKey],
  message: string,
  nextStep: string,
): SettingFinding {
  return { severity, settings, message, nextStep };
}

function checkMode(settings: TimelineSettings): readonly SettingFinding[] {
  if (settings.failoverMode !== 'automatic') return [];
  return (['enableTaintManager', 'enableNoExecuteTaintEviction'] as const)
    .filter((key) => !settings[key])
    .map((key) =>
      finding(
        'error',
        ['failoverMode', key],
        `${flagOf('failoverMode')}=automatic gives up lost clusters, which ${flagOf(key)}=false forbids`,
        `leave ${flagOf(key)} out, or use ${flagOf('failoverMode')}=policy-driven`,
      ),
    );
}

function checkProbing(settings: TimelineSettings): readonly SettingFinding[] {
  const {
    clusterStatusUpdateFrequencyMs: frequencyMs,
    clusterProbeTimeoutMs: timeoutMs,
    clusterFailureThresholdMs: thresholdMs,
    failoverEvictionTimeoutMs: evictionMs,
  } = settings;
  const findings: SettingFinding[] = [];
  if (thresholdMs < frequencyMs)
    findings.push(
      finding(
        'warning',
        ['clusterFailureThresholdMs', 'clusterStatusUpdateFrequencyMs'],
        `with ${flagOf('clusterFailureThresholdMs')} (${formatDuration(thresholdMs)}) below ${flagOf('clusterStatusUpdateFrequencyMs')} (${formatDuration(frequencyMs)}), two failed probes are enough to declare a cluster not ready`,
        `make ${flagOf('clusterFailureThresholdMs')} two periods or longer`,
      ),
    );
  if (timeoutMs > thresholdMs + frequencyMs)
    findings.push(
      finding(
        'warning',
        ['clusterProbeTimeoutMs', 'clusterFailureThresholdMs'],
        `${flagOf('clusterProbeTimeoutMs')} (${formatDuration(timeoutMs)}) is much longer than ${flagOf('clusterFailureThresholdMs')} (${formatDuration(thresholdMs)}): a member that hangs is noticed far later than one that refuses`,
        `shorten ${flagOf('clusterProbeTimeoutMs')}`,
      ),
    );
  if (settings.failoverMode === 'automatic' && evictionMs < frequencyMs)
    findings.push(
      finding(
        'warning',
        ['failoverEvictionTimeoutMs', 'clusterStatusUpdateFrequencyMs'],
        `${flagOf('failoverEvictionTimeoutMs')} (${formatDuration(evictionMs)}) is shorter than ${flagOf('clusterStatusUpdateFrequencyMs')} (${formatDuration(frequencyMs)}): a cluster is given up before it is looked at again`,
        `make ${flagOf('failoverEvictionTimeoutMs')} one period or longer`,
      ),
    );
  return findings;
}

function checkSilence(settings: TimelineSettings): readonly SettingFinding[] {
  const {
    clusterMonitorPeriodMs: periodMs,
    clusterMonitorGracePeriodMs: graceMs,
    clusterStartupGracePeriodMs: startupMs,
    clusterLeaseDurationMs: leaseMs,
    clusterLeaseRenewIntervalFraction: fraction,
  } = settings;
  const findings: SettingFinding[] = [];
  const renewMs = leaseMs * fraction;
  if (fraction <= 0 || fraction >= 1)
    findings.push(
      finding(
        'error',
        ['clusterLeaseRenewIntervalFraction', 'clusterLeaseDurationMs'],
        `${flagOf('clusterLeaseRenewIntervalFraction')} (${fraction}) must lie between 0 and 1, or the lease of ${flagOf('clusterLeaseDurationMs')} (${formatDuration(leaseMs)}) runs out before it is renewed`,
        'give a fraction such as 0.25',
      ),
    );
  else if (graceMs < SIGNS_IN_A_GRACE * renewMs)
    findings.push(
      finding(
        graceMs < renewMs ? 'error' : 'warning',
        ['clusterMonitorGracePeriodMs', 'clusterLeaseDurationMs'],
        `${flagOf('clusterMonitorGracePeriodMs')} (${formatDuration(graceMs)}) is less than ${SIGNS_IN_A_GRACE} renewals of the agents' lease (${flagOf('clusterLeaseDurationMs')}, renewed every ${formatDuration(renewMs)}): a lost packet can make a cluster unknown`,
        `make ${flagOf('clusterMonitorGracePeriodMs')} at least ${formatDuration(SIGNS_IN_A_GRACE * renewMs)}`,
      ),
    );
  if (graceMs < periodMs)
    findings.push(
      finding(
        'warning',
        ['clusterMonitorGracePeriodMs', 'clusterMonitorPeriodMs'],
        `${flagOf('clusterMonitorPeriodMs')} (${formatDuration(periodMs)}) is longer than ${flagOf('clusterMonitorGracePeriodMs')} (${formatDuration(graceMs)}): silence of a pull member is noticed after up to ${formatDuration(graceMs + periodMs)}`,
        `shorten ${flagOf('clusterMonitorPeriodMs')} if pull members matter`,
      ),
    );
  if (startupMs < graceMs)
    findings.push(
      finding(
        'warning',
        ['clusterStartupGracePeriodMs', 'clusterMonitorGracePeriodMs'],
        `${flagOf('clusterStartupGracePeriodMs')} (${formatDuration(startupMs)}) is shorter than ${flagOf('clusterMonitorGracePeriodMs')} (${formatDuration(graceMs)}): a new cluster gets less time than a running one`,
        `make ${flagOf('clusterStartupGracePeriodMs')} the longer one`,
      ),
    );
  return findings;
}

function checkPace(settings: TimelineSettings): readonly SettingFinding[] {
  const {
    resourceEvictionRate: rate,
    evictionBrakePerMinute: brake,
    evictionBrakeFleetShare: share,
  } = settings;
  const findings: SettingFinding[] = [];
  if (share > 1)
    findings.push(
      finding(
        'error',
        ['evictionBrakeFleetShare', 'evictionBrakePerMinute'],
        `${flagOf('evictionBrakeFleetShare')} (${share}) is a share from 0 to 1; for a number of workloads there is ${flagOf('evictionBrakePerMinute')}`,
        'give a share such as 0.5',
      ),
    );
  // One that evicts at full speed for a second is not meant to be stopped in the next.
  if (brake > 0 && brake < rate)
    findings.push(
      finding(
        'warning',
        ['evictionBrakePerMinute', 'resourceEvictionRate'],
        `${flagOf('resourceEvictionRate')} (${rate} a second) reaches ${flagOf('evictionBrakePerMinute')} (${brake}) within a second: any failover of more workloads stops there`,
        `raise ${flagOf('evictionBrakePerMinute')}, or set it to 0 for no limit`,
      ),
    );
  return findings;
}
