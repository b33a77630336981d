// Pods that have to leave their node: because of a taint they do not tolerate (any longer), or because the node is
// no more.
// Reads Pods, Nodes. Deletes Pods.
import { formatTime } from '../../base/index.ts';
import type { Node, Pod } from '../kinds.ts';
import { planOf, type Plan, type Write } from '../plan.ts';
import { isTerminal, isTerminating, podCondition } from '../pods.ts';
import { pods as podResource } from '../resources.ts';
import { evictionTimeMs } from '../scheduler/taints.ts';

export interface EvictionInput {
  readonly pod: Pod;
  /** The node the pod is assigned to; undefined: there is none of that name. */
  readonly node: Node | undefined;
  readonly nowMs: number;
}

export function decideEviction({ pod, node, nowMs }: EvictionInput): Plan {
  const { nodeName } = pod.spec;
  if (nodeName === undefined || nodeName === '') return planOf([]);
  if (node === undefined) {
    // Nobody is left who could end it.
    const remove: Write = { verb: 'delete', resource: podResource, object: pod, gracePeriodSeconds: 0 };
    return planOf([[remove]]);
  }
  const lost = node.status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'Unknown';
  const writes: Write[] = lost && isReadyInStatus(pod) ? [markNotReady(pod, nowMs)] : [];
  if (isTerminating(pod) || isTerminal(pod)) return planOf([writes]);
  const atMs = evictionTimeMs(node.spec.taints, pod.spec.tolerations, nowMs);
  if (atMs === undefined) return planOf([writes]);
  if (atMs > nowMs) return planOf([writes], [], atMs - nowMs);
  const message = `Marking for deletion Pod ${pod.metadata.namespace}/${pod.metadata.name}`;
  return planOf(
    [[{ verb: 'delete', resource: podResource, object: pod }]],
    [{ about: pod, type: 'Normal', reason: 'TaintManagerEviction', message }],
  );
}

function isReadyInStatus(pod: Pod): boolean {
  return podCondition(pod, 'Ready')?.status === 'True';
}

/** Nobody can say that a pod of a lost node serves, so it does not count as ready. */
function markNotReady(pod: Pod, nowMs: number): Write {
  const conditions = (pod.status?.conditions ?? []).map((condition) =>
    condition.type === 'Ready'
      ? { ...condition, status: 'False', lastTransitionTime: formatTime(nowMs) }
      : condition,
  );
  const object = { ...pod, status: { ...pod.status, conditions } };
  return { verb: 'updateStatus', resource: podResource, object };
}
