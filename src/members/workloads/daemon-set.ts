// DaemonSets: one pod on every node that takes it.
// Reads DaemonSets, Nodes, Pods, ControllerRevisions. Writes Pods, revisions, the DaemonSet's status.
// INVARIANT: outside a surge a node never has two live pods of one DaemonSet for longer than a round.
import type { Affinity, DaemonSetStatus, NodeSelectorTerm, PodSpec, Toleration } from '../../api/index.ts';
import { controllerReference, labelSelectorFor, semanticEqual } from '../../machinery/index.ts';
import { scaledValue } from '../amounts.ts';
import type { ControllerRevision, DaemonSet, Node, Pod } from '../kinds.ts';
import { claim } from '../ownership.ts';
import { planOf, type EventNote, type Plan, type Write } from '../plan.ts';
import { compare, isAvailable, isReady, isTerminating, nextAvailableInMs, podFromTemplate } from '../pods.ts';
import { daemonSets, pods as podResource } from '../resources.ts';
import { matchesNodeAffinity, soleNodeName } from '../scheduler/node-affinity.ts';
import { untoleratedTaint } from '../scheduler/taints.ts';
import { REVISION_HASH_LABEL, historyOf, pruneHistory, type History } from './revisions.ts';

// LIMIT: as kube-controller-manager bounds one round; the next follows at once.
const BURST_MAX = 250;
const GENERATION_ANNOTATION = 'deprecated.daemonset.template.generation';
const GENERATION_LABEL = 'pod-template-generation';

export interface DaemonSetInput {
  readonly daemonSet: DaemonSet;
  readonly nodes: readonly Node[];
  /** All of the namespace that the set controls, or that nobody controls. */
  readonly pods: readonly Pod[];
  readonly revisions: readonly ControllerRevision[];
  readonly nameTaken?: boolean;
  readonly nowMs: number;
}

interface View {
  readonly input: DaemonSetInput;
  readonly set: DaemonSet;
  readonly history: History;
  readonly byNode: ReadonlyMap<string, readonly Pod[]>;
  readonly desired: readonly Node[];
  readonly maxSurge: number;
}

export function decideDaemonSet(input: DaemonSetInput): Plan {
  const { daemonSet: set, nowMs } = input;
  const { owned, adopt, release } = claim(set, labelSelectorFor(set.spec.selector), input.pods);
  const collisionCount = (set.status?.collisionCount ?? 0) + (input.nameTaken === true ? 1 : 0);
  const history = historyOf({ owner: set, revisions: input.revisions, collisionCount });
  const goes = set.metadata.deletionTimestamp !== undefined;
  const view = viewOf(input, history, owned);
  const events: EventNote[] = [];
  const writes = goes ? [] : manage(view, events);
  const updates = goes || writes.length > 0 ? [] : rollingUpdate(view);
  const status = statusOf(view, collisionCount);
  const inUse = new Set(owned.map((pod) => pod.metadata.labels?.[REVISION_HASH_LABEL] ?? ''));
  const changed = !semanticEqual(status, set.status ?? emptyStatus);
  const claimed = [...adopt, ...release].map((object): Write => ({
    verb: 'update',
    resource: podResource,
    object,
  }));
  return planOf(
    [
      goes ? [] : [...claimed, ...history.writes],
      [...writes, ...updates].slice(0, BURST_MAX),
      goes ? [] : pruneHistory(history, set.spec.revisionHistoryLimit, (name) => inUse.has(hashOf(name))),
      changed ? [{ verb: 'updateStatus', resource: daemonSets, object: { ...set, status } }] : [],
    ],
    events,
    nextAvailableInMs(owned, set.spec.minReadySeconds ?? 0, nowMs),
  );
}

const emptyStatus: DaemonSetStatus = {
  currentNumberScheduled: 0,
  desiredNumberScheduled: 0,
  numberMisscheduled: 0,
  numberReady: 0,
};

function hashOf(revisionName: string): string {
  return revisionName.slice(revisionName.lastIndexOf('-') + 1);
}

function viewOf(input: DaemonSetInput, history: History, owned: readonly Pod[]): View {
  const set = input.daemonSet;
  const byNode = Map.groupBy(owned, (pod) => pod.spec.nodeName || (soleNodeName(pod.spec) ?? ''));
  const desired = input.nodes.filter((node) => fitnessOf(set, node).run);
  const { maxSurge } = set.spec.updateStrategy?.rollingUpdate ?? {};
  return { input, set, history, byNode, desired, maxSurge: scaledValue(maxSurge, desired.length, 'up') };
}

/** Whether a pod of the set should be started on the node, and whether one that is there may stay. */
function fitnessOf(set: DaemonSet, node: Node): { readonly run: boolean; readonly stay: boolean } {
  const spec = set.spec.template.spec ?? { containers: [] };
  const named = spec.nodeName;
  if (named !== undefined && named !== '' && named !== node.metadata.name) return { run: false, stay: false };
  if (!matchesNodeAffinity(spec, node)) return { run: false, stay: false };
  const tolerations = tolerationsOf(spec);
  const { taints } = node.spec;
  if (untoleratedTaint(taints, tolerations, ['NoSchedule', 'NoExecute']) === undefined) {
    return { run: true, stay: true };
  }
  return { run: false, stay: untoleratedTaint(taints, tolerations, ['NoExecute']) === undefined };
}

const ownTolerations: readonly Toleration[] = [
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/disk-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/pid-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' },
];

function tolerationsOf(spec: PodSpec): readonly Toleration[] {
  const network: Toleration = {
    key: 'node.kubernetes.io/network-unavailable',
    operator: 'Exists',
    effect: 'NoSchedule',
  };
  return [...(spec.tolerations ?? []), ...ownTolerations, ...(spec.hostNetwork === true ? [network] : [])];
}

function isCurrent(view: View, pod: Pod): boolean {
  return pod.metadata.labels?.[REVISION_HASH_LABEL] === view.history.update.hash;
}

/** Pods to create where they are missing, and to delete where they are too many, finished or out of place. */
function manage(view: View, events: EventNote[]): Write[] {
  const { input, set, byNode } = view;
  const writes: Write[] = [];
  const known = new Set<string>();
  for (const node of input.nodes) {
    const { name } = node.metadata;
    known.add(name);
    const pods = byNode.get(name) ?? [];
    const { run, stay } = fitnessOf(set, node);
    if (run && pods.length === 0) writes.push(createPod(view, name));
    else if (!stay) writes.push(...pods.filter((pod) => !isTerminating(pod)).map((pod) => remove(set, pod)));
    else writes.push(...tidyNode(view, name, pods, run, events));
  }
  for (const [name, pods] of byNode) {
    if (known.has(name)) continue;
    writes.push(...pods.filter((pod) => !isTerminating(pod)).map((pod) => remove(set, pod)));
  }
  return writes;
}

function tidyNode(
  view: View,
  nodeName: string,
  pods: readonly Pod[],
  run: boolean,
  events: EventNote[],
): Write[] {
  const { set } = view;
  const writes: Write[] = [];
  const live: Pod[] = [];
  for (const pod of pods) {
    if (isTerminating(pod)) continue;
    const { phase } = pod.status ?? {};
    if (phase === 'Failed' || phase === 'Succeeded') {
      const failed = phase === 'Failed';
      const message = failed
        ? `Found failed daemon pod ${pod.metadata.namespace}/${pod.metadata.name} on node ${nodeName}, will try to kill it`
        : `Found succeeded daemon pod ${pod.metadata.namespace}/${pod.metadata.name} on node ${nodeName}, will try to delete it`;
      events.push({
        about: set,
        type: failed ? 'Warning' : 'Normal',
        reason: failed ? 'FailedDaemonPod' : 'SucceededDaemonPod',
        message,
      });
      writes.push(remove(set, pod));
    } else {
      live.push(pod);
    }
  }
  if (live.length > 1) writes.push(...surplus(view, live).map((pod) => remove(set, pod)));
  // With surge a pod on its way out does not keep its successor waiting.
  if (run && live.length === 0 && writes.length === 0 && view.maxSurge > 0) {
    writes.push(createPod(view, nodeName));
  }
  return writes;
}

/** Of several live pods on one node, those to go: while surging the old one stays until the new is available. */
function surplus(view: View, live: readonly Pod[]): readonly Pod[] {
  const oldestFirst = live.toSorted((a, b) =>
    compare(a.metadata.creationTimestamp, b.metadata.creationTimestamp),
  );
  if (view.maxSurge === 0) return oldestFirst.slice(1);
  const current = oldestFirst.filter((pod) => isCurrent(view, pod));
  const old = oldestFirst.filter((pod) => !isCurrent(view, pod));
  const ready = current.some((pod) => isAvailable(pod, view.set.spec.minReadySeconds ?? 0, view.input.nowMs));
  return [...current.slice(1), ...(ready ? old : old.slice(1))];
}

function remove(set: DaemonSet, pod: Pod): Write {
  return { verb: 'delete', resource: podResource, object: pod, accountTo: set };
}

function createPod(view: View, nodeName: string): Write {
  const { set, history } = view;
  const generation = set.metadata.annotations?.[GENERATION_ANNOTATION];
  const pod = podFromTemplate(set.spec.template, {
    namespace: set.metadata.namespace,
    generateName: `${set.metadata.name}-`,
    owner: controllerReference(set),
    labels: {
      [REVISION_HASH_LABEL]: history.update.hash,
      ...(generation === undefined ? {} : { [GENERATION_LABEL]: generation }),
    },
  });
  const object = {
    ...pod,
    spec: {
      ...pod.spec,
      affinity: affinityTo(pod.spec.affinity, nodeName),
      tolerations: tolerationsOf(pod.spec),
    },
  };
  return { verb: 'create', resource: podResource, object, accountTo: set };
}

/** The template's affinity, bound to one node by its name. */
function affinityTo(affinity: Affinity | undefined, nodeName: string): Affinity {
  const field = { key: 'metadata.name', operator: 'In' as const, values: [nodeName] };
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  // COMPAT: the name replaces the template's terms; that these match has been checked before.
  const terms: readonly NodeSelectorTerm[] = required?.nodeSelectorTerms.map(() => ({
    matchFields: [field],
  })) ?? [{ matchFields: [field] }];
  return {
    ...affinity,
    nodeAffinity: {
      ...affinity?.nodeAffinity,
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms.slice(0, 1) },
    },
  };
}

/** Replaces pods of earlier templates, as many at a time as may be missing or doubled. */
function rollingUpdate(view: View): Write[] {
  const { set, desired, input } = view;
  const { updateStrategy, minReadySeconds = 0 } = set.spec;
  if (updateStrategy?.type === 'OnDelete') return [];
  const written = updateStrategy?.rollingUpdate?.maxUnavailable ?? (view.maxSurge > 0 ? 0 : 1);
  const maxUnavailable = scaledValue(written, desired.length, 'up');
  const replaceable: Pod[] = [];
  const broken: Pod[] = [];
  const surging: Write[] = [];
  let unavailable = 0;
  let surged = 0;
  for (const node of desired) {
    const { name } = node.metadata;
    const pods = (view.byNode.get(name) ?? []).filter((pod) => !isTerminating(pod));
    const current = pods.find((pod) => isCurrent(view, pod));
    const old = pods.find((pod) => !isCurrent(view, pod));
    const available = (pod: Pod | undefined): boolean =>
      pod !== undefined && isAvailable(pod, minReadySeconds, input.nowMs);
    if (current !== undefined && old !== undefined) surged++;
    if (!available(current) && !available(old)) unavailable++;
    if (old === undefined || current !== undefined) continue;
    if (!available(old)) broken.push(old);
    else if (view.maxSurge > 0) surging.push(createPod(view, name));
    else replaceable.push(old);
  }
  const room = Math.max(maxUnavailable - unavailable, 0);
  return [
    // What does not work cannot be missed.
    ...broken.map((pod) => remove(set, pod)),
    ...replaceable.slice(0, room).map((pod) => remove(set, pod)),
    ...surging.slice(0, Math.max(view.maxSurge - surged, 0)),
  ];
}

function statusOf(view: View, collisionCount: number): DaemonSetStatus {
  const { input, set, byNode, desired } = view;
  const { minReadySeconds = 0 } = set.spec;
  const wanted = new Set(desired.map((node) => node.metadata.name));
  let scheduled = 0;
  let ready = 0;
  let available = 0;
  let updated = 0;
  let misscheduled = 0;
  for (const node of input.nodes) {
    const pods = byNode.get(node.metadata.name) ?? [];
    if (pods.length === 0) continue;
    if (!wanted.has(node.metadata.name)) {
      misscheduled++;
      continue;
    }
    scheduled++;
    // The newest speaks for the node.
    const pod = pods.toSorted((a, b) =>
      compare(b.metadata.creationTimestamp, a.metadata.creationTimestamp),
    )[0]!;
    if (isReady(pod) && !isTerminating(pod)) {
      ready++;
      if (isAvailable(pod, minReadySeconds, input.nowMs)) available++;
    }
    if (isCurrent(view, pod)) updated++;
  }
  const unavailable = desired.length - available;
  const { conditions } = set.status ?? {};
  return {
    currentNumberScheduled: scheduled,
    numberMisscheduled: misscheduled,
    desiredNumberScheduled: desired.length,
    numberReady: ready,
    observedGeneration: set.metadata.generation ?? 0,
    ...(updated === 0 ? {} : { updatedNumberScheduled: updated }),
    ...(available === 0 ? {} : { numberAvailable: available }),
    ...(unavailable === 0 ? {} : { numberUnavailable: unavailable }),
    ...(collisionCount === 0 ? {} : { collisionCount }),
    ...(conditions === undefined ? {} : { conditions }),
  };
}
