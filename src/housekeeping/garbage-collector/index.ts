// The garbage collector: deletes what its owners have left behind.
// Reads: every object, through the feed; owners that nothing else tells about, by name.
// Writes: ownerReferences and the finalizers `orphan` and `foregroundDeletion`; deletes objects.
// INVARIANT: an object is deleted only in the version, and with the uid, for which all its owners were found to be gone.
import type { KubeObject, OwnerReference } from '../../api/index.ts';
import type { Clock, Logger } from '../../base/index.ts';
import { isConflict, isNotFound, type Client, type Resource, type RestMapper } from '../../client/index.ts';
import {
  act,
  done,
  runController,
  PRIORITY_CHANGE,
  PRIORITY_RESYNC,
  type Enqueue,
  type Outcome,
  type Plan,
  type RuntimeMetrics,
  type Source,
} from '../../runtime/index.ts';
import type { ObjectFeed } from '../object-feed.ts';
import { decideDependent, decideOwner, type OwnerState } from './decide.ts';
import { DependencyGraph, FOREGROUND, hasFinalizer, ownersOf, type Owner } from './graph.ts';

export interface GarbageCollectorSettings {
  readonly client: Client;
  readonly mapper: RestMapper;
  readonly feed: ObjectFeed;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics?: RuntimeMetrics;
  readonly signal: AbortSignal;
}

const CONCURRENCY = 16;

export async function runGarbageCollector(settings: GarbageCollectorSettings): Promise<void> {
  const { feed, clock, logger, metrics, signal } = settings;
  let enqueue: Enqueue = () => undefined;
  const graph = new DependencyGraph((key, initial) =>
    enqueue(key, { priority: initial ? PRIORITY_RESYNC : PRIORITY_CHANGE }),
  );
  const { promise: synced, resolve, reject } = Promise.withResolvers<void>();
  const source: Source = {
    synced,
    start(add) {
      enqueue = add;
      feed.follow(graph, signal).then(resolve, reject);
      return () => (enqueue = () => undefined);
    },
  };
  const collector = new Collector(settings, graph);
  await runController({
    name: 'garbage-collector',
    sources: [source],
    reconcile: (key) => collector.reconcile(key),
    clock,
    logger,
    concurrency: CONCURRENCY,
    signal,
    ...(metrics === undefined ? {} : { metrics }),
  });
}

class Collector {
  readonly #settings: GarbageCollectorSettings;
  readonly #graph: DependencyGraph;

  constructor(settings: GarbageCollectorSettings, graph: DependencyGraph) {
    this.#settings = settings;
    this.#graph = graph;
  }

  async reconcile(key: string): Promise<Outcome> {
    const uid = key.slice(key.indexOf('/') + 1);
    const plan = key.startsWith('owner/') ? await this.#planOwner(uid) : await this.#planDependent(uid);
    if (plan === undefined) return done;
    const { client, signal } = this.#settings;
    try {
      return await act(plan, { client, signal });
    } catch (error) {
      // Gone already, which the feed is about to tell; or changed, which brings the key back.
      if (isNotFound(error)) return done;
      if (isConflict(error)) return { kind: 'retry', error };
      throw error;
    }
  }

  async #planDependent(uid: string): Promise<Plan | undefined> {
    const object = this.#graph.dependent(uid);
    const resource = object === undefined ? undefined : await this.#resourceOf(object);
    if (object === undefined || resource === undefined) return undefined;
    const references = ownersOf(object);
    const states = await Promise.all(references.map((reference) => this.#stateOf(reference, object)));
    return decideDependent({
      object,
      resource,
      owners: references.map((reference, i) => ({ reference, state: states[i]! })),
      dependents: await this.#withResources(this.#graph.owner(uid)),
    });
  }

  async #planOwner(uid: string): Promise<Plan | undefined> {
    const owner = this.#graph.owner(uid);
    const object = owner?.waiting;
    const resource = object === undefined ? undefined : await this.#resourceOf(object);
    if (object === undefined || resource === undefined) return undefined;
    return decideOwner({ object, resource, dependents: await this.#withResources(owner) });
  }

  async #withResources(
    owner: Owner | undefined,
  ): Promise<{ readonly object: KubeObject; readonly resource: Resource }[]> {
    const found: { object: KubeObject; resource: Resource }[] = [];
    for (const object of owner?.dependents.values() ?? []) {
      const resource = await this.#resourceOf(object);
      if (resource !== undefined) found.push({ object, resource });
    }
    return found;
  }

  async #stateOf(reference: OwnerReference, dependent: KubeObject): Promise<OwnerState> {
    const { namespace } = dependent.metadata;
    let presence = this.#graph.presence(reference, namespace);
    if (presence === 'unknown') {
      const looked = await this.#lookUp(reference, namespace);
      if (looked === undefined) return 'unknown';
      this.#graph.lookedUp(reference, namespace, looked);
      presence = looked;
    }
    if (presence === 'gone') return 'absent';
    const waiting = this.#graph.owner(reference.uid)?.waiting;
    return waiting !== undefined && hasFinalizer(waiting, FOREGROUND) ? 'waiting' : 'solid';
  }

  /** Undefined: nobody can tell, since the kind is not served, or has namespaces while the dependent has none. */
  async #lookUp(
    reference: OwnerReference,
    namespace: string | undefined,
  ): Promise<'there' | 'gone' | undefined> {
    const { client, mapper, signal } = this.#settings;
    const resource = await mapper.resourceForObject(reference);
    if (resource === undefined || (resource.namespaced && namespace === undefined)) return undefined;
    const key = { name: reference.name, namespace: resource.namespaced ? namespace : undefined };
    const object = await client.find(resource, key, { signal });
    return object?.metadata.uid === reference.uid ? 'there' : 'gone';
  }

  /** Undefined: objects of this kind can no longer be reached, e.g. because its definition is gone. */
  #resourceOf(object: KubeObject): Promise<Resource | undefined> {
    return this.#settings.mapper.resourceForObject(object);
  }
}
