// fencing in a pull member: the agent renews the leases of what must run at most once, for the hub cannot.
// Reads: Works. Writes: an annotation of Works, Leases in the member.
// INVARIANT: before each renewal the agent says on the Work that it will renew, and renews only if the hub has taken that and
// the Work is still wanted. So the hub knows a time after which no renewal comes, whatever becomes of the agent.
import {
  FENCE_LABEL,
  FENCE_LEASE_ANNOTATION,
  FENCE_RENEWED_ANNOTATION,
  type KubeObject,
  type Work,
} from '../api/index.ts';
import { assert, errorMessage, formatMicroTime } from '../base/index.ts';
import { isConflict, isNotFound, kinds } from '../client/index.ts';
import { renewEveryMs } from '../failover/index.ts';
import { isBeingDeleted } from '../machinery/index.ts';
import { isAtMostOnce } from '../propagation/index.ts';
import { done, informerSource, requeueAfter, runController } from '../runtime/index.ts';
import { worksInCharge } from './charge.ts';
import type { Controller } from './context.ts';
import { renewFenceLease } from './fence-lease.ts';

/** COMPAT: switched on and off together with the execution controller, which starts the copies. */
export const agentFencing: Controller = {
  name: 'execution',
  async run(context) {
    const { charge, informers, members, hubClient, clock, logger, metrics, signal, settings } = context;
    assert(charge.role === 'agent', 'the hub itself renews in its push members');
    const works = informers.informer(kinds.works, worksInCharge(charge));
    const clusters = informers.informer(kinds.clusters);
    // A Work that is looked at before its cluster is known would not be looked at again.
    await clusters.synced;
    await runController({
      name: 'agent-fencing',
      sources: [
        informerSource(works, {
          filter: (work) => fencesOf(work).length > 0,
          // Our own word on it is no news.
          changed: (before, after) =>
            before.metadata.generation !== after.metadata.generation ||
            before.metadata.deletionTimestamp !== after.metadata.deletionTimestamp ||
            leaseMsOf(before) !== leaseMsOf(after),
        }),
      ],
      concurrency: settings.concurrentWorkSyncs,
      clock,
      logger,
      metrics,
      signal,
      reconcile: async (key, { signal: reconcileSignal }) => {
        const work = works.store.get(key);
        const cluster = clusters.store.get(charge.cluster);
        const leaseMs = leaseMsOf(work);
        if (work === undefined || cluster === undefined || isBeingDeleted(work) || leaseMs === undefined)
          return done;
        const everyMs = renewEveryMs(leaseMs);
        const late = new AbortController();
        // From when we speak: the hub may hear at once.
        const cancel = clock.after(everyMs, () => late.abort(new Error('the lease was not renewed in time')));
        const inTime = AbortSignal.any([reconcileSignal, late.signal]);
        try {
          if (!(await announce(work, inTime))) return done;
          const { memberClient } = members.connect(cluster);
          for (const fence of fencesOf(work)) {
            const renewal = { ...fence, holder: charge.cluster, leaseMs };
            inTime.throwIfAborted();
            await renewFenceLease(memberClient, clock, renewal, inTime);
          }
        } catch (error) {
          if (isConflict(error)) throw error;
          if (isNotFound(error)) return done;
          logger.debug('A fencing lease could not be renewed', { work: key, error: errorMessage(error) });
        } finally {
          cancel();
        }
        return requeueAfter(everyMs, 'the lease is renewed');
      },
    });

    /** Whether the hub has heard, and still wants the Work. */
    async function announce({ metadata }: Work, inTime: AbortSignal): Promise<boolean> {
      const { namespace, name = '', uid } = metadata;
      const current = await hubClient.get(kinds.works, { namespace, name }, { signal: inTime });
      if (current.metadata.uid !== uid || isBeingDeleted(current)) return false;
      const annotations = {
        ...current.metadata.annotations,
        [FENCE_RENEWED_ANNOTATION]: formatMicroTime(clock.now()),
      };
      const told = await hubClient.update(
        kinds.works,
        { ...current, metadata: { ...current.metadata, annotations } },
        { signal: inTime },
      );
      return !isBeingDeleted(told);
    }
  },
};

/** As the hub counts; undefined: the hub does not fence here. */
function leaseMsOf(work: Work | undefined): number | undefined {
  const seconds = Number(work?.metadata.annotations?.[FENCE_LEASE_ANNOTATION]);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
}

function fencesOf({ spec }: Work): readonly { readonly namespace: string; readonly name: string }[] {
  const manifests = (spec.workload?.manifests ?? []) as unknown as readonly KubeObject[];
  return manifests.filter(isAtMostOnce).flatMap(({ metadata: { namespace = '', annotations } }) => {
    const name = annotations?.[FENCE_LABEL];
    return name === undefined ? [] : [{ namespace, name }];
  });
}
