// Why a template is where it is, and not where it is not: the whole story from template to members, the answer first.
import { formatTime } from '../base/index.ts';
import type { KubeObject, PolicyDecision, ScheduleTrace, TargetCluster } from '../api/index.ts';
import { claimOf, existingClusters, isWorkload, type Binding } from '../propagation/index.ts';
import { schedule, type Candidate, type ScheduleResult } from '../scheduling/index.ts';
import { applyChanges, type Change } from './change.ts';
import {
  clusterParts,
  leftovers,
  silenceOnBinding,
  worksByCluster,
  type ClusterStory,
} from './cluster-story.ts';
import { STEPS, listText, plural, singular, unstopped, type Finding } from './finding.ts';
import {
  bindingFindings,
  claimCalled,
  policyCalled,
  policyFindings,
  preemptionNote,
  templateFindings,
} from './policy-findings.ts';
import { renderBinding } from './render.ts';
import { scheduleFindings } from './schedule-findings.ts';
import { scheduleInput, settle, type Settled, type Touched } from './settle.ts';
import { WAYS_MAX, wayIn, type WayIn } from './way-in.ts';
import { WorldView, calledOf, type TemplateReference, type World } from './world.ts';

/** A cluster that fits and has nothing of the template. */
export interface Spared {
  readonly cluster: string;
  readonly says: string;
}

export interface Explanation {
  readonly object: TemplateReference;
  /** When the state that this tells of was read. */
  readonly asOf: string;
  readonly state: 'fine' | 'waiting' | 'stuck';
  /** One sentence without a full stop. */
  readonly answer: string;
  /** What to see to first. */
  readonly first?: Finding;
  readonly findings: readonly Finding[];
  readonly policy?: string;
  /** The kept contest of policies. */
  readonly contest?: PolicyDecision;
  /** The kept decision of the scheduler. */
  readonly schedule?: ScheduleTrace;
  /** The decision that is kept is not the one in force: why. */
  readonly scheduleNote?: string;
  readonly clusters: readonly ClusterStory[];
  readonly excluded: readonly WayIn[];
  /** Excluded clusters beyond those that are told of. */
  readonly excludedMore?: number;
  readonly spared: readonly Spared[];
}

export interface WhyOptions {
  /** Tells of this cluster only. */
  readonly cluster?: string | undefined;
}

const UNTOUCHED: Touched = { templates: new Set(), policies: [], clusters: [], afresh: false };

export async function why(
  view: WorldView,
  reference: TemplateReference,
  { cluster }: WhyOptions = {},
): Promise<Explanation> {
  const template = view.template(reference);
  const binding = view.bindingOf(reference);
  // Played in a view of its own: what the controllers are about to do is not how things are.
  const settled = await settle(new WorldView(view.world, view.interpreter), view, reference, UNTOUCHED);
  const kept = binding === undefined ? undefined : view.decisionOf(binding);
  const findings: Finding[] = [];
  if (template !== undefined) {
    findings.push(...templateFindings(view, template));
    if (!findings.some(({ severity }) => severity === 'stuck'))
      findings.push(...policyFindings(view, template, settled));
    findings.push(...bindingFindings(view, settled));
    const preempted = preemptionNote(kept?.policy, settled.policy);
    if (preempted !== undefined) findings.push(preempted);
  }
  const clusters: ClusterStory[] = [];
  if (binding !== undefined) {
    findings.push(...scheduleFindings(view, binding), ...silenceOnBinding(view, binding));
    const rendered = template === undefined ? new Map() : await renderBinding(view, binding, template);
    const works = worksByCluster(view.world.works, binding);
    for (const part of clusterParts(view, binding, template, works, rendered)) {
      clusters.push(part.story);
      findings.push(...part.findings);
    }
  }
  if (binding === undefined && template === undefined) {
    for (const part of leftovers(view, view.world.works)) {
      clusters.push(part.story);
      findings.push(...part.findings);
    }
  }
  const out = binding === undefined ? NOTHING_OUT : outside(view, binding, cluster);
  const told = inOrder(
    findings.filter(
      (finding) => cluster === undefined || finding.cluster === undefined || finding.cluster === cluster,
    ),
  );
  const [first] = told.filter(({ severity }) => severity !== 'note');
  const shown = clusters.filter((story) => cluster === undefined || story.cluster === cluster);
  const state = first?.severity === 'stuck' || first?.severity === 'waiting' ? first.severity : 'fine';
  return {
    object: reference,
    asOf: formatTime(view.world.nowMs),
    state,
    answer: answer({ template, binding, clusters: shown, cluster, out }),
    ...(first === undefined ? {} : { first }),
    findings: told,
    ...policyPart(template, settled),
    ...(kept?.policy === undefined ? {} : { contest: kept.policy }),
    ...schedulePart(binding, kept?.schedule),
    clusters: shown,
    ...out,
  };
}

function policyPart(template: KubeObject | undefined, settled: Settled): { readonly policy?: string } {
  if (settled.policy !== undefined) return { policy: policyCalled(settled.policy) };
  const claim = template === undefined ? undefined : claimOf(template);
  return claim === undefined ? {} : { policy: claimCalled(claim) };
}

function schedulePart(
  binding: Binding | undefined,
  trace: ScheduleTrace | undefined,
): Pick<Explanation, 'schedule' | 'scheduleNote'> {
  if (binding === undefined || trace === undefined) return {};
  const text = (targets: readonly TargetCluster[] = []): string =>
    targets
      .map(({ name, replicas }) => `${name}:${replicas ?? ''}`)
      .sort()
      .join(' ');
  const inForce = binding.spec.clusters ?? [];
  // A failure leaves clusters as they were; a success is what is in force until somebody else changes it.
  const same = trace.outcome !== 'Success' || text(trace.clusters) === text(inForce.slice(0, 50));
  return {
    schedule: trace,
    ...(same
      ? {}
      : { scheduleNote: 'the clusters were changed since, by an eviction, the descheduler or by hand' }),
  };
}

/** Stuck before waiting before notes; then in the order of a template's life. */
function inOrder(findings: readonly Finding[]): readonly Finding[] {
  const severities = ['stuck', 'waiting', 'note'];
  return findings.toSorted(
    (a, b) =>
      severities.indexOf(a.severity) - severities.indexOf(b.severity) ||
      STEPS.indexOf(a.step) - STEPS.indexOf(b.step),
  );
}

// ---- clusters it is not in

type Outside = Pick<Explanation, 'excluded' | 'excludedMore' | 'spared'>;
const NOTHING_OUT: Outside = { excluded: [], spared: [] };

function outside(view: WorldView, binding: Binding, only: string | undefined): Outside {
  if (binding.spec.placement === undefined) return NOTHING_OUT;
  const inside = existingClusters(binding.spec);
  const result = schedule({ ...scheduleInput(view, view, binding, 'Steady'), explain: true });
  const attempt = result.attempts.at(-1);
  const fits = new Set(attempt?.candidates.map(({ name }) => name));
  const names = view.fleet.clusters
    .map(({ name }) => name)
    .filter((name) => !inside.has(name) && (only === undefined || name === only));
  const kept = names.filter((name) => !fits.has(name));
  const excluded: WayIn[] = [];
  for (const name of kept.slice(0, WAYS_MAX)) {
    const way = wayIn(view, binding, name);
    if (way !== undefined) excluded.push(way);
  }
  const afresh = schedule(scheduleInput(view, view, binding, 'Fresh'));
  return {
    excluded,
    ...(kept.length > WAYS_MAX ? { excludedMore: kept.length - WAYS_MAX } : {}),
    spared: names
      .filter((name) => fits.has(name))
      .map((name) => ({ cluster: name, says: spared(binding, result, afresh, name) })),
  };
}

function spared(binding: Binding, result: ScheduleResult, afresh: ScheduleResult, name: string): string {
  const attempt = result.attempts.at(-1);
  const candidate = attempt?.candidates.find((one) => one.name === name);
  const due = result.ok ? result.clusters.find((one) => one.name === name) : undefined;
  if (due !== undefined && (binding.spec.clusters ?? []).length === 0)
    return `it fits, and would get ${due.replicas === undefined ? 'it' : `${due.replicas} replicas`}`;
  const target = afresh.ok ? afresh.clusters.find((one) => one.name === name) : undefined;
  if (target !== undefined) {
    const share = target.replicas === undefined ? '' : ` ${target.replicas} of its replicas`;
    return isWorkload(binding.spec)
      ? `it fits; placed afresh it would get${share}, but replicas that run stay where they are (a WorkloadRebalancer places them anew)`
      : 'it fits and is about to get it';
  }
  if (candidate !== undefined && hasNoRoom(binding, candidate))
    return 'it fits, but has no room for a replica';
  if (attempt?.selection?.chosen.every((one) => one.name !== name) === true)
    return `it fits, but the spread constraints prefer others (by ${attempt.selection.by})`;
  if (attempt?.failure !== undefined) return 'it fits, but not all that is asked for can be placed';
  return 'it fits, but the division leaves it nothing';
}

function hasNoRoom({ spec }: Binding, { available }: Candidate): boolean {
  return (spec.replicas ?? 0) > 0 && available === 0;
}

// ---- the answer

interface Answering {
  readonly template: KubeObject | undefined;
  readonly binding: Binding | undefined;
  readonly clusters: readonly ClusterStory[];
  readonly cluster: string | undefined;
  readonly out: Outside;
}

/** States of a cluster that has a copy, be it an old or a sick one. */
const THERE: ReadonlySet<string> = new Set(['running', 'applied', 'unhealthy', 'behind', 'silent']);

function answer({ template, binding, clusters, cluster, out }: Answering): string {
  if (template === undefined) {
    const left = clusters.map((one) => one.cluster);
    return left.length === 0
      ? 'it does not exist on the hub any more'
      : `it does not exist on the hub any more, and is not gone yet from ${listText(left)}`;
  }
  if (cluster !== undefined) return answerForOne(clusters, out, cluster);
  const wanted = clusters.filter(({ state }) => state !== 'leaving');
  if (binding === undefined || wanted.length === 0) return 'it is in no cluster';
  const fine = wanted.filter(({ state }) => THERE.has(state));
  const replicas = sum(wanted.map((one) => one.replicas));
  const ready = sum(wanted.map((one) => one.ready));
  const counts = replicas === undefined ? '' : `, ${ready ?? 0} of ${replicas} replicas ready`;
  const where =
    fine.length === wanted.length
      ? `it is in ${plural(wanted.length, 'cluster')}`
      : `it is in ${fine.length} of ${plural(wanted.length, 'cluster')}`;
  const silent = wanted.filter(({ silentSince }) => silentSince !== undefined);
  if (silent.length === 0) return `${where}${counts}`;
  const [oldest] = silent.map(({ silentSince }) => silentSince ?? '').toSorted(compareText);
  const names = listText(silent.map((one) => one.cluster));
  return `${where}${counts}; ${names} ${silent.length === 1 ? 'is' : 'are'} silent, and counted as of ${oldest ?? ''}`;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function answerForOne(
  clusters: readonly ClusterStory[],
  { excluded, spared: fitting }: Outside,
  cluster: string,
): string {
  const [story] = clusters;
  if (story !== undefined) {
    const counts =
      story.replicas === undefined ? '' : `, ${story.ready ?? 0} of ${story.replicas} replicas ready`;
    const why_ =
      story.requiredBy === undefined ? '' : `, because ${listText(story.requiredBy)} needs it there`;
    return `${THERE.has(story.state) || story.state === 'leaving' ? 'it is' : 'it is to be'} in ${cluster}${why_}${counts}: ${story.says}`;
  }
  const [way] = excluded;
  if (way !== undefined)
    return `it is not in ${cluster}, a cluster ${listText(way.reasons.map(({ text }) => singular(unstopped(text))))}`;
  const [other] = fitting;
  if (other !== undefined) return `it is not in ${cluster}: ${other.says}`;
  return `it is not in ${cluster}`;
}

function sum(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((total, value) => total + value, 0);
}

// ---- what if

export interface Supposition {
  readonly object: TemplateReference;
  readonly asOf: string;
  /** What was supposed, as asked. */
  readonly supposed: readonly string[];
  readonly before: readonly TargetCluster[];
  /** What would come of it by itself. */
  readonly after: readonly TargetCluster[];
  /** What a fresh placement would make of it, where nothing would move by itself. */
  readonly afresh?: readonly TargetCluster[];
  readonly answer: string;
  readonly notes: readonly string[];
}

/** What would become of the template if `changes` were so. The same functions decide as in the control plane. */
export async function whatIf(
  view: WorldView,
  reference: TemplateReference,
  questions: readonly { readonly text: string; readonly change: Change }[],
): Promise<Supposition> {
  const changes = questions.map(({ change }) => change);
  const { world, touched } = await applyChanges(view, changes, reference);
  const before = view.bindingOf(reference)?.spec.clusters ?? [];
  const settled = await settle(new WorldView(world, view.interpreter), view, reference, touched);
  const after = settled.binding?.spec.clusters ?? [];
  const base = {
    object: reference,
    asOf: formatTime(view.world.nowMs),
    supposed: questions.map(({ text }) => text),
    before,
    after,
  };
  const notes = notesOf(settled);
  if (settled.failure !== undefined)
    return { ...base, answer: `it could not be placed: ${unstopped(settled.failure.message)}`, notes };
  if (sameTargets(before, after)) {
    const fresh = await playAfresh(view, world, reference, touched);
    const moves = fresh !== undefined && !sameTargets(before, fresh);
    return {
      ...base,
      ...(moves ? { afresh: fresh } : {}),
      answer: moves
        ? `nothing would move by itself; placed afresh it would be ${targetsText(fresh)}`
        : 'nothing would change',
      notes,
    };
  }
  return { ...base, answer: `it would be ${targetsText(after)} instead of ${targetsText(before)}`, notes };
}

async function playAfresh(
  view: WorldView,
  world: World,
  reference: TemplateReference,
  touched: Touched,
): Promise<readonly TargetCluster[] | undefined> {
  const play = new WorldView(world, view.interpreter);
  const { binding, failure } = await settle(play, view, reference, { ...touched, afresh: true });
  return failure === undefined ? binding?.spec.clusters : undefined;
}

/** What else is to be said of what the controllers would do. */
export function notesOf({ evictions, decision, obstacle }: Settled): readonly string[] {
  const notes = evictions.map(({ cluster, inMs, held }) => {
    if (held !== undefined)
      return `the copy in ${cluster} would be kept, for nothing could take its place: ${unstopped(held)}`;
    if (inMs !== undefined)
      return `it would leave ${cluster} in ${Math.ceil(inMs / 1000)} s, when its toleration ends`;
    return `it would be evicted from ${cluster}`;
  });
  if (decision.action === 'wait') notes.push('no policy selects it');
  if (decision.action === 'apply' && !decision.bind)
    notes.push(`${policyCalled(decision.policy)} is lazy and acts with the next edit of the object`);
  if (obstacle !== undefined) notes.push(`its binding could not be made: ${obstacle}`);
  return notes;
}

export function sameTargets(a: readonly TargetCluster[], b: readonly TargetCluster[]): boolean {
  return targetsText(a) === targetsText(b);
}

/** `in member1 (2) and member2 (4)`, in order of name. */
export function targetsText(targets: readonly TargetCluster[]): string {
  if (targets.length === 0) return 'in no cluster';
  const parts = targets
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, replicas }) => (replicas === undefined ? name : `${name} (${replicas})`));
  return `in ${listText(parts, 12)}`;
}

export function objectCalled({ kind, namespace, name }: TemplateReference): string {
  return calledOf(kind, { name, ...(namespace === undefined ? {} : { namespace }) });
}
