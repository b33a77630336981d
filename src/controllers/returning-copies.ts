// returning copies: a copy that was given up while its cluster was silent goes when the cluster is back. Until then what was
// to be in its place may have failed, and then the old copy stays until something healthy is there.
// Reads: bindings, Works on their way out, Clusters. Writes: an annotation of such Works, which execution obeys.
// INVARIANT: only what was given up while nobody could ask the member is held; a removal that was begun goes on.
import {
  EXECUTION_FINALIZER,
  HOLD_REMOVAL_ANNOTATION,
  clusterOfExecutionNamespace,
  executionNamespace,
  type KubeObject,
  type Work,
} from '../api/index.ts';
import { isNotFound, keyOf, kinds, type Resource } from '../client/index.ts';
import { isNeededAgain, taintPurgeMode } from '../failover/index.ts';
import { hasFinalizer, isBeingDeleted } from '../machinery/index.ts';
import { isAtMostOnce, type Binding } from '../propagation/index.ts';
import { done, informerSource, runController } from '../runtime/index.ts';
import { WORKS_BY_BINDING, bindingId, bindingIds } from './binding-status.ts';
import type { Controller, ControllerContext } from './context.ts';
import { BINDING_SCOPES } from './evictions.ts';
import { bindingKeyOf } from './fencing.ts';
import { isReady } from './readiness.ts';

/** COMPAT: switched on and off together with the binding controllers, which give up copies. */
export const returningCopiesController: Controller = {
  name: 'binding',
  async run(context) {
    await Promise.all(
      BINDING_SCOPES.map(({ prefix, resource }) => runFor(context, `${prefix}-returning-copies`, resource)),
    );
  },
};

async function runFor(context: ControllerContext, name: string, scope: Resource<Binding>): Promise<void> {
  const { informers, clock, logger, metrics, signal, settings } = context;
  const bindings = informers.informer(scope);
  const works = informers.informer(kinds.works, { indexes: { [WORKS_BY_BINDING]: bindingIds } });
  const clusters = informers.informer(kinds.clusters);
  await Promise.all([works.synced, clusters.synced]);
  const leaving = (binding: Binding): readonly Work[] => {
    const id = bindingId(binding);
    return id === '' ? [] : works.store.byIndex(WORKS_BY_BINDING, id).filter(isOnItsWay);
  };
  const keysOf = (work: Work): string[] => {
    const key = bindingKeyOf(work, scope);
    return key === undefined ? [] : [key];
  };
  await runController({
    name,
    sources: [
      informerSource(bindings, {
        changed: (before, after) => before.spec !== after.spec || before.status !== after.status,
        map: (binding) => (leaving(binding).length > 0 ? [keyOf(binding)] : []),
      }),
      informerSource(works, { filter: isOnItsWay, changed: () => false, map: keysOf }),
      informerSource(clusters, {
        changed: (before, after) => isReady(before) !== isReady(after),
        map: ({ metadata }) =>
          works.store
            .list(executionNamespace(metadata.name ?? ''))
            .filter(isOnItsWay)
            .flatMap(keysOf),
      }),
    ],
    concurrency: settings.concurrentBindingSyncs,
    clock,
    logger,
    metrics,
    signal,
    reconcile: async (key, { signal: reconcileSignal }) => {
      const binding = bindings.store.get(key);
      if (binding === undefined) return done;
      for (const work of leaving(binding)) {
        const cluster = clusters.store.get(clusterOf(work));
        const held = work.metadata.annotations?.[HOLD_REMOVAL_ANNOTATION] === 'true';
        // A hold begins while the member is silent, and ends at any time.
        if (!held && (cluster === undefined || isReady(cluster))) continue;
        const hold =
          !isBeingDeleted(binding) &&
          cluster !== undefined &&
          !isBeingDeleted(cluster) &&
          !manifestsOf(work).some(isAtMostOnce) &&
          taintPurgeMode(binding.spec, settings.noExecuteTaintEvictionPurgeMode) !== 'Directly' &&
          isNeededAgain(binding, clusterOf(work), clusters.store);
        if (hold !== held) await mark(context, work, hold, reconcileSignal);
      }
      return done;
    },
  });
}

function isOnItsWay(work: Work): boolean {
  return isBeingDeleted(work) && hasFinalizer(work, EXECUTION_FINALIZER);
}

function clusterOf({ metadata }: Work): string {
  return clusterOfExecutionNamespace(metadata.namespace ?? '') ?? '';
}

function manifestsOf({ spec }: Work): readonly KubeObject[] {
  return (spec.workload?.manifests ?? []) as unknown as readonly KubeObject[];
}

async function mark(
  { hubClient, recorder }: ControllerContext,
  work: Work,
  hold: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name = '', uid } = work.metadata;
  const body = { metadata: { uid, annotations: { [HOLD_REMOVAL_ANNOTATION]: hold ? 'true' : null } } };
  try {
    await hubClient.patch(kinds.works, { namespace, name }, { type: 'merge', body }, { signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  if (!hold) return;
  const message =
    'What is in its place is not healthy; the copy stays when its cluster is back, until that is.';
  recorder.event(work, 'Warning', 'RemovalHeld', message);
}
