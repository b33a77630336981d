// What the two kinds of installed packages have in common, and how they are named in messages, queues and owned lists.
import {
  AUTO_UPDATE_ANNOTATION,
  INSTALLED_AS_DEPENDENCY_ANNOTATION,
  PACKAGES_GROUP,
  type ClusterPackage,
  type OwnedResourceReference,
  type Package,
  type PackageSpec,
} from '../api/index.ts';

export type AnyPackage = Package | ClusterPackage;
export type PackageKind = AnyPackage['kind'];

/** Which installed package. A ClusterPackage has the namespace `''`. */
export interface PackageId {
  readonly name: string;
  readonly namespace: string;
}

export function packageId({ metadata }: AnyPackage): PackageId {
  return { name: metadata.name ?? '', namespace: metadata.namespace ?? '' };
}

/** `namespace/name`, or the name of a ClusterPackage: a key of maps and the words of messages. */
export function packageKey({ name, namespace }: PackageId): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}

/** Its entry in lists of what another package owns. */
export function packageReference(kind: PackageKind, { name, namespace }: PackageId): OwnedResourceReference {
  return {
    group: PACKAGES_GROUP,
    version: 'v1alpha1',
    kind,
    name,
    ...(namespace === '' ? {} : { namespace }),
  };
}

/** COMPAT: `suspended` is the other name of `suspend`; where nobody keeps them equal, either one suspends. */
export function isSuspendedBySpec({ suspend, suspended }: PackageSpec): boolean {
  return suspend === true || suspended === true;
}

export function isInstalledAsDependency({ metadata }: AnyPackage): boolean {
  return metadata.annotations?.[INSTALLED_AS_DEPENDENCY_ANNOTATION] === 'true';
}

// What Go's strconv.ParseBool takes for true.
const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);

export function updatesItself({ metadata }: AnyPackage): boolean {
  return TRUE.has(metadata.annotations?.[AUTO_UPDATE_ANNOTATION] ?? '');
}
