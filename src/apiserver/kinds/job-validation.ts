// What makes the spec of a Job valid, by itself and in the template of a CronJob. The words, the paths and the order are
// kube-apiserver's.
import type { JobSpec } from '../../api/index.ts';
import { fieldError, isQualifiedName, type FieldError } from '../../machinery/index.ts';
import { domainPrefixedPath, named, notNegative, oneOf, oneOfIfGiven } from './checks.ts';
import { validatePodTemplate } from './pod-validation.ts';

type FailurePolicy = NonNullable<JobSpec['podFailurePolicy']>;
type FailureRule = NonNullable<FailurePolicy['rules']>[number];
type ExitCodes = NonNullable<FailureRule['onExitCodes']>;
type PodConditions = NonNullable<FailureRule['onPodConditions']>;
type SuccessRule = NonNullable<NonNullable<JobSpec['successPolicy']>['rules']>[number];

// LIMIT: as upstream.
const MANAGED_BY_MAX = 63;
const INDEXED_MAX = 100_000;
const MANY_COMPLETIONS = 100_000;
const MANY_COMPLETIONS_MAX = 10_000;
const RULES_MAX = 20;
const CONDITIONS_MAX = 20;
const EXIT_CODES_MAX = 255;
const INDEXES_MAX_BYTES = 64 * 1024;

export function validateJobSpec(spec: JobSpec, path: string): FieldError[] {
  const { managedBy, completionMode } = spec;
  const errors = [
    ...notNegative(spec.parallelism, `${path}.parallelism`),
    ...notNegative(spec.completions, `${path}.completions`),
    ...notNegative(spec.activeDeadlineSeconds, `${path}.activeDeadlineSeconds`),
    ...notNegative(spec.backoffLimit, `${path}.backoffLimit`),
    ...notNegative(spec.ttlSecondsAfterFinished, `${path}.ttlSecondsAfterFinished`),
    ...notNegative(spec.backoffLimitPerIndex, `${path}.backoffLimitPerIndex`),
    ...notNegative(spec.maxFailedIndexes, `${path}.maxFailedIndexes`),
  ];
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    errors.push(fieldError.required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'));
  }
  if (managedBy !== undefined) {
    errors.push(...domainPrefixedPath(managedBy, `${path}.managedBy`));
    if (managedBy.length > MANAGED_BY_MAX) {
      errors.push(fieldError.tooLong(`${path}.managedBy`, MANAGED_BY_MAX));
    }
  }
  errors.push(...oneOfIfGiven(completionMode, ['NonIndexed', 'Indexed'], `${path}.completionMode`));
  if (completionMode === 'Indexed') errors.push(...validateIndexed(spec, path));
  if (completionMode === undefined || completionMode === 'NonIndexed') {
    for (const field of ['backoffLimitPerIndex', 'maxFailedIndexes'] as const) {
      if (spec[field] !== undefined) {
        errors.push(fieldError.invalid(`${path}.${field}`, spec[field], 'requires indexed completion mode'));
      }
    }
  }
  return [
    ...errors,
    ...validateFailurePolicy(spec, `${path}.podFailurePolicy.rules`),
    ...validateSuccessPolicy(spec, `${path}.successPolicy`),
    ...oneOfIfGiven(
      spec.podReplacementPolicy,
      spec.podFailurePolicy === undefined ? ['Failed', 'TerminatingOrFailed'] : ['Failed'],
      `${path}.podReplacementPolicy`,
    ),
    ...validatePodTemplate(spec.template, `${path}.template`),
    ...validateRestartPolicy(spec, `${path}.template.spec.restartPolicy`),
  ];
}

function validateRestartPolicy({ template, podFailurePolicy }: JobSpec, path: string): FieldError[] {
  const { restartPolicy = 'Always' } = template.spec ?? {};
  if (restartPolicy === 'Always') return [fieldError.required(path, 'valid values: "OnFailure", "Never"')];
  if (restartPolicy !== 'OnFailure' && restartPolicy !== 'Never') {
    return [fieldError.notSupported(path, restartPolicy, ['OnFailure', 'Never'])];
  }
  const why = 'only "Never" is supported when podFailurePolicy is specified';
  return podFailurePolicy !== undefined && restartPolicy !== 'Never'
    ? [fieldError.invalid(path, restartPolicy, why)]
    : [];
}

function validateIndexed(spec: JobSpec, path: string): FieldError[] {
  const { completions, parallelism = 0, maxFailedIndexes } = spec;
  const errors: FieldError[] = [];
  const refuse = (field: 'parallelism' | 'maxFailedIndexes', why: string): void =>
    void errors.push(fieldError.invalid(`${path}.${field}`, spec[field], why));
  if (completions === undefined) {
    errors.push(fieldError.required(`${path}.completions`, 'when completion mode is Indexed'));
  }
  if (parallelism > INDEXED_MAX) {
    refuse('parallelism', `must be less than or equal to ${INDEXED_MAX} when completion mode is Indexed`);
  }
  if (completions !== undefined && maxFailedIndexes !== undefined && maxFailedIndexes > completions) {
    refuse('maxFailedIndexes', 'must be less than or equal to completions');
  }
  if ((maxFailedIndexes ?? 0) > INDEXED_MAX) {
    refuse('maxFailedIndexes', `must be less than or equal to ${INDEXED_MAX}`);
  }
  if ((completions ?? 0) <= MANY_COMPLETIONS || spec.backoffLimitPerIndex === undefined) return errors;
  if (maxFailedIndexes === undefined) {
    const why = `must be specified when completions is above ${MANY_COMPLETIONS}`;
    errors.push(fieldError.required(`${path}.maxFailedIndexes`, why));
  }
  const many = `must be less than or equal to ${MANY_COMPLETIONS_MAX} when completions are above ${MANY_COMPLETIONS} and used with backoff limit per index`;
  if (parallelism > MANY_COMPLETIONS_MAX) refuse('parallelism', many);
  if ((maxFailedIndexes ?? 0) > MANY_COMPLETIONS_MAX) refuse('maxFailedIndexes', many);
  return errors;
}

// ---- failures

const ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore'];
const OPERATORS = ['In', 'NotIn'];
const CONDITION_STATUSES = ['False', 'True', 'Unknown'];

/** Where none is given, the values are named as upstream prints a list. */
function chosen(value: string, supported: readonly string[], path: string): FieldError[] {
  if (value !== '') return oneOf(value, supported, path);
  const values = supported.map((one) => JSON.stringify(one)).join(' ');
  return [fieldError.required(path, `valid values: [${values}]`)];
}

function validateFailurePolicy(spec: JobSpec, path: string): FieldError[] {
  const rules = spec.podFailurePolicy?.rules ?? [];
  return [
    ...(rules.length > RULES_MAX ? [fieldError.tooMany(path, rules.length, RULES_MAX)] : []),
    ...rules.flatMap((rule, i) => validateFailureRule(spec, rule, `${path}[${i}]`)),
  ];
}

function validateFailureRule(spec: JobSpec, rule: FailureRule, path: string): FieldError[] {
  const { action, onExitCodes } = rule;
  const onPodConditions = rule.onPodConditions ?? [];
  const errors = chosen(action, ACTIONS, `${path}.action`);
  if (action === 'FailIndex' && spec.backoffLimitPerIndex === undefined) {
    const why = 'requires the backoffLimitPerIndex to be set';
    errors.push(fieldError.invalid(`${path}.action`, action, why));
  }
  if (onExitCodes !== undefined) errors.push(...validateExitCodes(spec, onExitCodes, `${path}.onExitCodes`));
  errors.push(...validateConditions(onPodConditions, `${path}.onPodConditions`));
  const ways = (onExitCodes === undefined ? 0 : 1) + (onPodConditions.length > 0 ? 1 : 0);
  if (ways === 2) {
    const why = 'specifying both OnExitCodes and OnPodConditions is not supported';
    errors.push(fieldError.invalidUnseen(path, why));
  } else if (ways === 0) {
    const why = 'specifying one of OnExitCodes and OnPodConditions is required';
    errors.push(fieldError.invalidUnseen(path, why));
  }
  return errors;
}

function validateConditions(patterns: PodConditions, path: string): FieldError[] {
  return [
    ...(patterns.length > CONDITIONS_MAX ? [fieldError.tooMany(path, patterns.length, CONDITIONS_MAX)] : []),
    ...patterns.flatMap(({ type, status = '' }, i) => [
      ...named(isQualifiedName(type), type, `${path}[${i}].type`),
      ...chosen(status, CONDITION_STATUSES, `${path}[${i}].status`),
    ]),
  ];
}

function validateExitCodes(spec: JobSpec, codes: ExitCodes, path: string): FieldError[] {
  const { operator, containerName } = codes;
  const values = codes.values ?? [];
  const errors = chosen(operator, OPERATORS, `${path}.operator`);
  const { containers, initContainers } = spec.template.spec ?? {};
  const names = [...(containers ?? []), ...(initContainers ?? [])].map(({ name }) => name);
  if (containerName !== undefined && !names.includes(containerName)) {
    const why = 'must be one of the container or initContainer names in the pod template';
    errors.push(fieldError.invalid(`${path}.containerName`, containerName, why));
  }
  const at = `${path}.values`;
  if (values.length === 0)
    errors.push(fieldError.invalid(at, codes.values ?? null, 'at least one value is required'));
  else if (values.length > EXIT_CODES_MAX) errors.push(fieldError.tooMany(at, values.length, EXIT_CODES_MAX));
  const seen = new Set<number>();
  for (const [i, value] of values.entries()) {
    if (operator === 'In' && value === 0) {
      errors.push(fieldError.invalid(`${at}[${i}]`, value, 'must not be 0 for the In operator'));
    }
    if (seen.has(value)) errors.push(fieldError.duplicate(`${at}[${i}]`, value));
    seen.add(value);
  }
  if (values.some((value, i) => i > 0 && values[i - 1]! > value)) {
    errors.push(fieldError.invalid(at, values, 'must be ordered'));
  }
  return errors;
}

// ---- success

function validateSuccessPolicy(spec: JobSpec, path: string): FieldError[] {
  const { successPolicy, completionMode } = spec;
  if (successPolicy === undefined) return [];
  if (completionMode !== 'Indexed') {
    return [fieldError.invalid(path, successPolicy, 'requires indexed completion mode')];
  }
  const at = `${path}.rules`;
  const rules = successPolicy.rules ?? [];
  const errors: FieldError[] = [];
  if (rules.length === 0) {
    const why = 'at least one rules must be specified when the successPolicy is specified';
    errors.push(fieldError.required(at, why));
  }
  if (rules.length > RULES_MAX) errors.push(fieldError.tooMany(at, rules.length, RULES_MAX));
  return [
    ...errors,
    ...rules.flatMap((rule, i) => validateSuccessRule(rule, spec.completions ?? 0, `${at}[${i}]`)),
  ];
}

function validateSuccessRule(rule: SuccessRule, completions: number, path: string): FieldError[] {
  const { succeededCount: count, succeededIndexes: indexes } = rule;
  const errors: FieldError[] = [];
  if (count === undefined && indexes === undefined) {
    const why = 'at least one of succeededCount or succeededIndexes must be specified';
    errors.push(fieldError.required(path, why));
  }
  let total = 0;
  if (indexes !== undefined) {
    const at = `${path}.succeededIndexes`;
    if (indexes.length > INDEXES_MAX_BYTES) errors.push(fieldError.tooLong(at, INDEXES_MAX_BYTES));
    const counted = countIndexes(indexes, completions);
    if (typeof counted === 'number') total = counted;
    else errors.push(fieldError.invalid(at, indexes, `error parsing succeededIndexes: ${counted}`));
  }
  if (count === undefined) return errors;
  const at = `${path}.succeededCount`;
  errors.push(...notNegative(count, at));
  const most = (limit: number, of: string): void => {
    if (count <= limit) return;
    errors.push(
      fieldError.invalid(at, count, `must be less than or equal to ${limit} (the number of ${of})`),
    );
  };
  most(completions, 'specified completions');
  if (indexes !== undefined) most(total, 'indexes in the specified succeededIndexes field');
  return errors;
}

/** How many indexes `1,3-5` are, or what is wrong with it. */
function countIndexes(text: string, completions: number): number | string {
  if (text === '') return 0;
  let last = -1;
  let total = 0;
  for (const interval of text.split(',')) {
    const limits = interval.split('-');
    if (limits.length > 2) {
      return `the fragment ${JSON.stringify(interval)} violates the requirement that an index interval can have at most two parts separated by '-'`;
    }
    for (const limit of limits) {
      if (!/^\+?\d+$/.test(limit)) {
        return `cannot convert string to integer for index: ${JSON.stringify(limit)}`;
      }
      if (Number(limit) >= completions) return `too large index: ${JSON.stringify(limit)}`;
    }
    const [from, to] = [Number(limits[0]), Number(limits.at(-1))];
    if (from > to) return `non-increasing order, previous: ${from}, current: ${to}`;
    if (last >= from) return `non-increasing order, previous: ${last}, current: ${from}`;
    total += to - from + 1;
    last = to;
  }
  return total;
}
