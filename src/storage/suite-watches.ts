// The part of the suite about watches. The tests named after a class of watch bugs are those that etcd's
// robustness tests have found over the years.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../base/index.ts';
import { CompactedError, type Entry } from './storage.ts';
import { fill, range, recordWatch, succeeded, thing } from './suite-things.ts';
import type { It, OpenStorage, RecordedWatch, Thing } from './suite-things.ts';

export function watches(driver: string, it: It, open: OpenStorage): void {
  it('a watch brings past changes first, then each new one, with what was there before', async (storage) => {
    const one = succeeded(await storage.create('/a', thing('one')));
    const watch = recordWatch(storage, '/', 0);
    const two = succeeded(await storage.update('/a', thing('two'), 1));
    const end = succeeded(await storage.delete('/a', 2));
    assert.deepEqual(watch.changes, [
      { type: 'put', entry: one, previous: undefined },
      { type: 'put', entry: two, previous: one },
      { type: 'delete', entry: end, previous: two },
    ]);
    await watch.stop();
  });

  it('a watch sees the changes to its prefix only', async (storage) => {
    const prefixes = ['', '/', '/a/', '/a', '/a/b', '/a/b/', '/a/b/c', '/ab', '/z/'];
    const watchesOf = prefixes.map((prefix) => recordWatch(storage, prefix, 0));
    for (const key of ['/a/b', '/a/b/c', '/ab', 'a', '/a/bc']) await storage.create(key, thing(key));
    assert.deepEqual(
      watchesOf.map((watch) => watch.changes.map(({ entry }) => entry.revision)),
      [[1, 2, 3, 4, 5], [1, 2, 3, 5], [1, 2, 5], [1, 2, 3, 5], [1, 2, 5], [2], [2], [3], []],
    );
    await Promise.all(watchesOf.map((watch) => watch.stop()));
  });

  it('a watch from the revision of a list sees what came after the list, and first of all that there is nothing', async (storage) => {
    await fill(storage, '/a/', 3);
    const { revision } = await storage.list('/a/');
    const watch = recordWatch(storage, '/a/', revision);
    await storage.currentRevision();
    assert.deepEqual(watch.calls, [[[], 3]]);
    await storage.create('/a/new', thing('new'));
    assert.deepEqual(watch.calls.slice(1), [[[4], 4]]);
    await watch.stop();
  });

  it('watchers share one frozen value with each other and with reads', async (storage) => {
    const watch = [recordWatch(storage, '/a', 0), recordWatch(storage, '', 0)];
    await storage.create('/a', thing('one'));
    const { value } = (await storage.get('/a'))!;
    for (const { changes } of watch) assert.equal(changes[0]!.entry.value, value);
    await Promise.all(watch.map((each) => each.stop()));
  });

  it('stale events on a future revision: a watch from the future sees only what comes after it', async (storage) => {
    const watch = recordWatch(storage, '/a/', 2);
    await fill(storage, '/a/', 4);
    assert.deepEqual(watch.revisions(), [3, 4]);
    assert.ok(watch.calls.every(([, revision]) => revision > 2));
    await watch.stop();
  });

  it('lost at compaction: a watch under way and one from the compacted revision miss nothing', async (storage) => {
    const early = recordWatch(storage, '/a', 0);
    await storage.create('/a', thing('one'));
    await storage.create('/b', thing('other'));
    const deletion = storage.delete('/a', 1);
    const compacted = deletion.then(() => storage.compact(3));
    await Promise.all([deletion, compacted]);
    const late = recordWatch(storage, '/a', 3);
    await storage.create('/a', thing('again'));
    assert.deepEqual(early.revisions(), [1, 3, 4]);
    assert.deepEqual(late.revisions(), [4]);
    await Promise.all([early.stop(), late.stop()]);
  });

  it('missed delete on resume: a watch from right before a deletion that was compacted is refused', async (storage) => {
    await storage.create('/a', thing('one'));
    await storage.delete('/a', 1);
    await storage.compact(2);
    await assert.rejects(
      storage.watch('', 1, () => undefined, new AbortController().signal),
      CompactedError,
    );
  });

  it('missed delete on resume: a watch from the compacted revision sees the deletion after it', async (storage) => {
    await storage.create('/a', thing('one'));
    await storage.delete('/a', 1);
    await storage.compact(1);
    const watch = recordWatch(storage, '', 1);
    await storage.currentRevision();
    assert.deepEqual(
      watch.changes.map(({ type, entry, previous }) => [type, entry.revision, previous?.revision]),
      [['delete', 2, 1]],
    );
    await watch.stop();
  });

  it('an aborted watch resolves and is called no more, even with what was on its way', async (storage) => {
    const watch = recordWatch(storage, '', 0);
    await storage.create('/a', thing('one'));
    const write = storage.create('/b', thing('two'));
    await watch.stop();
    await write;
    assert.deepEqual(watch.revisions(), [1]);
    await storage.watch('', 0, () => assert.fail('called though aborted'), AbortSignal.abort());
  });

  it('a watcher that throws ends with its error and harms no other', async (storage) => {
    const other = recordWatch(storage, '', 0);
    const failure = new Error('the watcher is broken');
    const broken = storage.watch(
      '',
      0,
      (changes) => {
        if (changes.length > 0) throw failure;
      },
      new AbortController().signal,
    );
    broken.catch(() => undefined);
    await storage.create('/a', thing('one'));
    await storage.create('/b', thing('two'));
    await assert.rejects(broken, failure);
    assert.deepEqual(other.revisions(), [1, 2]);
    await other.stop();
  });

  it('when a write resolves, reads show it and watchers have seen it', async (storage) => {
    const watch = recordWatch(storage, '', 0);
    for (let i = 1; i <= 20; i++) {
      await storage.create(`/a/${i}`, thing('one'));
      assert.equal(watch.revisions().at(-1), i);
      assert.equal((await storage.get(`/a/${i}`))?.revision, i);
      assert.equal(await storage.currentRevision(), i);
    }
    await watch.stop();
  });

  it('events back in time: a watcher that writes from its call keeps everybody in order', async (storage) => {
    const second = { revisions: [] as number[] };
    const controller = new AbortController();
    const pending: Promise<unknown>[] = [];
    const echo = storage.watch(
      '/a/',
      0,
      (changes) => {
        for (const { entry } of changes) pending.push(storage.create(`/b/${entry.revision}`, thing('echo')));
      },
      controller.signal,
    );
    const all = storage.watch(
      '',
      0,
      (changes, revision) => {
        second.revisions.push(...changes.map(({ entry }) => entry.revision));
        assert.equal(second.revisions.at(-1) ?? revision, revision);
      },
      controller.signal,
    );
    await fill(storage, '/a/', 10);
    await Promise.all(pending);
    assert.deepEqual(second.revisions, range(1, 20));
    controller.abort();
    await Promise.all([echo, all]);
  });

  void test(`${driver}: progress not in step: a quiet watcher learns how far it is, and never of more than it has seen`, async () => {
    const timers = new Set<() => void>();
    const clock: Clock = {
      now: () => 0,
      after(_delayMs, callback) {
        timers.add(callback);
        return () => timers.delete(callback);
      },
    };
    const tick = (): void => {
      const due = [...timers];
      timers.clear();
      for (const callback of due) callback();
    };
    const storage = await open({ clock });
    const quiet = recordWatch(storage, '/quiet/', 0);
    const busy = recordWatch(storage, '/busy/', 0);
    await storage.currentRevision();
    await fill(storage, '/busy/', 3);
    assert.deepEqual(quiet.calls, [[[], 0]]);
    tick();
    await storage.currentRevision();
    assert.deepEqual(quiet.calls.slice(1), [[[], 3]]);
    tick();
    await storage.create('/quiet/one', thing('one'));
    assert.deepEqual(quiet.calls.slice(2), [[[4], 4]]);
    for (const [revisions, revision] of busy.calls) assert.ok((revisions.at(-1) ?? 0) <= revision);
    await Promise.all([quiet.stop(), busy.stop()]);
    assert.equal(timers.size, 0, 'nobody watches, so no timer waits');
    await storage.close();
  });
}

export function crowdedWatches(it: It): void {
  it('duplicated, lost under load: whenever a watch starts, it sees each change exactly once and in order', async (storage) => {
    const watchesOf: { from: number; watch: RecordedWatch }[] = [];
    const writer = async (name: string): Promise<void> => {
      for (let i = 0; i < 40; i++) {
        const { revision } = succeeded(await storage.create(`/${name}/${i}`, thing('one')));
        const from = Math.max(0, revision - (i % 5) * 7);
        if (i % 8 === 0) watchesOf.push({ from, watch: recordWatch(storage, '', from) });
        const updated = succeeded(await storage.update(`/${name}/${i}`, thing('two'), revision));
        if (i % 2 === 0) succeeded(await storage.delete(`/${name}/${i}`, updated.revision));
      }
    };
    await Promise.all(Array.from({ length: 10 }, (_, i) => writer(`writer-${i}`)));
    const last = await storage.currentRevision();
    assert.equal(last, 10 * (80 + 20));
    for (const { from, watch } of watchesOf) {
      assert.deepEqual(watch.revisions(), range(from + 1, last));
      const steps = watch.calls.map(([, revision]) => revision);
      assert.deepEqual(
        steps,
        steps.toSorted((a, b) => a - b),
      );
      await watch.stop();
    }
  });

  it('each change names the one before it of its key', async (storage) => {
    const watch = recordWatch(storage, '', 0);
    const keys = ['/a', '/b', '/c'];
    await Promise.all(
      Array.from({ length: 30 }, async (_, i) => {
        const key = keys[i % 3]!;
        const current = await storage.get(key);
        if (current === undefined) return storage.create(key, thing(String(i)));
        if (i % 4 === 0) return storage.delete(key, current.revision);
        return storage.update(key, thing(String(i)), current.revision);
      }),
    );
    const last = new Map<string, Entry<Thing>>();
    for (const { type, entry, previous } of watch.changes) {
      assert.equal(previous, last.get(entry.key));
      if (type === 'put') last.set(entry.key, entry);
      else last.delete(entry.key);
    }
    await watch.stop();
  });
}
