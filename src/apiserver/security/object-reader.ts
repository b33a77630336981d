// What the security parts read from the store: single objects by name, in their storage version.
import type { KubeObject } from '../../api/index.ts';
import type { Storage } from '../../storage/index.ts';
import { storageRootOf } from '../resource.ts';

export interface ObjectReader {
  /** The object of a namespaced resource of the core group, or undefined. */
  get(resource: string, namespace: string, name: string): Promise<KubeObject | undefined>;
}

export function objectReader(storage: Storage<KubeObject>): ObjectReader {
  return {
    async get(resource, namespace, name) {
      // A name with a slash would reach into another namespace.
      if (namespace === '' || name === '' || namespace.includes('/') || name.includes('/')) return undefined;
      const entry = await storage.get(`${storageRootOf('', resource)}${namespace}/${name}`);
      return entry?.value;
    },
  };
}
