// What a whole API server carries: durable writes and reads a second, in the process and over HTTPS, latency at a steady
// rate, delivery to many watchers over HTTPS, and memory against the size of the JSON (memory.ts). Clients run in a
// process of their own, so that their work is not counted; CPU is the server's. Run:
//   npm run bench -- load [--seconds 5] [--clients 64] [--rate 1000] [--watchers 1000] [--objects 10000]
import { fork, spawnSync } from 'node:child_process';
import type { ClientHttp2Session } from 'node:http2';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { KubeObject } from '../src/api/index.ts';
import { ask, connectTo, startMeasuredServer, type Target } from './product/api-server.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    clients: { type: 'string', default: '64' },
    rate: { type: 'string', default: '1000' },
    watchers: { type: 'string', default: '1000' },
    objects: { type: 'string', default: '10000' },
    /** Set where this is the process of the clients. */
    target: { type: 'string', default: '' },
  },
});
const seconds = Number(values.seconds);
const clients = Number(values.clients);
const rate = Number(values.rate);
const watchers = Number(values.watchers);
const MAPS = '/api/v1/namespaces/default/configmaps';

const body = (name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, labels: { app: 'bench' } },
  data: { config: 'x'.repeat(800) },
});

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

function latencies(values: number[]): string {
  const sorted = values.sort((a, b) => a - b);
  return `p50 ${percentile(sorted, 0.5).toFixed(1)} ms, p99 ${percentile(sorted, 0.99).toFixed(1)} ms`;
}

/** Runs `work` from many callers at once for a while. Returns how often it ran. */
async function saturate(work: (i: number) => Promise<void>): Promise<number> {
  const until = performance.now() + seconds * 1000;
  let count = 0;
  await Promise.all(
    Array.from({ length: clients }, async () => {
      while (performance.now() < until) await work(count++);
    }),
  );
  return count;
}

/** Starts `work` at a steady rate, whether or not earlier ones have ended. Returns how long each took. */
async function steadily(work: (i: number) => Promise<void>): Promise<number[]> {
  const took: number[] = [];
  const running: Promise<void>[] = [];
  const from = performance.now();
  for (let i = 0; i < rate * seconds;) {
    const due = Math.floor(((performance.now() - from) / 1000) * rate);
    for (; i < due && i < rate * seconds; i++) {
      const started = performance.now();
      running.push(work(i).then(() => void took.push(performance.now() - started)));
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(running);
  return took;
}

// ---- the process of the clients

async function runClients(target: Target): Promise<void> {
  const sessions = connectTo(target, 8);
  const session = (i: number): ClientHttp2Session => sessions[i % sessions.length]!;
  const create =
    (prefix: string) =>
    async (i: number): Promise<void> => {
      await ask(session(i), 'POST', MAPS, JSON.stringify(body(`${prefix}-${i}`)));
    };
  let readable = 1;
  const read = async (i: number): Promise<void> => {
    await ask(session(i), 'GET', `${MAPS}/h-${i % readable}`);
  };
  const phase = (name: string, count = 0): Promise<void> =>
    new Promise((resolve) => {
      process.once('message', () => resolve());
      process.send!({ phase: name, count });
    });
  await phase('start');
  const writes = await saturate(create('h'));
  await phase('durable creates over HTTPS', writes);
  // On a busy machine a short run makes fewer than a thousand.
  readable = Math.min(writes, 1000);
  const reads = await saturate(read);
  await phase('reads over HTTPS', reads);
  const readTimes = await steadily(read);
  await phase(`reads at ${rate}/s over HTTPS: ${latencies(readTimes)}`);
  const writeTimes = await steadily(create('s'));
  await phase(`durable creates at ${rate}/s over HTTPS: ${latencies(writeTimes)}`);
  await phase(await fanOut(session));
  // The watches are still open, and closing would wait for them.
  for (const one of sessions) one.destroy();
}

/** One change after another, each on its way to every watcher. */
async function fanOut(session: (i: number) => ClientHttp2Session): Promise<string> {
  const CHANGES = 50;
  const path_ = '/api/v1/namespaces/watched/configmaps';
  const delays: number[] = [];
  let due = Promise.withResolvers<void>();
  let seen = 0;
  let written = 0;
  const opened = Array.from({ length: watchers }, (_, i) => {
    const stream = session(i).request({ ':path': `${path_}?watch=true&resourceVersion=0` });
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) {
        delays.push(performance.now() - written);
        if (++seen === watchers) due.resolve();
      }
    });
    return new Promise<void>((resolve) => stream.once('response', () => resolve()));
  });
  await Promise.all(opened);
  for (let i = 0; i < CHANGES; i++) {
    due = Promise.withResolvers();
    seen = 0;
    written = performance.now();
    await ask(session(i), 'POST', path_, JSON.stringify(body(`w-${i}`)));
    await due.promise;
  }
  return `delivery to ${watchers} watchers over HTTPS: ${latencies(delays)}`;
}

// ---- the server

async function runServer(): Promise<void> {
  const server = await startMeasuredServer();
  const { running, target } = server;
  const api = running.server.inProcess({ name: 'bench', groups: ['system:masters'] });
  const must = async (path_: string, json: unknown): Promise<unknown> => {
    const { status, body: answer } = await api.send({ method: 'POST', path: path_, body: json });
    if (status >= 300) throw new Error(JSON.stringify(answer));
    return answer;
  };
  for (const name of ['default', 'watched']) await must('/api/v1/namespaces', { metadata: { name } });
  try {
    await inProcess(must, (name) => api.send({ method: 'GET', path: `${MAPS}/${name}` }));
    await overHttps(target);
  } finally {
    await server.close();
  }
  const memory = path.join(import.meta.dirname, 'memory.ts');
  spawnSync('node', [memory, '--objects', values.objects], { stdio: 'inherit' });
}

/** @param count of operations; 0: there is nothing to divide by */
function report(what: string, since: NodeJS.CpuUsage, fromMs: number, count: number): void {
  const { user, system } = process.cpuUsage(since);
  const wallMs = performance.now() - fromMs;
  const share = (user + system) / 1000 / wallMs;
  const rates =
    count === 0
      ? ''
      : ` ${((1000 * count) / wallMs).toFixed(0)}/s, ${((user + system) / count).toFixed(0)} µs CPU each`;
  console.log(`${what}${rates === '' ? '' : ':'}${rates} (server: ${(100 * share).toFixed(0)}% of a core)`);
}

async function inProcess(
  must: (path: string, json: unknown) => Promise<unknown>,
  get: (name: string) => Promise<unknown>,
): Promise<void> {
  let [cpu, from] = [process.cpuUsage(), performance.now()];
  const writes = await saturate(async (i) => void (await must(MAPS, body(`p-${i}`))));
  report('durable creates in the process', cpu, from, writes);
  [cpu, from] = [process.cpuUsage(), performance.now()];
  const reads = await saturate(async (i) => void (await get(`p-${i % Math.min(writes, 1000)}`)));
  report('reads in the process', cpu, from, reads);
}

async function overHttps(target: Target): Promise<void> {
  const child = fork(import.meta.filename, [...process.argv.slice(2), '--target', JSON.stringify(target)]);
  let [cpu, from] = [process.cpuUsage(), performance.now()];
  child.on('message', ({ phase, count }: { readonly phase: string; readonly count: number }) => {
    if (phase !== 'start') report(phase, cpu, from, count);
    [cpu, from] = [process.cpuUsage(), performance.now()];
    child.send('go');
  });
  await new Promise<void>((resolve, reject) => {
    child.on('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`the clients ended with ${code}`)),
    );
  });
}

if (values.target === '') await runServer();
else {
  await runClients(JSON.parse(values.target) as Target);
  process.disconnect();
}
