// Help laid out as kubectl's: what it is for, examples, flags with their defaults, how to call it.
import type { Command, Option } from 'commander';
import { commandPath, examplesOf, grouped } from './command-shape.ts';
import { COMMAND_LINE } from './words.ts';

/** The whole text of `--help`. */
export function formatHelp(command: Command): string {
  const parts = [command.description()];
  const examples = examplesText(command);
  if (examples !== '') parts.push(`Examples:\n${examples}`);
  const subcommands = visibleCommands(command);
  if (subcommands.length > 0) parts.push(...commandParts(command, subcommands));
  const flags = command.options.filter(({ hidden }) => !hidden);
  if (flags.length > 0) parts.push(`Options:\n${flags.map(optionText).join('\n\n')}`);
  parts.push(`Usage:\n  ${usageOf(command)}`);
  if (subcommands.length > 0)
    parts.push(`Use "${commandPath(command)} <command> --help" for more information about a given command.`);
  if (command.parent !== null)
    parts.push(
      `Use "${rootName(command)} options" for a list of global command-line options (applies to all commands).`,
    );
  return `${parts.join('\n\n')}\n`;
}

function examplesText(command: Command): string {
  return examplesOf(command)
    .replaceAll('%s', rootName(command))
    .trim()
    .split('\n')
    .map((line) => (line.trim() === '' ? '' : `  ${line.trim()}`))
    .join('\n')
    .trimEnd();
}

export function visibleCommands(command: Command): readonly Command[] {
  return command.createHelp().visibleCommands(command);
}

function commandParts(command: Command, subcommands: readonly Command[]): string[] {
  const width = Math.max(...subcommands.map((one) => one.name().length));
  const line = (one: Command): string =>
    `  ${one.name().padEnd(width)}   ${one.summary() || one.description()}`;
  if (command.parent !== null) return [`Available Commands:\n${subcommands.map(line).join('\n')}`];
  return grouped(subcommands).map(([group, members]) => {
    const heading = group === 'Other' ? 'Other Commands' : `${group} Commands`;
    return `${heading}:\n${members.map(line).join('\n')}`;
  });
}

function optionText(option: Option): string {
  const { short, long, description } = option;
  const names = [short, long].filter((one) => one !== undefined).join(', ');
  const placed = short === undefined ? `    ${names}` : names;
  const choices = option.argChoices === undefined ? '' : ` One of: (${option.argChoices.join(', ')})`;
  const text = description === '' ? '' : `${description.charAt(0).toUpperCase()}${description.slice(1)}`;
  return `    ${placed}=${defaultOf(option)}:\n\t${text}${text.endsWith('.') || text === '' ? '' : '.'}${choices}`;
}

function defaultOf(option: Option): string {
  const value: unknown = option.defaultValue;
  if (option.defaultValueDescription !== undefined) return option.defaultValueDescription;
  if (value === undefined) return option.required ? "''" : 'false';
  if (typeof value === 'string') return `'${value}'`;
  return Array.isArray(value) ? `[${value.join(',')}]` : JSON.stringify(value);
}

/** `navarch get TYPE [NAME...] [flags]`. */
export function usageOf(command: Command): string {
  const names = command.registeredArguments.map((one) => {
    const name = `${one.name()}${one.variadic ? '...' : ''}`;
    return one.required ? name : `[${name}]`;
  });
  const commandLine = command.options.some(({ long }) => long === `--${COMMAND_LINE}`);
  const parts = [
    commandPath(command),
    ...names,
    ...(command.options.length > 0 ? ['[options]'] : []),
    ...(commandLine ? ['-- COMMAND [args...]'] : []),
    ...(command.commands.length > 0 && names.length === 0 ? ['[command]'] : []),
  ];
  return parts.join(' ');
}

function rootName(command: Command): string {
  let at = command;
  while (at.parent !== null) at = at.parent;
  return at.name();
}
