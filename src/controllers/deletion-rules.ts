// Deletion policies as the controllers use them: what holds for the copies of a template, and which bindings an edit of a
// policy concerns.
// INVARIANT: a namespace on its way out takes its policies along before what they are about; what Works carry holds then.
import {
  DELETION_RULES_ANNOTATION,
  REMOVAL_CAUSE_ANNOTATION,
  type Cluster,
  type ClusterDeletionPolicy,
  type DeletionPolicy,
  type KubeObject,
  type Namespace,
  type Work,
} from '../api/index.ts';
import type { Cancel } from '../base/index.ts';
import { isNotFound, keyOf, kinds, type Resource } from '../client/index.ts';
import { isBeingDeleted } from '../machinery/index.ts';
import {
  carriedRules,
  chooseDeletionPolicy,
  deletionRules,
  namespaceRules,
  needsCause,
  type AnyDeletionPolicy,
  type Binding,
  type Deletion,
  type DeletionRules,
  type RemovalCause,
} from '../propagation/index.ts';
import type { Informer, Source } from '../runtime/index.ts';
import { cachedTemplate, templateReference } from './binding-template.ts';
import type { ControllerContext } from './context.ts';

// The hub's own, which every cluster has and none ever loses.
const IDENTITY_NAMESPACE = 'kube-system';

export class Deletions {
  readonly synced: Promise<unknown>;
  private readonly context: ControllerContext;
  private readonly namespaced: Informer<DeletionPolicy>;
  private readonly cluster: Informer<ClusterDeletionPolicy>;
  private readonly namespaces: Informer<Namespace>;

  constructor(context: ControllerContext) {
    this.context = context;
    this.namespaced = context.informers.informer(kinds.deletionPolicies);
    this.cluster = context.informers.informer(kinds.clusterDeletionPolicies);
    this.namespaces = context.informers.informer(kinds.namespaces as Resource<Namespace>);
    this.synced = Promise.all([this.namespaced.synced, this.cluster.synced, this.namespaces.synced]);
  }

  /** Who the hub is to its members. */
  hub(): string {
    return this.namespaces.store.get({ name: IDENTITY_NAMESPACE })?.metadata.uid ?? '';
  }

  /** What holds for the copies of a binding's template; undefined: nobody said anything. */
  rules(binding: Binding, template: KubeObject): DeletionRules | undefined {
    if (this.namespaced.store.size === 0 && this.cluster.store.size === 0) return undefined;
    const needing = (binding.spec.requiredBy ?? []).map(({ namespace = '', name }) =>
      this.bindingOf(namespace, name),
    );
    return deletionRules({
      template,
      spec: binding.spec,
      policy: this.policyFor(template),
      dependents: needing.map((one) => one && this.rulesOfDependent(one)),
    });
  }

  /** @param preserved whether `preserveResourcesOnDeletion` is said of anything in it */
  namespaceRules(namespace: Namespace, preserved: boolean): DeletionRules | undefined {
    return namespaceRules(
      namespace,
      this.namespaced.store.list(namespace.metadata.name ?? ''),
      this.cluster.store.list(),
      preserved,
    );
  }

  /** For the Works of a binding. */
  of(binding: Binding, template: KubeObject): Deletion | undefined {
    const rules = this.rules(binding, template);
    return rules === undefined ? undefined : { rules, hub: this.hub() };
  }

  /** Why a Work goes whose binding stays. What is there for others goes for the reason for which they do. */
  causeOfOrphan(work: Work, cluster: Cluster | undefined): RemovalCause {
    if (cluster === undefined || isBeingDeleted(cluster)) return 'Unjoin';
    return this.hasEnded(carriedRules(work)?.dependents ?? []) ? 'Template' : 'Move';
  }

  /** Deletes a Work, and has it say why: its objects are dealt with by somebody who sees the Work alone. */
  async remove(work: Work, cause: RemovalCause, signal: AbortSignal): Promise<void> {
    if (isBeingDeleted(work)) return;
    if (needsCause(work)) await noteCause(this.context, kinds.works, work, cause, signal);
    const { namespace, name = '', uid = '' } = work.metadata;
    try {
      await this.context.hubClient.delete(
        kinds.works,
        { namespace, name },
        { preconditions: { uid }, signal },
      );
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  /** Whether what the Work carries would be lost because the policy goes with the namespace that all of it is in. */
  async wouldForget(existing: Work | undefined, desired: Work, signal: AbortSignal): Promise<boolean> {
    const carried = existing?.metadata.annotations?.[DELETION_RULES_ANNOTATION];
    if (carried === undefined || carried === desired.metadata.annotations?.[DELETION_RULES_ANNOTATION])
      return false;
    const manifests = (desired.spec.workload?.manifests ?? []) as unknown as readonly KubeObject[];
    return this.isEnding(manifests[0]?.metadata.namespace ?? '', signal);
  }

  /** Asked of the API server itself: what a policy said must not be forgotten because the policy went first. */
  async isEnding(namespace: string, signal: AbortSignal): Promise<boolean> {
    if (namespace === '') return false;
    const found = await this.context.hubClient.find(kinds.namespaces, { name: namespace }, { signal });
    return found === undefined || isBeingDeleted(found);
  }

  private policyFor(template: KubeObject): AnyDeletionPolicy | undefined {
    return chooseDeletionPolicy(
      template,
      this.namespaced.store.list(template.metadata.namespace ?? ''),
      this.cluster.store.list(),
    );
  }

  /** It never is there for yet others only: what is needed indirectly is attached to where the need began. */
  private rulesOfDependent(binding: Binding): DeletionRules | undefined {
    // Selectors by label need the template; the binding itself says the rest.
    const template = cachedTemplate(this.context, binding) ?? templateReference(binding);
    return deletionRules({ template, spec: binding.spec, policy: this.policyFor(template), dependents: [] });
  }

  private bindingOf(namespace: string, name: string): Binding | undefined {
    const { informers } = this.context;
    return namespace === ''
      ? informers.informer(kinds.clusterResourceBindings).store.get({ name })
      : informers.informer(kinds.resourceBindings).store.get({ namespace, name });
  }

  /** Whether any of these bindings, as namespace/name, has gone or goes. */
  private hasEnded(names: readonly string[]): boolean {
    return names.some((name) => {
      const [namespace = '', rest] = name.split('/');
      const binding = rest === undefined ? this.bindingOf('', namespace) : this.bindingOf(namespace, rest);
      return binding === undefined || isBeingDeleted(binding);
    });
  }

  /** Keys of the bindings that an edited, new or deleted policy may concern. */
  source(bindings: Informer<Binding>, priority: number): Source {
    return {
      synced: Promise.resolve(),
      start: (enqueue) =>
        this.onPolicy((policy) => {
          const { namespace } = policy.metadata;
          for (const binding of bindings.store.list(namespace)) enqueue(keyOf(binding), { priority });
        }),
    };
  }

  /** Told of every policy that appears, changes or goes. */
  onPolicy(tell: (policy: AnyDeletionPolicy) => void): Cancel {
    const handler = {
      added: (policy: AnyDeletionPolicy, initial: boolean): void => void (initial || tell(policy)),
      updated: (before: AnyDeletionPolicy, after: AnyDeletionPolicy): void => {
        if (before.metadata.generation !== after.metadata.generation) tell(after);
      },
      deleted: tell,
    };
    const stops = [this.namespaced.subscribe(handler), this.cluster.subscribe(handler)];
    return () => stops.forEach((stop) => stop());
  }
}

/** Notes on an object that is about to be deleted why it is. */
export async function noteCause(
  { hubClient }: ControllerContext,
  of: Resource,
  { metadata }: KubeObject,
  cause: RemovalCause,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name = '', uid, annotations } = metadata;
  if (annotations?.[REMOVAL_CAUSE_ANNOTATION] === cause) return;
  const body = { metadata: { uid, annotations: { [REMOVAL_CAUSE_ANNOTATION]: cause } } };
  try {
    await hubClient.patch(of, { namespace, name }, { type: 'merge', body }, { signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
