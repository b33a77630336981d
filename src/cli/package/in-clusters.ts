// What each cluster of a control plane is to have of a package: the template, with what its FleetPackage and override policies
// say for that cluster alone. Values are judged cluster by cluster before anything is written, since what is dispatched is
// judged by the member only.
import type { Cluster } from '../../api/index.ts';
import { errorMessage } from '../../base/index.ts';
import { isForbidden, isNotFound, kinds } from '../../client/index.ts';
import {
  RepositoryError,
  revisionOf,
  wantedIn,
  type AnyFleetPackage,
  type AnyPackage,
} from '../../packaging/index.ts';
import { applyOverrides, type AnyOverridePolicy } from '../../propagation/index.ts';
import { CommandError } from '../shell/index.ts';
import type { Catalogue } from './catalogue.ts';
import { fleetPackageOf } from './installed.ts';
import type { Place } from './place.ts';
import { valueComplaints } from './values.ts';

/** The package as one cluster is to have it, or why it cannot be sent there. */
export type InCluster = { readonly wanted: AnyPackage } | { readonly problem: string };

export interface InClusterInput {
  /** As it is to be in general. */
  readonly target: AnyPackage;
  readonly fleetPackage: AnyFleetPackage | undefined;
  readonly cluster: Cluster;
  readonly clusterPolicies: readonly AnyOverridePolicy[];
  /** Those of the package's namespace. */
  readonly policies: readonly AnyOverridePolicy[];
}

/** Pure. */
export function inCluster({
  target,
  fleetPackage,
  cluster,
  clusterPolicies,
  policies,
}: InClusterInput): InCluster {
  const manifest = fleetPackage === undefined ? target : ofRollout(target, fleetPackage, cluster);
  // Its own says what it said when it was rolled out last.
  const others = (policy: AnyOverridePolicy): boolean =>
    fleetPackage === undefined ||
    !policy.metadata.ownerReferences?.some(({ uid }) => uid === fleetPackage.metadata.uid);
  const result = applyOverrides({
    manifest,
    cluster,
    clusterPolicies: clusterPolicies.filter(others),
    policies: policies.filter(others),
  });
  return result.ok
    ? { wanted: result.manifest as unknown as AnyPackage }
    : { problem: `override policy ${result.policy} cannot be applied: ${result.error}` };
}

function ofRollout(target: AnyPackage, { spec }: AnyFleetPackage, cluster: Cluster): AnyPackage {
  const { packageInfo, values } = wantedIn(
    cluster,
    { ...spec, template: target.spec },
    revisionOf(target.spec),
  );
  return { ...target, spec: { ...target.spec, packageInfo, values } };
}

/** By cluster, for the ones that are named and known. */
export async function inClusters(
  place: Place,
  target: AnyPackage,
  clusters: readonly string[],
): Promise<ReadonlyMap<string, InCluster>> {
  const { client } = place;
  const { namespace } = target.metadata;
  const [fleetPackage, known, clusterPolicies, policies] = await Promise.all([
    forEyes(fleetPackageOf(place, target), undefined),
    listed(client.listAll(kinds.clusters)),
    listed(client.listAll(kinds.clusterOverridePolicies)),
    namespace === undefined ? [] : listed(client.listAll(kinds.overridePolicies, { namespace })),
  ]);
  return new Map(
    known
      .filter(({ metadata: { name = '' } }) => clusters.includes(name))
      .map((cluster) => [
        cluster.metadata.name ?? '',
        inCluster({ target, fleetPackage, cluster, clusterPolicies, policies }),
      ]),
  );
}

/** What is not for this user's eyes is taken as not there: what follows from the template alone can still be told. */
async function forEyes<T>(reading: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (isForbidden(error) || isNotFound(error)) return otherwise;
    throw error;
  }
}

async function listed<T>(reading: Promise<{ readonly items: readonly T[] }>): Promise<readonly T[]> {
  return (await forEyes(reading, { items: [] })).items;
}

/** Throws CommandError with all that is wrong with values in some cluster, clusters that agree together. */
export async function checkValuesIn(
  place: Place,
  catalogue: Catalogue,
  target: AnyPackage,
  clusters: readonly string[],
): Promise<void> {
  if (!place.onHub || clusters.length === 0) return;
  const told = await Promise.all(
    [...(await inClusters(place, target, clusters))].map(async ([cluster, one]) => ({
      cluster,
      problems: 'problem' in one ? [one.problem] : await complaintsOf(catalogue, one.wanted),
    })),
  );
  const byProblem = Map.groupBy(
    told.flatMap(({ cluster, problems }) => problems.map((problem) => ({ cluster, problem }))),
    ({ problem }) => problem,
  );
  if (byProblem.size === 0) return;
  throw new CommandError(
    [...byProblem]
      .map(([problem, where]) => `in ${where.map(({ cluster }) => cluster).join(', ')}: ${problem}`)
      .join('\nerror: '),
  );
}

async function complaintsOf(catalogue: Catalogue, { spec }: AnyPackage): Promise<readonly string[]> {
  const { name, version, repositoryName } = spec.packageInfo;
  try {
    const { manifest } = await catalogue.client(repositoryName).manifest(name, version);
    return valueComplaints(manifest, spec.values ?? {});
  } catch (error) {
    if (error instanceof RepositoryError || error instanceof CommandError) return [errorMessage(error)];
    throw error;
  }
}
