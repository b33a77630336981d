// Volumes and claims carry a finalizer, so that none goes while a pod or a claim uses it. Who takes it off again is
// the protection controller of the cluster.
import { withFinalizer, type AdmissionPlugin } from '../../machinery/index.ts';
import { deepFreeze } from '../../api/index.ts';

const FINALIZERS: Readonly<Record<string, string>> = {
  persistentvolumes: 'kubernetes.io/pv-protection',
  persistentvolumeclaims: 'kubernetes.io/pvc-protection',
};

export const storageProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  handles: ({ operation, group, resource, subresource }) =>
    operation === 'CREATE' && group === '' && subresource === '' && Object.hasOwn(FINALIZERS, resource),
  mutate: ({ object, resource }) => deepFreeze(withFinalizer(object!, FINALIZERS[resource]!)),
};
