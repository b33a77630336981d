// Who gets which change. A change costs as much as the watchers that want it, however many others there are,
// and what a turn changes reaches each watcher in one call.
//
// INVARIANT: changes are published in order of revision, and a watcher's buffer holds all it wants of what was
// published since its last call. So after each call it has seen everything up to the published revision.
import type { Cancel, Clock } from '../base/index.ts';
import type { Change } from './storage.ts';

type OnChanges<V> = (changes: readonly Change<V>[], revision: number) => void;

interface Watcher<V> {
  readonly prefix: string;
  readonly onChanges: OnChanges<V>;
  readonly end: (error?: unknown) => void;
  /** The watcher wants only what came after this revision. */
  seen: number;
  buffer: Change<V>[];
  /** Waits for its call. */
  due: boolean;
  ended: boolean;
}

export class Watchers<V> {
  readonly #clock: Clock;
  readonly #progressIntervalMs: number;
  readonly #all = new Set<Watcher<V>>();
  /** Watchers by prefix: those that end with a slash, which a key's own slashes find, and all others. */
  readonly #byDirectory = new Map<string, Set<Watcher<V>>>();
  readonly #byText = new Map<string, Set<Watcher<V>>>();
  /** How many prefixes of each length are in `#byText`. */
  readonly #textLengths = new Map<number, number>();
  #due: Watcher<V>[] = [];
  #revision = 0;
  #cancelProgress: Cancel | undefined;

  constructor(clock: Clock, progressIntervalMs: number) {
    this.#clock = clock;
    this.#progressIntervalMs = progressIntervalMs;
  }

  /**
   * Adds a watcher that is handed `past` first, and then what is published. Its first call comes in any case, to
   * tell the revision it starts from, unless that is still to come.
   */
  add(
    prefix: string,
    fromRevision: number,
    past: Change<V>[],
    onChanges: OnChanges<V>,
    signal: AbortSignal,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        resolve();
        return;
      }
      const onAbort = (): void => watcher.end();
      const end = (error?: unknown): void => {
        if (watcher.ended) return;
        watcher.ended = true;
        watcher.buffer = [];
        signal.removeEventListener('abort', onAbort);
        this.#remove(watcher);
        if (error === undefined) resolve();
        else reject(error);
      };
      const watcher: Watcher<V> = {
        prefix,
        onChanges,
        end,
        seen: fromRevision,
        buffer: past,
        due: false,
        ended: false,
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#insert(watcher);
      if (fromRevision <= this.#revision) this.#schedule(watcher);
      this.#scheduleProgress();
    });
  }

  /** The revision of a store that was filled before anyone watched it. */
  startAt(revision: number): void {
    this.#revision = revision;
  }

  publish(change: Change<V>): void {
    const { key, revision } = change.entry;
    this.#revision = revision;
    for (let slash = key.indexOf('/'); slash !== -1; slash = key.indexOf('/', slash + 1)) {
      this.#enqueue(this.#byDirectory.get(key.slice(0, slash + 1)), change);
    }
    for (const length of this.#textLengths.keys()) {
      if (length <= key.length) this.#enqueue(this.#byText.get(key.slice(0, length)), change);
    }
  }

  endAll(error: unknown): void {
    for (const watcher of this.#all) watcher.end(error);
  }

  #enqueue(watchers: ReadonlySet<Watcher<V>> | undefined, change: Change<V>): void {
    if (watchers === undefined) return;
    for (const watcher of watchers) {
      if (change.entry.revision <= watcher.seen) continue;
      watcher.buffer.push(change);
      this.#schedule(watcher);
    }
  }

  #schedule(watcher: Watcher<V>): void {
    if (watcher.due) return;
    watcher.due = true;
    // A microtask: it runs before those that wait for the change's write learn of its success, and never inside
    // somebody's call to the store.
    if (this.#due.length === 0) queueMicrotask(() => this.#deliver());
    this.#due.push(watcher);
  }

  #deliver(): void {
    const due = this.#due;
    this.#due = [];
    for (const watcher of due) {
      if (watcher.ended) continue;
      const changes = watcher.buffer;
      watcher.buffer = [];
      watcher.due = false;
      // Read anew for each: a callback may have changed the store, and the buffers then hold that change too.
      watcher.seen = this.#revision;
      try {
        watcher.onChanges(changes, this.#revision);
      } catch (error) {
        watcher.end(error);
      }
    }
  }

  #scheduleProgress(): void {
    if (this.#cancelProgress !== undefined || this.#all.size === 0) return;
    this.#cancelProgress = this.#clock.after(this.#progressIntervalMs, () => {
      this.#cancelProgress = undefined;
      for (const watcher of this.#all) if (watcher.seen < this.#revision) this.#schedule(watcher);
      this.#scheduleProgress();
    });
  }

  #insert(watcher: Watcher<V>): void {
    this.#all.add(watcher);
    const { prefix } = watcher;
    const byPrefix = prefix.endsWith('/') ? this.#byDirectory : this.#byText;
    const same = byPrefix.get(prefix);
    if (same !== undefined) {
      same.add(watcher);
      return;
    }
    byPrefix.set(prefix, new Set([watcher]));
    if (byPrefix === this.#byText) {
      this.#textLengths.set(prefix.length, (this.#textLengths.get(prefix.length) ?? 0) + 1);
    }
  }

  #remove(watcher: Watcher<V>): void {
    this.#all.delete(watcher);
    if (this.#all.size === 0) {
      this.#cancelProgress?.();
      this.#cancelProgress = undefined;
    }
    const { prefix } = watcher;
    const byPrefix = prefix.endsWith('/') ? this.#byDirectory : this.#byText;
    const same = byPrefix.get(prefix);
    same?.delete(watcher);
    if (same?.size !== 0) return;
    byPrefix.delete(prefix);
    if (byPrefix !== this.#byText) return;
    const count = this.#textLengths.get(prefix.length) ?? 0;
    if (count > 1) this.#textLengths.set(prefix.length, count - 1);
    else this.#textLengths.delete(prefix.length);
  }
}
