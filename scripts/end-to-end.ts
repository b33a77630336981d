// Runs the tests of test/: each file in a process group of its own, two at a time where there are two cores, because they start
// whole products and wait for what those do in real time. A file that does not end is killed with everything it started, so
// that a run always ends; a file that fails gets a second try on its own when the others are through, and the summary says so:
// a machine that was busy elsewhere is no defect of the product, a defect fails twice.
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';

// LIMIT: the longest file takes four minutes on two cores.
const FILE_LIMIT_MS = 8 * 60_000;
const AT_ONCE = 2;

interface Result {
  readonly file: string;
  readonly passed: boolean;
  readonly tries: number;
  readonly seconds: number;
}

/** Resolves with the exit code. */
export async function runEndToEnd(root: string, files: readonly string[]): Promise<number> {
  const results = new Map<string, Result>();
  const directory = mkdtempSync(path.join(tmpdir(), 'navarch-end-to-end-'));
  const waiting = [...files];
  // In groups of their own they do not hear of a Ctrl-C.
  const interrupted = (): void => {
    for (const leader of running) killGroup(leader);
    process.exit(130);
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  const attempt = async (file: string, tries: number): Promise<void> => {
    console.log(`running ${file}`);
    const startedMs = performance.now();
    const output = path.join(directory, path.basename(file));
    const passed = await runFile(root, file, output);
    results.set(file, { file, passed, tries, seconds: (performance.now() - startedMs) / 1000 });
    console.log(`\n${file}\n${readFileSync(output, 'utf8')}`);
  };
  const runWaiting = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) await attempt(file, 1);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, availableParallelism()) }, runWaiting));
  for (const { file } of [...results.values()].filter(({ passed }) => !passed)) {
    console.log(`\n${file} failed, trying it once more, on its own`);
    await attempt(file, 2);
  }
  rmSync(directory, { recursive: true, force: true });
  console.log('\nEnd to end:');
  for (const { file, passed, tries, seconds } of [...results.values()].sort((a, b) =>
    a.file < b.file ? -1 : 1,
  ))
    console.log(
      `${passed ? 'ok  ' : 'FAIL'} ${file} (${seconds.toFixed(1)} s)${passed && tries > 1 ? `, at try ${tries}` : ''}`,
    );
  return [...results.values()].every(({ passed }) => passed) ? 0 : 1;
}

/** Leaders of the process groups. */
const running = new Set<number>();

/** @param output the file that takes what it prints: two at a time would mix it */
function runFile(root: string, file: string, output: string): Promise<boolean> {
  return new Promise((resolve) => {
    const printed = openSync(output, 'w');
    const child = spawn(
      'node',
      [
        '--test',
        '--test-isolation=none',
        '--test-force-exit',
        '--test-reporter=spec',
        '--test-timeout=120000',
        file,
      ],
      { cwd: root, stdio: ['ignore', printed, printed], detached: true },
    );
    closeSync(printed);
    if (child.pid !== undefined) running.add(child.pid);
    const limit = setTimeout(() => {
      console.log(`\n${file} did not end within ${FILE_LIMIT_MS / 60_000} minutes; killed`);
      killGroup(child.pid);
    }, FILE_LIMIT_MS);
    child.on('error', (error) => {
      clearTimeout(limit);
      console.log(`${file} cannot be run: ${error.message}`);
      resolve(false);
    });
    child.on('exit', (code) => {
      clearTimeout(limit);
      // What a test that failed has left behind must not disturb the next.
      killGroup(child.pid);
      running.delete(child.pid ?? 0);
      resolve(code === 0);
    });
  });
}

function killGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // Nothing of the group is left.
  }
}
