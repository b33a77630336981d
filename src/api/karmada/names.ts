// Labels, annotations, finalizers, taints and namespaces that Karmada's API gives a meaning to. Clusters, tools
// and other control planes read them, so none of these may ever change.

/** Which policy claimed a template. On the policy, its templates and its bindings. */
export const PROPAGATION_POLICY_ID_LABEL = 'propagationpolicy.karmada.io/permanent-id';
export const PROPAGATION_POLICY_NAMESPACE_ANNOTATION = 'propagationpolicy.karmada.io/namespace';
export const PROPAGATION_POLICY_NAME_ANNOTATION = 'propagationpolicy.karmada.io/name';
export const CLUSTER_PROPAGATION_POLICY_ID_LABEL = 'clusterpropagationpolicy.karmada.io/permanent-id';
export const CLUSTER_PROPAGATION_POLICY_NAME_ANNOTATION = 'clusterpropagationpolicy.karmada.io/name';

/** Which binding a Work and a member object come from. */
export const RESOURCE_BINDING_ID_LABEL = 'resourcebinding.karmada.io/permanent-id';
export const RESOURCE_BINDING_NAMESPACE_ANNOTATION = 'resourcebinding.karmada.io/namespace';
export const RESOURCE_BINDING_NAME_ANNOTATION = 'resourcebinding.karmada.io/name';
export const CLUSTER_RESOURCE_BINDING_ID_LABEL = 'clusterresourcebinding.karmada.io/permanent-id';
export const CLUSTER_RESOURCE_BINDING_NAME_ANNOTATION = 'clusterresourcebinding.karmada.io/name';
/** On a binding: JSON array of what the template refers to. */
export const DEPENDENCIES_ANNOTATION = 'resourcebinding.karmada.io/dependencies';
/** On the binding of a dependency: followed by a hash of the binding that needs it, whose permanent id is the value. */
export const DEPENDED_BY_LABEL_PREFIX = 'resourcebinding.karmada.io/depended-by-';
/** Who other than the detector owns a binding. */
export const BINDING_MANAGED_BY_LABEL = 'binding.karmada.io/managed-by';
/** On a binding: JSON of the placement that the scheduler last used. */
export const APPLIED_PLACEMENT_ANNOTATION = 'policy.karmada.io/applied-placement';

/** Which Work a member object comes from. */
export const WORK_ID_LABEL = 'work.karmada.io/permanent-id';
export const WORK_NAMESPACE_ANNOTATION = 'work.karmada.io/namespace';
export const WORK_NAME_ANNOTATION = 'work.karmada.io/name';
/** `overwrite` or `abort`. */
export const CONFLICT_RESOLUTION_ANNOTATION = 'work.karmada.io/conflict-resolution';
/** `true` on every member object that is ours; the only test for whether it may be changed or deleted. */
export const MANAGED_LABEL = 'karmada.io/managed';
/** `true` on objects that the control plane made for itself. */
export const SYSTEM_LABEL = 'karmada.io/system';

/** On member objects: where they come from, and which keys we wrote. */
export const TEMPLATE_UID_ANNOTATION = 'resourcetemplate.karmada.io/uid';
export const TEMPLATE_GENERATION_ANNOTATION = 'resourcetemplate.karmada.io/generation';
export const MANAGED_LABELS_ANNOTATION = 'resourcetemplate.karmada.io/managed-labels';
export const MANAGED_ANNOTATIONS_ANNOTATION = 'resourcetemplate.karmada.io/managed-annotations';
/** `true` on a template: replicas in members stay as they are there. */
export const RETAIN_REPLICAS_LABEL = 'resourcetemplate.karmada.io/retain-replicas';
/** `Always` on any object: it cannot be deleted. */
export const DELETION_PROTECTED_LABEL = 'resourcetemplate.karmada.io/deletion-protected';
export const DELETION_PROTECTED_ALWAYS = 'Always';
/** On a template: another controller propagates it. */
export const CLAIMED_BY_LABEL = 'resourcetemplate.karmada.io/claimed-by';

/** On a Work: JSON lists of what override policies changed. */
export const APPLIED_OVERRIDES_ANNOTATION = 'policy.karmada.io/applied-overrides';
export const APPLIED_CLUSTER_OVERRIDES_ANNOTATION = 'policy.karmada.io/applied-cluster-overrides';

/** On Works of a FederatedResourceQuota. */
export const FEDERATED_RESOURCE_QUOTA_NAMESPACE_LABEL = 'federatedresourcequota.karmada.io/namespace';
export const FEDERATED_RESOURCE_QUOTA_NAME_LABEL = 'federatedresourcequota.karmada.io/name';

/** On a Namespace: it is not copied to the members. */
export const SKIP_AUTO_PROPAGATION_LABEL = 'namespace.karmada.io/skip-auto-propagation';

export const MULTI_CLUSTER_SERVICE_ID_LABEL = 'multiclusterservice.karmada.io/permanent-id';
/** Labels on Works, annotations on Services and bindings. */
export const MULTI_CLUSTER_SERVICE_NAMESPACE = 'multiclusterservice.karmada.io/namespace';
export const MULTI_CLUSTER_SERVICE_NAME = 'multiclusterservice.karmada.io/name';
export const ENDPOINT_SLICE_MANAGED_BY_LABEL = 'endpointslice.karmada.io/managed-by';
export const ENDPOINT_SLICE_NAMESPACE_LABEL = 'endpointslice.karmada.io/namespace';
export const ENDPOINT_SLICE_NAME_LABEL = 'endpointslice.karmada.io/name';
export const ENDPOINT_SLICE_PROVISION_CLUSTER_ANNOTATION = 'endpointslice.karmada.io/provision-cluster';
export const CACHED_FROM_CLUSTER_ANNOTATION = 'resource.karmada.io/cached-from-cluster';
export const QUERY_FROM_CLUSTER_ANNOTATION = 'resource.karmada.io/query-from-cluster';

export const BINDING_FINALIZER = 'karmada.io/binding-controller';
export const CLUSTER_BINDING_FINALIZER = 'karmada.io/cluster-resource-binding-controller';
export const EXECUTION_FINALIZER = 'karmada.io/execution-controller';
export const DEPENDENCIES_FINALIZER = 'karmada.io/binding-dependencies-distributor';
export const PROPAGATION_POLICY_FINALIZER = 'karmada.io/propagation-policy-controller';
export const CLUSTER_PROPAGATION_POLICY_FINALIZER = 'karmada.io/cluster-propagation-policy-controller';
export const CLUSTER_FINALIZER = 'karmada.io/cluster-controller';
export const MULTI_CLUSTER_SERVICE_FINALIZER = 'karmada.io/multiclusterservice-controller';
export const ENDPOINT_SLICE_DISPATCH_FINALIZER = 'karmada.io/mcs-endpointslice-dispatch-controller';
export const ENDPOINT_SLICE_FINALIZER = 'karmada.io/endpointslice-controller';

/** Taints that the control plane puts on clusters, and the one of `cordon`. */
export const CLUSTER_UNSCHEDULABLE_TAINT = 'cluster.karmada.io/unschedulable';
export const CLUSTER_NOT_READY_TAINT = 'cluster.karmada.io/not-ready';
export const CLUSTER_UNREACHABLE_TAINT = 'cluster.karmada.io/unreachable';
/** Put on by releases before 1.14 only. */
export const CLUSTER_TERMINATING_TAINT = 'cluster.karmada.io/terminating';

/** Conditions of a Cluster. */
export const CLUSTER_READY_CONDITION = 'Ready';
export const COMPLETE_API_ENABLEMENTS_CONDITION = 'CompleteAPIEnablements';
/** Conditions of bindings and Works. */
export const SCHEDULED_CONDITION = 'Scheduled';
export const FULLY_APPLIED_CONDITION = 'FullyApplied';
export const APPLIED_CONDITION = 'Applied';
/** Ours: somebody else keeps changing what a Work says. */
export const CONTESTED_CONDITION = 'Contested';
/** Ours: whether the status of a binding is as of now, or some member is silent. */
export const STATUS_CURRENT_CONDITION = 'StatusCurrent';
/** Ours: whether all that a template needs is where the template is. */
export const DEPENDENCIES_READY_CONDITION = 'DependenciesReady';
/** Ours: those who have a say in something that is needed do not agree. */
export const DEPENDENCY_CONFLICT_CONDITION = 'DependencyConflict';
export const DISPATCHING_CONDITION = 'Dispatching';

export const SYSTEM_NAMESPACE = 'karmada-system';
/** Holds the Secrets and Leases of clusters. */
export const CLUSTER_NAMESPACE = 'karmada-cluster';
const EXECUTION_NAMESPACE_PREFIX = 'karmada-es-';

export const DEFAULT_SCHEDULER = 'default-scheduler';

/** The namespace that holds the Works of a cluster. */
export function executionNamespace(cluster: string): string {
  return `${EXECUTION_NAMESPACE_PREFIX}${cluster}`;
}

/** The cluster whose Works a namespace holds; undefined for every other namespace. */
export function clusterOfExecutionNamespace(namespace: string): string | undefined {
  return namespace.startsWith(EXECUTION_NAMESPACE_PREFIX)
    ? namespace.slice(EXECUTION_NAMESPACE_PREFIX.length)
    : undefined;
}

/** Whether a namespace belongs to the control plane: nothing in it is ever propagated. */
export function isReservedNamespace(namespace: string): boolean {
  return (
    namespace === SYSTEM_NAMESPACE ||
    namespace === CLUSTER_NAMESPACE ||
    namespace.startsWith(EXECUTION_NAMESPACE_PREFIX)
  );
}
