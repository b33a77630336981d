// What was applied of a package last, as it is kept in Secrets beside it: where it is, how it is read, and how what is wanted
// now differs from it.
import { PACKAGES_NAMESPACE, type KubeObject, type OwnedResourceReference } from '../api/index.ts';
import type { ComparedObject } from './drift.ts';
import type { AnyPackage } from './package-object.ts';
import type { PackagePlan } from './plan.ts';
import { planPackage, type Prepared } from './prepare.ts';
import { resourceKey, resourceReference } from './render.ts';

export const APPLIED_TYPE = 'packages.glasskube.dev/applied.v1';
export const APPLIED_DIGEST = 'packages.glasskube.dev/applied-digest';
export const APPLIED_CHUNKS = 'packages.glasskube.dev/applied-chunks';
export const APPLIED_KEY = 'objects';
/** LIMIT: Secrets of one package, so that a snapshot that was tampered with fills no memory. */
export const APPLIED_CHUNKS_MAX = 64;
/** LIMIT: of a snapshot that is read. */
const BYTES_MAX = 256 * 1024 * 1024;

export interface Applied {
  /** In the order in which they were applied. */
  readonly objects: readonly KubeObject[];
  /** Of the spec that they were made from, without what says that it is suspended. */
  readonly specHash: string;
}

export interface AppliedContent extends Applied {
  /** Of the package. */
  readonly version: string;
  readonly generation?: number | undefined;
}

export function appliedPlace(
  { kind, metadata }: AnyPackage,
  chunk: number,
): { readonly namespace: string; readonly name: string } {
  const name = `${kind.toLowerCase()}-${metadata.name ?? ''}-applied${chunk === 0 ? '' : `-${chunk}`}`;
  return { namespace: metadata.namespace ?? PACKAGES_NAMESPACE, name };
}

export interface AppliedSeams {
  readonly find: (place: {
    readonly namespace: string;
    readonly name: string;
  }) => Promise<KubeObject | undefined>;
  /** Text of gzip in base64 parts, and its SHA-256 in hex. Throws for what is no gzip, or is longer. */
  readonly unpack: (
    parts: readonly string[],
    bytesMax: number,
  ) => { readonly text: string; readonly sha256: string };
}

/** Undefined: nothing is kept, or not all of it is there. */
export async function readApplied(
  owner: AnyPackage,
  { find, unpack }: AppliedSeams,
): Promise<AppliedContent | undefined> {
  const first = await find(appliedPlace(owner, 0));
  const count = Number(first?.metadata.annotations?.[APPLIED_CHUNKS] ?? 0);
  if (first === undefined || first['type'] !== APPLIED_TYPE) return undefined;
  if (!(count >= 1 && count <= APPLIED_CHUNKS_MAX)) return undefined;
  const digest = first.metadata.annotations?.[APPLIED_DIGEST] ?? '';
  const parts = [partOf(first)];
  for (let chunk = 1; chunk < count; chunk++) {
    const next = await find(appliedPlace(owner, chunk));
    if (next?.metadata.annotations?.[APPLIED_DIGEST] !== digest) return undefined;
    parts.push(partOf(next));
  }
  try {
    const { text, sha256 } = unpack(parts, BYTES_MAX);
    return sha256 === digest ? (JSON.parse(text) as AppliedContent) : undefined;
  } catch {
    // Somebody else wrote it.
    return undefined;
  }
}

function partOf(secret: KubeObject): string {
  return ((secret['data'] ?? {}) as Readonly<Record<string, string>>)[APPLIED_KEY] ?? '';
}

/** What is wanted now beside what was applied. */
export function againstApplied(
  prepared: Prepared,
  applied: readonly KubeObject[],
): {
  readonly plan: PackagePlan;
  readonly objects: readonly ComparedObject[];
  readonly going: readonly OwnedResourceReference[];
} {
  const before = new Map(applied.map((object) => [resourceKey(resourceReference(object)), object] as const));
  // What is needed first is not there yet; the rest is planned as if it were.
  const plan = planPackage({ prepared: { ...prepared, waitingFor: [] }, live: before, leftovers: before });
  const objects = plan.steps.flatMap((step): readonly ComparedObject[] => {
    if (step.do !== 'Apply') return [];
    const live = before.get(resourceKey(resourceReference(step.object)));
    return [
      live === undefined ? { wanted: step.object } : { wanted: step.object, live, applied: step.object },
    ];
  });
  const staying = new Set(objects.map(({ wanted }) => resourceKey(resourceReference(wanted))));
  return {
    plan,
    objects,
    going: applied.map(resourceReference).filter((one) => !staying.has(resourceKey(one))),
  };
}
