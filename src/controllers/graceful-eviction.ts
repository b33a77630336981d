// graceful-eviction controllers: end the tasks of evicted clusters, which lets the old copies go.
// Reads: bindings, Clusters. Writes: spec.gracefulEvictionTasks of bindings; spec.clusters and the affinity term in use when
// an eviction is taken back.
// INVARIANT: an eviction is taken back only to where the scheduler leaves the copy.
import type { Cluster } from '../api/index.ts';
import { formatTime } from '../base/index.ts';
import { keyOf, kinds, type Resource } from '../client/index.ts';
import {
  appliedTolerations,
  assessEvictions,
  takeBack,
  type EvictionChange,
  type Hold,
} from '../failover/index.ts';
import { isBeingDeleted } from '../machinery/index.ts';
import type { Binding } from '../propagation/index.ts';
import { done, informerSource, requeueAfter, runController, type Informer } from '../runtime/index.ts';
import { fleetSnapshot, schedule, type FleetSnapshot } from '../scheduling/index.ts';
import { BINDINGS_BY_CLUSTER, targetNames } from './cluster.ts';
import type { Controller, ControllerContext } from './context.ts';
import {
  BINDINGS_BY_EVICTION,
  BINDING_SCOPES,
  evictedFrom,
  reportHeld,
  tellEvicted,
  writeEviction,
} from './evictions.ts';
import { isReady } from './readiness.ts';
import { workloadStates } from './workload-state.ts';

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
  const bindings = informers.informer(resource, {
    indexes: { [BINDINGS_BY_EVICTION]: evictedFrom, [BINDINGS_BY_CLUSTER]: targetNames },
  });
  const clusters = informers.informer(kinds.clusters);
  const states = informers.informer(workloadStates);
  await runController({
    name,
    sources: [
      informerSource(bindings, {
        filter: (binding) => evictedFrom(binding).length > 0,
        changed: (before, after) =>
          before.metadata.generation !== after.metadata.generation || before.status !== after.status,
        delayMs: { added: TIDY_AFTER_MS, updated: TIDY_AFTER_MS },
      }),
      // Read when an eviction is over; its changes end none.
      informerSource(states, { filter: () => false }),
      informerSource(clusters, {
        // Whether it answers decides about what runs there, and what may be relied on there.
        changed: (before, after) =>
          before.spec.taints !== after.spec.taints || isReady(before) !== isReady(after),
        map: ({ metadata: { name = '' } }) =>
          [
            ...bindings.store.byIndex(BINDINGS_BY_EVICTION, name),
            ...bindings.store
              .byIndex(BINDINGS_BY_CLUSTER, name)
              .filter((binding) => evictedFrom(binding).length > 0),
          ].map(keyOf),
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
      if (
        back !== undefined &&
        (await bringBack(context, resource, binding, back, clusters, reconcileSignal))
      )
        return done;
      const assessed = assessEvictions(binding, clusters.store, {
        nowMs,
        now: formatTime(nowMs),
        timeoutMs: settings.gracefulEvictionTimeoutMs,
        known: settings.gates.StatefulFailoverInjection ? states.store.get(key) : undefined,
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

/** Whether copies are back where the scheduler leaves them. */
async function bringBack(
  context: ControllerContext,
  resource: Resource<Binding>,
  binding: Binding,
  back: Required<EvictionChange>,
  clusters: Informer<Cluster>,
  signal: AbortSignal,
): Promise<boolean> {
  const { schedulerObservingAffinityName: observed, ...status } = binding.status ?? {};
  const returned = { ...binding, spec: { ...binding.spec, ...back } };
  const fleet = fleetSnapshot(clusters.store.values());
  // The scheduler may have gone on to another affinity term since, and then leaves nothing where it was before.
  const stays =
    staysOf(context, returned, fleet, back) ?? staysOf(context, { ...returned, status }, fleet, back);
  if (stays === undefined) return false;
  const { targets, affinityName = observed } = stays;
  const tasks = binding.spec.gracefulEvictionTasks ?? [];
  const change = {
    clusters: targets,
    gracefulEvictionTasks: tasks.filter(
      ({ fromCluster }) => !targets.some(({ name }) => name === fromCluster),
    ),
  };
  let current = binding;
  if (affinityName !== observed) {
    const told = { ...binding.status, schedulerObservingAffinityName: affinityName };
    current = await context.hubClient.updateStatus(resource, { ...binding, status: told } as Binding, {
      signal,
    });
  }
  await writeEviction(context, resource, current, change, signal);
  return true;
}

/** Which of the clusters that are to be targets again the scheduler leaves in place, by which term; undefined: none. */
function staysOf(
  { settings }: ControllerContext,
  binding: Binding,
  fleet: FleetSnapshot,
  { clusters }: Required<EvictionChange>,
): { readonly targets: Required<EvictionChange>['clusters']; readonly affinityName?: string } | undefined {
  const result = schedule({
    binding,
    fleet,
    gates: settings.gates,
    mode: 'Steady',
    propagateEmptyWorkloads: settings.enableEmptyWorkloadPropagation,
  });
  if (!result.ok) return undefined;
  const left = new Set(result.clusters.map(({ name }) => name));
  const targets = clusters.filter(({ name }) => left.has(name));
  if (targets.length === 0) return undefined;
  const { affinityName } = result;
  return { targets, ...(affinityName === undefined ? {} : { affinityName }) };
}

function heldText(clusters: readonly string[]): string {
  return `The copy in ${clusters.join(', ')} stays beyond its time: it is the last that is healthy or may be, and no replacement is healthy.`;
}
