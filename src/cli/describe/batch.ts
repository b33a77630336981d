// Jobs and CronJobs in words.
import type { KubeObject } from '../../api/index.ts';
import { formatDuration } from '../../machinery/index.ts';
import { named, owner } from './parts.ts';
import { podTemplate } from './pods.ts';
import { annotations, at, labels, longTime, mapAt, selectorText, textAt, type Description } from './text.ts';

const UNSET = '<unset>';
/** COMPAT: longer lists of indexes are cut. */
const INDEXES_MAX = 50;

export function describeJob(out: Description, job: KubeObject): void {
  const spec = mapAt(job, 'spec');
  const status = mapAt(job, 'status');
  const optional = (name: string, value: string, unit = ''): void => {
    if (value !== '') out.field(0, name, `${value}${unit}`);
  };
  named(out, job);
  out.field(0, 'Selector', at(spec, 'selector') === undefined ? UNSET : selectorText(at(spec, 'selector')));
  labels(out, job);
  annotations(out, job);
  owner(out, job);
  out.field(0, 'Parallelism', textAt(spec, 'parallelism') || UNSET);
  out.field(0, 'Completions', textAt(spec, 'completions') || UNSET);
  optional('Completion Mode', textAt(spec, 'completionMode'));
  optional('Suspend', textAt(spec, 'suspend'));
  optional('Backoff Limit', textAt(spec, 'backoffLimit'));
  optional('TTL Seconds After Finished', textAt(spec, 'ttlSecondsAfterFinished'));
  const [start, end] = [textAt(status, 'startTime'), textAt(status, 'completionTime')];
  if (start !== '') out.field(0, 'Start Time', longTime(start));
  if (end !== '') out.field(0, 'Completed At', longTime(end));
  if (start !== '' && end !== '')
    out.field(0, 'Duration', formatDuration(Date.parse(end) - Date.parse(start)));
  optional('Active Deadline Seconds', textAt(spec, 'activeDeadlineSeconds'), 's');
  const count = (field: string): string => textAt(status, field) || '0';
  const ready = at(status, 'ready') === undefined ? '' : ` (${count('ready')} Ready)`;
  out.field(
    0,
    'Pods Statuses',
    `${count('active')} Active${ready} / ${count('succeeded')} Succeeded / ${count('failed')} Failed`,
  );
  if (textAt(spec, 'completionMode') === 'Indexed')
    out.field(0, 'Completed Indexes', indexesText(textAt(status, 'completedIndexes')));
  podTemplate(out, mapAt(spec, 'template'));
}

function indexesText(text: string): string {
  if (text.length <= INDEXES_MAX) return text === '' ? '<none>' : text;
  return `${text.slice(0, text.lastIndexOf(',', INDEXES_MAX - 4) + 1)}...`;
}

export function describeCronJob(out: Description, cron: KubeObject): void {
  const spec = mapAt(cron, 'spec');
  const template = mapAt(spec, 'jobTemplate', 'spec');
  named(out, cron);
  labels(out, cron);
  annotations(out, cron);
  out.field(0, 'Schedule', textAt(spec, 'schedule'));
  out.field(0, 'Concurrency Policy', textAt(spec, 'concurrencyPolicy'));
  const suspend = at(spec, 'suspend');
  out.field(0, 'Suspend', suspend === undefined ? UNSET : suspend === true ? 'True' : 'False');
  out.field(0, 'Successful Job History Limit', textAt(spec, 'successfulJobsHistoryLimit') || UNSET);
  out.field(0, 'Failed Job History Limit', textAt(spec, 'failedJobsHistoryLimit') || UNSET);
  const deadline = textAt(spec, 'startingDeadlineSeconds');
  out.field(0, 'Starting Deadline Seconds', deadline === '' ? UNSET : `${deadline}s`);
  out.field(
    0,
    'Selector',
    at(template, 'selector') === undefined ? UNSET : selectorText(at(template, 'selector')),
  );
  out.field(0, 'Parallelism', textAt(template, 'parallelism') || UNSET);
  out.field(0, 'Completions', textAt(template, 'completions') || UNSET);
  const active = textAt(template, 'activeDeadlineSeconds');
  if (active !== '') out.field(0, 'Active Deadline Seconds', `${active}s`);
  podTemplate(out, mapAt(template, 'template'));
  const last = textAt(cron, 'status', 'lastScheduleTime');
  out.field(0, 'Last Schedule Time', last === '' ? UNSET : longTime(last));
  const jobs = (at(cron, 'status', 'active') as readonly unknown[] | undefined) ?? [];
  out.field(0, 'Active Jobs', jobs.map((one) => textAt(one, 'name')).join(', ') || '<none>');
}
