// `--validate`: what the server is to do about fields that it does not know.
import { Option, type Command } from 'commander';
import { CommandError } from './shell/index.ts';

export function withValidation(command: Command): Command {
  return command.addOption(
    new Option(
      '--validate [mode]',
      'must be one of: strict (or true), warn, ignore (or false): what happens to unknown and duplicate fields',
    )
      .preset('strict')
      .default('strict'),
  );
}

export function fieldValidation(mode: string): 'Strict' | 'Warn' | 'Ignore' {
  switch (mode.toLowerCase()) {
    case 'true':
    case 'strict':
      return 'Strict';
    case 'warn':
      return 'Warn';
    case 'false':
    case 'ignore':
      return 'Ignore';
    default:
      throw new CommandError(
        `invalid - validate option "${mode}"; must be one of: strict (or true), warn, ignore (or false)`,
      );
  }
}
