export { openFileStorage, type FileStorage, type FileStorageOptions } from './file.ts';
export type { Journal, JournalBatch, JournalRecord } from './journal.ts';
export { openJournaledStorage, type JournaledStorageOptions } from './journaled.ts';
export { createMemoryStorage, type MemoryStorageOptions } from './memory.ts';
export { CompactedError, FutureRevisionError } from './storage.ts';
export type { Change, Codec, Entry, ListOptions, ListResult, Storage, WriteResult } from './storage.ts';
export { StorageWorker } from './storage-worker.ts';
export type { Durability } from './worker-protocol.ts';
