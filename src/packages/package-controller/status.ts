// The status of a package: written only when something changed, and only onto the version that was read.
import type { OwnedResourceReference, PackageStatus } from '../../api/index.ts';
import { deepEqual } from '../../machinery/index.ts';
import { resourceKey, type AnyPackage, type PackageVerdict } from '../../packaging/index.ts';
import { isNews, readyConditions, withConditions } from '../conditions.ts';
import type { PackageContext } from '../context.ts';
import { resourceOf } from '../resources.ts';

/** Writes the status if it differs, and answers the package as it is then. */
export async function writeStatus(
  { client }: PackageContext,
  owner: AnyPackage,
  status: PackageStatus,
): Promise<AnyPackage> {
  if (deepEqual(owner.status ?? {}, status)) return owner;
  const resource = resourceOf(owner.kind);
  return client.updateStatus(resource, { ...owner, status });
}

/** The status with what is said about the package, and an event when that is news. */
export function withVerdict(
  { clock, recorder }: PackageContext,
  owner: AnyPackage,
  status: PackageStatus,
  verdict: PackageVerdict,
): PackageStatus {
  const { generation } = owner.metadata;
  const conditions = readyConditions(verdict, generation);
  const [ready] = conditions;
  if (verdict.state !== 'Unknown' && isNews(owner.status?.conditions, ready))
    recorder.event(owner, verdict.state === 'Ready' ? 'Normal' : 'Warning', verdict.reason, verdict.message);
  return {
    ...status,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    conditions: withConditions(status.conditions, conditions, clock.now()),
  };
}

export function union(
  some: readonly OwnedResourceReference[] | undefined,
  others: readonly OwnedResourceReference[],
): readonly OwnedResourceReference[] {
  const all = new Map<string, OwnedResourceReference>();
  // The newer entry knows the newer version of the kind.
  for (const reference of [...(some ?? []), ...others]) all.set(resourceKey(reference), reference);
  return [...all.values()];
}

export function without(
  some: readonly OwnedResourceReference[] | undefined,
  gone: readonly OwnedResourceReference[],
): readonly OwnedResourceReference[] {
  const keys = new Set(gone.map(resourceKey));
  return (some ?? []).filter((reference) => !keys.has(resourceKey(reference)));
}
