// Every npm script comes through here, so that a fresh clone with any Node.js of at least 20 needs no
// other set-up: it makes sure of a suitable Node.js and of the locked packages, then runs the task with
// them. Plain JavaScript on purpose: an old Node.js must be able to read it.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const [task, ...args] = process.argv.slice(2);
const windows = process.platform === 'win32';

/** Installs `dir` from its lock file unless the last installation there was of this very lock file. */
function install(dir, what) {
  const wanted = createHash('sha256')
    .update(readFileSync(path.join(dir, 'package-lock.json')))
    .digest('hex');
  const stamp = path.join(dir, 'node_modules', '.navarch-installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  process.stderr.write(`Installing ${what} from the lock file ...\n`);
  const result = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: dir,
    stdio: ['ignore', 2, 2],
    shell: windows,
  });
  if (result.status !== 0) {
    process.stderr.write(
      `Installing ${what} failed; see npm's messages above, then run the command again.\n`,
    );
    process.exit(1);
  }
  mkdirSync(path.dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
}

/** The directory whose `node` runs the tasks: that of this process where it is new enough. */
function suitableNodeDirectory() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 18)) return path.dirname(process.execPath);
  const dir = path.join(root, 'tools', 'node');
  install(dir, 'Node.js 24');
  const bin = path.join(dir, 'node_modules', '.bin');
  if (existsSync(path.join(bin, windows ? 'node.cmd' : 'node'))) return bin;
  process.stderr.write(
    `Navarch needs Node.js 22.18 or newer, this is ${process.version}, and the registry has no build of 24 ` +
      `for ${process.platform}-${process.arch}. Install a newer Node.js, then run the command again.\n`,
  );
  process.exit(1);
}

const nodeDirectory = suitableNodeDirectory();
install(root, 'packages');
const result = spawnSync('node', [path.join(root, 'scripts', 'tasks.ts'), task ?? '', ...args], {
  cwd: root,
  stdio: 'inherit',
  shell: windows,
  env: {
    ...process.env,
    PATH: [nodeDirectory, path.join(root, 'node_modules', '.bin'), process.env.PATH].join(path.delimiter),
  },
});
process.exit(result.status ?? 1);
