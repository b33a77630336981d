// federated-resource-quota-status-controller: what the clusters report of their shares, on the quota. While quotas
// are not enforced on the hub, that is also what counts as used.
// Reads: FederatedResourceQuotas, their Works. Writes: status of quotas.
import type { FederatedResourceQuota, Work } from '../../api/index.ts';
import { errorMessage } from '../../base/index.ts';
import { isConflict, keyOf } from '../../client/index.ts';
import { deepEqual, isBeingDeleted } from '../../machinery/index.ts';
import { quotaStatusOf, reportedQuotaStatus } from '../../propagation/index.ts';
import { done, informerSource, runController } from '../../runtime/index.ts';
import type { Controller, ControllerContext } from '../context.ts';
import { WORKS_BY_QUOTA, quotaKeyOf, quotaResource, worksOfQuotas } from './quota-works.ts';

const NAME = 'federated-resource-quota-status-controller';

export const quotaStatusController: Controller = {
  name: 'federatedResourceQuotaStatus',
  async run(context) {
    const { informers, clock, logger, metrics, signal } = context;
    const quotas = informers.informer(quotaResource);
    const works = worksOfQuotas(context);
    const told = { ...context, recorder: context.recorder.withComponent(NAME) };
    await runController({
      name: NAME,
      sources: [
        informerSource(quotas, {
          changed: (before, after) => before.metadata.generation !== after.metadata.generation,
        }),
        informerSource(works, {
          map: quotaKeyOf,
          changed: (before, after) =>
            before.status !== after.status && !deepEqual(before.status, after.status),
        }),
      ],
      clock,
      logger,
      metrics,
      signal,
      reconcile: async (key, { signal: reconcileSignal }) => {
        const quota = quotas.store.get(key);
        if (quota === undefined || isBeingDeleted(quota)) return done;
        await report(told, quota, works.store.byIndex(WORKS_BY_QUOTA, key), reconcileSignal);
        return done;
      },
    });
  },
};

async function report(
  { hubClient, recorder, settings }: ControllerContext,
  quota: FederatedResourceQuota,
  works: readonly Work[],
  signal: AbortSignal,
): Promise<void> {
  const status = settings.gates.FederatedQuotaEnforcement
    ? withReports(quota, works)
    : reportedQuotaStatus(quota, works);
  try {
    if (!deepEqual(status, quota.status ?? {}))
      await hubClient.updateStatus(quotaResource, { ...quota, status }, { signal });
    // COMPAT: told when nothing has changed too.
    const text = `Collect status of FederatedResourceQuota(${keyOf(quota)}) succeed.`;
    recorder.event(quota, 'Normal', 'AggregateStatusSucceed', text);
  } catch (error) {
    if (!isConflict(error)) recorder.event(quota, 'Warning', 'AggregateStatusFailed', errorMessage(error));
    throw error;
  }
}

/** The limits and what is used are the enforcement's to say. */
function withReports(
  { status = {} }: FederatedResourceQuota,
  works: readonly Work[],
): NonNullable<FederatedResourceQuota['status']> {
  const { aggregatedStatus: _before, ...rest } = status;
  const aggregatedStatus = quotaStatusOf(works);
  return aggregatedStatus.length === 0 ? rest : { ...rest, aggregatedStatus };
}
