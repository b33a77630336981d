// A `helm` program of this machine, run without a shell, without anything of our surroundings, and within bounds: it gets a
// chart as a file and values on its standard input, and prints objects. It is told of no cluster, and logs in nowhere.
import { spawn } from 'node:child_process';
import { access, constants, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { errorMessage, type Clock } from '../../base/index.ts';

/** LIMIT: for one run. */
const TIMEOUT_MS = 60_000;
/** LIMIT: of what it prints. */
const OUTPUT_BYTES_MAX = 32 * 1024 * 1024;
/** LIMIT: of what it complains of. */
const COMPLAINT_BYTES_MAX = 4 * 1024;
/** LIMIT: runs at a time; others wait. */
const RUNS_MAX = 2;

export interface LocalHelm {
  /** E.g. `v4.1.4`. */
  readonly version: string;
  readonly file: string;
  run(request: {
    readonly args: readonly string[];
    readonly chart: Uint8Array;
    readonly input: string;
    readonly signal?: AbortSignal;
  }): Promise<string>;
}

export interface FindHelmOptions {
  /** The program; absent: the first `helm` of `searchPath`. */
  readonly file?: string | undefined;
  /** As the variable PATH. */
  readonly searchPath: string;
  readonly clock: Clock;
}

/** The program, or why there is none that will do. */
export async function findHelm({
  file,
  searchPath,
  clock,
}: FindHelmOptions): Promise<LocalHelm | { readonly missing: string }> {
  const found = file ?? (await inPath(searchPath));
  if (found === undefined) return { missing: 'there is no helm program in the PATH' };
  const gate = new Gate(RUNS_MAX);
  const run = (args: readonly string[], options: Partial<RunOptions>): Promise<string> =>
    gate.through(() => inFolderOfItsOwn(found, args, { chart: undefined, input: '', clock, ...options }));
  let version: string;
  try {
    version = (await run(['version', '--template', '{{.Version}}'], {})).trim();
  } catch (error) {
    return { missing: `${found} cannot be run: ${errorMessage(error)}` };
  }
  if (!/^v[34]\.\d+\.\d+/.test(version))
    return {
      missing: `${found} says that it is version "${version.slice(0, 40)}", and only helm 3 and 4 will do`,
    };
  return { version, file: found, run: ({ args, ...options }) => run(args, options) };
}

async function inPath(searchPath: string): Promise<string | undefined> {
  const name = process.platform === 'win32' ? 'helm.exe' : 'helm';
  for (const folder of searchPath.split(path.delimiter)) {
    // An empty entry means the working directory, from which nothing is to be run.
    if (!path.isAbsolute(folder)) continue;
    const file = path.join(folder, name);
    try {
      await access(file, constants.X_OK);
      return file;
    } catch {
      // The next one, then.
    }
  }
  return undefined;
}

interface RunOptions {
  readonly chart: Uint8Array | undefined;
  readonly input: string;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

async function inFolderOfItsOwn(file: string, args: readonly string[], options: RunOptions): Promise<string> {
  // Readable by nobody else; has the program's caches, of which there is nothing afterwards.
  const folder = await mkdtemp(path.join(os.tmpdir(), 'navarch-helm-'));
  try {
    if (options.chart !== undefined)
      await writeFile(path.join(folder, 'chart.tgz'), options.chart, { mode: 0o600 });
    return await runIn(folder, file, args, options);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function runIn(
  folder: string,
  file: string,
  args: readonly string[],
  { input, clock, signal }: RunOptions,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(file, args, {
    cwd: folder,
    shell: false,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      HOME: folder,
      TMPDIR: folder,
      KUBECONFIG: path.join(folder, 'none'),
      HELM_CACHE_HOME: path.join(folder, 'cache'),
      HELM_CONFIG_HOME: path.join(folder, 'config'),
      HELM_DATA_HOME: path.join(folder, 'data'),
      HELM_PLUGINS: path.join(folder, 'plugins'),
      HELM_NAMESPACE: 'default',
      ...(process.platform === 'win32' ? { SystemRoot: process.env['SystemRoot'] ?? '' } : {}),
    },
  });
  const give = (why: string): void => {
    reject(new Error(why));
    child.kill('SIGKILL');
  };
  const cancel = clock.after(TIMEOUT_MS, () => give(`helm did not end within ${TIMEOUT_MS / 1000} s`));
  const abort = (): void => give('helm was stopped');
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted === true) abort();
  const printed: Buffer[] = [];
  let size = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    size += chunk.byteLength;
    if (size > OUTPUT_BYTES_MAX) give(`helm prints more than ${OUTPUT_BYTES_MAX} bytes`);
    else printed.push(chunk);
  });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    if (complaint.length < COMPLAINT_BYTES_MAX) complaint += chunk.toString('utf8');
  });
  // It may end without having read everything.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  child.on('error', (error) => reject(error));
  child.on('close', (code, killedBy) => {
    cancel();
    signal?.removeEventListener('abort', abort);
    if (code === 0) resolve(Buffer.concat(printed).toString('utf8'));
    else reject(new Error(said(complaint) ?? `helm ended with ${killedBy ?? code}`));
  });
  return promise;
}

/** What matters of its complaint: the error, in one line. */
function said(complaint: string): string | undefined {
  const text = complaint
    .slice(0, COMPLAINT_BYTES_MAX)
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^(WARNING|level=|time=|Use --debug)/.test(line.trim()))
    .join(' ')
    .replace(/^\s*Error:\s*/, 'helm says: ')
    .trim();
  return text === '' ? undefined : text;
}

/** Lets so many through at a time. */
class Gate {
  private free: number;
  private readonly waiting: (() => void)[] = [];

  constructor(places: number) {
    this.free = places;
  }

  async through<T>(run: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free--;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      return await run();
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.free++;
      else next();
    }
  }
}
