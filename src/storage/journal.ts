// The seam between the revision log and what makes it last. A log without a journal is the memory driver.

/** One change as it is kept. */
export interface JournalRecord {
  readonly revision: number;
  readonly createRevision: number;
  readonly key: string;
  /** What the codec made of the stamped value; undefined for a deletion. Not to be changed by anyone. */
  readonly bytes: Uint8Array | undefined;
}

export interface JournalBatch {
  /** In order of revision, without gaps, following the batch before. */
  readonly records: readonly JournalRecord[];
  /** History up to this revision is forgotten. */
  readonly compactedRevision: number;
  /**
   * Revisions of records that nothing needs any more. INVARIANT: what a deletion hid comes before the deletion,
   * so that no part of this order brings a deleted key back.
   */
  readonly forgotten: readonly number[];
}

export interface Journal {
  /**
   * Resolves when the whole batch lasts. Batches are made to last in the order of the calls. Once one has failed,
   * it and all later ones reject with an OperatingError.
   */
  append(batch: JournalBatch): Promise<void>;
  /** What the journal takes, in bytes; absent: it does not say. */
  sizeBytes?(): Promise<number>;
  /** Frees what the journal holds. Nothing is appended afterwards. */
  close(): Promise<void>;
}
