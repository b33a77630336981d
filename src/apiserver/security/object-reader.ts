// What the security parts read from the store: single objects by name, in their storage version.
import type { KubeObject } from '../../api/index.ts';
import type { Storage } from '../../storage/index.ts';
import { storageRootOf } from '../resource.ts';

export interface ObjectReader {
  /** The object of a resource of the core group, or undefined. Without a namespace: of a cluster-wide one. */
  get(resource: string, namespace: string, name: string): Promise<KubeObject | undefined>;
}

export function objectReader(storage: Storage<KubeObject>): ObjectReader {
  return {
    async get(resource, namespace, name) {
      // A name with a slash would reach into another namespace.
      if (name === '' || namespace.includes('/') || name.includes('/')) return undefined;
      const within = namespace === '' ? '' : `${namespace}/`;
      const entry = await storage.get(`${storageRootOf('', resource)}${within}${name}`);
      return entry?.value;
    },
  };
}
