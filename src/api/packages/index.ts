// Every kind of the package manager, in Glasskube's group. One file, one kind; Package and ClusterPackage share theirs.
import type { CustomResourceDefinition } from '../generated/kubernetes-types.ts';
import { crdOf, type KindDefinition } from '../kind.ts';
import { fleetSuspensionKind } from './fleet-suspension.ts';
import { packageInfoKind } from './package-info.ts';
import { packageRepositoryKind } from './package-repository.ts';
import { clusterPackageSuspensionKind, packageSuspensionKind } from './package-suspension.ts';
import { clusterPackageKind, packageKind } from './package.ts';

/** The kinds that the operator needs where it runs; the hub serves them too, as templates. */
export const packageKinds: readonly KindDefinition[] = [
  packageKind,
  clusterPackageKind,
  packageInfoKind,
  packageRepositoryKind,
  packageSuspensionKind,
  clusterPackageSuspensionKind,
];

/** Kinds of the hub alone. */
export const fleetPackageKinds: readonly KindDefinition[] = [fleetSuspensionKind];

/** Their CRDs, for members. */
export function packageCrds(): readonly CustomResourceDefinition[] {
  return packageKinds.map((kind) => crdOf(kind));
}

export type {
  ChartRelease,
  HelmManifest,
  ManifestObjectReference,
  PackageComponent,
  PackageDependency,
  PackageManifest,
  PlainManifest,
  ValueDefinition,
  ValueDefinitionTarget,
  ValueTransformation,
} from './manifest.ts';
export { packageManifest } from './manifest.ts';
export * from './names.ts';
export type { FleetClusterState, FleetSuspension } from './fleet-suspension.ts';
export type { ClusterPackageSuspension, PackageSuspension } from './package-suspension.ts';
export type { PackageSelector } from './suspension-fields.ts';
export type { FileDigest, PackageInfo } from './package-info.ts';
export type { PackageRepository, PackageRepositoryAuth } from './package-repository.ts';
export type {
  ClusterPackage,
  ObjectChange,
  OwnedResourceReference,
  Package,
  PackageInCluster,
  PackageSpec,
  PackageStatus,
  SuspensionDetail,
  SuspensionMode,
  SuspensionRecord,
  SuspensionSource,
  SuspensionStatus,
  ValueConfiguration,
} from './package.ts';
