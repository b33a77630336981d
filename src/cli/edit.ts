// `edit`: objects of the control plane in the user's editor.
import { Option, type Command } from 'commander';
import type { KubeObject } from '../api/index.ts';
import { formatYaml, parseYaml } from '../client/index.ts';
import { mergePatchBetween } from '../machinery/index.ts';
import { print, type SetExitCode } from './command.ts';
import { withDeclaration } from './apply/declaration.ts';
import { editText, windowsLineEndings } from './editor.ts';
import {
  completeObjects,
  filesGiven,
  findTargets,
  keyOf,
  tell,
  withFiles,
  withNamespace,
  withSession,
  type FileFlags,
  type HubFlags,
  type ObjectTarget,
  type Session,
} from './objects/index.ts';
import { formatJson, listOf } from './output/index.ts';
import { CommandError, upstreamCommand } from './shell/index.ts';
import { fieldValidation, withValidation } from './validation.ts';

interface EditFlags extends HubFlags, FileFlags {
  readonly output: string;
  readonly selector?: string;
  readonly validate: string;
  readonly fieldManager: string;
  readonly outputPatch?: boolean;
  readonly saveConfig?: boolean;
  readonly showManagedFields?: boolean;
  readonly subresource?: string;
  readonly windowsLineEndings: boolean;
}

const EXAMPLES = `
  # A policy
  %s edit propagationpolicy web -n shop

  # With another editor, as JSON
  KUBE_EDITOR="nano" %s edit deployment/web -n shop -o json`;

export function editCommand(exit: SetExitCode): Command {
  const command = upstreamCommand('edit', { group: 'Basic', examples: EXAMPLES, complete: completeObjects });
  return withValidation(withFiles(withNamespace(command), 'to use to edit the resource'))
    .summary('Edit a resource on the server')
    .description('Edit a resource from the default editor, named by KUBE_EDITOR or EDITOR; else vi')
    .argument('[type]', 'TYPE or TYPE/NAME')
    .argument('[names...]', 'names')
    .addOption(new Option('-o, --output <format>', 'output format').choices(['yaml', 'json']).default('yaml'))
    .option('-l, --selector <selector>', 'label selector to filter on')
    .option('--save-config', 'keep the object in the annotation by which apply recognises what was declared')
    .option('--show-managed-fields', 'edit the managedFields too')
    .option('--subresource <name>', 'edit this subresource of the object, such as status')
    .addOption(windowsLineEndings())
    .option('--output-patch', 'output the patch if the resource is edited')
    .option('--field-manager <name>', 'name of the manager used to track field ownership', 'kubectl-edit')
    .action(async (type: string | undefined, names: readonly string[], flags: EditFlags) => {
      await withSession(
        flags,
        (session) => edit(session, type === undefined ? [] : [type, ...names], flags),
        {
          fieldManager: flags.fieldManager,
        },
      );
      exit(0);
    });
}

interface Edited {
  readonly target: ObjectTarget;
  readonly object: KubeObject;
}

async function edit(session: Session, operands: readonly string[], flags: EditFlags): Promise<void> {
  if (operands.length === 0 && !filesGiven(flags))
    throw new CommandError('must provide a resource to edit: TYPE NAME, or -f');
  const targets = await findTargets(
    session,
    operands,
    flags,
    flags.selector === undefined ? { typeAlone: true } : { selected: true, labelSelector: flags.selector },
  );
  if (targets.length === 0) throw new CommandError('edit cancelled, no objects found');
  const items = await Promise.all(
    targets.map(async (target): Promise<Edited> => {
      const { metadata, ...rest } = await session.client.get<KubeObject>(
        target.resource,
        keyOf(target),
        flags.subresource === undefined ? {} : { subresource: flags.subresource },
      );
      const { managedFields, ...plain } = metadata;
      const managed = flags.showManagedFields === true && managedFields !== undefined;
      const shown = managed ? { ...plain, managedFields } : plain;
      return { target, object: { ...rest, metadata: shown } };
    }),
  );
  const format = flags.output === 'json' ? formatJson : formatYaml;
  const [only] = items;
  await editText({
    text: format(
      items.length === 1 && only !== undefined ? only.object : listOf(items.map(({ object }) => object)),
    ),
    extension: flags.output,
    windowsLineEndings: flags.windowsLineEndings,
    save: (text) => save(session, text, items, flags),
    cancelled: sayCancelled,
  });
}

export function sayCancelled(why: 'empty' | 'unchanged'): void {
  print(why === 'empty' ? 'Edit cancelled, saved file was empty.' : 'Edit cancelled, no changes made.');
}

async function save(
  session: Session,
  text: string,
  items: readonly Edited[],
  flags: EditFlags,
): Promise<void> {
  const document = parseYaml(text) as KubeObject | undefined;
  const list = document?.['items'];
  const edited = items.length > 1 && Array.isArray(list) ? (list as KubeObject[]) : [document as KubeObject];
  for (const object of edited) {
    if (typeof object !== 'object' || object === null || typeof object.metadata !== 'object')
      throw new CommandError('the edited file holds something else than an object');
    const before = items.find(({ object: one }) => sameObject(one, object));
    if (before === undefined) throw new CommandError('At least one of apiVersion, kind and name was changed');
    await saveOne(session, before, object, flags);
  }
}

function sameObject(a: KubeObject, b: KubeObject): boolean {
  return (
    a.apiVersion === b.apiVersion &&
    a.kind === b.kind &&
    a.metadata.name === b.metadata.name &&
    a.metadata.namespace === b.metadata.namespace
  );
}

async function saveOne(
  session: Session,
  { target, object }: Edited,
  edited: KubeObject,
  flags: EditFlags,
): Promise<void> {
  const wanted = flags.saveConfig === true ? withDeclaration(edited) : edited;
  const difference = mergePatchBetween(object, wanted) as { readonly metadata?: object } | undefined;
  if (difference === undefined) return;
  const { metadata, ...rest } = difference;
  const body = { ...rest, metadata: { ...metadata, resourceVersion: object.metadata.resourceVersion } };
  const saved = await session.client.patch<KubeObject>(
    target.resource,
    keyOf(target),
    { type: 'merge', body },
    {
      fieldValidation: fieldValidation(flags.validate),
      ...(flags.subresource === undefined ? {} : { subresource: flags.subresource }),
    },
  );
  if (flags.outputPatch === true) print(`Patch: ${JSON.stringify(difference)}`);
  tell(saved, 'edited', 'none', undefined);
}
