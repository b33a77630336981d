// How calls name what they act on: a descriptor of the resource and the key of one object in it.
import { formatGroupResource, type GroupVersionResource, type KubeObject } from '../api/index.ts';
import { assert } from '../base/index.ts';

/**
 * A resource of an API server, e.g. `{ group: 'apps', version: 'v1', resource: 'deployments', namespaced: true }`.
 * The type parameter says what its objects look like.
 */
export interface Resource<T extends KubeObject = KubeObject> extends GroupVersionResource {
  readonly namespaced: boolean;
  /** Only for the type checker; never set. */
  readonly objectType?: T;
}

export interface ObjectKey {
  /** Absent or empty for objects without a namespace. */
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** Types a descriptor: `const pods = resource<Pod>({ group: '', version: 'v1', resource: 'pods', namespaced: true })`. */
export function resource<T extends KubeObject = KubeObject>(
  descriptor: GroupVersionResource & { readonly namespaced: boolean },
): Resource<T> {
  return descriptor;
}

const plain = /^[a-z0-9.:-]*$/;

function segment(text: string): string {
  return plain.test(text) ? text : encodeURIComponent(text);
}

/** The path of a collection, an object, or an object's subresource. */
export function resourcePath(
  target: Resource,
  namespace: string | undefined,
  name?: string,
  subresource?: string,
): string {
  const { group, version, resource: plural, namespaced } = target;
  let path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  if (namespace !== undefined && namespace !== '') {
    assert(namespaced, `${formatGroupResource(target)} has no namespaces, but one was given: "${namespace}"`);
    path += `/namespaces/${segment(namespace)}`;
  }
  path += `/${plural}`;
  if (name !== undefined) {
    assert(name !== '', `the name of an object of ${formatGroupResource(target)} is empty`);
    path += `/${segment(name)}`;
    if (subresource !== undefined) path += `/${subresource}`;
  }
  return path;
}

/** The path of one object; asserts that it has a namespace exactly when the resource wants one. */
export function objectPath(target: Resource, { namespace, name }: ObjectKey, subresource?: string): string {
  assert(
    !target.namespaced || (namespace !== undefined && namespace !== ''),
    `${formatGroupResource(target)} "${name}" needs a namespace`,
  );
  return resourcePath(target, namespace, name, subresource);
}

/** `namespace/name`, or the name alone: how caches and queues name one object. */
export function keyOf(object: {
  readonly metadata: { readonly namespace?: string | undefined; readonly name?: string | undefined };
}): string {
  const { namespace, name = '' } = object.metadata;
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}

export function formatKey({ namespace, name }: ObjectKey): string {
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}

export function parseKey(key: string): ObjectKey {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
