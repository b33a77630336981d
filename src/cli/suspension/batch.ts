// Several objects at once: asked about before, one line each, and going on after a failure.
import { createInterface } from 'node:readline/promises';
import { OperatingError, errorMessage, systemClock } from '../../base/index.ts';
import { formatTime } from '../../base/index.ts';
import { DurationError, parseLongDuration, parseTime } from '../../machinery/index.ts';
import { CommandError } from '../shell/index.ts';
import { titleOfTarget, type Target } from './targets.ts';

export interface AskFlags {
  readonly yes?: boolean;
}

/** Throws CommandError when the answer is no, or nobody can be asked. */
export async function confirmed(flags: AskFlags, lines: readonly string[], question: string): Promise<void> {
  for (const line of lines) process.stderr.write(`${line}\n`);
  if (flags.yes === true) return;
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new CommandError(`${question}: there is nobody to ask; add --yes, or --dry-run to change nothing`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    if (!/^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim()))
      throw new CommandError('nothing was changed');
  } finally {
    terminal.close();
  }
}

/** Runs one after the other. Answers the exit code: 0 all, 2 some, 1 none. */
export async function eachTarget(
  targets: readonly Target[],
  run: (target: Target) => Promise<void>,
): Promise<0 | 1 | 2> {
  let failed = 0;
  for (const target of targets) {
    try {
      await run(target);
    } catch (error) {
      failed++;
      process.stderr.write(`${titleOfTarget(target)}: ${errorMessage(error)}\n`);
    }
  }
  if (failed === 0) return 0;
  return failed === targets.length ? 1 : 2;
}

export interface UntilFlags {
  readonly duration?: string;
  readonly until?: string;
}

/** RFC 3339; undefined: it has no end. Throws OperatingError BAD_FLAG. */
export function readUntil({ duration, until }: UntilFlags): string | undefined {
  const bad = (message: string, next: string): OperatingError =>
    new OperatingError('BAD_FLAG', message, next);
  if (duration !== undefined && until !== undefined)
    throw bad('--duration and --until exclude each other', 'give one of them');
  if (until !== undefined) {
    const untilMs = parseTime(until);
    if (untilMs === undefined)
      throw bad(`--until is no time: "${until}"`, 'write it like 2026-01-31T18:00:00Z');
    if (untilMs <= systemClock.now()) throw bad(`--until is over already: ${until}`, 'give a time to come');
    return formatTime(untilMs);
  }
  if (duration === undefined) return undefined;
  try {
    const ms = parseLongDuration(duration);
    if (ms < 1000) throw bad(`--duration is too short: ${duration}`, 'give a second or more');
    return formatTime(systemClock.now() + ms);
  } catch (error) {
    if (!(error instanceof DurationError)) throw error;
    throw bad(`--duration is no duration: "${duration}"`, 'write it like 2h30m, 3d or 1w');
  }
}
