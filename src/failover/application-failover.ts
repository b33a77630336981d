// When an unhealthy application leaves its cluster (clusters-and-failover.md §11). What is remembered between looks
// is passed in and out, so that a decision can be replayed.
import type { AggregatedStatusItem, ApplicationFailover, GracefulEvictionTask } from '../api/index.ts';
import type { Binding } from './binding.ts';

const DEFAULT_TOLERATION_SECONDS = 300;

/** By cluster: when its copy was first seen unhealthy, in milliseconds. */
export type UnhealthySince = ReadonlyMap<string, number>;

export interface ApplicationVerdict {
  readonly evict: readonly string[];
  readonly since: UnhealthySince;
  readonly recheckAfterMs: number | undefined;
}

/** A single look that is not unhealthy starts the clock anew. */
export function judgeApplication(
  { spec, status }: Binding,
  { decisionConditions }: ApplicationFailover,
  before: UnhealthySince,
  nowMs: number,
): ApplicationVerdict {
  const toleratedMs = (decisionConditions.tolerationSeconds ?? DEFAULT_TOLERATION_SECONDS) * 1000;
  const evicting = new Set((spec.gracefulEvictionTasks ?? []).map(({ fromCluster }) => fromCluster));
  const health = new Map(
    (status?.aggregatedStatus ?? []).map((item): [string, AggregatedStatusItem['health']] => [
      item.clusterName,
      item.health,
    ]),
  );
  const evict: string[] = [];
  const since = new Map<string, number>();
  const waits: number[] = [];
  for (const { name } of spec.clusters ?? []) {
    const seen = health.get(name);
    const known = before.get(name);
    if (seen === 'Healthy' || seen === 'Unknown') continue;
    if (seen !== 'Unhealthy' || evicting.has(name)) {
      // Nothing is known now, which neither starts a clock nor stops one.
      if (known !== undefined) since.set(name, known);
      continue;
    }
    const firstMs = known ?? nowMs;
    if (nowMs - firstMs >= toleratedMs) {
      evict.push(name);
      continue;
    }
    since.set(name, firstMs);
    waits.push(firstMs + toleratedMs - nowMs);
  }
  return { evict, since, recheckAfterMs: waits.length === 0 ? undefined : Math.min(...waits) };
}

export function applicationEvictionTask(
  { kind, spec }: Binding,
  failover: ApplicationFailover,
  fromCluster: string,
  preservedLabelState: Readonly<Record<string, string>> | undefined,
): GracefulEvictionTask {
  const { purgeMode = 'Gracefully', gracePeriodSeconds } = failover;
  const scope = kind === 'ResourceBinding' ? 'resource-binding' : 'cluster-resource-binding';
  return {
    fromCluster,
    purgeMode,
    reason: 'ApplicationFailure',
    producer: `${scope}-application-failover-controller`,
    ...(purgeMode === 'Gracefully' && gracePeriodSeconds !== undefined ? { gracePeriodSeconds } : {}),
    ...(purgeMode === 'Never' ? { suppressDeletion: true } : {}),
    ...(preservedLabelState === undefined
      ? {}
      : { preservedLabelState, clustersBeforeFailover: (spec.clusters ?? []).map(({ name }) => name) }),
  };
}
