// What a cluster is made of besides workloads: namespaces, nodes, service accounts, leases, classes.
import type { KubeObject, Namespace, Node, Lease } from '../../api/index.ts';
import {
  fieldError,
  isLabelValue,
  isQualifiedName,
  parseCidr,
  nameIsDnsLabel,
  type FieldError,
} from '../../machinery/index.ts';
import { withMetadata } from '../object-codec.ts';
import type { Subresource } from '../resource.ts';
import { fill } from '../typed/drafts.ts';
import type { BuiltinKind, BuiltinKinds } from './builtin.ts';
import { immutable, named, notNegative, oneOf, positive, quantityNotNegative, validCidr } from './checks.ts';
import { notServedHere } from './not-served.ts';
import { runtimeClass } from './runtime-classes.ts';
import { statusSubresource } from './status.ts';
import * as printers from '../table/printers.ts';

// ---- Namespace

const NAME_LABEL = 'kubernetes.io/metadata.name';

/** COMPAT: every namespace carries its name as a label, whatever a client sends. */
function withNameLabel(object: KubeObject): KubeObject {
  const { name = '', labels } = object.metadata;
  if (name === '' || labels?.[NAME_LABEL] === name) return object;
  return withMetadata(object, { ...object.metadata, labels: { ...labels, [NAME_LABEL]: name } });
}

const withField = (object: KubeObject, field: 'spec' | 'status', value: unknown): KubeObject =>
  Object.freeze({ ...object, [field]: Object.freeze(value) });

/** COMPAT: only the finalize subresource says which of them is wrong. */
const finalizersOf = (object: KubeObject): readonly string[] =>
  (object as unknown as Namespace).spec?.finalizers ?? [];

function finalizerErrors(finalizer: string, path: string): FieldError[] {
  const complaints = isQualifiedName(finalizer);
  if (complaints.length > 0) return named(complaints, finalizer, path);
  if (finalizer === 'kubernetes' || finalizer.includes('/')) return [];
  const why = 'name is neither a standard finalizer name nor is it fully qualified';
  return [fieldError.invalid(path, finalizer, why)];
}

/** Only the finalize subresource changes the finalizers of the spec: the namespace is held by them. */
const finalize: Subresource = {
  verbs: ['update'],
  part: {
    ignoredFields: ['status'],
    prepareForUpdate: (next, old) =>
      Object.freeze({ ...old, metadata: next.metadata, spec: next['spec'] ?? {} }),
    validateUpdate: (next) =>
      finalizersOf(next).flatMap((one, i) => finalizerErrors(one, `spec.finalizers[${i}]`)),
  },
};

const namespace: BuiltinKind = {
  // COMPAT: a default, so that it belongs to whoever makes the namespace; a generated name comes too late for that.
  defaults: withNameLabel,
  strategy: {
    nameRule: nameIsDnsLabel,
    prepareForCreate: (object) =>
      withNameLabel(
        withField(
          withField(object, 'spec', {
            finalizers: [...new Set([...finalizersOf(object), 'kubernetes'])],
          }),
          'status',
          { phase: 'Active' },
        ),
      ),
    prepareForUpdate: (next, old) => withNameLabel(withField(next, 'spec', old['spec'] ?? {})),
    validate: (object) => finalizersOf(object).flatMap((one) => finalizerErrors(one, 'spec.finalizers')),
    validateUpdate: () => [],
    beginDeletion(object) {
      const { deletionGracePeriodSeconds: _, ...metadata } = object.metadata;
      const status = { ...(object['status'] as object), phase: 'Terminating' };
      return withMetadata(withField(object, 'status', status), metadata);
    },
    isHeld: (object) => finalizersOf(object).length > 0,
    selectableFields: (object) => ({ 'status.phase': (object as unknown as Namespace).status?.phase ?? '' }),
    selectableFieldNames: ['status.phase'],
  },
  subresources: { finalize, status: statusSubresource({ changesLabels: true }) },
  printer: printers.namespaces,
};

// ---- Node

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

const node: BuiltinKind = {
  keepsStatusOnCreate: true,
  strategy: {
    validate: (object) => [
      ...validateNode(object),
      ...podNetworkErrors((object as unknown as Node).spec ?? {}),
    ],
    validateUpdate(next, old) {
      const errors = validateNode(next);
      const [spec, before] = [(next as unknown as Node).spec ?? {}, (old as unknown as Node).spec ?? {}];
      if ((before.providerID ?? '') !== '' && spec.providerID !== before.providerID) {
        errors.push(
          fieldError.forbidden(
            'spec.providerID',
            'node updates may not change providerID except from "" to valid',
          ),
        );
      }
      if ((before.podCIDR ?? '') !== '' && spec.podCIDR !== before.podCIDR) {
        errors.push(
          fieldError.forbidden(
            'spec.podCIDRs',
            'node updates may not change podCIDR except from "" to valid',
          ),
        );
      }
      return errors;
    },
    selectableFields: (object) => ({
      'spec.unschedulable': String((object as unknown as Node).spec?.unschedulable ?? false),
    }),
    selectableFieldNames: ['spec.unschedulable'],
  },
  subresources: {
    status: statusSubresource({ changesLabels: true, validate: validateNode }),
    proxy: notServedHere('nodes/proxy', ['create', 'delete', 'get', 'patch', 'update'], 'NodeProxyOptions'),
  },
  printer: printers.nodes,
};

// ---- ServiceAccount

const serviceAccount: BuiltinKind = {
  strategy: { returnsDeleted: true },
  printer: printers.serviceAccounts,
};

// ---- Lease

function validateLease(object: KubeObject): FieldError[] {
  const { spec = {} } = object as unknown as Lease;
  const { preferredHolder = '', strategy } = spec;
  const errors = [
    ...positive(spec.leaseDurationSeconds, 'spec.leaseDurationSeconds'),
    ...notNegative(spec.leaseTransitions, 'spec.leaseTransitions'),
  ];
  if (strategy !== undefined) errors.push(...strategyErrors(strategy));
  if (preferredHolder !== '' && (strategy ?? '') === '') {
    const why = 'may only be specified if `strategy` is defined';
    errors.push(fieldError.forbidden('spec.preferredHolder', why));
  }
  return errors;
}

const LEASE_STRATEGIES = ['OldestEmulationVersion'];

/** Strategies of others have a prefix. */
function strategyErrors(strategy: string): FieldError[] {
  const path = 'spec.strategy';
  const complaints = isQualifiedName(strategy);
  if (complaints.length > 0) return named(complaints, strategy, path);
  return strategy.includes('/') ? [] : oneOf(strategy, LEASE_STRATEGIES, path);
}

const lease: BuiltinKind = {
  strategy: { createsOnUpdate: true, requiresResourceVersion: true, validate: validateLease },
  printer: printers.leases,
};

// ---- classes

function priorityClassDefaults(object: KubeObject): KubeObject {
  return fill(object, { preemptionPolicy: 'PreemptLowerPriority' });
}

// LIMIT: what users may give; the numbers above belong to the system's own classes.
const HIGHEST_USER_PRIORITY = 1_000_000_000;

function validatePriorityClass(object: KubeObject): FieldError[] {
  const policy = object['preemptionPolicy'] as string | undefined;
  const policies = ['PreemptLowerPriority', 'Never'];
  return [
    ...priorityErrors(object),
    ...(policy === undefined ? [] : oneOf(policy, policies, 'preemptionPolicy', false)),
  ];
}

function priorityErrors(object: KubeObject): FieldError[] {
  const value = (object['value'] as number | undefined) ?? 0;
  const name = object.metadata.name ?? '';
  if (name.startsWith('system-')) {
    if (name === 'system-cluster-critical' || name === 'system-node-critical') return [];
    const why =
      "priority class names with 'system-' prefix are reserved for system use only. error: " +
      name +
      ' is not a known system priority class';
    return [fieldError.forbidden('metadata.name', why)];
  }
  if (value <= HIGHEST_USER_PRIORITY) return [];
  const why = `maximum allowed value of a user defined priority is ${HIGHEST_USER_PRIORITY}`;
  return [fieldError.forbidden('value', why)];
}

const priorityClass: BuiltinKind = {
  defaults: priorityClassDefaults,
  strategy: {
    // COMPAT: it starts at one, and nothing that may change counts.
    generation: () => false,
    createsOnUpdate: true,
    validate: validatePriorityClass,
    validateUpdate: (next, old) => [
      ...(next['value'] === old['value']
        ? []
        : [fieldError.forbidden('value', 'may not be changed in an update.')]),
      ...immutable(next['preemptionPolicy'], old['preemptionPolicy'], 'preemptionPolicy'),
    ],
  },
  printer: printers.priorityClasses,
};

export const cluster: BuiltinKinds = {
  '/namespaces': namespace,
  '/nodes': node,
  '/serviceaccounts': serviceAccount,
  'coordination.k8s.io/leases': lease,
  'scheduling.k8s.io/priorityclasses': priorityClass,
  'node.k8s.io/runtimeclasses': runtimeClass,
};
