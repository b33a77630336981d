// `create`: objects from files, or of common kinds from flags.
import type { Command } from 'commander';
import type { SetExitCode } from '../command.ts';
import {
  changeEach,
  locate,
  readDryRun,
  readObjects,
  tell,
  withFiles,
  withSession,
  withSource,
  type FileFlags,
  type Session,
} from '../objects/index.ts';
import { objectPrinter } from '../output/index.ts';
import { throwAll, upstreamCommand } from '../shell/index.ts';
import { fieldValidation } from '../validation.ts';
import { withDeclaration } from '../apply.ts';
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

  # A kind that has a sub-command, only shown
  %s create deployment web --image=registry.example/web:1 --dry-run=client -o yaml`;

export function createCommand(exit: SetExitCode): Command {
  const command = upstreamCommand('create', { group: 'Basic', examples: EXAMPLES });
  withMakeFlags(withFiles(command, 'to use to create the resource'))
    .summary('Create a resource from a file or from stdin')
    .description('Create a resource from a file or from stdin, or of a common kind from flags')
    .action(async (flags: MakeFlags & FileFlags) => {
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

async function createFiles(session: Session, flags: MakeFlags & FileFlags): Promise<void> {
  const dryRun = readDryRun(flags.dryRun);
  const printer = await objectPrinter(flags, false);
  const objects = await readObjects(flags);
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
