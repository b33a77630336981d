// One policy: what its edit, its deletion or its priority means for templates (scheduling.md §4.6, §4.7).
import {
  CLUSTER_PROPAGATION_POLICY_FINALIZER,
  CLUSTER_PROPAGATION_POLICY_ID_LABEL,
  PROPAGATION_POLICY_FINALIZER,
  PROPAGATION_POLICY_ID_LABEL,
  type KubeObject,
} from '../../api/index.ts';
import { isNotFound, kinds, type Resource } from '../../client/index.ts';
import { hasFinalizer, isBeingDeleted, withoutFinalizer } from '../../machinery/index.ts';
import {
  bindingName,
  choosePolicy,
  claimOf,
  decidePreemption,
  heirsOfLoweredPriority,
  policyId,
  policyMatches,
  preemptionContest,
  withClaim,
  withoutClaim,
  type Binding,
  type Contest,
  type Policy,
} from '../../propagation/index.ts';
import { done, retry, type EventRecorder, type Outcome } from '../../runtime/index.ts';
import type { ControllerContext } from '../context.ts';
import { DecisionLog } from '../decisions.ts';
import { noteCause, type Deletions } from '../deletion-rules.ts';
import type { PolicyIndex } from './policy-index.ts';
import {
  parseTemplateKey,
  templateKey,
  templateKeyOf,
  type TemplateInformers,
  type TemplateKey,
} from './templates.ts';

export interface TemplateQueue {
  enqueue(key: TemplateKey, because: Policy | undefined): void;
}

const BY_POLICY = 'policy';
const policyIds = ({ metadata }: Binding): string[] =>
  [
    metadata.labels?.[PROPAGATION_POLICY_ID_LABEL],
    metadata.labels?.[CLUSTER_PROPAGATION_POLICY_ID_LABEL],
  ].filter((id): id is string => id !== undefined && id !== '');

export class PolicyReconciler {
  private readonly context: ControllerContext;
  private readonly recorder: EventRecorder;
  private readonly templates: TemplateInformers;
  private readonly policies: PolicyIndex;
  private readonly waiting: ReadonlySet<TemplateKey>;
  private readonly queue: TemplateQueue;
  private readonly deletions: Deletions;

  constructor(
    context: ControllerContext,
    templates: TemplateInformers,
    policies: PolicyIndex,
    waiting: ReadonlySet<TemplateKey>,
    queue: TemplateQueue,
    deletions: Deletions,
  ) {
    this.context = context;
    this.recorder = context.recorder.withComponent('resource-detector');
    this.templates = templates;
    this.policies = policies;
    this.waiting = waiting;
    this.queue = queue;
    this.deletions = deletions;
    context.informers.informer(kinds.resourceBindings, { indexes: { [BY_POLICY]: policyIds } });
    context.informers.informer(kinds.clusterResourceBindings, { indexes: { [BY_POLICY]: policyIds } });
  }

  /** The policies that may take what a policy holds that fell in priority, the highest first. */
  heirsOf(before: Policy, after: Policy): readonly Policy[] {
    if (!this.context.settings.gates.PropagationPolicyPreemption) return [];
    const all =
      after.kind === 'PropagationPolicy'
        ? this.policies.namespaced.store.list()
        : this.policies.cluster.store.list();
    return heirsOfLoweredPriority(before, after, all);
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Outcome> {
    const [kind, namespace = '', name = ''] = key.split('|');
    const policy: Policy | undefined =
      kind === 'PropagationPolicy'
        ? this.policies.namespaced.store.get({ namespace, name })
        : this.policies.cluster.store.get({ name });
    if (policy === undefined) return done;
    if (isBeingDeleted(policy)) return this.remove(policy, signal);
    for (const fault of this.templates.selectorFaults(policy))
      this.recorder.event(policy, 'Warning', 'SelectorMeansNothing', fault);
    await this.releaseUnselected(policy, signal);
    for (const binding of this.bindingsOf(policy))
      this.queue.enqueue(templateKey(binding.spec.resource), policy);
    const found = this.matchingWaiters(policy);
    if (found.length > 0) {
      const missing = (policy.spec.dependentOverrides ?? []).filter(
        (override) => !this.policies.overrideExists(policy, override),
      );
      if (missing.length > 0)
        return retry(
          new Error(`${policy.kind} ${name} waits for the override policies ${missing.join(', ')}`),
        );
      for (const waiter of found) this.queue.enqueue(waiter, policy);
    }
    await this.preempt(policy, signal);
    return done;
  }

  private matchingWaiters(policy: Policy): TemplateKey[] {
    const kindsSelected = new Set(
      policy.spec.resourceSelectors.map(({ apiVersion, kind }) => `${apiVersion}|${kind}`),
    );
    return [...this.waiting].filter((key) => {
      const reference = parseTemplateKey(key);
      if (!kindsSelected.has(`${reference.apiVersion}|${reference.kind}`)) return false;
      if (policy.kind === 'PropagationPolicy' && reference.namespace !== policy.metadata.namespace)
        return false;
      const template = this.templates.get(reference);
      return template !== undefined && policyMatches(policy, template);
    });
  }

  /** Templates the policy was edited away from lose their claim; what is propagated stays, unless it is said otherwise. */
  private async releaseUnselected(policy: Policy, signal: AbortSignal): Promise<void> {
    const claim = {
      kind: policy.kind,
      id: policyId(policy),
    };
    for (const binding of this.bindingsOf(policy)) {
      const template = this.templates.get(binding.spec.resource);
      if (template === undefined || policyMatches(policy, template)) continue;
      if (await this.endWithPolicy(binding, policy, signal))
        await this.release(template, undefined, claim, signal);
      else await this.release(template, binding, claim, signal);
    }
  }

  /** Whether what the policy held ends with it, since a deletion policy says so and no other policy takes it over. */
  private async endWithPolicy(binding: Binding, policy: Policy, signal: AbortSignal): Promise<boolean> {
    const template = this.templates.get(binding.spec.resource);
    if (template === undefined) return false;
    const rules = this.deletions.rules(binding, template);
    if (rules === undefined || rules.keepWithoutPolicy) return false;
    const others = (all: readonly Policy[]): readonly Policy[] =>
      all.filter(({ metadata }) => metadata.uid !== policy.metadata.uid);
    const { policies } = this;
    const heir = choosePolicy(
      template,
      others(policies.namespacedFor(template)),
      others(policies.clusterFor(template)),
    );
    if (heir.winner !== undefined) return false;
    const { namespace, name = '', uid = '' } = binding.metadata;
    const resource = resourceOf(binding);
    await noteCause(this.context, resource, binding, 'Policy', signal);
    try {
      await this.context.hubClient.delete(resource, { namespace, name }, { preconditions: { uid }, signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    return true;
  }

  private async release(
    template: KubeObject | undefined,
    binding: Binding | undefined,
    claim: { readonly kind: 'PropagationPolicy' | 'ClusterPropagationPolicy'; readonly id: string },
    signal: AbortSignal,
  ): Promise<void> {
    const { hubClient } = this.context;
    try {
      if (template !== undefined) {
        const resource = this.templates.resource(template.apiVersion, template.kind);
        const released = withoutClaim(template, claim);
        if (resource !== undefined && released !== template)
          await hubClient.update(resource, released, { signal });
      }
      if (binding !== undefined) {
        const released = withoutClaim(binding, claim);
        if (released !== binding) await hubClient.update(resourceOf(binding), released, { signal });
      }
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  /** Takes the claims of a policy that goes, bindings first, then lets it go. What runs is touched only where that is said. */
  private async remove(policy: Policy, signal: AbortSignal): Promise<Outcome> {
    const namespaced = policy.kind === 'PropagationPolicy';
    const finalizer = namespaced ? PROPAGATION_POLICY_FINALIZER : CLUSTER_PROPAGATION_POLICY_FINALIZER;
    if (!hasFinalizer(policy, finalizer)) return done;
    const claim = {
      kind: policy.kind,
      id: policyId(policy),
    };
    // What goes together with its namespace keeps its claim: by that it is known as worth making again.
    const together = namespaced && (await this.deletions.isEnding(policy.metadata.namespace ?? '', signal));
    if (!together) await this.letGo(policy, claim, signal);
    const resource = (
      namespaced ? kinds.propagationPolicies : kinds.clusterPropagationPolicies
    ) as Resource<Policy>;
    await this.context.hubClient.update(resource, withoutFinalizer(policy, finalizer), { signal });
    return done;
  }

  private async letGo(
    policy: Policy,
    claim: { readonly kind: 'PropagationPolicy' | 'ClusterPropagationPolicy'; readonly id: string },
    signal: AbortSignal,
  ): Promise<void> {
    for (const binding of this.bindingsOf(policy)) {
      if (!(await this.endWithPolicy(binding, policy, signal)))
        await this.release(undefined, binding, claim, signal);
    }
    for (const template of this.claimedTemplates(policy))
      await this.release(template, undefined, claim, signal);
  }

  private claimedTemplates(policy: Policy): KubeObject[] {
    const id = policyId(policy);
    const label =
      policy.kind === 'PropagationPolicy' ? PROPAGATION_POLICY_ID_LABEL : CLUSTER_PROPAGATION_POLICY_ID_LABEL;
    const found = new Map<string, KubeObject>();
    for (const { apiVersion, kind, namespace } of policy.spec.resourceSelectors) {
      for (const template of this.templates.list(apiVersion, kind, namespace ?? '')) {
        if (template.metadata.labels?.[label] === id) found.set(templateKeyOf(template), template);
      }
    }
    return [...found.values()];
  }

  private async preempt(policy: Policy, signal: AbortSignal): Promise<void> {
    const { hubClient, scheduling, settings } = this.context;
    const { recorder } = this;
    if (!settings.gates.PropagationPolicyPreemption || policy.spec.preemption !== 'Always') return;
    for (const { apiVersion, kind, namespace, name } of policy.spec.resourceSelectors) {
      if (name === undefined || name === '') continue;
      const template = this.templates.get({
        apiVersion,
        kind,
        namespace: namespace === '' ? undefined : namespace,
        name,
      });
      if (template === undefined) continue;
      const claim = claimOf(template);
      const holder =
        claim === undefined ? undefined : { kind: claim.kind, policy: this.policies.claimant(claim) };
      const verdict = decidePreemption(policy, template, holder, true);
      if (!verdict.take) continue;
      const resource = this.templates.resource(apiVersion, kind);
      if (resource === undefined) continue;
      const called = [policy.metadata.namespace, policy.metadata.name].filter(Boolean).join('/');
      try {
        await hubClient.update(resource, withClaim(template, policy), { signal });
        scheduling.preempted(true);
        recorder.event(
          template,
          'Normal',
          'PreemptPolicySucceed',
          `${policy.kind}(${called}) preempted this resource`,
        );
        this.queue.enqueue(templateKeyOf(template), policy);
        await this.record(template, preemptionContest(policy, holder?.policy, template));
      } catch (error) {
        scheduling.preempted(false);
        recorder.event(
          template,
          'Warning',
          'PreemptPolicyFailed',
          `${policy.kind}(${called}) could not preempt this resource: ${String(error)}`,
        );
        throw error;
      }
    }
  }

  private async record({ kind, metadata }: KubeObject, contest: Contest): Promise<void> {
    const { informers } = this.context;
    const { namespace, name = '' } = metadata;
    const key = { namespace, name: bindingName(kind, name) };
    const binding: Binding | undefined =
      namespace === undefined
        ? informers.informer(kinds.clusterResourceBindings).store.get(key)
        : informers.informer(kinds.resourceBindings).store.get(key);
    if (binding !== undefined) await DecisionLog.of(this.context).chosen(binding, contest, false);
  }

  private bindingsOf(policy: Policy): Binding[] {
    const { informers } = this.context;
    const id = policyId(policy);
    if (id === '') return [];
    const all: Binding[] = [...informers.informer(kinds.resourceBindings).store.byIndex(BY_POLICY, id)];
    if (policy.kind === 'ClusterPropagationPolicy')
      all.push(...informers.informer(kinds.clusterResourceBindings).store.byIndex(BY_POLICY, id));
    return all;
  }
}

function resourceOf(binding: Binding): Resource<Binding> {
  return binding.kind === 'ResourceBinding' ? kinds.resourceBindings : kinds.clusterResourceBindings;
}
