// Packages that follow their repository: when it has a later version that everything else can do with, it is written into the
// package; installing it is the package controller's work like any other change. What a control plane sent is the control
// plane's to update: changed here, it would only be put back.
// Reads packages and repositories; writes `spec.packageInfo.version`.
import { MANAGED_LABEL } from '../api/index.ts';
import { isBeingDeleted } from '../machinery/index.ts';
import {
  RepositoryError,
  isUpgrade,
  updatesItself,
  type AnyPackage,
  type PackageKind,
} from '../packaging/index.ts';
import {
  done,
  informerSource,
  requeueAfter,
  runController,
  WorkQueue,
  type Informer,
  type Outcome,
} from '../runtime/index.ts';
import type { PackageContext } from './context.ts';
import { resolutionOf } from './package-controller/gather.ts';
import { resourceOf } from './resources.ts';
import { suspensionOf } from './suspension-of.ts';

export function runAutoUpdate(context: PackageContext, kind: PackageKind): Promise<void> {
  const { caches, clock, logger, signal } = context;
  const own: Informer<AnyPackage> = kind === 'Package' ? caches.packages : caches.clusterPackages;
  const name = kind === 'Package' ? 'package-auto-update' : 'cluster-package-auto-update';
  return runController({
    name,
    sources: [
      informerSource(own, {
        filter: updatesItself,
        changed: (old, now) =>
          old.metadata.generation !== now.metadata.generation || isSent(old) !== isSent(now),
      }),
    ],
    reconcile: (key, { signal: ends }) => reconcile(context, own.store.get(key), ends),
    queue: new WorkQueue({ name, clock, backoffBaseMs: 1_000 }),
    clock,
    logger,
    signal,
  });
}

async function reconcile(
  context: PackageContext,
  one: AnyPackage | undefined,
  signal: AbortSignal,
): Promise<Outcome> {
  if (one === undefined || isBeingDeleted(one) || !updatesItself(one) || isSent(one)) return done;
  const later = requeueAfter(context.settings.autoUpdateMs, 'look for a later version');
  if (suspensionOf(context, one).active) return later;
  const { name, version, repositoryName } = one.spec.packageInfo;
  try {
    const repository = await context.repositories.open(repositoryName);
    const latest = (await repository.index(signal)).find((entry) => entry.name === name)?.latestVersion;
    if (latest === undefined || !isUpgrade(version, latest)) return later;
    const { manifest } = await repository.manifest(name, latest, signal);
    const { reasons } = await resolutionOf(context, one, manifest, signal, latest);
    if (reasons.length > 0) {
      const message = `${latest} is there, but cannot be installed: ${reasons.join('. ')}`;
      context.recorder.event(one, 'Warning', 'AutoUpdateHeld', message);
      return later;
    }
    await update(context, one, latest, signal);
    context.recorder.event(one, 'Normal', 'AutoUpdate', `updated from ${version} to ${latest}`);
  } catch (error) {
    // Its own condition says that the repository cannot be read.
    if (!(error instanceof RepositoryError)) throw error;
  }
  return later;
}

function isSent({ metadata }: AnyPackage): boolean {
  return metadata.labels?.[MANAGED_LABEL] === 'true';
}

async function update(
  { client }: PackageContext,
  one: AnyPackage,
  version: string,
  signal: AbortSignal,
): Promise<void> {
  const { name = '', namespace, resourceVersion } = one.metadata;
  const body = { metadata: { resourceVersion }, spec: { packageInfo: { version } } };
  await client.patch(resourceOf(one.kind), { name, namespace }, { type: 'merge', body }, { signal });
}
