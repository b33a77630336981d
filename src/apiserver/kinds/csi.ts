// storage.k8s.io: what drivers of volumes say about themselves, their nodes, their room and what is attached. The words
// and the order are kube-apiserver's.
import type {
  CSIDriver,
  CSIDriverSpec,
  CSINode,
  CSINodeDriver,
  CSIStorageCapacity,
  KubeObject,
  StorageTokenRequest,
  VolumeAttachment,
  VolumeAttachmentSpec,
  VolumeError,
} from '../../api/index.ts';
import {
  byteLength,
  fieldError,
  isDns1123Subdomain,
  isQualifiedName,
  nameIsDnsSubdomain,
  semanticEqual,
  validateLabelSelector,
  type FieldError,
} from '../../machinery/index.ts';
import { change, fill } from '../typed/drafts.ts';
import type { BuiltinKind } from './builtin.ts';
import { immutable, named, notNegative, quantityNotNegative } from './checks.ts';
import { validateInlineVolume } from './persistent-volume-validation.ts';
import { validateDriverName } from './pod-volumes.ts';
import { statusSubresource } from './status.ts';
import * as printers from '../table/printers.ts';

// ---- CSIDriver

const GROUP_POLICIES = ['File', 'None', 'ReadWriteOnceWithFSType'];
const LIFECYCLES = ['Persistent', 'Ephemeral'];
const TOKEN_SECONDS_MIN = 600;
const TOKEN_SECONDS_MAX = 2 ** 32;
const UPDATE_SECONDS_MIN = 10;

function driverDefaults(spec: CSIDriverSpec): CSIDriverSpec {
  const filled = fill(spec, {
    attachRequired: true,
    podInfoOnMount: false,
    storageCapacity: false,
    fsGroupPolicy: 'ReadWriteOnceWithFSType',
    requiresRepublish: false,
    seLinuxMount: false,
  });
  return (filled.volumeLifecycleModes ?? []).length > 0
    ? filled
    : Object.freeze({ ...filled, volumeLifecycleModes: Object.freeze(['Persistent']) as string[] });
}

/** One token for each audience; of those without one, too. */
function validateTokenRequests(requests: readonly StorageTokenRequest[], path: string): FieldError[] {
  const audiences = new Set<string>();
  return requests.flatMap((request, i) => {
    const { audience = '', expirationSeconds: seconds } = request as Partial<StorageTokenRequest>;
    if (audiences.has(audience)) return [fieldError.duplicate(`${path}[${i}].audience`, audience)];
    audiences.add(audience);
    const at = `${path}[${i}].expirationSeconds`;
    if (seconds === undefined) return [];
    if (seconds < TOKEN_SECONDS_MIN) {
      return [fieldError.invalid(at, seconds, 'may not specify a duration less than 10 minutes')];
    }
    return seconds > TOKEN_SECONDS_MAX
      ? [fieldError.invalid(at, seconds, 'may not specify a duration larger than 2^32 seconds')]
      : [];
  });
}

function validateDriver(object: KubeObject): FieldError[] {
  const spec = (object as unknown as Partial<CSIDriver>).spec ?? {};
  const { fsGroupPolicy, tokenRequests = [], volumeLifecycleModes = [] } = spec;
  const { nodeAllocatableUpdatePeriodSeconds: period } = spec;
  const slow = `must be greater than or equal to ${UPDATE_SECONDS_MIN} seconds`;
  const unneeded = 'may only be set when `tokenRequests` is not empty';
  return [
    ...(fsGroupPolicy === undefined || GROUP_POLICIES.includes(fsGroupPolicy)
      ? []
      : [fieldError.notSupported('spec.fsGroupPolicy', fsGroupPolicy, GROUP_POLICIES)]),
    ...validateTokenRequests(tokenRequests, 'spec.tokenRequests'),
    ...volumeLifecycleModes.flatMap((mode) =>
      LIFECYCLES.includes(mode)
        ? []
        : [fieldError.notSupported('spec.volumeLifecycleModes', mode, LIFECYCLES)],
    ),
    ...(period !== undefined && period < UPDATE_SECONDS_MIN
      ? [fieldError.invalid('spec.nodeAllocatableUpdatePeriodSeconds', period, slow)]
      : []),
    ...(spec.serviceAccountTokenInSecrets !== undefined && tokenRequests.length === 0
      ? [fieldError.invalid('spec.serviceAccountTokenInSecrets', spec.serviceAccountTokenInSecrets, unneeded)]
      : []),
  ];
}

export const csiDriver: BuiltinKind = {
  defaults: (object) => change(object as unknown as CSIDriver, 'spec', driverDefaults),
  strategy: {
    returnsDeleted: true,
    generation: 'spec',
    requiresResourceVersion: true,
    nameRule: nameIsDnsSubdomain,
    validate: validateDriver,
    validateUpdate(next, old) {
      const [spec, before] = [next, old].map(
        (object) => (object as unknown as Partial<CSIDriver>).spec ?? {},
      );
      return [
        ...validateDriver(next),
        // COMPAT: upstream spells this path so.
        ...immutable(spec?.attachRequired, before?.attachRequired, 'spec.attachedRequired'),
        ...immutable(spec?.volumeLifecycleModes, before?.volumeLifecycleModes, 'spec.volumeLifecycleModes'),
      ];
    },
  },
  printer: printers.csiDrivers,
};

// ---- CSINode

const NODE_ID_MAX = 256;

function validateNodeDriver(driver: CSINodeDriver, seen: Set<string>, path: string): FieldError[] {
  const { name = '', nodeID = '', topologyKeys = [], allocatable } = driver as Partial<CSINodeDriver>;
  const errors = validateDriverName(name, `${path}.name`);
  if (nodeID === '') errors.push(fieldError.required(`${path}.nodeID`));
  if (byteLength(nodeID) > NODE_ID_MAX) {
    errors.push(fieldError.invalid(`${path}.nodeID`, nodeID, `must be ${NODE_ID_MAX} characters or less`));
  }
  errors.push(...notNegative(allocatable?.count, `${path}.allocatable.count`));
  if (seen.has(name)) errors.push(fieldError.duplicate(`${path}.name`, name));
  seen.add(name);
  for (const [i, key] of topologyKeys.entries()) {
    if (key === '') errors.push(fieldError.required(path));
    if (topologyKeys.indexOf(key) < i) errors.push(fieldError.duplicate(path, key));
    errors.push(...named(isQualifiedName(key), key, path));
  }
  return errors;
}

function driversOf(object: KubeObject): readonly CSINodeDriver[] {
  return (object as unknown as Partial<CSINode>).spec?.drivers ?? [];
}

function validateCsiNode(object: KubeObject): FieldError[] {
  const seen = new Set<string>();
  return driversOf(object).flatMap((driver, i) => validateNodeDriver(driver, seen, `spec.drivers[${i}]`));
}

/** What a driver said of a node once stays, but for how much goes there. */
function changedDrivers(next: KubeObject, old: KubeObject): FieldError[] {
  const before = new Map(driversOf(old).map((driver) => [driver.name, withoutRoom(driver)]));
  return driversOf(next).flatMap((driver) => {
    const was = before.get(driver.name);
    if (was === undefined || semanticEqual(withoutRoom(driver), was)) return [];
    // COMPAT: shown with the names of upstream's own type.
    const { name, nodeID, topologyKeys = null } = driver;
    const shown = { Name: name, NodeID: nodeID, TopologyKeys: topologyKeys, Allocatable: null };
    return [fieldError.invalid('spec.drivers', shown, 'field is immutable')];
  });
}

function withoutRoom(driver: CSINodeDriver): object {
  const { allocatable: _, ...rest } = driver;
  return rest;
}

export const csiNode: BuiltinKind = {
  strategy: {
    returnsDeleted: true,
    requiresResourceVersion: true,
    validate: validateCsiNode,
    validateUpdate: (next, old) => [...validateCsiNode(next), ...changedDrivers(next, old)],
  },
  printer: printers.csiNodes,
};

// ---- CSIStorageCapacity

function validateCapacity(object: KubeObject): FieldError[] {
  const { nodeTopology, storageClassName = '', capacity } = object as unknown as Partial<CSIStorageCapacity>;
  return [
    ...(nodeTopology === undefined ? [] : validateLabelSelector(nodeTopology, 'nodeTopology')),
    ...named(isDns1123Subdomain(storageClassName), storageClassName, 'storageClassName'),
    ...(capacity === undefined ? [] : quantityNotNegative(capacity, 'capacity')),
  ];
}

export const csiStorageCapacity: BuiltinKind = {
  strategy: {
    requiresResourceVersion: true,
    validate: validateCapacity,
    validateUpdate: (next, old) => [
      ...validateCapacity(next),
      ...immutable(next['nodeTopology'], old['nodeTopology'], 'nodeTopology'),
      ...immutable(next['storageClassName'], old['storageClassName'], 'storageClassName'),
    ],
  },
  printer: printers.csiStorageCapacities,
};

// ---- VolumeAttachment

// LIMIT: as upstream.
const METADATA_BYTES_MAX = 256 * 1024;
const MESSAGE_BYTES_MAX = 1024;

function validateAttachmentSource(source: VolumeAttachmentSpec['source'], path: string): FieldError[] {
  const { inlineVolumeSpec, persistentVolumeName: name } = source;
  const one = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName';
  if (inlineVolumeSpec === undefined && name === undefined) return [fieldError.required(path, one)];
  if (inlineVolumeSpec !== undefined && name !== undefined) return [fieldError.forbidden(path, one)];
  if (inlineVolumeSpec !== undefined)
    return validateInlineVolume(inlineVolumeSpec, `${path}.inlineVolumeSpec`);
  const why = 'must specify non empty persistentVolumeName';
  return name === '' ? [fieldError.required(`${path}.persistentVolumeName`, why)] : [];
}

function validateVolumeError(error: VolumeError | undefined, path: string): FieldError[] {
  const { message = '', errorCode } = error ?? {};
  return [
    // COMPAT: the bound that is named is another one.
    ...(byteLength(message) > MESSAGE_BYTES_MAX
      ? [fieldError.tooLong(`${path}.message`, METADATA_BYTES_MAX)]
      : []),
    ...(errorCode !== undefined && errorCode < 0
      ? [fieldError.invalid(`${path}.errorCode`, errorCode, 'must be between 0 and 2147483647, inclusive')]
      : []),
  ];
}

function validateAttachmentStatus(object: KubeObject): FieldError[] {
  const { status } = object as unknown as VolumeAttachment;
  const metadata = Object.entries(status?.attachmentMetadata ?? {});
  const bytes = metadata.reduce((sum, [key, value]) => sum + byteLength(key) + byteLength(value), 0);
  return [
    ...(bytes > METADATA_BYTES_MAX
      ? [fieldError.tooLong('status.attachmentMetadata', METADATA_BYTES_MAX)]
      : []),
    ...validateVolumeError(status?.attachError, 'status.attachError'),
    ...validateVolumeError(status?.detachError, 'status.detachError'),
  ];
}

function validateAttachment(object: KubeObject): FieldError[] {
  const { attacher = '', source = {}, nodeName = '' } = attachmentOf(object);
  return [
    ...(attacher === '' ? [fieldError.required('spec.attacher')] : []),
    ...validateAttachmentSource(source, 'spec.source'),
    ...named(isDns1123Subdomain(nodeName), nodeName, 'spec.nodeName'),
    ...validateAttachmentStatus(object),
  ];
}

/** What v1 asks of new ones beyond what its forerunners did. */
function validateNewAttachment(object: KubeObject): FieldError[] {
  const { attacher = '', source = {} } = attachmentOf(object);
  const { persistentVolumeName: name } = source;
  return [
    ...validateAttachment(object),
    ...validateDriverName(attacher, 'spec.attacher'),
    ...(name === undefined ? [] : named(isDns1123Subdomain(name), name, 'spec.source.persistentVolumeName')),
  ];
}

function attachmentOf(object: KubeObject): Partial<VolumeAttachmentSpec> {
  return (object as unknown as Partial<VolumeAttachment>).spec ?? {};
}

function validateAttachmentUpdate(next: KubeObject, old: KubeObject): FieldError[] {
  const errors = validateAttachment(next);
  if (semanticEqual(next['spec'], old['spec'])) return errors;
  const { attacher = '', source = {}, nodeName = '' } = attachmentOf(next);
  const { persistentVolumeName = null, inlineVolumeSpec = null } = source;
  // COMPAT: shown with the names of upstream's own type.
  const shown = {
    Attacher: attacher,
    Source: { PersistentVolumeName: persistentVolumeName, InlineVolumeSpec: inlineVolumeSpec },
    NodeName: nodeName,
  };
  return [...errors, fieldError.invalid('spec', shown, 'field is immutable')];
}

export const volumeAttachment: BuiltinKind = {
  strategy: {
    returnsDeleted: true,
    requiresResourceVersion: true,
    validate: validateNewAttachment,
    validateUpdate: validateAttachmentUpdate,
  },
  subresources: { status: statusSubresource({ validate: validateAttachmentStatus }) },
  printer: printers.volumeAttachments,
};
