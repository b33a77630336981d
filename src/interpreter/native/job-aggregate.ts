// The status of a Job template from its members'. A Job that has ended anywhere is not reopened.
import type { JsonObject, JsonValue, KubeObject } from '../../api/index.ts';
import type { StatusItem } from '../interpreter.ts';
import { integerAt, listAt, textAt, valueAt } from './read.ts';

function isTrue(status: unknown, type: string): boolean {
  return listAt(status, 'conditions').some(
    (condition) => condition['type'] === type && condition['status'] === 'True',
  );
}

function condition(type: string, reason: string, now: string, message: string): JsonObject {
  return { type, status: 'True', lastProbeTime: now, lastTransitionTime: now, reason, message };
}

/** @param now RFC 3339, the time of conditions that become true */
export function aggregateJob(
  template: KubeObject,
  items: readonly StatusItem[],
  now: string,
): JsonObject | undefined {
  const old = valueAt(template, 'status');
  // Upstream freezes a Job at its first failed cluster while others still run; ours follows until none runs.
  const running = items.some(({ status }) => (integerAt(status, 'active') ?? 0) > 0);
  if (isTrue(old, 'Complete') || (isTrue(old, 'Failed') && !running)) return undefined;
  const reported = items.filter(({ status }) => status !== undefined);
  const sum = (field: string): number =>
    reported.reduce((total, { status }) => total + (integerAt(status, field) ?? 0), 0);
  const failed = reported
    .filter(({ status }) => isTrue(status, 'Failed'))
    .map(({ clusterName }) => clusterName);
  const complete = reported.filter(({ status }) => isTrue(status, 'Complete')).length;
  const succeeded = reported.filter(({ status }) => isTrue(status, 'SuccessCriteriaMet')).length;
  const conditions: JsonObject[] = [];
  if (failed.length > 0) {
    const message = `Job executed failed in member clusters ${failed.join(',')}`;
    // A current API server takes Failed only beside FailureTarget and when no pod runs any more; upstream writes it at
    // once and alone, is refused, and leaves the template as it was.
    conditions.push(condition('FailureTarget', 'JobFailed', now, message));
    if (!running) conditions.push(condition('Failed', 'JobFailed', now, message));
  }
  if (items.length > 0 && complete === items.length) {
    conditions.push(condition('Complete', 'Completed', now, 'Job completed'));
    if (succeeded === items.length) {
      const message = 'All member clusters have met success criteria';
      conditions.push(condition('SuccessCriteriaMet', 'CompletionsReached', now, message));
    }
  }
  const times = (field: string): string[] =>
    reported
      .map(({ status }) => textAt(status, field))
      .filter((time) => time !== '')
      .sort();
  const starts = times('startTime');
  const ends = times('completionTime');
  const startTime =
    textAt(old, 'startTime') || (items.length > 0 && starts.length === items.length ? starts[0] : '');
  const completionTime = items.length > 0 && ends.length === items.length ? ends.at(-1) : '';
  const counters = Object.fromEntries(
    ['active', 'succeeded', 'failed']
      .map((field): [string, JsonValue] => [field, sum(field)])
      .filter(([, value]) => value !== 0),
  );
  return {
    ...counters,
    ...(conditions.length === 0 ? {} : { conditions: keepTimes(conditions, old) }),
    ...(startTime === '' || startTime === undefined ? {} : { startTime }),
    ...(completionTime === '' || completionTime === undefined ? {} : { completionTime }),
  };
}

/** A condition that was true already keeps its times, so that aggregating again changes nothing. */
function keepTimes(conditions: readonly JsonObject[], old: unknown): JsonObject[] {
  return conditions.map((one) => {
    const before = listAt(old, 'conditions').find(({ type }) => type === one['type']);
    if (before === undefined || before['message'] !== one['message']) return one;
    const { lastProbeTime, lastTransitionTime } = before;
    return {
      ...one,
      ...(lastProbeTime === undefined ? {} : { lastProbeTime }),
      ...(lastTransitionTime === undefined ? {} : { lastTransitionTime }),
    };
  });
}
