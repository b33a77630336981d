// Putting right what was applied last, from what is kept of it: where changes wait, and where they cannot be had.
import { RECONCILE_ANNOTATION, type KubeObject, type OwnedResourceReference } from '../api/index.ts';
import { resourceKey, resourceReference, stageOf, type AnyPackage } from '../packaging/index.ts';
import type { Snapshot } from './applied-snapshot.ts';
import type { PackageContext } from './context.ts';
import {
  ApplyError,
  SuspendedMidApply,
  applyObjects,
  type AppliedObjects,
} from './package-controller/apply.ts';
import { findOwned } from './package-controller/prune.ts';
import { suspensionOf } from './suspension-of.ts';

/** What was applied last is applied again where it is not so; what is wrong with that is answered. */
export async function healFromSnapshot(
  context: PackageContext,
  applied: AppliedObjects,
  owner: AnyPackage,
  snapshot: Snapshot,
  signal: AbortSignal,
): Promise<string | undefined> {
  const live = await liveObjects(context, snapshot.objects.map(resourceReference), signal);
  const steps = snapshot.objects
    .filter((object) => !isLeftAlone(live.get(resourceKey(resourceReference(object)))))
    .map((object) => ({ do: 'Apply', object, stage: stageOf(object), owned: true }) as const);
  const plan = {
    verdict: { state: 'Ready', reason: 'UpToDate', message: '' },
    steps,
    rendered: snapshot.objects,
    owned: [],
    explanation: [],
  } as const;
  try {
    // Somebody may want all of it to stand still meanwhile.
    const isSuspended = (): boolean => {
      const { active, mode } = suspensionOf(context, owner);
      return active && mode === 'Full';
    };
    await applyObjects(context, applied, { owner, plan, live, isSuspended, signal });
    return undefined;
  } catch (error) {
    if (error instanceof SuspendedMidApply) return undefined;
    if (!(error instanceof ApplyError)) throw error;
    return error.message;
  }
}

/** Somebody wants this object to be let alone. */
export function isLeftAlone(live: KubeObject | undefined): boolean {
  return live?.metadata.annotations?.[RECONCILE_ANNOTATION] === 'disabled';
}

/** What is there of these, by key. */
export async function liveObjects(
  context: PackageContext,
  references: readonly OwnedResourceReference[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, KubeObject>> {
  const found = await Promise.all(
    references.map(
      async (reference) => [resourceKey(reference), await findOwned(context, reference, signal)] as const,
    ),
  );
  return new Map(found.flatMap(([key, object]) => (object === undefined ? [] : [[key, object] as const])));
}
