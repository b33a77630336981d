// How fast templates reach members: `latency` sends one after the other, `burst` sends many at once. Measured from
// outside, over HTTPS, against the built product with members that only store (`--simulate none`).
//
// A hub is fast only when its code is warm, after some thousand writes: the burst is measured after one of --warm-up.
//
//   npm run bench -- propagation [--templates 2000] [--warm-up 1000] [--rounds 50] [--members 3]
//     [--kind ConfigMap|Deployment]
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { KubeObject } from '../src/api/index.ts';
import { systemClock } from '../src/base/index.ts';
import {
  createClient,
  createHttpsTransport,
  kinds,
  loadKubeconfig,
  resource,
  type Client,
} from '../src/client/index.ts';

const { values } = parseArgs({
  options: {
    templates: { type: 'string', default: '2000' },
    'warm-up': { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '50' },
    members: { type: 'string', default: '3' },
    kind: { type: 'string', default: 'Deployment' },
  },
});
const root = path.resolve(import.meta.dirname, '..');
const directory = mkdtempSync(path.join(os.tmpdir(), 'navarch-bench-'));
const NAMESPACE = 'bench';
const configMaps = resource({ group: '', version: 'v1', resource: 'configmaps', namespaced: true });
const deployments = resource({ group: 'apps', version: 'v1', resource: 'deployments', namespaced: true });
const templates = values.kind === 'ConfigMap' ? configMaps : deployments;

function template(name: string): KubeObject {
  const metadata = { name, namespace: NAMESPACE, labels: { app: name } };
  if (values.kind === 'ConfigMap')
    return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { key: 'value' } };
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: {
      replicas: 3,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'web', image: 'registry.example/web:1' }] },
      },
    },
  };
}

async function connect(kubeconfig: string): Promise<Client> {
  const settings = await loadKubeconfig({ path: kubeconfig });
  return createClient(createHttpsTransport({ ...settings, clock: systemClock }));
}

/** Resolves each time a member has shown another object of the benchmark. */
class Arrivals {
  readonly seen = new Set<string>();
  private waiters: (() => void)[] = [];

  constructor(member: Client, signal: AbortSignal) {
    void member
      .watch(
        templates,
        { namespace: NAMESPACE, sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan', signal },
        ({ type, object }) => {
          if (type !== 'ADDED') return;
          this.seen.add(object.metadata.name ?? '');
          for (const wake of this.waiters.splice(0)) wake();
        },
      )
      .catch((error: unknown) => console.error(error));
  }

  async until(holds: (seen: ReadonlySet<string>) => boolean): Promise<void> {
    while (!holds(this.seen)) await new Promise<void>((resolve) => this.waiters.push(resolve));
  }
}

const startedMs = performance.now();
const port = 21_000 + Math.floor(Math.random() * 10_000);
const child = spawn(
  'node',
  [
    path.join(root, 'bin', 'navarch.mjs'),
    'up',
    '--members',
    values.members,
    '--simulate',
    'none',
    '--data-dir',
    directory,
    '--port',
    String(port),
    '--member-base-port',
    String(port + 1),
  ],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
await new Promise<void>((resolve, reject) => {
  let output = '';
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString();
    if (/ready in/i.test(output)) resolve();
  });
  child.on('close', () => reject(new Error(`the hub ended:\n${output}`)));
});
const readyMs = performance.now() - startedMs;
const rss = (): number =>
  Math.round(
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024,
  );
/** Milliseconds of processor time that the product has used so far. */
function processorMs(): number {
  const [, , ...fields] = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(' ');
  // utime and stime, in the kernel's ticks of 10 ms.
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
console.log(`ready after ${(readyMs / 1000).toFixed(2)} s, ${rss()} MB resident`);

const fleet = JSON.parse(readFileSync(path.join(directory, 'fleet.json'), 'utf8')) as {
  control: string;
  members: Record<string, string>;
};
const hub = await connect(fleet.control);
const members = await Promise.all(Object.values(fleet.members).map(connect));
const stop = new AbortController();
await hub.create(kinds.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
await hub.create(kinds.propagationPolicies, {
  apiVersion: 'policy.karmada.io/v1alpha1',
  kind: 'PropagationPolicy',
  metadata: { name: 'all', namespace: NAMESPACE },
  spec: {
    resourceSelectors: [{ apiVersion: values.kind === 'ConfigMap' ? 'v1' : 'apps/v1', kind: values.kind }],
    placement: {},
  },
} as never);
for (const member of members) {
  while ((await member.find(kinds.namespaces, { name: NAMESPACE })) === undefined)
    await new Promise((resolve) => setTimeout(resolve, 20));
}
const arrivals = members.map((member) => new Arrivals(member, stop.signal));

const rounds = Number(values.rounds);
const latencies: number[] = [];
for (let round = 0; round < rounds + 5; round++) {
  const name = `latency-${round}`;
  const sentMs = performance.now();
  await hub.create(templates, template(name));
  await Promise.all(arrivals.map((one) => one.until((seen) => seen.has(name))));
  // The first few warm up the just-in-time compiler.
  if (round >= 5) latencies.push(performance.now() - sentMs);
}
latencies.sort((a, b) => a - b);
const at = (share: number): string =>
  (latencies[Math.min(latencies.length - 1, Math.floor(share * latencies.length))] ?? 0).toFixed(1);
console.log(
  `latency: one ${values.kind} to ${members.length} members, ${rounds} times: p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, p99 ${at(0.99)} ms`,
);

/** Creates templates as fast as the hub takes them, and waits until all members have them. */
async function burst(called: string, count: number): Promise<{ readonly createdMs: number }> {
  const beganMs = performance.now();
  const names = Array.from({ length: count }, (_, index) => `${called}-${index}`);
  const pending = [...names];
  await Promise.all(
    Array.from({ length: 32 }, async () => {
      for (let name = pending.pop(); name !== undefined; name = pending.pop())
        await hub.create(templates, template(name));
    }),
  );
  const createdMs = performance.now() - beganMs;
  await Promise.all(
    arrivals.map((one) =>
      one.until((seen) => seen.size >= expected + count && names.every((name) => seen.has(name))),
    ),
  );
  expected += count;
  return { createdMs };
}

let expected = rounds + 5;
await burst('warm', Number(values['warm-up']));
const count = Number(values.templates);
const burstMs = performance.now();
const burstProcessorMs = processorMs();
const { createdMs } = await burst('burst', count);
const allMs = performance.now() - burstMs;
console.log(
  `burst: ${count} ${values.kind}s to ${members.length} members: created in ${(createdMs / 1000).toFixed(2)} s, ` +
    `all there after ${(allMs / 1000).toFixed(2)} s: ${Math.round(count / (allMs / 1000))} templates/s; ` +
    `${((processorMs() - burstProcessorMs) / count).toFixed(2)} ms of processor time each; ${rss()} MB resident`,
);
stop.abort();
await Promise.all([hub, ...members].map((client) => client.transport.close()));
const closed = new Promise((resolve) => child.once('close', resolve));
child.kill('SIGTERM');
await closed;
rmSync(directory, { recursive: true, force: true });
