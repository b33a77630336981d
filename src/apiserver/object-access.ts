// Objects of any kind for the server's own use: admission rules and subresources look at namespaces, quotas,
// budgets and classes. No authorization and no admission happen here; objects are of the storage version.
import type { KubeObject } from '../api/index.ts';
import type { Storage } from '../storage/index.ts';
import type { ResourceRegistry } from './registry.ts';
import { storageKey, type ResourceDefinition } from './resource.ts';

// LIMIT: how often a change is tried again when others change the same object.
const ATTEMPTS = 32;

export interface ObjectAccess {
  get(group: string, resource: string, namespace: string, name: string): Promise<KubeObject | undefined>;
  /** All objects; of one namespace when it is not empty. */
  list(group: string, resource: string, namespace: string): Promise<readonly KubeObject[]>;
  /** Changes an object that is there; undefined when it is not. The change gives undefined to leave it. */
  update(
    group: string,
    resource: string,
    namespace: string,
    name: string,
    change: (object: KubeObject) => KubeObject | undefined,
  ): Promise<KubeObject | undefined>;
}

export function createObjectAccess(registry: ResourceRegistry, storage: Storage<KubeObject>): ObjectAccess {
  const keyOf = (group: string, resource: string, namespace: string, name: string): string | undefined => {
    const definition = registry.get(group, resource);
    return definition === undefined ? undefined : storageKey(definition, namespace, name);
  };
  const prefixOf = ({ namespaced, storageRoot }: ResourceDefinition, namespace: string): string =>
    namespaced && namespace !== '' ? `${storageRoot}${namespace}/` : storageRoot;
  return {
    async get(group, resource, namespace, name) {
      const key = keyOf(group, resource, namespace, name);
      return key === undefined ? undefined : (await storage.get(key))?.value;
    },
    async list(group, resource, namespace) {
      const definition = registry.get(group, resource);
      if (definition === undefined) return [];
      const { entries } = await storage.list(prefixOf(definition, namespace));
      return entries.map(({ value }) => value);
    },
    async update(group, resource, namespace, name, change) {
      const key = keyOf(group, resource, namespace, name);
      if (key === undefined) return undefined;
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const entry = await storage.get(key);
        if (entry === undefined) return undefined;
        const next = change(entry.value);
        if (next === undefined) return entry.value;
        const result = await storage.update(key, next, entry.revision);
        if (result.ok) return result.entry.value;
      }
      return undefined;
    },
  };
}
