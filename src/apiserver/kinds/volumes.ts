// Storage: PersistentVolume and its claim, StorageClass and the small kinds around them.
import type {
  KubeObject,
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
} from '../../api/index.ts';
import {
  Quantity,
  fieldError,
  isQualifiedName,
  nameIsDnsSubdomain,
  semanticEqual,
  type FieldError,
} from '../../machinery/index.ts';
import { change, fill } from '../typed/drafts.ts';
import type { BuiltinKind, BuiltinKinds } from './builtin.ts';
import { immutable, named, oneOf } from './checks.ts';
import { statusSubresource } from './status.ts';
import { validateVolume, validateVolumeUpdate } from './persistent-volume-validation.ts';
import { pvcDefaults } from './volume-claim-defaults.ts';
import { validatePvcSpec } from './volume-claim-validation.ts';
import { storageClassWarnings, volumeWarnings } from './warnings.ts';
import * as printers from '../table/printers.ts';

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
  if (asked !== undefined && had !== undefined && asked.compare(had) < 0) {
    const capacity = Quantity.tryParse(before.status?.capacity?.['storage']) ?? Quantity.zero;
    if (asked.compare(capacity) <= 0) {
      const why = 'field can not be less than status.capacity';
      errors.push(fieldError.forbidden('spec.resources.requests.storage', why));
    }
  }
  errors.push(...immutable(claim.spec?.volumeMode, oldSpec.volumeMode, 'volumeMode'));
  const [kind, oldKind] = [claim.spec?.volumeAttributesClassName, oldSpec.volumeAttributesClassName];
  if (oldKind !== undefined && (kind === undefined || kind === '')) {
    const to = kind === undefined ? 'nil' : 'an empty string';
    const why = `update from non-nil value to ${to} is forbidden`;
    errors.push(fieldError.forbidden('spec.volumeAttributesClassName', why));
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

function volumeDefaults(object: KubeObject): KubeObject {
  const volume = change(object as unknown as PersistentVolume, 'spec', (spec) => {
    const filled = fill(spec, { persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem' });
    return change(filled, 'hostPath', (path) => fill(path, { type: '' }));
  });
  return change(volume, 'status', (status) => fill(status, { phase: 'Pending' }));
}

const persistentVolume: BuiltinKind = {
  defaults: volumeDefaults,
  strategy: {
    returnsDeleted: true,
    prepareForCreate: (object) => Object.freeze({ ...object, status: Object.freeze({ phase: 'Pending' }) }),
    validate: validateVolume,
    warnings: volumeWarnings,
    validateUpdate: validateVolumeUpdate,
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
