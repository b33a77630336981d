// graceful-eviction controllers: end the tasks of evicted clusters, which lets the old copies go.
// Reads: bindings, Clusters. Writes: spec.gracefulEvictionTasks of bindings; spec.clusters when an eviction is taken back.
import { formatTime } from '../base/index.ts';
import { keyOf, kinds, type Resource } from '../client/index.ts';
import { appliedTolerations, assessEvictions, takeBack, type Hold } from '../failover/index.ts';
import { isBeingDeleted } from '../machinery/index.ts';
import type { Binding } from '../propagation/index.ts';
import { done, informerSource, requeueAfter, runController } from '../runtime/index.ts';
import type { Controller, ControllerContext } from './context.ts';
import {
  BINDINGS_BY_EVICTION,
  BINDING_SCOPES,
  evictedFrom,
  reportHeld,
  tellEvicted,
  writeEviction,
} from './evictions.ts';

// When much moves at once, what still has to get somewhere goes first; tidying up behind what has arrived can wait.
const TIDY_AFTER_MS = 500;

export const gracefulEvictionController: Controller = {
  name: 'gracefulEviction',
  async run(context) {
    await Promise.all(
      BINDING_SCOPES.map(({ prefix, resource }) =>
        runFor(context, `${prefix}-graceful-eviction-controller`, resource),
      ),
    );
  },
};

async function runFor(context: ControllerContext, name: string, resource: Resource<Binding>): Promise<void> {
  const { informers, settings, clock, logger, metrics, signal } = context;
  const bindings = informers.informer(resource, { indexes: { [BINDINGS_BY_EVICTION]: evictedFrom } });
  const clusters = informers.informer(kinds.clusters);
  await runController({
    name,
    sources: [
      informerSource(bindings, {
        filter: (binding) => evictedFrom(binding).length > 0,
        changed: (before, after) =>
          before.metadata.generation !== after.metadata.generation || before.status !== after.status,
        delayMs: { added: TIDY_AFTER_MS, updated: TIDY_AFTER_MS },
      }),
      informerSource(clusters, {
        changed: (before, after) => before.spec.taints !== after.spec.taints,
        map: ({ metadata }) => bindings.store.byIndex(BINDINGS_BY_EVICTION, metadata.name ?? '').map(keyOf),
      }),
    ],
    concurrency: settings.concurrentBindingSyncs,
    clock,
    logger,
    metrics,
    signal,
    reconcile: async (key, { signal: reconcileSignal }) => {
      const binding = bindings.store.get(key);
      if (binding === undefined || isBeingDeleted(binding)) return done;
      const report = (hold: Hold | undefined): Promise<boolean> =>
        reportHeld(context, resource, binding, 'end', hold, reconcileSignal);
      if (evictedFrom(binding).length === 0) {
        await report(undefined);
        return done;
      }
      const nowMs = clock.now();
      const back = takeBack(binding, clusters.store, appliedTolerations(binding) ?? [], nowMs);
      if (back !== undefined) {
        await writeEviction(context, resource, binding, back, reconcileSignal);
        return done;
      }
      const assessed = assessEvictions(binding, {
        nowMs,
        now: formatTime(nowMs),
        timeoutMs: settings.gracefulEvictionTimeoutMs,
      });
      const { tasks, dropped, held, recheckAfterMs } = assessed;
      if (tasks !== binding.spec.gracefulEvictionTasks) {
        // The change brings the binding back, and what is held is reported then.
        await writeEviction(context, resource, binding, { gracefulEvictionTasks: tasks }, reconcileSignal);
        for (const cluster of dropped) tellEvicted(context, binding, cluster);
      } else {
        await report(
          held.length === 0 ? undefined : { reason: 'ReplacementNotHealthy', message: heldText(held) },
        );
      }
      if (recheckAfterMs === undefined) return done;
      return requeueAfter(recheckAfterMs, 'an eviction ends by then');
    },
  });
}

function heldText(clusters: readonly string[]): string {
  return `The copy in ${clusters.join(', ')} stays beyond its time: it is the last healthy one, and no replacement is healthy.`;
}
