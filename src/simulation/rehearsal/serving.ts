// How many replicas of each workload serve while a rehearsal runs: ready ones in clusters that people can reach. It is the
// difference between "was moved" and "was away for two minutes".
import {
  bindingsOf,
  findNamed,
  isHealthy,
  nameOf,
  readyReplicasOf,
  templateName,
  wantedReplicasOf,
} from '../objects.ts';
import type { KubeObject } from '../../api/index.ts';
import type { World } from '../world.ts';

export interface Served {
  readonly before: number;
  readonly least: number;
  /** For how long it was fewer than before, in all. */
  readonly shortMs: number;
}

interface Track {
  readonly byMember: Map<string, number>;
  before: number;
  least: number;
  shortMs: number;
  shortSinceMs: number | undefined;
}

export class Serving {
  private readonly world: World;
  private readonly away = new Set<string>();
  private readonly tracks = new Map<string, Track>();

  /** Counts from now on. */
  constructor(world: World) {
    this.world = world;
    for (const binding of bindingsOf(world.hubMirror)) {
      const name = templateName(binding);
      const byMember = new Map<string, number>();
      for (const { name: member, mirror } of world.members.values()) {
        const copy = findNamed(mirror, name);
        if (copy !== undefined) byMember.set(member, servingIn(copy));
      }
      const before = sum(byMember, this.away);
      this.tracks.set(name, { byMember, before, least: before, shortMs: 0, shortSinceMs: undefined });
    }
    world.observe({
      memberChanged: (member, { before, after }) => {
        const object = after ?? before;
        if (object === undefined) return;
        const track = this.tracks.get(nameOf(object));
        if (track === undefined) return;
        track.byMember.set(member, after === undefined ? 0 : servingIn(after));
        this.update(track);
      },
    });
  }

  /** Nobody reaches the member, or everybody does again. */
  setAway(member: string, isAway: boolean): void {
    if (isAway) this.away.add(member);
    else this.away.delete(member);
    for (const track of this.tracks.values()) this.update(track);
  }

  of(name: string): Served | undefined {
    const track = this.tracks.get(name);
    if (track === undefined) return undefined;
    const { before, least, shortMs, shortSinceMs } = track;
    const open = shortSinceMs === undefined ? 0 : this.world.clock.now() - shortSinceMs;
    return { before, least, shortMs: shortMs + open };
  }

  private update(track: Track): void {
    const now = sum(track.byMember, this.away);
    track.least = Math.min(track.least, now);
    if (now < track.before) {
      track.shortSinceMs ??= this.world.clock.now();
    } else if (track.shortSinceMs !== undefined) {
      track.shortMs += this.world.clock.now() - track.shortSinceMs;
      track.shortSinceMs = undefined;
    }
  }
}

/** Replicas that are ready; of what has none, one when it is healthy. */
function servingIn(copy: KubeObject): number {
  if (copy.kind === 'Deployment' || copy.kind === 'StatefulSet')
    return Math.min(readyReplicasOf(copy), wantedReplicasOf(copy));
  return isHealthy(copy) ? 1 : 0;
}

function sum(byMember: ReadonlyMap<string, number>, away: ReadonlySet<string>): number {
  let total = 0;
  for (const [member, count] of byMember) if (!away.has(member)) total += count;
  return total;
}
