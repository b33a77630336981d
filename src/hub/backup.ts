// What a backup is: the store at one revision, the certificates and keys, and a manifest that says what they must be. Made
// beside the running control plane, checked before it is trusted, and put back whole or not at all.
import { createHash } from 'node:crypto';
import {
  access,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  writeFile,
} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { objectCodec, type PathHandler } from '../apiserver/index.ts';
import { OperatingError, errorMessage, formatTime, systemClock } from '../base/index.ts';
import { StatusError } from '../machinery/index.ts';
import { openFileStorage, StorageWorker, type FileStorage } from '../storage/index.ts';
import { packArchive, unpackArchive, type ArchiveFile } from './archive.ts';
import { VERSION } from './version.ts';

const BACKUP_PATH = '/navarch/backup';
const MANIFEST = 'manifest.json';
const FORMAT = 1;

export interface Manifest {
  readonly format: number;
  readonly version: string;
  /** RFC 3339. */
  readonly time: string;
  /** Of the store. */
  readonly revision: number;
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;
}

export interface Verified {
  readonly manifest: Manifest;
  /** How many objects the store holds. */
  readonly objects: number;
}

type Copyable = Pick<FileStorage<unknown>, 'copyTo'>;

/** GET /navarch/backup answers a backup, to who may read that path. */
export function backupHandler(store: Copyable, dataDirectory: string): PathHandler {
  return (request) => {
    if (request.path !== BACKUP_PATH) return undefined;
    if (request.method !== 'GET') throw new StatusError(405, 'MethodNotAllowed', 'GET a backup');
    return makeBackup(store, dataDirectory).then((bytes) => ({
      kind: 'bytes',
      status: 200,
      contentType: 'application/gzip',
      bytes,
    }));
  };
}

/** Everything that is acknowledged at one moment; writes go on afterwards. */
export async function makeBackup(store: Copyable, dataDirectory: string): Promise<Buffer> {
  const temporary = await mkdtemp(path.join(os.tmpdir(), 'navarch-backup-'));
  try {
    const copy = path.join(temporary, 'store.db');
    const revision = await store.copyTo(copy);
    const files: ArchiveFile[] = [{ name: 'store/store.db', content: await readFile(copy) }];
    const pki = path.join(dataDirectory, 'pki');
    for (const name of (await readdir(pki)).sort())
      files.push({ name: `pki/${name}`, content: await readFile(path.join(pki, name)) });
    const now = systemClock.now();
    const manifest: Manifest = {
      format: FORMAT,
      version: VERSION,
      time: formatTime(now),
      revision,
      files: Object.fromEntries(
        files.map(({ name, content }) => [name, { bytes: content.length, sha256: sha256(content) }]),
      ),
    };
    const text = Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`);
    return await packArchive([{ name: MANIFEST, content: text }, ...files], now);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

function sha256(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** A backup of a control plane that does not run. Throws OperatingError STORE_LOCKED while it does. */
export async function backUpDirectory(dataDirectory: string): Promise<Buffer> {
  const file = path.join(dataDirectory, 'store', 'store.db');
  await access(file).catch((cause: unknown) => {
    throw new OperatingError(
      'NO_STORE',
      `there is no control plane in ${dataDirectory}: ${errorMessage(cause)}`,
      'name the directory that "navarch up" was given as --data-dir',
    );
  });
  const store = await openFileStorage({ directory: path.join(dataDirectory, 'store'), codec: objectCodec });
  try {
    return await makeBackup(store, dataDirectory);
  } finally {
    await store.close();
  }
}

/** Unpacks and checks everything, the store object by object. Throws OperatingError when anything is wrong. */
export async function verifyBackup(archive: Uint8Array): Promise<Verified> {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'navarch-verify-'));
  try {
    const manifest = await unpackInto(archive, directory);
    return { manifest, objects: await countObjects(directory) };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Opening reads every record, compares its checksum and decodes the object in it. */
async function countObjects(directory: string): Promise<number> {
  const worker = new StorageWorker();
  try {
    const store = await openFileStorage({
      directory: path.join(directory, 'store'),
      codec: objectCodec,
      worker,
    });
    try {
      return (await store.list('')).entries.length;
    } finally {
      await store.close();
    }
  } finally {
    await worker.close();
  }
}

async function unpackInto(archive: Uint8Array, directory: string): Promise<Manifest> {
  const files = await unpackArchive(archive);
  const first = files.find(({ name }) => name === MANIFEST);
  const damaged = (why: string): OperatingError =>
    new OperatingError('ARCHIVE_DAMAGED', `this is no whole backup: ${why}`, 'use another copy of it');
  if (first === undefined) throw damaged('it has no manifest');
  const manifest = JSON.parse(Buffer.from(first.content).toString('utf8')) as Manifest;
  if (manifest.format > FORMAT)
    throw new OperatingError(
      'ARCHIVE_NEWER',
      `the backup is of version ${manifest.version}, which writes another form`,
      'restore it with that version or a newer one',
    );
  for (const [name, { sha256: expected }] of Object.entries(manifest.files)) {
    const file = files.find((one) => one.name === name);
    if (file === undefined) throw damaged(`${name} is missing`);
    if (sha256(file.content) !== expected) throw damaged(`${name} is not what it was`);
    await writeDurably(path.join(directory, name), file.content);
  }
  return manifest;
}

async function writeDurably(file: string, content: Uint8Array): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, content, { mode: 0o600, flush: true });
}

/** Renames within a directory last only when the directory does. */
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes a file whole or not at all. */
export async function writeWhole(file: string, content: Uint8Array): Promise<void> {
  const temporary = `${file}.${process.pid}.new`;
  try {
    await writeFile(temporary, content, { mode: 0o600, flush: true });
    await rename(temporary, file);
    await syncDirectory(path.dirname(path.resolve(file)));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/**
 * Puts a backup into a directory that is not there, or is empty. Everything is unpacked and checked beside it and gets its
 * name in one step: killed at any moment, there is the whole or nothing.
 */
export async function restoreBackup(archive: Uint8Array, dataDirectory: string): Promise<Verified> {
  const target = path.resolve(dataDirectory);
  await refuseTaken(target);
  const parent = path.dirname(target);
  await mkdir(parent, { recursive: true });
  const prefix = `.${path.basename(target)}.restoring-`;
  // What an earlier, interrupted restore has left.
  for (const name of await readdir(parent))
    if (name.startsWith(prefix)) await rm(path.join(parent, name), { recursive: true, force: true });
  const temporary = await mkdtemp(path.join(parent, prefix));
  try {
    const manifest = await unpackInto(archive, temporary);
    const objects = await countObjects(temporary);
    await syncDirectory(path.join(temporary, 'store'));
    await syncDirectory(temporary);
    await rmdir(target).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw taken(target);
    });
    await rename(temporary, target);
    await syncDirectory(parent);
    return { manifest, objects };
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
}

async function refuseTaken(target: string): Promise<void> {
  const entries = await readdir(target).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw taken(target);
  });
  if (entries.length > 0) throw taken(target);
}

function taken(target: string): OperatingError {
  return new OperatingError(
    'DIRECTORY_TAKEN',
    `${target} is not empty, and a restore overwrites nothing`,
    'name another directory with --data-dir, or move this one away',
  );
}
