// Every object of a server, whatever its kind, and every change to one: what the garbage collector and others need
// who would otherwise hold a watch on each of dozens of resources.
import type { KubeObject } from '../api/index.ts';
import { errorMessage, sleep, type Clock, type Logger } from '../base/index.ts';
import type { Storage } from '../storage/index.ts';

export interface FeedHandler {
  /**
   * All that there is. Called first, and again when changes were missed; what was known before counts no more.
   * Absent: only changes from now on are of interest.
   */
  start?(objects: readonly KubeObject[]): void;
  /** A new object, or a new version of one. */
  put(object: KubeObject): void;
  /** With the last version. */
  removed(object: KubeObject): void;
}

export interface ObjectFeed {
  /** Resolves when `start` has been called; changes go on until the signal aborts. */
  follow(handler: FeedHandler, signal: AbortSignal): Promise<void>;
}

const RETRY_MS = 1000;

export function objectFeed(options: {
  readonly storage: Storage<KubeObject>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Only objects stored below this. */
  readonly prefix?: string;
}): ObjectFeed {
  const { storage, clock, logger, prefix = '/registry/' } = options;

  const fill = async (handler: FeedHandler): Promise<number> => {
    if (handler.start === undefined) return storage.currentRevision();
    const { entries, revision } = await storage.list(prefix);
    handler.start(entries.map(({ value }) => value));
    return revision;
  };

  const watch = async (handler: FeedHandler, from: number, signal: AbortSignal): Promise<void> => {
    let revision: number | undefined = from;
    while (!signal.aborted) {
      try {
        revision ??= await fill(handler);
        await storage.watch(
          prefix,
          revision,
          (changes) => {
            for (const { type, entry } of changes) {
              if (type === 'put') handler.put(entry.value);
              else handler.removed(entry.value);
            }
          },
          signal,
        );
        return;
      } catch (error) {
        logger.warn('the feed of objects broke', { prefix, error: errorMessage(error) });
        revision = undefined;
        await sleep(clock, RETRY_MS, signal).catch(() => undefined);
      }
    }
  };

  return {
    async follow(handler, signal) {
      const revision = await fill(handler);
      void watch(handler, revision, signal);
    },
  };
}
