// The disk of a simulated hub or member. It takes its time for every batch, outlives the process, and when that dies under way
// the batch is there whole or not at all, as the seed says: what a real file promises (storage/record-file.ts).
import type { KubeObject } from '../api/index.ts';
import { objectCodec } from '../apiserver/index.ts';
import type { Clock } from '../base/index.ts';
import {
  openJournaledStorage,
  type JournalBatch,
  type JournalRecord,
  type Storage,
} from '../storage/index.ts';
import type { SeededRandom } from './seeded-random.ts';

/** How long a batch takes, at least and at most. */
const COMMIT_MIN_MS = 0.05;
const COMMIT_MAX_MS = 4;
/** Now and then a disk thinks longer. */
const SLOW_SHARE = 0.002;
const SLOW_MS = 800;

export interface StoredObject {
  readonly key: string;
  readonly object: KubeObject;
}

export class Disk {
  private readonly random: SeededRandom;
  private readonly records = new Map<number, JournalRecord>();
  private compactedRevision = 0;
  /** The batch on its way, if there is one. */
  private underWay: JournalBatch | undefined;

  constructor(random: SeededRandom) {
    this.random = random;
  }

  /**
   * The store as a process finds it that starts now.
   * @param dead aborts when that process dies: then nothing more of it is written
   */
  open(clock: Clock, dead: AbortSignal): Storage<KubeObject> {
    this.settleUnderWay();
    return openJournaledStorage({
      codec: objectCodec,
      clock,
      records: [...this.records.values()].sort((a, b) => a.revision - b.revision),
      compactedRevision: this.compactedRevision,
      journal: {
        append: (batch) => this.append(batch, clock, dead),
        close: () => Promise.resolve(),
      },
    });
  }

  /** Of the last thing written. */
  get revision(): number {
    return Math.max(0, ...this.records.keys());
  }

  /** Puts objects on a disk that nobody has used yet; they keep all but their resourceVersion. */
  fill(objects: readonly StoredObject[]): void {
    for (const [index, { key, object }] of objects.entries()) {
      const revision = index + 1;
      const bytes = objectCodec.encode(objectCodec.stamp(object, revision));
      this.records.set(revision, { revision, createRevision: revision, key, bytes });
    }
  }

  private append(batch: JournalBatch, clock: Clock, dead: AbortSignal): Promise<void> {
    if (dead.aborted) return Promise.reject(dead.reason as Error);
    this.underWay = batch;
    const tookMs = this.random.chance(SLOW_SHARE)
      ? this.random.between(COMMIT_MAX_MS, SLOW_MS)
      : this.random.between(COMMIT_MIN_MS, COMMIT_MAX_MS);
    return new Promise((resolve, reject) => {
      const onDeath = (): void => {
        cancel();
        reject(dead.reason as Error);
      };
      const cancel = clock.after(tookMs, () => {
        dead.removeEventListener('abort', onDeath);
        this.underWay = undefined;
        this.write(batch);
        resolve();
      });
      dead.addEventListener('abort', onDeath, { once: true });
    });
  }

  private settleUnderWay(): void {
    const batch = this.underWay;
    this.underWay = undefined;
    if (batch !== undefined && this.random.chance(0.5)) this.write(batch);
  }

  private write({ records, compactedRevision, forgotten }: JournalBatch): void {
    for (const record of records) this.records.set(record.revision, record);
    for (const revision of forgotten) this.records.delete(revision);
    this.compactedRevision = compactedRevision;
  }
}
