// What the nodes of a member have free, kept up to date pod by pod, so that an estimate in a member of thousands of
// pods costs a look at its nodes and not at its pods.
// INVARIANT: the snapshot equals the one made anew of the same nodes and pods (node-ledger.test.ts).
import type { Node, Pod } from '../api/index.ts';
import { requestsOf, type NodeRun } from './first-fit.ts';
import { amountOf } from './fleet-snapshot.ts';

/** What a member has, as one estimate sees it. */
export interface NodeSnapshot {
  readonly nodes: readonly Node[];
  readonly runs: readonly NodeRun[];
}

export interface NodeLedger {
  setNode(node: Node): void;
  removeNode(name: string): void;
  /** Pods without a node and those that have ended do not count. */
  setPod(key: string, pod: Pod): void;
  removePod(key: string): void;
  snapshot(): NodeSnapshot;
}

interface Held {
  readonly nodeName: string;
  readonly requests: ReadonlyMap<string, number>;
}

interface Taken {
  pods: number;
  readonly amounts: Map<string, number>;
}

/** The larger of what containers need together and what an init container needs alone, and the overhead. */
function podRequests(pod: Pod): ReadonlyMap<string, number> {
  const sum = new Map<string, number>();
  for (const container of pod.spec?.containers ?? []) {
    for (const [resource, amount] of requestsOf(container.resources?.requests)) {
      sum.set(resource, (sum.get(resource) ?? 0) + amount);
    }
  }
  for (const container of pod.spec?.initContainers ?? []) {
    for (const [resource, amount] of requestsOf(container.resources?.requests)) {
      sum.set(resource, Math.max(sum.get(resource) ?? 0, amount));
    }
  }
  for (const [resource, amount] of requestsOf(pod.spec?.overhead)) {
    sum.set(resource, (sum.get(resource) ?? 0) + amount);
  }
  return sum;
}

function nodeOf({ spec, status }: Pod): string {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed' ? '' : (spec?.nodeName ?? '');
}

function runOf(node: Node, taken: Taken | undefined, kind: number): NodeRun {
  const free = new Map<string, number>();
  for (const [resource, text] of Object.entries(node.status?.allocatable ?? {})) {
    const used = resource === 'pods' ? (taken?.pods ?? 0) : (taken?.amounts.get(resource) ?? 0);
    free.set(resource, Math.max(amountOf(resource, text) - used, 0));
  }
  return { count: 1, free, pods: free.get('pods') ?? 0, kind };
}

export function createNodeLedger(): NodeLedger {
  const nodes = new Map<string, Node>();
  const pods = new Map<string, Held>();
  /** By node, also of nodes that are not known yet: pods and nodes arrive in any order. */
  const taken = new Map<string, Taken>();
  /** Worked out for the state of a node as it is; dropped when that changes. */
  const runs = new Map<string, NodeRun>();
  let current: NodeSnapshot | undefined;

  const touch = (nodeName: string): void => {
    runs.delete(nodeName);
    current = undefined;
  };

  const take = ({ nodeName, requests }: Held, sign: 1 | -1): void => {
    const on = taken.get(nodeName) ?? { pods: 0, amounts: new Map<string, number>() };
    on.pods += sign;
    for (const [resource, amount] of requests)
      on.amounts.set(resource, (on.amounts.get(resource) ?? 0) + sign * amount);
    if (on.pods === 0) taken.delete(nodeName);
    else taken.set(nodeName, on);
    touch(nodeName);
  };

  const removePod = (key: string): void => {
    const held = pods.get(key);
    if (held === undefined) return;
    pods.delete(key);
    take(held, -1);
  };

  return {
    setNode(node) {
      const name = node.metadata.name ?? '';
      nodes.set(name, node);
      touch(name);
    },
    removeNode(name) {
      nodes.delete(name);
      touch(name);
    },
    setPod(key, pod) {
      const nodeName = nodeOf(pod);
      removePod(key);
      if (nodeName === '') return;
      const held = { nodeName, requests: podRequests(pod) };
      pods.set(key, held);
      take(held, 1);
    },
    removePod,
    snapshot() {
      if (current !== undefined) return current;
      const ordered = [...nodes].sort(([a], [b]) => (a < b ? -1 : 1));
      const result = ordered.map(([name, node], kind): NodeRun => {
        let run = runs.get(name);
        if (run?.kind !== kind) {
          run = runOf(node, taken.get(name), kind);
          runs.set(name, run);
        }
        return run;
      });
      current = { nodes: ordered.map(([, node]) => node), runs: result };
      return current;
    },
  };
}

/** The snapshot of these nodes and pods, made at once. */
export function nodeSnapshot(nodes: readonly Node[], pods: readonly Pod[]): NodeSnapshot {
  const ledger = createNodeLedger();
  for (const node of nodes) ledger.setNode(node);
  for (const [index, pod] of pods.entries()) ledger.setPod(String(index), pod);
  return ledger.snapshot();
}
