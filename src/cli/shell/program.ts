// Runs one command line: words by pflag's rules, help and completion as cobra's, failures as text and exit code.
import type { Command } from 'commander';
import { commandPath } from './command-shape.ts';
import { completionText } from './complete.ts';
import { failureOf, UsageError } from './failure.ts';
import { setProgramName } from './program-name.ts';
import { formatHelp, visibleCommands } from './help.ts';
import { nearest, readWords } from './words.ts';

/** As shells show the end by a broken pipe. */
const SIGPIPE_EXIT = 141;

/** `exitCode`: what the command that ran has set. Resolves with the exit code of the program. */
export async function runProgram(
  program: Command,
  args: readonly string[],
  exitCode: () => number,
): Promise<number> {
  prepare(program);
  setProgramName(program.name());
  endWithReader(args[0]);
  if (args[0] === '__complete' || args[0] === '__completeNoDesc') {
    const text = await completionText(program, args.slice(1));
    const plain = args[0] === '__completeNoDesc' ? text.replaceAll(/\t.*$/gm, '') : text;
    process.stdout.write(plain);
    return 0;
  }
  let command = program;
  try {
    if (args.length === 0) {
      process.stdout.write(formatHelp(program));
      return 0;
    }
    const read = readWords(program, args);
    const { words, warnings } = read;
    command = read.command;
    for (const warning of warnings) process.stderr.write(`Flag --${warning}\n`);
    refuseUnknownCommand(command, words);
    await program.parseAsync([...words], { from: 'user' });
    return exitCode();
  } catch (error) {
    const failure = failureOf(error, command);
    if (failure.text !== '') process.stderr.write(failure.text);
    return failure.exitCode;
  }
}

/** Who reads what is printed may stop reading (`| head`). A command then ends as kubectl does; what serves others goes on. */
function endWithReader(command: string | undefined): void {
  const serves = command === 'up' || command === 'agent' || command === 'estimator';
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (!serves) process.exit(SIGPIPE_EXIT);
  });
}

function prepare(command: Command): void {
  command
    .exitOverride()
    .configureHelp({ formatHelp: (one) => formatHelp(one) })
    // What is wrong is said at the end, by failureOf.
    .configureOutput({ outputError: () => undefined });
  // What stands behind a sub-command is its own, also where the command above has a flag of that name.
  if (command.commands.length > 0) command.enablePositionalOptions();
  for (const one of command.commands) prepare(one);
}

/** Commander would say so too, but not with the names that were meant. */
function refuseUnknownCommand(command: Command, words: readonly string[]): void {
  const takesOperands = command.registeredArguments.length > 0 || command.commands.length === 0;
  if (takesOperands) return;
  let depth = 0;
  for (let at: Command | null = command; at.parent !== null; at = at.parent) depth++;
  const operand = words.filter((word) => !word.startsWith('--'))[depth];
  if (operand === undefined) return;
  if (command.parent === null && operand === 'help') {
    const [, topic] = words.filter((word) => !word.startsWith('--'));
    if (topic === undefined || command.commands.some((one) => one.name() === topic)) return;
    throw unknownCommand(topic, command);
  }
  throw unknownCommand(operand, command);
}

function unknownCommand(operand: string, command: Command): UsageError {
  const near = nearest(
    operand,
    visibleCommands(command).map((one) => one.name()),
  );
  const hint =
    near.length === 0 ? undefined : `\nDid you mean this?\n${near.map((one) => `\t${one}\n`).join('')}`;
  return new UsageError(`unknown command "${operand}" for "${commandPath(command)}"`, command, hint);
}
