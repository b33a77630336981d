// `package`: the package manager on the command line. One file, one command.
import { Command } from 'commander';
import type { SetExitCode } from '../command.ts';
import { shape } from '../shell/index.ts';
import { absentCommands } from './absent.ts';
import { autoUpdateCommand } from './auto-update.ts';
import { checkCommand } from './check.ts';
import { configureCommand } from './configure.ts';
import { diffPackageCommand } from './diff.ts';
import { describeCommand } from './describe.ts';
import { installCommand } from './install.ts';
import { listCommand } from './list.ts';
import { openCommand } from './open.ts';
import { packCommand } from './pack.ts';
import { planCommand } from './plan/command.ts';
import { repoCommand } from './repo.ts';
import { resumePackageCommand } from './resume.ts';
import { rolloutCommand } from './rollout.ts';
import { searchCommand } from './search.ts';
import { suspendPackageCommand } from './suspend.ts';
import { suspensionCommand } from './suspension.ts';
import { uninstallCommand } from './uninstall.ts';
import { updateCommand } from './update.ts';

export function packageCommand(exit: SetExitCode): Command {
  const command = new Command('package')
    .alias('packages')
    .alias('pkg')
    .description('install, update and suspend packages, in one cluster or in many');
  const subcommands = [
    repoCommand(exit),
    searchCommand(exit),
    listCommand(exit),
    describeCommand(exit),
    planCommand(exit),
    installCommand(exit),
    configureCommand(exit),
    updateCommand(exit),
    autoUpdateCommand(exit),
    uninstallCommand(exit),
    openCommand(exit),
    rolloutCommand(exit),
    suspendPackageCommand(exit),
    resumePackageCommand(exit),
    diffPackageCommand(exit),
    suspensionCommand(exit),
    checkCommand(exit),
    packCommand(exit),
  ];
  for (const one of subcommands) command.addCommand(one);
  for (const one of absentCommands()) command.addCommand(one, { hidden: true });
  return shape(command, { group: 'Advanced' });
}

export { sendRepositories } from './repo.ts';
