// StatefulSets: pods with a name, a place in an order and storage of their own.
// Reads StatefulSets, Pods, ControllerRevisions, PersistentVolumeClaims. Writes Pods, claims, revisions, status.
// INVARIANT: with ordered management at most one pod is being created, deleted or replaced, and a pod is only
// created when all before it are available.
import type {
  PersistentVolumeClaim as ClaimTemplate,
  PodTemplateSpec,
  StatefulSetStatus,
} from '../../api/index.ts';
import { controllerReference, labelSelectorFor, semanticEqual } from '../../machinery/index.ts';
import { scaledValue } from '../amounts.ts';
import type { ControllerRevision, PersistentVolumeClaim, Pod, StatefulSet } from '../kinds.ts';
import { claim } from '../ownership.ts';
import { nothing, planOf, type EventNote, type Plan, type Write, type Words } from '../plan.ts';
import {
  isAvailable,
  isReady,
  isTerminal,
  isTerminating,
  nextAvailableInMs,
  podFromTemplate,
} from '../pods.ts';
import { persistentVolumeClaims, pods as podResource, statefulSets } from '../resources.ts';
import { REVISION_HASH_LABEL, historyOf, pruneHistory, templateIn, type History } from './revisions.ts';

export interface StatefulSetInput {
  readonly statefulSet: StatefulSet;
  /** All of the namespace that the set controls, or that nobody controls. */
  readonly pods: readonly Pod[];
  readonly revisions: readonly ControllerRevision[];
  /** The claim of that name in the set's namespace. */
  readonly claimNamed: (name: string) => PersistentVolumeClaim | undefined;
  /** The API server refused the new revision because another object has its name. */
  readonly nameTaken?: boolean;
  readonly nowMs: number;
}

/** What the steps share. `slots` are the pods that should be, by ordinal; missing ones are undefined. */
interface View {
  readonly input: StatefulSetInput;
  readonly set: StatefulSet;
  readonly history: History;
  readonly currentRevision: string;
  readonly currentTemplate: PodTemplateSpec;
  readonly first: number;
  readonly slots: readonly (Pod | undefined)[];
  /** Pods beyond the wanted ordinals, highest first. */
  readonly condemned: readonly Pod[];
  readonly ordered: boolean;
}

interface Round {
  readonly writes: readonly Write[];
  readonly before?: readonly Write[];
  readonly events?: readonly EventNote[];
}

export function decideStatefulSet(input: StatefulSetInput): Plan {
  const { statefulSet: set, nowMs } = input;
  const { name } = set.metadata;
  const { owned, adopt, release } = claim(
    set,
    labelSelectorFor(set.spec.selector),
    input.pods,
    (pod) => ordinalOf(pod, name) !== undefined,
  );
  const members = owned.filter((pod) => ordinalOf(pod, name) !== undefined);
  const taken = input.nameTaken === true ? 1 : 0;
  const collisionCount = (set.status?.collisionCount ?? 0) + taken;
  const history = historyOf({ owner: set, revisions: input.revisions, collisionCount });
  const view = viewOf(input, history, members);
  const goes = set.metadata.deletionTimestamp !== undefined;
  const round = goes ? { writes: [] } : nextRound(view);
  const status = statusOf(view, members, collisionCount);
  const inUse = new Set([
    view.currentRevision,
    history.update.name,
    ...members.map((pod) => pod.metadata.labels?.[REVISION_HASH_LABEL] ?? ''),
  ]);
  const changed = !semanticEqual(status, set.status ?? { replicas: 0 });
  const claimed = [...adopt, ...release].map((object): Write => ({
    verb: 'update',
    resource: podResource,
    object,
  }));
  return planOf(
    [
      goes ? [] : [...claimed, ...history.writes],
      round.before ?? [],
      round.writes,
      goes ? [] : pruneHistory(history, set.spec.revisionHistoryLimit, (one) => inUse.has(one)),
      changed ? [{ verb: 'updateStatus', resource: statefulSets, object: { ...set, status } }] : [],
    ],
    round.events ?? nothing.events,
    nextAvailableInMs(members, set.spec.minReadySeconds ?? 0, nowMs),
  );
}

/** The number at the end of the name, when the rest is the set's. */
export function ordinalOf(
  pod: { readonly metadata: { readonly name: string } },
  set: string,
): number | undefined {
  const { name } = pod.metadata;
  if (!name.startsWith(`${set}-`)) return undefined;
  const digits = name.slice(set.length + 1);
  return /^(0|[1-9]\d*)$/.test(digits) ? Number(digits) : undefined;
}

function viewOf(input: StatefulSetInput, history: History, members: readonly Pod[]): View {
  const set = input.statefulSet;
  const first = set.spec.ordinals?.start ?? 0;
  const replicas = set.spec.replicas ?? 1;
  const slots: (Pod | undefined)[] = Array.from({ length: replicas }, () => undefined);
  const condemned: Pod[] = [];
  for (const pod of members) {
    const index = (ordinalOf(pod, set.metadata.name) ?? -1) - first;
    if (index >= 0 && index < replicas) slots[index] = pod;
    else condemned.push(pod);
  }
  const ordinal = (pod: Pod): number => ordinalOf(pod, set.metadata.name) ?? -1;
  condemned.sort((a, b) => ordinal(b) - ordinal(a));
  const recorded = set.status?.currentRevision ?? '';
  const current = [...history.others].find(({ metadata }) => metadata.name === recorded);
  return {
    input,
    set,
    history,
    currentRevision: current === undefined ? history.update.name : recorded,
    currentTemplate: (current === undefined ? undefined : templateIn(current)) ?? set.spec.template,
    first,
    slots,
    condemned,
    ordered: set.spec.podManagementPolicy !== 'Parallel',
  };
}

function isHealthy(pod: Pod | undefined): boolean {
  return pod !== undefined && pod.status?.phase === 'Running' && isReady(pod) && !isTerminating(pod);
}

function isHealthyLongEnough(view: View, pod: Pod): boolean {
  return isHealthy(pod) && isAvailable(pod, view.set.spec.minReadySeconds ?? 0, view.input.nowMs);
}

/** The writes that may be made now; an ordered set makes one change and waits for its effect. */
function nextRound(view: View): Round {
  const filled = fillSlots(view);
  if (filled !== undefined) return filled;
  const removed = removeCondemned(view);
  if (removed !== undefined) return removed;
  return { writes: replaceOutdated(view) };
}

function remove(view: View, pod: Pod): Write {
  const words = wordsOf(view.set, `delete Pod ${pod.metadata.name}`);
  return { verb: 'delete', resource: podResource, object: pod, accountTo: view.set, words };
}

/** Creates what is missing. Undefined: nothing to do or to wait for. */
function fillSlots(view: View): Round | undefined {
  const { ordered, set, slots, first } = view;
  const before: Write[] = [];
  const writes: Write[] = [];
  const events: EventNote[] = [];
  for (const [index, pod] of slots.entries()) {
    if (pod === undefined) {
      before.push(...claimWrites(view, first + index));
      writes.push(createPod(view, first + index));
      if (ordered) return { before, writes, events };
      continue;
    }
    if (isTerminal(pod)) {
      if (!isTerminating(pod)) {
        const message = `StatefulSet ${set.metadata.namespace}/${set.metadata.name} is recreating failed Pod ${pod.metadata.name}`;
        events.push({ about: set, type: 'Warning', reason: 'RecreatingFailedPod', message });
        writes.push(remove(view, pod));
      }
      if (ordered) return { before, writes, events };
      continue;
    }
    if (pod.status?.phase === 'Pending') before.push(...claimWrites(view, first + index));
    if (ordered && !isHealthyLongEnough(view, pod)) return { before, writes, events };
  }
  return before.length + writes.length === 0 ? undefined : { before, writes, events };
}

/** Deletes pods beyond the wanted count, from the highest ordinal down. */
function removeCondemned(view: View): Round | undefined {
  const { condemned, ordered, slots } = view;
  if (condemned.length === 0) return undefined;
  const firstUnhealthy =
    slots.find((pod) => pod !== undefined && !isHealthy(pod)) ??
    condemned.toReversed().find((pod) => !isHealthy(pod));
  const before: Write[] = [];
  const writes: Write[] = [];
  for (const pod of condemned) {
    if (isTerminating(pod)) {
      if (ordered) return { writes };
      continue;
    }
    if (ordered && pod !== firstUnhealthy && !isHealthyLongEnough(view, pod)) return { writes };
    before.push(...scaledDownClaims(view, pod));
    writes.push(remove(view, pod));
    if (ordered) return { before, writes };
  }
  return ordered || writes.length > 0 ? { before, writes } : undefined;
}

function isOutdated(view: View, pod: Pod): boolean {
  return pod.metadata.labels?.[REVISION_HASH_LABEL] !== view.history.update.name;
}

/** The rolling update: from the highest ordinal down to the partition, as many at a time as may be unavailable. */
function replaceOutdated(view: View): Write[] {
  const { set, slots, first } = view;
  const { updateStrategy } = set.spec;
  if (updateStrategy?.type === 'OnDelete') return [];
  const { partition = 0, maxUnavailable } = updateStrategy?.rollingUpdate ?? {};
  const atOnce = Math.max(scaledValue(maxUnavailable ?? 1, slots.length, 'up'), 1);
  const highestFirst = slots.slice(Math.max(partition - first, 0)).toReversed();
  const isDue = (pod: Pod): boolean => isOutdated(view, pod) && !isTerminating(pod);
  if (atOnce === 1) {
    // Pods further down do not count, so that one that is broken gets its turn.
    const next = highestFirst.find(
      (pod) => pod === undefined || isDue(pod) || !isHealthyLongEnough(view, pod),
    );
    return next !== undefined && isDue(next) ? [remove(view, next)] : [];
  }
  let unavailable = slots.filter((pod) => pod === undefined || !isHealthyLongEnough(view, pod)).length;
  const writes: Write[] = [];
  for (const pod of highestFirst) {
    if (pod === undefined || !isDue(pod)) continue;
    if (isHealthyLongEnough(view, pod)) {
      if (unavailable >= atOnce) break;
      unavailable++;
    }
    writes.push(remove(view, pod));
  }
  return writes;
}

function createPod(view: View, ordinal: number): Write {
  const { set, history } = view;
  const { updateStrategy } = set.spec;
  const partition = updateStrategy?.rollingUpdate?.partition ?? 0;
  const old = updateStrategy?.type !== 'OnDelete' && ordinal < partition;
  const template = old ? view.currentTemplate : set.spec.template;
  const name = `${set.metadata.name}-${ordinal}`;
  const pod = podFromTemplate(template, {
    namespace: set.metadata.namespace,
    name,
    owner: controllerReference(set),
    labels: {
      'statefulset.kubernetes.io/pod-name': name,
      'apps.kubernetes.io/pod-index': String(ordinal),
      [REVISION_HASH_LABEL]: old ? view.currentRevision : history.update.name,
    },
  });
  const claims = set.spec.volumeClaimTemplates ?? [];
  const own = new Set(claims.map(({ metadata }) => metadata.name));
  const volumes = [
    ...claims.map((template) => ({
      name: template.metadata.name ?? '',
      persistentVolumeClaim: { claimName: claimName(set, template, ordinal) },
    })),
    ...(pod.spec.volumes ?? []).filter((volume) => !own.has(volume.name)),
  ];
  const { serviceName } = set.spec;
  const object = {
    ...pod,
    spec: {
      ...pod.spec,
      hostname: name,
      ...(serviceName === undefined || serviceName === '' ? {} : { subdomain: serviceName }),
      ...(volumes.length === 0 ? {} : { volumes }),
    },
  };
  const words = wordsOf(set, `create Pod ${name}`);
  return { verb: 'create', resource: podResource, object, accountTo: set, words };
}

function wordsOf({ metadata }: StatefulSet, what: string): Words {
  const told = `${what} in StatefulSet ${metadata.name}`;
  return { done: `${told} successful`, failed: `${told} failed error` };
}

function claimName(set: StatefulSet, template: ClaimTemplate, ordinal: number): string {
  return `${template.metadata.name ?? ''}-${set.metadata.name}-${ordinal}`;
}

/** Claims that the pod of this ordinal needs and that do not exist. */
function claimWrites({ set, input }: View, ordinal: number): Write[] {
  const policy = set.spec.persistentVolumeClaimRetentionPolicy;
  return (set.spec.volumeClaimTemplates ?? []).flatMap((template): Write[] => {
    const name = claimName(set, template, ordinal);
    if (input.claimNamed(name) !== undefined) return [];
    const { metadata, spec } = template;
    const labels = { ...metadata.labels, ...set.spec.selector.matchLabels };
    const object = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: {
        name,
        namespace: set.metadata.namespace,
        ...(Object.keys(labels).length === 0 ? {} : { labels }),
        ...(metadata.annotations === undefined ? {} : { annotations: metadata.annotations }),
        ...(policy?.whenDeleted === 'Delete' ? { ownerReferences: [controllerReference(set)] } : {}),
      },
      spec,
    };
    const pod = `${set.metadata.name}-${ordinal}`;
    const words = {
      done: `create Claim ${name} Pod ${pod} in StatefulSet ${set.metadata.name} success`,
      failed: `create Claim ${name} for Pod ${pod} in StatefulSet ${set.metadata.name} failed error`,
    };
    return [{ verb: 'create', resource: persistentVolumeClaims, object, accountTo: set, words }];
  });
}

/** Claims to be collected with a pod that scaling down removes. */
function scaledDownClaims({ set, input }: View, pod: Pod): Write[] {
  const policy = set.spec.persistentVolumeClaimRetentionPolicy;
  if (policy?.whenScaled !== 'Delete') return [];
  const ordinal = ordinalOf(pod, set.metadata.name) ?? 0;
  return (set.spec.volumeClaimTemplates ?? []).flatMap((template): Write[] => {
    const existing = input.claimNamed(claimName(set, template, ordinal));
    if (existing === undefined) return [];
    const ownerReferences = [controllerReference(pod)];
    const object = { ...existing, metadata: { ...existing.metadata, ownerReferences } };
    return [{ verb: 'update', resource: persistentVolumeClaims, object }];
  });
}

function statusOf(view: View, members: readonly Pod[], collisionCount: number): StatefulSetStatus {
  const { set, history, currentRevision } = view;
  const update = history.update.name;
  const created = members.filter((pod) => pod.status?.phase !== undefined);
  const ready = created.filter((pod) => pod.status?.phase === 'Running' && isReady(pod));
  const available = ready.filter((pod) => isAvailable(pod, set.spec.minReadySeconds ?? 0, view.input.nowMs));
  const ofRevision = (name: string): number =>
    created.filter((pod) => !isTerminating(pod) && pod.metadata.labels?.[REVISION_HASH_LABEL] === name)
      .length;
  const wanted = set.spec.replicas ?? 1;
  const updated = ofRevision(update);
  const rolls = set.spec.updateStrategy?.type !== 'OnDelete';
  const finished = rolls && updated === wanted && ready.length === wanted && created.length === wanted;
  const current = finished ? updated : ofRevision(currentRevision);
  const { conditions } = set.status ?? {};
  return {
    observedGeneration: set.metadata.generation ?? 0,
    replicas: created.length,
    ...(ready.length === 0 ? {} : { readyReplicas: ready.length }),
    availableReplicas: available.length,
    ...(current === 0 ? {} : { currentReplicas: current }),
    ...(updated === 0 ? {} : { updatedReplicas: updated }),
    currentRevision: finished ? update : currentRevision,
    updateRevision: update,
    collisionCount,
    ...(conditions === undefined ? {} : { conditions }),
  };
}
