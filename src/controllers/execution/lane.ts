// The lane of one member: its queue, its workers, and what a reconcile of one of its Works does.
import {
  CONTESTED_CONDITION,
  EXECUTION_FINALIZER,
  HOLD_REMOVAL_ANNOTATION,
  LEAVE_OBJECTS_ANNOTATION,
  executionNamespace,
  type Cluster,
  type KubeObject,
  type Work,
} from '../../api/index.ts';
import { errorMessage, formatTime } from '../../base/index.ts';
import { isNotFound, keyOf, kinds } from '../../client/index.ts';
import { isSuspendedCluster, suspensionNote } from '../../fleet/index.ts';
import { hasFinalizer, isBeingDeleted, parseTime, withoutFinalizer } from '../../machinery/index.ts';
import {
  appliedCondition,
  calmInMs,
  contestedCondition,
  decideRemoval,
  dispatchingCondition,
  fightToldBy,
  isDrift,
  isFought,
  suspensionText,
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
import { isLeftBehind } from '../cluster-removal.ts';
import type { ControllerContext } from '../context.ts';
import type { MemberConnection } from '../member-connections.ts';
import { isReady } from '../readiness.ts';
import { reflect, ReflectionError } from '../reflection.ts';
import { WorkObjects } from '../work-objects.ts';
import { ExecutionEvents } from './events.ts';
import { MemberWriter, type Applied } from './member-writer.ts';

// A member that is not ready is looked at again by the event of its recovery; this only guards against a lost one.
const NOT_READY_RECHECK_MS = 30_000;

// The end of a hold brings its own event; this only guards against a lost one.
const HELD_RECHECK_MS = 30_000;

// For taints to go and the scheduler to look again; both take milliseconds.
const RETURN_MS = 5_000;

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
  private readonly events: ExecutionEvents;
  private reached: Reached | undefined;
  /** When the member was last seen to come back; a start counts as that. */
  private returnedAtMs: number;

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
    this.returnedAtMs = context.clock.now();
    this.events = new ExecutionEvents(context.recorder, cluster);
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

  /** The member came back, or has gone: everything again. */
  readinessChanged(): void {
    this.returnedAtMs = this.context.clock.now();
    this.enqueueAll();
  }

  /** Everything again: the cluster was suspended, or is no longer. */
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
    const suspended = suspendedWhy(work, cluster, this.context.clock.now());
    if (suspended !== undefined) {
      await this.writeStatus(work, suspended, undefined, signal);
      return this.resumption(work, cluster);
    }
    if (!isReady(cluster)) {
      await this.writeStatus(work, undefined, undefined, signal);
      return requeueAfter(NOT_READY_RECHECK_MS, 'the cluster is not ready');
    }
    return this.apply(work, this.reach(cluster), signal);
  }

  /** A suspended cluster goes on by itself when its time is over; nobody has to tell. */
  private resumption(work: Work, cluster: Cluster): Outcome {
    const { until } = suspensionNote(cluster);
    const untilMs = parseTime(until ?? '');
    if (work.spec.suspendDispatching === true || untilMs === undefined) return done;
    return requeueAfter(
      Math.max(untilMs - this.context.clock.now(), 0),
      'the cluster is suspended until then',
    );
  }

  private async apply(work: Work, { writer }: Reached, signal: AbortSignal): Promise<Outcome> {
    const applied = this.context.dispatch.applyingWork();
    const manifests = manifestsOf(work);
    const errors: unknown[] = [];
    const results: Applied[] = [];
    for (const manifest of manifests) {
      this.resume(work, manifest, writer);
      try {
        const result = await writer.apply(manifest, signal);
        results.push(result);
        // What was there already is no news.
        if (result.written) this.events.applied(manifest);
      } catch (error) {
        if (signal.aborted) throw error;
        this.events.applied(manifest, error);
        errors.push(error);
      }
    }
    await this.writeStatus(work, undefined, { manifests, errors: errors.map(errorMessage), results }, signal);
    applied(errors.length === 0);
    if (errors.length > 0 || results.some(({ written }) => written)) this.events.synced(work, errors);
    if (errors.length > 0) return retry(errors[0]);
    return this.next(results);
  }

  /** What was contested before this process is so still, unless what the Work says has changed since. */
  private resume({ status, metadata }: Work, manifest: KubeObject, writer: MemberWriter): void {
    const condition = status?.conditions?.find(({ type }) => type === CONTESTED_CONDITION);
    if (condition === undefined || condition.observedGeneration !== metadata.generation) return;
    const fight = fightToldBy(condition, manifest, this.context.clock.now());
    if (fight !== undefined) writer.resume(manifest, fight);
  }

  /** When to look again, if no event does it: a correction that waits, or a fight that may be over. */
  private next(results: readonly Applied[]): Outcome {
    const nowMs = this.context.clock.now();
    const waits = results.filter(({ waitMs }) => waitMs > 0).map(({ waitMs }) => waitMs);
    if (waits.length > 0) return requeueAfter(Math.min(...waits), 'somebody undoes what is written');
    const fought = results.flatMap(({ fight }) => (isFought(fight, nowMs) ? [calmInMs(fight, nowMs)] : []));
    return fought.length === 0 ? done : requeueAfter(Math.min(...fought), 'looking whether it is over');
  }

  /** Whether somebody else undoes what this Work writes; nothing, while nobody ever did. */
  private contested(
    { status, metadata }: Work,
    manifests: readonly KubeObject[],
    results: readonly Applied[],
  ): ReturnType<typeof contestedCondition> | undefined {
    const nowMs = this.context.clock.now();
    const fought = results.flatMap(({ fight }, i) =>
      isFought(fight, nowMs) ? [{ manifest: manifests[i] as KubeObject, fight }] : [],
    );
    const known = status?.conditions?.some(({ type }) => type === CONTESTED_CONDITION) === true;
    if (fought.length === 0 && !known) return undefined;
    const { generation } = metadata;
    const condition = contestedCondition(fought, this.cluster);
    return generation === undefined ? condition : { ...condition, observedGeneration: generation };
  }

  /** One write for conditions and first statuses together. */
  private async writeStatus(
    work: Work,
    suspended: string | undefined,
    applied:
      | {
          readonly manifests: readonly KubeObject[];
          readonly errors: readonly string[];
          readonly results: readonly Applied[];
        }
      | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { hubClient, clock } = this.context;
    const now = formatTime(clock.now());
    const before = work.status ?? {};
    let conditions = withCondition(
      before.conditions,
      dispatchingCondition(suspended !== undefined, suspended),
      now,
    );
    let manifestStatuses = before.manifestStatuses;
    if (applied !== undefined) {
      conditions = withCondition(conditions, appliedCondition(applied.manifests.length, applied.errors), now);
      // The answer of a write shows the object as it is now: its status need not wait for the watch to bring it back.
      const object = applied.results[0]?.object;
      if (applied.errors.length === 0) {
        const contested = this.contested(work, applied.manifests, applied.results);
        if (contested !== undefined) conditions = withCondition(conditions, contested, now);
        if (object !== undefined) manifestStatuses = (await this.reflected(work, object)) ?? manifestStatuses;
      }
    }
    if (conditions === before.conditions && manifestStatuses === before.manifestStatuses) return;
    this.events.turned(work, before.conditions ?? [], conditions);
    const status = { ...before, conditions, ...(manifestStatuses === undefined ? {} : { manifestStatuses }) };
    try {
      await hubClient.updateStatus(kinds.works, { ...work, status }, { signal });
    } catch (error) {
      // The Work has gone meanwhile, and nobody asks any more.
      if (!isNotFound(error)) throw error;
    }
  }

  /** What cannot be interpreted now is tried again when the watch has brought it. */
  private async reflected(work: Work, object: KubeObject): ReturnType<typeof reflect> {
    try {
      return await reflect(this.context.interpreter, work, object, this.context.recorder);
    } catch (error) {
      if (error instanceof ReflectionError) return undefined;
      throw error;
    }
  }

  private async remove(work: Work, cluster: Cluster | undefined, signal: AbortSignal): Promise<Outcome> {
    if (!hasFinalizer(work, EXECUTION_FINALIZER)) return done;
    const reachable = cluster !== undefined && isReady(cluster) && !isLeftBehind(cluster);
    const left = work.metadata.annotations?.[LEAVE_OBJECTS_ANNOTATION] === 'true';
    if (left) {
      // Wanted here again: the next Work takes over what is there.
    } else if (reachable) {
      const waitMs = this.stillReturningMs(work);
      if (waitMs > 0)
        return requeueAfter(waitMs, 'what is wanted in a cluster that came back is decided first');
      if (this.isHeld(work, cluster))
        return requeueAfter(HELD_RECHECK_MS, 'what is in its place is not healthy');
      if (!(await this.removeObjects(work, cluster, signal)))
        return requeueAfter(STILL_THERE_RECHECK_MS, 'what must run at most once is still there');
    } else if (cluster !== undefined && !isBeingDeleted(cluster)) {
      return requeueAfter(NOT_READY_RECHECK_MS, 'the cluster is not ready');
    }
    await this.context.hubClient.update(kinds.works, withoutFinalizer(work, EXECUTION_FINALIZER), { signal });
    return done;
  }

  /** Resolves with whether nothing of it has to be waited for. */
  private async removeObjects(work: Work, cluster: Cluster, signal: AbortSignal): Promise<boolean> {
    const { writer } = this.reach(cluster);
    let gone = true;
    for (const manifest of manifestsOf(work)) {
      const { how, cause, marks } = decideRemoval(work, manifest, isBeingDeleted(cluster));
      if (how === 'Leave') continue;
      if (how === 'Preserve') await writer.release(manifest, marks ? cause : undefined, signal);
      else if (!(await writer.remove(manifest, how === 'DeleteImmediately', signal))) gone = false;
    }
    return gone;
  }

  /** A hold that comes when the removal may have begun is too late; one that ends brings the Work back. */
  private isHeld({ metadata }: Work, cluster: Cluster): boolean {
    const askedMs = parseTime(metadata.deletionTimestamp ?? '') ?? 0;
    return (
      metadata.annotations?.[HOLD_REMOVAL_ANNOTATION] === 'true' &&
      askedMs < this.returnedAtMs &&
      !isBeingDeleted(cluster)
    );
  }

  /**
   * How long what was to go while the member was away has to wait: what is there may be wanted again, now that it is back,
   * and then binding controllers say so on the Work. A clock that was set back makes nobody wait for longer.
   */
  private stillReturningMs({ metadata }: Work): number {
    const askedMs = parseTime(metadata.deletionTimestamp ?? '') ?? 0;
    const sinceMs = this.context.clock.now() - this.returnedAtMs;
    return askedMs >= this.returnedAtMs || sinceMs < 0 ? 0 : RETURN_MS - sinceMs;
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
        if (isDrift(before, after)) this.seen(key, after, writer);
      },
      vanished: (key) => this.queue.add(key),
    });
    this.reached = { connection, objects, writer };
    return this.reached;
  }

  /** Drift: something other than our own last write is there now. */
  private seen(key: string, object: KubeObject, writer: MemberWriter): void {
    writer.judge(object, () => this.queue.add(key));
  }
}

/** In which way nothing may be written for the Work now; undefined: it may. */
function suspendedWhy(work: Work, cluster: Cluster, nowMs: number): string | undefined {
  if (work.spec.suspendDispatching === true) return 'Work dispatching is in a suspended state.';
  if (!isSuspendedCluster(cluster, nowMs)) return undefined;
  return `Cluster ${cluster.metadata.name} is ${suspensionText(cluster)}.`;
}

function manifestsOf(work: Work): readonly KubeObject[] {
  return (work.spec.workload?.manifests ?? []) as unknown as readonly KubeObject[];
}
