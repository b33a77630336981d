// What is checked of every kind that makes pods from a template.
import type { KubeObject, LabelSelector, PodTemplateSpec } from '../../api/index.ts';
import {
  fieldError,
  labelSelectorFor,
  type FieldError,
  validateLabelSelector,
} from '../../machinery/index.ts';
import type { Strategy } from '../resource.ts';
import { notNegative } from './checks.ts';
import { validatePodTemplate } from './pod-validation.ts';
import { templateWarnings } from './warnings.ts';

export const warningsOf = (namesPods: boolean): NonNullable<Strategy['warnings']> =>
  templateWarnings(
    (object) => (object['spec'] as { template?: PodTemplateSpec }).template,
    'spec.template',
    namesPods,
  );

/** A selector that is there, not empty, and matches the template. */
export function validateSelector(
  selector: LabelSelector | undefined,
  template: PodTemplateSpec,
  path: string,
  emptyComplaint: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (selector === undefined) {
    errors.push(fieldError.required(`${path}.selector`));
  } else {
    errors.push(...validateLabelSelector(selector, `${path}.selector`));
    const size = Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length;
    if (size === 0) errors.push(fieldError.invalid(`${path}.selector`, selector, emptyComplaint));
    if (errors.length > 0) {
      if (size > 0) errors.push(fieldError.invalid(`${path}.selector`, selector, 'invalid label selector'));
      return errors;
    }
  }
  const labels = template.metadata?.labels;
  const compiled = labelSelectorFor(selector);
  if (!compiled.empty && !compiled.matches(labels)) {
    const why = '`selector` does not match template `labels`';
    errors.push(fieldError.invalid(`${path}.template.metadata.labels`, labels ?? null, why));
  }
  return errors;
}

export function validateTemplate(template: PodTemplateSpec, path: string, owner: string): FieldError[] {
  const errors = validatePodTemplate(template, `${path}.template`);
  const { restartPolicy, activeDeadlineSeconds } = template.spec ?? {};
  if (restartPolicy === 'OnFailure' || restartPolicy === 'Never') {
    errors.push(fieldError.notSupported(`${path}.template.spec.restartPolicy`, restartPolicy, ['Always']));
  }
  if (activeDeadlineSeconds !== undefined) {
    const why = `activeDeadlineSeconds in ${owner} is not Supported`;
    errors.push(fieldError.forbidden(`${path}.template.spec.activeDeadlineSeconds`, why));
  }
  return errors;
}

/** Counts of a status that cannot be below zero, and those that another one bounds. */
export function validateCounts(
  status: Readonly<Record<string, unknown>>,
  counts: readonly string[],
  bounds: readonly (readonly [string, string, string])[],
): FieldError[] {
  const numberOf = (field: string): number => (status[field] as number | undefined) ?? 0;
  return [
    ...counts.flatMap((field) => notNegative(numberOf(field), `status.${field}`)),
    ...bounds.flatMap(([field, most, called]) =>
      numberOf(field) > numberOf(most)
        ? [fieldError.invalid(`status.${field}`, numberOf(field), `cannot be greater than ${called}`)]
        : [],
    ),
  ];
}

/** How often names of what a workload owns have collided: a count that only grows. */
export function validateCollisions(next: KubeObject, old: KubeObject): FieldError[] {
  const countOf = ({ ...object }: KubeObject): number =>
    (object['status'] as { collisionCount?: number } | undefined)?.collisionCount ?? 0;
  const [now, before] = [countOf(next), countOf(old)];
  return now < before ? [fieldError.invalid('status.collisionCount', now, 'cannot be decremented')] : [];
}

export const selectorOf = (object: KubeObject): unknown =>
  (object['spec'] as { selector?: unknown }).selector;
