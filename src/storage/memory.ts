// The reference driver: everything the contract says, for as long as the process lives. A write is durable as soon
// as it is made.
import { RevisionLog, type RevisionLogOptions } from './revision-log.ts';
import type { Codec, Storage } from './storage.ts';

export type MemoryStorageOptions = RevisionLogOptions;

export function createMemoryStorage<V>(codec: Codec<V>, options: MemoryStorageOptions = {}): Storage<V> {
  return new RevisionLog(codec, options);
}
