// The objects of a request in the form in which a webhook or policy asked for them, and back again.
import {
  deepFreeze,
  formatApiVersion,
  parseApiVersion,
  type JsonObject,
  type KubeObject,
} from '../../api/index.ts';
import type { AdmissionAttributes } from '../../machinery/index.ts';
import { Views } from '../call.ts';
import type { ResourceRegistry } from '../registry.ts';
import type { Projection, ResourceDefinition } from '../resource.ts';
import type { SeenAs } from './matching.ts';

export interface SeenObjects {
  readonly object: KubeObject | undefined;
  readonly oldObject: KubeObject | undefined;
}

export class ObjectForms {
  readonly #registry: ResourceRegistry;
  readonly #views = new Views();

  constructor(registry: ResourceRegistry) {
    this.#registry = registry;
  }

  async show({ subresource, object, oldObject }: AdmissionAttributes, seen: SeenAs): Promise<SeenObjects> {
    const form = (one: KubeObject | undefined): Promise<KubeObject | undefined> =>
      one === undefined ? Promise.resolve(undefined) : this.#shown(one, subresource, seen);
    return { object: await form(object), oldObject: await form(oldObject) };
  }

  /** What of the request's object becomes of the changed `json`, which is in the form `seen`. */
  async takeBack(
    original: KubeObject,
    json: JsonObject,
    { subresource }: AdmissionAttributes,
    seen: SeenAs,
  ): Promise<KubeObject> {
    const definition = this.#registry.get(seen.group, seen.resource);
    const report = { problems: [] };
    const projection = this.#projection(definition, original, subresource);
    if (projection !== undefined) return projection.write(original, projection.decode(json, report));
    const served = this.#registry.find(seen.group, seen.version, seen.resource);
    if (served === undefined) return original;
    // A subresource's own object (an Eviction) has one form only.
    if (definition !== undefined && original.kind !== definition.kind) {
      return deepFreeze(json as unknown as KubeObject);
    }
    const decoded = served.version.decode(json, report);
    return this.#converted(decoded, served.definition, original.apiVersion);
  }

  async #shown(object: KubeObject, subresource: string, seen: SeenAs): Promise<KubeObject> {
    const definition = this.#registry.get(seen.group, seen.resource);
    const projection = this.#projection(definition, object, subresource);
    if (projection !== undefined) return projection.read(object);
    const { group } = parseApiVersion(object.apiVersion);
    const own = this.#registry.get(group, seen.resource);
    if (own === undefined) return object;
    return this.#converted(object, own, formatApiVersion(seen));
  }

  /** Only objects of the resource itself are shown as the kind of a subresource. */
  #projection(
    definition: ResourceDefinition | undefined,
    object: KubeObject,
    subresource: string,
  ): Projection | undefined {
    if (definition === undefined || !Object.hasOwn(definition.subresources, subresource)) return undefined;
    const { projection } = definition.subresources[subresource]!;
    return object.kind === definition.kind ? projection : undefined;
  }

  async #converted(object: KubeObject, from: ResourceDefinition, apiVersion: string): Promise<KubeObject> {
    if (object.apiVersion === apiVersion) return object;
    const stored = await this.#views
      .of({ definition: from, apiVersion: object.apiVersion })
      .toStorage(object);
    const { group } = parseApiVersion(apiVersion);
    const to =
      group === from.group
        ? from
        : this.#registry
            .definitions()
            .find((one) => one.group === group && one.storageRoot === from.storageRoot);
    if (to === undefined) return object;
    return this.#views.of({ definition: to, apiVersion }).fromStorage(stored);
  }
}
