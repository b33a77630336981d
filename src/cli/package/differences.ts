// What differs of a package: in the cluster from what was applied last, as the operator has found it, and from what would be
// applied now.
import type { ObjectChange } from '../../api/index.ts';
import { systemClock } from '../../base/index.ts';
import { isForbidden } from '../../client/index.ts';
import { formatAge } from '../../machinery/index.ts';
import type { AnyFleetPackage, AnyPackage } from '../../packaging/index.ts';
import type { Session } from '../objects/index.ts';
import { withCatalogue } from './catalogue.ts';
import { inClusters } from './in-clusters.ts';
import { fleetPackageOf, titleOf } from './installed.ts';
import { packagesOfKind, type Place } from './place.ts';
import { linesOf, planOf, type ClusterPlan } from './plan/command.ts';
import { keyOf } from './waiting.ts';

export interface Differences {
  /** Undefined: the cluster that the command acts in. */
  readonly cluster: string | undefined;
  readonly drift: readonly ObjectChange[];
  /** When that was found out; absent: never. RFC 3339. */
  readonly checkedAt?: string;
  readonly plan: ClusterPlan;
}

/** @param version instead of the one that is wanted */
export async function differencesOf(
  place: Place,
  one: AnyPackage,
  version: string | undefined,
): Promise<readonly Differences[]> {
  const wanted = (await rolloutOf(place, one))?.spec.template ?? one.spec;
  const packageInfo = version === undefined ? wanted.packageInfo : { ...wanted.packageInfo, version };
  const target: AnyPackage = { ...one, spec: { ...wanted, packageInfo } };
  const clusters = place.onHub ? (one.status?.clusters ?? []).map(({ name }) => name) : [undefined];
  const wantedThere = await inClusters(
    place,
    target,
    clusters.flatMap((cluster) => cluster ?? []),
  );
  return withCatalogue(place, (catalogue) =>
    Promise.all(
      clusters.map(async (cluster): Promise<Differences> => {
        const session: Session = cluster === undefined ? place.session : place.session.member(cluster);
        const plan = await planOf(
          session,
          catalogue,
          wantedThere.get(cluster ?? '') ?? { wanted: target },
          cluster,
        );
        const there = await found(session, one);
        const { drift = [], driftCheckTime } = there?.status?.suspension ?? {};
        return {
          cluster,
          drift,
          ...(driftCheckTime === undefined ? {} : { checkedAt: driftCheckTime }),
          plan,
        };
      }),
    ),
  );
}

/** Undefined also where it is not for this user's eyes: the package itself then says what is rolled out already. */
async function rolloutOf(place: Place, one: AnyPackage): Promise<AnyFleetPackage | undefined> {
  try {
    return await fleetPackageOf(place, one);
  } catch (error) {
    if (isForbidden(error)) return undefined;
    throw error;
  }
}

async function found({ client }: Session, one: AnyPackage): Promise<AnyPackage | undefined> {
  try {
    return await client.find(packagesOfKind(one.kind), keyOf(one));
  } catch {
    // The plan says already that the cluster cannot be asked.
    return undefined;
  }
}

export function differenceLines(one: AnyPackage, differences: readonly Differences[]): readonly string[] {
  return [titleOf(one), ...differences.flatMap(clusterLines).map((line) => `  ${line}`)];
}

function clusterLines({ cluster, drift, checkedAt, plan }: Differences): readonly string[] {
  const where = cluster === undefined ? '' : ` in ${cluster}`;
  const age = checkedAt === undefined ? '' : `, looked at ${formatAge(checkedAt, systemClock.now())} ago`;
  const drifted =
    drift.length === 0
      ? []
      : [`differs${where} from what was applied${age}:`, ...drift.map((change) => `  ${driftLine(change)}`)];
  const { cluster: _cluster, ...rest } = plan;
  const changes = linesOf({ ...rest, cluster: undefined }, false).map((line) => `  ${line}`);
  return [...drifted, `would be done${where} now:`, ...changes];
}

const MARKS = { Missing: '-', Modified: '~', Unexpected: '+' } as const;

export function driftLine({
  class: what = 'Modified',
  kind,
  namespace,
  name,
  paths = [],
  managers = [],
}: ObjectChange): string {
  const places = paths.length === 0 ? '' : `: ${paths.join(', ')}`;
  const by = managers.length === 0 ? '' : ` (by ${managers.join(', ')})`;
  return `${MARKS[what]} ${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}${places}${by}`;
}
