// The built product as measurements of it need it: started in a directory of its own, connected to, and looked at from
// outside for the processor time and memory that it takes.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { freePort } from '../../scripts/free-port.ts';
import { systemClock } from '../../src/base/index.ts';
import { createClient, createHttpsTransport, loadKubeconfig, type Client } from '../../src/client/index.ts';

export interface ProductOptions {
  readonly members: string;
  /** Default: `none`, members only store. */
  readonly simulate?: string;
  /** Default: any one. */
  readonly port?: number;
  readonly flags?: readonly string[];
  /** Where to write CPU profiles to. */
  readonly profile?: string | undefined;
  readonly timeoutMs?: number;
}

// At its limit, on a machine with others, a hub may be silent for longer than clients otherwise wait.
const PING_TIMEOUT_MS = 120_000;

export interface Product {
  readonly hub: Client;
  /** By name, in the order in which the product lists them. */
  readonly members: ReadonlyMap<string, Client>;
  readonly readyMs: number;
  processorMs(): number;
  /** Of the thread that serves and decides, which is where the limit is. */
  mainThreadMs(): number;
  residentMb(): number;
  stop(): Promise<void>;
}

export async function startProduct(options: ProductOptions): Promise<Product> {
  const { members, simulate = 'none', flags = [], profile } = options;
  const port = options.port ?? freePort();
  const directory = mkdtempSync(path.join(os.tmpdir(), 'navarch-bench-'));
  const program = path.resolve(import.meta.dirname, '..', '..', 'bin', 'navarch.mjs');
  const profiling = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const up = [
    ['up', '--members', members, '--simulate', simulate, '--data-dir', directory],
    ['--port', String(port), '--member-base-port', String(port + 1)],
  ].flat();
  const startedMs = performance.now();
  const child = spawn('node', [...profiling, program, ...up, ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // A measurement that fails leaves nothing behind.
  process.once('exit', () => child.kill());
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const closed = new Promise((resolve) => child.once('close', resolve));
  await new Promise<void>((resolve, reject) => {
    let output = '';
    child.stdout.on('data', (data: Buffer) => {
      output += data.toString();
      if (/ready in/i.test(output)) resolve();
    });
    child.on('close', () => reject(new Error(`the hub ended:\n${output}`)));
  });
  const readyMs = performance.now() - startedMs;
  const connect = async (kubeconfig: string): Promise<Client> => {
    const settings = await loadKubeconfig({ path: kubeconfig });
    const { timeoutMs } = options;
    const timeout = timeoutMs === undefined ? {} : { timeoutMs };
    return createClient(
      createHttpsTransport({ ...settings, clock: systemClock, pingTimeoutMs: PING_TIMEOUT_MS, ...timeout }),
    );
  };
  const fleet = JSON.parse(readFileSync(path.join(directory, 'fleet.json'), 'utf8')) as {
    readonly control: string;
    readonly members: Readonly<Record<string, string>>;
  };
  const hub = await connect(fleet.control);
  const connected = new Map<string, Client>();
  for (const [name, kubeconfig] of Object.entries(fleet.members))
    connected.set(name, await connect(kubeconfig));
  const ofProcess = (file: string): string => readFileSync(`/proc/${child.pid}/${file}`, 'utf8');
  return {
    hub,
    members: connected,
    readyMs,
    processorMs: () => processorTimeMs(ofProcess('stat')),
    mainThreadMs: () => processorTimeMs(ofProcess(`task/${child.pid}/stat`)),
    residentMb: () => Math.round(Number(/VmRSS:\s+(\d+)/.exec(ofProcess('status'))?.[1] ?? 0) / 1024),
    async stop() {
      await Promise.all([hub, ...connected.values()].map((client) => client.transport.close()));
      child.kill('SIGTERM');
      await closed;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** utime and stime, the 14th and 15th field, in the kernel's ticks of 10 ms; the name before them may have spaces. */
function processorTimeMs(stat: string): number {
  const fields = stat.split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
