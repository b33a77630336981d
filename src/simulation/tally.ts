// What has been counted since a world was built: how often bindings were taken off clusters, copies removed from members,
// and how many workloads had a place at the same time.
import { BINDINGS, addressOf, isManaged, type Binding } from './objects.ts';
import type { MirroredChange } from './mirror.ts';
import type { World } from './world.ts';

export class Tally {
  evictions = 0;
  removals = 0;
  /** The most at any time. */
  placedWorkloadsMax = 0;
  private readonly placed = new Set<string>();

  constructor(world: World) {
    world.observe({
      hubChanged: (change) => this.hubChanged(change),
      arriving: (member, request) => {
        const address = request.method === 'DELETE' ? addressOf(request) : undefined;
        if (address === undefined) return;
        const object = world.member(member).mirror.get(address.resource, address.namespace, address.name);
        if (object !== undefined && isManaged(object)) this.removals++;
      },
    });
  }

  get placedWorkloads(): number {
    return this.placed.size;
  }

  private hubChanged({ resource, before, after }: MirroredChange): void {
    if (!resource.startsWith('work.karmada.io/') || !resource.endsWith('bindings')) return;
    const tasks = (binding: Binding | undefined): readonly string[] =>
      (binding?.spec.gracefulEvictionTasks ?? []).map(({ fromCluster }) => fromCluster);
    const known = new Set(tasks(before as unknown as Binding | undefined));
    this.evictions += tasks(after as unknown as Binding | undefined).filter(
      (from) => !known.has(from),
    ).length;
    if (resource !== BINDINGS) return;
    const uid = (after ?? before)?.metadata.uid ?? '';
    const { spec } = (after ?? {}) as Partial<Binding>;
    if (spec?.resource.kind === 'Deployment' && (spec.clusters ?? []).length > 0) this.placed.add(uid);
    else this.placed.delete(uid);
    this.placedWorkloadsMax = Math.max(this.placedWorkloadsMax, this.placed.size);
  }
}
