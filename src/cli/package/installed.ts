// Installed packages: which one a name means, and how it is, in the words of the tables.
import { AUTO_UPDATE_ANNOTATION } from '../../api/index.ts';
import { systemClock } from '../../base/index.ts';
import { isForbidden, type Client, type Resource } from '../../client/index.ts';
import { parseTime } from '../../machinery/index.ts';
import {
  isSuspendedBySpec,
  packageId,
  packageKey,
  updatesItself,
  type AnyFleetPackage,
  type AnyPackage,
} from '../../packaging/index.ts';
import { CommandError, nearest } from '../shell/index.ts';
import { clusterPackages, fleetPackagesOfKind, packages, type PackageFlags, type Place } from './place.ts';

/** LIMIT: as many as one list of the command line can be about. */
export async function allInstalled(
  { client }: Pick<Place, 'client'>,
  namespace?: string,
): Promise<readonly AnyPackage[]> {
  const [namespaced, cluster] = await Promise.all([
    client.listAll(packages, { namespace }),
    client.listAll(clusterPackages),
  ]);
  return [...namespaced.items, ...cluster.items];
}

/** The one that is meant; throws CommandError for none, with the names that were meant, and for two. */
export async function findInstalled(place: Place, name: string, flags: PackageFlags): Promise<AnyPackage> {
  const { session } = place;
  const wanted = await candidates(place, name, flags);
  const found = wanted.filter(({ metadata }) => metadata.name === name);
  if (found.length > 1)
    throw new CommandError(
      `there are a Package and a ClusterPackage "${name}"; say which with --kind package or --kind clusterpackage`,
    );
  if (found[0] !== undefined) return found[0];
  const where = flags.kind === 'clusterpackage' ? '' : ` in namespace ${session.namespace}`;
  const near = nearest(
    name,
    wanted.map(({ metadata }) => metadata.name ?? ''),
  );
  const hint = near.length === 0 ? '' : `\nDid you mean this?\n${near.map((one) => `\t${one}`).join('\n')}`;
  throw new CommandError(`no package "${name}" is installed${where}${hint}`);
}

/** The packages that a name may mean. Throws StatusError for who may look at none of them. */
async function candidates(
  { client, session }: Place,
  name: string,
  { kind }: PackageFlags,
): Promise<readonly AnyPackage[]> {
  const { namespace, namespaceGiven } = session;
  const reads = [
    ...(kind === 'clusterpackage' ? [] : [readableOnes(client, packages, { namespace, name })]),
    ...(kind === 'package' || namespaceGiven ? [] : [readableOnes(client, clusterPackages, { name })]),
  ];
  const found = await Promise.allSettled(reads);
  const read = found.filter((one) => one.status === 'fulfilled');
  const [refused] = found.filter((one) => one.status === 'rejected');
  if (refused !== undefined && (read.length === 0 || !isForbidden(refused.reason))) throw refused.reason;
  return read.flatMap(({ value }) => value);
}

/** Who may not list packages may still look at the one. */
async function readableOnes(
  client: Client,
  type: Resource<AnyPackage>,
  key: { readonly namespace?: string; readonly name: string },
): Promise<readonly AnyPackage[]> {
  const { namespace } = key;
  try {
    return (await client.listAll(type, namespace === undefined ? {} : { namespace })).items;
  } catch (error) {
    if (!isForbidden(error)) throw error;
    const one = await client.find(type, key);
    return one === undefined ? [] : [one];
  }
}

/** The FleetPackage that takes it to its clusters, if one does. */
export async function fleetPackageOf(
  { client, onHub }: Place,
  { kind, metadata }: AnyPackage,
): Promise<AnyFleetPackage | undefined> {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
  if (!onHub || !owner?.kind.endsWith('FleetPackage')) return undefined;
  return client.find(fleetPackagesOfKind(kind), {
    name: owner.name,
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
  });
}

/** `package/shop/web`, `clusterpackage/web`: how messages call it. */
export function titleOf(one: AnyPackage): string {
  return `${one.kind.toLowerCase()}/${packageKey(packageId(one))}`;
}

export type State = 'Uninstalling' | 'Ready' | 'Failed' | 'Pending';

function conditionOf(
  { status }: AnyPackage,
  type: string,
): { readonly status: string; readonly reason: string; readonly message: string } | undefined {
  return status?.conditions?.find((one) => one.type === type);
}

export function stateOf(one: AnyPackage): State {
  if (one.metadata.deletionTimestamp !== undefined) return 'Uninstalling';
  if (conditionOf(one, 'Ready')?.status === 'True') return 'Ready';
  return conditionOf(one, 'Failed')?.status === 'True' ? 'Failed' : 'Pending';
}

export function messageOf(one: AnyPackage): string {
  const ready = conditionOf(one, 'Ready');
  return ready?.message === undefined || ready.message === '' ? (ready?.reason ?? '') : ready.message;
}

function clockTime(ms: number, nowMs: number): string {
  const text = new Date(ms).toISOString();
  return ms - nowMs < 24 * 3_600_000 ? `${text.slice(11, 16)}Z` : text.slice(0, 10);
}

/** `No`, `Yes`, `Until 14:00Z`, `Policy`, `Window`, or on the hub `2 of 3`. */
export function suspendedText(one: AnyPackage): string {
  const { suspension, clusters } = one.status ?? {};
  const nowMs = systemClock.now();
  const untilMs = parseTime(suspension?.until ?? one.spec.suspension?.until ?? '');
  const bySpec = isSuspendedBySpec(one.spec) && (untilMs === undefined || untilMs > nowMs);
  if (clusters !== undefined && clusters.length > 0) {
    const count = clusters.filter(({ suspended }) => suspended === true).length;
    if (count > 0 && count < clusters.length) return `${count} of ${clusters.length}`;
    if (count === 0 && !bySpec) return 'No';
  }
  if (suspension?.active !== true && !bySpec) return 'No';
  const types = suspension?.sources?.map(({ type }) => type) ?? [];
  if (types.length > 0 && !types.includes('Spec')) {
    const [first = ''] = types;
    return first === 'PackageSuspension' ? 'Policy' : first;
  }
  return untilMs === undefined ? 'Yes' : `Until ${clockTime(untilMs, nowMs)}`;
}

/**
 * What waits until it is resumed: how many objects would change, `Yes` where that is not known, on the hub `in 2` clusters; empty:
 * nothing.
 */
export function pendingText({ status }: AnyPackage): string {
  const there = (status?.clusters ?? []).filter(({ pending }) => pending === true).length;
  if (there > 0) return `in ${there}`;
  const { pendingGeneration, pendingChanges = [] } = status?.suspension ?? {};
  if (pendingChanges.length > 0) return String(pendingChanges.length);
  return pendingGeneration === undefined ? '' : 'Yes';
}

/** Suspended in some clusters of a fleet, and not in all. */
export function isPartly(one: AnyPackage): boolean {
  return /^\d+ of/.test(suspendedText(one));
}

/** `v1.0.0 (v1.1.0 desired, v1.2.0 available)`. */
export function versionText(one: AnyPackage, available: string | undefined): string {
  const desired = one.spec.packageInfo.version;
  const versions = new Set((one.status?.clusters ?? []).map(({ version }) => version ?? 'none'));
  const installed = one.status?.version ?? (versions.size > 1 ? [...versions].sort().join(', ') : undefined);
  const notes = [
    ...(installed !== undefined && installed !== desired ? [`${desired} desired`] : []),
    ...(available === undefined ? [] : [`${available} available`]),
  ];
  return `${installed ?? desired}${notes.length === 0 ? '' : ` (${notes.join(', ')})`}`;
}

export function autoUpdateText(one: AnyPackage): string {
  return updatesItself(one) ? 'Enabled' : 'Disabled';
}

/** What clients write; undefined: the annotation goes. */
export function autoUpdateAnnotations(on: boolean): Readonly<Record<string, string | null>> {
  return { [AUTO_UPDATE_ANNOTATION]: on ? 'true' : null };
}

/** `3/3`: clusters that are ready, of those that have it; empty where it is installed itself. */
export function clustersText({ status }: AnyPackage): string {
  const { clusters } = status ?? {};
  if (clusters === undefined) return '';
  return `${clusters.filter(({ ready, stale }) => ready === 'True' && stale !== true).length}/${clusters.length}`;
}

/** As it is printed for programs: what somebody wrote, unless all is wanted. */
export function forOutput<T extends AnyPackage>(one: T, all: boolean): T {
  if (all) return one;
  const { name, namespace, annotations = {}, labels = {} } = one.metadata;
  const ours = (from: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
    Object.fromEntries(Object.entries(from).filter(([key]) => key.startsWith('packages.glasskube.dev/')));
  const kept = (key: 'annotations' | 'labels', from: Readonly<Record<string, string>>): object => {
    const own = ours(from);
    return Object.keys(own).length === 0 ? {} : { [key]: own };
  };
  return {
    apiVersion: one.apiVersion,
    kind: one.kind,
    metadata: {
      ...(name === undefined ? {} : { name }),
      ...(namespace === undefined ? {} : { namespace }),
      ...kept('labels', labels),
      ...kept('annotations', annotations),
    },
    spec: one.spec,
  } as T;
}
