// What all controllers of the operator share: the cluster, caches of the group's objects, and repositories.
import type {
  ClusterPackage,
  ClusterPackageSuspension,
  KubeObject,
  Package,
  PackageInfo,
  PackageRepository,
  PackageSuspension,
} from '../api/index.ts';
import type { Clock, Logger, Random } from '../base/index.ts';
import { kinds, type Client, type RestMapper } from '../client/index.ts';
import {
  packageInfoName,
  type AnyPackage,
  type HelmSetting,
  type RepositorySeams,
} from '../packaging/index.ts';
import type { EventRecorder, Informer, InformerSet } from '../runtime/index.ts';
import type { FileShelf } from './file-shelf.ts';
import type { OwnedObjects } from './owned-objects.ts';
import type { ReferencedObjects } from './referenced-objects.ts';
import type { RepositoryBook } from './repository-book.ts';
import { clusterPackageSuspensions, packageSuspensions } from './resources.ts';
import type { PackageSettings } from './settings.ts';

export interface PackageCaches {
  readonly packages: Informer<Package>;
  readonly clusterPackages: Informer<ClusterPackage>;
  readonly packageInfos: Informer<PackageInfo>;
  readonly repositories: Informer<PackageRepository>;
  readonly packageSuspensions: Informer<PackageSuspension>;
  readonly clusterPackageSuspensions: Informer<ClusterPackageSuspension>;
  readonly namespaces: Informer;
}

export interface PackageContext {
  /** The cluster in which packages are installed. */
  readonly client: Client;
  readonly mapper: RestMapper;
  readonly caches: PackageCaches;
  readonly owned: OwnedObjects;
  readonly referenced: ReferencedObjects;
  readonly repositories: RepositoryBook;
  readonly files: FileShelf;
  readonly seams: RepositorySeams;
  /** What installs charts here. */
  readonly helm: HelmSetting;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly settings: PackageSettings;
  readonly signal: AbortSignal;
}

/** Indexes of packages: by what they list as owned, by the PackageInfos that they read, by ClusterPackages whose values they take. */
export const BY_OWNED_PACKAGE = 'ownedPackage';
export const BY_PACKAGE_INFO = 'packageInfo';
const BY_VALUES_OF = 'valuesOf';

/** `Kind/namespace/name`, as the index files packages under what they need. */
export function ownedKey({
  kind,
  name,
  namespace = '',
}: {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string | undefined;
}): string {
  return `${kind}/${namespace}/${name}`;
}

function indexes<T extends AnyPackage>(): Record<string, (one: T) => readonly string[]> {
  return {
    [BY_OWNED_PACKAGE]: ({ status }) => (status?.ownedPackages ?? []).map(ownedKey),
    [BY_PACKAGE_INFO]: ({ spec, status }) => {
      const { name, version, repositoryName = '' } = spec.packageInfo;
      const read = (status?.ownedPackageInfos ?? []).map((one) => one.name);
      return [...new Set([packageInfoName(repositoryName, name, version), ...read])];
    },
    [BY_VALUES_OF]: ({ spec }) => [
      ...new Set(Object.values(spec.values ?? {}).flatMap((one) => one.valueFrom?.packageRef?.name ?? [])),
    ],
  };
}

export function openCaches(informers: InformerSet): PackageCaches {
  return {
    packages: informers.informer(kinds.packages, { indexes: indexes<Package>() }),
    clusterPackages: informers.informer(kinds.clusterPackages, { indexes: indexes<ClusterPackage>() }),
    packageInfos: informers.informer(kinds.packageInfos),
    repositories: informers.informer(kinds.packageRepositories),
    packageSuspensions: informers.informer(packageSuspensions),
    clusterPackageSuspensions: informers.informer(clusterPackageSuspensions),
    namespaces: informers.informer<KubeObject>(kinds.namespaces),
  };
}

/** All packages of both kinds. */
export function allPackages({ packages, clusterPackages }: PackageCaches): readonly AnyPackage[] {
  return [...packages.store.values(), ...clusterPackages.store.values()];
}

/** Packages that list this one as theirs. */
export function parentsOf(caches: PackageCaches, one: AnyPackage): readonly AnyPackage[] {
  const { name = '', namespace } = one.metadata;
  return listing(caches, BY_OWNED_PACKAGE, ownedKey({ kind: one.kind, name, namespace }));
}

/** Packages that take values of this ClusterPackage, also by way of others. */
export function takersOf(caches: PackageCaches, name: string): readonly AnyPackage[] {
  const found = new Map<string, AnyPackage>();
  const names = [name];
  for (const next of names)
    for (const one of listing(caches, BY_VALUES_OF, next)) {
      const key = `${one.kind} ${one.metadata.namespace ?? ''}/${one.metadata.name ?? ''}`;
      if (found.has(key)) continue;
      found.set(key, one);
      if (one.kind === 'ClusterPackage') names.push(one.metadata.name ?? '');
    }
  return [...found.values()];
}

export function listing(caches: PackageCaches, index: string, key: string): readonly AnyPackage[] {
  return [...caches.packages.store.byIndex(index, key), ...caches.clusterPackages.store.byIndex(index, key)];
}
