// clustertaintpolicy-controller: puts the taints of ClusterTaintPolicies on clusters and takes them off.
// Reads: ClusterTaintPolicies, Clusters. Writes: spec.taints of Clusters.
// COMPAT: what a policy added stays when the policy goes or no longer means the cluster.
import type { ClusterTaintPolicy } from '../api/index.ts';
import { errorMessage, formatTime } from '../base/index.ts';
import { isConflict, kinds, resource } from '../client/index.ts';
import { lossObstacle, taintsByPolicies } from '../failover/index.ts';
import { isBeingDeleted } from '../machinery/index.ts';
import {
  PRIORITY_RESYNC,
  done,
  informerSource,
  requeueAfter,
  runController,
  type Outcome,
} from '../runtime/index.ts';
import { taintsText } from './cluster.ts';
import type { Controller } from './context.ts';
import { brakeLimits, brakeOf } from './eviction-brake.ts';

const clusterTaintPolicies = resource<ClusterTaintPolicy>({
  group: 'policy.karmada.io',
  version: 'v1alpha1',
  resource: 'clustertaintpolicies',
  namespaced: false,
});

export const clusterTaintPolicyController: Controller = {
  name: 'clustertaintpolicy',
  async run(context) {
    const { informers, settings, clock, logger, metrics, signal, hubClient } = context;
    const recorder = context.recorder.withComponent('cluster-taint-policy-controller');
    if (!settings.gates.Failover) return;
    const clusters = informers.informer(kinds.clusters);
    const policies = informers.informer(clusterTaintPolicies);
    await policies.synced;
    await runController({
      name: 'clustertaintpolicy-controller',
      sources: [
        informerSource(clusters, {
          changed: (before, after) => before.status?.conditions !== after.status?.conditions,
        }),
        informerSource(policies, {
          changed: (before, after) => before.metadata.generation !== after.metadata.generation,
          map: () => clusters.store.keys(),
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
        const before = cluster.spec.taints ?? [];
        const obstacle = lossObstacle(cluster, brakeOf(context).fleet(), brakeLimits(settings));
        const { taints, held } = taintsByPolicies(
          cluster,
          policies.store.list(),
          formatTime(clock.now()),
          obstacle,
        );
        const after = (): Outcome => {
          if (!held || obstacle === undefined) return done;
          recorder.event(cluster, 'Warning', 'NotGivenUp', `Taints that evict are not added: ${obstacle}.`);
          return requeueAfter(settings.taintEvictionRetryPeriodMs, obstacle);
        };
        if (taints === before) return after();
        const { uid, resourceVersion } = cluster.metadata;
        const body = {
          metadata: { uid, resourceVersion },
          spec: { taints: taints.length === 0 ? null : taints },
        };
        try {
          await hubClient.patch(
            kinds.clusters,
            { name },
            { type: 'merge', body },
            { signal: reconcileSignal },
          );
        } catch (error) {
          if (!isConflict(error))
            recorder.event(
              cluster,
              'Warning',
              'TaintClusterFailed',
              `Taint cluster failed: ${errorMessage(error)}.`,
            );
          throw error;
        }
        recorder.event(
          cluster,
          'Normal',
          'TaintClusterSucceed',
          `Taint cluster succeed: ${taintsText(taints)}.`,
        );
        return after();
      },
    });
  },
};
