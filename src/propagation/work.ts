// The Work that a binding calls for in one cluster, and how it is laid over one that exists (propagation.md §3.3).
// The manifest shares every untouched subtree with the template, so a Work of a large object in a hundred clusters costs
// little more than one; and content that is already there comes back as "unchanged", so that nothing is written.
import {
  CLUSTER_RESOURCE_BINDING_ID_LABEL,
  CLUSTER_RESOURCE_BINDING_NAME_ANNOTATION,
  CONFLICT_RESOLUTION_ANNOTATION,
  DISPATCH_STOPPED_ANNOTATION,
  DELETION_RULES_ANNOTATION,
  EXECUTION_FINALIZER,
  FENCE_LEASE_ANNOTATION,
  MANAGED_LABEL,
  RESOURCE_BINDING_ID_LABEL,
  RESOURCE_BINDING_NAMESPACE_ANNOTATION,
  RESOURCE_BINDING_NAME_ANNOTATION,
  TEMPLATE_GENERATION_ANNOTATION,
  TEMPLATE_UID_ANNOTATION,
  WORK_ID_LABEL,
  WORK_NAMESPACE_ANNOTATION,
  WORK_NAME_ANNOTATION,
  executionNamespace,
  type KubeObject,
  type ObjectMeta,
  type ResourceBindingSpec,
  type TargetCluster,
  type Work,
} from '../api/index.ts';
import { apportion, nameOrderFor } from '../fleet/index.ts';
import { deepEqual } from '../machinery/index.ts';
import type { Binding } from './kinds.ts';
import { originMarks } from './deletion/origin.ts';
import { rulesText, type DeletionRules } from './deletion/rules.ts';
import { withManagedKeys } from './managed-keys.ts';
import { fencedManifest, type Fence } from './fence.ts';
import { workName } from './names.ts';
import { withFields, type PreservedState } from './preserved-state.ts';
import { prune } from './prune.ts';

/** Where the template is to be: its own clusters first, then those of what needs it, each once. */
export function renderTargets(spec: ResourceBindingSpec): readonly TargetCluster[] {
  const targets = new Map<string, TargetCluster>();
  const all = [
    ...(spec.clusters ?? []),
    ...(spec.requiredBy ?? []).flatMap(({ clusters }) => clusters ?? []),
  ];
  for (const target of all) if (!targets.has(target.name)) targets.set(target.name, target);
  return [...targets.values()];
}

/**
 * How a Job's completions are divided over its targets, by their share of the parallelism; undefined when they are
 * not to be divided. Where there are more targets than completions, those that get none are missing from the map.
 */
export function divideCompletions(
  template: KubeObject,
  spec: ResourceBindingSpec,
  targets: readonly TargetCluster[],
): ReadonlyMap<string, number> | undefined {
  const completions = (template['spec'] as { readonly completions?: unknown } | undefined)?.completions;
  const divided = spec.placement?.replicaScheduling?.replicaSchedulingType === 'Divided';
  if (template.kind !== 'Job' || (spec.replicas ?? 0) <= 0 || !divided || typeof completions !== 'number')
    return undefined;
  const parties = targets.map(({ name, replicas = 0 }) => ({ name, votes: replicas }));
  const shares = apportion(completions, parties, nameOrderFor(template.metadata.uid));
  return shares.length === 0 ? undefined : new Map(shares.map(({ name, seats }) => [name, seats]));
}

/** What override policies did to a manifest, and what a Work tells of it. */
export interface Overridden {
  readonly manifest: KubeObject;
  /** `policy.karmada.io/applied-overrides` and its cluster form. */
  readonly annotations: Readonly<Record<string, string>>;
}

export interface RenderInput {
  readonly binding: Binding;
  readonly template: KubeObject;
  readonly cluster: string;
  /** The template revised for the cluster and overridden, in this order. */
  readonly overridden: Overridden;
  /** State that a new copy is told of after a failover. */
  readonly preserved?: PreservedState | undefined;
  /** Set for what must never run twice: the lease that fences it. */
  readonly fence?: Fence | undefined;
  /** Set in pull members: for how long a renewal of that lease by the agent is good. */
  readonly agentLeaseMs?: number | undefined;
  /** What a deletion policy says of the copies; absent: none does. */
  readonly deletion?: Deletion | undefined;
}

export interface Deletion {
  readonly rules: DeletionRules;
  /** Who the hub is to its members. */
  readonly hub: string;
}

type Keys = Readonly<Record<string, string>>;

function bindingMarks(binding: Binding): { readonly labels: Keys; readonly annotations: Keys } {
  const { namespace = '', name = '', labels } = binding.metadata;
  return binding.kind === 'ResourceBinding'
    ? {
        labels: { [RESOURCE_BINDING_ID_LABEL]: labels?.[RESOURCE_BINDING_ID_LABEL] ?? '' },
        annotations: {
          [RESOURCE_BINDING_NAMESPACE_ANNOTATION]: namespace,
          [RESOURCE_BINDING_NAME_ANNOTATION]: name,
        },
      }
    : {
        labels: { [CLUSTER_RESOURCE_BINDING_ID_LABEL]: labels?.[CLUSTER_RESOURCE_BINDING_ID_LABEL] ?? '' },
        annotations: { [CLUSTER_RESOURCE_BINDING_NAME_ANNOTATION]: name },
      };
}

/** @param manifest overridden already, so that an override may say it for some clusters */
function conflictResolution(manifest: KubeObject, spec: ResourceBindingSpec): 'overwrite' | 'abort' {
  const asked = manifest.metadata.annotations?.[CONFLICT_RESOLUTION_ANNOTATION];
  if (asked === 'overwrite' || asked === 'abort') return asked;
  return spec.conflictResolution === 'Overwrite' ? 'overwrite' : 'abort';
}

/** Clusters to which nothing of a binding is sent, by who wants it; what cannot be read is nothing. */
export function stoppedClusters({ metadata }: Binding): Readonly<Record<string, readonly string[]>> {
  const text = metadata.annotations?.[DISPATCH_STOPPED_ANNOTATION];
  if (text === undefined) return {};
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null
      ? (parsed as Readonly<Record<string, readonly string[]>>)
      : {};
  } catch {
    return {};
  }
}

function suspended(binding: Binding, cluster: string): boolean {
  const { suspension } = binding.spec;
  if (Object.values(stoppedClusters(binding)).some((names) => names.includes(cluster))) return true;
  if (suspension?.dispatching === true) return true;
  return suspension?.dispatchingOnClusters?.clusterNames?.includes(cluster) === true;
}

/** The object with more labels and annotations. */
function marked(object: KubeObject, labels: Keys, annotations: Keys): KubeObject {
  const { metadata } = object;
  return {
    ...object,
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, ...labels },
      annotations: { ...metadata.annotations, ...annotations },
    },
  };
}

/** The Work as it is created; its permanent id comes from admission. */
export function renderWork(input: RenderInput): Work {
  const { binding, template, cluster, overridden, preserved, fence, agentLeaseMs, deletion } = input;
  const { spec } = binding;
  const marks = bindingMarks(binding);
  const resolution = conflictResolution(overridden.manifest, spec);
  const generation = template.metadata.generation ?? 0;
  const origin = originOf(template, deletion);
  const told = withFields(overridden.manifest, preserved?.fields ?? {});
  const manifest = marked(
    fence === undefined ? told : fencedManifest(told, fence),
    { ...marks.labels, ...preserved?.labels, ...origin.labels },
    {
      ...preserved?.annotations,
      ...origin.annotations,
      ...(generation > 0 ? { [TEMPLATE_GENERATION_ANNOTATION]: String(generation) } : {}),
      ...marks.annotations,
    },
  );
  return manifestWork({
    cluster,
    manifest,
    templateUid: template.metadata.uid ?? '',
    labels: marks.labels,
    annotations: {
      ...marks.annotations,
      [CONFLICT_RESOLUTION_ANNOTATION]: resolution,
      ...overridden.annotations,
      ...deletionAnnotations(deletion),
      ...(fence === undefined || agentLeaseMs === undefined
        ? {}
        : { [FENCE_LEASE_ANNOTATION]: String(agentLeaseMs / 1000) }),
    },
    suspendDispatching: suspended(binding, cluster),
    preserveResourcesOnDeletion: spec.preserveResourcesOnDeletion === true,
  });
}

function originOf(template: KubeObject, deletion: Deletion | undefined): ReturnType<typeof originMarks> {
  if (deletion?.rules.marks !== true) return { labels: {}, annotations: {} };
  return originMarks(template, deletion.hub);
}

/** A manifest that says where it comes from, when it is to. */
export function withOrigin(
  manifest: KubeObject,
  template: KubeObject,
  deletion: Deletion | undefined,
): KubeObject {
  const { labels, annotations } = originOf(template, deletion);
  return Object.keys(labels).length === 0 ? manifest : marked(manifest, labels, annotations);
}

/** What a Work carries of it. */
export function deletionAnnotations(deletion: Deletion | undefined): Keys {
  return deletion === undefined ? {} : { [DELETION_RULES_ANNOTATION]: rulesText(deletion.rules) };
}

export interface ManifestWorkInput {
  readonly cluster: string;
  readonly manifest: KubeObject;
  readonly templateUid: string;
  /** Of the Work. */
  readonly labels: Keys;
  readonly annotations: Keys;
  /** Absent for Works that nobody suspends, as upstream leaves them out. */
  readonly suspendDispatching?: boolean;
  readonly preserveResourcesOnDeletion?: boolean;
  readonly ownerReferences?: ObjectMeta['ownerReferences'];
}

/** A Work of one manifest, marked so that the object in the member leads back to it. */
export function manifestWork(input: ManifestWorkInput): Work {
  const { manifest, cluster, annotations } = input;
  const namespace = executionNamespace(cluster);
  const name = workName(manifest.kind, manifest.metadata.namespace ?? '', manifest.metadata.name ?? '');
  const resolution = annotations[CONFLICT_RESOLUTION_ANNOTATION];
  const complete = marked(
    manifest,
    { [MANAGED_LABEL]: 'true' },
    {
      [TEMPLATE_UID_ANNOTATION]: input.templateUid,
      [WORK_NAME_ANNOTATION]: name,
      [WORK_NAMESPACE_ANNOTATION]: namespace,
      ...(resolution === undefined ? {} : { [CONFLICT_RESOLUTION_ANNOTATION]: resolution }),
    },
  );
  return {
    apiVersion: 'work.karmada.io/v1alpha1',
    kind: 'Work',
    metadata: {
      name,
      namespace,
      ...(Object.keys(input.labels).length === 0 ? {} : { labels: input.labels }),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
      finalizers: [EXECUTION_FINALIZER],
      ...(input.ownerReferences === undefined ? {} : { ownerReferences: input.ownerReferences }),
    },
    spec: {
      workload: { manifests: [withManagedKeys(prune(complete, true), '')] as never },
      ...(input.suspendDispatching === undefined ? {} : { suspendDispatching: input.suspendDispatching }),
      ...(input.preserveResourcesOnDeletion === undefined
        ? {}
        : { preserveResourcesOnDeletion: input.preserveResourcesOnDeletion }),
    },
  };
}

/**
 * A Work that is made only to be deleted: with it goes what an earlier one left in the cluster.
 * @param object kind and name are enough
 */
export function removalWork(binding: Binding, cluster: string, object: KubeObject): Work {
  const { labels, annotations } = bindingMarks(binding);
  return manifestWork({
    cluster,
    manifest: object,
    templateUid: binding.spec.resource.uid ?? '',
    labels,
    annotations,
    suspendDispatching: true,
  });
}

function nonEmpty(field: 'labels' | 'annotations', keys: Keys): ObjectMeta {
  return Object.keys(keys).length === 0 ? {} : { [field]: keys };
}

export type WorkUpdate =
  | { readonly result: 'unchanged' }
  | { readonly result: 'updated'; readonly work: Work }
  /** The one of that name is on its way out; a new one can come after it. */
  | { readonly result: 'terminating' };

/**
 * Lays `desired` over the Work that is there. Its labels and annotations join those that are there.
 * @param dropped annotations of ours that go when `desired` does not have them
 */
export function mergeWork(existing: Work, desired: Work, dropped: readonly string[] = []): WorkUpdate {
  if (existing.metadata.deletionTimestamp !== undefined) return { result: 'terminating' };
  const id = existing.metadata.labels?.[WORK_ID_LABEL] ?? '';
  const manifests = (desired.spec.workload?.manifests ?? []) as unknown as readonly KubeObject[];
  const spec = {
    ...desired.spec,
    workload: { manifests: manifests.map((one) => withManagedKeys(one, id)) as never },
  };
  const old = Object.entries(existing.metadata.annotations ?? {}).filter(([key]) => !dropped.includes(key));
  const finalizers = [
    ...new Set([...(existing.metadata.finalizers ?? []), ...(desired.metadata.finalizers ?? [])]),
  ].sort();
  const metadata: ObjectMeta = {
    ...existing.metadata,
    ...nonEmpty('labels', { ...existing.metadata.labels, ...desired.metadata.labels }),
    ...nonEmpty('annotations', { ...Object.fromEntries(old), ...desired.metadata.annotations }),
    finalizers,
  };
  if (deepEqual(existing.metadata, metadata) && deepEqual(existing.spec, spec))
    return { result: 'unchanged' };
  return { result: 'updated', work: { ...existing, metadata, spec } };
}
