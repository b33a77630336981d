// PackageInfo: what a repository says about one version of a package, pinned when it was first said. A version whose files
// change afterwards is refused: what people reviewed and what is installed must be the same.
// Reads PackageInfos and repositories; writes the status of PackageInfos.
import type { Condition, FileDigest, PackageInfo } from '../api/index.ts';
import { formatTime } from '../base/index.ts';
import { isNotFound, kinds } from '../client/index.ts';
import { parseTime } from '../machinery/index.ts';
import {
  RepositoryError,
  packageInfoName,
  type AnyPackage,
  type FetchedManifest,
  type PackageRepositoryClient,
} from '../packaging/index.ts';
import {
  done,
  informerSource,
  requeueAfter,
  retry,
  runController,
  WorkQueue,
  type Informer,
  type Outcome,
} from '../runtime/index.ts';
import { isNews, readyConditions, withConditions } from './conditions.ts';
import { BY_PACKAGE_INFO, listing, type PackageContext } from './context.ts';

const NAME = 'packageinfo-controller';
const MANIFEST = 'package.yaml';

/** A file is not what it was, or not what its repository says it is. */
export class IntegrityError extends Error {
  override name = 'IntegrityError';
}

export function runPackageInfoController(context: PackageContext): Promise<void> {
  const { caches, clock, logger, signal } = context;
  return runController({
    name: NAME,
    sources: [
      informerSource(caches.packageInfos, {
        changed: (old, now) => old.metadata.generation !== now.metadata.generation,
      }),
      // What stood still while its package was suspended is compared at once.
      ...[caches.packages as Informer<AnyPackage>, caches.clusterPackages as Informer<AnyPackage>].map(
        (packages) =>
          informerSource(packages, {
            changed: (old, now) => resumedAtMs(old) !== resumedAtMs(now),
            map: ({ spec: { packageInfo } }) => [
              packageInfoName(packageInfo.repositoryName ?? '', packageInfo.name, packageInfo.version),
            ],
          }),
      ),
      // A repository that is mended or moved is news for all that comes from it.
      informerSource(caches.repositories, {
        changed: (old, now) =>
          old.metadata.generation !== now.metadata.generation ||
          isReadable(old.status?.conditions) !== isReadable(now.status?.conditions),
        map: () =>
          caches.packageInfos.store
            .list()
            .filter(
              ({ status }) =>
                status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') !==
                true,
            )
            .map(({ metadata }) => metadata.name ?? ''),
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

function isReadable(conditions: readonly Condition[] | undefined): boolean {
  return conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
}

/** When the last suspension of a package ended; undefined: none that is known has. */
function resumedAtMs({ status }: AnyPackage): number | undefined {
  const last = status?.suspensionHistory?.at(-1);
  return last?.action === 'Resumed' || last?.action === 'SuspensionExpired' ? parseTime(last.at) : undefined;
}

/**
 * When it is to be compared with the repository again; 0: now.
 * @param resumedMs when a package that reads it was last resumed; -Infinity: never
 */
function dueInMs({ spec, status }: PackageInfo, resumedMs: number, nowMs: number, periodMs: number): number {
  const lastMs = parseTime(status?.lastUpdateTimestamp ?? '');
  if (lastMs === undefined || status?.manifest === undefined || lastMs < resumedMs) return 0;
  if ((spec.version ?? '') !== '' && spec.version !== status.version) return 0;
  if (status.conditions?.some(({ type, status: is }) => type === 'Failed' && is === 'True') === true)
    return 0;
  return Math.max(0, lastMs + periodMs - nowMs);
}

async function reconcile(context: PackageContext, name: string, signal: AbortSignal): Promise<Outcome> {
  const { caches, clock, settings, repositories } = context;
  const info = caches.packageInfos.store.get(name);
  if (info === undefined) return done;
  const resumedMs = Math.max(
    ...listing(caches, BY_PACKAGE_INFO, name).map((one) => resumedAtMs(one) ?? -Infinity),
  );
  const dueMs = dueInMs(info, resumedMs, clock.now(), settings.packageInfoSyncMs);
  if (dueMs > 0) return requeueAfter(dueMs, 'compare with the repository');
  const { name: packageName, version = '', repositoryUrl } = info.spec;
  try {
    // What was heard while the package stood still is not what is said now.
    if (resumedMs > (parseTime(info.status?.lastUpdateTimestamp ?? '') ?? Infinity))
      repositories.forget(repositories.nameFor(repositoryUrl));
    const repository = await repositories.open(repositoryUrl);
    const fetched = await repository.manifest(packageName, version, signal);
    const digests = await digestsOf(info, fetched, repository, signal);
    await succeed(context, info, fetched, digests);
    return requeueAfter(settings.packageInfoSyncMs, 'compare with the repository');
  } catch (error) {
    const integrity = error instanceof IntegrityError;
    if (!integrity && !(error instanceof RepositoryError)) throw error;
    await fail(context, info, integrity ? 'IntegrityFailed' : 'SyncFailed', error.message);
    return integrity ? requeueAfter(settings.packageInfoSyncMs, 'compare with the repository') : retry(error);
  }
}

/** Of package.yaml and of every file it names; those that are known are compared, others recorded. */
async function digestsOf(
  info: PackageInfo,
  { url, manifest, sha256, declaredSha256 }: FetchedManifest,
  repository: PackageRepositoryClient,
  signal: AbortSignal,
): Promise<readonly FileDigest[]> {
  // Wherever the repository has moved to: a version is the same files everywhere.
  const isSame = info.status?.version === (info.spec.version ?? '');
  const known = isSame ? (info.status?.digests ?? []) : [];
  const pinned = pin(known, MANIFEST, sha256, declaredSha256);
  // Those of charts are written down by who renders them.
  const digests: FileDigest[] = [pinned, ...known.filter(({ url }) => url.startsWith('chart:'))];
  for (const file of manifest.manifests ?? []) {
    const before = known.find((one) => one.url === file.url);
    // What is recorded is compared whenever the file is used.
    if (before !== undefined && file.sha256 === undefined) {
      digests.push(before);
      continue;
    }
    const declared = file.sha256?.toLowerCase();
    if (before !== undefined && before.sha256 === declared) {
      digests.push(before);
      continue;
    }
    const fetched = await repository.documents(url, file.url, signal);
    digests.push(pin(known, file.url, fetched.sha256, declared));
  }
  return digests;
}

function pin(
  known: readonly FileDigest[],
  url: string,
  sha256: string,
  declared: string | undefined,
): FileDigest {
  checkDigest(known, url, sha256);
  if (declared !== undefined && declared !== sha256)
    throw new IntegrityError(
      `${url} has SHA-256 ${sha256}, but its repository says it must be ${declared}; nothing of it is used. Have the publisher mend the file or the digest`,
    );
  return { url, sha256, origin: declared === undefined ? 'Recorded' : 'Declared' };
}

/** Throws IntegrityError when a file is known and is not what it was. */
export function checkDigest(known: readonly FileDigest[], url: string, sha256: string): void {
  const before = known.find((one) => one.url === url);
  if (before === undefined || before.sha256 === sha256) return;
  throw new IntegrityError(
    `${url} was changed under the same version: it had SHA-256 ${before.sha256} and has ${sha256} now; nothing of it is used. Have the publisher make a new version of it, or accept the change by deleting the PackageInfo`,
  );
}

async function succeed(
  context: PackageContext,
  info: PackageInfo,
  { url, manifest }: FetchedManifest,
  digests: readonly FileDigest[],
): Promise<void> {
  const { spec, status } = info;
  const nowMs = context.clock.now();
  const ready = readyConditions(
    {
      state: 'Ready',
      reason: 'SyncCompleted',
      message: `manifest of ${spec.name} ${spec.version ?? ''} was read`,
    },
    undefined,
  );
  await write(context, info, {
    manifest,
    resolvedUrl: url,
    version: spec.version ?? '',
    lastUpdateTimestamp: formatTime(nowMs),
    digests,
    conditions: withConditions(status?.conditions, ready, nowMs),
  });
}

async function fail(
  context: PackageContext,
  info: PackageInfo,
  reason: string,
  message: string,
): Promise<void> {
  const conditions = readyConditions({ state: 'Failed', reason, message }, undefined);
  const before = info.status?.conditions;
  if (!isNews(before, conditions[0])) return;
  // What was read before stays: it is what is installed.
  await write(context, info, {
    ...info.status,
    conditions: withConditions(before, conditions, context.clock.now()),
  });
  context.recorder.withComponent(NAME).event(info, 'Warning', reason, message);
}

/** COMPAT: whoever changed it meanwhile has made it due again. */
async function write(
  context: PackageContext,
  info: PackageInfo,
  status: NonNullable<PackageInfo['status']>,
): Promise<void> {
  try {
    await context.client.updateStatus(kinds.packageInfos, { ...info, status });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
