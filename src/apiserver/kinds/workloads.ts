// apps/v1: Deployment, ReplicaSet, StatefulSet, DaemonSet, ControllerRevision; and the ReplicationController.
import type {
  DaemonSet,
  Deployment,
  DeploymentSpec,
  KubeObject,
  LabelSelector,
  PodTemplateSpec,
  ReplicaSet,
  ReplicationController,
  StatefulSet,
  StatefulSetSpec,
} from '../../api/index.ts';
import {
  fieldError,
  labelSelectorFor,
  nameIsDnsLabel,
  semanticEqual,
  specChanged,
  validateLabelSelector,
  type FieldError,
} from '../../machinery/index.ts';
import { withMetadata } from '../object-codec.ts';
import type { Strategy } from '../resource.ts';
import { change, each, fill } from '../typed/drafts.ts';
import type { BuiltinKind, BuiltinKinds } from './builtin.ts';
import { immutable, intOrPercent, notNegative, oneOf, percentOf } from './checks.ts';
import { podTemplateDefaults } from './pod-defaults.ts';
import { validatePodTemplate } from './pod-validation.ts';
import { scaleSubresource } from './scale.ts';
import { statusSubresource } from './status.ts';
import { pvcDefaults } from './volume-claim-defaults.ts';
import { validatePvcSpec } from './volumes.ts';
import { templateWarnings } from './warnings.ts';
import * as printers from '../table/printers.ts';

const warningsOf = (namesPods: boolean): NonNullable<Strategy['warnings']> =>
  templateWarnings(
    (object) => (object['spec'] as { template?: PodTemplateSpec }).template,
    'spec.template',
    namesPods,
  );

/** A selector that is there, not empty, and matches the template. */
function validateSelector(
  selector: LabelSelector | undefined,
  template: PodTemplateSpec,
  path: string,
  emptyComplaint: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (selector === undefined) {
    errors.push(fieldError.required(`${path}.selector`));
  } else {
    errors.push(...validateLabelSelector(selector, `${path}.selector`));
    const size = Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length;
    if (size === 0) errors.push(fieldError.invalid(`${path}.selector`, selector, emptyComplaint));
    if (errors.length > 0) {
      if (size > 0) errors.push(fieldError.invalid(`${path}.selector`, selector, 'invalid label selector'));
      return errors;
    }
  }
  const labels = template.metadata?.labels;
  const compiled = labelSelectorFor(selector);
  if (!compiled.empty && !compiled.matches(labels)) {
    const why = '`selector` does not match template `labels`';
    errors.push(fieldError.invalid(`${path}.template.metadata.labels`, labels ?? null, why));
  }
  return errors;
}

function validateTemplate(template: PodTemplateSpec, path: string, owner: string): FieldError[] {
  const errors = validatePodTemplate(template, `${path}.template`);
  const { restartPolicy, activeDeadlineSeconds } = template.spec ?? {};
  if (restartPolicy === 'OnFailure' || restartPolicy === 'Never') {
    errors.push(fieldError.notSupported(`${path}.template.spec.restartPolicy`, restartPolicy, ['Always']));
  }
  if (activeDeadlineSeconds !== undefined) {
    const why = `activeDeadlineSeconds in ${owner} is not Supported`;
    errors.push(fieldError.forbidden(`${path}.template.spec.activeDeadlineSeconds`, why));
  }
  return errors;
}

/** Counts of a status that cannot be below zero, and those that another one bounds. */
function validateCounts(
  status: Readonly<Record<string, unknown>>,
  counts: readonly string[],
  bounds: readonly (readonly [string, string, string])[],
): FieldError[] {
  const numberOf = (field: string): number => (status[field] as number | undefined) ?? 0;
  return [
    ...counts.flatMap((field) => notNegative(numberOf(field), `status.${field}`)),
    ...bounds.flatMap(([field, most, called]) =>
      numberOf(field) > numberOf(most)
        ? [fieldError.invalid(`status.${field}`, numberOf(field), `cannot be greater than ${called}`)]
        : [],
    ),
  ];
}

// ---- Deployment

function deploymentDefaults(object: KubeObject): KubeObject {
  const deployment = object as unknown as Deployment;
  return change(deployment, 'spec', (spec) => {
    let next = fill(spec, { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 });
    next = change(next, 'strategy', (strategy) => {
      const typed = fill(strategy, { type: 'RollingUpdate' });
      if (typed.type !== 'RollingUpdate') return typed;
      const filled = fill(typed, { rollingUpdate: {} });
      return change(filled, 'rollingUpdate', (rolling) =>
        fill(rolling, { maxUnavailable: '25%', maxSurge: '25%' }),
      );
    });
    return change(next, 'template', podTemplateDefaults);
  });
}

function validateRolling(
  rolling: { readonly maxUnavailable?: number | string; readonly maxSurge?: number | string },
  path: string,
): FieldError[] {
  const { maxUnavailable, maxSurge } = rolling;
  const errors = [
    ...intOrPercent(maxUnavailable, `${path}.maxUnavailable`),
    ...intOrPercent(maxSurge, `${path}.maxSurge`),
  ];
  const isZero = (value: number | string | undefined): boolean => value === 0 || percentOf(value) === 0;
  if (isZero(maxUnavailable) && isZero(maxSurge)) {
    const why = 'may not be 0 when `maxSurge` is 0';
    errors.push(fieldError.invalid(`${path}.maxUnavailable`, maxUnavailable, why));
  }
  if ((percentOf(maxUnavailable) ?? 0) > 100) {
    errors.push(
      fieldError.invalid(`${path}.maxUnavailable`, maxUnavailable, 'must not be greater than 100%'),
    );
  }
  return errors;
}

function validateStrategy(spec: DeploymentSpec): FieldError[] {
  const { type, rollingUpdate } = spec.strategy ?? {};
  const path = 'spec.strategy';
  if (type === 'Recreate') {
    return rollingUpdate === undefined
      ? []
      : [
          fieldError.forbidden(
            `${path}.rollingUpdate`,
            "may not be specified when strategy `type` is 'Recreate'",
          ),
        ];
  }
  if (type === 'RollingUpdate') {
    if (rollingUpdate === undefined) {
      return [fieldError.required(`${path}.rollingUpdate`, 'this should be defaulted and never be nil')];
    }
    return validateRolling(rollingUpdate, `${path}.rollingUpdate`);
  }
  return oneOf(type, ['Recreate', 'RollingUpdate'], `${path}.type`, false);
}

function validateDeployment(object: KubeObject): FieldError[] {
  const spec = (object as unknown as Deployment).spec!;
  const { minReadySeconds = 0, progressDeadlineSeconds } = spec;
  const errors = [
    ...notNegative(spec.replicas, 'spec.replicas'),
    ...validateSelector(spec.selector, spec.template, 'spec', 'empty selector is invalid for deployment'),
    ...validateTemplate(spec.template, 'spec', 'ReplicaSet'),
    ...validateStrategy(spec),
    ...notNegative(minReadySeconds, 'spec.minReadySeconds'),
    ...notNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit'),
    ...notNegative(progressDeadlineSeconds, 'spec.progressDeadlineSeconds'),
  ];
  if (progressDeadlineSeconds !== undefined && progressDeadlineSeconds <= minReadySeconds) {
    const why = 'must be greater than minReadySeconds';
    errors.push(fieldError.invalid('spec.progressDeadlineSeconds', progressDeadlineSeconds, why));
  }
  return errors;
}

const selectorOf = (object: KubeObject): unknown => (object['spec'] as { selector?: unknown }).selector;

const deployment: BuiltinKind = {
  defaults: deploymentDefaults,
  strategy: {
    // COMPAT: of all workloads only Deployments count a change of annotations as well.
    generation: (next, old) =>
      specChanged(next, old) ||
      !semanticEqual(next.metadata.annotations ?? {}, old.metadata.annotations ?? {}),
    validate: validateDeployment,
    warnings: warningsOf(true),
    validateUpdate: (next, old) => [
      ...validateDeployment(next),
      ...immutable(selectorOf(next), selectorOf(old), 'spec.selector'),
    ],
  },
  subresources: {
    scale: scaleSubresource,
    status: statusSubresource({
      validate: (next) =>
        validateCounts(
          next['status'] as Readonly<Record<string, unknown>>,
          [
            'observedGeneration',
            'replicas',
            'updatedReplicas',
            'readyReplicas',
            'availableReplicas',
            'unavailableReplicas',
          ],
          [
            ['updatedReplicas', 'replicas', 'status.replicas'],
            ['readyReplicas', 'replicas', 'status.replicas'],
            ['availableReplicas', 'replicas', 'status.replicas'],
            ['availableReplicas', 'readyReplicas', 'readyReplicas'],
          ],
        ),
    }),
  },
  printer: printers.deployments,
};

// ---- ReplicaSet

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

const replicaSet: BuiltinKind = {
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

// ---- StatefulSet

function statefulSetDefaults(object: KubeObject): KubeObject {
  return change(object as unknown as StatefulSet, 'spec', (spec) => {
    let next = fill(spec, {
      podManagementPolicy: 'OrderedReady',
      replicas: 1,
      revisionHistoryLimit: 10,
      persistentVolumeClaimRetentionPolicy: {},
    });
    next = change(next, 'persistentVolumeClaimRetentionPolicy', (policy) =>
      fill(policy, { whenDeleted: 'Retain', whenScaled: 'Retain' }),
    );
    next = change(next, 'updateStrategy', (strategy) => {
      const typed = fill(strategy, { type: 'RollingUpdate' });
      if (typed.type !== 'RollingUpdate') return typed;
      const filled = fill(typed, { rollingUpdate: {} });
      return change(filled, 'rollingUpdate', (rolling) => fill(rolling, { partition: 0 }));
    });
    next = change(next, 'volumeClaimTemplates', (claims) =>
      each(claims, (claim) => pvcDefaults(fill(claim, { apiVersion: 'v1', kind: 'PersistentVolumeClaim' }))),
    );
    return change(next, 'template', podTemplateDefaults);
  });
}

/** The template as its pods will be: with a volume for each claim, which containers may mount. */
function withClaimVolumes({ template, volumeClaimTemplates = [] }: StatefulSetSpec): PodTemplateSpec {
  const { spec } = template;
  if (spec === undefined || volumeClaimTemplates.length === 0) return template;
  const volumes = spec.volumes ?? [];
  const names = new Set(volumes.map(({ name }) => name));
  const claims = volumeClaimTemplates
    .map(({ metadata }) => metadata?.name ?? '')
    .filter((name) => name !== '' && !names.has(name))
    .map((name) => ({ name, emptyDir: {} }));
  return { ...template, spec: { ...spec, volumes: [...volumes, ...claims] } };
}

function validateStatefulSet(object: KubeObject): FieldError[] {
  const spec = (object as unknown as StatefulSet).spec!;
  const strategy = spec.updateStrategy?.type;
  return [
    ...oneOf(spec.podManagementPolicy, ['OrderedReady', 'Parallel'], 'spec.podManagementPolicy', false),
    ...oneOf(strategy, ['RollingUpdate', 'OnDelete'], 'spec.updateStrategy.type', false),
    ...notNegative(
      spec.updateStrategy?.rollingUpdate?.partition,
      'spec.updateStrategy.rollingUpdate.partition',
    ),
    ...notNegative(spec.replicas, 'spec.replicas'),
    ...notNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...notNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit'),
    ...(spec.volumeClaimTemplates ?? []).flatMap((claim, index) =>
      validatePvcSpec(claim.spec ?? {}, `spec.volumeClaimTemplates[${index}].spec`),
    ),
    ...validateSelector(spec.selector, spec.template, 'spec', 'empty selector is invalid for statefulset'),
    ...validateTemplate(withClaimVolumes(spec), 'spec', 'StatefulSet'),
  ];
}

const MUTABLE_IN_STATEFUL_SETS: readonly (keyof StatefulSetSpec)[] = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
];

function onlyMutableChanged(next: StatefulSetSpec, old: StatefulSetSpec): boolean {
  const rest = (spec: StatefulSetSpec): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(spec).filter(
        ([field]) => !MUTABLE_IN_STATEFUL_SETS.includes(field as keyof StatefulSetSpec),
      ),
    );
  return semanticEqual(rest(next), rest(old));
}

function validateStatefulSetUpdate(next: KubeObject, old: KubeObject): FieldError[] {
  const errors = validateStatefulSet(next);
  if (!onlyMutableChanged(next['spec'] as StatefulSetSpec, old['spec'] as StatefulSetSpec)) {
    const why =
      "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
    errors.push(fieldError.forbidden('spec', why));
  }
  return errors;
}

const statefulSet: BuiltinKind = {
  defaults: statefulSetDefaults,
  strategy: {
    // COMPAT: its name becomes part of its pods' host names.
    nameRule: nameIsDnsLabel,
    generation: 'spec',
    validate: validateStatefulSet,
    warnings: warningsOf(false),
    validateUpdate: validateStatefulSetUpdate,
  },
  subresources: {
    scale: scaleSubresource,
    status: statusSubresource({
      validate: (next) =>
        validateCounts(
          next['status'] as Readonly<Record<string, unknown>>,
          [
            'replicas',
            'readyReplicas',
            'currentReplicas',
            'updatedReplicas',
            'observedGeneration',
            'availableReplicas',
          ],
          [
            ['readyReplicas', 'replicas', 'status.replicas'],
            ['currentReplicas', 'replicas', 'status.replicas'],
            ['updatedReplicas', 'replicas', 'status.replicas'],
            ['availableReplicas', 'replicas', 'status.replicas'],
          ],
        ),
    }),
  },
  printer: printers.statefulSets,
};

// ---- DaemonSet

const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';

function daemonSetDefaults(object: KubeObject): KubeObject {
  return change(object as unknown as DaemonSet, 'spec', (spec) => {
    let next = fill(spec, { revisionHistoryLimit: 10 });
    next = change(next, 'updateStrategy', (strategy) => {
      const typed = fill(strategy, { type: 'RollingUpdate' });
      if (typed.type !== 'RollingUpdate') return typed;
      const filled = fill(typed, { rollingUpdate: {} });
      return change(filled, 'rollingUpdate', (rolling) => fill(rolling, { maxUnavailable: 1, maxSurge: 0 }));
    });
    return change(next, 'template', podTemplateDefaults);
  });
}

function withTemplateGeneration(object: KubeObject, generation: number): KubeObject {
  const annotations = { ...object.metadata.annotations, [TEMPLATE_GENERATION]: String(generation) };
  return withMetadata(object, { ...object.metadata, annotations: Object.freeze(annotations) });
}

function templateGeneration(object: KubeObject): number {
  return Number(object.metadata.annotations?.[TEMPLATE_GENERATION] ?? '0') || 0;
}

const templateOf = (object: KubeObject): unknown => (object['spec'] as { template?: unknown }).template;

function validateDaemonSet(object: KubeObject): FieldError[] {
  const spec = (object as unknown as DaemonSet).spec!;
  const { type, rollingUpdate } = spec.updateStrategy ?? {};
  const path = 'spec.updateStrategy';
  return [
    ...validateSelector(spec.selector, spec.template, 'spec', 'empty selector is invalid for daemonset'),
    ...validateTemplate(spec.template, 'spec', 'DaemonSet'),
    ...notNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...oneOf(type, ['RollingUpdate', 'OnDelete'], `${path}.type`, false),
    ...(rollingUpdate === undefined ? [] : validateDaemonRolling(rollingUpdate, `${path}.rollingUpdate`)),
    ...notNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit'),
  ];
}

function validateDaemonRolling(
  rolling: { readonly maxUnavailable?: number | string; readonly maxSurge?: number | string },
  path: string,
): FieldError[] {
  const { maxUnavailable = 0, maxSurge = 0 } = rolling;
  const errors = [
    ...intOrPercent(maxUnavailable, `${path}.maxUnavailable`),
    ...intOrPercent(maxSurge, `${path}.maxSurge`),
  ];
  const isZero = (value: number | string): boolean => value === 0 || percentOf(value) === 0;
  if (isZero(maxUnavailable) && isZero(maxSurge)) {
    errors.push(fieldError.required(`${path}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'));
  } else if (!isZero(maxUnavailable) && !isZero(maxSurge)) {
    const why = 'may not be set when maxUnavailable is non-zero';
    errors.push(fieldError.invalid(`${path}.maxSurge`, maxSurge, why));
  }
  return errors;
}

const daemonSet: BuiltinKind = {
  defaults: daemonSetDefaults,
  strategy: {
    generation: 'spec',
    prepareForCreate: (object) => withTemplateGeneration(object, Math.max(1, templateGeneration(object))),
    prepareForUpdate: (next, old) =>
      withTemplateGeneration(
        next,
        templateGeneration(old) + (semanticEqual(templateOf(next), templateOf(old)) ? 0 : 1),
      ),
    validate: validateDaemonSet,
    warnings: warningsOf(false),
    validateUpdate: (next, old) => [
      ...validateDaemonSet(next),
      ...immutable(selectorOf(next), selectorOf(old), 'spec.selector'),
    ],
  },
  printer: printers.daemonSets,
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

const replicationController: BuiltinKind = {
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

// ---- ControllerRevision

const controllerRevision: BuiltinKind = {
  strategy: {
    validate: (object) => notNegative(object['revision'] as number | undefined, 'revision'),
    validateUpdate: (next, old) => [
      ...notNegative(next['revision'] as number | undefined, 'revision'),
      ...immutable(next['data'], old['data'], 'data'),
    ],
  },
  printer: printers.controllerRevisions,
};

export const workloads: BuiltinKinds = {
  'apps/deployments': deployment,
  'apps/replicasets': replicaSet,
  'apps/statefulsets': statefulSet,
  'apps/daemonsets': daemonSet,
  'apps/controllerrevisions': controllerRevision,
  '/replicationcontrollers': replicationController,
};
