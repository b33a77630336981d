// Metrics of the controllers and feature gates in the registry that the API server shows under /metrics.
import type { MetricsRegistry } from '../apiserver/index.ts';
import { featureGates, type FeatureGates, type GateName } from '../base/index.ts';
import type { DispatchMetrics, SchedulingMetrics } from '../controllers/index.ts';

const exponential = (start: number, factor: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, index) => start * factor ** index);

const resultOf = (ok: boolean): string => (ok ? 'success' : 'error');

/** @param elapsedMs milliseconds since any time, as exact as can be told */
export function schedulingMetrics(registry: MetricsRegistry, elapsedMs: () => number): SchedulingMetrics {
  const seconds = (sinceMs: number): number => (elapsedMs() - sinceMs) / 1000;
  const incoming = registry.counter(
    'karmada_scheduler_queue_incoming_bindings_total',
    'Bindings put into the scheduling queue, by what brought them',
    ['event'],
  );
  const attempts = registry.counter(
    'karmada_scheduler_schedule_attempts_total',
    'Attempts to schedule a binding',
    ['result', 'schedule_type'],
  );
  const endToEnd = registry.histogram(
    'karmada_scheduler_e2e_scheduling_duration_seconds',
    'Time from taking a binding out of the queue to its result, in seconds',
    ['result', 'schedule_type'],
    exponential(0.001, 2, 15),
  );
  const steps = registry.histogram(
    'karmada_scheduler_scheduling_algorithm_duration_seconds',
    'Time of each step of a decision, in seconds',
    ['schedule_step'],
    exponential(0.001, 2, 15),
  );
  const points = registry.histogram(
    'karmada_scheduler_framework_extension_point_duration_seconds',
    'Time of all plugins of an extension point, in seconds',
    ['extension_point', 'result'],
    exponential(0.0001, 2, 12),
  );
  const matched = registry.histogram(
    'resource_match_policy_duration_seconds',
    'Time to find the policy of a template, in seconds',
    [],
    exponential(0.001, 2, 12),
  );
  const applied = registry.histogram(
    'resource_apply_policy_duration_seconds',
    'Time to apply a policy to a template, in seconds',
    ['result'],
    exponential(0.001, 2, 12),
  );
  const applications = registry.counter('policy_apply_attempts_total', 'Attempts to apply a policy', [
    'result',
  ]);
  const preemptions = registry.counter('policy_preemption_total', 'Templates that policies took over', [
    'result',
  ]);
  const evictionSeconds = registry.histogram(
    'eviction_processing_latency_seconds',
    'Time to evict a binding, in seconds',
    ['name'],
    exponential(0.001, 2, 15),
  );
  const evictions = registry.counter('eviction_processing_total', 'Evictions that were tried', [
    'name',
    'result',
  ]);
  return {
    incoming: (event) => incoming.increment([event]),
    pendingFrom(counts) {
      registry.observed(
        'scheduler_pending_bindings',
        'Bindings that wait to be scheduled, by the part of the queue they are in',
        () => Object.entries(counts()).map(([queue, count]) => [[queue], count] as const),
        ['queue'],
      );
    },
    timer() {
      const startedMs = elapsedMs();
      let lastMs = startedMs;
      return {
        step(step) {
          const took = seconds(lastMs);
          lastMs = elapsedMs();
          steps.observe([step], took);
          if (step === 'Filter' || step === 'Score') points.observe([step, 'Success'], took);
        },
        attempted(result, type) {
          attempts.increment([result, type]);
          endToEnd.observe([result, type], seconds(startedMs));
        },
      };
    },
    matching() {
      const startedMs = elapsedMs();
      return () => matched.observe([], seconds(startedMs));
    },
    applying() {
      const startedMs = elapsedMs();
      return (ok) => {
        applied.observe([resultOf(ok)], seconds(startedMs));
        applications.increment([resultOf(ok)]);
      };
    },
    preempted: (ok) => preemptions.increment([resultOf(ok)]),
    evicting(queue) {
      const startedMs = elapsedMs();
      return (ok) => {
        evictionSeconds.observe([queue], seconds(startedMs));
        evictions.increment([queue, resultOf(ok)]);
      };
    },
  };
}

/** @param elapsedMs milliseconds since any time, as exact as can be told */
export function dispatchMetrics(registry: MetricsRegistry, elapsedMs: () => number): DispatchMetrics {
  const timed = (name: string, help: string): (() => (ok: boolean) => void) => {
    const histogram = registry.histogram(name, help, ['result'], exponential(0.001, 2, 12));
    return () => {
      const startedMs = elapsedMs();
      return (ok) => histogram.observe([resultOf(ok)], (elapsedMs() - startedMs) / 1000);
    };
  };
  const labels = ['result', 'apiversion', 'kind', 'member_cluster'];
  const created = registry.counter('create_resource_to_cluster', 'Objects created in a member', [
    ...labels,
    'recreate',
  ]);
  const updated = registry.counter(
    'update_resource_to_cluster',
    'Objects compared with, and updated in, a member',
    [...labels, 'operationResult'],
  );
  const deleted = registry.counter('delete_resource_from_cluster', 'Objects deleted from a member', labels);
  return {
    writingWorks: timed(
      'binding_sync_work_duration_seconds',
      'Time to write the Works of a binding, in seconds',
    ),
    applyingWork: timed(
      'work_sync_workload_duration_seconds',
      'Time to apply the manifests of a Work, in seconds',
    ),
    // COMPAT: upstream never says true here.
    created: (ok, { apiVersion, kind }, cluster) =>
      created.increment([resultOf(ok), apiVersion, kind, cluster, 'false']),
    updated: (ok, { apiVersion, kind }, cluster, result) =>
      updated.increment([resultOf(ok), apiVersion, kind, cluster, result]),
    deleted: (ok, { apiVersion, kind }, cluster) =>
      deleted.increment([resultOf(ok), apiVersion, kind, cluster]),
  };
}

/** COMPAT: the metric that all processes of Kubernetes show their gates by. */
export function showGates(registry: MetricsRegistry, gates: FeatureGates): void {
  const stages = { Alpha: 'ALPHA', Beta: 'BETA', GA: '' } as const;
  registry.observed(
    'kubernetes_feature_enabled',
    'Feature gates: 1 is on, 0 is off',
    () =>
      (Object.keys(featureGates) as GateName[]).map((name) => [
        [name, stages[featureGates[name].stage]],
        gates[name] ? 1 : 0,
      ]),
    ['name', 'stage'],
  );
}
