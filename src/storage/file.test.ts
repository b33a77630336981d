import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { openFileStorage, type FileStorageOptions } from './file.ts';
import { RecordFile } from './record-file.ts';
import { StorageWorker } from './storage-worker.ts';
import { CompactedError, type Storage } from './storage.ts';
import { modelSuite } from './suite-model.ts';
import {
  fill,
  keysOf,
  range,
  recordWatch,
  succeeded,
  thing,
  thingCodec,
  type Thing,
} from './suite-things.ts';
import { storageSuite } from './suite.ts';

const directories = mkdtempSync(path.join(tmpdir(), 'navarch-storage-'));
const worker = new StorageWorker();
let stores = 0;
after(async () => {
  await worker.close();
  rmSync(directories, { recursive: true });
});

function newDirectory(): string {
  return path.join(directories, String(++stores));
}

function open(directory: string, options: Partial<FileStorageOptions<Thing>> = {}): Promise<Storage<Thing>> {
  return openFileStorage({ directory, codec: thingCodec, durability: 'process', worker, ...options });
}

function database(directory: string): DatabaseSync {
  return new DatabaseSync(path.join(directory, 'store.db'));
}

function change(directory: string, sql: string): void {
  const file = database(directory);
  file.exec(sql);
  file.close();
}

storageSuite('file', (options) => open(newDirectory(), options));

const directoryOf = new WeakMap<Storage<Thing>, string>();
async function openRemembered(directory: string): Promise<Storage<Thing>> {
  const storage = await open(directory);
  directoryOf.set(storage, directory);
  return storage;
}
modelSuite(
  'file',
  40,
  () => openRemembered(newDirectory()),
  async (storage) => {
    await storage.close();
    return openRemembered(directoryOf.get(storage)!);
  },
);

test('a store that is opened again has what it had, and goes on counting', async () => {
  const directory = newDirectory();
  let storage = await open(directory, { durability: 'disk' });
  await fill(storage, '/a/', 5);
  await storage.update('/a/001', thing('changed'), 2);
  await storage.delete('/a/002', 3);
  const before = await storage.list('');
  await storage.close();
  storage = await open(directory);
  assert.deepEqual(await storage.list(''), before);
  assert.equal(succeeded(await storage.create('/b', thing('one'))).revision, 8);
  await storage.close();
});

test('revisions go on counting after the last one was a deletion and has been compacted', async () => {
  const directory = newDirectory();
  let storage = await open(directory);
  await storage.create('/a', thing('one'));
  await storage.delete('/a', 1);
  await storage.compact(2);
  await storage.close();
  storage = await open(directory);
  assert.equal(await storage.currentRevision(), 2);
  assert.equal(succeeded(await storage.create('/a', thing('two'))).revision, 3);
  await storage.close();
});

test('a watch and a list at a revision resume across a restart, unless their history has been compacted', async () => {
  const directory = newDirectory();
  let storage = await open(directory);
  await fill(storage, '/a/', 4);
  await storage.update('/a/001', thing('changed'), 2);
  await storage.delete('/a/002', 3);
  const all = recordWatch(storage, '', 0);
  const { revision } = await storage.list('/a/');
  const then = await storage.list('/a/', { revision: 4 });
  await all.stop();
  await storage.compact(3);
  await storage.close();
  storage = await open(directory);
  const resumed = recordWatch(storage, '', 3);
  await storage.create('/a/new', thing('new'));
  assert.deepEqual(resumed.changes.slice(0, -1), all.changes.slice(3));
  assert.deepEqual(resumed.revisions(), [4, 5, 6, revision + 1]);
  assert.deepEqual(await storage.list('/a/', { revision: 4 }), then);
  await assert.rejects(
    storage.watch('', 2, () => undefined, new AbortController().signal),
    CompactedError,
  );
  await resumed.stop();
  await storage.close();
});

test('what is stored are the bytes of the codec, and only those of versions that something can still ask for', async () => {
  const directory = newDirectory();
  const storage = await open(directory);
  await storage.create('/a', thing('one'));
  await storage.update('/a', thing('two'), 1);
  await storage.create('/b', thing('gone'));
  await storage.delete('/b', 3);
  await storage.update('/a', thing('three'), 2);
  await storage.compact(4);
  await storage.close();
  const file = database(directory);
  const rows = file.prepare('SELECT revision, key, value FROM record ORDER BY revision').all();
  file.close();
  assert.deepEqual(
    rows.map(({ revision, key, value }) => [revision, key, new TextDecoder().decode(value as Uint8Array)]),
    [
      [2, '/a', '{"text":"two","revision":2}'],
      [5, '/a', '{"text":"three","revision":5}'],
    ],
  );
});

test('a compaction that was cut short is finished when the store is opened', async () => {
  const directory = newDirectory();
  let storage = await open(directory);
  await storage.create('/a', thing('one'));
  await storage.delete('/a', 1);
  await storage.create('/b', thing('two'));
  await storage.update('/b', thing('three'), 3);
  await storage.close();
  // As a process leaves it that ends after it has forgotten what the deletion hid.
  const file = new RecordFile(directory, 'process');
  file.append({ records: [], compactedRevision: 4, forgotten: [1] });
  file.close();
  storage = await open(directory);
  assert.deepEqual(await keysOf(storage, ''), ['/b']);
  assert.equal(await storage.currentRevision(), 4);
  await storage.close();
  const rows = database(directory);
  assert.deepEqual(
    rows
      .prepare('SELECT revision FROM record')
      .all()
      .map(({ revision }) => revision),
    [4],
  );
  rows.close();
});

test('a shorter history limit than before is kept to from the start', async () => {
  const directory = newDirectory();
  let storage = await open(directory);
  await fill(storage, '/a/', 50);
  await storage.close();
  storage = await open(directory, { historyLimit: 10 });
  await storage.list('', { revision: 40 });
  await assert.rejects(storage.list('', { revision: 39 }), CompactedError);
  await storage.close();
});

test('more writes at once than may wait for the disk are carried out in the order of their calls, also when closing', async () => {
  const storage = await open(newDirectory());
  const writes = Array.from({ length: 12_000 }, (_, i) => storage.create(`/a/${i}`, thing('one')));
  await writes[5_000];
  const later = [
    storage.update('/a/11999', thing('two'), 12_000),
    storage.update('/a/11999', thing('three'), 12_000),
  ];
  const closed = storage.close();
  const revisions = (await Promise.all(writes)).map((result) => succeeded(result).revision);
  assert.deepEqual(revisions, range(1, 12_000));
  assert.deepEqual(
    (await Promise.all(later)).map(({ ok }) => ok),
    [true, false],
  );
  await closed;
});

test('a directory has one store at a time', async () => {
  const directory = newDirectory();
  const storage = await open(directory);
  const other = new StorageWorker();
  await assert.rejects(open(directory), { name: 'OperatingError', code: 'STORE_LOCKED' });
  await assert.rejects(open(directory, { worker: other }), { code: 'STORE_LOCKED' });
  await other.close();
  succeeded(await storage.create('/a', thing('one')));
  await storage.close();
  await (await open(directory)).close();
});

test('a directory that cannot be made is named', async () => {
  const file = newDirectory();
  writeFileSync(file, '');
  const directory = path.join(file, 'store');
  await assert.rejects(open(directory), (error: Error & { code: string }) => {
    return error.code === 'STORE_UNWRITABLE' && error.message.includes(directory);
  });
});

const damages: [sentence: string, sql: string, code: string][] = [
  [
    'a value with one wrong byte',
    'UPDATE record SET value = \'{"text":"tWo","revision":2}\' WHERE revision = 2',
    'STORE_CORRUPT',
  ],
  ['a record under another key', "UPDATE record SET key = '/other' WHERE revision = 1", 'STORE_CORRUPT'],
  ['a missing revision', 'DELETE FROM record WHERE revision = 2', 'STORE_CORRUPT'],
  ['a missing mark of compaction', 'DELETE FROM compaction', 'STORE_CORRUPT'],
  ['a missing table', 'DROP TABLE compaction', 'STORE_CORRUPT'],
  ["another program's database", 'PRAGMA application_id = 7', 'STORE_CORRUPT'],
  ['a later format', 'PRAGMA user_version = 2', 'STORE_NEWER'],
];
for (const [sentence, sql, code] of damages) {
  test(`${sentence} is noticed when the store is opened, and the store is left as it is`, async () => {
    const directory = newDirectory();
    const storage = await open(directory);
    await fill(storage, '/a/', 1);
    await storage.create('/b', thing('two'));
    await fill(storage, '/c/', 1);
    await storage.close();
    change(directory, sql);
    for (let attempt = 0; attempt < 2; attempt++) {
      await assert.rejects(open(directory), { name: 'OperatingError', code });
    }
  });
}

test('a file that is no database is noticed', async () => {
  const directory = newDirectory();
  await (await open(directory)).close();
  writeFileSync(path.join(directory, 'store.db'), 'not a database, '.repeat(1_000));
  await assert.rejects(open(directory), { code: 'STORE_CORRUPT' });
});

test('a store that is full refuses writes, is read on, and has lost nothing that it acknowledged', async () => {
  const directory = newDirectory();
  let storage = await open(directory, { sizeLimitBytes: 400_000 });
  const acknowledged: string[] = [];
  const write = async (i: number): Promise<void> => {
    const result = await storage.create(`/a/${i}`, thing('x'.repeat(5_000)));
    assert.ok(result.ok);
    acknowledged.push(result.entry.key);
  };
  const outcomes = await Promise.allSettled(Array.from({ length: 40 }, (_, i) => write(i)));
  assert.ok(outcomes.every(({ status }) => status === 'fulfilled'));
  for (let round = 1; outcomes.at(-1)!.status === 'fulfilled'; round++) {
    outcomes.push(
      ...(await Promise.allSettled(Array.from({ length: 10 }, (_, i) => write(round * 100 + i)))),
    );
  }
  const revision = await storage.currentRevision();
  assert.equal(revision, acknowledged.length);
  assert.deepEqual(await keysOf(storage, ''), acknowledged.toSorted());
  await assert.rejects(storage.create('/b', thing('small')), { name: 'OperatingError', code: 'STORE_FULL' });
  await assert.rejects(storage.delete('/a/0', 1), { code: 'STORE_FULL' });
  await assert.rejects(storage.compact(revision), { code: 'STORE_FULL' });
  await storage.close();
  storage = await open(directory);
  assert.deepEqual(await keysOf(storage, ''), acknowledged.toSorted());
  assert.equal(succeeded(await storage.delete('/a/0', 1)).revision, revision + 1);
  await storage.close();
});

test('a store whose thread has ended refuses writes and is read on', async () => {
  const own = new StorageWorker();
  const storage = await open(newDirectory(), { worker: own });
  await storage.create('/a', thing('one'));
  const underWay = storage.create('/b', thing('two'));
  await own.close();
  const failed = { name: 'OperatingError', code: 'STORE_FAILED' };
  await underWay.catch((error: unknown) => assert.equal((error as { code: string }).code, 'STORE_FAILED'));
  await assert.rejects(storage.create('/c', thing('three')), failed);
  assert.equal((await storage.get('/a'))?.value.text, 'one');
  await assert.rejects(storage.close(), failed);
});

test('a store says how much it takes on its disk, and grows with what it holds', async () => {
  const storage = await open(newDirectory());
  const empty = await storage.sizeBytes();
  await fill(storage, '/a/', 200);
  assert.ok(empty > 0 && (await storage.sizeBytes()) > empty);
  await storage.close();
  await assert.rejects(storage.sizeBytes(), { code: 'STORE_CLOSED' });
});
