// A claim grows only where its class says that volumes can.
import type { PersistentVolumeClaim, StorageClass } from '../../api/index.ts';
import { Quantity, forbidden, type AdmissionPlugin } from '../../machinery/index.ts';
import type { ObjectAccess } from '../object-access.ts';

export function volumeResize(objects: ObjectAccess): AdmissionPlugin {
  return {
    name: 'PersistentVolumeClaimResize',
    handles: ({ operation, group, resource, subresource }) =>
      operation === 'UPDATE' && group === '' && resource === 'persistentvolumeclaims' && subresource === '',
    async validate({ object, oldObject, name }) {
      const claim = object as unknown as PersistentVolumeClaim;
      const old = oldObject as unknown as PersistentVolumeClaim;
      const asked = Quantity.tryParse(claim.spec?.resources?.requests?.['storage']);
      const had = Quantity.tryParse(old.spec?.resources?.requests?.['storage']);
      if (asked === undefined || had === undefined || asked.nanos <= had.nanos) return;
      const resource = { group: '', resource: 'persistentvolumeclaims' };
      if (old.status?.phase !== 'Bound') {
        throw forbidden(resource, name, 'Only bound persistent volume claims can be expanded');
      }
      const className = claim.spec?.storageClassName ?? '';
      const found = await objects.get('storage.k8s.io', 'storageclasses', '', className);
      if ((found as StorageClass | undefined)?.allowVolumeExpansion === true) return;
      const why =
        'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize';
      throw forbidden(resource, name, why);
    },
  };
}
