// What scripts return, as what the operations promise. A script may return anything, so everything is checked here.
import type { Component, JsonObject, JsonValue, KubeObject, ReplicaRequirements } from '../api/index.ts';
import { Quantity } from '../machinery/index.ts';
import type { Dependency, Replicas } from './interpreter.ts';
import { EmptyShapes, LuaTable, luaType, toJson, type LuaValue } from './lua/index.ts';
import { objectAt, textAt, valueAt } from './native/read.ts';

function wrong(wanted: string, value: LuaValue): Error {
  return new Error(`the script must return ${wanted}, not ${luaType(value)}`);
}

function tableOf(value: LuaValue): LuaTable {
  if (value instanceof LuaTable) return value;
  throw wrong('a table', value);
}

function replicaCount(value: LuaValue): number {
  if (typeof value !== 'number' || Number.isNaN(value)) throw wrong('a number of replicas', value);
  // An int32, as the field that it goes to.
  return Math.trunc(value) | 0;
}

/** Quantities in canonical form, whatever the script made of them. */
function canonicalRequirements(requirements: JsonObject): ReplicaRequirements {
  const request = objectAt(requirements, 'resourceRequest');
  if (request === undefined) return requirements;
  const resourceRequest = Object.fromEntries(
    Object.entries(request).map(([resource, amount]): [string, string] => {
      if (typeof amount !== 'string' && typeof amount !== 'number') {
        throw new Error(`the requested ${resource} is no quantity`);
      }
      return [resource, Quantity.parse(amount).toString()];
    }),
  );
  return { ...requirements, resourceRequest };
}

export function asReplicas([replicas, requirements]: readonly LuaValue[]): Replicas {
  const count = replicaCount(replicas);
  if (requirements === undefined) return { replicas: count, requirements: undefined };
  if (!(requirements instanceof LuaTable)) throw wrong('a table or nil as requirements', requirements);
  return { replicas: count, requirements: canonicalRequirements(toJson(requirements, {}) as JsonObject) };
}

export function asComponents([value]: readonly LuaValue[]): readonly Component[] {
  if (value === undefined) return [];
  const components = toJson(tableOf(value), []);
  if (!Array.isArray(components)) throw new Error('the script must return a list of components');
  return (components as readonly JsonValue[]).map((component) => {
    const replicas = valueAt(component, 'replicas');
    const requirements = objectAt(component, 'replicaRequirements');
    return {
      name: textAt(component, 'name'),
      replicas: replicaCount(typeof replicas === 'number' ? replicas : 0),
      ...(requirements === undefined ? {} : { replicaRequirements: canonicalRequirements(requirements) }),
    };
  });
}

/** @param references objects that show what empty fields are */
export function asObject([value]: readonly LuaValue[], references: readonly JsonValue[]): KubeObject {
  const object = toJson(tableOf(value), {}, new EmptyShapes(references));
  if (textAt(object, 'apiVersion') === '' || textAt(object, 'kind') === '' || !objectAt(object, 'metadata')) {
    throw new Error('the script must return an object with apiVersion, kind and metadata');
  }
  return object as unknown as KubeObject;
}

export function asStatus([value]: readonly LuaValue[]): JsonValue {
  return toJson(tableOf(value), {});
}

export function asHealth([value]: readonly LuaValue[]): boolean {
  if (typeof value !== 'boolean') throw wrong('a boolean', value);
  return value;
}

export function asDependencies([value]: readonly LuaValue[]): readonly Dependency[] {
  const list = toJson(tableOf(value), []);
  if (!Array.isArray(list)) throw new Error('the script must return a list of dependencies');
  return (list as readonly JsonValue[]).map((item) => {
    const dependency: Dependency = {
      apiVersion: textAt(item, 'apiVersion'),
      kind: textAt(item, 'kind'),
      ...(textAt(item, 'namespace') === '' ? {} : { namespace: textAt(item, 'namespace') }),
      ...(textAt(item, 'name') === '' ? {} : { name: textAt(item, 'name') }),
      ...selectorOf(item),
    };
    if (dependency.apiVersion === '') throw new Error('a dependency must have an apiVersion');
    if (dependency.kind === '') throw new Error('a dependency must have a kind');
    if (dependency.name === undefined && dependency.labelSelector === undefined) {
      throw new Error('a dependency must have a name or a labelSelector');
    }
    return dependency;
  });
}

function selectorOf(item: JsonValue): Pick<Dependency, 'labelSelector'> {
  const labelSelector = objectAt(item, 'labelSelector');
  return labelSelector === undefined ? {} : { labelSelector: labelSelector };
}

/** Each once, in an order that does not change from call to call. */
export function unitedDependencies(lists: readonly (readonly Dependency[])[]): readonly Dependency[] {
  const keyOf = ({ apiVersion, kind, namespace = '', name = '', labelSelector }: Dependency): string =>
    [
      apiVersion,
      kind,
      namespace,
      name,
      labelSelector === undefined ? '' : JSON.stringify(labelSelector),
    ].join('\0');
  const byKey = new Map(lists.flat().map((dependency) => [keyOf(dependency), dependency]));
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, dependency]) => dependency);
}
