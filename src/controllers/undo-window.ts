// undo-window controller: forgets what was kept of deletions when the window to undo them is over, or when too much is kept.
// Reads, writes: DeletedObjects.
import type { DeletedObject } from '../api/index.ts';
import { isNotFound, resource, type Resource } from '../client/index.ts';
import { parseTime } from '../machinery/index.ts';
import { done, informerSource, requeueAfter, runController } from '../runtime/index.ts';
import type { Controller } from './context.ts';

export const deletedObjects: Resource<DeletedObject> = resource({
  group: 'navarch.io',
  version: 'v1alpha1',
  resource: 'deletedobjects',
  namespaced: false,
});

// LIMIT: deletions kept, whatever the window; the oldest go first.
const KEPT_MAX = 1_000;

/** How much longer to keep one; zero or less: it is to go. Pure. */
export function keptForMs(one: DeletedObject, newer: number, windowMs: number, nowMs: number): number {
  if (newer >= KEPT_MAX) return 0;
  return (parseTime(one.metadata.creationTimestamp ?? '') ?? nowMs) + windowMs - nowMs;
}

export const undoWindowController: Controller = {
  name: 'undoWindow',
  async run(context) {
    const { informers, settings, clock, logger, metrics, signal, hubClient } = context;
    const kept = informers.informer(deletedObjects);
    const newerThan = ({ metadata }: DeletedObject): number =>
      kept.store
        .list()
        .filter((other) => Number(other.metadata.resourceVersion) > Number(metadata.resourceVersion)).length;
    await runController({
      name: 'undo-window-controller',
      sources: [informerSource(kept)],
      concurrency: 1,
      clock,
      logger,
      metrics,
      signal,
      reconcile: async (name, { signal: reconcileSignal }) => {
        const one = kept.store.get(name);
        if (one === undefined) return done;
        const crowded = kept.store.list().length > KEPT_MAX;
        const leftMs = keptForMs(one, crowded ? newerThan(one) : 0, settings.undoWindowMs, clock.now());
        if (leftMs > 0) return requeueAfter(leftMs, 'the window to undo it is still open');
        try {
          await hubClient.delete(deletedObjects, { name }, { signal: reconcileSignal });
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
        return done;
      },
    });
  },
};
