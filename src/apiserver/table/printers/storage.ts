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

/** In an order of its own, whatever order they are given in. */
function modesText(modes: readonly string[] | undefined): string {
  return Object.entries(SHORT_MODES)
    .flatMap(([mode, short]) => ((modes ?? []).includes(mode) ? [short] : []))
    .join(',');
}

/** COMPAT: an annotation from before there was a field still wins. */
function classOf(one: PersistentVolume | PersistentVolumeClaim): string {
  return (
    one.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? one.spec?.storageClassName ?? ''
  );
}

/** The name, and whether this is the class of those that name none. */
function defaultName(one: KubeObject, annotations: readonly string[]): string {
  const isDefault = annotations.some((annotation) => one.metadata.annotations?.[annotation] === 'true');
  return isDefault ? `${nameOf(one)} (default)` : nameOf(one);
}

export const persistentVolumes: Printer = printer<PersistentVolume>(
  'Name|Capacity|Access Modes|Reclaim Policy|Status|Claim|StorageClass|VolumeAttributesClass|Reason|Age||VolumeMode',
  (one) => {
    const { claimRef } = one.spec ?? {};
    const phase = one.metadata.deletionTimestamp === undefined ? (one.status?.phase ?? '') : 'Terminating';
    return [
      nameOf(one),
      one.spec?.capacity?.['storage'] ?? '0',
      modesText(one.spec?.accessModes),
      one.spec?.persistentVolumeReclaimPolicy ?? '',
      phase,
      claimRef === undefined ? '' : `${claimRef.namespace ?? ''}/${claimRef.name ?? ''}`,
      classOf(one),
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
      bound ? (one.status?.capacity?.['storage'] ?? '0') : '',
      bound ? modesText(one.status?.accessModes) : '',
      classOf(one),
      one.spec?.volumeAttributesClassName ?? UNSET,
      one.spec?.volumeMode ?? UNSET,
    ];
  },
);

const DEFAULT_CLASS = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
];
const DEFAULT_ATTRIBUTES = ['volumeattributesclass.alpha.kubernetes.io/is-default-class'];

export const storageClasses: Printer = printer<KubeObject>(
  'Name|Provisioner|ReclaimPolicy|VolumeBindingMode|AllowVolumeExpansion|Age',
  (one) => [
    defaultName(one, DEFAULT_CLASS),
    one['provisioner'] ?? '',
    one['reclaimPolicy'] ?? 'Delete',
    one['volumeBindingMode'] ?? 'Immediate',
    one['allowVolumeExpansion'] ?? false,
  ],
);

export const csiDrivers: Printer = printer<KubeObject>(
  'Name|AttachRequired:boolean|PodInfoOnMount:boolean|StorageCapacity:boolean|TokenRequests|RequiresRepublish:boolean|Modes|Age',
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

export const csiNodes: Printer = printer<KubeObject>('Name|Drivers:integer|Age', (one) => [
  nameOf(one),
  ((specData(one)['drivers'] as readonly unknown[] | null | undefined) ?? []).length,
]);

export const volumeAttachments: Printer = printer<KubeObject>(
  'Name|Attacher:string/name|PV|Node|Attached:boolean|Age',
  (one) => {
    const spec = specData(one);
    return [
      nameOf(one),
      spec['attacher'] ?? '',
      (spec['source'] as Data | undefined)?.['persistentVolumeName'] ?? '',
      spec['nodeName'] ?? '',
      (one['status'] as Data | undefined)?.['attached'] ?? false,
    ];
  },
);

export const csiStorageCapacities: Printer = printer<KubeObject>('Name|StorageClassName|Capacity', (one) => [
  nameOf(one),
  one['storageClassName'] ?? '',
  one['capacity'] ?? UNSET,
]);

export const volumeAttributesClasses: Printer = printer<KubeObject>('Name|DriverName|Age', (one) => [
  defaultName(one, DEFAULT_ATTRIBUTES),
  one['driverName'] ?? '',
]);
