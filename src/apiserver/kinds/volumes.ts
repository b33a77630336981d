// Storage: PersistentVolume and its claim; the kinds of storage.k8s.io have files of their own.
import type {
  KubeObject,
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
} from '../../api/index.ts';
import { formatTime } from '../../base/index.ts';
import { Quantity, fieldError, semanticEqual, type FieldError } from '../../machinery/index.ts';
import type { WriteContext } from '../resource.ts';
import { change, fill } from '../typed/drafts.ts';
import type { BuiltinKind, BuiltinKinds } from './builtin.ts';
import { immutable } from './checks.ts';
import { csiDriver, csiNode, csiStorageCapacity, volumeAttachment } from './csi.ts';
import { statusSubresource } from './status.ts';
import { storageClass, volumeAttributesClass } from './storage-classes.ts';
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

function validateClaimStatus(object: KubeObject): FieldError[] {
  const { capacity = {} } = (object as unknown as PersistentVolumeClaim).status ?? {};
  return Object.entries(capacity).flatMap(([name, value]) => {
    const quantity = Quantity.tryParse(value) ?? Quantity.zero;
    const why = 'must be a valid resource quantity';
    return quantity.sign < 0 ? [fieldError.invalid(`status.capacity[${name}]`, quantity.value(), why)] : [];
  });
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
  subresources: { status: statusSubresource({ changesLabels: true, validate: validateClaimStatus }) },
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

/** Says since when the phase is what it is, unless whoever writes the status says so. */
function withTransitionTime(next: KubeObject, old: KubeObject, { nowMs }: WriteContext): KubeObject {
  const [volume, { status: before }] = [next, old] as unknown as readonly [
    PersistentVolume,
    PersistentVolume,
  ];
  const since = volume.status?.lastPhaseTransitionTime;
  const known = before?.lastPhaseTransitionTime;
  const moved = volume.status?.phase !== before?.phase;
  if (since !== undefined && !(moved && since === known)) return next;
  const time = moved ? formatTime(nowMs) : known;
  if (time === undefined) return next;
  return Object.freeze({
    ...next,
    status: Object.freeze({ ...volume.status, lastPhaseTransitionTime: time }),
  });
}

const persistentVolume: BuiltinKind = {
  defaults: volumeDefaults,
  strategy: {
    returnsDeleted: true,
    prepareForCreate: (object, { nowMs }) =>
      Object.freeze({
        ...object,
        status: Object.freeze({ phase: 'Pending', lastPhaseTransitionTime: formatTime(nowMs) }),
      }),
    validate: validateVolume,
    warnings: volumeWarnings,
    validateUpdate: validateVolumeUpdate,
  },
  subresources: { status: statusSubresource({ changesLabels: true, prepare: withTransitionTime }) },
  printer: printers.persistentVolumes,
};

export const volumes: BuiltinKinds = {
  '/persistentvolumeclaims': persistentVolumeClaim,
  '/persistentvolumes': persistentVolume,
  'storage.k8s.io/storageclasses': storageClass,
  'storage.k8s.io/volumeattributesclasses': volumeAttributesClass,
  'storage.k8s.io/csidrivers': csiDriver,
  'storage.k8s.io/csinodes': csiNode,
  'storage.k8s.io/csistoragecapacities': csiStorageCapacity,
  'storage.k8s.io/volumeattachments': volumeAttachment,
};
