// `package update`: newer versions for what is installed. All that is wrong is told before anything is changed.
import { Command } from 'commander';
import type { PackageManifest } from '../../api/index.ts';
import { isUpgrade, updatesItself, type AnyPackage } from '../../packaging/index.ts';
import { print, readDuration, type SetExitCode } from '../command.ts';
import { CommandError, shape } from '../shell/index.ts';
import { withCatalogue, type Catalogue } from './catalogue.ts';
import { decide, decisionLines, objections, type Decision } from './decisions.ts';
import { confirm, progress, say } from './dialogue.ts';
import { checkValuesIn } from './in-clusters.ts';
import {
  allInstalled,
  findInstalled,
  fleetPackageOf,
  forOutput,
  isPartly,
  suspendedText,
  titleOf,
} from './installed.ts';
import { wanted, withWaiting } from './install.ts';
import { withKind, withPlace, withPlaceFlags, type PackageFlags, type Place } from './place.ts';
import { printed, withWholeOutput, type OutputFlags } from './printing.ts';
import {
  checkValues,
  configured,
  withOldValues,
  withValues,
  type Configuration,
  type ValueFlags,
} from './values.ts';
import { outcome, untilInstalled, untilRolledOut } from './waiting.ts';
import { completeAllInstalled } from './words.ts';
import { change } from './writing.ts';

interface UpdateFlags extends ValueFlags, OutputFlags {
  readonly version?: string;
  readonly wait?: boolean;
  readonly dryRun?: boolean;
  readonly queue?: boolean;
  readonly timeout: string;
}

interface Update {
  readonly one: AnyPackage;
  readonly from: string;
  readonly to: string;
  readonly manifest: PackageManifest;
  readonly values: Configuration;
  readonly decisions: readonly Decision[];
  /** Written, and carried out when the package is resumed; in no cluster before. */
  readonly queued: boolean;
}

export function updateCommand(exit: SetExitCode): Command {
  const command = withKind(
    withWholeOutput(withWaiting(withOldValues(withValues(withPlaceFlags(new Command('update')))))),
  )
    .description('update installed packages')
    .argument('[name...]', 'the packages; without any, all that a newer version is available of')
    .option('-v, --version <version>', 'another version than the latest, for one package')
    .option('--queue', 'write the version of a suspended package too; it is updated when it is resumed')
    .action(async (names: readonly string[], flags: UpdateFlags) => {
      if (flags.version !== undefined && names.length !== 1)
        throw new CommandError('--version is for one package, which has to be named');
      if (flags.value.length > 0 && names.length !== 1)
        throw new CommandError('--value is for one package, which has to be named');
      const timeoutMs = readDuration('timeout', flags.timeout);
      await withPlace(flags, (place) =>
        withCatalogue(place, (catalogue) => update(place, catalogue, names, flags, timeoutMs)),
      );
      exit(0);
    });
  return shape(command, {
    complete: completeAllInstalled,
    examples: `
      # Everything
      %s package update

      # One package to one version, and a value that is new in it
      %s package update whoami --version v1.11.0 --value maxUnavailable=0

      # What would happen
      %s package update --dry-run`,
  });
}

async function update(
  place: Place,
  catalogue: Catalogue,
  names: readonly string[],
  flags: UpdateFlags,
  timeoutMs: number,
): Promise<void> {
  const named = await Promise.all(names.map((name) => findInstalled(place, name, flags)));
  const packages = names.length > 0 ? named : await ofPlace(place, flags);
  const updates: Update[] = [];
  const current: AnyPackage[] = [];
  for (const one of packages) {
    if (suspendedText(one) !== 'No' && !(await mayUpdateSuspended(one, names, flags))) continue;
    const found = await updateOf(place, catalogue, one, flags);
    if (found === undefined) current.push(one);
    else updates.push(found);
  }
  const against = updates.flatMap(({ one, decisions }) =>
    objections(decisions).map((why) => `${titleOf(one)}: ${why}`),
  );
  if (against.length > 0) throw new CommandError(`nothing was updated: ${against.join('\nerror: ')}`);
  if (names.length > 0) for (const one of current) print(`${titleOf(one)} is up to date`);
  if (updates.length === 0) {
    if (names.length === 0) print('Everything is up to date.');
    return;
  }
  for (const { one, from, to, decisions } of updates) {
    progress(flags, `Updates ${titleOf(one)}: ${from} -> ${to}`);
    for (const line of decisionLines(decisions, false)) progress(flags, `  ${line}`);
  }
  if (flags.dryRun !== true) await confirm(flags, 'Go on?');
  const done: AnyPackage[] = [];
  for (const one of updates) done.push(await carryOut(place, one, flags, timeoutMs));
  printed(
    done.map((one) => forOutput(one, flags.showAll === true)),
    flags,
  );
}

async function ofPlace(place: Place, flags: PackageFlags): Promise<readonly AnyPackage[]> {
  const { session } = place;
  const all = await allInstalled(place, session.namespaceGiven ? session.namespace : undefined);
  return all.filter(
    ({ kind }) =>
      (flags.kind === undefined || flags.kind === kind.toLowerCase()) &&
      (!session.namespaceGiven || kind === 'Package'),
  );
}

/** Who names a suspended package has to say that he knows; of all packages they are left out. */
async function mayUpdateSuspended(
  one: AnyPackage,
  names: readonly string[],
  flags: UpdateFlags,
): Promise<boolean> {
  const why = `${titleOf(one)} is suspended (${suspendedText(one)}${one.spec.suspension?.reason === undefined ? '' : `: ${one.spec.suspension.reason}`})`;
  if (names.length === 0) {
    say(`Skipped: ${why}`);
    return Promise.resolve(false);
  }
  if (flags.queue === true) return Promise.resolve(true);
  throw new CommandError(`${why}; resume it first, or write the version for when it is resumed with --queue`);
}

async function updateOf(
  place: Place,
  catalogue: Catalogue,
  one: AnyPackage,
  flags: UpdateFlags,
): Promise<Update | undefined> {
  const spec = (await fleetPackageOf(place, one))?.spec.template ?? one.spec;
  const { name, version: from, repositoryName } = spec.packageInfo;
  const repository = catalogue.client(repositoryName).name;
  const found = await wanted(catalogue, name, { ...flags, repository });
  const { version: to, manifest } = found;
  if (!isUpgrade(from, to)) {
    if (flags.version !== undefined && to !== from)
      throw new CommandError(
        `${titleOf(one)} has ${from}, and ${to} is no update of it; what is installed is never moved back`,
      );
    return undefined;
  }
  const kept = Object.entries(spec.values ?? {}).filter(([value]) =>
    Object.hasOwn(manifest.valueDefinitions ?? {}, value),
  );
  const lost = Object.keys(spec.values ?? {}).filter((value) => !kept.some(([known]) => known === value));
  if (lost.length > 0)
    say(
      `Warning: ${titleOf(one)}: ${to} has no ${lost.length === 1 ? 'value' : 'values'} ${lost.join(', ')}; what is set there is dropped`,
    );
  const values = configured(manifest, flags, Object.fromEntries(kept));
  try {
    checkValues(manifest, values);
  } catch (error) {
    if (error instanceof CommandError) throw new CommandError(`${titleOf(one)} ${to}: ${error.message}`);
    throw error;
  }
  const target = {
    ...one,
    spec: { ...spec, packageInfo: { ...spec.packageInfo, version: to }, values },
  } as AnyPackage;
  const clusters = (one.status?.clusters ?? []).map((cluster) => cluster.name);
  try {
    await checkValuesIn(place, catalogue, target, clusters);
  } catch (error) {
    if (error instanceof CommandError) throw new CommandError(`${titleOf(one)} ${to}: ${error.message}`);
    throw error;
  }
  const decisions = await decide(place, catalogue, target, manifest, clusters);
  return {
    one,
    from,
    to,
    manifest,
    values,
    decisions,
    queued: suspendedText(one) !== 'No' && !isPartly(one),
  };
}

async function carryOut(
  place: Place,
  { one, to, values, queued }: Update,
  flags: UpdateFlags,
  timeoutMs: number,
): Promise<AnyPackage> {
  const { package: changed, fleetPackage } = await change(
    place,
    one,
    { version: to, values },
    flags.dryRun === true,
  );
  const quiet = flags.output !== undefined;
  if (flags.dryRun === true) {
    if (!quiet) print(`${titleOf(one)} would be updated to ${to} (dry run)`);
    return changed;
  }
  const end =
    flags.wait === false || queued
      ? undefined
      : fleetPackage !== undefined
        ? await untilRolledOut(place, one, flags, timeoutMs)
        : await untilInstalled(place, changed, flags, timeoutMs);
  const done = queued ? `will be updated to ${to} when it is resumed` : `updated to ${to}`;
  if (!quiet) print(outcome(titleOf(one), done, end));
  return changed;
}

/** All that are to update themselves, one after the other, without questions. */
export async function updateThemselves(place: Place, flags: PackageFlags, timeoutMs: number): Promise<void> {
  await withCatalogue(place, async (catalogue) => {
    const wantedFlags: UpdateFlags = { ...flags, value: [], useDefault: [], yes: true, timeout: '' };
    const all = (await ofPlace(place, flags)).filter(updatesItself);
    const updates: Update[] = [];
    for (const one of all) {
      if (suspendedText(one) !== 'No' && !(await mayUpdateSuspended(one, [], wantedFlags))) continue;
      const found = await updateOf(place, catalogue, one, wantedFlags);
      if (found !== undefined) updates.push(found);
    }
    const against = updates.flatMap(({ one, decisions }) =>
      objections(decisions).map((why) => `${titleOf(one)}: ${why}`),
    );
    if (against.length > 0) throw new CommandError(`nothing was updated: ${against.join('\nerror: ')}`);
    if (updates.length === 0) return print('Everything that updates itself is up to date.');
    for (const one of updates) await carryOut(place, one, wantedFlags, timeoutMs);
  });
}
