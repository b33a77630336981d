// cluster-controller: gives every Cluster its execution namespace, its finalizer and the taints that follow from its
// Ready condition; on deletion waits until nothing of it is left.
// Reads: Cluster, Namespace, bindings. Writes: Cluster (finalizer, taints), the execution Namespace.
// INVARIANT: the finalizer goes only when the execution namespace is gone and no binding names the cluster.
import {
  CLUSTER_FINALIZER,
  SYSTEM_LABEL,
  clusterOfExecutionNamespace,
  executionNamespace,
  type Cluster,
  type ClusterResourceBinding,
  type Namespace,
  type ResourceBinding,
  type Taint,
} from '../api/index.ts';
import { formatTime } from '../base/index.ts';
import { isAlreadyExists, kinds, type Resource } from '../client/index.ts';
import { lossObstacle, taintsForReadiness, taintsOfLoss, type GivingUp } from '../failover/index.ts';
import { isBeingDeleted, withFinalizer } from '../machinery/index.ts';
import { done, informerSource, requeueAfter, runController } from '../runtime/index.ts';
import { removeCluster } from './cluster-removal.ts';
import type { Controller, ControllerContext } from './context.ts';
import { brakeLimits, brakeOf } from './eviction-brake.ts';

type AnyBinding = ResourceBinding | ClusterResourceBinding;

/** Bindings by the clusters they are scheduled to. */
export const BINDINGS_BY_CLUSTER = 'cluster';
export const targetNames = ({ spec }: AnyBinding): string[] => (spec.clusters ?? []).map(({ name }) => name);

export interface ClusterDecision {
  /** As it ought to be while it lives; the same object when nothing is to change. */
  readonly cluster: Cluster;
  readonly recheckAfterMs: number | undefined;
  /** Why it is not given up although it is time. */
  readonly held: string | undefined;
}

/** @param giving how a lost cluster is given up; undefined: not by us. Pure. */
export function decideCluster(cluster: Cluster, now: string, giving: GivingUp | undefined): ClusterDecision {
  const ready = cluster.status?.conditions?.find(({ type }) => type === 'Ready');
  const before = cluster.spec.taints ?? [];
  const kept = taintsForReadiness(before, ready?.status, now);
  const { taints, recheckAfterMs, held } =
    giving === undefined
      ? { taints: kept, recheckAfterMs: undefined, held: undefined }
      : taintsOfLoss(kept, ready, giving);
  const finalized = withFinalizer(cluster, CLUSTER_FINALIZER);
  if (taints === before) return { cluster: finalized, recheckAfterMs, held };
  const next = { ...finalized, spec: { ...finalized.spec, taints } } as Cluster;
  return { cluster: next, recheckAfterMs, held };
}

/** What the cluster controller gives lost clusters up by; undefined: it does not. */
function givingUp(context: ControllerContext, cluster: Cluster): GivingUp | undefined {
  const { settings, clock } = context;
  if (settings.failoverMode !== 'automatic' || !settings.gates.Failover) return undefined;
  const nowMs = clock.now();
  const obstacle = lossObstacle(cluster, brakeOf(context).fleet(), brakeLimits(settings));
  return { timeoutMs: settings.failoverEvictionTimeoutMs, obstacle, nowMs, now: formatTime(nowMs) };
}

export const clusterController: Controller = {
  name: 'cluster',
  async run(hub) {
    const context = { ...hub, recorder: hub.recorder.withComponent('cluster-controller') };
    const { informers, clock, logger, metrics, recorder, settings, signal } = context;
    const clusters = informers.informer(kinds.clusters);
    const namespaces = informers.informer(kinds.namespaces as Resource<Namespace>);
    const bindings = informers.informer(kinds.resourceBindings, {
      indexes: { [BINDINGS_BY_CLUSTER]: targetNames },
    });
    const clusterBindings = informers.informer(kinds.clusterResourceBindings, {
      indexes: { [BINDINGS_BY_CLUSTER]: targetNames },
    });
    const bindingsIn = (name: string): readonly (readonly AnyBinding[])[] => [
      bindings.store.byIndex(BINDINGS_BY_CLUSTER, name),
      clusterBindings.store.byIndex(BINDINGS_BY_CLUSTER, name),
    ];
    await informers.informer(kinds.works).synced;
    await runController({
      name: 'cluster-controller',
      sources: [
        informerSource(clusters),
        informerSource(namespaces, {
          map: ({ metadata }) => clusterOfExecutionNamespace(metadata.name ?? ''),
        }),
      ],
      concurrency: 8,
      clock,
      logger,
      metrics,
      signal,
      reconcile: async (name, { signal: reconcileSignal }) => {
        const cluster = clusters.store.get(name);
        if (cluster === undefined) return done;
        if (isBeingDeleted(cluster))
          return removeCluster(
            context,
            cluster,
            namespaces.store.get(executionNamespace(name)),
            () => bindingsIn(name),
            reconcileSignal,
          );
        if (namespaces.store.get(executionNamespace(name)) === undefined)
          await createExecutionNamespace(context, cluster);
        const decided = decideCluster(cluster, formatTime(clock.now()), givingUp(context, cluster));
        if (decided.cluster !== cluster) {
          await context.hubClient.update(kinds.clusters, decided.cluster, { signal: reconcileSignal });
          tellTaints(context, cluster, decided.cluster);
        }
        if (decided.held !== undefined) {
          recorder.event(
            cluster,
            'Warning',
            'NotGivenUp',
            `The cluster is lost and is not given up: ${decided.held}.`,
          );
          return requeueAfter(settings.taintEvictionRetryPeriodMs, decided.held);
        }
        if (decided.recheckAfterMs === undefined) return done;
        return requeueAfter(decided.recheckAfterMs, 'a lost cluster is given up then');
      },
    });
  },
};

async function createExecutionNamespace(
  { hubClient, recorder }: ControllerContext,
  cluster: Cluster,
): Promise<void> {
  const name = executionNamespace(cluster.metadata.name ?? '');
  const namespace: Namespace = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { [SYSTEM_LABEL]: 'true' } },
  };
  try {
    await hubClient.create(kinds.namespaces as Resource<Namespace>, namespace);
  } catch (error) {
    if (isAlreadyExists(error)) return;
    recorder.event(
      cluster,
      'Warning',
      'CreateExecutionSpaceFailed',
      `Failed to create execution space(${name}): ${String(error)}`,
    );
    throw error;
  }
  recorder.event(
    cluster,
    'Normal',
    'CreateExecutionSpaceSucceed',
    `Created execution space(${name}) for cluster(${cluster.metadata.name}).`,
  );
}

function tellTaints({ recorder }: ControllerContext, before: Cluster, after: Cluster): void {
  if (before.spec.taints === after.spec.taints) return;
  const text = taintsText(after.spec.taints ?? []);
  recorder.event(after, 'Normal', 'TaintClusterSucceed', `Taint cluster succeed: ${text}.`);
}

/** As events spell taints. */
export function taintsText(taints: readonly Taint[]): string {
  return taints
    .map(
      ({ key, value, effect }) =>
        `{Key:${key},${value === undefined || value === '' ? '' : `Value:${value},`}Effect:${effect}}`,
    )
    .join(',');
}
