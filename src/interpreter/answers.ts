// What is said of an object by others than this program's own code, checked before anybody believes it: by scripts, by
// webhooks, by expressions.
import type { Component, JsonObject, JsonValue, KubeObject, ReplicaRequirements } from '../api/index.ts';
import { fieldError, Quantity, validateLabelSelector, type FieldError } from '../machinery/index.ts';
import type { Dependency } from './interpreter.ts';
import { objectAt, textAt, valueAt } from './native/read.ts';

/** An int32, as the field that it goes to. */
export function replicaCount(value: number): number {
  return Math.trunc(value) | 0;
}

/** Quantities in canonical form, whatever they were written as. Throws for what is none. */
export function checkedRequirements(requirements: JsonObject): ReplicaRequirements {
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

export function checkedComponents(list: readonly JsonValue[]): readonly Component[] {
  return list.map((component) => {
    const replicas = valueAt(component, 'replicas');
    const requirements = objectAt(component, 'replicaRequirements');
    return {
      name: textAt(component, 'name'),
      replicas: typeof replicas === 'number' && Number.isFinite(replicas) ? replicaCount(replicas) : 0,
      ...(requirements === undefined ? {} : { replicaRequirements: checkedRequirements(requirements) }),
    };
  });
}

/** Throws when it is no whole object. */
export function checkedObject(object: JsonValue): KubeObject {
  if (textAt(object, 'apiVersion') === '' || textAt(object, 'kind') === '' || !objectAt(object, 'metadata')) {
    throw new Error('the result must be an object with apiVersion, kind and metadata');
  }
  return object as unknown as KubeObject;
}

/** Throws for what no reference may be. COMPAT: in upstream's words, all of them at once. */
export function checkedDependencies(list: readonly JsonValue[]): readonly Dependency[] {
  const dependencies = list.map((item): Dependency => {
    const [namespace, name] = [textAt(item, 'namespace'), textAt(item, 'name')];
    const labelSelector = objectAt(item, 'labelSelector');
    return {
      apiVersion: textAt(item, 'apiVersion'),
      kind: textAt(item, 'kind'),
      ...(namespace === '' ? {} : { namespace }),
      ...(name === '' ? {} : { name }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
    };
  });
  const texts = dependencies.flatMap((one, index) =>
    faultsOf(one, `dependencies[${index}]`).map(({ path, message }) => `${path}: ${message}`),
  );
  if (texts.length === 0) return dependencies;
  const each = [...new Set(texts)];
  throw new Error(each.length === 1 ? each[0] : `[${each.join(', ')}]`);
}

function faultsOf(dependency: Dependency, path: string): readonly FieldError[] {
  const { apiVersion, kind, name, labelSelector } = dependency;
  const missing = (field: string): FieldError =>
    fieldError.invalid(`${path}.${field}`, '', `missing required ${field}`);
  const nameless = 'dependency can not leave name and labelSelector all empty';
  return [
    ...(apiVersion === '' ? [missing('apiVersion')] : []),
    ...(kind === '' ? [missing('kind')] : []),
    ...(name === undefined && labelSelector === undefined
      ? [fieldError.invalid(path, dependency, nameless)]
      : []),
    ...validateLabelSelector(labelSelector, `${path}.labelSelector`),
  ];
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
  const byKey = new Map<string, Dependency>();
  for (const dependency of lists.flat()) {
    const key = keyOf(dependency);
    // What anything insists on is not optional.
    const known = byKey.get(key);
    if (known === undefined || known.optional === true) byKey.set(key, dependency);
  }
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, dependency]) => dependency);
}
