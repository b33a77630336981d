// Nothing is created in a namespace that is not there or is going, and some namespaces never go.
import type { Namespace } from '../../api/index.ts';
import { StatusError, forbidden, notFound, type AdmissionPlugin } from '../../machinery/index.ts';
import type { ObjectAccess } from '../object-access.ts';

const PERMANENT = new Set(['default', 'kube-system', 'kube-public', 'kube-node-lease']);
const NAMESPACES = { group: '', resource: 'namespaces' } as const;

/** Reviews are asked about namespaces, not stored in them. */
const REVIEWS = new Set(['localsubjectaccessreviews']);

export function namespaceLifecycle(objects: ObjectAccess): AdmissionPlugin {
  return {
    name: 'NamespaceLifecycle',
    handles: ({ operation, namespace, resource, group, subresource }) =>
      (operation === 'CREATE' && namespace !== '' && !REVIEWS.has(resource)) ||
      (operation === 'DELETE' && group === '' && resource === 'namespaces' && subresource === ''),
    async validate({ operation, group, resource, namespace, name, subresource }) {
      if (operation === 'DELETE') {
        if (PERMANENT.has(name)) throw forbidden(NAMESPACES, name, 'this namespace may not be deleted');
        return;
      }
      if (resource === 'namespaces' && group === '') return;
      const found = (await objects.get('', 'namespaces', '', namespace)) as unknown as Namespace | undefined;
      if (found === undefined) throw notFound(NAMESPACES, namespace);
      const going = found.metadata.deletionTimestamp !== undefined || found.status?.phase === 'Terminating';
      if (!going || subresource !== '') return;
      const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
      const refusal = forbidden({ group, resource }, name, why);
      const message = `namespace ${namespace} is being terminated`;
      throw new StatusError(403, 'Forbidden', refusal.message, {
        ...refusal.status.details,
        causes: [{ reason: 'NamespaceTerminating', message, field: 'metadata.namespace' }],
      });
    },
  };
}
