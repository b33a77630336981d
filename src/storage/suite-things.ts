// What the suite's tests are made of: values, a codec, and watches that remember what they saw.
import assert from 'node:assert/strict';
import type { RevisionLogOptions } from './revision-log.ts';
import type { Change, Codec, Entry, Storage, WriteResult } from './storage.ts';

export interface Thing {
  readonly text: string;
  readonly revision?: number;
}

export const thingCodec: Codec<Thing> = {
  encode: (thing) => new TextEncoder().encode(JSON.stringify(thing)),
  decode: (bytes) => Object.freeze(JSON.parse(new TextDecoder().decode(bytes)) as Thing),
  stamp(thing, revision) {
    if (thing.text === 'unstorable') throw new TypeError('unstorable');
    return Object.freeze({ ...thing, revision });
  },
};

/** Opens a new, empty store; the test that asks for it closes it. */
export type OpenStorage = (options?: RevisionLogOptions) => Promise<Storage<Thing>>;

/** Declares a test that is given an empty store. */
export type It = (sentence: string, run: (storage: Storage<Thing>) => Promise<void>) => void;

export function thing(text: string): Thing {
  return { text };
}

export function succeeded(result: WriteResult<Thing>): Entry<Thing> {
  assert.ok(result.ok, `the write was refused, there is ${JSON.stringify(result)}`);
  return result.entry;
}

export async function fill(storage: Storage<Thing>, prefix: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    succeeded(await storage.create(prefix + String(i).padStart(3, '0'), thing(String(i))));
  }
}

export async function keysOf(storage: Storage<Thing>, prefix: string): Promise<string[]> {
  return (await storage.list(prefix)).entries.map(({ key }) => key);
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
}

export interface RecordedWatch {
  readonly changes: readonly Change<Thing>[];
  /** Of each call: the revisions of its changes, and the revision it told. */
  readonly calls: readonly [number[], number][];
  revisions(): number[];
  stop(): Promise<void>;
}

export function recordWatch(storage: Storage<Thing>, prefix: string, fromRevision: number): RecordedWatch {
  const changes: Change<Thing>[] = [];
  const calls: [number[], number][] = [];
  const controller = new AbortController();
  const watch = storage.watch(
    prefix,
    fromRevision,
    (some, revision) => {
      changes.push(...some);
      calls.push([some.map(({ entry }) => entry.revision), revision]);
    },
    controller.signal,
  );
  return {
    changes,
    calls,
    revisions: () => changes.map(({ entry }) => entry.revision),
    stop() {
      controller.abort();
      return watch;
    },
  };
}
