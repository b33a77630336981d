// workload-state controller: keeps on the hub what StatePreservationRules find beside workloads in their members, so that
// it is known when the member is not.
// Reads: StatePreservationRules, ResourceBindings, templates, related objects in members. Writes: WorkloadStates.
// INVARIANT: what is known of a cluster that was left stays as it was then, until no eviction task names the cluster.
// LIMIT: push members; the related kinds are followed in all namespaces of the members that run such workloads.
import type {
  ClusterState,
  KubeObject,
  ResourceBinding,
  StatePreservationRule,
  WorkloadState,
} from '../api/index.ts';
import { formatTime } from '../base/index.ts';
import { isAlreadyExists, isNotFound, keyOf, kinds, resource } from '../client/index.ts';
import { findState, ruleMeans } from '../failover/index.ts';
import { deepEqual, isBeingDeleted, ownerReference } from '../machinery/index.ts';
import {
  WorkQueue,
  done,
  informerSource,
  runController,
  type Informer,
  type Outcome,
} from '../runtime/index.ts';
import { isInCharge } from './charge.ts';
import { loadTemplate } from './binding-template.ts';
import type { Controller, ControllerContext } from './context.ts';
import type { MemberConnection } from './member-connections.ts';
import { isReady } from './readiness.ts';

export const workloadStates = resource<WorkloadState>({
  group: 'navarch.io',
  version: 'v1alpha1',
  resource: 'workloadstates',
  namespaced: true,
});
const rules = resource<StatePreservationRule>({
  group: 'navarch.io',
  version: 'v1alpha1',
  resource: 'statepreservationrules',
  namespaced: true,
});

/** COMPAT: switched on and off together with the binding controllers, which tell replacements of the state. */
export const workloadStateController: Controller = {
  name: 'binding',
  async run(context) {
    const { informers, clock, logger, metrics, signal, settings } = context;
    if (!settings.gates.StatefulFailoverInjection) return;
    const bindings = informers.informer(kinds.resourceBindings);
    const known = informers.informer(rules);
    const states = informers.informer(workloadStates);
    await Promise.all([known.synced, states.synced]);
    const queue = new WorkQueue({ name: 'workload-state', clock, metrics });
    const collector = new Collector(context, bindings, known, states, queue);
    const touched = (namespace: string | undefined): string[] =>
      bindings.store.list(namespace ?? '').map(keyOf);
    await runController({
      name: 'workload-state',
      queue,
      sources: [
        informerSource(bindings, {
          changed: (before, after) =>
            before.metadata.generation !== after.metadata.generation ||
            before.status?.aggregatedStatus !== after.status?.aggregatedStatus,
        }),
        informerSource(known, { map: ({ metadata }) => touched(metadata.namespace) }),
      ],
      concurrency: settings.concurrentBindingSyncs,
      clock,
      logger,
      metrics,
      signal,
      reconcile: (key, { signal: reconcileSignal }) => collector.reconcile(key, reconcileSignal),
    });
  },
};

class Collector {
  private readonly context: ControllerContext;
  private readonly bindings: Informer<ResourceBinding>;
  private readonly rules: Informer<StatePreservationRule>;
  private readonly states: Informer<WorkloadState>;
  private readonly queue: WorkQueue;
  /** Informers of related kinds that wake us. LIMIT: the kinds that rules name, for each member. */
  private readonly followed = new WeakSet<Informer>();

  constructor(
    context: ControllerContext,
    bindings: Informer<ResourceBinding>,
    known: Informer<StatePreservationRule>,
    states: Informer<WorkloadState>,
    queue: WorkQueue,
  ) {
    this.context = context;
    this.bindings = bindings;
    this.rules = known;
    this.states = states;
    this.queue = queue;
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Outcome> {
    const binding = this.bindings.store.get(key);
    if (binding === undefined || isBeingDeleted(binding)) return done;
    const concerned = this.rulesFor(binding);
    const state = this.states.store.get(key);
    if (concerned.length === 0 && state === undefined) return done;
    const before = state?.status?.clusters ?? [];
    const leaving = new Set((binding.spec.gracefulEvictionTasks ?? []).map(({ fromCluster }) => fromCluster));
    const targets = (binding.spec.clusters ?? []).map(({ name }) => name);
    const kept = before.filter(({ cluster }) => leaving.has(cluster) && !targets.includes(cluster));
    const found = await Promise.all(
      targets.map((name) =>
        this.lookAt(
          name,
          binding,
          concerned,
          before.find(({ cluster }) => cluster === name),
          signal,
        ),
      ),
    );
    const clusters = [...kept, ...found.filter((one) => one !== undefined)];
    if (!deepEqual(before, clusters)) await this.write(binding, state, clusters, signal);
    return done;
  }

  private rulesFor({ spec }: ResourceBinding): readonly StatePreservationRule[] {
    const { namespace } = spec.resource;
    if (namespace === undefined) return [];
    return this.rules.store.list(namespace).filter((rule) => ruleMeans(rule, spec.resource));
  }

  /** What is known of one cluster; as before when it cannot be asked. */
  private async lookAt(
    name: string,
    binding: ResourceBinding,
    concerned: readonly StatePreservationRule[],
    before: ClusterState | undefined,
    signal: AbortSignal,
  ): Promise<ClusterState | undefined> {
    const { informers, members, clock, charge } = this.context;
    const cluster = informers.informer(kinds.clusters).store.get(name);
    if (cluster === undefined || !isReady(cluster) || !isInCharge(charge, cluster)) return before;
    if (concerned.length === 0) return undefined;
    const template = await loadTemplate(this.context, binding, 'cached', signal);
    if (template === undefined) return before;
    const connection = members.connect(cluster);
    const related = await this.follow(connection, concerned);
    const status = binding.status?.aggregatedStatus?.find(({ clusterName }) => clusterName === name)?.status;
    const workload = { ...template, ...(status === undefined ? {} : { status }) };
    const { namespace = '' } = binding.metadata;
    const state = findState(concerned, workload, (apiVersion, kind) =>
      related.get(`${apiVersion} ${kind}`)?.store.list(namespace),
    );
    const { observedAt: _time, cluster: _name, ...old } = before ?? { observedAt: '', cluster: '' };
    if (before !== undefined && deepEqual(old, state)) return before;
    return { cluster: name, observedAt: formatTime(clock.now()), ...state };
  }

  /** The related kinds, by API version and kind; those that the member serves and that have been read. */
  private async follow(
    connection: MemberConnection,
    concerned: readonly StatePreservationRule[],
  ): Promise<ReadonlyMap<string, Informer>> {
    const informers = new Map<string, Informer>();
    for (const { from } of concerned.flatMap(({ spec }) => spec.state)) {
      const { apiVersion, kind } = from;
      const found = await connection.mapper.resourceForObject({ apiVersion, kind });
      if (found === undefined) continue;
      const informer = connection.informers.informer(found);
      if (!this.followed.has(informer)) this.listen(informer);
      if (informer.isSynced) informers.set(`${apiVersion} ${kind}`, informer);
    }
    return informers;
  }

  /** Anything about a related object may concern every workload of its namespace that has rules. */
  private listen(informer: Informer): void {
    this.followed.add(informer);
    const wake = ({ metadata }: KubeObject): void => {
      for (const binding of this.bindings.store.list(metadata.namespace ?? ''))
        if (this.rulesFor(binding).length > 0) this.queue.add(keyOf(binding));
    };
    informer.subscribe({ added: wake, updated: (_before, after) => wake(after), deleted: wake });
    void informer.synced.then(
      () => {
        for (const { metadata } of this.rules.store.values()) wake({ metadata } as KubeObject);
      },
      () => undefined,
    );
  }

  private async write(
    binding: ResourceBinding,
    state: WorkloadState | undefined,
    clusters: readonly ClusterState[],
    signal: AbortSignal,
  ): Promise<void> {
    const { hubClient } = this.context;
    const { namespace, name = '' } = binding.metadata;
    if (state === undefined) {
      try {
        await hubClient.create(
          workloadStates,
          {
            apiVersion: 'navarch.io/v1alpha1',
            kind: 'WorkloadState',
            metadata: {
              name,
              ...(namespace === undefined ? {} : { namespace }),
              ownerReferences: [ownerReference(binding)],
            },
          },
          { signal },
        );
      } catch (error) {
        if (!isAlreadyExists(error)) throw error;
      }
    }
    try {
      const body = { status: { clusters } };
      await hubClient.patch(
        workloadStates,
        { namespace, name },
        { type: 'merge', body },
        { subresource: 'status', signal },
      );
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}
