import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkTimeline,
  presetNames,
  presetTimeline,
  upstreamTimeline,
  type TimelineSettings,
} from '../index.ts';

const cases: readonly [what: string, changes: Partial<TimelineSettings>, found: readonly string[]][] = [
  ['what upstream does makes sense', {}, []],
  [
    'a threshold below the period believes two probes',
    { clusterFailureThresholdMs: 5_000, clusterProbeTimeoutMs: 5_000 },
    ['warning clusterFailureThresholdMs clusterStatusUpdateFrequencyMs'],
  ],
  [
    'a long probe makes a hanging member noticed late',
    { clusterProbeTimeoutMs: 60_000 },
    ['warning clusterProbeTimeoutMs clusterFailureThresholdMs'],
  ],
  [
    'a grace of less than three renewals',
    { clusterMonitorGracePeriodMs: 29_000 },
    ['warning clusterMonitorGracePeriodMs clusterLeaseDurationMs'],
  ],
  [
    'a grace of less than one renewal is refused',
    { clusterMonitorGracePeriodMs: 9_000 },
    ['error clusterMonitorGracePeriodMs clusterLeaseDurationMs'],
  ],
  [
    'silence is looked for more seldom than it counts',
    { clusterMonitorPeriodMs: 41_000 },
    ['warning clusterMonitorGracePeriodMs clusterMonitorPeriodMs'],
  ],
  [
    'a new cluster gets less time than a running one',
    { clusterStartupGracePeriodMs: 39_000 },
    ['warning clusterStartupGracePeriodMs clusterMonitorGracePeriodMs'],
  ],
  [
    'a fraction of the whole lease',
    { clusterLeaseRenewIntervalFraction: 1 },
    ['error clusterLeaseRenewIntervalFraction clusterLeaseDurationMs'],
  ],
  [
    'the automatic mode without what evicts',
    { failoverMode: 'automatic', enableNoExecuteTaintEviction: true, enableTaintManager: false },
    ['error failoverMode enableTaintManager'],
  ],
  [
    'giving up before a second look',
    { failoverMode: 'automatic', enableNoExecuteTaintEviction: true, failoverEvictionTimeoutMs: 5_000 },
    ['warning failoverEvictionTimeoutMs clusterStatusUpdateFrequencyMs'],
  ],
  [
    'a share above one',
    { evictionBrakeFleetShare: 50 },
    ['error evictionBrakeFleetShare evictionBrakePerMinute'],
  ],
  [
    'a brake that the first second reaches',
    { resourceEvictionRate: 2_000 },
    ['warning evictionBrakePerMinute resourceEvictionRate'],
  ],
];
for (const [what, changes, found] of cases) {
  test(what, () => {
    const findings = checkTimeline({ ...upstreamTimeline, ...changes });
    assert.deepEqual(
      findings.map(({ severity, settings }) => [severity, ...settings].join(' ')),
      found,
    );
  });
}

test('every finding names the flags it is about, and every preset is accepted', () => {
  for (const [, changes] of cases) {
    for (const { message } of checkTimeline({ ...upstreamTimeline, ...changes }))
      assert.match(message, /--[a-z-]+.*--[a-z-]+/);
  }
  for (const name of presetNames)
    assert.deepEqual(
      checkTimeline(presetTimeline(name)).filter(({ severity }) => severity === 'error'),
      [],
    );
});
