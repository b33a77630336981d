// binding-controllers: render the Works that a binding calls for, and take away those it no longer does.
// Reads: bindings, templates, clusters, override policies, Works. Writes: Works, the finalizer of bindings.
// INVARIANT: a cluster that is only being evicted from keeps its Work as it is.
import {
  APPLIED_CLUSTER_OVERRIDES_ANNOTATION,
  APPLIED_OVERRIDES_ANNOTATION,
  BINDING_FINALIZER,
  CLUSTER_BINDING_FINALIZER,
  DELETION_RULES_ANNOTATION,
  DISPATCH_STOPPED_ANNOTATION,
  LEFT_OBJECTS_ANNOTATION,
  REMOVAL_CAUSE_ANNOTATION,
  clusterOfExecutionNamespace,
  type Cluster,
  type KubeObject,
  type TargetCluster,
  type Work,
  type WorkloadState,
} from '../api/index.ts';
import { errorMessage } from '../base/index.ts';
import { keyOf, kinds, type Resource } from '../client/index.ts';
import { isOverTime } from '../failover/index.ts';
import { goAggregate, hasFinalizer, isBeingDeleted, withoutFinalizer } from '../machinery/index.ts';
import {
  causeOfBindingEnd,
  divideCompletions,
  existingClusters,
  fenceOf,
  isAtMostOnce,
  mergeWork,
  needsCause,
  preservedState,
  renderTargets,
  renderWork,
  supersededWorks,
  withShare,
  type Binding,
  type RemovalCause,
} from '../propagation/index.ts';
import {
  PRIORITY_RESYNC,
  done,
  informerSource,
  requeueAfter,
  retry,
  runController,
  type EventRecorder,
  type Informer,
  type Outcome,
} from '../runtime/index.ts';
import { WORKS_BY_BINDING, bindingId, bindingIds } from './binding-status.ts';
import { loadTemplate } from './binding-template.ts';
import { isInCharge } from './charge.ts';
import type { Controller, ControllerContext } from './context.ts';
import { Deletions } from './deletion-rules.ts';
import { Fences } from './fencing.ts';
import { reinterpreted } from './interpretation-changes.ts';
import { Overrides } from './overrides.ts';
import { LeftObjects } from './left-objects.ts';
import { workloadStates } from './workload-state.ts';

// A Work of a purged cluster must be gone before its successor is written; its deletion brings the binding back.
const PURGE_RECHECK_MS = 5_000;
const FENCED_RECHECK_MS = 500;
const SUPERSEDED_RECHECK_MS = 2_000;

export const bindingController: Controller = {
  name: 'binding',
  async run(context) {
    const overrides = new Overrides(context);
    const deletions = new Deletions(context);
    await Promise.all([
      runFor(
        context,
        'binding-controller',
        kinds.resourceBindings as Resource<Binding>,
        BINDING_FINALIZER,
        overrides,
        deletions,
      ),
      runFor(
        context,
        'cluster-resource-binding-controller',
        kinds.clusterResourceBindings as Resource<Binding>,
        CLUSTER_BINDING_FINALIZER,
        overrides,
        deletions,
      ),
    ]);
  },
};

async function runFor(
  context: ControllerContext,
  name: string,
  resource: Resource<Binding>,
  finalizer: string,
  overrides: Overrides,
  deletions: Deletions,
): Promise<void> {
  const { informers, clock, logger, metrics, signal, settings } = context;
  const bindings = informers.informer(resource);
  const works = informers.informer(kinds.works, { indexes: { [WORKS_BY_BINDING]: bindingIds } });
  const clusters = informers.informer(kinds.clusters);
  await Promise.all([works.synced, clusters.synced, overrides.synced, deletions.synced]);
  const recorder = context.recorder.withComponent(name);
  const renderer = new Renderer(context, recorder, works, clusters, overrides, deletions);
  await runController({
    name,
    sources: [
      informerSource(bindings, {
        changed: (before, after) =>
          before.metadata.generation !== after.metadata.generation ||
          before.metadata.annotations?.[DISPATCH_STOPPED_ANNOTATION] !==
            after.metadata.annotations?.[DISPATCH_STOPPED_ANNOTATION] ||
          before.metadata.deletionTimestamp !== after.metadata.deletionTimestamp ||
          before.metadata.annotations?.[LEFT_OBJECTS_ANNOTATION] !==
            after.metadata.annotations?.[LEFT_OBJECTS_ANNOTATION],
      }),
      overrides.source(bindings, PRIORITY_RESYNC),
      deletions.source(bindings, PRIORITY_RESYNC),
      reinterpreted(context.interpretationChanges, bindings),
      // The end of a Work may be what its binding waits for.
      informerSource(works, {
        filter: (work) => isBeingDeleted(work),
        changed: () => false,
        map: (work) => bindingsOf(bindings, work),
      }),
    ],
    concurrency: settings.concurrentBindingSyncs,
    clock,
    logger,
    metrics,
    signal,
    reconcile: async (key, { signal: reconcileSignal }) => {
      const binding = bindings.store.get(key);
      if (binding === undefined) return done;
      if (!isBeingDeleted(binding)) return renderer.render(binding, reconcileSignal);
      await renderer.removeAll(binding, reconcileSignal);
      if (hasFinalizer(binding, finalizer)) {
        await context.hubClient.update(resource, withoutFinalizer(binding, finalizer), {
          signal: reconcileSignal,
        });
      }
      return done;
    },
  });
}

function bindingsOf(bindings: Informer<Binding>, work: Work): string[] {
  const ids = new Set(bindingIds(work));
  const annotations = work.metadata.annotations ?? {};
  const names = [
    `${annotations['resourcebinding.karmada.io/namespace'] ?? ''}/${annotations['resourcebinding.karmada.io/name'] ?? ''}`,
    annotations['clusterresourcebinding.karmada.io/name'] ?? '',
  ];
  return names.filter((name) => {
    const binding = bindings.store.get(name);
    return binding !== undefined && ids.has(bindingId(binding));
  });
}

class Renderer {
  private readonly context: ControllerContext;
  private readonly recorder: EventRecorder;
  private readonly works: Informer<Work>;
  private readonly clusters: Informer<Cluster>;
  private readonly overrides: Overrides;
  private readonly deletions: Deletions;
  private readonly fences: Fences;
  private readonly left: LeftObjects;
  private readonly states: Informer<WorkloadState>;

  constructor(
    context: ControllerContext,
    recorder: EventRecorder,
    works: Informer<Work>,
    clusters: Informer<Cluster>,
    overrides: Overrides,
    deletions: Deletions,
  ) {
    this.context = context;
    this.recorder = recorder;
    this.works = works;
    this.clusters = clusters;
    this.overrides = overrides;
    this.deletions = deletions;
    this.fences = Fences.of(context);
    this.left = new LeftObjects(context, clusters);
    this.states = context.informers.informer(workloadStates);
  }

  async render(binding: Binding, signal: AbortSignal): Promise<Outcome> {
    const { recorder } = this;
    const targets = renderTargets(binding.spec);
    const fenced = await this.fences.template(binding, signal);
    // What must run at most once leaves before it is started elsewhere, however its policy purges.
    const existing =
      fenced === undefined || targets.length === 0
        ? existingClusters(binding.spec)
        : new Set(targets.map(({ name }) => name));
    try {
      await this.giveUpLeft(binding, existing, signal);
      await this.removeOrphans(binding, existing, signal);
    } catch (error) {
      recorder.event(binding, 'Warning', 'CleanupWorkFailed', errorMessage(error));
      throw error;
    }
    if (targets.length === 0) return done;
    const obstacle = fenced === undefined ? this.purging(binding) : this.fencedOff(binding, targets);
    if (obstacle !== undefined) return obstacle;
    const template = await loadTemplate(this.context, binding, 'asNamed', signal);
    // COMPAT: a template that is gone leaves its Works to the garbage collector, through its binding.
    if (template === undefined) return done;
    const written = this.context.dispatch.writingWorks();
    const { failures, wanted } = await this.writeWorks(binding, template, targets, signal);
    written(failures.length === 0);
    if (failures.length === 0) {
      const clusters = targets.map(({ name }) => name);
      await this.left.taken(binding, clusters, signal);
      const told = `Sync work of ${binding.kind}(${keyOf(binding)}) successful.`;
      recorder.event(binding, 'Normal', 'SyncWorkSucceed', told);
      recorder.event(template, 'Normal', 'SyncWorkSucceed', told);
      return this.removeSuperseded(binding, wanted, signal);
    }
    const text = goAggregate(failures.map(errorMessage));
    recorder.event(binding, 'Warning', 'SyncWorkFailed', text);
    recorder.event(template, 'Warning', 'SyncWorkFailed', text);
    return retry(failures[0]);
  }

  /** Does not wait until they are gone. */
  async removeAll(binding: Binding, signal: AbortSignal): Promise<void> {
    await this.giveUpLeft(binding, new Set(), signal);
    const works = this.worksOf(binding);
    const told = works.some(needsCause);
    const cause = told
      ? causeOfBindingEnd(
          await loadTemplate(this.context, binding, 'live', signal),
          binding.spec.resource.uid,
          binding.metadata.annotations?.[REMOVAL_CAUSE_ANNOTATION],
        )
      : 'Binding';
    await Promise.all(works.map((work) => this.deletions.remove(work, cause, signal)));
  }

  private giveUpLeft(binding: Binding, existing: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    const workIn = (cluster: string): Work | undefined =>
      this.worksOf(binding).find((work) => clusterOf(work) === cluster);
    return this.left.giveUp(binding, existing, workIn, signal);
  }

  private async removeOrphans(
    binding: Binding,
    existing: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<void> {
    const orphans = this.worksOf(binding).filter((work) => !existing.has(clusterOf(work)));
    await Promise.all(orphans.map((work) => this.deletions.remove(work, this.causeOfOrphan(work), signal)));
  }

  private causeOfOrphan(work: Work): RemovalCause {
    return this.deletions.causeOfOrphan(work, this.clusters.store.get(clusterOf(work)));
  }

  private purging(binding: Binding): Outcome | undefined {
    const { clock, settings } = this.context;
    const purged = new Set(
      (binding.spec.gracefulEvictionTasks ?? [])
        .filter(
          (task) =>
            task.purgeMode === 'Directly' &&
            !isOverTime(task, settings.gracefulEvictionTimeoutMs, clock.now()),
        )
        .map(({ fromCluster }) => fromCluster),
    );
    if (purged.size === 0 || !this.worksOf(binding).some((work) => purged.has(clusterOf(work))))
      return undefined;
    return requeueAfter(PURGE_RECHECK_MS, 'the copy in a purged cluster is not gone yet');
  }

  /** What keeps the one copy of a fenced workload from being started, or started anew, where it is to run. */
  private fencedOff(binding: Binding, targets: readonly TargetCluster[]): Outcome | undefined {
    const [target, ...more] = targets;
    if (target === undefined) return undefined;
    if (more.length > 0) {
      const names = targets.map(({ name }) => name).join(', ');
      this.recorder.event(
        binding,
        'Warning',
        'AtMostOnceRefused',
        `The workload must run at most once and is scheduled to ${names}; nothing is started. Let its policy choose one cluster.`,
      );
      return done;
    }
    const works = this.worksOf(binding);
    // What runs there already goes on; a fence is for starting.
    if (works.some((work) => clusterOf(work) === target.name && !isBeingDeleted(work))) return undefined;
    if (!this.fences.mustWait(binding, target.name, works, clusterOf)) return undefined;
    return requeueAfter(FENCED_RECHECK_MS, 'another copy may still run');
  }

  private worksOf(binding: Binding): readonly Work[] {
    const id = bindingId(binding);
    return id === '' ? [] : this.works.store.byIndex(WORKS_BY_BINDING, id);
  }

  private async writeWorks(
    binding: Binding,
    template: KubeObject,
    targets: readonly TargetCluster[],
    signal: AbortSignal,
  ): Promise<{ readonly failures: readonly unknown[]; readonly wanted: ReadonlySet<string> }> {
    const completions = divideCompletions(template, binding.spec, targets);
    const results = await Promise.allSettled(
      targets.map((target) => this.writeWork(binding, template, target, completions, signal)),
    );
    return {
      failures: results.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : [])),
      wanted: new Set(results.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))),
    };
  }

  private async writeWork(
    binding: Binding,
    template: KubeObject,
    target: TargetCluster,
    completions: ReadonlyMap<string, number> | undefined,
    signal: AbortSignal,
  ): Promise<string> {
    const { charge, interpreter, settings } = this.context;
    const cluster = this.clusters.store.get(target.name);
    if (cluster === undefined) throw new Error(`Cluster.cluster.karmada.io "${target.name}" not found`);
    const revised = await withShare(interpreter, template, binding.spec, target, completions);
    const overridden = this.overrides.apply(revised, template, cluster);
    const preserved = settings.gates.StatefulFailoverInjection
      ? preservedState(binding.spec, renderTargets(binding.spec), this.states.store.get(keyOf(binding)))
      : undefined;
    const desired = renderWork({
      binding,
      template,
      cluster: target.name,
      overridden,
      preserved,
      fence: isAtMostOnce(template) ? fenceOf(template) : undefined,
      agentLeaseMs: isInCharge(charge, cluster) ? undefined : settings.fencingLeaseDurationMs,
      deletion: this.deletions.of(binding, template),
    });
    const existing = this.works.store.get(keyOf(desired));
    if (
      existing !== undefined &&
      isBeingDeleted(existing) &&
      bindingIds(existing).includes(bindingId(binding))
    )
      await this.left.leave(binding, target.name, existing, signal);
    if (await this.deletions.wouldForget(existing, desired, signal)) return keyOf(desired);
    await writeWork(this.context, this.works, desired, signal);
    return keyOf(desired);
  }

  /** What an override has given another name leaves, once the object of that name is there. */
  private async removeSuperseded(
    binding: Binding,
    wanted: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const { remove, waits } = supersededWorks(this.worksOf(binding), wanted);
    await Promise.all(remove.map((work) => this.deletions.remove(work, 'Move', signal)));
    return waits
      ? requeueAfter(SUPERSEDED_RECHECK_MS, 'what takes the place of a Work is not there yet')
      : done;
  }
}

/** Creates the Work, or updates it when something differs. */
export async function writeWork(
  { hubClient }: ControllerContext,
  works: Informer<Work>,
  desired: Work,
  signal: AbortSignal,
): Promise<void> {
  const existing = works.store.get(keyOf(desired));
  if (existing === undefined) {
    await hubClient.create(kinds.works, desired, { signal });
    return;
  }
  const update = mergeWork(existing, desired, [
    APPLIED_OVERRIDES_ANNOTATION,
    APPLIED_CLUSTER_OVERRIDES_ANNOTATION,
    DELETION_RULES_ANNOTATION,
    REMOVAL_CAUSE_ANNOTATION,
  ]);
  if (update.result === 'terminating') throw new Error(`work ${keyOf(desired)} is being deleted`);
  if (update.result === 'updated') await hubClient.update(kinds.works, update.work, { signal });
}

function clusterOf(work: Work): string {
  return clusterOfExecutionNamespace(work.metadata.namespace ?? '') ?? '';
}
