// One request to a resource as the verbs see it, and what all verbs share of the server.
import type { KubeObject } from '../api/index.ts';
import type { Clock, Logger, Random } from '../base/index.ts';
import type { AdmissionAttributes, AdmissionPlugin, ProtobufFrames, UserInfo } from '../machinery/index.ts';
import { notFound } from '../machinery/index.ts';
import type { Entry, Storage } from '../storage/index.ts';
import type { ApiRequest, RequestInfo } from './contract.ts';
import type { Representation } from './negotiation.ts';
import type { ObjectAccess } from './object-access.ts';
import type { ResourceRegistry, ServedResource } from './registry.ts';
import type { ResourceDefinition, Subresource, WriteContext } from './resource.ts';
import { storageKey } from './resource.ts';
import { View } from './view.ts';

export interface Core {
  readonly storage: Storage<KubeObject>;
  readonly registry: ResourceRegistry;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly admission: readonly AdmissionPlugin[];
  readonly objects: ObjectAccess;
  /** Throws a 403 StatusError unless the user may do this. */
  authorize(user: UserInfo, asked: RequestInfo): void;
  /** How long a watch without timeoutSeconds lasts, at least; up to twice that. */
  readonly minWatchMs: number;
  /** Aborts when the server closes. */
  readonly closing: AbortSignal;
  readonly frames: ProtobufFrames;
  viewOf(served: ServedResource): View;
}

/** Views keep what they converted, so there is one per definition and version. */
export class Views {
  readonly #views = new WeakMap<ResourceDefinition, Map<string, View>>();

  of({ definition, apiVersion }: Pick<ServedResource, 'definition' | 'apiVersion'>): View {
    let byVersion = this.#views.get(definition);
    if (byVersion === undefined) this.#views.set(definition, (byVersion = new Map()));
    let view = byVersion.get(apiVersion);
    if (view === undefined) byVersion.set(apiVersion, (view = new View(definition, apiVersion)));
    return view;
  }
}

export interface ResourceCall {
  readonly core: Core;
  readonly request: ApiRequest;
  readonly info: RequestInfo;
  readonly served: ServedResource;
  readonly view: View;
  /** Undefined: the resource itself. */
  readonly subresource: Subresource | undefined;
  readonly user: UserInfo;
  /** For the answer's Warning headers; in order and without repetition. */
  readonly warnings: Set<string>;
  /** How the client wants to see the answer. */
  readonly representation: Representation;
}

/** How messages name the resource. */
export function resourceOf({ served, info }: ResourceCall): { group: string; resource: string } {
  return { group: served.definition.group, resource: info.resource };
}

export function kindOf({ served }: ResourceCall): { group: string; kind: string } {
  return { group: served.definition.group, kind: served.definition.kind };
}

export function keyOf({ served, info }: ResourceCall, name: string): string {
  return storageKey(served.definition, info.namespace, name);
}

/** The prefix of all keys that a list or watch of this request covers. */
export function prefixOf({ served, info }: ResourceCall): string {
  const { definition } = served;
  return definition.namespaced && info.namespace !== ''
    ? `${definition.storageRoot}${info.namespace}/`
    : definition.storageRoot;
}

export async function mustGet(call: ResourceCall, name: string): Promise<Entry<KubeObject>> {
  const entry = await call.core.storage.get(keyOf(call, name));
  if (entry === undefined) throw notFound(resourceOf(call), name);
  return entry;
}

export function writeContext(call: ResourceCall, dryRun: boolean): WriteContext {
  const { core, user, warnings } = call;
  return {
    user,
    nowMs: core.clock.now(),
    dryRun,
    random: core.random,
    group: call.served.definition.group,
    version: call.served.version.name,
    warn: (message) => void warnings.add(message),
  };
}

export function admissionAttributes(
  call: ResourceCall,
  operation: AdmissionAttributes['operation'],
  given: Pick<AdmissionAttributes, 'name' | 'dryRun' | 'object' | 'oldObject' | 'options'>,
): AdmissionAttributes {
  const { served, info, user, request } = call;
  const { group, kind } = call.subresource?.kind ?? served.definition;
  return {
    operation,
    group,
    version: call.subresource?.kind?.version ?? served.version.name,
    kind,
    resource: info.resource,
    resourceGroup: served.definition.group,
    resourceVersion: served.version.name,
    subresource: info.subresource,
    namespace: info.namespace,
    user,
    ...(request.annotate === undefined ? {} : { annotate: request.annotate }),
    ...given,
  };
}
