// federated-resource-quota-sync-controller: a cluster with a fixed share of a quota gets a ResourceQuota of that size.
// Reads: FederatedResourceQuotas, Clusters, Works. Writes: Works.
import {
  clusterOfExecutionNamespace,
  FEDERATED_RESOURCE_QUOTA_NAMESPACE_LABEL,
  FEDERATED_RESOURCE_QUOTA_NAME_LABEL,
  type Cluster,
  type FederatedResourceQuota,
  type Work,
} from '../../api/index.ts';
import { errorMessage } from '../../base/index.ts';
import { isNotFound, keyOf, kinds } from '../../client/index.ts';
import { isBeingDeleted } from '../../machinery/index.ts';
import { manifestWork, quotaManifest } from '../../propagation/index.ts';
import {
  done,
  informerSource,
  retry,
  runController,
  type Informer,
  type Outcome,
} from '../../runtime/index.ts';
import { writeWork } from '../binding.ts';
import type { Controller, ControllerContext } from '../context.ts';
import { WORKS_BY_QUOTA, quotaKeyOf, quotaResource, worksOfQuotas } from './quota-works.ts';

const NAME = 'federated-resource-quota-sync-controller';

export const quotaSyncController: Controller = {
  name: 'federatedResourceQuotaSync',
  async run(context) {
    const { informers, clock, logger, metrics, signal } = context;
    const quotas = informers.informer(quotaResource);
    const clusters = informers.informer(kinds.clusters);
    const works = worksOfQuotas(context);
    const shareOf = (quota: FederatedResourceQuota, cluster: Cluster): boolean =>
      (quota.spec.staticAssignments ?? []).some(({ clusterName }) => clusterName === cluster.metadata.name);
    const told = { ...context, recorder: context.recorder.withComponent(NAME) };
    await runController({
      name: NAME,
      sources: [
        informerSource(quotas, {
          changed: (before, after) => before.metadata.generation !== after.metadata.generation,
        }),
        informerSource(clusters, {
          map: (cluster) => [...quotas.store.values()].filter((quota) => shareOf(quota, cluster)).map(keyOf),
          changed: () => false,
        }),
        // A Work whose quota went while nobody was looking goes too, and one that was taken away comes back.
        informerSource(works, { map: quotaKeyOf, changed: () => false }),
      ],
      clock,
      logger,
      metrics,
      signal,
      reconcile: async (key, { signal: reconcileSignal }) => {
        const quota = quotas.store.get(key);
        const left = works.store.byIndex(WORKS_BY_QUOTA, key);
        if (quota !== undefined && !isBeingDeleted(quota))
          return sync(told, quota, left, works, clusters, reconcileSignal);
        await Promise.all(left.map((work) => remove(context, work, reconcileSignal)));
        return done;
      },
    });
  },
};

async function sync(
  context: ControllerContext,
  quota: FederatedResourceQuota,
  existing: readonly Work[],
  works: Informer<Work>,
  clusters: Informer<Cluster>,
  signal: AbortSignal,
): Promise<Outcome> {
  const { namespace = '', name = '' } = quota.metadata;
  const shares = quota.spec.staticAssignments ?? [];
  const listed = new Set(shares.map(({ clusterName }) => clusterName));
  const removals = existing
    .filter((work) => !listed.has(clusterOfExecutionNamespace(work.metadata.namespace ?? '') ?? ''))
    .map((work) => remove(context, work, signal));
  const writes = shares.map(async ({ clusterName, hard }) => {
    const cluster = clusters.store.get(clusterName);
    // It gets its share when it joins.
    if (cluster === undefined || isBeingDeleted(cluster)) return;
    const work = manifestWork({
      cluster: clusterName,
      manifest: quotaManifest(quota, hard),
      templateUid: '',
      labels: {
        [FEDERATED_RESOURCE_QUOTA_NAMESPACE_LABEL]: namespace,
        [FEDERATED_RESOURCE_QUOTA_NAME_LABEL]: name,
      },
      annotations: {},
    });
    await writeWork(context, works, work, signal);
  });
  const results = await Promise.allSettled([...removals, ...writes]);
  const failures = results.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  if (failures.length === 0) {
    const text = `Sync works for FederatedResourceQuota(${keyOf(quota)}) succeed.`;
    context.recorder.event(quota, 'Normal', 'SyncWorkSucceed', text);
    return done;
  }
  context.recorder.event(quota, 'Warning', 'SyncWorkFailed', failures.map(errorMessage).join('; '));
  return retry(failures[0]);
}

async function remove({ hubClient }: ControllerContext, work: Work, signal: AbortSignal): Promise<void> {
  if (isBeingDeleted(work)) return;
  const { namespace, name = '', uid = '' } = work.metadata;
  try {
    await hubClient.delete(kinds.works, { namespace, name }, { preconditions: { uid }, signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
