// Uninstalling a package and leaving what it brought: everything is let go of before the package is deleted, since whoever
// collects what has lost its owner asks nobody. Packages that it needs stay as packages of their own, and charts stay suspended.
// INVARIANT: while the annotation stands nothing is applied, so that nothing is taken back.
import {
  INSTALLED_AS_DEPENDENCY_ANNOTATION,
  ORPHAN_ANNOTATION,
  PACKAGE_MANAGED_LABEL,
  SUSPENDED_BY_PACKAGE_ANNOTATION,
  type KubeObject,
  type OwnedResourceReference,
} from '../../api/index.ts';
import { isNotFound, type Resource } from '../../client/index.ts';
import { hasFinalizer } from '../../machinery/index.ts';
import { isManaged, packageId, packageKey, type AnyPackage } from '../../packaging/index.ts';
import type { PackageContext } from '../context.ts';
import { resourceOf } from '../resources.ts';
import { findOwned, keyOfReference } from './prune.ts';
import { withVerdict, writeStatus } from './status.ts';

/** What `kubectl delete --cascade=orphan` leaves on an object until the garbage collector has seen to it. */
const ORPHAN_FINALIZER = 'orphan';

export function isOrphaning({ metadata }: AnyPackage): boolean {
  return metadata.annotations?.[ORPHAN_ANNOTATION] === 'true';
}

/**
 * Whether what the package brought is to stay though the package is being deleted. The garbage collector may have been faster,
 * and asks nobody: then everything that is there has lost its owner.
 */
export async function isLeavingBehind(
  context: PackageContext,
  owner: AnyPackage,
  signal: AbortSignal,
): Promise<boolean> {
  if (isOrphaning(owner) || hasFinalizer(owner, ORPHAN_FINALIZER)) return true;
  const found = await Promise.all(
    (owner.status?.ownedResources ?? []).map((reference) => findOwned(context, reference, signal)),
  );
  const brought = found.filter((object) => object !== undefined).filter(isManaged);
  return brought.length > 0 && brought.every(hasLostItsOwner);
}

function hasLostItsOwner({ metadata }: KubeObject): boolean {
  const { ownerReferences = [], annotations = {} } = metadata;
  // A release that stands still because of us has no owner for so long.
  return ownerReferences.length === 0 && annotations[SUSPENDED_BY_PACKAGE_ANNOTATION] === undefined;
}

/** Lets go of everything, and answers the package as it is then. Throws StatusError; what was done by then stays done. */
export async function letGo(
  context: PackageContext,
  owner: AnyPackage,
  signal: AbortSignal,
): Promise<AnyPackage> {
  const { ownedResources = [], ownedPackages = [] } = owner.status ?? {};
  for (const reference of ownedPackages) {
    const resource = resourceOf(reference.kind === 'Package' ? 'Package' : 'ClusterPackage') as Resource;
    await change(context, resource, reference, asWanted, signal);
  }
  for (const reference of ownedResources) {
    const { group, version, kind } = reference;
    const resource =
      (await context.mapper.resourceForKind({ group, version, kind })) ??
      (await context.mapper.resourceForKind({ group, kind }));
    if (resource !== undefined)
      await change(context, resource, reference, (object) => nobodys(owner, object), signal);
  }
  return writeStatus(
    context,
    owner,
    withVerdict(
      context,
      owner,
      { ...owner.status, ownedResources: [], ownedPackages: [] },
      {
        state: 'Unknown',
        reason: 'Orphaned',
        message: 'what it brought was let go of, and stays when it is deleted',
      },
    ),
  );
}

/** Pure. Undefined: somebody wants it for its own sake already. */
function asWanted({ metadata }: KubeObject): object | undefined {
  if (metadata.annotations?.[INSTALLED_AS_DEPENDENCY_ANNOTATION] === undefined) return undefined;
  return { metadata: { annotations: { [INSTALLED_AS_DEPENDENCY_ANNOTATION]: null } } };
}

/** Pure. Undefined: it is not the package's, nor was. Other packages keep what they own too. */
function nobodys(owner: AnyPackage, object: KubeObject): object | undefined {
  const { ownerReferences = [], annotations = {} } = object.metadata;
  const others = ownerReferences.filter(({ uid }) => uid !== owner.metadata.uid);
  const marked = annotations[SUSPENDED_BY_PACKAGE_ANNOTATION] === packageKey(packageId(owner));
  const lost = isManaged(object) && ownerReferences.length === 0;
  if (others.length === ownerReferences.length && !marked && !lost) return undefined;
  const isRelease = object.apiVersion.startsWith('helm.toolkit.fluxcd.io/') && object.kind === 'HelmRelease';
  return {
    metadata: {
      ownerReferences: others,
      ...(others.length > 0 ? {} : { labels: { [PACKAGE_MANAGED_LABEL]: null } }),
      ...(marked ? { annotations: { [SUSPENDED_BY_PACKAGE_ANNOTATION]: null } } : {}),
    },
    ...(isRelease && others.length === 0 ? { spec: { suspend: true } } : {}),
  };
}

/** One write onto what the cluster itself has, not onto what was heard of it. */
async function change(
  { client }: PackageContext,
  resource: Resource,
  reference: OwnedResourceReference,
  changed: (object: KubeObject) => object | undefined,
  signal: AbortSignal,
): Promise<void> {
  const key = keyOfReference(reference);
  const object = await client.find<KubeObject>(resource, key, { signal });
  const body = object === undefined ? undefined : changed(object);
  if (object === undefined || body === undefined) return;
  const { resourceVersion = '' } = object.metadata;
  const onto = {
    ...body,
    metadata: { ...('metadata' in body ? (body.metadata as object) : {}), resourceVersion },
  };
  try {
    await client.patch(resource, key, { type: 'merge', body: onto }, { signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
