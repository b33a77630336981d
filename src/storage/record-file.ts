// The file that records are kept in: one SQLite table, used as a log. Runs in the storage thread, which is the only
// one to touch the file. SQLite brings what is hard to get right: a batch that is there whole or not at all after
// any crash, space that is used again, and a lock that dies with its process.
//
// INVARIANT: after a failed write the file is not written any more. A failed fsync may have lost pages that the
// kernel believes written, so trying again could report as durable what is not.
// INVARIANT: nobody else in this process opens the database file; POSIX would drop the lock at its close().
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { errorMessage, type OperatingError } from '../base/index.ts';
import type { JournalBatch, JournalRecord } from './journal.ts';
import { corrupt, newer, storeError, unwritable } from './store-errors.ts';
import { RecordPacker, type Durability, type PackedRecords } from './worker-protocol.ts';

const FILE_NAME = 'store.db';
/** Says in the file's header that it is ours: "NAVR". */
const APPLICATION_ID = 0x4e415652;
const FORMAT_VERSION = 1;

/** Measured in bench/storage.ts: objects of some kilobytes fit a page by the handful. */
const PAGE_BYTES = 8_192;
/**
 * LIMIT: the write-ahead log is copied back when it has this many pages. All writers wait for that: with fewer it comes so
 * often that one write in a hundred meets it (at 1,000 a second: once a second with 500), with more it takes longer.
 */
const CHECKPOINT_PAGES = 2_000;
/** LIMIT: what one read returns, so that loading a large store does not hold it twice. */
const READ_BYTES_MAX = 4 * 1024 * 1024;
const READ_RECORDS_MAX = 10_000;

const SCHEMA = `
  CREATE TABLE record (
    revision INTEGER PRIMARY KEY,
    create_revision INTEGER NOT NULL,
    key TEXT NOT NULL,
    value BLOB,
    checksum INTEGER NOT NULL
  );
  CREATE TABLE compaction (revision INTEGER NOT NULL);
  INSERT INTO compaction VALUES (0);
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${FORMAT_VERSION};
`;

type Row = readonly [
  revision: number,
  createRevision: number,
  key: string,
  bytes: Uint8Array | null,
  checksum: number,
];

export class RecordFile {
  readonly #directory: string;
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #remove: StatementSync;
  readonly #setCompacted: StatementSync;
  readonly #select: StatementSync;
  #compactedRevision: number;
  #failure: OperatingError | undefined;

  constructor(directory: string, durability: Durability, sizeLimitBytes?: number) {
    this.#directory = directory;
    prepareDirectory(directory, durability);
    try {
      this.#database = new DatabaseSync(path.join(directory, FILE_NAME));
    } catch (error) {
      throw storeError(error, directory);
    }
    try {
      this.#prepareFile(durability, sizeLimitBytes);
      this.#insert = this.#database.prepare('INSERT INTO record VALUES (?, ?, ?, ?, ?)');
      this.#remove = this.#database.prepare('DELETE FROM record WHERE revision = ?');
      this.#setCompacted = this.#database.prepare('UPDATE compaction SET revision = ?');
      this.#select = this.#database.prepare('SELECT * FROM record WHERE revision > ? ORDER BY revision');
      this.#select.setReturnArrays(true);
      const row = this.#database.prepare('SELECT revision FROM compaction').get();
      this.#compactedRevision = Number(row?.revision ?? NaN);
      if (!Number.isSafeInteger(this.#compactedRevision)) throw corrupt(directory, 'no compaction mark');
    } catch (error) {
      this.#database.close();
      throw storeError(error, directory);
    }
  }

  get compactedRevision(): number {
    return this.#compactedRevision;
  }

  /** Records after a revision, in order. `done`: there are no more. */
  read(afterRevision: number): { readonly records: PackedRecords; readonly done: boolean } {
    const packer = new RecordPacker(READ_BYTES_MAX * 1.25);
    try {
      for (const row of this.#select.iterate(afterRevision) as Iterable<unknown> as Iterable<Row>) {
        const record = recordOf(row);
        if (record === undefined) throw corrupt(this.#directory, `revision ${row[0]} is damaged`);
        packer.add(record);
        if (packer.bytes >= READ_BYTES_MAX || packer.count >= READ_RECORDS_MAX) {
          return { records: packer.finish(), done: false };
        }
      }
    } catch (error) {
      throw storeError(error, this.#directory);
    }
    return { records: packer.finish(), done: true };
  }

  append(batch: { readonly records: Iterable<JournalRecord> } & Omit<JournalBatch, 'records'>): void {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      for (const record of batch.records) {
        const { revision, createRevision, key, bytes } = record;
        this.#insert.run(revision, createRevision, key, bytes ?? null, checksum(record));
      }
      if (batch.compactedRevision !== this.#compactedRevision)
        this.#setCompacted.run(batch.compactedRevision);
      for (const revision of batch.forgotten) this.#remove.run(revision);
      this.#database.exec('COMMIT');
      this.#compactedRevision = batch.compactedRevision;
    } catch (error) {
      this.#failure = storeError(error, this.#directory);
      this.#rollBack();
      throw this.#failure;
    }
  }

  /** Of the file and of what is to be copied into it. Looked up by name: opening the file would cost us its lock. */
  sizeBytes(): number {
    return [FILE_NAME, `${FILE_NAME}-wal`]
      .map((name) => statSync(path.join(this.#directory, name), { throwIfNoEntry: false })?.size ?? 0)
      .reduce((sum, size) => sum + size, 0);
  }

  /** Answers the revision that is copied. LIMIT: writes wait until it is done. The file must not be there. */
  copyTo(file: string): number {
    try {
      this.#database.prepare('VACUUM INTO ?').run(file);
      return Number(
        this.#database.prepare('SELECT max(revision) AS revision FROM record').get()?.revision ?? 0,
      );
    } catch (error) {
      throw storeError(error, path.dirname(file));
    }
  }

  close(): void {
    try {
      this.#database.close();
    } catch (error) {
      throw storeError(error, this.#directory);
    }
  }

  #prepareFile(durability: Durability, sizeLimitBytes: number | undefined): void {
    const database = this.#database;
    // Exclusive: the first transaction takes the lock for as long as the file is open.
    database.exec(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA locking_mode = EXCLUSIVE`);
    const mode = database.prepare('PRAGMA journal_mode = WAL').get()?.journal_mode;
    if (mode !== 'wal') throw unwritable(this.#directory, `its file system cannot keep a write-ahead log`);
    database.exec(`PRAGMA synchronous = ${durability === 'disk' ? 'FULL' : 'NORMAL'}`);
    database.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    if (sizeLimitBytes !== undefined) {
      database.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(sizeLimitBytes / PAGE_BYTES))}`);
    }
    database.exec('BEGIN IMMEDIATE');
    const application = database.prepare('PRAGMA application_id').get()?.application_id;
    const version = Number(database.prepare('PRAGMA user_version').get()?.user_version);
    const empty = database.prepare('SELECT count(*) AS count FROM sqlite_schema').get()?.count === 0;
    if (empty) database.exec(SCHEMA);
    else if (application !== APPLICATION_ID)
      throw corrupt(this.#directory, `${FILE_NAME} is another program's`);
    else if (version > FORMAT_VERSION) throw newer(this.#directory, version, FORMAT_VERSION);
    database.exec('COMMIT');
  }

  #rollBack(): void {
    try {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
    } catch {
      // The failure that led here is the one to report; an open transaction is as good as rolled back.
    }
  }
}

function recordOf([revision, createRevision, key, bytes, expected]: Row): JournalRecord | undefined {
  const record: JournalRecord = { revision, createRevision, key, bytes: bytes ?? undefined };
  return checksum(record) === expected ? record : undefined;
}

/** Of the whole record: SQLite has no checksums of its own outside of its write-ahead log. */
function checksum({ revision, createRevision, key, bytes }: JournalRecord): number {
  const head = crc32(`${revision} ${createRevision} ${bytes?.length ?? 'deleted'} ${key}`);
  return bytes === undefined ? head : crc32(bytes, head);
}

function prepareDirectory(directory: string, durability: Durability): void {
  try {
    const made = mkdirSync(directory, { recursive: true, mode: 0o700 });
    // A new directory lasts only when the one it is in does. SQLite sees to what is inside.
    if (made !== undefined && durability === 'disk' && process.platform !== 'win32') sync(path.dirname(made));
    // SQLite would open for reading what it may not write, and fail later with less to say.
    accessSync(directory, constants.R_OK | constants.W_OK);
    const file = path.join(directory, FILE_NAME);
    if (existsSync(file)) accessSync(file, constants.R_OK | constants.W_OK);
  } catch (error) {
    throw unwritable(directory, errorMessage(error), error);
  }
}

function sync(directory: string): void {
  const descriptor = openSync(directory, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
