// The loop around every controller: keys come from sources, go through the queue, and each is reconciled from what the
// world looks like then, never from the event that brought it. How it ends is judged in outcome.ts.
import type { KubeObject } from '../api/index.ts';
import { assert, errorMessage, silentLogger, type Cancel, type Clock, type Logger } from '../base/index.ts';
import { keyOf } from '../client/index.ts';
import type { Informer } from './informer.ts';
import { silentMetrics, type RuntimeMetrics } from './metrics.ts';
import { Turns } from './turns.ts';
import { settle, type Outcome } from './outcome.ts';
import { PRIORITY_CHANGE, WorkQueue, type AddOptions, type WorkItem } from './work-queue.ts';

/** Adds a key to a controller's queue. */
export type Enqueue = (key: string, options?: AddOptions) => void;

/** Where keys come from. */
export interface Source {
  /** Starts to deliver, beginning with all that is there already, until cancelled. */
  start(enqueue: Enqueue): Cancel;
  /** Resolves when what is there already has been delivered. */
  readonly synced: Promise<void>;
  /** Delivers everything again. */
  resync?(enqueue: Enqueue): void;
}

export interface InformerSourceOptions<T extends KubeObject> {
  /** The keys an object means work for; default: its own. */
  readonly map?: (object: T) => string | undefined | Iterable<string>;
  /** Whether an update is worth a reconcile; default: always. */
  readonly changed?: (old: T, object: T) => boolean;
  /** Whether an object is of interest at all; leaving the filter counts as deletion, entering as addition. */
  readonly filter?: (object: T) => boolean;
  /** Of what is no initial pass; default PRIORITY_CHANGE. */
  readonly priority?: number;
  /** How long an addition or update may wait, because more is on its way or others go first; default 0. */
  readonly delayMs?: { readonly added?: number; readonly updated?: number };
}

/** Keys from the events of an informer. On updates both the old and the new object's keys are delivered. */
export function informerSource<T extends KubeObject>(
  informer: Informer<T>,
  options: InformerSourceOptions<T> = {},
): Source {
  const { map = keyOf, changed = () => true, filter = () => true } = options;
  const { priority = PRIORITY_CHANGE, delayMs = {} } = options;
  const deliver = (enqueue: Enqueue, object: T, how: AddOptions): void => {
    if (!filter(object)) return;
    const keys = map(object);
    if (typeof keys === 'string') enqueue(keys, how);
    else if (keys !== undefined) for (const key of keys) enqueue(key, how);
  };
  const initially: AddOptions = { priority: informer.initialPriority, reason: 'initial' };
  const added: AddOptions = { priority, reason: 'added', afterMs: delayMs.added ?? 0 };
  const updated: AddOptions = { priority, reason: 'updated', afterMs: delayMs.updated ?? 0 };
  const deleted: AddOptions = { priority, reason: 'deleted' };
  return {
    synced: informer.synced,
    start: (enqueue) =>
      informer.subscribe({
        added: (object, initial) => deliver(enqueue, object, initial ? initially : added),
        updated(old, object) {
          // Crossing the filter is always news; what the old object meant work for may have lost something.
          if (filter(old) === filter(object) && !changed(old, object)) return;
          deliver(enqueue, object, updated);
          if (options.map !== undefined || !filter(object)) deliver(enqueue, old, updated);
        },
        deleted: (object) => deliver(enqueue, object, deleted),
      }),
    resync(enqueue) {
      for (const object of informer.store.values()) deliver(enqueue, object, initially);
    },
  };
}

export interface ReconcileContext {
  /** Aborts when the controller must end now, or this reconcile has taken too long. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** Failures of this key in a row before this try. */
  readonly failures: number;
  readonly priority: number;
  /** Why the key was queued, for traces. */
  readonly reason: string;
}

export type Reconcile = (key: string, context: ReconcileContext) => Promise<Outcome>;

export interface ControllerSettings {
  /** As in metrics and logs, e.g. `execution-controller`. */
  readonly name: string;
  readonly sources: readonly Source[];
  readonly reconcile: Reconcile;
  readonly clock: Clock;
  /** Reconciles under way at once, of different keys; default 1. */
  readonly concurrency?: number;
  /** Default: a queue of the controller's name. */
  readonly queue?: WorkQueue;
  readonly logger?: Logger;
  readonly metrics?: RuntimeMetrics;
  /** Delivers everything again this often; 0 or absent: never, events suffice. */
  readonly resyncPeriodMs?: number;
  /** LIMIT: a reconcile that takes longer has its signal aborted and counts as failed. Default 300,000. */
  readonly reconcileTimeoutMs?: number;
  /** On stop, reconciles under way may end by themselves for this long. Default 10,000. */
  readonly stopTimeoutMs?: number;
  /** Stops the controller. */
  readonly signal: AbortSignal;
}

/**
 * Runs until the signal aborts and the reconciles under way have ended. Reconciles start when all sources are synced.
 * Rejects only when a source can never sync.
 */
export async function runController(settings: ControllerSettings): Promise<void> {
  const { sources, signal, clock, resyncPeriodMs = 0 } = settings;
  if (signal.aborted) return;
  const queue =
    settings.queue ??
    new WorkQueue({
      name: settings.name,
      clock,
      ...(settings.metrics === undefined ? {} : { metrics: settings.metrics }),
    });
  const workers = new Workers(settings, queue);
  const enqueue: Enqueue = (key, options) => queue.add(key, options);
  const resync = (): void => {
    for (const source of sources) source.resync?.(enqueue);
  };
  const cancels = sources.map((source) => source.start(enqueue));
  const stopped = new Promise<void>((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  );
  try {
    await Promise.race([Promise.all(sources.map(({ synced }) => synced)), stopped]);
    if (signal.aborted) return;
    workers.start();
    if (resyncPeriodMs > 0) cancels.push(repeat(clock, resyncPeriodMs, resync));
    await stopped;
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    for (const cancel of cancels) cancel();
    await workers.stop();
    queue.close();
  }
}

function repeat(clock: Clock, periodMs: number, call: () => void): Cancel {
  let cancel = clock.after(periodMs, function again() {
    call();
    cancel = clock.after(periodMs, again);
  });
  return () => cancel();
}

interface Running {
  readonly abort: AbortController;
}

class Workers {
  private readonly settings: ControllerSettings;
  private readonly queue: WorkQueue;
  private readonly logger: Logger;
  private readonly metrics: RuntimeMetrics;
  private readonly concurrency: number;
  private readonly running = new Set<Running>();
  private readonly turns: Turns;
  private readonly goOn = (): void => this.dispatch();
  private scheduled = false;
  private stopping = false;
  private whenIdle: (() => void) | undefined;

  constructor(settings: ControllerSettings, queue: WorkQueue) {
    this.settings = settings;
    this.queue = queue;
    this.logger = (settings.logger ?? silentLogger).with({ controller: settings.name });
    this.metrics = settings.metrics ?? silentMetrics;
    this.concurrency = settings.concurrency ?? 1;
    this.turns = Turns.of(settings.clock);
    assert(this.concurrency >= 1, `${settings.name}: concurrency must be at least 1`);
  }

  start(): void {
    this.queue.onReady = () => this.schedule();
    this.schedule();
  }

  /** Takes nothing more; resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.queue.onReady = () => undefined;
    if (this.running.size === 0) return;
    const { clock, stopTimeoutMs = 10_000, name } = this.settings;
    const cancel = clock.after(stopTimeoutMs, () => {
      this.logger.warn('Aborting the reconciles that have not ended by themselves', {
        count: this.running.size,
      });
      for (const { abort } of this.running) abort.abort(new Error(`${name} is being stopped`));
    });
    await new Promise<void>((resolve) => (this.whenIdle = resolve));
    cancel();
  }

  /** In a turn of its own: adding a key must not run a reconcile inside the caller's event handler. */
  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    void Promise.resolve().then(() => {
      this.scheduled = false;
      this.dispatch();
    });
  }

  private dispatch(): void {
    while (!this.stopping && this.running.size < this.concurrency) {
      if (this.queue.readyCount === 0 || !this.turns.tryStart(this.goOn)) return;
      const item = this.queue.tryTake();
      if (item === undefined) return;
      void this.work(item);
    }
  }

  private async work(item: WorkItem): Promise<void> {
    const { clock, reconcileTimeoutMs = 300_000 } = this.settings;
    const running: Running = { abort: new AbortController() };
    this.running.add(running);
    this.metrics.active(this.settings.name, this.running.size);
    const startedMs = clock.now();
    const cancelTimeout = clock.after(reconcileTimeoutMs, () =>
      running.abort.abort(new Error(`the reconcile took longer than ${reconcileTimeoutMs} ms`)),
    );
    const outcome = await this.reconcile(item, running.abort.signal);
    cancelTimeout();
    this.finish(item, outcome, clock.now() - startedMs);
    this.running.delete(running);
    this.metrics.active(this.settings.name, this.running.size);
    if (this.running.size === 0) this.whenIdle?.();
    this.dispatch();
  }

  private async reconcile(item: WorkItem, signal: AbortSignal): Promise<Outcome> {
    const { key, failures, priority, reason } = item;
    const controllerLogger = this.logger;
    let logger: Logger | undefined;
    try {
      return await this.settings.reconcile(key, {
        signal,
        failures,
        priority,
        reason,
        // Most reconciles log nothing, and a logger is dear compared to one of them.
        get logger() {
          return (logger ??= controllerLogger.with({ key }));
        },
      });
    } catch (error) {
      return { kind: 'retry', error };
    }
  }

  private finish(item: WorkItem, outcome: Outcome, tookMs: number): void {
    const { key, priority } = item;
    const { name, level, next, error } = settle(outcome, this.stopping);
    this.metrics.reconciled(this.settings.name, name, tookMs);
    let waitMs: number | undefined;
    if (next.do === 'forget') {
      this.queue.forget(key);
    } else if (next.do === 'requeue') {
      this.queue.forget(key);
      waitMs = next.afterMs;
      this.queue.add(key, { afterMs: waitMs, priority, reason: next.reason });
    } else {
      waitMs = this.queue.retry(key, { priority, reason: next.reason, atLeastMs: next.atLeastMs });
    }
    this.queue.done(key);
    if (level === 'debug') return;
    this.logger[level]('Reconcile failed', {
      key,
      outcome: name,
      error: name === 'quarantine' && error instanceof Error ? error.stack : errorMessage(error),
      failures: item.failures + 1,
      ...(waitMs === undefined ? {} : { waitMs }),
    });
  }
}
