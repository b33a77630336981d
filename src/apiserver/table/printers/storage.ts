// What `kubectl get` prints of storage.
import type { KubeObject, PersistentVolume, PersistentVolumeClaim } from '../../../api/index.ts';
import type { Printer } from '../../resource.ts';
import { UNSET, joined, printer } from '../columns.ts';
import { type Data, nameOf, specData } from './fields.ts';

const SHORT_MODES: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

function modesText(modes: readonly string[] | undefined): string {
  return [...new Set(modes)].map((mode) => SHORT_MODES[mode] ?? mode).join(',');
}

export const persistentVolumes: Printer = printer<PersistentVolume>(
  'Name|Capacity|Access Modes|Reclaim Policy|Status|Claim|StorageClass|VolumeAttributesClass|Reason|Age||VolumeMode',
  (one) => {
    const { claimRef } = one.spec ?? {};
    const phase = one.metadata.deletionTimestamp === undefined ? (one.status?.phase ?? '') : 'Terminating';
    return [
      nameOf(one),
      one.spec?.capacity?.['storage'] ?? '',
      modesText(one.spec?.accessModes),
      one.spec?.persistentVolumeReclaimPolicy ?? '',
      phase,
      claimRef === undefined ? '' : `${claimRef.namespace ?? ''}/${claimRef.name ?? ''}`,
      one.spec?.storageClassName ?? '',
      one.spec?.volumeAttributesClassName ?? UNSET,
      one.status?.reason ?? '',
      one.spec?.volumeMode ?? UNSET,
    ];
  },
);

export const persistentVolumeClaims: Printer = printer<PersistentVolumeClaim>(
  'Name|Status|Volume|Capacity|Access Modes|StorageClass|VolumeAttributesClass|Age||VolumeMode',
  (one) => {
    const bound = (one.spec?.volumeName ?? '') !== '';
    const phase = one.metadata.deletionTimestamp === undefined ? (one.status?.phase ?? '') : 'Terminating';
    return [
      nameOf(one),
      phase,
      one.spec?.volumeName ?? '',
      bound ? (one.status?.capacity?.['storage'] ?? '') : '',
      bound ? modesText(one.status?.accessModes) : '',
      one.spec?.storageClassName ?? '',
      one.spec?.volumeAttributesClassName ?? UNSET,
      one.spec?.volumeMode ?? UNSET,
    ];
  },
);

const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class';

export const storageClasses: Printer = printer<KubeObject>(
  'Name|Provisioner|ReclaimPolicy|VolumeBindingMode|AllowVolumeExpansion|Age',
  (one) => [
    one.metadata.annotations?.[DEFAULT_CLASS] === 'true' ? `${nameOf(one)} (default)` : nameOf(one),
    one['provisioner'] ?? '',
    one['reclaimPolicy'] ?? 'Delete',
    one['volumeBindingMode'] ?? 'Immediate',
    one['allowVolumeExpansion'] ?? false,
  ],
);

export const csiDrivers: Printer = printer<KubeObject>(
  'Name|AttachRequired|PodInfoOnMount|StorageCapacity|TokenRequests|RequiresRepublish|Modes|Age',
  (one) => {
    const spec = specData(one);
    const audiences = ((spec['tokenRequests'] as readonly { audience: string }[] | undefined) ?? []).map(
      ({ audience }) => audience,
    );
    return [
      nameOf(one),
      spec['attachRequired'] ?? true,
      spec['podInfoOnMount'] ?? false,
      spec['storageCapacity'] ?? false,
      audiences.length === 0 ? UNSET : audiences.join(','),
      spec['requiresRepublish'] ?? false,
      joined(spec['volumeLifecycleModes'] as readonly string[] | undefined),
    ];
  },
);

export const csiNodes: Printer = printer<KubeObject>('Name|Drivers|Age', (one) => [
  nameOf(one),
  ((specData(one)['drivers'] as readonly unknown[] | null | undefined) ?? []).length,
]);

export const volumeAttachments: Printer = printer<KubeObject>('Name|Attacher|PV|Node|Attached|Age', (one) => {
  const spec = specData(one);
  return [
    nameOf(one),
    spec['attacher'] ?? '',
    (spec['source'] as Data | undefined)?.['persistentVolumeName'] ?? '',
    spec['nodeName'] ?? '',
    (one['status'] as Data | undefined)?.['attached'] ?? false,
  ];
});

export const csiStorageCapacities: Printer = printer<KubeObject>('Name|StorageClassName|Capacity', (one) => [
  nameOf(one),
  one['storageClassName'] ?? '',
  one['capacity'] ?? UNSET,
]);

export const volumeAttributesClasses: Printer = printer<KubeObject>('Name|DriverName|Age', (one) => [
  nameOf(one),
  one['driverName'] ?? '',
]);
