// The tasks behind the npm scripts. `task.mjs` has made sure of Node.js and the packages before this runs.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { runEndToEnd } from './end-to-end.ts';

const root = path.resolve(import.meta.dirname, '..');
const [task = '', ...args] = process.argv.slice(2);

const steps = {
  types: ['tsc', '--noEmit'],
  lint: ['oxlint', '--type-aware', '--quiet', 'src', 'scripts', 'test', 'bench'],
  format: ['oxfmt', '--check', 'src', 'scripts', 'test', 'bench'],
  rooms: ['node', 'scripts/check-rooms.ts'],
  deadCode: ['knip', '--no-progress'],
} satisfies Record<string, string[]>;

function run(command: string[]): number {
  const [name = '', ...rest] = command;
  return spawnSync(name, rest, { cwd: root, stdio: 'inherit' }).status ?? 1;
}

/** Runs all checks side by side and prints each one's output when it ends. */
async function check(): Promise<number> {
  const results = await Promise.all(
    Object.entries(steps).map(
      ([name, [command = '', ...rest]]) =>
        new Promise<number>((resolve) => {
          const started = performance.now();
          const child = spawn(command, rest, { cwd: root });
          let output = '';
          child.stdout.on('data', (data: Buffer) => (output += data.toString()));
          child.stderr.on('data', (data: Buffer) => (output += data.toString()));
          child.on('close', (code) => {
            const seconds = ((performance.now() - started) / 1000).toFixed(1);
            console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`);
            if (code !== 0) console.log(output);
            resolve(code ?? 1);
          });
        }),
    ),
  );
  return results.some((code) => code !== 0) ? 1 : 0;
}

const bundles = ['navarch.mjs', 'storage-worker.mjs'].map((name) => path.join(root, 'dist', name));

function buildIfStale(): number {
  const newest = globSync('src/**/*.{ts,json}', { cwd: root })
    .map((file) => statSync(path.join(root, file)).mtimeMs)
    .reduce((a, b) => Math.max(a, b), 0);
  if (bundles.every((bundle) => existsSync(bundle) && statSync(bundle).mtimeMs > newest)) return 0;
  mkdirSync(path.join(root, 'dist'), { recursive: true });
  return run(['node', 'scripts/build.ts']);
}

function unitTests(): string[] {
  return globSync('src/**/*.test.ts', { cwd: root }).sort();
}

async function tests(patterns: string[]): Promise<number> {
  const reporter = ['--test-reporter=spec', '--test-timeout=120000'];
  const wanted = (files: string[]): string[] =>
    patterns.length === 0
      ? files
      : files.filter((file) => patterns.some((pattern) => file.includes(pattern)));
  const unit = wanted(unitTests());
  if (unit.length > 0) {
    const code = run(['node', '--test', '--test-isolation=none', ...reporter, ...unit]);
    if (code !== 0) return code;
  }
  const endToEnd = wanted(globSync('test/**/*.test.ts', { cwd: root }).sort());
  if (endToEnd.length > 0) {
    const built = buildIfStale();
    if (built !== 0) return built;
    return runEndToEnd(root, endToEnd);
  }
  return 0;
}

/** Another command of the program, or the demonstration with flags of its own: `npm start -- --port 7443`. */
function startArguments(): string[] {
  const [first = '-'] = args;
  return first.startsWith('-') ? ['up', '--members', '3', '--sample', ...args] : args;
}

const tasks: Record<string, () => number | Promise<number>> = {
  check,
  build: buildIfStale,
  format: () => run(['oxfmt', 'src', 'scripts', 'test', 'bench']),
  generate: () => run(['node', 'scripts/generate.ts', ...args]),
  bench: () => buildIfStale() || run(['node', 'bench/main.ts', ...args]),
  fuzz: () => run(['node', 'scripts/fuzz.ts', ...args]),
  conformance: () => buildIfStale() || run(['node', 'scripts/conformance.ts', ...args]),
  // Worlds come and go, and with them most of what they allocate.
  simulate: () => run(['node', '--max-semi-space-size=64', 'scripts/simulate.ts', ...args]),
  test: () => tests(args),
  start: () => buildIfStale() || run(['node', 'bin/navarch.mjs', ...startArguments()]),
};

const chosen = tasks[task];
if (chosen === undefined) {
  console.error(`unknown task "${task}"; there are: ${Object.keys(tasks).join(', ')}`);
  process.exit(2);
}
process.exit(await chosen());
