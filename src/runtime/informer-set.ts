// One informer per resource and selection, shared by everyone who needs it and stopped when nobody does. Resources can
// be asked for at any time, so controllers follow kinds that did not exist when the process started.
import { formatApiVersion, type KubeObject } from '../api/index.ts';
import { assert, silentLogger, type Clock, type Logger, type Random } from '../base/index.ts';
import type { Client, Resource } from '../client/index.ts';
import { createInformer, type Informer, type InformerSelection } from './informer.ts';
import type { RuntimeMetrics } from './metrics.ts';
import type { IndexFunction } from './store.ts';

export interface InformerSetSettings {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger;
  readonly metrics?: RuntimeMetrics;
  /** Applied to every object of every informer of the set. */
  readonly transform?: (object: KubeObject) => KubeObject;
  /** Of the keys of what is there from the start; default PRIORITY_RESYNC: behind changes. */
  readonly initialPriority?: number;
  readonly pageSize?: number;
  readonly backoffBaseMs?: number;
  readonly backoffMaxMs?: number;
  readonly watchTimeoutSeconds?: number;
}

export interface InformerUse<T extends KubeObject = KubeObject> {
  readonly informer: Informer<T>;
  /** Gives the share back; the last one stops the informer. Harmless when called again. */
  release(): void;
}

export interface InformerOptions<T extends KubeObject = KubeObject> extends InformerSelection {
  /** Added to the shared informer; the same name must mean the same function to everyone. */
  readonly indexes?: Readonly<Record<string, IndexFunction<T>>>;
}

export interface InformerSet {
  /** A share of the running informer for this resource and selection, started when it is the first. */
  use<T extends KubeObject>(resource: Resource<T>, options?: InformerOptions<T>): InformerUse<T>;
  /** As use, for who needs it as long as the set lives. */
  informer<T extends KubeObject>(resource: Resource<T>, options?: InformerOptions<T>): Informer<T>;
  /** Resolves when all informers of this moment are synced; rejects when the set is closed before. */
  synced(): Promise<void>;
  /** The informers running now, for health reports. */
  list(): readonly Informer[];
  /** Stops all informers and waits for their requests to end. */
  close(): Promise<void>;
}

interface Shared {
  readonly informer: Informer;
  readonly stop: AbortController;
  readonly running: Promise<void>;
  uses: number;
}

export function createInformerSet(settings: InformerSetSettings): InformerSet {
  const { logger = silentLogger } = settings;
  const shared = new Map<string, Shared>();
  const ending = new Set<Promise<void>>();
  let closed = false;

  function start<T extends KubeObject>(resource: Resource<T>, options: InformerOptions<T>): Shared {
    const { namespace, labelSelector, fieldSelector } = options;
    // Typed as the caller knows it; the set itself holds informers of any kind.
    const informer = createInformer<KubeObject>({
      ...settings,
      logger,
      resource,
      namespace,
      labelSelector,
      fieldSelector,
    });
    const stop = new AbortController();
    return { informer, stop, running: informer.run(stop.signal), uses: 0 };
  }

  function end(name: string, one: Shared): void {
    shared.delete(name);
    one.stop.abort(new Error('the informer is no longer used'));
    ending.add(one.running);
    void one.running.finally(() => ending.delete(one.running));
  }

  const set: InformerSet = {
    use<T extends KubeObject>(resource: Resource<T>, options: InformerOptions<T> = {}) {
      assert(!closed, 'the informer set is closed');
      const { namespace = '', labelSelector = '', fieldSelector = '', indexes = {} } = options;
      const name = [
        formatApiVersion(resource),
        resource.resource,
        namespace,
        labelSelector,
        fieldSelector,
      ].join('|');
      const one = shared.get(name) ?? start(resource, options);
      shared.set(name, one);
      one.uses++;
      const informer = one.informer as Informer<T>;
      for (const [index, keysOf] of Object.entries(indexes)) informer.addIndex(index, keysOf);
      let released = false;
      return {
        informer,
        release() {
          if (released) return;
          released = true;
          one.uses--;
          if (one.uses === 0 && !closed) end(name, one);
        },
      };
    },
    informer: (resource, options) => set.use(resource, options).informer,
    async synced() {
      await Promise.all([...shared.values()].map(({ informer }) => informer.synced));
    },
    list: () => [...shared.values()].map(({ informer }) => informer),
    async close() {
      closed = true;
      for (const [name, one] of shared) end(name, one);
      await Promise.all(ending);
    },
  };
  return set;
}
