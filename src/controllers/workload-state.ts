// workload-state controller: keeps on the hub what StatePreservationRules find beside workloads in their members, so that
// it is known when the member is not.
// Reads: StatePreservationRules, ResourceBindings, templates, Works, related objects in push members. Writes: WorkloadStates, and
// on Works of pull members what their agents are asked (agent-state.ts).
// INVARIANT: what is known of a cluster that was left stays as it was then, until no eviction task names the cluster.
import {
  STATE_ASKED_ANNOTATION,
  STATE_FOUND_ANNOTATION,
  executionNamespace,
  type ClusterState,
  type PreservedPiece,
  type ResourceBinding,
  type StatePreservationRule,
  type Work,
  type WorkloadState,
} from '../api/index.ts';
import { formatTime } from '../base/index.ts';
import { isAlreadyExists, isNotFound, keyOf, kinds, resource } from '../client/index.ts';
import { askFor, findPieces, parseAnswer, parseQuestion, ruleMeans, stateOf } from '../failover/index.ts';
import { deepEqual, isBeingDeleted, ownerReference } from '../machinery/index.ts';
import {
  WorkQueue,
  done,
  informerSource,
  runController,
  type Informer,
  type Outcome,
} from '../runtime/index.ts';
import { WORKS_BY_BINDING, bindingId, bindingIds } from './binding-status.ts';
import { loadTemplate } from './binding-template.ts';
import { isInCharge } from './charge.ts';
import type { Controller, ControllerContext } from './context.ts';
import { bindingKeyOf } from './fencing.ts';
import { isReady } from './readiness.ts';
import { RelatedKinds } from './related-kinds.ts';

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
    const works = informers.informer(kinds.works, { indexes: { [WORKS_BY_BINDING]: bindingIds } });
    await Promise.all([known.synced, states.synced, works.synced]);
    const queue = new WorkQueue({ name: 'workload-state', clock, metrics });
    const collector = new Collector(context, { bindings, rules: known, states, works }, queue);
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
        informerSource(works, {
          changed: (before, after) => saidOn(before) !== saidOn(after),
          map: (work) => bindingKeyOf(work, kinds.resourceBindings),
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

interface Caches {
  readonly bindings: Informer<ResourceBinding>;
  readonly rules: Informer<StatePreservationRule>;
  readonly states: Informer<WorkloadState>;
  /** Indexed by binding. */
  readonly works: Informer<Work>;
}

class Collector {
  private readonly context: ControllerContext;
  private readonly caches: Caches;
  private readonly related: RelatedKinds;

  constructor(context: ControllerContext, caches: Caches, queue: WorkQueue) {
    this.context = context;
    this.caches = caches;
    // Anything about a related object may concern every workload of its namespace that has rules.
    this.related = new RelatedKinds((namespace) => {
      const { bindings } = caches;
      for (const binding of namespace === undefined
        ? bindings.store.values()
        : bindings.store.list(namespace))
        if (this.rulesFor(binding).length > 0) queue.add(keyOf(binding));
    });
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Outcome> {
    const binding = this.caches.bindings.store.get(key);
    if (binding === undefined || isBeingDeleted(binding)) return done;
    const concerned = this.rulesFor(binding);
    const state = this.caches.states.store.get(key);
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
    return this.caches.rules.store
      .list(namespace)
      .filter((rule) => ruleMeans(rule, spec.resource))
      .sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
  }

  /** What is known of one cluster; as before when it cannot be asked. */
  private async lookAt(
    name: string,
    binding: ResourceBinding,
    concerned: readonly StatePreservationRule[],
    before: ClusterState | undefined,
    signal: AbortSignal,
  ): Promise<ClusterState | undefined> {
    const { informers, members, charge } = this.context;
    const cluster = informers.informer(kinds.clusters).store.get(name);
    if (cluster === undefined) return before;
    if (!isInCharge(charge, cluster)) return this.askAgent(name, binding, concerned, before, signal);
    if (!isReady(cluster)) return before;
    if (concerned.length === 0) return undefined;
    const template = await loadTemplate(this.context, binding, 'cached', signal);
    if (template === undefined) return before;
    const pieces = piecesOf(concerned);
    const read = await this.related.follow(members.connect(cluster), pieces);
    // Of a member that is lost while the hub starts, what was known before still holds.
    if (!read.complete && before !== undefined) return before;
    const status = binding.status?.aggregatedStatus?.find(({ clusterName }) => clusterName === name)?.status;
    const workload = { ...template, ...(status === undefined ? {} : { status }) };
    const { namespace = '' } = binding.metadata;
    const found = findPieces(pieces, workload, (apiVersion, kind) =>
      read.objects(apiVersion, kind, namespace),
    );
    return this.observed(name, before, stateOf(pieces, found));
  }

  /** What the agent of a pull member says on the Work, which is there whether or not the member is. */
  private async askAgent(
    name: string,
    binding: ResourceBinding,
    concerned: readonly StatePreservationRule[],
    before: ClusterState | undefined,
    signal: AbortSignal,
  ): Promise<ClusterState | undefined> {
    const work = this.caches.works.store
      .byIndex(WORKS_BY_BINDING, bindingId(binding))
      .find(({ metadata }) => metadata.namespace === executionNamespace(name));
    if (work === undefined || isBeingDeleted(work)) return before;
    const asked = concerned.length === 0 ? undefined : askFor(concerned);
    if (work.metadata.annotations?.[STATE_ASKED_ANNOTATION] !== asked) await this.ask(work, asked, signal);
    if (concerned.length === 0) return undefined;
    const pieces = piecesOf(concerned);
    const question = parseQuestion(asked);
    const found = question === undefined ? undefined : parseAnswer(saidOn(work), question);
    if (found !== undefined) return this.observed(name, before, stateOf(pieces, found));
    if (before !== undefined) return before;
    const why =
      question === undefined
        ? `the rules are too long to ask the agent of ${name}`
        : `the agent of ${name} has not said what it found`;
    const unknown = pieces.map(({ from }) => `${from.kind}: ${why}`);
    return this.observed(name, before, stateOf(pieces, unknown));
  }

  private async ask(work: Work, asked: string | undefined, signal: AbortSignal): Promise<void> {
    const { namespace, name = '' } = work.metadata;
    const annotations =
      asked === undefined
        ? { [STATE_ASKED_ANNOTATION]: null, [STATE_FOUND_ANNOTATION]: null }
        : { [STATE_ASKED_ANNOTATION]: asked };
    try {
      await this.context.hubClient.patch(
        kinds.works,
        { namespace, name },
        { type: 'merge', body: { metadata: { annotations } } },
        { signal },
      );
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  private observed(
    cluster: string,
    before: ClusterState | undefined,
    state: Pick<ClusterState, 'values' | 'missing' | 'requiredMissing'>,
  ): ClusterState {
    const { observedAt: _time, cluster: _name, ...old } = before ?? { observedAt: '', cluster: '' };
    if (before !== undefined && deepEqual(old, state)) return before;
    return { cluster, observedAt: formatTime(this.context.clock.now()), ...state };
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

function piecesOf(rules: readonly StatePreservationRule[]): readonly PreservedPiece[] {
  return rules.flatMap(({ spec }) => spec.state);
}

function saidOn({ metadata }: Work): string | undefined {
  return metadata.annotations?.[STATE_FOUND_ANNOTATION];
}
