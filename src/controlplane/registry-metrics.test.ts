import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetricsRegistry } from '../apiserver/index.ts';
import { defaultFeatureGates, parseFeatureGates } from '../base/index.ts';
import { dispatchMetrics, schedulingMetrics, showGates } from './registry-metrics.ts';

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

test('metrics: what is written to members is counted, by kind and by member', () => {
  const registry = createMetricsRegistry();
  let nowMs = 1000;
  const metrics = dispatchMetrics(registry, () => nowMs);
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment' };
  const over = [metrics.writingWorks(), metrics.applyingWork()];
  nowMs += 4;
  for (const end of over) end(true);
  metrics.created(true, deployment, 'm1');
  metrics.updated(false, deployment, 'm1', 'none');
  metrics.deleted(true, deployment, 'm1');
  const text = registry.text();
  const common = 'apiversion="apps/v1",kind="Deployment",member_cluster="m1"';
  assert.deepEqual(lines(text, 'create_resource_to_cluster'), [
    `create_resource_to_cluster{result="success",${common},recreate="false"} 1`,
  ]);
  assert.deepEqual(lines(text, 'update_resource_to_cluster'), [
    `update_resource_to_cluster{result="error",${common},operationResult="none"} 1`,
  ]);
  assert.deepEqual(lines(text, 'delete_resource_from_cluster'), [
    `delete_resource_from_cluster{result="success",${common}} 1`,
  ]);
  for (const name of ['binding_sync_work_duration_seconds', 'work_sync_workload_duration_seconds']) {
    assert.deepEqual(lines(text, name), [
      `${name}_sum{result="success"} 0.004`,
      `${name}_count{result="success"} 1`,
    ]);
  }
});

test('metrics: every feature gate with its stage, on or off', () => {
  const registry = createMetricsRegistry();
  showGates(registry, parseFeatureGates('WorkloadAffinity=true'));
  const shown = lines(registry.text(), 'kubernetes_feature_enabled');
  assert.ok(shown.includes('kubernetes_feature_enabled{name="WorkloadAffinity",stage="ALPHA"} 1'));
  assert.ok(shown.includes('kubernetes_feature_enabled{name="Failover",stage="BETA"} 0'));
  assert.equal(shown.length, Object.keys(defaultFeatureGates).length);
});
