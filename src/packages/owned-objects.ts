// The objects of packages as the cluster has them: watched by kind, as kinds come to be used, so that what somebody changes or
// deletes is put right at once and health is seen when it changes. Only what carries our label is kept.
import {
  PACKAGES_GROUP,
  PACKAGE_MANAGED_LABEL,
  PACKAGE_MANAGED_VALUE,
  type KubeObject,
} from '../api/index.ts';
import type { Cancel } from '../base/index.ts';
import { formatKey, type Client, type ObjectKey, type Resource } from '../client/index.ts';
import type { PackageKind } from '../packaging/index.ts';
import type { Enqueue, Informer, InformerSet, Source } from '../runtime/index.ts';

/** LIMIT: kinds that are watched; objects of further ones are read when a package is looked at. */
const KINDS_MAX = 200;
const SELECTOR = `${PACKAGE_MANAGED_LABEL}=${PACKAGE_MANAGED_VALUE}`;
/** Changes come in bursts: pods become ready one after the other. */
const CHANGE_DELAY_MS = 250;

interface Listener {
  readonly kind: PackageKind;
  readonly enqueue: Enqueue;
}

export class OwnedObjects {
  private readonly client: Client;
  private readonly informers: InformerSet;
  private readonly watched = new Map<string, Informer>();
  private readonly listeners = new Set<Listener>();

  constructor(client: Client, informers: InformerSet) {
    this.client = client;
    this.informers = informers;
  }

  /** Keys of packages of this kind whose objects changed. */
  source(kind: PackageKind): Source {
    return {
      synced: Promise.resolve(),
      start: (enqueue): Cancel => {
        const listener: Listener = { kind, enqueue };
        this.listeners.add(listener);
        return () => this.listeners.delete(listener);
      },
    };
  }

  /** From what is watched, or the cluster itself. */
  async find(resource: Resource, key: ObjectKey, signal?: AbortSignal): Promise<KubeObject | undefined> {
    const informer = this.watch(resource);
    const known = informer?.isSynced === true ? informer.store.get(formatKey(key)) : undefined;
    return known ?? this.client.find(resource, key, signal === undefined ? {} : { signal });
  }

  private watch(resource: Resource): Informer | undefined {
    const { group, version, resource: plural, namespaced } = resource;
    const name = `${group}/${version}/${plural}`;
    const known = this.watched.get(name);
    if (known !== undefined || this.watched.size >= KINDS_MAX) return known;
    const informer = this.informers.informer<KubeObject>(
      { group, version, resource: plural, namespaced },
      { labelSelector: SELECTOR },
    );
    this.watched.set(name, informer);
    informer.subscribe({
      added: (object, initial) => {
        if (!initial) this.tell(object, 'added');
      },
      updated: (_old, object) => this.tell(object, 'updated'),
      deleted: (object) => this.tell(object, 'deleted'),
    });
    return informer;
  }

  private tell({ metadata }: KubeObject, what: string): void {
    for (const { apiVersion, kind, name } of metadata.ownerReferences ?? []) {
      if (!apiVersion.startsWith(`${PACKAGES_GROUP}/`)) continue;
      for (const listener of this.listeners) {
        if (listener.kind !== kind) continue;
        const key = kind === 'Package' ? `${metadata.namespace ?? ''}/${name}` : name;
        listener.enqueue(key, {
          afterMs: what === 'deleted' ? 0 : CHANGE_DELAY_MS,
          reason: `an object was ${what}`,
        });
      }
    }
  }
}
