// What to beware of in a plan. Each flag names a thing that people regret having overlooked.
import { isWorkload, type Binding } from '../propagation/index.ts';
import { plural, unstopped } from './finding.ts';
import type { ClusterBalance, PlannedMove } from './preview.ts';
import type { Settled } from './settle.ts';
import { calledOf } from './world.ts';

export interface Risk {
  readonly code:
    | 'LAST_COPY_LEAVES'
    | 'DROPS_TO_ZERO'
    | 'CANNOT_BE_PLACED'
    | 'LOSES_POLICY'
    | 'PREEMPTS'
    | 'RESTARTS_PODS'
    | 'OVERRIDE_FAILS'
    | 'EVICTION_HELD'
    | 'CLUSTER_EMPTIES'
    | 'LARGE_MOVE'
    | 'SELECTS_NOTHING';
  readonly says: string;
}

type Move = Omit<PlannedMove, 'risks'>;

export function moveRisks(move: Move, after: Settled): readonly Risk[] {
  const { object, before, manifests, failure, policyBefore, policyAfter, preempted } = move;
  const { kind, namespace, name } = object;
  const called = calledOf(kind, { name, ...(namespace === undefined ? {} : { namespace }) });
  const risks: Risk[] = [];
  const add = (code: Risk['code'], says: string): void => void risks.push({ code, says });
  if (before.length > 0 && move.after.length === 0) add('LAST_COPY_LEAVES', `${called} ends in no cluster`);
  else {
    const left = before
      .filter(({ name: one }) => !move.after.some((target) => target.name === one))
      .map(({ name: one }) => one);
    if (left.length > 0) add('DROPS_TO_ZERO', `${called} leaves ${left.join(', ')}`);
  }
  if (after.failure !== undefined && failure !== undefined)
    add('CANNOT_BE_PLACED', `${called}: ${unstopped(after.failure.message)}`);
  else if (failure !== undefined && after.obstacle === undefined)
    add('OVERRIDE_FAILS', `${called} ${unstopped(failure)}`);
  if (policyBefore !== undefined && policyAfter === undefined && after.template !== undefined)
    add('LOSES_POLICY', `no policy holds ${called} afterwards: it stays, and edits no longer reach it`);
  if (preempted)
    add('PREEMPTS', `${policyAfter ?? ''} takes ${called} over from ${policyBefore ?? 'another policy'}`);
  const restarts = manifests.filter(({ restartsPods }) => restartsPods).map(({ cluster }) => cluster);
  if (restarts.length > 0)
    add('RESTARTS_PODS', `the pods of ${called} are replaced in ${restarts.join(', ')}`);
  for (const { cluster, held } of after.evictions)
    if (held !== undefined) add('EVICTION_HELD', `${called} cannot leave ${cluster}: ${unstopped(held)}`);
  return risks;
}

export function fleetRisks(
  moves: readonly PlannedMove[],
  clusters: readonly ClusterBalance[],
  bindings: readonly Binding[],
  largeMovePercent: number,
): readonly Risk[] {
  const risks = moves.flatMap((move) => move.risks);
  for (const { cluster, objects } of clusters)
    if (objects.before > 0 && objects.after === 0)
      risks.push({ code: 'CLUSTER_EMPTIES', says: `${cluster} loses all it has` });
  const weigh = (workload: boolean, replicas: number | undefined): number => (workload ? (replicas ?? 0) : 1);
  const total = bindings.reduce(
    (sum, { spec }) =>
      sum + (spec.clusters ?? []).reduce((part, one) => part + weigh(isWorkload(spec), one.replicas), 0),
    0,
  );
  const moved = moves.reduce((sum, { workload, before, after }) => {
    const now = new Map(after.map(({ name, replicas }) => [name, weigh(workload, replicas)]));
    return (
      sum +
      before.reduce(
        (part, { name, replicas }) => part + Math.max(0, weigh(workload, replicas) - (now.get(name) ?? 0)),
        0,
      )
    );
  }, 0);
  const percent = total === 0 ? 0 : Math.round((moved * 100) / total);
  if (moved > 0 && percent > largeMovePercent) {
    risks.push({
      code: 'LARGE_MOVE',
      says: `${percent}% of what runs leaves its cluster: ${moved} of ${plural(total, 'replica')} and objects`,
    });
  }
  return risks;
}
