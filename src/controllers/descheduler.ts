// karmada-descheduler: takes replicas away from clusters where they have found no node for long, so that the scheduler
// places them where there is room.
// Reads: ResourceBindings, the estimators of members. Writes: spec.clusters of ResourceBindings.
// COMPAT: off unless --controllers names it, as it is a process of its own upstream; cluster-scoped bindings are not
// looked at.
import type { ResourceBinding } from '../api/index.ts';
import { errorMessage } from '../base/index.ts';
import { isConflict, isNotFound, keyOf, kinds } from '../client/index.ts';
import { done, informerSource, requeueAfter, runController, type Outcome } from '../runtime/index.ts';
import { decideDeschedule, descheduleText, isDeschedulable, undesiredClusters } from '../scheduling/index.ts';
import { templateReference } from './binding-template.ts';
import type { Controller, ControllerContext } from './context.ts';
import { Estimators } from './estimators.ts';

// LIMIT: bindings whose members are being asked.
const CONCURRENT_BINDINGS = 16;

export const descheduler: Controller = {
  name: 'descheduler',
  async run(context) {
    const { informers, settings, clock, logger, metrics, signal } = context;
    const bindings = informers.informer(kinds.resourceBindings);
    await runController({
      name: 'descheduler',
      // Every binding that may be descheduled comes back by itself; a new one comes in here.
      sources: [
        informerSource(bindings, {
          filter: isDeschedulable,
          changed: (before, after) => !isDeschedulable(before) && isDeschedulable(after),
        }),
      ],
      concurrency: CONCURRENT_BINDINGS,
      clock,
      logger,
      metrics,
      signal,
      async reconcile(key): Promise<Outcome> {
        const binding = bindings.store.get(key);
        if (binding === undefined || !isDeschedulable(binding)) return done;
        await deschedule(context, binding);
        return requeueAfter(settings.deschedulingIntervalMs, 'bindings are looked at periodically');
      },
    });
  },
};

async function deschedule(context: ControllerContext, binding: ResourceBinding): Promise<void> {
  const undesired = undesiredClusters(binding).map(({ cluster }) => cluster);
  if (undesired.length === 0) return;
  const { settings, hubClient, logger, signal } = context;
  const { resource } = binding.spec;
  const { answers, errors } = await Estimators.of(context).ask(
    undesired,
    `kind=${resource.kind}, name=${resource.namespace ?? ''}/${resource.name}`,
    (estimator, _cluster, call) =>
      estimator.unschedulableReplicas({ resource, thresholdMs: settings.unschedulableThresholdMs }, call),
  );
  // A cluster that does not answer keeps what it has; the others are looked at all the same.
  for (const [cluster, error] of errors ?? [])
    logger.info('A member does not say what found no node', { binding: keyOf(binding), cluster, error });
  const clusters = decideDeschedule(binding, answers);
  if (clusters === undefined || signal.aborted) return;
  try {
    await hubClient.update(kinds.resourceBindings, { ...binding, spec: { ...binding.spec, clusters } });
    tell(context, binding, 'Normal', 'DescheduleBindingSucceed', descheduleText(binding, clusters));
  } catch (error) {
    // It has changed since; the next round sees it as it is.
    if (isConflict(error) || isNotFound(error)) return;
    tell(context, binding, 'Warning', 'DescheduleBindingFailed', errorMessage(error));
    throw error;
  }
}

function tell(
  { recorder }: ControllerContext,
  binding: ResourceBinding,
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
): void {
  const own = recorder.withComponent('karmada-descheduler');
  own.event(binding, type, reason, message);
  own.event(templateReference(binding), type, reason, message);
}
