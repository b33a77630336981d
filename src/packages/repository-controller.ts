// PackageRepository: whether each repository can be read, and how many packages it has.
// Reads PackageRepositories and the repositories themselves; writes their status.
import type { PackageRepository } from '../api/index.ts';
import { formatTime } from '../base/index.ts';
import { kinds } from '../client/index.ts';
import { RepositoryError } from '../packaging/index.ts';
import {
  done,
  informerSource,
  requeueAfter,
  retry,
  runController,
  WorkQueue,
  type Outcome,
} from '../runtime/index.ts';
import { isNews, withConditions, type Wanted } from './conditions.ts';
import type { PackageContext } from './context.ts';

const NAME = 'package-repository-controller';

export function runRepositoryController(context: PackageContext): Promise<void> {
  const { caches, clock, logger, signal } = context;
  return runController({
    name: NAME,
    sources: [
      informerSource(caches.repositories, {
        changed: (old, now) => old.metadata.generation !== now.metadata.generation,
      }),
    ],
    reconcile: (key, { signal: ends }) => reconcile(context, key, ends),
    queue: new WorkQueue({ name: NAME, clock, backoffBaseMs: 1_000 }),
    clock,
    logger,
    signal,
    concurrency: 4,
  });
}

async function reconcile(context: PackageContext, name: string, signal: AbortSignal): Promise<Outcome> {
  const { caches, repositories, settings } = context;
  const repository = caches.repositories.store.get(name);
  repositories.forget(name);
  if (repository === undefined) return done;
  try {
    const index = await (await repositories.open(name)).index(signal);
    await report(context, repository, {
      ready: {
        type: 'Ready',
        status: 'True',
        reason: 'SyncCompleted',
        message: `repository has ${index.length} packages`,
      },
      packages: index.length,
    });
    return requeueAfter(settings.repositorySyncMs, 'read the repository again');
  } catch (error) {
    if (!(error instanceof RepositoryError)) throw error;
    await report(context, repository, {
      ready: { type: 'Ready', status: 'False', reason: 'SyncFailed', message: error.message },
    });
    return retry(error);
  }
}

async function report(
  { client, clock, recorder }: PackageContext,
  repository: PackageRepository,
  { ready, packages }: { readonly ready: Wanted; readonly packages?: number },
): Promise<void> {
  const { metadata, status } = repository;
  const nowMs = clock.now();
  const conditions = withConditions(status?.conditions, [ready], nowMs);
  const body = {
    status: {
      conditions,
      ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
      ...(packages === undefined ? {} : { packages, lastSyncTime: formatTime(nowMs) }),
    },
  };
  await client.patch(
    kinds.packageRepositories,
    { name: metadata.name ?? '' },
    { type: 'merge', body },
    { subresource: 'status' },
  );
  if (isNews(status?.conditions, ready) && ready.status === 'False')
    recorder.event(repository, 'Warning', ready.reason, ready.message);
}
