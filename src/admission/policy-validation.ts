// What a PropagationPolicy or ClusterPropagationPolicy must satisfy beyond its schema, and what an update may
// not change (upstream: the validating webhooks of both kinds).
import {
  CLUSTER_PROPAGATION_POLICY_ID_LABEL,
  PROPAGATION_POLICY_ID_LABEL,
  type ClusterPropagationPolicy,
  type PropagationPolicy,
} from '../api/index.ts';
import { fieldError, isQualifiedName, type FieldError } from '../machinery/index.ts';
import { validatePlacement } from './placement-validation.ts';
import { inGoOrder } from './rule.ts';

type Policy = PropagationPolicy | ClusterPropagationPolicy;
type Spec = PropagationPolicy['spec'];
type Failover = NonNullable<Spec['failover']>;

/** What is wrong with `policy`; `old` is what it replaces. A text stands for a refusal that names no field. */
export function validatePolicy(policy: Policy, old: Policy | undefined): string | FieldError[] {
  const label =
    policy.kind === 'ClusterPropagationPolicy'
      ? CLUSTER_PROPAGATION_POLICY_ID_LABEL
      : PROPAGATION_POLICY_ID_LABEL;
  const id = policy.metadata.labels?.[label] ?? '';
  if (old !== undefined) {
    if (policy.spec.schedulerName !== old.spec.schedulerName)
      return 'the schedulerName should not be updated';
    if (id !== (old.metadata.labels?.[label] ?? '')) {
      return `label ${label} is immutable, it can only be set by the system during creation`;
    }
  }
  if (id === '')
    return `label ${label} is required, it should be set by the mutating admission webhook during creation`;
  return validatePolicySpec(policy.spec, policy.metadata.namespace ?? '');
}

function validatePolicySpec(spec: Spec, namespace: string): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.placement !== undefined) errors.push(...validatePlacement(spec.placement, 'spec.placement'));
  if (spec.failover !== undefined)
    errors.push(...validateFailover(spec.failover, spec.propagateDeps === true));
  const selectors = spec.resourceSelectors;
  if (namespace !== '') errors.push(...validateSelectorNamespaces(selectors, namespace));
  if (spec.preemption === 'Always') {
    for (const [index, selector] of selectors.entries()) {
      if ((selector.name ?? '') !== '') continue;
      const why =
        'name cannot be empty if preemption is Always, the empty name may cause unexpected resources preemption';
      errors.push(fieldError.invalid(`spec.resourceSelectors[${index}].name`, '', why));
    }
  }
  const suspension = spec.suspension;
  if (suspension?.dispatching === true && (suspension.dispatchingOnClusters?.clusterNames ?? []).length > 0) {
    const why = 'suspension dispatching cannot co-exist with dispatchingOnClusters.clusterNames';
    // COMPAT: the doubled word is upstream's (case adm-pp-more).
    errors.push(fieldError.invalid('spec.suspension.suspension', inGoOrder(suspension), why));
  }
  return errors;
}

/** Also upstream's rule for OverridePolicies. */
export function validateSelectorNamespaces(
  selectors: readonly { readonly namespace?: string }[],
  namespace: string,
): FieldError[] {
  const why = 'namespace of resource selector must be the same as the namespace of the policy';
  return selectors.flatMap((selector, index) =>
    (selector.namespace ?? '') === namespace
      ? []
      : [fieldError.invalid(`spec.resourceSelectors[${index}].namespace`, selector.namespace ?? '', why)],
  );
}

function validateFailover(failover: Failover, propagateDeps: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const application = failover.application;
  if (application !== undefined) {
    const path = 'spec.failover.application';
    if (!propagateDeps) {
      errors.push(
        fieldError.invalid(
          'spec.propagateDeps',
          false,
          'application failover is set, propagateDeps must be true',
        ),
      );
    }
    const toleration = application.decisionConditions.tolerationSeconds;
    if (toleration !== undefined && toleration < 0) {
      const where = `${path}.decisionConditions.tolerationSeconds`;
      errors.push(fieldError.invalid(where, toleration, 'must be greater than or equal to 0'));
    }
    const grace = application.gracePeriodSeconds;
    const where = `${path}.gracePeriodSeconds`;
    if (application.purgeMode !== 'Gracefully' && grace !== undefined)
      errors.push(fieldError.invalid(where, grace, 'only takes effect when purgeMode is gracefully'));
    if (application.purgeMode === 'Gracefully' && grace === undefined)
      errors.push(fieldError.invalid(where, null, 'should not be empty when purgeMode is gracefully'));
    if (grace !== undefined && grace <= 0)
      errors.push(fieldError.invalid(where, grace, 'must be greater than 0'));
    errors.push(...validateStatePreservation(application.statePreservation, `${path}.statePreservation`));
  }
  errors.push(
    ...validateStatePreservation(
      failover.cluster?.statePreservation,
      'spec.failover.cluster.statePreservation',
    ),
  );
  return errors;
}

function validateStatePreservation(
  preservation: { readonly rules: readonly { readonly aliasLabelName: string }[] } | undefined,
  path: string,
): FieldError[] {
  return (preservation?.rules ?? []).flatMap(({ aliasLabelName }, index) =>
    isQualifiedName(aliasLabelName).map((why) =>
      fieldError.invalid(`${path}.rules[${index}].aliasLabelName`, aliasLabelName, why),
    ),
  );
}
