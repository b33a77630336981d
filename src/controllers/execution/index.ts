// execution-controller: makes every member show what its Works say, and keeps it so. One lane per member, with its own
// queue and workers.
// Reads: Work, Cluster, the member's objects that carry our mark. Writes: objects in the member, Work status, the
// finalizer of Works.
// INVARIANT: an object of a member that is not ours is neither changed nor deleted (propagation/member-object.ts).
// INVARIANT: a Work's finalizer goes only when its objects are gone from the member, released there, or out of reach for
// good.
import { clusterOfExecutionNamespace, type Cluster, type Work } from '../../api/index.ts';
import { kinds } from '../../client/index.ts';
import { saysSuspended } from '../../fleet/index.ts';
import type { Informer } from '../../runtime/index.ts';
import { isInCharge, worksInCharge } from '../charge.ts';
import { isLeftBehind } from '../cluster-removal.ts';
import type { Controller, ControllerContext } from '../context.ts';
import { isReady } from '../readiness.ts';
import { ExecutionLane } from './lane.ts';

export const executionController: Controller = {
  name: 'execution',
  async run(context) {
    const { informers, signal, charge } = context;
    const works: Informer<Work> = informers.informer(kinds.works, worksInCharge(charge));
    const clusters: Informer<Cluster> = informers.informer(kinds.clusters);
    await Promise.all([works.synced, clusters.synced]);
    const lanes = new Lanes(context, works, clusters);
    const stopWorks = works.subscribe({
      added: (work, initial) => lanes.of(work)?.enqueue(work, initial),
      updated: (before, after) => {
        if (needsExecution(before, after)) lanes.of(after)?.enqueue(after, false);
      },
      deleted: (work) => lanes.of(work)?.forget(work),
    });
    const stopClusters = clusters.subscribe({
      updated: (before, after) => {
        if (isReady(before) !== isReady(after) || isLeftBehind(before) !== isLeftBehind(after))
          lanes.ofCluster(after.metadata.name ?? '')?.readinessChanged();
        else if (saysSuspended(before) !== saysSuspended(after))
          lanes.ofCluster(after.metadata.name ?? '')?.enqueueAll();
      },
      deleted: (cluster) => lanes.close(cluster.metadata.name ?? ''),
    });
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    stopWorks();
    stopClusters();
    await lanes.ended();
  },
};

/** What the Work asks for, or whether it is to go, has changed; its status does not count. */
function needsExecution(before: Work, after: Work): boolean {
  return (
    before.metadata.generation !== after.metadata.generation ||
    before.metadata.deletionTimestamp !== after.metadata.deletionTimestamp ||
    // One that is on its way out may be told to leave its objects.
    (after.metadata.deletionTimestamp !== undefined &&
      before.metadata.annotations !== after.metadata.annotations) ||
    before.metadata.uid !== after.metadata.uid
  );
}

class Lanes {
  private readonly context: ControllerContext;
  private readonly works: Informer<Work>;
  private readonly clusters: Informer<Cluster>;
  private readonly lanes = new Map<string, ExecutionLane>();

  constructor(context: ControllerContext, works: Informer<Work>, clusters: Informer<Cluster>) {
    this.context = context;
    this.works = works;
    this.clusters = clusters;
  }

  /** Undefined for Works that are somebody else's: of a member in other hands, or of no member. */
  of(work: Work): ExecutionLane | undefined {
    return this.ofCluster(clusterOfExecutionNamespace(work.metadata.namespace ?? '') ?? '');
  }

  ofCluster(name: string): ExecutionLane | undefined {
    const cluster = this.clusters.store.get(name);
    if (name === '' || (cluster !== undefined && !isInCharge(this.context.charge, cluster))) return undefined;
    let lane = this.lanes.get(name);
    if (lane === undefined) {
      lane = new ExecutionLane(this.context, name, this.works, this.clusters);
      this.lanes.set(name, lane);
    }
    return lane;
  }

  close(cluster: string): void {
    this.lanes.get(cluster)?.stop();
    this.lanes.delete(cluster);
  }

  async ended(): Promise<void> {
    await Promise.all([...this.lanes.values()].map((lane) => lane.ended));
  }
}
