// Who has a say in requests, as storage has it: what is registered is followed, compiled once, and looked up without
// waiting, so that requests cost nothing where nobody has registered.
import type { KubeObject } from '../../api/index.ts';
import { errorMessage, type Clock, type Logger } from '../../base/index.ts';
import type { Storage } from '../../storage/index.ts';
import { objectFeed } from '../object-feed.ts';
import { storageRootOf } from '../resource.ts';

const GROUP = 'admissionregistration.k8s.io';

export interface Following {
  readonly storage: Storage<KubeObject>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Compiled registrations of one resource, in the order of their names. */
export class Registered<T> {
  readonly #resource: string;
  readonly #compile: (object: KubeObject) => T;
  readonly #compiled = new Map<string, T>();
  #sorted: readonly T[] = [];

  constructor(resource: string, compile: (object: KubeObject) => T) {
    this.#resource = resource;
    this.#compile = compile;
  }

  get all(): readonly T[] {
    return this.#sorted;
  }

  /** Resolves when what is stored now is known. */
  follow({ storage, clock, logger }: Following, signal: AbortSignal): Promise<void> {
    const put = (object: KubeObject): void => {
      const { name = '' } = object.metadata;
      try {
        this.#compiled.set(name, this.#compile(object));
      } catch (error) {
        // INVARIANT: what is registered was checked when it was written, so this is a fault of ours.
        this.#compiled.delete(name);
        logger.error('a registration cannot be used', {
          resource: this.#resource,
          name,
          error: errorMessage(error),
        });
      }
    };
    const prefix = storageRootOf(GROUP, this.#resource);
    return objectFeed({ storage, clock, logger, prefix }).follow(
      {
        start: (objects) => {
          this.#compiled.clear();
          objects.forEach(put);
          this.#sort();
        },
        put: (object) => {
          put(object);
          this.#sort();
        },
        removed: ({ metadata }) => {
          this.#compiled.delete(metadata.name ?? '');
          this.#sort();
        },
      },
      signal,
    );
  }

  #sort(): void {
    this.#sorted = [...this.#compiled]
      .toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([, compiled]) => compiled);
  }
}
