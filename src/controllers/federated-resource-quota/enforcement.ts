// federated-resource-quota-enforcement-controller: counts what all bindings of a namespace take. Admission keeps the
// number up to date from write to write; this counts anew where admission has no say or may have been wrong: a new
// quota, another limit, a binding that is gone, a write that was refused after it had been counted.
// Reads: FederatedResourceQuotas, ResourceBindings. Writes: status of quotas.
import type { FederatedResourceQuota } from '../../api/index.ts';
import { errorMessage } from '../../base/index.ts';
import { isConflict, keyOf, kinds } from '../../client/index.ts';
import { deepEqual, isBeingDeleted } from '../../machinery/index.ts';
import { quotaOverall, quotaOverallUsed } from '../../propagation/index.ts';
import { WorkQueue, done, informerSource, runController } from '../../runtime/index.ts';
import type { Controller } from '../context.ts';
import { quotaResource } from './quota-works.ts';

// As upstream's `--federated-resource-quota-sync-period`.
const RECOUNT_PERIOD_MS = 300_000;

export const quotaEnforcementController: Controller = {
  name: 'federatedResourceQuotaEnforcement',
  async run({ hubClient, informers, recorder, settings, clock, logger, metrics, signal }) {
    if (!settings.gates.FederatedQuotaEnforcement) return;
    const quotas = informers.informer(quotaResource);
    const bindings = informers.informer(kinds.resourceBindings);
    const name = 'federated-resource-quota-enforcement-controller';
    const told = recorder.withComponent(name);
    const queue = new WorkQueue({
      name,
      clock,
      metrics,
      backoffBaseMs: settings.rateLimiterBaseDelayMs,
      backoffMaxMs: settings.rateLimiterMaxDelayMs,
    });
    const unsubscribe = bindings.subscribe({
      deleted: ({ metadata }) => {
        for (const quota of quotas.store.list(metadata.namespace)) queue.add(keyOf(quota));
      },
    });
    const report = async (quota: FederatedResourceQuota, reconcileSignal: AbortSignal): Promise<void> => {
      const { overallUsed: _before, ...rest } = quota.status ?? {};
      const overallUsed = quotaOverallUsed(quota, bindings.store.list(quota.metadata.namespace));
      const status = {
        ...rest,
        overall: quotaOverall(quota),
        ...(Object.keys(overallUsed).length === 0 ? {} : { overallUsed }),
      };
      if (deepEqual(status, quota.status)) return;
      await hubClient.updateStatus(quotaResource, { ...quota, status }, { signal: reconcileSignal });
      const text = `Collect status of FederatedResourceQuota(${keyOf(quota)}) succeed.`;
      told.event(quota, 'Normal', 'CollectOverallStatusSucceed', text);
    };
    try {
      await runController({
        name,
        queue,
        sources: [
          informerSource(quotas, {
            changed: (before, after) => !deepEqual(before.spec.overall, after.spec.overall),
          }),
          // Only waited for.
          informerSource(bindings, { filter: () => false }),
        ],
        resyncPeriodMs: RECOUNT_PERIOD_MS,
        clock,
        logger,
        metrics,
        signal,
        reconcile: async (key, { signal: reconcileSignal }) => {
          const quota = quotas.store.get(key);
          if (quota === undefined || isBeingDeleted(quota)) return done;
          try {
            await report(quota, reconcileSignal);
          } catch (error) {
            if (!isConflict(error))
              told.event(quota, 'Warning', 'CollectOverallStatusFailed', errorMessage(error));
            throw error;
          }
          return done;
        },
      });
    } finally {
      unsubscribe();
    }
  },
};
