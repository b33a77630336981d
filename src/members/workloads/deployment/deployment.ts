// Deployments: one ReplicaSet per pod template, and a rollout between them.
// Reads Deployments, ReplicaSets, Pods. Writes ReplicaSets, and the Deployment's revision and status.
// INVARIANT: exactly one ReplicaSet has the current template; all others only ever shrink.
import type { DeploymentCondition, DeploymentStatus, PodTemplateSpec } from '../../../api/index.ts';
import { controllerReference, deepEqual, labelSelectorFor, semanticEqual } from '../../../machinery/index.ts';
import type { Deployment, Pod, ReplicaSet } from '../../kinds.ts';
import { claim } from '../../ownership.ts';
import { planOf, type EventNote, type Plan, type Write } from '../../plan.ts';
import { isTerminal } from '../../pods.ts';
import { deployments, replicaSets } from '../../resources.ts';
import { templateHash } from '../../template-hash.ts';
import {
  REVISION,
  annotation,
  currentAnnotations,
  isScalingEvent,
  maxReplicasOf,
  revisionOf,
  sizeAnnotations,
} from './annotations.ts';
import {
  byCreation,
  isRollingUpdate,
  newReplicaSetSize,
  replicasOf,
  scaleSizes,
  shrinkOld,
  sum,
  type Sizes,
} from './rollout.ts';
import {
  conditionOf,
  countedStatus,
  deadlineSecondsOf,
  isComplete,
  rolloutStatus,
  stuckInMs,
  withCondition,
} from './status.ts';

const HASH_LABEL = 'pod-template-hash';

export interface DeploymentInput {
  readonly deployment: Deployment;
  /** All of the namespace that the Deployment controls, or that nobody controls. */
  readonly replicaSets: readonly ReplicaSet[];
  /** Those of the Deployment's ReplicaSets; only looked at by the Recreate strategy. */
  readonly pods: readonly Pod[];
  /** The API server refused the new ReplicaSet because another object has its name: the hash has to be salted. */
  readonly nameTaken?: boolean;
  readonly nowMs: number;
}

/** What is decided about one Deployment, gathered while going through the steps. */
interface Draft {
  readonly input: DeploymentInput;
  readonly deployment: Deployment;
  /** The one of the current template, as it will be; undefined until it is created. */
  current: ReplicaSet | undefined;
  old: ReplicaSet[];
  revision: number | undefined;
  conditions: readonly DeploymentCondition[];
  collided: boolean;
  readonly events: EventNote[];
  readonly creates: Write[];
  readonly deletes: Write[];
  readonly changed: Map<string, ReplicaSet>;
}

export function decideDeployment(input: DeploymentInput): Plan {
  const { deployment } = input;
  const selector = labelSelectorFor(deployment.spec.selector);
  const { owned, adopt, release } = claim(deployment, selector, input.replicaSets);
  const draft = draftOf(input, owned);
  for (const set of [...adopt, ...release]) draft.changed.set(set.metadata.uid, set);
  if (deployment.metadata.deletionTimestamp !== undefined) {
    return finish(draft, countedStatus(observed(draft)));
  }
  notePause(draft);
  if (deployment.spec.paused === true) return decidePaused(draft);
  if (isScalingEvent(deployment, all(draft))) {
    if (draft.current !== undefined) bringCurrentUpToDate(draft, draft.current);
    resize(draft, scaleSizes(deployment, draft.current, draft.old, maxReplicasOf(deployment)));
    return finish(draft, steadyStatus(draft));
  }
  return isRollingUpdate(deployment) ? decideRollingUpdate(draft) : decideRecreate(draft);
}

function draftOf(input: DeploymentInput, owned: readonly ReplicaSet[]): Draft {
  const { deployment } = input;
  const current = owned
    .toSorted(byCreation)
    .find((set) => sameTemplate(set.spec.template ?? {}, deployment.spec.template));
  return {
    input,
    deployment,
    current,
    old: owned.filter((set) => set !== current),
    revision: undefined,
    conditions: deployment.status?.conditions ?? [],
    collided: false,
    events: [],
    creates: [],
    deletes: [],
    changed: new Map(),
  };
}

/** Equal but for the hash that ReplicaSets add. */
function sameTemplate(a: PodTemplateSpec, b: PodTemplateSpec): boolean {
  const metadataOf = ({ metadata = {} }: PodTemplateSpec): unknown => {
    const { [HASH_LABEL]: _, ...labels } = metadata.labels ?? {};
    return { ...metadata, labels };
  };
  // Specs are mostly one shared object, which compares at once.
  return (a.spec === b.spec || semanticEqual(a.spec, b.spec)) && semanticEqual(metadataOf(a), metadataOf(b));
}

function all(draft: Draft): ReplicaSet[] {
  return draft.current === undefined ? draft.old : [...draft.old, draft.current];
}

function observed(draft: Draft): Parameters<typeof countedStatus>[0] {
  return {
    deployment: { ...draft.deployment, status: { ...draft.deployment.status, conditions: draft.conditions } },
    newReplicaSet: draft.current,
    all: all(draft),
    nowMs: draft.input.nowMs,
  };
}

/** A pause stops the deadline's clock, and says so. */
function notePause(draft: Draft): void {
  const { deployment, input } = draft;
  if (deadlineSecondsOf(deployment) === undefined) return;
  const progressing = conditionOf(draft.conditions, 'Progressing');
  if (progressing?.reason === 'ProgressDeadlineExceeded') return;
  const paused = progressing?.reason === 'DeploymentPaused';
  if (deployment.spec.paused === true && !paused) {
    setProgressing(draft, 'Unknown', 'DeploymentPaused', 'Deployment is paused', input.nowMs);
  } else if (deployment.spec.paused !== true && paused) {
    setProgressing(draft, 'Unknown', 'DeploymentResumed', 'Deployment is resumed', input.nowMs);
  }
}

function setProgressing(draft: Draft, status: string, reason: string, message: string, nowMs: number): void {
  draft.conditions = withCondition(draft.conditions, { type: 'Progressing', status, reason, message }, nowMs);
}

function decidePaused(draft: Draft): Plan {
  const { deployment } = draft;
  if (draft.current !== undefined) bringCurrentUpToDate(draft, draft.current);
  resize(draft, scaleSizes(deployment, draft.current, draft.old, maxReplicasOf(deployment)));
  cleanUp(draft);
  return finish(draft, steadyStatus(draft));
}

/** Counts change, the account of the rollout's progress does not. */
function steadyStatus(draft: Draft): DeploymentStatus {
  return countedStatus(observed(draft));
}

function decideRollingUpdate(draft: Draft): Plan {
  const { deployment } = draft;
  const existed = draft.current !== undefined;
  const current = ensureCurrent(draft);
  if (current === undefined) return finish(draft, steadyStatus(draft));
  const size = newReplicaSetSize(deployment, replicasOf(current), sum(draft.old, replicasOf));
  if (existed && size !== replicasOf(current)) {
    resize(draft, new Map([[current.metadata.uid, size]]));
    return finish(draft, rolloutStatus(observed(draft), draft.conditions));
  }
  resize(draft, shrinkOld(deployment, current, draft.old));
  return finishRollout(draft);
}

function decideRecreate(draft: Draft): Plan {
  const { deployment, input } = draft;
  const down = new Map(draft.old.filter((set) => replicasOf(set) > 0).map((set) => [set.metadata.uid, 0]));
  if (down.size > 0) {
    if (draft.current !== undefined) bringCurrentUpToDate(draft, draft.current);
    resize(draft, down);
    return finish(draft, rolloutStatus(observed(draft), draft.conditions));
  }
  const oldUids = new Set(draft.old.map((set) => set.metadata.uid));
  const oldPodsRun = input.pods.some(
    (pod) =>
      !isTerminal(pod) &&
      pod.metadata.ownerReferences?.some((owner) => owner.controller === true && oldUids.has(owner.uid)) ===
        true,
  );
  if (oldPodsRun) return finish(draft, rolloutStatus(observed(draft), draft.conditions));
  const current = ensureCurrent(draft);
  if (current === undefined) return finish(draft, steadyStatus(draft));
  if (replicasOf(current) !== replicasOf(deployment)) {
    resize(draft, new Map([[current.metadata.uid, replicasOf(deployment)]]));
  }
  return finishRollout(draft);
}

function finishRollout(draft: Draft): Plan {
  const status = rolloutStatus(observed(draft), draft.conditions);
  if (isComplete(draft.deployment, status)) cleanUp(draft);
  return finish(draft, status);
}

/** The ReplicaSet of the current template, created when there is none; undefined when its name was taken. */
function ensureCurrent(draft: Draft): ReplicaSet | undefined {
  if (draft.current !== undefined) {
    bringCurrentUpToDate(draft, draft.current);
    return draft.current;
  }
  const { deployment, input } = draft;
  const created = newReplicaSet(draft);
  if (input.nameTaken === true) {
    draft.collided = true;
    return undefined;
  }
  draft.current = created;
  draft.revision = revisionOf(created);
  draft.creates.push({ verb: 'create', resource: replicaSets, object: bare(created) });
  if (replicasOf(created) > 0) noteScaling(draft, created, 0, replicasOf(created));
  if (deadlineSecondsOf(deployment) !== undefined) {
    const message = `Created new replica set "${created.metadata.name}"`;
    setProgressing(draft, 'True', 'NewReplicaSetCreated', message, input.nowMs);
  }
  return created;
}

function newReplicaSet(draft: Draft): ReplicaSet {
  const { deployment } = draft;
  const { template, selector, minReadySeconds } = deployment.spec;
  const hash = templateHash(template, deployment.status?.collisionCount ?? 0);
  const labels = { ...template.metadata?.labels, [HASH_LABEL]: hash };
  const revision = Math.max(0, ...draft.old.map(revisionOf)) + 1;
  const replicas = newReplicaSetSize(deployment, 0, sum(draft.old, replicasOf));
  const name = `${deployment.metadata.name}-${hash}`;
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name,
      namespace: deployment.metadata.namespace,
      labels,
      annotations: {
        ...currentAnnotations(deployment, { metadata: {} }, revision),
        ...sizeAnnotations(deployment),
      },
      ownerReferences: [controllerReference(deployment)],
      // Until the API server has answered, only so that the arithmetic can treat it like the others.
      uid: '',
      resourceVersion: '',
      creationTimestamp: '',
    },
    spec: {
      replicas,
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [HASH_LABEL]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
      ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
    },
  };
}

function bare({ metadata, ...rest }: ReplicaSet): { metadata: object } & Record<string, unknown> & {
    apiVersion: string;
    kind: string;
  } {
  const { uid: _1, resourceVersion: _2, creationTimestamp: _3, ...given } = metadata;
  return { ...rest, metadata: given };
}

/** Revision, annotations and minReadySeconds follow the Deployment also where the template stays. */
function bringCurrentUpToDate(draft: Draft, current: ReplicaSet): void {
  const { deployment, input } = draft;
  const revision = Math.max(revisionOf(current), ...draft.old.map((set) => revisionOf(set) + 1));
  const annotations = currentAnnotations(deployment, current, revision);
  const minReadySeconds = deployment.spec.minReadySeconds ?? 0;
  draft.revision = revision;
  if (
    conditionOf(draft.conditions, 'Progressing') === undefined &&
    deadlineSecondsOf(deployment) !== undefined
  ) {
    const message = `Found new replica set "${current.metadata.name}"`;
    setProgressing(draft, 'True', 'FoundNewReplicaSet', message, input.nowMs);
  }
  if (
    deepEqual(annotations, current.metadata.annotations ?? {}) &&
    (current.spec.minReadySeconds ?? 0) === minReadySeconds
  ) {
    return;
  }
  replace(draft, {
    ...current,
    metadata: { ...current.metadata, annotations },
    spec: { ...current.spec, minReadySeconds },
  });
}

function replace(draft: Draft, next: ReplicaSet): void {
  const { uid } = next.metadata;
  if (draft.current?.metadata.uid === uid) draft.current = next;
  draft.old = draft.old.map((set) => (set.metadata.uid === uid ? next : set));
  draft.changed.set(uid, next);
}

function resize(draft: Draft, sizes: Sizes): void {
  const { deployment } = draft;
  const annotations = sizeAnnotations(deployment);
  for (const set of all(draft)) {
    const size = sizes.get(set.metadata.uid);
    if (size === undefined) continue;
    const before = replicasOf(set);
    const marked = Object.entries(annotations).every(([key, value]) => annotation(set, key) === value);
    if (size === before && marked) continue;
    replace(draft, {
      ...set,
      metadata: { ...set.metadata, annotations: { ...set.metadata.annotations, ...annotations } },
      spec: { ...set.spec, replicas: size },
    });
    if (size !== before) noteScaling(draft, set, before, size);
  }
}

function noteScaling(draft: Draft, set: ReplicaSet, before: number, size: number): void {
  const direction = size > before ? 'up' : 'down';
  draft.events.push({
    about: draft.deployment,
    type: 'Normal',
    reason: 'ScalingReplicaSet',
    message: `Scaled ${direction} replica set ${set.metadata.name} from ${before} to ${size}`,
  });
}

/** Deletes the oldest empty ReplicaSets beyond the history limit. */
function cleanUp(draft: Draft): void {
  const limit = draft.deployment.spec.revisionHistoryLimit;
  if (limit === undefined || limit === 2_147_483_647) return;
  const alive = draft.old.filter((set) => set.metadata.deletionTimestamp === undefined);
  const surplus = alive.length - limit;
  if (surplus <= 0) return;
  const oldest = alive.toSorted((a, b) => revisionOf(a) - revisionOf(b) || byCreation(a, b));
  for (const set of oldest.slice(0, surplus)) {
    const empty = (set.status?.replicas ?? 0) === 0 && replicasOf(set) === 0;
    const seen = (set.metadata.generation ?? 0) <= (set.status?.observedGeneration ?? 0);
    if (empty && seen) draft.deletes.push({ verb: 'delete', resource: replicaSets, object: set });
  }
}

function finish(draft: Draft, status: DeploymentStatus): Plan {
  const { deployment, input } = draft;
  const updates: Write[] = [...draft.changed.values()].map((object) => ({
    verb: 'update',
    resource: replicaSets,
    object,
  }));
  const next: DeploymentStatus = draft.collided
    ? { ...status, collisionCount: (deployment.status?.collisionCount ?? 0) + 1 }
    : status;
  const writes: Write[] = [];
  const revision = draft.revision;
  const revised = revision !== undefined && annotation(deployment, REVISION) !== String(revision);
  const statusChanged = !semanticEqual(next, deployment.status ?? {});
  // The status endpoint keeps what it is not for, annotations included, but takes those of the rollout along.
  const metadata = revised
    ? {
        ...deployment.metadata,
        annotations: { ...deployment.metadata.annotations, [REVISION]: String(revision) },
      }
    : deployment.metadata;
  if (statusChanged || revised) {
    writes.push({
      verb: 'updateStatus',
      resource: deployments,
      object: { ...deployment, metadata, status: next },
    });
  }
  return planOf(
    [[...draft.creates, ...updates], draft.deletes, writes],
    draft.events,
    stuckInMs(deployment, next, input.nowMs),
  );
}
