// `package list`: what is installed, and what else could be.
import { Command } from 'commander';
import { isForbidden } from '../../client/index.ts';
import type { SetExitCode } from '../command.ts';
import { isUpgrade, type AnyPackage, type OfferedPackage } from '../../packaging/index.ts';
import { print } from '../command.ts';
import { shape } from '../shell/index.ts';
import { withCatalogue } from './catalogue.ts';
import { say } from './dialogue.ts';
import {
  allInstalled,
  autoUpdateText,
  clustersText,
  forOutput,
  messageOf,
  stateOf,
  suspendedText,
  versionText,
} from './installed.ts';
import {
  fleetPackagesOfKind,
  packages,
  withKind,
  withPlace,
  withPlaceFlags,
  type PackageFlags,
  type Place,
} from './place.ts';
import { printTable, printed, withWholeOutput, type OutputFlags } from './printing.ts';
import { completeInstalled } from './words.ts';

interface ListFlags extends PackageFlags, OutputFlags {
  readonly installed?: boolean;
  readonly outdated?: boolean;
  readonly suspended?: boolean;
  readonly allNamespaces?: boolean;
  readonly showDescription?: boolean;
  readonly showLatest?: boolean;
  readonly showMessage?: boolean;
  readonly more?: boolean;
  readonly repository?: string;
}

/** A line of the tables: something installed, something on offer, or both. */
interface Row {
  readonly packageName: string;
  readonly installed: AnyPackage | undefined;
  readonly offered: OfferedPackage | undefined;
  readonly namespaced: boolean;
}

export function listCommand(exit: SetExitCode): Command {
  const command = withKind(withWholeOutput(withPlaceFlags(new Command('list').alias('ls').alias('l'))))
    .description('list packages: what is installed, and what can be')
    .argument('[package]', 'only this package of the repositories')
    .option('-i, --installed', 'only what is installed')
    .option('--outdated', 'only what a newer version is available of')
    .option('--suspended', 'only what is suspended')
    .option('-A, --all-namespaces', 'packages of all namespaces; also without it, unless one is named')
    .option('--show-description', 'add descriptions')
    .option('--show-latest', 'add latest versions')
    .option('--show-message', 'add messages of installed packages')
    .option('-m, --more', 'add all of these')
    .option('-r, --repository <name>', 'only packages of this repository')
    .action(async (name: string | undefined, flags: ListFlags) => {
      await withPlace(flags, (place) => list(place, name, flags));
      exit(0);
    });
  return shape(command, {
    complete: completeInstalled,
    examples: `
      # All packages
      %s package list

      # What is installed and could be newer
      %s package list --outdated

      # What is suspended, with reasons
      %s package list --suspended --show-message`,
  });
}

async function list(place: Place, name: string | undefined, flags: ListFlags): Promise<void> {
  await withCatalogue(place, async (catalogue) => {
    const { session } = place;
    const namespace = session.namespaceGiven && flags.allNamespaces !== true ? session.namespace : undefined;
    const [index, installed, rollouts] = await Promise.all([
      catalogue.index(),
      // Of one namespace only its own packages are shown.
      namespace === undefined ? allInstalled(place) : installedIn(place, namespace),
      rolloutsOf(place),
    ]);
    const rows = rowsOf(index.packages, installed)
      .filter(({ packageName }) => name === undefined || packageName === name)
      .filter(({ installed: one }) => one !== undefined || !onlyInstalled(flags))
      .filter((row) => flags.outdated !== true || newer(row) !== undefined)
      .filter(
        ({ installed: one }) =>
          flags.suspended !== true || (one !== undefined && suspendedText(one) !== 'No'),
      )
      .filter(
        (row) =>
          flags.repository === undefined ||
          repositoriesOf(row, catalogue.defaultName).includes(flags.repository),
      )
      .filter(({ namespaced }) => flags.kind === undefined || namespaced === (flags.kind === 'package'))
      .filter(({ namespaced }) => namespace === undefined || namespaced);
    if (flags.output !== undefined && flags.output !== 'wide') {
      const objects = rows.flatMap(({ installed: one }) => one ?? []);
      printed(
        objects.map((one) => forOutput(one, flags.showAll === true)),
        flags,
      );
      return;
    }
    if (rows.length === 0) return say('There are no such packages.');
    const tables = [
      rows.filter(({ namespaced }) => namespaced),
      rows.filter(({ namespaced }) => !namespaced),
    ].filter((table) => table.length > 0);
    tables.forEach((table, index) => {
      if (index > 0) print('');
      printRows(table, flags, { ...place, rollouts, defaultName: catalogue.defaultName });
    });
  });
}

function onlyInstalled({ installed, outdated, suspended, output }: ListFlags): boolean {
  return (
    installed === true ||
    outdated === true ||
    suspended === true ||
    (output !== undefined && output !== 'wide')
  );
}

function rowsOf(packages: readonly OfferedPackage[], installed: readonly AnyPackage[]): readonly Row[] {
  const byName = new Map(packages.map((one) => [one.entry.name, one]));
  const there = installed.map((one): Row => {
    const packageName = one.spec.packageInfo.name;
    return {
      packageName,
      installed: one,
      offered: byName.get(packageName),
      namespaced: one.kind === 'Package',
    };
  });
  const known = new Set(there.map(({ packageName }) => packageName));
  const others = packages
    .filter(({ entry }) => !known.has(entry.name))
    .map((offered): Row => ({
      packageName: offered.entry.name,
      installed: undefined,
      offered,
      namespaced: offered.entry.scope === 'Namespaced',
    }));
  const key = ({ packageName, installed: one }: Row): string =>
    [packageName, one?.metadata.namespace ?? '', one?.metadata.name ?? ''].join('\0');
  return [...there, ...others].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

function newer({ installed, offered }: Row): string | undefined {
  const latest = offered?.latestVersion;
  return installed !== undefined &&
    latest !== undefined &&
    isUpgrade(installed.spec.packageInfo.version, latest)
    ? latest
    : undefined;
}

function repositoriesOf({ installed, offered }: Row, defaultName: string): readonly string[] {
  const used =
    installed === undefined ? undefined : (installed.spec.packageInfo.repositoryName ?? defaultName);
  return [...new Set([...(offered?.repositories ?? []), ...(used === undefined ? [] : [used])])];
}

function repositoryText(row: Row, defaultName: string): string {
  const { installed } = row;
  const used =
    installed === undefined ? undefined : (installed.spec.packageInfo.repositoryName ?? defaultName);
  const all = repositoriesOf(row, defaultName);
  return all.map((name) => (name === used && all.length > 1 ? `${name} (used)` : name)).join(', ');
}

async function installedIn({ client }: Place, namespace: string): Promise<readonly AnyPackage[]> {
  return (await client.listAll(packages, { namespace })).items;
}

/** How far roll-outs are, by kind and key of their package. */
async function rolloutsOf({ client, onHub }: Place): Promise<ReadonlyMap<string, string>> {
  if (!onHub) return new Map();
  const lists = await Promise.all(
    (['Package', 'ClusterPackage'] as const).map(async (kind) => {
      const items = await readable(client.listAll(fleetPackagesOfKind(kind)));
      return items.map(({ metadata, status }) => {
        const { phase = 'Pending', step = 0, steps = 0 } = status ?? {};
        const text = phase === 'Completed' ? phase : `${phase} ${step}/${steps}`;
        return [`${kind} ${metadata.namespace ?? ''}/${metadata.name ?? ''}`, text] as const;
      });
    }),
  );
  return new Map(lists.flat());
}

/** Nothing where it is not for this user's eyes. */
async function readable<T>(list: Promise<{ readonly items: readonly T[] }>): Promise<readonly T[]> {
  try {
    return (await list).items;
  } catch (error) {
    if (isForbidden(error)) return [];
    throw error;
  }
}

interface Around {
  readonly onHub: boolean;
  readonly defaultName: string;
  readonly rollouts: ReadonlyMap<string, string>;
}

function printRows(rows: readonly Row[], flags: ListFlags, { onHub, defaultName, rollouts }: Around): void {
  const namespaced = rows[0]?.namespaced === true;
  const more = flags.more === true || flags.output === 'wide';
  const of =
    (cell: (one: AnyPackage) => string) =>
    ({ installed }: Row): string =>
      installed === undefined ? '' : cell(installed);
  printTable(rows, [
    ['PACKAGENAME', ({ packageName }) => packageName, namespaced],
    ['NAMESPACE', of(({ metadata }) => metadata.namespace ?? ''), namespaced],
    ['NAME', (row) => row.installed?.metadata.name ?? (namespaced ? '' : row.packageName)],
    ['VERSION', (row) => (row.installed === undefined ? '' : versionText(row.installed, newer(row)))],
    ['AUTO-UPDATE', of(autoUpdateText)],
    ['SUSPENDED', of(suspendedText)],
    ['LATEST VERSION', ({ offered }) => offered?.latestVersion ?? '', more || flags.showLatest === true],
    ['REPOSITORY', (row) => repositoryText(row, defaultName)],
    ['CLUSTERS', of(clustersText), onHub],
    [
      'ROLL-OUT',
      of(
        ({ kind, metadata }) =>
          rollouts.get(`${kind} ${metadata.namespace ?? ''}/${metadata.name ?? ''}`) ?? '',
      ),
      rollouts.size > 0,
    ],
    [
      'DESCRIPTION',
      ({ offered }) => offered?.entry.shortDescription ?? '',
      more || flags.showDescription === true,
    ],
    ['STATUS', (row) => (row.installed === undefined ? 'Not installed' : stateOf(row.installed))],
    ['MESSAGE', of(messageOf), more || flags.showMessage === true],
  ]);
}
