// `backup` and `restore`.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Command } from 'commander';
import { OperatingError, errorMessage, formatTime, systemClock } from '../base/index.ts';
import { download, shape, withHub } from '../cli/index.ts';
import { backUpDirectory, restoreBackup, verifyBackup, writeWhole, type Verified } from './backup.ts';

type SetExitCode = (code: number) => void;

interface BackupFlags {
  readonly kubeconfig?: string;
  readonly karmadaContext?: string;
  readonly dataDir?: string;
  readonly check?: boolean;
}

const BACKUP_EXAMPLES = `
  # Of a running control plane, into a file named by the time
  %s backup

  # Into a file of this name
  %s backup before-upgrade.tar.gz

  # Of a control plane that does not run
  %s backup --data-dir .navarch

  # Whether a file is a whole backup
  %s backup --check before-upgrade.tar.gz`;

export function backupCommand(exit: SetExitCode): Command {
  return withHub(shape(new Command('backup'), { group: 'Control plane', examples: BACKUP_EXAMPLES }))
    .summary('Save the state of a control plane into one file')
    .description(
      'Save the state of a control plane, its store at one revision and its certificates and keys, into one file, while it runs. The file is read back and checked before it gets its name. It holds private keys: keep it as you keep those.',
    )
    .argument('[file]', 'file to write; default navarch-TIME.tar.gz')
    .option(
      '--data-dir <dir>',
      'directory of a control plane that does not run, instead of asking one that does',
    )
    .option('--check', 'only check the file')
    .action(async (file: string | undefined, flags: BackupFlags) => {
      if (flags.check === true) {
        if (file === undefined)
          throw new OperatingError('BAD_FLAG', '--check needs a file', 'name the backup to check');
        tell('is whole', file, await verifyBackup(await read(file)));
        return exit(0);
      }
      const name = file ?? `navarch-${formatTime(systemClock.now()).replaceAll(':', '')}.tar.gz`;
      const archive =
        flags.dataDir === undefined ? await readRunning(flags) : await backUpDirectory(flags.dataDir);
      const verified = await verifyBackup(archive);
      await writeWhole(name, archive);
      tell('saved', name, verified, archive.length);
      exit(0);
    });
}

async function readRunning(flags: BackupFlags): Promise<Uint8Array> {
  process.stderr.write('Asking the control plane for a backup ...\n');
  return download(flags, '/navarch/backup');
}

function tell(what: string, file: string, { manifest, objects }: Verified, bytes?: number): void {
  const size = bytes === undefined ? '' : `, ${(bytes / 1024).toFixed(0)} KiB`;
  process.stdout.write(
    `backup ${file} ${what}: ${objects} objects at revision ${manifest.revision} of ${manifest.time}${size}\n`,
  );
}

async function read(file: string): Promise<Uint8Array> {
  return readFile(file).catch((cause: unknown) => {
    throw new OperatingError(
      'FILE_UNREADABLE',
      `${file} cannot be read: ${errorMessage(cause)}`,
      'name the file of a backup',
      {
        cause,
      },
    );
  });
}

const RESTORE_EXAMPLES = `
  # Into a new directory, and up again
  %s restore before-upgrade.tar.gz --data-dir .navarch-restored
  %s up --members 0 --data-dir .navarch-restored`;

export function restoreCommand(exit: SetExitCode): Command {
  return shape(new Command('restore'), { group: 'Control plane', examples: RESTORE_EXAMPLES })
    .summary('Put a backup into a new data directory')
    .description(
      'Put a backup into a data directory that is not there or empty. It is checked first, object by object, and appears whole or not at all, whenever the restore is interrupted. Nothing is ever overwritten.',
    )
    .argument('<file>', 'the backup')
    .option('--data-dir <dir>', 'where state, certificates and kubeconfigs are kept', './.navarch')
    .option('--dry-run', 'only check the backup')
    .action(async (file: string, flags: { readonly dataDir: string; readonly dryRun?: boolean }) => {
      const archive = await read(file);
      if (flags.dryRun === true) {
        tell('is whole (dry run)', file, await verifyBackup(archive));
        return exit(0);
      }
      tell('restored', file, await restoreBackup(archive, flags.dataDir));
      process.stdout.write(
        `Start it with: navarch up --data-dir ${path.relative(process.cwd(), path.resolve(flags.dataDir)) || '.'}\n`,
      );
      exit(0);
    });
}
