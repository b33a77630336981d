// What containers and pods ask for. The words, the paths and the order are kube-apiserver's.
import type { ContainerResizePolicy, PodSpec, ResourceRequirements } from '../../api/index.ts';
import { Quantity, fieldError, isDns1123Label, type FieldError } from '../../machinery/index.ts';
import { named, quantityNotNegative } from './checks.ts';
import { aggregateRequests } from './pod-totals.ts';
import {
  isExtended,
  isHugePages,
  isNative,
  validateContainerResource,
  validateResourceName,
} from './resource-names.ts';

const OF_PODS = ['cpu', 'hugepages-', 'memory'];

/** Others are not shared: what is asked for is what is given. */
const isShared = (name: string): boolean => isNative(name) && !isHugePages(name);
function validatePodResource(name: string, path: string): FieldError[] {
  const errors = validateResourceName(name, path);
  if (errors.length > 0 || name === 'cpu' || name === 'memory' || isHugePages(name)) return errors;
  return [fieldError.notSupported(path, name, OF_PODS)];
}

function validateAmount(name: string, value: string | number, path: string): FieldError[] {
  const errors = quantityNotNegative(value, path);
  const quantity = Quantity.tryParse(value);
  if (quantity === undefined) return errors;
  if (isExtended(name) && quantity.nanos % 1_000_000_000n !== 0n) {
    errors.push(fieldError.invalid(path, String(quantity), 'must be an integer'));
  }
  if (isHugePages(name)) {
    const size = Quantity.tryParse(name.slice('hugepages-'.length))?.nanos ?? 0n;
    if (size <= 0n || quantity.nanos % size !== 0n) {
      const why = `${String(quantity)} is not positive integer multiple of ${name}`;
      errors.push(fieldError.invalid(path, String(quantity), why));
    }
  }
  return errors;
}

/** @param claims of the pod, by name */
export function validateResources(
  resources: ResourceRequirements,
  claims: readonly string[],
  path: string,
): FieldError[] {
  return [
    ...validateAmounts(resources, validateContainerResource, path),
    ...validateClaims(resources.claims ?? [], claims, `${path}.claims`),
  ];
}

/** What all containers of a pod have together. */
export function validatePodResources(spec: PodSpec, path: string): FieldError[] {
  const { resources } = spec;
  if (resources === undefined) return [];
  const why = 'claims cannot be set for Resources at pod-level';
  return [
    ...(resources.claims === undefined ? [] : [fieldError.forbidden(`${path}.claims`, why)]),
    ...validateAmounts(resources, validatePodResource, path),
    ...validateShares(spec, resources, path),
  ];
}

/** The containers must fit into what the pod has. */
function validateShares(
  spec: PodSpec,
  { requests = {}, limits = {} }: ResourceRequirements,
  path: string,
): FieldError[] {
  const totals = [...aggregateRequests(spec)].flatMap(([name, total]) => {
    const asked = Quantity.tryParse(requests[name]);
    if (asked === undefined || total.compare(asked) <= 0) return [];
    const why = `must be greater than or equal to aggregate container requests of ${String(total)}`;
    return [fieldError.invalid(`${path}.requests[${name}]`, String(asked), why)];
  });
  const each = (spec.containers ?? []).flatMap(({ resources }, i) =>
    Object.entries(resources?.limits ?? {}).flatMap(([name, value]) => {
      const [limit, most] = [Quantity.tryParse(value), Quantity.tryParse(limits[name])];
      if (limit === undefined || most === undefined || limit.compare(most) <= 0) return [];
      const why = `must be less than or equal to pod limits of ${String(most)}`;
      // COMPAT: upstream builds this path below that of the pod's resources.
      return [fieldError.invalid(`${path}.containers[${i}][${name}].limits`, String(limit), why)];
    }),
  );
  return [...totals, ...each];
}

function validateAmounts(
  { limits = {}, requests = {} }: ResourceRequirements,
  nameRule: (name: string, path: string) => FieldError[],
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  for (const [name, value] of Object.entries(limits)) {
    const at = `${path}.limits[${name}]`;
    errors.push(...nameRule(name, at), ...validateAmount(name, value, at));
  }
  for (const [name, value] of Object.entries(requests)) {
    const at = `${path}.requests[${name}]`;
    errors.push(
      ...nameRule(name, at),
      ...validateAmount(name, value, at),
      ...validateBelowLimit(name, value, limits[name], path),
    );
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)];
  if (names.some(isHugePages) && !names.includes('cpu') && !names.includes('memory')) {
    errors.push(fieldError.forbidden(path, 'HugePages require cpu or memory'));
  }
  return errors;
}

function validateBelowLimit(
  name: string,
  value: string | number,
  limit: string | number | undefined,
  path: string,
): FieldError[] {
  const [asked, most] = [Quantity.tryParse(value), Quantity.tryParse(limit)];
  if (asked === undefined) return [];
  if (most === undefined) {
    const why = 'Limit must be set for non overcommitable resources';
    return isShared(name) ? [] : [fieldError.required(`${path}.limits`, why)];
  }
  const how =
    !isShared(name) && !asked.equals(most)
      ? 'equal to'
      : asked.compare(most) > 0
        ? 'less than or equal to'
        : undefined;
  if (how === undefined) return [];
  const why = `must be ${how} ${name} limit of ${String(most)}`;
  return [fieldError.invalid(`${path}.requests`, String(asked), why)];
}

function validateClaims(
  claims: NonNullable<ResourceRequirements['claims']>,
  ofPod: readonly string[],
  path: string,
): FieldError[] {
  const seen = new Set<string>();
  return claims.flatMap(({ name, request = '' }, i) => {
    const at = `${path}[${i}]`;
    if (name === '') return [fieldError.required(at)];
    const errors = request === '' ? [] : named(isDns1123Label(request), request, `${at}.request`);
    const key = request === '' ? name : `${name}/${request}`;
    if (seen.has(name) || (request === '' && [...seen].some((one) => one.startsWith(`${name}/`)))) {
      errors.push(fieldError.duplicate(at, name));
    } else if (seen.has(key)) errors.push(fieldError.duplicate(at, key));
    seen.add(key);
    if (!ofPod.includes(name)) {
      const names = ofPod.length === 0 ? ' which is empty' : `: ${ofPod.toSorted().join(', ')}`;
      const { message, ...error } = fieldError.notFound(at, name);
      const why = `must be one of the names in pod.spec.resourceClaims${names}`;
      errors.push({ ...error, message: `${message}: ${why}` });
    }
    return errors;
  });
}

const RESIZABLE = ['cpu', 'memory'];
const RESIZE_RESTARTS = ['NotRequired', 'RestartContainer'];

/** COMPAT: what is wrong is said of the whole list. */
export function validateResizePolicy(
  policies: readonly ContainerResizePolicy[],
  podRestartPolicy: string | undefined,
  path: string,
): FieldError[] {
  const seen = new Set<string>();
  const one = (value: string, supported: readonly string[]): FieldError[] => {
    if (value === '') return [fieldError.required(path)];
    return supported.includes(value) ? [] : [fieldError.notSupported(path, value, supported)];
  };
  return policies.flatMap(({ resourceName, restartPolicy }, i) => {
    const errors = seen.has(resourceName) ? [fieldError.duplicate(`${path}[${i}]`, resourceName)] : [];
    seen.add(resourceName);
    errors.push(...one(resourceName, RESIZABLE), ...one(restartPolicy, RESIZE_RESTARTS));
    if (podRestartPolicy === 'Never' && restartPolicy !== 'NotRequired') {
      const why = "must be 'NotRequired' when `restartPolicy` is 'Never'";
      errors.push(fieldError.invalid(path, restartPolicy, why));
    }
    return errors;
  });
}
