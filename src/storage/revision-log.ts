// The revision log: the one implementation of Storage's behaviour, with all of it in memory. With a journal it
// is the core of a driver that lasts; without one it is the memory driver.
//
// A write is checked and given its revision at once, against what the writes before it will have left; it becomes
// visible when it is durable. So racing writes need no locks, and nobody sees what a crash could take back.
// INVARIANT: `#history` holds the changes after `#compacted` up to `#visible`, one per revision, without gaps.
// INVARIANT: a node's versions go back to the newest one that is not after `#compacted`, and no further.
import { assert, systemClock, type Clock, type OperatingError } from '../base/index.ts';
import { GroupCommit } from './group-commit.ts';
import type { Journal, JournalRecord } from './journal.ts';
import { KeyIndex, prefixEnd } from './key-index.ts';
import { CompactedError, FutureRevisionError } from './storage.ts';
import type { Change, Codec, Entry, ListOptions, ListResult, Storage, WriteResult } from './storage.ts';
import { closed } from './store-errors.ts';
import { Watchers } from './watchers.ts';

export interface RevisionLogOptions {
  /**
   * LIMIT: at least this many of the last changes are kept for watches and for lists at a past revision; older
   * ones are compacted, a quarter as many at a time. Default 20,000: some seconds of a hub under full load.
   */
  readonly historyLimit?: number;
  /** How often watchers with nothing to see learn that the store has moved on. Default 5,000. */
  readonly progressIntervalMs?: number;
  readonly clock?: Clock;
}

const HISTORY_LIMIT_DEFAULT = 20_000;
const PROGRESS_INTERVAL_DEFAULT_MS = 5_000;

/** What a key was from `entry.revision` on; `older` is what it was before. */
interface Version<V> {
  readonly entry: Entry<V>;
  readonly deleted: boolean;
  older: Version<V> | undefined;
}

/** A key. Changes in place to its newest version, so that a key without history costs one object. */
interface Node<V> {
  entry: Entry<V>;
  deleted: boolean;
  older: Version<V> | undefined;
}

/** A write that has its revision and is not durable yet. */
interface Pending<V> {
  readonly change: Change<V>;
  readonly resolve: (result: WriteResult<V>) => void;
  readonly reject: (error: unknown) => void;
  readonly written: Promise<WriteResult<V>>;
}

type Intent<V> =
  | {
      readonly type: 'put';
      readonly key: string;
      readonly value: V;
      readonly expectedRevision: number | undefined;
    }
  | { readonly type: 'delete'; readonly key: string; readonly expectedRevision: number };

export class RevisionLog<V> implements Storage<V> {
  readonly #codec: Codec<V>;
  readonly #historyLimit: number;
  readonly #nodes = new Map<string, Node<V>>();
  readonly #index = new KeyIndex<Node<V>>((node) => !node.deleted);
  readonly #watchers: Watchers<V>;
  #history: Change<V>[] = [];
  #compacted = 0;
  #visible = 0;
  /** The last revision given to a write. */
  #assigned = 0;
  /** The last pending write of each key that has one. */
  readonly #pending = new Map<string, Pending<V>>();
  /** Revisions of records to forget once there is a journal. */
  #leftOver: number[] = [];
  #journal: Journal | undefined;
  #commit: GroupCommit<Pending<V>> | undefined;
  #failure: OperatingError | undefined;
  #closed: Promise<void> | undefined;

  constructor(codec: Codec<V>, options: RevisionLogOptions = {}) {
    this.#codec = codec;
    this.#historyLimit = options.historyLimit ?? HISTORY_LIMIT_DEFAULT;
    assert(Number.isSafeInteger(this.#historyLimit) && this.#historyLimit >= 0, 'historyLimit is a count');
    this.#watchers = new Watchers(
      options.clock ?? systemClock,
      options.progressIntervalMs ?? PROGRESS_INTERVAL_DEFAULT_MS,
    );
  }

  async currentRevision(): Promise<number> {
    this.#mustBeOpen();
    return this.#visible;
  }

  async get(key: string): Promise<Entry<V> | undefined> {
    this.#mustBeOpen();
    return this.#live(key);
  }

  async list(prefix: string, options: ListOptions = {}): Promise<ListResult<V>> {
    this.#mustBeOpen();
    const revision = options.revision ?? this.#visible;
    if (revision > this.#visible) throw new FutureRevisionError(revision, this.#visible);
    if (revision < this.#compacted) throw new CompactedError(this.#compacted);
    const limit = options.limit === undefined || options.limit === 0 ? Infinity : options.limit;
    const after = options.startAfter;
    const past = revision < this.#visible;
    const entries: Entry<V>[] = [];
    this.#index.scan(after !== undefined && after > prefix ? after : prefix, (key, node) => {
      if (key === after) return true;
      if (!key.startsWith(prefix)) return false;
      const version = past ? versionAt(node, revision) : node;
      if (version !== undefined && !version.deleted) entries.push(version.entry);
      return entries.length < limit;
    });
    const last = entries.at(-1);
    const remaining =
      last === undefined || entries.length < limit ? 0 : this.#countAfter(prefix, last.key, revision);
    return { entries, revision, remaining };
  }

  create(key: string, value: V): Promise<WriteResult<V>> {
    return this.#write({ type: 'put', key, value, expectedRevision: undefined });
  }

  update(key: string, value: V, expectedRevision: number): Promise<WriteResult<V>> {
    return this.#write({ type: 'put', key, value, expectedRevision });
  }

  delete(key: string, expectedRevision: number): Promise<WriteResult<V>> {
    return this.#write({ type: 'delete', key, expectedRevision });
  }

  async watch(
    prefix: string,
    fromRevision: number,
    onChanges: (changes: readonly Change<V>[], revision: number) => void,
    signal: AbortSignal,
  ): Promise<void> {
    this.#mustBeOpen();
    assert(Number.isSafeInteger(fromRevision) && fromRevision >= 0, 'fromRevision is a revision');
    if (signal.aborted) return;
    if (fromRevision < this.#compacted) throw new CompactedError(this.#compacted);
    const past: Change<V>[] = [];
    for (let i = fromRevision - this.#compacted; i < this.#history.length; i++) {
      const change = this.#history[i]!;
      if (change.entry.key.startsWith(prefix)) past.push(change);
    }
    await this.#watchers.add(prefix, fromRevision, past, onChanges, signal);
  }

  async compact(revision: number): Promise<void> {
    this.#mustBeOpen();
    if (revision > this.#visible) throw new FutureRevisionError(revision, this.#visible);
    if (revision > this.#compacted) await this.#compactTo(revision);
  }

  async sizeBytes(): Promise<number> {
    this.#mustBeOpen();
    return (await this.#journal?.sizeBytes?.()) ?? 0;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** Prepares an empty log for the records of a journal that has forgotten history up to this revision. */
  startRestore(compactedRevision: number): void {
    this.#compacted = compactedRevision;
    this.#visible = compactedRevision;
  }

  /** Takes in the next record of the journal, in order of revision. Throws when it does not fit. */
  restore({ key, revision, createRevision, bytes }: JournalRecord): void {
    const previous = this.#live(key);
    if (revision <= this.#compacted) {
      // What compaction had still to remove when the process ended is removed now.
      if (previous !== undefined) this.#leftOver.push(previous.revision);
      if (bytes === undefined) this.#leftOver.push(revision);
      this.#replace(key, bytes && { key, value: this.#codec.decode(bytes), revision, createRevision });
      return;
    }
    assert(revision === this.#visible + 1, `revision ${this.#visible + 1} is missing`);
    if (bytes !== undefined) {
      const entry: Entry<V> = { key, value: this.#codec.decode(bytes), revision, createRevision };
      this.#apply({ type: 'put', entry, previous });
      return;
    }
    assert(previous !== undefined, 'it deletes what is not there');
    const value = this.#codec.stamp(previous.value, revision);
    this.#apply({ type: 'delete', entry: { key, value, revision, createRevision }, previous });
  }

  /** From here on writes are durable when the journal has them. */
  useJournal(journal: Journal): void {
    this.#assigned = this.#visible;
    this.#watchers.startAt(this.#visible);
    this.#journal = journal;
    this.#commit = new GroupCommit(journal, this.#compacted, {
      durable: (writes) => this.#written(writes),
      failed: (writes, error) => this.#failed(writes, error),
    });
    // A failure to record this is one to record writes, and those report it.
    if (this.#leftOver.length > 0)
      this.#commit.compact(this.#compacted, this.#leftOver).catch(() => undefined);
    this.#leftOver = [];
    this.#compactIfDue();
  }

  #mustBeOpen(): void {
    if (this.#closed !== undefined) throw closed();
  }

  #live(key: string): Entry<V> | undefined {
    const node = this.#nodes.get(key);
    return node === undefined || node.deleted ? undefined : node.entry;
  }

  /** How many keys of the prefix come after `key`, as of `revision`. */
  #countAfter(prefix: string, key: string, revision: number): number {
    // The least key after `key` is `key` with the least code unit added.
    let count = this.#index.count(`${key}\0`, prefixEnd(prefix));
    for (let i = revision - this.#compacted; i < this.#history.length; i++) {
      const change = this.#history[i]!;
      if (change.entry.key <= key || !change.entry.key.startsWith(prefix)) continue;
      if (change.type === 'delete') count++;
      else if (change.previous === undefined) count--;
    }
    return count;
  }

  #write(intent: Intent<V>): Promise<WriteResult<V>> {
    if (this.#closed !== undefined) return Promise.reject(closed());
    if (this.#commit?.full === true) return this.#commit.whenRoom(() => this.#decide(intent));
    return this.#decide(intent);
  }

  /** Checks what a write expects and gives it its revision, or refuses it. */
  #decide(intent: Intent<V>): Promise<WriteResult<V>> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const ahead = this.#pending.get(intent.key);
    const current = ahead === undefined ? this.#live(intent.key) : left(ahead.change);
    if (current?.revision !== intent.expectedRevision) {
      const refusal: WriteResult<V> = { ok: false, current };
      // What is there instead may not be durable yet; until it is, nobody must learn of it.
      return ahead === undefined ? Promise.resolve(refusal) : ahead.written.then(() => refusal);
    }
    try {
      return this.#append(intent, current);
    } catch (error) {
      // The key is no text or the codec refused the value; no revision has been used up.
      return Promise.reject(error);
    }
  }

  #append(intent: Intent<V>, current: Entry<V> | undefined): Promise<WriteResult<V>> {
    const { key } = intent;
    assert(key.isWellFormed(), 'a key is text that can be written as UTF-8');
    const revision = this.#assigned + 1;
    const createRevision = current?.createRevision ?? revision;
    const value = this.#codec.stamp(intent.type === 'put' ? intent.value : current!.value, revision);
    const entry: Entry<V> = { key, value, revision, createRevision };
    const change: Change<V> =
      intent.type === 'put'
        ? { type: 'put', entry, previous: current }
        : { type: 'delete', entry, previous: current! };
    if (this.#commit === undefined) {
      this.#assigned = revision;
      this.#apply(change);
      this.#compactIfDue();
      return Promise.resolve({ ok: true, entry });
    }
    const bytes = intent.type === 'put' ? this.#codec.encode(value) : undefined;
    const { promise: written, resolve, reject } = Promise.withResolvers<WriteResult<V>>();
    const pending: Pending<V> = { change, resolve, reject, written };
    this.#assigned = revision;
    this.#pending.set(key, pending);
    this.#commit.push(pending, { revision, createRevision, key, bytes });
    return written;
  }

  /** Sets what is under a key, without history. */
  #replace(key: string, entry: Entry<V> | undefined): void {
    const node = this.#nodes.get(key);
    if (entry === undefined) {
      if (node === undefined) return;
      this.#nodes.delete(key);
      this.#index.remove(key);
    } else if (node === undefined) {
      const created: Node<V> = { entry, deleted: false, older: undefined };
      this.#nodes.set(key, created);
      this.#index.insert(key, created);
    } else {
      node.entry = entry;
    }
  }

  /** Makes a change visible. */
  #apply(change: Change<V>): void {
    const { entry } = change;
    const deleted = change.type === 'delete';
    const node = this.#nodes.get(entry.key);
    if (node === undefined) {
      this.#replace(entry.key, entry);
    } else {
      const wasDeleted = node.deleted;
      node.older = { entry: node.entry, deleted: wasDeleted, older: node.older };
      node.entry = entry;
      node.deleted = deleted;
      if (wasDeleted !== deleted) this.#index.countChanged(entry.key, deleted ? -1 : 1);
    }
    this.#history.push(change);
    this.#visible = entry.revision;
    this.#watchers.publish(change);
  }

  #written(writes: readonly Pending<V>[]): void {
    for (const write of writes) {
      const { key } = write.change.entry;
      if (this.#pending.get(key) === write) this.#pending.delete(key);
      this.#apply(write.change);
    }
    // Only now: those who learn of their success find everything of the batch visible.
    for (const write of writes) write.resolve({ ok: true, entry: write.change.entry });
    this.#compactIfDue();
  }

  /** The store can be read on, and refuses to be written. */
  #failed(writes: readonly Pending<V>[], error: OperatingError): void {
    this.#failure = error;
    this.#pending.clear();
    this.#assigned = this.#visible;
    for (const write of writes) write.reject(error);
  }

  #compactIfDue(): void {
    if (this.#history.length <= this.#historyLimit * 1.25) return;
    // A failure to record this is one to record writes, and those report it.
    this.#compactTo(this.#visible - this.#historyLimit).catch(() => undefined);
  }

  #compactTo(revision: number): Promise<void> {
    const dropped = this.#history.slice(0, revision - this.#compacted);
    this.#history = this.#history.slice(dropped.length);
    this.#compacted = revision;
    const forgotten: number[] = [];
    for (const key of new Set(dropped.map((change) => change.entry.key))) {
      this.#forgetVersions(key, revision, forgotten);
    }
    // Ascending, so that what a deletion hid goes before the deletion.
    forgotten.sort((a, b) => a - b);
    return this.#commit?.compact(revision, forgotten) ?? Promise.resolve();
  }

  /** Drops the versions of a key that cannot be seen at `revision` or later, adding theirs to `forgotten`. */
  #forgetVersions(key: string, revision: number, forgotten: number[]): void {
    const node = this.#nodes.get(key);
    if (node === undefined) return;
    let newer: Version<V> | undefined;
    let oldest: Version<V> = node;
    while (oldest.entry.revision > revision && oldest.older !== undefined) {
      newer = oldest;
      oldest = oldest.older;
    }
    if (oldest.entry.revision > revision) return;
    for (let version = oldest.older; version !== undefined; version = version.older) {
      forgotten.push(version.entry.revision);
    }
    oldest.older = undefined;
    if (!oldest.deleted) return;
    forgotten.push(oldest.entry.revision);
    if (newer !== undefined) {
      newer.older = undefined;
      return;
    }
    this.#nodes.delete(key);
    this.#index.remove(key);
  }

  async #close(): Promise<void> {
    await this.#commit?.drained();
    this.#watchers.endAll(closed());
    await this.#journal?.close();
  }
}

/** What a change leaves under its key. */
function left<V>(change: Change<V>): Entry<V> | undefined {
  return change.type === 'put' ? change.entry : undefined;
}

function versionAt<V>(node: Version<V>, revision: number): Version<V> | undefined {
  let version: Version<V> | undefined = node;
  while (version !== undefined && version.entry.revision > revision) version = version.older;
  return version;
}
