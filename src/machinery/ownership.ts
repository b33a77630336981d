// Who owns an object, and what must happen before it may go: owner references and finalizers.
// Objects are shared and frozen: what changes one returns another, and the same one when nothing changes.
import type { KubeObject, ObjectMeta, OwnerReference } from '../api/index.ts';
import { deepEqual } from './json.ts';

/** The owner that manages `object`, if there is one. */
export function controllerOf(object: { readonly metadata: ObjectMeta }): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((reference) => reference.controller === true);
}

/** Whether `owner` manages `object`. Uids decide: an owner of the same name that was created anew does not. */
export function isControlledBy(
  object: { readonly metadata: ObjectMeta },
  owner: { readonly metadata: ObjectMeta },
): boolean {
  const uid = owner.metadata.uid;
  return uid !== undefined && controllerOf(object)?.uid === uid;
}

/** A reference that makes `owner` the controller of what carries it. */
export function controllerReference(owner: KubeObject): OwnerReference {
  return { ...ownerReference(owner), controller: true, blockOwnerDeletion: true };
}

export function ownerReference(owner: KubeObject): OwnerReference {
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name ?? '',
    uid: owner.metadata.uid ?? '',
  };
}

/** The references without those that equal one before them, and these. */
export function distinctOwners(references: readonly OwnerReference[]): {
  readonly distinct: readonly OwnerReference[];
  readonly repeated: readonly OwnerReference[];
} {
  const distinct: OwnerReference[] = [];
  const repeated: OwnerReference[] = [];
  for (const reference of references) {
    const known = distinct.some((other) => other.uid === reference.uid && deepEqual(other, reference));
    (known ? repeated : distinct).push(reference);
  }
  return { distinct, repeated };
}

export function isBeingDeleted(object: { readonly metadata: ObjectMeta }): boolean {
  return object.metadata.deletionTimestamp !== undefined;
}

export function hasFinalizer(object: { readonly metadata: ObjectMeta }, finalizer: string): boolean {
  return object.metadata.finalizers?.includes(finalizer) === true;
}

export function withFinalizer<T extends { readonly metadata: ObjectMeta }>(object: T, finalizer: string): T {
  if (hasFinalizer(object, finalizer)) return object;
  const finalizers = [...(object.metadata.finalizers ?? []), finalizer];
  return { ...object, metadata: { ...object.metadata, finalizers } };
}

export function withoutFinalizer<T extends { readonly metadata: ObjectMeta }>(
  object: T,
  finalizer: string,
): T {
  if (!hasFinalizer(object, finalizer)) return object;
  const { finalizers = [], ...metadata } = object.metadata;
  const left = finalizers.filter((one) => one !== finalizer);
  return { ...object, metadata: left.length === 0 ? metadata : { ...metadata, finalizers: left } };
}
