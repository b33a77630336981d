// What the garbage collector does about one object. Pure.
// COMPAT: kube-controller-manager's rules. An object goes when none of its owners is left; while one is, references to
// those that are gone are taken out. An owner deleted in the foreground keeps its name until every dependent that blocks
// it has gone; one that orphans is taken out of its dependents first.
import type { KubeObject, OwnerReference } from '../../api/index.ts';
import type { Resource } from '../../client/index.ts';
import type { Plan, Write } from '../../runtime/index.ts';
import { FOREGROUND, ORPHAN, hasFinalizer, ownersOf } from './graph.ts';

export type OwnerState =
  /** It is there. */
  | 'solid'
  | 'absent'
  /** It is being deleted and waits for its dependents. */
  | 'waiting'
  /** Its kind is not known here, so nobody can tell. */
  | 'unknown';

export interface DependentInput {
  readonly object: KubeObject;
  readonly resource: Resource;
  readonly owners: readonly { readonly reference: OwnerReference; readonly state: OwnerState }[];
  /** Objects that this one owns. */
  readonly dependents: readonly { readonly object: KubeObject; readonly resource: Resource }[];
}

export function decideDependent({ object, resource, owners, dependents }: DependentInput): Plan {
  // Somebody deletes it already.
  if (object.metadata.deletionTimestamp !== undefined) return {};
  const isIn = (state: OwnerState): OwnerReference[] =>
    owners.filter((owner) => owner.state === state).map(({ reference }) => reference);
  const [solid, absent, waiting] = [isIn('solid'), isIn('absent'), isIn('waiting')];
  if (isIn('unknown').length > 0) {
    return { requeue: { afterMs: 30_000, reason: 'the kind of an owner is not served' } };
  }
  if (owners.length === 0) return {};
  if (solid.length > 0) {
    if (absent.length === 0 && waiting.length === 0) return {};
    return { writes: [keepOwners(object, resource, (one) => solid.some(({ uid }) => uid === one.uid))] };
  }
  const unblock =
    waiting.length > 0
      ? dependents
          // A circle of owners: each would wait for the other for ever.
          .filter((one) => hasFinalizer(one.object, FOREGROUND))
          .map((one) => stopBlocking(one.object, one.resource, object.metadata.uid!))
      : [];
  return { writes: [...unblock, deletion(object, resource, waiting.length > 0 && dependents.length > 0)] };
}

export interface OwnerInput {
  /** Being deleted, with one of the two finalizers. */
  readonly object: KubeObject;
  readonly resource: Resource;
  readonly dependents: readonly { readonly object: KubeObject; readonly resource: Resource }[];
}

export function decideOwner({ object, resource, dependents }: OwnerInput): Plan {
  const { uid } = object.metadata;
  if (hasFinalizer(object, ORPHAN)) {
    return {
      writes: [
        ...dependents.map((one) => keepOwners(one.object, one.resource, (owner) => owner.uid !== uid)),
        withoutFinalizer(object, resource, ORPHAN),
      ],
    };
  }
  const blocked = dependents.some((one) =>
    ownersOf(one.object).some((owner) => owner.uid === uid && owner.blockOwnerDeletion === true),
  );
  return blocked ? {} : { writes: [withoutFinalizer(object, resource, FOREGROUND)] };
}

// ---- writes; each holds only for the version it was decided on

function patch(object: KubeObject, resource: Resource, metadata: Readonly<Record<string, unknown>>): Write {
  const { name = '', namespace, uid = '', resourceVersion = '' } = object.metadata;
  return {
    verb: 'patch',
    resource,
    key: { name, namespace },
    patch: { type: 'merge', body: { metadata } },
    preconditions: { uid, resourceVersion },
  };
}

function keepOwners(object: KubeObject, resource: Resource, keep: (owner: OwnerReference) => boolean): Write {
  const ownerReferences = ownersOf(object).filter(keep);
  return patch(object, resource, { ownerReferences: ownerReferences.length === 0 ? null : ownerReferences });
}

function stopBlocking(object: KubeObject, resource: Resource, ownerUid: string): Write {
  return patch(object, resource, {
    ownerReferences: ownersOf(object).map((owner) =>
      owner.uid === ownerUid ? { ...owner, blockOwnerDeletion: false } : owner,
    ),
  });
}

function withoutFinalizer(object: KubeObject, resource: Resource, finalizer: string): Write {
  const finalizers = (object.metadata.finalizers ?? []).filter((one) => one !== finalizer);
  return patch(object, resource, { finalizers: finalizers.length === 0 ? null : finalizers });
}

function deletion(object: KubeObject, resource: Resource, hasDependentsToWaitFor: boolean): Write {
  const { name = '', namespace, uid = '', resourceVersion = '' } = object.metadata;
  const propagationPolicy = hasDependentsToWaitFor
    ? 'Foreground'
    : hasFinalizer(object, ORPHAN)
      ? 'Orphan'
      : hasFinalizer(object, FOREGROUND)
        ? 'Foreground'
        : 'Background';
  return {
    verb: 'delete',
    resource,
    key: { name, namespace },
    propagationPolicy,
    preconditions: { uid, resourceVersion },
  };
}
