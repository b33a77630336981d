// `package diff`: what differs of a package in its clusters, and what applying it would change.
import { Command, Option } from 'commander';
import { errorMessage } from '../../base/index.ts';
import { formatYaml } from '../../client/index.ts';
import type { AnyPackage } from '../../packaging/index.ts';
import { print, type SetExitCode } from '../command.ts';
import { CommandError, shape } from '../shell/index.ts';
import { comparisons, unifiedOf, type Against, type Comparison } from './comparison.ts';
import { differenceLines, differencesOf, driftLine } from './differences.ts';
import { findInstalled, titleOf } from './installed.ts';
import { withKind, withPlace, withPlaceFlags, type PackageFlags, type Place } from './place.ts';
import { linesOf, recordOf } from './plan/command.ts';
import { completeInstalled } from './words.ts';

interface DiffFlags extends PackageFlags {
  readonly against?: string;
  readonly output?: 'unified' | 'json' | 'yaml';
}

const CANNOT_TELL = 2;

export function diffPackageCommand(exit: SetExitCode): Command {
  const command = withKind(withPlaceFlags(new Command('diff')))
    .description('show what differs from what was applied, and what would be applied now')
    .argument('<name>', 'the package')
    .option(
      '--against <what>',
      'live: what is there, with what was applied; applied: what is wanted, with what was applied; or a version, with what is there',
    )
    .addOption(new Option('-o, --output <format>', 'how to print it').choices(['unified', 'json', 'yaml']))
    .action(async (name: string, flags: DiffFlags) => {
      try {
        exit(await withPlace(flags, (place) => run(place, name, flags)));
      } catch (error) {
        throw new CommandError(errorMessage(error), CANNOT_TELL);
      }
    });
  return shape(command, {
    complete: completeInstalled,
    examples: `
      # While it is suspended; exits with 1 when anything differs
      %s package diff shop -n shop

      # What somebody changed by hand, line by line
      %s package diff gateway --against live -o unified

      # What waits until it is resumed
      %s package diff gateway --against applied

      # What an update would change
      %s package diff gateway --against v1.3.0`,
  });
}

/** 0: nothing differs, 1: something does, 2: it cannot be told. */
async function run(place: Place, name: string, flags: DiffFlags): Promise<number> {
  const one = await findInstalled(place, name, flags);
  const { against, output } = flags;
  const named: Against = against === 'live' || against === 'applied' ? against : { version: against };
  if (output === 'unified') {
    const all = await comparisons(place, one, named);
    for (const line of await unifiedOf(place, one, named, all)) print(line);
    return exitCodeOf(all);
  }
  return typeof named === 'string'
    ? compare(place, one, named, output)
    : survey(place, one, named.version, output);
}

function exitCodeOf(all: readonly Comparison[]): number {
  return all.some(({ changes, plan }) => changes.length > 0 || (plan?.creates.length ?? 0) > 0) ? 1 : 0;
}

async function compare(
  place: Place,
  one: AnyPackage,
  against: 'live' | 'applied',
  output: 'json' | 'yaml' | undefined,
): Promise<number> {
  const all = await comparisons(place, one, against);
  if (output !== undefined)
    printRecords(
      all.map(({ cluster, changes, plan }) => ({
        ...(cluster === undefined ? {} : { cluster }),
        against,
        ...(plan === undefined ? { changes } : recordOf(plan)),
      })),
      output,
    );
  else {
    print(titleOf(one));
    for (const { cluster, changes, plan } of all) {
      const where = cluster === undefined ? '' : ` in ${cluster}`;
      const text = against === 'live' ? 'differs' : 'would differ when it goes on';
      print(`  ${text}${where} from what was applied:`);
      const lines =
        plan === undefined ? changes.map(driftLine) : linesOf({ ...plan, cluster: undefined }, false);
      for (const line of lines.length === 0 ? ['nothing'] : lines) print(`    ${line}`);
    }
  }
  return exitCodeOf(all);
}

async function survey(
  place: Place,
  one: AnyPackage,
  version: string | undefined,
  output: 'json' | 'yaml' | undefined,
): Promise<number> {
  const differences = await differencesOf(place, one, version);
  if (output === undefined) for (const line of differenceLines(one, differences)) print(line);
  else
    printRecords(
      differences.map(({ cluster, drift, checkedAt, plan }) => ({
        ...(cluster === undefined ? {} : { cluster }),
        drift,
        ...(checkedAt === undefined ? {} : { checkedAt }),
        plan: recordOf(plan),
      })),
      output,
    );
  if (differences.some(({ plan }) => plan.verdict.state === 'Failed')) return CANNOT_TELL;
  return differences.some(
    ({ drift, plan }) => drift.length > 0 || plan.changes.length > 0 || plan.creates.length > 0,
  )
    ? 1
    : 0;
}

function printRecords(all: readonly object[], output: 'json' | 'yaml'): void {
  print(output === 'json' ? JSON.stringify(all, null, 2) : formatYaml(all).trimEnd());
}
