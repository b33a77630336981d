// Override policies as the controllers use them: what applies to a manifest in a cluster, and which bindings an edit of
// a policy concerns.
import type { Cluster, KubeObject } from '../api/index.ts';
import type { Cancel } from '../base/index.ts';
import { keyOf, kinds } from '../client/index.ts';
import {
  applyOverrides,
  overridePolicySelects,
  type AnyOverridePolicy,
  type Binding,
  type Overridden,
} from '../propagation/index.ts';
import type { Informer, Source } from '../runtime/index.ts';
import { cachedTemplate, templateReference } from './binding-template.ts';
import type { ControllerContext } from './context.ts';

/** @param policy as AppliedOverride has it */
function called(policy: string): string {
  return `${policy.includes('/') ? '' : 'cluster '}override policy(${policy})`;
}

export class Overrides {
  readonly synced: Promise<unknown>;
  private readonly context: ControllerContext;
  private readonly namespaced: Informer<AnyOverridePolicy>;
  private readonly cluster: Informer<AnyOverridePolicy>;

  constructor(context: ControllerContext) {
    this.context = context;
    this.namespaced = context.informers.informer(kinds.overridePolicies);
    this.cluster = context.informers.informer(kinds.clusterOverridePolicies);
    this.synced = Promise.all([this.namespaced.synced, this.cluster.synced]);
  }

  /** `manifest` as it is to be in `cluster`. Tells the template what was done, or why not, and throws then. */
  apply(manifest: KubeObject, template: KubeObject, cluster: Cluster): Overridden {
    const { namespace } = manifest.metadata;
    const policies = namespace === undefined ? [] : this.namespaced.store.list(namespace);
    return this.override(manifest, template, cluster, policies);
  }

  /** Only cluster override policies apply to namespaces. */
  applyCluster(manifest: KubeObject, cluster: Cluster): Overridden {
    return this.override(manifest, manifest, cluster, []);
  }

  private override(
    manifest: KubeObject,
    template: KubeObject,
    cluster: Cluster,
    policies: readonly AnyOverridePolicy[],
  ): Overridden {
    const clusterPolicies = this.cluster.store.list();
    if (policies.length === 0 && clusterPolicies.length === 0) return { manifest, annotations: {} };
    const recorder = this.context.recorder.withComponent('override-manager');
    const result = applyOverrides({ manifest, cluster, clusterPolicies, policies });
    for (const { policy } of result.applied) {
      const text = `Apply ${called(policy)} for cluster(${cluster.metadata.name}) succeed.`;
      recorder.event(template, 'Normal', 'ApplyOverridePolicySucceed', text);
    }
    if (result.ok) return { manifest: result.manifest, annotations: result.annotations };
    const what = `Apply ${called(result.policy)} for cluster(${cluster.metadata.name}) failed`;
    recorder.event(template, 'Warning', 'ApplyOverridePolicyFailed', `${what}.`);
    // The event that tells of the Works says why.
    throw new Error(`${what}: ${result.error}`);
  }

  /** Keys of bindings whose template an edited, new or deleted policy selects or selected. */
  source(bindings: Informer<Binding>, priority: number): Source {
    const concerned = (policy: AnyOverridePolicy): readonly Binding[] => {
      const all = bindings.store.list(
        policy.kind === 'OverridePolicy' ? policy.metadata.namespace : undefined,
      );
      return all.filter((binding) => this.selects(policy, binding));
    };
    return {
      synced: Promise.resolve(),
      start: (enqueue) => {
        const tell = (...policies: readonly AnyOverridePolicy[]): void => {
          for (const policy of policies)
            for (const binding of concerned(policy)) enqueue(keyOf(binding), { priority });
        };
        const handler = {
          added: (policy: AnyOverridePolicy, initial: boolean): void => void (initial || tell(policy)),
          updated: (before: AnyOverridePolicy, after: AnyOverridePolicy): void => {
            if (before.metadata.generation !== after.metadata.generation) tell(before, after);
          },
          deleted: (policy: AnyOverridePolicy): void => tell(policy),
        };
        const stops = [this.namespaced.subscribe(handler), this.cluster.subscribe(handler)];
        return () => stops.forEach((stop) => stop());
      },
    };
  }

  /** Told of every cluster override policy that appears, changes (old and new) or goes. */
  onClusterPolicy(tell: (policy: AnyOverridePolicy) => void): Cancel {
    return this.cluster.subscribe({
      added: (policy, initial) => void (initial || tell(policy)),
      updated: (before, after) => {
        if (before.metadata.generation === after.metadata.generation) return;
        tell(before);
        tell(after);
      },
      deleted: tell,
    });
  }

  private selects(policy: AnyOverridePolicy, binding: Binding): boolean {
    // Selectors by label need the template; the binding itself says the rest.
    return overridePolicySelects(policy, cachedTemplate(this.context, binding) ?? templateReference(binding));
  }
}
