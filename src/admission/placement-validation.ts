// What a placement must satisfy beyond its schema (upstream: the policies' validating webhooks).
import type { PropagationPolicy } from '../api/index.ts';
import { fieldError, isQualifiedName, type FieldError } from '../machinery/index.ts';
import { inGoOrder } from './rule.ts';

type Placement = NonNullable<PropagationPolicy['spec']['placement']>;
type ClusterAffinity = NonNullable<Placement['clusterAffinity']>;
type AffinityTerm = NonNullable<Placement['clusterAffinities']>[number];
type SpreadConstraint = NonNullable<Placement['spreadConstraints']>[number];

const FIELD_KEYS: ReadonlySet<string> = new Set(['provider', 'region', 'zone']);

export function validatePlacement(placement: Placement, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (placement.clusterAffinity !== undefined && placement.clusterAffinities !== undefined) {
    const why = 'clusterAffinities cannot co-exist with clusterAffinity';
    errors.push(fieldError.invalid(path, inGoOrder(placement), why));
  }
  errors.push(...validateAffinity(placement.clusterAffinity, `${path}.clusterAffinity`));
  errors.push(...validateAffinityTerms(placement, `${path}.clusterAffinities`));
  errors.push(...validateSpreadConstraints(placement.spreadConstraints ?? [], `${path}.spreadConstraints`));
  errors.push(...validateWorkloadAffinity(placement, `${path}.workloadAffinity`));
  for (const [index, toleration] of (placement.clusterTolerations ?? []).entries()) {
    const operator = toleration.operator ?? '';
    if (operator !== '' && operator !== 'Exists' && operator !== 'Equal') {
      const where = `${path}.clusterTolerations[${index}].operator`;
      errors.push(fieldError.notSupported(where, operator, ['', 'Exists', 'Equal']));
    }
  }
  return errors;
}

/** Checks the field selector; also used for the target clusters of overrides and taint policies. */
export function validateAffinity(affinity: ClusterAffinity | undefined, path: string): FieldError[] {
  const selector = affinity?.fieldSelector;
  const errors: FieldError[] = [];
  for (const { key, operator } of selector?.matchExpressions ?? []) {
    const refuse = (why: string): void => {
      errors.push(fieldError.invalid(`${path}.fieldSelector`, inGoOrder(selector), why));
    };
    if (!FIELD_KEYS.has(key))
      refuse(`unsupported key ${JSON.stringify(key)}, must be provider, region, or zone`);
    if (operator !== 'In' && operator !== 'NotIn') {
      refuse(`unsupported operator ${JSON.stringify(operator)}, must be In or NotIn`);
    }
  }
  return errors;
}

function validateAffinityTerms(placement: Placement, path: string): FieldError[] {
  const terms = placement.clusterAffinities ?? [];
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [index, term] of terms.entries()) {
    const where = `${path}[${index}]`;
    errors.push(
      ...isQualifiedName(term.affinityName).map((why) => fieldError.invalid(where, term.affinityName, why)),
    );
    if (names.has(term.affinityName)) {
      const why = 'each affinity term in a policy must have a unique name';
      errors.push(fieldError.invalid(path, inGoOrder(terms), why));
    }
    names.add(term.affinityName);
    errors.push(...validateAffinity(term, where));
    errors.push(...validateOverflow(placement, term, `${where}.overflowAffinities`));
  }
  return errors;
}

function validateOverflow(placement: Placement, term: AffinityTerm, path: string): FieldError[] {
  const overflow = term.overflowAffinities ?? [];
  if (overflow.length === 0) return [];
  const scheduling = placement.replicaScheduling;
  const aggregated = scheduling?.replicaDivisionPreference === 'Aggregated';
  const dynamic =
    scheduling?.replicaDivisionPreference === 'Weighted' &&
    scheduling.weightPreference?.dynamicWeight !== undefined;
  const errors: FieldError[] = [];
  const refuse = (why: string): void => {
    errors.push(fieldError.invalid(path, inGoOrder(overflow), why));
  };
  if (scheduling?.replicaSchedulingType !== 'Divided' || !(aggregated || dynamic)) {
    refuse('overflowAffinities can only be used together with dynamic weight or aggregated scheduling');
  }
  if (!hasCriterion(term))
    refuse('overflowAffinities need a primary affinity that selects by at least one criterion');
  const names = new Set([term.affinityName]);
  for (const [index, one] of overflow.entries()) {
    const where = `${path}[${index}]`;
    errors.push(
      ...isQualifiedName(one.affinityName).map((why) => fieldError.invalid(where, one.affinityName, why)),
    );
    if (names.has(one.affinityName)) refuse('each affinity term in a policy must have a unique name');
    names.add(one.affinityName);
    errors.push(...validateAffinity(one, where));
  }
  return errors;
}

function hasCriterion(affinity: ClusterAffinity): boolean {
  return (
    affinity.labelSelector !== undefined ||
    affinity.fieldSelector !== undefined ||
    (affinity.clusterNames ?? []).length > 0 ||
    (affinity.exclude ?? []).length > 0
  );
}

function validateSpreadConstraints(constraints: readonly SpreadConstraint[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  const counts = new Map<string, number>();
  for (const [index, constraint] of constraints.entries()) {
    const field = constraint.spreadByField ?? '';
    const min = constraint.minGroups ?? 0;
    const max = constraint.maxGroups ?? 0;
    const refuse = (why: string): void => {
      errors.push(fieldError.invalid(`${path}[${index}]`, inGoOrder(constraint), why));
    };
    if (field !== '' && (constraint.spreadByLabel ?? '') !== '')
      refuse('spreadByLabel should not co-exist with spreadByField');
    if (max < 0) refuse('maxGroups lower than 0 is not allowed');
    if (min < 0) refuse('minGroups lower than 0 is not allowed');
    if (max > 0 && max < min) refuse('maxGroups lower than minGroups is not allowed');
    if (field !== '') counts.set(field, (counts.get(field) ?? 0) + 1);
  }
  for (const [field, count] of counts) {
    if (count > 1)
      errors.push(
        fieldError.invalid(
          path,
          inGoOrder(constraints),
          `multiple ${field} spread constraints are not allowed`,
        ),
      );
  }
  if (counts.size > 0 && !counts.has('cluster')) {
    const why =
      'the cluster spread constraint must be enabled in one of the constraints in case of SpreadByField is enabled';
    errors.push(fieldError.invalid(path, inGoOrder(constraints), why));
  }
  return errors;
}

function validateWorkloadAffinity(placement: Placement, path: string): FieldError[] {
  const affinity = placement.workloadAffinity?.affinity?.groupByLabelKey;
  const anti = placement.workloadAffinity?.antiAffinity?.groupByLabelKey;
  const errors: FieldError[] = [];
  for (const [field, key] of [
    ['affinity', affinity],
    ['antiAffinity', anti],
  ] as const) {
    if (key === undefined) continue;
    errors.push(
      ...isQualifiedName(key).map((why) => fieldError.invalid(`${path}.${field}.groupByLabelKey`, key, why)),
    );
  }
  if (affinity !== undefined && affinity === anti) {
    const why = 'affinity and antiAffinity must not group by the same label key';
    errors.push(fieldError.invalid(`${path}.antiAffinity.groupByLabelKey`, anti, why));
  }
  return errors;
}
