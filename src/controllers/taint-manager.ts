// taint-manager: takes bindings off clusters whose NoExecute taints they do not tolerate, when their time is over.
// Reads: Clusters, bindings. Writes: spec.clusters and spec.gracefulEvictionTasks of bindings.
// INVARIANT: judged by the placement that was scheduled with, never by a policy that has not been acted on; the last
// healthy copy is not purged before something can take its place.
import type { Cluster } from '../api/index.ts';
import { formatTime } from '../base/index.ts';
import { keyOf, kinds, type Resource } from '../client/index.ts';
import {
  StateUnreadable,
  appliedTolerations,
  evict,
  isLastHealthyCopy,
  isLeftAsLost,
  noExecuteTaints,
  requireKnownState,
  stateToCarry,
  stayOf,
  suspicionOf,
  taintEvictionTask,
  taintPurgeMode,
  type EvictionChange,
  type Hold,
  type PurgeMode,
} from '../failover/index.ts';
import { isBeingDeleted } from '../machinery/index.ts';
import type { Binding } from '../propagation/index.ts';
import {
  PRIORITY_RESYNC,
  done,
  informerSource,
  requeueAfter,
  runController,
  type Informer,
  type Outcome,
} from '../runtime/index.ts';
import { fleetSnapshot, schedule, type FleetSnapshot } from '../scheduling/index.ts';
import { BINDINGS_BY_CLUSTER, targetNames } from './cluster.ts';
import type { Controller, ControllerContext } from './context.ts';
import { brakeOf } from './eviction-brake.ts';
import { EvictionPace } from './eviction-pace.ts';
import { BINDING_SCOPES, reportHeld, tellNotEvicted, writeEviction } from './evictions.ts';
import { workloadStates } from './workload-state.ts';

// LIMIT: evictions being written at once. They go first: what has to wait is the tidying up behind them.
const CONCURRENT_EVICTIONS = 128;
// Until the cache has caught up with our own write.
const HOLD_ENDED_MS = 100;

/** COMPAT: switched on and off together with the cluster controller, of which it is a part upstream. */
export const taintManager: Controller = {
  name: 'cluster',
  async run(context) {
    const { settings, informers, signal } = context;
    if (!settings.gates.Failover || !settings.enableTaintManager || !settings.enableNoExecuteTaintEviction)
      return;
    const clusters = informers.informer(kinds.clusters);
    const pace = new EvictionPace(settings.resourceEvictionRate);
    let snapshot: FleetSnapshot | undefined;
    const forget = (): void => void (snapshot = undefined);
    const stop = clusters.subscribe({ added: forget, updated: forget, deleted: forget });
    signal.addEventListener('abort', stop, { once: true });
    await clusters.synced;
    const fleet = (): FleetSnapshot => (snapshot ??= fleetSnapshot(clusters.store.values()));
    const evictors = BINDING_SCOPES.map(
      ({ prefix, resource }) => new Evictor(context, prefix, resource, clusters, pace, fleet),
    );
    showQueues(context, evictors);
    await Promise.all(evictors.map((evictor) => evictor.run()));
  },
};

/** COMPAT: upstream's names; its total of kinds counts again what is tried again, ours is what waits. */
function showQueues({ observe }: ControllerContext, evictors: readonly Evictor[]): void {
  observe?.(
    'eviction_queue_depth',
    'Bindings that wait to be evicted.',
    () => evictors.map(({ queue, waiting }) => [[queue], waiting.size] as const),
    ['name'],
  );
  observe?.(
    'eviction_kind_total',
    'Bindings that wait to be evicted, by the cluster they leave and their kind.',
    () => {
      const counts = new Map<string, number>();
      for (const { waiting } of evictors)
        for (const key of waiting.values()) counts.set(key, (counts.get(key) ?? 0) + 1);
      return [...counts].map(([key, count]) => [key.split('|'), count] as const);
    },
    ['member_cluster', 'resource_kind'],
  );
}

class Evictor {
  /** As upstream calls it in metrics: `binding-eviction`, `cluster-binding-eviction`. */
  readonly queue: string;
  /** Cluster and kind by key. LIMIT: the bindings of tainted clusters. */
  readonly waiting = new Map<string, string>();
  private readonly context: ControllerContext;
  private readonly prefix: string;
  private readonly resource: Resource<Binding>;
  private readonly clusters: Informer<Cluster>;
  private readonly bindings: Informer<Binding>;
  private readonly pace: EvictionPace;
  private readonly fleet: () => FleetSnapshot;

  constructor(
    context: ControllerContext,
    prefix: string,
    resource: Resource<Binding>,
    clusters: Informer<Cluster>,
    pace: EvictionPace,
    fleet: () => FleetSnapshot,
  ) {
    this.context = context;
    this.prefix = prefix;
    this.queue = `${prefix.replace('resource-', '')}-eviction`;
    this.resource = resource;
    this.clusters = clusters;
    this.bindings = context.informers.informer(resource, {
      indexes: { [BINDINGS_BY_CLUSTER]: targetNames },
    });
    this.pace = pace;
    this.fleet = fleet;
  }

  run(): Promise<void> {
    const name = `${this.prefix}-taint-manager`;
    const { clock, logger, metrics, signal } = this.context;
    return runController({
      name,
      sources: [
        informerSource(this.clusters, {
          changed: (before, after) => before.spec.taints !== after.spec.taints,
          map: (cluster) => this.keysOf(cluster),
          priority: PRIORITY_RESYNC,
        }),
        informerSource(this.bindings, {
          changed: (before, after) =>
            before.metadata.generation !== after.metadata.generation ||
            before.metadata.annotations !== after.metadata.annotations,
          map: (binding) =>
            targetNames(binding)
              .filter((cluster) => this.taintsOf(cluster).length > 0)
              .map((cluster) => `${cluster}|${keyOf(binding)}`),
        }),
      ],
      concurrency: CONCURRENT_EVICTIONS,
      clock,
      logger,
      metrics,
      signal,
      reconcile: async (key, { signal: reconcileSignal }) => {
        const outcome = await this.reconcile(key, reconcileSignal);
        if (outcome.kind !== 'done') return outcome;
        this.pace.end(key);
        this.waiting.delete(key);
        return outcome;
      },
    });
  }

  private keysOf(cluster: Cluster): string[] {
    if (noExecuteTaints(cluster.spec.taints).length === 0) return [];
    const { name = '' } = cluster.metadata;
    return this.bindings.store
      .byIndex(BINDINGS_BY_CLUSTER, name)
      .map((binding) => `${name}|${keyOf(binding)}`);
  }

  private taintsOf(cluster: string): ReturnType<typeof noExecuteTaints> {
    return noExecuteTaints(this.clusters.store.get(cluster)?.spec.taints);
  }

  private async reconcile(key: string, signal: AbortSignal): Promise<Outcome> {
    const { clock, logger } = this.context;
    const split = key.indexOf('|');
    const cluster = key.slice(0, split);
    const binding = this.bindings.store.get(key.slice(split + 1));
    if (binding === undefined || isBeingDeleted(binding)) return done;
    if (!targetNames(binding).includes(cluster)) return done;
    const taints = this.taintsOf(cluster);
    if (taints.length === 0) {
      await this.report(binding, undefined, signal);
      return done;
    }
    const tolerations = appliedTolerations(binding);
    if (tolerations === undefined) {
      // The scheduler writes it, and that brings the binding back.
      logger.debug('A binding in a tainted cluster has no readable placement yet', { key });
      return done;
    }
    const stay = stayOf(taints, tolerations, clock.now());
    if (stay.kind !== 'ends') await this.report(binding, undefined, signal);
    if (stay.kind === 'for-ever') return done;
    this.waiting.set(key, `${cluster}|${binding.spec.resource.kind}`);
    if (stay.kind === 'for-now') return requeueAfter(stay.forMs, 'the taint is tolerated until then');
    const waitMs = this.pace.waitMs(key, clock.now());
    // A wait too short for a timer would only cost one.
    if (waitMs >= 1) return requeueAfter(waitMs, 'evictions are paced');
    const over = this.context.scheduling.evicting(this.queue);
    try {
      const outcome = await this.evict(binding, cluster, signal);
      if (outcome.kind === 'done') over(true);
      return outcome;
    } catch (error) {
      over(false);
      throw error;
    }
  }

  private async evict(binding: Binding, cluster: string, signal: AbortSignal): Promise<Outcome> {
    const { settings } = this.context;
    const purgeMode = taintPurgeMode(binding.spec, settings.noExecuteTaintEvictionPurgeMode);
    let state: Readonly<Record<string, string>> | undefined;
    try {
      state = this.stateOf(binding, cluster);
    } catch (error) {
      if (!(error instanceof StateUnreadable)) throw error;
      tellNotEvicted(this.context, binding, cluster, error);
      return this.hold(
        binding,
        { reason: 'StateUnreadable', message: `The copy in ${cluster} stays: ${error.message}.` },
        signal,
      );
    }
    const now = formatTime(this.context.clock.now());
    const change = evict(binding.spec, taintEvictionTask(cluster, purgeMode, state), now);
    if (change === undefined) return done;
    const hold = await this.refusal(binding, cluster, change, purgeMode);
    if (hold !== undefined) return this.hold(binding, hold, signal);
    if (await this.report(binding, undefined, signal))
      return requeueAfter(HOLD_ENDED_MS, 'the hold that is over has just been taken off');
    try {
      await writeEviction(this.context, this.resource, binding, change, signal);
    } catch (error) {
      tellNotEvicted(this.context, binding, cluster, error);
      throw error;
    }
    return done;
  }

  /** What the guard says. The brake is asked last, for it counts what it lets pass. */
  private async refusal(
    binding: Binding,
    cluster: string,
    change: EvictionChange,
    purgeMode: PurgeMode,
  ): Promise<Hold | undefined> {
    const suspect = suspicionOf(this.clusters.store.get(cluster));
    if (suspect !== undefined)
      return {
        reason: 'ClusterSuspect',
        message: `The copy in ${cluster} stays: the cluster is suspect: ${suspect}.`,
      };
    if (purgeMode === 'Directly' && isLastHealthyCopy(binding, cluster, this.clusters.store)) {
      const obstacle = this.obstacle({ ...binding, spec: { ...binding.spec, ...change } });
      if (obstacle !== undefined) return { reason: 'NoReplacement', message: heldText(cluster, obstacle) };
    }
    const mass = await brakeOf(this.context).pass(isLeftAsLost(this.clusters.store.get(cluster)));
    if (mass === undefined) return undefined;
    return { reason: 'MassEviction', message: `The copy in ${cluster} stays: ${mass}.` };
  }

  private async hold(binding: Binding, hold: Hold, signal: AbortSignal): Promise<Outcome> {
    await this.report(binding, hold, signal);
    return requeueAfter(this.context.settings.taintEvictionRetryPeriodMs, hold.message);
  }

  private report(binding: Binding, hold: Hold | undefined, signal: AbortSignal): Promise<boolean> {
    return reportHeld(this.context, this.resource, binding, 'evict', hold, signal);
  }

  private stateOf(binding: Binding, cluster: string): Readonly<Record<string, string>> | undefined {
    if (!this.context.settings.gates.StatefulFailoverInjection) return undefined;
    const known = this.context.informers.informer(workloadStates).store.get(keyOf(binding));
    requireKnownState(binding, known, cluster);
    return stateToCarry(binding, binding.spec.failover?.cluster?.statePreservation, cluster);
  }

  /** Why the scheduler would find no place for the binding; undefined when it would, or is not ours to ask. */
  private obstacle(binding: Binding): string | undefined {
    const { settings } = this.context;
    const { schedulerName = '', placement } = binding.spec;
    if (placement === undefined || (schedulerName !== '' && schedulerName !== settings.schedulerName))
      return undefined;
    const result = schedule({
      binding,
      fleet: this.fleet(),
      gates: settings.gates,
      mode: 'Steady',
      propagateEmptyWorkloads: settings.enableEmptyWorkloadPropagation,
    });
    if (!result.ok) return result.failure.message;
    return result.clusters.length === 0 ? 'no other cluster takes it' : undefined;
  }
}

function heldText(cluster: string, obstacle: string): string {
  const why = obstacle.replace(/\.+$/, '');
  return `The copy in ${cluster} stays: it is the last healthy one, and nothing can take its place: ${why}.`;
}
