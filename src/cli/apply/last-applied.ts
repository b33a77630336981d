// `apply view-last-applied`, `edit-last-applied` and `set-last-applied`: the annotation by which apply knows what was declared.
import { Option, type Command } from 'commander';
import type { KubeObject } from '../../api/index.ts';
import { formatYaml, parseYaml } from '../../client/index.ts';
import { print, type SetExitCode } from '../command.ts';
import { editText, windowsLineEndings } from '../editor.ts';
import { sayCancelled } from '../edit.ts';
import {
  changeEach,
  completeObjects,
  filesGiven,
  findTargets,
  keyOf,
  locate,
  readDryRun,
  readObjects,
  tell,
  withDryRun,
  withFiles,
  withNamespace,
  withSession,
  withSource,
  type FileFlags,
  type HubFlags,
  type ObjectTarget,
  type Session,
} from '../objects/index.ts';
import { formatJson, objectName } from '../output/index.ts';
import { CommandError, throwAll, upstreamCommand } from '../shell/index.ts';
import { LAST_APPLIED, withDeclaration } from './declaration.ts';

interface LookFlags extends HubFlags, FileFlags {
  readonly output: string;
  readonly all?: boolean;
  readonly selector?: string;
  readonly fieldManager: string;
  readonly windowsLineEndings: boolean;
}

interface SetFlags extends HubFlags, FileFlags {
  readonly createAnnotation?: boolean;
  readonly dryRun: string;
}

function withLooking(command: Command, what: string): Command {
  return withFiles(withNamespace(command), what)
    .argument('[type]', 'TYPE or TYPE/NAME')
    .argument('[names...]', 'names')
    .addOption(new Option('-o, --output <format>', 'output format').choices(['yaml', 'json']).default('yaml'))
    .option('-l, --selector <selector>', 'label selector to filter on')
    .option('--all', 'all objects of the type in the namespace');
}

const VIEW = `
  # What was last applied to a Deployment
  %s apply view-last-applied deployment/web -n shop`;

export function viewLastAppliedCommand(exit: SetExitCode): Command {
  const command = upstreamCommand('view-last-applied', { examples: VIEW, complete: completeObjects });
  return withLooking(command, 'that contains the last-applied-configuration annotations')
    .description('View the latest last-applied-configuration annotations of a resource or objects of a file')
    .action(async (type: string | undefined, names: readonly string[], flags: LookFlags) => {
      await withSession(flags, async (session) => {
        const all = await declared(session, type === undefined ? [] : [type, ...names], flags);
        all.forEach(({ text }, index) => {
          if (index > 0 && flags.output === 'yaml') print('---');
          const object = JSON.parse(text) as KubeObject;
          // COMPAT: two spaces here, four everywhere else.
          process.stdout.write(flags.output === 'json' ? formatJson(object, 2) : formatYaml(object));
        });
      });
      exit(0);
    });
}

interface Declared {
  readonly target: ObjectTarget;
  readonly object: KubeObject;
  /** JSON, as it was declared. */
  readonly text: string;
}

async function declared(
  session: Session,
  operands: readonly string[],
  flags: LookFlags,
): Promise<readonly Declared[]> {
  if (operands.length === 0 && !filesGiven(flags))
    throw new CommandError('must provide a resource: TYPE NAME, or -f');
  const selected = flags.selector !== undefined || flags.all === true;
  const targets = await findTargets(session, operands, flags, {
    ...(selected ? { selected: true } : { typeAlone: true }),
    ...(flags.selector === undefined ? {} : { labelSelector: flags.selector }),
  });
  if (targets.length === 0) throw new CommandError('no objects found');
  const found: Declared[] = [];
  for (const target of targets) {
    const object = target.object ?? (await session.client.get<KubeObject>(target.resource, keyOf(target)));
    const text = object.metadata.annotations?.[LAST_APPLIED];
    if (text === undefined)
      throw new CommandError(`no last-applied-configuration annotation found on resource: ${target.name}`);
    found.push({ target, object, text });
  }
  return found;
}

const EDIT = `
  # What counts as declared for a Deployment, in your editor
  %s apply edit-last-applied deployment/web -n shop`;

export function editLastAppliedCommand(exit: SetExitCode): Command {
  const command = upstreamCommand('edit-last-applied', { examples: EDIT, complete: completeObjects });
  return withLooking(command, 'to use to edit the resource')
    .description('Edit latest last-applied-configuration annotations of a resource/object')
    .addOption(windowsLineEndings())
    .option(
      '--field-manager <name>',
      'name of the manager used to track field ownership',
      'kubectl-last-applied',
    )
    .action(async (type: string | undefined, names: readonly string[], flags: LookFlags) => {
      await withSession(
        flags,
        async (session) => {
          for (const one of await declared(session, type === undefined ? [] : [type, ...names], flags))
            await editOne(session, one, flags);
        },
        { fieldManager: flags.fieldManager },
      );
      exit(0);
    });
}

async function editOne(
  session: Session,
  { target, object, text }: Declared,
  flags: LookFlags,
): Promise<void> {
  const shown = JSON.parse(text) as KubeObject;
  await editText({
    text: flags.output === 'json' ? formatJson(shown) : formatYaml(shown),
    extension: flags.output,
    windowsLineEndings: flags.windowsLineEndings,
    cancelled: sayCancelled,
    save: async (edited) => {
      const wanted = parseYaml(edited) as KubeObject | undefined;
      if (typeof wanted !== 'object' || wanted.kind !== object.kind || wanted.metadata?.name !== target.name)
        throw new CommandError('At least one of apiVersion, kind and name was changed');
      const saved = await annotate(session, target, object, wanted);
      tell(saved, 'edited', 'none', undefined);
    },
  });
}

/** Writes what counts as declared; nothing else of the object changes. */
async function annotate(
  session: Session,
  target: Pick<ObjectTarget, 'resource' | 'namespace' | 'name'>,
  current: KubeObject,
  wanted: KubeObject,
  dryRun = false,
): Promise<KubeObject> {
  const text = withDeclaration(wanted).metadata.annotations?.[LAST_APPLIED] ?? '';
  const { resourceVersion } = current.metadata;
  const body = { metadata: { resourceVersion, annotations: { [LAST_APPLIED]: text } } };
  return session.client.patch<KubeObject>(
    target.resource,
    keyOf(target),
    { type: 'merge', body },
    { dryRun },
  );
}

const SET = `
  # Take what is in a file for what was last applied
  %s apply set-last-applied -f web.yaml --create-annotation`;

export function setLastAppliedCommand(exit: SetExitCode): Command {
  const command = upstreamCommand('set-last-applied', { examples: SET });
  return withDryRun(
    withFiles(withNamespace(command), 'that contains the last-applied-configuration annotations'),
  )
    .description(
      'Set the last-applied-configuration annotation on a live object to match the contents of a file',
    )
    .option('--create-annotation', 'also on objects that have no such annotation')
    .action(async (flags: SetFlags) => {
      await withSession(flags, (session) => setAll(session, flags));
      exit(0);
    });
}

async function setAll(session: Session, flags: SetFlags): Promise<void> {
  const dryRun = readDryRun(flags.dryRun);
  const objects = await readObjects(flags);
  const errors = await changeEach(objects, async ({ object, source }) => {
    const { resource, namespace, object: placed } = await locate(session, object, source);
    const target = { resource, namespace, name: placed.metadata.name ?? '' };
    try {
      const current = await session.client.get<KubeObject>(resource, keyOf(target));
      if (current.metadata.annotations?.[LAST_APPLIED] === undefined && flags.createAnnotation !== true)
        throw new CommandError(
          `no last-applied-configuration annotation found on resource: ${target.name}, to create the annotation, run the command with --create-annotation`,
        );
      const text = withDeclaration(placed).metadata.annotations?.[LAST_APPLIED];
      if (text === current.metadata.annotations?.[LAST_APPLIED])
        return print(`set-last-applied ${objectName(current)}: no changes required.`);
      const saved =
        dryRun === 'client' ? current : await annotate(session, target, current, placed, dryRun === 'server');
      tell(saved, 'configured', dryRun, undefined);
    } catch (error) {
      throw withSource('setting the annotation by', source, error);
    }
  });
  throwAll(errors);
}
