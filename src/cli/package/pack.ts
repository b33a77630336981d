// `package pack`: a repository as an OCI image layout, for places without a network and for registries.
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Command } from 'commander';
import { packArtifact, type PackedFile } from '../../packaging/index.ts';
import { print, type SetExitCode } from '../command.ts';
import { CommandError, shape } from '../shell/index.ts';
import { checkRepository } from './check.ts';

// LIMIT: of all files together.
const BYTES_MAX = 512 * 1024 * 1024;

export function packCommand(exit: SetExitCode): Command {
  const command = new Command('pack')
    .description('write a folder of packages as an OCI image layout, which is a repository too')
    .argument('<folder>', 'the folder with index.yaml')
    .argument('<layout>', 'the folder to write; must be empty or not there yet')
    .option('--tag <tag>', 'what the artifact is called in it', 'latest')
    .action(async (folder: string, layout: string, { tag }: { readonly tag: string }) => {
      if (!/^\w[\w.-]{0,127}$/.test(tag)) throw new CommandError(`"${tag}" is no tag`);
      const { problems } = await checkRepository(pathToFileURL(path.resolve(folder)).href);
      if (problems.length > 0) throw new CommandError(problems.join('\nerror: '));
      const packed = packArtifact(await filesOf(folder), tag, (bytes) =>
        createHash('sha256').update(bytes).digest('hex'),
      );
      await write(layout, packed);
      print(`oci-layout://${pathToFileURL(path.resolve(layout)).pathname}:${tag} written`);
      exit(0);
    });
  return shape(command, {
    examples: `
      # A catalogue for a place without a network
      %s package pack ./packages ./packages.oci

      # Into a registry, with a tool for that
      oras cp --from-oci-layout ./packages.oci:latest registry.example.org/team/packages:latest`,
  });
}

async function filesOf(folder: string): Promise<readonly PackedFile[]> {
  const files: PackedFile[] = [];
  let size = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    const below = path.relative(folder, file).replaceAll(path.sep, '/');
    // Nothing that a web server would not serve either.
    if (below.split('/').some((part) => part.startsWith('.'))) continue;
    const bytes = await readFile(file);
    size += bytes.byteLength;
    if (size > BYTES_MAX) throw new CommandError(`${folder} holds more than ${BYTES_MAX} bytes`);
    files.push({ path: below, bytes });
  }
  return files;
}

async function write(layout: string, files: readonly PackedFile[]): Promise<void> {
  await mkdir(layout, { recursive: true });
  if ((await readdir(layout)).length > 0)
    throw new CommandError(`${layout} is not empty; name another folder`);
  for (const file of files) {
    const place = path.join(layout, file.path);
    await mkdir(path.dirname(place), { recursive: true });
    await writeFile(place, file.bytes);
  }
}
