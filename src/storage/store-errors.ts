// What can be wrong with a store's directory and file, in words for the one who runs it.
import { errorMessage, OperatingError } from '../base/index.ts';

/** https://sqlite.org/rescode.html; the low byte of a result code is its kind. */
const SQLITE = { error: 1, busy: 5, readOnly: 8, corrupt: 11, full: 13, cannotOpen: 14, notADatabase: 26 };

/** What an error of SQLite means for the store. */
export function storeError(error: unknown, directory: string): OperatingError {
  if (error instanceof OperatingError) return error;
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
  const message = errorMessage(error);
  switch (code) {
    case SQLITE.busy:
      return new OperatingError(
        'STORE_LOCKED',
        `the store in ${directory} is in use by another process`,
        'stop the other process, or choose another directory',
        { cause: error },
      );
    case SQLITE.readOnly:
    case SQLITE.cannotOpen:
      return unwritable(directory, message, error);
    // Our statements are right, so it is the tables that are not.
    case SQLITE.error:
    case SQLITE.corrupt:
    case SQLITE.notADatabase:
      return corrupt(directory, message, error);
    case SQLITE.full:
      return new OperatingError(
        'STORE_FULL',
        `the disk is full or the store in ${directory} has reached its size limit; it can only be read`,
        'free space on the disk or raise the size limit, then start again; no acknowledged write is lost',
        { cause: error },
      );
    default:
      return new OperatingError(
        'STORE_FAILED',
        `the store in ${directory} cannot be used any more: ${message}`,
        'check the disk and its file system, then start again; no acknowledged write is lost',
        { cause: error },
      );
  }
}

export function unwritable(directory: string, reason: string, cause?: unknown): OperatingError {
  return new OperatingError(
    'STORE_UNWRITABLE',
    `the store cannot be written in ${directory}: ${reason}`,
    'give this user the right to write there, or choose another directory',
    { cause },
  );
}

export function corrupt(directory: string, reason: string, cause?: unknown): OperatingError {
  return new OperatingError(
    'STORE_CORRUPT',
    `the store in ${directory} is damaged: ${reason}`,
    'restore the directory from a backup, or move it away to begin with an empty store',
    { cause },
  );
}

export function newer(directory: string, version: number, knownVersion: number): OperatingError {
  return new OperatingError(
    'STORE_NEWER',
    `the store in ${directory} has format ${version}, this program knows formats up to ${knownVersion}`,
    'use the version of the program that wrote it, or a later one',
  );
}

export function closed(): OperatingError {
  return new OperatingError('STORE_CLOSED', 'the store has been closed', 'open it again');
}
