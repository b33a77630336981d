// Where a package command acts: a control plane, whose packages are templates for its members, or one cluster, where they are
// installed. Both have the same kinds; what differs is who makes them true.
import { Option, type Command } from 'commander';
import { PACKAGES_GROUP, type ClusterFleetPackage, type FleetPackage } from '../../api/index.ts';
import { OperatingError } from '../../base/index.ts';
import { kinds, resource, type Client, type Resource } from '../../client/index.ts';
import type { AnyFleetPackage, AnyPackage, PackageKind } from '../../packaging/index.ts';
import { withNamespace, withSession, type HubFlags, type Session } from '../objects/index.ts';

export interface PackageFlags extends HubFlags {
  readonly cluster?: string;
  readonly kind?: 'package' | 'clusterpackage';
  readonly nonInteractive?: boolean;
  readonly progress?: boolean;
  readonly yes?: boolean;
}

export const { packages, clusterPackages, packageRepositories } = kinds;
const fleetPackages = resource<FleetPackage>({
  group: 'navarch.io',
  version: 'v1alpha1',
  resource: 'fleetpackages',
  namespaced: true,
});
const clusterFleetPackages = resource<ClusterFleetPackage>({
  group: 'navarch.io',
  version: 'v1alpha1',
  resource: 'clusterfleetpackages',
  namespaced: false,
});

export function packagesOfKind(kind: PackageKind): Resource<AnyPackage> {
  return kind === 'Package' ? packages : clusterPackages;
}

export function fleetPackagesOfKind(kind: PackageKind): Resource<AnyFleetPackage> {
  return kind === 'Package' ? fleetPackages : clusterFleetPackages;
}

export interface Place {
  readonly session: Session;
  readonly client: Client;
  /** Packages are sent to members here, and not installed. */
  readonly onHub: boolean;
}

/** The flags of every package command. */
export function withPlaceFlags(command: Command): Command {
  return withNamespace(command)
    .option('-C, --cluster <name>', 'act in this member of the control plane instead of the control plane')
    .option('--non-interactive', 'ask nothing; what would have to be asked is an error')
    .option('--no-progress', 'do not say what is under way');
}

/** Flags that say which of two packages of one name is meant. */
export function withKind(command: Command): Command {
  return command.addOption(
    new Option('--kind <kind>', 'look only for this kind of installed package').choices([
      'package',
      'clusterpackage',
    ]),
  );
}

/** Throws OperatingError NO_PACKAGES where the kinds are not served. */
export async function withPlace<T>(flags: PackageFlags, run: (place: Place) => Promise<T>): Promise<T> {
  return withSession(flags, async (session) => run(await placeOf(session, flags)));
}

async function placeOf(session: Session, { cluster }: PackageFlags): Promise<Place> {
  const there = cluster === undefined ? session : session.member(cluster);
  const [served, hub] = await Promise.all([
    there.mapper.resourceForObject({ apiVersion: `${PACKAGES_GROUP}/v1alpha1`, kind: 'Package' }),
    there.mapper.resourceForObject({ apiVersion: 'cluster.karmada.io/v1alpha1', kind: 'Cluster' }),
  ]);
  if (served === undefined)
    throw new OperatingError(
      'NO_PACKAGES',
      `${cluster === undefined ? 'this cluster' : `cluster ${cluster}`} does not serve ${PACKAGES_GROUP}, so no packages are installed there`,
      'start "navarch package-operator" for it, which brings its kinds along',
    );
  return { session: there, client: there.client, onHub: hub !== undefined };
}
