// Runs the tests of test/: each file in a process group of its own, one after the other, because they start whole products and
// wait for what those do in real time. A file that does not end is killed with everything it started, so that a run always
// ends; a file that fails gets a second try on its own, and the summary says so: a machine that was busy elsewhere is no
// defect of the product, a defect fails twice.
import { spawn } from 'node:child_process';

// LIMIT: the longest file takes two minutes on two cores.
const FILE_LIMIT_MS = 8 * 60_000;
const TRIES = 2;

interface Result {
  readonly file: string;
  readonly passed: boolean;
  readonly tries: number;
  readonly seconds: number;
}

/** Resolves with the exit code. */
export async function runEndToEnd(root: string, files: readonly string[]): Promise<number> {
  const results: Result[] = [];
  for (const file of files) {
    const startedMs = performance.now();
    let tries = 0;
    let passed = false;
    while (!passed && tries < TRIES) {
      if (tries > 0) console.log(`\n${file} failed, trying it once more`);
      tries++;
      passed = await runFile(root, file);
    }
    results.push({ file, passed, tries, seconds: (performance.now() - startedMs) / 1000 });
  }
  console.log('\nEnd to end:');
  for (const { file, passed, tries, seconds } of results)
    console.log(
      `${passed ? 'ok  ' : 'FAIL'} ${file} (${seconds.toFixed(1)} s)${passed && tries > 1 ? `, at try ${tries}` : ''}`,
    );
  return results.every(({ passed }) => passed) ? 0 : 1;
}

function runFile(root: string, file: string): Promise<boolean> {
  return new Promise((resolve) => {
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
      { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], detached: true },
    );
    const limit = setTimeout(() => {
      console.log(`\n${file} did not end within ${FILE_LIMIT_MS / 60_000} minutes; killed`);
      killGroup(child.pid);
    }, FILE_LIMIT_MS);
    // In a group of its own it does not hear of a Ctrl-C.
    const interrupted = (): void => {
      killGroup(child.pid);
      process.exit(130);
    };
    process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
    child.on('error', (error) => {
      clearTimeout(limit);
      console.log(`${file} cannot be run: ${error.message}`);
      resolve(false);
    });
    child.on('exit', (code) => {
      clearTimeout(limit);
      process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
      // What a test that failed has left behind must not disturb the next.
      killGroup(child.pid);
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
