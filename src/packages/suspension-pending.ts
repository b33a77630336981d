// What carrying on would change of a suspended package, by what was applied last: what waits is kept apart from what others
// changed meanwhile. Only read from the cluster and the repository; nothing is written to find it out.
import type { ObjectChange, PackageInfo } from '../api/index.ts';
import { StatusError } from '../machinery/index.ts';
import {
  CHANGES_MAX,
  RepositoryError,
  againstApplied,
  isPrepared,
  packageInfoFor,
  packageInfoName,
  plannedChanges,
  preparePackage,
  resourceReference,
  type AnyPackage,
} from '../packaging/index.ts';
import type { Snapshot } from './applied-snapshot.ts';
import type { PackageContext } from './context.ts';
import { gather } from './package-controller/gather.ts';
import { IntegrityError } from './package-info-controller.ts';

/** Undefined: it cannot be told, since its repository cannot be asked or what is wanted is not possible. */
export async function pendingChangesOf(
  context: PackageContext,
  owner: AnyPackage,
  snapshot: Snapshot,
  signal: AbortSignal,
): Promise<readonly ObjectChange[] | undefined> {
  try {
    const info = await infoOf(context, owner, signal);
    const { manifest } = info.status ?? {};
    if (manifest === undefined) return undefined;
    const prepared = preparePackage(await gather(context, owner, info, manifest, signal));
    if (!isPrepared(prepared)) return undefined;
    const { plan, objects, going } = againstApplied(prepared, snapshot.objects);
    const packages = plan.steps.flatMap((step): readonly ObjectChange[] => {
      if (step.do !== 'CreatePackage' && step.do !== 'SetComponentValues') return [];
      const { markedForDeletion: _mark, ...reference } = resourceReference(step.object);
      return [{ ...reference, operation: step.do === 'CreatePackage' ? 'Create' : 'Update' }];
    });
    return [...packages, ...plannedChanges(objects, going).map(({ change }) => change)].slice(0, CHANGES_MAX);
  } catch (error) {
    const expected =
      error instanceof RepositoryError || error instanceof IntegrityError || error instanceof StatusError;
    if (signal.aborted || !expected) throw error;
    return undefined;
  }
}

/** What is known of the version, or what its repository says now; while it is suspended no PackageInfo is made for it. */
async function infoOf(
  { caches, repositories }: PackageContext,
  { spec }: AnyPackage,
  signal: AbortSignal,
): Promise<PackageInfo> {
  const { name, version, repositoryName = '' } = spec.packageInfo;
  const known = caches.packageInfos.store.get(packageInfoName(repositoryName, name, version));
  if (known?.status?.version === version && known.status.manifest !== undefined) return known;
  const repository = await repositories.open(spec.packageInfo.repositoryName);
  const { url, manifest } = await repository.manifest(name, version, signal);
  const wanted = packageInfoFor(repositoryName, name, version);
  return { ...wanted, status: { manifest, resolvedUrl: url, version } };
}
