// The order in which bindings are scheduled (scheduling.md §6.2): an active part by priority and age, a part that
// waits out its back-off, and one that waits for something to change. Time is handed in, so that the same calls
// always give the same order.
// INVARIANT: a key is being processed, or in at most one of the three parts.

/** Waits after failures: 1, 2, 4, 8, 10, 10 … seconds from the time of entering the active part. */
const BACKOFF_INITIAL_MS = 1000;
const BACKOFF_MAX_MS = 10_000;
/** How long an unschedulable binding waits when nothing wakes it. */
const UNSCHEDULABLE_MAX_MS = 5 * 60_000;

export interface QueuedBinding {
  readonly key: string;
  readonly priority: number;
  /** When it entered the active part. */
  readonly sinceMs: number;
  /** How often it was taken out; counts from 1 at the first time. */
  readonly attempts: number;
}

export interface SchedulingQueue {
  /** A binding has changed: it starts afresh, whichever part it was in. */
  push(key: string, priority: number, nowMs: number): void;
  /** Takes the first of the active part; it is being processed until `done`. */
  pop(): QueuedBinding | undefined;
  /** Ends the processing of a key. */
  done(key: string, retry: 'forget' | 'unschedulable' | 'backoff', nowMs: number): void;
  /** Moves what has waited long enough to the active part. */
  flush(nowMs: number): void;
  /** Moves an unschedulable binding to the active part, because what it waits for may have come. */
  wake(key: string, nowMs: number): void;
  forget(key: string): void;
  /** When `flush` has something to do; undefined when nothing waits. */
  nextFlushMs(): number | undefined;
  counts(): { readonly active: number; readonly backoff: number; readonly unschedulable: number };
}

function backoffEndMs({ sinceMs, attempts }: QueuedBinding): number {
  return sinceMs + Math.min(BACKOFF_INITIAL_MS * 2 ** Math.max(attempts - 1, 0), BACKOFF_MAX_MS);
}

/** Higher priority first, then the older one, then the key, so that the order is total. */
function activeOrder(a: QueuedBinding, b: QueuedBinding): number {
  return b.priority - a.priority || a.sinceMs - b.sinceMs || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
}

function backoffOrder(a: QueuedBinding, b: QueuedBinding): number {
  return backoffEndMs(a) - backoffEndMs(b) || activeOrder(a, b);
}

/** A binary heap that also finds by key. Entries replaced or removed are skipped when they come up. */
class Heap {
  readonly #order: (a: QueuedBinding, b: QueuedBinding) => number;
  readonly #live = new Map<string, QueuedBinding>();
  #entries: QueuedBinding[] = [];

  constructor(order: (a: QueuedBinding, b: QueuedBinding) => number) {
    this.#order = order;
  }

  get size(): number {
    return this.#live.size;
  }

  has(key: string): boolean {
    return this.#live.has(key);
  }

  get(key: string): QueuedBinding | undefined {
    return this.#live.get(key);
  }

  put(item: QueuedBinding): void {
    this.#live.set(item.key, item);
    this.#entries.push(item);
    for (let at = this.#entries.length - 1; at > 0;) {
      const parent = (at - 1) >> 1;
      if (this.#order(this.#entries[at]!, this.#entries[parent]!) >= 0) break;
      [this.#entries[at], this.#entries[parent]] = [this.#entries[parent]!, this.#entries[at]!];
      at = parent;
    }
    // LIMIT: skipped entries never outnumber live ones for long.
    if (this.#entries.length > 64 && this.#entries.length > 2 * this.#live.size) this.#rebuild();
  }

  remove(key: string): QueuedBinding | undefined {
    const item = this.#live.get(key);
    this.#live.delete(key);
    return item;
  }

  peek(): QueuedBinding | undefined {
    for (let top = this.#entries[0]; top !== undefined; top = this.#entries[0]) {
      if (this.#live.get(top.key) === top) return top;
      this.#dropTop();
    }
    return undefined;
  }

  pop(): QueuedBinding | undefined {
    const top = this.peek();
    if (top === undefined) return undefined;
    this.#dropTop();
    this.#live.delete(top.key);
    return top;
  }

  #dropTop(): void {
    const last = this.#entries.pop();
    if (last === undefined || this.#entries.length === 0) return;
    this.#entries[0] = last;
    for (let at = 0; ;) {
      let first = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < this.#entries.length && this.#order(this.#entries[child]!, this.#entries[first]!) < 0)
          first = child;
      }
      if (first === at) return;
      [this.#entries[at], this.#entries[first]] = [this.#entries[first]!, this.#entries[at]!];
      at = first;
    }
  }

  /** A sorted list is a heap. */
  #rebuild(): void {
    this.#entries = [...this.#live.values()].sort(this.#order);
  }
}

export function createSchedulingQueue(): SchedulingQueue {
  const active = new Heap(activeOrder);
  const backoff = new Heap(backoffOrder);
  const unschedulable = new Map<string, QueuedBinding>();
  const processing = new Map<string, QueuedBinding>();
  /** Pushed while being processed: the priority to come back with. */
  const dirty = new Map<string, number>();

  const activate = (item: QueuedBinding, nowMs: number): void => active.put({ ...item, sinceMs: nowMs });

  return {
    push(key, priority, nowMs) {
      if (processing.has(key)) {
        dirty.set(key, priority);
        return;
      }
      const queued = active.get(key);
      if (queued !== undefined) {
        // Upstream ignores a new priority of what stands in the queue already.
        if (queued.priority !== priority) active.put({ ...queued, priority });
        return;
      }
      backoff.remove(key);
      unschedulable.delete(key);
      active.put({ key, priority, sinceMs: nowMs, attempts: 0 });
    },
    pop() {
      const item = active.pop();
      if (item === undefined) return undefined;
      const taken = { ...item, attempts: item.attempts + 1 };
      processing.set(item.key, taken);
      return taken;
    },
    done(key, retry, nowMs) {
      const item = processing.get(key);
      processing.delete(key);
      if (item === undefined) return;
      const priority = dirty.get(key);
      dirty.delete(key);
      if (priority !== undefined) activate({ ...item, priority }, nowMs);
      else if (retry === 'backoff') backoff.put(item);
      else if (retry === 'unschedulable') unschedulable.set(key, item);
    },
    flush(nowMs) {
      const ready: QueuedBinding[] = [];
      for (let top = backoff.peek(); top !== undefined && backoffEndMs(top) <= nowMs; top = backoff.peek()) {
        ready.push(top);
        backoff.pop();
      }
      for (const item of unschedulable.values()) {
        if (nowMs - item.sinceMs <= UNSCHEDULABLE_MAX_MS) continue;
        ready.push(item);
        unschedulable.delete(item.key);
      }
      for (const item of ready.sort(activeOrder)) activate(item, nowMs);
    },
    wake(key, nowMs) {
      const item = unschedulable.get(key);
      if (item === undefined) return;
      unschedulable.delete(key);
      activate(item, nowMs);
    },
    forget(key) {
      active.remove(key);
      backoff.remove(key);
      unschedulable.delete(key);
      dirty.delete(key);
    },
    nextFlushMs() {
      let next = Infinity;
      const first = backoff.peek();
      if (first !== undefined) next = backoffEndMs(first);
      for (const { sinceMs } of unschedulable.values())
        next = Math.min(next, sinceMs + UNSCHEDULABLE_MAX_MS + 1);
      return Number.isFinite(next) ? next : undefined;
    },
    counts: () => ({ active: active.size, backoff: backoff.size, unschedulable: unschedulable.size }),
  };
}
