// Claims to volumes: binds each claim to a volume that was there before, or to one made for it.
// Reads PersistentVolumeClaims, PersistentVolumes, StorageClasses, Pods. Writes claims and volumes.
// INVARIANT: a volume is bound to one claim and a claim to one volume, both by name and uid.
import type { PersistentVolumeClaimStatus } from '../../api/index.ts';
import {
  Quantity,
  hasFinalizer,
  labelSelectorFor,
  semanticEqual,
  withoutFinalizer,
} from '../../machinery/index.ts';
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../kinds.ts';
import { planOf, type EventNote, type Plan, type Write } from '../plan.ts';
import { compare } from '../pods.ts';
import { persistentVolumeClaims, persistentVolumes } from '../resources.ts';

export const PROVISIONER = 'simulation.navarch.io/volumes';
const DRIVER = 'volumes.simulation.navarch.io';
const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class';
const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed';
const BOUND_BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller';
const CLAIM_PROTECTION = 'kubernetes.io/pvc-protection';
const VOLUME_PROTECTION = 'kubernetes.io/pv-protection';
const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by';

export interface ClaimInput {
  readonly claim: PersistentVolumeClaim;
  readonly volumes: readonly PersistentVolume[];
  readonly classes: readonly StorageClass[];
  /** Whether a pod that is not finished mounts the claim. */
  readonly isUsed: boolean;
}

export function decideClaim(input: ClaimInput): Plan {
  const { claim } = input;
  if (claim.metadata.deletionTimestamp !== undefined) return letGo(input);
  const { volumeName } = claim.spec;
  if (volumeName !== undefined && volumeName !== '') return completeBinding(input, volumeName);
  const className = classNameOf(input);
  if (className === undefined) return pending(input, 'FailedBinding', NO_CLASS);
  if (claim.spec.storageClassName === undefined) return assignClass(claim, className);
  const existing = matchingVolume(input, className);
  if (existing !== undefined) return bind(claim, existing);
  if (className === '') return pending(input, 'FailedBinding', NO_CLASS);
  return provision(input, className);
}

/** A claim that is being deleted goes when no pod uses it any more. */
function letGo({ claim, isUsed }: ClaimInput): Plan {
  if (isUsed || !hasFinalizer(claim, CLAIM_PROTECTION)) return planOf([]);
  const object = withoutFinalizer(claim, CLAIM_PROTECTION);
  return planOf([[{ verb: 'update', resource: persistentVolumeClaims, object }]]);
}

const NO_CLASS = 'no persistent volumes available for this claim and no storage class is set';

/** The claim's class; that of the newest default class when it names none; undefined when there is neither. */
function classNameOf({ claim, classes }: ClaimInput): string | undefined {
  if (claim.spec.storageClassName !== undefined) return claim.spec.storageClassName;
  return defaultClass(classes)?.metadata.name;
}

export function defaultClass(classes: readonly StorageClass[]): StorageClass | undefined {
  return classes
    .filter(({ metadata }) => metadata.annotations?.[DEFAULT_CLASS] === 'true')
    .toSorted(
      (a, b) =>
        compare(b.metadata.creationTimestamp, a.metadata.creationTimestamp) ||
        compare(a.metadata.name, b.metadata.name),
    )[0];
}

function assignClass(claim: PersistentVolumeClaim, storageClassName: string): Plan {
  const object = { ...claim, spec: { ...claim.spec, storageClassName } };
  return planOf([[{ verb: 'update', resource: persistentVolumeClaims, object }]]);
}

function sizeOf(capacity: Readonly<Record<string, string | number>> | undefined): Quantity {
  return Quantity.tryParse(capacity?.['storage']) ?? Quantity.zero;
}

/** A volume that is reserved for the claim, or the smallest free one that satisfies it. */
function matchingVolume({ claim, volumes }: ClaimInput, className: string): PersistentVolume | undefined {
  const { namespace, name, uid } = claim.metadata;
  const reserved = volumes.find(
    ({ spec: { claimRef } }) =>
      claimRef?.namespace === namespace &&
      claimRef.name === name &&
      (claimRef.uid === undefined || claimRef.uid === '' || claimRef.uid === uid),
  );
  if (reserved !== undefined) return reserved;
  const asked = sizeOf(claim.spec.resources?.requests);
  const selector = claim.spec.selector === undefined ? undefined : labelSelectorFor(claim.spec.selector);
  return volumes
    .filter(
      ({ spec, metadata }) =>
        spec.claimRef === undefined &&
        metadata.deletionTimestamp === undefined &&
        (spec.storageClassName ?? '') === className &&
        (spec.volumeMode ?? 'Filesystem') === (claim.spec.volumeMode ?? 'Filesystem') &&
        sizeOf(spec.capacity).compare(asked) >= 0 &&
        (claim.spec.accessModes ?? []).every((mode) => spec.accessModes?.includes(mode) === true) &&
        (selector === undefined || selector.matches(metadata.labels ?? {})),
    )
    .toSorted(
      (a, b) =>
        sizeOf(a.spec.capacity).compare(sizeOf(b.spec.capacity)) || compare(a.metadata.name, b.metadata.name),
    )[0];
}

/** Reserves the volume, then points the claim at it; the next round completes both sides. */
function bind(claim: PersistentVolumeClaim, volume: PersistentVolume): Plan {
  const { namespace, name, uid, resourceVersion } = claim.metadata;
  const claimRef = { kind: 'PersistentVolumeClaim', apiVersion: 'v1', namespace, name, uid, resourceVersion };
  const reserved: Write[] =
    volume.spec.claimRef?.uid === uid
      ? []
      : [
          {
            verb: 'update',
            resource: persistentVolumes,
            object: {
              ...volume,
              metadata: withAnnotation(volume, BOUND_BY_CONTROLLER, 'yes'),
              spec: { ...volume.spec, claimRef },
            },
          },
        ];
  const pointed: Write = {
    verb: 'update',
    resource: persistentVolumeClaims,
    object: {
      ...claim,
      metadata: {
        ...claim.metadata,
        annotations: {
          ...claim.metadata.annotations,
          [BIND_COMPLETED]: 'yes',
          [BOUND_BY_CONTROLLER]: 'yes',
        },
      },
      spec: { ...claim.spec, volumeName: volume.metadata.name },
    },
  };
  return planOf([reserved, [pointed]]);
}

function withAnnotation<M extends { readonly annotations?: Readonly<Record<string, string>> }>(
  { metadata }: { readonly metadata: M },
  key: string,
  value: string,
): M {
  return { ...metadata, annotations: { ...metadata.annotations, [key]: value } };
}

function provision(input: ClaimInput, className: string): Plan {
  const { claim, classes, isUsed } = input;
  const storageClass = classes.find(({ metadata }) => metadata.name === className);
  if (storageClass === undefined) {
    const message = `storageclass.storage.k8s.io "${className}" not found`;
    return pending(input, 'ProvisioningFailed', message, 'Warning');
  }
  if (storageClass.volumeBindingMode === 'WaitForFirstConsumer' && !isUsed) {
    return pending(input, 'WaitForFirstConsumer', 'waiting for first consumer to be created before binding');
  }
  if (storageClass.provisioner.startsWith('kubernetes.io/no-provisioner')) {
    return pending(input, 'FailedBinding', NO_CLASS);
  }
  const { namespace, name, uid, resourceVersion } = claim.metadata;
  const volumeName = `pvc-${uid}`;
  const volume = {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: volumeName, annotations: { [PROVISIONED_BY]: storageClass.provisioner } },
    spec: {
      capacity: { storage: claim.spec.resources?.requests?.['storage'] ?? '1Gi' },
      accessModes: claim.spec.accessModes ?? ['ReadWriteOnce'],
      claimRef: { kind: 'PersistentVolumeClaim', apiVersion: 'v1', namespace, name, uid, resourceVersion },
      persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? 'Delete',
      storageClassName: className,
      volumeMode: claim.spec.volumeMode ?? 'Filesystem',
      csi: { driver: DRIVER, volumeHandle: volumeName },
    },
  };
  // The next round finds the volume reserved and binds it.
  return planOf(
    [[{ verb: 'create', resource: persistentVolumes, object: volume }]],
    [
      {
        about: claim,
        type: 'Normal',
        reason: 'ProvisioningSucceeded',
        message: `Successfully provisioned volume ${volumeName}`,
      },
    ],
  );
}

function pending(
  { claim }: ClaimInput,
  reason: string,
  message: string,
  type: EventNote['type'] = 'Normal',
): Plan {
  const events: EventNote[] = [{ about: claim, type, reason, message }];
  if (claim.status?.phase === 'Pending') return planOf([], events);
  const status: PersistentVolumeClaimStatus = { phase: 'Pending' };
  return planOf(
    [[{ verb: 'updateStatus', resource: persistentVolumeClaims, object: { ...claim, status } }]],
    events,
  );
}

/** A claim that names its volume: bound once the volume is there and names the claim. */
function completeBinding({ claim, volumes }: ClaimInput, volumeName: string): Plan {
  const volume = volumes.find(({ metadata }) => metadata.name === volumeName);
  const { uid, namespace, name } = claim.metadata;
  if (volume === undefined) {
    return claim.status?.phase === 'Bound'
      ? statusPlan(claim, { ...claim.status, phase: 'Lost' })
      : planOf([]);
  }
  const { claimRef } = volume.spec;
  if (
    claimRef === undefined ||
    (claimRef.uid === undefined && claimRef.name === name && claimRef.namespace === namespace)
  ) {
    return bind(claim, volume);
  }
  if (claimRef.uid !== uid) return planOf([]);
  const capacity = volume.spec.capacity ?? {};
  return statusPlan(claim, {
    ...claim.status,
    phase: 'Bound',
    accessModes: volume.spec.accessModes ?? [],
    capacity: { storage: capacity['storage'] ?? '0' },
  });
}

function statusPlan(claim: PersistentVolumeClaim, status: PersistentVolumeClaimStatus): Plan {
  if (semanticEqual(claim.status, status)) return planOf([]);
  return planOf([[{ verb: 'updateStatus', resource: persistentVolumeClaims, object: { ...claim, status } }]]);
}

// ---- volumes

export interface VolumeInput {
  readonly volume: PersistentVolume;
  /** The claim that the volume names, if it exists. */
  readonly claim: PersistentVolumeClaim | undefined;
}

/** A volume follows its claim: available, bound, and after the claim released or deleted. */
export function decideVolume({ volume, claim }: VolumeInput): Plan {
  const { claimRef, persistentVolumeReclaimPolicy: policy } = volume.spec;
  const isBound = claim !== undefined && claimRef?.uid === claim.metadata.uid;
  if (volume.metadata.deletionTimestamp !== undefined) {
    if (isBound || !hasFinalizer(volume, VOLUME_PROTECTION)) return planOf([]);
    const object = withoutFinalizer(volume, VOLUME_PROTECTION);
    return planOf([[{ verb: 'update', resource: persistentVolumes, object }]]);
  }
  if (claimRef === undefined) return phasePlan(volume, 'Available');
  if (claimRef.uid === undefined || claimRef.uid === '') return phasePlan(volume, 'Available');
  if (isBound) {
    return claim.spec.volumeName === volume.metadata.name ? phasePlan(volume, 'Bound') : planOf([]);
  }
  if (policy === 'Delete') {
    return planOf([[{ verb: 'delete', resource: persistentVolumes, object: volume }]]);
  }
  return phasePlan(volume, 'Released');
}

function phasePlan(volume: PersistentVolume, phase: 'Available' | 'Bound' | 'Released'): Plan {
  if (volume.status?.phase === phase) return planOf([]);
  const object = { ...volume, status: { ...volume.status, phase } };
  return planOf([[{ verb: 'updateStatus', resource: persistentVolumes, object }]]);
}
