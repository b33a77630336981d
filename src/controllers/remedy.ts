// remedy-controller: publishes on each Cluster what Remedies ask others to do about it.
// Reads: Remedies, Clusters. Writes: status.remedyActions of Clusters.
import type { Remedy } from '../api/index.ts';
import { kinds, resource } from '../client/index.ts';
import { remedyActions } from '../failover/index.ts';
import { deepEqual, isBeingDeleted } from '../machinery/index.ts';
import { PRIORITY_RESYNC, done, informerSource, runController } from '../runtime/index.ts';
import type { Controller } from './context.ts';

const remedies = resource<Remedy>({
  group: 'remedy.karmada.io',
  version: 'v1alpha1',
  resource: 'remedies',
  namespaced: false,
});

export const remedyController: Controller = {
  name: 'remedy',
  async run(context) {
    const { informers, clock, logger, metrics, signal, hubClient } = context;
    const clusters = informers.informer(kinds.clusters);
    const asked = informers.informer(remedies);
    await asked.synced;
    await runController({
      name: 'remedy-controller',
      sources: [
        informerSource(clusters, {
          changed: (before, after) =>
            before.status?.conditions !== after.status?.conditions ||
            before.status?.remedyActions !== after.status?.remedyActions,
        }),
        informerSource(asked, {
          changed: (before, after) => before.metadata.generation !== after.metadata.generation,
          map: ({ spec }) => spec.clusterAffinity?.clusterNames ?? clusters.store.keys(),
          priority: PRIORITY_RESYNC,
        }),
      ],
      concurrency: 8,
      clock,
      logger,
      metrics,
      signal,
      reconcile: async (name, { signal: reconcileSignal }) => {
        const cluster = clusters.store.get(name);
        if (cluster === undefined || isBeingDeleted(cluster)) return done;
        const actions = remedyActions(cluster, asked.store.list());
        if (deepEqual(cluster.status?.remedyActions ?? [], actions ?? [])) return done;
        const { remedyActions: _before, ...rest } = cluster.status ?? {};
        const status = { ...rest, ...(actions === undefined ? {} : { remedyActions: actions }) };
        await hubClient.updateStatus(
          kinds.clusters,
          { ...cluster, status },
          {
            signal: reconcileSignal,
          },
        );
        return done;
      },
    });
  },
};
