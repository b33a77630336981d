// What a package does not need any more, or at all when it goes: objects, packages that were installed for it, PackageInfos.
// INVARIANT: an object without our label and owner reference, and a package that somebody wants or needs, is left alone.
import { PACKAGE_MANAGED_LABEL, type KubeObject, type OwnedResourceReference } from '../../api/index.ts';
import { isNotFound, kinds, type ObjectKey } from '../../client/index.ts';
import { isBeingDeleted } from '../../machinery/index.ts';
import {
  PackageGraph,
  RESOURCE_POLICY,
  isInstalledAsDependency,
  isOwned,
  packageId,
  packageKey,
  type AnyPackage,
} from '../../packaging/index.ts';
import { BY_PACKAGE_INFO, listing, parentsOf, type PackageContext } from '../context.ts';
import { resourceOf } from '../resources.ts';
import { suspensionOf } from '../suspension-of.ts';
import { installedPackages } from './installed.ts';

export function keyOfReference({ name, namespace }: OwnedResourceReference): ObjectKey {
  return { name, ...(namespace === undefined ? {} : { namespace }) };
}

/** The object of an entry as it is in the cluster; undefined: it is gone, as is its kind. */
export async function findOwned(
  { mapper, owned }: PackageContext,
  reference: OwnedResourceReference,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  const { group, version, kind } = reference;
  const resource =
    (await mapper.resourceForKind({ group, version, kind })) ??
    (await mapper.resourceForKind({ group, kind }));
  if (resource === undefined || resource.namespaced !== (reference.namespace !== undefined)) return undefined;
  return owned.find(resource, keyOfReference(reference), signal);
}

/**
 * Deletes the object if it is this package's alone, and leaves it to its other owners else; what says that it is to be kept
 * is nobody's then. Answers whether it is still there.
 */
export async function removeObject(
  context: PackageContext,
  owner: AnyPackage,
  reference: OwnedResourceReference,
  signal: AbortSignal,
): Promise<boolean> {
  const { client, mapper } = context;
  const object = await findOwned(context, reference, signal);
  if (object === undefined || !isOwned(owner, object)) return false;
  if (isBeingDeleted(object)) return true;
  const resource = await mapper.resourceForObject(object);
  if (resource === undefined) return false;
  const { uid, resourceVersion, ownerReferences = [] } = object.metadata;
  const others = ownerReferences.filter((one) => one.uid !== owner.metadata.uid);
  const key = keyOfReference(reference);
  try {
    const isKept = isToBeKept(object) || (await holdsKept(context, owner, reference, signal));
    if (others.length > 0 || isKept) {
      const metadata = {
        resourceVersion,
        ownerReferences: others,
        ...(others.length > 0 ? {} : { labels: { [PACKAGE_MANAGED_LABEL]: null } }),
      };
      await client.patch(resource, key, { type: 'merge', body: { metadata } }, { signal });
      return false;
    }
    await client.delete(resource, key, {
      ...(uid === undefined ? {} : { preconditions: { uid } }),
      propagationPolicy: 'Background',
      signal,
    });
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
  return true;
}

function isToBeKept({ metadata }: KubeObject): boolean {
  return metadata.annotations?.[RESOURCE_POLICY] === 'keep';
}

/** What is to be kept would go with its namespace. */
async function holdsKept(
  context: PackageContext,
  { status }: AnyPackage,
  { group, kind, name }: OwnedResourceReference,
  signal: AbortSignal,
): Promise<boolean> {
  if (group !== '' || kind !== 'Namespace') return false;
  for (const reference of status?.ownedResources ?? []) {
    if (reference.namespace !== name) continue;
    const object = await findOwned(context, reference, signal);
    if (object !== undefined && isToBeKept(object)) return true;
  }
  return false;
}

/** Takes down packages that only this one needed; answers the entries that need not be kept. */
export async function releasePackages(
  context: PackageContext,
  owner: AnyPackage,
  references: readonly OwnedResourceReference[],
  signal: AbortSignal,
): Promise<readonly OwnedResourceReference[]> {
  const released: OwnedResourceReference[] = [];
  const { client } = context;
  const graph = PackageGraph.of(installedPackages(context));
  for (const reference of references) {
    const resource = resourceOf(reference.kind === 'Package' ? 'Package' : 'ClusterPackage');
    // Not what was heard of it: it may have been made a moment ago, or anew since.
    const one = await client.find(resource, keyOfReference(reference), { signal });
    if (one === undefined || isBeingDeleted(one) || isWanted(context, graph, owner, one)) {
      released.push(reference);
      continue;
    }
    const { active } = suspensionOf(context, one);
    if (active && !isBeingDeleted(owner)) {
      context.recorder.event(
        owner,
        'Normal',
        'PruneSkippedSuspended',
        `${packageKey(packageId(one))} is not needed any more, but is suspended; it is uninstalled when it is resumed`,
      );
      continue;
    }
    await deletePackage(context, one, signal);
    released.push(reference);
  }
  return released;
}

/** Somebody installed it for its own sake, lists it, or needs it. */
function isWanted(context: PackageContext, graph: PackageGraph, owner: AnyPackage, one: AnyPackage): boolean {
  if (!isInstalledAsDependency(one)) return true;
  const isOther = (uid: string | undefined): boolean => uid !== owner.metadata.uid;
  if (
    parentsOf(context.caches, one).some((parent) => isOther(parent.metadata.uid) && !isBeingDeleted(parent))
  )
    return true;
  const self = packageKey(packageId(owner));
  return graph.dependants(packageId(one)).some(({ vertex }) => packageKey(vertex) !== self);
}

async function deletePackage(
  { client }: PackageContext,
  one: AnyPackage,
  signal: AbortSignal,
): Promise<void> {
  const { uid, name = '', namespace } = one.metadata;
  try {
    await client.delete(
      resourceOf(one.kind),
      { name, namespace },
      { ...(uid === undefined ? {} : { preconditions: { uid } }), propagationPolicy: 'Foreground', signal },
    );
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** Deletes PackageInfos that no other package reads. */
export async function releaseInfos(
  { client, caches }: PackageContext,
  owner: AnyPackage,
  references: readonly OwnedResourceReference[],
  signal: AbortSignal,
): Promise<void> {
  for (const { name } of references) {
    const others = listing(caches, BY_PACKAGE_INFO, name).filter(
      ({ metadata }) => metadata.uid !== owner.metadata.uid,
    );
    if (others.length > 0) continue;
    try {
      await client.delete(kinds.packageInfos, { name }, { signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}
