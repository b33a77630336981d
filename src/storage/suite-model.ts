// The part of the suite that compares a driver with the plainest thing that could do the same: a list of all
// changes, searched from its beginning for every question.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { CompactedError, FutureRevisionError } from './storage.ts';
import type { ListOptions, ListResult, Storage, WriteResult } from './storage.ts';
import { recordWatch, thing } from './suite-things.ts';
import type { OpenStorage, RecordedWatch, Thing } from './suite-things.ts';

/** Closes a store and opens what it left. */
export type RestartStorage = (storage: Storage<Thing>) => Promise<Storage<Thing>>;

interface ModelChange {
  readonly key: string;
  readonly revision: number;
  readonly createRevision: number;
  readonly text: string;
  readonly deleted: boolean;
}

class Model {
  readonly changes: ModelChange[] = [];
  compacted = 0;

  get revision(): number {
    return this.changes.length;
  }

  stateAt(revision: number): ModelChange[] {
    const state = new Map<string, ModelChange>();
    for (const change of this.changes.slice(0, revision)) {
      if (change.deleted) state.delete(change.key);
      else state.set(change.key, change);
    }
    return [...state.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
  }

  current(key: string): ModelChange | undefined {
    return this.stateAt(this.revision).find((change) => change.key === key);
  }

  put(key: string, text: string): void {
    const revision = this.revision + 1;
    const createRevision = this.current(key)?.createRevision ?? revision;
    this.changes.push({ key, revision, createRevision, text, deleted: false });
  }

  delete(key: string): void {
    const { createRevision, text } = this.current(key)!;
    this.changes.push({ key, revision: this.revision + 1, createRevision, text, deleted: true });
  }
}

type Write = { readonly key: string } & (
  | { readonly type: 'create' }
  | { readonly type: 'update' | 'delete'; readonly expectation: 'right' | 'wrong' }
);

/** `back` counts revisions back from the current one; negative: into the future. */
type Step =
  | { readonly type: 'writes'; readonly writes: readonly Write[] }
  | {
      readonly type: 'list';
      readonly prefix: string;
      readonly limit: number;
      readonly startAfter: string | undefined;
      readonly back: number | undefined;
    }
  | { readonly type: 'compact'; readonly back: number }
  | { readonly type: 'watch'; readonly prefix: string; readonly back: number }
  | { readonly type: 'restart' };

const key = fc.constantFrom(
  '/a',
  '/a/',
  '/a/b',
  '/a/b/c',
  '/a/c',
  '/ab',
  '/b/a',
  '/a\0/b',
  '__proto__',
  '/\u{1F600}',
);
const prefix = fc.constantFrom('', '/', '/a', '/a/', '/a/b', '/ab/', '/b', '_');
const expectation = fc.constantFrom('right' as const, 'right' as const, 'wrong' as const);
const write: fc.Arbitrary<Write> = fc.oneof(
  fc.record({ type: fc.constant('create' as const), key }),
  fc.record({ type: fc.constantFrom('update' as const, 'delete' as const), key, expectation }),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant('writes' as const), writes: fc.array(write, { maxLength: 8 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('list' as const),
      prefix,
      limit: fc.nat({ max: 4 }),
      startAfter: fc.option(key, { nil: undefined }),
      back: fc.option(fc.integer({ min: -1, max: 12 }), { nil: undefined }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('watch' as const),
      prefix,
      back: fc.integer({ min: -2, max: 12 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('compact' as const), back: fc.integer({ min: -1, max: 8 }) }),
  },
  { weight: 1, arbitrary: fc.constant({ type: 'restart' as const }) },
);

export function modelSuite(driver: string, runs: number, open: OpenStorage, restart?: RestartStorage): void {
  void test(`${driver}: whatever is done, it answers as a list of all changes would`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
        const comparison = new Comparison(await open(), restart);
        try {
          for (const each of steps) await comparison.take(each);
          await comparison.checkWatches();
        } finally {
          await comparison.storage.close();
        }
      }),
      { numRuns: runs },
    );
  });
}

class Comparison {
  storage: Storage<Thing>;
  readonly #restart: RestartStorage | undefined;
  readonly #model = new Model();
  #watches: { prefix: string; from: number; watch: RecordedWatch }[] = [];

  constructor(storage: Storage<Thing>, restart: RestartStorage | undefined) {
    this.storage = storage;
    this.#restart = restart;
  }

  async take(step: Step): Promise<void> {
    const model = this.#model;
    switch (step.type) {
      case 'writes':
        return this.#write(step.writes);
      case 'list': {
        const revision = step.back === undefined ? undefined : Math.max(0, model.revision - step.back);
        const { startAfter } = step;
        return this.#list(step.prefix, {
          limit: step.limit,
          ...(startAfter === undefined ? {} : { startAfter }),
          ...(revision === undefined ? {} : { revision }),
        });
      }
      case 'compact': {
        const revision = Math.max(0, model.revision - step.back);
        if (revision > model.revision)
          return assert.rejects(this.storage.compact(revision), FutureRevisionError);
        await this.storage.compact(revision);
        model.compacted = Math.max(model.compacted, revision);
        return;
      }
      case 'watch':
        return this.#watch(step.prefix, Math.max(0, model.revision - step.back));
      case 'restart': {
        if (this.#restart === undefined) return;
        await this.checkWatches();
        this.#watches = [];
        this.storage = await this.#restart(this.storage);
        assert.equal(await this.storage.currentRevision(), model.revision);
        return this.#list('', {});
      }
    }
  }

  async checkWatches(): Promise<void> {
    await this.storage.currentRevision();
    for (const { prefix, from, watch } of this.#watches) {
      const wanted = this.#model.changes.filter(
        (each) => each.revision > from && each.key.startsWith(prefix),
      );
      assert.deepEqual(
        watch.changes.map(({ type, entry }) => ({
          key: entry.key,
          revision: entry.revision,
          createRevision: entry.createRevision,
          text: entry.value.text,
          deleted: type === 'delete',
        })),
        wanted,
      );
      for (const { entry, previous } of watch.changes) {
        const before = this.#model.stateAt(entry.revision - 1).find((each) => each.key === entry.key);
        assert.deepEqual([previous?.revision, previous?.value.text], [before?.revision, before?.text]);
        assert.equal(entry.value.revision, entry.revision);
      }
      await watch.stop();
    }
  }

  /** All at once: the first called comes first. */
  async #write(writes: readonly Write[]): Promise<void> {
    const model = this.#model;
    const results: Promise<WriteResult<Thing>>[] = [];
    const expected: (ModelChange | { refused: number | undefined })[] = [];
    for (const each of writes) {
      const current = model.current(each.key);
      const text = `${each.type} ${model.revision}`;
      if (each.type === 'create') {
        results.push(this.storage.create(each.key, thing(text)));
        if (current === undefined) model.put(each.key, text);
      } else {
        const right = each.expectation === 'right' && current !== undefined;
        const revision = right ? current.revision : model.revision + 1;
        if (each.type === 'update') {
          results.push(this.storage.update(each.key, thing(text), revision));
          if (right) model.put(each.key, text);
        } else {
          results.push(this.storage.delete(each.key, revision));
          if (right) model.delete(each.key);
        }
      }
      const done =
        each.type === 'create'
          ? current === undefined
          : each.expectation === 'right' && current !== undefined;
      expected.push(done ? model.changes.at(-1)! : { refused: current?.revision });
    }
    for (const [i, result] of (await Promise.all(results)).entries()) {
      const wanted = expected[i]!;
      if ('refused' in wanted) {
        assert.deepEqual([result.ok, result.ok || result.current?.revision], [false, wanted.refused]);
      } else {
        assert.ok(result.ok);
        const { revision, createRevision, value } = result.entry;
        assert.deepEqual(
          [revision, createRevision, value.text],
          [wanted.revision, wanted.createRevision, wanted.text],
        );
      }
    }
    assert.equal(await this.storage.currentRevision(), model.revision);
  }

  async #list(prefix: string, options: ListOptions): Promise<void> {
    const model = this.#model;
    const revision = options.revision ?? model.revision;
    const list = this.storage.list(prefix, options);
    if (revision > model.revision) return assert.rejects(list, FutureRevisionError);
    if (revision < model.compacted) return assert.rejects(list, CompactedError);
    const wanted = model
      .stateAt(revision)
      .filter((each) => each.key.startsWith(prefix) && each.key > (options.startAfter ?? ''));
    const page = wanted.slice(0, options.limit === 0 ? undefined : options.limit);
    const found: ListResult<Thing> = await list;
    assert.deepEqual(
      found.entries.map((entry) => ({ ...entry, value: entry.value.text })),
      page.map(({ key, revision, createRevision, text }) => ({ key, value: text, revision, createRevision })),
    );
    assert.deepEqual([found.revision, found.remaining], [revision, wanted.length - page.length]);
  }

  async #watch(prefix: string, from: number): Promise<void> {
    const watch = recordWatch(this.storage, prefix, from);
    if (from >= this.#model.compacted) this.#watches.push({ prefix, from, watch });
    else await assert.rejects(watch.stop(), CompactedError);
  }
}
