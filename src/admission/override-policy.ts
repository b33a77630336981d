// OverridePolicy and ClusterOverridePolicy: completion of selectors, and validation of what the schema cannot
// express. Of the deprecated pair (targetCluster, overriders) the overriders are not looked into, as upstream.
import type { ClusterOverridePolicy, OverridePolicy } from '../api/index.ts';
import { fieldError, validateAnnotations, validateLabels, type FieldError } from '../machinery/index.ts';
import { withRequiredOverrides } from './go-zeroes.ts';
import { validateAffinity } from './placement-validation.ts';
import { validateSelectorNamespaces } from './policy-validation.ts';
import { inGoOrder } from './rule.ts';

type Policy = OverridePolicy | ClusterOverridePolicy;
type Overriders = NonNullable<NonNullable<OverridePolicy['spec']['overrideRules']>[number]['overriders']>;
type FieldOverrider = NonNullable<Overriders['fieldOverrider']>[number];

/** Selectors of an OverridePolicy without a namespace mean the policy's own. */
export function defaultOverridePolicy(policy: OverridePolicy): OverridePolicy {
  // What has no spec is refused by the schema, which is checked later.
  if (typeof policy.spec !== 'object' || policy.spec === null) return policy;
  const namespace = policy.metadata.namespace ?? '';
  const spec = withoutEmptyRules(withRequiredOverrides(policy.spec));
  const { resourceSelectors: selectors } = spec;
  const complete = selectors?.every((selector) => (selector.namespace ?? '') !== '') ?? true;
  if (complete) return spec === policy.spec ? policy : { ...policy, spec };
  const filled = selectors?.map((selector) =>
    (selector.namespace ?? '') === '' ? { ...selector, namespace } : selector,
  );
  return { ...policy, spec: { ...spec, resourceSelectors: filled } as OverridePolicy['spec'] };
}

/** COMPAT: a list of rules that is empty is none once upstream's typed webhook has seen it. */
function withoutEmptyRules(spec: OverridePolicy['spec']): OverridePolicy['spec'] {
  if (spec.overrideRules?.length !== 0) return spec;
  const { overrideRules: _none, ...rest } = spec;
  return rest;
}

export function validateOverridePolicy(policy: Policy): FieldError[] {
  const { spec } = policy;
  const errors: FieldError[] = [];
  const { overrideRules: rules } = spec;
  errors.push(...validateAffinity(spec.targetCluster, 'spec.targetCluster'));
  if (rules !== undefined && spec.targetCluster !== undefined) {
    errors.push(
      fieldError.invalid(
        'spec.targetCluster',
        inGoOrder(spec.targetCluster),
        "overrideRules and targetCluster can't co-exist",
      ),
    );
  }
  if (rules !== undefined && overridesAnything(spec.overriders)) {
    errors.push(
      fieldError.invalid(
        'spec.overriders',
        inGoOrder(spec.overriders),
        "overrideRules and overriders can't co-exist",
      ),
    );
  }
  for (const [index, rule] of (rules ?? []).entries()) {
    const path = `spec.overrideRules[${index}]`;
    errors.push(...validateOverriders(rule.overriders, `${path}.overriders`));
    errors.push(...validateAffinity(rule.targetCluster, `${path}.targetCluster`));
  }
  if (policy.kind === 'OverridePolicy') {
    errors.push(...validateSelectorNamespaces(spec.resourceSelectors ?? [], policy.metadata.namespace ?? ''));
  }
  return errors;
}

/** COMPAT: field overriders do not count beside rules; they are taken, and have no effect. */
function overridesAnything(overriders: Overriders | undefined): boolean {
  return Object.entries(overriders ?? {}).some(
    ([kind, list]) => kind !== 'fieldOverrider' && list.length > 0,
  );
}

function validateOverriders(overriders: Overriders, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, one] of (overriders.annotationsOverrider ?? []).entries()) {
    errors.push(...validateAnnotations(one.value ?? {}, `${path}.annotationsOverrider[${index}].value`));
  }
  for (const [index, one] of (overriders.labelsOverrider ?? []).entries()) {
    errors.push(...validateLabels(one.value ?? {}, `${path}.labelsOverrider[${index}].value`));
  }
  for (const [index, one] of (overriders.imageOverrider ?? []).entries()) {
    if (one.predicate === undefined) continue;
    errors.push(...validatePointer(one.predicate.path, `${path}.imageOverrider[${index}].predicate.path`));
  }
  for (const [index, one] of (overriders.fieldOverrider ?? []).entries()) {
    errors.push(...validateFieldOverrider(one, `${path}.fieldOverrider[${index}]`));
  }
  return errors;
}

function validatePointer(pointer: string, path: string): FieldError[] {
  if (pointer === '' || pointer.startsWith('/')) return [];
  // COMPAT: the second line is upstream's (case adm-op).
  const why = 'JSON pointer must be empty or start with a "/"\nJSON pointer error';
  return [fieldError.invalid(path, pointer, why)];
}

function validateFieldOverrider(overrider: FieldOverrider, path: string): FieldError[] {
  const { json = [], yaml = [] } = overrider;
  const errors: FieldError[] = [];
  if (json.length > 0 && yaml.length > 0) {
    const why = 'FieldOverrider has both YAML and JSON set. Only one is allowed';
    errors.push(fieldError.invalid(path, inGoOrder(overrider), why));
  }
  if (json.length === 0 && yaml.length === 0)
    errors.push(fieldError.required(path, 'FieldOverrider must have either JSON or YAML set'));
  errors.push(...validatePointer(overrider.fieldPath, `${path}.fieldPath`));
  for (const [format, operations] of [
    ['json', json],
    ['yaml', yaml],
  ] as const) {
    for (const [index, { subPath, operator, value }] of operations.entries()) {
      const where = `${path}.${format}[${index}]`;
      errors.push(...validatePointer(subPath, `${where}.subPath`));
      const given = value !== undefined && value !== null;
      if (operator === 'remove' && given) {
        errors.push(fieldError.invalid(`${where}.value`, value, 'value is not allowed for remove operation'));
      }
      if ((operator === 'add' || operator === 'replace') && !given) {
        errors.push(
          fieldError.invalid(`${where}.value`, null, 'value is required for add or replace operation'),
        );
      }
    }
  }
  return errors;
}
