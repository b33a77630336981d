// How fast placements are decided.
//
//   npm run bench -- scheduling [pure|fleet] [--bindings 10000] [--clusters 100,1000] [--whole] [--port 22100]
//
// `pure`: decisions alone, over snapshots of 100 and 1,000 clusters. `fleet`: the built product places that many
// Deployments, then one edit of their policy moves all of them; without `--whole` only detector and scheduler run, so
// that what is measured is the way from the policy to the placement.
import { parseArgs } from 'node:util';
import {
  deepFreeze,
  type Cluster,
  type KubeObject,
  type Placement,
  type ResourceBinding,
} from '../src/api/index.ts';
import { defaultFeatureGates } from '../src/base/index.ts';
import { kinds, resource, type Client } from '../src/client/index.ts';
import { fleetSnapshot, outcomeOf, schedule } from '../src/scheduling/index.ts';
import { startProduct, type Product } from './product/product.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    bindings: { type: 'string', default: '10000' },
    clusters: { type: 'string', default: '100,1000' },
    whole: { type: 'boolean', default: false },
    port: { type: 'string', default: '22100' },
    profile: { type: 'string' },
  },
});
const count = Number(values.bindings);
const megabytes = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MB`;

// ---- decisions alone

const REGIONS = ['east', 'west', 'north', 'south', 'mid'];

function cluster(index: number): Cluster {
  return deepFreeze({
    apiVersion: 'cluster.karmada.io/v1alpha1',
    kind: 'Cluster',
    metadata: { name: `member-${String(index).padStart(4, '0')}`, labels: { tier: index % 3 === 0 ? 'gold' : 'silver' } },
    spec: { syncMode: 'Push', region: REGIONS[index % REGIONS.length] ?? '', provider: `p${index % 4}`, zones: [`z${index % 9}`] },
    status: {
      apiEnablements: [{ groupVersion: 'apps/v1', resources: [{ name: 'deployments', kind: 'Deployment' }] }],
      resourceSummary: {
        allocatable: { cpu: String(100 + (index % 50)), memory: '512Gi', pods: '1000' },
        allocated: { cpu: String(index % 70), memory: '100Gi', pods: '300' },
      },
    },
  });
} // prettier-ignore

const gold = { clusterAffinity: { labelSelector: { matchLabels: { tier: 'gold' } } } };
const divided = (preference: object): Placement => ({
  replicaScheduling: { replicaSchedulingType: 'Divided', ...preference },
});
const dynamic = divided({
  replicaDivisionPreference: 'Weighted',
  weightPreference: { dynamicWeight: 'AvailableReplicas' },
});
const evenly = divided({ replicaDivisionPreference: 'Weighted' });
const cases: readonly (readonly [string, Placement])[] = [
  ['duplicated, by label', { ...gold }],
  ['static weights, by label', { ...gold, ...evenly }],
  ['dynamic weights, all', dynamic],
  ['aggregated, all', divided({ replicaDivisionPreference: 'Aggregated' })],
  ['dynamic, 2 of 5 regions, 4 clusters', { ...dynamic, spreadConstraints: [{ spreadByField: 'region', minGroups: 2, maxGroups: 2 }, { spreadByField: 'cluster', minGroups: 2, maxGroups: 4 }] }],
]; // prettier-ignore

function binding(index: number, placement: Placement): ResourceBinding {
  const name = `web-${index}`;
  return {
    apiVersion: 'work.karmada.io/v1alpha2',
    kind: 'ResourceBinding',
    metadata: { name: `${name}-deployment`, namespace: 'bench', generation: 1 },
    spec: {
      resource: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'bench', name, uid: `0000-${index}` },
      replicas: 3 + (index % 40),
      replicaRequirements: { resourceRequest: { cpu: `${100 * (1 + (index % 8))}m`, memory: '256Mi' } },
      placement,
    },
  };
}

const MEASURED_MS = 2000;

function measure(size: number, placement: Placement): number {
  const frozen = deepFreeze(placement);
  const bindings = Array.from({ length: 500 }, (_, index) => deepFreeze(binding(index, frozen)));
  const fleet = fleetSnapshot(Array.from({ length: size }, (_, index) => cluster(index)));
  const decide = (one: ResourceBinding): void => {
    const result = schedule({ binding: one, fleet, gates: defaultFeatureGates, mode: 'Steady' });
    outcomeOf(one, result, 'Steady', 0);
  };
  for (const one of bindings) decide(one);
  const before = process.cpuUsage();
  const endMs = performance.now() + MEASURED_MS;
  let decisions = 0;
  while (performance.now() < endMs) {
    for (const one of bindings) decide(one);
    decisions += bindings.length;
  }
  const { user, system } = process.cpuUsage(before);
  return decisions / ((user + system) / 1e6);
}

function pure(): void {
  console.log('Decisions in a second of CPU time, one core:');
  for (const size of values.clusters.split(',').map(Number)) {
    for (const [name, placement] of cases) {
      const rate = measure(size, placement);
      console.log(
        `  ${String(size).padStart(5)} clusters  ${name.padEnd(38)} ${Math.round(rate).toLocaleString('en').padStart(9)}/s`,
      );
    }
  }
  console.log(`Memory: ${megabytes(process.memoryUsage().rss)}`);
}

// ---- the product

const NAMESPACE = 'bench';
const deployments = resource({ group: 'apps', version: 'v1', resource: 'deployments', namespaced: true });
const CREATED_AT_ONCE = 64;
// The hub may be busy with what was asked before, and that is what is measured.
const ANSWER_MS = 300_000;

function template(name: string): KubeObject {
  const labels = { app: name };
  const container = { name: 'web', image: 'registry.example/web:1', resources: { requests: { cpu: '1m' } } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: NAMESPACE },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  };
}

/** Where each binding goes, as the hub shows it. */
class Placements {
  private readonly targets = new Map<string, string>();
  private counts = new Map<string, number>();

  constructor(hub: Client, signal: AbortSignal) {
    void hub
      .watch(
        kinds.resourceBindings,
        { namespace: NAMESPACE, sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan', signal },
        ({ object }) => {
          const { metadata, spec } = object;
          const name = metadata.name ?? '';
          const now = (spec?.clusters ?? []).map((target) => target.name).join(',');
          const before = this.targets.get(name);
          if (before === now) return;
          this.targets.set(name, now);
          this.add(before, -1);
          this.add(now, 1);
        },
      )
      .catch((error: unknown) => console.error(error));
  }

  private add(target: string | undefined, by: number): void {
    if (target !== undefined) this.counts.set(target, (this.counts.get(target) ?? 0) + by);
  }

  async until(target: string, wanted: number): Promise<void> {
    while ((this.counts.get(target) ?? 0) < wanted) await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function fleet(): Promise<void> {
  const product = await startProduct({
    members: '3',
    port: Number(values.port),
    profile: values.profile,
    timeoutMs: ANSWER_MS,
    flags: values.whole ? [] : ['--controllers', 'cluster,clusterStatus,resourceDetector,scheduler'],
  });
  const stop = new AbortController();
  try {
    await run(product, stop.signal);
  } finally {
    stop.abort();
    await product.stop();
  }
}

async function timed(what: string, product: Product, work: () => Promise<void>): Promise<void> {
  const startMs = performance.now();
  const startCpu = product.processorMs() / 1000;
  await work();
  const seconds = (performance.now() - startMs) / 1000;
  const cpu = product.processorMs() / 1000 - startCpu;
  console.log(
    `${what}: ${seconds.toFixed(1)} s, ${Math.round(count / seconds)} bindings/s; ${cpu.toFixed(1)} s of CPU, ` +
      `${Math.round(count / cpu)} bindings per CPU second; memory ${product.residentMb()} MB`,
  );
}

async function run(product: Product, signal: AbortSignal): Promise<void> {
  const { hub } = product;
  const placements = new Placements(hub, signal);
  const metadata = { name: 'bench', namespace: NAMESPACE };
  const placement = (clusterName: string): Placement => ({
    ...evenly,
    clusterAffinity: { clusterNames: [clusterName] },
  });
  await hub.create(kinds.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  await hub.create(kinds.propagationPolicies, {
    apiVersion: 'policy.karmada.io/v1alpha1',
    kind: 'PropagationPolicy',
    metadata,
    spec: {
      resourceSelectors: [{ apiVersion: 'apps/v1', kind: 'Deployment' }],
      placement: placement('member1'),
    },
  });
  await timed(`${count} Deployments created, bound and placed`, product, async () => {
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let index = next++; index < count; index = next++)
        await hub.create(deployments, template(`web-${index}`));
    };
    await Promise.all(Array.from({ length: CREATED_AT_ONCE }, worker));
    await placements.until('member1', count);
  });
  await timed('One policy edit that moves them all', product, async () => {
    const body = { spec: { placement: placement('member2') } };
    await hub.patch(kinds.propagationPolicies, metadata, { type: 'merge', body });
    await placements.until('member2', count);
  });
}

if (positionals[0] !== 'fleet') pure();
if (positionals[0] !== 'pure') await fleet();
