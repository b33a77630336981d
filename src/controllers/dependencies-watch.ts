// Follows the kinds of which something is needed, and only those: the informers are shared with the detector, so
// this costs a subscription each. What changes there brings back the bindings that need it.
import type { KubeObject } from '../api/index.ts';
import type { Cancel } from '../base/index.ts';
import { keyOf, type ApiResource } from '../client/index.ts';
import type { Dependency } from '../interpreter/index.ts';
import { deepEqual } from '../machinery/index.ts';
import { dependenciesOf, dependsOn, type Binding } from '../propagation/index.ts';
import type { Informer, InformerUse } from '../runtime/index.ts';
import type { ControllerContext } from './context.ts';

/** Independent bindings by what they need; a need by selector stands under the empty name. */
export const BINDINGS_BY_DEPENDENCY = 'dependency';
export function dependencyKeys(binding: Binding): string[] {
  return dependenciesOf(binding).map(({ apiVersion, kind, namespace, name }) =>
    dependencyKey(apiVersion, kind, namespace, name),
  );
}

function dependencyKey(apiVersion: string, kind: string, namespace = '', name = ''): string {
  return `${apiVersion}|${kind}|${namespace}|${name}`;
}

interface Watched {
  readonly use: InformerUse;
  readonly unsubscribe: Cancel;
  /** Keys of the bindings that need something of the kind. */
  readonly users: Set<string>;
}

export class DependencyWatch {
  private readonly context: ControllerContext;
  private readonly owners: readonly Informer<Binding>[];
  private readonly enqueue: (key: string) => void;
  /** By apiVersion and kind. */
  private readonly watched = new Map<string, Watched>();
  /** Keys of bindings that any Service may come to concern. */
  private readonly withServices = new Set<string>();

  constructor(
    context: ControllerContext,
    owners: readonly Informer<Binding>[],
    enqueue: (key: string) => void,
  ) {
    this.context = context;
    this.owners = owners;
    this.enqueue = enqueue;
  }

  /** Follows exactly the kinds of `dependencies` for a binding. Rejects when one is not served. */
  async follow(key: string, dependencies: readonly Dependency[]): Promise<void> {
    const wanted = await this.followMore(key, dependencies);
    for (const [name, { users }] of this.watched) {
      if (!wanted.has(name) && users.delete(key) && users.size === 0) this.unwatch(name);
    }
  }

  /** Follows these kinds beside those that are followed already. Resolves with their names. */
  async followMore(key: string, dependencies: readonly Dependency[]): Promise<ReadonlySet<string>> {
    const wanted = new Map<string, ApiResource>();
    for (const { apiVersion, kind } of dependencies) {
      const name = `${apiVersion}|${kind}`;
      if (wanted.has(name)) continue;
      const resource = await this.context.mapper.resourceForObject({ apiVersion, kind });
      if (resource === undefined) throw new Error(`${apiVersion} ${kind} is needed but not served`);
      wanted.set(name, resource);
    }
    for (const [name, resource] of wanted) {
      const watched = this.watched.get(name) ?? this.watch(name, resource);
      watched.users.add(key);
    }
    return new Set(wanted.keys());
  }

  /** Whether every change of a Service is to bring a binding back. */
  concernServices(key: string, concerned: boolean): void {
    if (concerned) this.withServices.add(key);
    else this.withServices.delete(key);
  }

  /** Whether all that is of the followed kinds is known. */
  isSynced(key: string): boolean {
    return [...this.watched.values()].every(({ users, use }) => !users.has(key) || use.informer.isSynced);
  }

  get(reference: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly namespace?: string | undefined;
    readonly name: string;
  }): KubeObject | undefined {
    const { apiVersion, kind, namespace, name } = reference;
    return this.watched.get(`${apiVersion}|${kind}`)?.use.informer.store.get({ namespace, name });
  }

  list(apiVersion: string, kind: string, namespace: string): readonly KubeObject[] {
    return this.watched.get(`${apiVersion}|${kind}`)?.use.informer.store.list(namespace) ?? [];
  }

  close(): void {
    for (const name of this.watched.keys()) this.unwatch(name);
  }

  private watch(name: string, resource: ApiResource): Watched {
    const use = this.context.informers.use(resource);
    const unsubscribe = use.informer.subscribe({
      added: (object, initial) => {
        if (!initial) this.changed(object);
      },
      updated: (before, after) => {
        if (!worthwhile(before, after)) return;
        // A label that went may be what a selector meant.
        if (!deepEqual(before.metadata.labels, after.metadata.labels)) this.changed(before);
        this.changed(after);
      },
      deleted: (object) => this.changed(object),
    });
    const watched = { use, unsubscribe, users: new Set<string>() };
    this.watched.set(name, watched);
    return watched;
  }

  private unwatch(name: string): void {
    const watched = this.watched.get(name);
    if (watched === undefined) return;
    this.watched.delete(name);
    watched.unsubscribe();
    watched.use.release();
  }

  private changed(object: KubeObject): void {
    const { apiVersion, kind, metadata } = object;
    if (kind === 'Service') for (const key of this.withServices) this.enqueue(key);
    for (const name of [metadata.name ?? '', '']) {
      const key = dependencyKey(apiVersion, kind, metadata.namespace, name);
      for (const { store } of this.owners) {
        for (const binding of store.byIndex(BINDINGS_BY_DEPENDENCY, key))
          if (dependsOn(binding, object)) this.enqueue(keyOf(binding));
      }
    }
  }
}

/** Whether more changed than an attached binding takes no notice of. */
function worthwhile(before: KubeObject, after: KubeObject): boolean {
  const { status: _statusBefore, metadata: metadataBefore, ...restBefore } = before;
  const { status: _statusAfter, metadata: metadataAfter, ...restAfter } = after;
  const { managedFields: _fieldsBefore, resourceVersion: _versionBefore, ...keptBefore } = metadataBefore;
  const { managedFields: _fieldsAfter, resourceVersion: _versionAfter, ...keptAfter } = metadataAfter;
  return !deepEqual(keptBefore, keptAfter) || !deepEqual(restBefore, restAfter);
}
