// Taking over and letting go of objects as selectors say.
// INVARIANT: an object has at most one controlling owner, and nobody takes an object that has one.
import type { KubeObject, OwnerReference } from '../api/index.ts';
import { controllerOf, controllerReference, type Selector } from '../machinery/index.ts';

export interface Claim<T> {
  /** What the owner controls, with what it takes over now as it will be. */
  readonly owned: readonly T[];
  /** Orphans that match, as they are to be written: with the owner's reference. */
  readonly adopt: readonly T[];
  /** Owned ones that no longer match, as they are to be written: without the owner's reference. */
  readonly release: readonly T[];
}

/** Sorts `candidates` (of the owner's namespace) by whether `owner` controls them, must take or must leave them. */
export function claim<T extends KubeObject>(
  owner: KubeObject,
  selector: Selector,
  candidates: readonly T[],
  mayAdopt: (candidate: T) => boolean = () => true,
): Claim<T> {
  const owned: T[] = [];
  const adopt: T[] = [];
  const release: T[] = [];
  const ownerGoes = owner.metadata.deletionTimestamp !== undefined;
  for (const candidate of candidates) {
    const { ownerReferences = [], labels = {}, deletionTimestamp } = candidate.metadata;
    const controller = controllerOf(candidate);
    const matches = selector.matches(labels);
    if (controller !== undefined) {
      if (controller.uid !== owner.metadata.uid) continue;
      if (matches || ownerGoes) owned.push(candidate);
      else
        release.push(
          withReferences(
            candidate,
            ownerReferences.filter((one) => one !== controller),
          ),
        );
    } else if (matches && !ownerGoes && deletionTimestamp === undefined && mayAdopt(candidate)) {
      const adopted = withReferences(candidate, [...ownerReferences, controllerReference(owner)]);
      adopt.push(adopted);
      owned.push(adopted);
    }
  }
  return { owned, adopt, release };
}

function withReferences<T extends KubeObject>(object: T, ownerReferences: readonly OwnerReference[]): T {
  return { ...object, metadata: { ...object.metadata, ownerReferences } };
}
