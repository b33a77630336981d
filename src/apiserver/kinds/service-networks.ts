// networking.k8s.io: the networks that Services get their addresses from, and who holds which address.
import type { IPAddress, KubeObject, ParentReference, ServiceCIDR } from '../../api/index.ts';
import {
  fieldError,
  isDns1123Subdomain,
  nameIsPathSegment,
  parseCidr,
  type FieldError,
  type NameRule,
} from '../../machinery/index.ts';
import type { BuiltinKind } from './builtin.ts';
import { immutable, named, validAddress, validCidr } from './checks.ts';
import { statusSubresource } from './status.ts';
import * as printers from '../table/printers.ts';

// ---- IPAddress

/** The name is the address. */
const nameIsAddress: NameRule = (name) => {
  const PREFIX = /^Invalid value: "(?:[^"\\]|\\.)*": /;
  return validAddress(name, '').map(({ message }) => message.replace(PREFIX, ''));
};

function validateParent(parent: Partial<ParentReference>, path: string): FieldError[] {
  const { group = '', resource = '', name = '', namespace = '' } = parent;
  const segment = (value: string, field: string): FieldError[] =>
    named(nameIsPathSegment(value, false), value, `${path}.${field}`);
  return [
    ...(group === '' ? [] : named(isDns1123Subdomain(group), group, `${path}.group`)),
    ...(resource === '' ? [fieldError.required(`${path}.resource`)] : segment(resource, 'resource')),
    ...(name === '' ? [fieldError.required(`${path}.name`)] : segment(name, 'name')),
    ...(namespace === '' ? [] : segment(namespace, 'namespace')),
  ];
}

const parentOf = (object: KubeObject): ParentReference | undefined =>
  (object as unknown as Partial<IPAddress>).spec?.parentRef;

function validateIpAddress(object: KubeObject): FieldError[] {
  const parent = parentOf(object);
  return parent === undefined
    ? [fieldError.required('spec.parentRef')]
    : validateParent(parent, 'spec.parentRef');
}

export const ipAddress: BuiltinKind = {
  strategy: {
    nameRule: nameIsAddress,
    generation: 'spec',
    requiresResourceVersion: true,
    validate: validateIpAddress,
    validateUpdate: (next, old) => [
      ...validateIpAddress(next),
      ...immutable(parentOf(next), parentOf(old), 'spec.parentRef'),
    ],
  },
  printer: printers.ipAddresses,
};

// ---- ServiceCIDR

const networksOf = (object: KubeObject): readonly string[] =>
  (object as unknown as ServiceCIDR).spec?.cidrs ?? [];

function validateNetworks(object: KubeObject): FieldError[] {
  const path = 'spec.cidrs';
  const cidrs = networksOf(object);
  if (cidrs.length === 0) return [fieldError.required(path, 'at least one CIDR required')];
  // COMPAT: shown with the names of upstream's own type.
  const refuse = (why: string): FieldError[] => [fieldError.invalid(path, { CIDRs: cidrs }, why)];
  if (cidrs.length > 2) return refuse('may only hold up to 2 values');
  const families = new Set(cidrs.map((cidr) => parseCidr(cidr)?.address.family));
  if (cidrs.length === 2 && (families.size < 2 || families.has(undefined))) {
    return refuse('may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64');
  }
  return cidrs.flatMap((cidr, i) => validCidr(cidr, `${path}[${i}]`));
}

export const serviceCidr: BuiltinKind = {
  strategy: {
    generation: 'spec',
    requiresResourceVersion: true,
    validate: validateNetworks,
    validateUpdate: (next, old) => [
      ...validateNetworks(next),
      ...immutable(networksOf(next), networksOf(old), 'spec.cidrs'),
    ],
  },
  subresources: { status: statusSubresource() },
  printer: printers.serviceCidrs,
};
