// binding-status-controllers: add up the Works of a binding, and the members' statuses into the template's.
// Reads: bindings, Works, the template. Writes: binding status, template status.
import {
  CLUSTER_RESOURCE_BINDING_ID_LABEL,
  CLUSTER_RESOURCE_BINDING_NAME_ANNOTATION,
  RESOURCE_BINDING_ID_LABEL,
  RESOURCE_BINDING_NAMESPACE_ANNOTATION,
  RESOURCE_BINDING_NAME_ANNOTATION,
  type AggregatedStatusItem,
  type Work,
} from '../api/index.ts';
import { errorMessage, formatTime } from '../base/index.ts';
import { isConflict, isNotFound, keyOf, kinds, type Resource } from '../client/index.ts';
import { deepEqual, isBeingDeleted } from '../machinery/index.ts';
import { aggregateWorks, currencyCondition, silence, type Binding } from '../propagation/index.ts';
import { done, informerSource, requeueAfter, runController, type Informer } from '../runtime/index.ts';
import { BINDINGS_BY_CLUSTER, targetNames } from './cluster.ts';
import { loadTemplate, templateResource } from './binding-template.ts';
import type { Controller, ControllerContext } from './context.ts';
import { reinterpreted } from './interpretation-changes.ts';
import { FIRST_STATUS_MS, StatusPace } from './status-pace.ts';

/** Works by the permanent id of their binding; shared with the binding controllers. */
export const WORKS_BY_BINDING = 'binding';
export const bindingIds = ({ metadata }: Work): string[] =>
  [metadata.labels?.[RESOURCE_BINDING_ID_LABEL], metadata.labels?.[CLUSTER_RESOURCE_BINDING_ID_LABEL]].filter(
    (id): id is string => id !== undefined && id !== '',
  );

export function bindingId({ kind, metadata }: Binding): string {
  const label = kind === 'ResourceBinding' ? RESOURCE_BINDING_ID_LABEL : CLUSTER_RESOURCE_BINDING_ID_LABEL;
  return metadata.labels?.[label] ?? '';
}

export const bindingStatusController: Controller = {
  name: 'bindingStatus',
  async run(context) {
    const { informers } = context;
    const works = informers.informer(kinds.works, { indexes: { [WORKS_BY_BINDING]: bindingIds } });
    await Promise.all([
      runFor(
        context,
        'resource-binding-status-controller',
        kinds.resourceBindings as Resource<Binding>,
        works,
        ({ metadata }) => {
          const namespace = metadata.annotations?.[RESOURCE_BINDING_NAMESPACE_ANNOTATION];
          const name = metadata.annotations?.[RESOURCE_BINDING_NAME_ANNOTATION];
          return namespace === undefined || name === undefined ? undefined : `${namespace}/${name}`;
        },
      ),
      runFor(
        context,
        'cluster-resource-binding-status-controller',
        kinds.clusterResourceBindings as Resource<Binding>,
        works,
        ({ metadata }) => metadata.annotations?.[CLUSTER_RESOURCE_BINDING_NAME_ANNOTATION],
      ),
    ]);
  },
};

async function runFor(
  context: ControllerContext,
  name: string,
  resource: Resource<Binding>,
  works: Informer<Work>,
  bindingOf: (work: Work) => string | undefined,
): Promise<void> {
  const { informers, clock, logger, metrics, signal, settings } = context;
  const bindings = informers.informer(resource, { indexes: { [BINDINGS_BY_CLUSTER]: targetNames } });
  const clusters = informers.informer(kinds.clusters);
  const pace = new StatusPace(clock);
  const told = { ...context, recorder: context.recorder.withComponent(name) };
  await runController({
    name,
    sources: [
      informerSource(works, {
        map: bindingOf,
        delayMs: { added: FIRST_STATUS_MS },
        changed: (before, after) => before.status !== after.status && !deepEqual(before.status, after.status),
      }),
      informerSource(bindings, {
        filter: ({ status }) => status?.lastScheduledTime !== undefined,
        changed: (before, after) =>
          before.spec.resource.resourceVersion !== after.spec.resource.resourceVersion ||
          before.spec.clusters !== after.spec.clusters,
      }),
      reinterpreted(context.interpretationChanges, bindings),
      // A member that falls silent, or is heard again, makes old of what it said, or new.
      informerSource(clusters, {
        filter: (cluster) => silence(cluster) !== undefined,
        changed: (before, after) => !deepEqual(silence(before), silence(after)),
        map: ({ metadata }) => bindings.store.byIndex(BINDINGS_BY_CLUSTER, metadata.name ?? '').map(keyOf),
      }),
    ],
    concurrency: settings.concurrentBindingSyncs,
    clock,
    logger,
    metrics,
    signal,
    reconcile: async (key, { signal: reconcileSignal }) => {
      const binding = bindings.store.get(key);
      if (binding === undefined || isBeingDeleted(binding)) {
        pace.forget(key);
        return done;
      }
      const id = bindingId(binding);
      const found = id === '' ? [] : works.store.byIndex(WORKS_BY_BINDING, id);
      const waitMs = pace.waitMs(key, binding, found);
      if (waitMs > 0) return requeueAfter(waitMs, 'more reports are told together');
      const currency = currencyCondition(binding, (cluster) => clusters.store.get(cluster));
      const more = currency === undefined ? [] : [currency];
      const decision = aggregateWorks(binding, found, formatTime(clock.now()), more);
      if (decision.status !== binding.status) {
        pace.told(key);
        await writeBindingStatus(told, resource, binding, decision.status, reconcileSignal);
      }
      await writeTemplateStatus(told, binding, decision.items, reconcileSignal);
      return done;
    },
  });
}

async function writeBindingStatus(
  { hubClient, recorder }: ControllerContext,
  resource: Resource<Binding>,
  binding: Binding,
  status: Binding['status'],
  signal: AbortSignal,
): Promise<void> {
  try {
    await hubClient.updateStatus(resource, { ...binding, status } as Binding, { signal });
    const text = `Update ${binding.kind}(${keyOf(binding)}) with AggregatedStatus successfully.`;
    recorder.event(binding, 'Normal', 'AggregateStatusSucceed', text);
  } catch (error) {
    if (!isConflict(error)) recorder.event(binding, 'Warning', 'AggregateStatusFailed', errorMessage(error));
    throw error;
  }
}

async function writeTemplateStatus(
  context: ControllerContext,
  binding: Binding,
  items: readonly AggregatedStatusItem[],
  signal: AbortSignal,
): Promise<void> {
  const { hubClient, interpreter, recorder } = context;
  const resource = await templateResource(context, binding);
  if (resource === undefined || !resource.subresources.includes('status')) return;
  // An old answer only costs a conflict.
  const template = await loadTemplate(context, binding, 'cached', signal);
  if (template === undefined || !interpreter.has(template, 'AggregateStatus')) return;
  try {
    const next = await interpreter.aggregate(template, items);
    if (next === undefined || deepEqual(next['status'], template['status'])) return;
    await hubClient.updateStatus(resource, next, { signal });
    recorder.event(
      template,
      'Normal',
      'AggregateStatusSucceed',
      'Update Resource with AggregatedStatus successfully.',
    );
  } catch (error) {
    if (isNotFound(error)) return;
    if (!isConflict(error)) recorder.event(template, 'Warning', 'AggregateStatusFailed', errorMessage(error));
    throw error;
  }
}
