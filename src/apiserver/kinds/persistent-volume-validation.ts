// What makes persistent volumes valid. The words, the paths and the order are kube-apiserver's.
import type { KubeObject, PersistentVolumeSpec } from '../../api/index.ts';
import {
  Quantity,
  fieldError,
  isDns1123Label,
  isDns1123Subdomain,
  type FieldError,
} from '../../machinery/index.ts';
import { immutable, named, noBacksteps, oneOf, oneOfIfGiven } from './checks.ts';
import { validateNodeTerm } from './pod-placement.ts';
import { VOLUME_SOURCES, needed, validateDriverName, validateSource } from './pod-volumes.ts';
import { validateAccessModes, validateClass } from './volume-claim-validation.ts';

type Csi = NonNullable<PersistentVolumeSpec['csi']>;
type Reference = NonNullable<Csi['nodePublishSecretRef']>;

const {
  hostPath,
  gcePersistentDisk,
  awsElasticBlockStore,
  glusterfs,
  flocker,
  nfs,
  rbd,
  quobyte,
  cephfs,
  iscsi,
  cinder,
  fc,
  flexVolume,
  azureFile,
  vsphereVolume,
  photonPersistentDisk,
  portworxVolume,
  azureDisk,
  scaleIO,
  storageos,
} = VOLUME_SOURCES;

const SECRETS = [
  'controllerPublishSecretRef',
  'controllerExpandSecretRef',
  'nodePublishSecretRef',
  'nodeExpandSecretRef',
] as const;

/** COMPAT: in upstream's order. */
const SOURCES = {
  hostPath,
  gcePersistentDisk,
  awsElasticBlockStore,
  glusterfs,
  flocker,
  nfs,
  rbd,
  quobyte,
  cephfs,
  iscsi,
  cinder,
  fc,
  flexVolume,
  azureFile,
  vsphereVolume,
  photonPersistentDisk,
  portworxVolume,
  azureDisk,
  scaleIO,
  local: ({ path: file }: NonNullable<PersistentVolumeSpec['local']>, path: string): FieldError[] =>
    file === '' ? [fieldError.required(`${path}.path`)] : noBacksteps(file, `${path}.path`),
  storageos,
  csi: (csi: Csi, path: string): FieldError[] => [
    ...validateDriverName(csi.driver, `${path}.driver`),
    ...needed(['volumeHandle'])(csi, path),
    ...SECRETS.flatMap((field) => validateReference(csi[field], `${path}.${field}`)),
  ],
};

function validateReference(reference: Reference | undefined, path: string): FieldError[] {
  if (reference === undefined) return [];
  const { name = '', namespace = '' } = reference;
  return [
    ...(name === ''
      ? [fieldError.required(`${path}.name`)]
      : named(isDns1123Subdomain(name), name, `${path}.name`)),
    ...(namespace === ''
      ? [fieldError.required(`${path}.namespace`)]
      : named(isDns1123Label(namespace), namespace, `${path}.namespace`)),
  ];
}

function validateCapacity(capacity: PersistentVolumeSpec['capacity'], path: string): FieldError[] {
  const names = Object.keys(capacity ?? {});
  const errors = names.length === 0 ? [fieldError.required(path)] : [];
  if (names.join() !== 'storage') {
    errors.push(fieldError.notSupported(path, capacity ?? null, ['storage']));
  }
  for (const [name, value] of Object.entries(capacity ?? {})) {
    const at = `${path}[${name}]`;
    const quantity = Quantity.tryParse(value) ?? Quantity.zero;
    if (quantity.sign < 0) {
      errors.push(fieldError.invalid(at, quantity.value(), 'must be a valid resource quantity'));
    }
    if (quantity.sign <= 0)
      errors.push(fieldError.invalid(at, String(quantity), 'must be greater than zero'));
  }
  return errors;
}

function validateAffinity(affinity: PersistentVolumeSpec['nodeAffinity'], path: string): FieldError[] {
  if (affinity === undefined) return [];
  if (affinity.required === undefined) {
    return [fieldError.required(`${path}.required`, 'must specify required node constraints')];
  }
  const at = `${path}.required.nodeSelectorTerms`;
  const terms = affinity.required.nodeSelectorTerms ?? [];
  return terms.length === 0
    ? [fieldError.required(at, 'must have at least one node selector term')]
    : terms.flatMap((term, i) => validateNodeTerm(term, `${at}[${i}]`));
}

export function validateVolume(object: KubeObject): FieldError[] {
  const spec = (object['spec'] as PersistentVolumeSpec | undefined) ?? {};
  const { accessModes = [], persistentVolumeReclaimPolicy: policy, nodeAffinity } = spec;
  const errors = accessModes.length === 0 ? [fieldError.required('spec.accessModes')] : [];
  errors.push(
    ...validateAccessModes(accessModes, 'spec.accessModes'),
    ...validateCapacity(spec.capacity, 'spec.capacity'),
    ...oneOf(policy, ['Delete', 'Recycle', 'Retain'], 'spec.persistentVolumeReclaimPolicy'),
    ...validateAffinity(nodeAffinity, 'spec.nodeAffinity'),
    ...validateSource(spec, SOURCES, 'spec'),
  );
  if (spec.local !== undefined && nodeAffinity === undefined) {
    errors.push(fieldError.required('spec.nodeAffinity', 'Local volume requires node affinity'));
  }
  if (spec.hostPath !== undefined && /^\/+(\.?\/*)*$/.test(spec.hostPath.path) && policy === 'Recycle') {
    const why = "may not be 'recycle' for a hostPath mount of '/'";
    errors.push(fieldError.forbidden('spec.persistentVolumeReclaimPolicy', why));
  }
  errors.push(
    ...validateClass(spec.storageClassName, 'spec.storageClassName'),
    ...oneOfIfGiven(spec.volumeMode, ['Block', 'Filesystem'], 'spec.volumeMode'),
    ...validateAttributesClass(spec, 'spec'),
  );
  return errors;
}

/** A volume that is attached without an object of its own. */
export function validateInlineVolume(spec: PersistentVolumeSpec, path: string): FieldError[] {
  const { accessModes = [], capacity = {}, persistentVolumeReclaimPolicy = '', storageClassName = '' } = spec;
  const given = {
    claimRef: spec.claimRef !== undefined,
    capacity: Object.keys(capacity).length > 0,
    persistentVolumeReclaimPolicy: persistentVolumeReclaimPolicy !== '',
    nodeAffinity: spec.nodeAffinity !== undefined,
    storageClassName: storageClassName !== '',
    volumeMode: spec.volumeMode !== undefined,
  };
  const forbidden = (...fields: readonly (keyof typeof given)[]): FieldError[] =>
    fields
      .filter((field) => given[field])
      .map((field) =>
        fieldError.forbidden(`${path}.${field}`, 'may not be specified in the context of inline volumes'),
      );
  const needsDriver = 'has to be specified in the context of inline volumes';
  return [
    ...forbidden('claimRef', 'capacity'),
    ...(spec.csi === undefined ? [fieldError.required(`${path}.csi`, needsDriver)] : []),
    ...(accessModes.length === 0 ? [fieldError.required(`${path}.accessModes`)] : []),
    ...validateAccessModes(accessModes, `${path}.accessModes`),
    ...forbidden('persistentVolumeReclaimPolicy', 'nodeAffinity'),
    ...validateSource(spec, SOURCES, path),
    ...forbidden('storageClassName', 'volumeMode'),
    ...validateAttributesClass(spec, path),
  ];
}

function validateAttributesClass(spec: PersistentVolumeSpec, path: string): FieldError[] {
  const { volumeAttributesClassName: name, csi } = spec;
  if (name === undefined) return [];
  const at = `${path}.volumeAttributesClassName`;
  return [
    ...(name === '' ? [fieldError.required(at, 'an empty string is disallowed')] : validateClass(name, at)),
    ...(csi === undefined
      ? [fieldError.required(`${path}.csi`, 'has to be specified when using volumeAttributesClassName')]
      : []),
  ];
}

export function validateVolumeUpdate(next: KubeObject, old: KubeObject): FieldError[] {
  const [spec, oldSpec] = [next['spec'] as PersistentVolumeSpec, old['spec'] as PersistentVolumeSpec];
  // Members of before have volumes of a driver whose name upstream would refuse; they can still go away.
  const sameDriver = spec.csi?.driver === oldSpec.csi?.driver;
  const errors = validateVolume(next).filter(({ path }) => !(sameDriver && path === 'spec.csi.driver'));
  if (immutable(sourcesOf(spec, oldSpec), sourcesOf(oldSpec, oldSpec), '').length > 0) {
    const why = 'spec.persistentvolumesource is immutable after creation';
    errors.push(fieldError.forbidden('spec.persistentvolumesource', why));
  }
  errors.push(...immutable(spec.volumeMode, oldSpec.volumeMode, 'volumeMode'));
  if (oldSpec.nodeAffinity !== undefined) {
    errors.push(...immutable(spec.nodeAffinity, oldSpec.nodeAffinity, 'nodeAffinity'));
  }
  if (oldSpec.volumeAttributesClassName !== undefined && spec.volumeAttributesClassName === undefined) {
    const why = 'update from non-nil value to nil is forbidden';
    errors.push(fieldError.forbidden('spec.volumeAttributesClassName', why));
  }
  return errors;
}

/** Where the bytes are. A secret for growing may be named later. */
function sourcesOf(spec: PersistentVolumeSpec, old: PersistentVolumeSpec): object {
  const fields = spec as Readonly<Record<string, unknown>>;
  const sources = Object.fromEntries(Object.keys(SOURCES).map((name) => [name, fields[name]]));
  if (spec.csi === undefined || old.csi?.controllerExpandSecretRef !== undefined) return sources;
  const { controllerExpandSecretRef: _, ...csi } = spec.csi;
  return { ...sources, csi };
}
