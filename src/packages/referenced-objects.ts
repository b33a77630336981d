// What packages take values from: Secrets, ConfigMaps and the sources of transformations, each watched by its name as long as
// some package reads it, so that a change is carried out at once. Nothing else of its kind is watched or kept.
import type { KubeObject } from '../api/index.ts';
import type { Cancel } from '../base/index.ts';
import { formatKey, type ObjectKey, type Resource } from '../client/index.ts';
import { deepEqual } from '../machinery/index.ts';
import type { PackageKind } from '../packaging/index.ts';
import type { Enqueue, InformerSet, InformerUse, Source } from '../runtime/index.ts';

// LIMIT: objects that are watched; changes of further ones are seen when a package is looked at.
const OBJECTS_MAX = 500;
/** Several keys are often written one after the other. */
const CHANGE_DELAY_MS = 250;

/** An object as it was read for a package. */
export interface ReadObject {
  readonly resource: Resource;
  readonly key: ObjectKey;
  /** Undefined: it was not there. */
  readonly resourceVersion: string | undefined;
}

interface Watched {
  readonly use: InformerUse;
  readonly cancel: Cancel;
  /** Packages that read it, as `Kind namespace/name`. */
  readonly readers: Set<string>;
}

export class ReferencedObjects {
  private readonly informers: InformerSet;
  private readonly watched = new Map<string, Watched>();
  private readonly enqueues = new Map<PackageKind, Enqueue>();

  constructor(informers: InformerSet) {
    this.informers = informers;
  }

  /** Keys of packages of this kind that read what has changed. */
  source(kind: PackageKind): Source {
    return {
      synced: Promise.resolve(),
      start: (enqueue): Cancel => {
        this.enqueues.set(kind, enqueue);
        return () => this.enqueues.delete(kind);
      },
    };
  }

  /** From now on the package is told of changes of these objects, and of no others. */
  follow(kind: PackageKind, packageKey: string, objects: readonly ReadObject[]): void {
    const reader = `${kind} ${packageKey}`;
    const wanted = new Map(objects.map((one) => [nameOf(one), one]));
    for (const [name, { readers }] of this.watched)
      if (!wanted.has(name) && readers.delete(reader) && readers.size === 0) this.drop(name);
    for (const [name, one] of wanted) this.watch(name, one)?.readers.add(reader);
  }

  forget(kind: PackageKind, packageKey: string): void {
    this.follow(kind, packageKey, []);
  }

  private watch(name: string, read: ReadObject): Watched | undefined {
    const known = this.watched.get(name);
    if (known !== undefined || this.watched.size >= OBJECTS_MAX) return known;
    const { resource, key } = read;
    const use = this.informers.use<KubeObject>(resource, {
      ...(key.namespace === undefined ? {} : { namespace: key.namespace }),
      fieldSelector: `metadata.name=${key.name}`,
    });
    const one: Watched = {
      use,
      cancel: use.informer.subscribe({
        added: (_object, initial) => {
          if (!initial) this.tell(one);
        },
        updated: (old, object) => {
          if (!isSame(old, object)) this.tell(one);
        },
        deleted: () => this.tell(one),
      }),
      readers: new Set(),
    };
    this.watched.set(name, one);
    // What happened between reading it and watching it.
    use.informer.synced.then(
      () => {
        const now = use.informer.store.get(formatKey(key))?.metadata.resourceVersion;
        if (this.watched.get(name) === one && now !== read.resourceVersion) this.tell(one);
      },
      // It was given up before.
      () => undefined,
    );
    return one;
  }

  private drop(name: string): void {
    const one = this.watched.get(name);
    this.watched.delete(name);
    one?.cancel();
    one?.use.release();
  }

  private tell({ readers }: Watched): void {
    for (const reader of readers) {
      const at = reader.indexOf(' ');
      this.enqueues.get(reader.slice(0, at) as PackageKind)?.(reader.slice(at + 1), {
        afterMs: CHANGE_DELAY_MS,
        reason: 'what it takes values from has changed',
      });
    }
  }
}

function nameOf({ resource: { group, version, resource }, key }: ReadObject): string {
  return `${group}/${version}/${resource} ${formatKey(key)}`;
}

/** Whether there is nothing new in it but what servers write for themselves. */
function isSame({ metadata: before, ...old }: KubeObject, { metadata: after, ...now }: KubeObject): boolean {
  const { resourceVersion: _old, managedFields: _oldFields, ...said } = before;
  const { resourceVersion: _now, managedFields: _nowFields, ...says } = after;
  return deepEqual(old, now) && deepEqual(said, says);
}
