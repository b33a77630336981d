// NetworkPolicy. The words, the paths and the order are kube-apiserver's.
import type {
  IPBlock,
  KubeObject,
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyPort,
} from '../../api/index.ts';
import {
  cidrContains,
  fieldError,
  isPortName,
  isPortNumber,
  parseCidr,
  validateLabelSelector,
  type FieldError,
} from '../../machinery/index.ts';
import { change, each, fill } from '../typed/drafts.ts';
import type { BuiltinKind } from './builtin.ts';
import { named, oneOfIfGiven, validCidr } from './checks.ts';
import * as printers from '../table/printers.ts';

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

function validatePolicyPort({ protocol, port, endPort }: NetworkPolicyPort, at: string): FieldError[] {
  const errors = oneOfIfGiven(protocol, ['TCP', 'UDP', 'SCTP'], `${at}.protocol`);
  const number = (value: number, field: string): void =>
    void errors.push(...isPortNumber(value).map((why) => fieldError.invalid(`${at}.${field}`, value, why)));
  const refuseEnd = (why: string): void =>
    void errors.push(fieldError.invalid(`${at}.endPort`, endPort, why));
  if (typeof port === 'number') {
    number(port, 'port');
    if (endPort === undefined) return errors;
    if (endPort < port) refuseEnd('must be greater than or equal to `port`');
    number(endPort, 'endPort');
    return errors;
  }
  if (endPort !== undefined) {
    const what = port === undefined ? 'not specified' : 'non-numeric';
    refuseEnd(`may not be specified when \`port\` is ${what}`);
  }
  return port === undefined ? errors : [...errors, ...named(isPortName(port), port, `${at}.port`)];
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

const POLICY_TYPES = ['Ingress', 'Egress'];

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
  const types = spec?.policyTypes ?? [];
  if (types.length > POLICY_TYPES.length) {
    const why = 'may not specify more than two policyTypes';
    return [...errors, fieldError.invalid('spec.policyTypes', types, why)];
  }
  for (const [i, type] of types.entries()) {
    if (!POLICY_TYPES.includes(type)) {
      errors.push(fieldError.notSupported(`spec.policyTypes[${i}]`, type, POLICY_TYPES));
    }
  }
  return errors;
}

export const networkPolicy: BuiltinKind = {
  defaults: networkPolicyDefaults,
  strategy: { generation: 'spec', validate: validateNetworkPolicy },
  printer: printers.networkPolicies,
};
