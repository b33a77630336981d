// The story of a failover, told from what objects show: no controller has to report anything, and a restart loses nothing
// that matters.
import type { Cluster, FailoverMove, FailoverRecord, Taint } from '../api/index.ts';
import type { Binding } from './binding.ts';
import { healthIn } from './eviction.ts';
import { EVICTION_HELD_CONDITION } from './held-condition.ts';
import { isGivenUp } from './taints.ts';
import { noExecuteTaints } from './toleration-clock.ts';
import { ROLLED_BACK } from './way-back.ts';

type Status = NonNullable<FailoverRecord['status']>;
type Phase = NonNullable<Status['phases']>[number];
export type FailoverCause = FailoverRecord['spec']['cause'];

/** Which evictions a story is about. */
export type StoryKind = 'cluster' | 'application';

const APPLICATION_FAILURE = 'ApplicationFailure';
/** LIMIT: workloads that a record names; the others are only counted. */
const NAMED = 1_000;

/** By kind, namespace and name of the template. LIMIT: the workloads of one cluster. */
export type Moves = ReadonlyMap<string, FailoverMove>;

export interface Observation {
  readonly kind: StoryKind;
  /** Undefined when it is gone. */
  readonly cluster: Cluster | undefined;
  /** Bindings that target the cluster, that leave it, or that did when last looked at. */
  readonly bindings: readonly Binding[];
  readonly now: string;
}

/** Whether there is a story to tell. */
export function isUnderWay(name: string, { kind, cluster, bindings }: Observation): boolean {
  const leaving = bindings.some((binding) => taskOf(binding, name, kind) !== undefined);
  if (kind === 'application' || cluster === undefined) return leaving;
  return leaving || isLost(cluster) || noExecuteTaints(cluster.spec.taints).length > 0;
}

export function causeOf({ kind, cluster }: Observation): FailoverCause {
  if (kind === 'application') return 'ApplicationFailure';
  return cluster !== undefined && (isLost(cluster) || isGivenUp(cluster.spec.taints))
    ? 'ClusterLost'
    : 'ClusterTainted';
}

function isLost({ status }: Cluster): boolean {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return ready !== undefined && ready.status !== 'True';
}

function taskOf(
  { spec }: Binding,
  cluster: string,
  kind: StoryKind,
): NonNullable<Binding['spec']['gracefulEvictionTasks']>[number] | undefined {
  const task = spec.gracefulEvictionTasks?.find(({ fromCluster }) => fromCluster === cluster);
  // What somebody takes back is no failover.
  if (task?.reason === ROLLED_BACK) return undefined;
  return task !== undefined && (task.reason === APPLICATION_FAILURE) === (kind === 'application')
    ? task
    : undefined;
}

export function moveKey({ spec }: Binding): string {
  const { kind, namespace = '', name } = spec.resource;
  return `${kind}/${namespace}/${name}`;
}

/** What has become of every workload concerned. */
export function followMoves(before: Moves, name: string, seen: Observation): Moves {
  const { kind, cluster, bindings, now } = seen;
  const present = new Map(bindings.map((binding) => [moveKey(binding), binding]));
  const doubted = kind === 'cluster' && noExecuteTaints(cluster?.spec.taints).length > 0;
  const moves = new Map<string, FailoverMove>();
  for (const [key, move] of before) {
    const binding = present.get(key);
    moves.set(
      key,
      isOver(move)
        ? move
        : binding === undefined
          ? over(move, 'Ended', now)
          : settle(move, binding, name, kind, now),
    );
  }
  for (const [key, binding] of present) {
    const task = taskOf(binding, name, kind);
    const held = heldText(binding);
    const stays = doubted && held !== undefined && targets(binding).includes(name);
    if (task === undefined && !stays) continue;
    const { resource } = binding.spec;
    moves.set(key, {
      kind: resource.kind,
      name: resource.name,
      ...(resource.namespace === undefined ? {} : { namespace: resource.namespace }),
      state: held === undefined ? 'Moving' : 'Held',
      ...(targets(binding).length === 0 || task === undefined ? {} : { to: targets(binding) }),
      ...(task?.purgeMode === undefined ? {} : { purgeMode: task.purgeMode }),
      ...(task?.creationTimestamp === undefined ? {} : { evictedAt: task.creationTimestamp }),
      ...held,
    });
  }
  return moves;
}

function isOver({ state }: FailoverMove): boolean {
  return state !== 'Moving' && state !== 'Held';
}

function targets({ spec }: Binding): readonly string[] {
  return (spec.clusters ?? []).map(({ name }) => name);
}

function heldText({ status }: Binding): Pick<FailoverMove, 'reason' | 'message'> | undefined {
  const held = status?.conditions?.find(({ type }) => type === EVICTION_HELD_CONDITION);
  return held?.status === 'True' ? { reason: held.reason, message: held.message } : undefined;
}

/** One that was under way, and is no longer when its task is gone. */
function settle(
  move: FailoverMove,
  binding: Binding,
  from: string,
  kind: StoryKind,
  now: string,
): FailoverMove {
  if (taskOf(binding, from, kind) !== undefined) return move;
  const to = targets(binding);
  if (to.includes(from)) return over(move, 'Returned', now);
  const replaced = to.length > 0 && to.every((name) => healthIn(binding.status, name) === 'Healthy');
  return { ...over(move, replaced ? 'Moved' : 'Ended', now), ...(to.length === 0 ? {} : { to }) };
}

function over(move: FailoverMove, state: FailoverMove['state'], now: string): FailoverMove {
  return { ...move, state, endedAt: now };
}

/** The status of the record as it ought to be. */
export function tellStory(before: Status | undefined, name: string, moves: Moves, seen: Observation): Status {
  const all = [...moves.values()];
  const held = all.filter(({ state }) => state === 'Held').length;
  const moved = all.filter(({ state }) => state === 'Moved').length;
  const settled = all.every(isOver);
  const over = settled && !isUnderWay(name, seen);
  const lasting = all.filter(({ state }) => state !== 'Returned').length;
  const outcome = !settled
    ? 'Running'
    : all.length === 0
      ? over
        ? 'Recovered'
        : 'Running'
      : moved === lasting
        ? lasting === 0
          ? 'Recovered'
          : 'Moved'
        : 'PartlyMoved';
  return {
    outcome,
    phases: phasesOf(before?.phases ?? [], all, settled, seen),
    total: all.length,
    moved,
    held,
    ...(all.length === 0 ? {} : { workloads: all.slice(0, NAMED) }),
    ...(over ? { finishTime: before?.finishTime ?? seen.now } : {}),
  };
}

function phasesOf(
  before: readonly Phase[],
  moves: readonly FailoverMove[],
  settled: boolean,
  { kind, cluster, now }: Observation,
): readonly Phase[] {
  const found = new Map(before.map((phase) => [phase.phase, phase]));
  const begin = (phase: Phase['phase'], time: string, evidence?: string): void => {
    if (!found.has(phase)) found.set(phase, { phase, time, ...(evidence === undefined ? {} : { evidence }) });
  };
  if (kind === 'cluster' && cluster !== undefined) {
    const ready = cluster.status?.conditions?.find(({ type }) => type === 'Ready');
    const taints = noExecuteTaints(cluster.spec.taints);
    if (ready !== undefined && ready.status !== 'True')
      begin('Lost', ready.lastTransitionTime, `${ready.reason}: ${ready.message}`);
    else if (found.has('Lost') && ready !== undefined)
      begin('Recovered', ready.lastTransitionTime, `${ready.reason}: ${ready.message}`);
    if (taints.length > 0) begin('Tainted', earliest(taints, now), taints.map(taintText).join(', '));
    else if (found.has('Tainted')) begin('Untainted', now);
  }
  const evicted = moves.flatMap(({ evictedAt }) => (evictedAt === undefined ? [] : [evictedAt])).sort();
  if (evicted[0] !== undefined) begin('Evicting', evicted[0]);
  if (evicted.length > 0 && settled) begin('Moved', now);
  return [...found.values()].sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
}

function earliest(taints: readonly Taint[], otherwise: string): string {
  return (
    taints.flatMap(({ timeAdded }) => (timeAdded === undefined ? [] : [timeAdded])).sort()[0] ?? otherwise
  );
}

function taintText({ key, value, effect }: Taint): string {
  return `${key}${value === undefined || value === '' ? '' : `=${value}`}:${effect}`;
}

/** Which records go, so that no more than `limit` stay: the oldest finished ones. */
export function surplusRecords(records: readonly FailoverRecord[], limit: number): readonly FailoverRecord[] {
  const surplus = records.length - limit;
  if (surplus <= 0) return [];
  const finished = records.filter(({ status }) => status?.finishTime !== undefined);
  const time = ({ status }: FailoverRecord): string => status?.finishTime ?? '';
  return finished.sort((a, b) => (time(a) < time(b) ? -1 : time(a) > time(b) ? 1 : 0)).slice(0, surplus);
}
