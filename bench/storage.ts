// What the store does on this machine: durable writes by number of writers, reads, start, and the candidates that
// adr/0002-store.md weighs. Run: node bench/storage.ts [writes] [reads] [load] [candidates], or all without names.
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { createMemoryStorage, openFileStorage, type Codec, type Storage } from '../src/storage/index.ts';
import { RecordFile } from '../src/storage/record-file.ts';
import { RevisionLog } from '../src/storage/revision-log.ts';

interface Thing {
  readonly name: string;
  readonly spec: Readonly<Record<string, string>>;
  readonly revision?: number;
}

/** As large as a small Deployment: 1.7 kB of JSON. */
const spec = Object.fromEntries(
  Array.from({ length: 40 }, (_, i) => [`field-${i}`, `${'value '.repeat(4)}${i}`]),
);
const text = new TextEncoder();
const codec: Codec<Thing> = {
  encode: (thing) => text.encode(JSON.stringify(thing)),
  decode: (bytes) => freeze(JSON.parse(new TextDecoder().decode(bytes)) as Thing),
  stamp: (thing, revision) => freeze({ ...thing, revision }),
};
function freeze(thing: Thing): Thing {
  Object.freeze(thing.spec);
  return Object.freeze(thing);
}

const sample = codec.encode({ name: 'sample', spec, revision: 1_000_000 });
const scratch = mkdtempSync(path.join(tmpdir(), 'navarch-bench-'));
let directories = 0;
const newDirectory = (): string => path.join(scratch, String(++directories));

function percentile(sorted: readonly number[], fraction: number): string {
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? 0).toFixed(2);
}

async function timed(run: () => unknown): Promise<number> {
  const from = performance.now();
  await run();
  return performance.now() - from;
}

/** Creates `count` objects with so many writers at a time, each waiting for its own write only. */
async function write(storage: Storage<Thing>, writers: number, count: number): Promise<string> {
  const latenciesMs: number[] = [];
  const delay = monitorEventLoopDelay({ resolution: 1 });
  let next = 0;
  const writer = async (): Promise<void> => {
    while (next < count) {
      const name = `object-${next++}`;
      const from = performance.now();
      const result = await storage.create(`/registry/things/namespace-${next % 100}/${name}`, { name, spec });
      if (!result.ok) throw new Error(`${name} is there already`);
      latenciesMs.push(performance.now() - from);
    }
  };
  delay.enable();
  const elapsedMs = await timed(() => Promise.all(Array.from({ length: writers }, writer)));
  delay.disable();
  latenciesMs.sort((a, b) => a - b);
  const perSecond = String(Math.round((count / elapsedMs) * 1_000)).padStart(7);
  // Without a journal nothing lets go of the thread, and there is nothing to measure.
  const held =
    delay.count === 0 ? '' : `   main thread held up p99 ${(delay.percentile(99) / 1e6 - 1).toFixed(1)} ms`;
  return (
    `${perSecond} writes/s   p50 ${percentile(latenciesMs, 0.5)} ms   p99 ${percentile(latenciesMs, 0.99)} ms` +
    held
  );
}

const LOADS: [writers: number, count: number][] = [
  [1, 4_000],
  [10, 20_000],
  [64, 60_000],
  [256, 100_000],
];

async function writes(): Promise<void> {
  for (const durability of ['disk', 'process'] as const) {
    for (const [writers, count] of LOADS) {
      const storage = await openFileStorage({ directory: newDirectory(), codec, durability });
      console.log(
        `file, ${durability.padEnd(7)} ${String(writers).padStart(3)} writers ${await write(storage, writers, count)}`,
      );
      await storage.close();
    }
  }
  const storage = createMemoryStorage(codec);
  console.log(`memory        ${String(64).padStart(3)} writers ${await write(storage, 64, 200_000)}`);
  await storage.close();
}

async function reads(): Promise<void> {
  const storage = createMemoryStorage(codec);
  for (let i = 0; i < 100_000; i++) {
    await storage.create(`/registry/things/namespace-${i % 10}/object-${i}`, { name: `object-${i}`, spec });
  }
  const prefix = '/registry/things/';
  const cases: [name: string, repeat: number, run: (i: number) => Promise<unknown>][] = [
    ['get', 100_000, (i) => storage.get(`${prefix}namespace-${i % 10}/object-${i}`)],
    ['list 10,000 of 100,000', 50, () => storage.list(`${prefix}namespace-3/`)],
    ['page of 500 of 100,000, remainder counted', 500, () => storage.list(prefix, { limit: 500 })],
    ['the same, 10,000 revisions ago', 100, () => storage.list(prefix, { limit: 500, revision: 90_000 })],
  ];
  for (const [name, repeat, run] of cases) {
    const elapsedMs = await timed(async () => {
      for (let i = 0; i < repeat; i++) await run(i);
    });
    console.log(`${name.padEnd(45)} ${((elapsedMs / repeat) * 1_000).toFixed(1).padStart(8)} us`);
  }
  const controllers = Array.from({ length: 10_000 }, () => new AbortController());
  let events = 0;
  const watches = controllers.map(({ signal }, i) =>
    storage.watch(`${prefix}watched-${i}/`, 100_000, (changes) => (events += changes.length), signal),
  );
  const elapsedMs = await timed(async () => {
    for (let i = 0; i < 20_000; i++) {
      await storage.create(`${prefix}watched-${i % 10_000}/${i}`, { name: 'watched', spec });
    }
  });
  console.log(
    `${'write among 10,000 watchers, one is told'.padEnd(45)} ${(elapsedMs / 20).toFixed(1).padStart(8)} us (${events} events)`,
  );
  for (const controller of controllers) controller.abort();
  await Promise.all(watches);
  await storage.close();
}

async function load(): Promise<void> {
  const directory = newDirectory();
  let storage = await openFileStorage({ directory, codec, durability: 'process' });
  await write(storage, 256, 100_000);
  await storage.close();
  const size = (statSync(path.join(directory, 'store.db')).size / 1e6).toFixed(0);
  for (let i = 0; i < 3; i++) {
    const elapsedMs = await timed(async () => {
      storage = await openFileStorage({ directory, codec });
    });
    console.log(`open 100,000 objects, ${size} MB on disk: ${elapsedMs.toFixed(0)} ms`);
    await storage.close();
  }
  const decodeMs = await timed(() => {
    for (let i = 0; i < 100_000; i++) codec.decode(sample);
  });
  console.log(`of which decoding them takes: ${decodeMs.toFixed(0)} ms`);
}

/** What making one batch last costs each candidate, alone and in the calling thread. */
async function candidates(): Promise<void> {
  const batches: [size: number, count: number][] = [
    [1, 2_000],
    [10, 1_000],
    [100, 400],
  ];
  const makers: [name: string, make: () => Candidate][] = [
    ['append-only file, fdatasync', appendOnlyFile],
    ['SQLite: log only (chosen)', logOnly],
    ['SQLite: log and table of current keys', logAndKeys],
  ];
  for (const [name, make] of makers) {
    for (const [size, count] of batches) {
      const candidate = make();
      const latenciesMs: number[] = [];
      let revision = 0;
      const elapsedMs = await timed(() => {
        for (let i = 0; i < count; i++) {
          const from = performance.now();
          candidate.append(Array.from({ length: size }, () => ++revision));
          latenciesMs.push(performance.now() - from);
        }
      });
      candidate.close();
      latenciesMs.sort((a, b) => a - b);
      const perSecond = String(Math.round((revision / elapsedMs) * 1_000)).padStart(7);
      console.log(
        `${name.padEnd(38)} batches of ${String(size).padStart(3)} ${perSecond} writes/s` +
          `   p50 ${percentile(latenciesMs, 0.5)} ms   p99 ${percentile(latenciesMs, 0.99)} ms a batch`,
      );
    }
  }
  for (const where of ['main thread', 'own thread']) {
    const directory = newDirectory();
    const storage =
      where === 'own thread' ? await openFileStorage({ directory, codec }) : openInThisThread(directory);
    console.log(`fsync on ${where.padEnd(11)} 64 writers ${await write(storage, 64, 60_000)}`);
    await storage.close();
  }
}

interface Candidate {
  append(revisions: readonly number[]): void;
  close(): void;
}

const keyOf = (revision: number): string =>
  `/registry/things/namespace-${revision % 100}/object-${revision % 5_000}`;

function appendOnlyFile(): Candidate {
  const file = openSync(newDirectory(), 'w');
  return {
    append(revisions) {
      const parts = revisions.flatMap((revision) => {
        const head = text.encode(JSON.stringify([revision, keyOf(revision), sample.length, crc32(sample)]));
        return [head, sample];
      });
      writeSync(file, Buffer.concat(parts));
      fdatasyncSync(file);
    },
    close: () => closeSync(file),
  };
}

function logOnly(): Candidate {
  const file = new RecordFile(newDirectory(), 'disk');
  return {
    append(revisions) {
      const records = revisions.map((revision) => {
        return { revision, createRevision: revision, key: keyOf(revision), bytes: sample };
      });
      file.append({ records, compactedRevision: 0, forgotten: [] });
    },
    close: () => file.close(),
  };
}

function logAndKeys(): Candidate {
  const database = new DatabaseSync(newDirectory());
  database.exec(`
    PRAGMA page_size = 8192; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    CREATE TABLE record (revision INTEGER PRIMARY KEY, key TEXT NOT NULL, value BLOB);
    CREATE TABLE current (key TEXT PRIMARY KEY, revision INTEGER NOT NULL, value BLOB) WITHOUT ROWID;
  `);
  const insert = database.prepare('INSERT INTO record VALUES (?, ?, ?)');
  const upsert = database.prepare('INSERT OR REPLACE INTO current VALUES (?, ?, ?)');
  return {
    append(revisions) {
      database.exec('BEGIN IMMEDIATE');
      for (const revision of revisions) {
        insert.run(revision, keyOf(revision), sample);
        upsert.run(keyOf(revision), revision, sample);
      }
      database.exec('COMMIT');
    },
    close: () => database.close(),
  };
}

/** The same store without its thread: what the thread is for shows in how long the main one is held up. */
function openInThisThread(directory: string): Storage<Thing> {
  const file = new RecordFile(directory, 'disk');
  const log = new RevisionLog(codec);
  log.useJournal({
    append: async (batch) => {
      // A turn of the event loop, as a reply from a thread would take.
      await new Promise((resolve) => setImmediate(resolve));
      file.append(batch);
    },
    close: async () => file.close(),
  });
  return log;
}

const parts = { writes, reads, load, candidates };
const wanted = process.argv.slice(2);
try {
  for (const [name, run] of Object.entries(parts)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    console.log(`-- ${name}`);
    await run();
  }
} finally {
  rmSync(scratch, { recursive: true });
}
