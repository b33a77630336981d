// The scheduler's picture of the cluster: what every node can hold and what is on it or on its way there. Changed
// in place, event by event, so that scheduling one pod never has to add up all others.
// INVARIANT: a pod counts at exactly one node, from the moment it is assumed there until it is finished or gone.
import { deepEqual } from '../../machinery/index.ts';
import type { Node, Pod } from '../kinds.ts';
import { isTerminal } from '../pods.ts';
import { add, amountsOf, podRequest, type Amounts } from './fit.ts';
import type { Fleet, NodeState } from './schedule.ts';
import { requiredAntiAffinity, type NamespaceLabels, type Repelling } from './topology.ts';

class MutableNodeState implements NodeState {
  node: Node;
  allocatable: Amounts;
  readonly allocated = new Map<string, number>();
  readonly assumed = { cpu: 0, memory: 0 };
  readonly podsByUid = new Map<string, Pod>();
  private readonly ports = new Map<string, readonly string[]>();

  constructor(node: Node) {
    this.node = node;
    this.allocatable = amountsOf(node.status?.allocatable);
  }

  update(node: Node): void {
    if (!deepEqual(node.status?.allocatable, this.node.status?.allocatable)) {
      this.allocatable = amountsOf(node.status?.allocatable);
    }
    this.node = node;
  }

  get podCount(): number {
    return this.podsByUid.size;
  }

  get pods(): Iterable<Pod> {
    return this.podsByUid.values();
  }

  get hostPorts(): Iterable<string> {
    return this.ports.size === 0 ? [] : [...this.ports.values()].flat();
  }

  add(pod: Pod): void {
    const { uid } = pod.metadata;
    const known = this.podsByUid.has(uid);
    this.podsByUid.set(uid, pod);
    if (known) return;
    const request = podRequest(pod.spec);
    add(this.allocated, request.requests);
    this.assumed.cpu += request.assumed.cpu;
    this.assumed.memory += request.assumed.memory;
    if (request.hostPorts.length > 0) this.ports.set(uid, request.hostPorts);
  }

  remove(uid: string): void {
    const pod = this.podsByUid.get(uid);
    if (pod === undefined) return;
    this.podsByUid.delete(uid);
    const request = podRequest(pod.spec);
    add(this.allocated, request.requests, -1);
    this.assumed.cpu -= request.assumed.cpu;
    this.assumed.memory -= request.assumed.memory;
    this.ports.delete(uid);
  }
}

export class FleetState implements Fleet {
  readonly labelsOfNamespace: NamespaceLabels;
  private readonly byName = new Map<string, MutableNodeState>();
  private readonly placeOf = new Map<string, string>();
  /** Pods on nodes that are not known (yet). */
  private readonly homeless = new Map<string, Pod>();
  private readonly repellingPods = new Map<string, Pod>();
  private list: readonly MutableNodeState[] | undefined;

  constructor(labelsOfNamespace: NamespaceLabels) {
    this.labelsOfNamespace = labelsOfNamespace;
  }

  get nodes(): readonly NodeState[] {
    return (this.list ??= [...this.byName.values()]);
  }

  nodeNamed(name: string): NodeState | undefined {
    return this.byName.get(name);
  }

  get repelling(): readonly Repelling[] {
    if (this.repellingPods.size === 0) return [];
    return [...this.repellingPods.values()].flatMap((pod) => {
      const node = this.byName.get(this.placeOf.get(pod.metadata.uid) ?? '')?.node;
      return node === undefined ? [] : [{ pod, node }];
    });
  }

  setNode(node: Node): void {
    const { name } = node.metadata;
    const known = this.byName.get(name);
    if (known !== undefined) {
      known.update(node);
      return;
    }
    this.byName.set(name, new MutableNodeState(node));
    this.list = undefined;
    for (const [uid, pod] of this.homeless) {
      if (pod.spec.nodeName !== name) continue;
      this.homeless.delete(uid);
      this.setPod(pod);
    }
  }

  removeNode(name: string): void {
    const state = this.byName.get(name);
    if (state === undefined) return;
    this.byName.delete(name);
    this.list = undefined;
    for (const pod of state.pods) {
      this.placeOf.delete(pod.metadata.uid);
      this.homeless.set(pod.metadata.uid, pod);
    }
  }

  /** Takes note of a pod as it is now; true when that freed something. */
  setPod(pod: Pod): boolean {
    if (isTerminal(pod) || pod.spec.nodeName === undefined || pod.spec.nodeName === '') {
      // A pod that is only assumed somewhere keeps its place until the binding has failed.
      return isTerminal(pod) && this.removePod(pod.metadata.uid);
    }
    this.place(pod, pod.spec.nodeName);
    return false;
  }

  /** Counts a pod at the node it is about to be bound to. */
  assume(pod: Pod, nodeName: string): void {
    this.place(pod, nodeName);
  }

  removePod(uid: string): boolean {
    this.homeless.delete(uid);
    this.repellingPods.delete(uid);
    const name = this.placeOf.get(uid);
    if (name === undefined) return false;
    this.placeOf.delete(uid);
    this.byName.get(name)?.remove(uid);
    return true;
  }

  private place(pod: Pod, nodeName: string): void {
    const { uid } = pod.metadata;
    const before = this.placeOf.get(uid);
    if (before !== undefined && before !== nodeName) this.removePod(uid);
    const state = this.byName.get(nodeName);
    if (state === undefined) {
      this.homeless.set(uid, pod);
      return;
    }
    state.add(pod);
    this.placeOf.set(uid, nodeName);
    if (requiredAntiAffinity(pod.spec).length > 0) this.repellingPods.set(uid, pod);
  }
}
