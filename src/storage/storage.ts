// The seam between the API server and whatever keeps its objects: a revision log with etcd's semantics.
//
// One counter of revisions spans all keys. Every change gets the next revision; the value it leaves carries
// that revision. A call that changes something resolves only when the change is durable (as the driver
// defines it) and it is then visible to every read and sent to every watcher, in revision order.
// Keys are paths ("/registry/apps/deployments/shop/web"), well-formed text compared as UTF-16 strings.
//
// Of two writes that race for a key the first one called wins; the other one is told what the first has left, once
// that is durable. Every method but close() rejects with OperatingError STORE_CLOSED after close(). Which other
// errors writes can end in is for the driver to say; a write that rejects has either happened as a whole or not at
// all, and shows only after the store has been opened again.

export interface Entry<V> {
  readonly key: string;
  /** Frozen; carries `revision` as the codec stamped it. Shared by all readers. */
  readonly value: V;
  /** Revision of the last change to this key. */
  readonly revision: number;
  /** Revision at which this key came into being (again). */
  readonly createRevision: number;
}

export type Change<V> =
  | { readonly type: 'put'; readonly entry: Entry<V>; readonly previous: Entry<V> | undefined }
  /** `entry.value` is the last value, stamped with the revision of the deletion. */
  | { readonly type: 'delete'; readonly entry: Entry<V>; readonly previous: Entry<V> };

/**
 * How values become bytes and carry their revision. Its methods may throw; the write they are called for then
 * rejects with that and has not happened.
 */
export interface Codec<V> {
  /** Called at most once for each value, after it was stamped. The bytes are stored as they are; nobody may change them. */
  encode(value: V): Uint8Array;
  /** A frozen value that carries the revision it was stamped with. The bytes may be kept, and must not be changed. */
  decode(bytes: Uint8Array): V;
  /** A frozen value equal to `value` but for the revision it carries. Must not change `value`. */
  stamp(value: V, revision: number): V;
}

export type WriteResult<V> =
  | { readonly ok: true; readonly entry: Entry<V> }
  /** The expectation did not hold. `current` is what is there instead; undefined: nothing. */
  | { readonly ok: false; readonly current: Entry<V> | undefined };

export interface ListOptions {
  /** At most this many entries; 0 or absent: all. */
  readonly limit?: number;
  /** Only keys after this one. */
  readonly startAfter?: string;
  /** The state as of this revision; absent: the latest. Throws CompactedError or FutureRevisionError. */
  readonly revision?: number;
}

export interface ListResult<V> {
  /** In order of key. */
  readonly entries: readonly Entry<V>[];
  /** The revision the list shows. */
  readonly revision: number;
  /** How many more keys of the prefix come after the last entry. */
  readonly remaining: number;
}

export interface Storage<V> {
  /**
   * The revision of the last durable change; 0 when there never was one. When this resolves, every watcher has been
   * called with everything up to that revision.
   */
  currentRevision(): Promise<number>;
  get(key: string): Promise<Entry<V> | undefined>;
  list(prefix: string, options?: ListOptions): Promise<ListResult<V>>;
  /** Fails when the key exists. */
  create(key: string, value: V): Promise<WriteResult<V>>;
  /** Fails when the key's revision is not `expectedRevision`. */
  update(key: string, value: V, expectedRevision: number): Promise<WriteResult<V>>;
  /** Fails when the key's revision is not `expectedRevision`. `entry` of the result is that of the Change. */
  delete(key: string, expectedRevision: number): Promise<WriteResult<V>>;
  /**
   * Calls `onChanges` with every change to keys of `prefix` after `fromRevision`, in order, without gaps, each
   * exactly once, until `signal` aborts (then resolves; nothing is called any more). `revision` is the revision up
   * to which the watcher has now seen everything.
   *
   * The first call comes soon, in any case: with all past changes, or with none, which says that there are none
   * (but for a `fromRevision` still to come: then at the first change after it). From then on one call brings what
   * has become durable together; a watcher that this leaves out is called with no changes from time to time, so that
   * bookmarks can be sent. Calls never come from inside a call to the store, and come before the write that caused
   * them resolves. They should be short: nothing is buffered for a watcher, the store's writers wait for it.
   *
   * Rejects with CompactedError when changes after `fromRevision` are no longer kept, and with what `onChanges`
   * throws.
   */
  watch(
    prefix: string,
    fromRevision: number,
    onChanges: (changes: readonly Change<V>[], revision: number) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /**
   * Forgets history up to `revision`; the state at it and later stays. Does nothing when that is forgotten already.
   * Watches under way miss nothing. Rejects with FutureRevisionError. Drivers also compact by themselves.
   */
  compact(revision: number): Promise<void>;
  /** How much the store takes where it lasts, in bytes; 0: it is in memory only. */
  sizeBytes(): Promise<number>;
  /** Resolves when everything acknowledged is durable and the driver's resources are free. */
  close(): Promise<void>;
}

/** The history asked for is gone. Clients list anew. */
export class CompactedError extends Error {
  override name = 'CompactedError';
  readonly compactedRevision: number;
  constructor(compactedRevision: number) {
    super(`history up to revision ${compactedRevision} has been compacted`);
    this.compactedRevision = compactedRevision;
  }
}

/** The revision asked for has not happened yet. */
export class FutureRevisionError extends Error {
  override name = 'FutureRevisionError';
  readonly currentRevision: number;
  constructor(asked: number, currentRevision: number) {
    super(`revision ${asked} is in the future, the current one is ${currentRevision}`);
    this.currentRevision = currentRevision;
  }
}
