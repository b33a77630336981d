// How often the operator looks at what no watch shows, and what it may do.

export interface PackageSettings {
  /** How often repositories are read. */
  readonly repositorySyncMs: number;
  /** How often manifests are compared with what the repository says now. */
  readonly packageInfoSyncMs: number;
  /** How often a package is looked at though nothing is known to have changed. */
  readonly resyncMs: number;
  /** After what only a person can put right, and for what waits without a watch: kinds that are not served yet. */
  readonly retryMs: number;
  /** How often packages that update themselves are compared with their repository. */
  readonly autoUpdateMs: number;
  /** LIMIT: for a definition to be served after it was applied. */
  readonly definitionWaitMs: number;
  /** How often suspended packages are compared with what was applied, where they do not say. */
  readonly driftMs: number;
  /** Packages at once, of each kind. */
  readonly concurrency: number;
  /** Whether a Package may take values from Secrets and ConfigMaps of other namespaces. */
  readonly allowCrossNamespaceReferences: boolean;
}

export const defaultPackageSettings: PackageSettings = {
  repositorySyncMs: 5 * 60_000,
  packageInfoSyncMs: 5 * 60_000,
  resyncMs: 10 * 60_000,
  retryMs: 60_000,
  autoUpdateMs: 10 * 60_000,
  definitionWaitMs: 30_000,
  driftMs: 5 * 60_000,
  concurrency: 4,
  allowCrossNamespaceReferences: false,
};
