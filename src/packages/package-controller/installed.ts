// The packages of the cluster as the solver sees them.
import type { PackageManifest } from '../../api/index.ts';
import { isBeingDeleted } from '../../machinery/index.ts';
import {
  isInstalledAsDependency,
  packageId,
  packageInfoName,
  type AnyPackage,
  type InstalledPackage,
} from '../../packaging/index.ts';
import { allPackages, type PackageContext } from '../context.ts';

/** COMPAT: what is being deleted counts as not installed. */
export function installedPackages(context: PackageContext): readonly InstalledPackage[] {
  return allPackages(context.caches)
    .filter((one) => !isBeingDeleted(one))
    .map((one) => ({
      ...packageId(one),
      kind: one.kind,
      packageName: one.spec.packageInfo.name,
      version: one.spec.packageInfo.version,
      repositoryName: one.spec.packageInfo.repositoryName ?? '',
      manual: !isInstalledAsDependency(one),
      manifest: manifestOf(context, one),
    }));
}

/** What its PackageInfo says; undefined: it has not been read. */
export function manifestOf({ caches }: PackageContext, { spec }: AnyPackage): PackageManifest | undefined {
  const { name, version, repositoryName = '' } = spec.packageInfo;
  const info = caches.packageInfos.store.get(packageInfoName(repositoryName, name, version));
  return info?.status?.version === version ? info.status.manifest : undefined;
}
