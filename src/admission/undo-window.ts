// What is kept when it is deleted, so that it can be undone: templates that a policy has claimed, policies, packages that come
// in waves, clusters and namespaces. What follows from a deletion by itself, and what members or the control plane make, is
// not.
import {
  CLUSTER_PROPAGATION_POLICY_ID_LABEL,
  PROPAGATION_POLICY_ID_LABEL,
  SYSTEM_LABEL,
  type KubeObject,
} from '../api/index.ts';
import { isBeingDeleted, type AdmissionAttributes } from '../machinery/index.ts';

export interface UndoLedger {
  /** Resolves when what is to be deleted can be made again later. */
  keep(object: KubeObject, by: string): Promise<void>;
}

const POLICIES: ReadonlySet<string> = new Set([
  'PropagationPolicy',
  'ClusterPropagationPolicy',
  'OverridePolicy',
  'ClusterOverridePolicy',
]);

export function isWorthKeeping({ metadata, kind, apiVersion }: KubeObject): boolean {
  const { labels = {}, ownerReferences = [] } = metadata;
  if (ownerReferences.some(({ controller }) => controller === true)) return false;
  if (labels[SYSTEM_LABEL] === 'true') return false;
  if (apiVersion.startsWith('work.karmada.io/')) return false;
  if (kind === 'Namespace') return apiVersion === 'v1';
  if (POLICIES.has(kind)) return apiVersion.startsWith('policy.karmada.io/');
  if (kind.endsWith('FleetPackage')) return apiVersion.startsWith('navarch.io/');
  if (kind === 'Cluster') return apiVersion.startsWith('cluster.karmada.io/');
  return (
    labels[PROPAGATION_POLICY_ID_LABEL] !== undefined ||
    labels[CLUSTER_PROPAGATION_POLICY_ID_LABEL] !== undefined
  );
}

/** Never an objection: who may delete, may. */
export async function keepForUndo(attributes: AdmissionAttributes, ledger: UndoLedger): Promise<undefined> {
  const { oldObject, dryRun, user } = attributes;
  if (oldObject === undefined || dryRun || isBeingDeleted(oldObject) || !isWorthKeeping(oldObject))
    return undefined;
  await ledger.keep(oldObject, user.name);
  return undefined;
}
