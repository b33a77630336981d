// An archive of files as a gzipped tar in the old, universal form (ustar), so that anybody can look into a backup with
// `tar tzf`. Only what our backups need: plain files with short names.
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { OperatingError } from '../base/index.ts';

export interface ArchiveFile {
  /** Relative, with slashes; at most 100 bytes. */
  readonly name: string;
  readonly content: Uint8Array;
}

const BLOCK = 512;
const gzip = promisify(zlib.gzip);
const gunzip = promisify(zlib.gunzip);
/** LIMIT: of what an archive holds when it is unpacked. */
const UNPACKED_MAX_BYTES = 4 * 1024 * 1024 * 1024;

export async function packArchive(files: readonly ArchiveFile[], nowMs: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for (const { name, content } of files) {
    parts.push(header(name, content.length, nowMs), content);
    parts.push(Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK));
  }
  parts.push(Buffer.alloc(2 * BLOCK));
  return gzip(Buffer.concat(parts));
}

function header(name: string, size: number, nowMs: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;
  block.write(name, 0, 100);
  block.write(octal(0o600, 8), 100);
  block.write(octal(0, 8), 108);
  block.write(octal(0, 8), 116);
  block.write(octal(size, 12), 124);
  block.write(octal(Math.floor(nowMs / 1000), 12), 136);
  block.write('        ', 148);
  block.write('0', 156);
  block.write('ustar\0', 257);
  block.write('00', 263);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** Throws OperatingError ARCHIVE_DAMAGED for anything that packArchive has not written. */
export async function unpackArchive(archive: Uint8Array): Promise<readonly ArchiveFile[]> {
  let tar: Buffer;
  try {
    tar = await gunzip(archive, { maxOutputLength: UNPACKED_MAX_BYTES });
  } catch (cause) {
    throw damaged('it is no gzipped archive, or is cut short', cause);
  }
  const files: ArchiveFile[] = [];
  for (let at = 0; at + BLOCK <= tar.length;) {
    const block = tar.subarray(at, at + BLOCK);
    if (block.every((byte) => byte === 0)) return files;
    const text = (from: number, length: number): string => {
      const field = block.subarray(from, from + length);
      const end = field.indexOf(0);
      return field.subarray(0, end < 0 ? length : end).toString('utf8');
    };
    const size = Number.parseInt(text(124, 12), 8);
    const name = text(0, 100);
    const sum = Buffer.from(block)
      .fill(' ', 148, 156)
      .reduce((total, byte) => total + byte, 0);
    if (sum !== Number.parseInt(text(148, 8), 8)) throw damaged('a header is wrong');
    // Nothing may land outside of the directory that it is unpacked into.
    if (!/^[\w.-]+(\/[\w.-]+)*$/.test(name) || name.split('/').includes('..'))
      throw damaged(`it holds "${name}"`);
    if (!Number.isSafeInteger(size) || at + BLOCK + size > tar.length) throw damaged(`${name} is cut short`);
    files.push({ name, content: tar.subarray(at + BLOCK, at + BLOCK + size) });
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  throw damaged('its end is missing');
}

function damaged(why: string, cause?: unknown): OperatingError {
  return new OperatingError('ARCHIVE_DAMAGED', `this is no whole backup: ${why}`, 'use another copy of it', {
    cause,
  });
}
