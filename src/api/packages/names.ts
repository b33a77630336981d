// Labels, annotations, finalizers and names that Glasskube's API gives a meaning to, and ours beside them. Manifests and
// clients of Glasskube read them, so none of these may ever change.

export const PACKAGES_GROUP = 'packages.glasskube.dev';
export const PACKAGES_API_VERSION = 'packages.glasskube.dev/v1alpha1';

/** Where the operator lives, and where repositories keep their Secrets. */
export const PACKAGES_NAMESPACE = 'glasskube-system';

/** The ConfigMap in which the operator says what it renders charts with: mode, and version or missing. */
export const HELM_NOTICE = { namespace: PACKAGES_NAMESPACE, name: 'package-operator-helm' } as const;

/** On packages: what was created for them is taken down first. */
export const PACKAGE_FINALIZER = 'packages.glasskube.dev/packageDeletion';
/** `true` on a package: it follows the latest version of its repository. */
export const AUTO_UPDATE_ANNOTATION = 'packages.glasskube.dev/auto-update';
/** `true` on a package that was created because another needs it; it goes when nothing needs it any more. */
export const INSTALLED_AS_DEPENDENCY_ANNOTATION = 'packages.glasskube.dev/installed-as-dependency';
/** On pod templates of Deployments and StatefulSets: the hash of the package's spec, so that they restart with it. */
export const SPEC_HASH_ANNOTATION = 'packages.glasskube.dev/package-spec-hashed';
/** `true` on a package: it lets go of what it brought, which stays when the package is deleted. */
export const ORPHAN_ANNOTATION = 'packages.glasskube.dev/orphan';
/** `true` on the PackageRepository that packages without a repository come from. */
export const DEFAULT_REPOSITORY_ANNOTATION = 'packages.glasskube.dev/default-repository';
/** `disabled` on an owned object: it is neither applied nor pruned, but still tracked. */
export const RECONCILE_ANNOTATION = 'packages.glasskube.dev/reconcile';
/** `binary` or `flux` on a package: how its charts are installed, where the operator leaves that open. */
export const HELM_ANNOTATION = 'packages.glasskube.dev/helm';
/** On resources of namespaced packages: the name in the repository, and the name of the Package. */
export const PACKAGE_LABEL = 'packages.glasskube.dev/package';
export const PACKAGE_INSTANCE_LABEL = 'packages.glasskube.dev/instance';

/** On owned objects; the gate for owner references and pruning. */
export const PACKAGE_MANAGED_LABEL = 'app.kubernetes.io/managed-by';
export const PACKAGE_MANAGED_VALUE = 'glasskube';

/** Who applies the objects of packages. */
export const PACKAGE_FIELD_MANAGER = 'packages.glasskube.dev/package-controller';

/** Who suspended a package and when; kept as long as it is suspended. */
export const SUSPENDED_BY_ANNOTATION = 'packages.glasskube.dev/suspended-by';
export const SUSPENDED_AT_ANNOTATION = 'packages.glasskube.dev/suspended-at';
/** `true` on a Namespace: its Packages are suspended. */
export const SUSPEND_NAMESPACE_ANNOTATION = 'packages.glasskube.dev/suspend';
/** Who resumed it last, when and why; the first two are written by the control plane, and all go when it is suspended again. */
export const RESUMED_BY_ANNOTATION = 'packages.glasskube.dev/resumed-by';
export const RESUMED_AT_ANNOTATION = 'packages.glasskube.dev/resumed-at';
export const RESUME_REASON_ANNOTATION = 'packages.glasskube.dev/resume-reason';
/** On a package: the suspension policy that is not for it, if that one allows it. */
export const SUSPENSION_EXEMPT_ANNOTATION = 'packages.glasskube.dev/suspension-exempt';
/** On a package whose resumption waits for a review: the hash of the plan that may be carried out. */
export const APPROVED_PLAN_ANNOTATION = 'packages.glasskube.dev/approved-plan';
/**
 * On a package that is resumed: `overwrite` takes back what others changed meanwhile, `keep` leaves those fields to them from
 * now on. It goes when it was done.
 */
export const ON_DRIFT_ANNOTATION = 'packages.glasskube.dev/on-drift';
/** On a package: how often drift is looked for while it is suspended, as a duration from 1m on. */
export const DRIFT_INTERVAL_ANNOTATION = 'packages.glasskube.dev/drift-interval';
/** On a HelmRelease that we suspended: the package, as `namespace/name`. */
export const SUSPENDED_BY_PACKAGE_ANNOTATION = 'packages.glasskube.dev/suspended-by-package';
/** `true` on a package in a member that was suspended there, and not by the hub, which then leaves that alone. */
export const LOCAL_SUSPENSION_ANNOTATION = 'packages.glasskube.dev/local-suspension';
/** On a package in a member: the FleetSuspension by which the hub suspends it there. */
export const FLEET_SUSPENSION_ANNOTATION = 'packages.glasskube.dev/fleet-suspension';
