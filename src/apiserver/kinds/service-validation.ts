// What is wrong with a service, in kube-apiserver's words and order.
import type { KubeObject, Service, ServicePort, ServiceSpec } from '../../api/index.ts';
import {
  fieldError,
  isDns1123Label,
  isDns1123Subdomain,
  isPortName,
  isPortNumber,
  isQualifiedName,
  parseIp,
  validateLabels,
  type FieldError,
} from '../../machinery/index.ts';
import { named, notSpecialAddress, oneOf, oneOfIfGiven, validAddress, validCidr } from './checks.ts';

const SOURCE_RANGES_ANNOTATION = 'service.beta.kubernetes.io/load-balancer-source-ranges';
const ONLY_LOAD_BALANCERS = "may only be used when `type` is 'LoadBalancer'";
const AFFINITY_SECONDS_MAX = 86_400;

const specOf = (object: KubeObject): ServiceSpec => (object as unknown as Service).spec ?? {};
const isHeadless = ({ clusterIPs }: ServiceSpec): boolean => clusterIPs?.[0] === 'None';
const isExternal = ({ type }: ServiceSpec): boolean => type === 'NodePort' || type === 'LoadBalancer';
/** Whether anything reaches it from outside: then it says how it takes that traffic. */
export const isReachable = (spec: ServiceSpec): boolean =>
  isExternal(spec) || (spec.type === 'ClusterIP' && (spec.externalIPs ?? []).length > 0);
const isBalanced = ({ type }: ServiceSpec): boolean => type === 'LoadBalancer';
const needsHealthPort = (spec: ServiceSpec): boolean =>
  isBalanced(spec) && spec.externalTrafficPolicy === 'Local';

export function validateService(object: KubeObject): FieldError[] {
  const spec = specOf(object);
  return [
    ...typeRules(spec),
    ...portErrors(spec),
    ...validateLabels(spec.selector, 'spec.selector'),
    ...affinityErrors(spec),
    ...addressErrors(spec),
    ...(spec.externalIPs ?? []).flatMap((address, i) => {
      const path = `spec.externalIPs[${i}]`;
      const errors = validAddress(address, path);
      return errors.length > 0 ? errors : notSpecialAddress(address, path);
    }),
    ...oneOf(spec.type, ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'], 'spec.type', false),
    ...duplicatePorts(spec.ports ?? [], spec.type === 'ClusterIP'),
    ...balancerErrors(object, spec),
    ...trafficErrors(spec),
  ];
}

export function validateServiceUpdate(next: KubeObject, old: KubeObject): FieldError[] {
  const [spec, before] = [specOf(next), specOf(old)];
  const errors = addressChanges(spec, before);
  if (isBalanced(spec) && isBalanced(before) && spec.loadBalancerClass !== before.loadBalancerClass) {
    const value = spec.loadBalancerClass ?? null;
    errors.push(fieldError.invalid('spec.loadBalancerClass', value, 'may not change once set'));
  }
  if (
    needsHealthPort(spec) &&
    needsHealthPort(before) &&
    spec.healthCheckNodePort !== before.healthCheckNodePort
  ) {
    errors.push(fieldError.forbidden('spec.healthCheckNodePort', 'field is immutable'));
  }
  return [...errors, ...validateService(next)];
}

export function validateServiceStatus(object: KubeObject): FieldError[] {
  const { ingress = [] } = (object as unknown as Service).status?.loadBalancer ?? {};
  const path = 'status.loadBalancer.ingress';
  if (ingress.length > 0 && !isBalanced(specOf(object))) {
    return [fieldError.forbidden(path, 'may only be used when `spec.type` is LoadBalancer')];
  }
  return ingress.flatMap(({ ip = '', ipMode, hostname = '' }, i) => {
    const at = `${path}[${i}]`;
    const errors = ip === '' ? [] : validAddress(ip, `${at}.ip`);
    if (ipMode !== undefined && ip === '') {
      errors.push(fieldError.forbidden(`${at}.ipMode`, 'may not be specified when `ip` is not set'));
    } else {
      errors.push(...oneOfIfGiven(ipMode, ['Proxy', 'VIP'], `${at}.ipMode`));
    }
    if (hostname !== '') {
      errors.push(...named(isDns1123Subdomain(hostname), hostname, `${at}.hostname`));
      if (parseIp(hostname) !== undefined) {
        const why = 'must be a DNS name, not an IP address';
        errors.push(fieldError.invalid(`${at}.hostname`, hostname, why));
      }
    }
    return errors;
  });
}

function typeRules(spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  if ((spec.ports ?? []).length === 0 && !isHeadless(spec) && spec.type !== 'ExternalName') {
    errors.push(fieldError.required('spec.ports'));
  }
  if (isExternal(spec) && isHeadless(spec)) {
    const why = `may not be set to 'None' for ${spec.type} services`;
    errors.push(fieldError.invalid('spec.clusterIPs[0]', 'None', why));
  }
  if (spec.type !== 'ExternalName') return errors;
  const NOT_HERE = 'may not be set for ExternalName services';
  if ((spec.clusterIPs ?? []).length > 0) errors.push(fieldError.forbidden('spec.clusterIPs', NOT_HERE));
  if ((spec.ipFamilies ?? []).length > 0) errors.push(fieldError.forbidden('spec.ipFamilies', NOT_HERE));
  if (spec.ipFamilyPolicy !== undefined) errors.push(fieldError.forbidden('spec.ipFamilyPolicy', NOT_HERE));
  const name = (spec.externalName ?? '').replace(/\.$/, '');
  if (name === '') errors.push(fieldError.required('spec.externalName'));
  else errors.push(...named(isDns1123Subdomain(name), name, 'spec.externalName'));
  return errors;
}

// ---- ports

function portErrors({ ports = [] }: ServiceSpec): FieldError[] {
  const names = new Set<string>();
  return ports.flatMap((port, i) => validatePort(port, names, ports.length > 1, `spec.ports[${i}]`));
}

function validatePort(
  port: ServicePort,
  names: Set<string>,
  nameNeeded: boolean,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const { name = '', targetPort, appProtocol } = port;
  if (name === '') {
    if (nameNeeded) errors.push(fieldError.required(`${path}.name`));
  } else {
    errors.push(...named(isDns1123Label(name), name, `${path}.name`));
    if (names.has(name)) errors.push(fieldError.duplicate(`${path}.name`, name));
    names.add(name);
  }
  for (const why of isPortNumber(port.port)) errors.push(fieldError.invalid(`${path}.port`, port.port, why));
  errors.push(...oneOf(port.protocol, ['SCTP', 'TCP', 'UDP'], `${path}.protocol`, false));
  const complaints = typeof targetPort === 'number' ? isPortNumber(targetPort) : isPortName(targetPort ?? '');
  for (const why of complaints) errors.push(fieldError.invalid(`${path}.targetPort`, targetPort, why));
  if (appProtocol !== undefined) {
    errors.push(...named(isQualifiedName(appProtocol), appProtocol, `${path}.appProtocol`));
  }
  return errors;
}

function duplicatePorts(ports: readonly ServicePort[], inside: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const taken = new Set<string>();
  const isTaken = (key: string): boolean => taken.size === taken.add(key).size;
  const withNodePort = [...ports.entries()].filter(([, { nodePort = 0 }]) => nodePort !== 0);
  if (inside) {
    const why = "may not be used when `type` is 'ClusterIP'";
    for (const [i] of withNodePort) errors.push(fieldError.forbidden(`spec.ports[${i}].nodePort`, why));
  }
  for (const [i, { protocol, nodePort }] of withNodePort) {
    if (isTaken(`node ${protocol}/${nodePort}`)) {
      errors.push(fieldError.duplicate(`spec.ports[${i}].nodePort`, nodePort));
    }
  }
  for (const [i, { protocol, port }] of ports.entries()) {
    if (isTaken(`${protocol}/${port}`))
      errors.push(fieldError.duplicate(`spec.ports[${i}]`, { protocol, port }));
  }
  return errors;
}

// ---- affinity

function affinityErrors({ sessionAffinity, sessionAffinityConfig }: ServiceSpec): FieldError[] {
  const path = 'spec.sessionAffinityConfig';
  const errors = oneOf(sessionAffinity, ['ClientIP', 'None'], 'spec.sessionAffinity', false);
  if (sessionAffinity === 'None' && sessionAffinityConfig !== undefined) {
    errors.push(fieldError.forbidden(path, 'must not be set when session affinity is None'));
  }
  if (sessionAffinity !== 'ClientIP') return errors;
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 0;
  if (seconds <= 0 || seconds > AFFINITY_SECONDS_MAX) {
    const why = `must be greater than 0 and less than ${AFFINITY_SECONDS_MAX}`;
    errors.push(fieldError.invalid(`${path}.clientIP.timeoutSeconds`, seconds, why));
  }
  return errors;
}

// ---- addresses

function addressErrors(spec: ServiceSpec): FieldError[] {
  if (spec.type === 'ExternalName') return [];
  const { clusterIP = '', clusterIPs = [], ipFamilies = [], ipFamilyPolicy } = spec;
  const path = 'spec.clusterIPs';
  const errors: FieldError[] = [];
  if (clusterIP !== '' && clusterIPs.length === 0) errors.push(fieldError.required(path));
  else if (clusterIP !== '' && clusterIPs[0] !== clusterIP) {
    errors.push(fieldError.invalid(path, clusterIPs, 'first value must match `clusterIP`'));
  }
  if (clusterIP === '' && clusterIPs.length > 0) {
    errors.push(fieldError.invalid(path, clusterIPs, 'must be empty when `clusterIP` is not specified'));
  }
  for (const [i, family] of ipFamilies.entries()) {
    errors.push(...oneOf(family, ['IPv4', 'IPv6'], `spec.ipFamilies[${i}]`, false));
    if (ipFamilies.indexOf(family) < i) errors.push(fieldError.duplicate(`spec.ipFamilies[${i}]`, family));
  }
  const policies = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];
  errors.push(...oneOfIfGiven(ipFamilyPolicy, policies, 'spec.ipFamilyPolicy'));
  if (clusterIPs[0] === 'None' && clusterIPs.length > 1) {
    errors.push(fieldError.invalid(path, clusterIPs, "'None' must be the first and only value"));
    return errors;
  }
  const wrong = clusterIPs.flatMap((address, i) =>
    address === 'None' && i === 0 ? [] : validAddress(address, `${path}[${i}]`),
  );
  errors.push(...wrong);
  if (clusterIPs.length > 2)
    errors.push(fieldError.invalid(path, clusterIPs, 'may only hold up to 2 values'));
  const families = new Set(clusterIPs.map((address) => parseIp(address)?.family));
  if (wrong.length === 0 && clusterIPs.length > 1 && families.size < 2) {
    const why = 'may specify no more than one IP for each IP family';
    errors.push(fieldError.invalid(path, clusterIPs, why));
  }
  for (const [i, address] of clusterIPs.entries()) {
    const [is, family] = [familyOf(address), ipFamilies[i]];
    if (is === undefined || family === undefined || is === family) continue;
    const why = `expected an ${family} value as indicated by \`ipFamilies[${i}]\``;
    errors.push(fieldError.invalid(`${path}[${i}]`, address, why));
  }
  return errors;
}

function familyOf(address: string): string | undefined {
  const family = parseIp(address)?.family;
  return family === undefined ? undefined : `IPv${family}`;
}

/**
 * LIMIT: the cluster has IPv4 addresses only, as one that was never told more.
 * COMPAT: what does not go with that is said before anything is allocated, and alone.
 */
export function validateServiceFamilies(spec: ServiceSpec): FieldError[] {
  const errors = addressErrors(spec);
  if (errors.length > 0) return errors;
  const { clusterIPs = [], ipFamilies = [], ipFamilyPolicy } = spec;
  const path = 'spec.ipFamilyPolicy';
  if (ipFamilyPolicy === 'SingleStack') {
    const why = "must be 'RequireDualStack' or 'PreferDualStack' when multiple";
    if (clusterIPs.length === 2) {
      errors.push(fieldError.invalid(path, ipFamilyPolicy, `${why} cluster IPs are specified`));
    }
    if (ipFamilies.length === 2) {
      errors.push(fieldError.invalid(path, ipFamilyPolicy, `${why} IP families are specified`));
    }
  }
  for (const [i, address] of clusterIPs.entries()) {
    if (i < ipFamilies.length || familyOf(address) !== 'IPv6') continue;
    const why = 'IPv6 is not configured on this cluster';
    errors.push(fieldError.invalid(`spec.clusterIPs[${i}]`, clusterIPs, why));
  }
  if (errors.length > 0 || isForeign(spec)) return errors;
  if (ipFamilyPolicy === 'RequireDualStack') {
    const why = 'this cluster is not configured for dual-stack services';
    errors.push(fieldError.invalid(path, ipFamilyPolicy, why));
  }
  for (const [i, family] of ipFamilies.entries()) {
    if (family === 'IPv4') continue;
    errors.push(fieldError.invalid(`spec.ipFamilies[${i}]`, family, 'not configured on this cluster'));
  }
  return errors;
}

/** COMPAT: a headless service without selector may promise both families, wherever it is. */
export const isForeign = ({ clusterIP, selector }: ServiceSpec): boolean =>
  clusterIP === 'None' && Object.keys(selector ?? {}).length === 0;

/** COMPAT: what has changed is shown as the whole list. */
function addressChanges(spec: ServiceSpec, before: ServiceSpec): FieldError[] {
  if (spec.type === 'ExternalName' || before.type === 'ExternalName') return [];
  if (isHeadless(spec) && isHeadless(before)) return [];
  const [now, then] = [spec.clusterIPs ?? [], before.clusterIPs ?? []];
  const path = 'spec.clusterIPs';
  if (then.length > now.length && now.length === 0) {
    return [fieldError.invalid(`${path}[0]`, now, 'primary clusterIP can not be unset')];
  }
  const both = Math.min(now.length, then.length);
  const errors = then
    .slice(0, both)
    .flatMap((address, i) =>
      address === now[i] ? [] : [fieldError.invalid(`${path}[${i}]`, now, 'may not change once set')],
    );
  if (then.length > now.length && spec.ipFamilyPolicy !== 'SingleStack') {
    const why = "must be set to 'SingleStack' when releasing the secondary clusterIP";
    errors.push(fieldError.invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy ?? null, why));
  }
  return errors;
}

// ---- load balancers and traffic

function balancerErrors(object: KubeObject, spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  const only = (path: string): void => {
    if (!isBalanced(spec)) errors.push(fieldError.forbidden(path, ONLY_LOAD_BALANCERS));
  };
  const ranges = spec.loadBalancerSourceRanges ?? [];
  const annotated = object.metadata.annotations?.[SOURCE_RANGES_ANNOTATION];
  if (ranges.length > 0) {
    // COMPAT: upstream spells this path with a capital letter.
    const path = 'spec.LoadBalancerSourceRanges';
    only(path);
    // COMPAT: as in the annotation it once was, spaces around a range do no harm.
    errors.push(...ranges.flatMap((range, i) => validCidr(range.trim(), `${path}[${i}]`)));
  } else if (annotated !== undefined) {
    const path = `metadata.annotations[${SOURCE_RANGES_ANNOTATION}]`;
    only(path);
    const parts = annotated.trim() === '' ? [] : annotated.split(',');
    errors.push(...parts.flatMap((range) => validCidr(range.trim(), path)));
  }
  if (spec.allocateLoadBalancerNodePorts !== undefined) only('spec.allocateLoadBalancerNodePorts');
  const { loadBalancerClass } = spec;
  if (loadBalancerClass !== undefined) {
    const path = 'spec.loadBalancerClass';
    if (isBalanced(spec)) errors.push(...named(isQualifiedName(loadBalancerClass), loadBalancerClass, path));
    else only(path);
  }
  return errors;
}

function trafficErrors(spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  const { externalTrafficPolicy, internalTrafficPolicy, trafficDistribution } = spec;
  const policies = ['Cluster', 'Local'];
  if (isReachable(spec)) {
    errors.push(...oneOf(externalTrafficPolicy, policies, 'spec.externalTrafficPolicy', false));
  } else if (externalTrafficPolicy !== undefined) {
    const why = 'may only be set for externally-accessible services';
    errors.push(fieldError.invalid('spec.externalTrafficPolicy', externalTrafficPolicy, why));
  }
  const port = spec.healthCheckNodePort ?? 0;
  if (needsHealthPort(spec)) {
    if (port === 0) errors.push(fieldError.required('spec.healthCheckNodePort'));
    else
      errors.push(
        ...isPortNumber(port).map((why) => fieldError.invalid('spec.healthCheckNodePort', port, why)),
      );
  } else if (port !== 0) {
    const why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    errors.push(fieldError.invalid('spec.healthCheckNodePort', port, why));
  }
  const free = spec.type === 'ExternalName';
  errors.push(...oneOf(internalTrafficPolicy, policies, 'spec.internalTrafficPolicy', free));
  const distributions = ['PreferClose', 'PreferSameNode', 'PreferSameZone'];
  errors.push(...oneOfIfGiven(trafficDistribution, distributions, 'spec.trafficDistribution'));
  return errors;
}
