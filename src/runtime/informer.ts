// Keeps a store equal to a collection on the server and tells handlers what changed: list, then watch from the
// list's revision, for ever, whatever breaks in between.
//
//   empty ──list page by page──> listing ──all pages──> watching ──stream ends──> watching (from the last revision)
//                                   │                      │ revision no longer kept (410)
//                                   └────── failed ──wait──┴──────> empty; the next list is compared with the store
//
// INVARIANT: handlers see each object's changes in the server's order, and what they were told adds up to the store:
// added before updated, nothing after deleted, also across relists.
// Handlers get the frozen objects of the store by reference.
import { PRIORITY_RESYNC } from './work-queue.ts';
import { deepFreeze, formatGroupResource, type KubeObject, type WatchEvent } from '../api/index.ts';
import {
  errorMessage,
  silentLogger,
  sleep,
  type Cancel,
  type Clock,
  type Logger,
  type Random,
} from '../base/index.ts';
import { isExpired, keyOf, retryAfterMs, type Client, type Resource } from '../client/index.ts';
import { silentMetrics, type RuntimeMetrics } from './metrics.ts';
import { IndexedStore, type IndexFunction, type Store } from './store.ts';

export interface InformerHandler<T extends KubeObject = KubeObject> {
  /** `initial`: known since before the handler came or the first list ended; not news. */
  added?(object: T, initial: boolean): void;
  /** Never called when nothing changed. */
  updated?(old: T, object: T): void;
  /** With the last state known. */
  deleted?(object: T): void;
}

export interface InformerSelection {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

export interface InformerSettings<T extends KubeObject = KubeObject> extends InformerSelection {
  readonly client: Client;
  readonly resource: Resource<T>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger;
  readonly metrics?: RuntimeMetrics;
  /** Makes objects smaller before they are kept, e.g. by dropping managedFields. Must keep name, uid and version. */
  readonly transform?: ((object: T) => T) | undefined;
  readonly indexes?: Readonly<Record<string, IndexFunction<T>>>;
  /** Of the keys of what is there from the start; default PRIORITY_RESYNC: behind changes. */
  readonly initialPriority?: number;
  /** Default 500. */
  readonly pageSize?: number;
  /** Wait after a first failure; doubles. Default 800. */
  readonly backoffBaseMs?: number;
  /** Default 30,000. */
  readonly backoffMaxMs?: number;
  /** The server ends a watch after between this time and twice of it, to spread the load. Default 300. */
  readonly watchTimeoutSeconds?: number;
}

export type InformerState =
  /** Knows no revision: the next step lists. */
  | { readonly phase: 'empty' }
  | { readonly phase: 'listing' }
  /** The store shows this revision or a later one. */
  | { readonly phase: 'watching'; readonly resourceVersion: string }
  /** Waits before it goes on as `next`. The store keeps what it knew. */
  | {
      readonly phase: 'failed';
      readonly error: unknown;
      readonly waitMs: number;
      readonly next: InformerState;
    }
  | { readonly phase: 'stopped' };

export interface Informer<T extends KubeObject = KubeObject> {
  readonly resource: Resource<T>;
  readonly store: Store<T>;
  readonly state: InformerState;
  readonly isSynced: boolean;
  /** How urgent what is there from the start is to those who queue it. */
  readonly initialPriority: number;
  /** Resolves once the first list is in the store and handlers have seen it. Rejects when stopped before. */
  readonly synced: Promise<void>;
  /** The handler is told of everything known at once (`initial`), then of every change. */
  subscribe(handler: InformerHandler<T>): Cancel;
  addIndex(name: string, keysOf: IndexFunction<T>): void;
  /** Runs until the signal aborts; never rejects. Once only. */
  run(signal: AbortSignal): Promise<void>;
}

/** An informer that has not started; `run` starts it. */
export function createInformer<T extends KubeObject>(settings: InformerSettings<T>): Informer<T> {
  return new ListWatchInformer(settings);
}

class ListWatchInformer<T extends KubeObject> implements Informer<T> {
  readonly resource: Resource<T>;
  readonly store = new IndexedStore<T>();
  readonly synced: Promise<void>;
  state: InformerState = { phase: 'empty' };
  isSynced = false;
  readonly initialPriority: number;

  private readonly settings: InformerSettings<T>;
  private readonly logger: Logger;
  private readonly metrics: RuntimeMetrics;
  private readonly called: string;
  /** Replaced, not changed: who comes while an event is being told has seen it in the store already. */
  private handlers: readonly InformerHandler<T>[] = [];
  private readonly resolveSynced: () => void;
  private readonly rejectSynced: (reason: unknown) => void;
  /** Failures in a row without any progress of a watch. */
  private failures = 0;
  private watchStartedMs = 0;

  constructor(settings: InformerSettings<T>) {
    this.settings = settings;
    this.resource = settings.resource;
    this.initialPriority = settings.initialPriority ?? PRIORITY_RESYNC;
    this.called = formatGroupResource(settings.resource);
    this.logger = (settings.logger ?? silentLogger).with({ resource: this.called });
    this.metrics = settings.metrics ?? silentMetrics;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.synced = promise;
    this.resolveSynced = resolve;
    this.rejectSynced = reject;
    // Nobody has to wait for it.
    promise.catch(() => undefined);
    for (const [name, keysOf] of Object.entries(settings.indexes ?? {})) this.store.addIndex(name, keysOf);
  }

  subscribe(handler: InformerHandler<T>): Cancel {
    this.handlers = [...this.handlers, handler];
    for (const object of this.store.values()) this.guard(() => handler.added?.(object, true));
    return () => {
      this.handlers = this.handlers.filter((one) => one !== handler);
    };
  }

  addIndex(name: string, keysOf: IndexFunction<T>): void {
    this.store.addIndex(name, keysOf);
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const before = this.state;
      try {
        this.state = await this.step(before, signal);
      } catch (error) {
        if (signal.aborted) break;
        this.state = this.failed(before, error);
      }
    }
    this.state = { phase: 'stopped' };
    this.rejectSynced(signal.reason);
  }

  private step(state: InformerState, signal: AbortSignal): Promise<InformerState> {
    switch (state.phase) {
      case 'empty':
      case 'listing':
        this.state = { phase: 'listing' };
        return this.list(signal);
      case 'watching':
        return this.watch(state.resourceVersion, signal);
      case 'failed':
        return sleep(this.settings.clock, state.waitMs, signal).then(() => state.next);
      case 'stopped':
        return Promise.resolve(state);
    }
  }

  /** A watch may go on from where it was; anything else starts over. */
  private failed(before: InformerState, error: unknown): InformerState {
    const { backoffBaseMs = 800, backoffMaxMs = 30_000, random, clock } = this.settings;
    const watching = this.state.phase === 'watching' ? this.state : undefined;
    const next: InformerState = watching !== undefined && !isExpired(error) ? watching : { phase: 'empty' };
    if (before.phase === 'watching')
      this.metrics.watchEnded(this.called, isExpired(error) ? 'expired' : 'failed');
    // A stream that held for a minute was no failure of the ones before it, even if nothing happened on it.
    if (before.phase === 'watching' && clock.now() - this.watchStartedMs >= 60_000) this.failures = 0;
    const failures = this.failures++;
    if (isExpired(error) && failures === 0) return next;
    const fullMs = Math.min(backoffBaseMs * 2 ** Math.min(failures, 30), backoffMaxMs);
    // Jitter: many informers lose one server at the same moment and must not return at the same moment.
    const waitMs = Math.max(fullMs * (0.5 + random.fraction() / 2), retryAfterMs(error) ?? 0);
    this.logger.warn('Cannot follow the resource, trying again', {
      error: errorMessage(error),
      phase: before.phase,
      waitMs: Math.round(waitMs),
    });
    return { phase: 'failed', error, waitMs, next };
  }

  private async list(signal: AbortSignal): Promise<InformerState> {
    const {
      client,
      resource,
      namespace,
      labelSelector,
      fieldSelector,
      pageSize = 500,
      clock,
    } = this.settings;
    const startedMs = clock.now();
    const list = await client.listAll(resource, {
      namespace,
      labelSelector,
      fieldSelector,
      limit: pageSize,
      signal,
    });
    const resourceVersion = list.metadata.resourceVersion ?? '';
    this.replace(list.items);
    this.metrics.listed(this.called, list.items.length, clock.now() - startedMs);
    if (!this.isSynced) {
      this.isSynced = true;
      this.resolveSynced();
    }
    return { phase: 'watching', resourceVersion };
  }

  /** Makes the store equal to a complete list, with the events that lead there. */
  private replace(items: readonly T[]): void {
    const initial = !this.isSynced;
    const gone = new Set(this.store.keys());
    for (const item of items) {
      const object = this.transformed(item);
      const key = keyOf(object);
      gone.delete(key);
      this.put(key, object, initial);
    }
    for (const key of gone) this.drop(key);
  }

  private async watch(resourceVersion: string, signal: AbortSignal): Promise<InformerState> {
    const { client, resource, namespace, labelSelector, fieldSelector, random, clock } = this.settings;
    const { watchTimeoutSeconds = 300 } = this.settings;
    this.watchStartedMs = clock.now();
    let events = 0;
    const options = {
      namespace,
      labelSelector,
      fieldSelector,
      resourceVersion,
      allowWatchBookmarks: true,
      timeoutSeconds: Math.floor(watchTimeoutSeconds * (1 + random.fraction())),
      signal,
    };
    await client.watch(resource, options, (event) => {
      if (signal.aborted) return;
      events++;
      this.failures = 0;
      this.apply(event);
    });
    if (!signal.aborted) this.metrics.watchEnded(this.called, 'closed');
    // A server that ends every watch at once must not be asked in a circle.
    if (events === 0 && clock.now() - this.watchStartedMs < 1000 && !signal.aborted)
      throw new Error('the server ended the watch at once');
    return this.state;
  }

  private apply(event: WatchEvent<T>): void {
    const resourceVersion = event.object.metadata.resourceVersion ?? '';
    if (event.type !== 'BOOKMARK') {
      const object = this.transformed(event.object);
      const key = keyOf(object);
      if (event.type === 'DELETED') this.drop(key, object);
      else this.put(key, object, false);
    }
    if (resourceVersion !== '') this.state = { phase: 'watching', resourceVersion };
  }

  private transformed(object: T): T {
    const { transform } = this.settings;
    return transform === undefined ? object : deepFreeze(transform(object));
  }

  private put(key: string, object: T, initial: boolean): void {
    const old = this.store.get(key);
    if (old !== undefined && old.metadata.uid !== object.metadata.uid) {
      // Deleted and made again while nobody looked: two objects that share a name.
      this.drop(key);
      this.store.set(key, object);
      this.tell((handler) => handler.added?.(object, initial));
      return;
    }
    if (old !== undefined && old.metadata.resourceVersion === object.metadata.resourceVersion) return;
    this.store.set(key, object);
    if (old === undefined) this.tell((handler) => handler.added?.(object, initial));
    else this.tell((handler) => handler.updated?.(old, object));
  }

  private drop(key: string, last?: T): void {
    const old = this.store.delete(key);
    const object = last ?? old;
    if (old !== undefined && object !== undefined) this.tell((handler) => handler.deleted?.(object));
  }

  private tell(call: (handler: InformerHandler<T>) => void): void {
    for (const handler of this.handlers) this.guard(() => call(handler));
  }

  /** A handler's bug is its own: others still hear of the change, and the store goes on. */
  private guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.logger.error('A handler of the informer failed', {
        error: error instanceof Error ? error.stack : String(error),
      });
    }
  }
}
