// Every kind of Karmada's API that we serve.
import { clusterTaintPolicyKind } from './cluster-taint-policy.ts';
import { cronFederatedHpaKind } from './cron-federated-hpa.ts';
import { federatedHpaKind } from './federated-hpa.ts';
import { federatedResourceQuotaKind } from './federated-resource-quota.ts';
import type { KindDefinition } from '../kind.ts';
import { multiClusterIngressKind } from './multi-cluster-ingress.ts';
import { multiClusterServiceKind } from './multi-cluster-service.ts';
import { clusterOverridePolicyKind, overridePolicyKind } from './override-policy.ts';
import { clusterPropagationPolicyKind, propagationPolicyKind } from './propagation-policy.ts';
import { remedyKind } from './remedy.ts';
import { clusterResourceBindingKind, resourceBindingKind } from './resource-binding.ts';
import { resourceInterpreterCustomizationKind } from './resource-interpreter-customization.ts';
import { resourceInterpreterWebhookConfigurationKind } from './resource-interpreter-webhook-configuration.ts';
import { serviceExportKind } from './service-export.ts';
import { serviceImportKind } from './service-import.ts';
import { workKind } from './work.ts';
import { workloadRebalancerKind } from './workload-rebalancer.ts';

/** The kinds that are served from CRDs; Cluster is not one of them. */
export const karmadaKinds: readonly KindDefinition[] = [
  propagationPolicyKind,
  clusterPropagationPolicyKind,
  overridePolicyKind,
  clusterOverridePolicyKind,
  clusterTaintPolicyKind,
  federatedResourceQuotaKind,
  resourceBindingKind,
  clusterResourceBindingKind,
  workKind,
  workloadRebalancerKind,
  federatedHpaKind,
  cronFederatedHpaKind,
  resourceInterpreterCustomizationKind,
  resourceInterpreterWebhookConfigurationKind,
  multiClusterServiceKind,
  multiClusterIngressKind,
  remedyKind,
  serviceExportKind,
  serviceImportKind,
];

export { clusterDefinitions, clusterKind } from './cluster.ts';
export type {
  APIEnablement,
  Cluster,
  ClusterSpec,
  ClusterStatus,
  LocalSecretReference,
  ResourceModel,
  ResourceSummary,
} from './cluster.ts';
export type { ClusterTaintPolicy, TaintMatchCondition } from './cluster-taint-policy.ts';
export type { CronExecutionHistory, CronFederatedHPA, CronFederatedHPARule } from './cron-federated-hpa.ts';
export type { ApplicationFailover, ClusterFailover, Failover, StatePreservation } from './failover.ts';
export type { FederatedHPA } from './federated-hpa.ts';
export type { FederatedResourceQuota } from './federated-resource-quota.ts';
export type { MultiClusterIngress } from './multi-cluster-ingress.ts';
export type { MultiClusterService } from './multi-cluster-service.ts';
export * from './names.ts';
export type {
  ClusterOverridePolicy,
  CommandArgsOverrider,
  FieldOverrider,
  ImageOverrider,
  LabelAnnotationOverrider,
  OverridePolicy,
  OverrideSpec,
  Overriders,
  PlaintextOverrider,
} from './override-policy.ts';
export type {
  ClusterAffinityTerm,
  ClusterPreferences,
  OverflowAffinity,
  Placement,
  ReplicaScheduling,
  SpreadConstraint,
} from './placement.ts';
export type { ClusterPropagationPolicy, PropagationPolicy, PropagationSpec } from './propagation-policy.ts';
export type { DecisionMatch, Remedy } from './remedy.ts';
export type {
  AggregatedStatusItem,
  BindingSnapshot,
  ClusterResourceBinding,
  Component,
  GracefulEvictionTask,
  NodeClaim,
  ObjectReferenceSpec,
  ReplicaRequirements,
  ResourceBinding,
  ResourceBindingSpec,
  ResourceBindingStatus,
  TargetCluster,
} from './resource-binding.ts';
export type { ClusterResourceBindingV1alpha1, ResourceBindingV1alpha1 } from './resource-binding-v1alpha1.ts';
export type {
  Customizations,
  ResourceInterpreterCustomization,
} from './resource-interpreter-customization.ts';
export type {
  ResourceInterpreterWebhook,
  ResourceInterpreterWebhookConfiguration,
} from './resource-interpreter-webhook-configuration.ts';
export type { ClusterAffinity, FieldSelector, ResourceSelector } from './selectors.ts';
export type { ServiceExport } from './service-export.ts';
export type { ServiceImport } from './service-import.ts';
export type { ManifestStatus, ResourceIdentifier, Work } from './work.ts';
export type { WorkloadRebalancer } from './workload-rebalancer.ts';
