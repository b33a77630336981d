// Nodes: their networks, taints and addresses. The words and the order are kube-apiserver's.
import type { KubeObject, Node } from '../../api/index.ts';
import {
  fieldError,
  isLabelValue,
  isQualifiedName,
  parseCidr,
  semanticEqual,
  type FieldError,
} from '../../machinery/index.ts';
import { change, put } from '../typed/drafts.ts';
import type { BuiltinKind } from './builtin.ts';
import { named, oneOf, quantityNotNegative, validCidr } from './checks.ts';
import { notServedHere } from './not-served.ts';
import { statusSubresource } from './status.ts';
import * as printers from '../table/printers.ts';

function validateNode(object: KubeObject): FieldError[] {
  const { spec = {}, status = {} } = object as unknown as Node;
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [i, taint] of (spec.taints ?? []).entries()) {
    // COMPAT: upstream names this path.
    const path = `metadata.taints[${i}]`;
    errors.push(...named(isQualifiedName(taint.key), taint.key, `${path}.key`));
    const { value = '' } = taint;
    const complaints = isLabelValue(value).join(';');
    if (complaints !== '') errors.push(fieldError.invalid(`${path}.value`, value, complaints));
    errors.push(
      ...oneOf(taint.effect, ['NoSchedule', 'PreferNoSchedule', 'NoExecute'], `${path}.effect`, false),
    );
    const key = `${taint.key} ${taint.effect}`;
    const unique = 'taints must be unique by key and effect pair';
    if (seen.has(key)) errors.push(fieldError.duplicate(path, taint, unique));
    seen.add(key);
  }
  for (const field of ['capacity', 'allocatable'] as const) {
    for (const [name, value] of Object.entries(status[field] ?? {})) {
      errors.push(...quantityNotNegative(value, `status.${field}.${name}`));
    }
  }
  return errors;
}

/** At most one network of each family, each once. */
function podNetworkErrors({ podCIDR = '', podCIDRs: list = [] }: NonNullable<Node['spec']>): FieldError[] {
  const path = 'spec.podCIDRs';
  const podCIDRs = list.length === 0 && podCIDR !== '' ? [podCIDR] : list;
  const errors = podCIDRs.flatMap((text, i) => validCidr(text, `${path}[${i}]`));
  const families = new Set(podCIDRs.map((text) => parseCidr(text)?.address.family));
  if (podCIDRs.length > 1 && (families.size !== 2 || podCIDRs.length > 2)) {
    const why = 'may specify no more than one CIDR for each IP family';
    errors.push(fieldError.invalid(path, podCIDRs, why));
  }
  for (const [i, text] of podCIDRs.entries()) {
    if (podCIDRs.indexOf(text) < i) errors.push(fieldError.duplicate(`${path}[${i}]`, text));
  }
  return errors;
}

/** COMPAT: of both ways to name its networks, the older one wins, and each follows the other. */
function nodeDefaults(object: KubeObject): KubeObject {
  return change(object as unknown as Node, 'spec', (spec) => {
    const { podCIDR = '', podCIDRs = [] } = spec;
    const [first = ''] = podCIDRs;
    if (podCIDR === first) return spec;
    return podCIDR === ''
      ? put(spec, 'podCIDR', first)
      : put(spec, 'podCIDRs', Object.freeze([podCIDR]) as string[]);
  });
}

/** Where a kubelet once got its settings from; nothing reads it any more. */
function withoutConfigSource(object: KubeObject, old?: KubeObject): KubeObject {
  const inUse = (one: KubeObject | undefined): boolean =>
    (one as unknown as Node | undefined)?.spec?.configSource !== undefined;
  if (!inUse(object) || inUse(old)) return object;
  const { configSource: _, ...spec } = (object as unknown as Node).spec ?? {};
  return Object.freeze({ ...object, spec: Object.freeze(spec) });
}

function addressErrors({ addresses = [] }: NonNullable<Node['status']>): FieldError[] {
  const seen = new Set<string>();
  return addresses.flatMap(({ type, address }, i) => {
    const key = `${type} ${address}`;
    // COMPAT: shown with the names of upstream's own type.
    const shown = { Type: type, Address: address };
    if (seen.has(key)) return [fieldError.duplicate(`status.addresses[${i}]`, shown)];
    seen.add(key);
    return [];
  });
}

function validateNodeUpdate(next: KubeObject, old: KubeObject): FieldError[] {
  const { spec = {}, status = {} } = next as unknown as Node;
  const { spec: before = {} } = old as unknown as Node;
  const errors = addressErrors(status);
  const networks = before.podCIDRs ?? [];
  if (networks.length > 0 && !semanticEqual(networks, spec.podCIDRs)) {
    const why = 'node updates may not change podCIDR except from "" to valid';
    errors.push(fieldError.forbidden('spec.podCIDRs', why));
  }
  if ((before.providerID ?? '') !== '' && spec.providerID !== before.providerID) {
    const why = 'node updates may not change providerID except from "" to valid';
    errors.push(fieldError.forbidden('spec.providerID', why));
  }
  return [...errors, ...validateNode(next)];
}

export const node: BuiltinKind = {
  keepsStatusOnCreate: true,
  defaults: nodeDefaults,
  strategy: {
    prepareForCreate: (object) => withoutConfigSource(object),
    prepareForUpdate: withoutConfigSource,
    validate: (object) => [
      ...validateNode(object),
      ...podNetworkErrors((object as unknown as Node).spec ?? {}),
    ],
    validateUpdate: validateNodeUpdate,
    selectableFields: (object) => ({
      'spec.unschedulable': String((object as unknown as Node).spec?.unschedulable ?? false),
    }),
    selectableFieldNames: ['spec.unschedulable'],
  },
  subresources: {
    status: statusSubresource({ changesLabels: true, validate: validateNodeUpdate }),
    proxy: notServedHere('nodes/proxy', ['create', 'delete', 'get', 'patch', 'update'], 'NodeProxyOptions'),
  },
  printer: printers.nodes,
};
