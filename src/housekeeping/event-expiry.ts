// Events are forgotten after an hour. Reads and deletes: events.
// INVARIANT: an event is deleted only in the version that was found to be old: one that repeats lives on.
import type { KubeObject } from '../api/index.ts';
import { isConflict, isNotFound } from '../client/index.ts';
import { act, done, informerSource, requeueAfter, runController, type Plan } from '../runtime/index.ts';
import { resources } from './kinds.ts';
import type { HousekeepingSettings } from './settings.ts';

/** COMPAT: kube-apiserver's --event-ttl. */
export const EVENT_TTL_MS = 3_600_000;
// Many events become old together; being late by this much lets them go in few rounds.
const SLACK_MS = 30_000;

interface Event extends KubeObject {
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
  readonly series?: { readonly lastObservedTime?: string };
}

/** When the event last happened, in milliseconds since the Unix epoch. */
export function lastSeenMs(event: Event): number {
  const times = [
    event.lastTimestamp,
    event.eventTime,
    event.series?.lastObservedTime,
    event.metadata.creationTimestamp,
  ];
  return Math.max(0, ...times.map((time) => Date.parse(time ?? '')).filter((time) => !Number.isNaN(time)));
}

export function decideEvent(event: Event, nowMs: number): Plan {
  const leftMs = lastSeenMs(event) + EVENT_TTL_MS - nowMs;
  if (leftMs > 0) return { requeue: { afterMs: leftMs + SLACK_MS, reason: 'not old yet' } };
  const { name = '', namespace, uid = '', resourceVersion = '' } = event.metadata;
  return {
    writes: [
      {
        verb: 'delete',
        resource: resources.events,
        key: { name, namespace },
        preconditions: { uid, resourceVersion },
      },
    ],
  };
}

export async function runEventExpiry(settings: HousekeepingSettings): Promise<void> {
  const { client, informers, clock } = settings;
  const events = informers.informer(resources.events);
  await runController({
    ...settings,
    name: 'event-expiry',
    concurrency: 4,
    sources: [informerSource(events, { changed: () => false })],
    async reconcile(key, { signal }) {
      const event = events.store.get(key);
      if (event === undefined) return done;
      try {
        return await act(decideEvent(event, clock.now()), { client, signal });
      } catch (error) {
        if (isNotFound(error)) return done;
        // It happened again just now.
        if (isConflict(error)) return requeueAfter(EVENT_TTL_MS, 'seen again');
        throw error;
      }
    },
  });
}
