// What an installation or update needs beside the package itself, as the operators will find it: on a control plane for each
// cluster, since they differ in what they have.
import type { Cluster, PackageManifest } from '../../api/index.ts';
import { errorMessage } from '../../base/index.ts';
import { kinds } from '../../client/index.ts';
import { clusterMatchesAffinity } from '../../fleet/index.ts';
import {
  isInstalledAsDependency,
  packageId,
  packageKey,
  resolveDependencies,
  type AnyPackage,
  type InstalledPackage,
  type Resolution,
} from '../../packaging/index.ts';
import type { Session } from '../objects/index.ts';
import type { Catalogue } from './catalogue.ts';
import { allInstalled } from './installed.ts';
import type { Place } from './place.ts';

export interface Decision {
  /** Undefined: the cluster that the command acts in. */
  readonly cluster: string | undefined;
  readonly resolution: Resolution | undefined;
  /** Why nothing can be said. */
  readonly unknown: string | undefined;
}

/** LIMIT: clusters that are asked at once. */
const AT_ONCE = 8;

/** Decides for this cluster, or for each member that is named. */
export async function decide(
  place: Place,
  catalogue: Catalogue,
  target: AnyPackage,
  manifest: PackageManifest,
  clusters: readonly string[],
): Promise<readonly Decision[]> {
  if (!place.onHub)
    return [{ ...(await decideIn(place.session, catalogue, target, manifest)), cluster: undefined }];
  const decisions: Decision[] = [];
  for (let at = 0; at < clusters.length; at += AT_ONCE)
    decisions.push(
      ...(await Promise.all(
        clusters.slice(at, at + AT_ONCE).map(async (cluster): Promise<Decision> => {
          try {
            return {
              ...(await decideIn(place.session.member(cluster), catalogue, target, manifest)),
              cluster,
            };
          } catch (error) {
            return { cluster, resolution: undefined, unknown: errorMessage(error) };
          }
        }),
      )),
    );
  return decisions;
}

async function decideIn(
  session: Session,
  catalogue: Catalogue,
  target: AnyPackage,
  manifest: PackageManifest,
): Promise<Omit<Decision, 'cluster'>> {
  const installed = await installedPackages(session, catalogue);
  const { version, repositoryName = catalogue.defaultName } = target.spec.packageInfo;
  const resolution = await resolveDependencies(
    { installed, target: { ...packageId(target), kind: target.kind, version, repositoryName, manifest } },
    { clients: catalogue.clients, defaultRepository: catalogue.defaultName },
  );
  return { resolution, unknown: undefined };
}

/** What is there, with what each of them needs as far as its repository says. */
export async function installedPackages(
  { client }: Pick<Session, 'client'>,
  catalogue: Catalogue,
): Promise<readonly InstalledPackage[]> {
  const all = await allInstalled({ client });
  return Promise.all(
    all
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map(async (one): Promise<InstalledPackage> => {
        const { name, version, repositoryName = catalogue.defaultName } = one.spec.packageInfo;
        const repository = catalogue.clients.find((client_) => client_.name === repositoryName);
        const found = await repository?.manifest(name, version).catch(() => undefined);
        return {
          ...packageId(one),
          kind: one.kind,
          packageName: name,
          version,
          repositoryName,
          manual: !isInstalledAsDependency(one),
          manifest: found?.manifest,
        };
      }),
  );
}

/** Names of the clusters that are meant, in order. */
export async function clustersMeant(
  { client }: Place,
  affinity: Parameters<typeof clusterMatchesAffinity>[1],
): Promise<readonly string[]> {
  const { items } = await client.listAll<Cluster>(kinds.clusters);
  return items
    .filter((cluster) => clusterMatchesAffinity(cluster, affinity))
    .map(({ metadata }) => metadata.name ?? '')
    .sort();
}

/** A line for each thing that will be done, clusters that agree together. */
export function decisionLines(decisions: readonly Decision[], explain: boolean): readonly string[] {
  const groups = Map.groupBy(decisions, ({ resolution, unknown }) =>
    JSON.stringify([
      unknown,
      resolution?.requirements,
      resolution?.conflicts,
      resolution?.pruned,
      resolution?.reasons,
    ]),
  );
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const where = group.flatMap(({ cluster }) => cluster ?? []);
    const prefix = where.length === 0 ? '' : `${where.join(', ')}: `;
    return linesOf(first, explain).map((line) => `${prefix}${line}`);
  });
}

function linesOf({ resolution, unknown }: Decision, explain: boolean): readonly string[] {
  if (resolution === undefined) return [`cannot be asked: ${unknown ?? ''}`];
  return [
    ...resolution.requirements.map(
      (one) =>
        `installs ${one.component ? 'component' : 'dependency'} ${packageKey(one)}${one.packageName === one.name ? '' : ` (package ${one.packageName})`} ${one.version}`,
    ),
    ...resolution.pruned.map((id) => `uninstalls ${packageKey(id)}, which nothing needs any more`),
    ...resolution.reasons,
    ...(explain ? resolution.explanation.map((line) => `  ${line}`) : []),
  ];
}

/** Why it cannot be done in some cluster; empty when it can. */
export function objections(decisions: readonly Decision[]): readonly string[] {
  return decisionLines(
    decisions
      .filter(({ resolution }) => (resolution?.reasons.length ?? 0) > 0)
      .map((one) => ({
        ...one,
        resolution:
          one.resolution === undefined ? undefined : { ...one.resolution, requirements: [], pruned: [] },
      })),
    false,
  );
}
