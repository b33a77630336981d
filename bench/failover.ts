// How fast workloads leave a cluster: from its NoExecute taint until all of them are in other clusters and the evictions
// are over. Measured from outside, over HTTPS, against the built product.
//
//   npm run bench -- failover [--bindings 300] [--kind ConfigMap|Deployment] [--purge Gracefully|Directly]
//
// ConfigMaps measure the control plane alone, with members that only store. Deployments count when their pods are ready
// elsewhere, in members that simulate nodes and pods in the same process.
import { parseArgs } from 'node:util';
import type { KubeObject } from '../src/api/index.ts';
import { kinds, resource, type Client } from '../src/client/index.ts';
import { startProduct } from './product/product.ts';

const { values } = parseArgs({
  options: {
    bindings: { type: 'string', default: '300' },
    kind: { type: 'string', default: 'ConfigMap' },
    purge: { type: 'string', default: 'Gracefully' },
    port: { type: 'string', default: '23900' },
    profile: { type: 'string' },
  },
});
const NAMESPACE = 'bench';
const count = Number(values.bindings);
const isDeployment = values.kind === 'Deployment';
const configMaps = resource({ group: '', version: 'v1', resource: 'configmaps', namespaced: true });
const deployments = resource({ group: 'apps', version: 'v1', resource: 'deployments', namespaced: true });
const templates = isDeployment ? deployments : configMaps;

function template(name: string): KubeObject {
  const metadata = { name, namespace: NAMESPACE };
  if (!isDeployment) return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { key: 'value' } };
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'web', image: 'registry.example/web:1' }] },
      },
    },
  };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** How many of the benchmark's objects a cluster shows: there, or ready if they have pods. */
class Presence {
  readonly names = new Set<string>();

  constructor(client: Client, signal: AbortSignal) {
    void client
      .watch(
        templates,
        { namespace: NAMESPACE, sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan', signal },
        ({ type, object }) => {
          const name = object.metadata.name ?? '';
          if (!name.startsWith('move-')) return;
          const { readyReplicas = 0 } = (object['status'] ?? {}) as { readonly readyReplicas?: number };
          if (type === 'DELETED' || (isDeployment && readyReplicas < 1)) this.names.delete(name);
          else this.names.add(name);
        },
      )
      .catch((error: unknown) => console.error(error));
  }
}

const product = await startProduct({
  members: '3',
  simulate: isDeployment ? 'workloads' : 'none',
  port: Number(values.port),
  profile: values.profile,
  flags: [
    ['--member-nodes', '60', '--feature-gates', 'Failover=true', '--enable-no-execute-taint-eviction'],
    // The rate is a brake, and is not what is measured.
    ['--resource-eviction-rate', '1000000', '--eviction-brake-per-minute', '0'],
    ['--no-execute-taint-eviction-purge-mode', values.purge],
  ].flat(),
});

/** Of the product's process. */
const cpuSeconds = (): number => product.processorMs() / 1000;

const { hub } = product;
const names = [...product.members.keys()];
const members = [...product.members.values()];
const [from = '', ...others] = names;
const stop = new AbortController();

async function taint(cluster: string, effect: 'NoSchedule' | 'NoExecute' | undefined): Promise<void> {
  const taints = effect === undefined ? null : [{ key: 'bench', effect }];
  await hub.patch(kinds.clusters, { name: cluster }, { type: 'merge', body: { spec: { taints } } });
}

await hub.create(kinds.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
await Promise.all(others.map((name) => taint(name, 'NoSchedule')));
await hub.create(kinds.propagationPolicies, {
  apiVersion: 'policy.karmada.io/v1alpha1',
  kind: 'PropagationPolicy',
  metadata: { name: 'one', namespace: NAMESPACE },
  spec: {
    resourceSelectors: [{ apiVersion: isDeployment ? 'apps/v1' : 'v1', kind: values.kind }],
    placement: { spreadConstraints: [{ spreadByField: 'cluster', minGroups: 1, maxGroups: 1 }] },
  },
} as never);
for (const member of members)
  while ((await member.find(kinds.namespaces, { name: NAMESPACE })) === undefined) await pause(20);
const presence = members.map((member) => new Presence(member, stop.signal));
const [before, ...after] = presence;
const pending = Array.from({ length: count }, (_, index) => `move-${index}`);
await Promise.all(
  Array.from({ length: 32 }, async () => {
    for (let name = pending.pop(); name !== undefined; name = pending.pop())
      await hub.create(templates, template(name));
  }),
);
while ((before?.names.size ?? 0) < count) await pause(20);
const settled = async (): Promise<boolean> => {
  const { items } = await hub.listAll(kinds.resourceBindings, { namespace: NAMESPACE });
  return items.every(
    ({ spec, status }) =>
      (spec.gracefulEvictionTasks ?? []).length === 0 &&
      status?.aggregatedStatus?.every(({ health }) => health === 'Healthy') === true,
  );
};
while (!(await settled())) await pause(200);
await Promise.all(others.map((name) => taint(name, undefined)));
// Caches and the just-in-time compiler are as in a hub that has run for a while.
await pause(2_000);

/** The revision a server is at: every write adds one. */
const revision = async (client: Client): Promise<number> =>
  Number((await client.list(kinds.namespaces, { limit: 1 })).metadata.resourceVersion);
const revisionsBefore = await Promise.all([hub, ...members].map(revision));
const startedCpu = cpuSeconds();
const startedMs = performance.now();
await taint(from, 'NoExecute');
const arrived = (): number => after.reduce((sum, { names: seen }) => sum + seen.size, 0);
let firstMs: number | undefined;
while (arrived() < count) {
  if (firstMs === undefined && arrived() > 0) firstMs = performance.now() - startedMs;
  await pause(2);
}
const thereMs = performance.now() - startedMs;
const thereCpu = cpuSeconds() - startedCpu;
while ((before?.names.size ?? 0) > 0) await pause(5);
const goneMs = performance.now() - startedMs;
while (!(await settled())) await pause(50);
const revisionsAfter = await Promise.all([hub, ...members].map(revision));
const [hubWrites = 0, ...memberWrites] = revisionsAfter.map(
  (at, index) => at - (revisionsBefore[index] ?? 0),
);
const seconds = (ms: number): string => (ms / 1000).toFixed(2);
console.log(
  `failover: ${count} ${values.kind}s off one of ${names.length} clusters (${values.purge}): first there after ` +
    `${seconds(firstMs ?? 0)} s, all running elsewhere after ${seconds(thereMs)} s (${thereCpu.toFixed(2)} s of CPU), ` +
    `old copies gone after ${seconds(goneMs)} s; ${(cpuSeconds() - startedCpu).toFixed(2)} s of CPU in all; ${hubWrites} writes on the hub, ` +
    `${memberWrites.reduce((sum, one) => sum + one, 0)} in members`,
);
stop.abort();
await product.stop();
