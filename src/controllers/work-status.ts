// work-status-controller: carries what members report of their objects into the status of Works.
// Reads: Work, our objects in members (from the caches that execution fills). Writes: Work status.
// INVARIANT: never writes to a member, and waits for none: a silent member only leaves its last status in place.
import { APPLIED_CONDITION, clusterOfExecutionNamespace, type KubeObject, type Work } from '../api/index.ts';
import { kinds } from '../client/index.ts';
import { deepEqual, isBeingDeleted } from '../machinery/index.ts';
import {
  PRIORITY_CHANGE,
  PRIORITY_RESYNC,
  WorkQueue,
  done,
  informerSource,
  retry,
  runController,
  type Outcome,
} from '../runtime/index.ts';
import { isInCharge, worksInCharge } from './charge.ts';
import type { Controller, ControllerContext } from './context.ts';
import type { MemberConnection } from './member-connections.ts';
import { reflect } from './reflection.ts';
import { isReady } from './readiness.ts';
import { WorkObjects } from './work-objects.ts';

const NAME = 'work-status-controller';

export const workStatusController: Controller = {
  name: 'workStatus',
  async run(context) {
    const { informers, members, clock, logger, metrics, signal, settings, charge } = context;
    const works = informers.informer(kinds.works, worksInCharge(charge));
    const clusters = informers.informer(kinds.clusters);
    const queue = new WorkQueue({ name: 'work-status', clock, metrics });
    /** The last state of each Work's object that a watch brought, until it has been reflected. */
    const news = new Map<string, KubeObject>();
    const note = (key: string, object: KubeObject, initial: boolean): void => {
      news.set(key, object);
      // Until the Work is applied nothing is said about it, and that it is brings the key.
      const work = works.store.get(key);
      if (work !== undefined && !isApplied(work)) return;
      queue.add(key, { priority: initial ? PRIORITY_RESYNC : PRIORITY_CHANGE });
    };
    const connections = new Set<MemberConnection>();
    const listen = (connection: MemberConnection): void => {
      connections.add(connection);
      connection.signal.addEventListener('abort', () => connections.delete(connection), { once: true });
      WorkObjects.of(connection).listen({
        appeared: (key, object, initial) => note(key, object, initial),
        changed: (key, _before, after) => note(key, after, false),
        // The last status stays: execution makes the object anew, and that brings a new one.
        vanished: (key) => news.delete(key),
      });
    };
    members.onConnected.add(listen);
    const stopListening = context.interpretationChanges.listen((concerns) => {
      for (const connection of connections)
        WorkObjects.of(connection).each(concerns, (key, object) => note(key, object, true));
    });
    signal.addEventListener('abort', stopListening, { once: true });
    signal.addEventListener('abort', () => members.onConnected.delete(listen), { once: true });
    const told = { ...context, recorder: context.recorder.withComponent(NAME) };
    await runController({
      name: NAME,
      queue,
      // After a start of the hub, kinds are followed only once something asks for them.
      sources: [
        informerSource(works, {
          filter: (work) => isApplied(work) && !isBeingDeleted(work),
          changed: () => false,
        }),
      ],
      concurrency: settings.concurrentWorkSyncs,
      clock,
      logger,
      metrics,
      signal,
      reconcile: async (key, { signal: reconcileSignal }) => {
        const work = works.store.get(key);
        if (work === undefined || isBeingDeleted(work) || !isApplied(work)) return done;
        const cluster = clusters.store.get(clusterOfExecutionNamespace(work.metadata.namespace ?? '') ?? '');
        if (cluster === undefined || !isInCharge(charge, cluster) || !isReady(cluster)) return done;
        const object = news.get(key);
        if (object === undefined) return followKinds(work, members.connect(cluster));
        news.delete(key);
        return write(told, work, object, reconcileSignal, () => {
          if (!news.has(key)) news.set(key, object);
        });
      },
    });
  },
};

function isApplied(work: Work): boolean {
  return (
    work.status?.conditions?.some(({ type, status }) => type === APPLIED_CONDITION && status === 'True') ===
    true
  );
}

/** Their events, beginning with what is there, bring the key back. */
async function followKinds(work: Work, connection: MemberConnection): Promise<Outcome> {
  const manifests = (work.spec.workload?.manifests ?? []) as unknown as readonly KubeObject[];
  for (const manifest of manifests) {
    const resource = await connection.mapper.resourceForObject(manifest);
    if (resource !== undefined) WorkObjects.of(connection).follow(resource);
  }
  return done;
}

async function write(
  { hubClient, interpreter, recorder }: ControllerContext,
  work: Work,
  object: KubeObject,
  signal: AbortSignal,
  keep: () => void,
): Promise<Outcome> {
  try {
    const manifestStatuses = await reflect(interpreter, work, object, recorder);
    if (manifestStatuses === undefined) return done;
    if (deepEqual(manifestStatuses, work.status?.manifestStatuses)) return done;
    const status = { ...work.status, manifestStatuses };
    await hubClient.updateStatus(kinds.works, { ...work, status }, { signal });
    return done;
  } catch (error) {
    keep();
    return retry(error);
  }
}
