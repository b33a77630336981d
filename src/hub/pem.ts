// PEM files that flags name.
import { readFile } from 'node:fs/promises';
import { OperatingError, errorMessage } from '../base/index.ts';

/** The text of a file that a flag names. Throws OperatingError when it is no PEM. */
export async function readPem(flag: string, file: string): Promise<string> {
  try {
    const text = await readFile(file, 'utf8');
    if (text.includes('-----BEGIN ')) return text;
    throw new Error('it holds no PEM');
  } catch (error) {
    throw new OperatingError(
      'BAD_FLAG',
      `--${flag} ${file} cannot be used: ${errorMessage(error)}`,
      'name a PEM file that can be read',
      { cause: error },
    );
  }
}
