// Storage: PersistentVolume and its claim, StorageClass and the small kinds around them.
import type {
  KubeObject,
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  PersistentVolumeSpec,
} from '../../api/index.ts';
import {
  Quantity,
  fieldError,
  isDns1123Subdomain,
  isQualifiedName,
  nameIsDnsSubdomain,
  semanticEqual,
  type FieldError,
} from '../../machinery/index.ts';
import { change, fill } from '../typed/drafts.ts';
import type { BuiltinKind, BuiltinKinds } from './builtin.ts';
import { immutable, named, oneOf, quantityNotNegative } from './checks.ts';
import { statusSubresource } from './status.ts';
import { pvcDefaults } from './volume-claim-defaults.ts';
import { storageClassWarnings, volumeWarnings } from './warnings.ts';
import * as printers from '../table/printers.ts';

const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];

function validateAccessModes(modes: readonly string[], path: string): FieldError[] {
  return [
    ...(modes.length === 0 ? [fieldError.required(path, 'at least 1 access mode is required')] : []),
    ...modes.flatMap((mode) => oneOf(mode, ACCESS_MODES, path, false)),
    ...(modes.includes('ReadWriteOncePod') && modes.length > 1
      ? [fieldError.forbidden(path, 'may not use ReadWriteOncePod with other access modes')]
      : []),
  ];
}

function validateClass(name: string | undefined, path: string): FieldError[] {
  return name === undefined || name === '' ? [] : named(isDns1123Subdomain(name), name, path);
}

export function validatePvcSpec(spec: PersistentVolumeClaimSpec, path: string): FieldError[] {
  const errors = validateAccessModes(spec.accessModes ?? [], `${path}.accessModes`);
  const storage = spec.resources?.requests?.['storage'];
  if (storage === undefined) {
    errors.push(fieldError.required(`${path}.resources[storage]`));
  } else {
    const quantity = Quantity.tryParse(storage);
    if (quantity !== undefined && quantity.nanos <= 0n) {
      errors.push(
        fieldError.invalid(`${path}.resources[storage]`, String(storage), 'must be greater than zero'),
      );
    }
  }
  errors.push(...validateClass(spec.storageClassName, `${path}.storageClassName`));
  errors.push(...oneOf(spec.volumeMode, ['Block', 'Filesystem'], `${path}.volumeMode`));
  return errors;
}

/** What may still change in the spec of a claim: requests once it is bound, and the volume it was bound to. */
function claimWithout(
  spec: PersistentVolumeClaimSpec,
  old: PersistentVolumeClaimSpec,
  bound: boolean,
): object {
  const { resources, volumeName, volumeAttributesClassName, storageClassName, ...rest } = spec;
  return {
    ...rest,
    ...(bound ? {} : { resources, volumeAttributesClassName }),
    // A claim that has no volume yet may be given one, and one without a class the default class.
    volumeName: (old.volumeName ?? '') === '' ? '' : volumeName,
    storageClassName: old.storageClassName === undefined ? '' : storageClassName,
  };
}

function validateClaimUpdate(next: KubeObject, old: KubeObject): FieldError[] {
  const claim = next as unknown as PersistentVolumeClaim;
  const before = old as unknown as PersistentVolumeClaim;
  const errors = validatePvcSpec(claim.spec ?? {}, 'spec');
  const bound = before.status?.phase === 'Bound';
  const oldSpec = before.spec ?? {};
  if (!semanticEqual(claimWithout(claim.spec ?? {}, oldSpec, bound), claimWithout(oldSpec, oldSpec, bound))) {
    const why =
      'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';
    errors.push(fieldError.forbidden('spec', why));
  }
  const asked = Quantity.tryParse(claim.spec?.resources?.requests?.['storage']);
  const had = Quantity.tryParse(oldSpec.resources?.requests?.['storage']);
  if (bound && asked !== undefined && had !== undefined && asked.nanos < had.nanos) {
    const capacity = Quantity.tryParse(before.status?.capacity?.['storage']);
    if (capacity === undefined || asked.nanos < capacity.nanos) {
      const why = 'field can not be less than status.capacity';
      errors.push(fieldError.forbidden('spec.resources.requests.storage', why));
    }
  }
  return errors;
}

const persistentVolumeClaim: BuiltinKind = {
  defaults: (object) => pvcDefaults(object as unknown as PersistentVolumeClaim),
  strategy: {
    returnsDeleted: true,
    prepareForCreate: (object) => Object.freeze({ ...object, status: Object.freeze({ phase: 'Pending' }) }),
    validate: (object) => validatePvcSpec((object['spec'] as PersistentVolumeClaimSpec) ?? {}, 'spec'),
    validateUpdate: validateClaimUpdate,
    warnings: storageClassWarnings,
  },
  subresources: { status: statusSubresource({ changesLabels: true }) },
  printer: printers.persistentVolumeClaims,
};

// ---- PersistentVolume

const NO_SOURCE = new Set([
  'capacity',
  'accessModes',
  'claimRef',
  'persistentVolumeReclaimPolicy',
  'storageClassName',
  'mountOptions',
  'volumeMode',
  'nodeAffinity',
  'volumeAttributesClassName',
]);

function sourcesOf(spec: PersistentVolumeSpec): Record<string, unknown> {
  return Object.fromEntries(Object.entries(spec).filter(([field]) => !NO_SOURCE.has(field)));
}

function volumeDefaults(object: KubeObject): KubeObject {
  const volume = change(object as unknown as PersistentVolume, 'spec', (spec) => {
    const filled = fill(spec, { persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem' });
    return change(filled, 'hostPath', (path) => fill(path, { type: '' }));
  });
  return change(volume, 'status', (status) => fill(status, { phase: 'Pending' }));
}

function validateVolume(object: KubeObject): FieldError[] {
  const spec = (object['spec'] as PersistentVolumeSpec | undefined) ?? {};
  const errors = validateAccessModes(spec.accessModes ?? [], 'spec.accessModes');
  const capacity = spec.capacity ?? {};
  if (Object.keys(capacity).length === 0) errors.push(fieldError.required('spec.capacity'));
  else if (capacity['storage'] === undefined || Object.keys(capacity).length > 1) {
    errors.push(fieldError.notSupported('spec.capacity', capacity, ['storage']));
  }
  for (const [name, value] of Object.entries(capacity)) {
    errors.push(...quantityNotNegative(value, `spec.capacity[${name}]`));
    if ((Quantity.tryParse(value)?.nanos ?? 1n) <= 0n) {
      errors.push(fieldError.invalid(`spec.capacity[${name}]`, String(value), 'must be greater than zero'));
    }
  }
  errors.push(
    ...oneOf(
      spec.persistentVolumeReclaimPolicy,
      ['Delete', 'Recycle', 'Retain'],
      'spec.persistentVolumeReclaimPolicy',
    ),
  );
  const sources = Object.keys(sourcesOf(spec));
  if (sources.length === 0) errors.push(fieldError.required('spec', 'must specify a volume type'));
  for (const extra of sources.slice(1)) {
    errors.push(fieldError.forbidden(`spec.${extra}`, 'may not specify more than 1 volume type'));
  }
  errors.push(...validateClass(spec.storageClassName, 'spec.storageClassName'));
  errors.push(...oneOf(spec.volumeMode, ['Block', 'Filesystem'], 'spec.volumeMode'));
  return errors;
}

const persistentVolume: BuiltinKind = {
  defaults: volumeDefaults,
  strategy: {
    returnsDeleted: true,
    prepareForCreate: (object) => Object.freeze({ ...object, status: Object.freeze({ phase: 'Pending' }) }),
    validate: validateVolume,
    warnings: volumeWarnings,
    validateUpdate(next, old) {
      const errors = validateVolume(next);
      const [spec, oldSpec] = [next['spec'] as PersistentVolumeSpec, old['spec'] as PersistentVolumeSpec];
      if (!semanticEqual(sourcesOf(spec), sourcesOf(oldSpec))) {
        const why = 'spec.persistentvolumesource is immutable after creation';
        errors.push(fieldError.forbidden('spec.persistentvolumesource', why));
      }
      errors.push(...immutable(spec.volumeMode, oldSpec.volumeMode, 'volumeMode'));
      return errors;
    },
  },
  subresources: { status: statusSubresource({ changesLabels: true }) },
  printer: printers.persistentVolumes,
};

// ---- storage.k8s.io

const storageClass: BuiltinKind = {
  defaults: (object) => fill(object, { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' }),
  strategy: {
    returnsDeleted: true,
    validate: validateStorageClass,
    validateUpdate: (next, old) => [
      ...validateStorageClass(next),
      ...(['parameters', 'provisioner', 'reclaimPolicy', 'volumeBindingMode'] as const).flatMap((field) =>
        immutable(next[field], old[field], field),
      ),
    ],
  },
  printer: printers.storageClasses,
};

function validateStorageClass(object: KubeObject): FieldError[] {
  const provisioner = (object['provisioner'] as string | undefined) ?? '';
  return [
    ...(provisioner === ''
      ? [fieldError.required('provisioner')]
      : named(isQualifiedName(provisioner.toLowerCase()), provisioner, 'provisioner')),
    ...oneOf(object['reclaimPolicy'] as string, ['Delete', 'Retain'], 'reclaimPolicy'),
    ...oneOf(
      object['volumeBindingMode'] as string,
      ['Immediate', 'WaitForFirstConsumer'],
      'volumeBindingMode',
      false,
    ),
  ];
}

const csiDriver: BuiltinKind = {
  defaults: (object) =>
    change(object as unknown as { spec?: Record<string, unknown> }, 'spec', (spec) =>
      fill(spec, {
        attachRequired: true,
        podInfoOnMount: false,
        storageCapacity: false,
        fsGroupPolicy: 'ReadWriteOnceWithFSType',
        requiresRepublish: false,
        seLinuxMount: false,
        ...(spec['volumeLifecycleModes'] === undefined ? { volumeLifecycleModes: ['Persistent'] } : {}),
      }),
    ) as unknown as KubeObject,
  strategy: {
    returnsDeleted: true,
    generation: 'spec',
    requiresResourceVersion: true,
    nameRule: nameIsDnsSubdomain,
  },
  printer: printers.csiDrivers,
};

export const volumes: BuiltinKinds = {
  '/persistentvolumeclaims': persistentVolumeClaim,
  '/persistentvolumes': persistentVolume,
  'storage.k8s.io/storageclasses': storageClass,
  'storage.k8s.io/csidrivers': csiDriver,
  'storage.k8s.io/csinodes': { strategy: { returnsDeleted: true }, printer: printers.csiNodes },
  'storage.k8s.io/volumeattachments': {
    strategy: {
      returnsDeleted: true,
      requiresResourceVersion: true,
      validateUpdate: (next, old) => immutable(next['spec'], old['spec'], 'spec'),
    },
    printer: printers.volumeAttachments,
  },
  'storage.k8s.io/csistoragecapacities': {
    strategy: {
      validateUpdate: (next, old) => [
        ...immutable(next['nodeTopology'], old['nodeTopology'], 'nodeTopology'),
        ...immutable(next['storageClassName'], old['storageClassName'], 'storageClassName'),
      ],
    },
    printer: printers.csiStorageCapacities,
  },
  'storage.k8s.io/volumeattributesclasses': {
    strategy: {
      returnsDeleted: true,
      validateUpdate: (next, old) => [
        ...immutable(next['driverName'], old['driverName'], 'driverName'),
        ...immutable(next['parameters'], old['parameters'], 'parameters'),
      ],
    },
    printer: printers.volumeAttributesClasses,
  },
};
