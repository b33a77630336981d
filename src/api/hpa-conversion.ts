// HorizontalPodAutoscaler between autoscaling/v2, which is stored, and autoscaling/v1. What v1 has no fields for
// (metrics other than the CPU's, behaviour, conditions) goes into annotations there, in the encoding that
// kube-apiserver uses, so that an object read as v1 and written back keeps all of it.
import type { JsonObject, JsonValue, KubeObject } from './object.ts';

const METRICS = 'autoscaling.alpha.kubernetes.io/metrics';
const CURRENT_METRICS = 'autoscaling.alpha.kubernetes.io/current-metrics';
const CONDITIONS = 'autoscaling.alpha.kubernetes.io/conditions';
const BEHAVIOR = 'autoscaling.alpha.kubernetes.io/behavior';

/** What upstream scales by when nothing is said. */
const DEFAULT_CPU_UTILIZATION = 80;

type Json = JsonValue | undefined;

const objectOf = (value: unknown): JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
const listOf = (value: unknown): readonly JsonObject[] =>
  Array.isArray(value) ? (value as JsonObject[]) : [];

/** The object without its undefined fields. */
function present(fields: Readonly<Record<string, Json>>): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function without(fields: JsonObject, ...names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
}

function cpuMetric(averageUtilization: Json): JsonObject {
  return { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } } };
}

function cpuUtilization(metric: JsonObject, field: 'target' | 'current'): Json {
  const resource = objectOf(metric['resource']);
  if (metric['type'] !== 'Resource' || resource['name'] !== 'cpu') return undefined;
  return objectOf(resource[field])['averageUtilization'];
}

/** The field that holds a metric of each type. */
const FIELDS = new Map<Json, string>([
  ['Resource', 'resource'],
  ['ContainerResource', 'containerResource'],
  ['Pods', 'pods'],
  ['Object', 'object'],
  ['External', 'external'],
]);

/** A metric of v2 as v1 writes it; `field` tells a metric of the spec from one of the status. */
function oldMetric(metric: JsonObject, field: 'target' | 'current'): JsonObject {
  const { type } = metric;
  const name = FIELDS.get(type);
  if (name === undefined) return metric;
  const source = objectOf(metric[name]);
  const { averageUtilization, averageValue, value } = objectOf(source[field]);
  const identifier = objectOf(source['metric']);
  const selector = identifier['selector'];
  const metricName = identifier['name'] ?? '';
  const bodies: Readonly<Record<string, () => JsonObject>> = {
    resource: () =>
      present({
        name: source['name'],
        [`${field}AverageUtilization`]: averageUtilization,
        [`${field}AverageValue`]: averageValue,
      }),
    containerResource: () =>
      present({
        name: source['name'],
        [`${field}AverageUtilization`]: averageUtilization,
        [`${field}AverageValue`]: averageValue,
        container: source['container'],
      }),
    pods: () => present({ metricName, [`${field}AverageValue`]: averageValue, selector }),
    object: () =>
      present({
        target: source['describedObject'],
        metricName,
        [`${field}Value`]: value ?? '0',
        selector,
        averageValue,
      }),
    external: () =>
      present({
        metricName,
        metricSelector: selector,
        [`${field}Value`]: value,
        [`${field}AverageValue`]: averageValue,
      }),
  };
  return { type, [name]: bodies[name]?.() };
}

function targetType(averageUtilization: Json, averageValue: Json): string {
  if (averageUtilization !== undefined) return 'Utilization';
  return averageValue === undefined ? 'Value' : 'AverageValue';
}

/** A metric of v1's annotations as v2 writes it. */
function newMetric(metric: JsonObject, field: 'target' | 'current'): JsonObject {
  const { type } = metric;
  const name = FIELDS.get(type);
  if (name === undefined) return metric;
  const source = objectOf(metric[name]);
  const averageUtilization = source[`${field}AverageUtilization`];
  const averageValue = name === 'object' ? source['averageValue'] : source[`${field}AverageValue`];
  // A v1 metric of an object cannot leave the total out, so a zero beside an average stands for none.
  const total = source[`${field}Value`];
  const value = name === 'object' && averageValue !== undefined && total === '0' ? undefined : total;
  const values = present({
    ...(field === 'target' ? { type: targetType(averageUtilization, averageValue) } : {}),
    averageUtilization,
    averageValue,
    value,
  });
  const selector = name === 'external' ? source['metricSelector'] : source['selector'];
  const identifier = present({ name: source['metricName'], selector });
  const named = name === 'resource' || name === 'containerResource';
  return {
    type,
    [name]: present({
      name: named ? source['name'] : undefined,
      container: name === 'containerResource' ? source['container'] : undefined,
      describedObject: name === 'object' ? source['target'] : undefined,
      metric: named ? undefined : identifier,
      [field]: values,
    }),
  };
}

/** A JSON annotation; one that is none, or not a list where a list is wanted, counts as absent. */
function parsed(annotations: Readonly<Record<string, string>>, key: string): unknown {
  const text = Object.hasOwn(annotations, key) ? annotations[key] : undefined;
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function oldRules(rules: Json): JsonValue {
  if (rules === undefined) return null;
  const { stabilizationWindowSeconds, selectPolicy, policies, tolerance } = objectOf(rules);
  const old = listOf(policies).map(({ type, value, periodSeconds }) => ({
    Type: type ?? '',
    Value: value ?? 0,
    PeriodSeconds: periodSeconds ?? 0,
  }));
  return {
    StabilizationWindowSeconds: stabilizationWindowSeconds ?? null,
    SelectPolicy: selectPolicy ?? null,
    Policies: policies === undefined ? null : old,
    Tolerance: tolerance ?? null,
  };
}

/** COMPAT: upstream writes its internal type, whose fields begin with capitals. */
function oldBehavior({ scaleUp, scaleDown }: JsonObject): JsonObject {
  return { ScaleUp: oldRules(scaleUp), ScaleDown: oldRules(scaleDown) };
}

const BEHAVIOR_FIELDS = new Map(
  'scaleUp scaleDown stabilizationWindowSeconds selectPolicy policies tolerance type value periodSeconds'
    .split(' ')
    .map((name) => [name.toLowerCase(), name]),
);

/** Takes names in capitals and in small letters, as Go does. */
function newBehavior(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(newBehavior);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value as JsonObject).flatMap(([key, one]) => {
    const name = BEHAVIOR_FIELDS.get(key.toLowerCase());
    return name === undefined || one === undefined || one === null ? [] : [[name, newBehavior(one)] as const];
  });
  return Object.fromEntries(fields);
}

function withAnnotations(
  object: KubeObject,
  annotations: Readonly<Record<string, string>>,
): KubeObject['metadata'] {
  const { annotations: _old, ...metadata } = object.metadata;
  return Object.keys(annotations).length === 0 ? metadata : { ...metadata, annotations };
}

/** autoscaling/v1 from autoscaling/v2. */
export function hpaToV1(object: KubeObject): KubeObject {
  const spec = objectOf(object['spec']);
  const status = object['status'] === undefined ? undefined : objectOf(object['status']);
  const annotations: Record<string, string> = { ...object.metadata.annotations };
  const keep = (key: string, values: readonly JsonValue[]): void => {
    if (values.length > 0) annotations[key] = JSON.stringify(values);
  };
  const metrics = listOf(spec['metrics']);
  const current = listOf(status?.['currentMetrics']);
  keep(
    METRICS,
    metrics
      .filter((metric) => cpuUtilization(metric, 'target') === undefined)
      .map((metric) => oldMetric(metric, 'target')),
  );
  keep(
    CURRENT_METRICS,
    current
      .filter((metric) => cpuUtilization(metric, 'current') === undefined)
      .map((metric) => oldMetric(metric, 'current')),
  );
  keep(CONDITIONS, listOf(status?.['conditions']));
  if (spec['behavior'] !== undefined) {
    annotations[BEHAVIOR] = JSON.stringify(oldBehavior(objectOf(spec['behavior'])));
  }
  const first = (list: readonly JsonObject[], field: 'target' | 'current'): Json =>
    list.map((metric) => cpuUtilization(metric, field)).find((value) => value !== undefined);
  return {
    ...object,
    apiVersion: 'autoscaling/v1',
    metadata: withAnnotations(object, annotations),
    spec: present({
      ...without(spec, 'metrics', 'behavior'),
      targetCPUUtilizationPercentage: first(metrics, 'target'),
    }),
    ...(status === undefined
      ? {}
      : {
          status: present({
            // COMPAT: v1 writes both counts, whatever they are.
            currentReplicas: status['currentReplicas'] ?? 0,
            desiredReplicas: status['desiredReplicas'] ?? 0,
            ...without(status, 'currentMetrics', 'conditions'),
            currentCPUUtilizationPercentage: first(current, 'current'),
          }),
        }),
  };
}

/** autoscaling/v2 from autoscaling/v1. */
export function hpaFromV1(object: KubeObject): KubeObject {
  const spec = objectOf(object['spec']);
  const status = object['status'] === undefined ? undefined : objectOf(object['status']);
  const annotations = object.metadata.annotations ?? {};
  const cpu = spec['targetCPUUtilizationPercentage'];
  const metrics = [
    ...listOf(parsed(annotations, METRICS)).map((metric) => newMetric(metric, 'target')),
    ...(cpu === undefined ? [] : [cpuMetric(cpu)]),
  ];
  const behavior = parsed(annotations, BEHAVIOR);
  const currentCpu = status?.['currentCPUUtilizationPercentage'];
  const currentMetrics = [
    ...listOf(parsed(annotations, CURRENT_METRICS)).map((metric) => newMetric(metric, 'current')),
    ...(currentCpu === undefined
      ? []
      : [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: currentCpu } } }]),
  ];
  const conditions = listOf(parsed(annotations, CONDITIONS));
  const kept = Object.entries(annotations).filter(
    ([key]) => key !== METRICS && key !== CURRENT_METRICS && key !== CONDITIONS && key !== BEHAVIOR,
  );
  return {
    ...object,
    apiVersion: 'autoscaling/v2',
    metadata: withAnnotations(object, Object.fromEntries(kept)),
    spec: present({
      ...without(spec, 'targetCPUUtilizationPercentage'),
      metrics: metrics.length === 0 ? [cpuMetric(DEFAULT_CPU_UTILIZATION)] : metrics,
      behavior: behavior === undefined ? undefined : newBehavior(behavior as JsonValue),
    }),
    ...(status === undefined
      ? {}
      : {
          status: present({
            ...without(status, 'currentCPUUtilizationPercentage'),
            currentMetrics: currentMetrics.length === 0 ? undefined : currentMetrics,
            conditions: conditions.length === 0 ? undefined : conditions,
          }),
        }),
  };
}
