// Uninstalling: what the package brought goes first, in the reverse of the order in which it came, then what was installed for
// it, and the package itself last. Suspended or not: who deletes a package means it.
import type { OwnedResourceReference } from '../../api/index.ts';
import { hasFinalizer } from '../../machinery/index.ts';
import { PACKAGE_FINALIZER } from '../../api/index.ts';
import { PackageGraph, packageId, packageKey, type AnyPackage } from '../../packaging/index.ts';
import { act, done, finalizerWrite, requeueAfter, type Outcome } from '../../runtime/index.ts';
import { deleteSnapshot } from '../applied-snapshot.ts';
import type { PackageContext } from '../context.ts';
import { resourceOf } from '../resources.ts';
import { resumeReleases } from '../suspension-helm.ts';
import { installedPackages } from './installed.ts';
import { isLeavingBehind, letGo } from './letting-go.ts';
import { releaseInfos, releasePackages, removeObject } from './prune.ts';
import { withVerdict, writeStatus } from './status.ts';

/** Where nothing tells that an object is gone. */
const LOOK_AGAIN_MS = 2_000;
// LIMIT: objects that are named while they are waited for.
const NAMED_MAX = 5;

export async function tearDown(
  context: PackageContext,
  found: AnyPackage,
  signal: AbortSignal,
): Promise<Outcome> {
  if (!hasFinalizer(found, PACKAGE_FINALIZER)) return done;
  const needing = whoNeeds(context, found);
  if (needing.length > 0)
    return hold(
      context,
      found,
      `held, since ${needing.join(', ')} needs it; it is taken down once they are uninstalled or can do without it`,
      context.settings.retryMs,
    );
  const leaving = await isLeavingBehind(context, found, signal);
  // It may lose its owner with the rest. First of all: once everything is let go of, nothing tells any more that it was.
  if (leaving) await deleteSnapshot(context.client, found, signal);
  const owner = leaving ? await letGo(context, found, signal) : found;
  // Flux leaves what a suspended release installed, and a release that we suspended is not the package's until it goes on.
  await resumeReleases(context, owner, signal);
  const { ownedResources = [], ownedPackages = [], ownedPackageInfos = [] } = owner.status ?? {};
  for (const stage of [ownedResources.filter(isPlain), ownedResources.filter(isDefinition)]) {
    const left = await removeAll(context, owner, stage, signal);
    if (left.length > 0) return waitFor(context, owner, left);
  }
  await releasePackages(context, owner, ownedPackages, signal);
  const left = await removeAll(context, owner, ownedResources.filter(isNamespace), signal);
  if (left.length > 0) return waitFor(context, owner, left);
  await releaseInfos(context, owner, ownedPackageInfos, signal);
  const write = finalizerWrite(resourceOf(owner.kind), owner, PACKAGE_FINALIZER, false);
  return write === undefined ? done : act({ writes: [write] }, { client: context.client, signal });
}

function isNamespace({ group, kind }: OwnedResourceReference): boolean {
  return group === '' && kind === 'Namespace';
}

function isDefinition({ group, kind }: OwnedResourceReference): boolean {
  return group === 'apiextensions.k8s.io' && kind === 'CustomResourceDefinition';
}

function isPlain(reference: OwnedResourceReference): boolean {
  return !isNamespace(reference) && !isDefinition(reference);
}

async function removeAll(
  context: PackageContext,
  owner: AnyPackage,
  references: readonly OwnedResourceReference[],
  signal: AbortSignal,
): Promise<readonly OwnedResourceReference[]> {
  const left: OwnedResourceReference[] = [];
  for (const reference of references.toReversed())
    if (await removeObject(context, owner, reference, signal)) left.push(reference);
  return left;
}

async function waitFor(
  context: PackageContext,
  owner: AnyPackage,
  left: readonly OwnedResourceReference[],
): Promise<Outcome> {
  const named = left
    .slice(0, NAMED_MAX)
    .map(({ kind, namespace, name }) => `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`);
  const more = left.length > NAMED_MAX ? ` and ${left.length - NAMED_MAX} more` : '';
  return hold(
    context,
    owner,
    `uninstalling; waiting until ${named.join(', ')}${more} are gone`,
    LOOK_AGAIN_MS,
  );
}

/** Packages that stay and need this one. Deleting it would take away what they stand on, and no admission has kept it. */
function whoNeeds(context: PackageContext, owner: AnyPackage): readonly string[] {
  // A component that is deleted by hand is installed anew by its parent.
  if (owner.kind === 'Package') return [];
  return PackageGraph.of(installedPackages(context))
    .dependants(packageId(owner))
    .map(({ vertex }) => packageKey(vertex));
}

async function hold(
  context: PackageContext,
  owner: AnyPackage,
  message: string,
  againMs: number,
): Promise<Outcome> {
  const status = withVerdict(context, owner, owner.status ?? {}, {
    state: 'Unknown',
    reason: 'Pending',
    message,
  });
  await writeStatus(context, owner, status);
  return requeueAfter(againMs, 'being uninstalled');
}
