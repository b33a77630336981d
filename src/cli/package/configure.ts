// `package configure`: other values for what is installed.
import { Command } from 'commander';
import { print, readDuration, type SetExitCode } from '../command.ts';
import { CommandError, shape } from '../shell/index.ts';
import { withCatalogue } from './catalogue.ts';
import { ask, canAsk, confirm, progress, say } from './dialogue.ts';
import { checkValuesIn } from './in-clusters.ts';
import { fleetPackageOf, findInstalled, forOutput, isPartly, suspendedText, titleOf } from './installed.ts';
import { withWaiting } from './install.ts';
import { withKind, withPlace, withPlaceFlags } from './place.ts';
import { printed, withWholeOutput, type OutputFlags } from './printing.ts';
import {
  checkValues,
  configurationText,
  configured,
  parseValue,
  withOldValues,
  withValues,
  type Configuration,
  type ValueFlags,
} from './values.ts';
import { outcome, untilInstalled, untilRolledOut } from './waiting.ts';
import { completeInstalled } from './words.ts';
import { change } from './writing.ts';
import type { PackageManifest } from '../../api/index.ts';

export interface ConfigureFlags extends ValueFlags, OutputFlags {
  readonly wait?: boolean;
  readonly dryRun?: boolean;
  readonly timeout: string;
}

export function configureCommand(exit: SetExitCode): Command {
  const command = withKind(
    withWholeOutput(withWaiting(withOldValues(withValues(withPlaceFlags(new Command('configure')))))),
  )
    .description('change the values of an installed package')
    .argument('<name>', 'the package')
    .action(async (name: string, flags: ConfigureFlags) => {
      const timeoutMs = readDuration('timeout', flags.timeout);
      await withPlace(flags, (place) =>
        withCatalogue(place, async (catalogue) => {
          const one = await findInstalled(place, name, flags);
          const spec = (await fleetPackageOf(place, one))?.spec.template ?? one.spec;
          const { packageInfo, values: before = {} } = spec;
          const { manifest } = await catalogue
            .client(packageInfo.repositoryName)
            .manifest(packageInfo.name, packageInfo.version);
          const named =
            flags.value.length > 0 || flags.useDefault.length > 0 || flags.keepOldValues === false;
          const values = named ? configured(manifest, flags, before) : await edited(manifest, flags, before);
          checkValues(manifest, values);
          const clusters = (one.status?.clusters ?? []).map((cluster) => cluster.name);
          await checkValuesIn(place, catalogue, { ...one, spec: { ...spec, values } }, clusters);
          const lines = differences(before, values);
          if (lines.length === 0) return print(`${titleOf(one)} is configured like this already`);
          progress(flags, `Configures ${titleOf(one)}:`);
          for (const line of lines) progress(flags, `  ${line}`);
          if (suspendedText(one) !== 'No')
            say(
              `Warning: ${titleOf(one)} is suspended (${suspendedText(one)}); this takes effect ${isPartly(one) ? 'there ' : ''}when it is resumed`,
            );
          if (flags.dryRun !== true) await confirm(flags, 'Go on?');
          const changed = await change(place, one, { values }, flags.dryRun === true);
          if (flags.dryRun === true) {
            if (!printed([forOutput(changed.package, flags.showAll === true)], flags))
              print(`${titleOf(one)} would be configured (dry run)`);
            return;
          }
          const end =
            flags.wait === false
              ? undefined
              : changed.fleetPackage !== undefined
                ? await untilRolledOut(place, one, flags, timeoutMs)
                : await untilInstalled(place, changed.package, flags, timeoutMs);
          if (!printed([forOutput(changed.package, flags.showAll === true)], flags))
            print(outcome(titleOf(one), 'configured', end));
        }),
      );
      exit(0);
    });
  return shape(command, {
    complete: completeInstalled,
    examples: `
      # One value; the others stay
      %s package configure gateway --value replicas=3

      # Back to the defaults, and nothing else
      %s package configure gateway --keep-old-values=false --use-default all

      # One after the other, at a terminal
      %s package configure gateway`,
  });
}

/** Each value in order, at a terminal: an empty answer keeps what there is. */
async function edited(
  manifest: PackageManifest,
  flags: ConfigureFlags,
  before: Configuration,
): Promise<Configuration> {
  if (!canAsk(flags))
    throw new CommandError('nothing is to be changed; name values with --value or --use-default');
  const values: Record<string, Configuration[string]> = { ...before };
  const definitions = Object.entries(manifest.valueDefinitions ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  if (definitions.length === 0) throw new CommandError(`package "${manifest.name}" has no values`);
  say(
    'Enter keeps what there is, "-" removes it, "=" takes the default; references are written as for --value.',
  );
  for (const [name, { metadata, defaultValue, options }] of definitions) {
    const old = before[name];
    const hints = [
      ...(options === undefined ? [] : [options.join(', ')]),
      ...(defaultValue === undefined ? [] : [`default ${defaultValue}`]),
    ];
    if (metadata?.description !== undefined) say(metadata.description);
    const question = `${metadata?.label ?? name}${hints.length === 0 ? '' : ` (${hints.join('; ')})`} [${old === undefined ? 'not set' : configurationText(old)}]:`;
    const answer = await ask(flags, question, `add --value ${name}=...`);
    if (answer === '') continue;
    if (answer === '-') delete values[name];
    else if (answer === '=' && defaultValue !== undefined) values[name] = { value: defaultValue };
    else values[name] = parseValue(`${name}=${answer}`)[1];
  }
  return values;
}

/** `replicas: 2 -> 3`, a line each. */
export function differences(before: Configuration, after: Configuration): readonly string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  const text = (values: Configuration, name: string): string => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    return value === undefined ? 'not set' : configurationText(value);
  };
  return names
    .filter((name) => text(before, name) !== text(after, name))
    .map((name) => `${name}: ${text(before, name)} -> ${text(after, name)}`);
}
