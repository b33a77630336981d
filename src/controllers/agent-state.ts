// related state in a pull member: the agent looks for what the hub asks on a Work, and says on the Work what it found.
// Reads: Works, related objects in the member. Writes: an annotation of Works.
// INVARIANT: what was found is not taken back because it cannot be read for a while.
import { STATE_ASKED_ANNOTATION, STATE_FOUND_ANNOTATION, type KubeObject, type Work } from '../api/index.ts';
import { assert, errorMessage } from '../base/index.ts';
import { isForbidden, isNotFound, keyOf, kinds } from '../client/index.ts';
import { answerTo, findPieces, parseAnswer, parseQuestion } from '../failover/index.ts';
import { deepEqual, isBeingDeleted } from '../machinery/index.ts';
import { WorkQueue, done, informerSource, runController, type Outcome } from '../runtime/index.ts';
import { worksInCharge } from './charge.ts';
import type { Controller } from './context.ts';
import { RelatedKinds } from './related-kinds.ts';

/** Switched on and off together with the controller that reports the status of the same objects. */
export const agentState: Controller = {
  name: 'workStatus',
  async run(context) {
    const { charge, informers, members, hubClient, clock, logger, metrics, signal, settings } = context;
    assert(charge.role === 'agent', 'the hub itself looks into its push members');
    const works = informers.informer(kinds.works, worksInCharge(charge));
    const clusters = informers.informer(kinds.clusters);
    // A Work that is looked at before its cluster is known would not be looked at again.
    await clusters.synced;
    const queue = new WorkQueue({ name: 'agent-state', clock, metrics });
    const related = new RelatedKinds((namespace) => {
      for (const work of works.store.values()) {
        const concerned = namespace === undefined || workloadOf(work)?.metadata.namespace === namespace;
        if (concerned && askedOf(work) !== undefined) queue.add(keyOf(work));
      }
    });
    await runController({
      name: 'agent-state',
      queue,
      sources: [
        informerSource(works, {
          filter: (work) => askedOf(work) !== undefined,
          changed: (before, after) =>
            before.metadata.generation !== after.metadata.generation ||
            askedOf(before) !== askedOf(after) ||
            !deepEqual(before.status?.manifestStatuses, after.status?.manifestStatuses),
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
        if (work === undefined || cluster === undefined || isBeingDeleted(work)) return done;
        const question = parseQuestion(askedOf(work));
        const workload = workloadOf(work);
        if (question === undefined || workload === undefined) return done;
        const { namespace = '' } = workload.metadata;
        const read = await related.follow(members.connect(cluster), question.pieces);
        const said = work.metadata.annotations?.[STATE_FOUND_ANNOTATION];
        if (!read.complete && parseAnswer(said, question) !== undefined) return done;
        const found = findPieces(question.pieces, workload, (apiVersion, kind) =>
          read.objects(apiVersion, kind, namespace),
        );
        const answer = answerTo(question, found);
        return answer === said ? done : tell(work, answer, reconcileSignal);
      },
    });

    /** COMPAT: by an update, for upstream's agents may not patch Works. */
    async function tell(work: Work, answer: string, inTime: AbortSignal): Promise<Outcome> {
      const annotations = { ...work.metadata.annotations, [STATE_FOUND_ANNOTATION]: answer };
      try {
        await hubClient.update(
          kinds.works,
          { ...work, metadata: { ...work.metadata, annotations } },
          { signal: inTime },
        );
      } catch (error) {
        if (!isForbidden(error) && !isNotFound(error)) throw error;
        // The hub says in the WorkloadState that it has no answer.
        if (isForbidden(error))
          logger.warn('The hub does not let this agent say which state it found; let it update Works', {
            work: keyOf(work),
            error: errorMessage(error),
          });
      }
      return done;
    }
  },
};

function askedOf({ metadata }: Work): string | undefined {
  return metadata.annotations?.[STATE_ASKED_ANNOTATION];
}

/** As it was sent, with the status that the copy reported last. */
function workloadOf({ spec, status }: Work): KubeObject | undefined {
  const [manifest] = (spec.workload?.manifests ?? []) as unknown as readonly KubeObject[];
  const reported = status?.manifestStatuses?.[0]?.status;
  return manifest === undefined || reported === undefined ? manifest : { ...manifest, status: reported };
}
