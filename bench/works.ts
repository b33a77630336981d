// From template to members and back, at the size of a fleet: templates with overrides to many members, a change of all
// images, and a storm in which every member object changes its status once. Measured from outside, over HTTPS, against the
// built product with members that only store; and, without it, scripts that interpret resources.
//
//   npm run bench -- works [--templates 10000] [--members 10] [--lua 20000]
//
// The cost of one manifest must not grow with the fleet: compare --members 3 and --members 10.
import { parseArgs } from 'node:util';
import type { KubeObject } from '../src/api/index.ts';
import { kinds, resource, type Client } from '../src/client/index.ts';
import { Customizations } from '../src/interpreter/index.ts';
import { startProduct } from './product/product.ts';

const { values } = parseArgs({
  options: {
    templates: { type: 'string', default: '1000' },
    members: { type: 'string', default: '10' },
    lua: { type: 'string', default: '20000' },
    port: { type: 'string', default: '27100' },
  },
});
const NAMESPACE = 'bench';
const WRITERS = 32;
const count = Number(values.templates);
const memberCount = Number(values.members);
const deployments = resource({ group: 'apps', version: 'v1', resource: 'deployments', namespaced: true });

function template(name: string, version: number): KubeObject {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: NAMESPACE, labels },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'web', image: `docker.io/web:${version}` }] },
      },
    },
  };
}

// ---- scripts

function measureLua(): void {
  const calls = Number(values.lua);
  const customizations = new Customizations({ now: () => Date.now() });
  const script = `
    function GetReplicas(obj)
      local requires = { resourceRequest = {} }
      for _, c in ipairs(obj.spec.template.spec.containers) do
        if c.resources ~= nil then requires.resourceRequest = c.resources.requests end
      end
      return obj.spec.replicas, requires
    end`;
  customizations.load([
    {
      apiVersion: 'config.karmada.io/v1alpha1',
      kind: 'ResourceInterpreterCustomization',
      metadata: { name: 'bench' },
      spec: {
        target: { apiVersion: 'apps/v1', kind: 'Deployment' },
        customizations: { replicaResource: { luaScript: script } },
      },
    },
  ]);
  const object = Object.freeze(template('lua', 1));
  for (let warm = 0; warm < 500; warm++) void customizations.layer.replicas(object);
  const before = process.cpuUsage();
  for (let call = 0; call < calls; call++) void customizations.layer.replicas(object);
  const { user, system } = process.cpuUsage(before);
  const perSecond = Math.round((calls / (user + system)) * 1_000_000);
  console.log(`scripts: ${calls} calls of InterpretReplica: ${perSecond} calls/s of processor time`);
}

// ---- the product

async function inParallel(names: readonly string[], work: (name: string) => Promise<unknown>): Promise<void> {
  const pending = [...names];
  await Promise.all(
    Array.from({ length: WRITERS }, async () => {
      for (let name = pending.pop(); name !== undefined; name = pending.pop()) await work(name);
    }),
  );
}

/** Counts the objects of a cluster for which something holds. */
class Tally {
  private readonly fitting = new Set<string>();
  private holds: (object: KubeObject) => boolean = () => true;
  private readonly last = new Map<string, KubeObject>();
  private wake: () => void = () => undefined;

  constructor(client: Client, signal: AbortSignal) {
    const selection = {
      namespace: NAMESPACE,
      sendInitialEvents: true,
      resourceVersionMatch: 'NotOlderThan',
      signal,
    } as const;
    const see = ({ object }: { readonly object: KubeObject }): void => {
      const name = object.metadata.name ?? '';
      this.last.set(name, object);
      if (!this.holds(object)) return;
      this.fitting.add(name);
      this.wake();
    };
    const follow = async (): Promise<void> => {
      while (!signal.aborted) {
        await client.watch(deployments, selection, see).catch((error: unknown) => {
          if (!signal.aborted) console.error(`watching again: ${String(error)}`);
        });
      }
    };
    void follow();
  }

  async untilAll(holds: (object: KubeObject) => boolean): Promise<void> {
    this.holds = holds;
    this.fitting.clear();
    for (const [name, object] of this.last) if (holds(object)) this.fitting.add(name);
    while (this.fitting.size < count) await new Promise<void>((resolve) => (this.wake = resolve));
  }
}

const imageOf = (object: KubeObject): string =>
  (object['spec'] as { template: { spec: { containers: { image: string }[] } } }).template.spec.containers[0]
    ?.image ?? '';

measureLua();
const product = await startProduct({ members: values.members, port: Number(values.port) });
const processorMs = (): number => product.processorMs();
const rss = (): number => product.residentMb();

async function phase(name: string, manifests: number, run: () => Promise<unknown>): Promise<void> {
  const beganMs = performance.now();
  const beganProcessorMs = processorMs();
  await run();
  const seconds = (performance.now() - beganMs) / 1000;
  const processor = processorMs() - beganProcessorMs;
  console.log(
    `${name}: ${seconds.toFixed(1)} s, ${Math.round(count / seconds)} templates/s, ` +
      `${(processor / 1000).toFixed(1)} s of processor time, ${(processor / manifests).toFixed(2)} ms a manifest, ${rss()} MB resident`,
  );
}

const { hub } = product;
const members = [...product.members.values()];
const stop = new AbortController();
await hub.create(kinds.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
const selector = { resourceSelectors: [{ apiVersion: 'apps/v1', kind: 'Deployment' }] };
await hub.create(kinds.propagationPolicies, {
  apiVersion: 'policy.karmada.io/v1alpha1',
  kind: 'PropagationPolicy',
  metadata: { name: 'all', namespace: NAMESPACE },
  spec: { ...selector, placement: {} },
} as never);
await hub.create(kinds.overridePolicies, {
  apiVersion: 'policy.karmada.io/v1alpha1',
  kind: 'OverridePolicy',
  metadata: { name: 'registry', namespace: NAMESPACE },
  spec: {
    ...selector,
    overrideRules: [
      {
        overriders: {
          imageOverrider: [{ component: 'Registry', operator: 'replace', value: 'registry.example' }],
          labelsOverrider: [{ operator: 'add', value: { fleet: 'bench' } }],
        },
      },
    ],
  },
} as never);
for (const member of members)
  while ((await member.find(kinds.namespaces, { name: NAMESPACE })) === undefined)
    await new Promise((resolve) => setTimeout(resolve, 20));

const names = Array.from({ length: count }, (_, index) => `web-${index}`);
const inMembers = members.map((member) => new Tally(member, stop.signal));
const onHub = new Tally(hub, stop.signal);
const manifests = count * memberCount;
console.log(
  `${count} Deployments with an override to ${memberCount} members, ${rss()} MB resident at the start`,
);
await phase('propagate', manifests, async () => {
  await inParallel(names, (name) => hub.create(deployments, template(name, 1)));
  await Promise.all(
    inMembers.map((one) => one.untilAll((object) => imageOf(object) === 'registry.example/web:1')),
  );
});
await phase('new images', manifests, async () => {
  await inParallel(names, (name) =>
    hub.patch(
      deployments,
      { namespace: NAMESPACE, name },
      {
        type: 'json',
        body: [{ op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'docker.io/web:2' }],
      },
    ),
  );
  await Promise.all(
    inMembers.map((one) => one.untilAll((object) => imageOf(object) === 'registry.example/web:2')),
  );
});
await phase('status storm', manifests, async () => {
  const status = {
    replicas: 1,
    readyReplicas: 1,
    availableReplicas: 1,
    updatedReplicas: 1,
    observedGeneration: 2,
  };
  for (const member of members)
    await inParallel(names, (name) =>
      member.patch(
        deployments,
        { namespace: NAMESPACE, name },
        { type: 'merge', body: { status } },
        { subresource: 'status' },
      ),
    );
  await onHub.untilAll(
    (object) => (object['status'] as { readyReplicas?: number } | undefined)?.readyReplicas === memberCount,
  );
});
stop.abort();
await product.stop();
process.exit(0);
