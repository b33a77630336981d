// Gathers writes into batches for the journal: while one batch is on its way to the disk, the next one fills, so
// that one fsync serves all who write at the same time and a lone writer waits for nobody.
//
// INVARIANT: items are reported durable in the order in which they were pushed, and only when their whole batch
// is; after a failure no item is reported durable any more.
import type { OperatingError } from '../base/index.ts';
import type { Journal, JournalRecord } from './journal.ts';

/** LIMIT: a batch's size, because everyone in a batch waits for all of it. */
const BATCH_WRITES_MAX = 1_000;
const BATCH_BYTES_MAX = 8 * 1024 * 1024;
/** LIMIT: more than one hides the way to the writer and back; many would only make batches smaller. */
const BATCHES_IN_FLIGHT_MAX = 1;
/** LIMIT: what waits for the disk in memory. Writers beyond it wait outside, with nothing encoded yet. */
const PENDING_WRITES_MAX = 10_000;
const PENDING_BYTES_MAX = 64 * 1024 * 1024;
/** LIMIT: records forgotten along with one batch, because its writers wait for that too. */
const FORGOTTEN_PER_BATCH_MAX = 1_000;

interface Batch<T> {
  readonly items: T[];
  readonly records: JournalRecord[];
  bytes: number;
  /** Those who wait for the compaction that goes with this batch. */
  waiters: Waiter[];
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface GroupCommitEvents<T> {
  durable(items: readonly T[]): void;
  /** Called once. `items` are all that were pushed and not reported durable. */
  failed(items: readonly T[], error: OperatingError): void;
}

export class GroupCommit<T> {
  readonly #journal: Journal;
  readonly #events: GroupCommitEvents<T>;
  readonly #queue: Batch<T>[] = [];
  readonly #sent: Batch<T>[] = [];
  #pendingWrites = 0;
  #pendingBytes = 0;
  #awake = false;
  #failure: OperatingError | undefined;
  #compactedRevision: number;
  #forgotten: number[] = [];
  #compacting: Waiter[] = [];
  #outside: (() => void)[] = [];
  #idle: (() => void)[] = [];

  constructor(journal: Journal, compactedRevision: number, events: GroupCommitEvents<T>) {
    this.#journal = journal;
    this.#compactedRevision = compactedRevision;
    this.#events = events;
  }

  /** A writer that comes now has to wait, for room or for those who wait for it. */
  get full(): boolean {
    return this.#outside.length > 0 || !this.#hasRoom();
  }

  /** Calls `enter` when there is room again or nothing more to hope for, in the order of the calls. */
  whenRoom<R>(enter: () => Promise<R>): Promise<R> {
    return new Promise((resolve) => this.#outside.push(() => resolve(enter())));
  }

  #hasRoom(): boolean {
    return this.#pendingWrites < PENDING_WRITES_MAX && this.#pendingBytes < PENDING_BYTES_MAX;
  }

  #letIn(): void {
    const outside = this.#outside;
    let count = 0;
    while (count < outside.length && (this.#hasRoom() || this.#failure !== undefined)) outside[count++]!();
    this.#outside = outside.slice(count);
  }

  push(item: T, record: JournalRecord): void {
    let batch = this.#queue.at(-1);
    if (batch === undefined || batch.records.length >= BATCH_WRITES_MAX || batch.bytes >= BATCH_BYTES_MAX) {
      batch = { items: [], records: [], bytes: 0, waiters: [] };
      this.#queue.push(batch);
    }
    const bytes = record.bytes?.length ?? 0;
    batch.items.push(item);
    batch.records.push(record);
    batch.bytes += bytes;
    this.#pendingWrites++;
    this.#pendingBytes += bytes;
    this.#wake();
  }

  /** Resolves when the journal has forgotten history up to this revision. */
  compact(compactedRevision: number, forgotten: readonly number[]): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.#compactedRevision = compactedRevision;
    for (const revision of forgotten) this.#forgotten.push(revision);
    this.#wake();
    return new Promise((resolve, reject) => this.#compacting.push({ resolve, reject }));
  }

  /** Resolves when nothing waits for the journal any more. */
  drained(): Promise<void> {
    if (!this.#busy()) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #busy(): boolean {
    if (this.#failure !== undefined) return false;
    return this.#queue.length > 0 || this.#sent.length > 0 || this.#outside.length > 0 || this.#mustForget();
  }

  #mustForget(): boolean {
    return this.#forgotten.length > 0 || this.#compacting.length > 0;
  }

  #wake(): void {
    if (this.#awake || this.#sent.length >= BATCHES_IN_FLIGHT_MAX) return;
    this.#awake = true;
    queueMicrotask(() => {
      this.#awake = false;
      this.#send();
    });
  }

  #send(): void {
    while (this.#failure === undefined && this.#sent.length < BATCHES_IN_FLIGHT_MAX) {
      let batch = this.#queue.shift();
      if (batch === undefined) {
        if (!this.#mustForget()) return;
        batch = { items: [], records: [], bytes: 0, waiters: [] };
      }
      const forgotten = this.#forgotten.splice(0, FORGOTTEN_PER_BATCH_MAX);
      if (this.#forgotten.length === 0) batch.waiters = this.#compacting.splice(0);
      this.#sent.push(batch);
      const { records } = batch;
      this.#journal.append({ records, compactedRevision: this.#compactedRevision, forgotten }).then(
        () => this.#written(),
        (error: unknown) => this.#fail(error as OperatingError),
      );
    }
  }

  #written(): void {
    const batch = this.#sent.shift();
    if (batch === undefined) return;
    this.#pendingWrites -= batch.items.length;
    this.#pendingBytes -= batch.bytes;
    this.#events.durable(batch.items);
    for (const waiter of batch.waiters) waiter.resolve();
    this.#letIn();
    this.#send();
    if (!this.#busy()) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #fail(error: OperatingError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    const batches = [...this.#sent.splice(0), ...this.#queue.splice(0)];
    this.#events.failed(
      batches.flatMap((batch) => batch.items),
      error,
    );
    const waiters = [...batches.flatMap((batch) => batch.waiters), ...this.#compacting.splice(0)];
    for (const waiter of waiters) waiter.reject(error);
    this.#letIn();
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}
