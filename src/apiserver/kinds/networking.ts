// networking.k8s.io and discovery.k8s.io: EndpointSlice, and core Endpoints; the others have files of their own.
import type { Endpoints, EndpointSlice, KubeObject } from '../../api/index.ts';
import {
  fieldError,
  isDns1123Label,
  isDns1123Subdomain,
  isQualifiedName,
  parseIp,
  type FieldError,
} from '../../machinery/index.ts';
import { change, each, fill } from '../typed/drafts.ts';
import type { BuiltinKind, BuiltinKinds } from './builtin.ts';
import { immutable, named, notSpecialAddress, oneOf, validAddress } from './checks.ts';
import { ingress, ingressClass } from './ingresses.ts';
import { networkPolicy } from './network-policies.ts';
import * as printers from '../table/printers.ts';

// ---- endpoints

const ADDRESS_TYPES = ['FQDN', 'IPv4', 'IPv6'];
// LIMIT: as kube-apiserver; a controller makes more slices instead.
const MAX_ENDPOINTS = 1000;
const MAX_PORTS = 20_000;
const MAX_ADDRESSES = 100;

function validateEndpointSlice(object: KubeObject): FieldError[] {
  const slice = object as unknown as EndpointSlice;
  const errors: FieldError[] = [];
  const { addressType, endpoints = [], ports = [], metadata } = slice;
  // A server that only this machine can reach says so.
  const ofServer = metadata.name === 'kubernetes' && metadata.namespace === 'default';
  if (((addressType as string | undefined) ?? '') === '') errors.push(fieldError.required('addressType'));
  else errors.push(...oneOf(addressType, ADDRESS_TYPES, 'addressType', false));
  if ((endpoints ?? []).length > MAX_ENDPOINTS) {
    errors.push(fieldError.tooMany('endpoints', endpoints.length, MAX_ENDPOINTS));
  }
  for (const [i, endpoint] of (endpoints ?? []).entries()) {
    const at = `endpoints[${i}]`;
    if ((endpoint.addresses ?? []).length === 0) {
      errors.push(fieldError.required(`${at}.addresses`, 'must contain at least 1 address'));
    }
    const count = (endpoint.addresses ?? []).length;
    if (count > MAX_ADDRESSES) {
      errors.push(fieldError.tooMany(`${at}.addresses`, count, MAX_ADDRESSES));
    }
    for (const [j, address] of (endpoint.addresses ?? []).entries()) {
      const path = `${at}.addresses[${j}]`;
      const found = validateAddress(addressType, address, path);
      errors.push(...found);
      if (found.length === 0 && addressType !== 'FQDN' && !ofServer) {
        errors.push(...notSpecialAddress(address, path));
      }
    }
    if (endpoint.hostname !== undefined) {
      errors.push(...named(isDns1123Label(endpoint.hostname), endpoint.hostname, `${at}.hostname`));
    }
  }
  if ((ports ?? []).length > MAX_PORTS) errors.push(fieldError.tooMany('ports', ports.length, MAX_PORTS));
  const names = new Set<string>();
  for (const [i, port] of (ports ?? []).entries()) {
    const { name = '', appProtocol } = port;
    if (name !== '') errors.push(...named(isDns1123Label(name), name, `ports[${i}].name`));
    if (names.has(name)) errors.push(fieldError.duplicate(`ports[${i}].name`, name));
    names.add(name);
    errors.push(...oneOf(port.protocol, ['SCTP', 'TCP', 'UDP'], `ports[${i}].protocol`));
    if (appProtocol !== undefined) {
      errors.push(...named(isQualifiedName(appProtocol), appProtocol, `ports[${i}].appProtocol`));
    }
  }
  return errors;
}

function validateAddress(type: string, address: string, at: string): FieldError[] {
  if (type === 'FQDN') return validateDomain(address, at);
  if (type !== 'IPv4' && type !== 'IPv6') return [];
  const errors = validAddress(address, at);
  if (errors.length > 0) return errors;
  if (parseIp(address)?.family !== (type === 'IPv4' ? 4 : 6)) {
    errors.push(fieldError.invalid(at, address, `must be an ${type} address`));
  }
  return errors;
}

function validateDomain(address: string, at: string): FieldError[] {
  if (address === '') return [fieldError.required(at)];
  const name = address.replace(/\.$/, '');
  const errors = named(isDns1123Subdomain(name), name, at);
  if (errors.length > 0 || name.includes('.')) return errors;
  const why = 'should be a domain with at least two segments separated by dots';
  return [fieldError.invalid(at, name, why)];
}

const endpointSlice: BuiltinKind = {
  defaults: (object) =>
    change(object as unknown as EndpointSlice, 'ports', (ports) =>
      each(ports, (port) => fill(port, { name: '', protocol: 'TCP' })),
    ),
  strategy: {
    generation: 'spec',
    validate: validateEndpointSlice,
    validateUpdate(next, old) {
      // COMPAT: addresses are not judged by a type that they may not get.
      const errors = immutable(next['addressType'], old['addressType'], 'addressType');
      return errors.length > 0 ? errors : validateEndpointSlice(next);
    },
  },
  printer: printers.endpointSlices,
};

const endpoints: BuiltinKind = {
  deprecationWarning: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  defaults: (object) =>
    change(object as unknown as Endpoints, 'subsets', (subsets) =>
      each(subsets, (subset) =>
        change(subset, 'ports', (ports) => each(ports, (port) => fill(port, { protocol: 'TCP' }))),
      ),
    ),
  strategy: {
    createsOnUpdate: true,
    validate: (object) =>
      ((object as unknown as Endpoints).subsets ?? []).flatMap((subset, i) => {
        const count = (subset.addresses ?? []).length + (subset.notReadyAddresses ?? []).length;
        return count === 0
          ? [fieldError.required(`subsets[${i}]`, 'must specify `addresses` or `notReadyAddresses`')]
          : (subset.addresses ?? []).flatMap(({ ip }, j) =>
              validateAddress('', ip, `subsets[${i}].addresses[${j}].ip`),
            );
      }),
  },
  printer: printers.endpoints,
};

export const networking: BuiltinKinds = {
  'networking.k8s.io/ingresses': ingress,
  'networking.k8s.io/ingressclasses': ingressClass,
  'networking.k8s.io/networkpolicies': networkPolicy,
  'networking.k8s.io/ipaddresses': {
    strategy: {
      requiresResourceVersion: true,
      validateUpdate: (next, old) => immutable(next['spec'], old['spec'], 'spec'),
    },
    printer: printers.ipAddresses,
  },
  'networking.k8s.io/servicecidrs': {
    strategy: {
      requiresResourceVersion: true,
      validateUpdate: (next, old) => immutable(next['spec'], old['spec'], 'spec'),
    },
    printer: printers.serviceCidrs,
  },
  'discovery.k8s.io/endpointslices': endpointSlice,
  '/endpoints': endpoints,
};
