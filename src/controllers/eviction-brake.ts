// eviction-brake controller: holds evictions while too much moves at once, and follows the operator who releases them.
// Reads: the EvictionBrake, Clusters. Writes: the EvictionBrake's status.
// INVARIANT: an engaged brake survives a restart; what the object says is taken up before anything passes.
import { EVICTION_BRAKE_NAME, type Condition, type EvictionBrake } from '../api/index.ts';
import { formatTime } from '../base/index.ts';
import { isAlreadyExists, kinds, resource } from '../client/index.ts';
import {
  brakeAtRest,
  fleetObstacle,
  fleetOf,
  passBrake,
  releaseBrake,
  type BrakeLimits,
  type BrakeState,
  type Fleet,
} from '../failover/index.ts';
import { deepEqual, parseTime } from '../machinery/index.ts';
import { withCondition } from '../propagation/index.ts';
import {
  WorkQueue,
  done,
  informerSource,
  requeueAfter,
  runController,
  type Informer,
  type InformerSet,
  type Outcome,
} from '../runtime/index.ts';
import type { Controller, ControllerContext } from './context.ts';
import type { ControllerSettings } from './settings.ts';

const ENGAGED_CONDITION = 'Engaged';
const NAME = EVICTION_BRAKE_NAME;

export const evictionBrakes = resource<EvictionBrake>({
  group: 'navarch.io',
  version: 'v1alpha1',
  resource: 'evictionbrakes',
  namespaced: false,
});

export function brakeLimits(settings: ControllerSettings): BrakeLimits {
  return { perMinute: settings.evictionBrakePerMinute, fleetShare: settings.evictionBrakeFleetShare };
}

// One for each hub, shared by all that evict.
const perHub = new WeakMap<InformerSet, Brake>();

/** The brake of this hub. */
export function brakeOf(context: ControllerContext): Brake {
  const known = perHub.get(context.informers) ?? new Brake(context);
  perHub.set(context.informers, known);
  return known;
}

export class Brake {
  readonly informer: Informer<EvictionBrake>;
  private readonly context: ControllerContext;
  private readonly queue: WorkQueue;
  private state: BrakeState = brakeAtRest;
  /** When the release was made that is in force or over. */
  private releasedAt: string | undefined;
  private known: Fleet | undefined;

  constructor(context: ControllerContext) {
    const { clock, informers, metrics, signal } = context;
    this.context = context;
    this.queue = new WorkQueue({ name: 'eviction-brake', clock, metrics });
    this.informer = informers.informer(evictionBrakes);
    const forget = (): void => {
      this.known = undefined;
      if (this.informer.store.size > 0) this.queue.add(NAME);
    };
    const stop = informers.informer(kinds.clusters).subscribe({
      added: forget,
      updated: (before, after) => {
        if (
          before.spec.taints !== after.spec.taints ||
          before.status?.conditions !== after.status?.conditions
        )
          forget();
      },
      deleted: forget,
    });
    signal.addEventListener('abort', stop, { once: true });
  }

  get engaged(): boolean {
    return this.condition().status === 'True';
  }

  fleet(): Fleet {
    return (this.known ??= fleetOf(this.context.informers.informer(kinds.clusters).store.values()));
  }

  /**
   * Counts an eviction that passes; otherwise why it is held. Resolves when what operators said is known.
   * @param asLost whether it is made only because its cluster is lost
   */
  async pass(asLost: boolean): Promise<string | undefined> {
    await this.informer.synced;
    const { clock, settings } = this.context;
    this.takeUp(this.informer.store.get(NAME));
    const before = this.state;
    const { state, refusal } = passBrake(
      before,
      asLost ? this.fleet() : undefined,
      brakeLimits(settings),
      clock.now(),
    );
    this.state = state;
    if (refusal !== undefined) this.queue.add(NAME);
    return refusal;
  }

  run(): Promise<void> {
    const { clock, logger, metrics, signal } = this.context;
    return runController({
      name: 'eviction-brake',
      sources: [informerSource(this.informer, { filter: ({ metadata }) => metadata.name === NAME })],
      queue: this.queue,
      clock,
      logger,
      metrics,
      signal,
      reconcile: (_key, { signal: reconcileSignal }) => this.reconcile(reconcileSignal),
    });
  }

  /** What the object says beyond what is known: a release, or an engagement before a restart. */
  private takeUp(brake: EvictionBrake | undefined): void {
    const release = brake?.spec?.release;
    const releasedMs = parseTime(release?.time ?? '');
    const engaged = brake?.status?.conditions?.find(({ type }) => type === ENGAGED_CONDITION);
    const since = parseTime(engaged?.lastTransitionTime ?? '');
    if (this.releasedAt === undefined && engaged?.status === 'True' && engaged.reason === 'TooManyEvictions')
      this.state = { ...this.state, engagedSinceMs: since };
    this.releasedAt ??= '';
    if (release === undefined || releasedMs === undefined || release.time === this.releasedAt) return;
    this.releasedAt = release.time;
    const { engagedSinceMs } = this.state;
    // A release speaks of what was engaged when it was given.
    if (engagedSinceMs !== undefined && releasedMs < engagedSinceMs) return;
    this.state = releaseBrake(this.state, releasedMs + release.forSeconds * 1000);
    const { recorder } = this.context;
    if (brake !== undefined)
      recorder.event(
        brake,
        'Normal',
        'BrakeReleased',
        `Released by ${release.by} for ${release.forSeconds} s: ${release.reason}`,
      );
  }

  private async reconcile(signal: AbortSignal): Promise<Outcome> {
    const { clock, hubClient, recorder } = this.context;
    const existing = this.informer.store.get(NAME);
    this.takeUp(existing);
    const wanted = this.condition();
    if (existing === undefined) {
      if (wanted.status === 'False') return done;
      try {
        await hubClient.create(
          evictionBrakes,
          { apiVersion: 'navarch.io/v1alpha1', kind: 'EvictionBrake', metadata: { name: NAME } },
          { signal },
        );
      } catch (error) {
        if (!isAlreadyExists(error)) throw error;
      }
      // Its creation brings the key back.
      return done;
    }
    const nowMs = clock.now();
    const { releasedUntilMs } = this.state;
    const before = existing.status?.conditions?.find(({ type }) => type === ENGAGED_CONDITION);
    const conditions = withCondition(existing.status?.conditions, wanted, formatTime(nowMs));
    const status = {
      conditions,
      ...(releasedUntilMs > nowMs ? { releasedUntil: formatTime(releasedUntilMs) } : {}),
    };
    if (!deepEqual(existing.status ?? {}, status)) {
      await hubClient.updateStatus(evictionBrakes, { ...existing, status }, { signal });
      if (before?.status !== wanted.status && (wanted.status === 'True' || before !== undefined))
        recorder.event(
          existing,
          wanted.status === 'True' ? 'Warning' : 'Normal',
          wanted.status === 'True' ? 'BrakeEngaged' : 'BrakeDisengaged',
          wanted.message,
        );
    }
    return releasedUntilMs > nowMs ? requeueAfter(releasedUntilMs - nowMs, 'the release ends') : done;
  }

  private condition(): Omit<Condition, 'lastTransitionTime'> {
    const { clock, settings } = this.context;
    const limits = brakeLimits(settings);
    const type = ENGAGED_CONDITION;
    if (clock.now() < this.state.releasedUntilMs)
      return { type, status: 'False', reason: 'Released', message: 'an operator lets everything pass' };
    const lost = fleetObstacle(this.fleet(), limits);
    if (lost !== undefined)
      return { type, status: 'True', reason: 'FleetLost', message: `Evictions are held: ${lost}.` };
    if (this.state.engagedSinceMs !== undefined)
      return {
        type,
        status: 'True',
        reason: 'TooManyEvictions',
        message: `Evictions are held: ${limits.perMinute} workloads were evicted within a minute. "navarch failover release" lets them go on.`,
      };
    return { type, status: 'False', reason: 'AtRest', message: 'evictions pass' };
  }
}

/** COMPAT: switched on and off together with the cluster controller, as the taint manager is. */
export const evictionBrake: Controller = {
  name: 'cluster',
  run: (context) => brakeOf(context).run(),
};
