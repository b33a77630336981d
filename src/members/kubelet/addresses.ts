// Addresses of pods, out of their node's network.
// INVARIANT: no two pods that are not finished have the same address, the pods of the host network aside.
import type { Node, Pod } from '../kinds.ts';
import { isTerminal } from '../pods.ts';

// LIMIT: a /24 without the network, the gateway and the broadcast address.
const FIRST_HOST = 2;
const LAST_HOST = 254;

export class PodAddresses {
  private readonly taken = new Map<string, Map<string, string>>();

  /** Takes note of an address that a pod already has. */
  observe(pod: Pod): void {
    const { nodeName } = pod.spec;
    const ip = pod.status?.podIP;
    if (nodeName === undefined || ip === undefined || pod.spec.hostNetwork === true) return;
    if (isTerminal(pod)) this.release(pod);
    else this.onNode(nodeName).set(ip, pod.metadata.uid);
  }

  /** The pod's address: the one it has, else a free one of the node. */
  addressOf(pod: Pod, node: Node): string {
    const hostIP = hostAddressOf(node);
    if (pod.spec.hostNetwork === true) return hostIP;
    if (pod.status?.podIP !== undefined) return pod.status.podIP;
    const taken = this.onNode(node.metadata.name);
    for (const [ip, uid] of taken) if (uid === pod.metadata.uid) return ip;
    const prefix = (node.spec.podCIDR ?? '10.63.0.0/24').split('.').slice(0, 3).join('.');
    for (let host = FIRST_HOST; host <= LAST_HOST; host++) {
      const ip = `${prefix}.${host}`;
      if (taken.has(ip)) continue;
      taken.set(ip, pod.metadata.uid);
      return ip;
    }
    // More pods than a /24 has room for: they share the last address rather than wait for ever.
    return `${prefix}.${LAST_HOST}`;
  }

  release(pod: Pod): void {
    const taken = this.taken.get(pod.spec.nodeName ?? '');
    const ip = pod.status?.podIP;
    if (taken === undefined) return;
    if (ip !== undefined && taken.get(ip) === pod.metadata.uid) taken.delete(ip);
    else for (const [one, uid] of taken) if (uid === pod.metadata.uid) taken.delete(one);
  }

  private onNode(name: string): Map<string, string> {
    const known = this.taken.get(name) ?? new Map<string, string>();
    this.taken.set(name, known);
    return known;
  }
}

export function hostAddressOf(node: Node): string {
  return node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? '127.0.0.1';
}
