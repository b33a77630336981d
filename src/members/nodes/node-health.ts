// The health of nodes: what their kubelets report, what becomes of a node whose kubelet has gone silent, and the
// taints that follow from it.
// Reads Nodes. Writes their status and taints.
// INVARIANT: only a change of health, or a heartbeat that is due, writes anything: hundreds of idle nodes cost nothing.
import type { Lease, NodeCondition, NodeStatus, Taint } from '../../api/index.ts';
import { formatMicroTime, formatTime } from '../../base/index.ts';
import { deepEqual } from '../../machinery/index.ts';
import type { Node } from '../kinds.ts';
import { planOf, type EventNote, type Plan, type Write } from '../plan.ts';
import { leases, nodes as nodeResource } from '../resources.ts';
import { healthyConditions, nodeStatus } from './node-pool.ts';

export const LEASE_NAMESPACE = 'kube-node-lease';
/** On a node: its machine is off. Faults set it; so may users. */
export const DOWN_ANNOTATION = 'simulation.navarch.io/down';

export interface NodeInput {
  readonly node: Node;
  /** The lease in which its kubelet says that it lives. */
  readonly lease: Lease | undefined;
  /** A number of its own, for the address of a node that a user made. */
  readonly index: number;
  /** Since when the node is down; undefined: it is up. */
  readonly downSinceMs: number | undefined;
  /** How long a node may be silent before it counts as lost. */
  readonly gracePeriodMs: number;
  /** How often an idle node says that it lives. */
  readonly heartbeatMs: number;
  readonly nowMs: number;
}

export function isDown(node: Node): boolean {
  return node.metadata.annotations?.[DOWN_ANNOTATION] !== undefined;
}

export function decideNode(input: NodeInput): Plan {
  const { node, downSinceMs, gracePeriodMs, heartbeatMs, nowMs } = input;
  if (node.metadata.deletionTimestamp !== undefined) return planOf([]);
  const ready = conditionOf(node.status, 'Ready');
  if (downSinceMs !== undefined) {
    const lostInMs = downSinceMs + gracePeriodMs - nowMs;
    if (lostInMs > 0) return withTaints(input, node, [], [], lostInMs);
    if (ready?.status === 'Unknown') return withTaints(input, node, [], [], undefined);
    const lost = { ...node, status: { ...node.status, conditions: lostConditions(node, nowMs) } };
    return withTaints(input, lost, [statusWrite(lost)], [note(node, 'NodeNotReady')], undefined);
  }
  const beatInMs = Date.parse(ready?.lastHeartbeatTime ?? '') + heartbeatMs - nowMs;
  if (ready?.status === 'True' && beatInMs > 0 && input.lease !== undefined)
    return withTaints(input, node, [], [], beatInMs);
  const status = reported(input);
  const healthy = { ...node, status };
  const events = ready?.status === 'True' ? [] : [note(node, 'NodeReady')];
  return withTaints(input, healthy, [statusWrite(healthy), leaseWrite(input)], events, heartbeatMs);
}

function leaseWrite({ node, lease, heartbeatMs, nowMs }: NodeInput): Write {
  const { name, uid } = node.metadata;
  const spec = {
    holderIdentity: name,
    leaseDurationSeconds: Math.ceil((2 * heartbeatMs) / 1000),
    renewTime: formatMicroTime(nowMs),
  };
  if (lease !== undefined) return { verb: 'update', resource: leases, object: { ...lease, spec } };
  const ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name, uid }];
  const metadata = { name, namespace: LEASE_NAMESPACE, ownerReferences };
  const object = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
  return { verb: 'create', resource: leases, object };
}

function conditionOf(status: NodeStatus | undefined, type: string): NodeCondition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

function statusWrite(object: Node): Write {
  return { verb: 'updateStatus', resource: nodeResource, object };
}

function note(node: Node, reason: 'NodeReady' | 'NodeNotReady'): EventNote {
  return {
    about: node,
    type: 'Normal',
    reason,
    message: `Node ${node.metadata.name} status is now: ${reason}`,
  };
}

/** The kubelet's report. A node that a user made without a status gets a machine of the default size. */
function reported({ node, index, nowMs }: NodeInput): NodeStatus {
  const conditions = healthyConditions(node.status?.conditions, nowMs);
  const { capacity } = node.status ?? {};
  const made = capacity === undefined || Object.keys(capacity).length === 0;
  if (!made) return { ...node.status, conditions };
  return { ...nodeStatus(node.metadata.name, index, {}, nowMs), conditions };
}

const UNKNOWN = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

function lostConditions(node: Node, nowMs: number): readonly NodeCondition[] {
  return (node.status?.conditions ?? []).map((condition) =>
    UNKNOWN.includes(condition.type)
      ? {
          ...condition,
          status: 'Unknown',
          reason: 'NodeStatusUnknown',
          message: 'Kubelet stopped posting node status.',
          lastTransitionTime: formatTime(nowMs),
        }
      : condition,
  );
}

// ---- taints

const PREFIX = 'node.kubernetes.io/';
const byPressure: Readonly<Record<string, string>> = {
  MemoryPressure: 'memory-pressure',
  DiskPressure: 'disk-pressure',
  PIDPressure: 'pid-pressure',
  NetworkUnavailable: 'network-unavailable',
};
const own: ReadonlySet<string> = new Set(
  [...Object.values(byPressure), 'unschedulable', 'not-ready', 'unreachable'].map((name) => PREFIX + name),
);

/** The taints that the node's conditions and its cordon ask for. */
function wantedTaints(node: Node): Taint[] {
  const taints: Taint[] = [];
  const ready = conditionOf(node.status, 'Ready')?.status;
  const health = ready === 'False' ? 'not-ready' : ready === 'Unknown' ? 'unreachable' : undefined;
  if (health !== undefined) {
    taints.push(
      { key: PREFIX + health, effect: 'NoSchedule' },
      { key: PREFIX + health, effect: 'NoExecute' },
    );
  }
  for (const [type, name] of Object.entries(byPressure)) {
    if (conditionOf(node.status, type)?.status === 'True')
      taints.push({ key: PREFIX + name, effect: 'NoSchedule' });
  }
  if (node.spec.unschedulable === true) {
    taints.push({ key: `${PREFIX}unschedulable`, effect: 'NoSchedule' });
  }
  return taints;
}

function withTaints(
  { node: seen, nowMs }: NodeInput,
  node: Node,
  before: readonly Write[],
  events: readonly EventNote[],
  requeueAfterMs: number | undefined,
): Plan {
  const present = node.spec.taints ?? [];
  const wanted = wantedTaints(node);
  const same = (a: Taint, b: Taint): boolean => a.key === b.key && a.effect === b.effect;
  const kept = present.filter((taint) => !own.has(taint.key) || wanted.some((one) => same(one, taint)));
  const added = wanted
    .filter((taint) => !present.some((one) => same(one, taint)))
    .map((taint) => ({ ...taint, timeAdded: formatTime(nowMs) }));
  if (added.length === 0 && kept.length === present.length) return planOf([before], events, requeueAfterMs);
  // The status is written with this resource version; taints follow when that has come back. A status of the same
  // second is no change and never comes back: there the taints go first, and wake the rest.
  if (before.length > 0 && !deepEqual(node.status, seen.status))
    return planOf([before], events, requeueAfterMs);
  const object = { ...node, spec: { ...node.spec, taints: [...kept, ...added] } };
  return planOf([[{ verb: 'update', resource: nodeResource, object }]], events, requeueAfterMs);
}
