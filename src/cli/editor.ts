// The user's editor: a text is opened in it again and again until it can be saved. What cannot be saved is never lost: the file
// stays, and says what was wrong.
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import type { Option } from 'commander';
import path from 'node:path';
import { errorMessage } from '../base/index.ts';
import { isConflict } from '../client/index.ts';
import { CommandError, onByDefault } from './shell/index.ts';

export interface EditRequest {
  readonly text: string;
  /** Of the file, so that editors know the language: `yaml`, `lua`. */
  readonly extension: string;
  /** How a line begins that is not part of the text; default `#`. */
  readonly comment?: string;
  /** Lines on top, instead of those of kubectl; without the comment sign. */
  readonly header?: readonly string[];
  /** The text counts as edited even when nothing was changed in it. */
  readonly always?: boolean;
  readonly windowsLineEndings?: boolean;
  /** Throws what is wrong with it. */
  readonly save: (text: string) => Promise<void>;
  /** Called when nobody changed anything, or emptied the file. */
  readonly cancelled: (why: 'empty' | 'unchanged') => void;
}

const HEADER = [
  "Please edit the object below. Lines beginning with a '#' will be ignored,",
  'and an empty file will abort the edit. If an error occurs while saving this file will be',
  'reopened with the relevant failures.',
  '',
];

export function windowsLineEndings(): Option {
  return onByDefault('windows-line-endings', 'end lines in the editor as Windows does').default(
    process.platform === 'win32',
  );
}

export async function editText(request: EditRequest): Promise<void> {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'navarch-edit-'));
  const file = path.join(directory, `edit.${request.extension}`);
  const keep = await untilSaved(file, request);
  if (!keep) await rm(directory, { recursive: true });
}

/** Answers whether the file is to stay. */
async function untilSaved(
  file: string,
  {
    text,
    comment = '#',
    header = HEADER,
    always = false,
    windowsLineEndings: windows = false,
    save,
    cancelled,
  }: EditRequest,
): Promise<boolean> {
  let current = text;
  let complaint = '';
  for (;;) {
    const whole = headerText(comment, header, complaint) + current;
    await writeFile(file, windows ? whole.replaceAll('\n', '\r\n') : whole, { mode: 0o600 });
    runEditor(file);
    const edited = withoutHeader((await readFile(file, 'utf8')).replaceAll('\r\n', '\n'), comment);
    if (edited.trim() === '') {
      cancelled('empty');
      return false;
    }
    if (edited === text && complaint === '' && !always) {
      cancelled('unchanged');
      return false;
    }
    if (complaint !== '' && edited === current) {
      process.stderr.write(`A copy of your changes has been stored to "${file}"\n`);
      throw new CommandError('Edit cancelled, no valid changes were saved.');
    }
    current = edited;
    try {
      await save(edited);
      return false;
    } catch (error) {
      complaint = errorMessage(error);
      if (isConflict(error)) {
        process.stderr.write(`A copy of your changes has been stored to "${file}"\n`);
        throw error;
      }
      process.stderr.write(`error: ${complaint}\n`);
    }
  }
}

function headerText(comment: string, header: readonly string[], complaint: string): string {
  const why = complaint === '' ? [] : [...complaint.split('\n'), ''];
  return [...[...header, ...why].map((line) => `${comment} ${line}`.trimEnd()), ''].join('\n');
}

/** Only the lines of the header: the sign further down belongs to a value. */
function withoutHeader(text: string, comment: string): string {
  const lines = text.split('\n');
  const first = lines.findIndex((line) => !line.startsWith(comment));
  return first < 0 ? '' : lines.slice(first).join('\n');
}

function runEditor(file: string): void {
  const editor = process.env['KUBE_EDITOR'] || process.env['EDITOR'] || 'vi';
  // Through a shell, as an editor may come with flags.
  const { status, error } = spawnSync('sh', ['-c', `${editor} "$1"`, 'sh', file], { stdio: 'inherit' });
  if (error !== undefined || status !== 0)
    throw new CommandError(
      `there was a problem with the editor "${editor}"${error === undefined ? ` (it ended with code ${status})` : `: ${error.message}`}`,
    );
}
