// Which policy a template belongs to (scheduling.md §4.2–4.3, §4.7). A contest never depends on the order of the
// candidates: priority first, then how exactly the selector means the template, then the name.
import type { KubeObject, ResourceSelector } from '../api/index.ts';
import { isBeingDeleted, labelSelectorFor, StatusError } from '../machinery/index.ts';
import type { Policy } from './kinds.ts';

/** How exactly a selector means a template: by name 3, by labels 2, as one of its kind 1, not at all 0. */
export type MatchRank = 0 | 1 | 2 | 3;

export function selectorRank(selector: ResourceSelector, template: KubeObject): MatchRank {
  if (selector.apiVersion !== template.apiVersion || selector.kind !== template.kind) return 0;
  const { namespace = '', name = '', labels } = template.metadata;
  if ((selector.namespace ?? '') !== '' && selector.namespace !== namespace) return 0;
  if ((selector.name ?? '') !== '') return selector.name === name ? 3 : 0;
  if (selector.labelSelector === undefined) return 1;
  try {
    return labelSelectorFor(selector.labelSelector).matches(labels) ? 2 : 0;
  } catch (error) {
    // COMPAT: admission lets unknown operators in; such a selector means nothing.
    if (error instanceof StatusError) return 0;
    throw error;
  }
}

/** The best rank that any of the selectors gives. */
export function selectorsRank(selectors: readonly ResourceSelector[], template: KubeObject): MatchRank {
  let best: MatchRank = 0;
  for (const selector of selectors) {
    const rank = selectorRank(selector, template);
    if (rank > best) best = rank;
    if (best === 3) break;
  }
  return best;
}

export function policyMatches(policy: Policy, template: KubeObject): boolean {
  return selectorsRank(policy.spec.resourceSelectors, template) > 0;
}

/** Why a policy that selects the template did not win it. */
export type LostBy = 'priority' | 'rank' | 'name' | 'scope' | 'preemption';

export interface Contender {
  readonly policy: Policy;
  readonly priority: number;
  readonly rank: MatchRank;
  /** Absent for the winner. */
  readonly lostBy?: LostBy;
}

export interface Contest {
  readonly winner: Policy | undefined;
  /** Every policy that selects the template, the winner first. */
  readonly contenders: readonly Contender[];
}

function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function better(a: Contender, b: Contender): number {
  if (a.priority !== b.priority) return b.priority - a.priority;
  if (a.rank !== b.rank) return b.rank - a.rank;
  return compareNames(a.policy.metadata.name ?? '', b.policy.metadata.name ?? '');
}

function lostBy(loser: Contender, winner: Contender): LostBy {
  if (loser.policy.kind !== winner.policy.kind) return 'scope';
  if (loser.priority !== winner.priority) return 'priority';
  return loser.rank === winner.rank ? 'name' : 'rank';
}

function contenders(policies: readonly Policy[], template: KubeObject): Contender[] {
  const found: Contender[] = [];
  for (const policy of policies) {
    if (isBeingDeleted(policy)) continue;
    const rank = selectorsRank(policy.spec.resourceSelectors, template);
    if (rank > 0) found.push({ policy, priority: policy.spec.priority ?? 0, rank });
  }
  return found.length > 1 ? found.sort(better) : found;
}

/**
 * Chooses among policies for a template that nobody claims. Any policy of the template's namespace beats every
 * cluster policy. `namespaced` may hold policies of other namespaces; they do not count.
 */
export function choosePolicy(
  template: KubeObject,
  namespaced: readonly Policy[],
  cluster: readonly Policy[],
): Contest {
  const namespace = template.metadata.namespace ?? '';
  const own = namespace === '' ? [] : namespaced.filter((policy) => policy.metadata.namespace === namespace);
  const all = [...contenders(own, template), ...contenders(cluster, template)];
  const [winner] = all;
  if (winner === undefined) return { winner: undefined, contenders: [] };
  return {
    winner: winner.policy,
    contenders: all.map((contender) =>
      contender === winner ? contender : { ...contender, lostBy: lostBy(contender, winner) },
    ),
  };
}

export type PreemptionVerdict =
  | { readonly take: true; readonly from: Policy['kind'] }
  | {
      readonly take: false;
      readonly why: 'off' | 'unselected' | 'deleting' | 'unclaimed' | 'own' | 'not-higher' | 'namespaced';
    };

/**
 * Whether `policy` takes a template over from the policy that holds it. `holder` is that policy, or only its kind
 * when it is gone; undefined when nobody holds the template.
 */
export function decidePreemption(
  policy: Policy,
  template: KubeObject,
  holder: { readonly kind: Policy['kind']; readonly policy: Policy | undefined } | undefined,
  gate: boolean,
): PreemptionVerdict {
  if (!gate || policy.spec.preemption !== 'Always') return { take: false, why: 'off' };
  if (isBeingDeleted(template)) return { take: false, why: 'deleting' };
  if (!policyMatches(policy, template)) return { take: false, why: 'unselected' };
  if (holder === undefined) return { take: false, why: 'unclaimed' };
  if (holder.kind !== policy.kind) {
    return holder.kind === 'PropagationPolicy'
      ? { take: false, why: 'namespaced' }
      : { take: true, from: 'ClusterPropagationPolicy' };
  }
  if (holder.policy?.metadata.uid === policy.metadata.uid && holder.policy !== undefined) {
    return { take: false, why: 'own' };
  }
  const held = holder.policy?.spec.priority ?? 0;
  // A holder that is gone leaves its templates to the ordinary contest.
  if (holder.policy === undefined || (policy.spec.priority ?? 0) <= held)
    return { take: false, why: 'not-higher' };
  return { take: true, from: holder.kind };
}

/** A preemption as a contest, for the record. `from` is undefined when the holder is gone. */
export function preemptionContest(policy: Policy, from: Policy | undefined, template: KubeObject): Contest {
  const contender = (one: Policy): Contender => ({
    policy: one,
    priority: one.spec.priority ?? 0,
    rank: selectorsRank(one.spec.resourceSelectors, template),
  });
  return {
    winner: policy,
    contenders: [
      contender(policy),
      ...(from === undefined ? [] : [{ ...contender(from), lostBy: 'preemption' as const }]),
    ],
  };
}

/**
 * The policies that may preempt what `changed` holds now that its priority fell from `before`: of its kind and
 * namespace, between the two priorities, highest first.
 */
export function heirsOfLoweredPriority(
  before: Policy,
  changed: Policy,
  all: readonly Policy[],
): readonly Policy[] {
  const old = before.spec.priority ?? 0;
  const now = changed.spec.priority ?? 0;
  if (now >= old) return [];
  return all
    .filter(
      ({ kind, metadata, spec }) =>
        kind === changed.kind &&
        (metadata.namespace ?? '') === (changed.metadata.namespace ?? '') &&
        metadata.name !== changed.metadata.name &&
        metadata.deletionTimestamp === undefined &&
        spec.preemption === 'Always' &&
        (spec.priority ?? 0) > now &&
        (spec.priority ?? 0) < old,
    )
    .sort(
      (a, b) =>
        (b.spec.priority ?? 0) - (a.spec.priority ?? 0) ||
        compareNames(a.metadata.name ?? '', b.metadata.name ?? ''),
    );
}
