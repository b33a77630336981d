// Which events wake the fencing agent, and what it remembers of leases.
import { FENCE_LABEL, type Lease } from '../../api/index.ts';
import { keyOf } from '../../client/index.ts';
import { informerSource } from '../../runtime/index.ts';
import { runLoop, type LoopContext } from '../loop.ts';
import { decideFencedPod, goodUntilMs, type FencedPod, type SeenLease } from './fence.ts';

/** Runs until the signal aborts. */
export function runFencingAgent(context: LoopContext): Promise<void> {
  const { caches, clock } = context;
  const { fenceLeases, pods } = caches;
  // LIMIT: one for each lease there is.
  const seen = new Map<string, SeenLease>();
  const note = (lease: Lease): void => {
    const { renewTime = '', leaseDurationSeconds = 0 } = lease.spec ?? {};
    const known = seen.get(keyOf(lease));
    if (known?.renewTime === renewTime && known.durationMs === leaseDurationSeconds * 1000) return;
    seen.set(keyOf(lease), { renewTime, seenMs: clock.now(), durationMs: leaseDurationSeconds * 1000 });
  };
  const stop = fenceLeases.subscribe({
    added: note,
    updated: (_before, after) => note(after),
    deleted: (lease) => seen.delete(keyOf(lease)),
  });
  context.signal.addEventListener('abort', stop, { once: true });
  const podsOf = ({ metadata }: Lease): string[] =>
    pods.store
      .list(metadata.namespace ?? '')
      .filter((pod) => pod.metadata.labels?.[FENCE_LABEL] === metadata.name)
      .map(keyOf);
  return runLoop<FencedPod>(
    {
      name: 'fencing-agent',
      sources: [
        informerSource(pods, { filter: ({ metadata }) => metadata.labels?.[FENCE_LABEL] !== undefined }),
        informerSource(fenceLeases, { map: podsOf }),
      ],
      gather(key, nowMs) {
        const pod = pods.store.get(key);
        const lease = pod?.metadata.labels?.[FENCE_LABEL];
        if (pod === undefined || lease === undefined) return undefined;
        return { pod, goodUntilMs: goodUntilMs(seen.get(`${pod.metadata.namespace}/${lease}`)), nowMs };
      },
      decide: decideFencedPod,
    },
    context,
  );
}
