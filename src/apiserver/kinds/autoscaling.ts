// HorizontalPodAutoscaler (stored as v2, also served as v1) and PodDisruptionBudget.
import {
  convertVersion,
  type HorizontalPodAutoscaler,
  type HPAScalingRules,
  type KubeObject,
  type MetricSpec,
  type PodDisruptionBudget,
} from '../../api/index.ts';
import { assert } from '../../base/index.ts';
import {
  fieldError,
  nameIsPathSegment,
  validateLabelSelector,
  type FieldError,
} from '../../machinery/index.ts';
import { change, fill } from '../typed/drafts.ts';
import type { BuiltinKind, BuiltinKinds } from './builtin.ts';
import { validateBehavior, validateMetric } from './autoscaling-metrics.ts';
import { intOrPercent, named, notNegative, oneOfIfGiven, percentOf } from './checks.ts';
import { validateConditions } from './conditions.ts';
import { statusSubresource } from './status.ts';
import * as printers from '../table/printers.ts';

const DEFAULT_METRICS: readonly MetricSpec[] = [
  { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
];

function scaleRules(rules: HPAScalingRules | undefined, defaults: HPAScalingRules): HPAScalingRules {
  return rules === undefined ? defaults : fill(rules, defaults);
}

function autoscalerDefaults(object: KubeObject, version: string): KubeObject {
  return change(object as unknown as HorizontalPodAutoscaler, 'spec', (given) => {
    let spec = fill(given, { minReplicas: 1 });
    // COMPAT: v1 leaves the target open until it is stored, as v2.
    if (version === 'v1') return spec;
    if (spec.metrics === undefined) spec = fill(spec, { metrics: DEFAULT_METRICS });
    return change(spec, 'behavior', (behavior) => ({
      ...behavior,
      scaleUp: scaleRules(behavior.scaleUp, {
        stabilizationWindowSeconds: 0,
        selectPolicy: 'Max',
        policies: [
          { type: 'Pods', value: 4, periodSeconds: 15 },
          { type: 'Percent', value: 100, periodSeconds: 15 },
        ],
      }),
      scaleDown: scaleRules(behavior.scaleDown, {
        selectPolicy: 'Max',
        policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
      }),
    }));
  });
}

function validateTarget(
  reference: { kind: string; name: string; apiVersion?: string },
  at: string,
): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of ['kind', 'name'] as const) {
    const value = reference[field] ?? '';
    if (value === '') errors.push(fieldError.required(`${at}.${field}`));
    else errors.push(...named(nameIsPathSegment(value, false), value, `${at}.${field}`));
  }
  const apiVersion = reference.apiVersion ?? '';
  // COMPAT: the core group has nothing that scales but the old controller.
  if (apiVersion === '' || (!apiVersion.includes('/') && reference.kind !== 'ReplicationController')) {
    errors.push(fieldError.invalid(`${at}.apiVersion`, apiVersion, 'apiVersion must specify API group'));
  }
  return errors;
}

function validateAutoscaler(object: KubeObject): FieldError[] {
  const { spec } = object as unknown as HorizontalPodAutoscaler;
  if (spec === undefined) return [];
  const errors: FieldError[] = [];
  const { minReplicas, maxReplicas } = spec;
  if (minReplicas !== undefined && minReplicas < 1) {
    errors.push(fieldError.invalid('spec.minReplicas', minReplicas, 'must be greater than or equal to 1'));
  }
  if (maxReplicas < 1)
    errors.push(fieldError.invalid('spec.maxReplicas', maxReplicas, 'must be greater than 0'));
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    const why = 'must be greater than or equal to `minReplicas`';
    errors.push(fieldError.invalid('spec.maxReplicas', maxReplicas, why));
  }
  errors.push(...validateTarget(spec.scaleTargetRef, 'spec.scaleTargetRef'));
  errors.push(...(spec.metrics ?? []).flatMap((metric, i) => validateMetric(metric, `spec.metrics[${i}]`)));
  errors.push(...validateBehavior(spec.behavior, 'spec.behavior'));
  return errors;
}

const autoscaler: BuiltinKind = {
  defaults: autoscalerDefaults,
  storedAs: { apiVersion: 'autoscaling/v2' },
  convert: (objects, apiVersion) =>
    objects.map((object) => {
      const converted = convertVersion(object, apiVersion);
      assert(
        converted !== undefined,
        `no conversion of ${object.apiVersion} ${object.kind} to ${apiVersion}`,
      );
      return converted;
    }),
  strategy: { validate: validateAutoscaler },
  subresources: { status: statusSubresource() },
  printer: printers.horizontalPodAutoscalers,
};

// ---- PodDisruptionBudget

function validateBudget(object: KubeObject): FieldError[] {
  const { spec = {} } = object as unknown as PodDisruptionBudget;
  const errors: FieldError[] = [];
  if (spec.minAvailable !== undefined && spec.maxUnavailable !== undefined) {
    errors.push(fieldError.invalid('spec', spec, 'minAvailable and maxUnavailable cannot be both set'));
  }
  for (const field of ['minAvailable', 'maxUnavailable'] as const) {
    errors.push(...intOrPercent(spec[field], `spec.${field}`));
    if ((percentOf(spec[field]) ?? 0) > 100) {
      errors.push(fieldError.invalid(`spec.${field}`, spec[field], 'must not be greater than 100%'));
    }
  }
  errors.push(...validateLabelSelector(spec.selector, 'spec.selector'));
  errors.push(
    ...oneOfIfGiven(
      spec.unhealthyPodEvictionPolicy,
      ['AlwaysAllow', 'IfHealthyBudget'],
      'spec.unhealthyPodEvictionPolicy',
    ),
  );
  return errors;
}

function validateBudgetStatus(object: KubeObject): FieldError[] {
  const { status } = object as unknown as PodDisruptionBudget;
  const counts = ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const;
  return [
    ...validateConditions(status?.conditions ?? [], 'status.conditions'),
    ...counts.flatMap((field) => notNegative(status?.[field], `status.${field}`)),
  ];
}

const budget: BuiltinKind = {
  strategy: { generation: 'spec', requiresResourceVersion: true, validate: validateBudget },
  subresources: { status: statusSubresource({ validate: validateBudgetStatus }) },
  printer: printers.podDisruptionBudgets,
};

export const autoscaling: BuiltinKinds = {
  'autoscaling/horizontalpodautoscalers': autoscaler,
  'policy/poddisruptionbudgets': budget,
};
