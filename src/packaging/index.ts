export {
  isInstalledAsDependency,
  isSuspendedBySpec,
  packageId,
  packageKey,
  packageReference,
  updatesItself,
} from './package-object.ts';
export type { AnyPackage, PackageId, PackageKind } from './package-object.ts';
export type { ApplyStage, PackagePlan, PackageReason, PackageStep, PackageVerdict } from './plan.ts';
export { effectiveSuspension } from './suspension.ts';
export type { EffectiveSuspension, SuspensionInput } from './suspension.ts';
