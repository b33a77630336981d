// `package rollout`: how far the waves of a package are, and the word to go on.
import { Command } from 'commander';
import { ROLLOUT_CONTINUE_ANNOTATION } from '../../api/index.ts';
import type { AnyFleetPackage, AnyPackage } from '../../packaging/index.ts';
import { print, readDuration, type SetExitCode } from '../command.ts';
import { CommandError, shape } from '../shell/index.ts';
import { rolloutLines } from './describe.ts';
import { confirm } from './dialogue.ts';
import { findInstalled, fleetPackageOf, titleOf } from './installed.ts';
import {
  fleetPackagesOfKind,
  withKind,
  withPlace,
  withPlaceFlags,
  type PackageFlags,
  type Place,
} from './place.ts';
import { printed, withOutput, type OutputFlags } from './printing.ts';
import { keyOf, outcome, untilRolledOut } from './waiting.ts';
import { completeInstalled } from './words.ts';

interface ContinueFlags extends PackageFlags {
  readonly wait?: boolean;
  readonly timeout: string;
}

export function rolloutCommand(exit: SetExitCode): Command {
  const command = new Command('rollout').description(
    'look at packages that reach their clusters in waves, and let them go on',
  );
  command.addCommand(statusCommand(exit));
  command.addCommand(continueCommand(exit));
  return shape(command, {});
}

async function found(
  place: Place,
  name: string,
  flags: PackageFlags,
): Promise<readonly [AnyPackage, AnyFleetPackage]> {
  const one = await findInstalled(place, name, flags);
  const fleetPackage = await fleetPackageOf(place, one);
  if (fleetPackage !== undefined) return [one, fleetPackage];
  throw new CommandError(
    `${titleOf(one)} does not come in waves; install it with "package install --waves", or describe it as a ${one.kind === 'Package' ? 'FleetPackage' : 'ClusterFleetPackage'}`,
  );
}

function statusCommand(exit: SetExitCode): Command {
  const command = withKind(withOutput(withPlaceFlags(new Command('status'))))
    .description('tell how far a roll-out is, with each cluster')
    .argument('<name>', 'the package')
    .action(async (name: string, flags: PackageFlags & OutputFlags) => {
      await withPlace(flags, async (place) => {
        const [one, fleetPackage] = await found(place, name, flags);
        if (printed([fleetPackage], flags, 'navarch.io')) return;
        print(
          `${titleOf(one)}: ${fleetPackage.spec.template.packageInfo.name} ${fleetPackage.spec.template.packageInfo.version}`,
        );
        for (const line of rolloutLines(fleetPackage.status).slice(2)) print(line.slice(2));
      });
      exit(0);
    });
  return shape(command, {
    complete: completeInstalled,
    examples: '# Each cluster\n%s package rollout status gateway',
  });
}

function continueCommand(exit: SetExitCode): Command {
  const command = withKind(withPlaceFlags(new Command('continue')))
    .description('go on after a pause, or after what failed has been put right')
    .argument('<name>', 'the package')
    .option('-y, --yes', 'do not ask')
    .option('--wait', 'wait for its end')
    .option('--timeout <duration>', 'how long to wait', '15m')
    .action(async (name: string, flags: ContinueFlags) => {
      const timeoutMs = readDuration('timeout', flags.timeout);
      await withPlace(flags, async (place) => {
        const [one, fleetPackage] = await found(place, name, flags);
        const { phase, awaits, message = '' } = fleetPackage.status ?? {};
        if (awaits === undefined)
          throw new CommandError(`the roll-out of ${titleOf(one)} waits for nobody: ${message}`);
        if (phase === 'Suspended')
          throw new CommandError(`the roll-out of ${titleOf(one)} is suspended; resume it first: ${message}`);
        if (phase !== 'Paused') await confirm(flags, `${message}. Go on?`);
        const { resourceVersion = '' } = fleetPackage.metadata;
        await place.client.patch(fleetPackagesOfKind(one.kind), keyOf(one), {
          type: 'merge',
          body: { metadata: { resourceVersion, annotations: { [ROLLOUT_CONTINUE_ANNOTATION]: awaits } } },
        });
        print(`the roll-out of ${titleOf(one)} goes on`);
        if (flags.wait === true)
          print(
            outcome(titleOf(one), 'rolled out', await untilRolledOut(place, one, flags, timeoutMs, awaits)),
          );
      });
      exit(0);
    });
  return shape(command, {
    complete: completeInstalled,
    examples: `
      # After a pause
      %s package rollout continue gateway

      # After a failure, and until it is over
      %s package rollout continue gateway --yes --wait`,
  });
}
