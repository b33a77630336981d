// cluster lease: while an agent lives, it renews the Lease of its Cluster on the hub, which tells silence from ill health.
// Reads: Cluster. Writes: the Lease of the Cluster.
// COMPAT: begins when the cluster is Ready for the first time, and goes on while it is not.
import { CLUSTER_NAMESPACE, type Cluster, type KubeObject } from '../api/index.ts';
import { assert, formatMicroTime } from '../base/index.ts';
import { kinds } from '../client/index.ts';
import { isBeingDeleted } from '../machinery/index.ts';
import { done, informerSource, requeueAfter, runController } from '../runtime/index.ts';
import type { Controller } from './context.ts';
import { isReady } from './readiness.ts';

// COMPAT: so that the agents of a fleet do not all renew at the same moment.
const JITTER = 0.04;

interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly renewTime?: string;
}
type Lease = KubeObject & { readonly spec?: LeaseSpec };

/** The lease as it ought to be after a renewal. Pure. */
export function renewed(before: Lease | undefined, cluster: Cluster, durationMs: number, now: string): Lease {
  const { name = '', uid = '' } = cluster.metadata;
  const owner = { apiVersion: cluster.apiVersion, kind: cluster.kind, name, uid };
  // When the Cluster was made anew under its name, the lease belongs to the one of now.
  const others = (before?.metadata.ownerReferences ?? []).filter(({ kind }) => kind !== 'Cluster');
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      ...before?.metadata,
      name,
      namespace: CLUSTER_NAMESPACE,
      ownerReferences: [...others, owner],
    },
    spec: {
      ...before?.spec,
      holderIdentity: name,
      leaseDurationSeconds: Math.ceil(durationMs / 1000),
      renewTime: now,
    },
  };
}

/** COMPAT: switched on and off together with the cluster status controller, of which it is a part upstream. */
export const clusterLease: Controller = {
  name: 'clusterStatus',
  async run(context) {
    const { charge, informers, settings, clock, random, logger, metrics, signal, hubClient } = context;
    assert(charge.role === 'agent', 'only an agent holds the lease of its cluster');
    const clusters = informers.informer(kinds.clusters);
    const periodMs = settings.clusterLeaseDurationMs * settings.clusterLeaseRenewIntervalFraction;
    let begun = false;
    await runController({
      name: 'cluster-lease',
      sources: [
        informerSource(clusters, {
          filter: ({ metadata }) => metadata.name === charge.cluster,
          changed: (before, after) => isReady(before) !== isReady(after),
        }),
      ],
      concurrency: 1,
      clock,
      logger,
      metrics,
      signal,
      reconcile: async (name, { signal: reconcileSignal }) => {
        const cluster = clusters.store.get(name);
        if (cluster === undefined || isBeingDeleted(cluster)) {
          begun = false;
          return done;
        }
        if (!begun && !isReady(cluster)) return done;
        begun = true;
        const key = { namespace: CLUSTER_NAMESPACE, name };
        const before = await hubClient.find(kinds.leases, key, { signal: reconcileSignal });
        const after = renewed(before, cluster, settings.clusterLeaseDurationMs, formatMicroTime(clock.now()));
        if (before === undefined) await hubClient.create(kinds.leases, after, { signal: reconcileSignal });
        else await hubClient.update(kinds.leases, after, { signal: reconcileSignal });
        return requeueAfter(periodMs * (1 + JITTER * random.fraction()), 'the lease is renewed periodically');
      },
    });
  },
};
