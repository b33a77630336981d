// What a change of policies, templates, overrides or clusters would make of the fleet, before anything is written: which
// objects move, which clusters gain and lose, how manifests differ, and what to beware of.
import { formatTime } from '../base/index.ts';
import type { KubeObject, TargetCluster } from '../api/index.ts';
import { deepEqual } from '../machinery/index.ts';
import {
  claimOf,
  isWorkload,
  overridePolicySelects,
  policyMatches,
  type AnyOverridePolicy,
  type Binding,
  type Policy,
} from '../propagation/index.ts';
import { applyChanges, type Change } from './change.ts';
import { manifestChanges, restartsPods, type FieldChange } from './manifest-diff.ts';
import { policyCalled } from './policy-findings.ts';
import { policyReach, selectorCalled } from './policy-reach.ts';
import { renderBinding, type Rendered } from './render.ts';
import { removalNotes } from './removal-notes.ts';
import { fleetRisks, moveRisks, type Risk } from './risk.ts';
import { keptEstimates, settle, type Settled, type Touched } from './settle.ts';
import { notesOf, sameTargets } from './why.ts';
import { WorldView, calledOf, referenceOf, templateId, type TemplateReference, type World } from './world.ts';

export interface PlannedEdit {
  readonly verb: 'create' | 'change' | 'remove';
  readonly object: string;
  readonly changes: readonly FieldChange[];
}

export interface ManifestChange {
  readonly cluster: string;
  readonly changes: readonly FieldChange[];
  readonly restartsPods: boolean;
}

/** What becomes of one template. */
export interface PlannedMove {
  readonly object: TemplateReference;
  readonly workload: boolean;
  readonly policyBefore?: string;
  readonly policyAfter?: string;
  readonly preempted: boolean;
  readonly before: readonly TargetCluster[];
  readonly after: readonly TargetCluster[];
  /** Clusters whose copy goes only once another is healthy. */
  readonly leaving: readonly string[];
  /** Manifests that differ in clusters that keep it, replicas aside. */
  readonly manifests: readonly ManifestChange[];
  /** Why it could not be placed, or a manifest not be made. */
  readonly failure?: string;
  readonly notes: readonly string[];
  readonly risks: readonly Risk[];
}

export interface ClusterBalance {
  readonly cluster: string;
  /** Objects and replicas that are to be there; what runs no replicas counts with its objects alone. */
  readonly objects: { readonly before: number; readonly after: number };
  readonly replicas: { readonly before: number; readonly after: number };
  readonly gains: readonly string[];
  readonly losses: readonly string[];
}

export interface Preview {
  /** When the state that this starts from was read. */
  readonly asOf: string;
  readonly edits: readonly PlannedEdit[];
  /** Only what changes. */
  readonly moves: readonly PlannedMove[];
  /** Templates that were looked at and stay as they are. */
  readonly unchanged: number;
  readonly clusters: readonly ClusterBalance[];
  readonly risks: readonly Risk[];
  readonly notes: readonly string[];
}

export interface PreviewOptions {
  /** From which share of the fleet's replicas on a move counts as large, in per cent. */
  readonly largeMovePercent: number;
}

const UNTOUCHED: Touched = { templates: new Set(), policies: [], clusters: [], afresh: false };

/** Plays `changes` over the world of `view`. Nothing is written, and `view` stays as it is. */
export async function preview(
  view: WorldView,
  changes: readonly Change[],
  options: PreviewOptions,
): Promise<Preview> {
  const { world, touched } = await applyChanges(view, changes);
  // Both sides are played: what is about to happen anyway is no consequence of the change.
  const sides: Sides = {
    view,
    baseline: new WorldView(view.world, view.interpreter),
    after: new WorldView(world, view.interpreter),
  };
  const relevant = relevantTemplates(sides, changes, touched);
  const moves: PlannedMove[] = [];
  for (const reference of relevant) {
    const move = await playOne(sides, reference, touched);
    if (move !== undefined) moves.push(move);
  }
  const clusters = balances(sides);
  return {
    asOf: formatTime(view.world.nowMs),
    edits: changes.flatMap((change) => editOf(view, world, change)),
    moves,
    unchanged: relevant.length - moves.length,
    clusters,
    risks: [
      ...fleetRisks(moves, clusters, [...sides.baseline.bindings()], options.largeMovePercent),
      ...idleRisks(sides.after, changes),
    ],
    notes: previewNotes(view, moves),
  };
}

interface Sides {
  /** As it is. */
  readonly view: WorldView;
  /** As it will be without the change. */
  readonly baseline: WorldView;
  readonly after: WorldView;
}

// ---- which templates to look at

/** In the order in which the scheduler would take them: by priority, then by name. */
function relevantTemplates(
  { view, after }: Sides,
  changes: readonly Change[],
  touched: Touched,
): readonly TemplateReference[] {
  const objects = changes.flatMap((change) => ('object' in change ? [change.object] : []));
  const policies = objects.filter(isPolicy).flatMap((policy) => {
    const before = all(view.world).find((one) => policyCalled(one) === policyCalled(policy));
    return before === undefined ? [policy] : [policy, before];
  });
  const overrides = objects.filter(isOverride).flatMap((policy) => {
    const before = overridesOf(view.world).find((one) => sameName(one, policy));
    return before === undefined ? [policy] : [policy, before];
  });
  const found = new Map<string, TemplateReference>();
  for (const template of [...view.world.templates, ...after.world.templates]) {
    const reference = referenceOf(template);
    const id = templateId(reference);
    if (found.has(id)) continue;
    const concerned =
      touched.templates.has(id) ||
      (touched.clusters.length > 0 && view.bindingOf(reference) !== undefined) ||
      policies.some((policy) => concerns(policy, template)) ||
      overrides.some((policy) => overrideConcerns(policy, template));
    if (concerned) found.set(id, reference);
  }
  const priority = (reference: TemplateReference): number =>
    view.bindingOf(reference)?.spec.schedulePriority?.priority ?? 0;
  return [...found.entries()]
    .sort(([a, one], [b, two]) => priority(two) - priority(one) || (a < b ? -1 : 1))
    .map(([, reference]) => reference);
}

function all(world: World): readonly Policy[] {
  return [...world.policies, ...world.clusterPolicies];
}

function overridesOf(world: World): readonly AnyOverridePolicy[] {
  return [...world.overridePolicies, ...world.clusterOverridePolicies];
}

function sameName(a: KubeObject, b: KubeObject): boolean {
  return calledOf(a.kind, a.metadata) === calledOf(b.kind, b.metadata);
}

function isPolicy(object: KubeObject): object is Policy {
  return object.kind === 'PropagationPolicy' || object.kind === 'ClusterPropagationPolicy';
}

function isOverride(object: KubeObject): object is AnyOverridePolicy {
  return object.kind === 'OverridePolicy' || object.kind === 'ClusterOverridePolicy';
}

function concerns(policy: Policy, template: KubeObject): boolean {
  const claim = claimOf(template);
  if (claim?.kind === policy.kind && claim.name === policy.metadata.name)
    return claim.namespace === (policy.metadata.namespace ?? '');
  const { namespace } = policy.metadata;
  if (namespace !== undefined && namespace !== template.metadata.namespace) return false;
  return policyMatches(policy, template);
}

function overrideConcerns(policy: AnyOverridePolicy, template: KubeObject): boolean {
  const { namespace } = policy.metadata;
  if (namespace !== undefined && namespace !== template.metadata.namespace) return false;
  return overridePolicySelects(policy, template);
}

// ---- one template

async function playOne(
  sides: Sides,
  reference: TemplateReference,
  touched: Touched,
): Promise<PlannedMove | undefined> {
  const { view, baseline, after: changed } = sides;
  const before = await settle(baseline, view, reference, UNTOUCHED);
  const after = await settle(changed, view, reference, touched);
  const manifests = await manifestsOf(sides, before, after);
  const [from, to] = [targetsIn(before.binding), targetsIn(after.binding)];
  const policyBefore = before.policy === undefined ? undefined : policyCalled(before.policy);
  const policyAfter = after.policy === undefined ? undefined : policyCalled(after.policy);
  const failure = newFailure(before, after) ?? manifests.failure;
  const still =
    sameTargets(from, to) &&
    policyBefore === policyAfter &&
    manifests.changes.length === 0 &&
    failure === undefined &&
    deepEqual(before.evictions, after.evictions) &&
    deepEqual(before.binding?.spec.suspension, after.binding?.spec.suspension);
  if (still) return undefined;
  const leaving = (after.binding?.spec.gracefulEvictionTasks ?? [])
    .filter(({ purgeMode }) => purgeMode !== 'Directly')
    .map(({ fromCluster }) => fromCluster)
    .filter((cluster) => from.some(({ name }) => name === cluster));
  const move = {
    object: reference,
    workload: isWorkload((after.binding ?? before.binding)?.spec ?? {}),
    ...(policyBefore === undefined ? {} : { policyBefore }),
    ...(policyAfter === undefined ? {} : { policyAfter }),
    preempted: after.preempted,
    before: from,
    after: to,
    leaving,
    manifests: manifests.changes,
    ...(failure === undefined ? {} : { failure }),
    notes: [...moveNotes(before, after), ...removalNotes(baseline.world, changed.world, before, after)],
  };
  return { ...move, risks: moveRisks(move, after) };
}

function targetsIn(binding: Binding | undefined): readonly TargetCluster[] {
  return binding?.spec.clusters ?? [];
}

function newFailure(before: Settled, after: Settled): string | undefined {
  const why = after.failure?.message ?? after.obstacle;
  return why === (before.failure?.message ?? before.obstacle) ? undefined : why;
}

function moveNotes(before: Settled, after: Settled): readonly string[] {
  const notes = [...notesOf(after)];
  const now = after.binding?.spec.suspension;
  if (!deepEqual(now, before.binding?.spec.suspension)) {
    const on = now?.dispatching === true || (now?.dispatchingOnClusters?.clusterNames ?? []).length > 0;
    notes.push(on ? 'dispatching is suspended, so members keep what they have' : 'dispatching goes on again');
  }
  return notes;
}

// Replicas are told of as moves.
const REPLICA_PATHS: ReadonlySet<string> = new Set(['spec.replicas', 'spec.parallelism', 'spec.completions']);

async function manifestsOf(
  { baseline, after: changed }: Sides,
  before: Settled,
  after: Settled,
): Promise<{ readonly changes: readonly ManifestChange[]; readonly failure?: string }> {
  if (after.binding === undefined || after.template === undefined) return { changes: [] };
  // Without overrides, and of the same template, manifests differ in replicas alone.
  const overridden = [baseline, changed].some(({ world }) => overridesOf(world).length > 0);
  if (!overridden && before.template === after.template) return { changes: [] };
  const none: ReadonlyMap<string, Rendered> = new Map();
  const old =
    before.binding === undefined || before.template === undefined
      ? none
      : await renderBinding(baseline, before.binding, before.template);
  const now = await renderBinding(changed, after.binding, after.template);
  const changes: ManifestChange[] = [];
  let failure: string | undefined;
  for (const [cluster, rendered] of now) {
    const was = old.get(cluster);
    if (!rendered.ok) {
      if (was?.ok !== false) failure ??= `in ${cluster}: ${rendered.error}`;
      continue;
    }
    if (was?.ok !== true) continue;
    const differences = manifestChanges(was.manifest, rendered.manifest).filter(
      ({ path }) => !REPLICA_PATHS.has(path),
    );
    if (differences.length > 0)
      changes.push({ cluster, changes: differences, restartsPods: restartsPods(differences) });
  }
  return { changes, ...(failure === undefined ? {} : { failure }) };
}

// ---- clusters

interface Held {
  readonly objects: Map<string, number>;
}

/** By cluster, what is to be there: replicas by object; 0 for what runs none. */
function held(view: WorldView): ReadonlyMap<string, Held> {
  const byCluster = new Map<string, Held>();
  for (const { spec } of view.bindings()) {
    const { kind, namespace, name } = spec.resource;
    const called = calledOf(kind, { name, ...(namespace === undefined ? {} : { namespace }) });
    for (const target of spec.clusters ?? []) {
      const one = byCluster.get(target.name) ?? { objects: new Map<string, number>() };
      one.objects.set(called, isWorkload(spec) ? (target.replicas ?? 0) : 0);
      byCluster.set(target.name, one);
    }
  }
  return byCluster;
}

const NOTHING_HELD: Held = { objects: new Map() };

function balances({ baseline, after }: Sides): readonly ClusterBalance[] {
  const [before, now] = [held(baseline), held(after)];
  const names = [...new Set([...before.keys(), ...now.keys()])].sort();
  return names.flatMap((cluster) => {
    const [was, is] = [before.get(cluster) ?? NOTHING_HELD, now.get(cluster) ?? NOTHING_HELD];
    if (deepEqual([...was.objects], [...is.objects])) return [];
    const total = ({ objects }: Held): number => [...objects.values()].reduce((sum, one) => sum + one, 0);
    const grows = (a: Held, b: Held): string[] =>
      [...b.objects].flatMap(([name, count]) => {
        const old = a.objects.get(name);
        return old === undefined || count > old ? [name] : [];
      });
    return [
      {
        cluster,
        objects: { before: was.objects.size, after: is.objects.size },
        replicas: { before: total(was), after: total(is) },
        gains: grows(was, is),
        losses: grows(is, was),
      },
    ];
  });
}

// ---- policies that do nothing

function idleRisks(after: WorldView, changes: readonly Change[]): readonly Risk[] {
  return changes.flatMap((change): readonly Risk[] => {
    if (change.kind !== 'put') return [];
    const { object } = change;
    const idle = isPolicy(object)
      ? idleSelectors(after, object)
      : isOverride(object) && !after.world.templates.some((template) => overrideConcerns(object, template))
        ? ['selects no object']
        : [];
    return idle.map((says) => ({
      code: 'SELECTS_NOTHING',
      says: `${calledOf(object.kind, object.metadata)} ${says}`,
    }));
  });
}

function idleSelectors(view: WorldView, policy: Policy): readonly string[] {
  const reach = policyReach(view, policy);
  const faults = reach.flatMap(({ selector, fault }) =>
    fault === undefined ? [] : [`selects ${selectorCalled(selector)} in vain: ${fault}`],
  );
  if (faults.length > 0 || reach.some(({ templates }) => templates.length > 0)) return faults;
  return ['selects no object that is there now'];
}

// ---- the rest

function editOf(view: WorldView, world: World, change: Change): readonly PlannedEdit[] {
  if (change.kind === 'put') {
    const before = findIn(view.world, change.object);
    return [
      {
        verb: before === undefined ? 'create' : 'change',
        object: calledOf(change.object.kind, change.object.metadata),
        changes: before === undefined ? [] : manifestChanges(before, change.object).filter(isOfUser),
      },
    ];
  }
  if (change.kind === 'remove') {
    return [{ verb: 'remove', object: calledOf(change.object.kind, change.object.metadata), changes: [] }];
  }
  if (!('cluster' in change)) return [];
  const [before, after] = [view.world, world].map(({ clusters }) =>
    clusters.find(({ metadata }) => metadata.name === change.cluster),
  );
  if (before === undefined || after === undefined) return [];
  return [
    {
      verb: change.kind === 'gone' ? 'remove' : 'change',
      object: `Cluster ${change.cluster}`,
      changes: manifestChanges(before, after).filter(isOfUser),
    },
  ];
}

// What the API server itself writes.
const BOOKKEEPING =
  /^metadata\.(generation|resourceVersion|uid|creationTimestamp|managedFields|annotations\["kubectl)|^status\b/;

function isOfUser({ path }: FieldChange): boolean {
  return !BOOKKEEPING.test(path);
}

function findIn(world: World, object: KubeObject): KubeObject | undefined {
  const everything: readonly KubeObject[] = [
    ...all(world),
    ...overridesOf(world),
    ...world.clusters,
    ...world.templates,
  ];
  return everything.find((one) => one.apiVersion === object.apiVersion && sameName(one, object));
}

function previewNotes(view: WorldView, moves: readonly PlannedMove[]): readonly string[] {
  const notes: string[] = [];
  const shared = moves.filter(({ workload, before, after }) => workload && !sameTargets(before, after));
  if (shared.length > 0) {
    notes.push(`room in clusters is as they had reported it by ${formatTime(view.world.nowMs)}`);
    const [oldest] = shared.flatMap(({ object }) => estimatesTime(view, object)).toSorted(compareText);
    if (oldest !== undefined)
      notes.push(
        `estimators are not asked for a plan; what they said is of their last decisions, the oldest of ${oldest}`,
      );
  }
  if (moves.some(({ object }) => view.bindingOf(object) === undefined))
    notes.push('where shares tie, a new object may fall otherwise: its uid decides, and is not known yet');
  return notes;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** When estimators last answered for a template, if any did. */
function estimatesTime(view: WorldView, object: TemplateReference): readonly string[] {
  const binding = view.bindingOf(object);
  if (binding === undefined || keptEstimates(view, binding).length === 0) return [];
  const time = view.decisionOf(binding)?.schedule?.time;
  return time === undefined ? [] : [time];
}

/** What of a preview must be the same for it to be carried out as it was shown. */
export function previewEssence({ edits, moves }: Preview): string {
  return JSON.stringify([edits, moves.map(({ notes: _notes, risks: _risks, ...move }) => move)]);
}
