// The parts of Karmada's kinds that decisions read, until a kind's schema gives them.
import type {
  Condition,
  JsonValue,
  KubeObject,
  LabelSelector,
  NodeSelector,
  Taint,
  Toleration,
} from '../api/index.ts';

export type Quantities = Readonly<Record<string, string | number>>;

export interface FieldSelector {
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

export interface ClusterAffinity {
  readonly labelSelector?: LabelSelector;
  readonly fieldSelector?: FieldSelector;
  readonly clusterNames?: readonly string[];
  readonly exclude?: readonly string[];
}

export interface ResourceModel {
  readonly grade: number;
  readonly ranges: readonly {
    readonly name: string;
    readonly min: string | number;
    readonly max: string | number;
  }[];
}

export interface ResourceSummary {
  readonly allocatable?: Quantities;
  readonly allocating?: Quantities;
  readonly allocated?: Quantities;
  readonly allocatableModelings?: readonly { readonly grade: number; readonly count: number }[];
}

export interface Cluster extends KubeObject {
  readonly spec: {
    readonly region?: string;
    readonly provider?: string;
    readonly zone?: string;
    readonly zones?: readonly string[];
    readonly taints?: readonly Taint[];
    readonly resourceModels?: readonly ResourceModel[];
    readonly syncMode?: 'Push' | 'Pull';
  };
  readonly status?: {
    readonly apiEnablements?: readonly {
      readonly groupVersion: string;
      readonly resources?: readonly { readonly name: string; readonly kind: string }[];
    }[];
    readonly resourceSummary?: ResourceSummary;
    readonly conditions?: readonly Condition[];
  };
}

export interface ResourceSelector {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly labelSelector?: LabelSelector;
}

export interface SpreadConstraint {
  readonly spreadByField?: 'cluster' | 'region' | 'zone' | 'provider';
  readonly spreadByLabel?: string;
  readonly maxGroups?: number;
  readonly minGroups?: number;
}

export type OverflowAffinity = ClusterAffinity & { readonly affinityName: string };
export type ClusterAffinityTerm = ClusterAffinity & {
  readonly affinityName: string;
  readonly overflowAffinities?: readonly OverflowAffinity[];
};

export interface ReplicaScheduling {
  readonly replicaSchedulingType?: 'Duplicated' | 'Divided';
  readonly replicaDivisionPreference?: 'Aggregated' | 'Weighted';
  readonly weightPreference?: {
    readonly staticWeightList?: readonly {
      readonly targetCluster: ClusterAffinity;
      readonly weight: number;
    }[];
    readonly dynamicWeight?: 'AvailableReplicas';
  };
}

export interface Placement {
  readonly clusterAffinity?: ClusterAffinity;
  readonly clusterAffinities?: readonly ClusterAffinityTerm[];
  readonly clusterTolerations?: readonly Toleration[];
  readonly spreadConstraints?: readonly SpreadConstraint[];
  readonly replicaScheduling?: ReplicaScheduling;
  readonly workloadAffinity?: {
    readonly affinity?: { readonly groupByLabelKey: string };
    readonly antiAffinity?: { readonly groupByLabelKey: string };
  };
}

export interface PolicySuspension {
  readonly dispatching?: boolean;
  readonly dispatchingOnClusters?: { readonly clusterNames?: readonly string[] };
}

export interface StatePreservation {
  readonly rules: readonly { readonly aliasLabelName: string; readonly jsonPath: string }[];
}

export interface FailoverBehavior {
  readonly application?: {
    readonly decisionConditions: { readonly tolerationSeconds?: number };
    readonly purgeMode?: 'Directly' | 'Gracefully' | 'Never';
    readonly gracePeriodSeconds?: number;
    readonly statePreservation?: StatePreservation;
  };
  readonly cluster?: {
    readonly purgeMode?: 'Directly' | 'Gracefully';
    readonly statePreservation?: StatePreservation;
  };
}

export interface PropagationSpec {
  readonly resourceSelectors: readonly ResourceSelector[];
  readonly association?: boolean;
  readonly propagateDeps?: boolean;
  readonly placement?: Placement;
  readonly priority?: number;
  readonly preemption?: 'Always' | 'Never';
  readonly dependentOverrides?: readonly string[];
  readonly schedulerName?: string;
  readonly failover?: FailoverBehavior;
  readonly conflictResolution?: 'Abort' | 'Overwrite';
  readonly activationPreference?: 'Lazy';
  readonly suspension?: PolicySuspension;
  readonly preserveResourcesOnDeletion?: boolean;
  readonly schedulePriority?: {
    readonly priorityClassSource: 'KubePriorityClass';
    readonly priorityClassName: string;
  };
}

export interface PropagationPolicy extends KubeObject {
  readonly spec: PropagationSpec;
}
export interface ClusterPropagationPolicy extends KubeObject {
  readonly spec: PropagationSpec;
}

export interface NodeClaim {
  readonly hardNodeAffinity?: NodeSelector;
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly tolerations?: readonly Toleration[];
}

export interface ReplicaRequirements {
  readonly nodeClaim?: NodeClaim;
  readonly resourceRequest?: Quantities;
  readonly namespace?: string;
  readonly priorityClassName?: string;
}

export interface BindingComponent {
  readonly name: string;
  readonly replicas: number;
  readonly replicaRequirements?: {
    readonly nodeClaim?: NodeClaim;
    readonly resourceRequest?: Quantities;
    readonly priorityClassName?: string;
  };
}

export interface TargetCluster {
  readonly name: string;
  readonly replicas?: number;
  readonly components?: readonly { readonly name: string; readonly replicas: number }[];
}

export interface BindingSnapshot {
  readonly namespace?: string;
  readonly name: string;
  readonly clusters?: readonly TargetCluster[];
}

export interface GracefulEvictionTask {
  readonly fromCluster: string;
  readonly purgeMode?: 'Directly' | 'Gracefully' | 'Never';
  readonly replicas?: number;
  readonly reason: string;
  readonly message?: string;
  readonly producer: string;
  readonly gracePeriodSeconds?: number;
  readonly suppressDeletion?: boolean;
  readonly preservedLabelState?: Readonly<Record<string, string>>;
  readonly creationTimestamp?: string;
  readonly clustersBeforeFailover?: readonly string[];
}

export interface ObjectIdentity {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
}

export interface BindingSpec {
  readonly resource: ObjectIdentity;
  readonly propagateDeps?: boolean;
  readonly replicaRequirements?: ReplicaRequirements;
  readonly replicas?: number;
  readonly components?: readonly BindingComponent[];
  readonly clusters?: readonly TargetCluster[];
  readonly placement?: Placement;
  readonly gracefulEvictionTasks?: readonly GracefulEvictionTask[];
  readonly requiredBy?: readonly BindingSnapshot[];
  readonly schedulerName?: string;
  readonly failover?: FailoverBehavior;
  readonly conflictResolution?: 'Abort' | 'Overwrite';
  readonly rescheduleTriggeredAt?: string;
  readonly suspension?: PolicySuspension & { readonly scheduling?: boolean };
  readonly preserveResourcesOnDeletion?: boolean;
  readonly schedulePriority?: { readonly priority?: number };
  readonly workloadAffinityGroups?: { readonly affinityGroup?: string; readonly antiAffinityGroup?: string };
}

export interface AggregatedStatusItem {
  readonly clusterName: string;
  readonly status?: JsonValue;
  readonly applied?: boolean;
  readonly appliedMessage?: string;
  readonly health?: 'Healthy' | 'Unhealthy' | 'Unknown';
}

export interface BindingStatus {
  readonly schedulerObservedGeneration?: number;
  readonly schedulerObservingAffinityName?: string;
  readonly lastScheduledTime?: string;
  readonly conditions?: readonly Condition[];
  readonly aggregatedStatus?: readonly AggregatedStatusItem[];
}

export interface ResourceBinding extends KubeObject {
  readonly spec: BindingSpec;
  readonly status?: BindingStatus;
}
export interface ClusterResourceBinding extends KubeObject {
  readonly spec: BindingSpec;
  readonly status?: BindingStatus;
}

export interface ManifestStatus {
  readonly identifier: {
    readonly ordinal: number;
    readonly group?: string;
    readonly version: string;
    readonly kind: string;
    readonly resource: string;
    readonly namespace?: string;
    readonly name: string;
  };
  readonly status?: JsonValue;
  readonly health?: 'Healthy' | 'Unhealthy' | 'Unknown';
}

export interface Work extends KubeObject {
  readonly spec: {
    readonly workload: { readonly manifests: readonly KubeObject[] };
    readonly suspendDispatching?: boolean;
    readonly preserveResourcesOnDeletion?: boolean;
  };
  readonly status?: {
    readonly conditions?: readonly Condition[];
    readonly manifestStatuses?: readonly ManifestStatus[];
  };
}
