// The charts of a package in this cluster: what the operator has of helm, what the cluster can do, and the digests that charts
// were first seen with.
import type { KubeObject, PackageInfo, PackageManifest } from '../api/index.ts';
import { isConflict, isNotFound, kinds } from '../client/index.ts';
import {
  isWaiting,
  missingFlux,
  capabilitiesFrom,
  packageCharts,
  type AnyPackage,
  type Capabilities,
  type KindLookup,
  type PackageCharts,
  type ResolvedValues,
} from '../packaging/index.ts';
import { allPackages, type PackageContext } from './context.ts';
import { IntegrityError, checkDigest } from './package-info-controller.ts';

export interface ChartsOptions {
  readonly owner: AnyPackage;
  readonly info: PackageInfo;
  readonly manifest: PackageManifest;
  readonly values: ResolvedValues;
  readonly transformationSource: (index: number) => KubeObject | undefined;
  readonly signal: AbortSignal;
}

/** Undefined: it has none. Throws RepositoryError and IntegrityError for what cannot be had. */
export async function chartsOf(
  context: PackageContext,
  { owner, info, manifest, values, transformationSource, signal }: ChartsOptions,
): Promise<PackageCharts | undefined> {
  if (manifest.helm === undefined) return undefined;
  const { repositories, caches, helm } = context;
  const { resolvedUrl = '', digests = [] } = info.status ?? {};
  const flux = missingFlux(manifest, await fluxLookup(context));
  return packageCharts({
    package: owner,
    manifest,
    values,
    transformationSource,
    helm,
    // What it needs may be what brings Flux.
    missingFlux: isWaiting(owner, manifest, allPackages(caches)) ? undefined : flux,
    place: {
      repositoryUrl: manifest.helm.repositoryUrl,
      resolvedUrl,
      repository: await repositories.open(owner.spec.packageInfo.repositoryName),
    },
    capabilities: () => capabilitiesOf(context),
    pinned: {
      digests,
      check(name, sha256, declared) {
        checkDigest(digests, name, sha256);
        if (declared !== undefined && declared !== sha256)
          throw new IntegrityError(
            `${name} has SHA-256 ${sha256}, but package.yaml says it must be ${declared}; nothing of it is used. Have the publisher mend the chart or the digest`,
          );
      },
    },
    signal,
  });
}

async function fluxLookup({ mapper }: PackageContext): Promise<KindLookup> {
  const release = await mapper.resourceForKind({
    group: 'helm.toolkit.fluxcd.io',
    version: 'v2',
    kind: 'HelmRelease',
  });
  const repository = await mapper.resourceForKind({
    group: 'source.toolkit.fluxcd.io',
    version: 'v1',
    kind: 'HelmRepository',
  });
  return (_apiVersion, kind) => (kind === 'HelmRelease' ? release : repository)?.namespaced;
}

async function capabilitiesOf({ client, mapper }: PackageContext): Promise<Capabilities> {
  const version = (await client.request({ method: 'GET', path: '/version' })) as {
    readonly gitVersion?: string;
  };
  return capabilitiesFrom(version.gitVersion ?? '', await mapper.resources());
}

/** Writes down charts that were seen for the first time, so that they stay what they are. */
export async function recordCharts(
  { client, caches }: PackageContext,
  { metadata }: PackageInfo,
  charts: PackageCharts | undefined,
): Promise<void> {
  if (charts === undefined || !('digests' in charts) || charts.digests.length === 0) return;
  const info = caches.packageInfos.store.get(metadata.name ?? '');
  if (info?.status === undefined) return;
  const { digests = [] } = info.status;
  const news = charts.digests.filter(({ name }) => !digests.some(({ url }) => url === name));
  if (news.length === 0) return;
  const added = news.map(({ name, sha256, declared }) => ({
    url: name,
    sha256,
    origin: declared ? ('Declared' as const) : ('Recorded' as const),
  }));
  try {
    await client.updateStatus(kinds.packageInfos, {
      ...info,
      status: { ...info.status, digests: [...digests, ...added] },
    });
  } catch (error) {
    // Whoever wrote it brings the package here again.
    if (!isConflict(error) && !isNotFound(error)) throw error;
  }
}
