// Tells a pod where it runs: zone and region of its node, as labels, once it is bound.
import { deepFreeze, type KubeObject } from '../../api/index.ts';
import type { AdmissionPlugin } from '../../machinery/index.ts';
import type { ObjectAccess } from '../object-access.ts';

const LABELS = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region'] as const;

interface Bound {
  readonly target?: { readonly name?: string };
  readonly spec?: { readonly nodeName?: string };
}

export function podTopology(objects: ObjectAccess): AdmissionPlugin {
  return {
    name: 'PodTopologyLabels',
    handles: ({ operation, resourceGroup, resource, subresource }) =>
      operation === 'CREATE' &&
      resourceGroup === '' &&
      resource === 'pods' &&
      (subresource === '' || subresource === 'binding'),
    async mutate({ object, subresource }) {
      const { target, spec } = object as unknown as Bound;
      const name = (subresource === 'binding' ? target?.name : spec?.nodeName) ?? '';
      const node: KubeObject | undefined = name === '' ? undefined : await objects.get('', 'nodes', '', name);
      const found = LABELS.flatMap((label): [string, string][] => {
        const value = node?.metadata.labels?.[label];
        return value === undefined ? [] : [[label, value]];
      });
      if (found.length === 0) return object!;
      const labels = { ...object!.metadata?.labels, ...Object.fromEntries(found) };
      return deepFreeze({ ...object!, metadata: { ...object!.metadata, labels } });
    },
  };
}
