// The PackageInfo of a package: recorded as owned before it is created, and whether what it says can be used.
import type { OwnedResourceReference, PackageInfo, PackageManifest } from '../../api/index.ts';
import { isAlreadyExists, kinds } from '../../client/index.ts';
import {
  packageInfoFor,
  packageInfoName,
  type AnyPackage,
  type PackageVerdict,
} from '../../packaging/index.ts';
import type { PackageContext } from '../context.ts';
import { union, writeStatus } from './status.ts';

/** Whether what is in the cluster is what the package asks for now. */
export function isInstalled({ metadata, spec, status }: AnyPackage): boolean {
  return status?.version === spec.packageInfo.version && status.appliedGeneration === metadata.generation;
}

/** The package's PackageInfo once it can be used, or what to say until then. */
export async function packageInfoOf(
  context: PackageContext,
  owner: AnyPackage,
  signal: AbortSignal,
): Promise<
  | { readonly owner: AnyPackage; readonly info: PackageInfo; readonly manifest: PackageManifest }
  | (PackageVerdict & { readonly owner: AnyPackage })
> {
  const { name, version, repositoryName = '' } = owner.spec.packageInfo;
  const { caches, client } = context;
  const wanted = packageInfoFor(repositoryName, name, version);
  const reference: OwnedResourceReference = {
    group: 'packages.glasskube.dev',
    version: 'v1alpha1',
    kind: 'PackageInfo',
    name: packageInfoName(repositoryName, name, version),
  };
  const recorded = await writeStatus(context, owner, {
    ...owner.status,
    ownedPackageInfos: union(owner.status?.ownedPackageInfos, [reference]),
  });
  const info = caches.packageInfos.store.get(reference.name);
  if (info === undefined) {
    try {
      await client.create(kinds.packageInfos, wanted, { signal });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  }
  const { manifest, conditions = [] } = info?.status ?? {};
  const current = info?.status?.version === version && manifest !== undefined;
  const failure = conditions.find(({ type, status }) => type === 'Failed' && status === 'True');
  // A repository that cannot be reached, or changed what was published, does not touch what is installed.
  if (info !== undefined && current && (failure === undefined || isInstalled(owner)))
    return { owner: recorded, info, manifest };
  if (failure !== undefined)
    return {
      owner: recorded,
      state: 'Failed',
      reason: failure.reason === 'IntegrityFailed' ? 'IntegrityFailed' : 'SyncFailed',
      message: failure.message,
    };
  return {
    owner: recorded,
    state: 'Unknown',
    reason: 'Pending',
    message: `reading ${name} ${version} from its repository`,
  };
}
