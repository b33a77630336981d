// networking.k8s.io and discovery.k8s.io: Ingress, NetworkPolicy, IngressClass, EndpointSlice; core Endpoints.
import type {
  Endpoints,
  EndpointSlice,
  HTTPIngressPath,
  Ingress,
  IngressBackend,
  IngressRule,
  KubeObject,
  IPBlock,
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyPort,
} from '../../api/index.ts';
import {
  cidrContains,
  fieldError,
  isDns1035Label,
  isDns1123Label,
  isDns1123Subdomain,
  isPortName,
  isPortNumber,
  isQualifiedName,
  isWildcardDns1123Subdomain,
  parseCidr,
  validateLabelSelector,
  type FieldError,
} from '../../machinery/index.ts';
import { change, each, fill } from '../typed/drafts.ts';
import type { BuiltinKind, BuiltinKinds } from './builtin.ts';
import { immutable, named, oneOf, validCidr } from './checks.ts';
import { statusSubresource } from './status.ts';
import { ingressWarnings } from './warnings.ts';
import * as printers from '../table/printers.ts';

// ---- Ingress

const BAD_PATH_PARTS = ['//', '/./', '/../', '%2f', '%2F'];
const BAD_PATH_ENDS = ['/..', '/.'];

function validatePath(path: HTTPIngressPath, at: string): FieldError[] {
  const errors: FieldError[] = [];
  const text = path.path ?? '';
  if (path.pathType === undefined)
    return [fieldError.required(`${at}.pathType`, 'pathType must be specified')];
  if (path.pathType === 'Exact' || path.pathType === 'Prefix') {
    if (!text.startsWith('/'))
      errors.push(fieldError.invalid(`${at}.path`, text, 'must be an absolute path'));
    if (text !== '') {
      for (const part of BAD_PATH_PARTS) {
        if (text.includes(part))
          errors.push(fieldError.invalid(`${at}.path`, text, `must not contain '${part}'`));
      }
      for (const end of BAD_PATH_ENDS) {
        if (text.endsWith(end))
          errors.push(fieldError.invalid(`${at}.path`, text, `cannot end with '${end}'`));
      }
    }
  } else if (path.pathType === 'ImplementationSpecific') {
    if (text !== '' && !text.startsWith('/')) {
      errors.push(fieldError.invalid(`${at}.path`, text, 'must be an absolute path'));
    }
  } else {
    errors.push(
      fieldError.notSupported(`${at}.pathType`, path.pathType, ['Exact', 'ImplementationSpecific', 'Prefix']),
    );
  }
  return [...errors, ...validateBackend(path.backend, `${at}.backend`)];
}

function validateBackend(backend: IngressBackend, at: string): FieldError[] {
  const { service, resource } = backend;
  if (service !== undefined && resource !== undefined) {
    return [fieldError.invalid(at, '', 'cannot set both resource and service backends')];
  }
  if (resource !== undefined) return [];
  const errors: FieldError[] = [];
  const name = service?.name ?? '';
  if (name === '') errors.push(fieldError.required(`${at}.service.name`));
  else errors.push(...named(isDns1035Label(name), name, `${at}.service.name`));
  const { name: portName = '', number = 0 } = service?.port ?? {};
  if (portName !== '' && number !== 0) {
    errors.push(fieldError.invalid(at, '', 'cannot set both port name & port number'));
  } else if (portName !== '') {
    errors.push(...named(isPortName(portName), portName, `${at}.service.port.name`));
  } else if (number !== 0) {
    for (const why of isPortNumber(number))
      errors.push(fieldError.invalid(`${at}.service.port.number`, number, why));
  } else {
    errors.push(fieldError.required(at, 'port name or number is required'));
  }
  return errors;
}

function validateRule(rule: IngressRule, at: string): FieldError[] {
  const { host = '', http } = rule;
  const errors: FieldError[] = [];
  if (host !== '') {
    if (/^(\d{1,3}\.){3}\d{1,3}$/.test(host) || host.includes(':')) {
      errors.push(fieldError.invalid(`${at}.host`, host, 'must be a DNS name, not an IP address'));
    }
    const complaints = host.includes('*') ? isWildcardDns1123Subdomain(host) : isDns1123Subdomain(host);
    errors.push(...named(complaints, host, `${at}.host`));
  }
  if (http === undefined) return errors;
  const paths = http.paths ?? [];
  if (paths.length === 0) errors.push(fieldError.required(`${at}.http.paths`));
  return [...errors, ...paths.flatMap((path, i) => validatePath(path, `${at}.http.paths[${i}]`))];
}

function validateIngress(object: KubeObject): FieldError[] {
  const spec = (object as unknown as Ingress).spec ?? {};
  const errors: FieldError[] = [];
  const { rules = [], defaultBackend, ingressClassName, tls = [] } = spec;
  if (rules.length === 0 && defaultBackend === undefined) {
    const why = 'either `defaultBackend` or `rules` must be specified';
    errors.push(fieldError.invalid('spec', spec.rules ?? null, why));
  }
  if (defaultBackend !== undefined) errors.push(...validateBackend(defaultBackend, 'spec.defaultBackend'));
  errors.push(...rules.flatMap((rule, i) => validateRule(rule, `spec.rules[${i}]`)));
  for (const [i, entry] of tls.entries()) {
    for (const [j, host] of (entry.hosts ?? []).entries()) {
      const complaints = host.includes('*') ? isWildcardDns1123Subdomain(host) : isDns1123Subdomain(host);
      errors.push(...named(complaints, host, `spec.tls[${i}].hosts[${j}]`));
    }
  }
  if (ingressClassName !== undefined) {
    errors.push(...named(isDns1123Subdomain(ingressClassName), ingressClassName, 'spec.ingressClassName'));
  }
  return errors;
}

const ingress: BuiltinKind = {
  strategy: { generation: 'spec', validate: validateIngress, warnings: ingressWarnings },
  subresources: { status: statusSubresource() },
  printer: printers.ingresses,
};

const ingressClass: BuiltinKind = {
  defaults: (object) =>
    change(object as unknown as { spec?: { parameters?: object } }, 'spec', (spec) =>
      change(spec, 'parameters', (parameters) =>
        fill(parameters as { scope?: string }, { scope: 'Cluster' }),
      ),
    ) as unknown as KubeObject,
  strategy: {
    generation: 'spec',
    validate: (object) => {
      const controller = (object['spec'] as { controller?: string } | undefined)?.controller ?? '';
      return controller === '' ? [fieldError.required('spec.controller')] : [];
    },
    validateUpdate: (next, old) =>
      immutable(
        (next['spec'] as { controller?: string } | undefined)?.controller,
        (old['spec'] as { controller?: string } | undefined)?.controller,
        'spec.controller',
      ),
  },
  printer: printers.ingressClasses,
};

// ---- NetworkPolicy

const withProtocol = (port: NetworkPolicyPort): NetworkPolicyPort => fill(port, { protocol: 'TCP' });

function networkPolicyDefaults(object: KubeObject): KubeObject {
  return change(object as unknown as NetworkPolicy, 'spec', (given) => {
    let spec = change(given, 'ingress', (rules) =>
      each(rules, (rule) => change(rule, 'ports', (ports) => each(ports, withProtocol))),
    );
    spec = change(spec, 'egress', (rules) =>
      each(rules, (rule) => change(rule, 'ports', (ports) => each(ports, withProtocol))),
    );
    const egress = (spec.egress ?? []).length > 0;
    return fill(spec, { policyTypes: egress ? ['Ingress', 'Egress'] : ['Ingress'] });
  });
}

function validatePolicyPort(port: NetworkPolicyPort, at: string): FieldError[] {
  const errors = oneOf(port.protocol, ['TCP', 'UDP', 'SCTP'], `${at}.protocol`);
  const complaints =
    port.port === undefined
      ? []
      : typeof port.port === 'number'
        ? isPortNumber(port.port)
        : isPortName(port.port);
  for (const why of complaints) errors.push(fieldError.invalid(`${at}.port`, port.port, why));
  if (port.endPort !== undefined) {
    if (typeof port.port !== 'number') {
      const why =
        port.port === undefined
          ? 'must be specified with a numeric port'
          : 'may not be specified when `port` is non-numeric';
      errors.push(fieldError.invalid(`${at}.endPort`, port.endPort, why));
    } else if (port.endPort < port.port) {
      errors.push(
        fieldError.invalid(`${at}.endPort`, port.endPort, 'must be greater than or equal to `port`'),
      );
    }
  }
  return errors;
}

function validatePeer(peer: NetworkPolicyPeer, at: string): FieldError[] {
  const { podSelector, namespaceSelector, ipBlock } = peer;
  const given = Object.values({ podSelector, namespaceSelector, ipBlock }).filter((one) => one !== undefined);
  const errors: FieldError[] = [];
  if (podSelector !== undefined) errors.push(...validateLabelSelector(podSelector, `${at}.podSelector`));
  if (namespaceSelector !== undefined) {
    errors.push(...validateLabelSelector(namespaceSelector, `${at}.namespaceSelector`));
  }
  if (ipBlock !== undefined) errors.push(...validateBlock(ipBlock, `${at}.ipBlock`));
  if (given.length === 0) errors.push(fieldError.required(at, 'must specify a peer'));
  else if (ipBlock !== undefined && given.length > 1) {
    errors.push(fieldError.forbidden(at, 'may not specify both ipBlock and another peer'));
  }
  return errors;
}

function validateBlock({ cidr, except = [] }: IPBlock, at: string): FieldError[] {
  if (cidr === '') return [fieldError.required(`${at}.cidr`)];
  const errors = validCidr(cidr, `${at}.cidr`);
  const whole = parseCidr(cidr);
  if (whole === undefined) return errors;
  for (const [i, text] of except.entries()) {
    const path = `${at}.except[${i}]`;
    const hole = parseCidr(text);
    errors.push(...validCidr(text, path));
    if (hole === undefined) continue;
    if (!cidrContains(whole, hole.address) || hole.prefixLength <= whole.prefixLength) {
      errors.push(fieldError.invalid(path, text, 'must be a strict subset of `cidr`'));
    }
  }
  return errors;
}

function validateNetworkPolicy(object: KubeObject): FieldError[] {
  const spec = (object as unknown as NetworkPolicy).spec;
  const errors = validateLabelSelector(spec?.podSelector ?? {}, 'spec.podSelector');
  const directions = [
    ['ingress', spec?.ingress ?? [], 'from'],
    ['egress', spec?.egress ?? [], 'to'],
  ] as const;
  for (const [direction, rules, peers] of directions) {
    for (const [i, rule] of rules.entries()) {
      const at = `spec.${direction}[${i}]`;
      errors.push(...(rule.ports ?? []).flatMap((port, j) => validatePolicyPort(port, `${at}.ports[${j}]`)));
      const given = (rule as Readonly<Record<string, unknown>>)[peers] as
        | readonly NetworkPolicyPeer[]
        | undefined;
      for (const [j, peer] of (given ?? []).entries()) {
        errors.push(...validatePeer(peer, `${at}.${peers}[${j}]`));
      }
    }
  }
  for (const [i, type] of (spec?.policyTypes ?? []).entries()) {
    errors.push(...oneOf(type, ['Egress', 'Ingress'], `spec.policyTypes[${i}]`, false));
  }
  return errors;
}

const networkPolicy: BuiltinKind = {
  defaults: networkPolicyDefaults,
  strategy: { generation: 'spec', validate: validateNetworkPolicy },
  printer: printers.networkPolicies,
};

// ---- endpoints

const ADDRESS_TYPES = ['FQDN', 'IPv4', 'IPv6'];
// LIMIT: as kube-apiserver; a controller makes more slices instead.
const MAX_ENDPOINTS = 1000;
const MAX_PORTS = 20_000;
const MAX_ADDRESSES = 100;

function validateEndpointSlice(object: KubeObject): FieldError[] {
  const slice = object as unknown as EndpointSlice;
  const errors: FieldError[] = [];
  const { addressType, endpoints = [], ports = [] } = slice;
  if (((addressType as string | undefined) ?? '') === '') errors.push(fieldError.required('addressType'));
  else errors.push(...oneOf(addressType, ADDRESS_TYPES, 'addressType', false));
  if (errors.length > 0) return errors;
  if ((endpoints ?? []).length > MAX_ENDPOINTS) {
    errors.push(fieldError.tooMany('endpoints', endpoints.length, MAX_ENDPOINTS));
  }
  for (const [i, endpoint] of (endpoints ?? []).entries()) {
    const at = `endpoints[${i}]`;
    if ((endpoint.addresses ?? []).length === 0) {
      errors.push(fieldError.required(`${at}.addresses`, 'must contain at least 1 address'));
    }
    if (endpoint.addresses.length > MAX_ADDRESSES) {
      errors.push(fieldError.tooMany(`${at}.addresses`, endpoint.addresses.length, MAX_ADDRESSES));
    }
    for (const [j, address] of (endpoint.addresses ?? []).entries()) {
      errors.push(...validateAddress(addressType, address, `${at}.addresses[${j}]`));
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
  if (type === 'FQDN') return named(isDns1123Subdomain(address), address, at);
  const v4 =
    /^(\d{1,3}\.){3}\d{1,3}$/.test(address) && address.split('.').every((part) => Number(part) <= 255);
  const v6 = /^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/.test(address);
  const errors: FieldError[] = [];
  if (!v4 && !v6) {
    const why = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
    errors.push(fieldError.invalid(at, address, why));
  } else if (type === 'IPv4' && !v4) {
    errors.push(fieldError.invalid(at, address, 'must be an IPv4 address'));
  } else if (type === 'IPv6' && v4) {
    errors.push(fieldError.invalid(at, address, 'must be an IPv6 address'));
  }
  return errors;
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
