// What PropagationPolicies and ClusterPropagationPolicies are completed with before they are validated
// (upstream: the mutating webhooks of both kinds, in this order).
import {
  CLUSTER_PROPAGATION_POLICY_FINALIZER,
  CLUSTER_PROPAGATION_POLICY_ID_LABEL,
  PROPAGATION_POLICY_FINALIZER,
  PROPAGATION_POLICY_ID_LABEL,
  type ClusterPropagationPolicy,
  type PropagationPolicy,
} from '../api/index.ts';
import { NOT_READY_TAINT, UNREACHABLE_TAINT } from '../failover/index.ts';

type Policy = PropagationPolicy | ClusterPropagationPolicy;
type Spec = PropagationPolicy['spec'];
type Placement = NonNullable<Spec['placement']>;

const DEFAULT_GRACE_PERIOD_SECONDS = 600;
const SERVICE_IMPORT = { apiVersion: 'multicluster.x-k8s.io/v1alpha1', kind: 'ServiceImport' };

/** How long policies tolerate a lost cluster unless they say themselves. */
export interface DefaultTolerations {
  readonly notReadySeconds: number;
  readonly unreachableSeconds: number;
}

/**
 * Completes the spec.
 * @param namespace that of a PropagationPolicy; empty for the cluster kind
 * @param tolerations undefined: none are added, as upstream since 1.15
 */
export function defaultPolicySpec(spec: Spec, namespace: string, tolerations?: DefaultTolerations): Spec {
  let next = spec;
  if (namespace !== '' && spec.resourceSelectors.some((selector) => (selector.namespace ?? '') === '')) {
    next = {
      ...next,
      resourceSelectors: spec.resourceSelectors.map((selector) =>
        (selector.namespace ?? '') === '' ? { ...selector, namespace } : selector,
      ),
    };
  }
  // COMPAT: upstream's typed webhook always writes a placement, empty if need be (case adm-pp-defaults).
  const placement = defaultPlacement(next.placement ?? {});
  next = withPlacement(next, tolerations === undefined ? placement : withTolerations(placement, tolerations));
  const importsService = next.resourceSelectors.some(
    ({ apiVersion, kind }) => apiVersion === SERVICE_IMPORT.apiVersion && kind === SERVICE_IMPORT.kind,
  );
  if (importsService && next.propagateDeps !== true) next = { ...next, propagateDeps: true };
  const application = next.failover?.application;
  if (
    application !== undefined &&
    (application.purgeMode ?? 'Gracefully') === 'Gracefully' &&
    application.gracePeriodSeconds === undefined
  ) {
    const graceful = { ...application, gracePeriodSeconds: DEFAULT_GRACE_PERIOD_SECONDS };
    next = { ...next, failover: { ...next.failover, application: graceful } };
  }
  return next;
}

/** As upstream from 1.3 to 1.14: one for each of the two taints of lost clusters that the policy does not speak of. */
function withTolerations(placement: Placement, defaults: DefaultTolerations): Placement {
  const wanted = [
    [NOT_READY_TAINT, defaults.notReadySeconds],
    [UNREACHABLE_TAINT, defaults.unreachableSeconds],
  ] as const;
  const present = placement.clusterTolerations ?? [];
  const missing = wanted
    .filter(
      ([key]) =>
        !present.some(
          (one) =>
            one.key === key &&
            one.operator === 'Exists' &&
            one.effect === 'NoExecute' &&
            (one.value ?? '') === '',
        ),
    )
    .map(([key, tolerationSeconds]) => ({
      key,
      operator: 'Exists' as const,
      effect: 'NoExecute' as const,
      tolerationSeconds,
    }));
  return missing.length === 0 ? placement : { ...placement, clusterTolerations: [...present, ...missing] };
}

function withPlacement(spec: Spec, placement: Placement): Spec {
  return placement === spec.placement ? spec : { ...spec, placement };
}

function defaultPlacement(placement: Placement): Placement {
  let next = placement;
  const constraints = placement.spreadConstraints;
  // COMPAT: maxGroups stays as it is; upstream does not default it, and 0 then selects nothing (spread-max-zero).
  if (constraints?.some(needsConstraintDefaults) === true) {
    next = {
      ...next,
      spreadConstraints: constraints.map((constraint) => ({
        ...constraint,
        ...((constraint.spreadByField ?? '') === '' && (constraint.spreadByLabel ?? '') === ''
          ? { spreadByField: 'cluster' as const }
          : {}),
        ...((constraint.minGroups ?? 0) === 0 ? { minGroups: 1 } : {}),
      })),
    };
  }
  const scheduling = placement.replicaScheduling;
  if (
    scheduling !== undefined &&
    (scheduling.replicaSchedulingType ?? 'Divided') === 'Divided' &&
    scheduling.replicaDivisionPreference === undefined
  ) {
    next = { ...next, replicaScheduling: { ...scheduling, replicaDivisionPreference: 'Weighted' } };
  }
  return next;
}

function needsConstraintDefaults(constraint: NonNullable<Placement['spreadConstraints']>[number]): boolean {
  const byNothing = (constraint.spreadByField ?? '') === '' && (constraint.spreadByLabel ?? '') === '';
  return byNothing || (constraint.minGroups ?? 0) === 0;
}

/** On creation every policy gets an id of its own, whatever the user wrote there, and its finalizer. */
export function withPolicyIdentity<P extends Policy>(policy: P, permanentId: string): P {
  const clusterScoped = policy.kind === 'ClusterPropagationPolicy';
  const label = clusterScoped ? CLUSTER_PROPAGATION_POLICY_ID_LABEL : PROPAGATION_POLICY_ID_LABEL;
  const finalizer = clusterScoped ? CLUSTER_PROPAGATION_POLICY_FINALIZER : PROPAGATION_POLICY_FINALIZER;
  const finalizers = policy.metadata.finalizers ?? [];
  return {
    ...policy,
    metadata: {
      ...policy.metadata,
      labels: { ...policy.metadata.labels, [label]: permanentId },
      finalizers: finalizers.includes(finalizer) ? finalizers : [...finalizers, finalizer],
    },
  };
}
