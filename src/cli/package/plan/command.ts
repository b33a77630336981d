// `package plan`: what installing or changing a package would do, object by object and cluster by cluster, and why.
import { Command } from 'commander';
import type { KubeObject, ObjectChange } from '../../../api/index.ts';
import { errorMessage } from '../../../base/index.ts';
import {
  againstApplied,
  isPrepared,
  packageKey,
  planPackage,
  plannedChanges,
  preparePackage,
  resourceKey,
  resourceReference,
  type AnyPackage,
  type ComparedObject,
  type PackagePlan,
  type PackageVerdict,
  type Prepared,
  type Resolution,
} from '../../../packaging/index.ts';
import { print, type SetExitCode } from '../../command.ts';
import type { Session } from '../../objects/index.ts';
import { listOption, shape } from '../../shell/index.ts';
import { withCatalogue, type Catalogue } from '../catalogue.ts';
import { clustersMeant } from '../decisions.ts';
import { inClusters, type InCluster } from '../in-clusters.ts';
import { allInstalled, findInstalled, fleetPackageOf, titleOf } from '../installed.ts';
import { packageOf, wanted } from '../install.ts';
import { packagesOfKind, withKind, withPlace, withPlaceFlags, type Place } from '../place.ts';
import { printed, withOutput, type OutputFlags } from '../printing.ts';
import { completed, configured, withOldValues, withValues, type ValueFlags } from '../values.ts';
import { keyOf } from '../waiting.ts';
import { completeOffered } from '../words.ts';
import { compared, gather, liveObjects } from './gather.ts';

interface PlanFlags extends ValueFlags, OutputFlags {
  readonly version?: string;
  readonly repository?: string;
  readonly clusters: readonly string[];
  readonly explain?: boolean;
}

/** The plan of one cluster. */
export interface ClusterPlan {
  /** Undefined: the cluster that the command acts in. */
  readonly cluster: string | undefined;
  readonly verdict: Pick<PackageVerdict, 'state' | 'message'>;
  /** Packages that are created first. */
  readonly creates: readonly string[];
  readonly changes: readonly ObjectChange[];
  /** How its charts are installed; undefined: it has none. */
  readonly charts?: string | undefined;
  /** Objects that are as they are wanted. */
  readonly unchanged: number;
  readonly resolution: Resolution | undefined;
  /** What is wanted beside what is there, or what was applied. */
  readonly objects: readonly ComparedObject[];
  /** Objects that go. */
  readonly going: readonly KubeObject[];
}

export function planCommand(exit: SetExitCode): Command {
  const command = withKind(withOutput(withOldValues(withValues(withPlaceFlags(new Command('plan'))))))
    .description('show what installing or changing a package would do, and change nothing')
    .argument('<package>', 'an installed package, or one of the repositories')
    .argument('[name]', 'what it would be called, for one that is not installed and lives in a namespace')
    .option('-v, --version <version>', 'the version to plan for')
    .option('--repository <name>', 'the repository to take it from')
    .addOption(
      listOption(
        '--clusters <names>',
        'members of the control plane to plan for; without this, all that have it',
      ),
    )
    .option('--explain', 'say how dependencies were found, and what was passed over')
    .action(async (name: string, called: string | undefined, flags: PlanFlags) => {
      const failed = await withPlace(flags, (place) =>
        withCatalogue(place, (catalogue) => plan(place, catalogue, name, called, flags)),
      );
      exit(failed ? 1 : 0);
    });
  return shape(command, {
    complete: completeOffered,
    examples: `
      # What would be installed
      %s package plan gateway

      # What another version and value would change in two members
      %s package plan gateway --version v1.3.0 --value replicas=3 --clusters member1,member2

      # Why these versions of what it needs
      %s package plan shop --value title=Shop --explain`,
  });
}

/** True: in some cluster it cannot be done. */
async function plan(
  place: Place,
  catalogue: Catalogue,
  name: string,
  called: string | undefined,
  flags: PlanFlags,
): Promise<boolean> {
  const target = await targetOf(place, catalogue, name, called, flags);
  const known = target.status?.clusters?.map((cluster) => cluster.name) ?? [];
  const clusters =
    flags.clusters.length > 0
      ? flags.clusters
      : known.length > 0
        ? known
        : place.onHub
          ? await clustersMeant(place, {})
          : [];
  const wantedThere = place.onHub ? await inClusters(place, target, clusters) : undefined;
  const plans = place.onHub
    ? await Promise.all(
        clusters.map((cluster) =>
          planOf(
            place.session.member(cluster),
            catalogue,
            wantedThere?.get(cluster) ?? { wanted: target },
            cluster,
          ),
        ),
      )
    : [await planOf(place.session, catalogue, { wanted: target }, undefined)];
  if (!printed(plans.map(recordOf), flags)) {
    print(`${titleOf(target)}: ${target.spec.packageInfo.name} ${target.spec.packageInfo.version}`);
    for (const line of plans.flatMap((one) => linesOf(one, flags.explain === true))) print(line);
  }
  return plans.some(({ verdict }) => verdict.state === 'Failed');
}

async function targetOf(
  place: Place,
  catalogue: Catalogue,
  name: string,
  called: string | undefined,
  flags: PlanFlags,
): Promise<AnyPackage> {
  const { session } = place;
  const isInstalled = (await allInstalled(place)).some(
    ({ kind, metadata }) =>
      metadata.name === name && (kind === 'ClusterPackage' || metadata.namespace === session.namespace),
  );
  if (!isInstalled || called !== undefined) {
    const found = await wanted(catalogue, name, flags);
    const kind = found.manifest.scope === 'Namespaced' ? 'Package' : 'ClusterPackage';
    const values = await completed(found.manifest, flags, configured(found.manifest, flags, {}));
    return packageOf(
      kind,
      kind === 'Package' ? (called ?? name) : name,
      { ...found, packageName: name },
      values,
      {},
      place,
    );
  }
  const one = await findInstalled(place, name, flags);
  const spec = (await fleetPackageOf(place, one))?.spec.template ?? one.spec;
  const repository = flags.repository ?? catalogue.client(spec.packageInfo.repositoryName).name;
  const version = flags.version ?? spec.packageInfo.version;
  const found = await wanted(catalogue, spec.packageInfo.name, { ...flags, repository, version });
  const values = configured(found.manifest, flags, spec.values ?? {});
  const packageInfo = { ...spec.packageInfo, version: found.version, repositoryName: found.repositoryName };
  return { ...one, spec: { ...spec, packageInfo, values } };
}

/**
 * What carrying out the package would do in one cluster; a failure is part of the answer.
 * @param applied instead of what is there: what was applied last
 */
export async function planOf(
  session: Session,
  catalogue: Catalogue,
  inCluster: InCluster,
  cluster: string | undefined,
  applied?: readonly KubeObject[],
): Promise<ClusterPlan> {
  if ('problem' in inCluster) return impossible(cluster, inCluster.problem);
  const target = inCluster.wanted;
  try {
    const there = await session.client.find(packagesOfKind(target.kind), keyOf(target));
    return {
      ...(await decided(session, catalogue, { ...(there ?? target), spec: target.spec }, applied)),
      cluster,
    };
  } catch (error) {
    return impossible(cluster, errorMessage(error));
  }
}

function impossible(cluster: string | undefined, message: string): ClusterPlan {
  return {
    cluster,
    verdict: { state: 'Failed', message },
    creates: [],
    changes: [],
    unchanged: 0,
    resolution: undefined,
    objects: [],
    going: [],
  };
}

async function decided(
  session: Session,
  catalogue: Catalogue,
  target: AnyPackage,
  applied: readonly KubeObject[] | undefined,
): Promise<Omit<ClusterPlan, 'cluster'>> {
  const input = await gather(session, catalogue, target);
  const prepared = preparePackage(input);
  const { resolution } = input;
  if (!isPrepared(prepared))
    return { verdict: prepared, creates: [], changes: [], unchanged: 0, resolution, objects: [], going: [] };
  const { plan, objects, going } =
    applied === undefined
      ? await againstLive(session, prepared, target)
      : goingWhole(againstApplied(prepared, applied), applied);
  const creates = plan.steps.flatMap((step) =>
    step.do === 'CreatePackage' ? [describePackage(step.object as AnyPackage)] : [],
  );
  const changes = plannedChanges(objects, going.map(resourceReference)).map(({ change }) => change);
  const touched = changes.filter(({ operation }) => operation !== 'Delete').length;
  const unchanged = objects.length - touched;
  const charts = chartsText(prepared);
  return { verdict: plan.verdict, creates, changes, charts, unchanged, resolution, objects, going };
}

function chartsText({ charts }: Prepared): string | undefined {
  if (charts === undefined) return undefined;
  const how = charts.through === 'Flux' ? 'go through Flux' : `are rendered with helm ${charts.version}`;
  return `charts ${how}, since ${charts.why}`;
}

interface Against {
  readonly plan: PackagePlan;
  readonly objects: readonly ComparedObject[];
  readonly going: readonly KubeObject[];
}

async function againstLive(session: Session, prepared: Prepared, { status }: AnyPackage): Promise<Against> {
  const live = await liveObjects(
    session,
    prepared.rendered.map(({ object }) => resourceReference(object)),
  );
  const leftovers = await liveObjects(session, status?.ownedResources ?? []);
  // What is needed first is not there yet; the rest is planned as if it were.
  const plan = planPackage({ prepared: { ...prepared, waitingFor: [] }, live, leftovers });
  const applied = plan.steps.flatMap((step) => (step.do === 'Apply' ? [step.object] : []));
  const objects = await Promise.all(
    applied.map((object) => compared(session, object, live.get(resourceKey(resourceReference(object))))),
  );
  const going = plan.steps.flatMap((step) => {
    const object = step.do === 'Prune' ? leftovers.get(resourceKey(step.reference)) : undefined;
    return object === undefined ? [] : [object];
  });
  return { plan, objects, going };
}

function goingWhole(
  { plan, objects, going }: ReturnType<typeof againstApplied>,
  applied: readonly KubeObject[],
): Against {
  const keys = new Set(going.map(resourceKey));
  return { plan, objects, going: applied.filter((one) => keys.has(resourceKey(resourceReference(one)))) };
}

function describePackage(one: AnyPackage): string {
  const { name, version } = one.spec.packageInfo;
  return `${titleOf(one)}: ${name} ${version}`;
}

export function recordOf({
  cluster,
  verdict,
  creates,
  changes,
  charts,
  unchanged,
  resolution,
}: ClusterPlan): object {
  return {
    ...(cluster === undefined ? {} : { cluster }),
    possible: verdict.state !== 'Failed',
    ...(verdict.message === '' ? {} : { message: verdict.message }),
    packages: {
      create: resolution?.requirements ?? creates,
      remove: (resolution?.pruned ?? []).map((id) => packageKey(id)),
    },
    changes,
    ...(charts === undefined ? {} : { charts }),
    unchanged,
    explanation: resolution?.explanation ?? [],
  };
}

const MARKS = { Create: '+', Update: '~', Delete: '-' } as const;

export function linesOf(
  { cluster, verdict, creates, changes, charts, unchanged, resolution }: ClusterPlan,
  explain: boolean,
): readonly string[] {
  const title = cluster === undefined ? [] : [`In ${cluster}:`];
  const indented = (lines: readonly string[]): readonly string[] =>
    lines.map((line) => (cluster === undefined ? line : `  ${line}`));
  if (verdict.state === 'Failed') return [...title, ...indented([`cannot be done: ${verdict.message}`])];
  const later = (resolution?.requirements ?? []).filter(({ transitive }) => transitive);
  const lines = [
    ...creates.map((text) => `+ ${text}`),
    ...later.map(
      (one) =>
        `+ ${one.kind.toLowerCase()}/${packageKey(one)}: ${one.packageName} ${one.version}, which these need`,
    ),
    ...(resolution?.pruned ?? []).map((id) => `- package ${packageKey(id)}, which nothing needs any more`),
    ...changes.map(changeLine),
    ...(unchanged === 0 ? [] : [`= ${unchanged} ${unchanged === 1 ? 'object' : 'objects'} as they are`]),
    ...(charts === undefined ? [] : [`  ${charts}`]),
    ...(explain ? (resolution?.explanation ?? []).map((line) => `because ${line}`) : []),
  ];
  return [...title, ...indented(lines.length === 0 ? ['nothing'] : lines)];
}

export function changeLine({
  operation = 'Update',
  kind,
  namespace,
  name,
  paths = [],
  managers,
}: ObjectChange): string {
  const where = namespace === undefined ? name : `${namespace}/${name}`;
  const places =
    paths.length === 0
      ? ''
      : `: ${paths.slice(0, 5).join(', ')}${paths.length > 5 ? ` and ${paths.length - 5} more` : ''}`;
  const others = managers === undefined ? '' : ` (written by ${managers.join(', ')})`;
  return `${MARKS[operation]} ${kind} ${where}${places}${others}`;
}
