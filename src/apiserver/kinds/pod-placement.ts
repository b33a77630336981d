// Where a pod may run, as its spec says: affinity, host ports, names that it is known by, what runs it. The words and the
// order are kube-apiserver's.
import type { Affinity, NodeSelectorTerm, PodAffinityTerm, PodSpec } from '../../api/index.ts';
import {
  fieldError,
  isLabelValue,
  isQualifiedName,
  validateLabelSelector,
  type FieldError,
} from '../../machinery/index.ts';
import { named, oneOf, validAddress } from './checks.ts';

const WEIGHT = 'must be in the range 1-100';
const MAX_NAMESERVERS = 3;
const MAX_SEARCHES = 32;

export function validateAffinity(affinity: Affinity | undefined, path: string): FieldError[] {
  const { nodeAffinity, podAffinity, podAntiAffinity } = affinity ?? {};
  const errors: FieldError[] = [];
  const weighed = (weight: number, at: string): void => {
    if (weight < 1 || weight > 100) errors.push(fieldError.invalid(`${at}.weight`, weight, WEIGHT));
  };
  if (nodeAffinity !== undefined) {
    const required = nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution;
    if (required !== undefined) {
      const at = `${path}.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms`;
      const terms = required.nodeSelectorTerms ?? [];
      if (terms.length === 0) {
        errors.push(fieldError.required(at, 'must have at least one node selector term'));
      }
      errors.push(...terms.flatMap((term, i) => validateNodeTerm(term, `${at}[${i}]`)));
    }
    const preferred = nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    for (const [i, { weight, preference }] of preferred.entries()) {
      const at = `${path}.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[${i}]`;
      weighed(weight, at);
      errors.push(...validateNodeTerm(preference, `${at}.preference`));
    }
  }
  for (const [field, terms] of Object.entries({ podAffinity, podAntiAffinity })) {
    const required = terms?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    for (const [i, term] of required.entries()) {
      const at = `${path}.${field}.requiredDuringSchedulingIgnoredDuringExecution[${i}]`;
      errors.push(...validatePodTerm(term, at));
    }
    const preferred = terms?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    for (const [i, { weight, podAffinityTerm }] of preferred.entries()) {
      const at = `${path}.${field}.preferredDuringSchedulingIgnoredDuringExecution[${i}]`;
      weighed(weight, at);
      errors.push(...validatePodTerm(podAffinityTerm, `${at}.podAffinityTerm`));
    }
  }
  return errors;
}

function validateNodeTerm({ matchExpressions = [] }: NodeSelectorTerm, path: string): FieldError[] {
  return matchExpressions.flatMap(({ key, operator, values = [] }, i) => {
    const at = `${path}.matchExpressions[${i}]`;
    const errors: FieldError[] = [];
    if (operator === 'In' || operator === 'NotIn') {
      const why = "must be specified when `operator` is 'In' or 'NotIn'";
      if (values.length === 0) errors.push(fieldError.required(`${at}.values`, why));
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      const why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
      if (values.length > 0) errors.push(fieldError.forbidden(`${at}.values`, why));
    } else if (operator === 'Gt' || operator === 'Lt') {
      const why = "must be specified single value when `operator` is 'Lt' or 'Gt'";
      if (values.length !== 1) errors.push(fieldError.required(`${at}.values`, why));
    } else {
      errors.push(fieldError.invalid(`${at}.operator`, operator, 'not a valid selector operator'));
    }
    errors.push(...named(isQualifiedName(key), key, `${at}.key`));
    errors.push(...values.flatMap((value, j) => named(isLabelValue(value), value, `${at}.values[${j}]`)));
    return errors;
  });
}

function validatePodTerm(
  { labelSelector, namespaceSelector, topologyKey }: PodAffinityTerm,
  path: string,
): FieldError[] {
  return [
    ...(labelSelector === undefined ? [] : validateLabelSelector(labelSelector, `${path}.labelSelector`)),
    ...(namespaceSelector === undefined
      ? []
      : validateLabelSelector(namespaceSelector, `${path}.namespaceSelector`)),
    ...(topologyKey === ''
      ? [fieldError.required(`${path}.topologyKey`, 'can not be empty')]
      : named(isQualifiedName(topologyKey), topologyKey, `${path}.topologyKey`)),
  ];
}

/** Ports of the machine: in its own network they are those of the containers; nowhere are two alike. */
export function validateHostPorts(spec: PodSpec, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const taken = new Set<string>();
  for (const [i, { ports = [] }] of (spec.containers ?? []).entries()) {
    for (const [j, { containerPort, hostPort = 0, hostIP = '', protocol = 'TCP' }] of ports.entries()) {
      const at = `${path}.containers[${i}].ports[${j}]`;
      if (hostPort === 0) continue;
      if (spec.hostNetwork === true && hostPort !== containerPort) {
        const why = 'must match `containerPort` when `hostNetwork` is true';
        errors.push(fieldError.invalid(`${at}.hostPort`, hostPort, why));
      }
      const key = `${protocol}/${hostIP}/${hostPort}`;
      if (taken.has(key)) errors.push(fieldError.duplicate(`${at}.hostPort`, key));
      taken.add(key);
    }
  }
  return errors;
}

export function validateDns({ dnsPolicy, dnsConfig }: PodSpec, path: string): FieldError[] {
  const at = `${path}.dnsConfig`;
  if (dnsConfig === undefined) {
    const why = 'must provide `dnsConfig` when `dnsPolicy` is None';
    return dnsPolicy === 'None' ? [fieldError.required(at, why)] : [];
  }
  const { nameservers = [], searches = [], options = [] } = dnsConfig;
  const errors: FieldError[] = [];
  if (dnsPolicy === 'None' && nameservers.length === 0) {
    const why = 'must provide at least one DNS nameserver when `dnsPolicy` is None';
    errors.push(fieldError.required(`${at}.nameservers`, why));
  }
  if (nameservers.length > MAX_NAMESERVERS) {
    const why = `must not have more than ${MAX_NAMESERVERS} nameservers`;
    errors.push(fieldError.invalid(`${at}.nameservers`, nameservers, why));
  }
  errors.push(...nameservers.flatMap((address, i) => validAddress(address, `${at}.nameservers[${i}]`)));
  if (searches.length > MAX_SEARCHES) {
    const why = `must not have more than ${MAX_SEARCHES} search paths`;
    errors.push(fieldError.invalid(`${at}.searches`, searches, why));
  }
  for (const [i, { name = '' }] of options.entries()) {
    if (name === '') errors.push(fieldError.required(`${at}.options[${i}]`, 'must not be empty'));
  }
  return errors;
}

export function validateGates(
  { readinessGates = [], schedulingGates = [] }: PodSpec,
  path: string,
): FieldError[] {
  const errors = readinessGates.flatMap(({ conditionType }, i) =>
    named(isQualifiedName(conditionType), conditionType, `${path}.readinessGates[${i}].conditionType`),
  );
  const names = new Set<string>();
  for (const [i, { name }] of schedulingGates.entries()) {
    const at = `${path}.schedulingGates[${i}]`;
    errors.push(...named(isQualifiedName(name), name, at));
    if (names.has(name)) errors.push(fieldError.duplicate(at, name));
    names.add(name);
  }
  return errors;
}

export function validateSystem({ os }: PodSpec, path: string): FieldError[] {
  if (os === undefined) return [];
  if (os.name === '') return [fieldError.required(`${path}.os.name`, 'cannot be empty')];
  return oneOf(os.name, ['linux', 'windows'], `${path}.os`, false);
}
