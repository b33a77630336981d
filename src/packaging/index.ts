export { packageCharts } from './charts/package-charts.ts';
export type { HelmSetting, PackageCharts } from './charts/package-charts.ts';
export { fetchChart } from './charts/source.ts';
export { ChartRenderer } from './charts/renderer.ts';
export type { HelmProgram } from './charts/renderer.ts';
export { RESOURCE_POLICY, capabilitiesFrom } from './charts/template.ts';
export type { Capabilities } from './charts/template.ts';
export type { HelmMode } from './charts/way.ts';
export { ConstraintError, constraintObjection, parseConstraint } from './constraint.ts';
export type { Constraint } from './constraint.ts';
export type { FetchFile, FetchRequest, FetchedFile } from './fetch.ts';
export { PackageGraph, edgesOf, scopeComplaint, uninstallPlan } from './graph.ts';
export type { Edge, EdgeProblem, InstalledPackage, Vertex } from './graph.ts';
export { objectHealth, packageHealth } from './health.ts';
export type { ObjectHealth, PackageHealth } from './health.ts';
export { ManifestError, helmComplaint, lintManifest, readManifest, releasesOf, scopeOf } from './manifest.ts';
export {
  isInstalledAsDependency,
  isSuspendedBySpec,
  packageId,
  packageKey,
  packageReference,
  updatesItself,
} from './package-object.ts';
export type { AnyPackage, PackageId, PackageKind } from './package-object.ts';
export { packArtifact, type PackedFile } from './oci/pack.ts';
export { PatchError, transformationPatches, valuePatches } from './patches.ts';
export type { ValuePatch } from './patches.ts';
export type { ApplyStage, PackagePlan, PackageReason, PackageStep, PackageVerdict } from './plan.ts';
export {
  isManaged,
  isOwned,
  isPrepared,
  isWaiting,
  ownedPackages,
  packageComplaint,
  planPackage,
  preparePackage,
} from './prepare.ts';
export type { Dependency, PlanInput, PrepareInput, Prepared } from './prepare.ts';
export {
  HELM_RELEASE,
  HELM_REPOSITORY,
  RenderError,
  missingFlux,
  renderPackage,
  resourceKey,
  resourceReference,
  sameResource,
  stageOf,
} from './render.ts';
export type { KindLookup, ManifestFile, RenderInput, RenderedObject } from './render.ts';
export { defaultRepository, metaIndex, repositoryFor, resolveDependencies } from './repositories.ts';
export type { CatalogueReaders, MetaIndex, OfferedPackage } from './repositories.ts';
export {
  RepositoryError,
  authorizationOf,
  createRepositoryClient,
  repositoryAddressProblem,
} from './repository-client.ts';
export type {
  FetchedDocuments,
  FetchedManifest,
  PackageRepositoryClient,
  RepositorySeams,
  RepositorySettings,
} from './repository-client.ts';
export {
  decideResume,
  isResuming,
  needsReview,
  onDriftOf,
  resumePendingCondition,
  waitsForReview,
  withoutConflictField,
  withoutKeptFields,
} from './resume.ts';
export type { OnDrift, ResumeDecision } from './resume.ts';
export {
  APPLIED_CHUNKS,
  APPLIED_CHUNKS_MAX,
  APPLIED_DIGEST,
  APPLIED_KEY,
  APPLIED_TYPE,
  againstApplied,
  appliedPlace,
  readApplied,
} from './applied-snapshot.ts';
export type { Applied, AppliedContent } from './applied-snapshot.ts';
export { CHANGES_MAX, comparable, driftOf, planText, plannedChanges } from './drift.ts';
export type { ComparedObject, PlannedChange } from './drift.ts';
export { packageInfoFor, packageInfoName } from './repository.ts';
export type { IndexEntry, PackageVersions } from './repository.ts';
export { packageRoles } from './roles.ts';
export { solve } from './solve.ts';
export type {
  Catalogue,
  Conflict,
  Offer,
  Requirement,
  Resolution,
  ResolutionStatus,
  SolveInput,
  SolveResult,
} from './solve.ts';
export { specHashText } from './spec-hash.ts';
export { referenceOf, resolveValues, validateValues, valueReferences } from './values.ts';
export type { Lookup, ResolvedValues, ValueReference, ValueSources, Values } from './values.ts';
export { compareVersions, isUpgrade, newestFirst, parseVersion } from './version.ts';
export type { Version } from './version.ts';
export { effectiveSuspension, isMeantBySuspension, isSelectedPackage, policyState } from './suspension.ts';
export type { AnySuspension, EffectiveSuspension, PolicyState, SuspensionInput } from './suspension.ts';
export {
  sourceText,
  suspendedCondition,
  suspensionMessage,
  suspensionRecord,
  suspensionStatus,
  suspensionTransition,
  withSuspensionRecord,
  type SuspensionTransition,
} from './suspension-report.ts';
export { windowProblem, type SuspensionWindow } from './windows.ts';
export { fleetOverrideName, planFleetSuspension } from './fleet/suspension.ts';
export type { FleetSuspensionInput, FleetSuspensionPlan } from './fleet/suspension.ts';
export { decideRollout } from './fleet/rollout.ts';
export type { ObservedInCluster } from './fleet/rollout.ts';
export { fleetObjects, packageKindOf, RENDERED_ANNOTATION } from './fleet/objects.ts';
export { revisionOf, wantedIn, type AnyFleetPackage } from './fleet/revision.ts';
export {
  isRolloutSuspended,
  rolloutSuspensionProblem,
  saysRolloutSuspended,
  stampRollout,
  verbsForRollout,
  withRolloutSuspension,
  withoutRolloutSuspension,
} from './fleet/rollout-suspension.ts';
export {
  packageSuspensionProblem,
  policySuspensionProblem,
  suspendsItsPackages,
  verbsForNamespace,
  verbsForPackage,
  verbsForPolicy,
  type SuspensionVerb,
} from './suspension-rights.ts';
export {
  PACKAGE_LABELS,
  SUSPENDED_LABELS,
  driftedClusters,
  driftedObjects,
  readyPackages,
  suspendedPackageSeconds,
  suspendedPackages,
} from './suspension-series.ts';
export {
  stampPackage,
  stampSuspender,
  withAnnotations,
  withPackageSuspension,
  withoutPackageSuspension,
  type ResumeWish,
} from './suspension-stamp.ts';
