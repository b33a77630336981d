// The objects an informer knows, by key and by indexes of the reader's choice. Objects are those that came from the
// transport, by reference; the store copies nothing and changes nothing.
import type { KubeObject } from '../api/index.ts';
import { keyOf, type ObjectKey } from '../client/index.ts';
import { assert } from '../base/index.ts';

/** The keys under which an index files an object; pure, and the same for the same object at any time. */
export type IndexFunction<T extends KubeObject = KubeObject> = (object: T) => readonly string[];

/** What controllers read. */
export interface Store<T extends KubeObject = KubeObject> {
  readonly size: number;
  /** By `namespace/name`, the name alone without a namespace, or both parts. */
  get(key: string | ObjectKey): T | undefined;
  has(key: string): boolean;
  /** All objects, or those of one namespace, in no particular order. */
  list(namespace?: string): readonly T[];
  values(): IterableIterator<T>;
  keys(): IterableIterator<string>;
  /** Objects that index `name` files under `key`. */
  byIndex(name: string, key: string): readonly T[];
  /** Keys under which index `name` files anything. */
  indexKeys(name: string): readonly string[];
}

interface Index<T extends KubeObject> {
  readonly keysOf: IndexFunction<T>;
  readonly filed: Map<string, Map<string, T>>;
}

const NAMESPACE_INDEX = 'namespace';
const nothing: readonly never[] = Object.freeze([]);

export class IndexedStore<T extends KubeObject = KubeObject> implements Store<T> {
  private readonly objects = new Map<string, T>();
  private readonly indexes = new Map<string, Index<T>>();

  get size(): number {
    return this.objects.size;
  }

  get(key: string | ObjectKey): T | undefined {
    return this.objects.get(typeof key === 'string' ? key : keyOf({ metadata: key }));
  }

  has(key: string): boolean {
    return this.objects.has(key);
  }

  list(namespace = ''): readonly T[] {
    if (namespace === '') return [...this.objects.values()];
    // Made at the first use: most stores are never asked by namespace.
    if (!this.indexes.has(NAMESPACE_INDEX))
      this.addIndex(NAMESPACE_INDEX, ({ metadata }) =>
        metadata.namespace === undefined ? nothing : [metadata.namespace],
      );
    return this.byIndex(NAMESPACE_INDEX, namespace);
  }

  values(): IterableIterator<T> {
    return this.objects.values();
  }

  keys(): IterableIterator<string> {
    return this.objects.keys();
  }

  byIndex(name: string, key: string): readonly T[] {
    const found = this.index(name).filed.get(key);
    return found === undefined ? nothing : [...found.values()];
  }

  indexKeys(name: string): readonly string[] {
    return [...this.index(name).filed.keys()];
  }

  /** Adding the same function under the same name again changes nothing, so that controllers can share a store. */
  addIndex(name: string, keysOf: IndexFunction<T>): void {
    const known = this.indexes.get(name);
    if (known !== undefined) {
      assert(known.keysOf === keysOf, `index "${name}" exists already with another function`);
      return;
    }
    const index: Index<T> = { keysOf, filed: new Map() };
    this.indexes.set(name, index);
    for (const [key, object] of this.objects) file(index, key, object);
  }

  /** Returns what was there before. */
  set(key: string, object: T): T | undefined {
    const old = this.objects.get(key);
    this.objects.set(key, object);
    for (const index of this.indexes.values()) {
      if (old !== undefined) unfile(index, key, old);
      file(index, key, object);
    }
    return old;
  }

  delete(key: string): T | undefined {
    const old = this.objects.get(key);
    if (old === undefined) return undefined;
    this.objects.delete(key);
    for (const index of this.indexes.values()) unfile(index, key, old);
    return old;
  }

  private index(name: string): Index<T> {
    const index = this.indexes.get(name);
    assert(index !== undefined, `there is no index "${name}"`);
    return index;
  }
}

function file<T extends KubeObject>(index: Index<T>, key: string, object: T): void {
  for (const indexKey of index.keysOf(object)) {
    const filed = index.filed.get(indexKey);
    if (filed === undefined) index.filed.set(indexKey, new Map([[key, object]]));
    else filed.set(key, object);
  }
}

function unfile<T extends KubeObject>(index: Index<T>, key: string, object: T): void {
  for (const indexKey of index.keysOf(object)) {
    const filed = index.filed.get(indexKey);
    filed?.delete(key);
    if (filed?.size === 0) index.filed.delete(indexKey);
  }
}
