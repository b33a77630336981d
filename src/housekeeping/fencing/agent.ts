// The fencing agent of a cluster: opens the gate of fenced pods while their lease is good and stops them when it is not. The
// control plane renews a lease as long as the workload may run here; a cluster that it cannot reach hears nothing more and
// stops the pods by itself.
// Reads: Leases and Pods with the label. Writes: Pods.
// INVARIANT: how long a lease is good is measured by timers, so a clock that is set back makes no pod run for longer.
import { FENCE_LABEL, type Lease } from '../../api/index.ts';
import { errorMessage, type Cancel, type Clock, type Logger } from '../../base/index.ts';
import { isNotFound, keyOf, resource, type Client } from '../../client/index.ts';
import {
  done,
  informerSource,
  requeueAfter,
  runController,
  type EventRecorder,
  type Informer,
} from '../../runtime/index.ts';
import { decideFencedPod, opened, type FencedPod, type LeaseState } from './pod.ts';
import { judgeRenewal, type SeenRenewals } from './renewal.ts';

export const fencedPods = resource<FencedPod>({
  group: '',
  version: 'v1',
  resource: 'pods',
  namespaced: true,
});
export const fenceLeases = resource<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  resource: 'leases',
  namespaced: true,
});

// LIMIT: pods being written at once.
const CONCURRENT = 16;
// While the API server is away a pod that must not run goes on; when it is back, no second is to be lost.
const STOP_AGAIN_MS = 500;

export interface FencingAgentOptions {
  readonly client: Client;
  /** At least those with the label. */
  readonly pods: Informer<FencedPod>;
  readonly leases: Informer<Lease>;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

interface Watched {
  seen: SeenRenewals;
  state: LeaseState;
  cancel: Cancel;
}

/** Runs until the signal aborts. */
export function runFencingAgent(options: FencingAgentOptions): Promise<void> {
  const { client, pods, leases, clock, logger, recorder, signal } = options;
  // LIMIT: one for each lease there is.
  const watched = new Map<string, Watched>();
  let wake: (key: string) => void = () => undefined;
  const wakePods = ({ namespace, name }: { readonly namespace?: string; readonly name?: string }): void => {
    for (const pod of pods.store.list(namespace ?? ''))
      if (pod.metadata.labels?.[FENCE_LABEL] === name) wake(keyOf(pod));
  };
  const note = (lease: Lease, initial: boolean): void => {
    const key = keyOf(lease);
    const before = watched.get(key);
    const { renewTime = '', leaseDurationSeconds = 0 } = lease.spec ?? {};
    const of = { durationMs: leaseDurationSeconds * 1000, seenMs: clock.now(), initial };
    const verdict = judgeRenewal(before?.seen, renewTime, of);
    if (verdict === undefined) return;
    before?.cancel();
    const { seen, startForMs, runForMs } = verdict;
    const now: Watched = {
      seen,
      state: { mayStart: startForMs > 0, mayRun: runForMs > 0 },
      cancel: clock.after(Math.max(startForMs, runForMs), () => {
        now.state = { mayStart: false, mayRun: false };
        wakePods(lease.metadata);
      }),
    };
    watched.set(key, now);
    wakePods(lease.metadata);
  };
  const stop = leases.subscribe({
    added: note,
    updated: (_before, after) => note(after, false),
    deleted(lease) {
      watched.get(keyOf(lease))?.cancel();
      watched.delete(keyOf(lease));
      wakePods(lease.metadata);
    },
  });
  signal.addEventListener('abort', stop, { once: true });
  return runController({
    name: 'fencing-agent',
    sources: [
      informerSource(pods, { filter: ({ metadata }) => metadata.labels?.[FENCE_LABEL] !== undefined }),
      {
        synced: leases.synced,
        start(enqueue) {
          wake = enqueue;
          return () => (wake = () => undefined);
        },
      },
    ],
    concurrency: CONCURRENT,
    clock,
    logger,
    signal,
    reconcile: async (key, { signal: callSignal }) => {
      const pod = pods.store.get(key);
      const lease = pod?.metadata.labels?.[FENCE_LABEL];
      if (pod === undefined || lease === undefined) return done;
      const { namespace, name = '', uid = '' } = pod.metadata;
      const verdict = decideFencedPod(pod, watched.get(`${namespace}/${lease}`)?.state);
      if (verdict === 'nothing') return done;
      try {
        if (verdict === 'open') await client.update(fencedPods, opened(pod), { signal: callSignal });
        else
          await client.delete(
            fencedPods,
            { namespace, name },
            { gracePeriodSeconds: 0, preconditions: { uid }, signal: callSignal },
          );
      } catch (error) {
        if (isNotFound(error)) return done;
        if (verdict === 'open') throw error;
        logger.warn('A fenced pod could not be stopped', { pod: key, error: errorMessage(error) });
        return requeueAfter(STOP_AGAIN_MS, 'a pod that must not run could not be stopped');
      }
      if (verdict === 'stop') {
        const message = 'The lease that fences this pod has run out; it must not run here.';
        recorder.event(pod, 'Warning', 'Fenced', message);
      }
      return done;
    },
  });
}
