// Starts the built product as a user does, for tests that look at it from outside.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

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
  /** Resolves with the exit code. */
  stop(signal: NodeJS.Signals): Promise<number | null>;
}

export function temporaryDirectory(): string {
  return mkdtempSync(path.join(os.tmpdir(), 'navarch-test-'));
}

export function removeDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}

/** A port range that other tests are unlikely to use. */
export function freePort(): number {
  return 30_000 + Math.floor(Math.random() * 15_000) * 2;
}

export async function startProduct(
  directory: string,
  port: number,
  ...flags: readonly string[]
): Promise<Product> {
  const child = spawn(
    'node',
    [
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
    stop(signal) {
      child.kill(signal);
      return closed;
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
