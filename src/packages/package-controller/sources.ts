// What brings a package to be looked at: itself, what it needs and what needs it, what is said about it and what suspends it,
// and its objects.
import { formatKey } from '../../client/index.ts';
import { deepEqual } from '../../machinery/index.ts';
import type { AnyPackage, PackageKind } from '../../packaging/index.ts';
import { informerSource, type Informer, type Source } from '../../runtime/index.ts';
import { BY_OWNED_PACKAGE, BY_PACKAGE_INFO, ownedKey, takersOf, type PackageContext } from '../context.ts';

/** The packages of one kind. */
export function cacheOf({ caches }: PackageContext, kind: PackageKind): Informer<AnyPackage> {
  return kind === 'Package' ? caches.packages : caches.clusterPackages;
}

/** What anybody else may have changed about it, or what it says of itself. */
function isChanged(old: AnyPackage, now: AnyPackage): boolean {
  const said = ({ metadata }: AnyPackage): string =>
    JSON.stringify([metadata.generation, metadata.deletionTimestamp, metadata.annotations, metadata.labels]);
  return said(old) !== said(now);
}

/** What others go by: whether it is ready, and in which version. */
function isAnotherState(old: AnyPackage, now: AnyPackage): boolean {
  const state = ({ metadata, status, spec }: AnyPackage): string =>
    JSON.stringify([
      spec,
      metadata.deletionTimestamp,
      status?.version,
      status?.conditions?.map(({ type, status: is }) => [type, is]),
      status?.ownedPackages,
    ]);
  return state(old) !== state(now);
}

/** Everything whose change may mean work for packages of this kind. */
export function sourcesOf(context: PackageContext, kind: PackageKind): readonly Source[] {
  const { caches, owned, referenced } = context;
  const own = cacheOf(context, kind);
  const keys = (some: readonly AnyPackage[]): readonly string[] =>
    some.map(({ metadata }) => formatKey({ name: metadata.name ?? '', namespace: metadata.namespace }));
  const needing = (one: AnyPackage): readonly string[] => {
    const { name = '', namespace } = one.metadata;
    return keys(own.store.byIndex(BY_OWNED_PACKAGE, ownedKey({ kind: one.kind, name, namespace })));
  };
  const parts = (one: AnyPackage): readonly string[] =>
    (one.status?.ownedPackages ?? [])
      .filter((reference) => reference.kind === kind)
      .map(({ name, namespace }) => formatKey({ name, namespace }));
  const related = (one: AnyPackage): readonly string[] => [...needing(one), ...parts(one)];
  return [
    informerSource(own, { changed: isChanged }),
    informerSource(caches.packages as Informer<AnyPackage>, { map: related, changed: isAnotherState }),
    informerSource(caches.clusterPackages as Informer<AnyPackage>, { map: related, changed: isAnotherState }),
    informerSource(caches.packageInfos, {
      map: ({ metadata }) => keys(own.store.byIndex(BY_PACKAGE_INFO, metadata.name ?? '')),
      changed: (old, now) => old.metadata.resourceVersion !== now.metadata.resourceVersion,
    }),
    // Whom they mean is not known before they are looked at.
    informerSource(caches.packageSuspensions, { map: () => own.store.keys() }),
    informerSource(caches.clusterPackageSuspensions, { map: () => own.store.keys() }),
    // Their annotations and labels suspend.
    informerSource(caches.namespaces, {
      map: ({ metadata }) => (kind === 'Package' ? keys(own.store.list(metadata.name ?? '')) : []),
      changed: (old, now) =>
        old.metadata.annotations !== now.metadata.annotations || old.metadata.labels !== now.metadata.labels,
    }),
    informerSource(caches.clusterPackages as Informer<AnyPackage>, {
      map: ({ metadata }) =>
        keys(takersOf(caches, metadata.name ?? '').filter((taker) => taker.kind === kind)),
      changed: (old, now) => !deepEqual(old.spec.values, now.spec.values),
    }),
    owned.source(kind),
    referenced.source(kind),
  ];
}
