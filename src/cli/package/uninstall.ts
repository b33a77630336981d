// `package uninstall`: takes a package down, with what was there only for it, unless another package needs it.
import { Command } from 'commander';
import { isNotFound, kinds, type Resource } from '../../client/index.ts';
import { ORPHAN_ANNOTATION, type KubeObject } from '../../api/index.ts';
import { errorMessage } from '../../base/index.ts';
import { packageId, packageKey, uninstallPlan, type AnyPackage } from '../../packaging/index.ts';
import { print, readDuration, type SetExitCode } from '../command.ts';
import { CommandError, shape } from '../shell/index.ts';
import { withCatalogue } from './catalogue.ts';
import { installedPackages } from './decisions.ts';
import { confirm, progress, say } from './dialogue.ts';
import { spreadOf, unsentOf } from './holding.ts';
import { findInstalled, fleetPackageOf, suspendedText, titleOf } from './installed.ts';
import {
  fleetPackagesOfKind,
  packagesOfKind,
  withKind,
  withPlace,
  withPlaceFlags,
  type PackageFlags,
  type Place,
} from './place.ts';
import { policyName } from './sending.ts';
import { keyOf, untilGone, untilLetGo } from './waiting.ts';
import { completeInstalled } from './words.ts';

interface UninstallFlags extends PackageFlags {
  readonly wait?: boolean;
  readonly dryRun?: boolean;
  readonly orphan?: boolean;
  readonly timeout: string;
}

export function uninstallCommand(exit: SetExitCode): Command {
  const command = withKind(withPlaceFlags(new Command('uninstall')))
    .description('uninstall a package, and what nothing else needs then')
    .argument('<name>', 'the package')
    .option('-y, --yes', 'do not ask')
    .option('--no-wait', 'do not wait until it is gone')
    .option('--timeout <duration>', 'how long to wait', '5m')
    .option('--orphan', 'leave what it brought, and what it needs, as it is; charts stay suspended')
    .option('--dry-run', 'say what would be uninstalled, and uninstall nothing')
    .action(async (name: string, flags: UninstallFlags) => {
      const timeoutMs = readDuration('timeout', flags.timeout);
      await withPlace(flags, async (place) => {
        const one = await findInstalled(place, name, flags);
        await plan(place, one, flags);
        const stays = flags.orphan === true ? '; what it brought stays' : '';
        if (flags.dryRun === true) return print(`${titleOf(one)} would be uninstalled${stays} (dry run)`);
        const suspended = suspendedText(one);
        await confirm(
          flags,
          suspended === 'No'
            ? `Uninstall ${titleOf(one)}?`
            : `${titleOf(one)} is suspended (${one.spec.suspension?.reason ?? suspended}). Uninstall it all the same?`,
        );
        if (flags.orphan === true) await letGo(place, one, flags, timeoutMs);
        await remove(place, one);
        if (flags.wait !== false) await untilGone(place, one, flags, timeoutMs);
        print(`${titleOf(one)} ${flags.wait === false ? 'is being uninstalled' : 'uninstalled'}${stays}`);
      });
      exit(0);
    });
  return shape(command, {
    complete: completeInstalled,
    examples: `
      # Ask first, and wait until it is gone
      %s package uninstall gateway

      # What would go with it
      %s package uninstall gateway --dry-run

      # The package goes, and everything that it brought stays and works
      %s package uninstall gateway --orphan`,
  });
}

/** Says what goes, in each cluster; throws CommandError when another package needs it somewhere. */
async function plan(place: Place, one: AnyPackage, flags: UninstallFlags): Promise<void> {
  const clusters = one.status?.clusters?.map((cluster) => cluster.name) ?? [];
  progress(
    flags,
    `Uninstalls ${titleOf(one)}: ${one.spec.packageInfo.name} ${one.spec.packageInfo.version}${place.onHub && clusters.length > 0 ? ` in ${clusters.join(', ')}` : ''}`,
  );
  const against: string[] = [];
  const going = new Map<string, readonly string[]>();
  await withCatalogue(place, async (catalogue) => {
    for (const cluster of place.onHub ? clusters : [undefined]) {
      const where = cluster === undefined ? '' : `${cluster}: `;
      try {
        const session = cluster === undefined ? place.session : place.session.member(cluster);
        const { refusals, pruned } = uninstallPlan(
          await installedPackages(session, catalogue),
          packageId(one),
        );
        against.push(...refusals.map((why) => `${where}${why}`));
        for (const id of pruned) {
          const name = packageKey(id);
          going.set(name, [...(going.get(name) ?? []), ...(cluster === undefined ? [] : [cluster])]);
        }
      } catch (error) {
        if (cluster === undefined) throw error;
        // A cluster that cannot be asked must not keep others from being tidied.
        say(`Warning: ${where}it cannot be asked who needs it: ${errorMessage(error)}`);
      }
    }
  });
  for (const [name, where] of flags.orphan === true ? [] : going)
    progress(
      flags,
      `  and ${name}, which nothing needs then${where.length === 0 ? '' : `, in ${where.join(', ')}`}`,
    );
  if (against.length > 0)
    throw new CommandError(
      `${titleOf(one)} cannot be uninstalled: ${against.join('\nerror: ')}; uninstall what needs it first`,
    );
}

/**
 * Has the operators let go of everything before anything is deleted. Throws CommandError where some of them are sent nothing,
 * OperatingError when they have not done so in time; the package is there in both cases.
 */
async function letGo(place: Place, one: AnyPackage, flags: PackageFlags, timeoutMs: number): Promise<void> {
  const spread = await spreadOf(place, one);
  const unsent = spread === undefined ? [] : unsentOf(one, spread);
  if (unsent.length > 0)
    throw new CommandError(
      `${titleOf(one)} cannot be uninstalled like this: ${unsent.join(', ')} cannot be told to keep what it brought while dispatching there is suspended; resume that first, or leave --orphan out`,
    );
  await place.client.patch(packagesOfKind(one.kind), keyOf(one), {
    type: 'merge',
    body: { metadata: { annotations: { [ORPHAN_ANNOTATION]: 'true' } } },
  });
  await untilLetGo(place, one, flags, timeoutMs);
}

async function remove(place: Place, one: AnyPackage): Promise<void> {
  const { client, onHub } = place;
  const fleetPackage = await fleetPackageOf(place, one);
  const preconditions = { uid: (fleetPackage ?? one).metadata.uid ?? '' };
  const options = { propagationPolicy: 'Foreground' as const, preconditions };
  if (fleetPackage !== undefined) await client.delete(fleetPackagesOfKind(one.kind), keyOf(one), options);
  else await client.delete(packagesOfKind(one.kind), keyOf(one), options);
  if (!onHub || fleetPackage !== undefined) return;
  const { name = '', namespace } = one.metadata;
  const resource = (
    namespace === undefined ? kinds.clusterPropagationPolicies : kinds.propagationPolicies
  ) as Resource<KubeObject>;
  try {
    // The policy that "package install" made for this package alone.
    await client.delete(resource, {
      name: policyName(name),
      ...(namespace === undefined ? {} : { namespace }),
    });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
