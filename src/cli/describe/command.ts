// `describe`: objects in words, with the events about them.
import { Option, type Command } from 'commander';
import type { KubeObject } from '../../api/index.ts';
import { errorMessage, systemClock } from '../../base/index.ts';
import { isNotFound, kinds, type ApiResource } from '../../client/index.ts';
import type { SetExitCode } from '../command.ts';
import {
  completeObjects,
  filesGiven,
  findTargets,
  keyOf,
  scopedSession,
  withFiles,
  withNamespace,
  withScope,
  withSession,
  type FileFlags,
  type HubFlags,
  type ObjectTarget,
  type ScopeFlags,
  type Session,
} from '../objects/index.ts';
import { CommandError, onByDefault, programName, throwAll, upstreamCommand } from '../shell/index.ts';
import { describeObject } from './kinds.ts';
import type { Described } from './parts.ts';
import { Description, describeEvents } from './text.ts';

interface DescribeFlags extends HubFlags, ScopeFlags, FileFlags {
  readonly allNamespaces?: boolean;
  readonly selector?: string;
  readonly showEvents: boolean;
}

const EXAMPLES = `
  # A Deployment of the control plane, with what happened to it
  %s describe deployment web -n shop

  # Pods of a member
  %s describe pods -l app=web -n shop --operation-scope members -C member1

  # A Cluster
  %s describe cluster/member1`;

export function describeCommand(exit: SetExitCode): Command {
  const command = upstreamCommand('describe', {
    group: 'Troubleshooting',
    examples: EXAMPLES,
    complete: completeObjects,
  });
  withScope(withFiles(withNamespace(command), 'containing the resource to describe'), '-C, --cluster <name>');
  return command
    .description('Show details of a specific resource or group of resources')
    .argument('[type]', 'TYPE[,TYPE...] or TYPE/NAME')
    .argument('[names...]', 'names or beginnings of names, or more TYPE/NAME')
    .option('-A, --all-namespaces', 'list the requested objects across all namespaces')
    .option('-l, --selector <selector>', 'label selector to filter on')
    .addOption(onByDefault('show-events', 'display events related to the described object'))
    .addOption(new Option('--chunk-size <n>', 'objects asked for at once').default('500').hideHelp())
    .action(async (type: string | undefined, names: readonly string[], flags: DescribeFlags) => {
      await withSession(flags, (session) =>
        describe(scopedSession(session, flags), type === undefined ? [] : [type, ...names], flags),
      );
      exit(0);
    });
}

async function describe(session: Session, operands: readonly string[], flags: DescribeFlags): Promise<void> {
  if (operands.length === 0 && !filesGiven(flags))
    throw new CommandError(
      `You must specify the type of resource to describe. Use "${programName()} api-resources" for a complete list of supported resources.`,
    );
  const targets = await findTargets(session, operands, flags, {
    typeAlone: true,
    allNamespaces: flags.allNamespaces === true,
    ...(flags.selector === undefined ? {} : { selected: true, labelSelector: flags.selector }),
  });
  const errors: Error[] = [];
  const texts: string[] = [];
  for (const target of targets) {
    try {
      const { objects, guessed } = await objectsOf(session, target);
      const found: string[] = [];
      for (const object of objects) found.push(await textOf(session, target.resource, object, flags));
      // COMPAT: what was found by the beginning of its name ends with an empty line.
      if (guessed) texts.push(found.map((text) => `${text}\n`).join(''));
      else texts.push(...found);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      errors.push(error);
    }
  }
  process.stdout.write(texts.join('\n\n'));
  if (texts.length === 0 && errors.length === 0)
    process.stderr.write(
      flags.allNamespaces === true
        ? 'No resources found\n'
        : `No resources found in ${session.namespace} namespace.\n`,
    );
  throwAll(errors);
}

/** The object, or those whose names begin with the name. */
async function objectsOf(
  session: Session,
  target: ObjectTarget,
): Promise<{ readonly objects: readonly KubeObject[]; readonly guessed: boolean }> {
  if (target.object !== undefined) return { objects: [target.object], guessed: false };
  try {
    const object = await session.client.get<KubeObject>(target.resource, keyOf(target));
    return { objects: [object], guessed: false };
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const { items } = await session.client.listAll(target.resource, { namespace: target.namespace });
    const found = items.filter(({ metadata }) => metadata.name?.startsWith(target.name) === true);
    if (found.length === 0) throw error;
    return { objects: found, guessed: true };
  }
}

async function textOf(
  session: Session,
  resource: ApiResource,
  object: KubeObject,
  { showEvents }: DescribeFlags,
): Promise<string> {
  const out = new Description();
  const { namespace } = object.metadata;
  const others: Described['others'] = async (group, version, plural, inNamespace = namespace) => {
    const other = { group, version, resource: plural, namespaced: true };
    // An empty one stands for all.
    const where = inNamespace === '' ? undefined : inNamespace;
    return (await session.client.listAll(other, { namespace: where })).items;
  };
  const find: Described['find'] = (group, version, plural, inNamespace, name) =>
    session.client.find(
      { group, version, resource: plural, namespaced: true },
      { namespace: inNamespace, name },
    );
  const hasEvents = await describeObject(out, object, resource.group, { others, find });
  if (showEvents && hasEvents) describeEvents(out, await eventsOf(session, object), systemClock.now());
  return out.finish();
}

async function eventsOf(session: Session, { kind, metadata }: KubeObject): Promise<readonly KubeObject[]> {
  const { name = '', namespace, uid } = metadata;
  const fields = [
    `involvedObject.name=${name}`,
    `involvedObject.kind=${kind}`,
    ...(namespace === undefined ? [] : [`involvedObject.namespace=${namespace}`]),
    // The kubelet calls nodes by their name there.
    ...(uid === undefined || kind === 'Node' ? [] : [`involvedObject.uid=${uid}`]),
  ];
  try {
    // Events about objects without a namespace are in "default".
    const { items } = await session.client.listAll(kinds.events, {
      namespace,
      fieldSelector: fields.join(','),
    });
    return items;
  } catch (error) {
    process.stderr.write(`Warning: events cannot be read: ${errorMessage(error)}\n`);
    return [];
  }
}
