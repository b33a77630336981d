// What wakes the health of nodes and the eviction of pods, and what they gather.
import { keyOf } from '../../client/index.ts';
import { informerSource } from '../../runtime/index.ts';
import type { Caches } from '../caches.ts';
import type { Node, Pod } from '../kinds.ts';
import { runLoop, type LoopContext, type LoopSpec } from '../loop.ts';
import { decideEviction } from './eviction.ts';
import { LEASE_NAMESPACE, decideNode, isDown } from './node-health.ts';

export interface NodeSettings {
  /** How long a node may be silent before it counts as lost. Default 40,000. */
  readonly gracePeriodMs: number;
  /** How often an idle node says that it lives. Default 1,200,000. */
  readonly heartbeatMs: number;
}

export const defaultNodeSettings: NodeSettings = { gracePeriodMs: 40_000, heartbeatMs: 1_200_000 };

export async function runNodeLoops(context: LoopContext, settings: NodeSettings): Promise<void> {
  await Promise.all([
    runLoop(healthLoop(context.caches, settings), context),
    runLoop(evictionLoop(context.caches), context),
  ]);
}

function healthLoop(
  { nodes, nodeLeases }: Caches,
  settings: NodeSettings,
): LoopSpec<Parameters<typeof decideNode>[0]> {
  const downSince = new Map<string, number>();
  const numbers = new Map<string, number>();
  return {
    name: 'node-controller',
    sources: [informerSource(nodes), informerSource(nodeLeases, { filter: () => false })],
    gather(key, nowMs) {
      const node = nodes.store.get(key);
      if (node === undefined || !isDown(node)) downSince.delete(key);
      if (node === undefined) return undefined;
      if (isDown(node) && !downSince.has(key)) downSince.set(key, nowMs);
      if (!numbers.has(key)) numbers.set(key, numbers.size);
      const lease = nodeLeases.store.get({ namespace: LEASE_NAMESPACE, name: key });
      return {
        node,
        lease,
        index: numbers.get(key) ?? 0,
        downSinceMs: downSince.get(key),
        ...settings,
        nowMs,
      };
    },
    decide: decideNode,
  };
}

function evictionLoop(caches: Caches): LoopSpec<Parameters<typeof decideEviction>[0]> {
  const { nodes, pods } = caches;
  const nodeOf = (pod: Pod): Node | undefined => nodes.store.get(pod.spec.nodeName ?? '');
  return {
    name: 'taint-eviction-controller',
    sources: [
      informerSource(pods, {
        filter: (pod) => (pod.spec.nodeName ?? '') !== '' && isTroubled(nodeOf(pod)),
      }),
      informerSource(nodes, {
        changed: (old, node) => isTroubled(old) || isTroubled(node),
        map: ({ metadata }) => caches.podsOnNode(metadata.name).map(keyOf),
      }),
    ],
    gather(key, nowMs) {
      const pod = pods.store.get(key);
      return pod === undefined ? undefined : { pod, node: nodeOf(pod), nowMs };
    },
    decide: decideEviction,
  };
}

/** Whether pods may have to leave the node. */
function isTroubled(node: Node | undefined): boolean {
  if (node === undefined) return true;
  if (node.spec.taints?.some(({ effect }) => effect === 'NoExecute') === true) return true;
  return node.status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'Unknown';
}
