// Deployments: defaults, what is checked, what may change.
import type { Deployment, DeploymentSpec, KubeObject } from '../../api/index.ts';
import { fieldError, semanticEqual, specChanged, type FieldError } from '../../machinery/index.ts';
import { change, fill } from '../typed/drafts.ts';
import type { BuiltinKind } from './builtin.ts';
import { immutable, intOrPercent, notAbove100Percent, notNegative, percentOf } from './checks.ts';
import { podTemplateDefaults } from './pod-defaults.ts';
import { scaleSubresource } from './scale.ts';
import { statusSubresource } from './status.ts';
import {
  selectorOf,
  validateCollisions,
  validateCounts,
  warningsOf,
  validateSelector,
  validateTemplate,
} from './workload-checks.ts';
import * as printers from '../table/printers.ts';

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
  return [...errors, ...notAbove100Percent(maxUnavailable, `${path}.maxUnavailable`)];
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
  return [fieldError.notSupported(path, spec.strategy ?? null, ['Recreate', 'RollingUpdate'])];
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

export const deployment: BuiltinKind = {
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
      validate: (next, old) => [
        ...validateCounts(
          next['status'] as Readonly<Record<string, unknown>>,
          [
            'observedGeneration',
            'replicas',
            'updatedReplicas',
            'readyReplicas',
            'availableReplicas',
            'terminatingReplicas',
            'unavailableReplicas',
            'collisionCount',
          ],
          [
            ['updatedReplicas', 'replicas', 'status.replicas'],
            ['readyReplicas', 'replicas', 'status.replicas'],
            ['availableReplicas', 'replicas', 'status.replicas'],
            ['availableReplicas', 'readyReplicas', 'readyReplicas'],
          ],
        ),
        ...validateCollisions(next, old),
      ],
    }),
  },
  printer: printers.deployments,
};
