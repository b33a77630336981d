// `package suspension`: what is suspended, and what happened to the suspension of one package.
import { Command } from 'commander';
import type { SuspensionRecord } from '../../api/index.ts';
import { errorMessage, systemClock } from '../../base/index.ts';
import { formatAge } from '../../machinery/index.ts';
import { sourceText, type AnyPackage } from '../../packaging/index.ts';
import { print, type SetExitCode } from '../command.ts';
import { shape } from '../shell/index.ts';
import { allInstalled, findInstalled, forOutput, pendingText, suspendedText, titleOf } from './installed.ts';
import {
  packagesOfKind,
  withKind,
  withPlace,
  withPlaceFlags,
  type PackageFlags,
  type Place,
} from './place.ts';
import { printTable, printed, withOutput, type OutputFlags } from './printing.ts';
import { keyOf } from './waiting.ts';
import { completeInstalled } from './words.ts';

interface ListFlags extends PackageFlags, OutputFlags {
  readonly allNamespaces?: boolean;
}

export function suspensionCommand(exit: SetExitCode): Command {
  const command = new Command('suspension').description('look at suspensions of packages');
  command.addCommand(listCommand(exit));
  command.addCommand(historyCommand(exit));
  return shape(command, {});
}

function listCommand(exit: SetExitCode): Command {
  const command = withOutput(withPlaceFlags(new Command('list').alias('ls')))
    .description('list packages that are suspended, or wait after a suspension')
    .option('-A, --all-namespaces', 'packages of all namespaces')
    .action(async (flags: ListFlags) => {
      await withPlace(flags, async (place) => {
        const namespace =
          flags.allNamespaces === true || !place.session.namespaceGiven ? undefined : place.session.namespace;
        const found = (await allInstalled(place, namespace)).filter(
          (one) => suspendedText(one) !== 'No' || waits(one),
        );
        if (
          printed(
            found.map((one) => forOutput(one, true)),
            flags,
          )
        )
          return;
        if (found.length === 0) return print('No package is suspended.');
        printRows(found);
      });
      exit(0);
    });
  return shape(command, { examples: '# In every namespace\n%s package suspension list -A' });
}

function waits({ status }: AnyPackage): boolean {
  return (
    status?.conditions?.some(({ type, status: is }) => type === 'ResumePending' && is === 'True') === true
  );
}

function printRows(found: readonly AnyPackage[]): void {
  const nowMs = systemClock.now();
  const first = ({ status }: AnyPackage) => status?.suspension?.sources?.[0];
  const annotation = ({ metadata }: AnyPackage, name: string): string | undefined =>
    metadata.annotations?.[`packages.glasskube.dev/${name}`];
  const since = (one: AnyPackage): string | undefined =>
    one.status?.suspension?.since ?? annotation(one, 'suspended-at');
  printTable(found, [
    ['KIND', ({ kind }) => kind],
    ['NAMESPACE', ({ metadata }) => metadata.namespace ?? ''],
    ['NAME', ({ metadata }) => metadata.name ?? ''],
    [
      'SUSPENDED',
      (one) => (waits(one) && suspendedText(one) === 'No' ? 'Review pending' : suspendedText(one)),
    ],
    ['MODE', (one) => one.status?.suspension?.mode ?? one.spec.suspension?.mode ?? 'Full'],
    [
      'SINCE',
      (one) => {
        const at = since(one);
        return at === undefined ? '' : formatAge(at, nowMs);
      },
    ],
    ['UNTIL', (one) => one.status?.suspension?.until ?? one.spec.suspension?.until ?? ''],
    ['BY', (one) => annotation(one, 'suspended-by') ?? first(one)?.by ?? ''],
    [
      'SOURCE',
      (one) =>
        (one.status?.suspension?.sources ?? [])
          .map(({ type, name }) => (name === undefined ? type : `${type}/${name}`))
          .join(','),
    ],
    ['DRIFT', (one) => driftText(one)],
    ['PENDING', (one) => pendingText(one) || (waits(one) ? 'Yes' : '')],
    ['REASON', (one) => one.spec.suspension?.reason ?? first(one)?.reason ?? ''],
  ]);
}

function driftText({ status }: AnyPackage): string {
  const there = (status?.clusters ?? []).filter(({ drifted }) => drifted === true).length;
  const here = status?.suspension?.drift?.length ?? 0;
  if (there > 0) return `in ${there}`;
  return here === 0 ? '' : String(here);
}

function historyCommand(exit: SetExitCode): Command {
  const command = withKind(withOutput(withPlaceFlags(new Command('history'))))
    .description('tell what happened to the suspension of a package')
    .argument('<name>', 'the package')
    .action(async (name: string, flags: ListFlags) => {
      await withPlace(flags, async (place) => {
        const one = await findInstalled(place, name, flags);
        const rows = await historiesOf(place, one);
        if (printed(rows, flags)) return;
        for (const source of one.status?.suspension?.sources ?? []) print(`Suspended ${sourceText(source)}`);
        if (rows.length === 0) return print(`${titleOf(one)}: nothing is known of a suspension`);
        printTable(rows, [
          ['TIME', ({ at }) => at],
          ['CLUSTER', ({ cluster = '' }) => cluster, place.onHub],
          ['ACTION', ({ action }) => action],
          ['BY', ({ by = '' }) => by],
          ['UNTIL', ({ until = '' }) => until],
          ['REASON', ({ reason = '' }) => reason],
        ]);
      });
      exit(0);
    });
  return shape(command, { complete: completeInstalled, examples: '%s package suspension history gateway' });
}

interface Entry extends SuspensionRecord {
  readonly cluster?: string;
}

/** What the operators of the clusters remember, which on a control plane is asked of each. */
async function historiesOf(place: Place, one: AnyPackage): Promise<readonly Entry[]> {
  if (!place.onHub) return one.status?.suspensionHistory ?? [];
  const all = await Promise.all(
    (one.status?.clusters ?? []).map(async ({ name: cluster }): Promise<readonly Entry[]> => {
      try {
        const { client } = place.session.member(cluster);
        const there = await client.find(packagesOfKind(one.kind), keyOf(one));
        return (there?.status?.suspensionHistory ?? []).map((entry) => ({ ...entry, cluster }));
      } catch (error) {
        process.stderr.write(`${cluster} cannot be asked: ${errorMessage(error)}\n`);
        return [];
      }
    }),
  );
  return all.flat().sort((a, b) => (a.at < b.at ? -1 : 1));
}
