// The `navarch` program: reads the command line, runs one command, and turns errors into one clear line.
import path from 'node:path';
import { Command, Option } from 'commander';
import {
  addonsCommand,
  deinitCommand,
  registerCommand,
  unregisterCommand,
  doctorCommand,
  benchCommand,
  memberCommand,
  topCommand,
  attachCommand,
  execCommand,
  logsCommand,
  explainCommand,
  editCommand,
  createCommand,
  describeCommand,
  apiVersionsCommand,
  apiResourcesCommand,
  uncordonCommand,
  tokenCommand,
  taintCommand,
  patchCommand,
  labelCommand,
  deleteCommand,
  cordonCommand,
  applyCommand,
  annotateCommand,
  completionCommand,
  failoverCommand,
  faultCommand,
  getCommand,
  interpretCommand,
  joinCommand,
  optionsCommand,
  planCommand,
  promoteCommand,
  rollbackCommand,
  packageCommand,
  undoCommand,
  resumeCommand,
  runProgram,
  shape,
  suspendCommand,
  suspensionsCommand,
  unjoinCommand,
  versionCommand,
  whyCommand,
} from '../cli/index.ts';
import { addAccessFlags } from './access-flags.ts';
import { configurationText } from './configuration.ts';
import { agentCommand } from './agent.ts';
import { estimatorCommand } from './estimator.ts';
import { fencingAgentCommand } from './fencing-agent.ts';
import { addSettings, needlessFlags, settingFlags, settingsFrom } from './flags.ts';
import { backupCommand, restoreCommand } from './backup-commands.ts';
import { initCommand } from './init/command.ts';
import { up } from './up.ts';
import { helmBinaryOption, helmOption } from './helm-flags.ts';
import { packageOperatorCommand } from './package-operator.ts';
import { simulateCommand } from './simulate.ts';
import { VERSION } from './version.ts';

/** How the program calls itself in help and messages, by the name it was started under. */
function programName(startedAs: string): string {
  const name = path.basename(startedAs).replace(/\.m?js$/, '');
  return name.startsWith('kubectl-') ? name.replace('-', ' ') : name === '' ? 'navarch' : name;
}

/** Runs the program with the arguments after its name; resolves with the exit code. */
export async function main(args: readonly string[], startedAs = 'navarch'): Promise<number> {
  let exitCode = 0;
  const program = createProgram(programName(startedAs), (code) => (exitCode = code));
  // Timers and idle connections do not keep the process alive by themselves; a command under way does.
  const alive = setInterval(() => undefined, 60_000);
  try {
    return await runProgram(program, args, () => exitCode);
  } finally {
    clearInterval(alive);
  }
}

function createProgram(name: string, exit: (code: number) => void): Command {
  const program = new Command(name)
    .description('A multi-cluster Kubernetes control plane in one process, compatible with Karmada.')
    .version(VERSION, '--version', 'print the version');
  const commands = [
    shape(upCommand(exit), { group: 'Control plane' }),
    estimatorCommand(exit),
    packageOperatorCommand(exit),
    getCommand(exit),
    shape(agentCommand(exit), { group: 'Control plane' }),
    shape(fencingAgentCommand(exit), { group: 'Control plane' }),
    initCommand(exit),
    deinitCommand(exit),
    addonsCommand(exit),
    joinCommand(exit),
    promoteCommand(exit),
    rollbackCommand(exit),
    undoCommand(exit),
    suspendCommand(exit),
    resumeCommand(exit),
    suspensionsCommand(exit),
    packageCommand(exit),
    unjoinCommand(exit),
    registerCommand(exit),
    unregisterCommand(exit),
    whyCommand(exit),
    planCommand(exit),
    shape(faultCommand(exit), { group: 'Troubleshooting' }),
    failoverCommand(exit),
    simulateCommand(exit),
    interpretCommand(exit),
    annotateCommand(exit),
    applyCommand(exit),
    cordonCommand(exit),
    deleteCommand(exit),
    labelCommand(exit),
    patchCommand(exit),
    taintCommand(exit),
    tokenCommand(exit),
    uncordonCommand(exit),
    apiResourcesCommand(exit),
    apiVersionsCommand(exit),
    describeCommand(exit),
    createCommand(exit),
    editCommand(exit),
    explainCommand(exit),
    logsCommand(exit),
    execCommand(exit),
    attachCommand(exit),
    topCommand(exit),
    backupCommand(exit),
    restoreCommand(exit),
    memberCommand(exit),
    benchCommand(exit),
    doctorCommand(exit),
    completionCommand(exit),
    settingsCommand(),
    optionsCommand(),
    versionCommand(VERSION),
  ];
  for (const command of commands) program.addCommand(command);
  return program;
}

function upCommand(exit: (code: number) => void): Command {
  const command = new Command('up')
    .description('run a control plane here, with simulated member clusters if you like')
    .option('--members <n>', 'how many simulated member clusters to run and join', '3')
    .option('--data-dir <dir>', 'where state, certificates and kubeconfigs are kept', './.navarch')
    .option('--port <port>', 'port of the control plane', '5443')
    .option('--member-base-port <port>', 'port of the first member; the others follow', '6443')
    .option('--bind-address <address>', 'address to listen on', '127.0.0.1')
    .option(
      '--advertise-address <host:port>',
      'where clients reach it, when that is not where it listens; for kubeconfigs and clusters that register',
    )
    .option('--cert-hosts <list>', 'more names and addresses in its certificate, separated by commas', '')
    .addOption(
      new Option('--simulate <what>', 'what members simulate: workloads with nodes and pods, or none of that')
        .choices(['workloads', 'none'])
        .default('workloads'),
    )
    .option('--member-nodes <n>', 'simulated nodes of each member', '3')
    .option('--packages [bool]', 'install packages in the members; see docs/packages.md', 'true')
    .option(
      '--package-catalogue <folder>',
      'folder or address that packages come from; "none" for no repository',
      '',
    )
    .addOption(helmOption())
    .addOption(helmBinaryOption())
    .option('--sample', 'apply a sample Deployment with policies and follow it to the members')
    .option('--allow-no-execute-taint-policy [bool]', 'let ClusterTaintPolicies add NoExecute taints')
    .option(
      '--accept-legacy-spellings [bool]',
      'take policies with the purge modes of Karmada up to 1.18, Immediately and Graciously',
    )
    .option(
      '--disable-admission-plugins <list>',
      'admission plugins of the control plane to leave out; karmada-apiserver leaves out ServiceAccount,StorageObjectInUseProtection',
      '',
    )
    .addOption(
      new Option('--log-level <level>', 'what to log')
        .choices(['debug', 'info', 'warn', 'error', 'silent'])
        .default('warn'),
    );
  addAccessFlags(command);
  addSettings(command);
  for (const { name } of needlessFlags) command.addOption(new Option(`--${name} <value>`).hideHelp());
  return command.action(async (options: Record<string, unknown>) => exit(await up(options)));
}

/** The settings that flags and file come to, as a configuration file. */
function settingsCommand(): Command {
  const command = new Command('settings').description(
    'print the settings that flags and configuration file come to, as a whole configuration file',
  );
  addSettings(command);
  command.action(async (flags: Record<string, unknown>) => {
    const { settings, warnings } = await settingsFrom(flags);
    for (const warning of warnings) process.stderr.write(`navarch: ${warning}\n`);
    process.stdout.write(configurationText(settings, settingFlags));
  });
  return shape(command, {
    group: 'Settings',
    examples: `
      # All settings with what they are for and their defaults
      %s settings > navarch.yaml

      # What a preset and a flag come to
      %s settings --failover-preset platform --resource-eviction-rate 20`,
  });
}
