// workload-rebalancer: passes a WorkloadRebalancer's request for fresh placements on to the bindings.
// Reads: WorkloadRebalancers, bindings. Writes: rescheduleTriggeredAt of bindings, status of rebalancers; deletes
// rebalancers after their time to live.
import type { WorkloadRebalancer } from '../api/index.ts';
import { isNotFound, kinds, resource, type Resource } from '../client/index.ts';
import { isBeingDeleted } from '../machinery/index.ts';
import { bindingName, type Binding } from '../propagation/index.ts';
import {
  observedWorkloads,
  rebalanceOutcome,
  remainingMs,
  rescheduleTime,
  type ObservedWorkload,
  type RebalanceResult,
} from '../scheduling/index.ts';
import { done, informerSource, requeueAfter, retry, runController, type Outcome } from '../runtime/index.ts';
import type { Controller, ControllerContext } from './context.ts';

const rebalancers = resource<WorkloadRebalancer>({
  group: 'apps.karmada.io',
  version: 'v1alpha1',
  resource: 'workloadrebalancers',
  namespaced: false,
});

export const rebalancerController: Controller = {
  name: 'workloadRebalancer',
  async run(context) {
    const { informers, clock, logger, metrics, signal } = context;
    const informer = informers.informer(rebalancers);
    await runController({
      name: 'workload-rebalancer',
      sources: [
        informerSource(informer, {
          changed: (before, after) => before.metadata.generation !== after.metadata.generation,
        }),
      ],
      clock,
      logger,
      metrics,
      signal,
      reconcile: async (name, { signal: reconcileSignal }) => {
        const rebalancer = informer.store.get(name);
        if (rebalancer === undefined || isBeingDeleted(rebalancer)) return done;
        return rebalance(context, rebalancer, reconcileSignal);
      },
    });
  },
};

async function rebalance(
  context: ControllerContext,
  rebalancer: WorkloadRebalancer,
  signal: AbortSignal,
): Promise<Outcome> {
  const { hubClient, clock } = context;
  const results = new Map<number, RebalanceResult>();
  const failures: unknown[] = [];
  for (const [index, { workload, result = '' }] of observedWorkloads(rebalancer).entries()) {
    if (result !== '') continue;
    try {
      results.set(index, await trigger(context, rebalancer, workload, signal));
    } catch (error) {
      results.set(index, 'retry');
      failures.push(error);
    }
  }
  const { status, retry: unfinished } = rebalanceOutcome(rebalancer, results, clock.now());
  const current =
    status === undefined
      ? rebalancer
      : await hubClient.updateStatus(rebalancers, { ...rebalancer, status }, { signal });
  if (unfinished) return retry(failures[0]);
  return expire(context, current, signal);
}

async function trigger(
  { hubClient }: ControllerContext,
  rebalancer: WorkloadRebalancer,
  { kind, namespace = '', name }: ObservedWorkload['workload'],
  signal: AbortSignal,
): Promise<RebalanceResult> {
  const bindings = (
    namespace === '' ? kinds.clusterResourceBindings : kinds.resourceBindings
  ) as Resource<Binding>;
  const key = { name: bindingName(kind, name), ...(namespace === '' ? {} : { namespace }) };
  // Missing is a final answer, so the server is asked and not a cache that may be behind.
  const binding = await hubClient.find(bindings, key, { signal });
  if (binding === undefined) return 'missing';
  const time = rescheduleTime(rebalancer, binding);
  if (time === undefined) return 'triggered';
  const spec = { ...binding.spec, rescheduleTriggeredAt: time };
  await hubClient.update(bindings, { ...binding, spec }, { signal });
  return 'triggered';
}

async function expire(
  { hubClient, clock }: ControllerContext,
  rebalancer: WorkloadRebalancer,
  signal: AbortSignal,
): Promise<Outcome> {
  const leftMs = remainingMs(rebalancer, clock.now());
  if (leftMs === undefined) return done;
  if (leftMs > 0) return requeueAfter(leftMs, 'its time to live is not over yet');
  const { name = '', resourceVersion = '' } = rebalancer.metadata;
  try {
    await hubClient.delete(rebalancers, { name }, { preconditions: { resourceVersion }, signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  return done;
}
