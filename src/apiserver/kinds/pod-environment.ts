// Environment variables of containers, and what they and downward API volumes may show of their pod. The words, the paths
// and the order are kube-apiserver's.
import type {
  EnvFromSource,
  EnvVar,
  FileKeySelector,
  ObjectFieldSelector,
  ResourceFieldSelector,
} from '../../api/index.ts';
import {
  Quantity,
  fieldError,
  isConfigMapKey,
  isDns1123Subdomain,
  isQualifiedName,
  isRelaxedEnvVarName,
  type FieldError,
} from '../../machinery/index.ts';
import { inside, named } from './checks.ts';

const MORE_THAN_ONE = 'may not have more than one field specified at a time';

export function validateEnv(variable: EnvVar, path: string): FieldError[] {
  const { name, value = '', valueFrom } = variable;
  const errors =
    name === ''
      ? [fieldError.required(`${path}.name`)]
      : named(isRelaxedEnvVarName(name), name, `${path}.name`);
  if (valueFrom === undefined) return errors;
  const at = `${path}.valueFrom`;
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = valueFrom;
  if (fieldRef !== undefined) {
    errors.push(...validateFieldReference(fieldRef, FIELDS_OF_VARIABLES, `${at}.fieldRef`));
  }
  if (resourceFieldRef !== undefined) {
    errors.push(...validateResourceReference(resourceFieldRef, false, `${at}.resourceFieldRef`));
  }
  for (const [field, reference] of Object.entries({ configMapKeyRef, secretKeyRef })) {
    if (reference !== undefined) errors.push(...validateKeyReference(reference, `${at}.${field}`));
  }
  if (fileKeyRef !== undefined) errors.push(...validateFileReference(fileKeyRef, `${at}.fileKeyRef`));
  const sources = Object.values(valueFrom).filter((source) => source !== undefined).length;
  if (sources === 0) {
    const why =
      'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`';
    errors.push(fieldError.invalid(at, '', why));
  } else if (value !== '') {
    errors.push(fieldError.invalid(at, '', 'may not be specified when `value` is not empty'));
  } else if (sources > 1) {
    errors.push(fieldError.invalid(at, '', MORE_THAN_ONE));
  }
  return errors;
}

function validateKeyReference(
  { name = '', key }: { readonly name?: string; readonly key: string },
  path: string,
): FieldError[] {
  const errors = named(isDns1123Subdomain(name), name, `${path}.name`);
  if (key === '') errors.push(fieldError.required(`${path}.key`));
  else errors.push(...named(isConfigMapKey(key), key, `${path}.key`));
  return errors;
}

function validateFileReference({ volumeName, path: file, key }: FileKeySelector, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (volumeName === '') errors.push(fieldError.required(`${path}.volumeName`));
  if (file === '') errors.push(fieldError.required(`${path}.path`));
  else errors.push(...inside(file, `${path}.path`));
  if (key === '') errors.push(fieldError.required(`${path}.key`));
  else errors.push(...named(isRelaxedEnvVarName(key), key, `${path}.key`));
  return errors;
}

/** @param path of the list: COMPAT: a source that is none, or two, is complained about there */
export function validateEnvFrom(sources: readonly EnvFromSource[], path: string): FieldError[] {
  return sources.flatMap(({ prefix = '', configMapRef, secretRef }, i) => {
    const at = `${path}[${i}]`;
    const errors = prefix === '' ? [] : named(isRelaxedEnvVarName(prefix), prefix, `${at}.prefix`);
    for (const [field, reference] of Object.entries({ configMapRef, secretRef })) {
      if (reference === undefined) continue;
      const { name = '' } = reference;
      if (name === '') errors.push(fieldError.required(`${at}.${field}.name`));
      else errors.push(...named(isDns1123Subdomain(name.replace(/-$/, 'a')), name, `${at}.${field}.name`));
    }
    if (configMapRef === undefined && secretRef === undefined) {
      errors.push(fieldError.invalid(path, '', 'must specify one of: `configMapRef` or `secretRef`'));
    } else if (configMapRef !== undefined && secretRef !== undefined) {
      errors.push(fieldError.invalid(path, '', MORE_THAN_ONE));
    }
    return errors;
  });
}

// ---- the downward API

const FIELDS_OF_VARIABLES = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];

export const FIELDS_OF_VOLUMES = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
];

const FIELDS_OF_PODS: ReadonlySet<string> = new Set([
  ...FIELDS_OF_VARIABLES,
  ...FIELDS_OF_VOLUMES,
  'spec.restartPolicy',
  'spec.schedulerName',
  'status.phase',
]);

/** `metadata.labels['x']`: the map and the key. */
function subscripted(fieldPath: string): readonly [path: string, key: string] | undefined {
  const [, path, key] = /^(.+?)\['(.*)'\]$/s.exec(fieldPath) ?? [];
  return path === undefined || key === undefined ? undefined : [path, key];
}

export function validateFieldReference(
  { apiVersion = '', fieldPath }: ObjectFieldSelector,
  supported: readonly string[],
  path: string,
): FieldError[] {
  if (apiVersion === '') return [fieldError.required(`${path}.apiVersion`)];
  if (fieldPath === '') return [fieldError.required(`${path}.fieldPath`)];
  const refuse = (why: string): FieldError[] => [
    fieldError.invalid(`${path}.fieldPath`, fieldPath, `error converting fieldPath: ${why}`),
  ];
  if (apiVersion !== 'v1') return refuse(`unsupported pod version: ${apiVersion}`);
  const parts = subscripted(fieldPath);
  if (parts !== undefined) {
    const [map, key] = parts;
    if (map === 'metadata.annotations') return named(isQualifiedName(key.toLowerCase()), key, path);
    if (map === 'metadata.labels') return named(isQualifiedName(key), key, path);
    return refuse(`field label does not support subscript: ${fieldPath}`);
  }
  // COMPAT: the name that the field had before.
  const field = fieldPath === 'spec.host' ? 'spec.nodeName' : fieldPath;
  if (!FIELDS_OF_PODS.has(field)) return refuse(`field label not supported: ${fieldPath}`);
  return supported.includes(field) ? [] : [fieldError.notSupported(`${path}.fieldPath`, field, supported)];
}

const RESOURCES_OF_CONTAINERS = ['limits', 'requests'].flatMap((kind) =>
  ['cpu', 'ephemeral-storage', 'memory'].map((name) => `${kind}.${name}`),
);
const HUGE_PAGES = /^(limits|requests)\.hugepages-/;

/** @param ofVolume whether the container has to be named */
export function validateResourceReference(
  reference: ResourceFieldSelector,
  ofVolume: boolean,
  path: string,
): FieldError[] {
  const { containerName = '', resource } = reference;
  const errors: FieldError[] = [];
  if (ofVolume && containerName === '') errors.push(fieldError.required(`${path}.containerName`));
  else if (resource === '') errors.push(fieldError.required(`${path}.resource`));
  else if (!RESOURCES_OF_CONTAINERS.includes(resource) && !HUGE_PAGES.test(resource)) {
    errors.push(fieldError.notSupported(`${path}.resource`, resource, RESOURCES_OF_CONTAINERS));
  }
  return [...errors, ...validateDivisor(reference, path)];
}

const OF_BYTES = '1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei';
const DIVISORS: readonly (readonly [resource: RegExp, words: string, divisors: string, called: string])[] = [
  [/\.cpu$/, '1m and 1', '1m, 1', 'cpu'],
  [/\.memory$/, OF_BYTES, OF_BYTES, 'memory'],
  [/\.ephemeral-storage$/, OF_BYTES, OF_BYTES, 'local ephemeral storage'],
  [/\.hugepages-/, OF_BYTES, OF_BYTES, 'hugepages'],
];

function validateDivisor({ resource, divisor }: ResourceFieldSelector, path: string): FieldError[] {
  const quantity = Quantity.tryParse(divisor);
  const known = DIVISORS.find(([pattern]) => /^(limits|requests)\./.test(resource) && pattern.test(resource));
  if (known === undefined || quantity === undefined || quantity.isZero) return [];
  const [, words, divisors, called] = known;
  if (divisors.split(', ').includes(String(quantity))) return [];
  const why = `only divisor's values ${words} are supported with the ${called} resource`;
  return [fieldError.invalid(`${path}.divisor`, resource, why)];
}
