// A store over a journal that its caller keeps: the revision log and its group commit, whatever makes the records last.
import type { Journal, JournalRecord } from './journal.ts';
import { RevisionLog, type RevisionLogOptions } from './revision-log.ts';
import type { Codec, Storage } from './storage.ts';

export interface JournaledStorageOptions<V> extends RevisionLogOptions {
  readonly codec: Codec<V>;
  readonly journal: Journal;
  /** What the journal kept from before: the records it has not been told to forget, in order of revision. */
  readonly records: readonly JournalRecord[];
  readonly compactedRevision: number;
}

/** Throws when the records do not fit together. */
export function openJournaledStorage<V>(options: JournaledStorageOptions<V>): Storage<V> {
  const log = new RevisionLog(options.codec, options);
  log.startRestore(options.compactedRevision);
  for (const record of options.records) log.restore(record);
  log.useJournal(options.journal);
  return log;
}
