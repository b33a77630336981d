// `version`, `options` and `completion`: about the program itself; no server is asked.
import type { Command } from 'commander';
import { featureGates } from '../base/index.ts';
import { print, type SetExitCode } from './command.ts';
import { CommandError, completionScript, SHELLS, upstreamCommand } from './shell/index.ts';

/** One line in the form of Go programs, whose readers look for GitVersion. */
export function versionCommand(version: string): Command {
  return upstreamCommand('version', { examples: '# What this program is\n%s version' })
    .description('Print the version information')
    .allowExcessArguments()
    .action((_flags: unknown, command: Command) => {
      const platform = `${process.platform === 'win32' ? 'windows' : process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`;
      const fields = [
        ['GitVersion', `v${version}`],
        ['GitCommit', ''],
        ['GitShortCommit', ''],
        ['GitTreeState', ''],
        ['BuildDate', ''],
        ['GoVersion', `node${process.version}`],
        ['Compiler', 'v8'],
        ['Platform', platform],
      ];
      const text = fields.map(([name, value]) => `${name}:${JSON.stringify(value)}`).join(', ');
      print(`${command.parent?.name() ?? 'navarch'} version: version.Info{${text}}`);
    });
}

export function optionsCommand(): Command {
  return upstreamCommand('options', { examples: '# Flags that every command takes\n%s options' })
    .description('Print the list of flags inherited by all commands, and the feature gates')
    .allowExcessArguments()
    .action(() => {
      print('The following options can be passed to any command:\n');
      print(
        '    -v, --v=0:\n\tnumber for the log level verbosity; accepted for the sake of scripts, without effect.\n',
      );
      print('Feature gates of the control plane (navarch up --feature-gates):\n');
      for (const [name, { stage, default: on, effect }] of Object.entries(featureGates))
        print(`    ${name}=true|false (${stage}, default ${String(on)}): ${effect}`);
    });
}

export function completionCommand(exit: SetExitCode): Command {
  const shells = SHELLS.join(', ');
  return upstreamCommand('completion', {
    group: 'Settings',
    examples: `
      # Completion in this bash
      source <(%s completion bash)

      # In every bash to come
      %s completion bash > /etc/bash_completion.d/navarch

      # In zsh and fish
      source <(%s completion zsh)
      %s completion fish | source`,
    complete: ({ operands }) => Promise.resolve(operands.length === 0 ? SHELLS : []),
  })
    .description(`Output shell completion code for the specified shell (${shells})`)
    .argument('[shell...]', `one of: ${shells}`)
    .action((given: readonly string[], _flags: unknown, command: Command) => {
      const [shell, ...others] = given;
      if (shell === undefined) throw new CommandError(`shell not specified; choose one of: ${shells}`);
      if (others.length > 0) throw new CommandError('too many arguments. Expected only the shell type');
      const known = SHELLS.find((one) => one === shell);
      if (known === undefined)
        throw new CommandError(`unsupported shell type "${shell}"; choose one of: ${shells}`);
      process.stdout.write(completionScript(known, command.parent?.name().replace(' ', '-') ?? 'navarch'));
      exit(0);
    });
}
