// The queue between events and reconciles. It holds keys, not objects: a burst of changes to one object becomes one
// piece of work that reads the latest state.
// INVARIANT: a key is in the queue at most once, and being worked on at most once, at any time; an add while it is
// being worked on is not lost but waits until that work is done.
// Everything is a function of the calls made and the Clock, so a simulation replays it exactly.
import { assert, OperatingError, type Cancel, type Clock } from '../base/index.ts';
import { Heap, type HeapMember } from './heap.ts';
import { silentMetrics, type QueueMetrics } from './metrics.ts';

/** A user's change. */
export const PRIORITY_CHANGE = 0;
/** What a periodic or initial pass over everything brings in; steps aside for changes. */
export const PRIORITY_RESYNC = -100;

export interface AddOptions {
  /** Higher goes first; default PRIORITY_CHANGE. A key that is queued already keeps the higher of both. */
  readonly priority?: number;
  /** Not before this much time has passed. A key that is queued already keeps the earlier time. */
  readonly afterMs?: number;
  /** Why, for traces. Does not tell keys apart; the last one stays. */
  readonly reason?: string;
}

export interface WorkItem<K extends string = string> {
  readonly key: K;
  readonly priority: number;
  readonly reason: string;
  /** How often in a row this key has failed before. */
  readonly failures: number;
}

export interface WorkQueueSettings {
  /** For metrics. */
  readonly name: string;
  readonly clock: Clock;
  /** Wait after the first failure; doubles with each further one. Default 5. */
  readonly backoffBaseMs?: number;
  /** Default 300,000. */
  readonly backoffMaxMs?: number;
  /**
   * LIMIT: adding more keys throws QUEUE_FULL. There is one entry per key and keys name objects, so that this is
   * four times the objects of the largest fleet designed for. Default 4,000,000.
   */
  readonly maxKeys?: number;
  readonly metrics?: QueueMetrics;
}

interface Entry<K extends string> extends HeapMember {
  readonly key: K;
  priority: number;
  reason: string;
  /** When it may be taken. */
  readyAtMs: number;
  /** Order of arrival among equals. */
  sequence: number;
  place: 'ready' | 'waiting' | 'held';
}

interface Working<K extends string> {
  readonly takenAtMs: number;
  /** What was added meanwhile. */
  next: Entry<K> | undefined;
}

export class WorkQueue<K extends string = string> {
  /** Called when a key has become ready. */
  onReady: () => void = () => undefined;

  private readonly name: string;
  private readonly clock: Clock;
  private readonly baseMs: number;
  private readonly maxMs: number;
  private readonly maxKeys: number;
  private readonly metrics: QueueMetrics;

  private readonly entries = new Map<K, Entry<K>>();
  private readonly working = new Map<K, Working<K>>();
  private readonly failures = new Map<K, number>();
  private readonly ready = new Heap<Entry<K>>((a, b) =>
    a.priority === b.priority ? a.sequence < b.sequence : a.priority > b.priority,
  );
  private readonly waiting = new Heap<Entry<K>>((a, b) =>
    a.readyAtMs === b.readyAtMs ? a.sequence < b.sequence : a.readyAtMs < b.readyAtMs,
  );
  private readonly takers = new Set<(item: WorkItem<K> | undefined) => void>();
  private sequence = 0;
  private closed = false;
  private timer: { readonly atMs: number; readonly cancel: Cancel } | undefined;

  constructor(settings: WorkQueueSettings) {
    this.name = settings.name;
    this.clock = settings.clock;
    this.baseMs = settings.backoffBaseMs ?? 5;
    this.maxMs = settings.backoffMaxMs ?? 300_000;
    this.maxKeys = settings.maxKeys ?? 4_000_000;
    this.metrics = settings.metrics ?? silentMetrics;
    assert(this.baseMs > 0 && this.maxMs >= this.baseMs, `queue ${this.name}: back-off must be positive`);
  }

  /** Keys that could be taken now. */
  get readyCount(): number {
    return this.ready.size;
  }

  /** Keys whose time has not come. */
  get waitingCount(): number {
    return this.waiting.size;
  }

  get workingCount(): number {
    return this.working.size;
  }

  /** Nothing ready, nothing being worked on; keys may still be waiting for their time. */
  get idle(): boolean {
    return this.ready.size === 0 && this.working.size === 0;
  }

  /** When the next waiting key becomes ready. */
  get nextReadyAtMs(): number | undefined {
    return this.waiting.peek()?.readyAtMs;
  }

  add(key: K, options: AddOptions = {}): void {
    if (this.closed) return;
    const { priority = PRIORITY_CHANGE, afterMs = 0, reason = '' } = options;
    const nowMs = this.clock.now();
    const readyAtMs = nowMs + Math.max(0, afterMs);
    const known = this.entries.get(key);
    if (known !== undefined) {
      this.merge(known, readyAtMs, priority, reason, nowMs);
    } else {
      if (this.entries.size >= this.maxKeys) {
        this.metrics.overflowed(this.name);
        throw new OperatingError(
          'QUEUE_FULL',
          `queue ${this.name} holds ${this.maxKeys} keys and takes no more`,
          'find out why its controller does not keep up, or share its objects among more processes',
        );
      }
      this.metrics.added(this.name);
      this.insert(key, readyAtMs, priority, reason, nowMs);
    }
    this.wake();
  }

  addAfter(key: K, afterMs: number, options: Omit<AddOptions, 'afterMs'> = {}): void {
    this.add(key, { ...options, afterMs });
  }

  addWithPriority(key: K, priority: number): void {
    this.add(key, { priority });
  }

  /**
   * Adds the key again after its back-off, and counts the failure. Returns the wait.
   * @param atLeastMs what a server asked for (Retry-After)
   */
  retry(key: K, options: AddOptions & { readonly atLeastMs?: number } = {}): number {
    const failures = this.failures.get(key) ?? 0;
    this.failures.set(key, failures + 1);
    const waitMs = Math.max(this.backoffMs(failures), options.atLeastMs ?? 0);
    this.metrics.retried(this.name);
    this.add(key, { ...options, afterMs: waitMs });
    return waitMs;
  }

  /** Forgets the key's failures; what is queued stays queued. */
  forget(key: K): void {
    this.failures.delete(key);
  }

  failureCount(key: K): number {
    return this.failures.get(key) ?? 0;
  }

  /** Takes the first ready key, if there is one. Call done() when its work has ended, however it ended. */
  tryTake(): WorkItem<K> | undefined {
    const entry = this.ready.pop();
    if (entry === undefined) return undefined;
    const nowMs = this.clock.now();
    this.entries.delete(entry.key);
    this.working.set(entry.key, { takenAtMs: nowMs, next: undefined });
    this.metrics.waited(this.name, nowMs - entry.readyAtMs);
    this.reportDepth();
    const { key, priority, reason } = entry;
    return { key, priority, reason, failures: this.failureCount(key) };
  }

  /** Waits for a key. Undefined when the signal aborts or the queue is closed. */
  take(signal?: AbortSignal): Promise<WorkItem<K> | undefined> {
    const item = signal?.aborted === true || this.closed ? undefined : this.tryTake();
    if (item !== undefined || this.closed || signal?.aborted === true) return Promise.resolve(item);
    return new Promise((resolve) => {
      const settle = (taken: WorkItem<K> | undefined): void => {
        signal?.removeEventListener('abort', onAbort);
        this.takers.delete(settle);
        resolve(taken);
      };
      const onAbort = (): void => settle(undefined);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.takers.add(settle);
    });
  }

  /** The work on a taken key has ended. What was added meanwhile becomes ready, or waits for its time. */
  done(key: K): void {
    const work = this.working.get(key);
    assert(work !== undefined, `queue ${this.name}: done("${key}") without take()`);
    this.working.delete(key);
    const nowMs = this.clock.now();
    this.metrics.worked(this.name, nowMs - work.takenAtMs);
    if (work.next !== undefined) this.enqueue(work.next, nowMs);
    this.wake();
  }

  /** Drops what is queued and takes nothing more. Work under way may still be reported done. */
  close(): void {
    this.closed = true;
    this.timer?.cancel();
    this.timer = undefined;
    this.ready.clear();
    this.waiting.clear();
    this.entries.clear();
    this.failures.clear();
    for (const work of this.working.values()) work.next = undefined;
    for (const settle of this.takers) settle(undefined);
  }

  private insert(key: K, readyAtMs: number, priority: number, reason: string, nowMs: number): void {
    const sequence = this.sequence++;
    const entry: Entry<K> = { key, priority, reason, readyAtMs, sequence, place: 'held', heapIndex: -1 };
    this.entries.set(key, entry);
    const work = this.working.get(key);
    if (work === undefined) this.enqueue(entry, nowMs);
    else work.next = entry;
  }

  private merge(entry: Entry<K>, readyAtMs: number, priority: number, reason: string, nowMs: number): void {
    const earlier = readyAtMs < entry.readyAtMs;
    const higher = priority > entry.priority;
    if (reason !== '') entry.reason = reason;
    if (!earlier && !higher) return;
    if (higher) entry.priority = priority;
    if (entry.place === 'ready') {
      if (higher) this.ready.update(entry);
      return;
    }
    if (earlier) entry.readyAtMs = readyAtMs;
    if (entry.place === 'held' || !earlier) return;
    this.waiting.remove(entry);
    this.enqueue(entry, nowMs);
  }

  private enqueue(entry: Entry<K>, nowMs: number): void {
    if (entry.readyAtMs <= nowMs) {
      // Waiting for its worker was no waiting in the queue.
      entry.readyAtMs = nowMs;
      entry.place = 'ready';
      this.ready.push(entry);
    } else {
      entry.place = 'waiting';
      this.waiting.push(entry);
      this.setTimer();
    }
    this.reportDepth();
  }

  private setTimer(): void {
    const next = this.waiting.peek();
    if (next === undefined || (this.timer !== undefined && this.timer.atMs <= next.readyAtMs)) return;
    this.timer?.cancel();
    const cancel = this.clock.after(next.readyAtMs - this.clock.now(), () => {
      this.timer = undefined;
      this.moveDue();
    });
    this.timer = { atMs: next.readyAtMs, cancel };
  }

  private moveDue(): void {
    const nowMs = this.clock.now();
    for (let next = this.waiting.peek(); next !== undefined; next = this.waiting.peek()) {
      if (next.readyAtMs > nowMs) break;
      this.waiting.pop();
      this.enqueue(next, nowMs);
    }
    this.setTimer();
    this.wake();
  }

  private wake(): void {
    while (this.takers.size > 0) {
      const item = this.tryTake();
      if (item === undefined) return;
      const [settle] = this.takers;
      settle!(item);
    }
    if (this.ready.size > 0) this.onReady();
  }

  private backoffMs(failures: number): number {
    // 2^52 times any base is beyond any maximum, and still exact.
    return Math.min(this.baseMs * 2 ** Math.min(failures, 52), this.maxMs);
  }

  private reportDepth(): void {
    this.metrics.depth(this.name, this.ready.size, this.waiting.size);
  }
}
