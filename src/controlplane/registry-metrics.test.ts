import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetricsRegistry } from '../apiserver/index.ts';
import { defaultFeatureGates, parseFeatureGates } from '../base/index.ts';
import { schedulingMetrics, showGates } from './registry-metrics.ts';

/** The lines of a metric without buckets. */
function lines(text: string, name: string): string[] {
  return text.split('\n').filter((line) => line.startsWith(name) && !line.includes('_bucket{'));
}

test('metrics: an attempt is counted and timed, step by step', () => {
  const registry = createMetricsRegistry();
  let nowMs = 1000;
  const metrics = schedulingMetrics(registry, () => nowMs);
  metrics.incoming('BindingAdd');
  metrics.pendingFrom(() => ({ active: 2, backoff: 0, unschedulable: 1 }));
  const timer = metrics.timer();
  nowMs += 2;
  timer.step('Filter');
  nowMs += 1;
  timer.step('Score');
  timer.attempted('scheduled', 'ScaleSchedule');
  metrics.applying()(true);
  metrics.preempted(false);
  metrics.matching()();
  const text = registry.text();
  assert.deepEqual(lines(text, 'karmada_scheduler_queue_incoming_bindings_total'), [
    'karmada_scheduler_queue_incoming_bindings_total{event="BindingAdd"} 1',
  ]);
  assert.deepEqual(lines(text, 'scheduler_pending_bindings'), [
    'scheduler_pending_bindings{queue="active"} 2',
    'scheduler_pending_bindings{queue="backoff"} 0',
    'scheduler_pending_bindings{queue="unschedulable"} 1',
  ]);
  assert.deepEqual(lines(text, 'karmada_scheduler_schedule_attempts_total'), [
    'karmada_scheduler_schedule_attempts_total{result="scheduled",schedule_type="ScaleSchedule"} 1',
  ]);
  assert.deepEqual(lines(text, 'karmada_scheduler_scheduling_algorithm_duration_seconds_sum'), [
    'karmada_scheduler_scheduling_algorithm_duration_seconds_sum{schedule_step="Filter"} 0.002',
    'karmada_scheduler_scheduling_algorithm_duration_seconds_sum{schedule_step="Score"} 0.001',
  ]);
  assert.deepEqual(lines(text, 'policy_'), [
    'policy_apply_attempts_total{result="success"} 1',
    'policy_preemption_total{result="error"} 1',
  ]);
});

test('metrics: every feature gate with its stage, on or off', () => {
  const registry = createMetricsRegistry();
  showGates(registry, parseFeatureGates('WorkloadAffinity=true'));
  const shown = lines(registry.text(), 'kubernetes_feature_enabled');
  assert.ok(shown.includes('kubernetes_feature_enabled{name="WorkloadAffinity",stage="ALPHA"} 1'));
  assert.ok(shown.includes('kubernetes_feature_enabled{name="Failover",stage="BETA"} 0'));
  assert.equal(shown.length, Object.keys(defaultFeatureGates).length);
});
