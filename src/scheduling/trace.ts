// A scheduling decision as plain data that is kept beside the binding: which clusters were chosen, which were not and
// what would change that, and how the replicas were divided. Clusters that share a fate are listed together, since a
// trace is kept for every binding.
import type {
  AttemptTrace,
  CandidateTrace,
  DivisionTrace,
  ExclusionTrace,
  ScheduleTrace,
  SchedulingDecision,
  TargetCluster,
} from '../api/index.ts';
import type { Candidate } from './candidate.ts';
import { resultText } from './outcome.ts';
import { everyRejection, type Attempt, type ScheduleInput, type ScheduleResult } from './schedule.ts';
import { reasonText, remedyText, type Verdict } from './verdict.ts';

// LIMIT: a trace is kept for every binding, so a large fleet is not listed whole.
const CANDIDATES_MAX = 32;
const NAMES_MAX = 50;
const EXCLUSIONS_MAX = 30;
const ATTEMPTS_MAX = 8;

const OUTCOMES = { fit: 'NoClusterFit', unschedulable: 'Unschedulable', error: 'SchedulerError' } as const;

function listed(names: readonly string[]): {
  readonly clusters: readonly string[];
  readonly omitted?: number;
} {
  if (names.length <= NAMES_MAX) return { clusters: names };
  return { clusters: names.slice(0, NAMES_MAX), omitted: names.length - NAMES_MAX };
}

/** Rejections by what they say, those that keep out most clusters first. */
function exclusionsOf(verdicts: readonly Verdict[], names: readonly string[]): readonly ExclusionTrace[] {
  const groups = new Map<
    string,
    { trace: Omit<ExclusionTrace, 'clusters'>; names: string[]; only: string[] }
  >();
  verdicts.forEach((verdict, index) => {
    if (verdict.outcome !== 'rejected') return;
    for (const rejection of verdict.rejections) {
      const { filter, code } = rejection;
      const text = reasonText(rejection);
      const remedy = remedyText(rejection);
      const key = `${text}|${remedy}`;
      const group = groups.get(key) ?? { trace: { filter, code, text, remedy }, names: [], only: [] };
      groups.set(key, group);
      const name = names[index] ?? '';
      group.names.push(name);
      if (verdict.rejections.length === 1) group.only.push(name);
    }
  });
  return [...groups.values()]
    .sort((a, b) => b.names.length - a.names.length)
    .slice(0, EXCLUSIONS_MAX)
    .map(({ trace, names: kept, only }) => ({
      ...trace,
      ...listed(kept),
      ...(only.length === 0 ? {} : { only: only.slice(0, NAMES_MAX) }),
    }));
}

function estimatesFor(input: ScheduleInput, cluster: string): CandidateTrace['estimates'] {
  const answers = (input.estimates ?? []).flatMap(({ estimator, answers: all, errors }) => {
    const replicas = all.get(cluster);
    const error = errors?.get(cluster);
    if (replicas === undefined && error === undefined) return [];
    return [
      {
        estimator,
        ...(replicas === undefined ? {} : { replicas }),
        ...(error === undefined ? {} : { error }),
      },
    ];
  });
  return answers.length === 0 ? undefined : answers;
}

function candidateTrace(
  input: ScheduleInput,
  { name, score, allocatable, available, overflowOrder }: Candidate,
  target: TargetCluster | undefined,
  roomCounts: boolean,
): CandidateTrace {
  const estimates = estimatesFor(input, name);
  return {
    name,
    score,
    ...(roomCounts ? { allocatable, available } : {}),
    ...(overflowOrder === 0 ? {} : { overflow: overflowOrder }),
    ...(target === undefined ? {} : { chosen: true }),
    ...(target?.replicas === undefined ? {} : { replicas: target.replicas }),
    ...(estimates === undefined ? {} : { estimates }),
  };
}

function divisionsOf({ assignment }: Attempt): readonly DivisionTrace[] | undefined {
  if (assignment === undefined) return undefined;
  const parts = 'tiers' in assignment ? assignment.tiers : [assignment];
  return parts.map((part): DivisionTrace => {
    const { strategy, clusters, division } = part;
    const tier = 'tier' in part ? { tier: part.tier } : {};
    if (division === undefined) return { strategy, ...tier };
    const { step, target, weights, kept } = division;
    const before = new Map(kept.map(({ name, replicas = 0 }) => [name, replicas]));
    const after = new Map(clusters.map(({ name, replicas = 0 }) => [name, replicas]));
    const total = weights.reduce((sum, { weight }) => sum + weight, 0);
    return {
      strategy,
      ...tier,
      step,
      target,
      shares: weights.slice(0, CANDIDATES_MAX).map(({ name, weight }) => ({
        name,
        weight,
        ...(total > 0 ? { exact: ((target * weight) / total).toFixed(2) } : {}),
        replicas: (after.get(name) ?? 0) - (before.get(name) ?? 0),
      })),
      ...(kept.length === 0 ? {} : { kept: kept.slice(0, CANDIDATES_MAX) }),
    };
  });
}

function selectionOf({ selection }: Attempt): AttemptTrace['selection'] {
  if (selection === undefined) return undefined;
  const { by, groups, chosenGroups, notSpread } = selection;
  return {
    by,
    ...(groups === undefined
      ? {}
      : {
          groups: groups
            .slice(0, NAMES_MAX)
            .map(({ name, score, members }) => ({ name, score, clusters: members.length })),
        }),
    ...(chosenGroups === undefined ? {} : { chosenGroups }),
    ...(notSpread.length === 0 ? {} : { notSpread: notSpread.length }),
  };
}

function attemptTrace(
  input: ScheduleInput,
  attempt: Attempt,
  names: readonly string[],
  clusters: readonly TargetCluster[],
): AttemptTrace {
  const { candidates, failure } = attempt;
  const targets = new Map((failure === undefined ? clusters : []).map((target) => [target.name, target]));
  const { replicas = 0, components = [] } = input.binding.spec;
  const roomCounts = replicas > 0 || components.length > 0;
  const verdicts = everyRejection(input, attempt);
  const terminating = names.filter((_, index) => verdicts[index]?.outcome === 'terminating');
  const excluded = exclusionsOf(verdicts, names);
  const selection = selectionOf(attempt);
  const divisions = divisionsOf(attempt);
  return {
    ...(attempt.affinityName === '' ? {} : { affinityName: attempt.affinityName }),
    candidates: candidates
      .slice(0, CANDIDATES_MAX)
      .map((one) => candidateTrace(input, one, targets.get(one.name), roomCounts)),
    ...(candidates.length > CANDIDATES_MAX ? { omittedCandidates: candidates.length - CANDIDATES_MAX } : {}),
    ...(excluded.length === 0 ? {} : { excluded }),
    ...(terminating.length === 0 ? {} : { terminating: terminating.slice(0, NAMES_MAX) }),
    ...(selection === undefined ? {} : { selection }),
    ...(divisions === undefined ? {} : { divisions }),
    ...(failure === undefined ? {} : { failure }),
  };
}

/** The story of a decision, with every reason that keeps a cluster out. */
export function traceOf(input: ScheduleInput, result: ScheduleResult): ScheduleTrace {
  const names = input.fleet.clusters.map(({ name }) => name);
  const clusters = result.ok ? result.clusters : [];
  const { replicas = 0 } = input.binding.spec;
  const { attempts } = result;
  // The last one is the one that succeeded, when one did.
  const kept =
    attempts.length <= ATTEMPTS_MAX ? attempts : [...attempts.slice(0, ATTEMPTS_MAX - 1), attempts.at(-1)!];
  return {
    outcome: result.ok ? 'Success' : OUTCOMES[result.failure.kind],
    mode: input.mode,
    ...(result.ok ? { summary: resultText(clusters) } : { message: result.failure.message }),
    ...(replicas > 0 ? { wanted: replicas } : {}),
    ...(result.ok && result.affinityName !== undefined ? { affinityName: result.affinityName } : {}),
    ...(clusters.length === 0
      ? {}
      : {
          clusters: clusters
            .slice(0, NAMES_MAX)
            .map(({ name, replicas: own }) => ({ name, ...(own === undefined ? {} : { replicas: own }) })),
        }),
    attempts: kept.map((attempt) => attemptTrace(input, attempt, names, clusters)),
    ...(kept.length < attempts.length ? { omittedAttempts: attempts.length - kept.length } : {}),
  };
}

/**
 * What makes two decisions the same although room was measured anew: verdicts, choice and outcome. A look that finds
 * this unchanged leaves the kept trace as it is. Of a success only the term in use counts: later looks start with it,
 * and why earlier terms did not do is worth keeping.
 */
export function traceEssence(trace: ScheduleTrace): string {
  const { outcome, mode, message = '', wanted = 0, affinityName = '', clusters = [], attempts } = trace;
  const essence = [
    outcome === 'Success' ? [mode, affinityName, wanted, clusters] : [outcome, message],
    (outcome === 'Success' ? attempts.slice(-1) : attempts).map(
      ({ affinityName: term = '', excluded = [], terminating = [], candidates = [] }) => [
        term,
        excluded.map(({ text, remedy, clusters: out, omitted = 0 }) => [text, remedy, out, omitted]),
        terminating,
        candidates.map(({ name }) => name).sort(),
      ],
    ),
  ];
  return JSON.stringify(essence);
}

// LIMIT: placements that are remembered beside the one of now.
const FORMER_MAX = 5;
type Former = NonNullable<SchedulingDecision['former']>;

/** What is remembered of former placements when `next` takes the place of `last`. */
export function formerPlacements(
  last: ScheduleTrace | undefined,
  former: Former | undefined,
  next: ScheduleTrace | undefined,
): Former | undefined {
  const { clusters = [], time } = last ?? {};
  const names = (all: readonly { readonly name: string }[] = []): string =>
    all.map(({ name }) => name).sort().join(' '); // prettier-ignore
  if (next === undefined || clusters.length === 0 || names(clusters) === names(next.clusters)) return former;
  return [{ clusters, ...(time === undefined ? {} : { time }) }, ...(former ?? [])].slice(0, FORMER_MAX);
}
