// FederatedHPA: completion and validation, which are those of a HorizontalPodAutoscaler but for metrics from outside
// the clusters, which it does not know (traffic-autoscaling-search.md §1.2).
import type { FederatedHPA } from '../api/index.ts';
import {
  fieldError,
  isDns1123Label,
  nameIsPathSegment,
  Quantity,
  type FieldError,
} from '../machinery/index.ts';

type Spec = FederatedHPA['spec'];
type Behavior = NonNullable<Spec['behavior']>;
type ScalingRules = NonNullable<Behavior['scaleUp']>;
type Metric = NonNullable<Spec['metrics']>[number];
type ResourceSource = NonNullable<Metric['resource']>;
type Target = ResourceSource['target'];

// ---- defaults

const DEFAULT_METRICS: readonly Metric[] = [
  { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
];
const DEFAULT_SCALE_UP: ScalingRules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
};
/** Without a window: the controller's flag says how long it is. */
const DEFAULT_SCALE_DOWN: ScalingRules = {
  selectPolicy: 'Max',
  policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
};

export function defaultFederatedHpa(autoscaler: FederatedHPA): FederatedHPA {
  const { spec } = autoscaler as Partial<FederatedHPA>;
  // One without a spec is refused by the schema, which is checked later.
  if (spec === undefined) return autoscaler;
  const { minReplicas, metrics = [], behavior } = spec;
  // COMPAT: no behaviour stays none; it means simpler arithmetic, not the default rules.
  const complete =
    behavior === undefined
      ? {}
      : {
          behavior: {
            ...behavior,
            scaleUp: { ...DEFAULT_SCALE_UP, ...behavior.scaleUp },
            scaleDown: { ...DEFAULT_SCALE_DOWN, ...behavior.scaleDown },
          },
        };
  return {
    ...autoscaler,
    spec: {
      ...spec,
      minReplicas: minReplicas ?? 1,
      metrics: metrics.length === 0 ? DEFAULT_METRICS : metrics,
      ...complete,
    },
  };
}

// ---- validation

export function validateFederatedHpa({ spec, status }: FederatedHPA): FieldError[] {
  const { minReplicas, maxReplicas, scaleTargetRef, metrics = [], behavior = {} } = spec;
  const errors: FieldError[] = [];
  const refuse = (path: string, value: number, why: string): void =>
    void errors.push(fieldError.invalid(path, value, why));
  if (minReplicas !== undefined && minReplicas < 1)
    refuse('spec.minReplicas', minReplicas, 'must be greater than or equal to 1');
  if (maxReplicas < 1) refuse('spec.maxReplicas', maxReplicas, 'must be greater than 0');
  if (minReplicas !== undefined && maxReplicas < minReplicas)
    refuse('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`');
  errors.push(...validateReference(scaleTargetRef, 'spec.scaleTargetRef'));
  errors.push(...metrics.flatMap((metric, index) => validateMetric(metric, `spec.metrics[${index}]`)));
  errors.push(...validateRules(behavior.scaleUp, 'spec.behavior.scaleUp'));
  errors.push(...validateRules(behavior.scaleDown, 'spec.behavior.scaleDown'));
  for (const field of ['currentReplicas', 'desiredReplicas'] as const) {
    const replicas = status?.[field] ?? 0;
    if (replicas < 0) refuse(`status.${field}`, replicas, 'must be greater than or equal to 0');
  }
  return errors;
}

function validateReference(
  reference: { readonly kind: string; readonly name: string },
  path: string,
): FieldError[] {
  return (['kind', 'name'] as const).flatMap((field) => {
    const value = reference[field];
    if (value === '') return [fieldError.required(`${path}.${field}`)];
    return nameIsPathSegment(value, false).map((why) => fieldError.invalid(`${path}.${field}`, value, why));
  });
}

const SOURCES = {
  ContainerResource: 'containerResource',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
} as const;
const SOURCE_FIELDS = ['object', 'pods', 'resource', 'containerResource'] as const;

/** COMPAT: `external` is refused by its type; its content is not looked at. */
function validateMetric(metric: Metric, path: string): FieldError[] {
  const present = SOURCE_FIELDS.filter((field) => metric[field] !== undefined);
  const [first] = present;
  const errors: FieldError[] = [];
  if (metric.type === '')
    errors.push(fieldError.required(`${path}.type`, 'must specify a metric source type'));
  const expected = Object.hasOwn(SOURCES, metric.type)
    ? SOURCES[metric.type as keyof typeof SOURCES]
    : undefined;
  if (expected === undefined)
    errors.push(fieldError.notSupported(`${path}.type`, metric.type, Object.keys(SOURCES)));
  if (first !== undefined) errors.push(...validateSource(metric, first, `${path}.${first}`));
  if (expected !== undefined && metric[expected] === undefined) {
    const why = 'must populate information for the given metric source';
    errors.push(fieldError.required(`${path}.${expected}`, why));
  }
  for (const field of present) {
    if (field === expected) continue;
    errors.push(fieldError.forbidden(`${path}.${field}`, 'must populate the given metric source only'));
  }
  return errors;
}

function validateSource(metric: Metric, field: (typeof SOURCE_FIELDS)[number], path: string): FieldError[] {
  const { object, pods, resource, containerResource } = metric;
  if (field === 'object' && object !== undefined) {
    const { describedObject, metric: identifier, target } = object;
    const errors = [
      ...validateReference(describedObject, `${path}.describedObject`),
      ...validateMetricName(identifier.name, `${path}.metric.name`),
      ...validateTarget(target, `${path}.target`),
    ];
    if (target.value === undefined && target.averageValue === undefined) {
      const why = 'must set either a target value or averageValue';
      errors.push(fieldError.required(`${path}.target.averageValue`, why));
    }
    return errors;
  }
  if (field === 'pods' && pods !== undefined) {
    const { metric: identifier, target } = pods;
    const errors = [
      ...validateMetricName(identifier.name, `${path}.metric.name`),
      ...validateTarget(target, `${path}.target`),
    ];
    if (!isPositive(target.averageValue)) {
      const why = 'must specify a positive target averageValue';
      errors.push(fieldError.required(`${path}.target.averageValue`, why));
    }
    return errors;
  }
  if (field === 'resource' && resource !== undefined) return validateResourceSource(resource, [], path);
  if (containerResource === undefined) return [];
  return validateResourceSource(
    containerResource,
    validateContainer(containerResource.container, `${path}.container`),
    path,
  );
}

function validateContainer(container: string, path: string): FieldError[] {
  if (container === '') return [fieldError.required(path, 'must specify a container')];
  return isDns1123Label(container).map((why) => fieldError.invalid(path, container, why));
}

function validateResourceSource(
  { name, target }: ResourceSource,
  ofContainer: readonly FieldError[],
  path: string,
): FieldError[] {
  const errors = [
    ...(name === '' ? [fieldError.required(`${path}.name`, 'must specify a resource name')] : []),
    ...ofContainer,
    ...validateTarget(target, `${path}.target`),
  ];
  const { averageUtilization, averageValue } = target;
  if (averageUtilization === undefined && averageValue === undefined) {
    const why = 'must set either a target raw value or a target utilization';
    errors.push(fieldError.required(`${path}.target.averageUtilization`, why));
  }
  if (averageUtilization !== undefined && averageValue !== undefined) {
    const why = 'may not set both a target raw value and a target utilization';
    errors.push(fieldError.forbidden(`${path}.target.averageValue`, why));
  }
  return errors;
}

function validateMetricName(name: string, path: string): FieldError[] {
  if (name === '') return [fieldError.required(path, 'must specify a metric name')];
  return nameIsPathSegment(name, false).map((why) => fieldError.invalid(path, name, why));
}

const TARGET_TYPES: ReadonlySet<string> = new Set(['Utilization', 'Value', 'AverageValue']);

function validateTarget(target: Target, path: string): FieldError[] {
  const { type, averageUtilization } = target;
  const errors: FieldError[] = [];
  if (type === '') errors.push(fieldError.required(`${path}.type`, 'must specify a metric target type'));
  if (!TARGET_TYPES.has(type)) {
    const why = 'must be either Utilization, Value, or AverageValue';
    errors.push(fieldError.invalid(`${path}.type`, type, why));
  }
  for (const field of ['value', 'averageValue'] as const) {
    const amount = target[field];
    if (amount === undefined || isPositive(amount)) continue;
    errors.push(
      fieldError.invalid(`${path}.${field}`, Quantity.parse(amount).toString(), 'must be positive'),
    );
  }
  if (averageUtilization !== undefined && averageUtilization < 1)
    errors.push(
      fieldError.invalid(`${path}.averageUtilization`, averageUtilization, 'must be greater than 0'),
    );
  return errors;
}

function isPositive(amount: string | number | undefined): boolean {
  return amount !== undefined && Quantity.parse(amount).sign > 0;
}

const SELECT_POLICIES = ['Disabled', 'Max', 'Min'];
const POLICY_TYPES = ['Percent', 'Pods'];
const MAX_WINDOW_SECONDS = 3600;
const MAX_PERIOD_SECONDS = 1800;

function validateRules(rules: ScalingRules | undefined, path: string): FieldError[] {
  if (rules === undefined) return [];
  const { stabilizationWindowSeconds: window, selectPolicy, policies = [] } = rules;
  const errors: FieldError[] = [];
  const refuse = (field: string, value: number, why: string): void =>
    void errors.push(fieldError.invalid(`${path}.${field}`, value, why));
  if (window !== undefined && window < 0)
    refuse('stabilizationWindowSeconds', window, 'must be greater than or equal to zero');
  if (window !== undefined && window > MAX_WINDOW_SECONDS) {
    const why = `must be less than or equal to ${MAX_WINDOW_SECONDS}`;
    refuse('stabilizationWindowSeconds', window, why);
  }
  if (selectPolicy !== undefined && !SELECT_POLICIES.includes(selectPolicy))
    errors.push(fieldError.notSupported(`${path}.selectPolicy`, selectPolicy, SELECT_POLICIES));
  if (policies.length === 0)
    errors.push(fieldError.required(`${path}.policies`, 'must specify at least one Policy'));
  for (const [index, { type, value, periodSeconds }] of policies.entries()) {
    const at = `policies[${index}]`;
    if (!POLICY_TYPES.includes(type))
      errors.push(fieldError.notSupported(`${path}.${at}.type`, type, POLICY_TYPES));
    if (value <= 0) refuse(`${at}.value`, value, 'must be greater than zero');
    if (periodSeconds <= 0) refuse(`${at}.periodSeconds`, periodSeconds, 'must be greater than zero');
    if (periodSeconds > MAX_PERIOD_SECONDS)
      refuse(`${at}.periodSeconds`, periodSeconds, `must be less than or equal to ${MAX_PERIOD_SECONDS}`);
  }
  return errors;
}
