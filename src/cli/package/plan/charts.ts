// The charts of a package as the operator of a cluster would install them, rendered with the helm program that is here.
import { HELM_NOTICE, type KubeObject } from '../../../api/index.ts';
import { systemClock } from '../../../base/index.ts';
import { findHelm, kinds } from '../../../client/index.ts';
import {
  ChartRenderer,
  capabilitiesFrom,
  isWaiting,
  missingFlux,
  packageCharts,
  type AnyPackage,
  type FetchedManifest,
  type HelmMode,
  type HelmProgram,
  type HelmSetting,
  type PackageCharts,
  type PackageRepositoryClient,
  type RepositorySeams,
  type ResolvedValues,
} from '../../../packaging/index.ts';
import { CommandError } from '../../shell/index.ts';
import type { Session } from '../../objects/index.ts';

export interface ChartsOptions {
  readonly target: AnyPackage;
  readonly found: FetchedManifest;
  readonly repository: PackageRepositoryClient;
  readonly seams: RepositorySeams;
  readonly values: ResolvedValues;
  readonly transformationSource: (index: number) => KubeObject | undefined;
  readonly packages: readonly AnyPackage[];
}

/** Undefined: it has none. Throws CommandError and RepositoryError for charts that cannot be had. */
export async function chartsOf(
  session: Session,
  { target, found, repository, seams, values, transformationSource, packages }: ChartsOptions,
): Promise<PackageCharts | undefined> {
  const { manifest, url } = found;
  if (manifest.helm === undefined) return undefined;
  const { client, mapper } = session;
  const kindOfFlux = async (group: string, version: string, kind: string): Promise<boolean | undefined> =>
    (await mapper.resourceForKind({ group, version, kind }))?.namespaced;
  const release = await kindOfFlux('helm.toolkit.fluxcd.io', 'v2', 'HelmRelease');
  const source = await kindOfFlux('source.toolkit.fluxcd.io', 'v1', 'HelmRepository');
  const flux = missingFlux(manifest, (_apiVersion, kind) => (kind === 'HelmRelease' ? release : source));
  // Charts that are installed stay what they were, and what was not told yet is found out.
  const there = await client.find(kinds.packageInfos, { name: infoOf(target) ?? '-' });
  const digests = there?.status?.digests ?? [];
  return packageCharts({
    package: target,
    manifest,
    values,
    transformationSource,
    helm: await helmOf(session, seams),
    missingFlux: isWaiting(target, manifest, packages) ? undefined : flux,
    place: { repositoryUrl: manifest.helm.repositoryUrl, resolvedUrl: url, repository },
    async capabilities() {
      const version = (await client.request({ method: 'GET', path: '/version' })) as {
        readonly gitVersion?: string;
      };
      return capabilitiesFrom(version.gitVersion ?? '', await mapper.resources());
    },
    pinned: {
      digests,
      check(name, sha256, declared) {
        const wanted = digests.find((one) => one.url === name)?.sha256 ?? declared;
        if (wanted !== undefined && wanted !== sha256)
          throw new CommandError(
            `${name} of package "${manifest.name}" is not what it is to be: its SHA-256 is ${sha256}, and should be ${wanted}; have the publisher put it right, or take another version`,
          );
      },
    },
  });
}

function infoOf({ status }: AnyPackage): string | undefined {
  return status?.ownedPackageInfos?.at(-1)?.name;
}

/** What the operator of the cluster has, as it says itself, but with the program of this machine. */
async function helmOf({ client }: Session, seams: RepositorySeams): Promise<HelmSetting> {
  const notice = (await client.find(kinds.configMaps, HELM_NOTICE))?.['data'] as
    | { readonly mode?: HelmMode; readonly version?: string; readonly missing?: string }
    | undefined;
  if (notice?.version === undefined)
    return {
      mode: notice?.mode ?? 'auto',
      renderer: { missing: notice?.missing ?? 'the operator names no helm program' },
    };
  const { mode = 'auto', version } = notice;
  const here = await findHelm({ searchPath: process.env['PATH'] ?? '', clock: systemClock });
  const program: HelmProgram =
    'missing' in here
      ? {
          version,
          run: () =>
            Promise.reject(
              new Error(
                `the operator renders it with helm ${version}; to show what comes of it helm is needed here too, and ${here.missing}`,
              ),
            ),
        }
      : here;
  return { mode, renderer: new ChartRenderer(program, seams) };
}
