// `package diff`: what differs of a package in its clusters, and what applying it would change.
import { Command, Option } from 'commander';
import { formatYaml } from '../../client/index.ts';
import { print, type SetExitCode } from '../command.ts';
import { shape } from '../shell/index.ts';
import { differenceLines, differencesOf } from './differences.ts';
import { findInstalled } from './installed.ts';
import { withKind, withPlace, withPlaceFlags, type PackageFlags, type Place } from './place.ts';
import { recordOf } from './plan/command.ts';
import { completeInstalled } from './words.ts';

interface DiffFlags extends PackageFlags {
  readonly against?: string;
  readonly output?: 'json' | 'yaml';
}

export function diffPackageCommand(exit: SetExitCode): Command {
  const command = withKind(withPlaceFlags(new Command('diff')))
    .description('show what differs from what was applied, and what would be applied now')
    .argument('<name>', 'the package')
    .option('--against <version>', 'what another version would change, instead of the one that is wanted')
    .addOption(new Option('-o, --output <format>', 'how to print it').choices(['json', 'yaml']))
    .action(async (name: string, flags: DiffFlags) => {
      exit(await withPlace(flags, (place) => run(place, name, flags)));
    });
  return shape(command, {
    complete: completeInstalled,
    examples: `
      # While it is suspended; exits with 1 when anything differs
      %s package diff shop -n shop

      # What an update would change
      %s package diff gateway --against v1.3.0`,
  });
}

/** 0: nothing differs, 1: something does, 2: it cannot be told. */
async function run(place: Place, name: string, flags: DiffFlags): Promise<number> {
  const one = await findInstalled(place, name, flags);
  const differences = await differencesOf(place, one, flags.against);
  if (flags.output === undefined) for (const line of differenceLines(one, differences)) print(line);
  else {
    const plain = differences.map(({ cluster, drift, checkedAt, plan }) => ({
      ...(cluster === undefined ? {} : { cluster }),
      drift,
      ...(checkedAt === undefined ? {} : { checkedAt }),
      plan: recordOf(plan),
    }));
    print(flags.output === 'json' ? JSON.stringify(plain, null, 2) : formatYaml(plain).trimEnd());
  }
  if (differences.some(({ plan }) => plan.verdict.state === 'Failed')) return 2;
  return differences.some(({ drift, plan }) => drift.length > 0 || plan.changes.length > 0) ? 1 : 0;
}
