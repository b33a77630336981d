// application-failover controllers: move applications that stay unhealthy in a cluster.
// Reads: bindings. Writes: spec.clusters and spec.gracefulEvictionTasks of bindings.
// LIMIT: how long a copy has been unhealthy is remembered in memory; a restart begins to count anew.
import type { ApplicationFailover, GracefulEvictionTask } from '../api/index.ts';
import { formatTime } from '../base/index.ts';
import { keyOf, type Resource } from '../client/index.ts';
import {
  StateUnreadable,
  applicationEvictionTask,
  evict,
  judgeApplication,
  requireKnownState,
  stateToCarry,
  type EvictionChange,
  type Hold,
  type UnhealthySince,
} from '../failover/index.ts';
import { isBeingDeleted } from '../machinery/index.ts';
import type { Binding } from '../propagation/index.ts';
import { done, informerSource, requeueAfter, runController, type Outcome } from '../runtime/index.ts';
import { templateReference } from './binding-template.ts';
import type { Controller, ControllerContext } from './context.ts';
import { brakeOf } from './eviction-brake.ts';
import { BINDING_SCOPES, reportHeld, tellNotEvicted, writeEviction } from './evictions.ts';
import { workloadStates } from './workload-state.ts';

// Until the cache has caught up with our own write.
const HOLD_ENDED_MS = 100;

export const applicationFailoverController: Controller = {
  name: 'applicationFailover',
  async run(context) {
    await Promise.all(
      BINDING_SCOPES.map(({ prefix, resource }) =>
        runFor(context, `${prefix}-application-failover-controller`, resource),
      ),
    );
  },
};

/** What the policy asks for; undefined when the binding is not to be moved. */
function failoverOf({ interpreter }: ControllerContext, binding: Binding): ApplicationFailover | undefined {
  const { spec, status } = binding;
  // COMPAT: without its dependencies a workload is not moved, however the policy asks for it.
  if (spec.propagateDeps !== true || (status?.aggregatedStatus ?? []).length === 0) return undefined;
  return interpreter.has(templateReference(binding), 'InterpretHealth')
    ? spec.failover?.application
    : undefined;
}

async function runFor(context: ControllerContext, name: string, resource: Resource<Binding>): Promise<void> {
  const { informers, settings, clock, logger, metrics, signal } = context;
  const bindings = informers.informer(resource);
  const memories = new Map<string, UnhealthySince>();
  await runController({
    name,
    sources: [
      informerSource(bindings, {
        filter: ({ spec }) => spec.failover?.application !== undefined,
        changed: (before, after) =>
          before.metadata.generation !== after.metadata.generation || before.status !== after.status,
      }),
    ],
    concurrency: settings.concurrentBindingSyncs,
    clock,
    logger,
    metrics,
    signal,
    reconcile: async (key, { signal: reconcileSignal }) => {
      const binding = bindings.store.get(key);
      const failover =
        binding === undefined || isBeingDeleted(binding) ? undefined : failoverOf(context, binding);
      if (binding === undefined || failover === undefined) {
        memories.delete(key);
        return done;
      }
      const before = memories.get(key) ?? new Map<string, number>();
      const verdict = judgeApplication(binding, failover, before, clock.now());
      // Those to be evicted are remembered until that has been written.
      memories.set(
        key,
        new Map([
          ...verdict.since,
          ...verdict.evict.map((cluster): [string, number] => [cluster, before.get(cluster) ?? clock.now()]),
        ]),
      );
      const obstructed = await move(context, resource, binding, failover, verdict.evict, reconcileSignal);
      if (obstructed !== undefined) return obstructed;
      if (verdict.since.size === 0) memories.delete(key);
      else memories.set(key, verdict.since);
      if (verdict.recheckAfterMs === undefined) return done;
      return requeueAfter(verdict.recheckAfterMs, 'an unhealthy copy is tolerated until then');
    },
  });
}

/** All or nothing. What it returns is to be done instead of moving. */
async function move(
  context: ControllerContext,
  resource: Resource<Binding>,
  binding: Binding,
  failover: ApplicationFailover,
  clusters: readonly string[],
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  if (clusters.length === 0) return undefined;
  const now = formatTime(context.clock.now());
  let change: EvictionChange = binding.spec;
  for (const cluster of clusters) {
    try {
      change = evict(change, taskFor(context, binding, failover, cluster), now) ?? change;
    } catch (error) {
      if (!(error instanceof StateUnreadable)) throw error;
      tellNotEvicted(context, binding, cluster, error);
      const message = `The copy in ${cluster} stays: ${error.message}.`;
      return hold(context, resource, binding, { reason: 'StateUnreadable', message }, signal);
    }
  }
  const mass = await brakeOf(context).pass(false);
  if (mass !== undefined) {
    const message = `The copy in ${clusters.join(', ')} stays: ${mass}.`;
    return hold(context, resource, binding, { reason: 'MassEviction', message }, signal);
  }
  if (await reportHeld(context, resource, binding, 'evict', undefined, signal))
    return requeueAfter(HOLD_ENDED_MS, 'the hold that is over has just been taken off');
  try {
    const { clusters: targets = [], gracefulEvictionTasks = [] } = change;
    await writeEviction(context, resource, binding, { clusters: targets, gracefulEvictionTasks }, signal);
  } catch (error) {
    for (const cluster of clusters) tellNotEvicted(context, binding, cluster, error);
    throw error;
  }
  return undefined;
}

async function hold(
  context: ControllerContext,
  resource: Resource<Binding>,
  binding: Binding,
  why: Hold,
  signal: AbortSignal,
): Promise<Outcome> {
  await reportHeld(context, resource, binding, 'evict', why, signal);
  return requeueAfter(context.settings.taintEvictionRetryPeriodMs, why.message);
}

function taskFor(
  { settings, informers }: ControllerContext,
  binding: Binding,
  failover: ApplicationFailover,
  cluster: string,
): GracefulEvictionTask {
  const { purgeMode = 'Gracefully', statePreservation } = failover;
  if (purgeMode === 'Gracefully' && !settings.gates.GracefulEviction)
    throw new StateUnreadable('the feature gate GracefulEviction is off');
  if (!settings.gates.StatefulFailoverInjection)
    return applicationEvictionTask(binding, failover, cluster, undefined);
  requireKnownState(binding, informers.informer(workloadStates).store.get(keyOf(binding)), cluster);
  const state = stateToCarry(binding, statePreservation, cluster);
  return applicationEvictionTask(binding, failover, cluster, state);
}
