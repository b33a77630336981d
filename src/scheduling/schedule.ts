// One scheduling decision: filter, score, select, assign, for each affinity term in turn (scheduling.md §6.6, §8, §9).
// The result holds how it came about: every cluster's verdict, the candidates, and the arithmetic.
import type {
  ClusterAffinityTerm,
  ClusterResourceBinding,
  Placement,
  ResourceBinding,
  ResourceBindingSpec,
  TargetCluster,
} from '../api/index.ts';
import type { GateName } from '../base/index.ts';
import { clusterMatchesAffinity, isWorkload, nameOrderFor } from '../fleet/index.ts';
import { assignByTiers, assignReplicas, type Assignment, type Mode, type TierAssignment } from './assign.ts';
import { failed, inOrder, MAX_SCORE, type Candidate } from './candidate.ts';
import { verdictOn, type FilterInput } from './filters.ts';
import type { ClusterView, FleetSnapshot } from './fleet-snapshot.ts';
import { maxComponentSets, maxReplicas, UNLIMITED, type AssumedWorkload } from './general-estimator.ts';
import type { PluginName } from './plugins.ts';
import { selectClusters, spreadsByLabel, type Selection } from './select.ts';
import { fitErrorText, type Verdict } from './verdict.ts';
import type { WorkloadPeers } from './workload-affinity.ts';

export type SchedulingGates = Readonly<
  Record<
    Extract<
      GateName,
      | 'CustomizedClusterResourceModeling'
      | 'MultiplePodTemplatesScheduling'
      | 'SpreadByEveryField'
      | 'WorkloadAffinity'
    >,
    boolean
  >
>;

/** What one estimator said. A cluster without an answer, or with −1, is one it cannot speak for. */
export interface EstimatorAnswers {
  readonly estimator: string;
  readonly answers: ReadonlyMap<string, number>;
  /** Why clusters are without an answer, as far as somebody was asked. */
  readonly errors?: ReadonlyMap<string, string>;
}

export interface ScheduleInput {
  readonly binding: ResourceBinding | ClusterResourceBinding;
  readonly fleet: FleetSnapshot;
  readonly gates: SchedulingGates;
  readonly mode: Mode;
  /** Estimators other than the general one, asked about `clustersToEstimate`. */
  readonly estimates?: readonly EstimatorAnswers[];
  /** Room that was promised and may not be taken yet, by cluster. */
  readonly assumed?: ReadonlyMap<string, readonly AssumedWorkload[]>;
  readonly peers?: WorkloadPeers | undefined;
  /** `--plugins`; undefined: all. */
  readonly plugins?: ReadonlySet<PluginName>;
  /** `--enable-empty-workload-propagation`. */
  readonly propagateEmptyWorkloads?: boolean;
  /** Every filter's verdict on every cluster instead of the first rejection. */
  readonly explain?: boolean;
  /** Told when a step is over, so that whoever has a clock can tell how long it took. */
  readonly stepDone?: (step: 'Filter' | 'Score' | 'Select' | 'AssignReplicas') => void;
}

export interface Failure {
  /** fit: no cluster passed the filters. unschedulable: too little room. error: anything else. */
  readonly kind: 'fit' | 'unschedulable' | 'error';
  readonly message: string;
}

/** One term of clusterAffinities, or the only attempt. */
export interface Attempt {
  /** Empty without clusterAffinities. */
  readonly affinityName: string;
  /** In the order of the snapshot's clusters. */
  readonly verdicts: readonly Verdict[];
  readonly candidates: readonly Candidate[];
  readonly selection?: Selection;
  readonly assignment?: Assignment | { readonly tiers: readonly TierAssignment[] };
  readonly failure?: Failure;
}

export type ScheduleResult =
  | {
      readonly ok: true;
      readonly clusters: readonly TargetCluster[];
      /** The term that was used; undefined without clusterAffinities. */
      readonly affinityName: string | undefined;
      readonly attempts: readonly Attempt[];
    }
  | { readonly ok: false; readonly failure: Failure; readonly attempts: readonly Attempt[] };

interface Context {
  readonly input: ScheduleInput;
  readonly spec: ResourceBindingSpec;
  readonly placement: Placement;
  readonly workload: boolean;
  readonly current: ReadonlyMap<string, TargetCluster>;
  readonly evicting: ReadonlySet<string>;
  readonly byLabel: boolean;
  /** Whole sets of several pod templates go to one cluster. */
  readonly componentSets: boolean;
}

const NO_PLACEMENT: Placement = {};
const NO_NAMES: ReadonlySet<string> = new Set();
const NO_TARGETS: ReadonlyMap<string, TargetCluster> = new Map();

function contextOf(input: ScheduleInput): Context {
  const { spec } = input.binding;
  const placement = spec.placement ?? NO_PLACEMENT;
  const { clusters = [], gracefulEvictionTasks = [] } = spec;
  return {
    input,
    spec,
    placement,
    workload: isWorkload(spec),
    current: clusters.length === 0 ? NO_TARGETS : new Map(clusters.map((target) => [target.name, target])),
    evicting:
      gracefulEvictionTasks.length === 0
        ? NO_NAMES
        : new Set(gracefulEvictionTasks.map(({ fromCluster }) => fromCluster)),
    byLabel: spreadsByLabel(placement, input.gates.SpreadByEveryField),
    componentSets: input.gates.MultiplePodTemplatesScheduling && placesComponentSets(spec),
  };
}

/** Several pod templates count as sets only where all of them go to exactly one cluster. */
function placesComponentSets({ components = [], placement }: ResourceBindingSpec): boolean {
  return (
    components.length > 0 &&
    placement?.spreadConstraints?.some(
      ({ spreadByField, minGroups, maxGroups }) =>
        spreadByField === 'cluster' && minGroups === 1 && maxGroups === 1,
    ) === true
  );
}

/**
 * The terms to try, in order. Scheduling goes on from the term in use and never wraps around; a fresh decision
 * starts with the first.
 */
function termsToTry({ input, placement }: Context): readonly (ClusterAffinityTerm | undefined)[] {
  const terms = placement.clusterAffinities ?? [];
  if (placement.clusterAffinity !== undefined || terms.length === 0) return [undefined];
  if (input.mode === 'Fresh') return terms;
  const observed = input.binding.status?.schedulerObservingAffinityName ?? '';
  const start = terms.findIndex(({ affinityName }) => affinityName === observed);
  return start <= 0 ? terms : terms.slice(start);
}

function filterInput(context: Context, term: ClusterAffinityTerm | undefined): FilterInput {
  const { input, spec, placement, workload, evicting, byLabel } = context;
  return {
    spec,
    placement,
    term,
    workload,
    current: context.current,
    evicting,
    peers: input.gates.WorkloadAffinity ? input.peers : undefined,
    spreadsByLabel: byLabel,
    all: input.explain === true,
    plugins: input.plugins,
  };
}

/** How many more replicas (or sets) a cluster takes. */
function allocatable({ input, spec, componentSets }: Context, view: ClusterView): number {
  const { replicas = 0, components = [] } = spec;
  if (replicas === 0 && components.length === 0) return UNLIMITED;
  const options = {
    models: input.gates.CustomizedClusterResourceModeling,
    assumed: input.assumed?.get(view.name) ?? [],
  };
  let room = componentSets
    ? maxComponentSets(view, components, options)
    : maxReplicas(view, components.length > 0 ? undefined : spec.replicaRequirements, options);
  for (const { answers } of input.estimates ?? []) {
    const answer = answers.get(view.name) ?? -1;
    if (answer >= 0) room = Math.min(room, answer);
  }
  return room === UNLIMITED ? replicas : room;
}

const NO_OVERFLOW = 1000;

/** The overflow affinity that lets a cluster in, counted from 1; 0 for the term itself. */
function overflowOrder(term: ClusterAffinityTerm | undefined, { cluster }: ClusterView): number {
  const overflow = term?.overflowAffinities ?? [];
  if (term === undefined || overflow.length === 0 || clusterMatchesAffinity(cluster, term)) return 0;
  const index = overflow.findIndex((affinity) => clusterMatchesAffinity(cluster, affinity));
  return index < 0 ? NO_OVERFLOW : 1 + index;
}

function candidateOf(context: Context, term: ClusterAffinityTerm | undefined, view: ClusterView): Candidate {
  const held = context.current.get(view.name);
  const room = allocatable(context, view);
  return {
    view,
    name: view.name,
    overflowOrder: overflowOrder(term, view),
    score: held === undefined || context.input.plugins?.has('ClusterLocality') === false ? 0 : MAX_SCORE,
    allocatable: room,
    available: room + (held?.replicas ?? 0),
  };
}

/** Replicas are assigned to what runs one kind of pod; everything else only gets clusters. */
function assignsReplicas({
  replicas = 0,
  replicaRequirements,
  components = [],
}: ResourceBindingSpec): boolean {
  return (replicas > 0 || replicaRequirements !== undefined) && components.length <= 1;
}

function withoutReplicas(
  { spec, componentSets }: Context,
  chosen: readonly Candidate[],
): readonly TargetCluster[] {
  const { components = [] } = spec;
  if (!componentSets || components.length < 2) return chosen.map(({ name }) => ({ name }));
  const shares = components.map(({ name, replicas }) => ({ name, replicas }));
  return chosen.map(({ name }) => ({ name, components: shares }));
}

function withEmptyOnes(
  clusters: readonly TargetCluster[],
  chosen: readonly Candidate[],
): readonly TargetCluster[] {
  const taken = new Set(clusters.map(({ name }) => name));
  return [
    ...clusters,
    ...chosen.filter(({ name }) => !taken.has(name)).map(({ name }) => ({ name, replicas: 0 })),
  ];
}

type Assigned = { readonly clusters: readonly TargetCluster[]; readonly assignment?: Attempt['assignment'] };

function assign(
  context: Context,
  term: ClusterAffinityTerm | undefined,
  chosen: readonly Candidate[],
): Assigned | Failure {
  const { spec, input, placement } = context;
  const failure = (message: string, kind: Failure['kind']): Failure => ({
    kind,
    message: `failed to assign replicas: ${message}`,
  });
  if (chosen.length === 0) return failure('no clusters available to schedule', 'error');
  if (!assignsReplicas(spec)) return { clusters: withoutReplicas(context, chosen) };
  const request = {
    placement,
    replicas: spec.replicas ?? 0,
    current: spec.clusters ?? [],
    mode: input.mode,
    order: nameOrderFor(spec.resource.uid),
  };
  const overflows = context.workload && (term?.overflowAffinities ?? []).length > 0;
  const step = overflows ? assignByTiers(chosen, request) : assignReplicas(chosen, request);
  if (failed(step)) return failure(step.error, step.unschedulable === true ? 'unschedulable' : 'error');
  const clusters =
    input.propagateEmptyWorkloads === true ? withEmptyOnes(step.value.clusters, chosen) : step.value.clusters;
  return { clusters, assignment: step.value };
}

function attempt(
  context: Context,
  term: ClusterAffinityTerm | undefined,
): { readonly attempt: Attempt; readonly clusters?: readonly TargetCluster[] } {
  const { input } = context;
  const filter = filterInput(context, term);
  const verdicts = input.fleet.clusters.map((view) => verdictOn(filter, view));
  input.stepDone?.('Filter');
  const candidates: Candidate[] = [];
  for (const [index, view] of input.fleet.clusters.entries()) {
    if (verdicts[index]?.outcome === 'fits') candidates.push(candidateOf(context, term, view));
  }
  const base = { affinityName: term?.affinityName ?? '', verdicts, candidates };
  if (candidates.length === 0) {
    return { attempt: { ...base, failure: { kind: 'fit', message: fitErrorText(verdicts) } } };
  }
  candidates.sort(inOrder);
  input.stepDone?.('Score');
  const selected = selectClusters(candidates, {
    placement: context.placement,
    replicas: context.spec.replicas ?? 0,
    componentSets: context.componentSets,
    everyField: input.gates.SpreadByEveryField,
  });
  if (failed(selected)) {
    const message = `failed to select clusters: ${selected.error}`;
    return { attempt: { ...base, failure: { kind: 'error', message } } };
  }
  const selection = selected.value;
  input.stepDone?.('Select');
  const assigned = assign(context, term, selection.chosen);
  input.stepDone?.('AssignReplicas');
  if ('kind' in assigned) return { attempt: { ...base, selection, failure: assigned } };
  const { clusters, assignment } = assigned;
  return { attempt: { ...base, selection, ...(assignment === undefined ? {} : { assignment }) }, clusters };
}

/** Decides where a binding runs. Nothing is written, and the same input gives the same result. */
export function schedule(input: ScheduleInput): ScheduleResult {
  const context = contextOf(input);
  const attempts: Attempt[] = [];
  for (const term of termsToTry(context)) {
    const { attempt: tried, clusters } = attempt(context, term);
    attempts.push(tried);
    if (clusters !== undefined) return { ok: true, clusters, affinityName: term?.affinityName, attempts };
  }
  // The first failure tells about the term that is wanted most.
  const failure = attempts[0]?.failure ?? { kind: 'error', message: 'no affinity term to try' };
  return { ok: false, failure, attempts };
}

/** The verdicts of an attempt with every rejection of each cluster, where the decision stopped at the first. */
export function everyRejection(input: ScheduleInput, tried: Attempt): readonly Verdict[] {
  if (input.explain === true) return tried.verdicts;
  const context = contextOf(input);
  const term = context.placement.clusterAffinities?.find(
    ({ affinityName }) => affinityName === tried.affinityName,
  );
  const filter = { ...filterInput(context, term), all: true };
  return tried.verdicts.map((verdict, index) => {
    const view = input.fleet.clusters[index];
    return verdict.outcome !== 'rejected' || view === undefined ? verdict : verdictOn(filter, view);
  });
}

/** Whether estimators are asked for whole sets of components instead of replicas. */
export function estimatesSets(input: ScheduleInput): boolean {
  return contextOf(input).componentSets;
}

/** The clusters that estimators other than the general one are to be asked about: all that may take replicas. */
export function clustersToEstimate(input: ScheduleInput): readonly string[] {
  const context = contextOf(input);
  const { replicas = 0, components = [] } = context.spec;
  if (replicas === 0 && components.length === 0) return [];
  const names = new Set<string>();
  for (const term of termsToTry(context)) {
    const filter = { ...filterInput(context, term), all: false };
    for (const view of input.fleet.clusters) {
      if (!names.has(view.name) && verdictOn(filter, view).outcome === 'fits') names.add(view.name);
    }
  }
  return [...names];
}
