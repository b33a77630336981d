// dependencies-distributor: what a template needs beside it follows it into its clusters.
// Reads: ResourceBindings, templates, the objects they need. Writes: attached ResourceBindings, and on independent
// ones the finalizer and the annotation that names what is needed.
// INVARIANT: an independent binding that goes, or stops asking, is detached everywhere before its finalizer is.
import {
  DEPENDED_BY_LABEL_PREFIX,
  DEPENDENCIES_FINALIZER,
  DEPENDENCIES_READY_CONDITION,
  type ClusterResourceBinding,
  type KubeObject,
  type ResourceBinding,
} from '../api/index.ts';
import { errorMessage, formatTime } from '../base/index.ts';
import { keyOf, kinds, parseKey, type Resource } from '../client/index.ts';
import type { Dependency } from '../interpreter/index.ts';
import { hasFinalizer, isBeingDeleted } from '../machinery/index.ts';
import {
  attachedKey,
  conflictCondition,
  conflictEventText,
  conflictsOf,
  decideAttach,
  dependedByLabel,
  dependenciesCondition,
  dependencyFault,
  detached,
  followsDependencies,
  gotText,
  isMeantBy,
  isStillNeeded,
  selectedServices,
  Needs,
  wantsIndirect,
  wantsServices,
  withCondition,
  withDependencies,
  withoutDependencies,
  type Binding,
  type Needed,
} from '../propagation/index.ts';
import {
  WorkQueue,
  done,
  informerSource,
  requeueAfter,
  retry,
  runController,
  type Informer,
  type Outcome,
} from '../runtime/index.ts';
import { loadTemplate, templateResource } from './binding-template.ts';
import type { Controller, ControllerContext } from './context.ts';
import { reinterpreted } from './interpretation-changes.ts';
import { BINDINGS_BY_DEPENDENCY, DependencyWatch, dependencyKeys } from './dependencies-watch.ts';

const NAME = 'dependencies-distributor';

/** Attached bindings by the labels that say who needs them. */
const BINDINGS_BY_DEPENDENT = 'dependent';
const dependentLabels = ({ metadata }: ResourceBinding): string[] =>
  Object.keys(metadata.labels ?? {}).filter((label) => label.startsWith(DEPENDED_BY_LABEL_PREFIX));

// LIMIT: more would mostly collide on bindings that many need.
const CONCURRENCY = 8;
// A kind that was never needed before has to be listed first.
const FIRST_LIST_MS = 50;

export const dependenciesDistributor: Controller = {
  name: 'dependenciesDistributor',
  async run(context) {
    const { informers, settings, clock, logger, metrics, signal } = context;
    if (!settings.gates.PropagateDeps) return;
    const bindings = informers.informer(kinds.resourceBindings, {
      indexes: { [BINDINGS_BY_DEPENDENCY]: dependencyKeys, [BINDINGS_BY_DEPENDENT]: dependentLabels },
    });
    const queue = new WorkQueue({
      name: NAME,
      clock,
      metrics,
      backoffBaseMs: settings.rateLimiterBaseDelayMs,
      backoffMaxMs: settings.rateLimiterMaxDelayMs,
    });
    const clusterBindings = informers.informer(kinds.clusterResourceBindings, {
      indexes: { [BINDINGS_BY_DEPENDENCY]: dependencyKeys },
    });
    const owners = [bindings, clusterBindings] as unknown as readonly Informer<Binding>[];
    const watch = new DependencyWatch(context, owners, (key) => queue.add(key));
    const told = { ...context, recorder: context.recorder.withComponent(NAME) };
    const distributor = new Distributor(told, bindings, clusterBindings, watch);
    const wakeOwners = ({ spec }: ResourceBinding, which: (owner: Binding) => boolean): void => {
      for (const { namespace = '', name } of spec.requiredBy ?? []) {
        const owner = distributor.find(namespace, name);
        if (owner === undefined || which(owner)) queue.add(namespace === '' ? name : `${namespace}/${name}`);
      }
    };
    const unsubscribe = bindings.subscribe({
      // Who waits for something to arrive hears that it has.
      updated: (before, after) => {
        if (before.status !== after.status) wakeOwners(after, awaitsDependencies);
        // A policy of its own may say otherwise than those who need it.
        if (!sameSay(before, after)) wakeOwners(after, () => true);
      },
      // Who deletes an attached binding by hand gets it back.
      deleted: (binding) => wakeOwners(binding, () => true),
    });
    const concerns = {
      filter: (binding: Binding): boolean =>
        binding.spec.propagateDeps === true || hasFinalizer(binding, DEPENDENCIES_FINALIZER),
      changed: (before: Binding, after: Binding): boolean =>
        before.metadata.generation !== after.metadata.generation ||
        before.metadata.deletionTimestamp !== after.metadata.deletionTimestamp,
    };
    try {
      await runController({
        name: NAME,
        queue,
        sources: owners.flatMap((informer) => [
          informerSource(informer, concerns),
          reinterpreted(context.interpretationChanges, informer),
        ]),
        concurrency: CONCURRENCY,
        clock,
        logger,
        metrics,
        signal,
        reconcile: (key, { signal: reconcileSignal }) => distributor.reconcile(key, reconcileSignal),
      });
    } finally {
      unsubscribe();
      watch.close();
    }
  },
};

function awaitsDependencies({ status }: Binding): boolean {
  return status?.conditions?.some(({ type }) => type === DEPENDENCIES_READY_CONDITION) === true;
}

/** What a policy, and those who need it, may disagree on. */
function sameSay({ spec: a }: ResourceBinding, { spec: b }: ResourceBinding): boolean {
  return (
    (a.placement === undefined) === (b.placement === undefined) &&
    a.conflictResolution === b.conflictResolution &&
    a.preserveResourcesOnDeletion === b.preserveResourcesOnDeletion
  );
}

class Distributor {
  private readonly context: ControllerContext;
  private readonly bindings: Informer<ResourceBinding>;
  private readonly clusterBindings: Informer<ClusterResourceBinding>;
  private readonly watch: DependencyWatch;

  constructor(
    context: ControllerContext,
    bindings: Informer<ResourceBinding>,
    clusterBindings: Informer<ClusterResourceBinding>,
    watch: DependencyWatch,
  ) {
    this.context = context;
    this.bindings = bindings;
    this.clusterBindings = clusterBindings;
    this.watch = watch;
  }

  /** The binding of a template; the one of a cluster-scoped one has no namespace. */
  readonly find = (namespace: string, name: string): Binding | undefined =>
    namespace === ''
      ? this.clusterBindings.store.get({ name })
      : this.bindings.store.get({ namespace, name });

  async reconcile(key: string, signal: AbortSignal): Promise<Outcome> {
    const { namespace = '', name } = parseKey(key);
    const binding = this.find(namespace, name);
    if (binding === undefined || !followsDependencies(binding)) return this.release(key, binding, signal);
    const placed = (binding.spec.clusters ?? []).length > 0;
    if (!placed && !hasFinalizer(binding, DEPENDENCIES_FINALIZER)) return done;
    const dependencies = await this.dependencies(key, binding, signal);
    if (dependencies === undefined) return done;
    if (dependencies === 'being listed')
      return requeueAfter(FIRST_LIST_MS, 'listing a kind for the first time');
    const wanted = withDependencies(binding, dependencies);
    const independent =
      wanted === binding
        ? binding
        : await this.context.hubClient.update(resourceOf(wanted), wanted, { signal });
    return this.distribute(independent, dependencies, signal);
  }

  /** The end of what a binding asked for. */
  private async release(key: string, binding: Binding | undefined, signal: AbortSignal): Promise<Outcome> {
    const { namespace = '', name } = parseKey(key);
    this.watch.concernServices(key, false);
    await this.detach({ namespace, name }, () => true, signal);
    await this.watch.follow(key, []);
    if (binding === undefined || !hasFinalizer(binding, DEPENDENCIES_FINALIZER)) return done;
    await this.context.hubClient.update(resourceOf(binding), withoutDependencies(binding), { signal });
    return done;
  }

  /** What the template needs; undefined when nobody can say. */
  private async dependencies(
    key: string,
    binding: Binding,
    signal: AbortSignal,
  ): Promise<readonly Dependency[] | 'being listed' | undefined> {
    const { interpreter, recorder } = this.context;
    const { apiVersion, kind } = binding.spec.resource;
    const template = await loadTemplate(this.context, binding, 'live', signal);
    if (template === undefined && (await templateResource(this.context, binding)) === undefined)
      throw new Error(`${apiVersion} ${kind} is not served`);
    // The binding goes after its template, and comes back here then.
    if (template === undefined || !interpreter.has(template, 'InterpretDependency')) return undefined;
    try {
      const named = await this.named(template);
      const direct = [...named, ...(await this.services(key, template))];
      const dependencies = await this.followed(key, template, direct);
      if (dependencies !== 'being listed')
        recorder.event(template, 'Normal', 'GetDependenciesSucceed', gotText(dependencies));
      return dependencies;
    } catch (error) {
      recorder.event(template, 'Warning', 'GetDependenciesFailed', errorMessage(error));
      throw error;
    }
  }

  /** What an object says that it needs. */
  private async named(object: KubeObject): Promise<readonly Dependency[]> {
    const dependencies = (await this.context.interpreter.dependencies(object)) ?? [];
    const fault = dependencies.map(dependencyFault).find((text) => text !== undefined);
    if (fault === undefined) return dependencies;
    throw new Error(fault);
  }

  /** Follows the kinds of what is needed and, when wanted, adds what that needs in turn, as far as it is there. */
  private async followed(
    key: string,
    template: KubeObject,
    direct: readonly Dependency[],
  ): Promise<readonly Dependency[] | 'being listed'> {
    const all = new Needs(direct);
    const seen = new Set<KubeObject>();
    let known = -1;
    while (wantsIndirect(template) && all.size > known) {
      known = all.size;
      await this.watch.followMore(key, all.list);
      if (!this.watch.isSynced(key)) return 'being listed';
      for (const object of all.list.flatMap((dependency) => this.meant(dependency))) {
        if (seen.has(object)) continue;
        seen.add(object);
        const more = await this.named(object);
        // What comes back to the template needs nothing that is not there.
        all.add(more.filter((dependency) => !isMeantBy(template, dependency)));
      }
    }
    await this.watch.follow(key, all.list);
    return this.watch.isSynced(key) ? all.list : 'being listed';
  }

  /** The Services that lead to the template's pods, when it asks for them. */
  private async services(key: string, template: KubeObject): Promise<readonly Dependency[]> {
    const wanted = wantsServices(template);
    this.watch.concernServices(key, wanted);
    if (!wanted) return [];
    const services = this.context.informers.informer(kinds.services);
    await services.synced;
    return selectedServices(template, services.store.list(template.metadata.namespace));
  }

  private async distribute(
    independent: Binding,
    dependencies: readonly Dependency[],
    signal: AbortSignal,
  ): Promise<Outcome> {
    const { recorder } = this.context;
    const { namespace = '', name = '' } = independent.metadata;
    const failures: unknown[] = [];
    try {
      const orphaned = (attached: ResourceBinding): boolean =>
        !isStillNeeded(attached, dependencies, this.watch.get(attached.spec.resource));
      await this.detach({ namespace, name }, orphaned, signal);
    } catch (error) {
      failures.push(error);
    }
    const needed = dependencies.map((dependency) => ({ dependency, objects: this.meant(dependency) }));
    for (const object of new Set(needed.flatMap(({ objects }) => objects))) {
      try {
        await this.attach(independent, object, signal);
      } catch (error) {
        failures.push(error);
      }
    }
    await this.tell(
      independent,
      needed.map((one) => ({ ...one, attached: this.attachedTo(independent, one.objects) })),
      signal,
    );
    if (failures.length === 0) {
      const text = 'Sync schedule results to dependencies succeed.';
      recorder.event(independent, 'Normal', 'SyncScheduleResultToDependenciesSucceed', text);
      return done;
    }
    const text = failures.map(errorMessage).join('; ');
    recorder.event(independent, 'Warning', 'SyncScheduleResultToDependenciesFailed', text);
    return retry(failures[0]);
  }

  private attachedTo(independent: Binding, objects: readonly KubeObject[]): readonly ResourceBinding[] {
    return objects.flatMap((object) => this.bindings.store.get(attachedKey(independent, object)) ?? []);
  }

  /** Says on the binding what its template lacks. */
  private async tell(independent: Binding, needed: readonly Needed[], signal: AbortSignal): Promise<void> {
    const condition = dependenciesCondition(independent, needed);
    if (condition === undefined || !(await this.say(independent, condition, signal))) return;
    const type = condition.status === 'True' ? 'Normal' : 'Warning';
    this.context.recorder.event(independent, type, condition.reason ?? '', condition.message ?? '');
  }

  /** Whether there was anything new to say. */
  private async say(
    binding: Binding,
    condition: Parameters<typeof withCondition>[1],
    signal: AbortSignal,
  ): Promise<boolean> {
    const { hubClient, clock } = this.context;
    const conditions = withCondition(binding.status?.conditions, condition, formatTime(clock.now()));
    if (conditions === binding.status?.conditions) return false;
    const said = { ...binding, status: { ...binding.status, conditions } } as Binding;
    await hubClient.updateStatus(resourceOf(binding), said, { signal });
    return true;
  }

  /** The objects there are of what is needed; others come when they appear. */
  private meant(dependency: Dependency): readonly KubeObject[] {
    const { apiVersion, kind, namespace = '', name = '' } = dependency;
    if (name === '') {
      const objects = this.watch.list(apiVersion, kind, namespace);
      return objects.filter((object) => isMeantBy(object, dependency));
    }
    const object = this.watch.get({ apiVersion, kind, namespace, name });
    return object === undefined ? [] : [object];
  }

  private async attach(independent: Binding, dependency: KubeObject, signal: AbortSignal): Promise<void> {
    // Its binding goes with it, and a new one would be collected at once.
    if (isBeingDeleted(dependency)) return;
    // LIMIT: what has no namespace follows only what has one, into whose namespace its binding goes.
    if ((independent.metadata.namespace ?? dependency.metadata.namespace ?? '') === '') return;
    const { hubClient } = this.context;
    const key = attachedKey(independent, dependency);
    const existing = this.bindings.store.get(key);
    if (existing !== undefined && isBeingDeleted(existing))
      throw new Error(`binding ${keyOf(existing)} is being deleted`);
    const decision = decideAttach({ independent, dependency, existing, find: this.find });
    if (decision.action === 'wait')
      throw new Error(
        `binding ${key.namespace}/${key.name} belongs to another object (${decision.ownerUid})`,
      );
    const attached =
      decision.action === 'unchanged'
        ? existing
        : decision.action === 'create'
          ? await hubClient.create(kinds.resourceBindings, decision.binding, { signal })
          : await hubClient.update(kinds.resourceBindings, decision.binding, { signal });
    if (attached !== undefined) await this.tellConflicts(attached, decision.conflicts, signal);
  }

  private async tellConflicts(
    attached: ResourceBinding,
    conflicts: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    const condition = conflictCondition(attached, conflicts);
    if (condition === undefined || !(await this.say(attached, condition, signal)) || conflicts.length === 0)
      return;
    const text = conflictEventText(attached, conflicts);
    this.context.recorder.event(attached, 'Warning', 'DependencyPolicyConflict', text);
  }

  private async detach(
    independent: { readonly namespace: string; readonly name: string },
    orphaned: (attached: ResourceBinding) => boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const label = dependedByLabel(independent.namespace, independent.name);
    for (const attached of this.bindings.store.byIndex(BINDINGS_BY_DEPENDENT, label)) {
      if (!orphaned(attached)) continue;
      const left = detached(attached, independent, this.find);
      if (left === attached) continue;
      const stored = await this.context.hubClient.update(kinds.resourceBindings, left, { signal });
      // Who is left may agree now.
      await this.tellConflicts(stored, conflictsOf(stored, this.find), signal);
    }
  }
}

function resourceOf({ kind }: Binding): Resource<Binding> {
  return kind === 'ResourceBinding' ? kinds.resourceBindings : kinds.clusterResourceBindings;
}
