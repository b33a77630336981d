// What a cluster is made of besides workloads: namespaces, service accounts, leases, classes; nodes have a file of their
// own.
import type { KubeObject, Namespace, Lease } from '../../api/index.ts';
import { fieldError, isQualifiedName, nameIsDnsLabel, type FieldError } from '../../machinery/index.ts';
import { withMetadata } from '../object-codec.ts';
import type { Subresource } from '../resource.ts';
import { fill } from '../typed/drafts.ts';
import type { BuiltinKind, BuiltinKinds } from './builtin.ts';
import { immutable, named, notNegative, oneOf, positive } from './checks.ts';
import { node } from './nodes.ts';
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
