// Completion as cobra's: shells ask the hidden command `__complete` with the words so far, the last of which is being
// written, and get candidates a line, a tab and a description behind them, then `:DIRECTIVE`.
import type { Command, Option } from 'commander';
import { COMPLETION_TIMEOUT_MS } from './limits.ts';
import { completerOf, type CompletionRequest } from './command-shape.ts';
import { visibleCommands } from './help.ts';
import { readWords } from './words.ts';

// Bits of cobra's protocol.
const DEFAULT = 0;
const NO_SPACE = 2;
const NO_FILES = 4;

const FILE_FLAGS =
  /(^|-)(kubeconfig|config|file|filename|patch-file|from-file|from-env-file|data-dir|out|dir)$/;

interface Answer {
  readonly candidates: readonly string[];
  readonly directive: number;
}

/** The text that a shell's script reads. Never fails: a completion that cannot be given is none. */
export async function completionText(root: Command, words: readonly string[]): Promise<string> {
  const answer = await complete(root, words).catch((): Answer => ({ candidates: [], directive: DEFAULT }));
  return `${answer.candidates.map((one) => `${one}\n`).join('')}:${answer.directive}\n`;
}

async function complete(root: Command, words: readonly string[]): Promise<Answer> {
  const word = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const dashes = before.indexOf('--');
  if (dashes >= 0) return { candidates: [], directive: DEFAULT };
  // A flag before the word that still lacks its value: the word is that value.
  const pending = valueWanted(root, before);
  const read = readWords(root, pending === undefined ? before : before.slice(0, -1));
  const request = requestOf(read.words, read.command, word);
  if (pending !== undefined) return flagValue(read.command, pending, request, '');
  const equals = /^(--[^=]+)=(.*)$/.exec(word);
  if (equals !== null) {
    const option = optionsOf(read.command).find(({ long }) => long === equals[1]);
    if (option === undefined) return { candidates: [], directive: DEFAULT };
    return flagValue(read.command, option, { ...request, word: equals[2] ?? '' }, `${equals[1]}=`);
  }
  if (word.startsWith('-')) return flags(read.command, word);
  return operands(read.command, request);
}

function optionsOf(command: Command): readonly Option[] {
  return command.options.filter(({ hidden }) => !hidden);
}

function valueWanted(root: Command, before: readonly string[]): Option | undefined {
  const last = before.at(-1) ?? '';
  if (!last.startsWith('-') || last.includes('=')) return undefined;
  const { command } = readWords(root, before.slice(0, -1));
  const name = last.startsWith('--') ? last : `-${last.at(-1) ?? ''}`;
  return optionsOf(command).find(
    ({ long, short, required }) => required && (long === name || short === name),
  );
}

function requestOf(words: readonly string[], command: Command, word: string): CompletionRequest {
  const flagsGiven = new Map<string, string>();
  const rest: string[] = [];
  for (const one of words) {
    const flag = /^--([^=]+)(?:=(.*))?$/.exec(one);
    if (flag === null) rest.push(one);
    else flagsGiven.set(flag[1] ?? '', flag[2] ?? 'true');
  }
  let depth = 0;
  for (let at: Command | null = command; at.parent !== null; at = at.parent) depth++;
  return { operands: rest.slice(depth), word, flags: flagsGiven, flag: undefined };
}

function flags(command: Command, word: string): Answer {
  const candidates = [...optionsOf(command)]
    .flatMap(({ long, description }) => (long === undefined ? [] : [`${long}\t${description}`]))
    .concat('--help\tHelp for this command')
    .filter((one) => one.startsWith(word.startsWith('--') ? word : '--'))
    .sort();
  return { candidates: [...new Set(candidates)], directive: NO_FILES };
}

async function flagValue(
  command: Command,
  option: Option,
  request: CompletionRequest,
  prefix: string,
): Promise<Answer> {
  const name = option.name();
  const { argChoices } = option;
  if (argChoices !== undefined) return matching(argChoices, request.word, prefix);
  if (FILE_FLAGS.test(name)) return { candidates: [], directive: DEFAULT };
  const found = await ask(command, { ...request, flag: name });
  return matching(found, request.word, prefix);
}

async function operands(command: Command, request: CompletionRequest): Promise<Answer> {
  if (command.commands.length > 0 && request.operands.length === 0) {
    const candidates = visibleCommands(command)
      .filter((one) => one.name().startsWith(request.word))
      .map((one) => `${one.name()}\t${one.summary() || one.description()}`);
    return { candidates, directive: NO_FILES };
  }
  if (completerOf(command) === undefined) return { candidates: [], directive: DEFAULT };
  const found = await ask(command, request);
  // `pod/`: the name follows without a space.
  const open = found.length > 0 && found.every((one) => one.endsWith('/'));
  const answer = matching(found, request.word, '');
  return { ...answer, directive: answer.directive | (open ? NO_SPACE : 0) };
}

function matching(found: readonly string[], word: string, prefix: string): Answer {
  const candidates = found.filter((one) => one.startsWith(word)).map((one) => prefix + one);
  return { candidates, directive: NO_FILES };
}

async function ask(command: Command, request: CompletionRequest): Promise<readonly string[]> {
  const completer = completerOf(command);
  if (completer === undefined) return [];
  const late = Promise.withResolvers<readonly string[]>();
  const timer = setTimeout(() => late.resolve([]), COMPLETION_TIMEOUT_MS);
  try {
    return await Promise.race([completer(request), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
