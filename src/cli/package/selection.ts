// Which packages a command that takes several is about: named, or by labels, by their name in the repository, or all.
import type { Command } from 'commander';
import { OperatingError } from '../../base/index.ts';
import type { AnyPackage } from '../../packaging/index.ts';
import { CommandError, listOption } from '../shell/index.ts';
import type { Target } from '../suspension/targets.ts';
import { findInstalled } from './installed.ts';
import { clusterPackages, packages, type PackageFlags, type Place } from './place.ts';

export interface ChoiceFlags extends PackageFlags {
  readonly selector?: string;
  readonly packageName: readonly string[];
  readonly all?: boolean;
  readonly allNamespaces?: boolean;
}

export function withChoice(command: Command): Command {
  return command
    .option('-l, --selector <selector>', 'those with these labels')
    .addOption(listOption('--package-name <names>', 'those of these names in the repository'))
    .option('--all', 'all of them')
    .option('-A, --all-namespaces', 'packages of all namespaces, with --selector, --package-name or --all');
}

/** What was chosen, and what was named and is not there: the others are dealt with all the same. */
export interface Choice {
  readonly found: readonly AnyPackage[];
  readonly missing: readonly { readonly name: string; readonly message: string }[];
}

/** Throws CommandError and OperatingError when there are none. */
export async function chosenPackages(
  place: Place,
  names: readonly string[],
  flags: ChoiceFlags,
): Promise<Choice> {
  const selected = flags.selector !== undefined || flags.packageName.length > 0 || flags.all === true;
  if (names.length > 0) {
    if (selected)
      throw new OperatingError('BAD_FLAG', 'names and selectors exclude each other', 'give one of them');
    const found: AnyPackage[] = [];
    const missing: { readonly name: string; readonly message: string }[] = [];
    for (const name of new Set(names))
      try {
        found.push(await findInstalled(place, name, flags));
      } catch (error) {
        if (!(error instanceof CommandError) || names.length === 1) throw error;
        missing.push({ name, message: error.message });
      }
    return { found, missing };
  }
  if (!selected)
    throw new OperatingError(
      'NOTHING_NAMED',
      'no package is named',
      'name some, or give --selector, --package-name or --all',
    );
  const { client, session } = place;
  const namespace = flags.allNamespaces === true ? undefined : session.namespace;
  const options = flags.selector === undefined ? {} : { labelSelector: flags.selector };
  const wantsNamespaced = flags.kind !== 'clusterpackage';
  // A namespace that was named means Packages alone.
  const wantsWide = flags.kind !== 'package' && !session.namespaceGiven;
  const namespaced = wantsNamespaced ? (await client.listAll(packages, { ...options, namespace })).items : [];
  const wide = wantsWide ? (await client.listAll(clusterPackages, options)).items : [];
  const found = [...namespaced, ...wide].filter(
    ({ spec }) => flags.packageName.length === 0 || flags.packageName.includes(spec.packageInfo.name),
  );
  if (found.length === 0)
    throw new OperatingError(
      'NOTHING_FOUND',
      'no package matches',
      'look with "navarch package list --installed"',
    );
  return { found, missing: [] };
}

export async function targetOfPackage({ session }: Place, object: AnyPackage): Promise<Target> {
  const resource = await session.mapper.resourceForObject(object);
  if (resource === undefined)
    throw new OperatingError('NO_PACKAGES', 'packages are not served here', 'start the package operator');
  return { family: 'package', resource, object };
}
