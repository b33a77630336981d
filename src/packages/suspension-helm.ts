// Charts of suspended packages: Flux goes on with them by itself, so their HelmReleases are suspended too, and marked as ours
// to resume. While they are, they are not owned by the package: Flux leaves everything in place when a suspended release is
// deleted, so it must not be deleted before we have resumed it.
// INVARIANT: a release that a person suspended is neither suspended by us nor resumed.
import {
  SUSPENDED_BY_PACKAGE_ANNOTATION,
  type KubeObject,
  type OwnedResourceReference,
} from '../api/index.ts';
import { ownerReference } from '../machinery/index.ts';
import { packageId, packageKey, type AnyPackage } from '../packaging/index.ts';
import { isNotFound } from '../client/index.ts';
import type { PackageContext } from './context.ts';
import { findOwned, keyOfReference } from './package-controller/prune.ts';

function releasesOf({ status }: AnyPackage): readonly OwnedResourceReference[] {
  return (status?.ownedResources ?? []).filter(
    ({ group, kind }) => group === 'helm.toolkit.fluxcd.io' && kind === 'HelmRelease',
  );
}

/** Whether any were suspended now. */
export async function suspendReleases(
  context: PackageContext,
  owner: AnyPackage,
  signal: AbortSignal,
): Promise<boolean> {
  const marker = packageKey(packageId(owner));
  let changed = false;
  for (const reference of releasesOf(owner)) {
    const release = await findOwned(context, reference, signal);
    if (release === undefined || isSuspended(release)) continue;
    const ownerReferences = (release.metadata.ownerReferences ?? []).filter(
      ({ uid }) => uid !== owner.metadata.uid,
    );
    await patch(
      context,
      reference,
      release,
      {
        metadata: { annotations: { [SUSPENDED_BY_PACKAGE_ANNOTATION]: marker }, ownerReferences },
        spec: { suspend: true },
      },
      signal,
    );
    changed = true;
  }
  return changed;
}

/** Those that this package suspended go on, and are its own again. */
export async function resumeReleases(
  context: PackageContext,
  owner: AnyPackage,
  signal: AbortSignal,
): Promise<void> {
  const marker = packageKey(packageId(owner));
  for (const reference of releasesOf(owner)) {
    const release = await findOwned(context, reference, signal);
    if (release?.metadata.annotations?.[SUSPENDED_BY_PACKAGE_ANNOTATION] !== marker) continue;
    const others = (release.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== owner.metadata.uid);
    const ownerReferences = [...others, { ...ownerReference(owner), blockOwnerDeletion: true }];
    await patch(
      context,
      reference,
      release,
      {
        metadata: { annotations: { [SUSPENDED_BY_PACKAGE_ANNOTATION]: null }, ownerReferences },
        spec: { suspend: null },
      },
      signal,
    );
  }
}

function isSuspended(release: KubeObject): boolean {
  return (release['spec'] as { readonly suspend?: boolean } | undefined)?.suspend === true;
}

/** One write, and only onto what was read. */
async function patch(
  { client, mapper }: PackageContext,
  reference: OwnedResourceReference,
  release: KubeObject,
  body: { readonly metadata: object; readonly spec: object },
  signal: AbortSignal,
): Promise<void> {
  const resource = await mapper.resourceForObject(release);
  if (resource === undefined) return;
  const { resourceVersion } = release.metadata;
  try {
    await client.patch(
      resource,
      keyOfReference(reference),
      { type: 'merge', body: { ...body, metadata: { ...body.metadata, resourceVersion } } },
      { signal },
    );
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
