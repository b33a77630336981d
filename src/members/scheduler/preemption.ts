// Which pods have to go so that a more important one can run. Pure.
// INVARIANT: nobody goes for a pod of the same or a lower priority, and no more go than are needed on the node chosen.
// Disruption budgets are not asked, as the real scheduler does not promise to either.
import type { Pod } from '../kinds.ts';
import { isTerminating } from '../pods.ts';
import { add, podRequest } from './fit.ts';
import { refusalsOf, type Fleet, type NodeState } from './schedule.ts';

export interface Preemption {
  readonly nodeName: string;
  readonly victims: readonly Pod[];
}

export function priorityOf(pod: Pod): number {
  return pod.spec.priority ?? 0;
}

/** The node where the least is lost; undefined: no one can go whose room would help. */
export function choosePreemption(pod: Pod, fleet: Fleet): Preemption | undefined {
  if (pod.spec.preemptionPolicy === 'Never') return undefined;
  // Those it has asked to go are still on their way.
  const nominated = fleet.nodeNamed(pod.status?.nominatedNodeName ?? '');
  if (nominated !== undefined && hasLeavingVictim(pod, nominated)) return undefined;
  let best: Preemption | undefined;
  for (const state of fleet.nodes) {
    const victims = victimsOn(pod, state);
    if (victims === undefined) continue;
    const candidate = { nodeName: state.node.metadata.name, victims };
    if (best === undefined || costsLess(candidate, best)) best = candidate;
  }
  return best;
}

function hasLeavingVictim(pod: Pod, { pods }: NodeState): boolean {
  for (const other of pods) if (isTerminating(other) && priorityOf(other) < priorityOf(pod)) return true;
  return false;
}

/** The fewest pods of lower priority without which the pod fits; undefined: even without all of them it does not. */
function victimsOn(pod: Pod, state: NodeState): readonly Pod[] | undefined {
  const lower = [...state.pods].filter((other) => priorityOf(other) < priorityOf(pod));
  if (lower.length === 0) return undefined;
  const gone = new Set(lower);
  const fits = (): boolean => refusalsOf(pod, podRequest(pod.spec), without(state, gone), []).length === 0;
  if (!fits()) return undefined;
  // The most important ones, and of equals those that run longest, are tried to be kept first.
  const keepFirst = lower.toSorted(
    (a, b) =>
      priorityOf(b) - priorityOf(a) ||
      Date.parse(a.status?.startTime ?? '9999') - Date.parse(b.status?.startTime ?? '9999'),
  );
  for (const other of keepFirst) {
    gone.delete(other);
    if (!fits()) gone.add(other);
  }
  return [...gone];
}

function without(state: NodeState, gone: ReadonlySet<Pod>): NodeState {
  const allocated = new Map(state.allocated);
  const taken: string[] = [];
  for (const pod of state.pods) {
    const { requests, hostPorts } = podRequest(pod.spec);
    if (gone.has(pod)) add(allocated, requests, -1);
    else taken.push(...hostPorts);
  }
  return {
    node: state.node,
    allocatable: state.allocatable,
    allocated,
    assumed: state.assumed,
    hostPorts: taken,
    podCount: state.podCount - gone.size,
    pods: state.pods,
  };
}

/** By the most important victim, then by all of them, then by their number. */
function costsLess(a: Preemption, b: Preemption): boolean {
  const highest = ({ victims }: Preemption): number => Math.max(...victims.map(priorityOf));
  const total = ({ victims }: Preemption): number => victims.reduce((sum, pod) => sum + priorityOf(pod), 0);
  const difference = highest(a) - highest(b) || total(a) - total(b) || a.victims.length - b.victims.length;
  return difference < 0;
}
