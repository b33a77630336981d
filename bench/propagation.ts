// How fast templates reach members: `latency` sends one after the other, `burst` sends many at once. Measured from
// outside, over HTTPS, against the built product with members that only store (`--simulate none`).
//
// A hub is fast only when its code is warm, after some thousand writes: the burst is measured after one of --warm-up.
//
//   npm run bench -- propagation [--templates 2000] [--warm-up 1000] [--rounds 50] [--members 3]
//     [--kind ConfigMap|Deployment] [--profile DIRECTORY]
import { parseArgs } from 'node:util';
import type { KubeObject } from '../src/api/index.ts';
import { kinds, resource, type Client } from '../src/client/index.ts';
import { startProduct } from './product/product.ts';

const { values } = parseArgs({
  options: {
    templates: { type: 'string', default: '2000' },
    'warm-up': { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '50' },
    members: { type: 'string', default: '3' },
    kind: { type: 'string', default: 'Deployment' },
    profile: { type: 'string' },
  },
});
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

const product = await startProduct({ members: values.members, profile: values.profile });
const { hub, readyMs } = product;
const members = [...product.members.values()];
const rss = (): number => product.residentMb();
const processorMs = (): number => product.processorMs();
const mainThreadMs = (): number => product.mainThreadMs();
console.log(`ready after ${(readyMs / 1000).toFixed(2)} s, ${rss()} MB resident`);

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
/** Every write of the hub, those of its controllers too, takes one revision. */
const revision = async (): Promise<number> =>
  Number((await hub.list(kinds.namespaces, { limit: 1 })).metadata.resourceVersion);
const burstRevision = await revision();
const burstMs = performance.now();
const burstProcessorMs = processorMs();
const burstMainThreadMs = mainThreadMs();
const { createdMs } = await burst('burst', count);
const allMs = performance.now() - burstMs;
console.log(
  `burst: ${count} ${values.kind}s to ${members.length} members: created in ${(createdMs / 1000).toFixed(2)} s, ` +
    `all there after ${(allMs / 1000).toFixed(2)} s: ${Math.round(count / (allMs / 1000))} templates/s; ` +
    `${((processorMs() - burstProcessorMs) / count).toFixed(2)} ms of processor time, ` +
    `${((mainThreadMs() - burstMainThreadMs) / count).toFixed(2)} ms of it on the main thread, and ` +
    `${(((await revision()) - burstRevision) / count).toFixed(1)} writes of the hub each; ${rss()} MB resident`,
);
stop.abort();
await product.stop();
