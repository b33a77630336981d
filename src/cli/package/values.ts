// `--value` and `--use-default`: how a package is configured from the command line, checked before anything is written.
import { Option, type Command } from 'commander';
import type { PackageManifest, ValueConfiguration, ValueDefinition } from '../../api/index.ts';
import { validateValues } from '../../packaging/index.ts';
import { CommandError, repeatedOption } from '../shell/index.ts';
import { ask, canAsk, say } from './dialogue.ts';
import type { PackageFlags } from './place.ts';

export interface ValueFlags extends PackageFlags {
  readonly value: readonly string[];
  readonly useDefault: readonly string[];
  readonly keepOldValues?: boolean;
}

export type Configuration = Readonly<Record<string, ValueConfiguration>>;

export function withValues(command: Command): Command {
  return command
    .addOption(
      repeatedOption(
        '--value <name=value>',
        'set a value: name=text, name=$ConfigMapRef$ns,name,key, name=$SecretRef$ns,name,key or name=$PackageRef$name,value',
      ),
    )
    .addOption(
      repeatedOption('--use-default <name>', 'set a value to its default; "all" for all that have one'),
    );
}

export function withOldValues(command: Command): Command {
  return command.addOption(
    new Option('--keep-old-values [bool]', 'keep values that are set and not named here')
      .preset('true')
      .default(true)
      .argParser((text: string) => !/^(0|f|F|FALSE|false|False)$/.test(text)),
  );
}

/** One `--value`. Throws CommandError. */
export function parseValue(text: string): readonly [name: string, configuration: ValueConfiguration] {
  const at = text.indexOf('=');
  if (at <= 0) throw new CommandError(`--value ${text}: write it as name=value`);
  const name = text.slice(0, at);
  const value = text.slice(at + 1);
  const reference = /^\$(ConfigMapRef|SecretRef|PackageRef)\$(.*)$/s.exec(value);
  if (reference === null) return [name, { value }];
  const [, kind, rest = ''] = reference;
  const parts = rest.split(',');
  if (kind === 'PackageRef') {
    const [of = '', which = ''] = parts;
    if (parts.length !== 2 || of === '' || which === '')
      throw new CommandError(`--value ${text}: write a reference as ${name}=$PackageRef$name,value`);
    return [name, { valueFrom: { packageRef: { name: of, value: which } } }];
  }
  const [namespace = '', object = '', key = ''] = parts;
  if (parts.length !== 3 || object === '' || key === '')
    throw new CommandError(`--value ${text}: write a reference as ${name}=$${kind}$namespace,name,key`);
  const ref = { name: object, key, ...(namespace === '' ? {} : { namespace }) };
  return [name, { valueFrom: kind === 'SecretRef' ? { secretRef: ref } : { configMapRef: ref } }];
}

/** Defaults that were asked for, overlaid by old values, overlaid by what is named. */
export function configured(manifest: PackageManifest, flags: ValueFlags, old: Configuration): Configuration {
  const definitions = Object.entries(manifest.valueDefinitions ?? {});
  const all = flags.useDefault.includes('all');
  for (const name of flags.useDefault)
    if (name !== 'all' && !definitions.some(([known]) => known === name))
      throw new CommandError(`--use-default ${name}: package "${manifest.name}" has no such value`);
  const defaults = definitions.flatMap(([name, { defaultValue }]) =>
    defaultValue !== undefined && (all || flags.useDefault.includes(name))
      ? [[name, { value: defaultValue }] as const]
      : [],
  );
  const kept = flags.keepOldValues === false ? [] : Object.entries(old);
  return Object.fromEntries([...defaults, ...kept, ...flags.value.map(parseValue)]);
}

/**
 * What is required and has no value is asked for, where somebody can be asked, and else has its default. Throws CommandError
 * with a line for each value that will not do; references are taken for valid, since only the cluster can follow them.
 */
export async function completed(
  manifest: PackageManifest,
  flags: PackageFlags,
  values: Configuration,
): Promise<Configuration> {
  const asked: [string, ValueConfiguration][] = [];
  for (const [name, definition] of Object.entries(manifest.valueDefinitions ?? {})) {
    if (definition.constraints?.required !== true || Object.hasOwn(values, name)) continue;
    const { defaultValue } = definition;
    const value = canAsk(flags) ? await askFor(name, definition, flags) : defaultValue;
    if (value !== undefined) asked.push([name, { value }]);
  }
  const whole = { ...values, ...Object.fromEntries(asked) };
  checkValues(manifest, whole);
  return whole;
}

async function askFor(
  name: string,
  { metadata, defaultValue, options }: ValueDefinition,
  flags: PackageFlags,
): Promise<string> {
  const { label = name, description } = metadata ?? {};
  if (description !== undefined) say(description);
  const choice = options === undefined ? '' : ` (${options.join(', ')})`;
  const proposal = defaultValue === undefined ? '' : ` [${defaultValue}]`;
  const answer = await ask(flags, `${label}${choice}${proposal}:`, `add --value ${name}=...`);
  return answer === '' ? (defaultValue ?? '') : answer;
}

/** What is wrong with values as far as they are written down, a line each. Pure. */
export function valueComplaints(manifest: PackageManifest, values: Configuration): readonly string[] {
  const inline = Object.entries(values).flatMap(([name, { value }]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  const referenced = new Set(Object.keys(values).filter((name) => values[name]?.value === undefined));
  const problems = validateValues(manifest, Object.fromEntries(inline), referenced);
  const unknown = [...referenced]
    .filter((name) => !Object.hasOwn(manifest.valueDefinitions ?? {}, name))
    .map((name) => `value "${name}": package "${manifest.name}" has no such value`);
  return [...problems, ...unknown];
}

/** Throws CommandError for values that will not do. */
export function checkValues(manifest: PackageManifest, values: Configuration): void {
  const complaints = valueComplaints(manifest, values);
  if (complaints.length === 0) return;
  throw new CommandError(
    `${complaints.join('\nerror: ')}\nSet values with --value name=...; "package describe ${manifest.name}" shows which there are.`,
  );
}

/** `text` or where it comes from, for people. */
export function configurationText({ value, valueFrom }: ValueConfiguration): string {
  if (valueFrom === undefined) return value ?? '';
  const { configMapRef, secretRef, packageRef } = valueFrom;
  if (packageRef !== undefined) return `value ${packageRef.value} of package ${packageRef.name}`;
  const reference = configMapRef ?? secretRef;
  const where = reference?.namespace === undefined ? '' : `${reference.namespace}/`;
  return `key ${reference?.key ?? ''} of ${configMapRef === undefined ? 'Secret' : 'ConfigMap'} ${where}${reference?.name ?? ''}`;
}
