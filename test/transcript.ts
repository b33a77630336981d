// Command lines with what they print, as somebody at a terminal would see it: the shortest way to say what the built
// program does. Lines that begin with `$ ` are run by a shell, what follows is expected, `[exit N]` when it is not 0.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';

const program = path.resolve(import.meta.dirname, '..', 'bin', 'navarch.mjs');

export interface TranscriptOptions {
  readonly kubeconfig?: string;
  /** Where the commands run; files they name are relative to it. */
  readonly directory?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What differs from run to run, and what is expected in its place. */
  readonly masks?: readonly (readonly [pattern: RegExp, text: string])[];
}

// Only where they stand as whole words: `1h3m`, `12s`, `3d`.
const AGE = /(?<![\w.-])(\d+[ydhms])+(?![\w.-])/g;
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g;

/** Runs a transcript from its first line to its last; fails at the first command that prints something else. */
export function checkTranscript(transcript: string, options: TranscriptOptions = {}): void {
  for (const { command, expected } of commandsOf(transcript)) {
    const { status, stdout } = spawnSync(
      'bash',
      ['-c', `navarch() { ${process.execPath} ${program} "$@"; }; exec 2>&1; ${command}`],
      {
        encoding: 'utf8',
        cwd: options.directory,
        env: {
          ...process.env,
          ...(options.kubeconfig === undefined ? {} : { KUBECONFIG: options.kubeconfig }),
          ...options.env,
        },
        timeout: 60_000,
      },
    );
    const exit = status === 0 ? [] : [`[exit ${status}]`];
    const seen = [...linesOf(stdout), ...exit].map((line) => masked(line, options.masks ?? []));
    assert.deepEqual({ command, lines: seen.map(shape) }, { command, lines: expected.map(shape) });
  }
}

function linesOf(text: string): readonly string[] {
  const trimmed = text.replace(/\n+$/, '');
  return trimmed === '' ? [] : trimmed.split('\n');
}

function masked(line: string, masks: readonly (readonly [RegExp, string])[]): string {
  let text = line.replaceAll(TIME, '<time>');
  for (const [pattern, replacement] of masks) text = text.replaceAll(pattern, replacement);
  return text.replaceAll(AGE, '<age>');
}

/** Columns keep apart, but how wide they are depends on ages and names that differ from run to run. */
function shape(line: string): string {
  return line.trimEnd().replaceAll(/(\S) {2,}(?=\S)/g, '$1   ');
}

function commandsOf(
  transcript: string,
): readonly { readonly command: string; readonly expected: readonly string[] }[] {
  const commands: { command: string; expected: string[] }[] = [];
  for (const line of transcript.replace(/^\n/, '').trimEnd().split('\n')) {
    if (line.startsWith('$ ')) commands.push({ command: line.slice(2), expected: [] });
    else commands.at(-1)?.expected.push(line);
  }
  for (const { expected } of commands) while (expected.at(-1) === '') expected.pop();
  return commands;
}
