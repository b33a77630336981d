// failover-history controller: keeps a FailoverRecord of every failover, for people who ask afterwards.
// Reads: Clusters, bindings, FailoverRecords. Writes: FailoverRecords.
// INVARIANT: nothing decides by what is written here.
import { FAILOVER_CLUSTER_LABEL, type Cluster, type FailoverRecord } from '../api/index.ts';
import { formatTime } from '../base/index.ts';
import { isAlreadyExists, isNotFound, kinds, resource } from '../client/index.ts';
import {
  causeOf,
  followMoves,
  isUnderWay,
  moveKey,
  surplusRecords,
  tellStory,
  type Moves,
  type Observation,
  type StoryKind,
} from '../failover/index.ts';
import { deepEqual } from '../machinery/index.ts';
import type { Binding } from '../propagation/index.ts';
import {
  PRIORITY_RESYNC,
  done,
  informerSource,
  runController,
  type Informer,
  type Outcome,
} from '../runtime/index.ts';
import { BINDINGS_BY_CLUSTER, targetNames } from './cluster.ts';
import type { Controller, ControllerContext } from './context.ts';
import { BINDINGS_BY_EVICTION, BINDING_SCOPES, evictedFrom } from './evictions.ts';

// The story is written behind the back of what it tells, and not for each of its sentences.
const TELL_AFTER_MS = 1_000;

export const failoverRecords = resource<FailoverRecord>({
  group: 'navarch.io',
  version: 'v1alpha1',
  resource: 'failoverrecords',
  namespaced: false,
});

/** COMPAT: switched on and off together with the graceful eviction controllers, whose work it tells of. */
export const failoverHistoryController: Controller = {
  name: 'gracefulEviction',
  async run(context) {
    const { informers, clock, logger, metrics, signal } = context;
    const clusters = informers.informer(kinds.clusters);
    const known = informers.informer(failoverRecords);
    const bindings = BINDING_SCOPES.map(({ resource: scope }) =>
      informers.informer(scope, {
        indexes: { [BINDINGS_BY_CLUSTER]: targetNames, [BINDINGS_BY_EVICTION]: evictedFrom },
      }),
    );
    await Promise.all([known.synced, clusters.synced, ...bindings.map((one) => one.synced)]);
    const historian = new Historian(context, clusters, bindings, known);
    for (const informer of bindings) {
      const stop = informer.subscribe({
        added: (binding) => historian.note(binding),
        updated: (_before, after) => historian.note(after),
      });
      signal.addEventListener('abort', stop, { once: true });
    }
    await runController({
      name: 'failover-history',
      sources: [
        informerSource(clusters, {
          changed: (before, after) =>
            before.spec.taints !== after.spec.taints ||
            before.status?.conditions !== after.status?.conditions,
          map: ({ metadata }) => keysOf([metadata.name ?? '']),
          delayMs: { added: TELL_AFTER_MS, updated: TELL_AFTER_MS },
          priority: PRIORITY_RESYNC,
        }),
        ...bindings.map((informer) =>
          informerSource(informer, {
            filter: (binding) => evictedFrom(binding).length > 0 || isHeld(binding),
            map: (binding) =>
              keysOf([...evictedFrom(binding), ...(isHeld(binding) ? targetNames(binding) : [])]),
            delayMs: { added: TELL_AFTER_MS, updated: TELL_AFTER_MS },
            priority: PRIORITY_RESYNC,
          }),
        ),
      ],
      clock,
      logger,
      metrics,
      signal,
      reconcile: (key, { signal: reconcileSignal }) => historian.reconcile(key, reconcileSignal),
    });
  },
};

function isHeld({ status }: Binding): boolean {
  return status?.conditions?.some(({ type }) => type === 'EvictionHeld') === true;
}

function keysOf(clusters: readonly string[]): string[] {
  return clusters.flatMap((name) => [`cluster|${name}`, `application|${name}`]);
}

interface Story {
  readonly record: string;
  readonly moves: Moves;
}

class Historian {
  private readonly context: ControllerContext;
  private readonly clusters: Informer<Cluster>;
  private readonly bindings: readonly Informer<Binding>[];
  private readonly records: Informer<FailoverRecord>;
  /** Of the failovers that are not over. LIMIT: two for each cluster. */
  private readonly stories = new Map<string, Story>();
  /** Bindings that were seen leaving since the story was last told. LIMIT: the workloads of a cluster. */
  private readonly noted = new Map<string, Map<string, Binding>>();

  constructor(
    context: ControllerContext,
    clusters: Informer<Cluster>,
    bindings: readonly Informer<Binding>[],
    known: Informer<FailoverRecord>,
  ) {
    this.context = context;
    this.clusters = clusters;
    this.bindings = bindings;
    this.records = known;
  }

  /** What leaves may have arrived by the time the story is told. */
  note(binding: Binding): void {
    for (const name of evictedFrom(binding)) {
      for (const key of keysOf([name])) {
        const noted = this.noted.get(key) ?? new Map<string, Binding>();
        this.noted.set(key, noted.set(moveKey(binding), binding));
      }
    }
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Outcome> {
    const split = key.indexOf('|');
    const kind = key.slice(0, split) as StoryKind;
    const name = key.slice(split + 1);
    const notes = this.noted.get(key);
    const noted = [...(notes?.values() ?? [])];
    this.noted.delete(key);
    try {
      return await this.tellOf(key, name, kind, noted, signal);
    } catch (error) {
      // What was seen is told at the next try.
      const since = this.noted.get(key) ?? new Map<string, Binding>();
      this.noted.set(key, new Map([...(notes ?? []), ...since]));
      throw error;
    }
  }

  private async tellOf(
    key: string,
    name: string,
    kind: StoryKind,
    noted: readonly Binding[],
    signal: AbortSignal,
  ): Promise<Outcome> {
    const story = this.stories.get(key) ?? this.unfinished(name, kind);
    const begun = followMoves(new Map(), name, { ...this.observe(name, kind, new Map()), bindings: noted });
    const before: Moves = new Map([...(story?.moves ?? []), ...begun]);
    const seen = this.observe(name, kind, before);
    if (story === undefined && begun.size === 0 && !isUnderWay(name, seen)) return done;
    const moves = followMoves(before, name, seen);
    const record =
      story === undefined ? await this.open(name, seen, signal) : this.records.store.get(story.record);
    // Somebody removed the record: the story goes on in a new one, if it goes on.
    if (record === undefined) {
      this.stories.delete(key);
      return done;
    }
    const status = tellStory(record.status, name, moves, seen);
    this.stories.set(key, { record: record.metadata.name ?? '', moves });
    if (!deepEqual(record.status, status)) await this.write({ ...record, status }, signal);
    if (status.finishTime === undefined) return done;
    this.stories.delete(key);
    this.tell(record, status);
    await this.dropSurplus(signal);
    return done;
  }

  private observe(name: string, kind: StoryKind, moves: Moves): Observation {
    const found = new Map<string, Binding>();
    for (const { store } of this.bindings) {
      for (const binding of store.byIndex(BINDINGS_BY_EVICTION, name)) found.set(moveKey(binding), binding);
      for (const binding of store.byIndex(BINDINGS_BY_CLUSTER, name))
        if (isHeld(binding) || moves.has(moveKey(binding))) found.set(moveKey(binding), binding);
    }
    // What is on its way may be anywhere by now.
    const missing = [...moves].filter(
      ([key, { state }]) => !found.has(key) && (state === 'Moving' || state === 'Held'),
    );
    if (missing.length > 0) {
      const wanted = new Set(missing.map(([key]) => key));
      for (const { store } of this.bindings)
        for (const binding of store.values())
          if (wanted.has(moveKey(binding))) found.set(moveKey(binding), binding);
    }
    const now = formatTime(this.context.clock.now());
    return { kind, cluster: this.clusters.store.get(name), bindings: [...found.values()], now };
  }

  /** After a restart: the story that was being told. */
  private unfinished(name: string, kind: StoryKind): Story | undefined {
    for (const record of this.records.store.values()) {
      const { spec, status, metadata } = record;
      const same =
        spec.cluster === name && (spec.cause === 'ApplicationFailure') === (kind === 'application');
      if (!same || status?.finishTime !== undefined) continue;
      const moves = (status?.workloads ?? []).map(
        (move) => [`${move.kind}/${move.namespace ?? ''}/${move.name}`, move] as const,
      );
      return { record: metadata.name ?? '', moves: new Map(moves) };
    }
    return undefined;
  }

  private async open(
    name: string,
    seen: Observation,
    signal: AbortSignal,
  ): Promise<FailoverRecord | undefined> {
    const { hubClient, recorder } = this.context;
    const stamp = seen.now
      .replaceAll(/[-:]|\..*$/g, '')
      .replace('T', '-')
      .replace('Z', '')
      .toLowerCase();
    const record: FailoverRecord = {
      apiVersion: 'navarch.io/v1alpha1',
      kind: 'FailoverRecord',
      metadata: {
        name: `${name}-${stamp}${seen.kind === 'application' ? '-app' : ''}`,
        labels: { [FAILOVER_CLUSTER_LABEL]: name },
      },
      spec: { cluster: name, cause: causeOf(seen) },
    };
    try {
      const created = await hubClient.create(failoverRecords, record, { signal });
      if (seen.cluster !== undefined)
        recorder.event(
          seen.cluster,
          'Warning',
          'FailoverStarted',
          `${record.spec.cause}: see FailoverRecord ${created.metadata.name}.`,
        );
      return created;
    } catch (error) {
      if (isAlreadyExists(error)) return this.records.store.get(record.metadata.name ?? '');
      throw error;
    }
  }

  private async write(record: FailoverRecord, signal: AbortSignal): Promise<void> {
    const { name = '' } = record.metadata;
    const body = { status: record.status };
    try {
      // Whole lists take the place of those before them, and nobody else writes here.
      await this.context.hubClient.patch(
        failoverRecords,
        { name },
        { type: 'merge', body },
        { subresource: 'status', signal },
      );
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  private tell({ spec, metadata }: FailoverRecord, status: NonNullable<FailoverRecord['status']>): void {
    const cluster = this.clusters.store.get(spec.cluster);
    if (cluster === undefined) return;
    const { total = 0, moved = 0, outcome = '' } = status;
    this.context.recorder.event(
      cluster,
      outcome === 'PartlyMoved' ? 'Warning' : 'Normal',
      'FailoverFinished',
      `${outcome}: ${moved} of ${total} workloads moved; see FailoverRecord ${metadata.name}.`,
    );
  }

  private async dropSurplus(signal: AbortSignal): Promise<void> {
    const limit = this.context.settings.failoverHistoryLimit;
    for (const { metadata } of surplusRecords([...this.records.store.values()], limit)) {
      try {
        await this.context.hubClient.delete(failoverRecords, { name: metadata.name ?? '' }, { signal });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
  }
}
