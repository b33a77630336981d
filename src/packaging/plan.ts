// The plan of one reconcile of a package, as data: what `navarch package plan` shows and the operator carries out. It is
// computed whole before the first write, so that a value that is wrong or a dependency that cannot be had leaves nothing
// half-installed.
import type { KubeObject, OwnedResourceReference } from '../api/index.ts';
import type { PackageKind } from './package-object.ts';

/** Reasons of the conditions Ready and Failed, Glasskube's and ours. */
export type PackageReason =
  | 'SyncCompleted'
  | 'SyncFailed'
  | 'Reconciling'
  | 'UpToDate'
  | 'UnsupportedFormat'
  | 'ValueConfigurationInvalid'
  | 'InstallationSucceeded'
  | 'InstallationFailed'
  | 'Pending'
  /** Ours: a file of a published version is not what it was. */
  | 'IntegrityFailed'
  /** Ours: charts are in the package, and nothing in the cluster installs charts. */
  | 'HelmUnavailable'
  /** Ours: what it brought was let go of. */
  | 'Orphaned'
  /** Ours: suspended while objects were being applied. */
  | 'SuspendedMidApply';

/** What the conditions say: both Ready and Failed carry the same reason and message. */
export interface PackageVerdict {
  /** Unknown: it may become ready by itself. */
  readonly state: 'Ready' | 'Failed' | 'Unknown';
  readonly reason: PackageReason;
  readonly message: string;
}

export type PackageStep =
  /** Another package that this one needs; recorded on this one before it is created. */
  | { readonly do: 'CreatePackage'; readonly kind: PackageKind; readonly object: KubeObject }
  /** Values of a component that belongs to this package alone. */
  | { readonly do: 'SetComponentValues'; readonly kind: PackageKind; readonly object: KubeObject }
  /**
   * By server-side apply. Definitions and namespaces come first and are waited for; `owned`: it carries our label and
   * owner reference, because it was not there before or is ours already.
   */
  | { readonly do: 'Apply'; readonly object: KubeObject; readonly stage: ApplyStage; readonly owned: boolean }
  /** Only after everything has been applied with success. */
  | { readonly do: 'Prune'; readonly reference: OwnedResourceReference };

export type ApplyStage = 'Namespace' | 'Definition' | 'Object';

export interface PackagePlan {
  /** What is known before anything is done: Failed and Unknown plans have no steps that touch objects. */
  readonly verdict: PackageVerdict;
  readonly steps: readonly PackageStep[];
  /** The objects as they are wanted, all of them, in the order in which they are applied. */
  readonly rendered: readonly KubeObject[];
  /** What `status.ownedResources` holds once the plan is carried out. */
  readonly owned: readonly OwnedResourceReference[];
  /** Why it is so, a line each, for people. */
  readonly explanation: readonly string[];
}
