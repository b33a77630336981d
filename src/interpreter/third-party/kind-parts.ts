// The pieces that the rules of many kinds have in common.
import {
  TEMPLATE_GENERATION_ANNOTATION,
  type Component,
  type JsonObject,
  type KubeObject,
  type ReplicaRequirements,
} from '../../api/index.ts';
import { Quantity } from '../../machinery/index.ts';
import type { Dependency } from '../interpreter.ts';
import type { KindRules } from '../kind-rules.ts';
import { podDependencies } from '../native/pod-dependencies.ts';
import { podRequirements } from '../native/pod-requirements.ts';
import { integerAt, listAt, objectAt, textAt, valueAt, withValue } from '../native/read.ts';

// ---- replicas

export type Path = readonly string[];

export function templateRequirements(template: unknown): ReplicaRequirements | undefined {
  return podRequirements(objectAt(template, 'spec') ?? {});
}

/** A number that may be spelled as text, as several operators let it be. */
export function numberAt(value: unknown, ...path: Path): number | undefined {
  const found = valueAt(value, ...path);
  if (typeof found === 'number') return found;
  if (typeof found !== 'string' || found.trim() === '') return undefined;
  const number = Number(found);
  return Number.isFinite(number) ? number : undefined;
}

/**
 * Replicas in one field of the spec, each of them a pod of one template. Where the field is missing, the operators of
 * these kinds run one.
 */
export function scaledBy(field: string, templateOf: TemplateOf): Pick<KindRules, 'replicas' | 'revise'> {
  return {
    replicas: (object) => ({
      replicas: integerAt(object, 'spec', field) ?? 1,
      requirements: templateRequirements(templateOf(object)),
    }),
    revise: (object, replicas) => withValue(object, ['spec', field], replicas),
  };
}

export type TemplateOf = (object: KubeObject) => JsonObject | undefined;
export const templateAt =
  (...path: Path): TemplateOf =>
  (object) =>
    objectAt(object, ...path);

export function component(
  name: string,
  replicas: number,
  requirements: ReplicaRequirements | undefined,
): Component {
  return { name, replicas, ...(requirements === undefined ? {} : { replicaRequirements: requirements }) };
}

/** With a number in one item of a list; undefined: there is no such item. */
export function withItem(
  object: KubeObject,
  path: Path,
  isMeant: (item: JsonObject, index: number) => boolean,
  change: (item: JsonObject) => JsonObject,
): KubeObject | undefined {
  const list = listAt(object, ...path);
  const index = list.findIndex(isMeant);
  const item = list[index];
  return item === undefined ? undefined : withValue(object, path, list.with(index, change(item)));
}

/** The larger of two amounts; the one there is. */
export function largerAmount(
  a: string | number | undefined,
  b: string | number | undefined,
): string | undefined {
  const one = Quantity.tryParse(a);
  const other = Quantity.tryParse(b);
  if (one === undefined || other === undefined) return (one ?? other)?.toString();
  return (one.compare(other) < 0 ? other : one).toString();
}

// ---- dependencies

/** `v1` objects in the namespace of `object`. */
export function referencesOf(
  object: KubeObject,
  kind: 'ConfigMap' | 'Secret' | 'ServiceAccount' | 'PersistentVolumeClaim',
  names: readonly string[],
): readonly Dependency[] {
  const { namespace } = object.metadata;
  return names
    .filter((name) => name !== '')
    .map((name) => ({ apiVersion: 'v1', kind, ...(namespace === undefined ? {} : { namespace }), name }));
}

/** What pods of these templates refer to. */
export function neededByPods(
  object: KubeObject,
  templates: readonly (JsonObject | undefined)[],
): readonly Dependency[] {
  const namespace = object.metadata.namespace ?? '';
  return templates.flatMap((template) => podDependencies(objectAt(template, 'spec') ?? {}, namespace));
}

// ---- status of a member's object

/** `generation` and `resourceTemplateGeneration`: what the status belongs to, in the member and on the hub. */
export function generations({ metadata }: KubeObject): JsonObject {
  const text = metadata.annotations?.[TEMPLATE_GENERATION_ANNOTATION] ?? '';
  return {
    ...(metadata.generation === undefined ? {} : { generation: metadata.generation }),
    ...(/^\d+$/.test(text) ? { resourceTemplateGeneration: Number(text) } : {}),
  };
}

/** Reports these fields of the status. */
export function reporting(...fields: readonly string[]): NonNullable<KindRules['status']> {
  return ({ status }) =>
    Object.fromEntries(
      fields.flatMap((field) => {
        const value = valueAt(status, field);
        return value === undefined || value === null ? [] : [[field, value] as const];
      }),
    );
}

/** Reports these fields with the generations that they belong to. */
export function reportingWithGenerations(...fields: readonly string[]): NonNullable<KindRules['status']> {
  const report = reporting(...fields);
  return (observed) =>
    objectAt(observed, 'status') === undefined ? {} : { ...report(observed), ...generations(observed) };
}

// ---- health

/**
 * Its status.
 * COMPAT: throws while there is none, so that health is Unknown and not Unhealthy.
 */
export function statusOf(observed: KubeObject): JsonObject {
  const status = objectAt(observed, 'status');
  if (status !== undefined) return status;
  throw new Error(`${observed.kind} ${observed.metadata.name ?? ''} has no status yet`);
}

export function countAt(value: unknown, ...path: Path): number {
  return numberAt(value, ...path) ?? 0;
}

export function isCurrent(observed: KubeObject): boolean {
  return integerAt(observed, 'status', 'observedGeneration') === observed.metadata.generation;
}

/** Everything is updated and available. */
export function rolledOut(observed: KubeObject): boolean {
  const status = statusOf(observed);
  const wanted = integerAt(observed, 'spec', 'replicas');
  const updated = countAt(status, 'updatedReplicas');
  return (
    isCurrent(observed) &&
    (wanted === undefined || updated >= wanted) &&
    countAt(status, 'availableReplicas') >= updated
  );
}

export function hasCondition(status: unknown, type: string, ...reasons: readonly string[]): boolean {
  return listAt(status, 'conditions').some(
    (one) =>
      one['type'] === type &&
      one['status'] === 'True' &&
      (reasons.length === 0 || reasons.includes(textAt(one, 'reason'))),
  );
}
