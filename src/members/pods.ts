// What controllers and the kubelet agree on about pods: when one counts as active, ready, available, and which
// go first when there are too many.
import type { ObjectMeta, OwnerReference, PodCondition, PodTemplateSpec } from '../api/index.ts';
import type { Pod } from './kinds.ts';

export function isTerminal(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

export function isTerminating(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined;
}

/** Counts as a replica: neither finished nor on its way out. */
export function isActive(pod: Pod): boolean {
  return !isTerminal(pod) && !isTerminating(pod);
}

export function podCondition(pod: Pod, type: string): PodCondition | undefined {
  return pod.status?.conditions?.find((condition) => condition.type === type);
}

export function isReady(pod: Pod): boolean {
  return podCondition(pod, 'Ready')?.status === 'True';
}

/** Ready for `minReadySeconds`. */
export function isAvailable(pod: Pod, minReadySeconds: number, nowMs: number): boolean {
  return availableInMs(pod, minReadySeconds, nowMs) === 0;
}

/** 0: available; undefined: not ready, so time alone does not make it available. */
export function availableInMs(pod: Pod, minReadySeconds: number, nowMs: number): number | undefined {
  const ready = podCondition(pod, 'Ready');
  if (ready?.status !== 'True') return undefined;
  if (minReadySeconds === 0) return 0;
  const sinceMs = Date.parse(ready.lastTransitionTime ?? '');
  if (Number.isNaN(sinceMs)) return undefined;
  return Math.max(sinceMs + minReadySeconds * 1000 - nowMs, 0);
}

/** When the next of `pods` becomes available by time alone. */
export function nextAvailableInMs(
  pods: readonly Pod[],
  minReadySeconds: number,
  nowMs: number,
): number | undefined {
  if (minReadySeconds === 0) return undefined;
  let next: number | undefined;
  for (const pod of pods) {
    const wait = availableInMs(pod, minReadySeconds, nowMs);
    if (wait !== undefined && wait > 0 && (next === undefined || wait < next)) next = wait;
  }
  return next;
}

export function totalRestarts(pod: Pod): number {
  const counts = (pod.status?.containerStatuses ?? []).map((status) => status.restartCount);
  return counts.length === 0 ? 0 : Math.max(...counts);
}

const phaseRank: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

/**
 * Orders pods so that those whose loss hurts least come first: unassigned, pending, not ready, cheap to delete
 * (by annotation), sharing a node with many of their kind, freshly ready, restarting, young.
 */
export function deletionOrder(pods: readonly Pod[], related: readonly Pod[] = pods): Pod[] {
  const perNode = new Map<string, number>();
  for (const pod of related) {
    if (!isActive(pod)) continue;
    const node = pod.spec.nodeName ?? '';
    perNode.set(node, (perNode.get(node) ?? 0) + 1);
  }
  const neighbours = (pod: Pod): number => perNode.get(pod.spec.nodeName ?? '') ?? 0;
  const readySince = (pod: Pod): string => podCondition(pod, 'Ready')?.lastTransitionTime ?? '';
  return [...pods].sort(
    (a, b) =>
      Number((a.spec.nodeName ?? '') !== '') - Number((b.spec.nodeName ?? '') !== '') ||
      (phaseRank[a.status?.phase ?? 'Pending'] ?? 0) - (phaseRank[b.status?.phase ?? 'Pending'] ?? 0) ||
      Number(isReady(a)) - Number(isReady(b)) ||
      deletionCost(a) - deletionCost(b) ||
      neighbours(b) - neighbours(a) ||
      (isReady(a) && isReady(b) ? compare(readySince(b), readySince(a)) : 0) ||
      totalRestarts(b) - totalRestarts(a) ||
      compare(b.metadata.creationTimestamp, a.metadata.creationTimestamp) ||
      compare(a.metadata.name, b.metadata.name),
  );
}

function deletionCost(pod: Pod): number {
  const written = pod.metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'];
  const cost = written === undefined ? 0 : Number(written);
  return Number.isInteger(cost) ? cost : 0;
}

/** By code units, which is the order Kubernetes sorts in. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export interface PodParts {
  readonly namespace: string;
  /** Either a name, or a prefix to which the API server adds a suffix. */
  readonly name?: string;
  readonly generateName?: string;
  readonly owner: OwnerReference;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
}

export interface NewPod {
  readonly apiVersion: 'v1';
  readonly kind: 'Pod';
  readonly metadata: ObjectMeta;
  readonly spec: NonNullable<PodTemplateSpec['spec']>;
  readonly [field: string]: unknown;
}

/** A pod as a controller creates it. The spec is the template's own, shared and not copied. */
export function podFromTemplate(template: PodTemplateSpec, parts: PodParts): NewPod {
  const { metadata = {} } = template;
  const labels = { ...metadata.labels, ...parts.labels };
  const annotations = { ...metadata.annotations, ...parts.annotations };
  const finalizers = [...(metadata.finalizers ?? []), ...(parts.finalizers ?? [])];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...(parts.name === undefined ? {} : { name: parts.name }),
      ...(parts.generateName === undefined ? {} : { generateName: parts.generateName }),
      namespace: parts.namespace,
      ...(Object.keys(labels).length === 0 ? {} : { labels }),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
      ...(finalizers.length === 0 ? {} : { finalizers }),
      ownerReferences: [parts.owner],
    },
    spec: template.spec ?? { containers: [] },
  };
}
