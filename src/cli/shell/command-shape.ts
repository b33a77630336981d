// Commands as upstream's users know them: grouped in the help, with examples, completing what they take, and failing as
// kubectl does. Anything else about a command is commander's.
import { Command, Option } from 'commander';
import { COMMAND_GROUPS, type CommandGroup } from './groups.ts';

export interface CompletionRequest {
  /** Operands before the word that is being written. */
  readonly operands: readonly string[];
  /** What is written of it. */
  readonly word: string;
  /** Flags so far, by their long names without dashes. */
  readonly flags: ReadonlyMap<string, string>;
  /** The flag whose value is being written; undefined: it is an operand. */
  readonly flag: string | undefined;
}

export type Completer = (request: CompletionRequest) => Promise<readonly string[]>;

interface Shape {
  readonly upstream: boolean;
  readonly group: CommandGroup;
  readonly examples: string;
  readonly complete: Completer | undefined;
}

const PLAIN: Shape = { upstream: false, group: 'Other', examples: '', complete: undefined };
// Kept beside the commands, not in a subclass, so that a command of any making can have them.
const shapes = new WeakMap<Command, Shape>();

export interface ShapeOptions {
  readonly group?: CommandGroup;
  /** `# what it does` lines and commands; `%s` stands for how the program was called. */
  readonly examples?: string;
  readonly complete?: Completer;
}

/** A command that upstream has too: its misuse exits with 1, in kubectl's words. */
export function upstreamCommand(name: string, options: ShapeOptions = {}): Command {
  return shape(new Command(name), { ...options, upstream: true });
}

/** Gives any command its place in the help, examples and completion. */
export function shape(command: Command, options: ShapeOptions & { readonly upstream?: boolean }): Command {
  shapes.set(command, { ...(shapes.get(command) ?? PLAIN), ...options });
  return command;
}

function shapeOf(command: Command): Shape {
  return shapes.get(command) ?? PLAIN;
}

export function isUpstream(command: Command): boolean {
  for (let at: Command | null = command; at !== null; at = at.parent) if (shapeOf(at).upstream) return true;
  return false;
}

export function examplesOf(command: Command): string {
  return shapeOf(command).examples;
}

export function completerOf(command: Command): Completer | undefined {
  return shapeOf(command).complete;
}

/** Groups with their commands, in the order of the help; empty ones left out. */
export function grouped(
  commands: readonly Command[],
): readonly (readonly [CommandGroup, readonly Command[]])[] {
  return COMMAND_GROUPS.map(
    (group) => [group, commands.filter((one) => shapeOf(one).group === group)] as const,
  ).filter(([, members]) => members.length > 0);
}

/** `navarch token create`, or `kubectl karmada token create` when called as a plugin. */
export function commandPath(command: Command): string {
  const names: string[] = [];
  for (let at: Command | null = command; at !== null; at = at.parent) names.unshift(at.name());
  return names.join(' ');
}

/** A flag that takes several values: separated by commas, or given several times. */
export function listOption(flags: string, help: string): Option {
  return new Option(flags, help)
    .default([], '[]')
    .argParser((text: string, before: unknown) => [
      ...((before ?? []) as readonly string[]),
      ...splitList(text),
    ]);
}

/** A flag that may be given several times; commas stay. */
export function repeatedOption(flags: string, help: string): Option {
  return new Option(flags, help)
    .default([], '[]')
    .argParser((text: string, before: unknown) => [...((before ?? []) as readonly string[]), text]);
}

/** A flag that is on when nothing is said. */
export function onByDefault(name: string, help: string): Option {
  return new Option(`--${name} [bool]`, help)
    .preset('true')
    .default(true)
    .argParser((text: string) => !/^(0|f|F|FALSE|false|False)$/.test(text));
}

/** COMPAT: a comma-separated value with quotes around parts that hold commas, as pflag's slices. */
function splitList(text: string): readonly string[] {
  if (text === '') return [];
  return (text.match(/("(?:[^"]|"")*"|[^,]*)(,|$)/g) ?? [])
    .slice(0, text.endsWith(',') ? undefined : -1)
    .map((part) => part.replace(/,$/, ''))
    .map((part) => (part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part));
}
