// The embedded driver: the revision log in memory, made to last by a file that a thread of its own writes.
// Reads never touch the disk; a write is acknowledged when the batch it went with is on it.
import { errorMessage } from '../base/index.ts';
import type { Journal, JournalBatch } from './journal.ts';
import { RevisionLog, type RevisionLogOptions } from './revision-log.ts';
import { StorageWorker } from './storage-worker.ts';
import type { Codec, Storage } from './storage.ts';
import { corrupt } from './store-errors.ts';
import { packRecords, transferOf, unpackRecords, type Durability } from './worker-protocol.ts';

export interface FileStorageOptions<V> extends RevisionLogOptions {
  /** Made when it is not there. One process at a time may have it open. */
  readonly directory: string;
  readonly codec: Codec<V>;
  /**
   * What an acknowledged write survives. `disk` (the default): the loss of power. `process`: the end of the process,
   * however it comes; the loss of power may take the last moments, never the store's consistency.
   */
  readonly durability?: Durability;
  /** LIMIT: above this size the store refuses writes, as on a full disk. Absent: as much as the disk holds. */
  readonly sizeLimitBytes?: number;
  /** A thread to share with other stores; it is then for the caller to close, after them. Absent: one of its own. */
  readonly worker?: StorageWorker;
}

export interface FileStorage<V> extends Storage<V> {
  /** Writes all that is acknowledged into a new store file; resolves with its revision. Writes go on afterwards. */
  copyTo(file: string): Promise<number>;
}

/**
 * Opens the store in a directory, with everything that was acknowledged before.
 *
 * Rejects with OperatingError STORE_UNWRITABLE, STORE_LOCKED, STORE_CORRUPT, STORE_NEWER, STORE_FULL or STORE_FAILED.
 * Writes to an open store reject with STORE_FULL or STORE_FAILED; from the first such error on it can only be read.
 */
export async function openFileStorage<V>(options: FileStorageOptions<V>): Promise<FileStorage<V>> {
  const worker = options.worker ?? new StorageWorker();
  const ownsWorker = options.worker === undefined;
  const store = worker.newStore();
  let opened = false;
  try {
    const { compactedRevision } = await worker.call(store, {
      type: 'open',
      directory: options.directory,
      durability: options.durability ?? 'disk',
      sizeLimitBytes: options.sizeLimitBytes,
    });
    opened = true;
    const log = new RevisionLog(options.codec, options);
    log.startRestore(compactedRevision);
    await load(log, worker, store, options.directory);
    log.useJournal(new WorkerJournal(worker, store, ownsWorker));
    return Object.assign(log, {
      copyTo: async (file: string) => (await worker.call(store, { type: 'copy', file })).revision,
    });
  } catch (error) {
    // What went wrong first is what to report.
    if (opened) await worker.call(store, { type: 'close' }).catch(() => undefined);
    if (ownsWorker) await worker.close();
    throw error;
  }
}

async function load<V>(
  log: RevisionLog<V>,
  worker: StorageWorker,
  store: number,
  directory: string,
): Promise<void> {
  let afterRevision = 0;
  let next = worker.call(store, { type: 'read', afterRevision });
  for (;;) {
    const { records, done } = await next;
    afterRevision = records.revisions.at(-1) ?? afterRevision;
    // The thread reads on while this one decodes.
    if (!done) next = worker.call(store, { type: 'read', afterRevision });
    for (const record of unpackRecords(records)) {
      try {
        log.restore(record);
      } catch (error) {
        throw corrupt(directory, `revision ${record.revision}, ${record.key}: ${errorMessage(error)}`, error);
      }
    }
    if (done) return;
  }
}

class WorkerJournal implements Journal {
  readonly #worker: StorageWorker;
  readonly #store: number;
  readonly #ownsWorker: boolean;

  constructor(worker: StorageWorker, store: number, ownsWorker: boolean) {
    this.#worker = worker;
    this.#store = store;
    this.#ownsWorker = ownsWorker;
  }

  append({ records, compactedRevision, forgotten }: JournalBatch): Promise<void> {
    const packed = packRecords(records);
    const request = { type: 'append', records: packed, compactedRevision, forgotten } as const;
    return this.#worker.call(this.#store, request, transferOf(packed));
  }

  async sizeBytes(): Promise<number> {
    return (await this.#worker.call(this.#store, { type: 'size' })).bytes;
  }

  async close(): Promise<void> {
    try {
      await this.#worker.call(this.#store, { type: 'close' });
    } finally {
      if (this.#ownsWorker) await this.#worker.close();
    }
  }
}
