// karmada-scheduler: decides for every binding which clusters it goes to.
// Reads: bindings, clusters; with --enable-scheduler-estimator the estimators of members. Writes: spec.clusters and the
// applied placement of bindings, their Scheduled condition, and why it was decided so (decisions.ts).
// INVARIANT: decisions are made one after the other, each on one frozen snapshot of the fleet, and take what they take
// in the same step (reservations.ts); only asking estimators and writing overlap, and never two for one binding.
import type { Cluster } from '../../api/index.ts';
import type { Cancel } from '../../base/index.ts';
import { keyOf, kinds } from '../../client/index.ts';
import type { Binding } from '../../propagation/index.ts';
import type { Informer } from '../../runtime/index.ts';
import {
  clusterVersionsToMatch,
  clustersToEstimate,
  createSchedulingQueue,
  decideTrigger,
  deletingEvent,
  enabledPlugins,
  entersQueue,
  fleetSnapshot,
  isConcernedBy,
  mayHelp,
  observedStatus,
  outcomeOf,
  schedule,
  waitOf,
  type EstimatorAnswers,
  type FleetSnapshot,
  type PluginName,
  type QueuedBinding,
  type Retry,
  type ScheduleInput,
  type ScheduleResult,
  type Trigger,
  type Wait,
} from '../../scheduling/index.ts';
import type { Controller, ControllerContext } from '../context.ts';
import { DecisionLog } from '../decisions.ts';
import { estimateFor, sameQuestion } from './estimates.ts';
import { LastLooks } from './last-looks.ts';
import { OutcomeWriter } from './outcome-writer.ts';
import { Reservations } from './reservations.ts';

// LIMIT: bindings being estimated, decided or written.
const CONCURRENT = 128;
// LIMIT: decisions in one turn of the event loop, so that sockets and timers get theirs.
const DECISIONS_PER_TURN = 64;
// LIMIT: how often estimators are asked anew because a binding has changed meanwhile.
const QUESTIONS = 3;

export const scheduler: Controller = {
  name: 'scheduler',
  async run(context) {
    const { informers, signal } = context;
    const bindings = informers.informer(kinds.resourceBindings) as unknown as Informer<Binding>;
    const clusterBindings = informers.informer(kinds.clusterResourceBindings) as unknown as Informer<Binding>;
    const clusters = informers.informer(kinds.clusters);
    const loop = new SchedulerLoop(context, bindings, clusterBindings, clusters);
    await Promise.all([bindings.synced, clusterBindings.synced, clusters.synced]);
    const stops = [loop.follow(bindings), loop.follow(clusterBindings), loop.followClusters(), loop.sweep()];
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    for (const stop of stops) stop();
    await loop.stop();
  },
};

type Due = Extract<Trigger, { due: true }>;

class SchedulerLoop {
  private readonly context: ControllerContext;
  private readonly bindings: Informer<Binding>;
  private readonly clusterBindings: Informer<Binding>;
  private readonly clusters: Informer<Cluster>;
  private readonly queue = createSchedulingQueue();
  private readonly decisions: DecisionLog;
  private readonly reservations: Reservations;
  private readonly writer: OutcomeWriter;
  private readonly plugins: ReadonlySet<PluginName>;
  /** What bindings that could not be placed wait for. */
  private readonly waits = new Map<string, Wait>();
  private readonly looks: LastLooks;
  private readonly underWay = new Set<Promise<void>>();
  private snapshot: FleetSnapshot | undefined;
  private pumping = false;
  private stopped = false;
  private cancelFlush: Cancel | undefined;
  /** With overcommit protection: ends when nobody is between an estimate and its decision. */
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    context: ControllerContext,
    bindings: Informer<Binding>,
    clusterBindings: Informer<Binding>,
    clusters: Informer<Cluster>,
  ) {
    this.context = context;
    this.decisions = DecisionLog.of(context);
    this.reservations = new Reservations(context, bindings, () => this.wakeAll());
    this.writer = new OutcomeWriter(context);
    this.looks = new LastLooks(context.settings);
    this.bindings = bindings;
    this.clusterBindings = clusterBindings;
    this.clusters = clusters;
    const { plugins, unknown } = enabledPlugins(context.settings.schedulerPlugins);
    this.plugins = plugins;
    for (const plugin of unknown) context.logger.warn('There is no such scheduler plugin', { plugin });
    context.scheduling.pendingFrom(() => this.queue.counts());
  }

  follow(informer: Informer<Binding>): Cancel {
    const name = this.context.settings.schedulerName;
    const { scheduling } = this.context;
    return informer.subscribe({
      added: (binding) => {
        if (!entersQueue(binding, name)) return;
        scheduling.incoming('BindingAdd');
        this.push(binding);
      },
      updated: (before, after) => {
        this.reservations.observe(before, after);
        if (!entersQueue(after, name)) return this.drop(after);
        const entered = !entersQueue(before, name);
        if (!entered && before.metadata.generation === after.metadata.generation) return;
        scheduling.incoming(entered ? 'BindingAdd' : 'BindingUpdate');
        this.push(after);
      },
      deleted: (binding) => this.drop(binding),
    });
  }

  followClusters(): Cancel {
    return this.clusters.subscribe({
      added: (cluster, initial) => {
        this.forgetFleet();
        if (!initial) this.offerTo(cluster);
      },
      updated: (before, after) => {
        this.forgetFleet();
        this.reservations.clusterChanged(before, after);
        this.clusterChanged(clusterVersionsToMatch(before, after));
        this.wakeHelped(before, after);
        this.pump();
      },
      deleted: (cluster) => {
        this.forgetFleet();
        // A decision that was made just before may have sent something there.
        this.clusterChanged([cluster]);
        this.pump();
      },
    });
  }

  sweep(): Cancel {
    return this.reservations.sweepRegularly();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.cancelFlush?.();
    await Promise.all(this.underWay);
  }

  private clusterChanged(versions: readonly Cluster[]): void {
    if (versions.length === 0) return;
    const { settings, scheduling } = this.context;
    for (const informer of [this.bindings, this.clusterBindings]) {
      for (const binding of informer.store.values()) {
        if (!isConcernedBy(binding, versions, settings.schedulerName)) continue;
        scheduling.incoming('ClusterChanged');
        this.push(binding);
      }
    }
  }

  /** A cluster that joins may be what bindings wait for that could not be placed. */
  private offerTo(cluster: Cluster): void {
    for (const key of this.waits.keys()) {
      const binding = this.find(key);
      if (binding === undefined || !isConcernedBy(binding, [cluster], this.context.settings.schedulerName))
        continue;
      this.context.scheduling.incoming('ClusterChanged');
      this.push(binding);
    }
  }

  private wakeHelped(before: Cluster, after: Cluster): void {
    for (const [key, wait] of this.waits) {
      if (!mayHelp(wait, before, after)) continue;
      this.waits.delete(key);
      const binding = this.find(key);
      // A binding that fits nowhere left the queue; one without room waits in it.
      if (binding !== undefined) this.push(binding);
      this.queue.wake(key, this.context.clock.now());
    }
  }

  private wakeAll(): void {
    if (this.stopped || this.waits.size === 0) return;
    for (const key of this.waits.keys()) this.queue.wake(key, this.context.clock.now());
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
    this.reservations.forget(binding);
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
    for (let decisions = 0; !this.stopped && this.underWay.size < CONCURRENT; decisions++) {
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
    const { logger, clock, scheduling } = this.context;
    const work = this.process(item)
      .catch((error: unknown): Retry => {
        logger.error('Scheduling a binding failed', { key: item.key, error });
        return 'backoff';
      })
      .then((retry) => {
        this.underWay.delete(work);
        if (retry !== 'forget') scheduling.incoming('ScheduleAttemptFailure');
        this.queue.done(item.key, retry, clock.now());
        this.pump();
      });
    this.underWay.add(work);
  }

  /** Without estimators the decision is made before the first wait. */
  private process(item: QueuedBinding): Promise<Retry> {
    const { settings } = this.context;
    if (!settings.enableSchedulerEstimator) return this.decide(item, undefined);
    // An answer holds only until the next decision takes some of the room, when that is counted.
    if (!settings.gates.SchedulingOvercommitProtection) return this.estimate(item, undefined);
    return new Promise((resolve, reject) => {
      this.turn = this.turn.then(
        () =>
          new Promise<void>((decided) => {
            this.estimate(item, decided).then(resolve, reject).finally(decided);
          }),
      );
    });
  }

  /** Asks estimators and decides with what they say. `decided` is called when room has been taken. */
  private async estimate(item: QueuedBinding, decided: (() => void) | undefined): Promise<Retry> {
    for (let asked = 1; asked <= QUESTIONS; asked++) {
      const due = this.gather(item);
      if (due === undefined) break;
      const input = this.inputFor(due.binding, due.trigger);
      const clusters = clustersToEstimate(input);
      if (clusters.length === 0) break;
      const estimates = await estimateFor(this.context, input, clusters);
      const now = this.find(item.key);
      if (now === undefined || sameQuestion(due.binding, now)) return this.decide(item, estimates, decided);
    }
    return this.decide(item, undefined, decided);
  }

  /** The binding, when there is something to decide about it. */
  private gather(item: QueuedBinding): { readonly binding: Binding; readonly trigger: Due } | undefined {
    const binding = this.find(item.key);
    if (binding === undefined) return undefined;
    const trigger = decideTrigger(binding, this.fleet(), this.context.settings.gates);
    return trigger.due ? { binding, trigger } : undefined;
  }

  private forgetFleet(): void {
    this.snapshot = undefined;
    this.looks.fleetChanged();
  }

  private fleet(): FleetSnapshot {
    return (this.snapshot ??= fleetSnapshot(this.clusters.store.values()));
  }

  private inputFor(binding: Binding, { mode }: Due): ScheduleInput {
    const { settings } = this.context;
    return {
      binding,
      fleet: this.fleet(),
      gates: settings.gates,
      mode,
      plugins: this.plugins,
      propagateEmptyWorkloads: settings.enableEmptyWorkloadPropagation,
      ...this.reservations.inputFor(binding),
    };
  }

  private async decide(
    item: QueuedBinding,
    estimates: EstimatorAnswers | undefined,
    decided?: () => void,
  ): Promise<Retry> {
    const { settings, clock, scheduling } = this.context;
    const binding = this.find(item.key);
    if (binding === undefined) return 'forget';
    const trigger = decideTrigger(binding, this.fleet(), settings.gates);
    if (!trigger.due) {
      if (trigger.why === 'being deleted') this.writer.tell(binding, [deletingEvent()]);
      if (trigger.observe) await this.writer.writeStatus(binding, observedStatus(binding));
      return 'forget';
    }
    if (this.looks.wouldRepeat(item.key, binding, trigger)) return 'forget';
    const fleetOfNow = this.looks.fleetOfNow;
    const timer = scheduling.timer();
    const input: ScheduleInput = {
      ...this.inputFor(binding, trigger),
      stepDone: timer.step,
      ...(estimates === undefined ? {} : { estimates: [estimates] }),
    };
    const result = schedule(input);
    if (!result.ok) this.remember(item.key, result, input.fleet);
    const outcome = outcomeOf(binding, result, trigger.mode, clock.now());
    // What is given up is taken back from the reservations too; a failure that changes nothing takes nothing.
    const taken = result.ok ? result.clusters : [];
    const giveBack = outcome.patch === undefined ? () => undefined : this.reservations.take(binding, taken);
    decided?.();
    const carriedOut = await this.writer.carryOut(binding, outcome, (stored) => {
      if (stored === undefined) giveBack();
      else this.reservations.keep(stored);
    });
    timer.attempted(result.ok && carriedOut.written ? 'scheduled' : 'error', trigger.type);
    if (carriedOut.written) await this.decisions.scheduled(binding, input, result, trigger.why);
    if (result.ok && carriedOut.written && carriedOut.stored !== undefined)
      this.looks.note(item.key, carriedOut.stored, fleetOfNow);
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

  private find(key: string): Binding | undefined {
    const [kind, ...rest] = key.split('|');
    return (kind === 'ResourceBinding' ? this.bindings : this.clusterBindings).store.get(rest.join('|'));
  }
}

function queueKey(binding: Binding): string {
  return `${binding.kind}|${keyOf(binding)}`;
}
