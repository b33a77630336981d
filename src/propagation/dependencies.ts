// What a template needs beside it follows it into its clusters (propagation.md §9). The binding of the template is the
// *independent* one; each thing it needs gets an *attached* binding, which lists in requiredBy who needs it where.
// INVARIANT: what a policy wrote into an attached binding stays; only label, requiredBy, resource and, without a
// placement of its own, two fields that follow from those who need it are ours.
import {
  BINDING_FINALIZER,
  CLUSTER_RESOURCE_BINDING_ID_LABEL,
  DEPENDED_BY_LABEL_PREFIX,
  DEPENDENCIES_ANNOTATION,
  DEPENDENCIES_FINALIZER,
  RESOURCE_BINDING_ID_LABEL,
  WITH_INDIRECT_ANNOTATION,
  type BindingSnapshot,
  type KubeObject,
  type ResourceBinding,
  type ResourceBindingSpec,
} from '../api/index.ts';
import type { Dependency } from '../interpreter/index.ts';
import {
  controllerOf,
  controllerReference,
  deepEqual,
  isBeingDeleted,
  labelSelectorFor,
  StatusError,
  withFinalizer,
  withoutFinalizer,
} from '../machinery/index.ts';
import { withoutKeys } from './claim.ts';
import type { Binding } from './kinds.ts';
import { bindingName, bindingReferenceKey } from './names.ts';

// ---- what is needed

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Whether what a template needs takes along what that needs in turn. */
export function wantsIndirect({ metadata }: KubeObject): boolean {
  return metadata.annotations?.[WITH_INDIRECT_ANNOTATION] === 'true';
}

/** LIMIT: what one template may need in all; a chain that goes on for longer than this is no chain that was meant. */
const NEEDS_MAX = 500;

/** A growing list of what is needed, each thing once. */
export class Needs {
  private readonly byText = new Map<string, Dependency>();

  constructor(first: readonly Dependency[]) {
    this.add(first);
  }

  get size(): number {
    return this.byText.size;
  }

  get list(): readonly Dependency[] {
    return [...this.byText.values()];
  }

  /** Throws when it becomes too long. */
  add(dependencies: readonly Dependency[]): void {
    for (const dependency of dependencies) {
      const text = dependenciesText([dependency]);
      const known = this.byText.get(text);
      // Who cannot do without it has the last word.
      if (known !== undefined && (known.optional !== true || dependency.optional === true)) continue;
      if (known === undefined && this.size >= NEEDS_MAX)
        throw new Error(
          `more than ${NEEDS_MAX} objects are needed; take ${WITH_INDIRECT_ANNOTATION} away, or propagate some of them by a policy of their own`,
        );
      this.byText.set(text, dependency);
    }
  }
}

/** The annotation of an independent binding. Sorted, so that asking again changes nothing. */
export function dependenciesText(dependencies: readonly Dependency[]): string {
  const sorted = dependencies.toSorted(
    (a, b) =>
      compareText(a.apiVersion, b.apiVersion) ||
      compareText(a.kind, b.kind) ||
      compareText(a.namespace ?? '', b.namespace ?? '') ||
      compareText(a.name ?? '', b.name ?? ''),
  );
  return JSON.stringify(
    sorted.map(({ apiVersion, kind, namespace = '', name = '', labelSelector }) => ({
      apiVersion,
      kind,
      ...(namespace === '' ? {} : { namespace }),
      ...(name === '' ? {} : { name }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
    })),
  );
}

/** What the annotation says; nothing when it is missing or no such list. */
export function dependenciesOf({ metadata }: Binding): readonly Dependency[] {
  const text = metadata.annotations?.[DEPENDENCIES_ANNOTATION] ?? '';
  if (text === '') return [];
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? (value as Dependency[]) : [];
  } catch {
    return [];
  }
}

/** What is wrong with a dependency that an interpreter names; undefined: nothing. */
export function dependencyFault({
  apiVersion,
  kind,
  name = '',
  labelSelector,
}: Dependency): string | undefined {
  if (apiVersion === undefined || apiVersion === '') return 'a dependency has no apiVersion';
  if (kind === undefined || kind === '') return 'a dependency has no kind';
  if (name !== '') return undefined;
  if (labelSelector === undefined)
    return `dependency ${apiVersion} ${kind} has neither a name nor a labelSelector`;
  try {
    labelSelectorFor(labelSelector);
    return undefined;
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return `dependency ${apiVersion} ${kind} has a bad labelSelector: ${error.message}`;
  }
}

/** Whether an object is what a dependency means. A name wins over a selector. */
export function isMeantBy(object: KubeObject, dependency: Dependency): boolean {
  const { apiVersion, kind, namespace = '', name = '', labelSelector } = dependency;
  if (object.apiVersion !== apiVersion || object.kind !== kind) return false;
  if ((object.metadata.namespace ?? '') !== namespace) return false;
  if (name !== '') return object.metadata.name === name;
  if (labelSelector === undefined) return false;
  try {
    return labelSelectorFor(labelSelector).matches(object.metadata.labels);
  } catch (error) {
    if (error instanceof StatusError) return false;
    throw error;
  }
}

/** Whether a change of `object` concerns an independent binding. */
export function dependsOn(binding: Binding, object: KubeObject): boolean {
  if (isBeingDeleted(binding)) return false;
  return dependenciesOf(binding).some((dependency) => isMeantBy(object, dependency));
}

/** Whether a binding's dependencies are followed at all. */
export function followsDependencies(binding: Binding): boolean {
  return binding.spec.propagateDeps === true && !isBeingDeleted(binding);
}

/** The independent binding with its finalizer and what it needs; the same object when it says so already. */
export function withDependencies<B extends Binding>(binding: B, dependencies: readonly Dependency[]): B {
  const text = dependenciesText(dependencies);
  const held = withFinalizer(binding, DEPENDENCIES_FINALIZER);
  const before = held.metadata.annotations?.[DEPENDENCIES_ANNOTATION];
  if (before === text) return held;
  const annotations = { ...held.metadata.annotations, [DEPENDENCIES_ANNOTATION]: text };
  return { ...held, metadata: { ...held.metadata, annotations } };
}

/** The binding let go after everything was detached from it. */
export function withoutDependencies<B extends Binding>(binding: B): B {
  return withoutFinalizer(binding, DEPENDENCIES_FINALIZER);
}

// ---- attached bindings

/** The label that an attached binding carries for an independent one; its value is that one's permanent id. */
export function dependedByLabel(namespace: string, name: string): string {
  return DEPENDED_BY_LABEL_PREFIX + bindingReferenceKey(namespace, name);
}

function snapshotOf({ metadata, spec }: Binding): BindingSnapshot {
  const { namespace = '', name = '' } = metadata;
  const { clusters = [] } = spec;
  return {
    ...(namespace === '' ? {} : { namespace }),
    name,
    ...(clusters.length === 0 ? {} : { clusters }),
  };
}

function isOf(snapshot: BindingSnapshot, { metadata }: Binding): boolean {
  return snapshot.name === metadata.name && (snapshot.namespace ?? '') === (metadata.namespace ?? '');
}

function resourceOf(object: KubeObject): ResourceBindingSpec['resource'] {
  const { namespace, name = '', uid, resourceVersion } = object.metadata;
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
}

/** What the fields that follow from those who need an object come to. */
interface Inherited {
  readonly conflictResolution: 'Abort' | 'Overwrite';
  readonly preserveResourcesOnDeletion: boolean;
  /** Fields in which those who need it do not agree; reason DependencyPolicyConflict. */
  readonly conflicts: readonly string[];
}

function inherit(referencing: readonly Binding[]): Inherited {
  const resolutions = new Set(referencing.map(({ spec }) => spec.conflictResolution ?? 'Abort'));
  const preserves = new Set(referencing.map(({ spec }) => spec.preserveResourcesOnDeletion ?? false));
  return {
    conflictResolution: resolutions.has('Overwrite') ? 'Overwrite' : 'Abort',
    preserveResourcesOnDeletion: preserves.has(true),
    conflicts: [
      ...(resolutions.size > 1 ? ['conflictResolution'] : []),
      ...(preserves.size > 1 ? ['preserveResourcesOnDeletion'] : []),
    ],
  };
}

export interface AttachInput {
  readonly independent: Binding;
  /** The live object that is needed. */
  readonly dependency: KubeObject;
  /** The binding of the object, if it has one already. */
  readonly existing: ResourceBinding | undefined;
  /** Finds another binding that needs the object; undefined when it is gone, which then counts no more. */
  readonly find: (namespace: string, name: string) => Binding | undefined;
}

export type AttachDecision =
  | { readonly action: 'create'; readonly binding: ResourceBinding; readonly conflicts: readonly string[] }
  | { readonly action: 'update'; readonly binding: ResourceBinding; readonly conflicts: readonly string[] }
  | { readonly action: 'unchanged'; readonly conflicts: readonly string[] }
  /** The binding belongs to an object that is gone or of another kind: after garbage collection. */
  | { readonly action: 'wait'; readonly ownerUid: string };

/** Where the binding of something that is needed is: with the object, or with who needs it when it has no namespace. */
export function attachedKey(
  independent: Binding,
  dependency: KubeObject,
): { readonly namespace: string; readonly name: string } {
  const namespace = dependency.metadata.namespace ?? independent.metadata.namespace ?? '';
  return { namespace, name: bindingName(dependency.kind, dependency.metadata.name ?? '') };
}

function referencingOf(
  requiredBy: readonly BindingSnapshot[],
  independent: Binding | undefined,
  find: AttachInput['find'],
): readonly Binding[] {
  return requiredBy.flatMap((snapshot) => {
    if (independent !== undefined && isOf(snapshot, independent)) return [independent];
    const found = find(snapshot.namespace ?? '', snapshot.name);
    return found === undefined ? [] : [found];
  });
}

/** Attaches an object to the clusters of a binding that needs it. */
export function decideAttach({ independent, dependency, existing, find }: AttachInput): AttachDecision {
  const { namespace = '', name = '', labels } = independent.metadata;
  const label = {
    [dependedByLabel(namespace, name)]:
      labels?.[
        independent.kind === 'ResourceBinding' ? RESOURCE_BINDING_ID_LABEL : CLUSTER_RESOURCE_BINDING_ID_LABEL
      ] ?? '',
  };
  const snapshot = snapshotOf(independent);
  const resource = resourceOf(dependency);
  if (existing === undefined) {
    const { conflicts, ...fields } = inherit([independent]);
    const binding: ResourceBinding = {
      apiVersion: 'work.karmada.io/v1alpha2',
      kind: 'ResourceBinding',
      metadata: {
        ...attachedKey(independent, dependency),
        labels: label,
        ownerReferences: [controllerReference(dependency)],
        finalizers: [BINDING_FINALIZER],
      },
      spec: { resource, requiredBy: [snapshot], ...fields },
    };
    return { action: 'create', binding, conflicts };
  }
  const owner = controllerOf(existing);
  if (owner !== undefined && owner.uid !== dependency.metadata.uid)
    return { action: 'wait', ownerUid: owner.uid };
  const requiredBy = withSnapshot(existing.spec.requiredBy ?? [], snapshot, independent);
  const base = { ...existing.spec, resource, requiredBy };
  const { spec, conflicts } = withInherited(base, referencingOf(requiredBy, independent, find));
  const metadata = { ...existing.metadata, labels: { ...existing.metadata.labels, ...label } };
  if (deepEqual(metadata.labels, existing.metadata.labels) && deepEqual(spec, existing.spec)) {
    return { action: 'unchanged', conflicts };
  }
  return { action: 'update', binding: { ...existing, metadata, spec }, conflicts };
}

function withSnapshot(
  requiredBy: readonly BindingSnapshot[],
  snapshot: BindingSnapshot,
  independent: Binding,
): readonly BindingSnapshot[] {
  const index = requiredBy.findIndex((one) => isOf(one, independent));
  return index < 0 ? [...requiredBy, snapshot] : requiredBy.with(index, snapshot);
}

/** With a placement a policy of its own rules the binding, and the fields are the policy's. */
function withInherited(
  spec: ResourceBindingSpec,
  referencing: readonly Binding[],
): { readonly spec: ResourceBindingSpec; readonly conflicts: readonly string[] } {
  if (spec.placement !== undefined) return { spec, conflicts: disagreements(spec, referencing) };
  const { conflicts, ...fields } = inherit(referencing);
  return { spec: { ...spec, ...fields }, conflicts };
}

/** Fields in which those who have a say in an attached binding do not agree. */
export function conflictsOf({ spec }: ResourceBinding, find: AttachInput['find']): readonly string[] {
  return withInherited(spec, referencingOf(spec.requiredBy ?? [], undefined, find)).conflicts;
}

/** Fields in which somebody who needs an object wants something else than its own policy says. */
function disagreements(policy: ResourceBindingSpec, referencing: readonly Binding[]): readonly string[] {
  const differs = (of: (spec: ResourceBindingSpec) => unknown): boolean =>
    referencing.some(({ spec }) => of(spec) !== of(policy));
  return [
    ...(differs(({ conflictResolution = 'Abort' }) => conflictResolution) ? ['conflictResolution'] : []),
    ...(differs(({ preserveResourcesOnDeletion = false }) => preserveResourcesOnDeletion)
      ? ['preserveResourcesOnDeletion']
      : []),
  ];
}

/** Whether an attached binding is still meant by what an independent one needs. `object` is the live one. */
export function isStillNeeded(
  attached: ResourceBinding,
  dependencies: readonly Dependency[],
  object: KubeObject | undefined,
): boolean {
  const { apiVersion, kind, namespace = '', name } = attached.spec.resource;
  return dependencies.some((dependency) => {
    if (dependency.apiVersion !== apiVersion || dependency.kind !== kind) return false;
    if ((dependency.namespace ?? '') !== namespace) return false;
    if ((dependency.name ?? '') !== '') return dependency.name === name;
    return object !== undefined && isMeantBy(object, dependency);
  });
}

/** The attached binding without one that needed it; the same object when it did not. */
export function detached(
  attached: ResourceBinding,
  independent: { readonly namespace: string; readonly name: string },
  find: AttachInput['find'],
): ResourceBinding {
  const labels = withoutKeys(attached.metadata.labels, [
    dependedByLabel(independent.namespace, independent.name),
  ]);
  const before = attached.spec.requiredBy ?? [];
  const requiredBy = before.filter(
    ({ namespace = '', name }) => namespace !== independent.namespace || name !== independent.name,
  );
  if (labels === attached.metadata.labels && requiredBy.length === before.length) return attached;
  const { labels: _labels, ...metadata } = attached.metadata;
  const { requiredBy: _requiredBy, ...rest } = attached.spec;
  const spec =
    requiredBy.length === 0
      ? withoutInherited(rest)
      : withInherited({ ...rest, requiredBy }, referencingOf(requiredBy, undefined, find)).spec;
  return { ...attached, metadata: { ...metadata, ...(labels === undefined ? {} : { labels }) }, spec };
}

/** COMPAT: the binding itself stays, without the fields it had from those who needed it (deps-removed). */
function withoutInherited(spec: ResourceBindingSpec): ResourceBindingSpec {
  if (spec.placement !== undefined) return spec;
  const { preserveResourcesOnDeletion: _preserve, ...rest } = spec;
  return { ...rest, conflictResolution: 'Abort' };
}
