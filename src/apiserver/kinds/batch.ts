// batch/v1: Job and CronJob.
import type { CronJob, Job, JobSpec, KubeObject, PodTemplateSpec } from '../../api/index.ts';
import {
  fieldError,
  isDns1123Label,
  labelSelectorFor,
  semanticEqual,
  validateLabelSelector,
  type FieldError,
} from '../../machinery/index.ts';
import { change, fill, open, put } from '../typed/drafts.ts';
import type { BuiltinKind, BuiltinKinds } from './builtin.ts';
import { immutable, notNegative, oneOf } from './checks.ts';
import { describeCronProblem } from './cron-schedule.ts';
import { validateJobStatus } from './job-status.ts';
import { validateJobSpec } from './job-validation.ts';
import { podTemplateDefaults } from './pod-defaults.ts';
import { statusSubresource } from './status.ts';
import { templateWarnings } from './warnings.ts';
import * as printers from '../table/printers.ts';

const CONTROLLER_UID = 'batch.kubernetes.io/controller-uid';
const JOB_NAME = 'batch.kubernetes.io/job-name';
const MAX_INT32 = 2_147_483_647;

function jobSpecDefaults(given: JobSpec): JobSpec {
  let spec = given;
  if (spec.completions === undefined && spec.parallelism === undefined) spec = fill(spec, { completions: 1 });
  spec = fill(spec, {
    parallelism: 1,
    backoffLimit: spec.backoffLimitPerIndex === undefined ? 6 : MAX_INT32,
    completionMode: 'NonIndexed',
    suspend: false,
    manualSelector: false,
    podReplacementPolicy: spec.podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed',
  });
  return change(spec, 'template', podTemplateDefaults);
}

function jobDefaults(object: KubeObject): KubeObject {
  const job = object as unknown as Job;
  const labels = job.spec?.template?.metadata?.labels;
  let next = change(job, 'spec', jobSpecDefaults);
  // COMPAT: a job without labels takes those of its template.
  if (labels !== undefined) next = change(next, 'metadata', (metadata) => fill(metadata, { labels }));
  return next;
}

/** Selects the job's pods by its uid, unless the user insists on a selector. */
function withSelector(object: KubeObject): KubeObject {
  const spec = object['spec'] as JobSpec;
  if (spec.manualSelector === true) return object;
  const { uid = '', name = '' } = object.metadata;
  const labels = {
    ...spec.template.metadata?.labels,
    'job-name': name,
    [JOB_NAME]: name,
    'controller-uid': uid,
    [CONTROLLER_UID]: uid,
  };
  const template: PodTemplateSpec = { ...spec.template, metadata: { ...spec.template.metadata, labels } };
  const selector = {
    ...spec.selector,
    matchLabels: { ...spec.selector?.matchLabels, [CONTROLLER_UID]: uid },
  };
  // COMPAT: a job without labels of its own shares those of its template, generated ones included.
  const own = object.metadata.labels ?? {};
  const shared = Object.keys(own).length === 0 || semanticEqual(own, spec.template.metadata?.labels ?? {});
  const metadata = shared ? { ...object.metadata, labels } : object.metadata;
  return Object.freeze({ ...object, metadata, spec: { ...spec, selector, template } });
}

/** COMPAT: a selector of the user's own that is not asked for does not go with the labels that are. */
function validateGenerated(object: KubeObject): FieldError[] {
  const { selector, manualSelector, template } = object['spec'] as JobSpec;
  if (manualSelector === true || selector === undefined) return [];
  const { uid = '', name = '' } = object.metadata;
  const expected = { 'controller-uid': uid, 'job-name': name, [CONTROLLER_UID]: uid, [JOB_NAME]: name };
  const labels = template.metadata?.labels ?? {};
  const errors = Object.entries(expected).flatMap(([key, value]) => {
    const at = `spec.template.metadata.labels[${key}]`;
    if (labels[key] === undefined) return [fieldError.required(at, `must be '${value}'`)];
    return labels[key] === value ? [] : [fieldError.invalid(at, labels[key], `must be '${value}'`)];
  });
  if (!labelSelectorFor(selector).matches(expected)) {
    errors.push(fieldError.invalid('spec.selector', selector, '`selector` not auto-generated'));
  }
  return errors;
}

function validateNewJob(object: KubeObject): FieldError[] {
  const errors = [...validateGenerated(object), ...validateJob(object)];
  const { completionMode, completions = 0 } = object['spec'] as JobSpec;
  const { name = '' } = object.metadata;
  const hostName = `${name}-${completions - 1}`;
  if (completionMode === 'Indexed' && completions > 0 && isDns1123Label(hostName).length > 0) {
    const why = `will not able to create pod with invalid DNS label: ${hostName}`;
    errors.push(fieldError.invalid('metadata.name', name, why));
  }
  return errors;
}

function validateJob(object: KubeObject): FieldError[] {
  const spec = object['spec'] as JobSpec;
  const errors = validateJobSpec(spec, 'spec');
  if (spec.selector === undefined) errors.push(fieldError.required('spec.selector'));
  else errors.push(...validateLabelSelector(spec.selector, 'spec.selector'));
  const labels = spec.template.metadata?.labels;
  if (!labelSelectorFor(spec.selector).matches(labels)) {
    const why = '`selector` does not match template `labels`';
    errors.push(fieldError.invalid('spec.template.metadata.labels', labels ?? null, why));
  }
  return errors;
}

/** Scheduling directives of a suspended job that has not run may change; nothing else of its template. */
function comparableTemplate(template: PodTemplateSpec, startable: boolean): unknown {
  if (!startable) return template;
  const {
    nodeSelector: _n,
    tolerations: _t,
    affinity: _a,
    schedulingGates: _g,
    ...spec
  } = template.spec ?? {
    containers: [],
  };
  const { annotations: _annotations, labels: _labels, ...metadata } = template.metadata ?? {};
  return { metadata, spec };
}

function validateJobUpdate(next: KubeObject, old: KubeObject): FieldError[] {
  const spec = next['spec'] as JobSpec;
  const before = old['spec'] as JobSpec;
  const errors = validateJob(next);
  const elastic =
    spec.completionMode === 'Indexed' &&
    spec.completions !== before.completions &&
    spec.completions === spec.parallelism;
  if (!elastic) errors.push(...immutable(spec.completions, before.completions, 'spec.completions'));
  errors.push(...immutable(spec.selector, before.selector, 'spec.selector'));
  const { startTime } = (old as unknown as Job).status ?? {};
  const startable = before.suspend === true && startTime === undefined;
  if (
    !semanticEqual(
      comparableTemplate(spec.template, startable),
      comparableTemplate(before.template, startable),
    )
  ) {
    errors.push(fieldError.invalid('spec.template', spec.template, 'field is immutable'));
  }
  errors.push(...immutable(spec.completionMode, before.completionMode, 'spec.completionMode'));
  errors.push(...immutable(spec.podFailurePolicy, before.podFailurePolicy, 'spec.podFailurePolicy'));
  errors.push(
    ...immutable(spec.backoffLimitPerIndex, before.backoffLimitPerIndex, 'spec.backoffLimitPerIndex'),
  );
  errors.push(...immutable(spec.managedBy, before.managedBy, 'spec.managedBy'));
  errors.push(...immutable(spec.successPolicy, before.successPolicy, 'spec.successPolicy'));
  return errors;
}

const job: BuiltinKind = {
  defaults: jobDefaults,
  strategy: {
    generation: 'spec',
    orphansByDefault: true,
    orphanWarning:
      'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
    prepareForCreate: withSelector,
    validate: validateNewJob,
    warnings: templateWarnings((object) => (object['spec'] as JobSpec).template, 'spec.template', true),
    validateUpdate: validateJobUpdate,
    selectableFields: (object) => ({
      'status.successful': String((object as unknown as Job).status?.succeeded ?? 0),
    }),
    selectableFieldNames: ['status.successful'],
  },
  subresources: { status: statusSubresource({ validate: validateJobStatus }) },
  printer: printers.jobs,
};

// ---- CronJob

// LIMIT: room for the suffix that names its jobs.
const CRON_JOB_NAME_MAX = 52;

function cronJobDefaults(object: KubeObject): KubeObject {
  return change(object as unknown as CronJob, 'spec', (given) => {
    const spec = fill(given, {
      concurrencyPolicy: 'Allow',
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
    });
    // COMPAT: pods of the template get their defaults, the job template itself does not.
    return change(spec, 'jobTemplate', (template) =>
      change(template, 'spec', (jobSpec) =>
        put(open(jobSpec), 'template', podTemplateDefaults(jobSpec.template)),
      ),
    );
  });
}

function timeZoneErrors(timeZone: string): FieldError[] {
  const at = 'spec.timeZone';
  if (timeZone === '') return [fieldError.invalid(at, timeZone, 'timeZone must be nil or non-empty string')];
  if (timeZone.toLowerCase() === 'local') {
    const why = 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones';
    return [fieldError.invalid(at, timeZone, why)];
  }
  return isTimeZone(timeZone) ? [] : [fieldError.invalid(at, timeZone, `unknown time zone ${timeZone}`)];
}

function validateCronJob(object: KubeObject): FieldError[] {
  const { spec } = object as unknown as CronJob;
  const errors: FieldError[] = [];
  const { timeZone, concurrencyPolicy } = spec ?? {};
  const schedule = spec?.schedule ?? '';
  if (schedule === '') errors.push(fieldError.required('spec.schedule'));
  else {
    const problem = describeCronProblem(schedule);
    if (problem !== undefined) errors.push(fieldError.invalid('spec.schedule', schedule, problem));
    if (schedule.includes('TZ')) {
      const why = 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead';
      errors.push(fieldError.invalid('spec.schedule', schedule, why));
    }
  }
  errors.push(...notNegative(spec?.startingDeadlineSeconds, 'spec.startingDeadlineSeconds'));
  if (timeZone !== undefined) errors.push(...timeZoneErrors(timeZone));
  errors.push(...oneOf(concurrencyPolicy, ['Allow', 'Forbid', 'Replace'], 'spec.concurrencyPolicy', false));
  const jobSpec = spec?.jobTemplate.spec;
  if (jobSpec !== undefined) errors.push(...validateJobTemplate(jobSpec, 'spec.jobTemplate.spec'));
  return [
    ...errors,
    ...notNegative(spec?.successfulJobsHistoryLimit, 'spec.successfulJobsHistoryLimit'),
    ...notNegative(spec?.failedJobsHistoryLimit, 'spec.failedJobsHistoryLimit'),
  ];
}

/** Its jobs are selected by what they are called once they are made. */
function validateJobTemplate(spec: JobSpec, path: string): FieldError[] {
  const { selector, manualSelector } = spec;
  return [
    ...validateJobSpec(spec, path),
    ...(selector === undefined
      ? []
      : [fieldError.invalid(`${path}.selector`, selector, '`selector` will be auto-generated')]),
    ...(manualSelector === true
      ? [fieldError.notSupported(`${path}.manualSelector`, true, ['nil', 'false'])]
      : []),
  ];
}

function isTimeZone(name: string): boolean {
  if (name === '' || name.toLowerCase() === 'local') return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

const cronJob: BuiltinKind = {
  defaults: cronJobDefaults,
  strategy: {
    generation: 'spec',
    validate(object) {
      const name = object.metadata.name ?? '';
      const errors = validateCronJob(object);
      if (name.length <= CRON_JOB_NAME_MAX) return errors;
      const why = `must be no more than ${CRON_JOB_NAME_MAX} characters`;
      return [...errors, fieldError.invalid('metadata.name', name, why)];
    },
    validateUpdate: validateCronJob,
    warnings: templateWarnings(
      (object) => (object as unknown as CronJob).spec?.jobTemplate.spec?.template,
      'spec.jobTemplate.spec.template',
      true,
    ),
  },
  subresources: { status: statusSubresource() },
  printer: printers.cronJobs,
};

export const batch: BuiltinKinds = { 'batch/jobs': job, 'batch/cronjobs': cronJob };
