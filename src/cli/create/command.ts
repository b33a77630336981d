// `create`: objects from files, or of common kinds from flags.
import type { Command } from 'commander';
import type { KubeObject } from '../../api/index.ts';
import { formatYaml, parseYaml } from '../../client/index.ts';
import type { SetExitCode } from '../command.ts';
import { sayCancelled } from '../edit.ts';
import { editText, windowsLineEndings } from '../editor.ts';
import {
  changeEach,
  locate,
  readDryRun,
  readObjects,
  readText,
  selectedObjects,
  tell,
  withFiles,
  withSession,
  withSource,
  type FileFlags,
  type Session,
} from '../objects/index.ts';
import { formatJson, listOf, objectPrinter } from '../output/index.ts';
import { CommandError, throwAll, upstreamCommand } from '../shell/index.ts';
import { fieldValidation } from '../validation.ts';
import { withDeclaration } from '../apply/declaration.ts';
import {
  accountTokenMaker,
  clusterRoleBindingMaker,
  clusterRoleMaker,
  roleBindingMaker,
  roleMaker,
  serviceAccountMaker,
} from './access.ts';
import { configMapMaker, secretMaker } from './config.ts';
import { withMakeFlags, type MakeFlags } from './maker.ts';
import { workloadMakers } from './workloads.ts';

const EXAMPLES = `
  # From a file, and from standard input
  %s create -f web.yaml
  cat web.yaml | %s create -f -

  # From a file, after a look at it in the editor
  %s create -f web.yaml --edit

  # A kind that has a sub-command, only shown
  %s create deployment web --image=registry.example/web:1 --dry-run=client -o yaml`;

interface CreateFlags extends MakeFlags, FileFlags {
  readonly edit?: boolean;
  readonly raw?: string;
  readonly selector?: string;
  readonly windowsLineEndings: boolean;
}

export function createCommand(exit: SetExitCode): Command {
  const command = upstreamCommand('create', { group: 'Basic', examples: EXAMPLES });
  withMakeFlags(withFiles(command, 'to use to create the resource'))
    .summary('Create a resource from a file or from stdin')
    .description('Create a resource from a file or from stdin, or of a common kind from flags')
    .option('-l, --selector <selector>', 'only objects of the files with these labels')
    .option('--edit', 'edit the objects before creating them')
    .addOption(windowsLineEndings())
    .option('--raw <path>', 'send the one file as it is to this path of the API server')
    .action(async (flags: CreateFlags) => {
      await withSession(flags, (session) => createFiles(session, flags), {
        fieldManager: flags.fieldManager,
      });
      exit(0);
    });
  const makers = [
    clusterRoleMaker(exit),
    clusterRoleBindingMaker(exit),
    configMapMaker(exit),
    roleMaker(exit),
    roleBindingMaker(exit),
    secretMaker(exit),
    serviceAccountMaker(exit),
    accountTokenMaker(exit),
    ...workloadMakers(exit),
  ];
  for (const one of makers.sort((a, b) => (a.name() < b.name() ? -1 : 1))) command.addCommand(one);
  return command;
}

async function createFiles(session: Session, flags: CreateFlags): Promise<void> {
  if (flags.raw !== undefined) return createRaw(session, flags, flags.raw);
  const objects = selectedObjects(await readObjects(flags), flags.selector);
  if (objects.length === 0) throw new CommandError('no objects passed to create');
  if (flags.edit !== true) return createAll(session, objects, flags);
  const whole = objects.map(({ object }) => object);
  const [only] = whole;
  const format = flags.output === 'json' ? formatJson : formatYaml;
  await editText({
    text: format(whole.length === 1 && only !== undefined ? only : listOf(whole)),
    windowsLineEndings: flags.windowsLineEndings,
    extension: flags.output === 'json' ? 'json' : 'yaml',
    // Nothing has to be changed for it to be created.
    always: true,
    cancelled: sayCancelled,
    save: (text) => createAll(session, objectsIn(text), flags),
  });
}

function objectsIn(text: string): readonly Sourced[] {
  const edited = parseYaml(text) as KubeObject | undefined;
  if (typeof edited?.kind !== 'string')
    throw new CommandError('the edited file holds something else than an object');
  const items = edited['items'];
  const all = edited.kind === 'List' && Array.isArray(items) ? (items as KubeObject[]) : [edited];
  return all.map((object) => ({ object, source: '' }));
}

/** COMPAT: kubectl's words for what goes with --raw and what does not. */
async function createRaw(session: Session, flags: CreateFlags, target: string): Promise<void> {
  if (flags.edit === true) throw new CommandError('--raw and --edit are mutually exclusive');
  if (flags.filename.length !== 1) throw new CommandError('--raw can only use a single local file or stdin');
  const [file = ''] = flags.filename;
  if (/^https?:/.test(file)) throw new CommandError('--raw cannot read from a url');
  if (flags.recursive === true) throw new CommandError('--raw and --recursive are mutually exclusive');
  if ((flags.output ?? '') !== '') throw new CommandError('--raw and --output are mutually exclusive');
  if (!target.startsWith('/')) throw new CommandError('--raw must be a valid URL path');
  const body: unknown = parseYaml(await readText(file));
  const answer = await session.client.request({ method: 'POST', path: target, body });
  process.stdout.write(formatJson(answer));
}

interface Sourced {
  readonly object: KubeObject;
  readonly source: string;
}

async function createAll(session: Session, objects: readonly Sourced[], flags: CreateFlags): Promise<void> {
  const dryRun = readDryRun(flags.dryRun);
  const printer = await objectPrinter(flags, false);
  const errors = await changeEach(objects, async ({ object, source }) => {
    const { resource, object: placed } = await locate(session, object, source);
    const whole = flags.saveConfig === true ? withDeclaration(placed) : placed;
    try {
      const made =
        dryRun === 'client'
          ? whole
          : await session.client.create(resource, whole, {
              dryRun: dryRun === 'server',
              fieldValidation: fieldValidation(flags.validate),
            });
      tell(made, 'created', dryRun, printer);
    } catch (error) {
      throw withSource('creating', source, error);
    }
  });
  throwAll(errors);
}
