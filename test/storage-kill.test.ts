// Kills a process in the midst of its writes, again and again on the same directory, and looks at what is left:
// every write that was acknowledged, and of each writer at most the one that was under way.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openFileStorage, type Change, type Storage } from '../src/storage/index.ts';
import { codec, HISTORY_LIMIT, WRITERS, type Acknowledged, type Thing } from './storage-kill-writer.ts';

const ROUNDS = 15;
const writerFile = fileURLToPath(new URL('./storage-kill-writer.ts', import.meta.url));

/** Runs the writer until it has had `count` writes acknowledged, kills it, and returns all that were. */
async function killAfter(directory: string, round: number, count: number): Promise<Acknowledged[]> {
  const child = spawn(process.execPath, [writerFile, directory, String(round)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const acknowledged: Acknowledged[] = [];
  // Ends with the child: what it had written to the pipe before it was killed is still read.
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.endsWith('}')) continue;
    acknowledged.push(JSON.parse(line) as Acknowledged);
    if (acknowledged.length === count) child.kill('SIGKILL');
  }
  assert.ok(acknowledged.length >= count, 'the writer ended by itself');
  return acknowledged;
}

/** What must be under each key, by what was acknowledged. */
type Expected = Map<string, { text: string; revision: number }>;

async function check(
  storage: Storage<Thing>,
  expected: Expected,
  last: readonly Acknowledged[],
): Promise<void> {
  const { entries, revision } = await storage.list('');
  const found: Expected = new Map();
  for (const entry of entries) {
    assert.equal(entry.value.revision, entry.revision, 'a value carries its revision');
    found.set(entry.key, { text: entry.value.text, revision: entry.revision });
  }
  const unacknowledged: string[] = [];
  for (const key of new Set([...expected.keys(), ...found.keys()])) {
    const [wanted, is] = [expected.get(key), found.get(key)];
    if (wanted?.revision === is?.revision) assert.equal(is?.text, wanted?.text, key);
    else unacknowledged.push(key);
  }
  const lastOfWriter = new Map(last.map((each) => [each.writer, each]));
  const writersOf = unacknowledged.map((key) => key.split('/')[1]!);
  assert.equal(
    new Set(writersOf).size,
    writersOf.length,
    `more than one write under way: ${unacknowledged.join()}`,
  );
  for (const key of unacknowledged) {
    const is = found.get(key);
    const acknowledged = lastOfWriter.get(Number(/^\/writer-(\d+)/.exec(key)![1]));
    if (is === undefined) continue;
    assert.ok(is.revision > (expected.get(key)?.revision ?? 0), `${key} went back`);
    assert.equal(
      Number(is.text.split(':')[2]),
      (acknowledged?.number ?? 0) + 1,
      `${key} is not the next write`,
    );
  }
  assert.ok(revision >= Math.max(0, ...last.map((each) => each.revision)));
  await checkHistory(storage, found, revision);
  expected.clear();
  for (const [key, is] of found) expected.set(key, is);
}

/** The kept changes have no gaps and lead to what is there. */
async function checkHistory(storage: Storage<Thing>, found: Expected, revision: number): Promise<void> {
  const from = Math.max(0, revision - HISTORY_LIMIT);
  const { entries } = await storage.list('', { revision: from });
  const state: Expected = new Map(
    entries.map(({ key, value, revision }) => [key, { text: value.text, revision }]),
  );
  const controller = new AbortController();
  const changes: Change<Thing>[] = [];
  const watch = storage.watch('', from, (some) => changes.push(...some), controller.signal);
  await storage.currentRevision();
  controller.abort();
  await watch;
  assert.equal(changes.length, revision - from);
  for (const [i, { type, entry }] of changes.entries()) {
    assert.equal(entry.revision, from + i + 1);
    if (type === 'delete') state.delete(entry.key);
    else state.set(entry.key, { text: entry.value.text, revision: entry.revision });
  }
  assert.deepEqual(state, found);
}

test(`${ROUNDS} times killed amid the writes of ${WRITERS}, a store has all that it acknowledged`, async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'navarch-kill-'));
  const expected: Expected = new Map();
  let revision = 0;
  try {
    for (let round = 1; round <= ROUNDS; round++) {
      const acknowledged = await killAfter(directory, round, 30 + ((round * 397) % 1_500));
      for (const each of acknowledged) {
        assert.ok(each.revision > revision, 'a revision was given twice');
        if (each.text === undefined) expected.delete(each.key);
        else expected.set(each.key, { text: each.text, revision: each.revision });
      }
      assert.equal(new Set(acknowledged.map((each) => each.revision)).size, acknowledged.length);
      const storage = await openFileStorage({ directory, codec, historyLimit: HISTORY_LIMIT });
      await check(storage, expected, acknowledged);
      revision = await storage.currentRevision();
      await storage.close();
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});
