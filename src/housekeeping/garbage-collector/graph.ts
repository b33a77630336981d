// Who owns whom. Holds only objects that have owners, and owners as far as objects name them: an object that nobody
// owns and that owns nothing costs nothing here.
// INVARIANT: `dependents` of an owner are exactly the known objects that name its uid.
import type { KubeObject, OwnerReference } from '../../api/index.ts';
import { parseApiVersion } from '../../api/index.ts';
import type { FeedHandler } from '../object-feed.ts';

export const FOREGROUND = 'foregroundDeletion';
export const ORPHAN = 'orphan';

/** Whether the object that a reference names, by kind and name as well as uid, is there. */
export type Presence = 'there' | 'gone' | 'unknown';

export interface Owner {
  readonly uid: string;
  /** By uid. */
  readonly dependents: Map<string, KubeObject>;
  /** By what references say of it besides the uid; usually one entry. */
  readonly presence: Map<string, Presence>;
  /** Its latest version, while it is being deleted and waits for its dependents or is to orphan them. */
  waiting: KubeObject | undefined;
}

/** What there is to do: look whether a dependent still has an owner, or whether an owner may go. */
export type GraphKey = `dependent/${string}` | `owner/${string}`;

export class DependencyGraph implements FeedHandler {
  readonly #dependents = new Map<string, KubeObject>();
  readonly #owners = new Map<string, Owner>();
  readonly #enqueue: (key: GraphKey, initial: boolean) => void;

  constructor(enqueue: (key: GraphKey, initial: boolean) => void) {
    this.#enqueue = enqueue;
  }

  dependent(uid: string): KubeObject | undefined {
    return this.#dependents.get(uid);
  }

  owner(uid: string): Owner | undefined {
    return this.#owners.get(uid);
  }

  /** How many objects are held; for metrics and tests. */
  get size(): { readonly dependents: number; readonly owners: number } {
    return { dependents: this.#dependents.size, owners: this.#owners.size };
  }

  start(objects: readonly KubeObject[]): void {
    this.#dependents.clear();
    this.#owners.clear();
    for (const object of objects) if (isTracked(object)) this.#link(object, undefined);
    for (const object of objects) if (isTracked(object)) this.#note(object);
    for (const owner of this.#owners.values()) {
      if (owner.waiting !== undefined) this.#enqueue(`owner/${owner.uid}`, true);
      if (owner.waiting === undefined && [...owner.presence.values()].every((one) => one === 'there'))
        continue;
      for (const uid of owner.dependents.keys()) this.#enqueue(`dependent/${uid}`, true);
    }
  }

  put(object: KubeObject): void {
    if (!isTracked(object)) return;
    const uid = object.metadata.uid!;
    const old = this.#dependents.get(uid);
    const linked = this.#link(object, old);
    const began = this.#note(object);
    if (began) {
      this.#enqueue(`owner/${uid}`, false);
      for (const dependent of this.#owners.get(uid)?.dependents.keys() ?? []) {
        this.#enqueue(`dependent/${dependent}`, false);
      }
    }
    if (linked) this.#enqueueUnlessOwned(object);
  }

  removed(object: KubeObject): void {
    const { uid } = object.metadata;
    if (uid === undefined) return;
    const old = this.#dependents.get(uid);
    if (old !== undefined) {
      this.#dependents.delete(uid);
      for (const reference of ownersOf(old)) this.#unlink(uid, reference.uid);
    }
    const owner = this.#owners.get(uid);
    if (owner === undefined) return;
    owner.waiting = undefined;
    for (const coordinates of owner.presence.keys()) owner.presence.set(coordinates, 'gone');
    for (const dependent of owner.dependents.keys()) this.#enqueue(`dependent/${dependent}`, false);
    this.#dropIfUnused(owner);
  }

  presence(reference: OwnerReference, namespace: string | undefined): Presence {
    return this.#owners.get(reference.uid)?.presence.get(coordinatesOf(reference, namespace)) ?? 'unknown';
  }

  /** Takes in what somebody looked up, unless a change has told more since. */
  lookedUp(reference: OwnerReference, namespace: string | undefined, presence: 'there' | 'gone'): void {
    const owner = this.#owners.get(reference.uid);
    const coordinates = coordinatesOf(reference, namespace);
    if (owner?.presence.get(coordinates) === 'unknown') owner.presence.set(coordinates, presence);
  }

  /** Takes in the references of an object. Returns whether it has owners and they changed. */
  #link(object: KubeObject, old: KubeObject | undefined): boolean {
    const references = ownersOf(object);
    const before = old === undefined ? NONE : ownersOf(old);
    if (references.length === 0 && before.length === 0) return false;
    const uid = object.metadata.uid!;
    for (const { uid: ownerUid } of before) {
      if (!references.some((one) => one.uid === ownerUid)) this.#unlink(uid, ownerUid);
    }
    if (references.length === 0) {
      this.#dependents.delete(uid);
      return false;
    }
    this.#dependents.set(uid, object);
    for (const reference of references) {
      const owner = this.#ownerOf(reference.uid);
      owner.dependents.set(uid, object);
      const coordinates = coordinatesOf(reference, object.metadata.namespace);
      if (!owner.presence.has(coordinates))
        owner.presence.set(coordinates, this.#presenceByGraph(reference, object));
      // Its reference may no longer hold up the deletion of its owner.
      if (owner.waiting !== undefined) this.#enqueue(`owner/${owner.uid}`, false);
    }
    return old === undefined || references !== before;
  }

  /** An owner that has owners itself is known from that. */
  #presenceByGraph(reference: OwnerReference, dependent: KubeObject): Presence {
    const known = this.#dependents.get(reference.uid);
    if (known === undefined) return 'unknown';
    return isNamed(known, reference, dependent.metadata.namespace) ? 'there' : 'gone';
  }

  #unlink(dependentUid: string, ownerUid: string): void {
    const owner = this.#owners.get(ownerUid);
    if (owner === undefined) return;
    owner.dependents.delete(dependentUid);
    if (owner.waiting !== undefined) this.#enqueue(`owner/${ownerUid}`, false);
    this.#dropIfUnused(owner);
  }

  /** What an object's version tells about it as an owner. Returns whether its end begins with this version. */
  #note(object: KubeObject): boolean {
    const uid = object.metadata.uid!;
    const waits = isWaiting(object);
    const owner = waits ? this.#ownerOf(uid) : this.#owners.get(uid);
    if (owner === undefined) return false;
    for (const coordinates of owner.presence.keys()) {
      owner.presence.set(coordinates, coordinates === ownCoordinates(object, coordinates) ? 'there' : 'gone');
    }
    const began = waits && owner.waiting === undefined;
    owner.waiting = waits ? object : undefined;
    this.#dropIfUnused(owner);
    return began;
  }

  #enqueueUnlessOwned(object: KubeObject): void {
    const { namespace, uid } = object.metadata;
    const settled = ownersOf(object).every(
      (reference) =>
        this.presence(reference, namespace) === 'there' &&
        this.#owners.get(reference.uid)?.waiting === undefined,
    );
    if (!settled) this.#enqueue(`dependent/${uid!}`, false);
  }

  #ownerOf(uid: string): Owner {
    let owner = this.#owners.get(uid);
    if (owner === undefined) {
      owner = { uid, dependents: new Map(), presence: new Map(), waiting: undefined };
      this.#owners.set(uid, owner);
    }
    return owner;
  }

  #dropIfUnused(owner: Owner): void {
    if (owner.dependents.size === 0 && owner.waiting === undefined) this.#owners.delete(owner.uid);
  }
}

const NONE: readonly OwnerReference[] = [];

export function ownersOf(object: KubeObject): readonly OwnerReference[] {
  return object.metadata.ownerReferences ?? NONE;
}

export function hasFinalizer({ metadata }: KubeObject, finalizer: string): boolean {
  return metadata.finalizers?.includes(finalizer) === true;
}

/** Being deleted, and told what to do with its dependents first. */
export function isWaiting(object: KubeObject): boolean {
  return (
    object.metadata.deletionTimestamp !== undefined &&
    (hasFinalizer(object, FOREGROUND) || hasFinalizer(object, ORPHAN))
  );
}

/** COMPAT: events are left alone, as upstream does: they are many and end by themselves. */
function isTracked(object: KubeObject): boolean {
  return object.metadata?.uid !== undefined && object.kind !== 'Event';
}

/** An owner is in the namespace of its dependent, or in none. */
function coordinatesOf({ apiVersion, kind, name }: OwnerReference, namespace: string | undefined): string {
  return `${parseApiVersion(apiVersion).group}/${kind}/${namespace ?? ''}/${name}`;
}

/** The coordinates by which a reference may name this object. */
function ownCoordinates(object: KubeObject, asked: string): string {
  const { name = '', namespace } = object.metadata;
  const { group } = parseApiVersion(object.apiVersion);
  // One without a namespace can be owner in any.
  const scope = namespace ?? asked.split('/')[2] ?? '';
  return `${group}/${object.kind}/${scope}/${name}`;
}

function isNamed(object: KubeObject, reference: OwnerReference, namespace: string | undefined): boolean {
  const asked = coordinatesOf(reference, namespace);
  return asked === ownCoordinates(object, asked);
}
