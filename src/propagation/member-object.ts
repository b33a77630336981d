// What becomes of an object in a member when its manifest is applied or given up (propagation.md §5.3, §5.5).
// INVARIANT: an object that does not carry our mark is neither changed nor deleted, unless taking it over was asked for.
import {
  CLUSTER_PROPAGATION_POLICY_ID_LABEL,
  CLUSTER_PROPAGATION_POLICY_NAME_ANNOTATION,
  CLUSTER_RESOURCE_BINDING_ID_LABEL,
  CLUSTER_RESOURCE_BINDING_NAME_ANNOTATION,
  CONFLICT_RESOLUTION_ANNOTATION,
  MANAGED_ANNOTATIONS_ANNOTATION,
  MANAGED_LABEL,
  MANAGED_LABELS_ANNOTATION,
  PROPAGATION_POLICY_ID_LABEL,
  PROPAGATION_POLICY_NAMESPACE_ANNOTATION,
  PROPAGATION_POLICY_NAME_ANNOTATION,
  RESOURCE_BINDING_ID_LABEL,
  RESOURCE_BINDING_NAMESPACE_ANNOTATION,
  RESOURCE_BINDING_NAME_ANNOTATION,
  TEMPLATE_GENERATION_ANNOTATION,
  TEMPLATE_UID_ANNOTATION,
  WORK_ID_LABEL,
  WORK_NAMESPACE_ANNOTATION,
  WORK_NAME_ANNOTATION,
  type KubeObject,
  type ObjectMeta,
} from '../api/index.ts';
import { deepEqual, semanticEqual } from '../machinery/index.ts';
import { withoutKeys } from './claim.ts';
import { isReturning, withoutPast } from './deletion/origin.ts';
import { prune } from './prune.ts';

export function isManaged(object: KubeObject): boolean {
  return object.metadata.labels?.[MANAGED_LABEL] === 'true';
}

/** Whether an update may have changed what a manifest can say; the rest is the member's own. */
export function isDrift(before: KubeObject, after: KubeObject): boolean {
  return !deepEqual(prune(before, true), prune(after, true));
}

export type UpdateDecision =
  /** There is an object that is not ours. */
  | { readonly action: 'refuse'; readonly why: string }
  /** The member shows what is desired. */
  | { readonly action: 'none' }
  | { readonly action: 'update'; readonly object: KubeObject };

type Keys = Readonly<Record<string, string>> | undefined;

/** Keys of the member that we never wrote stay; ours are as desired, and those we no longer want go. */
function mergedKeys(desired: Keys, observed: Keys, managedList: string | undefined): Keys {
  const managed = new Set(managedList === undefined || managedList === '' ? [] : managedList.split(','));
  const kept = Object.entries(observed ?? {}).filter(
    ([key]) => !managed.has(key) && !(desired !== undefined && Object.hasOwn(desired, key)),
  );
  if (kept.length === 0) return desired;
  return { ...Object.fromEntries(kept), ...desired };
}

/** `desired` with what the member alone decides about metadata. */
function overlaid(desired: KubeObject, observed: KubeObject): KubeObject {
  const { resourceVersion, finalizers, ownerReferences, labels, annotations } = observed.metadata;
  const lists = annotations ?? {};
  const mergedAnnotations = mergedKeys(
    desired.metadata.annotations,
    annotations,
    lists[MANAGED_ANNOTATIONS_ANNOTATION],
  );
  const mergedLabels = mergedKeys(desired.metadata.labels, labels, lists[MANAGED_LABELS_ANNOTATION]);
  const metadata: ObjectMeta = {
    ...desired.metadata,
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(finalizers === undefined ? {} : { finalizers }),
    ...(ownerReferences === undefined ? {} : { ownerReferences }),
    ...(mergedLabels === undefined ? {} : { labels: mergedLabels }),
    ...(mergedAnnotations === undefined ? {} : { annotations: mergedAnnotations }),
  };
  return { ...desired, metadata };
}

/**
 * What applying `desired` over `observed` means.
 * @param retain keeps the fields of the kind that belong to the member; undefined: the kind has none
 * @param cluster for the message of a refusal
 */
export async function decideUpdate(
  desired: KubeObject,
  observed: KubeObject,
  retain: (desired: KubeObject) => Promise<KubeObject | undefined>,
  cluster: string,
): Promise<UpdateDecision> {
  if (
    !isManaged(observed) &&
    desired.metadata.annotations?.[CONFLICT_RESOLUTION_ANNOTATION] !== 'overwrite' &&
    !isReturning(desired, observed)
  ) {
    const { namespace = '', name = '' } = observed.metadata;
    // COMPAT: the text says "empty" whatever the strategy is (case conflict-abort), and has the slash without a namespace.
    const why =
      `resource(kind=${observed.kind}, ${namespace}/${name}) already exists in the cluster ${cluster} and the ` +
      `${CONFLICT_RESOLUTION_ANNOTATION} strategy value is empty, Karmada will not manage this resource`;
    return { action: 'refuse', why };
  }
  const merged = overlaid(desired, withoutPast(observed, desired));
  const object = (await retain(merged)) ?? merged;
  return showsSame(object, observed) ? { action: 'none' } : { action: 'update', object };
}

/**
 * Whether writing `desired` would change nothing. What the API server of the member writes by itself does not count;
 * what the hub and the member both default is on both sides.
 */
function showsSame(desired: KubeObject, observed: KubeObject): boolean {
  return semanticEqual(withoutServerFields(withoutTtl(observed)), withoutServerFields(desired));
}

/** COMPAT: no manifest has it, and one that a Job got in the member stays until something else is written. */
function withoutTtl(object: KubeObject): KubeObject {
  const { spec } = object as { readonly spec?: object };
  if (object.kind !== 'Job' || spec === undefined || !('ttlSecondsAfterFinished' in spec)) return object;
  const { ttlSecondsAfterFinished: _ttl, ...rest } = spec;
  return { ...object, spec: rest };
}

function withoutServerFields({ status: _status, metadata, ...rest }: KubeObject): KubeObject {
  const {
    uid,
    managedFields,
    creationTimestamp,
    deletionTimestamp,
    deletionGracePeriodSeconds,
    generation,
    ...kept
  } = metadata;
  void [uid, managedFields, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, generation];
  return { ...rest, metadata: kept };
}

// ---- leaving an object behind

const LABELS_OF_OURS = [RESOURCE_BINDING_ID_LABEL, WORK_ID_LABEL, MANAGED_LABEL];
const ANNOTATIONS_OF_OURS = [
  MANAGED_ANNOTATIONS_ANNOTATION,
  MANAGED_LABELS_ANNOTATION,
  RESOURCE_BINDING_NAMESPACE_ANNOTATION,
  RESOURCE_BINDING_NAME_ANNOTATION,
  TEMPLATE_UID_ANNOTATION,
  TEMPLATE_GENERATION_ANNOTATION,
  WORK_NAMESPACE_ANNOTATION,
  WORK_NAME_ANNOTATION,
];

const POLICY_ANNOTATIONS = [PROPAGATION_POLICY_NAMESPACE_ANNOTATION, PROPAGATION_POLICY_NAME_ANNOTATION];
// What upstream leaves on some objects.
const LEFT_LABELS = [
  CLUSTER_RESOURCE_BINDING_ID_LABEL,
  PROPAGATION_POLICY_ID_LABEL,
  CLUSTER_PROPAGATION_POLICY_ID_LABEL,
];
const LEFT_ANNOTATIONS = [
  CONFLICT_RESOLUTION_ANNOTATION,
  CLUSTER_RESOURCE_BINDING_NAME_ANNOTATION,
  CLUSTER_PROPAGATION_POLICY_NAME_ANNOTATION,
  ...POLICY_ANNOTATIONS,
];

/**
 * The manifest as it is written when the object stays in the member and is no longer ours.
 * COMPAT: some marks of cluster-scoped bindings and policies stay on it, as upstream leaves them (preserve-policy).
 * @param wholly leaves none of these; what says where the object is from takes their place
 */
export function releasedManifest(manifest: KubeObject, wholly = false): KubeObject {
  const namespaced = (manifest.metadata.namespace ?? '') !== '';
  const policyLabel = namespaced ? PROPAGATION_POLICY_ID_LABEL : CLUSTER_PROPAGATION_POLICY_ID_LABEL;
  const policyAnnotations = namespaced ? POLICY_ANNOTATIONS : [CLUSTER_PROPAGATION_POLICY_NAME_ANNOTATION];
  const { labels, annotations, ...metadata } = manifest.metadata;
  const moreLabels = wholly ? LEFT_LABELS : [policyLabel];
  const moreAnnotations = wholly ? LEFT_ANNOTATIONS : policyAnnotations;
  const keptLabels = withoutKeys(labels, [...LABELS_OF_OURS, ...moreLabels]);
  const keptAnnotations = withoutKeys(annotations, [...ANNOTATIONS_OF_OURS, ...moreAnnotations]);
  return {
    ...manifest,
    metadata: {
      ...metadata,
      ...(keptLabels === undefined ? {} : { labels: keptLabels }),
      ...(keptAnnotations === undefined ? {} : { annotations: keptAnnotations }),
    },
  };
}
