// `package describe`: all there is to say about a package, installed or not.
import { Command } from 'commander';
import type { FleetPackageStatus, PackageManifest, PackageStatus } from '../../api/index.ts';
import { systemClock } from '../../base/index.ts';
import { formatDuration, parseTime } from '../../machinery/index.ts';
import { isUpgrade, updatesItself, type AnyFleetPackage, type AnyPackage } from '../../packaging/index.ts';
import { columns } from '../columns.ts';
import { print, type SetExitCode } from '../command.ts';
import { CommandError, shape } from '../shell/index.ts';
import { withCatalogue, type Catalogue } from './catalogue.ts';
import {
  allInstalled,
  findInstalled,
  fleetPackageOf,
  messageOf,
  stateOf,
  suspendedText,
  titleOf,
  versionText,
} from './installed.ts';
import { driftLine } from './differences.ts';
import { withKind, withPlace, withPlaceFlags, type PackageFlags, type Place } from './place.ts';
import { changeLine } from './plan/command.ts';
import { printed, withWholeOutput, type OutputFlags } from './printing.ts';
import { configurationText } from './values.ts';
import { completeInstalled } from './words.ts';

interface DescribeFlags extends PackageFlags, OutputFlags {
  readonly repository?: string;
}

/** What is known, of both sides. */
interface Story {
  readonly packageName: string;
  readonly manifest: PackageManifest | undefined;
  readonly latestVersion: string | undefined;
  readonly repositories: readonly { readonly name: string; readonly installed: boolean }[];
  readonly installed: AnyPackage | undefined;
  readonly fleetPackage: AnyFleetPackage | undefined;
  /** All that are installed of it. */
  readonly instances: readonly AnyPackage[];
}

export function describeCommand(exit: SetExitCode): Command {
  const command = withKind(withWholeOutput(withPlaceFlags(new Command('describe'))))
    .description('tell all about a package, installed or not')
    .argument('<name>', 'name of an installed package, or of one in the repositories')
    .option('--repository <name>', 'the repository to take its description from')
    .action(async (name: string, flags: DescribeFlags) => {
      await withPlace(flags, (place) =>
        withCatalogue(place, async (catalogue) => {
          const story = await storyOf(place, catalogue, name, flags);
          if (printed([recordOf(story)], flags)) return;
          for (const line of linesOf(story, catalogue.defaultName)) print(line);
        }),
      );
      exit(0);
    });
  return shape(command, {
    complete: completeInstalled,
    examples: `
      # What is installed, or what could be
      %s package describe gateway

      # For a program
      %s package describe gateway -o json`,
  });
}

async function storyOf(
  place: Place,
  catalogue: Catalogue,
  name: string,
  flags: DescribeFlags,
): Promise<Story> {
  const all = await allInstalled(place);
  const offeredNames = (await catalogue.index()).packages;
  const isInstalled = all.some(
    ({ kind, metadata }) =>
      metadata.name === name && (kind === 'ClusterPackage' || metadata.namespace === place.session.namespace),
  );
  const offered = offeredNames.find(({ entry }) => entry.name === name);
  const installed =
    isInstalled || offered === undefined ? await findInstalled(place, name, flags) : undefined;
  const packageName = installed?.spec.packageInfo.name ?? name;
  const offer = offeredNames.find(({ entry }) => entry.name === packageName);
  const used =
    installed?.spec.packageInfo.repositoryName ??
    (installed === undefined ? undefined : catalogue.defaultName);
  const repositoryName = flags.repository ?? used ?? offer?.repositories[0];
  if (flags.repository !== undefined && offer?.repositories.includes(flags.repository) !== true)
    throw new CommandError(`repository "${flags.repository}" does not offer package "${packageName}"`);
  const version = installed?.spec.packageInfo.version ?? offer?.latestVersion;
  const manifest =
    version === undefined || repositoryName === undefined
      ? undefined
      : (
          await catalogue
            .client(repositoryName)
            .manifest(packageName, version)
            .catch(() => undefined)
        )?.manifest;
  return {
    packageName,
    manifest,
    latestVersion: offer?.latestVersion,
    repositories: (offer?.repositories ?? []).map((one) => ({ name: one, installed: one === used })),
    installed,
    fleetPackage: installed === undefined ? undefined : await fleetPackageOf(place, installed),
    instances: all.filter(({ spec }) => spec.packageInfo.name === packageName),
  };
}

/** The keys that Glasskube's clients print, and ours behind them. */
function recordOf({
  packageName,
  manifest,
  latestVersion,
  repositories,
  installed,
  fleetPackage,
  instances,
}: Story): object {
  const { shortDescription, longDescription, entrypoints, dependencies, components, references, scope } =
    manifest ?? {};
  return {
    packageName,
    shortDescription,
    ...(scope === undefined ? {} : { scope }),
    latestVersion,
    status: installed === undefined ? 'Not installed' : stateOf(installed),
    entrypoints,
    dependencies,
    components,
    longDescription,
    repositories,
    references,
    ...(installed === undefined
      ? {}
      : {
          name: installed.metadata.name,
          ...(installed.metadata.namespace === undefined ? {} : { namespace: installed.metadata.namespace }),
          desiredVersion: installed.spec.packageInfo.version,
          configuration: installed.spec.values,
          version: installed.status?.version,
          autoUpdate: updatesItself(installed),
          isUpgradable:
            latestVersion !== undefined && isUpgrade(installed.spec.packageInfo.version, latestVersion),
          suspend: suspendedText(installed) !== 'No',
          ...(installed.status?.suspension === undefined ? {} : { suspension: installed.status.suspension }),
          message: messageOf(installed),
          ...(installed.status?.helm === undefined ? {} : { helm: installed.status.helm }),
          ...(installed.status?.clusters === undefined ? {} : { clusters: installed.status.clusters }),
          ...(fleetPackage?.status === undefined ? {} : { rollout: fleetPackage.status }),
        }),
    instances: instances.map(({ metadata }) => ({ name: metadata.name, namespace: metadata.namespace })),
  };
}

function linesOf(story: Story, defaultName: string): readonly string[] {
  const { packageName, manifest, latestVersion, repositories, installed, fleetPackage, instances } = story;
  const head: readonly (readonly [string, string])[] = [
    [
      'Package',
      `${packageName}${manifest?.shortDescription === undefined ? '' : ` - ${manifest.shortDescription}`}`,
    ],
    ...(installed === undefined ? [] : [['Installed as', titleOf(installed)] as const]),
    ['Version', installed === undefined ? '' : versionText(installed, undefined)],
    ['Latest', latestVersion ?? ''],
    ['Status', installed === undefined ? 'Not installed' : stateOf(installed)],
    ['Message', installed === undefined ? '' : messageOf(installed)],
    ['Suspended', installed === undefined ? '' : suspension(installed)],
    ...(installed?.status?.helm === undefined
      ? []
      : [['Charts', chartsText(installed.status.helm)] as const]),
    ['Auto-update', installed === undefined ? '' : updatesItself(installed) ? 'Enabled' : 'Disabled'],
    [
      'Repository',
      repositories
        .map(
          ({ name, installed: used }) =>
            `${name}${name === defaultName ? ' (default)' : ''}${used ? ' (used)' : ''}`,
        )
        .join(', '),
    ],
  ];
  return [
    ...columns(
      ['', ''],
      head.filter(([, text]) => text !== '').map(([name, text]) => [`${name}:`, text]),
    ).slice(1),
    ...pendingLines(installed),
    ...needs(manifest),
    ...clusterLines(installed),
    ...rolloutLines(fleetPackage?.status),
    ...valueLines(manifest, installed),
    ...section(
      'Entrypoints',
      (manifest?.entrypoints ?? []).map(
        ({ name, serviceName, port }) => `${name ?? serviceName}: service ${serviceName}, port ${port}`,
      ),
    ),
    ...section(
      'References',
      (manifest?.references ?? []).map(({ label, url }) => `${label}: ${url}`),
    ),
    ...(installed === undefined || instances.length > 1 ? section('Installed', instances.map(titleOf)) : []),
    ...(manifest?.longDescription === undefined
      ? []
      : ['', ...manifest.longDescription.trimEnd().split('\n')]),
  ];
}

function suspension(one: AnyPackage): string {
  const text = suspendedText(one);
  const sources = one.status?.suspension?.sources ?? [];
  const reasons = sources.flatMap(({ type, by, reason }) => [
    `${type}${by === undefined ? '' : ` by ${by}`}${reason === undefined ? '' : `: ${reason}`}`,
  ]);
  const own = one.spec.suspension?.reason;
  const why = reasons.length > 0 ? reasons.join('; ') : text === 'No' ? undefined : own;
  return why === undefined ? text : `${text} (${why})`;
}

/** What waits, and what differs; told by the cluster that has it. */
function pendingLines(installed: AnyPackage | undefined): readonly string[] {
  const { pendingGeneration, pendingChanges = [], drift = [] } = installed?.status?.suspension ?? {};
  const waiting =
    pendingChanges.length > 0
      ? pendingChanges.map(changeLine)
      : pendingGeneration === undefined
        ? []
        : ['a change of its spec'];
  return [
    ...section('Waits until it is resumed', waiting),
    ...section('Differs from what was applied', drift.map(driftLine)),
  ];
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', `${title}:`, ...lines.map((line) => `  ${line}`)];
}

function needs(manifest: PackageManifest | undefined): readonly string[] {
  const any = (version: string | undefined): string =>
    version === undefined || version === '' ? '' : ` ${version}`;
  return [
    ...section(
      'Dependencies',
      (manifest?.dependencies ?? []).map(({ name, version }) => `${name}${any(version)}`),
    ),
    ...section(
      'Components',
      (manifest?.components ?? []).map(
        ({ name, installedName, version }) => `${installedName ?? name}: ${name}${any(version)}`,
      ),
    ),
  ];
}

function clusterLines(installed: AnyPackage | undefined): readonly string[] {
  const clusters = installed?.status?.clusters ?? [];
  if (clusters.length === 0) return [];
  const rows = clusters.map(
    ({ name, version = '', ready = 'Unknown', suspended, drifted, pending, stale, message = '' }) => [
      name,
      version,
      stale === true ? 'Not reported' : ready === 'True' ? 'Ready' : ready === 'False' ? 'Failed' : 'Pending',
      `${suspended === true ? 'Yes' : 'No'}${notes([drifted === true ? 'drifted' : '', pending === true ? 'changes wait' : ''])}`,
      message,
    ],
  );
  return section('Clusters', columns(['CLUSTER', 'VERSION', 'STATUS', 'SUSPENDED', 'MESSAGE'], rows));
}

function notes(all: readonly string[]): string {
  const some = all.filter((one) => one !== '');
  return some.length === 0 ? '' : ` (${some.join(', ')})`;
}

/** How far a roll-out is, with each cluster. */
export function rolloutLines(status: FleetPackageStatus | undefined): readonly string[] {
  if (status === undefined) return [];
  const { phase = '', message = '', awaits, clusters = [], revisions = [] } = status;
  const versionOf = (name: string | undefined): string =>
    revisions.find((one) => one.name === name)?.version ?? 'none';
  const nowMs = systemClock.now();
  const rows = clusters.map((one) => [
    one.name,
    one.phase,
    versionOf(one.revision),
    one.version ?? '',
    formatDuration(Math.max(0, Math.floor((nowMs - (parseTime(one.time) ?? nowMs)) / 1000) * 1000)),
    one.message ?? '',
  ]);
  return section('Roll-out', [
    `${phase}: ${message}`,
    ...(awaits === undefined ? [] : ['waits for "navarch package rollout continue"']),
    ...columns(['CLUSTER', 'PHASE', 'SENT', 'HAS', 'SINCE', 'MESSAGE'], rows),
  ]);
}

function valueLines(
  manifest: PackageManifest | undefined,
  installed: AnyPackage | undefined,
): readonly string[] {
  const definitions = Object.entries(manifest?.valueDefinitions ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  if (definitions.length === 0) return [];
  const set = installed?.spec.values ?? {};
  const rows = definitions.map(([name, { type, defaultValue, constraints, options, metadata }]) => [
    name,
    type === 'options' ? (options ?? []).join('|') : type,
    constraints?.required === true ? 'required' : '',
    defaultValue ?? '',
    Object.hasOwn(set, name) && set[name] !== undefined ? configurationText(set[name]) : '',
    metadata?.description ?? metadata?.label ?? '',
  ]);
  return section('Values', columns(['VALUE', 'TYPE', '', 'DEFAULT', 'SET TO', 'DESCRIPTION'], rows));
}

/** How its charts are installed; members know, and a control plane has it in their messages. */
function chartsText({ through, version = '', reason }: NonNullable<PackageStatus['helm']>): string {
  const how = through === 'Flux' ? 'through Flux' : `rendered with helm ${version}`;
  return reason === undefined ? how : `${how}, since ${reason}`;
}
