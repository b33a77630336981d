// karmada-scheduler: decides for every binding which clusters it goes to.
// Reads: bindings, clusters. Writes: spec.clusters and the applied placement of bindings, their Scheduled condition, and
// why it was decided so (decisions.ts).
// INVARIANT: decisions are made one after the other, each on one frozen snapshot of the fleet; only their writes
// overlap, and never two for one binding.
import {
  SCHEDULED_CONDITION,
  type Cluster,
  type KubeObject,
  type ResourceBindingStatus,
} from '../../api/index.ts';
import { errorMessage, type Cancel } from '../../base/index.ts';
import { isConflict, isNotFound, keyOf, kinds, type Resource } from '../../client/index.ts';
import { StatusError } from '../../machinery/index.ts';
import type { Binding } from '../../propagation/index.ts';
import type { Informer } from '../../runtime/index.ts';
import {
  clusterVersionsToMatch,
  createSchedulingQueue,
  decideTrigger,
  entersQueue,
  fleetSnapshot,
  groupKeys,
  isConcernedBy,
  mayHelp,
  observedStatus,
  outcomeOf,
  outcomeOfWriteError,
  peersOf,
  schedule,
  waitOf,
  type FleetSnapshot,
  type QueuedBinding,
  type Retry,
  type ScheduleInput,
  type ScheduleOutcome,
  type ScheduleResult,
  type Wait,
} from '../../scheduling/index.ts';
import type { Controller, ControllerContext } from '../context.ts';
import { DecisionLog } from '../decisions.ts';

const BY_AFFINITY_GROUP = 'affinity-group';
// LIMIT: decided bindings whose writes are under way.
const CONCURRENT_WRITES = 128;
// LIMIT: decisions in one turn of the event loop, so that sockets and timers get theirs.
const DECISIONS_PER_TURN = 64;
// LIMIT: how often a status write that met somebody else's is made anew.
const STATUS_TRIES = 8;
const GONE = { retry: 'forget', written: false } as const;

export const scheduler: Controller = {
  name: 'scheduler',
  async run(context) {
    const { informers, signal } = context;
    const bindings = informers.informer(kinds.resourceBindings) as unknown as Informer<Binding>;
    const clusterBindings = informers.informer(kinds.clusterResourceBindings) as unknown as Informer<Binding>;
    const clusters = informers.informer(kinds.clusters);
    // COMPAT: groups hold within one namespace, so cluster-scoped bindings have none.
    if (context.settings.gates.WorkloadAffinity) bindings.addIndex(BY_AFFINITY_GROUP, groupKeys);
    await Promise.all([bindings.synced, clusterBindings.synced, clusters.synced]);
    const loop = new SchedulerLoop(context, bindings, clusterBindings, clusters);
    const stops = [...loop.follow(bindings), ...loop.follow(clusterBindings), loop.followClusters()];
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    for (const stop of stops) stop();
    await loop.stop();
  },
};

class SchedulerLoop {
  private readonly context: ControllerContext;
  private readonly bindings: Informer<Binding>;
  private readonly clusterBindings: Informer<Binding>;
  private readonly clusters: Informer<Cluster>;
  private readonly queue = createSchedulingQueue();
  private readonly decisions: DecisionLog;
  /** What bindings that could not be placed wait for. */
  private readonly waits = new Map<string, Wait>();
  private readonly writes = new Set<Promise<void>>();
  private snapshot: FleetSnapshot | undefined;
  private pumping = false;
  private stopped = false;
  private cancelFlush: Cancel | undefined;

  constructor(
    context: ControllerContext,
    bindings: Informer<Binding>,
    clusterBindings: Informer<Binding>,
    clusters: Informer<Cluster>,
  ) {
    this.context = context;
    this.decisions = DecisionLog.of(context);
    this.bindings = bindings;
    this.clusterBindings = clusterBindings;
    this.clusters = clusters;
  }

  follow(informer: Informer<Binding>): Cancel[] {
    const name = this.context.settings.schedulerName;
    return [
      informer.subscribe({
        added: (binding) => {
          if (entersQueue(binding, name)) this.push(binding);
        },
        updated: (before, after) => {
          const enters = entersQueue(after, name);
          if (!enters) this.drop(after);
          else if (!entersQueue(before, name) || before.metadata.generation !== after.metadata.generation)
            this.push(after);
        },
        deleted: (binding) => this.drop(binding),
      }),
    ];
  }

  followClusters(): Cancel {
    return this.clusters.subscribe({
      added: () => void (this.snapshot = undefined),
      updated: (before, after) => {
        this.snapshot = undefined;
        this.clusterChanged(before, after);
      },
      deleted: () => void (this.snapshot = undefined),
    });
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.cancelFlush?.();
    await Promise.all(this.writes);
  }

  private clusterChanged(before: Cluster, after: Cluster): void {
    const { clock, settings } = this.context;
    const versions = clusterVersionsToMatch(before, after);
    if (versions.length > 0) {
      for (const informer of [this.bindings, this.clusterBindings]) {
        for (const binding of informer.store.values()) {
          if (isConcernedBy(binding, versions, settings.schedulerName)) this.push(binding);
        }
      }
    }
    for (const [key, wait] of this.waits) {
      if (!mayHelp(wait, before, after)) continue;
      this.waits.delete(key);
      const binding = this.find(key);
      // A binding that fits nowhere left the queue; one without room waits in it.
      if (binding !== undefined) this.push(binding);
      this.queue.wake(key, clock.now());
    }
    this.pump();
  }

  private push(binding: Binding): void {
    const key = queueKey(binding);
    this.waits.delete(key);
    const byPriority = this.context.settings.gates.PriorityBasedScheduling;
    const priority = byPriority ? (binding.spec.schedulePriority?.priority ?? 0) : 0;
    this.queue.push(key, priority, this.context.clock.now());
    this.pump();
  }

  private drop(binding: Binding): void {
    const key = queueKey(binding);
    this.waits.delete(key);
    this.queue.forget(key);
    this.decisions.forget(binding);
  }

  /** Decides what is queued, in a turn of its own. */
  private pump(): void {
    if (this.pumping || this.stopped) return;
    this.pumping = true;
    void Promise.resolve().then(() => this.drain());
  }

  private drain(): void {
    const { clock } = this.context;
    this.queue.flush(clock.now());
    for (let decisions = 0; !this.stopped && this.writes.size < CONCURRENT_WRITES; decisions++) {
      if (decisions >= DECISIONS_PER_TURN) {
        clock.after(0, () => this.drain());
        return;
      }
      const item = this.queue.pop();
      if (item === undefined) break;
      this.start(item);
    }
    this.pumping = false;
    this.scheduleFlush();
  }

  private scheduleFlush(): void {
    this.cancelFlush?.();
    this.cancelFlush = undefined;
    const nextMs = this.queue.nextFlushMs();
    if (nextMs === undefined || this.stopped) return;
    this.cancelFlush = this.context.clock.after(Math.max(0, nextMs - this.context.clock.now()), () =>
      this.pump(),
    );
  }

  private start(item: QueuedBinding): void {
    const work = this.process(item)
      .catch((error: unknown): Retry => {
        this.context.logger.error('Scheduling a binding failed', { key: item.key, error });
        return 'backoff';
      })
      .then((retry) => {
        this.writes.delete(work);
        this.queue.done(item.key, retry, this.context.clock.now());
        this.pump();
      });
    this.writes.add(work);
  }

  /** The decision is made before the first wait. */
  private async process(item: QueuedBinding): Promise<Retry> {
    const { settings, clock } = this.context;
    const binding = this.find(item.key);
    if (binding === undefined) return 'forget';
    const fleet = (this.snapshot ??= fleetSnapshot(this.clusters.store.values()));
    const trigger = decideTrigger(binding, fleet, settings.gates);
    if (!trigger.due) {
      if (trigger.observe) await this.writeStatus(binding, observedStatus(binding));
      return 'forget';
    }
    const input: ScheduleInput = {
      binding,
      fleet,
      gates: settings.gates,
      mode: trigger.mode,
      peers:
        settings.gates.WorkloadAffinity && binding.kind === 'ResourceBinding'
          ? peersOf(binding, (group) => this.bindings.store.byIndex(BY_AFFINITY_GROUP, group))
          : undefined,
      propagateEmptyWorkloads: settings.enableEmptyWorkloadPropagation,
    };
    const result = schedule(input);
    if (!result.ok) this.remember(item.key, result, fleet);
    const outcome = outcomeOf(binding, result, trigger.mode, clock.now());
    const carriedOut = await this.carryOut(binding, outcome);
    if (carriedOut.written) await this.decisions.scheduled(binding, input, result, trigger.why);
    return carriedOut.retry;
  }

  private remember(key: string, result: Extract<ScheduleResult, { ok: false }>, fleet: FleetSnapshot): void {
    this.waits.set(
      key,
      waitOf(
        result.failure,
        result.attempts,
        fleet.clusters.map(({ name }) => name),
      ),
    );
  }

  private async carryOut(
    binding: Binding,
    decided: ScheduleOutcome,
  ): Promise<{ readonly retry: Retry; readonly written: boolean }> {
    const { hubClient, clock } = this.context;
    let outcome = decided;
    let written = binding;
    if (outcome.patch !== undefined) {
      try {
        const { namespace, name = '' } = binding.metadata;
        written = await hubClient.patch(
          resourceOf(binding),
          { namespace, name },
          { type: 'merge', body: outcome.patch },
        );
      } catch (error) {
        if (isNotFound(error)) return GONE;
        outcome = outcomeOfWriteError(binding, outcome, writeError(error), clock.now());
      }
    }
    if (outcome.status !== undefined) {
      try {
        await this.writeStatus(written, outcome.status);
      } catch (error) {
        if (isNotFound(error)) return GONE;
        throw error;
      }
    }
    this.tell(binding, outcome);
    return { retry: outcome.retry, written: outcome === decided };
  }

  /** Writes our own fields over whatever status is there by now: others write theirs at the same time. */
  private async writeStatus(binding: Binding, status: ResourceBindingStatus): Promise<void> {
    const { hubClient } = this.context;
    const resource = resourceOf(binding);
    const { namespace, name = '' } = binding.metadata;
    let current = binding;
    for (let tries = 1; ; tries++) {
      try {
        await hubClient.updateStatus(resource, {
          ...current,
          status: overlaid(current.status, status),
        });
        return;
      } catch (error) {
        if (!isConflict(error) || tries >= STATUS_TRIES) throw error;
        current = await hubClient.get(resource, { namespace, name });
      }
    }
  }

  private tell(binding: Binding, outcome: ScheduleOutcome): void {
    const { recorder } = this.context;
    const { apiVersion, kind, namespace, name, uid, resourceVersion } = binding.spec.resource;
    const template: KubeObject = {
      apiVersion,
      kind,
      metadata: {
        name,
        ...(namespace === undefined ? {} : { namespace }),
        ...(uid === undefined ? {} : { uid }),
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      },
    };
    for (const { type, reason, message } of outcome.events) {
      recorder.event(binding, type, reason, message);
      recorder.event(template, type, reason, message);
    }
  }

  private find(key: string): Binding | undefined {
    const [kind, ...rest] = key.split('|');
    return (kind === 'ResourceBinding' ? this.bindings : this.clusterBindings).store.get(rest.join('|'));
  }
}

/** `ours` as far as the scheduler writes it, over `current`. */
function overlaid(
  current: ResourceBindingStatus | undefined,
  ours: ResourceBindingStatus,
): ResourceBindingStatus {
  const isOurs = ({ type }: { readonly type: string }): boolean => type === SCHEDULED_CONDITION;
  const {
    conditions = [],
    schedulerObservedGeneration,
    schedulerObservingAffinityName,
    lastScheduledTime,
  } = ours;
  return {
    ...current,
    conditions: [...(current?.conditions ?? []).filter((one) => !isOurs(one)), ...conditions.filter(isOurs)],
    ...(schedulerObservedGeneration === undefined ? {} : { schedulerObservedGeneration }),
    ...(schedulerObservingAffinityName === undefined ? {} : { schedulerObservingAffinityName }),
    ...(lastScheduledTime === undefined ? {} : { lastScheduledTime }),
  };
}

function queueKey(binding: Binding): string {
  return `${binding.kind}|${keyOf(binding)}`;
}

function resourceOf(binding: Binding): Resource<Binding> {
  return binding.kind === 'ResourceBinding' ? kinds.resourceBindings : kinds.clusterResourceBindings;
}

function writeError(error: unknown): {
  readonly message: string;
  readonly reason: string;
  readonly causes: readonly string[];
} {
  if (!(error instanceof StatusError)) return { message: errorMessage(error), reason: '', causes: [] };
  const causes = (error.status.details?.causes ?? []).map(({ reason = '' }) => reason);
  return { message: error.message, reason: error.reason, causes };
}
