// suspension controller: ends suspensions of policies, bindings and clusters when their time is over, and tells of every
// one that begins, changes or ends.
// Reads: policies, bindings, Clusters. Writes: their suspension, events.
// The end is a time on the object: a control plane that stood still while it passed ends the suspension when it starts.
import { formatTime, type Clock } from '../base/index.ts';
import { isNotFound, kinds, type Resource } from '../client/index.ts';
import { isSuspensionOver, suspensionHistory, suspensionNote, type SuspensionEvent } from '../fleet/index.ts';
import { isBeingDeleted, parseTime } from '../machinery/index.ts';
import {
  stoppedBy,
  stoppedText,
  withoutSuspension,
  type Stopped,
  type Suspendable,
} from '../propagation/index.ts';
import { done, informerSource, requeueAfter, runController, type Informer } from '../runtime/index.ts';
import type { Controller, ControllerContext } from './context.ts';

const SUSPENDABLE: readonly (readonly [name: string, resource: Resource<Suspendable>])[] = [
  ['policy', kinds.propagationPolicies],
  ['cluster-policy', kinds.clusterPropagationPolicies],
  ['binding', kinds.resourceBindings],
  ['cluster-binding', kinds.clusterResourceBindings],
  ['cluster', kinds.clusters],
];

const BY_SUSPENSION = 'suspended';

export const suspensionController: Controller = {
  name: 'suspension',
  async run(context) {
    const informers = SUSPENDABLE.map(
      ([name, resource]) =>
        [
          name,
          resource,
          context.informers.informer(resource, {
            indexes: { [BY_SUSPENSION]: (object) => (stoppedBy(object) === undefined ? [] : ['yes']) },
          }),
        ] as const,
    );
    observe(
      context,
      informers.map(([, , informer]) => informer),
    );
    await Promise.all(
      informers.map(([name, resource, informer]) => runFor(context, name, resource, informer)),
    );
  },
};

/** What is to be done about one object now. Pure. */
export function decideEnd(
  object: Suspendable,
  nowMs: number,
):
  | { readonly do: 'nothing' }
  | { readonly do: 'wait'; readonly forMs: number }
  | { readonly do: 'end'; readonly object: Suspendable } {
  const { until } = suspensionNote(object);
  const untilMs = parseTime(until ?? '');
  if (stoppedBy(object) === undefined || untilMs === undefined || isBeingDeleted(object))
    return { do: 'nothing' };
  if (!isSuspensionOver(until, nowMs)) return { do: 'wait', forMs: untilMs - nowMs };
  return { do: 'end', object: withoutSuspension(object) };
}

async function runFor(
  context: ControllerContext,
  name: string,
  resource: Resource<Suspendable>,
  informer: Informer<Suspendable>,
): Promise<void> {
  const { hubClient, clock, logger, metrics, signal } = context;
  const stopTelling = tell(context, informer);
  await runController({
    name: `${name}-suspension-controller`,
    sources: [
      informerSource(informer, {
        filter: (object) => suspensionNote(object).until !== undefined,
        changed: (before, after) => before.metadata.annotations !== after.metadata.annotations,
      }),
    ],
    concurrency: 1,
    clock,
    logger,
    metrics,
    signal,
    reconcile: async (key, { signal: reconcileSignal }) => {
      const object = informer.store.get(key);
      if (object === undefined) return done;
      const next = decideEnd(object, clock.now());
      if (next.do === 'nothing') return done;
      if (next.do === 'wait') return requeueAfter(next.forMs, 'it is suspended until then');
      try {
        await hubClient.update(resource, next.object, { signal: reconcileSignal });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
      return done;
    },
  });
  stopTelling();
}

/** Events on the object, one for each new entry of its history. */
function tell({ recorder }: ControllerContext, informer: Informer<Suspendable>): () => void {
  const note = (object: Suspendable): void => {
    const event = suspensionHistory(object).at(-1);
    if (event === undefined) return;
    recorder.event(object, 'Normal', event.action, eventText(event, stoppedBy(object)));
  };
  return informer.subscribe({
    added: (object, initial) => {
      if (!initial) note(object);
    },
    updated: (before, after) => {
      if (before.metadata.annotations === after.metadata.annotations) return;
      const [old, now] = [suspensionHistory(before).at(-1), suspensionHistory(after).at(-1)];
      if (JSON.stringify(old) !== JSON.stringify(now)) note(after);
    },
  });
}

/** What an event says. Pure. */
export function eventText(
  { action, by, until, reason }: SuspensionEvent,
  stopped: Stopped | undefined,
): string {
  const what = stopped === undefined ? '' : ` ${stoppedText(stopped)}`;
  const whom = by === undefined ? '' : ` by ${by}`;
  const why = reason === undefined ? '' : `: ${reason}`;
  switch (action) {
    case 'Suspended':
      return `Suspended${what}${whom}${until === undefined ? '' : ` until ${until}`}${why}`;
    case 'SuspensionChanged':
      return `Suspension changed${whom}: now${what}${until === undefined ? ', without an end' : ` until ${until}`}${why}`;
    case 'Resumed':
      return `Resumed${whom}${why}`;
    case 'SuspensionExpired':
      return 'The suspension is over';
  }
}

function observe(
  { observe: gauge, clock }: ControllerContext,
  informers: readonly Informer<Suspendable>[],
): void {
  const suspended = (): readonly Suspendable[] =>
    informers.flatMap((informer) => informer.store.byIndex(BY_SUSPENSION, 'yes'));
  const labels = ({ kind, metadata }: Suspendable): readonly string[] => [
    kind,
    metadata.namespace ?? '',
    metadata.name ?? '',
  ];
  gauge?.(
    'navarch_suspended',
    'Policies, bindings and clusters that are suspended.',
    () => suspended().map((object) => [labels(object), 1]),
    ['kind', 'namespace', 'name'],
  );
  gauge?.(
    'navarch_suspended_seconds',
    'For how long they have been.',
    () => suspended().map((object) => [labels(object), suspendedSeconds(object, clock)]),
    ['kind', 'namespace', 'name'],
  );
}

function suspendedSeconds(object: Suspendable, clock: Clock): number {
  const nowMs = clock.now();
  const sinceMs = parseTime(suspensionNote(object).since ?? formatTime(nowMs)) ?? nowMs;
  return Math.max(0, Math.round((nowMs - sinceMs) / 1000));
}
