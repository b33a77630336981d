// Resources of the group that only the operator works with.
import type { ClusterPackageSuspension, PackageSuspension } from '../api/index.ts';
import { PACKAGES_GROUP } from '../api/index.ts';
import { kinds, resource, type Resource } from '../client/index.ts';
import type { AnyPackage, PackageKind } from '../packaging/index.ts';

export const packageSuspensions = resource<PackageSuspension>({
  group: PACKAGES_GROUP,
  version: 'v1alpha1',
  resource: 'packagesuspensions',
  namespaced: true,
});
export const clusterPackageSuspensions = resource<ClusterPackageSuspension>({
  group: PACKAGES_GROUP,
  version: 'v1alpha1',
  resource: 'clusterpackagesuspensions',
  namespaced: false,
});

export function resourceOf(kind: PackageKind): Resource<AnyPackage> {
  return kind === 'Package' ? kinds.packages : kinds.clusterPackages;
}
