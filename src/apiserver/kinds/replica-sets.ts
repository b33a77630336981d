// ReplicaSets, and the ReplicationControllers that came before them.
import type { KubeObject, ReplicaSet, ReplicationController } from '../../api/index.ts';
import { fieldError, labelSelectorFor, type FieldError } from '../../machinery/index.ts';
import type { Strategy } from '../resource.ts';
import { change, fill } from '../typed/drafts.ts';
import type { BuiltinKind } from './builtin.ts';
import { podTemplateDefaults } from './pod-defaults.ts';
import { scaleSubresource } from './scale.ts';
import { statusSubresource } from './status.ts';
import {
  selectorOf,
  validateCounts,
  warningsOf,
  validateSelector,
  validateTemplate,
} from './workload-checks.ts';
import * as printers from '../table/printers.ts';
import { immutable, notNegative } from './checks.ts';

function replicaSetDefaults(object: KubeObject): KubeObject {
  return change(object as unknown as ReplicaSet, 'spec', (spec) =>
    change(fill(spec, { replicas: 1 }), 'template', podTemplateDefaults),
  );
}

function validateReplicaSet(object: KubeObject): FieldError[] {
  const spec = (object as unknown as ReplicaSet).spec!;
  const template = spec.template ?? {};
  return [
    ...notNegative(spec.replicas, 'spec.replicas'),
    ...notNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...validateSelector(spec.selector, template, 'spec', 'empty selector is invalid for deployment'),
    ...validateTemplate(template, 'spec', 'ReplicaSet'),
  ];
}

const replicaCounts = (next: KubeObject): FieldError[] =>
  validateCounts(
    next['status'] as Readonly<Record<string, unknown>>,
    ['replicas', 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas', 'observedGeneration'],
    [
      ['fullyLabeledReplicas', 'replicas', 'status.replicas'],
      ['readyReplicas', 'replicas', 'status.replicas'],
      ['availableReplicas', 'replicas', 'status.replicas'],
      ['availableReplicas', 'readyReplicas', 'readyReplicas'],
    ],
  );

const selectableByReplicas: Pick<Strategy, 'selectableFields' | 'selectableFieldNames'> = {
  selectableFields: (object) => ({
    'status.replicas': String((object as unknown as ReplicaSet).status?.replicas ?? 0),
  }),
  selectableFieldNames: ['status.replicas'],
};

export const replicaSet: BuiltinKind = {
  defaults: replicaSetDefaults,
  strategy: {
    generation: 'spec',
    validate: validateReplicaSet,
    warnings: warningsOf(true),
    validateUpdate: (next, old) => [
      ...validateReplicaSet(next),
      ...immutable(selectorOf(next), selectorOf(old), 'spec.selector'),
    ],
    ...selectableByReplicas,
  },
  subresources: { scale: scaleSubresource, status: statusSubresource({ validate: replicaCounts }) },
  printer: printers.replicaSets,
};

// ---- ReplicationController

function replicationControllerDefaults(object: KubeObject): KubeObject {
  const controller = object as unknown as ReplicationController;
  const labels = controller.spec?.template?.metadata?.labels;
  const withSpec = change(controller, 'spec', (spec) => {
    const next = fill(spec, { replicas: 1, ...(labels === undefined ? {} : { selector: labels }) });
    return change(next, 'template', podTemplateDefaults);
  });
  if (labels === undefined) return withSpec;
  return change(withSpec, 'metadata', (metadata) => fill(metadata, { labels }));
}

function validateReplicationController(object: KubeObject): FieldError[] {
  const spec = (object as unknown as ReplicationController).spec!;
  const errors = [
    ...notNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...(Object.keys(spec.selector ?? {}).length === 0 ? [fieldError.required('spec.selector')] : []),
    ...notNegative(spec.replicas, 'spec.replicas'),
  ];
  if (spec.template === undefined) return [...errors, fieldError.required('spec.template')];
  const labels = spec.template.metadata?.labels;
  if (!labelSelectorFor({ matchLabels: spec.selector ?? {} }).matches(labels)) {
    const why = '`selector` does not match template `labels`';
    errors.push(fieldError.invalid('spec.template.metadata.labels', labels ?? null, why));
  }
  return [...errors, ...validateTemplate(spec.template, 'spec', 'ReplicationController')];
}

export const replicationController: BuiltinKind = {
  defaults: replicationControllerDefaults,
  strategy: {
    generation: 'spec',
    orphansByDefault: true,
    validate: validateReplicationController,
    warnings: warningsOf(true),
    ...selectableByReplicas,
  },
  subresources: { scale: scaleSubresource, status: statusSubresource({ validate: replicaCounts }) },
  printer: printers.replicationControllers,
};
