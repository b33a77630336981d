// The policies as the detector asks for them: by what they may select, and by the claim that names them.
import type {
  ClusterOverridePolicy,
  ClusterPropagationPolicy,
  KubeObject,
  OverridePolicy,
  PropagationPolicy,
} from '../../api/index.ts';
import type { Cancel } from '../../base/index.ts';
import { kinds } from '../../client/index.ts';
import type { Claim, Policy } from '../../propagation/index.ts';
import type { Informer } from '../../runtime/index.ts';
import type { ControllerContext } from '../context.ts';

// Names what a policy's selectors may match, so that a template meets a few policies instead of all of them.
const SELECTS = 'selects';
const selects = (policy: Policy): string[] => [
  ...new Set(
    policy.spec.resourceSelectors.map(({ apiVersion, kind }) =>
      selectsKey(apiVersion, kind, policy.metadata.namespace),
    ),
  ),
];

function selectsKey(apiVersion: string, kind: string, namespace = ''): string {
  return `${apiVersion}|${kind}|${namespace}`;
}

export class PolicyIndex {
  readonly namespaced: Informer<PropagationPolicy>;
  readonly cluster: Informer<ClusterPropagationPolicy>;
  readonly synced: Promise<unknown>;
  private readonly overrides: Informer<OverridePolicy>;
  private readonly clusterOverrides: Informer<ClusterOverridePolicy>;

  constructor({ informers }: ControllerContext) {
    this.namespaced = informers.informer(kinds.propagationPolicies, { indexes: { [SELECTS]: selects } });
    this.cluster = informers.informer(kinds.clusterPropagationPolicies, { indexes: { [SELECTS]: selects } });
    this.overrides = informers.informer(kinds.overridePolicies);
    this.clusterOverrides = informers.informer(kinds.clusterOverridePolicies);
    const all = [this.namespaced, this.cluster, this.overrides, this.clusterOverrides];
    this.synced = Promise.all(all.map(({ synced }) => synced));
  }

  /** Policies of the template's namespace that may select it. */
  namespacedFor({ apiVersion, kind, metadata }: KubeObject): readonly PropagationPolicy[] {
    if (metadata.namespace === undefined) return [];
    return this.namespaced.store.byIndex(SELECTS, selectsKey(apiVersion, kind, metadata.namespace));
  }

  clusterFor({ apiVersion, kind }: KubeObject): readonly ClusterPropagationPolicy[] {
    return this.cluster.store.byIndex(SELECTS, selectsKey(apiVersion, kind));
  }

  /** The policy that a claim names, if it is still there. */
  claimant(claim: Claim | undefined): Policy | undefined {
    if (claim === undefined) return undefined;
    return claim.kind === 'PropagationPolicy'
      ? this.namespaced.store.get({ namespace: claim.namespace, name: claim.name })
      : this.cluster.store.get({ name: claim.name });
  }

  /** Told when override policies appear, which policies and their templates may wait for. */
  followOverrides(appeared: () => void): Cancel {
    const handler = { added: (_policy: unknown, initial: boolean) => void (initial || appeared()) };
    const stops = [this.overrides.subscribe(handler), this.clusterOverrides.subscribe(handler)];
    return () => {
      for (const stop of stops) stop();
    };
  }

  /** Those that name override policies they depend on. */
  dependent(): readonly Policy[] {
    return [...this.namespaced.store.list(), ...this.cluster.store.list()].filter(
      ({ spec }) => (spec.dependentOverrides ?? []).length > 0,
    );
  }

  /** Whether an override policy of that name exists in the scope of `policy`. */
  overrideExists(policy: Policy, name: string): boolean {
    return policy.kind === 'PropagationPolicy'
      ? this.overrides.store.get({ namespace: policy.metadata.namespace, name }) !== undefined
      : this.clusterOverrides.store.get({ name }) !== undefined;
  }
}
