// The lane of one member: its queue, its workers, and what a reconcile of one of its Works does.
import {
  EXECUTION_FINALIZER,
  LEAVE_OBJECTS_ANNOTATION,
  executionNamespace,
  type Cluster,
  type KubeObject,
  type Work,
} from '../../api/index.ts';
import { errorMessage, formatTime } from '../../base/index.ts';
import { isNotFound, keyOf, kinds } from '../../client/index.ts';
import { hasFinalizer, isBeingDeleted, withoutFinalizer } from '../../machinery/index.ts';
import {
  appliedCondition,
  dispatchingCondition,
  isSignificantUpdate,
  withCondition,
} from '../../propagation/index.ts';
import {
  PRIORITY_CHANGE,
  PRIORITY_RESYNC,
  WorkQueue,
  done,
  requeueAfter,
  retry,
  runController,
  type Informer,
  type Outcome,
} from '../../runtime/index.ts';
import type { ControllerContext } from '../context.ts';
import type { MemberConnection } from '../member-connections.ts';
import { isReady } from '../readiness.ts';
import { reflect } from '../reflection.ts';
import { WorkObjects } from '../work-objects.ts';
import { MemberWriter } from './member-writer.ts';

// A member that is not ready is looked at again by the event of its recovery; this only guards against a lost one.
const NOT_READY_RECHECK_MS = 30_000;

// Its end brings no event of its own when nothing else waits for it.
const STILL_THERE_RECHECK_MS = 250;

interface Reached {
  readonly connection: MemberConnection;
  readonly objects: WorkObjects;
  readonly writer: MemberWriter;
}

export class ExecutionLane {
  readonly ended: Promise<void>;
  private readonly context: ControllerContext;
  private readonly cluster: string;
  private readonly works: Informer<Work>;
  private readonly clusters: Informer<Cluster>;
  private readonly queue: WorkQueue;
  private readonly abort = new AbortController();
  private reached: Reached | undefined;

  constructor(
    context: ControllerContext,
    cluster: string,
    works: Informer<Work>,
    clusters: Informer<Cluster>,
  ) {
    const { clock, logger, metrics, settings, signal } = context;
    this.context = context;
    this.cluster = cluster;
    this.works = works;
    this.clusters = clusters;
    this.queue = new WorkQueue({
      name: `execution-${cluster}`,
      clock,
      metrics,
      backoffBaseMs: settings.rateLimiterBaseDelayMs,
      backoffMaxMs: settings.rateLimiterMaxDelayMs,
    });
    this.ended = runController({
      name: 'execution-controller',
      sources: [],
      queue: this.queue,
      concurrency: settings.concurrentWorkSyncs,
      clock,
      logger: logger.with({ cluster }),
      metrics,
      signal: AbortSignal.any([signal, this.abort.signal]),
      reconcile: (key, { signal: reconcileSignal }) => this.reconcile(key, reconcileSignal),
    });
  }

  enqueue(work: Work, initial: boolean): void {
    this.queue.add(keyOf(work), { priority: initial ? PRIORITY_RESYNC : PRIORITY_CHANGE });
  }

  /** Everything again, e.g. after the member came back. */
  enqueueAll(): void {
    for (const work of this.works.store.list(executionNamespace(this.cluster))) this.enqueue(work, true);
  }

  forget(work: Work): void {
    this.reached?.writer.forget(work);
  }

  stop(): void {
    this.abort.abort(new Error(`cluster ${this.cluster} is gone`));
  }

  private async reconcile(key: string, signal: AbortSignal): Promise<Outcome> {
    const work = this.works.store.get(key);
    if (work === undefined) return done;
    const cluster = this.clusters.store.get(this.cluster);
    if (isBeingDeleted(work)) return this.remove(work, cluster, signal);
    if (cluster === undefined) return retry(new Error(`cluster ${this.cluster} does not exist`));
    const suspended = work.spec.suspendDispatching === true;
    if (suspended) {
      await this.writeStatus(work, suspended, undefined, signal);
      return done;
    }
    if (!isReady(cluster)) return requeueAfter(NOT_READY_RECHECK_MS, 'the cluster is not ready');
    return this.apply(work, this.reach(cluster), signal);
  }

  private async apply(work: Work, { writer }: Reached, signal: AbortSignal): Promise<Outcome> {
    const { recorder } = this.context;
    const manifests = manifestsOf(work);
    const errors: unknown[] = [];
    const shown: KubeObject[] = [];
    for (const manifest of manifests) {
      try {
        shown.push(await writer.apply(manifest, signal));
      } catch (error) {
        if (signal.aborted) throw error;
        errors.push(error);
      }
    }
    await this.writeStatus(work, false, { manifests, errors: errors.map(errorMessage), shown }, signal);
    if (errors.length === 0) {
      recorder.event(work, 'Normal', 'SyncSucceed', `Successfully applied to cluster ${this.cluster}`);
      return done;
    }
    recorder.event(work, 'Warning', 'SyncFailed', errors.map(errorMessage).join('; '));
    return retry(errors[0]);
  }

  /** One write for conditions and first statuses together. */
  private async writeStatus(
    work: Work,
    suspended: boolean,
    applied:
      | {
          readonly manifests: readonly KubeObject[];
          readonly errors: readonly string[];
          readonly shown: readonly KubeObject[];
        }
      | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { hubClient, clock, interpreter } = this.context;
    const now = formatTime(clock.now());
    const before = work.status ?? {};
    let conditions = withCondition(before.conditions, dispatchingCondition(suspended), now);
    let manifestStatuses = before.manifestStatuses;
    if (applied !== undefined) {
      conditions = withCondition(conditions, appliedCondition(applied.manifests.length, applied.errors), now);
      // The answer of a write shows the object as it is now: its status need not wait for the watch to bring it back.
      const [object] = applied.shown;
      if (applied.errors.length === 0 && object !== undefined) {
        manifestStatuses =
          (await reflect(interpreter, work, object, this.context.recorder)) ?? manifestStatuses;
      }
    }
    if (conditions === before.conditions && manifestStatuses === before.manifestStatuses) return;
    const status = { ...before, conditions, ...(manifestStatuses === undefined ? {} : { manifestStatuses }) };
    try {
      await hubClient.updateStatus(kinds.works, { ...work, status }, { signal });
    } catch (error) {
      // The Work has gone meanwhile, and nobody asks any more.
      if (!isNotFound(error)) throw error;
    }
  }

  private async remove(work: Work, cluster: Cluster | undefined, signal: AbortSignal): Promise<Outcome> {
    if (!hasFinalizer(work, EXECUTION_FINALIZER)) return done;
    const reachable = cluster !== undefined && isReady(cluster);
    const left = work.metadata.annotations?.[LEAVE_OBJECTS_ANNOTATION] === 'true';
    if (left) {
      // Wanted here again: the next Work takes over what is there.
    } else if (reachable) {
      const { writer } = this.reach(cluster);
      const release = work.spec.preserveResourcesOnDeletion === true;
      let gone = true;
      for (const manifest of manifestsOf(work)) {
        if (release) await writer.release(manifest, signal);
        else if (!(await writer.remove(manifest, signal))) gone = false;
      }
      if (!gone) return requeueAfter(STILL_THERE_RECHECK_MS, 'what must run at most once is still there');
    } else if (cluster !== undefined && !isBeingDeleted(cluster)) {
      return requeueAfter(NOT_READY_RECHECK_MS, 'the cluster is not ready');
    }
    await this.context.hubClient.update(kinds.works, withoutFinalizer(work, EXECUTION_FINALIZER), { signal });
    return done;
  }

  /** The member, through the connection of now; what was known through an older one is void. */
  private reach(cluster: Cluster): Reached {
    const { members } = this.context;
    const connection = members.connect(cluster);
    if (this.reached?.connection === connection) return this.reached;
    const objects = WorkObjects.of(connection);
    const writer = new MemberWriter(this.context, connection, objects);
    objects.listen({
      appeared: (key, object) => this.seen(key, object, writer),
      changed: (key, before, after) => {
        if (isSignificantUpdate(before, after)) this.seen(key, after, writer);
      },
      vanished: (key) => this.queue.add(key),
    });
    this.reached = { connection, objects, writer };
    return this.reached;
  }

  /** Drift: something other than our own last write is there now. */
  private seen(key: string, object: KubeObject, writer: MemberWriter): void {
    if (!writer.isOwnWrite(object)) this.queue.add(key);
  }
}

function manifestsOf(work: Work): readonly KubeObject[] {
  return (work.spec.workload?.manifests ?? []) as unknown as readonly KubeObject[];
}
