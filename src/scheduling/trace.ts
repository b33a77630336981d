// A scheduling decision as plain data that can be kept, shown and compared: which cluster was chosen, which was not and
// what would change that, and how the replicas were divided.
import type { TargetCluster } from '../api/index.ts';
import type { Mode, Strategy } from './assign.ts';
import type { Attempt, Failure, ScheduleInput, ScheduleResult } from './schedule.ts';
import type { Selection } from './select.ts';
import { reasonText, remedyText, type Verdict } from './verdict.ts';

export interface TraceReason {
  readonly filter: string;
  readonly code: string;
  readonly text: string;
  /** What would take the reason away. */
  readonly remedy: string;
}

export interface ClusterTrace {
  readonly name: string;
  /** spared: it passed the filters, and others were chosen or got the replicas. */
  readonly outcome: 'chosen' | 'spared' | 'rejected' | 'terminating';
  readonly reasons?: readonly TraceReason[];
  readonly score?: number;
  readonly allocatable?: number;
  readonly available?: number;
  readonly overflowOrder?: number;
  readonly replicas?: number;
}

export interface DivisionTrace {
  readonly strategy: Strategy;
  /** Of overflow, counted from 0. */
  readonly tier?: number;
  readonly step?: string;
  readonly target?: number;
  readonly weights?: readonly { readonly name: string; readonly weight: number }[];
  readonly kept?: readonly TargetCluster[];
  readonly result: readonly TargetCluster[];
}

export interface AttemptTrace {
  /** Absent without clusterAffinities. */
  readonly affinityName?: string;
  readonly clusters: readonly ClusterTrace[];
  /** Clusters left out because there are too many to list. */
  readonly omitted?: number;
  readonly selection?: {
    readonly by: Selection['by'];
    readonly groups?: readonly {
      readonly name: string;
      readonly score: number;
      readonly clusters: readonly string[];
    }[];
    readonly chosenGroups?: readonly string[];
    /** Spread constraints that only filter. */
    readonly notSpread?: number;
  };
  readonly divisions?: readonly DivisionTrace[];
  readonly failure?: Failure;
}

export interface ScheduleTrace {
  readonly mode: Mode;
  readonly ok: boolean;
  readonly clusters: readonly TargetCluster[];
  readonly attempts: readonly AttemptTrace[];
}

// LIMIT: a trace is kept for every binding, so a large fleet is not listed whole: what was chosen always is, the rest
// as far as there is room.
const CLUSTERS_MAX = 200;

function reasonsOf(verdict: Verdict): readonly TraceReason[] {
  if (verdict.outcome !== 'rejected') return [];
  return verdict.rejections.map((rejection) => ({
    filter: rejection.filter,
    code: rejection.code,
    text: reasonText(rejection),
    remedy: remedyText(rejection),
  }));
}

function clusterTraces(
  attempt: Attempt,
  names: readonly string[],
  chosen: ReadonlyMap<string, TargetCluster>,
): ClusterTrace[] {
  const candidates = new Map(attempt.candidates.map((candidate) => [candidate.name, candidate]));
  const traces = names.map((name, index): ClusterTrace => {
    const verdict = attempt.verdicts[index];
    const candidate = candidates.get(name);
    if (candidate === undefined) {
      if (verdict?.outcome === 'terminating') return { name, outcome: 'terminating' };
      return { name, outcome: 'rejected', reasons: verdict === undefined ? [] : reasonsOf(verdict) };
    }
    const { score, allocatable, available, overflowOrder } = candidate;
    const target = chosen.get(name);
    return {
      name,
      outcome: target === undefined ? 'spared' : 'chosen',
      score,
      allocatable,
      available,
      ...(overflowOrder === 0 ? {} : { overflowOrder }),
      ...(target?.replicas === undefined ? {} : { replicas: target.replicas }),
    };
  });
  const order = { chosen: 0, spared: 1, rejected: 2, terminating: 3 } as const;
  return traces.sort((a, b) => order[a.outcome] - order[b.outcome]);
}

function divisionsOf({ assignment }: Attempt): readonly DivisionTrace[] | undefined {
  if (assignment === undefined) return undefined;
  const parts = 'tiers' in assignment ? assignment.tiers : [assignment];
  return parts.map((part) => {
    const { strategy, clusters, division } = part;
    return {
      strategy,
      ...('tier' in part ? { tier: part.tier } : {}),
      ...(division === undefined
        ? {}
        : { step: division.step, target: division.target, weights: division.weights, kept: division.kept }),
      result: clusters,
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
          groups: groups.map(({ name, score, members }) => ({
            name,
            score,
            clusters: members.map((one) => one.name),
          })),
        }),
    ...(chosenGroups === undefined ? {} : { chosenGroups }),
    ...(notSpread.length === 0 ? {} : { notSpread: notSpread.length }),
  };
}

function attemptTrace(
  attempt: Attempt,
  names: readonly string[],
  clusters: readonly TargetCluster[],
): AttemptTrace {
  const chosen =
    attempt.failure === undefined ? new Map(clusters.map((target) => [target.name, target])) : new Map();
  const all = clusterTraces(attempt, names, chosen as ReadonlyMap<string, TargetCluster>);
  const selection = selectionOf(attempt);
  const divisions = divisionsOf(attempt);
  return {
    ...(attempt.affinityName === '' ? {} : { affinityName: attempt.affinityName }),
    clusters: all.slice(0, CLUSTERS_MAX),
    ...(all.length > CLUSTERS_MAX ? { omitted: all.length - CLUSTERS_MAX } : {}),
    ...(selection === undefined ? {} : { selection }),
    ...(divisions === undefined ? {} : { divisions }),
    ...(attempt.failure === undefined ? {} : { failure: attempt.failure }),
  };
}

/** The story of a decision. With `explain` in the input, rejected clusters tell every reason. */
export function traceOf(input: ScheduleInput, result: ScheduleResult): ScheduleTrace {
  const names = input.fleet.clusters.map(({ name }) => name);
  const clusters = result.ok ? result.clusters : [];
  return {
    mode: input.mode,
    ok: result.ok,
    clusters,
    attempts: result.attempts.map((attempt) => attemptTrace(attempt, names, clusters)),
  };
}
