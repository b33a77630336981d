// What explanations and previews are made from: a snapshot of the hub as plain data. Nothing here is read or written
// anywhere, so that the same functions serve the command line, a dashboard and a simulation.
import type {
  Cluster,
  ClusterDeletionPolicy,
  ClusterOverridePolicy,
  ClusterPropagationPolicy,
  ClusterSchedulingDecision,
  DeletionPolicy,
  KubeObject,
  OverridePolicy,
  PropagationPolicy,
  SchedulingDecision,
  Work,
} from '../api/index.ts';
import type { FeatureGates } from '../base/index.ts';
import type { PurgeMode } from '../failover/index.ts';
import type { Interpreter } from '../interpreter/index.ts';
import {
  bindingName,
  type AnyOverridePolicy,
  type Binding,
  type Claim,
  type Policy,
  type ServedKind,
} from '../propagation/index.ts';
import { fleetSnapshot, groupKeys, type FleetSnapshot } from '../scheduling/index.ts';

/** What the controllers of the hub run with, as far as decisions depend on it. */
export interface WorldSettings {
  readonly gates: FeatureGates;
  readonly schedulerName: string;
  readonly enableEmptyWorkloadPropagation: boolean;
  /** Whether NoExecute taints evict. */
  readonly evictsByTaint: boolean;
  readonly noExecuteTaintEvictionPurgeMode: PurgeMode;
  readonly skippedPropagatingNamespaces: readonly string[];
  readonly skippedPropagatingApis: readonly string[];
}

export interface World {
  readonly nowMs: number;
  readonly settings: WorldSettings;
  readonly clusters: readonly Cluster[];
  readonly policies: readonly PropagationPolicy[];
  readonly clusterPolicies: readonly ClusterPropagationPolicy[];
  readonly overridePolicies: readonly OverridePolicy[];
  readonly clusterOverridePolicies: readonly ClusterOverridePolicy[];
  /** What becomes of copies that go; absent: nobody said anything. */
  readonly deletionPolicies?: readonly DeletionPolicy[];
  readonly clusterDeletionPolicies?: readonly ClusterDeletionPolicy[];
  readonly templates: readonly KubeObject[];
  readonly bindings: readonly Binding[];
  readonly works: readonly Work[];
  readonly decisions: readonly (SchedulingDecision | ClusterSchedulingDecision)[];
  /** What the control plane serves; absent: nobody asked. */
  readonly served?: readonly ServedKind[];
  /** Values of priority classes by name. */
  readonly priorityClasses: ReadonlyMap<string, number>;
  /** Resources, by plural name, that whoever read this world may not read: that they are not here says nothing. */
  readonly unread: readonly string[];
}

export interface TemplateReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string | undefined;
  readonly name: string;
}

export function referenceOf({ apiVersion, kind, metadata }: KubeObject): TemplateReference {
  const { namespace, name = '' } = metadata;
  return { apiVersion, kind, ...(namespace === undefined ? {} : { namespace }), name };
}

export function templateId({ apiVersion, kind, namespace = '', name }: TemplateReference): string {
  return `${apiVersion}|${kind}|${namespace}|${name}`;
}

/** `Deployment shop/web`. */
export function calledOf(kind: string, { namespace, name = '' }: KubeObject['metadata']): string {
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}

function bindingKey(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

/** A world with what is asked of it again and again looked up once. Bindings may be replaced as decisions are played. */
export class WorldView {
  readonly world: World;
  readonly interpreter: Interpreter;
  readonly fleet: FleetSnapshot;
  readonly #policies: ReadonlyMap<string, Policy>;
  readonly #byNamespace: ReadonlyMap<string, readonly PropagationPolicy[]>;
  readonly #templates: ReadonlyMap<string, KubeObject>;
  readonly #bindings: Map<string, Binding>;
  readonly #decisions: ReadonlyMap<string, World['decisions'][number]>;
  #groups: Map<string, Set<string>> | undefined;

  constructor(world: World, interpreter: Interpreter) {
    this.world = world;
    this.interpreter = interpreter;
    this.fleet = fleetSnapshot(world.clusters);
    this.#policies = new Map(
      [...world.policies, ...world.clusterPolicies].map((policy) => [
        policyKey(policy.kind, policy.metadata.namespace, policy.metadata.name),
        policy,
      ]),
    );
    this.#byNamespace = Map.groupBy(world.policies, ({ metadata }) => metadata.namespace ?? '');
    this.#templates = new Map(world.templates.map((one) => [templateId(referenceOf(one)), one]));
    this.#bindings = new Map(
      world.bindings.map((one) => [bindingKey(one.metadata.namespace ?? '', one.metadata.name ?? ''), one]),
    );
    this.#decisions = new Map(
      world.decisions.map((one) => [bindingKey(one.metadata.namespace ?? '', one.metadata.name ?? ''), one]),
    );
  }

  policiesOf(namespace: string | undefined): readonly PropagationPolicy[] {
    return this.#byNamespace.get(namespace ?? '') ?? [];
  }

  /** @param namespace empty for a cluster policy */
  policy(kind: Policy['kind'], namespace: string, name: string): Policy | undefined {
    return this.#policies.get(policyKey(kind, namespace, name));
  }

  claimant(claim: Claim | undefined): Policy | undefined {
    return claim === undefined ? undefined : this.policy(claim.kind, claim.namespace, claim.name);
  }

  overrideExists(policy: Policy, name: string): boolean {
    return policy.kind === 'PropagationPolicy'
      ? this.world.overridePolicies.some(
          ({ metadata }) => metadata.name === name && metadata.namespace === policy.metadata.namespace,
        )
      : this.world.clusterOverridePolicies.some(({ metadata }) => metadata.name === name);
  }

  overridesFor(namespace: string | undefined): readonly AnyOverridePolicy[] {
    if (namespace === undefined) return [];
    return this.world.overridePolicies.filter(({ metadata }) => metadata.namespace === namespace);
  }

  template(reference: TemplateReference): KubeObject | undefined {
    return this.#templates.get(templateId(reference));
  }

  bindingOf({ kind, namespace = '', name }: TemplateReference): Binding | undefined {
    return this.#bindings.get(bindingKey(namespace, bindingName(kind, name)));
  }

  bindings(): Iterable<Binding> {
    return this.#bindings.values();
  }

  /** The decision kept beside a binding; not one of an earlier binding of that name. */
  decisionOf({ metadata }: Binding): World['decisions'][number] | undefined {
    const found = this.#decisions.get(bindingKey(metadata.namespace ?? '', metadata.name ?? ''));
    return found?.metadata.ownerReferences?.some(({ uid }) => uid === metadata.uid) === true
      ? found
      : undefined;
  }

  /** Members of a workload affinity group, as groupKeys names it. */
  *group(key: string): Iterable<Binding> {
    if (this.#groups === undefined) {
      this.#groups = new Map();
      for (const binding of this.#bindings.values()) this.#join(binding);
    }
    for (const name of this.#groups.get(key) ?? []) {
      const binding = this.#bindings.get(name);
      if (binding !== undefined) yield binding;
    }
  }

  /** Takes over what was decided for a binding, so that later decisions see it. */
  replace(binding: Binding): void {
    this.#bindings.set(bindingKey(binding.metadata.namespace ?? '', binding.metadata.name ?? ''), binding);
    if (this.#groups !== undefined) this.#join(binding);
  }

  remove({ metadata }: Binding): void {
    this.#bindings.delete(bindingKey(metadata.namespace ?? '', metadata.name ?? ''));
  }

  #join(binding: Binding): void {
    // COMPAT: groups hold within one namespace, so cluster-scoped bindings have none.
    if (binding.kind !== 'ResourceBinding') return;
    for (const key of groupKeys(binding)) {
      const members = this.#groups?.get(key) ?? new Set();
      members.add(bindingKey(binding.metadata.namespace ?? '', binding.metadata.name ?? ''));
      this.#groups?.set(key, members);
    }
  }
}

function policyKey(kind: string, namespace = '', name = ''): string {
  return `${kind}|${namespace}|${name}`;
}
