// The names of what can be asked for and counted.
import { fieldError, isQualifiedName, type FieldError } from '../../machinery/index.ts';
import { named } from './checks.ts';

/** Names without a prefix that mean a resource. */
export const STANDARD_RESOURCES: ReadonlySet<string> = new Set([
  'cpu',
  'memory',
  'ephemeral-storage',
  'requests.cpu',
  'requests.memory',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'persistentvolumeclaims',
  'configmaps',
  'services.nodeports',
  'services.loadbalancers',
  'storage',
  'requests.storage',
]);

const OF_CONTAINERS = ['cpu', 'memory', 'ephemeral-storage'];

export const isHugePages = (name: string): boolean => name.startsWith('hugepages-');
export const isNative = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/');
export const isExtended = (name: string): boolean =>
  !isNative(name) && !name.startsWith('requests.') && isQualifiedName(`requests.${name}`).length === 0;
const isOfContainers = (name: string): boolean => OF_CONTAINERS.includes(name) || isHugePages(name);

export function validateResourceName(name: string, path: string): FieldError[] {
  const complaints = isQualifiedName(name);
  if (complaints.length > 0) return named(complaints, name, path);
  const known =
    name.includes('/') || STANDARD_RESOURCES.has(name) || isHugePages(name.replace(/^requests\./, ''));
  if (known) return [];
  return [fieldError.invalid(path, name, 'must be a standard resource type or fully qualified')];
}

export function validateContainerResource(name: string, path: string): FieldError[] {
  const errors = validateResourceName(name, path);
  const known = name.includes('/') ? isNative(name) || isExtended(name) : isOfContainers(name);
  if (known) return errors;
  const why = name.includes('/')
    ? "doesn't follow extended resource name standard"
    : 'must be a standard resource for containers';
  return [...errors, fieldError.invalid(path, name, why)];
}
