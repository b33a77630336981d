// What the status of a Job may say: an end is announced before it is declared, and is declared once.
import type { Job, JobCondition, JobStatus, KubeObject } from '../../api/index.ts';
import { fieldError, semanticEqual, type FieldError } from '../../machinery/index.ts';
import { notNegative } from './checks.ts';

const statusOf = (object: KubeObject): JobStatus => (object as unknown as Job).status ?? {};

function holds(conditions: readonly JobCondition[], type: string): boolean {
  return conditions.some((one) => one.type === type && one.status === 'True');
}

function conditionErrors(conditions: readonly JobCondition[]): FieldError[] {
  const errors: FieldError[] = [];
  const path = 'status.conditions';
  if (holds(conditions, 'Complete') && holds(conditions, 'Failed')) {
    errors.push(fieldError.invalidUnseen(path, 'cannot set Complete=True and Failed=true conditions'));
  }
  if (holds(conditions, 'Complete') && holds(conditions, 'FailureTarget')) {
    errors.push(fieldError.invalidUnseen(path, 'cannot set Complete=True and FailureTarget=true conditions'));
  }
  if (holds(conditions, 'Failed') && !holds(conditions, 'FailureTarget')) {
    const why = 'cannot set Failed=True condition without the FailureTarget=true condition';
    errors.push(fieldError.invalidUnseen(path, why));
  }
  if (holds(conditions, 'Complete') && !holds(conditions, 'SuccessCriteriaMet')) {
    const why = 'cannot set Complete=True condition without the SuccessCriteriaMet=true condition';
    errors.push(fieldError.invalidUnseen(path, why));
  }
  return errors;
}

function endErrors(status: JobStatus): FieldError[] {
  const { conditions = [], active = 0, ready, terminating, startTime, completionTime } = status;
  const errors: FieldError[] = [];
  const complete = holds(conditions, 'Complete');
  if (complete || holds(conditions, 'Failed')) {
    if (active > 0) {
      errors.push(fieldError.invalid('status.active', active, 'active>0 is invalid for finished job'));
    }
    if ((ready ?? 0) > 0)
      errors.push(fieldError.invalid('status.ready', ready, 'ready>0 is invalid for finished job'));
    if ((terminating ?? 0) > 0) {
      errors.push(
        fieldError.invalid('status.terminating', terminating, 'terminating>0 is invalid for finished job'),
      );
    }
    if (startTime === undefined) {
      errors.push(fieldError.required('status.startTime', 'startTime is required for finished job'));
    }
  }
  if (complete && completionTime === undefined) {
    errors.push(fieldError.required('status.completionTime', 'completionTime is required for Complete jobs'));
  }
  if (!complete && completionTime !== undefined) {
    const why = 'cannot set completionTime when there is no Complete=True condition';
    errors.push(fieldError.invalid('status.completionTime', completionTime, why));
  }
  if (startTime !== undefined && completionTime !== undefined && completionTime < startTime) {
    const why = 'completionTime cannot be set before startTime';
    errors.push(fieldError.invalid('status.completionTime', completionTime, why));
  }
  if ((ready ?? 0) > active) {
    errors.push(fieldError.invalid('status.ready', ready, 'cannot set more ready pods than active'));
  }
  return errors;
}

const FINAL = ['Complete', 'Failed', 'FailureTarget', 'SuccessCriteriaMet'] as const;

function changeErrors(next: KubeObject, old: KubeObject): FieldError[] {
  const [status, before] = [statusOf(next), statusOf(old)];
  const errors: FieldError[] = [];
  for (const type of FINAL) {
    if (holds(before.conditions ?? [], type) && !holds(status.conditions ?? [], type)) {
      const why = `cannot disable the terminal ${type}=True condition`;
      errors.push(fieldError.invalidUnseen('status.conditions', why));
    }
  }
  if (before.completionTime !== undefined && !semanticEqual(status.completionTime, before.completionTime)) {
    errors.push(
      fieldError.invalid(
        'status.completionTime',
        status.completionTime ?? null,
        'completionTime cannot be mutated',
      ),
    );
  }
  const suspended = (next as unknown as Job).spec?.suspend === true;
  if (!suspended && before.startTime !== undefined && status.startTime !== before.startTime) {
    const why =
      status.startTime === undefined
        ? 'startTime cannot be removed for unsuspended job'
        : 'startTime cannot be modified for unsuspended job';
    errors.push(fieldError.required('status.startTime', why));
  }
  for (const field of ['succeeded', 'failed'] as const) {
    if ((status[field] ?? 0) < (before[field] ?? 0)) {
      const why = `cannot decrease the ${field} counter`;
      errors.push(fieldError.invalid(`status.${field}`, status[field] ?? 0, why));
    }
  }
  return errors;
}

/** COMPAT: upstream applies its newer checks only to what the write changes; a status that stays as it is passes. */
export function validateJobStatus(next: KubeObject, old: KubeObject): FieldError[] {
  const status = statusOf(next);
  const errors = (['active', 'succeeded', 'failed', 'ready', 'terminating'] as const).flatMap((field) =>
    notNegative(status[field], `status.${field}`),
  );
  if (semanticEqual(status, statusOf(old))) return errors;
  return [
    ...errors,
    ...conditionErrors(status.conditions ?? []),
    ...endErrors(status),
    ...changeErrors(next, old),
  ];
}
