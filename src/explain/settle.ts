// What the controllers will make of one template in a given world: claim, binding, evictions, placement. It plays their
// decisions in their order, each by the very function the controller calls.
// INVARIANT: nothing is decided here; what a controller would leave alone stays as it is.
import {
  APPLIED_PLACEMENT_ANNOTATION,
  SCHEDULED_CONDITION,
  type Cluster,
  type KubeObject,
  type Taint,
} from '../api/index.ts';
import { formatTime } from '../base/index.ts';
import {
  appliedTolerations,
  evict,
  isLastHealthyCopy,
  noExecuteTaints,
  stayOf,
  taintEvictionTask,
  taintPurgeMode,
} from '../failover/index.ts';
import { deepEqual, isBeingDeleted } from '../machinery/index.ts';
import {
  claimOf,
  decidePreemption,
  decideTemplate,
  desiredBinding,
  mergeBinding,
  policyMatches,
  withClaim,
  withoutClaim,
  type Binding,
  type BindingInput,
  type Policy,
  type TemplateDecision,
} from '../propagation/index.ts';
import {
  canonicalPlacement,
  clusterVersionsToMatch,
  decideTrigger,
  entersQueue,
  isConcernedBy,
  mayHelp,
  outcomeOf,
  peersOf,
  schedule,
  waitOf,
  type EstimatorAnswers,
  type Failure,
  type ScheduleInput,
  type ScheduleOutcome,
  type ScheduleResult,
  type Trigger,
} from '../scheduling/index.ts';
import { referenceOf, templateId, type TemplateReference, type WorldView } from './world.ts';

/** What of the world was changed, as far as controllers tell changes apart. */
export interface Touched {
  /** Templates that somebody edited, by templateId. */
  readonly templates: ReadonlySet<string>;
  /** Policies that somebody made or edited, as they are now. */
  readonly policies: readonly Policy[];
  /** Clusters before and after an edit; `after` undefined: gone. */
  readonly clusters: readonly { readonly before: Cluster; readonly after: Cluster | undefined }[];
  /** Places everything anew, as a WorkloadRebalancer does. */
  readonly afresh: boolean;
}

export interface PlannedEviction {
  readonly cluster: string;
  readonly taints: readonly Taint[];
  /** Later than now while the taint is tolerated; undefined: now. */
  readonly inMs?: number;
  /** What keeps the copy where it is. */
  readonly held?: string;
}

export interface Settled {
  readonly reference: TemplateReference;
  /** Undefined when the template is gone. */
  readonly template: KubeObject | undefined;
  readonly decision: TemplateDecision | { readonly action: 'gone' };
  /** The policy that holds the template in the end. */
  readonly policy: Policy | undefined;
  /** Another policy took it over. */
  readonly preempted: boolean;
  readonly binding: Binding | undefined;
  readonly evictions: readonly PlannedEviction[];
  readonly trigger: Trigger | undefined;
  readonly scheduling: { readonly input: ScheduleInput; readonly result: ScheduleResult } | undefined;
  /** Why the binding is not placed as asked. */
  readonly failure: Failure | undefined;
  /** Why no binding can be made. */
  readonly obstacle: string | undefined;
}

interface Claimed {
  readonly template: KubeObject;
  readonly binding: Binding | undefined;
  readonly released: boolean;
  readonly preempted: boolean;
}

/** What becomes of a claim before the template itself is looked at: policies that went, let go, or took over. */
function claimed(
  view: WorldView,
  before: WorldView,
  template: KubeObject,
  binding: Binding | undefined,
  touched: Touched,
): Claimed {
  let result: Claimed = { template, binding, released: false, preempted: false };
  const claim = claimOf(template);
  const holder = view.claimant(claim);
  if (claim !== undefined) {
    const edited = holder !== undefined && !deepEqual(holder.spec, before.claimant(claim)?.spec);
    if (holder === undefined || (edited && !policyMatches(holder, template))) {
      const released = withoutClaim(template, claim);
      result = {
        ...result,
        template: released,
        binding: binding === undefined ? undefined : withoutClaim(binding, claim),
        released: released !== template,
      };
    }
  }
  for (const policy of touched.policies) {
    const now = claimOf(result.template);
    const verdict = decidePreemption(
      policy,
      result.template,
      now === undefined ? undefined : { kind: now.kind, policy: view.claimant(now) },
      view.world.settings.gates.PropagationPolicyPreemption,
    );
    const scope = policy.metadata.namespace;
    if (!verdict.take || (scope !== undefined && scope !== template.metadata.namespace)) continue;
    result = { ...result, template: withClaim(result.template, policy), preempted: true };
  }
  return result;
}

/** Plays the controllers for one template. `before` is the world as it is, `view` the one to be. */
export async function settle(
  view: WorldView,
  before: WorldView,
  reference: TemplateReference,
  touched: Touched,
): Promise<Settled> {
  const template = view.template(reference);
  const existing = view.bindingOf(reference);
  const nothing = {
    reference,
    preempted: false,
    evictions: [],
    trigger: undefined,
    scheduling: undefined,
    failure: undefined,
    obstacle: undefined,
  } as const;
  if (template === undefined || isBeingDeleted(template)) {
    if (existing !== undefined) view.remove(existing);
    return {
      ...nothing,
      template: undefined,
      decision: { action: 'gone' },
      policy: undefined,
      binding: undefined,
    };
  }
  const claim = claimed(view, before, template, existing, touched);
  const decision = decide(view, claim, touched);
  const holder = decision.action === 'apply' ? decision.policy : view.claimant(claimOf(claim.template));
  const base = { ...nothing, template, decision, policy: holder, preempted: claim.preempted };
  const bound = await bind(view, claim, decision);
  if (bound.binding === undefined) return { ...base, binding: undefined, obstacle: bound.obstacle };
  const placed = place(view, before, bound.binding, existing, touched);
  view.replace(placed.binding);
  return { ...base, ...placed, obstacle: bound.obstacle };
}

function decide(view: WorldView, { template, released }: Claimed, touched: Touched): TemplateDecision {
  return decideTemplate({
    template,
    namespaced: view.policiesOf(template.metadata.namespace),
    cluster: view.world.clusterPolicies,
    claimedBy: view.claimant(claimOf(template)),
    overrideExists: (policy, name) => view.overrideExists(policy, name),
    // A claim that is taken off wakes the template as an edit of a user does; an edit of a lazy policy does not.
    changedByControlPlane: !released && !touched.templates.has(templateId(referenceOf(template))),
  });
}

// ---- the binding

interface Bound {
  readonly binding: Binding | undefined;
  readonly obstacle: string | undefined;
}

async function bind(view: WorldView, claim: Claimed, decision: TemplateDecision): Promise<Bound> {
  const { binding } = claim;
  if (decision.action === 'retry') return { binding, obstacle: decision.why };
  if (decision.action !== 'apply' || !decision.bind) return { binding, obstacle: undefined };
  const { policy, claimed: template } = decision;
  const { gates } = view.world.settings;
  const className = gates.PriorityBasedScheduling
    ? policy.spec.schedulePriority?.priorityClassName
    : undefined;
  const priority = className === undefined ? undefined : view.world.priorityClasses.get(className);
  if (className !== undefined && priority === undefined)
    return { binding, obstacle: `the priority class ${className} does not exist` };
  const desired = desiredBinding({
    template,
    policy,
    gates,
    ...(priority === undefined ? {} : { schedulePriority: priority }),
    ...(await interpreted(view, template)),
  });
  if (binding === undefined) return { binding: withGeneration(desired, 1), obstacle: undefined };
  const update = mergeBinding(binding, desired);
  if (update.result === 'conflict') {
    const why = `the binding ${desired.metadata.name} belongs to another object (uid ${update.ownerUid})`;
    return { binding, obstacle: why };
  }
  if (update.result === 'unchanged') return { binding, obstacle: undefined };
  const changed = !deepEqual(update.binding.spec, binding.spec);
  const generation = (binding.metadata.generation ?? 0) + (changed ? 1 : 0);
  return { binding: withGeneration(update.binding, generation), obstacle: undefined };
}

async function interpreted(
  { interpreter, world }: WorldView,
  template: KubeObject,
): Promise<Pick<BindingInput, 'components' | 'replicas' | 'replicaRequirements'>> {
  if (world.settings.gates.MultiplePodTemplatesScheduling) {
    const components = await interpreter.components(template);
    if (components !== undefined) return { components };
  }
  const replicas = await interpreter.replicas(template);
  return replicas === undefined
    ? {}
    : { replicas: replicas.replicas, replicaRequirements: replicas.requirements };
}

function withGeneration(binding: Binding, generation: number): Binding {
  return { ...binding, metadata: { ...binding.metadata, generation } };
}

// ---- evictions and placement

interface Placed extends Pick<Settled, 'evictions' | 'trigger' | 'scheduling' | 'failure'> {
  readonly binding: Binding;
}

function place(
  view: WorldView,
  before: WorldView,
  bound: Binding,
  existing: Binding | undefined,
  touched: Touched,
): Placed {
  const { evictions, binding } = evicted(view, bound);
  const unscheduled = { binding, evictions, trigger: undefined, scheduling: undefined, failure: undefined };
  const { schedulerName, gates } = view.world.settings;
  const changed = existing === undefined || !deepEqual(existing.spec, binding.spec);
  const concerned =
    touched.afresh ||
    (changed && entersQueue(binding, schedulerName)) ||
    touched.clusters.some(({ before: old, after }) =>
      isConcernedBy(binding, clusterVersionsToMatch(old, after ?? terminating(old)), schedulerName),
    );
  const wakes = !concerned && touched.clusters.length > 0 && helps(before, binding, touched);
  if (!concerned && !wakes) return unscheduled;
  const trigger = touched.afresh ? AFRESH : decideTrigger(binding, view.fleet, gates);
  if (!trigger.due || binding.spec.placement === undefined) return { ...unscheduled, trigger };
  const input = scheduleInput(view, before, binding, trigger.mode);
  const result = schedule(input);
  return {
    binding: scheduled(binding, outcomeOf(binding, result, trigger.mode, view.world.nowMs), result),
    evictions,
    trigger,
    scheduling: { input, result },
    failure: result.ok ? undefined : result.failure,
  };
}

/** Whether the status of a changed cluster has what a binding that could not be placed waits for. */
function helps(before: WorldView, binding: Binding, touched: Touched): boolean {
  const condition = binding.status?.conditions?.find(({ type }) => type === SCHEDULED_CONDITION);
  if (condition?.status !== 'False' || binding.spec.placement === undefined) return false;
  const result = schedule(scheduleInput(before, before, binding, 'Steady'));
  if (result.ok) return true;
  const wait = waitOf(
    result.failure,
    result.attempts,
    before.fleet.clusters.map(({ name }) => name),
  );
  return touched.clusters.some(({ before: old, after }) => after !== undefined && mayHelp(wait, old, after));
}

/** The binding as the scheduler leaves it. */
function scheduled(binding: Binding, { patch, status }: ScheduleOutcome, result: ScheduleResult): Binding {
  const withStatus = { ...binding, ...(status === undefined ? {} : { status }) };
  if (patch === undefined) return withStatus;
  const annotations = {
    ...binding.metadata.annotations,
    [APPLIED_PLACEMENT_ANNOTATION]: JSON.stringify(canonicalPlacement(binding.spec.placement ?? {})),
  };
  const { clusters: _before, ...spec } = binding.spec;
  const clusters = result.ok ? result.clusters : [];
  return {
    ...withStatus,
    metadata: { ...binding.metadata, annotations },
    spec: clusters.length === 0 ? spec : { ...spec, clusters },
  };
}

const AFRESH: Trigger = {
  due: true,
  why: 'reschedule requested',
  type: 'ReconcileSchedule',
  mode: 'Fresh',
};

function terminating(cluster: Cluster): Cluster {
  return { ...cluster, metadata: { ...cluster.metadata, deletionTimestamp: '1970-01-01T00:00:00Z' } };
}

/** The decision of the scheduler on a binding, with what estimators said when they were last asked. */
export function scheduleInput(
  view: WorldView,
  before: WorldView,
  binding: Binding,
  mode: ScheduleInput['mode'],
): ScheduleInput {
  const { gates, enableEmptyWorkloadPropagation } = view.world.settings;
  const estimates = keptEstimates(before, binding);
  return {
    binding,
    fleet: view.fleet,
    gates,
    mode,
    peers:
      gates.WorkloadAffinity && binding.kind === 'ResourceBinding'
        ? peersOf(binding, (group) => view.group(group))
        : undefined,
    propagateEmptyWorkloads: enableEmptyWorkloadPropagation,
    ...(estimates.length === 0 ? {} : { estimates }),
  };
}

/**
 * Estimators cannot be asked here; their last answers are in the decision that was kept. What has gone to a cluster since
 * they spoke is room that they still counted, and what has left is room that they did not.
 */
export function keptEstimates(view: WorldView, binding: Binding): readonly EstimatorAnswers[] {
  const answers = new Map<string, Map<string, number>>();
  const held = new Map((binding.spec.clusters ?? []).map(({ name, replicas = 0 }) => [name, replicas]));
  for (const { candidates = [] } of view.decisionOf(binding)?.schedule?.attempts ?? []) {
    for (const { name, estimates = [], allocatable, available } of candidates) {
      const heldThen =
        allocatable === undefined || available === undefined ? undefined : available - allocatable;
      const sinceThen = heldThen === undefined ? 0 : (held.get(name) ?? 0) - heldThen;
      for (const { estimator, replicas } of estimates) {
        if (replicas === undefined) continue;
        const byCluster = answers.get(estimator) ?? new Map<string, number>();
        answers.set(estimator, byCluster.set(name, Math.max(0, replicas - sinceThen)));
      }
    }
  }
  return [...answers].map(([estimator, byCluster]) => ({ estimator, answers: byCluster }));
}

function evicted(
  view: WorldView,
  bound: Binding,
): { readonly binding: Binding; readonly evictions: readonly PlannedEviction[] } {
  const { settings, nowMs } = view.world;
  const evictions: PlannedEviction[] = [];
  const tolerations = appliedTolerations(bound);
  if (!settings.evictsByTaint || tolerations === undefined) return { binding: bound, evictions };
  const clusters = { get: (name: string) => view.fleet.byName(name)?.cluster };
  let binding = bound;
  for (const { name } of bound.spec.clusters ?? []) {
    const taints = noExecuteTaints(view.fleet.byName(name)?.cluster.spec.taints);
    if (taints.length === 0) continue;
    const stay = stayOf(taints, tolerations, nowMs);
    if (stay.kind === 'for-ever') continue;
    if (stay.kind === 'for-now') {
      evictions.push({ cluster: name, taints, inMs: stay.forMs });
      continue;
    }
    const purgeMode = taintPurgeMode(binding.spec, settings.noExecuteTaintEvictionPurgeMode);
    const change = evict(binding.spec, taintEvictionTask(name, purgeMode, undefined), formatTime(nowMs));
    if (change === undefined) continue;
    const next: Binding = { ...binding, spec: { ...binding.spec, ...change } };
    const held =
      purgeMode === 'Directly' && isLastHealthyCopy(binding, name, clusters)
        ? obstacleOf(view, next)
        : undefined;
    evictions.push({ cluster: name, taints, ...(held === undefined ? {} : { held }) });
    if (held === undefined) binding = withGeneration(next, (binding.metadata.generation ?? 0) + 1);
  }
  return { binding, evictions };
}

/** What would keep an evicted binding from finding another place. */
function obstacleOf(view: WorldView, binding: Binding): string | undefined {
  if (binding.spec.placement === undefined) return undefined;
  const result = schedule(scheduleInput(view, view, binding, 'Steady'));
  if (!result.ok) return result.failure.message;
  return result.clusters.length === 0 ? 'no other cluster takes it' : undefined;
}
