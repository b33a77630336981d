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
  errors.push(...validateOverflowUse(placement, `${path}.clusterAffinities`));
  errors.push(...validateAffinity(placement.clusterAffinity, `${path}.clusterAffinity`));
  errors.push(...validateAffinityTerms(placement.clusterAffinities ?? [], `${path}.clusterAffinities`));
  errors.push(...validateSpreadConstraints(placement.spreadConstraints ?? [], `${path}.spreadConstraints`));
  errors.push(...validateWorkloadAffinity(placement, `${path}.workloadAffinity`));
  for (const [index, { operator = '' }] of (placement.clusterTolerations ?? []).entries()) {
    // COMPAT: upstream refuses the two operators of later Kubernetes; any other nonsense is stored and tolerates nothing.
    if (operator === 'Lt' || operator === 'Gt') {
      const where = `${path}.clusterTolerations[${index}].operator`;
      errors.push(fieldError.notSupported(where, operator, ['', 'Exists', 'Equal']));
    }
  }
  return errors;
}

/** Checks the field selector; also used for the target clusters of overrides and taint policies. */
export function validateAffinity(affinity: ClusterAffinity | undefined, path: string): FieldError[] {
  const selector = affinity?.fieldSelector;
  const why = fieldSelectorFault(selector);
  return why === undefined ? [] : [fieldError.invalid(`${path}.fieldSelector`, inGoOrder(selector), why)];
}

/** The first fault, as upstream tells no more than that. */
function fieldSelectorFault(selector: ClusterAffinity['fieldSelector']): string | undefined {
  for (const { key, operator } of selector?.matchExpressions ?? []) {
    if (!FIELD_KEYS.has(key))
      return `unsupported key ${JSON.stringify(key)}, must be provider, region, or zone`;
    if (operator !== 'In' && operator !== 'NotIn')
      return `unsupported operator ${JSON.stringify(operator)}, must be In or NotIn`;
  }
  return undefined;
}

function validateAffinityTerms(terms: readonly AffinityTerm[], path: string): FieldError[] {
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
    errors.push(...validateOverflow(term, `${where}.overflowAffinities`));
  }
  return errors;
}

/** Only division by room leaves something that can overflow. */
function validateOverflowUse(
  { clusterAffinities, replicaScheduling }: Placement,
  path: string,
): FieldError[] {
  const { replicaSchedulingType, replicaDivisionPreference, weightPreference } = replicaScheduling ?? {};
  const byRoom =
    replicaDivisionPreference === 'Aggregated' ||
    (replicaDivisionPreference === 'Weighted' && (weightPreference?.dynamicWeight ?? '') !== '');
  if (replicaSchedulingType === 'Divided' && byRoom) return [];
  const why = 'overflowAffinities can only be used together with dynamic weight or aggregated scheduling';
  return (clusterAffinities ?? []).flatMap(({ overflowAffinities }, index) =>
    (overflowAffinities ?? []).length === 0
      ? []
      : [fieldError.invalid(`${path}[${index}].overflowAffinities`, inGoOrder(overflowAffinities), why)],
  );
}

function validateOverflow(term: AffinityTerm, path: string): FieldError[] {
  const overflow = term.overflowAffinities ?? [];
  const errors: FieldError[] = [];
  if (overflow.length > 0 && !hasCriterion(term)) {
    const why = 'overflowAffinities can only be used together with the inline ClusterAffinity';
    errors.push(fieldError.invalid(path, inGoOrder(overflow), why));
  }
  const names = new Set([term.affinityName]);
  for (const [index, one] of overflow.entries()) {
    const where = `${path}[${index}]`;
    const refuse = (why: string): void => {
      errors.push(fieldError.invalid(`${where}.affinityName`, one.affinityName, why));
    };
    for (const why of isQualifiedName(one.affinityName)) refuse(why);
    if (names.has(one.affinityName))
      refuse("overflow affinity name must be unique and must not duplicate the primary group's affinityName");
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
  const refuseAll = (why: string): void => {
    errors.push(fieldError.invalid(path, inGoOrder(constraints), why));
  };
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
    if (min < 0) refuse('minGroups lower than 0 is not allowed');
    if (max < 0) refuse('maxGroups lower than 0 is not allowed');
    if (max > 0 && max < min) refuse('maxGroups lower than minGroups is not allowed');
    if (field === '') continue;
    const count = (counts.get(field) ?? 0) + 1;
    counts.set(field, count);
    if (count === 2) refuseAll(`multiple ${field} spread constraints are not allowed`);
  }
  if (counts.size > 0 && !counts.has('cluster')) {
    refuseAll(
      'the cluster spread constraint must be enabled in one of the constraints in case of SpreadByField is enabled',
    );
  }
  return errors;
}

function validateWorkloadAffinity({ workloadAffinity }: Placement, path: string): FieldError[] {
  const keys = {
    affinity: workloadAffinity?.affinity?.groupByLabelKey,
    antiAffinity: workloadAffinity?.antiAffinity?.groupByLabelKey,
  };
  const errors = Object.entries(keys).flatMap(([field, key]) =>
    key === undefined
      ? []
      : isQualifiedName(key).map((why) => fieldError.invalid(`${path}.${field}.groupByLabelKey`, key, why)),
  );
  if (keys.affinity !== undefined && keys.affinity === keys.antiAffinity) {
    const why = 'affinity and antiAffinity must not use the same groupByLabelKey';
    errors.push(fieldError.invalid(path, inGoOrder(workloadAffinity), why));
  }
  return errors;
}
