// The garbage collector: deletes what its owners have left behind.
// Reads: every object, through the feed; owners that nothing else tells about, by name.
// Writes: ownerReferences and the finalizers `orphan` and `foregroundDeletion`; deletes objects.
// INVARIANT: an object is deleted only in the version, and with the uid, for which all its owners were found to be gone.
import type { KubeObject, OwnerReference } from '../../api/index.ts';
import { isNotFound, type Resource } from '../../client/index.ts';
import {
  act,
  done,
  runController,
  PRIORITY_CHANGE,
  PRIORITY_RESYNC,
  type Enqueue,
  type Outcome,
  type Plan,
  type Source,
} from '../../runtime/index.ts';
import type { HousekeepingSettings } from '../settings.ts';
import { decideDependent, decideOwner, type OwnerState } from './decide.ts';
import { DependencyGraph, FOREGROUND, hasFinalizer, ownersOf, type Owner } from './graph.ts';

const CONCURRENCY = 16;
// A definition that was made a moment ago is not known everywhere yet; of one that is gone the objects go too.
const NOT_SERVED: Plan = { requeue: { afterMs: 2_000, reason: 'the kind is not served' } };

export async function runGarbageCollector(settings: HousekeepingSettings): Promise<void> {
  const { feed, signal } = settings;
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
    ...settings,
    name: 'garbage-collector',
    sources: [source],
    reconcile: (key) => collector.reconcile(key),
    concurrency: CONCURRENCY,
  });
}

class Collector {
  readonly #settings: HousekeepingSettings;
  readonly #graph: DependencyGraph;

  constructor(settings: HousekeepingSettings, graph: DependencyGraph) {
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
      // Gone already, as the feed is about to tell.
      if (isNotFound(error)) return done;
      throw error;
    }
  }

  async #planDependent(uid: string): Promise<Plan | undefined> {
    const object = this.#graph.dependent(uid);
    if (object === undefined) return undefined;
    const resource = await this.#resourceOf(object);
    if (resource === undefined) return NOT_SERVED;
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
    if (object === undefined) return undefined;
    const resource = await this.#resourceOf(object);
    if (resource === undefined) return NOT_SERVED;
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

  /** Undefined: objects of this kind cannot be reached, because its definition is gone or not known yet. */
  #resourceOf(object: KubeObject): Promise<Resource | undefined> {
    return this.#settings.mapper.resourceForObject(object);
  }
}
