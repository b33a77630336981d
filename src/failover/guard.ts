// What keeps a mistake from moving everything: the brake on evictions, and the refusal to give up clusters that flap or
// that seem lost together. When most of the fleet is gone, it is more likely we who are cut off.
// INVARIANT: a brake on the number of workloads holds until an operator releases it; one on the share of lost clusters
// ends with its cause.
import type { Cluster } from '../api/index.ts';
import { isBeingDeleted } from '../machinery/index.ts';
import { SUSPECT_CONDITION } from './suspicion.ts';
import { isGivenUp } from './taints.ts';
import { noExecuteTaints } from './toleration-clock.ts';

const MINUTE_SECONDS = 60;
/** Fewer lost clusters than this are never a mass. */
const LOST_AT_LEAST = 3;

export interface BrakeLimits {
  /** Workloads in a minute; 0: no limit. */
  readonly perMinute: number;
  /** Of all clusters; 0: no limit. */
  readonly fleetShare: number;
}

export interface Fleet {
  readonly clusters: number;
  readonly lost: number;
}

export interface BrakeState {
  /** How many evictions began in which second, oldest first. LIMIT: the seconds of the last minute. */
  readonly evictions: readonly (readonly [second: number, count: number])[];
  /** Since when evictions are held for their number. */
  readonly engagedSinceMs: number | undefined;
  /** An operator lets everything pass until then. */
  readonly releasedUntilMs: number;
}

export const brakeAtRest: BrakeState = { evictions: [], engagedSinceMs: undefined, releasedUntilMs: 0 };

/** A cluster that is not ready, or was given up. One that never reported was never there to be lost. */
function isLost({ spec, status }: Cluster): boolean {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return (ready !== undefined && ready.status !== 'True') || isGivenUp(spec.taints);
}

export function fleetOf(clusters: Iterable<Cluster>): Fleet {
  let count = 0;
  let lost = 0;
  for (const cluster of clusters) {
    if (isBeingDeleted(cluster)) continue;
    count++;
    if (isLost(cluster)) lost++;
  }
  return { clusters: count, lost };
}

/** Why no cluster is given up and nothing moves while so much of the fleet is lost; undefined when it may. */
export function fleetObstacle({ clusters, lost }: Fleet, { fleetShare }: BrakeLimits): string | undefined {
  if (fleetShare === 0 || lost < LOST_AT_LEAST || lost <= clusters * fleetShare) return undefined;
  return `${lost} of ${clusters} clusters are lost at once, more than a share of ${fleetShare}`;
}

export interface BrakeVerdict {
  readonly state: BrakeState;
  /** Why the eviction is held; undefined: it may go on, and has been counted. */
  readonly refusal: string | undefined;
}

/**
 * One eviction asks to pass.
 * @param fleet undefined: it does not matter, for somebody has said that the workload has to leave
 */
export function passBrake(
  state: BrakeState,
  fleet: Fleet | undefined,
  limits: BrakeLimits,
  nowMs: number,
): BrakeVerdict {
  if (nowMs < state.releasedUntilMs) return { state, refusal: undefined };
  const lost = fleet === undefined ? undefined : fleetObstacle(fleet, limits);
  if (lost !== undefined) return { state, refusal: lost };
  const { perMinute } = limits;
  if (perMinute === 0) return { state, refusal: undefined };
  if (state.engagedSinceMs !== undefined) return { state, refusal: brakeText(perMinute) };
  const second = Math.floor(nowMs / 1000);
  const recent = state.evictions.filter(([at]) => at > second - MINUTE_SECONDS);
  if (recent.reduce((sum, [, count]) => sum + count, 0) >= perMinute)
    return { state: { ...state, evictions: [], engagedSinceMs: nowMs }, refusal: brakeText(perMinute) };
  const last = recent.at(-1);
  const evictions: BrakeState['evictions'] =
    last?.[0] === second ? [...recent.slice(0, -1), [second, last[1] + 1]] : [...recent, [second, 1]];
  return { state: { ...state, evictions }, refusal: undefined };
}

function brakeText(perMinute: number): string {
  return `${perMinute} workloads were evicted within a minute, and nobody has released the brake`;
}

export function releaseBrake(state: BrakeState, untilMs: number): BrakeState {
  return {
    evictions: [],
    engagedSinceMs: undefined,
    releasedUntilMs: Math.max(state.releasedUntilMs, untilMs),
  };
}

/** Why the control plane does not give this cluster up by itself; undefined when it may. */
export function lossObstacle(cluster: Cluster, fleet: Fleet, limits: BrakeLimits): string | undefined {
  const { status } = cluster;
  const suspect = status?.conditions?.find(({ type }) => type === SUSPECT_CONDITION);
  if (suspect?.status === 'True') return `it is suspect: ${suspect.message}`;
  return fleetObstacle(fleet, limits);
}

/** Whether the cluster is left only because it is lost. A taint of another key is somebody's word, and is not doubted. */
export function isLeftAsLost(cluster: Cluster | undefined): boolean {
  const evicting = noExecuteTaints(cluster?.spec.taints);
  return evicting.length > 0 && evicting.every((taint) => isGivenUp([taint]));
}

/** Why what runs in this cluster stays although it was given up: it flaps. */
export function suspicionOf(cluster: Cluster | undefined): string | undefined {
  if (!isLeftAsLost(cluster)) return undefined;
  const suspect = cluster?.status?.conditions?.find(({ type }) => type === SUSPECT_CONDITION);
  return suspect?.status === 'True' ? suspect.message : undefined;
}
