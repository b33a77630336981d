// `get`: objects of the control plane and of members in one table, told apart by a CLUSTER column; ADOPTION says whether
// the control plane manages what a member has. What one cluster cannot tell does not hide what the others do.
import type { Command } from 'commander';
import type { SetExitCode } from '../command.ts';
import {
  clusterNames,
  completeObjects,
  filesGiven,
  readScope,
  requireClusters,
  withFiles,
  withNamespace,
  withSession,
  type Session,
} from '../objects/index.ts';
import { listOf, objectPrinter, withTableOutput, type ObjectPrinter } from '../output/index.ts';
import { CommandError, listOption, programName, throwAll, upstreamCommand } from '../shell/index.ts';
import { fetchFrom, type Fetched, type FetchRequest } from './fetch.ts';
import { CONTROL_PLANE, type GetFlags, type Target } from './flags.ts';
import { printTables } from './table.ts';
import { watchTables } from './watch.ts';

const EXAMPLES = `
  # List all pods in the control plane, with more information
  %s get pods -o wide

  # List the deployments of a namespace in all members
  %s get deployments -n shop --operation-scope members

  # The same object in the control plane and in two members
  %s get deployment web --operation-scope all -C member1,member2

  # List objects of several kinds in one member, by their labels
  %s get deployments,services -l app=web --operation-scope members -C member1

  # Print the replicas of a deployment
  %s get deployment web -o jsonpath='{.spec.replicas}'

  # Follow what happens to pods in all members
  %s get pods -A --operation-scope members -w`;

export function getCommand(exit: SetExitCode): Command {
  const command = upstreamCommand('get', { group: 'Basic', examples: EXAMPLES, complete: completeObjects });
  withFiles(withTableOutput(withNamespace(command)), 'identifying the resource to get from a server.');
  return command
    .description('Display one or many resources in the control plane and member clusters')
    .argument('[type]', 'TYPE[,TYPE...] or TYPE/NAME')
    .argument('[names...]', 'names, or more TYPE/NAME')
    .option('-s, --operation-scope <scope>', 'where to look: karmada, members or all', 'karmada')
    .addOption(listOption('-C, --clusters <names>', 'members to ask, for example: -C=member1,member2'))
    .option('-A, --all-namespaces', 'list the requested objects across all namespaces')
    .option('-l, --labels <selector>', 'label selector to filter on')
    .option('--selector <selector>', 'the same as --labels')
    .option('--field-selector <selector>', 'field selector to filter on')
    .addOption(listOption('-L, --label-columns <labels>', 'labels that are presented as columns'))
    .option('--show-kind', 'list the resource type for the requested objects')
    .option('--show-labels', 'show all labels as the last column')
    .option('--sort-by <path>', 'sort lists by this JSONPath expression')
    .option('--ignore-not-found', 'a requested object that does not exist is no error')
    .option('-w, --watch', 'after listing the requested objects, watch for changes')
    .option('--watch-only', 'watch for changes to the requested objects, without listing first')
    .option('--output-watch-events', 'output watch events when --watch or --watch-only is used')
    .action(async (type: string | undefined, names: readonly string[], flags: GetFlags) => {
      const operands = type === undefined ? [] : [type, ...names];
      exit(await withSession(flags, (session) => get(session, operands, flags)));
    });
}

async function get(session: Session, operands: readonly string[], flags: GetFlags): Promise<number> {
  const scope = readScope(flags.operationScope, ['karmada', 'members', 'all']);
  validate(flags);
  const printer = await objectPrinter(flags, true);
  if (operands.length === 0 && !filesGiven(flags)) throw nothingNamed();
  if (scope !== 'karmada') await requireClusters(session, flags.clusters);
  const members =
    scope === 'karmada'
      ? []
      : flags.clusters.length > 0
        ? [...new Set(flags.clusters)]
        : await clusterNames(session);
  if (scope === 'members' && members.length === 0) {
    process.stderr.write('No member Clusters found in Karmada control plane\n');
    return 0;
  }
  const targets: Target[] = [
    ...(scope === 'members' ? [] : [{ label: CONTROL_PLANE, session }]),
    ...members.map((name) => ({ label: name, session: session.member(name) })),
  ];
  const request: FetchRequest = { operands, flags, asTable: printer === undefined };
  if (flags.watch === true || flags.watchOnly === true) {
    await watchTables(targets, request, printer);
    return 0;
  }
  const fetched = await Promise.all(targets.map((target) => fetchFrom(target, request)));
  const errors = fetched.flatMap((one) => one.errors);
  if (printer === undefined) {
    const written = printTables(fetched, flags);
    if (!written && errors.length === 0 && flags.ignoreNotFound !== true)
      sayNothingFound(fetched, session, flags);
  } else {
    printObjects(fetched, printer, flags, errors.length === 0);
  }
  throwAll(errors);
  return 0;
}

function validate({ showLabels, output = '', outputWatchEvents, watch, watchOnly }: GetFlags): void {
  if (showLabels === true && output !== '' && output !== 'wide')
    throw new CommandError(`--show-labels option cannot be used with ${output} printer`);
  if (outputWatchEvents === true && watch !== true && watchOnly !== true)
    throw new CommandError('--output-watch-events option can only be used with --watch or --watch-only');
}

function nothingNamed(): CommandError {
  const name = programName();
  process.stderr.write(
    `You must specify the type of resource to get. Use "${name} api-resources" for a complete list of supported resources.\n\n`,
  );
  return new CommandError(
    `Required resource not specified.\nUse "${name} explain <resource>" for a detailed description of that resource (e.g. ${name} explain pods).\nSee '${name} get -h' for help and examples`,
  );
}

function sayNothingFound(fetched: readonly Fetched[], session: Session, flags: GetFlags): void {
  const namespaced = fetched.every(({ parts }) => parts.every(({ resource }) => resource.namespaced));
  const where = namespaced && flags.allNamespaces !== true ? ` in ${session.namespace} namespace.` : '';
  process.stderr.write(`No resources found${where}\n`);
}

/** One document of everything for JSON and YAML; what a template prints is its own, cluster by cluster. */
function printObjects(
  fetched: readonly Fetched[],
  printer: ObjectPrinter,
  flags: GetFlags,
  complete: boolean,
): void {
  const merged = /^(json|yaml|name|custom-columns(-file)?)(=|$)/.test(flags.output ?? '');
  const groups = merged ? [fetched.flatMap(({ parts }) => parts)] : fetched.map(({ parts }) => parts);
  for (const parts of groups) {
    const objects = parts.flatMap(({ objects }) => objects ?? []);
    const [only] = objects;
    // Of several clusters it is a list, also when only one of them has answered.
    const alone = !merged || fetched.length === 1;
    const single = alone && parts.length === 1 && parts[0]?.single === true && only !== undefined;
    if (objects.length === 0 && (!complete || flags.ignoreNotFound === true)) continue;
    process.stdout.write(printer(single ? only : listOf(objects, '')));
  }
}
