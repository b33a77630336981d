// Feeds the index of roles and bindings from the store. What must stay true: after a break the index is filled anew,
// so that it never misses a change for longer than the break lasts.
import type { KubeObject } from '../../api/index.ts';
import { errorMessage, sleep, type Clock, type Logger } from '../../base/index.ts';
import type { Storage } from '../../storage/index.ts';
import type { RbacIndex } from './rbac-index.ts';

const PREFIX = '/registry/rbac.authorization.k8s.io/';
const RETRY_MS = 1000;

/** Roles and bindings: all that there are, then every change in order. */
export interface RbacSource {
  /** Resolves when the index shows what there was at the time of the call; goes on until the signal aborts. */
  follow(index: RbacIndex, signal: AbortSignal): Promise<void>;
}

export function storageRbacSource(options: {
  readonly storage: Storage<KubeObject>;
  readonly clock: Clock;
  readonly logger: Logger;
}): RbacSource {
  const { storage, clock, logger } = options;

  const fill = async (index: RbacIndex): Promise<number> => {
    const { entries, revision } = await storage.list(PREFIX);
    index.clear();
    for (const { value } of entries) index.put(value);
    return revision;
  };

  const watch = async (index: RbacIndex, from: number, signal: AbortSignal): Promise<void> => {
    let revision: number | undefined = from;
    while (!signal.aborted) {
      try {
        revision ??= await fill(index);
        await storage.watch(
          PREFIX,
          revision,
          (changes) => {
            for (const { type, entry } of changes) {
              if (type === 'put') index.put(entry.value);
              else index.remove(entry.value);
            }
          },
          signal,
        );
        return;
      } catch (error) {
        logger.warn('the watch on roles and bindings broke', { error: errorMessage(error) });
        revision = undefined;
        await sleep(clock, RETRY_MS, signal).catch(() => undefined);
      }
    }
  };

  return {
    async follow(index, signal) {
      const revision = await fill(index);
      void watch(index, revision, signal);
    },
  };
}
