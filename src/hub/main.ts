// The `navarch` program: reads the command line, runs one command, and turns errors into one clear line.
import { Command, CommanderError, Option } from 'commander';
import { OperatingError, featureGates } from '../base/index.ts';
import { StatusError } from '../machinery/index.ts';
import { faultCommand, interpretCommand, joinCommand, unjoinCommand } from '../cli/index.ts';
import { defaultText, removedFlags, settingFlags } from './flags.ts';
import { up } from './up.ts';
import { VERSION } from './version.ts';

/** Exit codes: what was asked cannot be done, and what was asked makes no sense. */
const FAILED = 1;
const MISUSED = 2;

/** Runs the program with the arguments after its name; resolves with the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  let exitCode = 0;
  const program = createProgram((code) => (exitCode = code));
  // Timers and idle connections do not keep the process alive by themselves; a command under way does.
  const alive = setInterval(() => undefined, 60_000);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : MISUSED;
    if (error instanceof OperatingError) {
      process.stderr.write(`navarch: ${error.message}. To mend it: ${error.nextStep}.\n`);
      return error.code.startsWith('BAD_') || error.code.startsWith('UNKNOWN_') ? MISUSED : FAILED;
    }
    if (error instanceof StatusError) {
      process.stderr.write(`navarch: the server answered ${error.reason}: ${error.message}\n`);
      return FAILED;
    }
    process.stderr.write(
      `navarch: this is a bug: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    return FAILED;
  } finally {
    clearInterval(alive);
  }
}

function createProgram(exit: (code: number) => void): Command {
  const program = new Command('navarch')
    .description('A multi-cluster Kubernetes control plane in one process, compatible with Karmada.')
    .version(VERSION, '--version', 'print the version')
    .exitOverride()
    .showSuggestionAfterError(true)
    .configureHelp({ sortSubcommands: false, showGlobalOptions: true });
  program.addCommand(inherit(program, upCommand(exit)));
  for (const command of [joinCommand(exit), unjoinCommand(exit), faultCommand(exit), interpretCommand(exit)])
    program.addCommand(inherit(program, command));
  program.addCommand(
    inherit(
      program,
      new Command('options').description('list the feature gates').action(() => {
        for (const [name, { stage, default: on, effect }] of Object.entries(featureGates)) {
          process.stdout.write(`${name}=true|false (${stage}, default ${String(on)}): ${effect}\n`);
        }
      }),
    ),
  );
  program.addCommand(
    inherit(
      program,
      new Command('version')
        .description('print the version')
        .action(() => void process.stdout.write(`navarch ${VERSION}\n`)),
    ),
  );
  return program;
}

function inherit(program: Command, command: Command): Command {
  return command.copyInheritedSettings(program);
}

function upCommand(exit: (code: number) => void): Command {
  const command = new Command('up')
    .description('run a control plane here, with simulated member clusters if you like')
    .option('--members <n>', 'how many simulated member clusters to run and join', '3')
    .option('--data-dir <dir>', 'where state, certificates and kubeconfigs are kept', './.navarch')
    .option('--port <port>', 'port of the control plane', '5443')
    .option('--member-base-port <port>', 'port of the first member; the others follow', '6443')
    .option('--bind-address <address>', 'address to listen on', '127.0.0.1')
    .addOption(
      new Option('--simulate <what>', 'what members simulate: workloads with nodes and pods, or none of that')
        .choices(['workloads', 'none'])
        .default('workloads'),
    )
    .option('--member-nodes <n>', 'simulated nodes of each member', '3')
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
  for (const flag of settingFlags) {
    const value = flag.kind === 'boolean' ? '[bool]' : `<${flag.kind}>`;
    const text = defaultText(flag);
    command.option(`--${flag.name} ${value}`, text === '' ? flag.help : `${flag.help} (default "${text}")`);
  }
  for (const { name } of removedFlags) command.addOption(new Option(`--${name} [value]`).hideHelp());
  return command.action(async (options: Record<string, unknown>) => exit(await up(options)));
}
