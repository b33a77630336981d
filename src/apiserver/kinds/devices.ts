// resource.k8s.io: claims on devices. Allocating them is the business of a cluster's scheduler.
import type {
  DeviceClass,
  DeviceSubRequest,
  ExactDeviceRequest,
  KubeObject,
  ResourceClaimSpec,
  ResourceClaimStatus,
  ResourceClaimTemplate,
  ResourceResourceClaim,
  ResourceSlice,
  ResourceSliceSpec,
} from '../../api/index.ts';
import {
  fieldError,
  isDns1123Subdomain,
  validateAnnotations,
  validateLabels,
  type FieldError,
} from '../../machinery/index.ts';
import { change, each, fill } from '../typed/drafts.ts';
import type { BuiltinKind, BuiltinKinds } from './builtin.ts';
import { immutable, named } from './checks.ts';
import {
  requestNamesOf,
  set,
  validateClassSpec,
  validateDevice,
  validateDeviceClaim,
  validateReference,
} from './device-validation.ts';
import { validateNodeTerm } from './pod-placement.ts';
import { validateDriverName } from './pod-volumes.ts';
import { statusSubresource } from './status.ts';
import { printer } from '../table/columns.ts';

function exactDefaults<T extends DeviceSubRequest | ExactDeviceRequest>(exact: T): T {
  const mode = fill<DeviceSubRequest | ExactDeviceRequest>(exact, { allocationMode: 'ExactCount' });
  return (mode.allocationMode === 'ExactCount' ? fill(mode, { count: 1 }) : mode) as T;
}

function claimSpecDefaults(spec: ResourceClaimSpec): ResourceClaimSpec {
  return change(spec, 'devices', (devices) =>
    change(devices, 'requests', (requests) =>
      each(requests, (request) =>
        change(change(request, 'exactly', exactDefaults), 'firstAvailable', (list) =>
          each(list, exactDefaults),
        ),
      ),
    ),
  );
}

const GROUP = 'resource.k8s.io';

const byName = printer<KubeObject>('Name|Age', ({ metadata }) => [metadata.name ?? '']);

/** How far a claim is: deleted, pending, allocated, reserved, as far as each is true. */
function stateOf({ metadata, ...object }: KubeObject): string {
  const { allocation, reservedFor = [] } = (object['status'] ?? {}) as ResourceClaimStatus;
  const deleted = metadata.deletionTimestamp !== undefined;
  const states = [
    ...(deleted ? ['deleted'] : []),
    ...(allocation === undefined && !deleted ? ['pending'] : []),
    ...(allocation === undefined ? [] : ['allocated']),
    ...(reservedFor.length === 0 ? [] : ['reserved']),
  ];
  return states.join(',');
}

const specOf = (object: KubeObject): ResourceClaimSpec =>
  (object as unknown as Partial<ResourceResourceClaim>).spec ?? {};

// LIMIT: as upstream.
const CONSUMERS_MAX = 256;

/** Who uses a claim, and what it was given, which stays what it is until it is given back. */
function validateClaimStatus(next: KubeObject, old: KubeObject): FieldError[] {
  const { reservedFor = [], allocation } = (next['status'] ?? {}) as ResourceClaimStatus;
  const before = (old['status'] ?? {}) as ResourceClaimStatus;
  const path = 'status.reservedFor';
  const errors = set(
    reservedFor,
    CONSUMERS_MAX,
    path,
    ({ uid }) => uid,
    ({ resource, name, uid }, at) =>
      Object.entries({ resource, name, uid }).flatMap(([field, value]) =>
        value === '' ? [fieldError.required(`${at}.${field}`)] : [],
      ),
  );
  if (reservedFor.length > 0 && allocation === undefined) {
    errors.push(fieldError.forbidden(path, 'may not be specified when `allocated` is not set'));
  } else if (old.metadata.deletionTimestamp !== undefined) {
    const known = new Set((before.reservedFor ?? []).map((one) => one.uid));
    const why = 'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set';
    if (reservedFor.some(({ uid }) => !known.has(uid))) errors.push(fieldError.forbidden(path, why));
  }
  if (allocation === undefined) return errors;
  if (before.allocation !== undefined) {
    return [...errors, ...immutable(allocation, before.allocation, 'status.allocation')];
  }
  const names = requestNamesOf(specOf(next).devices ?? {});
  const results = allocation.devices?.results ?? [];
  return [
    ...errors,
    ...results.flatMap(({ request, driver }, i) => {
      const at = `status.allocation.devices.results[${i}]`;
      return [
        ...validateReference(request, names, `${at}.request`),
        ...validateDriverName(driver, `${at}.driver`),
      ];
    }),
  ];
}

const claim: BuiltinKind = {
  defaults: (object) => change(object as unknown as ResourceResourceClaim, 'spec', claimSpecDefaults),
  strategy: {
    validate: (object) => validateDeviceClaim(specOf(object).devices ?? {}, 'spec.devices'),
    validateUpdate: (next, old) => immutable(next['spec'], old['spec'], 'spec'),
  },
  subresources: { status: statusSubresource({ changesLabels: true, validate: validateClaimStatus }) },
  printer: printer<KubeObject>('Name|State|Age', (object) => [object.metadata.name ?? '', stateOf(object)]),
};

function validateTemplate(object: KubeObject): FieldError[] {
  const { metadata = {}, spec } = (object as unknown as Partial<ResourceClaimTemplate>).spec ?? {};
  return [
    ...validateAnnotations(metadata.annotations, 'spec.metadata.annotations'),
    ...validateLabels(metadata.labels, 'spec.metadata.labels'),
    ...validateDeviceClaim(spec?.devices ?? {}, 'spec.spec.devices'),
  ];
}

const claimTemplate: BuiltinKind = {
  defaults: (object) =>
    change(object as unknown as ResourceClaimTemplate, 'spec', (template) =>
      change(template, 'spec', claimSpecDefaults),
    ),
  strategy: {
    validate: validateTemplate,
    validateUpdate: (next, old) => immutable(next['spec'], old['spec'], 'spec'),
  },
  printer: byName,
};

// LIMIT: as upstream.
const DEVICES_MAX = 128;
const DEVICES_WITH_TAINTS_MAX = 64;
const POOL_NAME_MAX = 253;

const sliceSpecOf = (object: KubeObject): Partial<ResourceSliceSpec> =>
  (object as unknown as Partial<ResourceSlice>).spec ?? {};

function validatePool({
  name = '',
  resourceSliceCount = 0,
  generation = 0,
}: Partial<ResourceSliceSpec['pool']>): FieldError[] {
  const path = 'spec.pool';
  const errors = name === '' ? [fieldError.required(`${path}.name`)] : [];
  if (name.length > POOL_NAME_MAX) errors.push(fieldError.tooLong(`${path}.name`, POOL_NAME_MAX));
  if (name !== '') {
    for (const part of name.split('/')) errors.push(...named(isDns1123Subdomain(part), part, `${path}.name`));
  }
  if (resourceSliceCount <= 0) {
    const why = 'must be greater than zero';
    errors.push(fieldError.invalid(`${path}.resourceSliceCount`, resourceSliceCount, why));
  }
  if (generation < 0) {
    const why = 'must be greater than or equal to zero';
    errors.push(fieldError.invalid(`${path}.generation`, generation, why));
  }
  return errors;
}

/** Where the devices are: one way of saying it. */
function validateNodes(spec: Partial<ResourceSliceSpec>): FieldError[] {
  const { nodeName, nodeSelector } = spec;
  const errors: FieldError[] = [];
  const given: string[] = [];
  if (nodeName === '') {
    errors.push(fieldError.invalid('spec.nodeName', '', 'must be either unset or set to a non-empty string'));
  } else if (nodeName !== undefined) {
    given.push('`nodeName`');
    errors.push(...named(isDns1123Subdomain(nodeName), nodeName, 'spec.nodeName'));
  }
  if (nodeSelector !== undefined) {
    given.push('`nodeSelector`');
    const terms = nodeSelector.nodeSelectorTerms ?? [];
    const at = 'spec.nodeSelector.nodeSelectorTerms';
    if (terms.length === 0) {
      errors.push(fieldError.required(at, 'must have at least one node selector term'));
    }
    errors.push(...terms.flatMap((term, i) => validateNodeTerm(term, `${at}[${i}]`)));
    if (terms.length !== 1) {
      errors.push(fieldError.invalid(at, terms, 'must have exactly one node selector term'));
    }
  }
  for (const field of ['allNodes', 'perDeviceNodeSelection'] as const) {
    if (spec[field] === true) given.push(`\`${field}\``);
    if (spec[field] !== false) continue;
    errors.push(fieldError.invalid(`spec.${field}`, false, 'must be either unset or set to true'));
  }
  const one = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required';
  if (given.length === 0) errors.push(fieldError.required('spec', one));
  if (given.length > 1) {
    const why = `${one}, but multiple fields are set`;
    errors.push(fieldError.invalid('spec', `{${given.join(', ')}}`, why));
  }
  return errors;
}

function validateSlice(object: KubeObject, old?: KubeObject): FieldError[] {
  const spec = sliceSpecOf(object);
  const { driver = '', pool = {}, devices = [], sharedCounters } = spec;
  const heavy = devices.some(
    ({ taints = [], consumesCounters = [] }) => taints.length + consumesCounters.length > 0,
  );
  const most = heavy ? DEVICES_WITH_TAINTS_MAX : DEVICES_MAX;
  const both = 'only one of `sharedCounters` or `devices` is allowed';
  const before = old === undefined ? undefined : sliceSpecOf(old);
  return [
    ...validateDriverName(driver, 'spec.driver'),
    ...validatePool(pool),
    ...(before === undefined
      ? []
      : [
          ...immutable((pool as { name?: string }).name, before.pool?.name, 'spec.pool.name'),
          ...immutable(driver, before.driver, 'spec.driver'),
          ...immutable(spec.nodeName, before.nodeName, 'spec.nodeName'),
        ]),
    ...validateNodes(spec),
    ...(sharedCounters !== undefined && spec.devices !== undefined
      ? [fieldError.invalid('spec', '', both)]
      : []),
    ...set(
      devices,
      most,
      'spec.devices',
      ({ name }) => name,
      (device, at) => validateDevice(device, spec.perDeviceNodeSelection === true, at),
    ),
  ];
}

const slice: BuiltinKind = {
  strategy: {
    generation: 'spec',
    validate: (object) => validateSlice(object),
    validateUpdate: (next, old) => validateSlice(next, old),
    selectableFields: (object) => {
      const { nodeName = '', driver = '' } = sliceSpecOf(object);
      return { 'spec.nodeName': nodeName, 'spec.driver': driver };
    },
    selectableFieldNames: ['spec.nodeName', 'spec.driver'],
  },
  printer: printer<KubeObject>('Name|Node|Driver|Pool|Age', (object) => {
    const { nodeName = '', driver = '', pool } = sliceSpecOf(object);
    return [object.metadata.name ?? '', nodeName, driver, pool?.name ?? ''];
  }),
};

const deviceClass: BuiltinKind = {
  strategy: {
    generation: 'spec',
    validate: (object) => validateClassSpec((object as unknown as Partial<DeviceClass>).spec ?? {}, 'spec'),
  },
  printer: byName,
};

export const devices: BuiltinKinds = {
  [`${GROUP}/resourceclaims`]: claim,
  [`${GROUP}/resourceclaimtemplates`]: claimTemplate,
  [`${GROUP}/resourceslices`]: slice,
  [`${GROUP}/deviceclasses`]: deviceClass,
};
