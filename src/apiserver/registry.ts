// Which resources the server serves right now. Custom resource definitions come and go while it runs, so
// everything asks here for each request, and whoever derives something from the whole set (discovery, OpenAPI)
// derives it again when `generation` has moved.
import { formatApiVersion } from '../api/index.ts';
import type { ResourceDefinition, ResourceVersion } from './resource.ts';

/** One resource at one version, as a request path names it. */
export interface ServedResource {
  readonly definition: ResourceDefinition;
  readonly version: ResourceVersion;
  readonly apiVersion: string;
}

export class ResourceRegistry {
  readonly #definitions = new Map<string, ResourceDefinition>();
  readonly #served = new Map<string, ServedResource>();
  readonly #listeners = new Set<() => void>();
  #generation = 0;

  /** Moves with every change. */
  get generation(): number {
    return this.#generation;
  }

  /** All definitions in the order in which they were first added. */
  definitions(): readonly ResourceDefinition[] {
    return [...this.#definitions.values()];
  }

  get(group: string, resource: string): ResourceDefinition | undefined {
    return this.#definitions.get(`${group}/${resource}`);
  }

  /** Undefined when there is no such resource, or not in this version, or the version is not served. */
  find(group: string, version: string, resource: string): ServedResource | undefined {
    return this.#served.get(`${group}/${version}/${resource}`);
  }

  /** Whether anything is served at this group and version. */
  hasGroupVersion(group: string, version: string): boolean {
    return this.definitions().some(
      (one) => one.group === group && one.versions.some(({ name, served }) => served && name === version),
    );
  }

  findByKind(group: string, kind: string): ResourceDefinition | undefined {
    for (const one of this.#definitions.values()) if (one.group === group && one.kind === kind) return one;
    return undefined;
  }

  /** Adds definitions, or replaces those of the same group and resource. */
  put(...definitions: readonly ResourceDefinition[]): void {
    for (const definition of definitions) {
      this.#forget(definition.group, definition.resource);
      this.#definitions.set(`${definition.group}/${definition.resource}`, definition);
      for (const version of definition.versions) {
        if (!version.served) continue;
        const { group, resource } = definition;
        const apiVersion = formatApiVersion({ group, version: version.name });
        this.#served.set(`${group}/${version.name}/${resource}`, { definition, version, apiVersion });
      }
    }
    this.#changed();
  }

  remove(group: string, resource: string): void {
    this.#forget(group, resource);
    if (this.#definitions.delete(`${group}/${resource}`)) this.#changed();
  }

  /** Calls back after each change; returns how to stop that. */
  onChange(callback: () => void): () => void {
    this.#listeners.add(callback);
    return () => void this.#listeners.delete(callback);
  }

  #forget(group: string, resource: string): void {
    const known = this.get(group, resource);
    for (const version of known?.versions ?? []) this.#served.delete(`${group}/${version.name}/${resource}`);
  }

  #changed(): void {
    this.#generation++;
    for (const callback of this.#listeners) callback();
  }
}
