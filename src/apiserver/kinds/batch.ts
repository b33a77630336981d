// batch/v1: Job and CronJob.
import type { CronJob, Job, JobSpec, KubeObject, PodTemplateSpec } from '../../api/index.ts';
import { fieldError, labelSelectorFor, semanticEqual, type FieldError } from '../../machinery/index.ts';
import { change, fill, open, put } from '../typed/drafts.ts';
import type { BuiltinKind, BuiltinKinds } from './builtin.ts';
import { immutable, notNegative, oneOf } from './checks.ts';
import { describeCronProblem } from './cron-schedule.ts';
import { validateJobStatus } from './job-status.ts';
import { podTemplateDefaults } from './pod-defaults.ts';
import { validatePodTemplate } from './pod-validation.ts';
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

export function validateJobSpec(spec: JobSpec, path: string): FieldError[] {
  const errors = [
    ...notNegative(spec.parallelism, `${path}.parallelism`),
    ...notNegative(spec.completions, `${path}.completions`),
    ...notNegative(spec.activeDeadlineSeconds, `${path}.activeDeadlineSeconds`),
    ...notNegative(spec.backoffLimit, `${path}.backoffLimit`),
    ...notNegative(spec.ttlSecondsAfterFinished, `${path}.ttlSecondsAfterFinished`),
    ...oneOf(spec.completionMode, ['Indexed', 'NonIndexed'], `${path}.completionMode`),
    ...validatePodTemplate(spec.template, `${path}.template`),
  ];
  if (spec.completionMode === 'Indexed' && spec.completions === undefined) {
    const why = 'when completion mode is Indexed';
    errors.push(fieldError.required(`${path}.completions`, why));
  }
  const { restartPolicy } = spec.template.spec ?? {};
  const restartPath = `${path}.template.spec.restartPolicy`;
  if (restartPolicy === 'Always' || restartPolicy === undefined) {
    errors.push(fieldError.required(restartPath, 'valid values: "OnFailure", "Never"'));
  } else if (spec.podFailurePolicy !== undefined && restartPolicy !== 'Never') {
    const why = 'only "Never" is supported when podFailurePolicy is specified';
    errors.push(fieldError.invalid(restartPath, restartPolicy, why));
  }
  return errors;
}

function validateJob(object: KubeObject): FieldError[] {
  const spec = object['spec'] as JobSpec;
  const errors = validateJobSpec(spec, 'spec');
  if (spec.selector === undefined) return [...errors, fieldError.required('spec.selector')];
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
    validate: validateJob,
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
    if (/^(CRON_)?TZ=/.test(schedule)) {
      const why = 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead';
      errors.push(fieldError.invalid('spec.schedule', schedule, why));
    }
  }
  errors.push(...notNegative(spec?.startingDeadlineSeconds, 'spec.startingDeadlineSeconds'));
  errors.push(...oneOf(concurrencyPolicy, ['Allow', 'Forbid', 'Replace'], 'spec.concurrencyPolicy', false));
  errors.push(...notNegative(spec?.successfulJobsHistoryLimit, 'spec.successfulJobsHistoryLimit'));
  errors.push(...notNegative(spec?.failedJobsHistoryLimit, 'spec.failedJobsHistoryLimit'));
  if (timeZone !== undefined) errors.push(...timeZoneErrors(timeZone));
  const jobSpec = spec?.jobTemplate.spec;
  if (jobSpec !== undefined) errors.push(...validateJobSpec(jobSpec, 'spec.jobTemplate.spec'));
  return errors;
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
