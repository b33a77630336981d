// A contest of policies as plain data that is kept beside the binding.
import type { PolicyDecision } from '../api/index.ts';
import type { Contender, Contest, LostBy, MatchRank } from './policy-match.ts';

// LIMIT: policies that lost are listed so far; hundreds of them may select one template.
const LOSERS_MAX = 20;

const MATCHES: Readonly<Record<MatchRank, string>> = { 0: 'none', 1: 'kind', 2: 'labels', 3: 'name' };
const LOST_BY: Readonly<Record<LostBy, string>> = {
  scope: 'scope',
  priority: 'priority',
  rank: 'match',
  name: 'name',
  preemption: 'preemption',
};

function named({ policy }: Contender): { kind: string; name: string; namespace?: string } {
  const { namespace, name = '' } = policy.metadata;
  return { kind: policy.kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

/** @param time of the decision; undefined when nobody won */
export function policyTrace({ contenders }: Contest, time: string): PolicyDecision | undefined {
  const [winner, ...losers] = contenders;
  if (winner === undefined) return undefined;
  return {
    time,
    winner: named(winner),
    priority: winner.priority,
    match: MATCHES[winner.rank],
    ...(losers.length === 0
      ? {}
      : {
          losers: losers.slice(0, LOSERS_MAX).map((loser) => ({
            ...named(loser),
            priority: loser.priority,
            match: MATCHES[loser.rank],
            lostBy: LOST_BY[loser.lostBy ?? 'name'],
          })),
        }),
    ...(losers.length > LOSERS_MAX ? { omitted: losers.length - LOSERS_MAX } : {}),
  };
}
