// Autoscalers in members and the replicas of the template (propagation.md §12). Members scale on their own; when all
// of them have settled, the template's number follows what runs there.
import {
  CLUSTER_PROPAGATION_POLICY_ID_LABEL,
  PROPAGATION_POLICY_ID_LABEL,
  RETAIN_REPLICAS_LABEL,
  type KubeObject,
  type ResourceBinding,
} from '../api/index.ts';
import { withoutKeys } from './claim.ts';

export interface ScaleTarget {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** What an autoscaler that is propagated scales; undefined for one that is not. */
export function markedTarget(autoscaler: KubeObject): ScaleTarget | undefined {
  const { labels, namespace = '' } = autoscaler.metadata;
  const claimed = [PROPAGATION_POLICY_ID_LABEL, CLUSTER_PROPAGATION_POLICY_ID_LABEL].some(
    (label) => (labels?.[label] ?? '') !== '',
  );
  const { scaleTargetRef } = (autoscaler['spec'] ?? {}) as {
    readonly scaleTargetRef?: {
      readonly apiVersion?: string;
      readonly kind?: string;
      readonly name?: string;
    };
  };
  const { apiVersion = '', kind = '', name = '' } = scaleTargetRef ?? {};
  return claimed && kind !== '' && name !== '' ? { apiVersion, kind, namespace, name } : undefined;
}

/** The template with, or without, the label that leaves its replicas to the members. */
export function withRetainedReplicas(template: KubeObject, retained: boolean): KubeObject {
  const { labels, ...metadata } = template.metadata;
  if (retained) {
    if (labels?.[RETAIN_REPLICAS_LABEL] === 'true') return template;
    return { ...template, metadata: { ...metadata, labels: { ...labels, [RETAIN_REPLICAS_LABEL]: 'true' } } };
  }
  const left = withoutKeys(labels, [RETAIN_REPLICAS_LABEL]);
  if (left === labels) return template;
  return { ...template, metadata: { ...metadata, ...(left === undefined ? {} : { labels: left }) } };
}

export type ReplicaSync =
  | { readonly action: 'none' }
  /** Something is still on its way; look again soon. */
  | { readonly action: 'wait'; readonly why: string }
  | { readonly action: 'scale'; readonly replicas: number };

type Replicas = { readonly replicas?: number } | undefined;

/** What a Deployment with the label is to be scaled to on the hub. */
export function decideReplicaSync(deployment: KubeObject, binding: ResourceBinding | undefined): ReplicaSync {
  if (deployment.metadata.labels?.[RETAIN_REPLICAS_LABEL] !== 'true' || binding === undefined)
    return { action: 'none' };
  const { replicaScheduling } = binding.spec.placement ?? {};
  // A binding that is only a dependency has no placement; upstream fails on it.
  if (replicaScheduling === undefined || replicaScheduling.replicaSchedulingType === 'Duplicated')
    return { action: 'none' };
  const wanted = (deployment['spec'] as Replicas)?.replicas ?? 1;
  const running = (deployment['status'] as Replicas)?.replicas ?? 0;
  if (wanted === running) return { action: 'none' };
  const why = unsettled(wanted, running, binding);
  return why === undefined ? { action: 'scale', replicas: running } : { action: 'wait', why };
}

function unsettled(
  wanted: number,
  running: number,
  { metadata, spec, status }: ResourceBinding,
): string | undefined {
  if ((spec.replicas ?? 0) !== wanted) return 'the binding does not know the replicas yet';
  if (metadata.generation !== status?.schedulerObservedGeneration)
    return 'the scheduler has not seen the binding yet';
  const items = status?.aggregatedStatus ?? [];
  if (items.length !== (spec.clusters ?? []).length) return 'not every member reports';
  const reported = items.map((item) => (item.status as Replicas)?.replicas ?? 0);
  if (reported.some((replicas) => replicas <= 0)) return 'not every member runs replicas';
  const sum = reported.reduce((total, replicas) => total + replicas, 0);
  return sum === running ? undefined : 'the status of the template is behind that of the members';
}
