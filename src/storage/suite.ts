// What every driver must do, line by line of the contract in storage.ts. Each driver's test runs all of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AssertionError } from '../base/index.ts';
import { CompactedError, FutureRevisionError, type Storage } from './storage.ts';
import { fill, keysOf, range, recordWatch, succeeded, thing } from './suite-things.ts';
import type { It, OpenStorage, Thing } from './suite-things.ts';
import { crowdedWatches, watches } from './suite-watches.ts';

export function storageSuite(driver: string, open: OpenStorage): void {
  const it = (sentence: string, run: (storage: Storage<Thing>) => Promise<void>): void => {
    void test(`${driver}: ${sentence}`, async () => {
      const storage = await open();
      try {
        await run(storage);
      } finally {
        await storage.close();
      }
    });
  };
  writes(it);
  lists(it);
  compaction(driver, it, open);
  watches(driver, it, open);
  races(it);
  crowdedWatches(it);
  closing(driver, open);
}

function writes(it: It): void {
  it('an empty store is at revision 0 and has nothing', async (storage) => {
    assert.equal(await storage.currentRevision(), 0);
    assert.equal(await storage.get('/a'), undefined);
    assert.deepEqual(await storage.list(''), { entries: [], revision: 0, remaining: 0 });
  });

  it('what is created carries its revision, is frozen, and leaves the given value alone', async (storage) => {
    const given = { text: 'one' };
    const entry = succeeded(await storage.create('/a', given));
    assert.deepEqual(entry, {
      key: '/a',
      value: { text: 'one', revision: 1 },
      revision: 1,
      createRevision: 1,
    });
    assert.ok(Object.isFrozen(entry.value));
    assert.deepEqual(given, { text: 'one' });
    assert.deepEqual(await storage.get('/a'), entry);
    assert.equal((await storage.get('/a'))?.value, (await storage.get('/a'))?.value);
    assert.equal(await storage.currentRevision(), 1);
  });

  it('creating what exists is refused, names what is there and uses no revision', async (storage) => {
    const first = succeeded(await storage.create('/a', thing('one')));
    assert.deepEqual(await storage.create('/a', thing('two')), { ok: false, current: first });
    assert.equal(await storage.currentRevision(), 1);
  });

  it('an update with the revision that is there replaces the value and keeps the revision of creation', async (storage) => {
    await storage.create('/a', thing('one'));
    await storage.create('/b', thing('other'));
    const entry = succeeded(await storage.update('/a', thing('two'), 1));
    assert.deepEqual(entry, {
      key: '/a',
      value: { text: 'two', revision: 3 },
      revision: 3,
      createRevision: 1,
    });
  });

  it('an update or a delete with another revision is refused and names what is there', async (storage) => {
    await storage.create('/a', thing('one'));
    const current = succeeded(await storage.update('/a', thing('two'), 1));
    assert.deepEqual(await storage.update('/a', thing('three'), 1), { ok: false, current });
    assert.deepEqual(await storage.update('/a', thing('three'), 3), { ok: false, current });
    assert.deepEqual(await storage.delete('/a', 1), { ok: false, current });
    assert.equal(await storage.currentRevision(), 2);
  });

  it('an update or a delete of what is not there is refused', async (storage) => {
    assert.deepEqual(await storage.update('/a', thing('one'), 0), { ok: false, current: undefined });
    assert.deepEqual(await storage.delete('/a', 0), { ok: false, current: undefined });
    assert.equal(await storage.currentRevision(), 0);
  });

  it('a delete hands back the last value stamped with its own revision', async (storage) => {
    await storage.create('/a', thing('one'));
    const entry = succeeded(await storage.delete('/a', 1));
    assert.deepEqual(entry, {
      key: '/a',
      value: { text: 'one', revision: 2 },
      revision: 2,
      createRevision: 1,
    });
    assert.equal(await storage.get('/a'), undefined);
    assert.deepEqual(await storage.delete('/a', 2), { ok: false, current: undefined });
  });

  it('what is created again after a deletion begins a new life', async (storage) => {
    await storage.create('/a', thing('one'));
    await storage.delete('/a', 1);
    const entry = succeeded(await storage.create('/a', thing('two')));
    assert.deepEqual([entry.revision, entry.createRevision], [3, 3]);
  });

  it('a value that the codec refuses is not written and uses no revision', async (storage) => {
    await assert.rejects(storage.create('/a', thing('unstorable')), TypeError);
    assert.equal(await storage.get('/a'), undefined);
    assert.equal(succeeded(await storage.create('/a', thing('one'))).revision, 1);
  });

  it('keys that name parts of a prototype are keys like any other', async (storage) => {
    for (const key of ['__proto__', 'constructor', 'toString'])
      succeeded(await storage.create(key, thing(key)));
    assert.deepEqual(await keysOf(storage, ''), ['__proto__', 'constructor', 'toString']);
    assert.equal(await storage.get('hasOwnProperty'), undefined);
  });

  it('a key that is no well-formed text is refused', async (storage) => {
    await assert.rejects(storage.create('/a/\ud800', thing('half')), AssertionError);
    assert.equal(await storage.currentRevision(), 0);
  });
}

function lists(it: It): void {
  it('a list has the keys of the prefix only, in order of their UTF-16 code units', async (storage) => {
    const keys = ['/a/\u{1F600}', '/a/\uFF5E', '/a/b', '/a/b/c', '/a/B', '/a', '/ab', '/b'];
    for (const key of keys) await storage.create(key, thing(key));
    assert.deepEqual(await keysOf(storage, '/a/'), ['/a/B', '/a/b', '/a/b/c', '/a/\u{1F600}', '/a/\uFF5E']);
    assert.deepEqual(await keysOf(storage, '/a'), [
      '/a',
      '/a/B',
      '/a/b',
      '/a/b/c',
      '/a/\u{1F600}',
      '/a/\uFF5E',
      '/ab',
    ]);
    assert.deepEqual(await keysOf(storage, '/c'), []);
  });

  it('pages of a list continue after a key and count what remains', async (storage) => {
    await fill(storage, '/a/', 10);
    await fill(storage, '/b/', 3);
    const pages = [
      await storage.list('/a/', { limit: 4 }),
      await storage.list('/a/', { limit: 4, startAfter: '/a/003' }),
      await storage.list('/a/', { limit: 4, startAfter: '/a/007' }),
    ];
    assert.deepEqual(
      pages.map(({ entries, remaining }) => [entries.map(({ key }) => key.slice(3)), remaining]),
      [
        [['000', '001', '002', '003'], 6],
        [['004', '005', '006', '007'], 2],
        [['008', '009'], 0],
      ],
    );
    assert.equal((await storage.list('/a/', { limit: 0 })).entries.length, 10);
    assert.equal((await storage.list('/a/', { limit: 10 })).remaining, 0);
  });

  it('a list may start after a key that is not there, before or behind the prefix', async (storage) => {
    await fill(storage, '/b/', 3);
    const listAfter = async (startAfter: string): Promise<number> =>
      (await storage.list('/b/', { startAfter })).entries.length;
    assert.deepEqual(
      await Promise.all(['', '/a/zzz', '/b/000x', '/b/002', '/c'].map(listAfter)),
      [3, 3, 2, 0, 0],
    );
  });

  it('a list at a revision shows what was there then, page by page, whatever happens meanwhile', async (storage) => {
    await fill(storage, '/a/', 6);
    const before = await storage.list('/a/');
    const first = await storage.list('/a/', { limit: 2 });
    await storage.delete('/a/000', 1);
    await storage.update('/a/002', thing('changed'), 3);
    await storage.delete('/a/003', 4);
    await storage.create('/a/003', thing('again'));
    await storage.delete('/a/005', 6);
    await storage.create('/a/0035', thing('new'));
    const { revision } = first;
    const second = await storage.list('/a/', { limit: 2, startAfter: '/a/001', revision });
    const third = await storage.list('/a/', { limit: 2, startAfter: '/a/003', revision });
    assert.deepEqual([first.remaining, second.remaining, third.remaining], [4, 2, 0]);
    assert.deepEqual([...first.entries, ...second.entries, ...third.entries], before.entries);
    assert.deepEqual(await storage.list('/a/', { revision }), before);
    assert.deepEqual(await keysOf(storage, '/a/'), ['/a/001', '/a/002', '/a/003', '/a/0035', '/a/004']);
  });

  it('a list at a revision that has not happened yet is refused', async (storage) => {
    await storage.create('/a', thing('one'));
    await assert.rejects(storage.list('', { revision: 2 }), FutureRevisionError);
  });

  it('thousands of keys stay in order while they come and go', async (storage) => {
    const keys = Array.from({ length: 3_000 }, (_, i) => `/a/${(i * 7_919) % 3_000}`);
    const kept = keys.filter((_, i) => i % 10 === 9).toSorted();
    await Promise.all(keys.map((key) => storage.create(key, thing(key))));
    assert.deepEqual(await keysOf(storage, '/a/'), keys.toSorted());
    const { entries } = await storage.list('/a/');
    const gone = entries.filter(({ revision }) => revision % 10 !== 0);
    await Promise.all(gone.map(({ key, revision }) => storage.delete(key, revision)));
    assert.deepEqual(await keysOf(storage, '/a/'), kept);
    assert.equal((await storage.list('/a/', { limit: 1 })).remaining, 299);
    await storage.compact(await storage.currentRevision());
    assert.equal((await storage.list('/a/', { limit: 100, startAfter: kept[49]! })).remaining, 150);
  });
}

function compaction(driver: string, it: It, open: OpenStorage): void {
  it('compaction keeps the latest state and the state at its revision, and forgets what was before', async (storage) => {
    await storage.create('/a', thing('one'));
    await storage.update('/a', thing('two'), 1);
    await storage.update('/a', thing('three'), 2);
    await storage.create('/b', thing('other'));
    await storage.compact(2);
    assert.equal((await storage.get('/a'))?.value.text, 'three');
    const { entries } = await storage.list('', { revision: 2 });
    assert.deepEqual(
      entries.map(({ value }) => value.text),
      ['two'],
    );
    await assert.rejects(storage.list('', { revision: 1 }), (error) => {
      return error instanceof CompactedError && error.compactedRevision === 2;
    });
    await assert.rejects(
      storage.watch('', 1, () => undefined, new AbortController().signal),
      CompactedError,
    );
  });

  it('compacting twice or less does nothing, compacting the future is refused', async (storage) => {
    await fill(storage, '/a/', 3);
    await storage.compact(2);
    await storage.compact(2);
    await storage.compact(1);
    await storage.list('', { revision: 2 });
    await assert.rejects(storage.compact(4), FutureRevisionError);
  });

  it('compaction drops what was deleted, and revisions go on counting', async (storage) => {
    await storage.create('/a', thing('one'));
    await storage.delete('/a', 1);
    await storage.compact(2);
    assert.deepEqual(await storage.list(''), { entries: [], revision: 2, remaining: 0 });
    assert.equal(succeeded(await storage.create('/a', thing('two'))).revision, 3);
    assert.deepEqual((await storage.list('', { revision: 2 })).entries, []);
  });

  void test(`${driver}: history is compacted by itself when it outgrows its limit`, async () => {
    const storage = await open({ historyLimit: 100 });
    let revision = succeeded(await storage.create('/a', thing('0'))).revision;
    for (let i = 0; i < 500; i++) {
      ({ revision } = succeeded(await storage.update('/a', thing(String(i)), revision)));
    }
    await storage.list('', { revision: revision - 100 });
    await assert.rejects(storage.list('', { revision: revision - 126 }), CompactedError);
    const watch = recordWatch(storage, '', revision - 100);
    await storage.currentRevision();
    assert.deepEqual(watch.revisions(), range(revision - 99, revision));
    await watch.stop();
    await storage.close();
  });
}

function races(it: It): void {
  it('of many who create one key at the same time exactly one succeeds, and all others learn what it made', async (storage) => {
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, i) => storage.create('/a', thing(String(i)))),
    );
    const made = results.filter((result) => result.ok).map(({ entry }) => entry);
    assert.equal(made.length, 1);
    for (const result of results) if (!result.ok) assert.deepEqual(result.current, made[0]);
    assert.equal(await storage.currentRevision(), 1);
  });

  it('no increment is lost between many who read, change and write one key', async (storage) => {
    await storage.create('/counter', thing('0'));
    const increment = async (): Promise<void> => {
      for (;;) {
        const { value, revision } = (await storage.get('/counter'))!;
        if ((await storage.update('/counter', thing(String(Number(value.text) + 1)), revision)).ok) return;
      }
    };
    await Promise.all(Array.from({ length: 40 }, increment));
    assert.equal((await storage.get('/counter'))?.value.text, '40');
    assert.equal(await storage.currentRevision(), 41);
  });

  it('a chain of writes to one key may be sent without waiting for any of them', async (storage) => {
    const results = await Promise.all([
      storage.create('/a', thing('one')),
      storage.update('/a', thing('two'), 1),
      storage.delete('/a', 2),
      storage.update('/a', thing('late'), 2),
      storage.create('/a', thing('again')),
      storage.create('/a', thing('twice')),
    ]);
    assert.deepEqual(
      results.map(({ ok }) => ok),
      [true, true, true, false, true, false],
    );
    assert.deepEqual((await storage.get('/a'))?.createRevision, 4);
  });
}

function closing(driver: string, open: OpenStorage): void {
  const isClosed = { name: 'OperatingError', code: 'STORE_CLOSED' };

  void test(`${driver}: closing finishes what was begun, ends watches and refuses what comes later`, async () => {
    const storage = await open();
    const watch = storage.watch('', 0, () => undefined, new AbortController().signal);
    watch.catch(() => undefined);
    const begun = Array.from({ length: 20 }, (_, i) => storage.create(`/a/${i}`, thing('one')));
    const closed = storage.close();
    assert.ok((await Promise.all(begun)).every(({ ok }) => ok));
    await closed;
    await storage.close();
    await assert.rejects(watch, isClosed);
    await assert.rejects(storage.get('/a/1'), isClosed);
    await assert.rejects(storage.list(''), isClosed);
    await assert.rejects(storage.currentRevision(), isClosed);
    await assert.rejects(storage.create('/b', thing('late')), isClosed);
    await assert.rejects(storage.compact(1), isClosed);
    await assert.rejects(
      storage.watch('', 0, () => undefined, new AbortController().signal),
      isClosed,
    );
  });
}
