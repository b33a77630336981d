// The binding that a template and its policy call for (scheduling.md §5), and how it is laid over one that exists.
// INVARIANT: what others write into a binding (clusters, eviction tasks, requiredBy, rescheduleTriggeredAt,
// suspension.scheduling) survives every update from here.
import {
  BINDING_FINALIZER,
  CLUSTER_BINDING_FINALIZER,
  CLUSTER_PROPAGATION_POLICY_ID_LABEL,
  CLUSTER_PROPAGATION_POLICY_NAME_ANNOTATION,
  PROPAGATION_POLICY_ID_LABEL,
  type Component,
  type KubeObject,
  type ObjectMeta,
  type ReplicaRequirements,
  type ResourceBindingSpec,
} from '../api/index.ts';
import { controllerOf, controllerReference, deepEqual } from '../machinery/index.ts';
import { claimFor, claimMarks, withoutKeys } from './claim.ts';
import { bindingName } from './names.ts';
import type { Binding, Policy } from './kinds.ts';

export interface BindingInput {
  readonly template: KubeObject;
  readonly policy: Policy;
  /** What the interpreter says; components come instead of replicas, and neither for what is no workload. */
  readonly replicas?: number;
  readonly replicaRequirements?: ReplicaRequirements | undefined;
  readonly components?: readonly Component[];
  /** The value of the policy's priority class; only when there is one and its gate is on. */
  readonly schedulePriority?: number;
  readonly gates: { readonly WorkloadAffinity: boolean; readonly ResourceQuotaEstimate: boolean };
}

type Spec = ResourceBindingSpec;

/** Only the fields that are set, so that an unset one does not show as a key. */
function present<T extends object>(fields: { readonly [K in keyof T]: T[K] | undefined }): T {
  const kept = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(kept) as T;
}

function affinityGroups(input: BindingInput): Spec['workloadAffinityGroups'] {
  const { workloadAffinity } = input.policy.spec.placement ?? {};
  if (!input.gates.WorkloadAffinity || workloadAffinity === undefined) return undefined;
  const labels = input.template.metadata.labels;
  const group = (key: string | undefined): string | undefined =>
    key === undefined || labels?.[key] === undefined ? undefined : `${key}=${labels[key]}`;
  const affinityGroup = group(workloadAffinity.affinity?.groupByLabelKey);
  const antiAffinityGroup = group(workloadAffinity.antiAffinity?.groupByLabelKey);
  if (affinityGroup === undefined && antiAffinityGroup === undefined) return undefined;
  return present({ affinityGroup, antiAffinityGroup });
}

function requirements({ replicaRequirements, template, gates }: BindingInput): Spec['replicaRequirements'] {
  if (replicaRequirements === undefined || !gates.ResourceQuotaEstimate) return replicaRequirements;
  const { namespace = '' } = template.metadata;
  if ((replicaRequirements.namespace ?? '') !== '' || namespace === '') return replicaRequirements;
  return { ...replicaRequirements, namespace };
}

function desiredSpec(input: BindingInput, namespaced: boolean): Spec {
  const { template, policy } = input;
  const { spec } = policy;
  const { metadata } = template;
  const { scheduling: _scheduling, ...suspension } = (spec.suspension ?? {}) as { scheduling?: boolean };
  return present<Spec>({
    resource: present<Spec['resource']>({
      apiVersion: template.apiVersion,
      kind: template.kind,
      namespace: metadata.namespace,
      name: metadata.name ?? '',
      uid: metadata.uid,
      resourceVersion: metadata.resourceVersion,
    }),
    propagateDeps: spec.propagateDeps === true ? true : undefined,
    // COMPAT: no replicas is written as an absent field (rep-zero).
    replicas: input.components !== undefined || input.replicas === 0 ? undefined : input.replicas,
    replicaRequirements: input.components === undefined ? requirements(input) : undefined,
    components: input.components,
    placement: spec.placement ?? {},
    schedulerName: spec.schedulerName,
    failover: spec.failover,
    conflictResolution: spec.conflictResolution ?? 'Abort',
    suspension: spec.suspension === undefined ? undefined : suspension,
    preserveResourcesOnDeletion: spec.preserveResourcesOnDeletion,
    schedulePriority:
      namespaced && input.schedulePriority !== undefined ? { priority: input.schedulePriority } : undefined,
    workloadAffinityGroups: namespaced ? affinityGroups(input) : undefined,
  });
}

/** The binding as it is created; permanent id and resourceVersion come from the API server. */
export function desiredBinding(input: BindingInput): Binding {
  const { template, policy } = input;
  const { namespace = '', name = '' } = template.metadata;
  const namespaced = namespace !== '';
  const { labels, annotations } = claimMarks(claimFor(policy));
  const metadata: ObjectMeta = {
    name: bindingName(template.kind, name),
    ...(namespaced ? { namespace } : {}),
    labels,
    annotations,
    ownerReferences: [controllerReference(template)],
    finalizers: [namespaced ? BINDING_FINALIZER : CLUSTER_BINDING_FINALIZER],
  };
  const spec = desiredSpec(input, namespaced);
  const apiVersion = 'work.karmada.io/v1alpha2';
  return namespaced
    ? { apiVersion, kind: 'ResourceBinding', metadata, spec }
    : { apiVersion, kind: 'ClusterResourceBinding', metadata, spec };
}

export type BindingUpdate =
  /** Someone else's: the garbage collector has not yet removed it, or two kinds share the name. */
  | { readonly result: 'conflict'; readonly ownerUid: string }
  | { readonly result: 'unchanged' }
  | { readonly result: 'updated'; readonly binding: Binding };

function mergedKeys(
  existing: Readonly<Record<string, string>> | undefined,
  desired: Readonly<Record<string, string>> | undefined,
  dropped: readonly string[],
): Readonly<Record<string, string>> {
  return { ...withoutKeys(existing, dropped), ...desired };
}

function mergedFinalizers(
  existing: readonly string[] = [],
  desired: readonly string[] = [],
): readonly string[] {
  return [...existing, ...desired.filter((finalizer) => !existing.includes(finalizer))];
}

/** The dispatch part is the policy's, `scheduling` is somebody else's and stays. */
function mergedSuspension(existing: Spec['suspension'], desired: Spec['suspension']): Spec['suspension'] {
  const scheduling = existing?.scheduling;
  if (scheduling === undefined) return desired;
  return { ...desired, scheduling };
}

function mergedSpec(existing: Spec, desired: Spec): Spec {
  return present<Spec>({
    ...desired,
    clusters: existing.clusters,
    gracefulEvictionTasks: existing.gracefulEvictionTasks,
    requiredBy: existing.requiredBy,
    rescheduleTriggeredAt: existing.rescheduleTriggeredAt,
    suspension: mergedSuspension(existing.suspension, desired.suspension),
  });
}

/** Lays `desired` over `existing`. Labels, annotations and finalizers of others stay. */
export function mergeBinding(existing: Binding, desired: Binding): BindingUpdate {
  const owner = controllerOf(existing);
  const templateUid = desired.spec.resource.uid ?? '';
  if (owner !== undefined && owner.uid !== templateUid) return { result: 'conflict', ownerUid: owner.uid };
  const byPolicy = desired.metadata.labels?.[PROPAGATION_POLICY_ID_LABEL] !== undefined;
  const metadata: ObjectMeta = {
    ...existing.metadata,
    labels: mergedKeys(
      existing.metadata.labels,
      desired.metadata.labels,
      byPolicy ? [CLUSTER_PROPAGATION_POLICY_ID_LABEL] : [],
    ),
    annotations: mergedKeys(
      existing.metadata.annotations,
      desired.metadata.annotations,
      byPolicy ? [CLUSTER_PROPAGATION_POLICY_NAME_ANNOTATION] : [],
    ),
    finalizers: mergedFinalizers(existing.metadata.finalizers, desired.metadata.finalizers),
    ...(desired.metadata.ownerReferences === undefined
      ? {}
      : { ownerReferences: desired.metadata.ownerReferences }),
  };
  const spec = mergedSpec(existing.spec, desired.spec);
  if (deepEqual(existing.metadata, metadata) && deepEqual(existing.spec, spec)) {
    return { result: 'unchanged' };
  }
  return { result: 'updated', binding: { ...existing, metadata, spec } };
}
