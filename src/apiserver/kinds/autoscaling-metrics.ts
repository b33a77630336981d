// What makes the metrics and the behaviour of a HorizontalPodAutoscaler valid.
import type { HorizontalPodAutoscaler, MetricSpec } from '../../api/index.ts';
import { Quantity, fieldError, type FieldError } from '../../machinery/index.ts';
import { oneOf, oneOfIfGiven } from './checks.ts';

type AutoscalerSpec = NonNullable<HorizontalPodAutoscaler['spec']>;
type Behavior = AutoscalerSpec['behavior'];
type ScalingRules = NonNullable<NonNullable<Behavior>['scaleUp']>;

interface Target {
  readonly type?: string;
  readonly value?: string | number;
  readonly averageValue?: string | number;
  readonly averageUtilization?: number;
}

/** What all sources have, as far as it is checked the same way. */
interface Source {
  readonly name?: string;
  readonly container?: string;
  readonly metric?: { readonly name?: string };
  readonly target?: Target;
}

const SOURCES: Readonly<Record<string, keyof MetricSpec>> = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
};
const FIELDS = ['object', 'external', 'pods', 'resource', 'containerResource'] as const;

export function validateMetric(metric: MetricSpec, at: string): FieldError[] {
  const type = metric.type ?? '';
  if (type === '') return [fieldError.required(`${at}.type`, 'must specify a metric source type')];
  const errors = oneOf(type, Object.keys(SOURCES), `${at}.type`);
  const present = FIELDS.filter((field) => metric[field] !== undefined);
  const [first] = present;
  if (first !== undefined) errors.push(...validateSource(first, metric[first] as Source, `${at}.${first}`));
  const expected = SOURCES[type];
  if (expected !== undefined && metric[expected] === undefined) {
    const why = 'must populate information for the given metric source';
    errors.push(fieldError.required(`${at}.${expected}`, why));
  }
  if (present.length !== 1) {
    for (const field of present.filter((one) => one !== expected)) {
      errors.push(fieldError.forbidden(`${at}.${field}`, 'must populate the given metric source only'));
    }
  }
  return errors;
}

function validateSource(field: (typeof FIELDS)[number], source: Source, at: string): FieldError[] {
  const { target = {} } = source;
  const errors: FieldError[] = [];
  const ofResource = field === 'resource' || field === 'containerResource';
  if (ofResource && (source.name ?? '') === '') {
    errors.push(fieldError.required(`${at}.name`, 'must specify a resource name'));
  }
  if (field === 'containerResource' && (source.container ?? '') === '') {
    errors.push(fieldError.required(`${at}.container`, 'must specify a container'));
  }
  if (!ofResource && (source.metric?.name ?? '') === '') {
    errors.push(fieldError.required(`${at}.metric.name`, 'must specify a metric name'));
  }
  errors.push(...validateTargetValues(target, `${at}.target`));
  errors.push(
    ...(ofResource ? resourceTarget(target, `${at}.target`) : valueTarget(field, target, `${at}.target`)),
  );
  return errors;
}

function validateTargetValues(target: Target, at: string): FieldError[] {
  const errors: FieldError[] = [];
  const { type = '' } = target;
  if (type === '') errors.push(fieldError.required(`${at}.type`, 'must specify a metric target type'));
  if (!['Utilization', 'Value', 'AverageValue'].includes(type)) {
    errors.push(fieldError.invalid(`${at}.type`, type, 'must be either Utilization, Value, or AverageValue'));
  }
  for (const field of ['value', 'averageValue'] as const) {
    const quantity = target[field];
    if (quantity !== undefined && (Quantity.tryParse(quantity)?.nanos ?? 1n) <= 0n) {
      errors.push(fieldError.invalid(`${at}.${field}`, String(quantity), 'must be positive'));
    }
  }
  const { averageUtilization } = target;
  if (averageUtilization !== undefined && averageUtilization < 1) {
    const path = `${at}.averageUtilization`;
    errors.push(fieldError.invalid(path, averageUtilization, 'must be greater than 0'));
  }
  return errors;
}

function resourceTarget({ averageUtilization, averageValue }: Target, at: string): FieldError[] {
  if (averageUtilization === undefined && averageValue === undefined) {
    const why = 'must set either a target raw value or a target utilization';
    return [fieldError.required(`${at}.averageUtilization`, why)];
  }
  if (averageUtilization === undefined || averageValue === undefined) return [];
  return [
    fieldError.forbidden(
      `${at}.averageValue`,
      'may not set both a target raw value and a target utilization',
    ),
  ];
}

function valueTarget(field: string, { value, averageValue }: Target, at: string): FieldError[] {
  if (field === 'pods') {
    return averageValue === undefined
      ? [fieldError.required(`${at}.averageValue`, 'must specify a positive target averageValue')]
      : [];
  }
  if (value === undefined && averageValue === undefined) {
    const why = 'must set either a target value for metric or a per-pod target';
    return [fieldError.required(`${at}.averageValue`, why)];
  }
  const both = value !== undefined && averageValue !== undefined;
  return both && field === 'external'
    ? [fieldError.forbidden(`${at}.value`, 'may not set both a target value for metric and a per-pod target')]
    : [];
}

// LIMIT: as upstream.
const MAX_WINDOW_SECONDS = 3600;
const MAX_PERIOD_SECONDS = 1800;

export function validateBehavior(behavior: Behavior, at: string): FieldError[] {
  const of = (field: 'scaleUp' | 'scaleDown'): FieldError[] => {
    const rules = behavior?.[field];
    return rules === undefined ? [] : validateRules(rules, `${at}.${field}`);
  };
  return [...of('scaleUp'), ...of('scaleDown')];
}

function validateRules(rules: ScalingRules, at: string): FieldError[] {
  const errors: FieldError[] = [];
  const { stabilizationWindowSeconds: window, selectPolicy, policies = [] } = rules;
  if (window !== undefined && window < 0) {
    const why = 'must be greater than or equal to zero';
    errors.push(fieldError.invalid(`${at}.stabilizationWindowSeconds`, window, why));
  }
  if (window !== undefined && window > MAX_WINDOW_SECONDS) {
    const why = `must be less than or equal to ${MAX_WINDOW_SECONDS}`;
    errors.push(fieldError.invalid(`${at}.stabilizationWindowSeconds`, window, why));
  }
  errors.push(...oneOfIfGiven(selectPolicy, ['Disabled', 'Max', 'Min'], `${at}.selectPolicy`));
  if (policies.length === 0) {
    errors.push(fieldError.required(`${at}.policies`, 'must specify at least one Policy'));
  }
  policies.forEach(({ type, value, periodSeconds }, i) => {
    const path = `${at}.policies[${i}]`;
    if (type !== 'Pods' && type !== 'Percent') {
      errors.push(fieldError.notSupported(`${path}.type`, type ?? '', ['Percent', 'Pods']));
    }
    if (value <= 0) errors.push(fieldError.invalid(`${path}.value`, value, 'must be greater than zero'));
    if (periodSeconds <= 0) {
      errors.push(fieldError.invalid(`${path}.periodSeconds`, periodSeconds, 'must be greater than zero'));
    }
    if (periodSeconds > MAX_PERIOD_SECONDS) {
      const why = `must be less than or equal to ${MAX_PERIOD_SECONDS}`;
      errors.push(fieldError.invalid(`${path}.periodSeconds`, periodSeconds, why));
    }
  });
  return errors;
}
