import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OperatingError } from '../base/index.ts';
import type { Journal, JournalBatch, JournalRecord } from './journal.ts';
import { RevisionLog } from './revision-log.ts';
import { fill, keysOf, succeeded, thing, thingCodec } from './suite-things.ts';

/** A journal in memory, that can be told to wait or to fail. */
class Pages implements Journal {
  readonly batches: JournalBatch[] = [];
  failure: OperatingError | undefined;
  #gate: Promise<void> = Promise.resolve();

  /** Holds back answers until the function it returns is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = promise;
    return resolve;
  }

  async append(batch: JournalBatch): Promise<void> {
    if (this.failure === undefined) this.batches.push(batch);
    await this.#gate;
    if (this.failure !== undefined) throw this.failure;
  }

  async close(): Promise<void> {}
}

function openLog(pages: Pages, historyLimit?: number): RevisionLog<{ text: string }> {
  const log = new RevisionLog(thingCodec, historyLimit === undefined ? {} : { historyLimit });
  const records = new Map<number, JournalRecord>();
  for (const batch of pages.batches) {
    for (const record of batch.records) records.set(record.revision, record);
    for (const revision of batch.forgotten) records.delete(revision);
  }
  log.startRestore(pages.batches.at(-1)?.compactedRevision ?? 0);
  for (const record of [...records.values()].toSorted((a, b) => a.revision - b.revision)) log.restore(record);
  log.useJournal(pages);
  return log;
}

test('whichever batch was the last before the end, no deleted key comes back and compaction is finished', async () => {
  const pages = new Pages();
  const log = openLog(pages, 100_000);
  await Promise.all(Array.from({ length: 2_500 }, (_, i) => log.create(`/a/${i}`, thing('one'))));
  await Promise.all(Array.from({ length: 2_500 }, (_, i) => log.delete(`/a/${i}`, i + 1)));
  await fill(log, '/b/', 3);
  const beforeCompaction = pages.batches.length;
  await log.compact(await log.currentRevision());
  await log.close();
  assert.ok(pages.batches.length > beforeCompaction + 2, 'compaction takes several batches');
  for (let count = beforeCompaction; count <= pages.batches.length; count++) {
    const left = new Pages();
    left.batches.push(...pages.batches.slice(0, count));
    const opened = openLog(left, 100_000);
    assert.deepEqual(await keysOf(opened, ''), ['/b/000', '/b/001', '/b/002']);
    assert.equal(await opened.currentRevision(), 5_003);
    await opened.close();
    const forgotten = left.batches.flatMap((batch) => batch.forgotten);
    assert.ok(count === beforeCompaction || forgotten.length === 5_000);
  }
});

test('what is written while a batch is under way goes into the next one together', async () => {
  const pages = new Pages();
  const log = openLog(pages);
  const release = pages.hold();
  const first = log.create('/a', thing('one'));
  await Promise.resolve();
  const others = Array.from({ length: 20 }, (_, i) => log.create(`/b/${i}`, thing('two')));
  release();
  await Promise.all([first, ...others]);
  assert.deepEqual(
    pages.batches.map(({ records }) => records.map(({ revision }) => revision)),
    [[1], Array.from({ length: 20 }, (_, i) => i + 2)],
  );
  await log.close();
});

test('nobody sees a write before it is durable, and who lost against it is told only then', async () => {
  const pages = new Pages();
  const log = openLog(pages);
  const release = pages.hold();
  const seen: number[] = [];
  const controller = new AbortController();
  const watch = log.watch(
    '',
    0,
    (changes) => seen.push(...changes.map(({ entry }) => entry.revision)),
    controller.signal,
  );
  const answers: string[] = [];
  const first = log.create('/a', thing('one')).then(() => answers.push('first'));
  const second = log.create('/a', thing('two')).then(({ ok }) => answers.push(`second ${ok}`));
  await log.list('');
  assert.deepEqual([answers, seen, await log.get('/a'), await log.currentRevision()], [[], [], undefined, 0]);
  release();
  await Promise.all([first, second]);
  assert.deepEqual([answers, seen, await log.currentRevision()], [['first', 'second false'], [1], 1]);
  controller.abort();
  await watch;
  await log.close();
});

test('when a batch fails, all writes that are not durable fail, and nothing of them is seen', async () => {
  const pages = new Pages();
  const log = openLog(pages);
  const kept = succeeded(await log.create('/a', thing('one')));
  const release = pages.hold();
  const update = log.update('/a', thing('two'), 1);
  const conflict = log.update('/a', thing('three'), 1);
  await Promise.resolve();
  const queued = log.create('/b', thing('four'));
  pages.failure = new OperatingError('STORE_FULL', 'the disk is full', 'free space');
  release();
  const outcomes = await Promise.allSettled([update, conflict, queued, log.create('/c', thing('five'))]);
  for (const outcome of outcomes) {
    assert.equal(outcome.status === 'rejected' && outcome.reason, pages.failure);
  }
  assert.deepEqual((await log.list('')).entries, [kept]);
  await assert.rejects(log.create('/d', thing('late')), pages.failure);
  await assert.rejects(log.compact(1), pages.failure);
  await log.close();
});
