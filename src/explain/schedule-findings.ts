// The step of the scheduler: whether the binding is placed, why not, and what is being moved away.
import {
  DEPENDENCIES_READY_CONDITION,
  DEPENDENCY_CONFLICT_CONDITION,
  SCHEDULED_CONDITION,
  type Condition,
} from '../api/index.ts';
import { parseTime } from '../machinery/index.ts';
import { isWorkload, type Binding } from '../propagation/index.ts';
import { entersQueue, isForScheduler, schedule } from '../scheduling/index.ts';
import { listText, unstopped, type Finding } from './finding.ts';
import { scheduleInput } from './settle.ts';
import type { WorldView } from './world.ts';

export function conditionOf(
  conditions: readonly Condition[] | undefined,
  type: string,
): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

const NEXT: Readonly<Record<string, string>> = {
  NoClusterFit: 'change a cluster or the placement so that one fits; below is what would let each cluster in',
  QuotaExceeded: 'raise the FederatedResourceQuota of the namespace, or ask for fewer replicas',
  SchedulerError: 'change the spread constraints or the placement of the policy',
};

export function scheduleFindings(view: WorldView, binding: Binding): readonly Finding[] {
  const findings: Finding[] = [];
  const add = (finding: Omit<Finding, 'step'>): void => void findings.push({ step: 'schedule', ...finding });
  const { spec, status, metadata } = binding;
  const { schedulerName } = view.world.settings;
  const condition = conditionOf(status?.conditions, SCHEDULED_CONDITION);
  const placed = (spec.clusters ?? []).length > 0;
  if (spec.suspension?.scheduling === true) {
    add({
      code: 'SCHEDULING_SUSPENDED',
      severity: placed ? 'note' : 'stuck',
      says: 'scheduling is suspended in the binding',
      next: `set spec.suspension.scheduling of ${binding.kind} ${metadata.name ?? ''} to false, or run "navarch resume binding/${metadata.name ?? ''}"`,
    });
  } else if (spec.placement === undefined) {
    if ((spec.requiredBy ?? []).length === 0)
      add({ code: 'NO_PLACEMENT', severity: 'stuck', says: 'its binding has no placement' });
  } else if (!isForScheduler(binding, schedulerName)) {
    add({
      code: 'OTHER_SCHEDULER',
      severity: placed ? 'note' : 'stuck',
      says: `the scheduler "${spec.schedulerName ?? ''}" is to place it, and the one that runs is "${schedulerName}"`,
      next: `run that scheduler, or leave schedulerName of the policy empty`,
    });
  } else if (view.world.clusters.length === 0 && !view.world.unread.includes('clusters')) {
    add({
      code: 'NO_CLUSTERS',
      severity: 'stuck',
      says: 'there are no clusters',
      next: 'join one: navarch join NAME --cluster-kubeconfig FILE',
    });
  } else if (condition?.status === 'False' && condition.reason === 'Unschedulable') {
    add({ ...noRoom(view, binding, placed), since: condition.lastTransitionTime });
  } else if (condition?.status === 'False') {
    add({
      code: CODES[condition.reason] ?? 'NOT_SCHEDULED',
      severity: 'stuck',
      says: `${placed ? 'it cannot be placed as asked and stays where it was' : 'no clusters were found for it'}: ${unstopped(condition.message)}`,
      ...(NEXT[condition.reason] === undefined ? {} : { next: NEXT[condition.reason] }),
      since: condition.lastTransitionTime,
    });
  } else if (condition === undefined && entersQueue(binding, schedulerName)) {
    add({ code: 'NOT_SCHEDULED_YET', severity: 'waiting', says: 'the scheduler has not got to it yet' });
  } else if (
    status?.schedulerObservedGeneration !== metadata.generation &&
    entersQueue(binding, schedulerName)
  ) {
    add({
      code: 'BEING_RESCHEDULED',
      severity: 'waiting',
      says: 'its binding changed, and the scheduler has not looked at it since',
    });
  } else if (!placed && isWorkload(spec) && (spec.replicas ?? 0) === 0) {
    add({
      code: 'SCALED_TO_ZERO',
      severity: 'note',
      says: 'it asks for no replicas, so it is in no cluster',
    });
  }
  findings.push(
    ...earlierTerms(view, binding),
    ...evictionFindings(binding),
    ...dependencyFindings(status?.conditions),
  );
  return findings;
}

/** How much is asked for and how much there is. */
function noRoom(view: WorldView, binding: Binding, placed: boolean): Omit<Finding, 'step'> {
  const result = schedule(scheduleInput(view, view, binding, 'Steady'));
  const base = { code: 'NO_ROOM', severity: 'stuck' } as const;
  if (result.ok) {
    return {
      ...base,
      severity: 'waiting',
      says: 'there was too little room for it; there is enough now, and it is about to be tried again',
    };
  }
  const { replicas = 0, replicaRequirements, clusters = [] } = binding.spec;
  const there = clusters.reduce((sum, one) => sum + (one.replicas ?? 0), 0);
  const attempt = result.attempts.find(({ failure }) => failure === result.failure) ?? result.attempts[0];
  const room = (attempt?.selection?.chosen ?? attempt?.candidates ?? [])
    .map(({ allocatable }) => allocatable)
    .reduce((sum, one) => sum + one, 0);
  const request = Object.entries(replicaRequirements?.resourceRequest ?? {})
    .map(([name, amount]) => `${name} ${amount}`)
    .join(', ');
  const each = request === '' ? '' : `, each asking for ${request}`;
  const more = placed ? `${replicas - there} more of its ${replicas} replicas` : `${replicas} replicas`;
  return {
    ...base,
    says: `${more} are to be placed${each}, and the clusters that fit have room for ${room}`,
    next: 'make room in the clusters, let another cluster in, or ask for fewer replicas',
  };
}

/** Why the terms before the one in use are not used, and whether they would do by now. */
function earlierTerms(view: WorldView, binding: Binding): readonly Finding[] {
  const observed = binding.status?.schedulerObservingAffinityName ?? '';
  const terms = binding.spec.placement?.clusterAffinities ?? [];
  const at = terms.findIndex(({ affinityName }) => affinityName === observed);
  if (at < 1) return [];
  const result = schedule(scheduleInput(view, view, binding, 'Fresh'));
  const note = (says: string): Finding => ({
    code: 'EARLIER_TERM',
    step: 'schedule',
    severity: 'note',
    says,
  });
  if (result.ok && result.affinityName !== observed) {
    return [
      note(
        `it uses the term ${observed}; ${result.affinityName ?? ''} comes before it and would do by now: a WorkloadRebalancer brings it back`,
      ),
    ];
  }
  return result.attempts
    .slice(0, at)
    .flatMap(({ affinityName, failure }) =>
      failure === undefined
        ? []
        : [
            note(
              `the term ${affinityName} comes before ${observed} and does not do: ${unstopped(failure.message)}`,
            ),
          ],
    );
}

const CODES: Readonly<Record<string, string>> = {
  NoClusterFit: 'NO_CLUSTER_FIT',
  QuotaExceeded: 'QUOTA_EXCEEDED',
  SchedulerError: 'SELECTION_FAILED',
};

/** What it needs beside it, and who disagrees about it; the distributor of dependencies says so on the binding. */
function dependencyFindings(conditions: readonly Condition[] | undefined): readonly Finding[] {
  const findings: Finding[] = [];
  const ready = conditionOf(conditions, DEPENDENCIES_READY_CONDITION);
  if (ready?.status === 'False') {
    const missing = ready.reason === 'DependencyMissing';
    findings.push({
      code: missing ? 'DEPENDENCY_MISSING' : 'DEPENDENCY_NOT_APPLIED',
      step: 'binding',
      severity: missing ? 'stuck' : 'waiting',
      says: unstopped(ready.message).replace(/^Not there yet/, 'what it needs is not there yet'),
      ...(missing ? { next: 'create what is missing on the hub, or stop referring to it' } : {}),
      since: ready.lastTransitionTime,
    });
  }
  const conflict = conditionOf(conditions, DEPENDENCY_CONFLICT_CONDITION);
  if (conflict?.status === 'True') {
    findings.push({
      code: 'DEPENDENCY_CONFLICT',
      step: 'binding',
      severity: 'note',
      says: unstopped(conflict.message),
      since: conflict.lastTransitionTime,
    });
  }
  return findings;
}

function evictionFindings({ spec, status }: Binding): readonly Finding[] {
  const findings: Finding[] = [];
  const held = conditionOf(status?.conditions, 'EvictionHeld');
  const waitsFor = (spec.clusters ?? [])
    .filter(
      ({ name }) =>
        status?.aggregatedStatus?.find(({ clusterName }) => clusterName === name)?.health !== 'Healthy',
    )
    .map(({ name }) => name);
  for (const {
    fromCluster,
    purgeMode,
    reason,
    suppressDeletion,
    creationTimestamp,
  } of spec.gracefulEvictionTasks ?? []) {
    const until =
      purgeMode === 'Directly'
        ? 'it goes there at once'
        : suppressDeletion === true
          ? 'the copy there stays until suppressDeletion is taken off'
          : waitsFor.length > 0
            ? `the copy there stays until ${listText(waitsFor)} ${waitsFor.length === 1 ? 'is' : 'are'} healthy`
            : 'the copy there is about to go';
    findings.push({
      code: 'LEAVING',
      step: 'schedule',
      severity: 'waiting',
      cluster: fromCluster,
      says: `it is leaving ${fromCluster} (${reason}): ${until}`,
      ...(creationTimestamp === undefined || parseTime(creationTimestamp) === undefined
        ? {}
        : { since: creationTimestamp }),
    });
  }
  if (held?.status === 'True') {
    findings.push({
      code: 'EVICTION_HELD',
      step: 'schedule',
      severity: 'stuck',
      says: unstopped(held.message).replace(/^The /, 'the '),
      next: 'give it another place: a cluster that fits, or more room',
      since: held.lastTransitionTime,
    });
  }
  return findings;
}
