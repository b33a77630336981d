// What makes claims on devices, their classes and their slices valid. The words, the paths and the order are
// kube-apiserver's. Expressions that select devices are read by the schedulers of clusters.
import type {
  Device,
  DeviceAttribute,
  DeviceClaim,
  DeviceClassSpec,
  DeviceConstraint,
  DeviceRequest,
  DeviceSelector,
  DeviceSubRequest,
  DeviceToleration,
  ExactDeviceRequest,
  OpaqueDeviceConfiguration,
} from '../../api/index.ts';
import {
  byteLength,
  fieldError,
  isCIdentifier,
  isDns1123Label,
  isDns1123Subdomain,
  isLabelValue,
  isQualifiedName,
  type FieldError,
} from '../../machinery/index.ts';
import { named } from './checks.ts';
import { validateDriverName } from './pod-volumes.ts';
import { isExtended } from './resource-names.ts';

// LIMIT: as upstream.
const LIST_MAX = 32;
const SUBREQUESTS_MAX = 8;
const EXPRESSION_BYTES_MAX = 10 * 1024;
const PARAMETER_BYTES_MAX = 10 * 1024;
const ID_BYTES_MAX = 32;
const ATTRIBUTE_BYTES_MAX = 64;
const ATTRIBUTES_MAX = 32;
const CONDITIONS_MAX = 4;
const TAINTS_MAX = 16;

type Check<T> = (item: T, path: string) => readonly FieldError[];

/** Each item; more than there may be are not looked at. */
export function each<T>(
  items: readonly T[] | undefined,
  most: number,
  path: string,
  check: Check<T>,
): FieldError[] {
  if (items === undefined) return [];
  if (items.length > most) return [fieldError.tooMany(path, items.length, most)];
  return items.flatMap((item, i) => check(item, `${path}[${i}]`));
}

/** Each item, and no two with the same key. */
export function set<T>(
  items: readonly T[] | undefined,
  most: number,
  path: string,
  keyOf: (item: T) => string,
  check: Check<T>,
): FieldError[] {
  if (items === undefined || items.length > most) return each(items, most, path, check);
  const seen = new Set<string>();
  const duplicates = items.flatMap((item, i) => {
    const key = keyOf(item);
    if (seen.has(key)) return [fieldError.duplicate(`${path}[${i}]`, key)];
    seen.add(key);
    return [];
  });
  return [...each(items, most, path, check), ...duplicates];
}

// ---- claims

/** Requests by name, with the names of what they are ready to take instead. */
type RequestNames = ReadonlyMap<string, ReadonlySet<string>>;

export function requestNamesOf({ requests = [] }: DeviceClaim): RequestNames {
  return new Map(
    requests.map(({ name, firstAvailable = [] }) => [name, new Set(firstAvailable.map((one) => one.name))]),
  );
}

export function validateDeviceClaim(claim: DeviceClaim, path: string): FieldError[] {
  const names = requestNamesOf(claim);
  return [
    ...set(claim.requests, LIST_MAX, `${path}.requests`, ({ name }) => name, validateRequest),
    ...each(claim.constraints, LIST_MAX, `${path}.constraints`, (constraint, at) =>
      validateConstraint(constraint, names, at),
    ),
    ...each(claim.config, LIST_MAX, `${path}.config`, ({ requests, opaque }, at) => [
      ...set(requests, LIST_MAX, `${at}.requests`, String, (name, one) =>
        validateReference(name, names, one),
      ),
      ...validateConfiguration(opaque, at),
    ]),
  ];
}

function validateRequest({ name, exactly, firstAvailable = [] }: DeviceRequest, path: string): FieldError[] {
  const errors = named(isDns1123Label(name), name, `${path}.name`);
  const one = 'exactly one of `exactly` or `firstAvailable` is required';
  const several = firstAvailable.length > 0;
  if (exactly === undefined && !several) return [...errors, fieldError.required(path, one)];
  if (exactly !== undefined && several) {
    return [...errors, fieldError.invalid(path, null, `${one}, but multiple fields are set`)];
  }
  if (exactly !== undefined) return [...errors, ...validateExact(exactly, `${path}.exactly`)];
  return [
    ...errors,
    ...set(firstAvailable, SUBREQUESTS_MAX, `${path}.firstAvailable`, (sub) => sub.name, validateSubRequest),
  ];
}

function validateSubRequest(request: DeviceSubRequest, path: string): FieldError[] {
  return [
    ...named(isDns1123Label(request.name), request.name, `${path}.name`),
    ...validateExact(request, path),
  ];
}

function validateExact(
  request: Omit<DeviceSubRequest, 'name'> | ExactDeviceRequest,
  path: string,
): FieldError[] {
  const {
    deviceClassName = '',
    selectors,
    count = 0,
    tolerations = [],
  } = request as Partial<ExactDeviceRequest>;
  const allocationMode: string = request.allocationMode ?? '';
  const at = `${path}.deviceClassName`;
  return [
    ...(deviceClassName === ''
      ? [fieldError.required(at)]
      : named(isDns1123Subdomain(deviceClassName), deviceClassName, at)),
    ...each(selectors, LIST_MAX, `${path}.selectors`, validateSelector),
    ...validateAllocation(allocationMode, count, path),
    ...tolerations.flatMap((toleration, i) => validateToleration(toleration, `${path}.tolerations[${i}]`)),
  ];
}

const ALLOCATION_MODES = ['All', 'ExactCount'];

function validateAllocation(mode: string, count: number, path: string): FieldError[] {
  const at = `${path}.count`;
  if (mode === 'All') {
    const why = `must not be specified when allocationMode is '${mode}'`;
    return count === 0 ? [] : [fieldError.invalid(at, count, why)];
  }
  if (mode === 'ExactCount') {
    return count > 0 ? [] : [fieldError.invalid(at, count, 'must be greater than zero')];
  }
  return [fieldError.notSupported(`${path}.allocationMode`, mode, ALLOCATION_MODES)];
}

function validateSelector({ cel }: DeviceSelector, path: string): FieldError[] {
  if (cel === undefined) return [fieldError.required(`${path}.cel`)];
  return byteLength(cel.expression) > EXPRESSION_BYTES_MAX
    ? [fieldError.tooLong(`${path}.cel.expression`, EXPRESSION_BYTES_MAX)]
    : [];
}

const EFFECTS = ['NoExecute', 'NoSchedule', 'None'];

function validateToleration(toleration: DeviceToleration, path: string): FieldError[] {
  const { key = '', value = '' } = toleration;
  const { operator, effect }: { readonly operator?: string; readonly effect?: string } = toleration;
  const errors = key === '' ? [] : named(isQualifiedName(key), key, `${path}.key`);
  if (operator === undefined || operator === '') errors.push(fieldError.required(`${path}.operator`));
  else if (operator === 'Exists') {
    const why = 'must be empty for operator `Exists`';
    if (value !== '') errors.push(fieldError.invalid(`${path}.value`, value, why));
  } else if (operator === 'Equal') {
    errors.push(...named(isLabelValue(value), value, `${path}.value`));
  } else errors.push(fieldError.notSupported(`${path}.operator`, operator, ['Equal', 'Exists']));
  if (effect !== undefined && effect !== '' && !EFFECTS.includes(effect)) {
    errors.push(fieldError.notSupported(`${path}.effect`, effect, EFFECTS));
  }
  return errors;
}

function validateConstraint(
  { requests, matchAttribute, distinctAttribute }: DeviceConstraint,
  names: RequestNames,
  path: string,
): FieldError[] {
  const errors = set(requests, LIST_MAX, `${path}.requests`, String, (name, at) =>
    validateReference(name, names, at),
  );
  if (matchAttribute !== undefined) {
    return [...errors, ...validateFullName(matchAttribute, `${path}.matchAttribute`)];
  }
  if (distinctAttribute !== undefined) {
    return [...errors, ...validateFullName(distinctAttribute, `${path}.distinctAttribute`)];
  }
  // COMPAT: upstream says so where none is set.
  const why =
    'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set';
  return [...errors, fieldError.required(path, why)];
}

/** The name of a request, or of a request and one of its parts. */
export function validateReference(name: string, names: RequestNames, path: string): FieldError[] {
  const why =
    "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";
  const segments = name.split('/');
  const [request = '', part] = segments;
  if (segments.length > 2) return [fieldError.invalid(path, name, why)];
  const parts = names.get(request);
  const known = parts !== undefined && (part === undefined || parts.has(part));
  return [
    ...segments.flatMap((segment) => named(isDns1123Label(segment), segment, path)),
    ...(known ? [] : [fieldError.invalid(path, name, why)]),
  ];
}

export function validateConfiguration(
  opaque: OpaqueDeviceConfiguration | undefined,
  path: string,
): FieldError[] {
  if (opaque === undefined) return [fieldError.required(`${path}.opaque`)];
  const { driver = '' } = opaque as Partial<OpaqueDeviceConfiguration>;
  // The type of the field takes any JSON, whatever its name promises.
  const parameters = opaque.parameters as unknown;
  const at = `${path}.opaque.parameters`;
  const errors = validateDriverName(driver, `${path}.opaque.driver`);
  if (parameters === undefined || parameters === null) errors.push(fieldError.required(at));
  else if (byteLength(JSON.stringify(parameters)) > PARAMETER_BYTES_MAX) {
    errors.push(fieldError.tooLong(at, PARAMETER_BYTES_MAX));
  } else if (typeof parameters !== 'object' || Array.isArray(parameters)) {
    errors.push(fieldError.invalid(at, '<value omitted>', 'must be a valid JSON object'));
  }
  return errors;
}

// ---- names

function validateIdentifier(id: string, path: string): FieldError[] {
  const errors = byteLength(id) > ID_BYTES_MAX ? [fieldError.tooLong(path, ID_BYTES_MAX)] : [];
  return [...errors, ...named(isCIdentifier(id), id, path)];
}

/** COMPAT: what has more than one slash is not looked at. */
function validateName(name: string, path: string): FieldError[] {
  const [first = '', second, ...rest] = name.split('/');
  if (rest.length > 0) return [];
  if (second === undefined) return validateIdentifier(first, path);
  return [
    ...(first === ''
      ? [fieldError.invalid(path, '', 'the domain must not be empty')]
      : validateDriverName(first, path)),
    ...(second === ''
      ? [fieldError.invalid(path, '', 'the name must not be empty')]
      : validateIdentifier(second, path)),
  ];
}

function validateFullName(name: string, path: string): FieldError[] {
  const why = 'a fully qualified name must be a domain and a name separated by a slash';
  return [...validateName(name, path), ...(name.includes('/') ? [] : [fieldError.invalid(path, name, why)])];
}

// ---- classes

export function validateClassSpec(spec: DeviceClassSpec, path: string): FieldError[] {
  const { extendedResourceName: name } = spec;
  const at = `${path}.extendedResourceName`;
  return [
    ...each(spec.selectors, LIST_MAX, `${path}.selectors`, validateSelector),
    ...each(spec.config, LIST_MAX, `${path}.config`, ({ opaque }, one) => validateConfiguration(opaque, one)),
    ...(name === undefined || isExtended(name)
      ? []
      : [fieldError.invalid(at, name, 'must be a valid extended resource name')]),
  ];
}

// ---- devices of a slice

const SEMVER =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$/;

function validateAttribute(attribute: DeviceAttribute, path: string): FieldError[] {
  const { string, version } = attribute;
  const errors: FieldError[] = [];
  if (string !== undefined && byteLength(string) > ATTRIBUTE_BYTES_MAX) {
    errors.push(fieldError.tooLong(`${path}.string`, ATTRIBUTE_BYTES_MAX));
  }
  if (version !== undefined && !SEMVER.test(version)) {
    const why = 'must be a string compatible with semver.org spec 2.0.0';
    errors.push(fieldError.invalid(`${path}.version`, version, why));
  }
  if (version !== undefined && byteLength(version) > ATTRIBUTE_BYTES_MAX) {
    errors.push(fieldError.tooLong(`${path}.version`, ATTRIBUTE_BYTES_MAX));
  }
  const count = Object.keys(attribute).length;
  const why = 'exactly one value must be specified';
  if (count !== 1) errors.push(fieldError.invalid(path, count === 0 ? '' : attribute, why));
  return errors;
}

export function validateDevice(device: Device, perDevice: boolean, path: string): FieldError[] {
  const { name, attributes = {}, capacity = {}, taints } = device;
  const count = Object.keys(attributes).length + Object.keys(capacity).length;
  const tooMany = `the total number of attributes and capacities must not exceed ${ATTRIBUTES_MAX}`;
  return [
    ...named(isDns1123Label(name), name, `${path}.name`),
    ...(count > ATTRIBUTES_MAX ? [fieldError.invalid(path, count, tooMany)] : []),
    ...Object.entries(attributes).flatMap(([key, attribute]) => {
      const at = `${path}.attributes[${key}]`;
      return [...validateName(key, at), ...validateAttribute(attribute, at)];
    }),
    ...Object.entries(capacity).flatMap(([key, { requestPolicy }]) => {
      const at = `${path}.capacity[${key}]`;
      const shared = device.allowMultipleAllocations === true || requestPolicy === undefined;
      const why = 'allowMultipleAllocations must be true';
      return [
        ...validateName(key, at),
        ...(shared ? [] : [fieldError.forbidden(`${at}.requestPolicy`, why)]),
      ];
    }),
    ...each(taints, TAINTS_MAX, `${path}.taints`, ({ key, value = '', effect }, at) => [
      ...named(isQualifiedName(key), key, `${at}.key`),
      ...(value === '' ? [] : named(isLabelValue(value), value, `${at}.value`)),
      ...((effect as string) === ''
        ? [fieldError.required(`${at}.effect`)]
        : EFFECTS.includes(effect)
          ? []
          : [fieldError.notSupported(`${at}.effect`, effect, EFFECTS)]),
    ]),
    ...validateWhere(device, perDevice, path),
    ...validateBinding(device, path),
  ];
}

function validateWhere(device: Device, perDevice: boolean, path: string): FieldError[] {
  const { nodeName, nodeSelector, allNodes } = device;
  if (!perDevice) {
    const none = nodeName === undefined && nodeSelector === undefined && allNodes === undefined;
    const why =
      '`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec';
    return none ? [] : [fieldError.invalid(path, null, why)];
  }
  const given = [
    ...(nodeName === undefined || nodeName === '' ? [] : ['`nodeName`']),
    ...(nodeSelector === undefined ? [] : ['`nodeSelector`']),
    ...(allNodes === true ? ['`allNodes`'] : []),
  ];
  const errors: FieldError[] = [];
  if (nodeName === '') errors.push(fieldError.invalid(`${path}.nodeName`, nodeName, 'must not be empty'));
  else if (nodeName !== undefined) {
    errors.push(...named(isDns1123Subdomain(nodeName), nodeName, `${path}.nodeName`));
  }
  if (allNodes === false) {
    errors.push(fieldError.invalid(`${path}.allNodes`, false, 'must be either unset or set to true'));
  }
  const why =
    'exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec';
  if (given.length === 0) errors.push(fieldError.required(path, why));
  if (given.length > 1) errors.push(fieldError.invalid(path, `{${given.join(', ')}}`, why));
  return errors;
}

function validateBinding(
  { bindingConditions: before = [], bindingFailureConditions: failed = [] }: Device,
  path: string,
): FieldError[] {
  const [at, failedAt] = [`${path}.bindingConditions`, `${path}.bindingFailureConditions`];
  const label: Check<string> = (name, one) => named(isQualifiedName(name), name, one);
  const overlap = failed.flatMap((name, i) => {
    const why = 'bindingFailureConditions must not overlap with bindingConditions';
    return before.includes(name) ? [fieldError.invalid(`${failedAt}[${i}]`, name, why)] : [];
  });
  const errors = [
    ...set(before, CONDITIONS_MAX, at, String, label),
    ...set(failed, CONDITIONS_MAX, failedAt, String, label),
    ...overlap,
  ];
  if (before.length === 0 && failed.length > 0) {
    const why = 'bindingConditions are required to use bindingFailureConditions';
    errors.push(fieldError.invalid(at, before, why));
  }
  if (failed.length === 0 && before.length > 0) {
    const why = 'bindingFailureConditions are required to use bindingConditions';
    errors.push(fieldError.invalid(failedAt, failed, why));
  }
  return errors;
}
