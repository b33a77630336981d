// INVARIANT: a write that the hub's store acknowledged is there after any crash: each key shows that write or a later one.
import type { KubeObject } from '../../api/index.ts';
import type { Storage, WriteResult } from '../../storage/index.ts';
import type { CreateChecker, Report } from './checker.ts';

export const acknowledgedWrites: CreateChecker = (world, report) => {
  const ledger = new Ledger(report);
  world.overStorage((storage) => ledger.over(storage));
  return { name: 'no acknowledged write is lost' };
};

class Ledger {
  private readonly report: Report;
  /** By key: the revision of the last acknowledged write, and whether it deleted. */
  private readonly last = new Map<string, { readonly revision: number; readonly deleted: boolean }>();

  constructor(report: Report) {
    this.report = report;
  }

  /** The same store, whose writes are remembered once they are acknowledged. What it should hold already is checked. */
  over(storage: Storage<KubeObject>): Storage<KubeObject> {
    void this.check(storage);
    const noted = async (
      key: string,
      deleted: boolean,
      call: Promise<WriteResult<KubeObject>>,
    ): Promise<WriteResult<KubeObject>> => {
      const result = await call;
      const before = this.last.get(key)?.revision ?? 0;
      if (result.ok && result.entry.revision > before)
        this.last.set(key, { revision: result.entry.revision, deleted });
      return result;
    };
    return {
      currentRevision: () => storage.currentRevision(),
      get: (key) => storage.get(key),
      list: (prefix, options) => storage.list(prefix, options),
      create: (key, value) => noted(key, false, storage.create(key, value)),
      update: (key, value, expected) => noted(key, false, storage.update(key, value, expected)),
      delete: (key, expected) => noted(key, true, storage.delete(key, expected)),
      watch: (prefix, from, onChanges, signal) => storage.watch(prefix, from, onChanges, signal),
      compact: (revision) => storage.compact(revision),
      sizeBytes: () => storage.sizeBytes(),
      close: () => storage.close(),
    };
  }

  private async check(storage: Storage<KubeObject>): Promise<void> {
    const expected = [...this.last];
    const { entries, revision } = await storage.list('/registry/');
    const held = new Map(entries.map((entry) => [entry.key, entry.revision]));
    for (const [key, { revision: acknowledged, deleted }] of expected) {
      const found = held.get(key);
      const kept = found === undefined ? deleted || revision > acknowledged : found >= acknowledged;
      if (!kept)
        this.report(`${key}: revision ${acknowledged} was acknowledged, and ${found ?? 'nothing'} is there`);
      if (found === undefined && !deleted && revision > acknowledged)
        this.checkDeletedLater(storage, key, acknowledged);
    }
  }

  /** Gone without an acknowledged deletion: then one was under way when the process died, and is the last change. */
  private checkDeletedLater(storage: Storage<KubeObject>, key: string, acknowledged: number): void {
    const stop = new AbortController();
    storage
      .watch(
        key,
        acknowledged,
        (changes) => {
          stop.abort();
          if (!changes.some(({ type, entry }) => type === 'delete' && entry.key === key))
            this.report(
              `${key}: revision ${acknowledged} was acknowledged, and it is gone without a deletion`,
            );
        },
        stop.signal,
      )
      // History so old is no longer kept.
      .catch(() => undefined);
  }
}
