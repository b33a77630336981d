// A resource as one of its versions shows it. Conversion happens once for each object and version, and the result
// is shared by all lists and watchers, as the stored object itself is.
import type { KubeObject } from '../api/index.ts';
import type { ResourceDefinition } from './resource.ts';

export type MaybePromise<T> = T | Promise<T>;

/** Runs `next` on a value that may still be on its way, without a detour through the event loop when it is there. */
export function whenReady<T, R>(
  value: MaybePromise<T>,
  next: (value: T) => MaybePromise<R>,
): MaybePromise<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}

export class View {
  readonly #definition: ResourceDefinition;
  readonly #apiVersion: string;
  readonly #converted = new WeakMap<KubeObject, KubeObject>();

  constructor(definition: ResourceDefinition, apiVersion: string) {
    this.#definition = definition;
    this.#apiVersion = apiVersion;
  }

  /** What is stored, as this version has it. */
  fromStorage(object: KubeObject): MaybePromise<KubeObject> {
    const { convert } = this.#definition;
    if (convert === undefined) return object;
    const known = this.#converted.get(object);
    if (known !== undefined) return known;
    return whenReady(convert([object], this.#apiVersion), ([converted]) =>
      this.#remembered(object, converted!),
    );
  }

  fromStorageAll(objects: readonly KubeObject[]): MaybePromise<readonly KubeObject[]> {
    const { convert } = this.#definition;
    if (convert === undefined || objects.length === 0) return objects;
    const missing = objects.filter((object) => !this.#converted.has(object));
    if (missing.length === 0) return objects.map((object) => this.#converted.get(object)!);
    return whenReady(convert(missing, this.#apiVersion), (converted) => {
      missing.forEach((object, index) => this.#remembered(object, converted[index]!));
      return objects.map((object) => this.#converted.get(object) ?? object);
    });
  }

  /** What looks in this version as it is stored is found so again as fast as it could be remembered. */
  #remembered(object: KubeObject, converted: KubeObject): KubeObject {
    if (converted !== object) this.#converted.set(object, converted);
    return converted;
  }

  toStorage(object: KubeObject): MaybePromise<KubeObject> {
    const { convert, storageApiVersion } = this.#definition;
    if (convert === undefined || this.#apiVersion === storageApiVersion) return object;
    return whenReady(convert([object], storageApiVersion), ([converted]) => converted!);
  }
}
