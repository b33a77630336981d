// Keeps the served custom resources in step with their definitions: grants names, registers and unregisters resources,
// and deletes the instances of definitions that are going.
//
// INVARIANT: a resource is registered before its definition says Established, and unregistered only after the
// definition is gone, so that whoever waits for the condition can use the resource at once.
// Several servers over one storage may do this side by side: what they write is decided by what they read, and each
// write expects the revision that was read.
import {
  deepFreeze,
  formatApiVersion,
  type CustomResourceDefinition,
  type KubeObject,
} from '../../api/index.ts';
import { errorMessage, formatTime, sleep, type Clock, type Logger } from '../../base/index.ts';
import { deepEqual, hasFinalizer, isBeingDeleted, withoutFinalizer } from '../../machinery/index.ts';
import { CompactedError, type Change, type Entry, type Storage } from '../../storage/index.ts';
import type { ResourceRegistry } from '../registry.ts';
import { storageRootOf, type ResourceDefinition } from '../resource.ts';
import type { InProcessTransport } from '../transport.ts';
import { CLEANUP_FINALIZER, decideStatus, isEstablished, withDeletionStep } from './conditions.ts';
import { resourceDefinitionOf, type CustomResourceOptions } from './custom-resource.ts';

const ROOT = storageRootOf('apiextensions.k8s.io', 'customresourcedefinitions');
/** How long to wait before trying again what storage or a finalizer of an instance did not let happen. */
const RETRY_MS = 1000;

export interface CustomResourcesOptions extends CustomResourceOptions {
  readonly storage: Storage<KubeObject>;
  readonly registry: ResourceRegistry;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The server itself, as a user who may delete everything. */
  readonly transport: InProcessTransport;
}

interface Known {
  readonly crd: CustomResourceDefinition;
  readonly entry: Entry<KubeObject>;
}

interface Registered {
  readonly definition: ResourceDefinition;
  readonly uid: string | undefined;
  readonly generation: number | undefined;
  readonly accepted: unknown;
  readonly terminating: boolean;
}

export interface CustomResources {
  /** Resolves when every definition that was there at the start is served; rejects when storage cannot be read. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

/** Starts following the definitions in storage. */
export function startCustomResources(options: CustomResourcesOptions): CustomResources {
  const controller = new Controller(options);
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
  const running = controller.run(resolve).catch(reject);
  return {
    ready,
    async close() {
      controller.stop();
      await running;
    },
  };
}

class Controller {
  readonly #options: CustomResourcesOptions;
  readonly #stopping = new AbortController();
  readonly #known = new Map<string, Known>();
  readonly #registered = new Map<string, Registered>();
  readonly #dirty = new Set<string>();
  readonly #deleting = new Set<string>();
  #pumping: Promise<void> | undefined;

  constructor(options: CustomResourcesOptions) {
    this.#options = options;
  }

  stop(): void {
    this.#stopping.abort(new Error('custom resources are no longer followed'));
  }

  async run(started: () => void): Promise<void> {
    const { storage, clock, logger } = this.#options;
    const { signal } = this.#stopping;
    let first = true;
    while (!signal.aborted) {
      try {
        const revision = await this.#relist();
        if (first) started();
        first = false;
        await storage.watch(ROOT, revision, (changes) => this.#take(changes), signal);
      } catch (error) {
        if (signal.aborted) break;
        if (first) throw error;
        if (!(error instanceof CompactedError)) {
          logger.error('following custom resource definitions failed', { error: errorMessage(error) });
          await sleep(clock, RETRY_MS, signal).catch(() => undefined);
        }
      }
    }
    await this.#pumping;
  }

  async #relist(): Promise<number> {
    const { entries, revision } = await this.#options.storage.list(ROOT);
    const present = new Set(entries.map(({ key }) => key));
    for (const key of this.#known.keys()) if (!present.has(key)) this.#forget(key);
    for (const entry of entries) this.#learn(entry);
    await this.#pump();
    return revision;
  }

  #take(changes: readonly Change<KubeObject>[]): void {
    for (const change of changes) {
      if (change.type === 'put') this.#learn(change.entry);
      else this.#forget(change.entry.key);
    }
    void this.#pump();
  }

  #learn(entry: Entry<KubeObject>): void {
    const { key } = entry;
    const known = this.#known.get(key);
    if (known !== undefined && known.entry.revision >= entry.revision) return;
    this.#known.set(key, { crd: entry.value as unknown as CustomResourceDefinition, entry });
    this.#dirty.add(key);
  }

  #forget(key: string): void {
    const known = this.#known.get(key);
    if (known === undefined) return;
    this.#known.delete(key);
    const { group, names } = known.crd.spec;
    const registered = this.#registered.get(key);
    if (registered !== undefined) {
      this.#registered.delete(key);
      if (this.#options.registry.get(group, names.plural) === registered.definition) {
        this.#options.registry.remove(group, names.plural);
      }
    }
    // Names that are free again may be wanted by others.
    for (const [other, { crd }] of this.#known) if (crd.spec.group === group) this.#dirty.add(other);
  }

  /** Works off what is dirty, one definition after the other. */
  #pump(): Promise<void> {
    this.#pumping ??= this.#work().finally(() => {
      this.#pumping = undefined;
      if (this.#dirty.size > 0 && !this.#stopping.signal.aborted) void this.#pump();
    });
    return this.#pumping;
  }

  async #work(): Promise<void> {
    const { clock, logger } = this.#options;
    for (const key of this.#dirty) {
      if (this.#stopping.signal.aborted) return;
      this.#dirty.delete(key);
      try {
        await this.#reconcile(key);
      } catch (error) {
        logger.error('custom resource definition was not dealt with', { key, error: errorMessage(error) });
        clock.after(RETRY_MS, () => {
          if (!this.#known.has(key) || this.#stopping.signal.aborted) return;
          this.#dirty.add(key);
          void this.#pump();
        });
      }
    }
  }

  async #reconcile(key: string): Promise<void> {
    const known = this.#known.get(key);
    if (known === undefined) return;
    const { storage, clock } = this.#options;
    const { crd, entry } = known;
    const others = [...this.#known.values()]
      .filter((other) => other !== known && other.crd.spec.group === crd.spec.group)
      .map((other) => other.crd);
    const status = decideStatus(crd, others, clock.now());
    const decided = status === crd.status ? crd : deepFreeze({ ...crd, status });
    if (isEstablished(decided)) this.#register(key, decided, entry.createRevision);
    if (decided !== crd) {
      // When somebody was faster, the watch brings what they wrote and this is decided again.
      const written = await storage.update(key, decided, entry.revision);
      if (written.ok) this.#learn(written.entry);
    }
    if (isBeingDeleted(entry.value) && hasFinalizer(entry.value, CLEANUP_FINALIZER)) this.#startDeletion(key);
  }

  #register(key: string, crd: CustomResourceDefinition, createRevision: number): void {
    const { uid, generation, deletionTimestamp } = crd.metadata;
    const accepted = crd.status?.acceptedNames;
    const terminating = deletionTimestamp !== undefined;
    const known = this.#registered.get(key);
    if (
      known !== undefined &&
      known.uid === uid &&
      known.generation === generation &&
      deepEqual(known.accepted, accepted) &&
      known.terminating === terminating
    ) {
      return;
    }
    const definition = resourceDefinitionOf(crd, createRevision, this.#options);
    this.#registered.set(key, { definition, uid, generation, accepted, terminating });
    this.#options.registry.put(definition);
  }

  // ---- deletion

  #startDeletion(key: string): void {
    if (this.#deleting.has(key)) return;
    this.#deleting.add(key);
    this.#deleteInstances(key)
      .catch((error: unknown) => {
        if (this.#stopping.signal.aborted) return;
        const { logger } = this.#options;
        logger.error('instances were not deleted', { key, error: errorMessage(error) });
      })
      .finally(() => {
        this.#deleting.delete(key);
      });
  }

  /** Returns when the definition is gone, or no longer held by us. */
  async #deleteInstances(key: string): Promise<void> {
    const { storage, clock } = this.#options;
    const { signal } = this.#stopping;
    await this.#change(key, (crd) => withDeletionStep(crd, 'running', formatTime(clock.now())));
    for (;;) {
      const known = this.#known.get(key);
      if (known === undefined) return;
      const { group, names } = known.crd.spec;
      const { entries } = await storage.list(storageRootOf(group, names.plural));
      if (entries.length === 0) break;
      await this.#deleteAll(known.crd, entries);
      const left = await storage.list(storageRootOf(group, names.plural), { limit: 1 });
      // Instances with finalizers go when their controllers let them.
      if (left.entries.length > 0) await sleep(clock, RETRY_MS, signal);
    }
    await this.#change(key, (crd) => {
      const done = withDeletionStep(crd, 'done', formatTime(clock.now()));
      return withoutFinalizer(done, CLEANUP_FINALIZER);
    });
  }

  async #deleteAll(crd: CustomResourceDefinition, entries: readonly Entry<KubeObject>[]): Promise<void> {
    const { transport } = this.#options;
    const { group, names } = crd.spec;
    const version = crd.spec.versions.find(({ served }) => served)?.name;
    if (version === undefined) {
      // Nobody can reach them any more, so nothing could answer for their finalizers.
      for (const { key, revision } of entries) await this.#options.storage.delete(key, revision);
      return;
    }
    const base = `/apis/${formatApiVersion({ group, version })}`;
    for (const namespace of new Set(entries.map(({ value }) => value.metadata.namespace ?? ''))) {
      const within = namespace === '' ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
      const path = `${base}${within}/${names.plural}`;
      await transport.send({ method: 'DELETE', path, signal: this.#stopping.signal });
    }
  }

  /** Writes the definition as `change` makes it, unless it is gone; without finalizers it goes. */
  async #change(
    key: string,
    change: (crd: CustomResourceDefinition) => CustomResourceDefinition,
  ): Promise<void> {
    const { storage } = this.#options;
    for (;;) {
      this.#stopping.signal.throwIfAborted();
      const entry = await storage.get(key);
      if (entry === undefined || !isBeingDeleted(entry.value)) return;
      const crd = entry.value as unknown as CustomResourceDefinition;
      const next: KubeObject = deepFreeze(change(crd));
      const gone = (next.metadata.finalizers ?? []).length === 0;
      const written = gone
        ? await storage.delete(key, entry.revision)
        : await storage.update(key, next, entry.revision);
      if (written.ok) return;
    }
  }
}
