// `package auto-update`: which packages follow their repository by themselves.
import { Command } from 'commander';
import type { AnyPackage } from '../../packaging/index.ts';
import { updatesItself } from '../../packaging/index.ts';
import { print, readDuration, type SetExitCode } from '../command.ts';
import { CommandError, shape } from '../shell/index.ts';
import { confirm, say } from './dialogue.ts';
import { allInstalled, autoUpdateAnnotations, findInstalled, titleOf } from './installed.ts';
import { packagesOfKind, withKind, withPlace, withPlaceFlags, type PackageFlags } from './place.ts';
import { updateThemselves } from './update.ts';
import { keyOf } from './waiting.ts';
import { completeAllInstalled } from './words.ts';

interface AutoUpdateFlags extends PackageFlags {
  readonly all?: boolean;
  readonly timeout: string;
}

export function autoUpdateCommand(exit: SetExitCode): Command {
  const command = withKind(withPlaceFlags(new Command('auto-update')))
    .description('update, without questions, all packages that are to update themselves; or say which are')
    .option('--timeout <duration>', 'how long to wait for each', '5m')
    .action(async (flags: AutoUpdateFlags) => {
      const timeoutMs = readDuration('timeout', flags.timeout);
      await withPlace(flags, (place) => updateThemselves(place, flags, timeoutMs));
      exit(0);
    });
  for (const on of [true, false]) command.addCommand(switchCommand(on, exit));
  return shape(command, {
    examples: `
      # Update now what updates itself
      %s package auto-update

      # From now on, by themselves
      %s package auto-update enable gateway certificates`,
  });
}

function switchCommand(on: boolean, exit: SetExitCode): Command {
  const verb = on ? 'enable' : 'disable';
  const command = withKind(withPlaceFlags(new Command(verb)))
    .description(on ? 'keep packages at the latest version' : 'leave packages at the version that they have')
    .argument('[name...]', 'the packages')
    .option('--all', 'all installed packages')
    .option('-y, --yes', 'do not ask')
    .action(async (names: readonly string[], flags: AutoUpdateFlags) => {
      if ((names.length === 0) === (flags.all !== true))
        throw new CommandError('name packages, or say --all');
      await withPlace(flags, async (place) => {
        const packages: readonly AnyPackage[] =
          flags.all === true
            ? await allInstalled(place, place.session.namespaceGiven ? place.session.namespace : undefined)
            : await Promise.all(names.map((name) => findInstalled(place, name, flags)));
        if (flags.all === true && packages.length > 1)
          await confirm(
            flags,
            `${on ? 'Enable' : 'Disable'} auto-update of ${packages.map(titleOf).join(', ')}?`,
          );
        for (const one of packages) {
          if (updatesItself(one) === on) {
            print(`${titleOf(one)}: auto-update is ${verb}d already`);
            continue;
          }
          const body = { metadata: { annotations: autoUpdateAnnotations(on) } };
          await place.client.patch(packagesOfKind(one.kind), keyOf(one), { type: 'merge', body });
          print(`${titleOf(one)}: auto-update ${verb}d`);
        }
        if (on && place.onHub)
          say(
            'What a control plane sends is updated whenever "navarch package auto-update" runs; run it regularly.',
          );
      });
      exit(0);
    });
  return shape(command, {
    complete: completeAllInstalled,
    examples: `# One package\n%s package auto-update ${verb} gateway\n\n# All of them\n%s package auto-update ${verb} --all --yes`,
  });
}
