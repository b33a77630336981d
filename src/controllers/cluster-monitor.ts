// cluster monitor: declares pull members unknown that have given no sign of life for the grace period.
// Reads: Clusters, their Leases. Writes: the Ready condition of Clusters.
// COMPAT: a member whose agent renews its lease but never writes status counts as alive.
import { CLUSTER_NAMESPACE, type Condition, type KubeObject } from '../api/index.ts';
import { formatTime } from '../base/index.ts';
import { kinds } from '../client/index.ts';
import {
  SUSPECT_CONDITION,
  judgeSilence,
  judgeSuspicion,
  type Failures,
  type SilenceMemory,
} from '../failover/index.ts';
import { isBeingDeleted, parseTime } from '../machinery/index.ts';
import { withCondition } from '../propagation/index.ts';
import { done, informerSource, requeueAfter, runController } from '../runtime/index.ts';
import type { Controller } from './context.ts';

type Lease = KubeObject & { readonly spec?: { readonly renewTime?: string } };

/** COMPAT: switched on and off together with the cluster controller, of which it is a part upstream. */
export const clusterMonitor: Controller = {
  name: 'cluster',
  async run(context) {
    const { informers, settings, clock, logger, metrics, signal, hubClient } = context;
    const clusters = informers.informer(kinds.clusters);
    const leases = informers.informer<Lease>(kinds.leases, { namespace: CLUSTER_NAMESPACE });
    await leases.synced;
    const memories = new Map<string, SilenceMemory>();
    const failures = new Map<string, Failures>();
    await runController({
      name: 'cluster-monitor',
      sources: [informerSource(clusters)],
      concurrency: 8,
      clock,
      logger,
      metrics,
      signal,
      reconcile: async (name, { signal: reconcileSignal }) => {
        const cluster = clusters.store.get(name);
        if (cluster === undefined || isBeingDeleted(cluster) || cluster.spec.syncMode !== 'Pull') {
          memories.delete(name);
          failures.delete(name);
          return done;
        }
        const nowMs = clock.now();
        const conditions = cluster.status?.conditions ?? [];
        const { memory, ready } = judgeSilence(
          memories.get(name),
          {
            ready: conditions.find(({ type }) => type === 'Ready'),
            renewTime: leases.store.get({ namespace: CLUSTER_NAMESPACE, name })?.spec?.renewTime,
            createdMs: parseTime(cluster.metadata.creationTimestamp ?? '') ?? nowMs,
          },
          nowMs,
          {
            startupMs: settings.clusterStartupGracePeriodMs,
            runningMs: settings.clusterMonitorGracePeriodMs,
          },
        );
        memories.set(name, memory);
        const suspicion = judgeSuspicion(
          failures.get(name) ?? [],
          ready !== undefined,
          conditions.find(({ type }) => type === SUSPECT_CONDITION),
          nowMs,
          { failures: settings.clusterSuspectFailures, windowMs: settings.clusterSuspectWindowMs },
        );
        failures.set(name, suspicion.failures);
        const found = [ready, suspicion.condition].filter((one) => one !== undefined);
        if (found.length > 0) {
          const next = found.reduce<readonly Condition[]>(
            (all, one) => withCondition(all, one, formatTime(nowMs)),
            conditions,
          );
          const status = { ...cluster.status, conditions: next };
          await hubClient.updateStatus(
            kinds.clusters,
            { ...cluster, status },
            {
              signal: reconcileSignal,
            },
          );
        }
        return requeueAfter(settings.clusterMonitorPeriodMs, 'silence is looked for periodically');
      },
    });
  },
};
