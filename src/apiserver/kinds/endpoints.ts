// EndpointSlices, and the Endpoints that came before them. The words and the order are kube-apiserver's.
import type {
  Endpoint,
  EndpointAddress,
  EndpointPort,
  Endpoints,
  EndpointSlice,
  KubeObject,
} from '../../api/index.ts';
import {
  fieldError,
  isDns1123Label,
  isDns1123Subdomain,
  isLabelValue,
  isPortNumber,
  isQualifiedName,
  parseIp,
  semanticEqual,
  validateLabels,
  type FieldError,
} from '../../machinery/index.ts';
import { change, each, fill } from '../typed/drafts.ts';
import type { BuiltinKind } from './builtin.ts';
import { immutable, named, notSpecialAddress, oneOf, validAddress } from './checks.ts';
import * as printers from '../table/printers.ts';

const ADDRESS_TYPES = ['FQDN', 'IPv4', 'IPv6'];
const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
// LIMIT: as kube-apiserver; a controller makes more slices instead.
const MAX_ENDPOINTS = 1000;
const MAX_PORTS = 20_000;
const MAX_ADDRESSES = 100;
const MAX_TOPOLOGY_LABELS = 16;
const MAX_HINTS = 8;

/** The server's own: one that only this machine can reach says so. */
const isOfServer = ({ metadata }: KubeObject): boolean =>
  metadata.name === 'kubernetes' && metadata.namespace === 'default';

// ---- EndpointSlice

function validateEndpointSlice(object: KubeObject): FieldError[] {
  const { addressType, endpoints, ports } = object as unknown as EndpointSlice;
  return [
    ...(((addressType as string | undefined) ?? '') === ''
      ? [fieldError.required('addressType')]
      : oneOf(addressType, ADDRESS_TYPES, 'addressType', false)),
    ...validateSliceEndpoints(endpoints ?? [], addressType, isOfServer(object)),
    ...validateSlicePorts(ports ?? []),
  ];
}

function validateSliceEndpoints(
  endpoints: readonly Endpoint[],
  type: string,
  ofServer: boolean,
): FieldError[] {
  if (endpoints.length > MAX_ENDPOINTS) {
    return [fieldError.tooMany('endpoints', endpoints.length, MAX_ENDPOINTS)];
  }
  return endpoints.flatMap((endpoint, i) => {
    const at = `endpoints[${i}]`;
    const { nodeName, hostname, deprecatedTopology = {}, hints } = endpoint;
    const topology = Object.keys(deprecatedTopology).length;
    return [
      ...validateAddresses(endpoint.addresses ?? [], type, ofServer, `${at}.addresses`),
      ...(nodeName === undefined ? [] : named(isDns1123Subdomain(nodeName), nodeName, `${at}.nodeName`)),
      ...(topology > MAX_TOPOLOGY_LABELS
        ? [fieldError.tooMany(`${at}.deprecatedTopology`, topology, MAX_TOPOLOGY_LABELS)]
        : []),
      ...validateLabels(deprecatedTopology, `${at}.deprecatedTopology`),
      ...(hostname === undefined ? [] : named(isDns1123Label(hostname), hostname, `${at}.hostname`)),
      ...(hints === undefined ? [] : validateHints(hints, `${at}.hints`)),
    ];
  });
}

function validateAddresses(
  addresses: readonly string[],
  type: string,
  ofServer: boolean,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (addresses.length === 0) errors.push(fieldError.required(path, 'must contain at least 1 address'));
  if (addresses.length > MAX_ADDRESSES) {
    errors.push(fieldError.tooMany(path, addresses.length, MAX_ADDRESSES));
  }
  for (const [i, address] of addresses.entries()) {
    const at = `${path}[${i}]`;
    const found = validateAddress(type, address, at);
    errors.push(...found);
    if (found.length === 0 && type !== 'FQDN' && !ofServer) errors.push(...notSpecialAddress(address, at));
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

type Hints = NonNullable<Endpoint['hints']>;

function validateHints({ forZones = [], forNodes = [] }: Hints, path: string): FieldError[] {
  const each = (
    hints: readonly { readonly name: string }[],
    at: string,
    rule: (name: string) => readonly string[],
  ): FieldError[] => {
    if (hints.length > MAX_HINTS) return [fieldError.tooMany(at, hints.length, MAX_HINTS)];
    const seen = new Set<string>();
    return hints.flatMap(({ name }, i) => {
      const again = seen.has(name) ? [fieldError.duplicate(`${at}[${i}].name`, name)] : [];
      seen.add(name);
      return [...again, ...named(rule(name), name, `${at}[${i}].name`)];
    });
  };
  return [
    ...each(forZones, `${path}.forZones`, isLabelValue),
    ...each(forNodes, `${path}.forNodes`, isDns1123Subdomain),
  ];
}

function validateSlicePorts(ports: NonNullable<EndpointSlice['ports']>): FieldError[] {
  if (ports.length > MAX_PORTS) return [fieldError.tooMany('ports', ports.length, MAX_PORTS)];
  const names = new Set<string>();
  return ports.flatMap(({ name = '', protocol, appProtocol }, i) => {
    const at = `ports[${i}]`;
    const errors = name === '' ? [] : named(isDns1123Label(name), name, `${at}.name`);
    if (names.has(name)) errors.push(fieldError.duplicate(`${at}.name`, name));
    names.add(name);
    errors.push(...validateProtocols(protocol, appProtocol, at));
    return errors;
  });
}

/** COMPAT: an empty protocol is not the same as none, which was given the default. */
function validateProtocols(
  protocol: string | undefined,
  appProtocol: string | undefined,
  at: string,
): FieldError[] {
  return [
    ...(protocol === undefined || PROTOCOLS.includes(protocol)
      ? []
      : [fieldError.notSupported(`${at}.protocol`, protocol, PROTOCOLS)]),
    ...(appProtocol === undefined
      ? []
      : named(isQualifiedName(appProtocol), appProtocol, `${at}.appProtocol`)),
  ];
}

export const endpointSlice: BuiltinKind = {
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

// ---- Endpoints

const subsetsOf = (object: KubeObject): NonNullable<Endpoints['subsets']> =>
  (object as unknown as Endpoints).subsets ?? [];

function validateEndpoints(object: KubeObject): FieldError[] {
  const ofServer = isOfServer(object);
  return subsetsOf(object).flatMap(({ addresses = [], notReadyAddresses = [], ports = [] }, i) => {
    const at = `subsets[${i}]`;
    const empty = addresses.length + notReadyAddresses.length === 0;
    const all = (list: readonly EndpointAddress[], field: string): FieldError[] =>
      list.flatMap((address, j) => validateEndpointAddress(address, ofServer, `${at}.${field}[${j}]`));
    return [
      ...(empty ? [fieldError.required(at, 'must specify `addresses` or `notReadyAddresses`')] : []),
      ...all(addresses, 'addresses'),
      ...all(notReadyAddresses, 'notReadyAddresses'),
      ...ports.flatMap((port, j) => validateEndpointPort(port, ports.length > 1, `${at}.ports[${j}]`)),
    ];
  });
}

function validateEndpointAddress(
  { ip, hostname = '', nodeName }: EndpointAddress,
  ofServer: boolean,
  at: string,
): FieldError[] {
  return [
    ...validAddress(ip, `${at}.ip`),
    ...(hostname === '' ? [] : named(isDns1123Label(hostname), hostname, `${at}.hostname`)),
    ...(nodeName === undefined ? [] : named(isDns1123Subdomain(nodeName), nodeName, `${at}.nodeName`)),
    ...(ofServer ? [] : notSpecialAddress(ip, `${at}.ip`)),
  ];
}

function validateEndpointPort(
  { name = '', port, protocol, appProtocol }: EndpointPort,
  nameNeeded: boolean,
  at: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (name !== '') errors.push(...named(isDns1123Label(name), name, `${at}.name`));
  else if (nameNeeded) errors.push(fieldError.required(`${at}.name`));
  for (const why of isPortNumber(port)) errors.push(fieldError.invalid(`${at}.port`, port, why));
  // COMPAT: here an empty protocol is one that is missing.
  const given = (protocol as string | undefined) === '' ? undefined : protocol;
  if (given === undefined) errors.push(fieldError.required(`${at}.protocol`));
  return [...errors, ...validateProtocols(given, appProtocol, at)];
}

export const endpoints: BuiltinKind = {
  deprecationWarning: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  defaults: (object) =>
    change(object as unknown as Endpoints, 'subsets', (subsets) =>
      each(subsets, (subset) =>
        change(subset, 'ports', (ports) => each(ports, (port) => fill(port, { protocol: 'TCP' }))),
      ),
    ),
  strategy: {
    createsOnUpdate: true,
    validate: validateEndpoints,
    // What was taken before it was forbidden may stay.
    validateUpdate: (next, old) =>
      semanticEqual(subsetsOf(next), subsetsOf(old)) ? [] : validateEndpoints(next),
  },
  printer: printers.endpoints,
};
