// One cluster's part of the story: what was sent there, what became of it, and what the member says.
import {
  APPLIED_CONDITION,
  CLUSTER_READY_CONDITION,
  DISPATCHING_CONDITION,
  STATUS_CURRENT_CONDITION,
  TEMPLATE_GENERATION_ANNOTATION,
  clusterOfExecutionNamespace,
  type AggregatedStatusItem,
  type Cluster,
  type JsonObject,
  type KubeObject,
  type Work,
} from '../api/index.ts';
import { SUSPECT_CONDITION } from '../failover/index.ts';
import { isSuspendedCluster, suspensionNote } from '../fleet/index.ts';
import { isBeingDeleted } from '../machinery/index.ts';
import {
  existingClusters,
  isWorkload,
  renderTargets,
  suspensionText,
  type Binding,
} from '../propagation/index.ts';
import { listText, unstopped, type Finding } from './finding.ts';
import type { Rendered } from './render.ts';
import { conditionOf } from './schedule-findings.ts';
import type { WorldView } from './world.ts';

export interface ClusterStory {
  readonly cluster: string;
  /** One word: running, applied, behind, waiting, refused, failing, suspended, silent, unreached, unhealthy, leaving. */
  readonly state: string;
  /** Replicas it is to run; absent for what runs none. */
  readonly replicas?: number;
  readonly ready?: number;
  readonly health?: string;
  readonly overrides?: readonly string[];
  /** One line. */
  readonly says: string;
  /** Since when nothing is known of it: the member is silent, and what it reported is of then. RFC 3339. */
  readonly silentSince?: string;
  /** Who needs it there, when it follows others. */
  readonly requiredBy?: readonly string[];
}

export interface ClusterPart {
  readonly story: ClusterStory;
  readonly findings: readonly Finding[];
}

/** Since when a member does not answer; undefined while it does. */
export function silence(
  cluster: Cluster | undefined,
): { readonly since: string | undefined; readonly why: string } | undefined {
  const ready = conditionOf(cluster?.status?.conditions, CLUSTER_READY_CONDITION);
  if (ready?.status === 'True') return undefined;
  if (ready === undefined) return { since: undefined, why: 'it has never reported' };
  return {
    since: ready.lastTransitionTime,
    why: unstopped(ready.message === '' ? ready.reason : ready.message),
  };
}

export function worksByCluster(works: readonly Work[], binding: Binding): ReadonlyMap<string, Work> {
  const { kind, namespace = '', name } = binding.spec.resource;
  const ours = works.filter((work) => {
    const manifests = (work.spec.workload?.manifests ?? []) as unknown as readonly KubeObject[];
    return manifests.some(
      (manifest) =>
        manifest.kind === kind &&
        (manifests.length === 1 || manifest.metadata.name === name) &&
        (manifest.metadata.namespace ?? '') === namespace,
    );
  });
  return new Map(
    ours.map((work) => [clusterOfExecutionNamespace(work.metadata.namespace ?? '') ?? '', work]),
  );
}

/** Every cluster that has the template, is to have it, or is losing it. */
export function clusterParts(
  view: WorldView,
  binding: Binding,
  template: KubeObject | undefined,
  works: ReadonlyMap<string, Work>,
  rendered: ReadonlyMap<string, Rendered>,
): readonly ClusterPart[] {
  const names = new Set([...existingClusters(binding.spec), ...works.keys()]);
  return [...names].sort().map((cluster) =>
    partOf({
      view,
      binding,
      template,
      cluster,
      work: works.get(cluster),
      rendered: rendered.get(cluster),
    }),
  );
}

/** What the binding says of members that are silent, for whoever may not read clusters. */
export function silenceOnBinding({ world }: WorldView, { status }: Binding): readonly Finding[] {
  const current = conditionOf(status?.conditions, STATUS_CURRENT_CONDITION);
  if (current?.status !== 'False' || !world.unread.includes('clusters')) return [];
  return [
    {
      code: 'MEMBER_SILENT',
      step: 'members',
      severity: 'stuck',
      says: unstopped(current.message),
      since: current.lastTransitionTime,
    },
  ];
}

/** What is left in members of a template that is gone with its binding: Works that wait for their member. */
export function leftovers(view: WorldView, works: readonly Work[]): readonly ClusterPart[] {
  return works.map((work): ClusterPart => {
    const cluster = clusterOfExecutionNamespace(work.metadata.namespace ?? '') ?? '';
    const member = view.fleet.byName(cluster)?.cluster;
    const silent = member === undefined ? undefined : silence(member);
    const says =
      member === undefined
        ? `the copy in ${cluster} is out of reach, for the cluster does not exist any more`
        : silent === undefined
          ? `the copy in ${cluster} is being removed`
          : `the copy in ${cluster} is to go, and the member has not answered: ${silent.why}`;
    const next = silent === undefined ? undefined : `bring ${cluster} back, or unjoin it`;
    const since = work.metadata.deletionTimestamp;
    return {
      story: { cluster, state: 'leaving', says },
      findings: [
        {
          code: 'REMOVAL_WAITS',
          step: 'works',
          severity: silent === undefined ? 'waiting' : 'stuck',
          cluster,
          says,
          ...(next === undefined ? {} : { next }),
          ...(since === undefined ? {} : { since }),
        },
      ],
    };
  });
}

interface Subject {
  readonly view: WorldView;
  readonly binding: Binding;
  readonly template: KubeObject | undefined;
  readonly cluster: string;
  readonly work: Work | undefined;
  readonly rendered: Rendered | undefined;
}

type Told = Pick<ClusterStory, 'state' | 'says'> & { readonly finding?: Omit<Finding, 'step' | 'cluster'> };

function partOf(subject: Subject): ClusterPart {
  const { binding, cluster, rendered, view } = subject;
  const target = renderTargets(binding.spec).find(({ name }) => name === cluster);
  const item = binding.status?.aggregatedStatus?.find(({ clusterName }) => clusterName === cluster);
  const told = tell(subject, target !== undefined, item);
  const overrides = rendered?.ok === true ? rendered.overrides : [];
  const requiredBy = (binding.spec.requiredBy ?? [])
    .filter(({ clusters }) => clusters?.some(({ name }) => name === cluster) === true)
    .map(({ namespace, name }) => (namespace === undefined ? name : `${namespace}/${name}`));
  const ready = readyIn(item);
  const story: ClusterStory = {
    cluster,
    state: told.state,
    ...(isWorkload(binding.spec) && target?.replicas !== undefined ? { replicas: target.replicas } : {}),
    ...(ready === undefined ? {} : { ready }),
    ...(item?.health === undefined ? {} : { health: item.health }),
    ...(overrides.length === 0 ? {} : { overrides }),
    ...(requiredBy.length === 0 ? {} : { requiredBy }),
    says: told.says,
    ...(told.state === 'silent' && told.finding?.since !== undefined
      ? { silentSince: told.finding.since }
      : {}),
  };
  const step = told.state === 'running' || told.state === 'unhealthy' ? 'members' : 'works';
  const findings = told.finding === undefined ? [] : [{ step, cluster, ...told.finding } as const];
  return {
    story,
    findings: [...findings, ...oldGeneration(subject, told.state), ...wouldEvict(view, binding, cluster)],
  };
}

function tell(subject: Subject, wanted: boolean, item: AggregatedStatusItem | undefined): Told {
  const { view, cluster, work, rendered } = subject;
  const member = view.fleet.byName(cluster)?.cluster;
  const { unread } = view.world;
  if (unread.includes('clusters') || unread.includes('works')) return fromBinding(subject, wanted, item);
  if (member === undefined) {
    return failing(
      'CLUSTER_GONE',
      'silent',
      'the cluster does not exist any more',
      'join it again, or place the object elsewhere',
    );
  }
  if (!wanted) return leaving(member, work);
  if (rendered?.ok === false) {
    return failing('OVERRIDE_FAILED', 'failing', rendered.error, 'correct the override policy');
  }
  if (work === undefined) {
    const says = 'its Work is about to be made';
    return { state: 'waiting', says, finding: { code: 'WORK_MISSING', severity: 'waiting', says } };
  }
  if (work.spec.suspendDispatching === true) return suspended(subject, work);
  if (isSuspendedCluster(member, view.world.nowMs)) return suspendedCluster(member);
  const silent = silence(member);
  const applied = conditionOf(work.status?.conditions, APPLIED_CONDITION);
  if (silent !== undefined) return silentStory(silent, member, applied?.status === 'True');
  if (applied?.status === 'False') return refused(applied.message, applied.lastTransitionTime, cluster);
  if (applied === undefined) return notApplied(member);
  return behind(item, subject) ?? reported(item, subject);
}

/** All that the binding tells, for whoever may read neither Works nor clusters. */
function fromBinding(subject: Subject, wanted: boolean, item: AggregatedStatusItem | undefined): Told {
  if (!wanted) return { state: 'leaving', says: 'an old copy, on its way out' };
  if (item?.applied === true) return reported(item, subject);
  if (item?.appliedMessage !== undefined) return refused(item.appliedMessage, undefined, subject.cluster);
  const says = 'nothing was reported from there yet';
  return { state: 'waiting', says, finding: { code: 'NOT_APPLIED_YET', severity: 'waiting', says } };
}

function failing(code: string, state: string, says: string, next: string): Told {
  return { state, says, finding: { code, severity: 'stuck', says, next } };
}

function leaving(member: Cluster, work: Work | undefined): Told {
  const silent = silence(member);
  if (work !== undefined && isBeingDeleted(work) && silent !== undefined) {
    const says = `it is to go from there, and the member has not answered: ${silent.why}`;
    return {
      state: 'leaving',
      says,
      finding: {
        code: 'REMOVAL_WAITS',
        severity: 'waiting',
        says,
        next: 'bring the member back, or unjoin it',
        ...(silent.since === undefined ? {} : { since: silent.since }),
      },
    };
  }
  return { state: 'leaving', says: work === undefined ? 'gone from there' : 'an old copy, on its way out' };
}

function suspended({ binding, cluster }: Subject, work: Work): Told {
  const everywhere = binding.spec.suspension?.dispatching === true;
  const says = everywhere
    ? 'dispatching is suspended by the policy'
    : `dispatching to ${cluster} is suspended by the policy`;
  const since = conditionOf(work.status?.conditions, DISPATCHING_CONDITION);
  return {
    state: 'suspended',
    says,
    finding: {
      code: 'DISPATCH_SUSPENDED',
      severity: 'stuck',
      says,
      next: everywhere
        ? 'take suspension.dispatching off the policy, or run "navarch resume policy/NAME"'
        : `take ${cluster} off suspension.dispatchingOnClusters of the policy, or run "navarch resume policy/NAME --cluster ${cluster}"`,
      ...(since?.status === 'False' ? { since: since.lastTransitionTime } : {}),
    },
  };
}

function suspendedCluster(member: Cluster): Told {
  const { name } = member.metadata;
  const { since } = suspensionNote(member);
  const says = `the cluster is ${suspensionText(member)}`;
  return {
    state: 'suspended',
    says,
    finding: {
      code: 'CLUSTER_SUSPENDED',
      severity: 'stuck',
      says,
      next: `run "navarch resume cluster/${name}"`,
      ...(since === undefined ? {} : { since }),
    },
  };
}

function silentStory(
  { since, why }: { readonly since: string | undefined; readonly why: string },
  member: Cluster,
  wasApplied: boolean,
): Told {
  const who = member.spec.syncMode === 'Pull' ? 'its agent' : 'the member';
  const says = wasApplied
    ? `${who} is silent (${why}); what is known of it is old, and changes wait`
    : `${who} is silent (${why}), so nothing could be applied`;
  return {
    state: wasApplied ? 'silent' : 'unreached',
    says,
    finding: {
      code: 'MEMBER_SILENT',
      severity: 'stuck',
      says,
      next: `bring ${member.metadata.name ?? 'the member'} back; what waits is applied by itself then`,
      ...(since === undefined ? {} : { since }),
    },
  };
}

const CONFLICT = /already exists in the cluster/;
// COMPAT: the condition wraps what the member answered into a count of manifests.
const WRAPPED = /^Failed to apply all manifests \(\d+\/\d+\): (.*)$/s;

function refused(message: string, since: string | undefined, cluster: string): Told {
  const sinceWhen = since === undefined ? {} : { since };
  const reason = WRAPPED.exec(message)?.[1] ?? message;
  if (CONFLICT.test(reason)) {
    const says = `${cluster} has an object of that name already, and it is not ours`;
    return {
      state: 'refused',
      says,
      finding: {
        code: 'CONFLICT',
        severity: 'stuck',
        says,
        next: 'set conflictResolution: Overwrite in the policy to take it over, or delete it in the member',
        ...sinceWhen,
      },
    };
  }
  const says = unstopped(reason);
  return {
    state: 'failing',
    says,
    finding: { code: 'APPLY_FAILED', severity: 'stuck', says, next: nextFor(reason, cluster), ...sinceWhen },
  };
}

function nextFor(reason: string, cluster: string): string {
  if (/no matches for kind|does not serve|not served|could not find the requested resource/i.test(reason))
    return `install the API in ${cluster}, or propagate its CustomResourceDefinition too`;
  if (/forbidden|unauthorized/i.test(reason))
    return `check the rights of the control plane in ${cluster}, and its quotas and admission`;
  if (/namespaces? .*not found/i.test(reason)) return `create the namespace in ${cluster}`;
  if (/immutable/i.test(reason))
    return `delete the object in ${cluster} so that it is made anew, or take the change back`;
  return 'correct the object or an override policy; it is tried again by itself';
}

function notApplied(member: Cluster): Told {
  const says =
    member.spec.syncMode === 'Pull' ? 'its agent has not fetched it yet' : 'it is on its way there';
  return { state: 'waiting', says, finding: { code: 'NOT_APPLIED_YET', severity: 'waiting', says } };
}

// ---- what the member says

function numberIn(status: JsonObject | undefined, ...fields: readonly string[]): number | undefined {
  for (const field of fields) {
    const value = status?.[field];
    if (typeof value === 'number') return value;
  }
  return undefined;
}

function statusIn(item: AggregatedStatusItem | undefined): JsonObject | undefined {
  return item?.status;
}

function readyIn(item: AggregatedStatusItem | undefined): number | undefined {
  const status = statusIn(item);
  if (status === undefined) return undefined;
  const counts = ['replicas', 'desiredNumberScheduled', 'active'].some(
    (field) => status[field] !== undefined,
  );
  return numberIn(status, 'readyReplicas', 'numberReady', 'ready') ?? (counts ? 0 : undefined);
}

function sentGeneration(work: Work | undefined): number {
  const [manifest] = (work?.spec.workload?.manifests ?? []) as unknown as readonly KubeObject[];
  return Number(manifest?.metadata.annotations?.[TEMPLATE_GENERATION_ANNOTATION] ?? NaN);
}

/** The member still reports on an older version than was sent; kinds whose status says which one tell so. */
function behind(item: AggregatedStatusItem | undefined, { work, cluster }: Subject): Told | undefined {
  const reports = numberIn(statusIn(item), 'resourceTemplateGeneration');
  const sent = sentGeneration(work);
  if (reports === undefined || !(reports < sent)) return undefined;
  const says = `it has not taken the last change yet: it reports on generation ${reports}, and ${sent} was sent`;
  return {
    state: 'behind',
    says,
    finding: {
      code: 'NOT_TAKEN',
      severity: 'waiting',
      says,
      next: `if it lasts, see whether ${cluster} answers: kubectl get cluster ${cluster}`,
    },
  };
}

function reported(item: AggregatedStatusItem | undefined, { cluster, view }: Subject): Told {
  const member = view.fleet.byName(cluster)?.cluster;
  if (item?.health === 'Unhealthy') {
    const why = complaint(statusIn(item));
    const says = `it is not healthy there${why === undefined ? '' : `: ${why}`}`;
    return {
      state: 'unhealthy',
      says,
      finding: {
        code: 'UNHEALTHY',
        severity: 'waiting',
        says,
        next: `look at its pods and events in ${cluster}`,
      },
    };
  }
  if (item?.health === 'Healthy')
    return { state: 'running', says: `applied and healthy${suspicion(member)}` };
  return { state: 'applied', says: 'applied; its health is not known' };
}

/** A cluster whose probes fail again and again. */
function suspicion(member: Cluster | undefined): string {
  const suspect = conditionOf(member?.status?.conditions, SUSPECT_CONDITION);
  return suspect?.status === 'True' ? `; the cluster is suspect: ${unstopped(suspect.message)}` : '';
}

/** What the conditions of a status complain about, or how many replicas are missing. */
function complaint(status: JsonObject | undefined): string | undefined {
  const conditions = (status?.['conditions'] ?? []) as unknown as readonly JsonObject[];
  const bad = conditions.find(
    ({ type, status: value, message }) =>
      typeof message === 'string' &&
      message !== '' &&
      ((type === 'ReplicaFailure' && value === 'True') || (type !== 'ReplicaFailure' && value === 'False')),
  );
  const text = bad?.['message'];
  const missing = numberIn(status, 'unavailableReplicas', 'numberUnavailable');
  const counted =
    missing === undefined || missing === 0 ? undefined : `${missing} of its replicas are not available`;
  if (typeof text !== 'string') return counted;
  return counted === undefined ? unstopped(text) : `${counted}, ${unstopped(text)}`;
}

/** Says when the Work holds an older version of the template than there is. */
function oldGeneration({ template, work, cluster }: Subject, state: string): readonly Finding[] {
  const sent = sentGeneration(work);
  const now = template?.metadata.generation;
  if (state === 'leaving' || now === undefined || !(sent < now)) return [];
  return [
    {
      code: 'NOT_UPDATED',
      step: 'works',
      severity: 'waiting',
      cluster,
      says: `what was sent to ${cluster} is generation ${sent} of the object, which is at ${now}`,
    },
  ];
}

/** A taint that would evict, where evictions are switched off. */
function wouldEvict(view: WorldView, binding: Binding, cluster: string): readonly Finding[] {
  const taints = (view.fleet.byName(cluster)?.cluster.spec.taints ?? []).filter(
    ({ effect }) => effect === 'NoExecute',
  );
  const isTarget = binding.spec.clusters?.some(({ name }) => name === cluster) === true;
  if (taints.length === 0 || !isTarget || view.world.settings.evictsByTaint) return [];
  return [
    {
      code: 'EVICTION_OFF',
      step: 'schedule',
      severity: 'note',
      cluster,
      says: `${cluster} has the taint ${listText(taints.map(({ key }) => key))} with NoExecute, and evictions by taints are switched off`,
    },
  ];
}
