// The sample that `navarch up --sample` applies, and its way to the members told step by step as it happens.
import type { Deployment, KubeObject, ResourceBinding, Work } from '../api/index.ts';
import { assert, type Clock } from '../base/index.ts';
import { createRestMapper, kinds, resource, type Client, type Resource } from '../client/index.ts';

const NAMESPACE = 'demo';
const NAME = 'hello';

/** Plain Kubernetes and Karmada objects, as a user would write them. */
export const sampleObjects: readonly KubeObject[] = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
  {
    apiVersion: 'policy.karmada.io/v1alpha1',
    kind: 'PropagationPolicy',
    metadata: { name: NAME, namespace: NAMESPACE },
    spec: {
      resourceSelectors: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: NAME }],
      placement: {
        replicaScheduling: { replicaSchedulingType: 'Divided', replicaDivisionPreference: 'Weighted' },
      },
    },
  },
  {
    apiVersion: 'policy.karmada.io/v1alpha1',
    kind: 'OverridePolicy',
    metadata: { name: `${NAME}-registry`, namespace: NAMESPACE },
    spec: {
      resourceSelectors: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: NAME }],
      overrideRules: [
        {
          targetCluster: { clusterNames: ['member2'] },
          overriders: {
            imageOverrider: [{ component: 'Registry', operator: 'replace', value: 'eu.registry.example' }],
          },
        },
      ],
    },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: NAME, namespace: NAMESPACE, labels: { app: NAME } },
    spec: {
      replicas: 6,
      selector: { matchLabels: { app: NAME } },
      template: {
        metadata: { labels: { app: NAME } },
        spec: {
          containers: [
            {
              name: 'web',
              image: 'registry.example/hello:1.0',
              resources: { requests: { cpu: '100m', memory: '64Mi' } },
            },
          ],
        },
      },
    },
  },
];

export interface FollowContext {
  readonly hubClient: Client;
  readonly clock: Clock;
  readonly print: (line: string) => void;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

/** Applies the sample by server-side apply; applying it again changes nothing. */
export async function applySample(hubClient: Client, signal: AbortSignal): Promise<void> {
  const mapper = createRestMapper(hubClient.transport);
  for (const object of sampleObjects) {
    const found = await mapper.resourceForObject(object);
    assert(found !== undefined, `the hub does not serve ${object.apiVersion} ${object.kind}`);
    await hubClient.apply(found, object, { fieldManager: 'navarch-sample', force: true, signal });
  }
}

/** Tells each step of the sample's way. Resolves true once all its replicas are ready, false at the timeout. */
export async function followSample(context: FollowContext): Promise<boolean> {
  const { hubClient, clock, print } = context;
  const startedMs = clock.now();
  const told = new Set<string>();
  const tell = (key: string, text: string): void => {
    if (told.has(key)) return;
    told.add(key);
    print(`  ${((clock.now() - startedMs) / 1000).toFixed(2).padStart(5)} s  ${text}`);
  };
  const done = new AbortController();
  const cancelTimeout = clock.after(context.timeoutMs, () => done.abort());
  const signal = AbortSignal.any([context.signal, done.signal]);
  let ready = false;
  const watch = <T extends KubeObject>(
    target: Resource<T>,
    namespace: string,
    see: (object: T) => void,
  ): Promise<void> =>
    hubClient.watch(
      target,
      {
        namespace,
        sendInitialEvents: true,
        resourceVersionMatch: 'NotOlderThan',
        allowWatchBookmarks: true,
        signal,
      },
      (event) => {
        if (event.type === 'ADDED' || event.type === 'MODIFIED') see(event.object);
      },
    );
  await Promise.allSettled([
    watch(kinds.resourceBindings, NAMESPACE, (binding) => tellBinding(binding, tell)),
    watch(kinds.works, '', (work) => tellWork(work, tell)),
    watch(deployments, NAMESPACE, (deployment) => {
      if (deployment.metadata.name !== NAME) return;
      tell(
        'template',
        `Deployment ${NAMESPACE}/${NAME} is on the hub, ${deployment.spec?.replicas} replicas wanted`,
      );
      const { readyReplicas = 0, observedGeneration = 0 } = deployment.status ?? {};
      const wanted = deployment.spec?.replicas ?? 0;
      if (readyReplicas > 0)
        tell(`ready ${readyReplicas}`, `${readyReplicas} of ${wanted} replicas are ready`);
      ready = readyReplicas >= wanted && observedGeneration === deployment.metadata.generation;
      if (ready) done.abort();
    }),
  ]);
  cancelTimeout();
  return ready;
}

const deployments = resource<Deployment>({
  group: 'apps',
  version: 'v1',
  resource: 'deployments',
  namespaced: true,
});

function tellBinding(binding: ResourceBinding, tell: (key: string, text: string) => void): void {
  if (binding.metadata.name !== `${NAME}-deployment`) return;
  const policy = binding.metadata.annotations?.['propagationpolicy.karmada.io/name'];
  tell('binding', `policy ${policy} claimed it: ResourceBinding ${NAMESPACE}/${binding.metadata.name}`);
  const clusters = binding.spec.clusters ?? [];
  if (clusters.length === 0) return;
  const text = clusters.map(({ name, replicas }) => `${name}: ${replicas ?? 0}`).join(', ');
  tell(`scheduled ${text}`, `scheduled to ${text}`);
}

function tellWork(work: Work, tell: (key: string, text: string) => void): void {
  const cluster = work.metadata.namespace?.replace(/^karmada-es-/, '') ?? '';
  if (work.metadata.annotations?.['resourcebinding.karmada.io/name'] !== `${NAME}-deployment`) return;
  if (work.metadata.annotations['resourcebinding.karmada.io/namespace'] !== NAMESPACE) return;
  const applied = work.status?.conditions?.find(({ type }) => type === 'Applied');
  if (applied?.status === 'True') tell(`applied ${cluster}`, `${cluster} has it`);
  if (applied?.status === 'False')
    tell(`refused ${cluster} ${applied.message}`, `${cluster} refused it: ${applied.message}`);
  if (work.status?.manifestStatuses?.[0]?.health === 'Healthy')
    tell(`healthy ${cluster}`, `${cluster} reports it healthy`);
}
