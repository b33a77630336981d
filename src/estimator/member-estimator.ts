// Answers for one member, from what its API server shows: the same behind the service that stands beside a member and
// inside a hub that reaches the member itself.
// Reads: nodes, pods, with the gate ResourceQuotaEstimate resource quotas; for a question about a Deployment that, its
// ReplicaSets and pods. Writes: nothing.
import type { Deployment, KubeObject, Node, Pod, ReplicaSet, ResourceQuota } from '../api/index.ts';
import { untilAborted, type Cancel, type Clock } from '../base/index.ts';
import { keyOf, kinds, resource, type Client, type Resource } from '../client/index.ts';
import type { InformerSet } from '../runtime/index.ts';
import {
  createNodeLedger,
  currentReplicaSet,
  estimateReplicas,
  estimateSets,
  podsOf,
  unschedulableReplicas,
  type AccurateEstimator,
  type EstimateCall,
  type EstimateGates,
  type UnschedulableQuestion,
} from '../scheduling/index.ts';

const quotas = resource<ResourceQuota>({
  group: '',
  version: 'v1',
  resource: 'resourcequotas',
  namespaced: true,
});
const deployments = resource<Deployment>({
  group: 'apps',
  version: 'v1',
  resource: 'deployments',
  namespaced: true,
});
const replicaSets = resource<ReplicaSet>({
  group: 'apps',
  version: 'v1',
  resource: 'replicasets',
  namespaced: true,
});

export interface MemberEstimatorSettings {
  readonly client: Client;
  readonly informers: InformerSet;
  readonly gates: EstimateGates;
  readonly clock: Clock;
}

export interface MemberEstimator extends AccurateEstimator {
  /** Resolves when everything that answers are made of is known. */
  readonly synced: Promise<void>;
  close(): void;
}

export function createMemberEstimator({
  client,
  informers,
  gates,
  clock,
}: MemberEstimatorSettings): MemberEstimator {
  const ledger = createNodeLedger();
  const nodeUse = informers.use(kinds.nodes as Resource<Node>);
  const podUse = informers.use(kinds.pods as Resource<Pod>);
  const quotaUse = gates.ResourceQuotaEstimate ? informers.use(quotas) : undefined;
  const setNode = (node: Node): void => ledger.setNode(node);
  const setPod = (pod: Pod): void => ledger.setPod(keyOf(pod), pod);
  const stops: Cancel[] = [
    nodeUse.informer.subscribe({
      added: setNode,
      updated: (_, node) => setNode(node),
      deleted: ({ metadata }) => ledger.removeNode(metadata.name ?? ''),
    }),
    podUse.informer.subscribe({
      added: setPod,
      updated: (_, pod) => setPod(pod),
      deleted: (pod) => ledger.removePod(keyOf(pod)),
    }),
  ];
  const uses = [nodeUse, podUse, ...(quotaUse === undefined ? [] : [quotaUse])];
  const synced = Promise.all(uses.map(({ informer }) => informer.synced)).then(() => undefined);
  // Whoever asks waits for it; nobody need be asking when the member goes.
  synced.catch(() => undefined);
  const capacity = () => ({
    nodes: ledger.snapshot(),
    quotas: quotaUse?.informer.store.list() ?? [],
  });
  return {
    synced,
    async maxReplicas(question, call) {
      await untilAborted(synced, call.signal);
      return estimateReplicas(capacity(), question, gates);
    },
    async maxComponentSets(question, call) {
      await untilAborted(synced, call.signal);
      return estimateSets(capacity(), question, gates);
    },
    unschedulableReplicas: (question, call) => countUnschedulable(client, question, call, clock.now()),
    close() {
      for (const stop of stops) stop();
      for (const use of uses) use.release();
    },
  };
}

async function countUnschedulable(
  client: Client,
  { resource: asked, thresholdMs }: UnschedulableQuestion,
  { signal }: EstimateCall,
  nowMs: number,
): Promise<number> {
  const { apiVersion, kind, namespace = '', name } = asked;
  if (apiVersion !== 'apps/v1' || kind !== 'Deployment')
    throw new Error(`kind(${kind}) of workload(${namespace}/${name}) is not supported`);
  const deployment = await client.get(deployments, { namespace, name }, { signal });
  const all = async <T extends KubeObject>(of: Resource<T>): Promise<readonly T[]> =>
    (await client.listAll(of, { namespace, signal })).items;
  const [sets, pods] = await Promise.all([all(replicaSets), all(kinds.pods as Resource<Pod>)]);
  const current = currentReplicaSet(deployment, sets);
  return unschedulableReplicas(podsOf(deployment, current, pods), thresholdMs, nowMs);
}
