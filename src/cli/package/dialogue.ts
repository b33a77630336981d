// What package commands ask and say on standard error; results go to standard output. Nothing is asked where nobody answers.
import { createInterface } from 'node:readline/promises';
import { CommandError } from '../shell/index.ts';
import type { PackageFlags } from './place.ts';

export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** What is under way, unless it was not to be said. */
export function progress({ progress: wanted }: PackageFlags, line: string): void {
  if (wanted !== false) say(line);
}

export function canAsk({ nonInteractive }: PackageFlags): boolean {
  return nonInteractive !== true && process.stdin.isTTY && process.stderr.isTTY;
}

/** @param instead what to say on the command line where nobody can be asked */
export async function ask(flags: PackageFlags, question: string, instead: string): Promise<string> {
  if (!canAsk(flags)) throw new CommandError(`${question}: there is nobody to ask; ${instead}`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await terminal.question(`${question} `)).trim();
  } finally {
    terminal.close();
  }
}

/** Throws CommandError when the answer is no, or nobody can be asked and --yes was not given. */
export async function confirm(flags: PackageFlags, question: string): Promise<void> {
  if (flags.yes === true) return;
  if (!canAsk(flags)) throw new CommandError(`"${question}" There is nobody to ask; add --yes to go on.`);
  const answer = await ask(flags, `${question} [y/N]`, 'add --yes');
  if (!/^y(es)?$/i.test(answer)) throw new CommandError('nothing was changed');
}

/** One of several, by number or name. */
export async function choose(
  flags: PackageFlags,
  question: string,
  options: readonly string[],
  instead: string,
): Promise<string> {
  if (!canAsk(flags)) throw new CommandError(`${question}: ${options.join(', ')}; ${instead}`);
  options.forEach((option, index) => say(`  ${index + 1}) ${option}`));
  for (;;) {
    const answer = await ask(flags, question, instead);
    const chosen = options.find((option, index) => option === answer || String(index + 1) === answer);
    if (chosen !== undefined) return chosen;
    say(`answer with a number from 1 to ${options.length}`);
  }
}
