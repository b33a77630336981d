// Who owns which field of an object: metadata.managedFields, kept by every write.
import type { KubeObject } from '../api/index.ts';
import { trackUpdate as track, type FieldManagement, type OtherVersion } from '../machinery/index.ts';
import type { ResourceCall } from './call.ts';
import type { WriteOptions } from './options.ts';
import type { ServedResource } from './registry.ts';
import type { ResourceDefinition, ResourceVersion, Subresource } from './resource.ts';

// LIMIT: as kube-apiserver cuts a User-Agent that stands in for a field manager.
const MAX_MANAGER_LENGTH = 128;
const UNPRINTABLE = /[^\x20-\x7e]/;

/** The name under which this request owns what it sets. */
export function fieldManagerOf({ request }: ResourceCall, options: WriteOptions): string {
  if (options.fieldManager !== '') return options.fieldManager;
  const agent = request.headers['user-agent'] ?? '';
  const slash = agent.indexOf('/');
  const name = slash < 0 ? agent : agent.slice(0, slash);
  return (UNPRINTABLE.test(name) ? name.replaceAll(/[^\x20-\x7e]/g, '') : name).slice(0, MAX_MANAGER_LENGTH);
}

/** What this endpoint does not write, so that nobody comes to own it here. */
function resetFields(definition: ResourceDefinition, name: string, part: Subresource['part']): string[][] {
  if (name === '') return definition.subresources['status'] === undefined ? [] : [['status']];
  const ignored = (part?.ignoredFields ?? []).map((path) => path.split('.'));
  // COMPAT: a status write of a custom resource leaves all metadata alone.
  return definition.custom === true && name === 'status' ? [['metadata'], ...ignored] : ignored;
}

function otherVersion(
  definition: ResourceDefinition,
  home: string,
  apiVersion: string,
): OtherVersion | undefined {
  const slash = apiVersion.lastIndexOf('/');
  if (apiVersion.slice(0, Math.max(0, slash)) !== definition.group) return undefined;
  const version = definition.versions.find(({ name }) => name === apiVersion.slice(slash + 1));
  if (version === undefined) return undefined;
  const convert = (object: KubeObject, to: string): KubeObject => {
    const converted = definition.convert?.([object], to);
    // LIMIT: a webhook cannot be waited for here; fields are then compared under the names they have.
    return converted === undefined || converted instanceof Promise
      ? { ...object, apiVersion: to }
      : (converted[0] ?? object);
  };
  return {
    schema: version.schema,
    ...(version.resolveRef === undefined ? {} : { resolveRef: version.resolveRef }),
    from: (object) => convert(object, apiVersion),
    to: (object) => convert(object, home),
  };
}

const managements = new WeakMap<ResourceVersion, Map<string, FieldManagement>>();

/** What field management needs to know of the endpoint; one value for all its requests. */
export function fieldManagement(
  served: ServedResource,
  name: string,
  subresource: Subresource | undefined,
): FieldManagement {
  const { definition, version, apiVersion } = served;
  let byName = managements.get(version);
  if (byName === undefined) managements.set(version, (byName = new Map()));
  let management = byName.get(name);
  if (management === undefined) {
    management = {
      apiVersion,
      kind: definition.kind,
      schema: version.schema,
      ...(version.resolveRef === undefined ? {} : { resolveRef: version.resolveRef }),
      ...(name === '' ? {} : { subresource: name }),
      resetFields: resetFields(definition, name, subresource?.part),
      otherVersion: (other) => otherVersion(definition, apiVersion, other),
    };
    byName.set(name, management);
  }
  return management;
}

/** `next` with the ownership that this write leaves. `current` is undefined when the object is being created. */
export function trackUpdate(
  call: ResourceCall,
  current: KubeObject | undefined,
  next: KubeObject,
  options: WriteOptions,
): KubeObject {
  const update = {
    live: current,
    next,
    manager: fieldManagerOf(call, options),
    now: call.core.clock.now(),
  };
  return track(update, fieldManagement(call.served, call.info.subresource, call.subresource));
}
