// dependencies-distributor: what a template needs beside it follows it into its clusters.
// Reads: ResourceBindings, templates, the objects they need. Writes: attached ResourceBindings, and on independent
// ones the finalizer and the annotation that names what is needed.
// INVARIANT: an independent binding that goes, or stops asking, is detached everywhere before its finalizer is.
import {
  DEPENDED_BY_LABEL_PREFIX,
  DEPENDENCIES_FINALIZER,
  type KubeObject,
  type ResourceBinding,
} from '../api/index.ts';
import { errorMessage } from '../base/index.ts';
import { keyOf, kinds, parseKey } from '../client/index.ts';
import type { Dependency } from '../interpreter/index.ts';
import { hasFinalizer, isBeingDeleted } from '../machinery/index.ts';
import {
  attachedKey,
  decideAttach,
  dependedByLabel,
  dependencyFault,
  detached,
  followsDependencies,
  isMeantBy,
  isStillNeeded,
  withDependencies,
  withoutDependencies,
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
import type { Controller, ControllerContext } from './context.ts';
import { BINDINGS_BY_DEPENDENCY, DependencyWatch, dependencyKeys } from './dependencies-watch.ts';

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
      name: 'dependencies-distributor',
      clock,
      metrics,
      backoffBaseMs: settings.rateLimiterBaseDelayMs,
      backoffMaxMs: settings.rateLimiterMaxDelayMs,
    });
    const watch = new DependencyWatch(context, bindings, (key) => queue.add(key));
    const distributor = new Distributor(context, bindings, watch);
    // Who deletes an attached binding by hand gets it back.
    const unsubscribe = bindings.subscribe({
      deleted: ({ spec }) => {
        for (const { namespace = '', name } of spec.requiredBy ?? []) queue.add(`${namespace}/${name}`);
      },
    });
    try {
      await runController({
        name: 'dependencies-distributor',
        queue,
        sources: [
          informerSource(bindings, {
            filter: (binding) =>
              binding.spec.propagateDeps === true || hasFinalizer(binding, DEPENDENCIES_FINALIZER),
            changed: (before, after) =>
              before.metadata.generation !== after.metadata.generation ||
              before.metadata.deletionTimestamp !== after.metadata.deletionTimestamp,
          }),
        ],
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

class Distributor {
  private readonly context: ControllerContext;
  private readonly bindings: Informer<ResourceBinding>;
  private readonly watch: DependencyWatch;

  constructor(context: ControllerContext, bindings: Informer<ResourceBinding>, watch: DependencyWatch) {
    this.context = context;
    this.bindings = bindings;
    this.watch = watch;
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Outcome> {
    const binding = this.bindings.store.get(key);
    if (binding === undefined || !followsDependencies(binding)) return this.release(key, binding, signal);
    const placed = (binding.spec.clusters ?? []).length > 0;
    if (!placed && !hasFinalizer(binding, DEPENDENCIES_FINALIZER)) return done;
    const dependencies = await this.dependencies(binding, signal);
    if (dependencies === undefined) return done;
    await this.watch.follow(key, dependencies);
    if (!this.watch.isSynced(key)) return requeueAfter(FIRST_LIST_MS, 'listing a kind for the first time');
    const wanted = withDependencies(binding, dependencies);
    const independent =
      wanted === binding
        ? binding
        : await this.context.hubClient.update(kinds.resourceBindings, wanted, { signal });
    return this.distribute(independent, dependencies, signal);
  }

  /** The end of what a binding asked for. */
  private async release(
    key: string,
    binding: ResourceBinding | undefined,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const { namespace = '', name } = parseKey(key);
    await this.detach({ namespace, name }, () => true, signal);
    await this.watch.follow(key, []);
    if (binding === undefined || !hasFinalizer(binding, DEPENDENCIES_FINALIZER)) return done;
    await this.context.hubClient.update(kinds.resourceBindings, withoutDependencies(binding), { signal });
    return done;
  }

  /** What the template needs; undefined when nobody can say. */
  private async dependencies(
    { spec }: ResourceBinding,
    signal: AbortSignal,
  ): Promise<readonly Dependency[] | undefined> {
    const { hubClient, interpreter, mapper, recorder } = this.context;
    const { apiVersion, kind, namespace, name } = spec.resource;
    const resource = await mapper.resourceForObject({ apiVersion, kind });
    if (resource === undefined) throw new Error(`${apiVersion} ${kind} is not served`);
    const template = await hubClient.find(resource, { namespace, name }, { signal });
    // The binding goes after its template, and comes back here then.
    if (template === undefined || !interpreter.has(template, 'InterpretDependency')) return undefined;
    try {
      const dependencies = (await interpreter.dependencies(template)) ?? [];
      const fault = dependencies.map(dependencyFault).find((text) => text !== undefined);
      if (fault !== undefined) throw new Error(fault);
      recorder.event(template, 'Normal', 'GetDependenciesSucceed', describe(dependencies));
      return dependencies;
    } catch (error) {
      recorder.event(template, 'Warning', 'GetDependenciesFailed', errorMessage(error));
      throw error;
    }
  }

  private async distribute(
    independent: ResourceBinding,
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
    const needed = new Set(dependencies.flatMap((dependency) => this.meant(dependency)));
    for (const object of needed) {
      try {
        await this.attach(independent, object, signal);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length === 0) {
      const text = 'The clusters of the binding were passed on to all that its template needs.';
      recorder.event(independent, 'Normal', 'SyncScheduleResultToDependenciesSucceed', text);
      return done;
    }
    const text = failures.map(errorMessage).join('; ');
    recorder.event(independent, 'Warning', 'SyncScheduleResultToDependenciesFailed', text);
    return retry(failures[0]);
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

  private async attach(
    independent: ResourceBinding,
    dependency: KubeObject,
    signal: AbortSignal,
  ): Promise<void> {
    // Its binding goes with it, and a new one would be collected at once.
    if (isBeingDeleted(dependency)) return;
    const { hubClient, recorder } = this.context;
    const key = attachedKey(independent, dependency);
    const existing = this.bindings.store.get(key);
    if (existing !== undefined && isBeingDeleted(existing))
      throw new Error(`binding ${keyOf(existing)} is being deleted`);
    const decision = decideAttach({ independent, dependency, existing, find: this.find });
    if (decision.action === 'wait')
      throw new Error(
        `binding ${key.namespace}/${key.name} belongs to another object (${decision.ownerUid})`,
      );
    if (decision.action === 'unchanged') return;
    const attached =
      decision.action === 'create'
        ? await hubClient.create(kinds.resourceBindings, decision.binding, { signal })
        : await hubClient.update(kinds.resourceBindings, decision.binding, { signal });
    if (decision.conflicts.length === 0) return;
    const text = `Those who need this do not agree on ${decision.conflicts.join(' and ')}.`;
    recorder.event(attached, 'Warning', 'DependencyPolicyConflict', text);
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
      if (left !== attached) await this.context.hubClient.update(kinds.resourceBindings, left, { signal });
    }
  }

  private readonly find = (namespace: string, name: string): ResourceBinding | undefined =>
    this.bindings.store.get({ namespace, name });
}

function describe(dependencies: readonly Dependency[]): string {
  if (dependencies.length === 0) return 'The template needs nothing beside it.';
  // LIMIT: events hold 1,024 characters.
  const names = dependencies.map(({ kind, name = '*' }) => `${kind}/${name}`);
  const shown = names.slice(0, 10).join(', ');
  return `The template needs ${shown}${names.length > 10 ? ` and ${names.length - 10} more` : ''}.`;
}
