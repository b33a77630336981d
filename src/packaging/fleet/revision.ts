// What a FleetPackage wants of one cluster: a revision, which is what waves are about, and what differs there, which is not.
import type {
  Cluster,
  ClusterFleetPackage,
  FleetPackage,
  FleetPackageOverride,
  PackageRevision,
  PackageSpec,
} from '../../api/index.ts';
import { clusterMatchesAffinity, untoleratedTaint } from '../../fleet/index.ts';
import { fnv1a32 } from '../../machinery/index.ts';

export type AnyFleetPackage = FleetPackage | ClusterFleetPackage;
export type FleetPackageSpec = AnyFleetPackage['spec'];

/** Keys in order, so that equal contents have one hash. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .filter(([, child]) => child !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, child]) => [key, ordered(child)]);
}

/** Sixteen hexadecimal digits. */
export function hashOf(value: unknown): string {
  const text = JSON.stringify(ordered(value));
  return [text, `${text}#`].map((one) => fnv1a32(one).toString(16).padStart(8, '0')).join('');
}

/** The part of a package's spec that reaches clusters in waves. */
export function revisionOf({ packageInfo, values }: PackageSpec): PackageRevision {
  const { version, repositoryName } = packageInfo;
  const content = {
    version,
    ...(repositoryName === undefined || repositoryName === '' ? {} : { repositoryName }),
    ...(values === undefined || Object.keys(values).length === 0 ? {} : { values }),
  };
  return { name: hashOf(content), ...content };
}

/** What one cluster is to have. */
export interface WantedInCluster {
  /** Names exactly this: the mark by which its status is recognised. */
  readonly mark: string;
  readonly packageInfo: PackageSpec['packageInfo'];
  readonly values: NonNullable<PackageSpec['values']>;
  /** Undefined: no override says anything about it. */
  readonly suspend: boolean | undefined;
}

export function wantedIn(
  cluster: Cluster,
  spec: FleetPackageSpec,
  revision: PackageRevision,
): WantedInCluster {
  const fitting = (spec.overrides ?? []).filter(({ clusterAffinity }) =>
    clusterMatchesAffinity(cluster, clusterAffinity),
  );
  const last = <T>(read: (one: FleetPackageOverride) => T | undefined): T | undefined =>
    fitting.map(read).findLast((value) => value !== undefined);
  const repositoryName = last((one) => one.repositoryName) ?? revision.repositoryName;
  const packageInfo = {
    name: spec.template.packageInfo.name,
    version: last((one) => one.version) ?? revision.version,
    ...(repositoryName === undefined ? {} : { repositoryName }),
  };
  const values = Object.fromEntries(
    [revision.values ?? {}, ...fitting.map((one) => one.values ?? {})].flatMap((one) => Object.entries(one)),
  );
  return { mark: hashOf([packageInfo, values]), packageInfo, values, suspend: last((one) => one.suspend) };
}

/**
 * The clusters that are to have the package, in the order of their names. Taints keep away; a cluster that `has` it already
 * keeps it, as with any policy.
 */
export function fleetTargets(
  { placement }: FleetPackageSpec,
  clusters: readonly Cluster[],
  has: (name: string) => boolean,
): readonly Cluster[] {
  const { clusterAffinity = {}, clusterTolerations = [] } = placement ?? {};
  return clusters
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .filter((cluster) => clusterMatchesAffinity(cluster, clusterAffinity))
    .filter(
      ({ metadata, spec }) =>
        has(metadata.name ?? '') ||
        untoleratedTaint(spec.taints ?? [], clusterTolerations, ['NoSchedule', 'NoExecute']) === undefined,
    )
    .sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
}
