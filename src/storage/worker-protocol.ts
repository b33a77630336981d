// What the main thread and the storage thread say to each other, and how records travel: all values of a message
// in one buffer that changes hands, because cloning thousands of small ones costs more than writing them.
import { OperatingError } from '../base/index.ts';
import type { JournalRecord } from './journal.ts';

/** `disk`: survives the loss of power. `process`: survives the end of the process, however it comes. */
export type Durability = 'disk' | 'process';

export type StoreRequest =
  | {
      readonly type: 'open';
      readonly directory: string;
      readonly durability: Durability;
      readonly sizeLimitBytes: number | undefined;
    }
  /** The records after a revision, as many as fit into one reply. */
  | { readonly type: 'read'; readonly afterRevision: number }
  | {
      readonly type: 'append';
      readonly records: PackedRecords;
      readonly compactedRevision: number;
      readonly forgotten: readonly number[];
    }
  | { readonly type: 'size' }
  /** Writes the store as it is between two batches into a new file. */
  | { readonly type: 'copy'; readonly file: string }
  | { readonly type: 'close' };

export type StoreResult<T extends StoreRequest['type']> = {
  open: { readonly compactedRevision: number };
  read: { readonly records: PackedRecords; readonly done: boolean };
  append: undefined;
  size: { readonly bytes: number };
  copy: { readonly revision: number };
  close: undefined;
}[T];

export interface Call {
  readonly call: number;
  readonly store: number;
  readonly request: StoreRequest;
}

/** Replies come in the order of the calls. */
export type Reply =
  | { readonly call: number; readonly ok: true; readonly result: StoreResult<StoreRequest['type']> }
  | { readonly call: number; readonly ok: false; readonly error: PlainError };

/** An OperatingError as it crosses threads, which would make a plain Error of it. */
export interface PlainError {
  readonly code: string;
  readonly message: string;
  readonly nextStep: string;
}

export function operatingError(error: PlainError): OperatingError {
  return new OperatingError(error.code, error.message, error.nextStep);
}

export interface PackedRecords {
  readonly revisions: Float64Array;
  readonly createRevisions: Float64Array;
  readonly keys: readonly string[];
  /** -1: a deletion, which has no value. */
  readonly sizes: Int32Array;
  readonly values: Uint8Array;
}

/** What to hand over instead of copying, see postMessage(). */
export function transferOf(records: PackedRecords): ArrayBuffer[] {
  const parts = [records.revisions, records.createRevisions, records.sizes, records.values];
  return parts.map((part) => part.buffer as ArrayBuffer);
}

export function packRecords(records: readonly JournalRecord[]): PackedRecords {
  const packer = new RecordPacker(records.reduce((sum, { bytes }) => sum + (bytes?.length ?? 0), 0));
  for (const record of records) packer.add(record);
  return packer.finish();
}

/** Packs records one by one, so that none has to be kept until all are there. */
export class RecordPacker {
  readonly #revisions: number[] = [];
  readonly #createRevisions: number[] = [];
  readonly #keys: string[] = [];
  readonly #sizes: number[] = [];
  #values: Uint8Array<ArrayBuffer>;
  #bytes = 0;

  constructor(expectedBytes: number) {
    this.#values = new Uint8Array(expectedBytes);
  }

  get count(): number {
    return this.#keys.length;
  }

  /** Of the values. */
  get bytes(): number {
    return this.#bytes;
  }

  add({ revision, createRevision, key, bytes }: JournalRecord): void {
    this.#revisions.push(revision);
    this.#createRevisions.push(createRevision);
    this.#keys.push(key);
    this.#sizes.push(bytes?.length ?? -1);
    if (bytes === undefined) return;
    const end = this.#bytes + bytes.length;
    if (end > this.#values.length) {
      const larger = new Uint8Array(Math.max(end, this.#values.length * 2));
      larger.set(this.#values.subarray(0, this.#bytes));
      this.#values = larger;
    }
    this.#values.set(bytes, this.#bytes);
    this.#bytes = end;
  }

  finish(): PackedRecords {
    return {
      revisions: new Float64Array(this.#revisions),
      createRevisions: new Float64Array(this.#createRevisions),
      keys: this.#keys,
      sizes: new Int32Array(this.#sizes),
      values: this.#values.subarray(0, this.#bytes),
    };
  }
}

export function* unpackRecords(packed: PackedRecords): Generator<JournalRecord> {
  let offset = 0;
  for (const [i, key] of packed.keys.entries()) {
    const size = packed.sizes[i]!;
    const bytes = size < 0 ? undefined : packed.values.subarray(offset, offset + size);
    offset += Math.max(size, 0);
    yield { revision: packed.revisions[i]!, createRevision: packed.createRevisions[i]!, key, bytes };
  }
}
