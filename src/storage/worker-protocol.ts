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
  | { readonly type: 'close' };

export type StoreResult<T extends StoreRequest['type']> = {
  open: { readonly compactedRevision: number };
  read: { readonly records: PackedRecords; readonly done: boolean };
  append: undefined;
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
  const packed = {
    revisions: new Float64Array(records.length),
    createRevisions: new Float64Array(records.length),
    keys: records.map(({ key }) => key),
    sizes: new Int32Array(records.length),
    values: new Uint8Array(records.reduce((sum, { bytes }) => sum + (bytes?.length ?? 0), 0)),
  };
  let offset = 0;
  for (const [i, { revision, createRevision, bytes }] of records.entries()) {
    packed.revisions[i] = revision;
    packed.createRevisions[i] = createRevision;
    packed.sizes[i] = bytes?.length ?? -1;
    if (bytes === undefined) continue;
    packed.values.set(bytes, offset);
    offset += bytes.length;
  }
  return packed;
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
