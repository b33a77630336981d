// `api-resources` and `api-versions`: what the control plane, or a member, serves.
import { Option, type Command } from 'commander';
import { formatApiVersion, type KubeObject } from '../api/index.ts';
import type { ApiResource } from '../client/index.ts';
import { print, type SetExitCode } from './command.ts';
import {
  completeNames,
  scopedSession,
  withNamespace,
  withScope,
  withSession,
  type HubFlags,
  type ScopeFlags,
} from './objects/index.ts';
import { formatColumns, objectPrinter } from './output/index.ts';
import { commandPath, CommandError, listOption, upstreamCommand } from './shell/index.ts';

interface ResourceFlags extends HubFlags, ScopeFlags {
  readonly apiGroup?: string;
  readonly cached?: boolean;
  readonly categories: readonly string[];
  readonly namespaced?: string;
  readonly headers: boolean;
  readonly sortBy?: string;
  readonly verbs: readonly string[];
  readonly output?: string;
}

const EXAMPLES = `
  # What the control plane serves
  %s api-resources

  # What a member serves, with verbs
  %s api-resources --operation-scope members --cluster member1 -o wide

  # Kinds of one API group, by name
  %s api-resources --api-group policy.karmada.io -o name`;

export function apiResourcesCommand(exit: SetExitCode): Command {
  const command = upstreamCommand('api-resources', {
    group: 'Other',
    examples: EXAMPLES,
    complete: completeNames('clusters'),
  });
  return withScope(withNamespace(command), '--cluster <name>')
    .description('Print the supported API resources on the server')
    .option('--api-group <group>', 'limit to resources in the specified API group')
    .option('--cached', 'accepted; every call asks the server')
    .addOption(
      listOption('--categories <list>', 'limit to resources that belong to the specified categories'),
    )
    .addOption(
      new Option(
        '--namespaced [bool]',
        'if false, non-namespaced resources will be returned; both when not given',
      ).preset('true'),
    )
    .option('--no-headers', 'do not print headers')
    .option('--sort-by <column>', 'sort the list by: name or kind')
    .addOption(listOption('--verbs <list>', 'limit to resources that support the specified verbs'))
    .option('-o, --output <format>', 'output format. One of: (json, yaml, name, wide)')
    .allowExcessArguments()
    .action(async (flags: ResourceFlags) => {
      refuseOperands(command);
      if (flags.sortBy !== undefined && !['', 'name', 'kind'].includes(flags.sortBy))
        throw new CommandError('--sort-by accepts only name or kind');
      const format = flags.output ?? '';
      if (!['', 'wide', 'name', 'json', 'yaml'].includes(format))
        throw new CommandError(`--output ${format} is not available`);
      await withSession(flags, async (session) => {
        const all = await scopedSession(session, flags).mapper.resources();
        await show(
          ordered(
            all.filter((one) => fits(one, flags)),
            flags.sortBy,
          ),
          flags,
          format,
        );
      });
      exit(0);
    });
}

function fits(one: ApiResource, flags: ResourceFlags): boolean {
  if (!one.preferred) return false;
  if (flags.apiGroup !== undefined && one.group !== flags.apiGroup) return false;
  if (flags.namespaced !== undefined && String(one.namespaced) !== flags.namespaced) return false;
  return (
    flags.verbs.every((verb) => one.verbs.includes(verb)) &&
    flags.categories.every((category) => one.categories.includes(category))
  );
}

/** By group, then name, unless told otherwise. */
function ordered(all: readonly ApiResource[], sortBy: string | undefined): readonly ApiResource[] {
  const key = (one: ApiResource): string => {
    if (sortBy === 'kind') return one.kind;
    return sortBy === 'name' ? one.resource : `${one.group}\u0000${one.resource}`;
  };
  return [...all].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

async function show(all: readonly ApiResource[], flags: ResourceFlags, format: string): Promise<void> {
  if (format === 'name') {
    for (const { group, resource } of all) print(group === '' ? resource : `${resource}.${group}`);
    return;
  }
  if (format === 'json' || format === 'yaml') {
    const printer = await objectPrinter({ output: format }, false);
    process.stdout.write(printer?.(asList(all)) ?? '');
    return;
  }
  const wide = format === 'wide';
  const header = [
    'NAME',
    'SHORTNAMES',
    'APIVERSION',
    'NAMESPACED',
    'KIND',
    ...(wide ? ['VERBS', 'CATEGORIES'] : []),
  ];
  const rows = all.map((one) => [
    one.resource,
    one.shortNames.join(','),
    formatApiVersion(one),
    String(one.namespaced),
    one.kind,
    ...(wide ? [one.verbs.join(','), one.categories.join(',')] : []),
  ]);
  process.stdout.write(formatColumns(flags.headers ? [header, ...rows] : rows));
}

function refuseOperands(command: Command): void {
  if (command.args.length > 0)
    throw new CommandError(
      `unexpected arguments: [${command.args.join(' ')}]\nSee '${commandPath(command)} -h' for help and examples`,
    );
}

function asList(all: readonly ApiResource[]): KubeObject {
  const resources = all.map(
    ({ resource, singular, namespaced, group, version, kind, verbs, shortNames, categories }) => ({
      name: resource,
      singularName: singular,
      namespaced,
      ...(group === '' ? {} : { group }),
      version,
      kind,
      verbs,
      ...(shortNames.length === 0 ? {} : { shortNames }),
      ...(categories.length === 0 ? {} : { categories }),
    }),
  );
  return { apiVersion: 'v1', kind: 'APIResourceList', metadata: {}, groupVersion: '', resources };
}

export function apiVersionsCommand(exit: SetExitCode): Command {
  const command = upstreamCommand('api-versions', {
    group: 'Other',
    examples: `
      # What the control plane serves
      %s api-versions

      # What a member serves
      %s api-versions --operation-scope members --cluster member1`,
    complete: completeNames('clusters'),
  });
  return withScope(withNamespace(command), '--cluster <name>')
    .description('Print the supported API versions on the server, in the form of "group/version"')
    .allowExcessArguments()
    .action(async (flags: HubFlags & ScopeFlags) => {
      refuseOperands(command);
      await withSession(flags, async (session) => {
        const all = await scopedSession(session, flags).mapper.resources();
        for (const version of [...new Set(all.map((one) => formatApiVersion(one)))].sort()) print(version);
      });
      exit(0);
    });
}
