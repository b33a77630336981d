// HorizontalPodAutoscalers of autoscaling/v2 in words.
import type { KubeObject } from '../../api/index.ts';
import { workload } from './parts.ts';
import {
  annotations,
  at,
  labels,
  listAt,
  longTime,
  mapAt,
  textAt,
  type Description,
  type Fields,
} from './text.ts';

const UNKNOWN = '<unknown>';

export function describeAutoscaler(out: Description, scaler: KubeObject): void {
  const spec = mapAt(scaler, 'spec');
  const status = mapAt(scaler, 'status');
  workload(out, scaler, false);
  labels(out, scaler);
  annotations(out, scaler);
  out.field(0, 'CreationTimestamp', longTime(scaler.metadata.creationTimestamp ?? ''));
  const kind = textAt(spec, 'scaleTargetRef', 'kind');
  out.field(0, 'Reference', `${kind}/${textAt(spec, 'scaleTargetRef', 'name')}`);
  out.line(0, 'Metrics:\t( current / target )');
  const current = listAt(status, 'currentMetrics');
  listAt(spec, 'metrics').forEach((metric, index) => out.line(1, metricText(metric, current[index])));
  out.field(0, 'Min replicas', textAt(spec, 'minReplicas') || '<unset>');
  out.field(0, 'Max replicas', textAt(spec, 'maxReplicas'));
  const behavior = at(spec, 'behavior');
  if (behavior !== undefined) {
    out.line(0, 'Behavior:');
    direction(out, 'Scale Up', at(behavior, 'scaleUp'));
    direction(out, 'Scale Down', at(behavior, 'scaleDown'));
  }
  out.field(
    0,
    `${kind} pods`,
    `${textAt(status, 'currentReplicas') || '0'} current / ${textAt(status, 'desiredReplicas') || '0'} desired`,
  );
  const conditions = listAt(status, 'conditions');
  if (conditions.length === 0) return;
  out.line(0, 'Conditions:\n  Type\tStatus\tReason\tMessage');
  out.line(1, '----\t------\t------\t-------');
  for (const one of conditions)
    out.line(1, ['type', 'status', 'reason', 'message'].map((field) => textAt(one, field)).join('\t'));
}

/** @param seen the status of the same metric, when there is one */
function metricText(metric: Fields, seen: Fields | undefined): string {
  const type = textAt(metric, 'type');
  const field = type.charAt(0).toLowerCase() + type.slice(1);
  const wanted = mapAt(metric, field);
  const now = mapAt(seen, field, 'current');
  const name = textAt(wanted, 'metric', 'name');
  const value = (what: string): string =>
    `${textAt(now, what) || UNKNOWN} / ${textAt(wanted, 'target', what)}`;
  const average = at(wanted, 'target', 'averageValue') !== undefined;
  switch (type) {
    case 'External':
      return average
        ? `${JSON.stringify(name)} (target average value):\t${value('averageValue')}`
        : `${JSON.stringify(name)} (target value):\t${value('value')}`;
    case 'Pods':
      return `${JSON.stringify(name)} on pods:\t${value('averageValue')}`;
    case 'Object': {
      const on = `"${name}" on ${textAt(wanted, 'describedObject', 'kind')}/${textAt(wanted, 'describedObject', 'name')}`;
      return textAt(wanted, 'target', 'type') === 'AverageValue'
        ? `${on} (target average value):\t${value('averageValue')}`
        : `${on} (target value):\t${value('value')}`;
    }
    case 'Resource':
      return `resource ${textAt(wanted, 'name')} on pods${resourceText(wanted, now, average)}`;
    case 'ContainerResource':
      return `resource ${textAt(wanted, 'name')} of container "${textAt(wanted, 'container')}" on pods${resourceText(wanted, now, average)}`;
    default:
      return `<unknown metric type ${JSON.stringify(type)}>`;
  }
}

function resourceText(wanted: Fields, now: Fields, average: boolean): string {
  const value = textAt(now, 'averageValue');
  if (average) return `:\t${value || UNKNOWN} / ${textAt(wanted, 'target', 'averageValue')}`;
  const share = textAt(now, 'averageUtilization');
  const target = textAt(wanted, 'target', 'averageUtilization');
  return `  (as a percentage of request):\t${share === '' ? UNKNOWN : `${share}% (${value})`} / ${target === '' ? '<auto>' : `${target}%`}`;
}

function direction(out: Description, name: string, rules: unknown): void {
  if (rules === undefined) return;
  out.line(1, `${name}:`);
  const window = textAt(rules, 'stabilizationWindowSeconds');
  if (window !== '') out.line(2, `Stabilization Window: ${window} seconds`);
  const policies = listAt(rules, 'policies');
  if (policies.length === 0) return;
  out.line(2, `Select Policy: ${textAt(rules, 'selectPolicy') || 'Max'}`);
  out.line(2, 'Policies:');
  for (const one of policies)
    out.line(
      3,
      `- Type: ${textAt(one, 'type')}\tValue: ${textAt(one, 'value')}\tPeriod: ${textAt(one, 'periodSeconds')} seconds`,
    );
}
