// StatefulSets, and the ControllerRevisions that keep what they were.
import type { KubeObject, PodTemplateSpec, StatefulSet, StatefulSetSpec } from '../../api/index.ts';
import {
  fieldError,
  isDns1123Label,
  nameIsDnsLabel,
  semanticEqual,
  type FieldError,
} from '../../machinery/index.ts';
import { change, each, fill } from '../typed/drafts.ts';
import type { BuiltinKind } from './builtin.ts';
import {
  immutable,
  intOrPercent,
  named,
  notAbove100Percent,
  notNegative,
  oneOf,
  percentOf,
} from './checks.ts';
import { podTemplateDefaults } from './pod-defaults.ts';
import { scaleSubresource } from './scale.ts';
import { statusSubresource } from './status.ts';
import { pvcDefaults } from './volume-claim-defaults.ts';
import { validatePvcSpec } from './volume-claim-validation.ts';
import {
  validateCollisions,
  validateCounts,
  warningsOf,
  validateSelector,
  validateTemplate,
} from './workload-checks.ts';
import * as printers from '../table/printers.ts';

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
  const { serviceName = '', persistentVolumeClaimRetentionPolicy: retention } = spec;
  return [
    ...(serviceName === '' ? [] : named(isDns1123Label(serviceName), serviceName, 'spec.serviceName')),
    ...eitherOf(spec.podManagementPolicy, ['OrderedReady', 'Parallel'], 'spec.podManagementPolicy'),
    ...validateUpdateStrategy(spec.updateStrategy, 'spec.updateStrategy'),
    ...(['whenDeleted', 'whenScaled'] as const).flatMap((field) =>
      oneOf(retention?.[field], ['Retain', 'Delete'], `spec.persistentVolumeClaimRetentionPolicy.${field}`),
    ),
    ...notNegative(spec.replicas, 'spec.replicas'),
    ...notNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...notNegative(spec.ordinals?.start, 'spec.ordinals.start'),
    ...notNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit'),
    ...(spec.volumeClaimTemplates ?? []).flatMap((claim, index) =>
      validatePvcSpec(claim.spec ?? {}, `spec.volumeClaimTemplates[${index}].spec`),
    ),
    ...validateSelector(spec.selector, spec.template, 'spec', 'empty selector is invalid for statefulset'),
    ...validateTemplate(withClaimVolumes(spec), 'spec', 'StatefulSet'),
  ];
}

/** COMPAT: not as unsupported values elsewhere. */
function eitherOf(value: string | undefined, supported: readonly string[], path: string): FieldError[] {
  if (value === undefined || value === '') return [fieldError.required(path)];
  const [first, second] = supported;
  return supported.includes(value)
    ? []
    : [fieldError.invalid(path, value, `must be '${first}' or '${second}'`)];
}

function validateUpdateStrategy(strategy: StatefulSetSpec['updateStrategy'], path: string): FieldError[] {
  const { type, rollingUpdate } = strategy ?? {};
  if (type === undefined) return [fieldError.required(path)];
  if (type === 'OnDelete') {
    const why = "only allowed for updateStrategy 'RollingUpdate'";
    return rollingUpdate === undefined
      ? []
      : [fieldError.invalid(`${path}.rollingUpdate`, rollingUpdate, why)];
  }
  if (type !== 'RollingUpdate') {
    return [fieldError.invalid(path, strategy, "must be 'RollingUpdate' or 'OnDelete'")];
  }
  const { partition, maxUnavailable } = rollingUpdate ?? {};
  const errors = notNegative(partition, `${path}.rollingUpdate.partition`);
  if (maxUnavailable === undefined) return errors;
  const at = `${path}.rollingUpdate.maxUnavailable`;
  errors.push(...intOrPercent(maxUnavailable, at));
  if ((percentOf(maxUnavailable) ?? maxUnavailable) === 0) {
    errors.push(fieldError.invalid(at, maxUnavailable, 'cannot be 0'));
  }
  return [...errors, ...notAbove100Percent(maxUnavailable, at)];
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

export const statefulSet: BuiltinKind = {
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
      validate: (next, old) => [
        ...validateCounts(
          next['status'] as Readonly<Record<string, unknown>>,
          [
            'replicas',
            'readyReplicas',
            'currentReplicas',
            'updatedReplicas',
            'observedGeneration',
            'availableReplicas',
            'collisionCount',
          ],
          [
            ['readyReplicas', 'replicas', 'status.replicas'],
            ['currentReplicas', 'replicas', 'status.replicas'],
            ['updatedReplicas', 'replicas', 'status.replicas'],
            ['availableReplicas', 'replicas', 'status.replicas'],
            ['availableReplicas', 'readyReplicas', 'status.readyReplicas'],
          ],
        ),
        ...validateCollisions(next, old),
      ],
    }),
  },
  printer: printers.statefulSets,
};

// ---- ControllerRevision

function validateRevision(object: KubeObject): FieldError[] {
  return [
    ...(object['data'] === undefined ? [fieldError.required('data', 'data is mandatory')] : []),
    ...notNegative(object['revision'] as number | undefined, 'revision'),
  ];
}

export const controllerRevision: BuiltinKind = {
  strategy: {
    validate: validateRevision,
    validateUpdate: (next, old) => [
      ...validateRevision(next),
      ...immutable(next['data'], old['data'], 'data'),
    ],
  },
  printer: printers.controllerRevisions,
};
