// The label that keeps an object from being deleted, on every path that deletes
// (upstream: the webhook resourcedeletionprotection.karmada.io).
import { DELETION_PROTECTED_ALWAYS, DELETION_PROTECTED_LABEL, type KubeObject } from '../api/index.ts';

/** Why `object` may not be deleted; undefined when it may. Only the exact value `Always` protects. */
export function deletionRefusal(object: KubeObject | undefined): string | undefined {
  const labels = object?.metadata.labels;
  if (labels === undefined || !Object.hasOwn(labels, DELETION_PROTECTED_LABEL)) return undefined;
  if (labels[DELETION_PROTECTED_LABEL] !== DELETION_PROTECTED_ALWAYS) return undefined;
  return `This resource is protected, please make sure to remove the label: ${DELETION_PROTECTED_LABEL}`;
}
