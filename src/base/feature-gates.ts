// The one list of feature gates, under upstream's names, stages and defaults, and those of our own.
import { OperatingError } from './errors.ts';

interface Gate {
  readonly default: boolean;
  readonly stage: 'Alpha' | 'Beta' | 'GA';
  readonly effect: string;
  /** The one value that this release acts by; the gate is known so that flags carry over. */
  readonly only?: boolean;
  /** Upstream has no such gate. `AllAlpha` and `AllBeta` mean upstream's, so they leave it alone. */
  readonly ours?: boolean;
}

export const featureGates = {
  ControllerPriorityQueue: { default: true, stage: 'Beta', effect: 'fresh events come before those of the initial list' },
  CustomizedClusterResourceModeling: { default: true, stage: 'Beta', effect: 'resource models of clusters are completed and used to estimate capacity' },
  Failover: { default: false, stage: 'Beta', effect: 'NoExecute taints evict, ClusterTaintPolicies act' },
  FederatedQuotaEnforcement: { default: false, stage: 'Alpha', effect: 'a FederatedResourceQuota refuses bindings above it' },
  GracefulEviction: { default: true, stage: 'Beta', effect: 'application failover may keep the old copy until the new one is healthy' },
  MultiClusterService: { default: false, stage: 'Alpha', effect: 'MultiClusterService objects are acted on', only: false },
  MultiplePodTemplatesScheduling: { default: false, stage: 'Alpha', effect: 'workloads of several pod templates are scheduled as sets' },
  PriorityBasedScheduling: { default: true, stage: 'Beta', effect: 'bindings of higher priority are scheduled first' },
  PropagateDeps: { default: true, stage: 'Beta', effect: 'what a workload depends on follows it' },
  PropagationPolicyPreemption: { default: false, stage: 'Alpha', effect: 'policies may take templates from policies of lower priority' },
  ResourceQuotaEstimate: { default: false, stage: 'Alpha', effect: 'requirements of bindings name the namespace by whose quotas estimators go' },
  SchedulingOvercommitProtection: { default: false, stage: 'Alpha', effect: 'capacity promised but not yet used is not promised again' },
  SpreadByEveryField: { default: false, stage: 'Alpha', effect: 'spread constraints by zone, provider and label choose groups beside others too, where Karmada only filters by them', ours: true },
  StatefulFailoverInjection: { default: false, stage: 'Alpha', effect: 'state preserved at failover is injected into the new copy' },
  WorkloadAffinity: { default: false, stage: 'Alpha', effect: 'workloads attract or avoid each other by a label' },
} as const satisfies Record<string, Gate>; // prettier-ignore

export type GateName = keyof typeof featureGates;
export type FeatureGates = Readonly<Record<GateName, boolean>>;

export const defaultFeatureGates: FeatureGates = Object.fromEntries(
  Object.entries(featureGates).map(([name, gate]) => [name, gate.default]),
) as Record<GateName, boolean>;

/** The gates that are set to what this release does not do. */
export function gatesWithoutEffect(gates: FeatureGates): GateName[] {
  return (Object.entries(featureGates) as [GateName, Gate][])
    .filter(([name, { only }]) => only !== undefined && gates[name] !== only)
    .map(([name]) => name);
}

/** Reads `A=true,B=false`; `AllAlpha` and `AllBeta` set all of a stage that are not named themselves. */
export function parseFeatureGates(text: string): FeatureGates {
  const chosen = new Map<string, boolean>();
  for (const part of text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')) {
    const [name = '', value = ''] = part.split('=', 2).map((one) => one.trim());
    if (!Object.hasOwn(featureGates, name) && name !== 'AllAlpha' && name !== 'AllBeta') {
      const known = Object.keys(featureGates).join(', ');
      throw new OperatingError(
        'UNKNOWN_FEATURE_GATE',
        `there is no feature gate "${name}"`,
        `use one of: AllAlpha, AllBeta, ${known}`,
      );
    }
    if (!/^(true|false|t|f|1|0)$/i.test(value)) {
      throw new OperatingError(
        'BAD_FEATURE_GATE',
        `feature gate "${name}" is neither true nor false but "${value}"`,
        `write ${name}=true or ${name}=false`,
      );
    }
    chosen.set(name, /^(true|t|1)$/i.test(value));
  }
  return Object.fromEntries(
    (Object.entries(featureGates) as [GateName, Gate][]).map(([name, gate]) => [
      name,
      chosen.get(name) ?? (gate.ours === true ? undefined : chosen.get(`All${gate.stage}`)) ?? gate.default,
    ]),
  ) as Record<GateName, boolean>;
}
