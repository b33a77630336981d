// Starts the built product as a user does, for tests that look at it from outside.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export { freePort } from '../scripts/free-port.ts';

export const program = path.resolve(import.meta.dirname, '..', 'bin', 'navarch.mjs');

/** Whether kubectl is on the machine; tests that need it say why they are skipped. */
export const noKubectl =
  spawnSync('kubectl', ['version', '--client']).error === undefined ? false : 'kubectl is not installed';

export interface Product {
  readonly directory: string;
  readonly kubeconfig: string;
  readonly child: ChildProcess;
  /** What it has printed so far. */
  output(): string;
  /** Resolves when it has printed this; rejects when it ends before. */
  printed(pattern: RegExp): Promise<string>;
  /** Resolves with the exit code; when it does not end, kills it and rejects with what it was doing. */
  stop(signal: NodeJS.Signals): Promise<number | null>;
}

export function temporaryDirectory(): string {
  return mkdtempSync(path.join(os.tmpdir(), 'navarch-test-'));
}

export function removeDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}

// LIMIT: longer than the product gives all its parts to close.
const STOP_LIMIT_MS = 60_000;
const STUCK_REPORT = 'stuck.json';

/** The stack, and what keeps the process, from a diagnostic report of Node.js. */
function whereItIs(report: string): string {
  const { javascriptStack, libuv } = JSON.parse(readFileSync(report, 'utf8')) as {
    readonly javascriptStack: { readonly message: string; readonly stack?: readonly string[] };
    readonly libuv: readonly { readonly is_active: boolean; readonly is_referenced: boolean }[];
  };
  const handles = libuv.filter(({ is_active, is_referenced }) => is_active && is_referenced);
  return [javascriptStack.message, ...(javascriptStack.stack ?? []), JSON.stringify(handles)].join('\n  ');
}

export async function startProduct(
  directory: string,
  port: number,
  ...flags: readonly string[]
): Promise<Product> {
  const child = spawn(
    'node',
    [
      '--report-on-signal',
      `--report-directory=${directory}`,
      `--report-filename=${STUCK_REPORT}`,
      program,
      'up',
      '--data-dir',
      directory,
      '--port',
      String(port),
      '--member-base-port',
      String(port + 1),
      ...flags,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let text = '';
  const listeners = new Set<() => void>();
  const hear = (data: Buffer): void => {
    text += data.toString();
    for (const listener of listeners) listener();
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  const product: Product = {
    directory,
    kubeconfig: path.join(directory, 'kubeconfig'),
    child,
    output: () => text,
    printed: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!pattern.test(text)) return;
          listeners.delete(look);
          resolve(text);
        };
        listeners.add(look);
        void closed.then((code) =>
          reject(new Error(`navarch ended with code ${code} before it printed ${pattern}:\n${text}`)),
        );
        look();
      }),
    async stop(signal) {
      child.kill(signal);
      const stuck = setTimeout(() => child.kill('SIGUSR2'), STOP_LIMIT_MS);
      const killed = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS + 5_000);
      const code = await closed;
      clearTimeout(stuck);
      clearTimeout(killed);
      const report = path.join(directory, STUCK_REPORT);
      if (existsSync(report))
        throw new Error(`navarch did not end after ${signal}: ${whereItIs(report)}\n${text}`);
      return code;
    },
  };
  await product.printed(/^Ready in/m);
  return product;
}

/** Runs a program to its end. */
export function run(
  command: string,
  args: readonly string[],
  input?: string,
): { readonly code: number | null; readonly stdout: string; readonly stderr: string } {
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    ...(input === undefined ? {} : { input }),
    timeout: 60_000,
  });
  return { code: status, stdout, stderr };
}

export function navarch(...args: readonly string[]): ReturnType<typeof run> {
  return run('node', [program, ...args]);
}

/** Tries until it holds or a generous time is over; how long it took is not judged. */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
): Promise<T> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`still not true: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
